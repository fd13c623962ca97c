/* The tables of UDP, MIB-II style. Addresses are in network byte order; a port is so in the low 16 bits. */
#ifndef _UDPMIB_
#define _UDPMIB_

#include "ifmib.h"
#include "windef.h"

typedef struct _MIB_UDPROW {
  DWORD dwLocalAddr;
  DWORD dwLocalPort;
} MIB_UDPROW, *PMIB_UDPROW;

typedef struct _MIB_UDPTABLE {
  DWORD dwNumEntries;
  MIB_UDPROW table[ANY_SIZE];
} MIB_UDPTABLE, *PMIB_UDPTABLE;

#define SIZEOF_UDPTABLE(X) TP_SIZEOF_TABLE(MIB_UDPTABLE, MIB_UDPROW, X)

typedef struct _MIB_UDPSTATS {
  DWORD dwInDatagrams;
  DWORD dwNoPorts;
  DWORD dwInErrors;
  DWORD dwOutDatagrams;
  DWORD dwNumAddrs;
} MIB_UDPSTATS, *PMIB_UDPSTATS;

#endif
