/* Version 1.1 of Winsock is a part of version 2. */
#ifndef _WINSOCKAPI_
#include "winsock2.h"
#endif
