/* A router to talk to: a routing table, the forwarder that keeps it and the kernel one, and a line for each change of
 * a best route. docs/with-frr.md and docs/with-bird.md use it beside routing daemons.
 *
 *   add PREFIX via GATEWAY [LINK]   a static route; without a link the gateway is looked up in the table
 *   remove PREFIX
 *   fpm PORT [table-only] [gateways-only]   take what zebra sends
 *   sent                                    … and it has sent all
 *   status
 *   quit                            takes our routes out of the kernel; the end of the input leaves them
 *
 * It needs CAP_NET_ADMIN, as anybody who changes routes. */
#include <arpa/inet.h>
#include <net/if.h>
#include <nldef.h>
#include <poll.h>
#include <rtmv2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turnpike/forwarder.h>
#include <turnpike/log.h>
#include <turnpike/rtm.h>
#include <unistd.h>

/* Once for each family: a client, and what it hears of. */
struct side {
  int family;
  USHORT width;
  RTM_ENTITY_HANDLE self;
  RTM_NOTIFY_HANDLE changes;
  int readable;
  UINT hops; /* that a route has at most */
};
static struct side sides[2] = {{.family = AF_INET, .width = 32}, {.family = AF_INET6, .width = 128}};

static int failed(const char* what, DWORD status) {
  if (status != NO_ERROR) printf("%s: error %u\n", what, status);
  return status != NO_ERROR;
}

/* "192.0.2.0/24" or "192.0.2.1"; the side that it belongs to, or null. */
static struct side* parse(const char* text, RTM_NET_ADDRESS* address) {
  char number[INET6_ADDRSTRLEN];
  const char* slash = strchr(text, '/');
  size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
  if (length >= sizeof number) return NULL;
  memcpy(number, text, length);
  number[length] = '\0';
  memset(address, 0, sizeof *address);
  for (struct side* side = sides; side < sides + 2; side++) {
    if (inet_pton(side->family, number, address->AddrBits) != 1) continue;
    address->AddressFamily = (USHORT)side->family;
    address->NumBits = slash != NULL ? (USHORT)strtoul(slash + 1, NULL, 10) : side->width;
    return address->NumBits <= side->width ? side : NULL;
  }
  return NULL;
}

static const char* protocol_name(ULONG id) {
  switch (id) {
    case PROTO_IP_LOCAL:
      return "local";
    case PROTO_IP_NETMGMT:
      return "netmgmt";
    case PROTO_IP_ICMP:
      return "icmp";
    case PROTO_IP_RIP:
      return "rip";
    case PROTO_IP_IS_IS:
      return "isis";
    case PROTO_IP_OSPF:
      return "ospf";
    case PROTO_IP_BGP:
      return "bgp";
    case PROTO_IP_NT_STATIC:
      return "static";
    default:
      return "another";
  }
}

/* --- what changes ------------------------------------------------------------------------------------------------ */

static void print_next_hop(const struct side* side, RTM_NEXTHOP_HANDLE handle) {
  RTM_NEXTHOP_INFO hop;
  char text[INET6_ADDRSTRLEN], link[IF_NAMESIZE];
  const unsigned char none[16] = {0};
  if (RtmGetNextHopInfo(side->self, handle, &hop) != NO_ERROR) return;
  if (memcmp(hop.NextHopAddress.AddrBits, none, side->width / 8) != 0) {
    printf(" via %s", inet_ntop(side->family, hop.NextHopAddress.AddrBits, text, sizeof text));
  }
  if (hop.InterfaceIndex != 0 && if_indextoname(hop.InterfaceIndex, link) != NULL) printf(" dev %s", link);
  RtmReleaseNextHopInfo(side->self, &hop);
}

static void print_change(const struct side* side, const RTM_DEST_INFO* changed) {
  char text[INET6_ADDRSTRLEN];
  RTM_ROUTE_INFO* route = calloc(1, sizeof *route + side->hops * sizeof(RTM_NEXTHOP_HANDLE));
  RTM_ENTITY_INFO owner;
  inet_ntop(side->family, changed->DestAddress.AddrBits, text, sizeof text);
  RTM_ROUTE_HANDLE best = changed->ViewInfo[0].Route;
  if (best == NULL || route == NULL || RtmGetRouteInfo(side->self, best, route, NULL) != NO_ERROR) {
    printf("- %s/%u\n", text, changed->DestAddress.NumBits);
    free(route);
    return;
  }
  RtmGetEntityInfo(side->self, route->RouteOwner, &owner);
  printf("+ %s/%u %s", text, changed->DestAddress.NumBits, protocol_name(owner.EntityId.EntityProtocolId));
  if (route->Flags & RTM_ROUTE_FLAGS_BLACKHOLE) printf(" blackhole");
  for (USHORT i = 0; i < route->NextHopsList.NumNextHops; i++) print_next_hop(side, route->NextHopsList.NextHops[i]);
  printf("\n");
  RtmReleaseRouteInfo(side->self, route);
  free(route);
}

static void print_changes(const struct side* side) {
  RTM_DEST_INFO changed[64];
  UINT count = 64;
  while (RtmGetChangedDests(side->self, side->changes, &count, changed) == NO_ERROR) {
    for (UINT i = 0; i < count; i++) print_change(side, &changed[i]);
    RtmReleaseChangedDests(side->self, side->changes, count, changed);
    count = 64;
  }
}

/* --- what is asked ----------------------------------------------------------------------------------------------- */

static void add(const char* prefix, const char* gateway, const char* link) {
  RTM_NET_ADDRESS destination;
  RTM_NEXTHOP_INFO hop;
  RTM_NEXTHOP_HANDLE next_hop = NULL;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  RTM_ROUTE_INFO route;
  struct side* side = parse(prefix, &destination);
  memset(&hop, 0, sizeof hop);
  memset(&route, 0, sizeof route);
  if (side == NULL || parse(gateway, &hop.NextHopAddress) != side) {
    printf("no such route: %s via %s\n", prefix, gateway);
    return;
  }
  hop.InterfaceIndex = link != NULL ? if_nametoindex(link) : 0;
  if (hop.InterfaceIndex == 0) hop.Flags = RTM_NEXTHOP_FLAGS_REMOTE;
  if (failed("RtmAddNextHop", RtmAddNextHop(side->self, &hop, &next_hop, &hop_flags))) return;
  route.PrefInfo.Metric = 1;
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  route.NextHopsList.NumNextHops = 1;
  route.NextHopsList.NextHops[0] = next_hop;
  failed("RtmAddRouteToDest",
         RtmAddRouteToDest(side->self, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags));
  RtmReleaseNextHops(side->self, 1, &next_hop);
}

static void take_away(const char* prefix) {
  RTM_NET_ADDRESS destination;
  TpRtmAddress same;
  uint32_t status = 0;
  struct side* side = parse(prefix, &destination);
  if (side == NULL) return;
  memcpy(&same, &destination, sizeof same);
  TpRtmDeleteRoutesTo(side->self, &same, 1, &status);
  failed("TpRtmDeleteRoutesTo", status);
}

static void take_feed(const char* port, const char* more) {
  TP_FPM_OPTIONS options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.address = "0.0.0.0";
  options.port = (uint16_t)strtoul(port, NULL, 10);
  if (strstr(more, "table-only") != NULL) options.flags |= TP_FPM_TABLE_ONLY;
  if (strstr(more, "gateways-only") != NULL) options.flags |= TP_FPM_GATEWAYS_ONLY;
  if (!failed("TpFpmStart", TpFpmStart(&options))) printf("listening at port %s\n", port);
}

static void print_status(void) {
  TP_FORWARDER_STATUS forwarder;
  TP_FPM_STATUS feed;
  memset(&forwarder, 0, sizeof forwarder);
  memset(&feed, 0, sizeof feed);
  forwarder.size = sizeof forwarder;
  feed.size = sizeof feed;
  TpForwarderStatus(&forwarder);
  TpFpmStatus(&feed);
  printf("%llu routes of ours in the kernel, %llu failed, %llu in conflict; %llu imported\n",
         (unsigned long long)forwarder.installed, (unsigned long long)forwarder.failed,
         (unsigned long long)forwarder.conflicts, (unsigned long long)forwarder.imported);
  if (feed.running != 0) {
    printf("fpm: %s, %llu routes, %llu of them stale\n", feed.connected != 0 ? "connected" : "not connected",
           (unsigned long long)feed.routes, (unsigned long long)feed.stale);
  }
}

/* 0: that was the last. */
static int obey(char* line) {
  char verb[16] = "", one[64] = "", word[16] = "", two[64] = "", three[64] = "";
  int count = sscanf(line, "%15s %63s %15s %63s %63s", verb, one, word, two, three);
  if (strcmp(verb, "add") == 0 && count >= 4) {
    add(one, two, count == 5 ? three : NULL);
  } else if (strcmp(verb, "remove") == 0 && count == 2) {
    take_away(one);
  } else if (strcmp(verb, "fpm") == 0 && count >= 2) {
    take_feed(one, line);
  } else if (strcmp(verb, "sent") == 0) {
    failed("TpFpmAllSent", TpFpmAllSent());
  } else if (strcmp(verb, "status") == 0) {
    print_status();
  } else if (strcmp(verb, "quit") == 0) {
    return 0;
  } else if (count > 0) {
    printf(
        "what? add PREFIX via GATEWAY [LINK], remove PREFIX, fpm PORT [table-only] [gateways-only], sent, status, "
        "quit\n");
  }
  return 1;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static int join(struct side* side) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  memset(&info, 0, sizeof info);
  info.AddressFamily = (USHORT)side->family;
  info.EntityId.EntityProtocolId = PROTO_IP_NT_STATIC;
  if (failed("RtmRegisterEntity", RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &side->self))) return 0;
  side->hops = profile.MaxNextHopsInRoute;
  return !failed("RtmRegisterForChangeNotification",
                 RtmRegisterForChangeNotification(side->self, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, NULL,
                                                  &side->changes)) &&
         !failed("TpRtmChangeDescriptor", TpRtmChangeDescriptor(side->self, side->changes, &side->readable));
}

/* 1: asked to quit. 0: the input has ended. */
static int run(void) {
  struct pollfd watched[3] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                              {.fd = sides[0].readable, .events = POLLIN, .revents = 0},
                              {.fd = sides[1].readable, .events = POLLIN, .revents = 0}};
  char line[512];
  size_t held = 0;
  while (poll(watched, 3, -1) > 0) {
    for (int i = 0; i < 2; i++) print_changes(&sides[i]);
    if (watched[0].revents == 0) continue;
    ssize_t got = read(STDIN_FILENO, line + held, sizeof line - 1 - held);
    if (got <= 0) return 0;
    held += (size_t)got;
    line[held] = '\0';
    for (char* end; (end = strchr(line, '\n')) != NULL;) {
      *end = '\0';
      if (!obey(line)) return 1;
      held -= (size_t)(end + 1 - line);
      memmove(line, end + 1, held + 1);
    }
    if (held == sizeof line - 1) held = 0;
  }
  return 0;
}

int main(void) {
  char holder[128] = "";
  TpLogSink sink;
  setvbuf(stdout, NULL, _IOLBF, 0);
  TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_TIME, &sink);
  if (!join(&sides[0]) || !join(&sides[1])) return 1; /* first, so that all that is imported is a change */
  uint32_t status = TpForwarderStart(NULL, holder, sizeof holder);
  if (status != 0) {
    printf("TpForwarderStart: error %u %s\n", status, holder);
    return 1;
  }
  printf("running\n");
  TpForwarderStop(run());
  for (int i = 0; i < 2; i++) {
    RtmDeregisterFromChangeNotification(sides[i].self, sides[i].changes);
    RtmDeregisterEntity(sides[i].self);
  }
  TpLogClose(sink);
  return 0;
}
