// How a client leaves that has much: at once, completely, while others work and read.
#include <atomic>
#include <map>
#include <thread>

#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Departure = RtmV1Test;

RTM_IP_ROUTE numbered(unsigned number, const Via& via = {}) {
  RTM_IP_ROUTE made = route("10.0.0.0/24", via);
  made.RR_Network.N_NetNumber = __builtin_bswap32(0x0A000000 + number * 256);
  return made;
}

// Half of the routes are the best of their network and half are not; of the networks half remain.
TEST_F(Departure, OfAClientWithManyRoutes) {
  constexpr unsigned kMany = 20000;
  Client leaver(kOspf);
  const Client rip(kRip);
  const Client fixed(PROTO_IP_NT_STATIC);
  for (unsigned i = 0; i < kMany; ++i) {
    leaver.add(numbered(i));
    if (i % 2 == 0) {
      rip.add(numbered(i));
    }
    if (i % 4 == 0) {
      fixed.add(numbered(i));
    }
  }
  rip.messages();
  fixed.messages();
  const HANDLE handle = leaver;
  leaver.deregister();
  EXPECT_EQ(RtmDeregisterClient(handle), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmGetNetworkCount(kIp), kMany / 2);
  RTM_IP_ROUTE criteria{};
  criteria.RR_RoutingProtocol = kOspf;
  EXPECT_EQ(RtmGetFirstRoute(kIp, RTM_ONLY_THIS_PROTOCOL, &criteria), DWORD{ERROR_NO_ROUTES});
  size_t changed = 0;
  size_t deleted = 0;
  for (const std::string& message : rip.messages()) {
    changed += message.starts_with("CHANGED") ? 1 : 0;
    deleted += message.starts_with("DELETED") ? 1 : 0;
  }
  EXPECT_EQ(changed, kMany / 4) << "where the static route is best nothing is said";
  EXPECT_EQ(deleted, kMany / 2);
}

// Clients of both families come, work and go on several threads, read each other's messages, and find at the end an
// empty table.
TEST_F(Departure, WhileOthersComeAndGo) {
  std::atomic<unsigned> unexpected{0};
  const auto life = [&](DWORD protocol) {
    for (unsigned round = 0; round < 30; ++round) {
      const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
      const HANDLE self = RtmRegisterClient(kIp, protocol, event, 0);
      for (unsigned i = 0; i < 60; ++i) {
        RTM_IP_ROUTE each = numbered(i % 20, {.metric = protocol + i});
        DWORD flags = 0;
        unexpected += RtmAddRoute(self, &each, 60, &flags, nullptr, nullptr) == NO_ERROR ? 0 : 1;
        unexpected += RtmDequeueRouteChangeMessage(self, &flags, &each, &each) == ERROR_INVALID_HANDLE ? 1 : 0;
        unexpected += RtmGetFirstRoute(kIp, 0, &each) == NO_ERROR ? 0 : 1;
      }
      if (round % 3 == 0) {
        unexpected += RtmBlockDeleteRoutes(self, 0, nullptr) == NO_ERROR ? 0 : 1;
      }
      unexpected += RtmDeregisterClient(self) == NO_ERROR ? 0 : 1;
      ResetEvent(event);
      unexpected += WaitForSingleObject(event, 0) == WAIT_TIMEOUT ? 0 : 1;
      CloseHandle(event);
    }
  };
  const Client steady(4711);
  {
    std::vector<std::thread> threads;
    for (DWORD protocol = 100; protocol < 104; ++protocol) {
      threads.emplace_back(life, protocol);
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  EXPECT_EQ(unexpected, 0U);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  // What the steady one was told leads from nothing to nothing, network by network, each message where the last ended.
  std::map<DWORD, std::string> state;
  Answer answer;
  do {
    answer = steady.next();
    const bool had = (answer.flags & RTM_PREVIOUS_BEST_ROUTE) != 0;
    const bool has = (answer.flags & RTM_CURRENT_BEST_ROUTE) != 0;
    std::string& known = state[(has ? answer.current : answer.previous).RR_Network.N_NetNumber];
    ASSERT_EQ(had ? text_of(answer.previous) : "", known);
    known = has ? text_of(answer.current) : "";
  } while (answer.code == ERROR_MORE_MESSAGES);
  for (const auto& [number, last] : state) {
    EXPECT_EQ(last, "") << number;
  }
}

}  // namespace
}  // namespace turnpike::conformance
