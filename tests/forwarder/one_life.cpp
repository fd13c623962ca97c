// A process with a routing table and a forwarder, for tests to kill: one_life COUNT GATEWAY LINK. Says "all N" when the
// kernel has as many routes as it wants and what former lives left is gone; then it waits. The first is 192.0.2.0/24:
// it stands in every life, so packets can be counted over it.
#include <arpa/inet.h>
#include <net/if.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/forwarder.h>
#include <turnpike/log.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int count, char** words) {
  if (count != 4) return 2;
  const auto wanted = static_cast<uint32_t>(std::strtoul(words[1], nullptr, 10));
  TpLogSink sink = 0;
  TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_PRIORITY, &sink);
  TP_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = TP_FORWARDER_OWN_NAMESPACE;
  if (TpForwarderStart(&options, nullptr, 0) != 0) return 3;
  RTM_ENTITY_INFO info{};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = 77;
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE self = nullptr;
  if (RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self) != 0) return 4;
  RTM_NEXTHOP_INFO hop{};
  hop.NextHopAddress.AddressFamily = AF_INET;
  hop.NextHopAddress.NumBits = 32;
  if (inet_pton(AF_INET, words[2], hop.NextHopAddress.AddrBits) != 1) return 2;
  hop.InterfaceIndex = if_nametoindex(words[3]);
  RTM_NEXTHOP_HANDLE next_hop = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  if (RtmAddNextHop(self, &hop, &next_hop, &hop_flags) != 0) return 5;
  for (uint32_t i = 0; i < wanted; ++i) {
    RTM_NET_ADDRESS address{};
    address.AddressFamily = AF_INET;
    address.NumBits = 24;
    const uint32_t bits = htonl(i == 0 ? 0xc0000200 : 0x64000000 + i * 256);
    std::memcpy(address.AddrBits, &bits, sizeof bits);
    RTM_ROUTE_INFO route{};
    route.PrefInfo.Metric = 1;
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = next_hop;
    RTM_ROUTE_CHANGE_FLAGS flags = RTM_ROUTE_CHANGE_FIRST;
    if (RtmAddRouteToDest(self, nullptr, &address, &route, INFINITE, nullptr, 0, nullptr, &flags) != 0) return 6;
  }
  TpForwarderAllClaimed();
  TP_FORWARDER_STATUS status{};
  do {
    usleep(2000);  // allow sleeping-test: nothing tells of the state
    status.size = sizeof status;
    TpForwarderStatus(&status);
  } while (status.installed != wanted || status.unclaimed != 0 || status.pending != 0);
  std::printf("all %u\n", wanted);
  std::fflush(stdout);
  for (;;) pause();
}
