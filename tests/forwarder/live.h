// The forwarder in a test's own process, by the documented calls and include/turnpike/forwarder.h, over the kernel of a
// ground's hosts.
#ifndef TURNPIKE_TESTS_FORWARDER_LIVE_H
#define TURNPIKE_TESTS_FORWARDER_LIVE_H

#include <gtest/gtest.h>
#include <net/if.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/forwarder.h>
#include <turnpike/log.h>
#include <turnpike/rtm.h>
#include <winerror.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ground/ground.h"
#include "net/text.h"

namespace turnpike::forwarder {

using ground::Ground;
using ground::Host;

inline RTM_NET_ADDRESS address_of(const std::string& text) {
  const net::Address address = net::parse_address(text.substr(0, text.find('/'))).value();
  RTM_NET_ADDRESS result{};
  result.AddressFamily = address.is_ipv4() ? AF_INET : AF_INET6;
  const auto slash = text.find('/');
  result.NumBits =
      static_cast<USHORT>(slash == std::string::npos ? address.width() : std::stoul(text.substr(slash + 1)));
  std::ranges::copy(address.bytes(), result.AddrBits);
  return result;
}

// A client of the table.
class Client {
 public:
  explicit Client(USHORT family = AF_INET) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = family;
    info.EntityId.EntityProtocolId = 77;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self), 0U);
  }
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void leave() {
    if (self == nullptr) return;
    EXPECT_EQ(RtmDeregisterEntity(std::exchange(self, nullptr)), 0U);
  }
  RTM_NEXTHOP_HANDLE hop(const std::string& gateway, ULONG link) const {
    RTM_NEXTHOP_INFO info{};
    info.NextHopAddress = address_of(gateway);
    info.InterfaceIndex = link;
    info.Flags = link == 0 ? RTM_NEXTHOP_FLAGS_REMOTE : 0;
    RTM_NEXTHOP_HANDLE made = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS change = 0;
    EXPECT_EQ(RtmAddNextHop(self, &info, &made, &change), 0U);
    return made;
  }
  // One of another family than the table's.
  [[nodiscard]] RTM_NEXTHOP_HANDLE other_hop(const std::string& gateway, ULONG link) const {
    const RTM_NET_ADDRESS address = address_of(gateway);
    TpRtmNextHop next_hop{};
    std::memcpy(&next_hop.address, &address, sizeof address);
    next_hop.interface_index = link;
    next_hop.flags = link == 0 ? RTM_NEXTHOP_FLAGS_REMOTE : 0;
    void* made = nullptr;
    EXPECT_EQ(TpRtmAddNextHop(self, &next_hop, &made, nullptr), 0U);
    return made;
  }
  void add(const std::string& prefix, RTM_NEXTHOP_HANDLE hop) const {
    RTM_ROUTE_INFO route{};
    route.PrefInfo.Metric = 1;
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = hop;
    RTM_NET_ADDRESS address = address_of(prefix);
    RTM_ROUTE_CHANGE_FLAGS flags = RTM_ROUTE_CHANGE_FIRST;
    EXPECT_EQ(RtmAddRouteToDest(self, nullptr, &address, &route, INFINITE, nullptr, 0, nullptr, &flags), 0U);
  }
  // The protocol id of the owner of the best route to just that prefix; 0: there is none.
  [[nodiscard]] ULONG owner(const std::string& prefix) const {
    RTM_NET_ADDRESS address = address_of(prefix);
    RTM_DEST_INFO info{};
    if (RtmGetExactMatchDestination(self, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info) != 0) return 0;
    RTM_ENTITY_INFO entity{};
    EXPECT_EQ(RtmGetEntityInfo(self, info.ViewInfo[0].Owner, &entity), 0U);
    EXPECT_EQ(RtmReleaseDestInfo(self, &info), 0U);
    return entity.EntityId.EntityProtocolId;
  }
  [[nodiscard]] bool is_marked(const std::string& prefix) const {
    RTM_NET_ADDRESS address = address_of(prefix);
    RTM_DEST_INFO info{};
    if (RtmGetExactMatchDestination(self, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info) != 0) return false;
    EXPECT_EQ(RtmReleaseDestInfo(self, &info), 0U);
    return (info.ViewInfo[0].DestFlags & RTM_DEST_FLAG_FWD_ENGIN_ADD) != 0;
  }

  RTM_ENTITY_HANDLE self = nullptr;
};

inline std::uint32_t start(std::string* holder = nullptr) {
  TP_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = TP_FORWARDER_OWN_NAMESPACE;
  char who[128] = "";
  const auto answer = TpForwarderStart(&options, who, sizeof who);
  if (holder != nullptr) *holder = who;
  return answer;
}
inline TP_FORWARDER_STATUS status() {
  TP_FORWARDER_STATUS now{};
  now.size = sizeof now;
  EXPECT_EQ(TpForwarderStatus(&now), 0U);
  return now;
}
// Asks again until it is so; what is awaited happens on the forwarder's thread.
inline void await(const char* what, const std::function<bool()>& there,
                  std::chrono::seconds within = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!there()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "in vain: " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // allow sleeping-test: nothing tells of the state
  }
}
inline std::string ours(const Host& host, const char* family = "-4") {
  return host.run({"ip", family, "route", "show", "proto", "220"});
}
inline ULONG link_of(const Host& host, const char* name) {
  return host.inside([&] { return ::if_nametoindex(name); });
}

// What the log has said.
class Said {
 public:
  Said() { EXPECT_EQ(TpLogOpenCallback(TP_LOG_NOTICE, keep, this, &sink_), 0U); }
  ~Said() { EXPECT_EQ(TpLogClose(sink_), 0U); }
  Said(const Said&) = delete;
  Said& operator=(const Said&) = delete;
  [[nodiscard]] std::size_t times(const std::string& words) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(lines_, [&](const std::string& line) { return line.find(words) != std::string::npos; }));
  }

 private:
  static void keep(void* self, const TpLogRecord* record) {
    auto& its = *static_cast<Said*>(self);
    const std::lock_guard lock(its.mutex_);
    its.lines_.emplace_back(record->message);
  }
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  TpLogSink sink_ = 0;
};

// Three in a row: the forwarder's router in the middle, so that what it writes carries packets.
struct Row {
  Ground& ground;
  Host& left;
  Host& middle;
  Host& right;
  explicit Row(Ground& its)
      : ground(its), left(ground.host("left")), middle(ground.host("middle")), right(ground.host("right")) {
    ground.wire({left, "eth0", {"10.0.1.2/24", "fd00:1::2/64"}}, {middle, "west", {"10.0.1.1/24", "fd00:1::1/64"}});
    ground.wire({middle, "east", {"10.0.2.1/24", "fd00:2::1/64"}}, {right, "eth0", {"10.0.2.2/24", "fd00:2::2/64"}});
    middle.forward();
    left.ip({"route add default via 10.0.1.1", "route add default via fd00:1::1"});
    right.ip({"route add default via 10.0.2.1", "route add default via fd00:2::1", "address add 192.0.2.1/32 dev lo",
              "address add fd00:9::1/128 dev lo"});
  }
};

// What a test does with such a row; and what its process does as the router in the middle. Skips, and says so, where
// the kernel has no such ground.
inline void on_a_row(const std::function<void(Row&)>& act) {
  auto ground = Ground::unprivileged({"veth", "nexthop"});
  if (!ground) return;
  Row row(*ground);
  act(row);
}
inline void in_the_middle(const std::function<void(Row&)>& act) {
  on_a_row([&act](Row& row) { row.middle.inside([&] { act(row); }); });
}

}  // namespace turnpike::forwarder

#endif
