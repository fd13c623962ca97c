/* The scalar types and small macros that every other header of this folder stands on.
 *
 * 64-bit Linux is LP64: `long` has 64 bits, so LONG, ULONG and DWORD are made of `int`. WCHAR is wchar_t, 32 bits wide:
 * L"text", wcslen and wprintf work on it. What a client sees of that: print a DWORD with %u (or cast it), and never
 * count a WCHAR as two bytes. */
#ifndef _MINWINDEF_
#define _MINWINDEF_

#include "basetsd.h"
#include "sal.h"

/* Annotations of parameters, for the reader only. */
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif

#define CONST const
#define FAR
#define NEAR
#define PASCAL
#define CDECL
#define WINAPI
#define WINAPIV
#define APIENTRY
#define APIPRIVATE
#define CALLBACK
#define NTAPI
#define NTSYSAPI

#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef VOID
#define VOID void
#endif

typedef char CHAR, CCHAR;
typedef short SHORT;
typedef int LONG;
typedef int INT;
typedef int BOOL;
typedef BOOL WINBOOL;
typedef float FLOAT;
typedef double DOUBLE;
typedef unsigned char UCHAR;
typedef unsigned char BYTE;
typedef unsigned short USHORT;
typedef unsigned short WORD;
typedef unsigned int UINT;
typedef unsigned int ULONG;
typedef unsigned int DWORD;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG;
typedef unsigned long long DWORDLONG;
typedef BYTE BOOLEAN;
typedef wchar_t WCHAR;

typedef void *PVOID, *LPVOID;
typedef const void *PCVOID, *LPCVOID;
typedef SHORT* PSHORT;
typedef LONG *PLONG, *LPLONG;
typedef INT *PINT, *LPINT;
typedef BOOL *PBOOL, *LPBOOL;
typedef FLOAT* PFLOAT;
typedef UCHAR* PUCHAR;
typedef const UCHAR* PCUCHAR;
typedef BYTE *PBYTE, *LPBYTE;
typedef USHORT* PUSHORT;
typedef WORD *PWORD, *LPWORD;
typedef UINT *PUINT, *LPUINT;
typedef ULONG* PULONG;
typedef DWORD *PDWORD, *LPDWORD;
typedef LONGLONG* PLONGLONG;
typedef ULONGLONG* PULONGLONG;
typedef DWORDLONG* PDWORDLONG;
typedef BOOLEAN* PBOOLEAN;

typedef CHAR *PCHAR, *LPCH, *PCH, *NPSTR, *LPSTR, *PSTR;
typedef const CHAR *LPCCH, *PCCH, *LPCSTR, *PCSTR;
typedef PSTR* PZPSTR;
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *NWPSTR, *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWCH, *PCWCH, *LPCWSTR, *PCWSTR;
typedef PWSTR* PZPWSTR;
typedef PCHAR PSZ;

/* TCHAR follows UNICODE, and so does every name that has an A and a W form. _UNICODE is what <tchar.h> of Windows asks:
 * no working program sets one without the other. */
#if defined(_UNICODE) && !defined(UNICODE)
#define UNICODE
#endif
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, TBYTE, *PTBYTE;
typedef LPWSTR PTCH, LPTCH, PTSTR, LPTSTR;
typedef LPCWSTR PCTSTR, LPCTSTR;
#define __TEXT(quote) L##quote
#define TP_AW(name) name##W
#else
typedef char TCHAR, *PTCHAR;
typedef unsigned char TBYTE, *PTBYTE;
typedef LPSTR PTCH, LPTCH, PTSTR, LPTSTR;
typedef LPCSTR PCTSTR, LPCTSTR;
#define __TEXT(quote) quote
#define TP_AW(name) name##A
#endif
#define TEXT(quote) __TEXT(quote)

/* A handle is a number in the clothes of a pointer: never look through it. */
typedef void* HANDLE;
typedef HANDLE *PHANDLE, *LPHANDLE, *SPHANDLE;
typedef HANDLE HLOCAL, HGLOBAL, GLOBALHANDLE, LOCALHANDLE, HINSTANCE, HMODULE, HKEY, HRSRC, HTASK;
typedef HKEY* PHKEY;
#define DECLARE_HANDLE(name) \
  struct name##__ {          \
    int unused;              \
  };                         \
  typedef struct name##__* name
#define INVALID_HANDLE_VALUE TP_POINTER(HANDLE, TP_CAST(LONG_PTR, -1))

typedef WORD ATOM;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM, LRESULT;
typedef LONG HRESULT;
typedef LONG NTSTATUS, *PNTSTATUS;
typedef DWORD ACCESS_MASK, *PACCESS_MASK;
typedef DWORD LCID;
typedef WORD LANGID;

typedef INT_PTR(WINAPI* FARPROC)(void);
typedef INT_PTR(WINAPI* NEARPROC)(void);
typedef INT_PTR(WINAPI* PROC)(void);

/* 100-nanosecond units since 1601-01-01 UTC. */
typedef struct _FILETIME {
  DWORD dwLowDateTime;
  DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#define MAX_PATH 260
#define INFINITE 0xFFFFFFFFu
#define ANYSIZE_ARRAY 1

#define MAKEWORD(low, high) TP_CAST(WORD, (TP_BITS(low) & 0xFF) | ((TP_BITS(high) & 0xFF) << 8))
#define MAKELONG(low, high) TP_CAST(LONG, TP_CAST(DWORD, (TP_BITS(low) & 0xFFFF) | ((TP_BITS(high) & 0xFFFF) << 16)))
#define LOWORD(l) TP_CAST(WORD, TP_BITS(l) & 0xFFFF)
#define HIWORD(l) TP_CAST(WORD, (TP_BITS(l) >> 16) & 0xFFFF)
#define LOBYTE(w) TP_CAST(BYTE, TP_BITS(w) & 0xFF)
#define HIBYTE(w) TP_CAST(BYTE, (TP_BITS(w) >> 8) & 0xFF)

/* min and max: in C only, and not where the client says NOMINMAX. In C++ two such macros would break every header of
 * the standard library that comes after this one; there std::min and std::max are at hand. */
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#define DBG_UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))

#endif
