/* Hold-down for a distance-vector protocol: what to tell the neighbours while a destination is lost.
 *
 * Each time it announces a destination the protocol marks it for hold-down. When the last route goes, the destination
 * stays visible with a HoldRoute and no Route: announce it as unreachable (metric 16), so that no neighbour teaches us
 * our own stale news. A new route that arrives meanwhile is used for forwarding at once, and announced only when the
 * hold is over. The clock is turned here, so that the example does not take half a minute. */
#define MPR50 1 /* the version of the router that routprot.h describes */
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/testing.h>
#include <windows.h>

#define HOLD_TIME 30000u

static RTM_ENTITY_HANDLE self;

static RTM_NET_ADDRESS prefix(const char* text, USHORT length) {
  RTM_NET_ADDRESS address;
  memset(&address, 0, sizeof address);
  RTM_IPV4_MAKE_NET_ADDRESS(&address, inet_addr(text), length);
  return address;
}

static RTM_ROUTE_HANDLE learn(const char* text, USHORT length, ULONG metric) {
  RTM_NET_ADDRESS destination = prefix(text, length);
  RTM_ROUTE_INFO route;
  RTM_ROUTE_HANDLE handle = NULL;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  memset(&route, 0, sizeof route);
  route.PrefInfo.Metric = metric;
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  RtmAddRouteToDest(self, &handle, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
  return handle;
}

static ULONG metric_of(RTM_ROUTE_HANDLE handle) {
  RTM_ROUTE_INFO route;
  if (RtmGetRouteInfo(self, handle, &route, NULL) != NO_ERROR) return 0;
  RtmReleaseRouteInfo(self, &route);
  return route.PrefInfo.Metric;
}

/* One announcement of everything. Only an enumeration of "any view" shows destinations that are merely held. */
static void announce(const char* when) {
  RTM_ENUM_HANDLE walk = NULL;
  RTM_DEST_INFO seen, view;
  UINT count = 1;
  printf("%s:\n", when);
  if (RtmCreateDestEnum(self, RTM_VIEW_MASK_ANY, RTM_ENUM_START, NULL, RTM_BEST_PROTOCOL, &walk) != NO_ERROR) return;
  while (RtmGetEnumDests(self, walk, &count, &seen) == NO_ERROR && count == 1) {
    struct in_addr network;
    memcpy(&network, seen.DestAddress.AddrBits, sizeof network);
    RtmGetDestInfo(self, seen.DestHandle, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &view);
    int held = view.ViewInfo[0].HoldRoute != NULL;
    int usable = view.ViewInfo[0].Route != NULL;
    printf("  %s/%u announced with metric %u; forwarding: %s\n", inet_ntoa(network), seen.DestAddress.NumBits,
           held ? 16u : metric_of(view.ViewInfo[0].Route), usable ? "yes" : "no");
    if (!held) RtmHoldDestination(self, seen.DestHandle, RTM_VIEW_MASK_UCAST, HOLD_TIME);
    RtmReleaseDestInfo(self, &view);
    RtmReleaseDests(self, 1, &seen);
  }
  RtmDeleteEnumHandle(self, walk);
}

int main(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  TpClockUseTest();
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = PROTO_IP_RIP;
  if (RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &self) != NO_ERROR) return 1;

  RTM_ROUTE_HANDLE route = learn("10.7.0.0", 16, 3);
  announce("a neighbour has taught us a route");
  RtmDeleteRouteToDest(self, route, &flags);
  announce("the neighbour has withdrawn it");
  route = learn("10.7.0.0", 16, 9);
  announce("another neighbour offers a longer way");
  TpClockAdvance(HOLD_TIME);
  announce("30 seconds later the hold is over");
  RtmReleaseRoutes(self, 1, &route);
  RtmDeregisterEntity(self);
  return 0;
}
