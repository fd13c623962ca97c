/* The small part of Windows that router code stands on. As on Windows it brings <winsock.h> along, unless the client
 * says WIN32_LEAN_AND_MEAN. */
#ifndef _WINDOWS_
#define _WINDOWS_

#include <stdarg.h>

#include "excpt.h"
#include "sdkddkver.h"
#include "turnpike_crt.h"
#include "winbase.h"
#include "windef.h"
#include "winerror.h"
#include "winnls.h"
#include "winuser.h"

#ifndef WIN32_LEAN_AND_MEAN
#include "winsock.h"
#endif

#endif
