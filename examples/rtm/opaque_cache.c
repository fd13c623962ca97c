/* A cache of one's own in every destination: the opaque pointer.
 *
 * A client that asks for it at registration owns one pointer in each destination, private to it. Here the pointer leads
 * to a counter of how often the destination was looked up, so the counter is found without a second table. The slot is
 * read and written under the destination's lock; what it points to is the client's to free. */
#define MPR50 1 /* the version of the router that routprot.h describes */
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static RTM_ENTITY_HANDLE self;

static RTM_NET_ADDRESS prefix(const char* text, USHORT length) {
  RTM_NET_ADDRESS address;
  memset(&address, 0, sizeof address);
  RTM_IPV4_MAKE_NET_ADDRESS(&address, inet_addr(text), length);
  return address;
}

static void add_route(const char* text, USHORT length) {
  RTM_NET_ADDRESS destination = prefix(text, length);
  RTM_ROUTE_INFO route;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  memset(&route, 0, sizeof route);
  route.PrefInfo.Metric = 1;
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  RtmAddRouteToDest(self, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
}

/* The destination's counter, made at the first visit. Called under the exclusive lock. */
static unsigned* counter_of(RTM_DEST_HANDLE destination) {
  PVOID slot = NULL;
  if (RtmGetOpaqueInformationPointer(self, destination, &slot) != NO_ERROR) return NULL;
  unsigned** counter = slot;
  if (*counter == NULL) *counter = calloc(1, sizeof **counter);
  return *counter;
}

static void look_up(const char* text) {
  RTM_NET_ADDRESS address = prefix(text, 32);
  RTM_DEST_INFO found;
  if (RtmGetMostSpecificDestination(self, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &found) != NO_ERROR) return;
  RtmLockDestination(self, found.DestHandle, TRUE, TRUE);
  unsigned* counter = counter_of(found.DestHandle);
  if (counter != NULL) ++*counter;
  RtmLockDestination(self, found.DestHandle, TRUE, FALSE);
  RtmReleaseDestInfo(self, &found);
}

/* Before leaving: what the slots point to is ours. */
static void report_and_free(void) {
  RTM_ENUM_HANDLE walk = NULL;
  RTM_DEST_INFO seen;
  UINT count = 1;
  if (RtmCreateDestEnum(self, RTM_VIEW_MASK_ANY, RTM_ENUM_START, NULL, RTM_BEST_PROTOCOL, &walk) != NO_ERROR) return;
  while (RtmGetEnumDests(self, walk, &count, &seen) == NO_ERROR && count == 1) {
    PVOID slot = NULL;
    struct in_addr network;
    memcpy(&network, seen.DestAddress.AddrBits, sizeof network);
    RtmLockDestination(self, seen.DestHandle, TRUE, TRUE);
    if (RtmGetOpaqueInformationPointer(self, seen.DestHandle, &slot) == NO_ERROR) {
      unsigned** counter = slot;
      printf("  %s/%u was looked up %u times\n", inet_ntoa(network), seen.DestAddress.NumBits,
             *counter != NULL ? **counter : 0u);
      free(*counter);
      *counter = NULL;
    }
    RtmLockDestination(self, seen.DestHandle, TRUE, FALSE);
    RtmReleaseDests(self, 1, &seen);
  }
  RtmDeleteEnumHandle(self, walk);
}

int main(void) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = PROTO_IP_OSPF;
  if (RtmRegisterEntity(&info, NULL, NULL, TRUE, &profile, &self) != NO_ERROR) return 1;
  add_route("0.0.0.0", 0);
  add_route("10.0.0.0", 8);
  add_route("10.1.0.0", 16);
  const char* addresses[] = {"10.1.2.3", "10.1.9.9", "10.2.0.1", "192.0.2.1", "10.1.0.1"};
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) look_up(addresses[i]);
  printf("five look-ups, counted in the destinations themselves:\n");
  report_and_free();
  RtmDeregisterEntity(self);
  return 0;
}
