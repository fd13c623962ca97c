/* Follow the best routes of a table: the event, the loop that reads, and what a record says.
 *
 * A record says *that* a destination changed and how it stands now, not what happened to it: three changes between two
 * readings are one record. The watcher is polled here from the main thread after the event has told it to, which keeps
 * the callback short; a client may as well read inside it. */
#define MPR50 1 /* the version of the router that routprot.h describes */
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static HANDLE changes_wait;

static DWORD WINAPI on_event(RTM_ENTITY_HANDLE entity, RTM_EVENT_TYPE event, PVOID context1, PVOID context2) {
  (void)entity, (void)context1, (void)context2;
  if (event == RTM_CHANGE_NOTIFICATION) SetEvent(changes_wait);
  return NO_ERROR;
}

static RTM_ENTITY_HANDLE come(ULONG protocol, RTM_EVENT_CALLBACK callback) {
  RTM_ENTITY_INFO info;
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE entity = NULL;
  memset(&info, 0, sizeof info);
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = protocol;
  if (RtmRegisterEntity(&info, NULL, callback, FALSE, &profile, &entity) != NO_ERROR) return NULL;
  return entity;
}

static void set_route(RTM_ENTITY_HANDLE entity, const char* text, USHORT length, ULONG metric) {
  RTM_NET_ADDRESS destination;
  RTM_ROUTE_INFO route;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  memset(&destination, 0, sizeof destination);
  memset(&route, 0, sizeof route);
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, inet_addr(text), length);
  route.PrefInfo.Metric = metric;
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  RtmAddRouteToDest(entity, NULL, &destination, &route, INFINITE, NULL, 0, NULL, &flags);
}

static void show(RTM_ENTITY_HANDLE entity, const RTM_DEST_INFO* record) {
  struct in_addr network;
  RTM_ROUTE_INFO route;
  RTM_ENTITY_INFO owner;
  memcpy(&network, record->DestAddress.AddrBits, sizeof network);
  printf("  %s/%u ", inet_ntoa(network), record->DestAddress.NumBits);
  if (record->ViewInfo[0].Route == NULL) {
    printf("is gone\n");
  } else if (RtmGetRouteInfo(entity, record->ViewInfo[0].Route, &route, NULL) == NO_ERROR) {
    RtmGetEntityInfo(entity, route.RouteOwner, &owner);
    printf("is best by protocol %u, preference %u, metric %u\n", owner.EntityId.EntityProtocolId,
           route.PrefInfo.Preference, route.PrefInfo.Metric);
    RtmReleaseRouteInfo(entity, &route);
  }
}

static void read_changes(RTM_ENTITY_HANDLE entity, RTM_NOTIFY_HANDLE notify, const char* after) {
  printf("%s:\n", after);
  WaitForSingleObject(changes_wait, 5000);
  for (;;) {
    RTM_DEST_INFO records[8];
    UINT count = 8;
    if (RtmGetChangedDests(entity, notify, &count, records) != NO_ERROR || count == 0) return;
    for (UINT i = 0; i < count; i++) show(entity, &records[i]);
    RtmReleaseChangedDests(entity, notify, count, records);
  }
}

int main(void) {
  RTM_NOTIFY_HANDLE notify = NULL;
  changes_wait = CreateEvent(NULL, FALSE, FALSE, NULL);
  RTM_ENTITY_HANDLE watcher = come(77, on_event);
  RTM_ENTITY_HANDLE rip = come(PROTO_IP_RIP, NULL);
  RTM_ENTITY_HANDLE fixed = come(PROTO_IP_NT_STATIC, NULL);
  if (watcher == NULL || rip == NULL || fixed == NULL) return 1;
  if (RtmRegisterForChangeNotification(watcher, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, NULL, &notify) != NO_ERROR) {
    return 1;
  }
  set_route(rip, "10.0.0.0", 8, 5);
  set_route(rip, "10.1.0.0", 16, 5);
  read_changes(watcher, notify, "RIP adds two routes");
  set_route(fixed, "10.1.0.0", 16, 1);
  read_changes(watcher, notify, "a static route takes one of them over");
  RtmDeregisterEntity(fixed);
  read_changes(watcher, notify, "the static client leaves, and its route with it");
  set_route(rip, "10.1.0.0", 16, 6);
  set_route(rip, "10.1.0.0", 16, 7);
  set_route(rip, "10.1.0.0", 16, 8);
  read_changes(watcher, notify, "three changes between two readings");
  RtmDeregisterEntity(rip);
  read_changes(watcher, notify, "RIP leaves");
  RtmDeregisterFromChangeNotification(watcher, notify);
  RtmDeregisterEntity(watcher);
  CloseHandle(changes_wait);
  return 0;
}
