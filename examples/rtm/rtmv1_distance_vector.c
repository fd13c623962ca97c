/* A small distance-vector protocol in the style of RTMv1, beside a static client of RTMv2: two generations, one table.
 *
 * The protocol adds what its neighbour tells it, with a time to live that each update renews; what the neighbour does
 * not tell any more grows old by itself. It waits on its event, and a message shows it the best route before and after
 * each change that somebody else made: what it must tell its neighbours of. The clock is turned by hand, so half a
 * minute passes at once. */
#include <windows.h>

#include <arpa/inet.h>
#include <nldef.h>
#include <rtm.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/testing.h>

#define LIFE 30 /* seconds that a route lives without an update */

static HANDLE rip;     /* the RTMv1 client */
static HANDLE changed; /* its event */

static const char* text(const IP_NETWORK* network) {
  static char buffer[32];
  struct in_addr number;
  number.s_addr = network->N_NetNumber;
  snprintf(buffer, sizeof buffer, "%s/%d", inet_ntoa(number), __builtin_popcount(network->N_NetMask));
  return buffer;
}

static void show(const char* what, const RTM_IP_ROUTE* route) {
  char hop[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &route->RR_NextHopAddress.N_NetNumber, hop, sizeof hop);
  printf("  %s %s by protocol %u via %s, priority %u, metric %u\n", what, text(&route->RR_Network),
         route->RR_RoutingProtocol, hop, route->RR_FamilySpecificData.FSD_Priority,
         route->RR_FamilySpecificData.FSD_Metric);
}

/* The neighbour at 192.0.2.1 says: this network, so far away. */
static void hear(const char* number, const char* mask, DWORD metric) {
  RTM_IP_ROUTE route;
  DWORD flags = 0;
  memset(&route, 0, sizeof route);
  route.RR_Network.N_NetNumber = inet_addr(number);
  route.RR_Network.N_NetMask = inet_addr(mask);
  route.RR_InterfaceID = 1;
  route.RR_NextHopAddress.N_NetNumber = inet_addr("192.0.2.1");
  route.RR_FamilySpecificData.FSD_Type = 4;
  route.RR_FamilySpecificData.FSD_Metric = metric + 1;
  ClearRouteFlags(&route);
  SetRouteValid(&route);
  if (RtmAddRoute(rip, &route, LIFE, &flags, NULL, NULL) != NO_ERROR) {
    printf("  the route to %s was refused\n", number);
  } else {
    printf("  heard of %s, metric %u: %s\n", text(&route.RR_Network), metric,
           flags == RTM_ROUTE_ADDED ? "new"
           : flags == RTM_NO_CHANGE ? "no change"
                                    : "the best route has changed");
  }
}

/* Everything that others changed, and what a neighbour would be told of it. */
static void tell_neighbours(const char* after) {
  printf("%s:\n", after);
  if (WaitForSingleObject(changed, 0) == WAIT_TIMEOUT) printf("  nothing to tell\n");
  for (;;) {
    RTM_IP_ROUTE now, before;
    DWORD flags = 0;
    const DWORD code = RtmDequeueRouteChangeMessage(rip, &flags, &now, &before);
    if (code != NO_ERROR && code != ERROR_MORE_MESSAGES) return;
    if (flags == RTM_ROUTE_DELETED) {
      show("tell: unreachable is", &before);
    } else {
      show(flags == RTM_ROUTE_ADDED ? "tell: new is" : "tell: from now on", &now);
    }
    if (code == NO_ERROR) return;
  }
}

static RTM_ENTITY_HANDLE register_static(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE entity = NULL;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = PROTO_IP_NT_STATIC;
  if (RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &entity) != NO_ERROR) return NULL;
  return entity;
}

static void add_static(RTM_ENTITY_HANDLE entity, const char* number, USHORT length) {
  RTM_NET_ADDRESS destination;
  RTM_NEXTHOP_INFO hop;
  RTM_NEXTHOP_HANDLE hop_handle = NULL;
  RTM_ROUTE_INFO route;
  DWORD flags = 0;
  memset(&destination, 0, sizeof destination);
  memset(&hop, 0, sizeof hop);
  memset(&route, 0, sizeof route);
  RTM_IPV4_MAKE_NET_ADDRESS(&hop.NextHopAddress, inet_addr("198.51.100.1"), 32);
  hop.InterfaceIndex = 2;
  if (RtmAddNextHop(entity, &hop, &hop_handle, &flags) != NO_ERROR) return;
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, inet_addr(number), length);
  route.PrefInfo.Metric = 1;
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  route.NextHopsList.NumNextHops = 1;
  route.NextHopsList.NextHops[0] = hop_handle;
  RtmAddRouteToDest(entity, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
  RtmReleaseNextHops(entity, 1, &hop_handle);
}

/* Both versions read the same table. */
static void show_table(RTM_ENTITY_HANDLE entity) {
  const HANDLE routes = RtmCreateEnumerationHandle(RTM_PROTOCOL_FAMILY_IP, RTM_ONLY_BEST_ROUTES, NULL);
  RTM_IP_ROUTE route;
  RTM_NET_ADDRESS address;
  RTM_DEST_INFO found;
  printf("the best routes, read by RTMv1:\n");
  while (RtmEnumerateGetNextRoute(routes, &route) == NO_ERROR) show("has", &route);
  RtmCloseEnumerationHandle(routes);
  memset(&address, 0, sizeof address);
  RTM_IPV4_MAKE_NET_ADDRESS(&address, inet_addr("10.2.0.0"), 16);
  if (RtmGetExactMatchDestination(entity, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &found) == NO_ERROR) {
    RTM_ENTITY_INFO owner;
    RtmGetEntityInfo(entity, found.ViewInfo[0].Owner, &owner);
    printf("10.2.0.0/16, read by RTMv2: %u routes, the best of protocol %u\n", found.ViewInfo[0].NumRoutes,
           owner.EntityId.EntityProtocolId);
    RtmReleaseDestInfo(entity, &found);
  }
}

int main(void) {
  RTM_ENTITY_HANDLE fixed;
  TpClockUseTest();
  changed = CreateEventW(NULL, TRUE, FALSE, NULL);
  rip = RtmRegisterClient(RTM_PROTOCOL_FAMILY_IP, PROTO_IP_RIP, changed, 0);
  fixed = register_static();
  if (rip == NULL || fixed == NULL) return 1;

  printf("the first update of the neighbour:\n");
  hear("10.1.0.0", "255.255.0.0", 2);
  hear("10.2.0.0", "255.255.0.0", 3);
  tell_neighbours("its own changes it knows");

  add_static(fixed, "10.2.0.0", 16);
  add_static(fixed, "10.3.0.0", 16);
  tell_neighbours("somebody configures static routes, by RTMv2");
  show_table(fixed);

  TpClockAdvance(20 * 1000);
  printf("twenty seconds later the neighbour says less:\n");
  hear("10.2.0.0", "255.255.0.0", 3);
  TpClockAdvance(11 * 1000);
  tell_neighbours("after eleven more");

  RtmDeregisterEntity(fixed);
  tell_neighbours("the static client leaves");

  RtmDeregisterClient(rip);
  printf("the protocol leaves: %u networks are left, and its handle is refused: %u\n",
         RtmGetNetworkCount(RTM_PROTOCOL_FAMILY_IP), RtmDeregisterClient(rip));
  CloseHandle(changed);
  return 0;
}
