/* Text of TCHAR: WCHAR where UNICODE or _UNICODE is defined, char else. */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <ctype.h>
#include <wctype.h>

#include "turnpike_crt.h"

#define __T(text) __TEXT(text)
#define _T(text) __TEXT(text)
#define _TEXT(text) __TEXT(text)

typedef TCHAR _TCHAR;
typedef TCHAR _TSCHAR;
typedef TCHAR _TUCHAR;
typedef TCHAR _TXCHAR;

// clang-format off: a table
#ifdef UNICODE
typedef wint_t _TINT;
#define _TEOF WEOF
#define _tmain wmain
#define _tcslen wcslen
#define _tcsnlen wcsnlen
#define _tcscpy wcscpy
#define _tcsncpy wcsncpy
#define _tcscat wcscat
#define _tcsncat wcsncat
#define _tcscmp wcscmp
#define _tcsncmp wcsncmp
#define _tcsicmp _wcsicmp
#define _tcsnicmp _wcsnicmp
#define _tcscoll wcscoll
#define _tcschr wcschr
#define _tcsrchr wcsrchr
#define _tcsstr wcsstr
#define _tcsspn wcsspn
#define _tcscspn wcscspn
#define _tcspbrk wcspbrk
#define _tcstok_s wcstok_s
#define _tcsdup _wcsdup
#define _tcslwr _wcslwr
#define _tcsupr _wcsupr
#define _tcscpy_s wcscpy_s
#define _tcsncpy_s wcsncpy_s
#define _tcscat_s wcscat_s
#define _tcsncat_s wcsncat_s
#define _tcstol wcstol
#define _tcstoul wcstoul
#define _tcstod wcstod
#define _ttoi _wtoi
#define _ttol _wtol
#define _ttoi64 _wtoi64
#define _itot _itow
#define _ltot _ltow
#define _ultot _ultow
#define _i64tot _i64tow
#define _ui64tot _ui64tow
#define _tprintf TpWprintf
#define _vtprintf TpVwprintf
#define _ftprintf TpFwprintf
#define _vftprintf TpVfwprintf
#define _sntprintf _snwprintf
#define _vsntprintf _vsnwprintf
#define _sctprintf _scwprintf
#define _vsctprintf _vscwprintf
#define _stprintf_s swprintf_s
#define _vstprintf_s vswprintf_s
#define _sntprintf_s _snwprintf_s
#define _vsntprintf_s _vsnwprintf_s
#define _fputts fputws
#define _puttc putwc
#define _fgetts fgetws
#define _istalpha iswalpha
#define _istdigit iswdigit
#define _istxdigit iswxdigit
#define _istalnum iswalnum
#define _istspace iswspace
#define _istprint iswprint
#define _istpunct iswpunct
#define _istupper iswupper
#define _istlower iswlower
#define _totupper towupper
#define _totlower towlower
#else
typedef int _TINT;
#define _TEOF EOF
#define _tmain main
#define _tcslen strlen
#define _tcsnlen strnlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp _stricmp
#define _tcsnicmp _strnicmp
#define _tcscoll strcoll
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcsspn strspn
#define _tcscspn strcspn
#define _tcspbrk strpbrk
#define _tcstok_s strtok_s
#define _tcsdup _strdup
#define _tcslwr _strlwr
#define _tcsupr _strupr
#define _tcscpy_s strcpy_s
#define _tcsncpy_s strncpy_s
#define _tcscat_s strcat_s
#define _tcsncat_s strncat_s
#define _tcstol strtol
#define _tcstoul strtoul
#define _tcstod strtod
#define _ttoi atoi
#define _ttol atol
#define _ttoi64 _atoi64
#define _itot _itoa
#define _ltot _ltoa
#define _ultot _ultoa
#define _i64tot _i64toa
#define _ui64tot _ui64toa
#define _tprintf TpPrintf
#define _vtprintf TpVprintf
#define _ftprintf TpFprintf
#define _vftprintf TpVfprintf
#define _sntprintf _snprintf
#define _vsntprintf _vsnprintf
#define _sctprintf _scprintf
#define _vsctprintf _vscprintf
#define _stprintf_s sprintf_s
#define _vstprintf_s vsprintf_s
#define _sntprintf_s _snprintf_s
#define _vsntprintf_s _vsnprintf_s
#define _fputts fputs
#define _puttc putc
#define _fgetts fgets
#define _istalpha isalpha
#define _istdigit isdigit
#define _istxdigit isxdigit
#define _istalnum isalnum
#define _istspace isspace
#define _istprint isprint
#define _istpunct ispunct
#define _istupper isupper
#define _istlower islower
#define _totupper toupper
#define _totlower tolower
#endif

/* Without a bound, as the caller wished. */
#define _stprintf(target, ...) _sntprintf(target, 0x7FFFFFFF, __VA_ARGS__)
#define _vstprintf(target, format, arguments) _vsntprintf(target, 0x7FFFFFFF, format, arguments)
// clang-format on

#endif
