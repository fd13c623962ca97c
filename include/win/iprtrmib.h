/* The variables of the IP router manager, as the MprAdminMIB calls and the MIBEntry functions of a protocol ask for
 * them: a query names a variable and its index, an answer is the variable's number with the structure behind it, at
 * offset 8.
 *
 * Mended against the public header, see README.md here: a buffer made by DEFINE_MIB_BUFFER is aligned for what it
 * holds, and MIB_IPDESTROW has the layout of a route in C as in C++. */
#ifndef __ROUTING_IPRTRMIB_H__
#define __ROUTING_IPRTRMIB_H__

#include "ifmib.h"
#include "ipifcons.h"
#include "ipmib.h"
#include "mprapi.h"
#include "tcpmib.h"
#include "udpmib.h"
#include "windef.h"

#define IPRTRMGR_PID 10000

// clang-format off: a table
#define IF_NUMBER 0
#define IF_TABLE 1
#define IF_ROW 2
#define IP_STATS 3
#define IP_ADDRTABLE 4
#define IP_ADDRROW 5
#define IP_FORWARDNUMBER 6
#define IP_FORWARDTABLE 7
#define IP_FORWARDROW 8
#define IP_NETTABLE 9
#define IP_NETROW 10
#define ICMP_STATS 11
#define TCP_STATS 12
#define TCP_TABLE 13
#define TCP_ROW 14
#define UDP_STATS 15
#define UDP_TABLE 16
#define UDP_ROW 17
#define MCAST_MFE 18
#define MCAST_MFE_STATS 19
#define BEST_IF 20
#define BEST_ROUTE 21
#define PROXY_ARP 22
#define MCAST_IF_ENTRY 23
#define MCAST_GLOBAL 24
#define IF_STATUS 25
#define MCAST_BOUNDARY 26
#define MCAST_SCOPE 27
#define DEST_MATCHING 28
#define DEST_LONGER 29
#define DEST_SHORTER 30
#define ROUTE_MATCHING 31
#define ROUTE_LONGER 32
#define ROUTE_SHORTER 33
#define ROUTE_STATE 34
#define MCAST_MFE_STATS_EX 35
#define IP6_STATS 36
#define UDP6_STATS 37
#define TCP6_STATS 38
#define NUMBER_OF_EXPORTED_VARIABLES 39
// clang-format on

typedef struct _MIB_OPAQUE_QUERY {
  DWORD dwVarId;
  DWORD rgdwVarIndex[ANY_SIZE];
} MIB_OPAQUE_QUERY, *PMIB_OPAQUE_QUERY;

typedef struct _MIB_OPAQUE_INFO {
  DWORD dwId;
  __extension__ union {
    ULONGLONG ullAlign;
    BYTE rgbyData[1];
  };
} MIB_OPAQUE_INFO, *PMIB_OPAQUE_INFO;

#define MAX_MIB_OFFSET 8
#define MIB_INFO_SIZE(S) (MAX_MIB_OFFSET + sizeof(S))
#define MIB_INFO_SIZE_IN_DWORDS(S) (MIB_INFO_SIZE(S) / sizeof(DWORD) + 1)

/* Declares X, a MIB_OPAQUE_INFO that holds a Y, and Z, the Y in it. */
#define DEFINE_MIB_BUFFER(X, Y, Z)                                                          \
  DWORD __rgdwBuff[MIB_INFO_SIZE_IN_DWORDS(Y)] __attribute__((aligned(sizeof(ULONGLONG)))); \
  PMIB_OPAQUE_INFO X = TP_POINTER(PMIB_OPAQUE_INFO, TP_BITS(&__rgdwBuff[0]));               \
  Y* Z = TP_POINTER(Y*, TP_BITS(&(X)->rgbyData[0]))
#define CAST_MIB_INFO(X, Y, Z) ((void)((Z) = TP_POINTER(Y, TP_BITS(&(X)->rgbyData[0]))))

typedef struct _MIB_IPDESTROW {
  __extension__ union {
    MIB_IPFORWARDROW ForwardRow; /* the public header's name in C++; in C the members come directly */
    __extension__ struct {
      TP_IPFORWARDROW
    };
  };
  DWORD dwForwardPreference;
  DWORD dwForwardViewSet;
} MIB_IPDESTROW, *PMIB_IPDESTROW;

typedef struct _MIB_IPDESTTABLE {
  DWORD dwNumEntries;
  MIB_IPDESTROW table[ANY_SIZE];
} MIB_IPDESTTABLE, *PMIB_IPDESTTABLE;

typedef struct _MIB_BEST_IF {
  DWORD dwDestAddr;
  DWORD dwIfIndex;
} MIB_BEST_IF, *PMIB_BEST_IF;

typedef struct _MIB_PROXYARP {
  DWORD dwAddress;
  DWORD dwMask;
  DWORD dwIfIndex;
} MIB_PROXYARP, *PMIB_PROXYARP;

typedef struct _MIB_IFSTATUS {
  DWORD dwIfIndex;
  DWORD dwAdminStatus;
  DWORD dwOperationalStatus;
  BOOL bMHbeatActive;
  BOOL bMHbeatAlive;
} MIB_IFSTATUS, *PMIB_IFSTATUS;

typedef struct _MIB_ROUTESTATE {
  BOOL bRoutesSetToStack;
} MIB_ROUTESTATE, *PMIB_ROUTESTATE;

#endif
