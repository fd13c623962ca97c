/* Text functions that live beside windows and menus, of which nothing else is here. */
#ifndef _WINUSER_
#define _WINUSER_

#include <stdarg.h>

#include "windef.h"

TP_BEGIN

/* Text by a format, at most 1024 characters with the null: how large the target has to be. Formats as in
 * <turnpike_crt.h>, but without real numbers, octal, '*', '+' and ' '. Returns the characters without the null; 0, and
 * ERROR_INVALID_PARAMETER, for a null pointer. */
int WINAPIV wsprintfA(LPSTR, LPCSTR, ...) TP_SHIM(wsprintfA);
int WINAPIV wsprintfW(LPWSTR, LPCWSTR, ...) TP_SHIM(wsprintfW);
int WINAPI wvsprintfA(LPSTR, LPCSTR, va_list arglist) TP_SHIM(wvsprintfA);
int WINAPI wvsprintfW(LPWSTR, LPCWSTR, va_list arglist) TP_SHIM(wvsprintfW);

/* Changes the case of a text in place and returns it; or of one character, where a pointer's upper bits are all zero
 * and the lower 16 hold it, and returns that. The A forms leave all but ASCII alone. Null: null. */
LPSTR WINAPI CharUpperA(LPSTR lpsz) TP_SHIM(CharUpperA);
LPWSTR WINAPI CharUpperW(LPWSTR lpsz) TP_SHIM(CharUpperW);
LPSTR WINAPI CharLowerA(LPSTR lpsz) TP_SHIM(CharLowerA);
LPWSTR WINAPI CharLowerW(LPWSTR lpsz) TP_SHIM(CharLowerW);

/* The same for so many characters, nulls among them. Returns how many; 0 for a null pointer. */
DWORD WINAPI CharUpperBuffA(LPSTR lpsz, DWORD cchLength) TP_SHIM(CharUpperBuffA);
DWORD WINAPI CharUpperBuffW(LPWSTR lpsz, DWORD cchLength) TP_SHIM(CharUpperBuffW);
DWORD WINAPI CharLowerBuffA(LPSTR lpsz, DWORD cchLength) TP_SHIM(CharLowerBuffA);
DWORD WINAPI CharLowerBuffW(LPWSTR lpsz, DWORD cchLength) TP_SHIM(CharLowerBuffW);

TP_END

#define wsprintf TP_AW(wsprintf)
#define wvsprintf TP_AW(wvsprintf)
#define CharUpper TP_AW(CharUpper)
#define CharLower TP_AW(CharLower)
#define CharUpperBuff TP_AW(CharUpperBuff)
#define CharLowerBuff TP_AW(CharLowerBuff)

#endif
