/* Extensions of Winsock. */
#ifndef _MSWSOCK_
#define _MSWSOCK_

#include "winsock2.h"

#endif
