/* The base interface: everything of <windows.h> but its types. */
#ifndef _WINBASE_
#define _WINBASE_

#include <stdarg.h>

#include "debugapi.h"
#include "errhandlingapi.h"
#include "fileapi.h"
#include "handleapi.h"
#include "heapapi.h"
#include "interlockedapi.h"
#include "ioapiset.h"
#include "libloaderapi.h"
#include "memoryapi.h"
#include "minwinbase.h"
#include "processenv.h"
#include "processthreadsapi.h"
#include "profileapi.h"
#include "stringapiset.h"
#include "synchapi.h"
#include "sysinfoapi.h"
#include "threadpoollegacyapiset.h"
#include "timezoneapi.h"

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

/* ---- Memory by the older names. LocalAlloc and GlobalAlloc are one: fixed memory, whose handle is its address, or
 * moveable memory, whose handle is locked to get at it. A handle that is no (more) good: ERROR_INVALID_HANDLE. Flags
 * without a name: ERROR_INVALID_PARAMETER. No memory: ERROR_NOT_ENOUGH_MEMORY. */
// clang-format off: a table
#define LMEM_FIXED 0x0000u
#define LMEM_MOVEABLE 0x0002u
#define LMEM_NOCOMPACT 0x0010u   /* accepted, and so is the next */
#define LMEM_NODISCARD 0x0020u
#define LMEM_ZEROINIT 0x0040u
#define LMEM_MODIFY 0x0080u
#define LMEM_DISCARDABLE 0x0F00u
#define LMEM_VALID_FLAGS 0x0F72u
#define LMEM_INVALID_HANDLE 0x8000u
#define LMEM_DISCARDED 0x4000u
#define LMEM_LOCKCOUNT 0x00FFu
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define NONZEROLHND LMEM_MOVEABLE
#define NONZEROLPTR LMEM_FIXED

#define GMEM_FIXED 0x0000u
#define GMEM_MOVEABLE 0x0002u
#define GMEM_NOCOMPACT 0x0010u   /* accepted, and so are those without a meaning here */
#define GMEM_NODISCARD 0x0020u
#define GMEM_ZEROINIT 0x0040u
#define GMEM_MODIFY 0x0080u
#define GMEM_DISCARDABLE 0x0100u
#define GMEM_NOT_BANKED 0x1000u
#define GMEM_SHARE 0x2000u
#define GMEM_DDESHARE 0x2000u
#define GMEM_NOTIFY 0x4000u
#define GMEM_LOWER GMEM_NOT_BANKED
#define GMEM_VALID_FLAGS 0x7F72u
#define GMEM_INVALID_HANDLE 0x8000u
#define GMEM_DISCARDED 0x4000u
#define GMEM_LOCKCOUNT 0x00FFu
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
// clang-format on

TP_BEGIN

/* A size of 0 gives fixed memory of no bytes, or a moveable handle without memory ("discarded"). */
HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes) TP_SHIM(LocalAlloc);
HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes) TP_SHIM(GlobalAlloc);

/* The handle from now on: another one where fixed memory moved. Fixed memory moves only with LMEM_MOVEABLE, moveable
 * memory also while it is not locked; else it grows in its place or not at all. LMEM_ZEROINIT zeroes what is added.
 * LMEM_MODIFY changes the flags of moveable memory and nothing else. A size of 0 with LMEM_MOVEABLE discards moveable
 * memory that is not locked. On failure (null) all is as it was. */
HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags) TP_SHIM(LocalReAlloc);
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags) TP_SHIM(GlobalReAlloc);

/* Null, also for null; the handle itself where it is bad. */
HLOCAL WINAPI LocalFree(HLOCAL hMem) TP_SHIM(LocalFree);
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem) TP_SHIM(GlobalFree);

/* Where the memory is; null and ERROR_DISCARDED where there is none. Only moveable memory counts its locks, to 255. */
LPVOID WINAPI LocalLock(HLOCAL hMem) TP_SHIM(LocalLock);
LPVOID WINAPI GlobalLock(HGLOBAL hMem) TP_SHIM(GlobalLock);

/* Whether it is still locked: FALSE with NO_ERROR is success too. FALSE with ERROR_NOT_LOCKED: it was not. */
BOOL WINAPI LocalUnlock(HLOCAL hMem) TP_SHIM(LocalUnlock);
BOOL WINAPI GlobalUnlock(HGLOBAL hMem) TP_SHIM(GlobalUnlock);

/* The bytes asked for; 0 for a bad handle. */
SIZE_T WINAPI LocalSize(HLOCAL hMem) TP_SHIM(LocalSize);
SIZE_T WINAPI GlobalSize(HGLOBAL hMem) TP_SHIM(GlobalSize);

/* The locks in the low byte, LMEM_DISCARDABLE and LMEM_DISCARDED above; LMEM_INVALID_HANDLE for a bad handle. */
UINT WINAPI LocalFlags(HLOCAL hMem) TP_SHIM(LocalFlags);
UINT WINAPI GlobalFlags(HGLOBAL hMem) TP_SHIM(GlobalFlags);

/* The handle of memory by its address; null for another address. */
HLOCAL WINAPI LocalHandle(LPCVOID pMem) TP_SHIM(LocalHandle);
HGLOBAL WINAPI GlobalHandle(LPCVOID pMem) TP_SHIM(GlobalHandle);

TP_END

#define LocalDiscard(hMem) LocalReAlloc((hMem), 0, LMEM_MOVEABLE)
#define GlobalDiscard(hMem) GlobalReAlloc((hMem), 0, GMEM_MOVEABLE)

/* Zeroes memory, also where the compiler sees that nobody will read it. */
static __forceinline PVOID RtlSecureZeroMemory(PVOID memory, SIZE_T bytes) {
  memset(memory, 0, bytes);
  __asm__ volatile("" : : "r"(memory) : "memory");
  return memory;
}
#define SecureZeroMemory RtlSecureZeroMemory

/* ---- The host's NetBIOS name. As GetComputerNameEx, but with ERROR_BUFFER_OVERFLOW where the buffer is too small. */
#define MAX_COMPUTERNAME_LENGTH 15
TP_BEGIN
BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize) TP_SHIM(GetComputerNameA);
BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize) TP_SHIM(GetComputerNameW);
TP_END
#define GetComputerName TP_AW(GetComputerName)

/* ---- The text of an error code, or a client's own with inserts. */
// clang-format off: a table
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FFu  /* lines no longer than so; 255: no line breaks but those of %n */
#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100u /* lpBuffer is a pointer to a text, which LocalFree frees */
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200u  /* %1 and its like stay as they are */
#define FORMAT_MESSAGE_FROM_STRING 0x00000400u     /* lpSource is the text */
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800u    /* modules have no texts here: what the system has is used, if asked for */
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000u     /* the codes of <winerror.h>, <mprerror.h> and <raserror.h> */
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000u  /* Arguments is an array of DWORD_PTR, else a pointer to a va_list */
// clang-format on

TP_BEGIN

/* The characters written, without the null. 0 on failure: ERROR_INVALID_PARAMETER (flags without a name or a source,
 * null pointers, inserts but no arguments), ERROR_MR_MID_NOT_FOUND (an unknown code), ERROR_INSUFFICIENT_BUFFER (the
 * buffer is as it was), ERROR_NOT_ENOUGH_MEMORY; 0 with NO_ERROR is an empty text. Texts are English whatever language
 * is asked for. */
DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPSTR lpBuffer,
                            DWORD nSize, va_list* Arguments) TP_SHIM(FormatMessageA);
DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPWSTR lpBuffer,
                            DWORD nSize, va_list* Arguments) TP_SHIM(FormatMessageW);

TP_END

#define FormatMessage TP_AW(FormatMessage)

#endif
