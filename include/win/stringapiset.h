/* Text from char to WCHAR and back: from UTF-8 to UTF-32, whatever code page of winnls.h is named. */
#ifndef _APISETSTRING_
#define _APISETSTRING_

#include "winnls.h"

TP_BEGIN

/* Both return the number of characters written, or, where the target's size is 0, the number that it needs; a length of
 * -1 says that the text ends with a null, which then counts. 0 is failure, and the target is as it was:
 *
 *   ERROR_INVALID_PARAMETER       an unknown code page; a null pointer; no text at all (length 0), a length below -1, a
 *                                 negative size; source and target are one; CP_UTF8 with a default character
 *   ERROR_INVALID_FLAGS           with CP_UTF8 any flag but MB_ERR_INVALID_CHARS or WC_ERR_INVALID_CHARS; with the
 * other pages any flag that winnls.h does not name ERROR_INSUFFICIENT_BUFFER     the target is too small
 *   ERROR_NO_UNICODE_TRANSLATION  malformed text, where the flag for it was given; else U+FFFD stands in its place
 *
 * A default character is used for malformed text, which is all that UTF-8 cannot say. */
int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar) TP_SHIM(MultiByteToWideChar);
int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar, LPBOOL lpUsedDefaultChar)
    TP_SHIM(WideCharToMultiByte);

TP_END

#endif
