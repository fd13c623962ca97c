// A router process for survival_test.cpp to kill: one_life IN OUT GROUP… It forwards what comes in by link IN to the
// members of the groups behind link OUT, and claims what an earlier life has left. Says "begun" and "ready" with what
// the kernel has, and says it again at each SIGUSR1, numbered. Ends cleanly at SIGTERM.
#include <arpa/inet.h>
#include <mgm.h>
#include <net/if.h>
#include <rtmv2.h>
#include <turnpike/mgm.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

bool add_way(DWORD device) {
  RTM_ENTITY_INFO info{};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = 77;
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE self = nullptr;
  RTM_NEXTHOP_INFO hop{};
  RTM_IPV4_MAKE_NET_ADDRESS(&hop.NextHopAddress, 0, 32);
  hop.InterfaceIndex = device;
  RTM_NEXTHOP_HANDLE next_hop = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  RTM_ROUTE_INFO route{};
  route.BelongsToViews = RTM_VIEW_MASK_MCAST;
  route.NextHopsList.NumNextHops = 1;
  RTM_NET_ADDRESS everywhere{};
  RTM_IPV4_MAKE_NET_ADDRESS(&everywhere, 0, 0);
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  if (RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self) != 0) return false;
  if (RtmAddNextHop(self, &hop, &next_hop, &hop_flags) != 0) return false;
  route.NextHopsList.NextHops[0] = next_hop;
  return RtmAddRouteToDest(self, nullptr, &everywhere, &route, INFINITE, nullptr, 0, nullptr, &flags) == 0;
}

void report(const char* word) {
  TP_MGM_STATUS status{};
  status.size = sizeof status;
  if (TpMgmGetStatus(&status) != 0) return;
  std::printf("%s: kept %d, taken over %d, unclaimed %d, entries %d\n", word, static_cast<int>(status.kept),
              static_cast<int>(status.taken_over), static_cast<int>(status.unclaimed),
              static_cast<int>(status.entries));
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  TP_MGM_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = TP_MGM_KEEP;
  char holder[100] = "";
  if (const auto refused = TpMgmForwarderStart(&options, holder, sizeof holder); refused != 0) {
    std::printf("refused: %u, %s\n", refused, holder);
    return 3;
  }
  report("begun");
  const DWORD links[] = {if_nametoindex(words[1]), if_nametoindex(words[2])};
  ROUTING_PROTOCOL_CONFIG config{};
  HANDLE self = nullptr;
  if (!add_way(links[0]) || MgmRegisterMProtocol(&config, 77, 0, &self) != 0) return 4;
  for (const DWORD link : links) {
    if (MgmTakeInterfaceOwnership(self, link, 0) != 0) return 5;
  }
  for (int i = 3; i < count; ++i) {
    if (MgmAddGroupMembershipEntry(self, 0, 0, inet_addr(words[i]), 0xffffffff, links[1], 0, MGM_JOIN_STATE_FLAG) != 0)
      return 6;
  }
  TpMgmAllClaimed();
  report("ready");
  int asked = 0;
  for (int signal = 0; ::sigwait(&signals, &signal) == 0 && signal != SIGTERM;) {
    report(("status " + std::to_string(++asked)).c_str());
  }
  for (const DWORD link : links) MgmReleaseInterfaceOwnership(self, link, 0);
  MgmDeRegisterMProtocol(self);
  return TpMgmForwarderStop() == 0 ? 0 : 7;
}
