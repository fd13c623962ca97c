/* The names that Microsoft's C run-time library has and the C library of Linux lacks, as client code takes them from
 * <stdio.h>, <stdlib.h>, <string.h> and <wchar.h>. <windows.h> and <tchar.h> bring them along.
 *
 * Formats follow the rules of Windows in all functions here, as in wsprintf, StringCchPrintf and TracePrintf:
 *
 *   %s %c in a wide function take wide text; %S %C the other width; %hs always char, %ls and %ws always WCHAR
 *   %ld %lu %lx are for LONG and DWORD: 32 bits; %I64d and %lld 64; %Id and %zd a pointer's width
 *   %p has 16 digits and no 0x; %n writes nothing
 *
 * The C library's own wprintf and swprintf read L"%s" as text of char. A client that relies on the other reading
 * compiles with -DTP_WINDOWS_WPRINTF: then wprintf, fwprintf, vwprintf, vfwprintf, swprintf and vswprintf are ours.
 * (_tprintf and the like of <tchar.h> are ours always.) Written to a stream, wide text is UTF-8, whatever the locale.
 */
#ifndef TURNPIKE_CRT_H
#define TURNPIKE_CRT_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "minwindef.h"

typedef int errno_t;

#ifndef _TRUNCATE
#define _TRUNCATE TP_CAST(size_t, -1)
#endif
#ifndef STRUNCATE
#define STRUNCATE 80
#endif
#ifndef _MAX_PATH
#define _MAX_PATH 260
#endif
#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

TP_BEGIN

/* ---- Formatted text.
 *
 * The length without the null; -1 where the text does not fit into `size` (what fits is written, without a null if it
 * fills all), or where an argument is null. Null and 0 for the target: the length that it would have. */
int _snprintf(char* target, size_t size, const char* format, ...) TP_SHIM(_snprintf);
int _vsnprintf(char* target, size_t size, const char* format, va_list arguments) TP_SHIM(_vsnprintf);
int _snwprintf(wchar_t* target, size_t size, const wchar_t* format, ...) TP_SHIM(_snwprintf);
int _vsnwprintf(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) TP_SHIM(_vsnwprintf);

/* The length that the text would have. */
int _scprintf(const char* format, ...) TP_SHIM(_scprintf);
int _vscprintf(const char* format, va_list arguments) TP_SHIM(_vscprintf);
int _scwprintf(const wchar_t* format, ...) TP_SHIM(_scwprintf);
int _vscwprintf(const wchar_t* format, va_list arguments) TP_SHIM(_vscwprintf);

/* The length; -1 and an empty text where it does not fit, errno ERANGE, or where an argument is bad, errno EINVAL. (On
 * Windows either would end the process.) The forms with a `most` cut the text to that many characters, to what fits
 * where it is _TRUNCATE, and say -1 when they did. */
int sprintf_s(char* target, size_t size, const char* format, ...) TP_SHIM(sprintf_s);
int vsprintf_s(char* target, size_t size, const char* format, va_list arguments) TP_SHIM(vsprintf_s);
int swprintf_s(wchar_t* target, size_t size, const wchar_t* format, ...) TP_SHIM(swprintf_s);
int vswprintf_s(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) TP_SHIM(vswprintf_s);
int _snprintf_s(char* target, size_t size, size_t most, const char* format, ...) TP_SHIM(_snprintf_s);
int _vsnprintf_s(char* target, size_t size, size_t most, const char* format, va_list arguments) TP_SHIM(_vsnprintf_s);
int _snwprintf_s(wchar_t* target, size_t size, size_t most, const wchar_t* format, ...) TP_SHIM(_snwprintf_s);
int _vsnwprintf_s(wchar_t* target, size_t size, size_t most, const wchar_t* format, va_list arguments)
    TP_SHIM(_vsnwprintf_s);

/* To a stream, by the rules above. -1 for a null pointer or a stream that fails. */
int TpPrintf(const char* format, ...) TP_SHIM(printf);
int TpVprintf(const char* format, va_list arguments) TP_SHIM(vprintf);
int TpFprintf(FILE* stream, const char* format, ...) TP_SHIM(fprintf);
int TpVfprintf(FILE* stream, const char* format, va_list arguments) TP_SHIM(vfprintf);
int TpWprintf(const wchar_t* format, ...) TP_SHIM(wprintf);
int TpVwprintf(const wchar_t* format, va_list arguments) TP_SHIM(vwprintf);
int TpFwprintf(FILE* stream, const wchar_t* format, ...) TP_SHIM(fwprintf);
int TpVfwprintf(FILE* stream, const wchar_t* format, va_list arguments) TP_SHIM(vfwprintf);

/* As the standard's swprintf: ended with a null, -1 where the text does not fit. */
int TpSwprintf(wchar_t* target, size_t size, const wchar_t* format, ...) TP_SHIM(swprintf);
int TpVswprintf(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) TP_SHIM(vswprintf);

/* ---- Text with a bound. 0; EINVAL for a null pointer or a size of 0; ERANGE where the text does not fit, or what is
 * to be appended to has no end. On failure the target is empty. Of the N forms at most `most` characters are taken;
 * _TRUNCATE takes what fits, and returns STRUNCATE where that was not all. */
errno_t strcpy_s(char* target, size_t size, const char* source) TP_SHIM(strcpy_s);
errno_t wcscpy_s(wchar_t* target, size_t size, const wchar_t* source) TP_SHIM(wcscpy_s);
errno_t strncpy_s(char* target, size_t size, const char* source, size_t most) TP_SHIM(strncpy_s);
errno_t wcsncpy_s(wchar_t* target, size_t size, const wchar_t* source, size_t most) TP_SHIM(wcsncpy_s);
errno_t strcat_s(char* target, size_t size, const char* source) TP_SHIM(strcat_s);
errno_t wcscat_s(wchar_t* target, size_t size, const wchar_t* source) TP_SHIM(wcscat_s);
errno_t strncat_s(char* target, size_t size, const char* source, size_t most) TP_SHIM(strncat_s);
errno_t wcsncat_s(wchar_t* target, size_t size, const wchar_t* source, size_t most) TP_SHIM(wcsncat_s);

/* 0; EINVAL for a null pointer, ERANGE where `size` is below `count`: then the target is zeroed. */
errno_t memcpy_s(void* target, size_t size, const void* source, size_t count) TP_SHIM(memcpy_s);
errno_t memmove_s(void* target, size_t size, const void* source, size_t count) TP_SHIM(memmove_s);

/* ---- Case, in place; null for null. The A forms leave all but ASCII alone. */
char* _strlwr(char* text) TP_SHIM(_strlwr);
char* _strupr(char* text) TP_SHIM(_strupr);
wchar_t* _wcslwr(wchar_t* text) TP_SHIM(_wcslwr);
wchar_t* _wcsupr(wchar_t* text) TP_SHIM(_wcsupr);

/* ---- Numbers as text in base 2 to 36, with lower-case letters; negative ones get a sign in base 10 alone. The target
 * must be large enough: 65 characters do for everything. Another base: an empty text. */
char* _itoa(int value, char* target, int base) TP_SHIM(_itoa);
char* _ltoa(LONG value, char* target, int base) TP_SHIM(_ltoa);
char* _ultoa(ULONG value, char* target, int base) TP_SHIM(_ultoa);
char* _i64toa(LONGLONG value, char* target, int base) TP_SHIM(_i64toa);
char* _ui64toa(ULONGLONG value, char* target, int base) TP_SHIM(_ui64toa);
wchar_t* _itow(int value, wchar_t* target, int base) TP_SHIM(_itow);
wchar_t* _ltow(LONG value, wchar_t* target, int base) TP_SHIM(_ltow);
wchar_t* _ultow(ULONG value, wchar_t* target, int base) TP_SHIM(_ultow);
wchar_t* _i64tow(LONGLONG value, wchar_t* target, int base) TP_SHIM(_i64tow);
wchar_t* _ui64tow(ULONGLONG value, wchar_t* target, int base) TP_SHIM(_ui64tow);

/* Text as a number; 0 where it begins with none, the nearest number where it is too large. */
int _wtoi(const wchar_t* text) TP_SHIM(_wtoi);
LONG _wtol(const wchar_t* text) TP_SHIM(_wtol);
LONGLONG _wtoi64(const wchar_t* text) TP_SHIM(_wtoi64);
LONGLONG _atoi64(const char* text) TP_SHIM(_atoi64);

/* ---- Other names of what the C library has. */
int _stricmp(const char* left, const char* right) __asm__("strcasecmp");
int _strcmpi(const char* left, const char* right) __asm__("strcasecmp");
int _strnicmp(const char* left, const char* right, size_t most) __asm__("strncasecmp");
int _wcsicmp(const wchar_t* left, const wchar_t* right) __asm__("wcscasecmp");
int _wcsnicmp(const wchar_t* left, const wchar_t* right, size_t most) __asm__("wcsncasecmp");
char* _strdup(const char* text) __asm__("strdup") __attribute__((malloc));
wchar_t* _wcsdup(const wchar_t* text) __asm__("wcsdup") __attribute__((malloc));
char* strtok_s(char* text, const char* separators, char** context) __asm__("strtok_r");
wchar_t* wcstok_s(wchar_t* text, const wchar_t* separators, wchar_t** context) __asm__("wcstok");

TP_END

/* The size of an array needs not be told in C++. */
#ifdef __cplusplus
extern "C++" {
template <size_t size>
inline errno_t strcpy_s(char (&target)[size], const char* source) {
  return strcpy_s(target, size, source);
}
template <size_t size>
inline errno_t wcscpy_s(wchar_t (&target)[size], const wchar_t* source) {
  return wcscpy_s(target, size, source);
}
template <size_t size>
inline errno_t strcat_s(char (&target)[size], const char* source) {
  return strcat_s(target, size, source);
}
template <size_t size>
inline errno_t wcscat_s(wchar_t (&target)[size], const wchar_t* source) {
  return wcscat_s(target, size, source);
}
template <size_t size, class... Arguments>
inline int sprintf_s(char (&target)[size], const char* format, Arguments... arguments) {
  return sprintf_s(target, size, format, arguments...);
}
template <size_t size, class... Arguments>
inline int swprintf_s(wchar_t (&target)[size], const wchar_t* format, Arguments... arguments) {
  return swprintf_s(target, size, format, arguments...);
}
}
#endif

#ifdef TP_WINDOWS_WPRINTF
#define wprintf TpWprintf
#define vwprintf TpVwprintf
#define fwprintf TpFwprintf
#define vfwprintf TpVfwprintf
#define swprintf TpSwprintf
#define vswprintf TpVswprintf
#endif

#endif
