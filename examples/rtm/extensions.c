/* What <turnpike/rtm.h> adds to RTMv2, in the life of one client: IPv6 routes by the batch, longest match by the batch,
 * a descriptor in a poll loop instead of a callback, a snapshot, the statistics, and the journal that says afterwards
 * what happened. */
#include <arpa/inet.h>
#include <poll.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/rtm.h>

#define ROUTES 1000u

static RTM_ENTITY_HANDLE self;
static RTM_NEXTHOP_HANDLE hop;

static int failed(const char* what, uint32_t status) {
  if (status != 0) fprintf(stderr, "%s: error %u\n", what, status);
  return status != 0;
}

/* 2001:db8:NUMBER::/48 */
static TpRtmAddress site(unsigned number) {
  TpRtmAddress made;
  memset(&made, 0, sizeof made);
  made.family = AF_INET6;
  made.bits = 48;
  inet_pton(AF_INET6, "2001:db8::", made.address);
  made.address[4] = (uint8_t)(number >> 8);
  made.address[5] = (uint8_t)number;
  return made;
}

static int join(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  RTM_NEXTHOP_INFO router;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET6;
  info.EntityId.EntityProtocolId = 10006; /* static routes */
  if (failed("RtmRegisterEntity", RtmRegisterEntity(&info, NULL, NULL, FALSE, &profile, &self))) return 1;
  memset(&router, 0, sizeof router);
  router.NextHopAddress.AddressFamily = AF_INET6;
  router.NextHopAddress.NumBits = 128;
  inet_pton(AF_INET6, "fe80::1", router.NextHopAddress.AddrBits);
  router.InterfaceIndex = 2;
  return failed("RtmAddNextHop", RtmAddNextHop(self, &router, &hop, &flags));
}

/* Every element has its own status: one bad route does not spoil the batch. */
static int add_all(void) {
  static TpRtmRoute routes[ROUTES];
  static uint32_t statuses[ROUTES];
  memset(routes, 0, sizeof routes);
  for (unsigned i = 0; i < ROUTES; ++i) {
    routes[i].destination = site(i);
    routes[i].metric = 1 + i % 7;
    routes[i].views = RTM_VIEW_MASK_UCAST;
    routes[i].hop_count = 1;
    routes[i].hops = &hop;
  }
  routes[13].destination.bits = 129; /* longer than an address */
  const uint32_t status = TpRtmAddRoutes(self, routes, ROUTES, statuses, NULL);
  printf("added %u in one call: %u; the one that cannot be: %u\n", ROUTES, status, statuses[13]);
  return status != 299; /* ERROR_PARTIAL_COPY */
}

static int match_some(void) {
  struct in6_addr asked[3];
  TpRtmMatch found[3];
  char text[INET6_ADDRSTRLEN];
  inet_pton(AF_INET6, "2001:db8:7::1", &asked[0]);
  inet_pton(AF_INET6, "2001:db8:3e7:ffff::", &asked[1]);
  inet_pton(AF_INET6, "3000::1", &asked[2]);
  if (failed("TpRtmMatchRoutes", TpRtmMatchRoutes(self, RTM_VIEW_MASK_UCAST, 0, asked, 3, found))) return 1;
  for (int i = 0; i < 3; ++i) {
    printf("%s: ", inet_ntop(AF_INET6, &asked[i], text, sizeof text));
    if (found[i].destination == NULL) {
      printf("no route\n");
    } else {
      printf("/%u by protocol %u, metric %u, ", found[i].bits, found[i].protocol, found[i].metric);
      printf("via %s on %u\n", inet_ntop(AF_INET6, found[i].hop_address, text, sizeof text), found[i].interface_index);
    }
  }
  return 0;
}

/* Whoever has a poll loop needs no callback, and no thread of the library's. */
static int read_changes(RTM_NOTIFY_HANDLE notify, int descriptor) {
  struct pollfd waiting = {.fd = descriptor, .events = POLLIN, .revents = 0};
  unsigned seen = 0;
  while (poll(&waiting, 1, 0) == 1) {
    RTM_DEST_INFO changed[64];
    UINT count = 64;
    while (RtmGetChangedDests(self, notify, &count, changed) == NO_ERROR) {
      seen += count;
      RtmReleaseChangedDests(self, notify, count, changed);
      count = 64;
    }
  }
  printf("the descriptor was readable until %u changed destinations were read\n", seen);
  return 0;
}

/* The snapshot shows what was, whatever happens after. */
static int look_back(TpRtmSnapshot snapshot) {
  uint64_t size = 0;
  TpRtmSnapshotRoute first[2];
  uint32_t count = 2;
  char text[INET6_ADDRSTRLEN];
  if (failed("TpRtmSnapshotSize", TpRtmSnapshotSize(snapshot, &size)) ||
      failed("TpRtmReadSnapshot", TpRtmReadSnapshot(snapshot, 0, first, &count))) {
    return 1;
  }
  printf("the snapshot still shows %llu routes, the second of them to %s/%u\n", (unsigned long long)size,
         inet_ntop(AF_INET6, first[1].destination.address, text, sizeof text), first[1].destination.bits);
  return failed("TpRtmCloseSnapshot", TpRtmCloseSnapshot(snapshot));
}

static int tell(void) {
  static const char* const words[] = {"", "added", "updated", "deleted", "expired", "swept"};
  TpRtmTableStatistics table;
  TpRtmJournalEntry entries[4];
  uint32_t count = 4;
  char text[INET6_ADDRSTRLEN];
  memset(&table, 0, sizeof table);
  table.size = sizeof table;
  if (failed("TpRtmGetTableStatistics", TpRtmGetTableStatistics(self, &table)) ||
      failed("TpRtmReadJournal", TpRtmReadJournal(self, 0, entries, &count))) {
    return 1;
  }
  printf("the table has %llu routes by %llu entities\n", (unsigned long long)table.live_routes,
         (unsigned long long)table.entities);
  for (uint32_t i = 0; i < count; ++i) {
    printf("journal %llu: %s %s/%u\n", (unsigned long long)entries[i].number, words[entries[i].what],
           inet_ntop(AF_INET6, entries[i].destination.address, text, sizeof text), entries[i].destination.bits);
  }
  return 0;
}

int main(void) {
  RTM_NOTIFY_HANDLE notify = NULL;
  int descriptor = -1;
  TpRtmSnapshot snapshot = 0;
  if (join() ||
      failed("register",
             RtmRegisterForChangeNotification(self, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, NULL, &notify)) ||
      failed("TpRtmChangeDescriptor", TpRtmChangeDescriptor(self, notify, &descriptor)) || add_all() || match_some() ||
      read_changes(notify, descriptor) || failed("TpRtmOpenSnapshot", TpRtmOpenSnapshot(self, &snapshot)) ||
      failed("TpRtmKeepJournal", TpRtmKeepJournal(self, 100))) {
    return 1;
  }
  TpRtmAddress gone[2] = {site(1), site(2)};
  uint32_t statuses[2];
  if (failed("TpRtmDeleteRoutesTo", TpRtmDeleteRoutesTo(self, gone, 2, statuses)) || look_back(snapshot) || tell() ||
      read_changes(notify, descriptor)) {
    return 1;
  }
  RtmDeregisterFromChangeNotification(self, notify);
  RtmReleaseNextHops(self, 1, &hop);
  return failed("RtmDeregisterEntity", RtmDeregisterEntity(self));
}
