/* Routing Table Manager, version 1: one table per protocol family, clients that add routes to it, and messages about
 * best routes that change. The contract is docs/contract/rtmv1.md; new clients use <rtmv2.h>.
 *
 * Addresses and masks are in network byte order. Mended against the public header, see README.md here: the two tests of
 * an address give the same answer on every byte order, and the macros' arguments stand in parentheses. */
#ifndef __ROUTING_RTM_H__
#define __ROUTING_RTM_H__

#include "windef.h"
#include "winerror.h"

TP_BEGIN

#define RTM_PROTOCOL_FAMILY_IPX 0
#define RTM_PROTOCOL_FAMILY_IP 1

#define ERROR_MORE_MESSAGES ERROR_MORE_DATA
#define ERROR_CLIENT_ALREADY_EXISTS ERROR_ALREADY_EXISTS
#define ERROR_NO_MESSAGES ERROR_NO_MORE_ITEMS
#define ERROR_NO_MORE_ROUTES ERROR_NO_MORE_ITEMS
#define ERROR_NO_ROUTES ERROR_NO_MORE_ITEMS
#define ERROR_NO_SUCH_ROUTE ERROR_NO_MORE_ITEMS

typedef struct _IPX_NETWORK {
  DWORD N_NetNumber;
} IPX_NETWORK, *PIPX_NETWORK;

typedef struct _IP_NETWORK {
  DWORD N_NetNumber;
  DWORD N_NetMask;
} IP_NETWORK, *PIP_NETWORK;

typedef struct _IPX_NEXT_HOP_ADDRESS {
  BYTE NHA_Mac[6];
} IPX_NEXT_HOP_ADDRESS, *PIPX_NEXT_HOP_ADDRESS;

typedef IP_NETWORK IP_NEXT_HOP_ADDRESS, *PIP_NEXT_HOP_ADDRESS;

#define IPX_GLOBAL_CLIENT_WAN_ROUTE 0x00000001

typedef struct _IPX_SPECIFIC_DATA {
  DWORD FSD_Flags;
  USHORT FSD_TickCount;
  USHORT FSD_HopCount;
} IPX_SPECIFIC_DATA, *PIPX_SPECIFIC_DATA;

/* FSD_Priority is set by the table and compared before FSD_Metric; FSD_Metric1 to 5 are for display. */
typedef struct _IP_SPECIFIC_DATA {
  DWORD FSD_Type;
  DWORD FSD_Policy;
  DWORD FSD_NextHopAS;
  DWORD FSD_Priority;
  DWORD FSD_Metric;
  DWORD FSD_Metric1;
  DWORD FSD_Metric2;
  DWORD FSD_Metric3;
  DWORD FSD_Metric4;
  DWORD FSD_Metric5;
  DWORD FSD_Flags;
} IP_SPECIFIC_DATA, *PIP_SPECIFIC_DATA;

#define IP_VALID_ROUTE 0x00000001

#define ClearRouteFlags(pRoute) ((pRoute)->RR_FamilySpecificData.FSD_Flags = 0)
#define IsRouteValid(pRoute) ((pRoute)->RR_FamilySpecificData.FSD_Flags & IP_VALID_ROUTE)
#define SetRouteValid(pRoute) ((pRoute)->RR_FamilySpecificData.FSD_Flags |= IP_VALID_ROUTE)
#define ClearRouteValid(pRoute) ((pRoute)->RR_FamilySpecificData.FSD_Flags &= ~TP_CAST(DWORD, IP_VALID_ROUTE))

/* The first byte of an address as it goes over the wire, and 127.0.0.1, on this machine's byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TP_RTM_FIRST_BYTE(address) ((address) & 0xFFu)
#define TP_RTM_LOOPBACK 0x0100007Fu
#else
#define TP_RTM_FIRST_BYTE(address) ((address) >> 24)
#define TP_RTM_LOOPBACK 0x7F000001u
#endif
#define IsRouteNonUnicast(pRoute) (TP_RTM_FIRST_BYTE((pRoute)->RR_Network.N_NetNumber) >= 0xE0u)
#define IsRouteLoopback(pRoute)                                    \
  (TP_RTM_FIRST_BYTE((pRoute)->RR_Network.N_NetNumber) == 0x7Fu || \
   (pRoute)->RR_NextHopAddress.N_NetNumber == TP_RTM_LOOPBACK)

typedef struct _PROTOCOL_SPECIFIC_DATA {
  DWORD PSD_Data[4];
} PROTOCOL_SPECIFIC_DATA, *PPROTOCOL_SPECIFIC_DATA;

#define DWORD_ALIGN(type, field) \
  union {                        \
    type field;                  \
    DWORD field##Align;          \
  }

#define ROUTE_HEADER                   \
  DWORD_ALIGN(FILETIME, RR_TimeStamp); \
  DWORD RR_RoutingProtocol;            \
  DWORD RR_InterfaceID;                \
  DWORD_ALIGN(PROTOCOL_SPECIFIC_DATA, RR_ProtocolSpecificData)

typedef struct _RTM_IPX_ROUTE {
  ROUTE_HEADER;
  DWORD_ALIGN(IPX_NETWORK, RR_Network);
  DWORD_ALIGN(IPX_NEXT_HOP_ADDRESS, RR_NextHopAddress);
  DWORD_ALIGN(IPX_SPECIFIC_DATA, RR_FamilySpecificData);
} RTM_IPX_ROUTE, *PRTM_IPX_ROUTE;

typedef struct _RTM_IP_ROUTE {
  ROUTE_HEADER;
  DWORD_ALIGN(IP_NETWORK, RR_Network);
  DWORD_ALIGN(IP_NEXT_HOP_ADDRESS, RR_NextHopAddress);
  DWORD_ALIGN(IP_SPECIFIC_DATA, RR_FamilySpecificData);
} RTM_IP_ROUTE, *PRTM_IP_ROUTE;

#define RTM_CURRENT_BEST_ROUTE 0x00000001
#define RTM_PREVIOUS_BEST_ROUTE 0x00000002

#define RTM_NO_CHANGE 0
#define RTM_ROUTE_ADDED RTM_CURRENT_BEST_ROUTE
#define RTM_ROUTE_DELETED RTM_PREVIOUS_BEST_ROUTE
#define RTM_ROUTE_CHANGED (RTM_CURRENT_BEST_ROUTE | RTM_PREVIOUS_BEST_ROUTE)

#define RTM_ONLY_THIS_NETWORK 0x00000001
#define RTM_ONLY_THIS_INTERFACE 0x00000002
#define RTM_ONLY_THIS_PROTOCOL 0x00000004
#define RTM_ONLY_BEST_ROUTES 0x00000008

#define RTM_PROTOCOL_SINGLE_ROUTE 0x00000001

TP_API HANDLE WINAPI RtmRegisterClient(DWORD ProtocolFamily, DWORD RoutingProtocol, HANDLE ChangeEvent, DWORD Flags);
TP_API DWORD WINAPI RtmDeregisterClient(HANDLE ClientHandle);
TP_API DWORD WINAPI RtmDequeueRouteChangeMessage(HANDLE ClientHandle, DWORD* Flags, PVOID CurBestRoute,
                                                 PVOID PrevBestRoute);
TP_API DWORD WINAPI RtmAddRoute(HANDLE ClientHandle, PVOID Route, DWORD TimeToLive, DWORD* Flags, PVOID CurBestRoute,
                                PVOID PrevBestRoute);
TP_API DWORD WINAPI RtmDeleteRoute(HANDLE ClientHandle, PVOID Route, DWORD* Flags, PVOID CurBestRoute);
TP_API BOOL WINAPI RtmIsRoute(DWORD ProtocolFamily, PVOID Network, PVOID BestRoute);
TP_API ULONG WINAPI RtmGetNetworkCount(DWORD ProtocolFamily);
TP_API ULONG WINAPI RtmGetRouteAge(PVOID Route);
TP_API HANDLE WINAPI RtmCreateEnumerationHandle(DWORD ProtocolFamily, DWORD EnumerationFlags, PVOID CriteriaRoute);
TP_API DWORD WINAPI RtmEnumerateGetNextRoute(HANDLE EnumerationHandle, PVOID Route);
TP_API DWORD WINAPI RtmCloseEnumerationHandle(HANDLE EnumerationHandle);
TP_API DWORD WINAPI RtmBlockDeleteRoutes(HANDLE ClientHandle, DWORD EnumerationFlags, PVOID CriteriaRoute);
TP_API DWORD WINAPI RtmGetFirstRoute(DWORD ProtocolFamily, DWORD EnumerationFlags, PVOID Route);
TP_API DWORD WINAPI RtmGetNextRoute(DWORD ProtocolFamily, DWORD EnumerationFlags, PVOID Route);
TP_API BOOL WINAPI RtmLookupIPDestination(DWORD dwDestAddr, PRTM_IP_ROUTE prir);

#define RtmGetSpecificRoute(ProtocolFamily, Route) \
  RtmGetFirstRoute((ProtocolFamily), RTM_ONLY_THIS_NETWORK | RTM_ONLY_THIS_PROTOCOL | RTM_ONLY_THIS_INTERFACE, (Route))

TP_END

#endif
