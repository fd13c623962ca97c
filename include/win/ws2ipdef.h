/* What is particular to IPv4 and IPv6 in Winsock: addresses, groups, information beside a packet. */
#ifndef _WS2IPDEF_
#define _WS2IPDEF_

#include "in6addr.h"
#include "ws2def.h"

typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;
typedef struct sockaddr_in6 SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH;

typedef union _SOCKADDR_INET {
  SOCKADDR_IN Ipv4;
  SOCKADDR_IN6 Ipv6;
  ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

typedef union sockaddr_gen {
  struct sockaddr Address;
  struct sockaddr_in AddressIn;
  struct sockaddr_in6 AddressIn6;
} sockaddr_gen;

typedef struct _INTERFACE_INFO {
  ULONG iiFlags;
  sockaddr_gen iiAddress;
  sockaddr_gen iiBroadcastAddress;
  sockaddr_gen iiNetmask;
} INTERFACE_INFO, *LPINTERFACE_INFO;

/* iiFlags has the flags of <net/if.h>: IFF_UP, IFF_MULTICAST … */
#if !defined(_LINUX_IF_H) && !defined(TP_KERNEL_SOCKETS)
#include <net/if.h>
#endif

/* Hidden by libc from a compiler that was told to be strict. */
#if !defined(__USE_MISC) && !defined(TP_KERNEL_SOCKETS)
struct ip_mreq {
  struct in_addr imr_multiaddr;
  struct in_addr imr_interface;
};
struct ip_mreq_source {
  struct in_addr imr_multiaddr;
  struct in_addr imr_interface;
  struct in_addr imr_sourceaddr;
};
struct in_pktinfo {
  int ipi_ifindex;
  struct in_addr ipi_spec_dst;
  struct in_addr ipi_addr;
};
#endif

typedef struct ip_mreq IP_MREQ, *PIP_MREQ;
typedef struct ip_mreq_source IP_MREQ_SOURCE, *PIP_MREQ_SOURCE;
typedef struct ipv6_mreq IPV6_MREQ, *PIPV6_MREQ;
typedef struct in_pktinfo IN_PKTINFO, *PIN_PKTINFO;

#ifndef TP_KERNEL_SOCKETS
typedef struct group_req GROUP_REQ, *PGROUP_REQ;
typedef struct group_source_req GROUP_SOURCE_REQ, *PGROUP_SOURCE_REQ;
typedef struct group_filter GROUP_FILTER, *PGROUP_FILTER;
#if defined(__USE_GNU)
typedef struct in6_pktinfo IN6_PKTINFO, *PIN6_PKTINFO;
#endif
#endif

#ifndef IFF_POINTTOPOINT
#define IFF_POINTTOPOINT 0x10 /* Linux spells it with one T */
#endif

/* IP_PKTINFO, IPV6_PKTINFO and IPV6_HOPLIMIT have Linux's numbers; setting one asks for the information beside each
 * datagram that WSARecvMsg brings, as on Windows. An interface's index may stand for its address, as 0.0.0.index. */
#define IP_DONTFRAGMENT 0x500E
#define IP_RECEIVE_BROADCAST 0x5016
#define IPV6_PROTECTION_LEVEL 0x5017
#define PROTECTION_LEVEL_UNRESTRICTED 10
#define PROTECTION_LEVEL_EDGERESTRICTED 20
#define PROTECTION_LEVEL_RESTRICTED 30

#endif
