/* The name by which drivers ask for the driver tier; here it is <wdm.h>. */
#ifndef _NTDDK_
#define _NTDDK_

#include "wdm.h"

#endif
