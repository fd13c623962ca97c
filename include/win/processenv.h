/* The environment and the command line of this process. */
#ifndef _PROCESSENV_
#define _PROCESSENV_

#include "minwinbase.h"

TP_BEGIN

/* The characters written, without the null; where the buffer is too small, the characters needed, with the null. 0 and
 * ERROR_ENVVAR_NOT_FOUND: there is no such variable; 0 and NO_ERROR: it is empty. Names are told apart by case, as on
 * Linux. */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize) TP_SHIM(GetEnvironmentVariableA);
DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize) TP_SHIM(GetEnvironmentVariableW);

/* A null value takes the variable away. A name that is null, empty or has a '=': ERROR_INVALID_PARAMETER. As with
 * setenv, no other thread may read the environment through the C library meanwhile. */
BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue) TP_SHIM(SetEnvironmentVariableA);
BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue) TP_SHIM(SetEnvironmentVariableW);

/* Each %NAME% becomes its value; what is no variable stays. The characters of the result, with the null, whether they
 * fit (and are written) or not; 0 and ERROR_INVALID_PARAMETER for a null source. */
DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR lpSrc, LPSTR lpDst, DWORD nSize) TP_SHIM(ExpandEnvironmentStringsA);
DWORD WINAPI ExpandEnvironmentStringsW(LPCWSTR lpSrc, LPWSTR lpDst, DWORD nSize) TP_SHIM(ExpandEnvironmentStringsW);

/* The program and its arguments in one line; one with a blank in it stands between quotation marks. */
LPSTR WINAPI GetCommandLineA(VOID) TP_SHIM(GetCommandLineA);
LPWSTR WINAPI GetCommandLineW(VOID) TP_SHIM(GetCommandLineW);

TP_END

#define GetEnvironmentVariable TP_AW(GetEnvironmentVariable)
#define SetEnvironmentVariable TP_AW(SetEnvironmentVariable)
#define ExpandEnvironmentStrings TP_AW(ExpandEnvironmentStrings)
#define GetCommandLine TP_AW(GetCommandLine)

#endif
