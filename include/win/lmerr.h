/* The error code of network management that the router's functions answer. */
#ifndef _LMERR_
#define _LMERR_

#include "winerror.h"

#define NERR_BASE 2100
#define NERR_Success 0
#define NERR_InvalidComputer (NERR_BASE + 251)

#endif
