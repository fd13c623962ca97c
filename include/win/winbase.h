/* The base interface: everything of <windows.h> but its types. */
#ifndef _WINBASE_
#define _WINBASE_

#include "errhandlingapi.h"
#include "handleapi.h"
#include "interlockedapi.h"
#include "minwinbase.h"
#include "processthreadsapi.h"
#include "synchapi.h"
#include "threadpoollegacyapiset.h"

#endif
