/* Register with the routing table, publish a route, look it up, leave.
 *
 * The shortest complete client: an entity comes, owns a next hop and two routes, and goes. Watch the references: each
 * handle that the table writes into our memory is one that we release. */
#define MPR50 1 /* the version of the router that routprot.h describes */
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static RTM_ENTITY_HANDLE self;

static int failed(const char* what, DWORD status) {
  if (status != NO_ERROR) fprintf(stderr, "%s: error %u\n", what, status);
  return status != NO_ERROR;
}

static RTM_NET_ADDRESS prefix(const char* text, USHORT length) {
  RTM_NET_ADDRESS address;
  memset(&address, 0, sizeof address);
  RTM_IPV4_MAKE_NET_ADDRESS(&address, inet_addr(text), length);
  return address;
}

static int add_route(RTM_NEXTHOP_HANDLE next_hop, const char* text, USHORT length, ULONG metric) {
  RTM_NET_ADDRESS destination = prefix(text, length);
  RTM_ROUTE_INFO route;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  memset(&route, 0, sizeof route);
  route.Neighbour = next_hop;
  route.PrefInfo.Metric = metric; /* a preference of 0 asks for the one configured for our protocol */
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  route.NextHopsList.NumNextHops = 1;
  route.NextHopsList.NextHops[0] = next_hop;
  DWORD status = RtmAddRouteToDest(self, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
  if (failed("RtmAddRouteToDest", status)) return 1;
  printf("added %s/%u:%s%s\n", text, length, flags & RTM_ROUTE_CHANGE_NEW ? " new" : "",
         flags & RTM_ROUTE_CHANGE_BEST ? " best" : "");
  return 0;
}

static int look_up(const char* text) {
  RTM_NET_ADDRESS address = prefix(text, 32);
  RTM_DEST_INFO found;
  RTM_ROUTE_INFO route;
  DWORD status = RtmGetMostSpecificDestination(self, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &found);
  if (failed("RtmGetMostSpecificDestination", status)) return 1;
  struct in_addr network;
  memcpy(&network, found.DestAddress.AddrBits, sizeof network);
  printf("%s is reached by %s/%u", text, inet_ntoa(network), found.DestAddress.NumBits);
  if (RtmGetRouteInfo(self, found.ViewInfo[0].Route, &route, NULL) == NO_ERROR) {
    printf(", preference %u, metric %u\n", route.PrefInfo.Preference, route.PrefInfo.Metric);
    RtmReleaseRouteInfo(self, &route);
  }
  RtmReleaseDestInfo(self, &found);
  return 0;
}

int main(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = PROTO_IP_RIP;
  info.EntityId.EntityInstanceId = 1;
  if (failed("RtmRegisterEntity", RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &self))) return 1;
  printf("registered: up to %u next hops a route, %u views\n", profile.MaxNextHopsInRoute, profile.NumberOfViews);

  RTM_NEXTHOP_INFO hop;
  RTM_NEXTHOP_HANDLE next_hop = NULL;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  memset(&hop, 0, sizeof hop);
  hop.NextHopAddress = prefix("192.0.2.1", 32);
  hop.InterfaceIndex = 2;
  if (failed("RtmAddNextHop", RtmAddNextHop(self, &hop, &next_hop, &flags))) return 1;

  int bad = add_route(next_hop, "10.0.0.0", 8, 5) || add_route(next_hop, "10.1.0.0", 16, 3) ||
            add_route(next_hop, "10.1.0.0", 16, 4) || look_up("10.1.2.3") || look_up("10.200.0.1");
  RtmReleaseNextHops(self, 1, &next_hop);

  /* What we still own goes with us: both routes and the next hop. */
  if (failed("RtmDeregisterEntity", RtmDeregisterEntity(self))) return 1;
  printf("gone; the old handle is refused: %u\n", RtmDeregisterEntity(self));
  return bad;
}
