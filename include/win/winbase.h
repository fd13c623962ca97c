/* The base interface: everything of <windows.h> but its types. */
#ifndef _WINBASE_
#define _WINBASE_

#include <stdarg.h>

#include "errhandlingapi.h"
#include "handleapi.h"
#include "interlockedapi.h"
#include "minwinbase.h"
#include "processthreadsapi.h"
#include "stringapiset.h"
#include "synchapi.h"
#include "threadpoollegacyapiset.h"

TP_BEGIN

/* ---- Text. A null pointer is no crash here, as it is none on Windows: the length of null is 0, a copy that is given
 * one returns null and does nothing, and null comes before every text. */
int WINAPI lstrlenA(LPCSTR lpString) TP_SHIM(lstrlenA);
int WINAPI lstrlenW(LPCWSTR lpString) TP_SHIM(lstrlenW);
LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2) TP_SHIM(lstrcpyA);
LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2) TP_SHIM(lstrcpyW);
LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2) TP_SHIM(lstrcatA);
LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2) TP_SHIM(lstrcatW);

/* At most iMaxLength - 1 characters and a null. Null, and nothing is written, where iMaxLength is below 1. */
LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength) TP_SHIM(lstrcpynA);
LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength) TP_SHIM(lstrcpynW);

/* -1, 0 or 1. Ordered by letter first and by case last, lower case before upper: a, A, b, B. */
int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2) TP_SHIM(lstrcmpA);
int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2) TP_SHIM(lstrcmpW);
int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2) TP_SHIM(lstrcmpiA);
int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2) TP_SHIM(lstrcmpiW);

TP_END

#define lstrlen TP_AW(lstrlen)
#define lstrcpy TP_AW(lstrcpy)
#define lstrcpyn TP_AW(lstrcpyn)
#define lstrcat TP_AW(lstrcat)
#define lstrcmp TP_AW(lstrcmp)
#define lstrcmpi TP_AW(lstrcmpi)

#endif
