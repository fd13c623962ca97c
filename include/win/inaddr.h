/* IN_ADDR is Linux's struct in_addr: its member is s_addr, in network byte order. There is no union S_un around it. */
#ifndef _INADDR_H_
#define _INADDR_H_

#include "turnpike_sockets.h"

typedef struct in_addr IN_ADDR, *PIN_ADDR, *LPIN_ADDR;

#endif
