/* Three multicast protocols on one router, arbitrated: what no Linux box could do, because its kernel knows one owner.
 *
 *   upstream   has the link towards the sources. It is told by JOIN and PRUNE what the others' receivers want, and
 * would ask its neighbours for that. down       a routing protocol on the west link, where IGMP is too: LOCAL_JOIN
 * tells it what hosts there want. fixed      has the east link, and one group that always goes there.
 *
 *   three_protocols                  plays with packets that are calls, and shows who is told what
 *   three_protocols IN WEST EAST     forwards in the kernel between these links until its input ends, and does for the
 *                                    hosts on WEST what they report */
#include <arpa/inet.h>
#include <mgm.h>
#include <net/if.h>
#include <poll.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/mgm.h>
#include <turnpike/testing.h>
#include <unistd.h>

#include "host_reports.h"

#define CHECK(call)                                 \
  do {                                              \
    const DWORD answer_ = (call);                   \
    if (answer_ != NO_ERROR) {                      \
      printf("%s: %u\n", #call, (unsigned)answer_); \
      return 1;                                     \
    }                                               \
  } while (0)

static HANDLE upstream, down, fixed, igmp;
static DWORD in = 1, west = 2, east = 3;

static const char* text(DWORD address, char* room) {
  struct in_addr held;
  held.s_addr = address;
  return address == 0 ? "*" : inet_ntop(AF_INET, &held, room, INET_ADDRSTRLEN);
}

static DWORD say(const char* who, DWORD source, DWORD group, const char* what) {
  char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];
  printf("%s: (%s, %s) %s\n", who, text(source, a), text(group, b), what);
  fflush(stdout);
  return NO_ERROR;
}

static DWORD up_join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, BOOL by_member) {
  (void)source_mask, (void)group_mask;
  return say("upstream", source, group, by_member ? "has receivers now: I ask for it" : "flows, and is wanted");
}
static DWORD up_prune(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop,
                      BOOL by_member, PDWORD timeout) {
  (void)source_mask, (void)group_mask, (void)index, (void)next_hop, (void)timeout;
  return say("upstream", source, group,
             by_member ? "has none any more: I ask no longer" : "flows, and nobody wants it");
}
static DWORD down_join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop) {
  (void)source_mask, (void)group_mask, (void)index, (void)next_hop;
  return say("down", source, group, "is wanted by hosts on my link");
}
static DWORD down_leave(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop) {
  (void)source_mask, (void)group_mask, (void)index, (void)next_hop;
  return say("down", source, group, "is wanted by no host there any more");
}

/* Sources are behind `in`, for multicast. */
static RTM_ENTITY_HANDLE add_way(void) {
  RTM_ENTITY_INFO info = {0};
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE entity = NULL;
  RTM_NEXTHOP_INFO hop = {0};
  RTM_NEXTHOP_HANDLE handle = NULL;
  RTM_NEXTHOP_CHANGE_FLAGS hop_change = 0;
  RTM_ROUTE_INFO route = {0};
  RTM_ROUTE_CHANGE_FLAGS change = 0;
  RTM_NET_ADDRESS everything = {0};
  info.AddressFamily = everything.AddressFamily = hop.NextHopAddress.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = 10006;
  if (RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &entity) != NO_ERROR) return NULL;
  hop.InterfaceIndex = in;
  if (RtmAddNextHop(entity, &hop, &handle, &hop_change) != NO_ERROR) return NULL;
  route.BelongsToViews = RTM_VIEW_MASK_MCAST;
  route.NextHopsList.NumNextHops = 1;
  route.NextHopsList.NextHops[0] = handle;
  RtmAddRouteToDest(entity, NULL, &everything, &route, INFINITE, NULL, 0, NULL, &change);
  RtmReleaseNextHops(entity, 1, &handle);
  return entity;
}

static DWORD change(HANDLE who, int joins, DWORD source, DWORD group, DWORD index) {
  const DWORD source_mask = source == 0 ? 0 : 0xffffffff;
  return joins ? MgmAddGroupMembershipEntry(who, source, source_mask, group, 0xffffffff, index, 0, MGM_JOIN_STATE_FLAG)
               : MgmDeleteGroupMembershipEntry(who, source, source_mask, group, 0xffffffff, index, 0,
                                               MGM_JOIN_STATE_FLAG);
}

static void on_report(void* context, const host_report* report) {
  DWORD group, source;
  (void)context;
  memcpy(&group, report->group, sizeof group);
  memcpy(&source, report->source, sizeof source);
  if (report->family == AF_INET && report->group[0] != 224) change(igmp, report->joins, source, group, west);
}

static int serve(const char* link) {
  struct pollfd watched[2] = {{0, POLLIN, 0}, {host_reports_open(link), POLLIN, 0}};
  char byte;
  puts("forwarding");
  fflush(stdout);
  while (poll(watched, 2, -1) > 0 && (watched[0].revents == 0 || read(0, &byte, 1) > 0)) {
    while (host_reports_read(watched[1].fd, on_report, NULL)) continue;
  }
  close(watched[1].fd);
  return 0;
}

static int packet(const char* source, const char* group) {
  uint32_t left[3];
  const int count = TpMgmPacket(inet_addr(source), inet_addr(group), in, NULL, 0, left, 3);
  printf("a packet to %s leaves on %d links\n", group, count);
  return 0;
}

static int play(void) {
  TpDrain();
  change(igmp, 1, 0, inet_addr("239.1.1.1"), west);
  packet("10.0.0.7", "239.1.1.1");
  packet("10.0.0.7", "239.1.1.2");
  change(igmp, 1, 0, inet_addr("239.1.1.2"), west);
  packet("10.0.0.7", "239.1.1.2");
  change(igmp, 0, 0, inet_addr("239.1.1.1"), west);
  return packet("10.0.0.7", "239.1.1.1");
}

int main(int count, char** words) {
  const uint32_t devices[] = {1, 2, 3};
  ROUTING_PROTOCOL_CONFIG up = {0}, below = {0}, silent = {0};
  RTM_ENTITY_HANDLE way;
  int result;
  if (count == 4) {
    char holder[128] = "";
    in = if_nametoindex(words[1]), west = if_nametoindex(words[2]), east = if_nametoindex(words[3]);
    if (TpMgmForwarderStart(NULL, holder, sizeof holder) != NO_ERROR) return printf("not forwarding: %s\n", holder), 1;
  } else {
    TpMgmUseDevices(devices, 3);
  }
  up.pfnJoinAlertCallback = up_join;
  up.pfnPruneAlertCallback = up_prune;
  below.pfnLocalJoinCallback = down_join;
  below.pfnLocalLeaveCallback = down_leave;
  CHECK(MgmRegisterMProtocol(&up, 1001, 0, &upstream));
  CHECK(MgmRegisterMProtocol(&below, 1002, 0, &down));
  CHECK(MgmRegisterMProtocol(&silent, 1003, 0, &fixed));
  CHECK(MgmRegisterMProtocol(&silent, 10, 0, &igmp)); /* PROTO_IP_IGMP: may share a link with one other */
  CHECK(MgmTakeInterfaceOwnership(upstream, in, 0));
  CHECK(MgmTakeInterfaceOwnership(down, west, 0));
  CHECK(MgmTakeInterfaceOwnership(igmp, west, 0));
  CHECK(MgmTakeInterfaceOwnership(fixed, east, 0));
  printf("fixed takes what is down's: %u\n", (unsigned)MgmTakeInterfaceOwnership(fixed, west, 0));
  way = add_way();
  CHECK(change(fixed, 1, 0, inet_addr("239.1.1.2"), east));
  result = count == 4 ? serve(words[2]) : play();
  MgmReleaseInterfaceOwnership(igmp, west, 0);
  MgmReleaseInterfaceOwnership(fixed, east, 0);
  MgmReleaseInterfaceOwnership(down, west, 0);
  MgmReleaseInterfaceOwnership(upstream, in, 0);
  CHECK(MgmDeRegisterMProtocol(igmp));
  CHECK(MgmDeRegisterMProtocol(fixed));
  CHECK(MgmDeRegisterMProtocol(down));
  CHECK(MgmDeRegisterMProtocol(upstream));
  RtmDeregisterEntity(way);
  if (count == 4) TpMgmForwarderStop();
  return result;
}
