/* Code pages. The text of char strings is UTF-8 whatever page is asked for: CP_ACP, CP_OEMCP, CP_MACCP, CP_THREAD_ACP
 * and CP_UTF8 are one and the same here. Other pages are not known. */
#ifndef _WINNLS_
#define _WINNLS_

#include "minwindef.h"

// clang-format off: a table
#define CP_ACP 0u
#define CP_OEMCP 1u
#define CP_MACCP 2u
#define CP_THREAD_ACP 3u
#define CP_SYMBOL 42u
#define CP_UTF7 65000u
#define CP_UTF8 65001u

#define MB_PRECOMPOSED 0x00000001u
#define MB_COMPOSITE 0x00000002u
#define MB_USEGLYPHCHARS 0x00000004u
#define MB_ERR_INVALID_CHARS 0x00000008u

#define WC_DISCARDNS 0x00000010u
#define WC_SEPCHARS 0x00000020u
#define WC_DEFAULTCHAR 0x00000040u
#define WC_ERR_INVALID_CHARS 0x00000080u
#define WC_COMPOSITECHECK 0x00000200u
#define WC_NO_BEST_FIT_CHARS 0x00000400u
// clang-format on

TP_BEGIN

/* CP_UTF8. */
UINT WINAPI GetACP(void) TP_SHIM(GetACP);
UINT WINAPI GetOEMCP(void) TP_SHIM(GetOEMCP);

/* Whether the number is a code page: 65001 alone. As documented, CP_ACP and its like are no numbers of code pages. */
BOOL WINAPI IsValidCodePage(UINT CodePage) TP_SHIM(IsValidCodePage);

TP_END

#endif
