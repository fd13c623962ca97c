/* A static multicast router: which interfaces, which groups go where, which way it is to the sources, from one table.
 *
 * It registers as a protocol, takes its interfaces, adds a membership for each line, and a route in the multicast view
 * for each network of sources. Everything else MGM does: an entry for each flow that arrives, kept in step.
 *
 * So that it runs anywhere, the packets here are calls (turnpike/testing.h) into a forwarder in memory. On a router one
 * call of TpMgmForwarderStart (turnpike/mgm.h), before the first, stands in the place of those lines. */
#include <arpa/inet.h>
#include <mgm.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/testing.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const DWORD interfaces[] = {1, 2, 3};
static const struct {
  const char* network;
  USHORT length;
  DWORD interface;
} ways[] = {{"10.1.0.0", 16, 1}};
static const struct {
  const char* source; /* null: any */
  const char* group;
  DWORD interface;
} joins[] = {{NULL, "239.1.1.1", 2}, {"10.1.0.7", "239.1.1.1", 3}, {NULL, "239.1.1.2", 3}};

static DWORD address(const char* text) { return text ? inet_addr(text) : 0; }
static DWORD mask(const char* text) { return text ? 0xffffffff : 0; }

/* The multicast view of the routing table tells MGM behind which interface a source is. */
static RTM_ENTITY_HANDLE add_ways(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE entity = NULL;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = 10006; /* static routes */
  if (RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &entity) != NO_ERROR) return NULL;
  for (size_t i = 0; i < COUNT(ways); ++i) {
    RTM_NEXTHOP_INFO hop;
    RTM_NEXTHOP_HANDLE hop_handle = NULL;
    RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
    RTM_ROUTE_INFO route;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    RTM_NET_ADDRESS destination;
    DWORD network = address(ways[i].network);
    memset(&hop, 0, sizeof hop);
    memset(&route, 0, sizeof route);
    memset(&destination, 0, sizeof destination);
    hop.InterfaceIndex = ways[i].interface;
    hop.NextHopAddress.AddressFamily = AF_INET; /* 0.0.0.0: the sources are on the network itself */
    hop.NextHopAddress.NumBits = 32;
    if (RtmAddNextHop(entity, &hop, &hop_handle, &hop_flags) != NO_ERROR) return NULL;
    route.BelongsToViews = RTM_VIEW_MASK_MCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = hop_handle;
    RTM_IPV4_MAKE_NET_ADDRESS(&destination, network, ways[i].length);
    RtmAddRouteToDest(entity, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
    RtmReleaseNextHops(entity, 1, &hop_handle);
  }
  return entity;
}

static void show_entries(void) {
  BYTE buffer[2048];
  DWORD size = sizeof buffer, count = 0;
  BYTE* at = buffer;
  MgmGetFirstMfe(&size, buffer, &count);
  for (DWORD i = 0; i < count; ++i) {
    MIB_IPMCAST_MFE entry; /* its outgoing interfaces follow: entries are as long as they need */
    char source[INET_ADDRSTRLEN], group[INET_ADDRSTRLEN];
    memcpy(&entry, at, SIZEOF_BASIC_MIB_MFE);
    inet_ntop(AF_INET, &entry.dwSource, source, sizeof source);
    inet_ntop(AF_INET, &entry.dwGroup, group, sizeof group);
    printf("entry (%s, %s): in %u, out", source, group, entry.dwInIfIndex);
    for (ULONG j = 0; j < entry.ulNumOutIf; ++j) {
      MIB_IPMCAST_OIF out;
      memcpy(&out, at + SIZEOF_MIB_MFE(j), sizeof out);
      printf(" %u", out.dwOutIfIndex);
    }
    printf("%s\n", entry.ulNumOutIf == 0 ? " nowhere" : "");
    at += SIZEOF_MIB_MFE(entry.ulNumOutIf);
  }
}

int main(void) {
  ROUTING_PROTOCOL_CONFIG config; /* no callbacks: what is static asks nobody */
  HANDLE self = NULL;
  RTM_ENTITY_HANDLE entity = add_ways();
  memset(&config, 0, sizeof config);
  TpMgmUseDevices(interfaces, COUNT(interfaces));
  if (entity == NULL || MgmRegisterMProtocol(&config, 10006, 0, &self) != NO_ERROR) return 1;
  for (size_t i = 0; i < COUNT(interfaces); ++i) {
    if (MgmTakeInterfaceOwnership(self, interfaces[i], 0) != NO_ERROR) return 1;
  }
  for (size_t i = 0; i < COUNT(joins); ++i) {
    MgmAddGroupMembershipEntry(self, address(joins[i].source), mask(joins[i].source), address(joins[i].group),
                               0xffffffff, joins[i].interface, 0, MGM_JOIN_STATE_FLAG);
  }
  TpMgmPacket(address("10.1.0.7"), address("239.1.1.1"), 1, NULL, 0, NULL, 0);
  TpMgmPacket(address("10.1.0.8"), address("239.1.1.1"), 1, NULL, 0, NULL, 0);
  TpMgmPacket(address("10.1.0.8"), address("239.1.1.3"), 1, NULL, 0, NULL, 0);
  show_entries();
  printf("leaving with interfaces: %u\n", MgmDeRegisterMProtocol(self)); /* refused: ERROR_CAN_NOT_COMPLETE */
  for (size_t i = 0; i < COUNT(interfaces); ++i) MgmReleaseInterfaceOwnership(self, interfaces[i], 0);
  printf("leaving without: %u\n", MgmDeRegisterMProtocol(self));
  return RtmDeregisterEntity(entity) == NO_ERROR ? 0 : 1;
}
