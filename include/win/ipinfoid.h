/* Types of the blocks that the IP router manager keeps in an information header, and the item of its routes.
 * A block with a type below IP_GENERAL_INFO_BASE belongs to the protocol of that number. */
#ifndef __ROUTING_IPINFOID_H__
#define __ROUTING_IPINFOID_H__

#include "in6addr.h"
#include "windef.h"

#define IP_ROUTER_MANAGER_VERSION 1

#define IP_GENERAL_INFO_BASE 0xFFFF0000

// clang-format off: a table
#define IP_IN_FILTER_INFO (IP_GENERAL_INFO_BASE + 1)
#define IP_OUT_FILTER_INFO (IP_GENERAL_INFO_BASE + 2)
#define IP_GLOBAL_INFO (IP_GENERAL_INFO_BASE + 3)
#define IP_INTERFACE_STATUS_INFO (IP_GENERAL_INFO_BASE + 4)
#define IP_ROUTE_INFO (IP_GENERAL_INFO_BASE + 5)
#define IP_PROT_PRIORITY_INFO (IP_GENERAL_INFO_BASE + 6)
#define IP_ROUTER_DISC_INFO (IP_GENERAL_INFO_BASE + 7)
#define IP_DEMAND_DIAL_FILTER_INFO (IP_GENERAL_INFO_BASE + 9)
#define IP_MCAST_HEARBEAT_INFO (IP_GENERAL_INFO_BASE + 10) /* spelt so */
#define IP_MCAST_BOUNDARY_INFO (IP_GENERAL_INFO_BASE + 11)
#define IP_IPINIP_CFG_INFO (IP_GENERAL_INFO_BASE + 12)
#define IP_IFFILTER_INFO (IP_GENERAL_INFO_BASE + 13)
#define IP_MCAST_LIMIT_INFO (IP_GENERAL_INFO_BASE + 14)
#define IPV6_GLOBAL_INFO (IP_GENERAL_INFO_BASE + 15)
#define IPV6_ROUTE_INFO (IP_GENERAL_INFO_BASE + 16)
#define IP_IN_FILTER_INFO_V6 (IP_GENERAL_INFO_BASE + 17)
#define IP_OUT_FILTER_INFO_V6 (IP_GENERAL_INFO_BASE + 18)
#define IP_DEMAND_DIAL_FILTER_INFO_V6 (IP_GENERAL_INFO_BASE + 19)
#define IP_IFFILTER_INFO_V6 (IP_GENERAL_INFO_BASE + 20)
#define IP_FILTER_ENABLE_INFO (IP_GENERAL_INFO_BASE + 21)
#define IP_FILTER_ENABLE_INFO_V6 (IP_GENERAL_INFO_BASE + 22)
#define IP_PROT_PRIORITY_INFO_EX (IP_GENERAL_INFO_BASE + 23)
// clang-format on

/* One static route in a block IP_ROUTE_INFO: documented, in no public header. `bV4` says which half of the union holds.
 * The reference page leaves out the mask; it is the second member, see docs/contract/mprapi.md, A-21. */
typedef struct _INTERFACE_ROUTE_INFO {
  __extension__ union {
    __extension__ struct {
      DWORD dwRtInfoDest;
      DWORD dwRtInfoMask;
      DWORD dwRtInfoPolicy;
      DWORD dwRtInfoNextHop;
      DWORD dwRtInfoAge;
      DWORD dwRtInfoNextHopAS;
      DWORD dwRtInfoMetric1;
      DWORD dwRtInfoMetric2;
      DWORD dwRtInfoMetric3;
    };
    __extension__ struct {
      IN6_ADDR DestinationPrefix;
      DWORD DestPrefixLength;
      IN6_ADDR NextHopAddress;
      ULONG ValidLifeTime;
      DWORD Flags;
      ULONG Metric;
    };
  };
  DWORD dwRtInfoIfIndex;
  DWORD dwRtInfoType;
  DWORD dwRtInfoProto;
  DWORD dwRtInfoPreference;
  DWORD dwRtInfoViewSet;
  BOOL bV4;
} INTERFACE_ROUTE_INFO, *PINTERFACE_ROUTE_INFO;

#endif
