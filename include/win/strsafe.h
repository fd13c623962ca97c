/* Text functions that are told the size of their target, in characters (StringCch...) or in bytes (StringCb...), and
 * always end it with a null.
 *
 *   S_OK
 *   STRSAFE_E_INSUFFICIENT_BUFFER  the target holds the beginning, with its null
 *   STRSAFE_E_INVALID_PARAMETER    a null pointer; a size of 0, or above STRSAFE_MAX_CCH characters; to append to: a
 * text that does not end within its size. The target is as it was
 *
 * The Ex forms also tell where the text ends and how much room is left there, the null included, on success and where
 * the room was too small; either pointer may be null. They allow a size of 0 where there is nothing to write. Their
 * flags: */
#ifndef _STRSAFE_H_INCLUDED_
#define _STRSAFE_H_INCLUDED_

#include <stdarg.h>
#include <stddef.h>

#include "minwindef.h"
#include "winerror.h"

#define STRSAFE_MAX_CCH 2147483647

#define STRSAFE_IGNORE_NULLS 0x00000100u /* a null pointer to a source is "", and to a target of size 0 is allowed */
#define STRSAFE_FILL_BEHIND_NULL 0x00000200u /* on success fill what is left with the low byte of the flags */
#define STRSAFE_FILL_ON_FAILURE 0x00000400u  /* on failure fill all with it, but for a null at the end */
#define STRSAFE_NULL_ON_FAILURE 0x00000800u  /* on failure leave an empty text */
#define STRSAFE_NO_TRUNCATION 0x00001000u    /* on failure leave an empty text, or, when appending, what was there */
#define STRSAFE_VALID_FLAGS 0x00001FFFu
#define STRSAFE_FILL_BYTE(byte) (TP_CAST(DWORD, (byte) & 0xFF) | STRSAFE_FILL_BEHIND_NULL)
#define STRSAFE_FAILURE_BYTE(byte) (TP_CAST(DWORD, (byte) & 0xFF) | STRSAFE_FILL_ON_FAILURE)
#define STRSAFE_GET_FILL_PATTERN(flags) TP_CAST(int, (flags) & 0xFFu)

#define STRSAFE_E_INSUFFICIENT_BUFFER TP_HRESULT(0x8007007Au)
#define STRSAFE_E_INVALID_PARAMETER TP_HRESULT(0x80070057u)
#define STRSAFE_E_END_OF_FILE TP_HRESULT(0x80070026u)

typedef LPSTR STRSAFE_LPSTR;
typedef LPCSTR STRSAFE_LPCSTR;
typedef LPWSTR STRSAFE_LPWSTR;
typedef LPCWSTR STRSAFE_LPCWSTR;

/* One declaration of each function for both units and both widths. Formats are those of <turnpike_crt.h>. */
#define TP_STRSAFE(UNIT, AW, CHAR)                                                                                    \
  HRESULT WINAPI String##UNIT##Copy##AW(CHAR* dest, size_t size, const CHAR* source) TP_SHIM(String##UNIT##Copy##AW); \
  HRESULT WINAPI String##UNIT##CopyN##AW(CHAR* dest, size_t size, const CHAR* source, size_t most)                    \
      TP_SHIM(String##UNIT##CopyN##AW);                                                                               \
  HRESULT WINAPI String##UNIT##Cat##AW(CHAR* dest, size_t size, const CHAR* source) TP_SHIM(String##UNIT##Cat##AW);   \
  HRESULT WINAPI String##UNIT##CatN##AW(CHAR* dest, size_t size, const CHAR* source, size_t most)                     \
      TP_SHIM(String##UNIT##CatN##AW);                                                                                \
  HRESULT WINAPIV String##UNIT##Printf##AW(CHAR* dest, size_t size, const CHAR* format, ...)                          \
      TP_SHIM(String##UNIT##Printf##AW);                                                                              \
  HRESULT WINAPI String##UNIT##VPrintf##AW(CHAR* dest, size_t size, const CHAR* format, va_list arguments)            \
      TP_SHIM(String##UNIT##VPrintf##AW);                                                                             \
  HRESULT WINAPI String##UNIT##CopyEx##AW(CHAR* dest, size_t size, const CHAR* source, CHAR** end, size_t* remaining, \
                                          DWORD flags) TP_SHIM(String##UNIT##CopyEx##AW);                             \
  HRESULT WINAPI String##UNIT##CopyNEx##AW(CHAR* dest, size_t size, const CHAR* source, size_t most, CHAR** end,      \
                                           size_t* remaining, DWORD flags) TP_SHIM(String##UNIT##CopyNEx##AW);        \
  HRESULT WINAPI String##UNIT##CatEx##AW(CHAR* dest, size_t size, const CHAR* source, CHAR** end, size_t* remaining,  \
                                         DWORD flags) TP_SHIM(String##UNIT##CatEx##AW);                               \
  HRESULT WINAPI String##UNIT##CatNEx##AW(CHAR* dest, size_t size, const CHAR* source, size_t most, CHAR** end,       \
                                          size_t* remaining, DWORD flags) TP_SHIM(String##UNIT##CatNEx##AW);          \
  HRESULT WINAPIV String##UNIT##PrintfEx##AW(CHAR* dest, size_t size, CHAR** end, size_t* remaining, DWORD flags,     \
                                             const CHAR* format, ...) TP_SHIM(String##UNIT##PrintfEx##AW);            \
  HRESULT WINAPI String##UNIT##VPrintfEx##AW(CHAR* dest, size_t size, CHAR** end, size_t* remaining, DWORD flags,     \
                                             const CHAR* format, va_list arguments)                                   \
      TP_SHIM(String##UNIT##VPrintfEx##AW);                                                                           \
  /* The length without the null; not longer than `most` with it, else STRSAFE_E_INVALID_PARAMETER and 0. */          \
  HRESULT WINAPI String##UNIT##Length##AW(const CHAR* text, size_t most, size_t* length)                              \
      TP_SHIM(String##UNIT##Length##AW);

TP_BEGIN
TP_STRSAFE(Cch, A, CHAR)
TP_STRSAFE(Cch, W, WCHAR)
TP_STRSAFE(Cb, A, CHAR)
TP_STRSAFE(Cb, W, WCHAR)
TP_END

#undef TP_STRSAFE

#define StringCchCopy TP_AW(StringCchCopy)
#define StringCchCopyN TP_AW(StringCchCopyN)
#define StringCchCat TP_AW(StringCchCat)
#define StringCchCatN TP_AW(StringCchCatN)
#define StringCchPrintf TP_AW(StringCchPrintf)
#define StringCchVPrintf TP_AW(StringCchVPrintf)
#define StringCchCopyEx TP_AW(StringCchCopyEx)
#define StringCchCopyNEx TP_AW(StringCchCopyNEx)
#define StringCchCatEx TP_AW(StringCchCatEx)
#define StringCchCatNEx TP_AW(StringCchCatNEx)
#define StringCchPrintfEx TP_AW(StringCchPrintfEx)
#define StringCchVPrintfEx TP_AW(StringCchVPrintfEx)
#define StringCchLength TP_AW(StringCchLength)
#define StringCbCopy TP_AW(StringCbCopy)
#define StringCbCopyN TP_AW(StringCbCopyN)
#define StringCbCat TP_AW(StringCbCat)
#define StringCbCatN TP_AW(StringCbCatN)
#define StringCbPrintf TP_AW(StringCbPrintf)
#define StringCbVPrintf TP_AW(StringCbVPrintf)
#define StringCbCopyEx TP_AW(StringCbCopyEx)
#define StringCbCopyNEx TP_AW(StringCbCopyNEx)
#define StringCbCatEx TP_AW(StringCbCatEx)
#define StringCbCatNEx TP_AW(StringCbCatNEx)
#define StringCbPrintfEx TP_AW(StringCbPrintfEx)
#define StringCbVPrintfEx TP_AW(StringCbVPrintfEx)
#define StringCbLength TP_AW(StringCbLength)

#endif
