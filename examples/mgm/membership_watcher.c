/* A membership watcher: which groups have receivers somewhere, as it changes.
 *
 * A protocol that owns no interface is told of every group that gets its first receivers, and of every one that loses
 * its last: it need not ask. What is there already when it comes it reads once, by an enumeration. Beside it IGMP and
 * a routing protocol share an interface here; their callbacks show who hears what. */
#include <arpa/inet.h>
#include <mgm.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/testing.h>

static const char* text(DWORD address) {
  static char texts[2][INET_ADDRSTRLEN];
  static int next;
  next = !next;
  return address == 0 ? "*" : inet_ntop(AF_INET, &address, texts[next], sizeof texts[next]);
}

static DWORD watcher_join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, BOOL by_member) {
  (void)source_mask, (void)group_mask, (void)by_member;
  printf("  watcher: (%s, %s) has receivers now\n", text(source), text(group));
  return NO_ERROR;
}

static DWORD watcher_prune(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop,
                           BOOL by_member, PDWORD timeout) {
  (void)source_mask, (void)group_mask, (void)next_hop, (void)by_member, (void)timeout;
  printf("  watcher: (%s, %s) has none any more, the last was behind interface %u\n", text(source), text(group), index);
  return NO_ERROR;
}

static DWORD local_join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop) {
  (void)source_mask, (void)group_mask, (void)next_hop;
  printf("  owner: hosts behind my interface %u want (%s, %s)\n", index, text(source), text(group));
  return NO_ERROR;
}

static DWORD disable_igmp(DWORD index, DWORD next_hop) {
  (void)next_hop;
  printf("  igmp: keep off interface %u\n", index);
  return NO_ERROR;
}

static DWORD enable_igmp(DWORD index, DWORD next_hop) {
  (void)next_hop;
  printf("  igmp: interface %u is mine again beside its owner; its groups are to be added anew\n", index);
  return NO_ERROR;
}

static HANDLE come(ROUTING_PROTOCOL_CONFIG* config, DWORD protocol) {
  HANDLE self = NULL;
  return MgmRegisterMProtocol(config, protocol, 0, &self) == NO_ERROR ? self : NULL;
}

static void show_groups(HANDLE self) {
  HANDLE enumeration = NULL;
  DWORD answer = MgmGroupEnumerationStart(self, ALL_SOURCES, &enumeration);
  printf("groups:");
  do {
    SOURCE_GROUP_ENTRY entries[4];
    DWORD size = sizeof entries, count = 0;
    answer = MgmGroupEnumerationGetNext(enumeration, &size, (PBYTE)entries, &count);
    for (DWORD i = 0; i < count; ++i) printf(" (%s, %s)", text(entries[i].dwSourceAddr), text(entries[i].dwGroupAddr));
  } while (answer == ERROR_MORE_DATA);
  printf("\n");
  MgmGroupEnumerationEnd(enumeration);
}

int main(void) {
  static const DWORD devices[] = {1, 2};
  const DWORD group = inet_addr("239.1.1.1");
  ROUTING_PROTOCOL_CONFIG of_igmp, of_owner, of_watcher;
  HANDLE igmp, owner, watcher;
  memset(&of_igmp, 0, sizeof of_igmp);
  memset(&of_owner, 0, sizeof of_owner);
  memset(&of_watcher, 0, sizeof of_watcher);
  of_igmp.pfnDisableIgmpCallback = disable_igmp;
  of_igmp.pfnEnableIgmpCallback = enable_igmp;
  of_owner.pfnLocalJoinCallback = local_join;
  of_watcher.pfnJoinAlertCallback = watcher_join;
  of_watcher.pfnPruneAlertCallback = watcher_prune;
  TpMgmUseDevices(devices, 2); /* devices that need not exist: the forwarder is one in memory */
  igmp = come(&of_igmp, 10 /* PROTO_IP_IGMP */);
  owner = come(&of_owner, 1000);
  if (igmp == NULL || owner == NULL || MgmTakeInterfaceOwnership(igmp, 1, 0) != NO_ERROR) return 1;
  MgmAddGroupMembershipEntry(igmp, 0, 0, group, 0xffffffff, 1, 0, MGM_JOIN_STATE_FLAG);

  watcher = come(&of_watcher, 2000);
  show_groups(watcher);
  printf("a routing protocol takes the interface of IGMP:\n");
  MgmTakeInterfaceOwnership(owner, 1, 0);
  printf("IGMP adds its group again:\n");
  MgmAddGroupMembershipEntry(igmp, 0, 0, group, 0xffffffff, 1, 0, MGM_JOIN_STATE_FLAG);
  printf("the routing protocol leaves the interface:\n");
  MgmReleaseInterfaceOwnership(owner, 1, 0);
  show_groups(watcher);

  MgmReleaseInterfaceOwnership(igmp, 1, 0);
  return MgmDeRegisterMProtocol(watcher) + MgmDeRegisterMProtocol(owner) + MgmDeRegisterMProtocol(igmp) != NO_ERROR;
}
