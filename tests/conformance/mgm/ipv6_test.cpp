// The multicast group manager for IPv6 (turnpike/mgm6.h) over the real kernel: its form, and that it does what mgm.h's
// does. The engine is the same; what it does in every case is tested for IPv4.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <rtmv2.h>
#include <turnpike/mgm6.h>
#include <turnpike/testing.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../../../examples/mgm/host_reports.h"
#include "ground/ground.h"
#include "ground/multicast.h"

namespace turnpike::conformance {
namespace {

using Town = ground::Fork;
using ground::Ground;
using ground::GroupReceiver;
using ground::GroupSender;
using Lines = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

constexpr uint32_t kWrong = 87;
constexpr const char* kGroup = "ff3e::8000:1";

TP_MGM6_ADDRESS address(const std::string& text) {
  TP_MGM6_ADDRESS result{};
  EXPECT_EQ(inet_pton(AF_INET6, text == "*" ? "::" : text.c_str(), result.bytes), 1);
  return result;
}
std::string text_of(const TP_MGM6_ADDRESS& address) {
  char text[INET6_ADDRSTRLEN];
  const std::string written = inet_ntop(AF_INET6, address.bytes, text, sizeof text);
  return written == "::" ? "*" : written;
}
TP_MGM6_FLOW flow(const std::string& source, const std::string& group) { return {address(source), address(group)}; }
TP_MGM6_INTERFACE at(uint32_t index) { return {index, {}}; }

// A client that writes down what it is told.
class Client {
 public:
  Client(std::string name, uint32_t protocol) : name_(std::move(name)) {
    TP_MGM6_CALLBACKS callbacks{};
    callbacks.size = sizeof callbacks;
    callbacks.rpf = [](void* self, const TP_MGM6_FLOW* about, TP_MGM6_RPF* rpf) {
      of(self).write("rpf", about, &rpf->incoming);
    };
    callbacks.created = [](void* self, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* in, TP_MGM6_OUT* out,
                           uint32_t count) {
      of(self).write("created", about, in);
      for (uint32_t i = 0; i < count; ++i) out[i].enabled = of(self).veto == out[i].at.index ? 0 : 1;
    };
    callbacks.joined = [](void* self, const TP_MGM6_FLOW* about, int) { of(self).write("joined", about, nullptr); };
    callbacks.pruned = [](void* self, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* where, int,
                          uint32_t* timeout) {
      EXPECT_EQ(*timeout, 900U);
      of(self).write("pruned", about, where);
    };
    callbacks.wrong_interface = [](void* self, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* where) {
      of(self).write("wrong", about, where);
    };
    callbacks.local_join = [](void* self, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* where) {
      of(self).write("local join", about, where);
    };
    callbacks.local_leave = [](void* self, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* where) {
      of(self).write("local leave", about, where);
    };
    callbacks.disable_mld = [](void* self, const TP_MGM6_INTERFACE* where) {
      of(self).write("disable", nullptr, where);
    };
    callbacks.enable_mld = [](void* self, const TP_MGM6_INTERFACE* where) { of(self).write("enable", nullptr, where); };
    EXPECT_EQ(TpMgm6Register(&callbacks, this, protocol, 0, &handle), 0U);
  }
  ~Client() {
    for (const uint32_t index : held_) {
      const TP_MGM6_INTERFACE where = at(index);
      EXPECT_EQ(TpMgm6ReleaseInterface(handle, &where), 0U);
    }
    EXPECT_EQ(TpMgm6Deregister(handle), 0U);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  uint32_t take(uint32_t index) {
    const TP_MGM6_INTERFACE where = at(index);
    const uint32_t answer = TpMgm6TakeInterface(handle, &where);
    if (answer == 0) held_.push_back(index);
    return answer;
  }
  uint32_t add(const TP_MGM6_FLOW& about, uint32_t index) const {
    const TP_MGM6_INTERFACE where = at(index);
    return TpMgm6AddMembership(handle, &about, &where, TP_MGM6_JOIN_STATE);
  }
  uint32_t remove(const TP_MGM6_FLOW& about, uint32_t index) const {
    const TP_MGM6_INTERFACE where = at(index);
    return TpMgm6DeleteMembership(handle, &about, &where, TP_MGM6_JOIN_STATE);
  }
  static Lines told() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(book_, {});
  }
  // Waits for so many lines.
  static Lines told(std::size_t count) {
    Lines lines;
    for (int i = 0; i < 60'000 && lines.size() < count; ++i) {
      for (auto& line : told()) lines.push_back(line);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // allow sleeping-test: on another thread
    }
    return lines;
  }

  void* handle = nullptr;
  std::atomic<uint32_t> veto = 0;

 private:
  static Client& of(void* self) { return *static_cast<Client*>(self); }
  void write(const std::string& what, const TP_MGM6_FLOW* about, const TP_MGM6_INTERFACE* where) const {
    const std::scoped_lock lock(mutex_);
    book_.push_back(name_ + ": " + what +
                    (about != nullptr ? " (" + text_of(about->source) + "," + text_of(about->group) + ")" : "") +
                    (where != nullptr ? " " + std::to_string(where->index) : ""));
  }
  static inline std::mutex mutex_;
  static inline Lines book_;
  std::string name_;
  std::vector<uint32_t> held_;
};

// A route of the multicast view to fd00::/64.
class Way {
 public:
  explicit Way(uint32_t index) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET6;
    info.EntityId.EntityProtocolId = 77;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &entity_), 0U);
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress.AddressFamily = AF_INET6;
    hop.NextHopAddress.NumBits = 128;
    hop.InterfaceIndex = index;
    RTM_NEXTHOP_HANDLE next_hop = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
    EXPECT_EQ(RtmAddNextHop(entity_, &hop, &next_hop, &hop_flags), 0U);
    RTM_ROUTE_INFO route{};
    route.BelongsToViews = RTM_VIEW_MASK_MCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = next_hop;
    RTM_NET_ADDRESS network{};
    network.AddressFamily = AF_INET6;
    network.NumBits = 64;
    std::memcpy(network.AddrBits, address("fd00::").bytes, 16);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddRouteToDest(entity_, nullptr, &network, &route, INFINITE, nullptr, 0, nullptr, &flags), 0U);
    EXPECT_EQ(TpDrain(), 1);
  }
  ~Way() { EXPECT_EQ(RtmDeregisterEntity(entity_), 0U); }
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;

 private:
  RTM_ENTITY_HANDLE entity_ = nullptr;
};

void on_router(const Town& town, const std::function<void()>& test) {
  town.router.inside([&] {
    TP_MGM_FORWARDER_OPTIONS options{};
    options.size = sizeof options;
    options.flags = TP_MGM_WRONG_INTERFACE;
    ASSERT_EQ(TpMgm6ForwarderStart(&options, nullptr, 0), 0U);
    test();
    ASSERT_EQ(TpMgm6ForwarderStop(), 0U);
  });
  EXPECT_EQ(town.router.run({"ip", "-6", "mroute", "show"}), "");
}

TEST(MgmIpv6, ProtocolsShareARouterAndPacketsFollow) {
  auto ground = Ground::unprivileged({"veth", "mroute6"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Client up("up", 100);
    Client down("down", 101);
    Client mld("mld", TP_MGM6_MLD);
    ASSERT_EQ(up.take(town.in), 0U);
    ASSERT_EQ(mld.take(town.west), 0U);
    ASSERT_EQ(mld.add(flow("*", "ff3e::9"), town.west), 0U);
    ASSERT_EQ(down.take(town.west), 0U);
    ASSERT_EQ(down.take(town.east), 0U);
    EXPECT_EQ(up.take(town.west), 183U) << "ERROR_ALREADY_EXISTS";
    const std::string west = std::to_string(town.west);
    EXPECT_EQ(Client::told(), (Lines{"up: joined (*,ff3e::9)", "down: joined (*,ff3e::9)", "mld: disable " + west,
                                     "up: pruned (*,ff3e::9) " + west, "mld: enable " + west}));
    const Way way(town.in);
    ASSERT_EQ(mld.add(flow("*", kGroup), town.west), 0U);
    ASSERT_EQ(down.add(flow("*", kGroup), town.east), 0U);
    Client::told();
    down.veto = town.east;
    GroupReceiver left(town.left, "eth0", kGroup);
    GroupReceiver right(town.right, "eth0", kGroup);
    const GroupSender sender(town.source, "eth0", true);
    for (std::uint32_t i = 0; i < 3; ++i) sender.send(kGroup, i);
    EXPECT_EQ(left.await(3), (Numbers{0, 1, 2}));
    EXPECT_EQ(right.take(), Numbers{}) << "vetoed";
    const std::string both = " (fd00::2,ff3e::8000:1)";
    const std::string in = std::to_string(town.in);
    EXPECT_EQ(Client::told(3),
              (Lines{"up: rpf" + both + " " + in, "down: created" + both + " " + in, "up: joined" + both}));

    TP_MGM6_ENTRY entry{};
    entry.size = sizeof entry;
    TP_MGM6_OUT_COUNT out[2];
    const auto key = flow("fd00::2", kGroup);
    ASSERT_EQ(TpMgm6GetEntry(&key, &entry, out, 2), 0U);
    EXPECT_EQ(entry.incoming.index, town.in);
    EXPECT_EQ(entry.incoming_protocol, 100U);
    EXPECT_EQ(entry.route_protocol, 77U);
    EXPECT_EQ(text_of(entry.route_network), "fd00::");
    EXPECT_EQ(entry.route_length, 64U);
    EXPECT_EQ(entry.timeout, 900U);
    EXPECT_EQ(entry.packets, 3U);
    ASSERT_EQ(entry.out_count, 1U);
    EXPECT_EQ(out[0].at.index, town.west);
    EXPECT_EQ(out[0].packets, 3U);
    TP_MGM6_ENTRY next{};
    next.size = sizeof next;
    ASSERT_EQ(TpMgm6GetNextEntry(nullptr, &next, nullptr, 0), 0U);
    EXPECT_EQ(std::memcmp(&next.flow, &key, sizeof key), 0);
    EXPECT_EQ(TpMgm6GetNextEntry(&key, &next, nullptr, 0), 259U);
    const auto neighbour = address("fe80::1");
    ASSERT_EQ(TpMgm6SetUpstream(up.handle, &key, &neighbour), 0U);
    ASSERT_EQ(TpMgm6GetEntry(&key, &entry, nullptr, 0), 0U);
    EXPECT_EQ(text_of(entry.upstream), "fe80::1");
    TP_MGM_DEVICE_COUNTERS counters{};
    ASSERT_EQ(TpMgm6GetDeviceCounters(town.west, &counters), 0U);
    EXPECT_EQ(counters.packets_out, 3U);

    const TP_MGM6_BOUNDARY everything{address("ff00::"), 8};
    ASSERT_EQ(TpMgm6SetScope(town.west, 1, &everything, 1), 0U);
    sender.send(kGroup, 9);
    ASSERT_EQ(TpMgm6SetScope(town.west, 1, nullptr, 0), 0U);
    sender.send(kGroup, 10);
    EXPECT_EQ(left.await(1), Numbers{10});
    ASSERT_EQ(mld.remove(flow("*", kGroup), town.west), 0U);
    ASSERT_EQ(TpMgm6GetEntry(&key, &entry, nullptr, 0), 0U);
    EXPECT_EQ(entry.out_count, 0U);
  });
}

std::uint64_t memberships() {
  TP_MGM_STATUS now{};
  now.size = sizeof now;
  EXPECT_EQ(TpMgm6GetStatus(&now), 0U);
  return now.memberships;
}

// MLD as far as it takes to do what hosts on one link report.
struct Reader {
  const Client& mld;
  std::uint32_t link;
  int socket = host_reports_open("west");

  static void told(void* context, const host_report* report) {
    const auto& self = *static_cast<Reader*>(context);
    TP_MGM6_FLOW about{};
    std::memcpy(about.source.bytes, report->source, 16);
    std::memcpy(about.group.bytes, report->group, 16);
    if (report->family != AF_INET6 || report->group[1] != 0x3e) return;  // the hosts' own are in narrower scopes
    EXPECT_EQ(report->joins != 0 ? self.mld.add(about, self.link) : self.mld.remove(about, self.link), 0U);
  }
  void await(std::uint64_t wanted) {
    const ground::Deadline deadline(ground::kSoon);
    while (memberships() != wanted) {
      ASSERT_GT(deadline.left(), 0) << "the hosts' reports";
      while (host_reports_read(socket, told, this) != 0) {
      }
    }
  }
};

void hosts_join_and_leave(const char* version, const std::string& source) {
  auto ground = Ground::unprivileged({"veth", "mroute6"});
  if (!ground) return;
  const Town town(*ground);
  town.left.sysctl("net/ipv6/conf/eth0/force_mld_version", version);
  on_router(town, [&] {
    Client up("up", 100);
    Client mld("mld", TP_MGM6_MLD);
    ASSERT_EQ(up.take(town.in), 0U);
    ASSERT_EQ(mld.take(town.west), 0U);
    const Way way(town.in);
    Reader reader{mld, town.west};
    const GroupSender sender(town.source, "eth0", true);
    {
      GroupReceiver receiver(town.left, "eth0", kGroup, source);
      reader.await(1);
      sender.send(kGroup, 1);
      EXPECT_EQ(receiver.await(1), Numbers{1}) << "a join brings traffic";
    }
    reader.await(0);
    TP_MGM6_ENTRY entry{};
    entry.size = sizeof entry;
    const auto key = flow("fd00::2", kGroup);
    EXPECT_EQ(TpMgm6GetEntry(&key, &entry, nullptr, 0), 0U);
    EXPECT_EQ(entry.out_count, 0U) << "and a leave stops it";
    ::close(reader.socket);
    Client::told();
  });
}
TEST(MgmIpv6, HostsJoinAndLeaveByReportsOfMld1) { hosts_join_and_leave("1", ""); }
TEST(MgmIpv6, HostsJoinAndLeaveByReportsOfMld2) { hosts_join_and_leave("2", ""); }
TEST(MgmIpv6, HostsJoinOneSourceByReportsOfMld2) { hosts_join_and_leave("2", "fd00::2"); }

TEST(MgmIpv6, GroupsAreEnumerated) {
  auto ground = Ground::unprivileged({"veth", "mroute6"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Client client("client", 100);
    ASSERT_EQ(client.take(town.west), 0U);
    for (const char* source : {"*", "fd00::2", "fd00::3"})
      ASSERT_EQ(client.add(flow(source, "ff3e::1"), town.west), 0U);
    ASSERT_EQ(client.add(flow("*", "ff3e::2"), town.west), 0U);
    const auto read = [&](int all) {
      void* enumeration = nullptr;
      EXPECT_EQ(TpMgm6GroupsStart(client.handle, all, &enumeration), 0U);
      Lines lines;
      uint32_t answer = 0;
      while (answer == 0) {
        TP_MGM6_FLOW some[2];
        uint32_t count = 2;
        answer = TpMgm6GroupsNext(enumeration, some, &count);
        for (uint32_t i = 0; i < count; ++i) lines.push_back(text_of(some[i].source) + " " + text_of(some[i].group));
      }
      EXPECT_EQ(answer, 259U);
      uint32_t none = 0;
      EXPECT_EQ(TpMgm6GroupsNext(enumeration, nullptr, &none), 259U);
      EXPECT_EQ(TpMgm6GroupsEnd(enumeration), 0U);
      EXPECT_EQ(TpMgm6GroupsEnd(enumeration), kWrong);
      return lines;
    };
    EXPECT_EQ(read(1), (Lines{"* ff3e::1", "fd00::2 ff3e::1", "fd00::3 ff3e::1", "* ff3e::2"}));
    EXPECT_EQ(read(0), Lines{"fd00::2 ff3e::1"});
    uint32_t protocol = 0;
    uint32_t component = 7;
    const auto west = at(town.west);
    const auto east = at(town.east);
    ASSERT_EQ(TpMgm6GetProtocolOnInterface(&west, &protocol, &component), 0U);
    EXPECT_EQ(protocol, 100U);
    EXPECT_EQ(component, 0U);
    EXPECT_EQ(TpMgm6GetProtocolOnInterface(&east, &protocol, &component), 1168U);
  });
}

TEST(MgmIpv6, BadInputIsRefused) {
  void* const garbage = reinterpret_cast<void*>(0x1234567);  // NOLINT: a number that no library gave out
  const auto about = flow("fd00::2", kGroup);
  const auto where = at(1);
  TP_MGM6_CALLBACKS callbacks{};
  void* handle = nullptr;
  EXPECT_EQ(TpMgm6Register(&callbacks, nullptr, 1, 0, &handle), kWrong) << "no size";
  callbacks.size = sizeof callbacks;
  EXPECT_EQ(TpMgm6Register(nullptr, nullptr, 1, 0, &handle), kWrong);
  EXPECT_EQ(TpMgm6Register(&callbacks, nullptr, 1, 0, nullptr), kWrong);
  for (void* const bad : {garbage, static_cast<void*>(nullptr)}) {
    EXPECT_EQ(TpMgm6Deregister(bad), kWrong);
    EXPECT_EQ(TpMgm6TakeInterface(bad, &where), kWrong);
    EXPECT_EQ(TpMgm6ReleaseInterface(bad, &where), kWrong);
    EXPECT_EQ(TpMgm6AddMembership(bad, &about, &where, 1), kWrong);
    EXPECT_EQ(TpMgm6DeleteMembership(bad, &about, &where, 1), kWrong);
    EXPECT_EQ(TpMgm6SetUpstream(bad, &about, &about.source), kWrong);
    EXPECT_EQ(TpMgm6GroupsStart(bad, 1, &handle), kWrong);
    EXPECT_EQ(TpMgm6GroupsEnd(bad), kWrong);
    uint32_t count = 0;
    EXPECT_EQ(TpMgm6GroupsNext(bad, nullptr, &count), kWrong);
  }
  ASSERT_EQ(TpMgm6Register(&callbacks, nullptr, 1, 0, &handle), 0U);
  void* again = nullptr;
  EXPECT_EQ(TpMgm6Register(&callbacks, nullptr, 1, 0, &again), 183U);
  EXPECT_EQ(again, nullptr);
  EXPECT_EQ(TpMgm6TakeInterface(handle, nullptr), kWrong);
  const auto no_device = at(4711);
  EXPECT_EQ(TpMgm6TakeInterface(handle, &no_device), 1003U);
  EXPECT_EQ(TpMgm6ReleaseInterface(handle, nullptr), kWrong);
  EXPECT_EQ(TpMgm6AddMembership(handle, nullptr, &where, 1), kWrong);
  EXPECT_EQ(TpMgm6AddMembership(handle, &about, nullptr, 1), kWrong);
  EXPECT_EQ(TpMgm6AddMembership(handle, &about, &where, 4), kWrong);
  EXPECT_EQ(TpMgm6DeleteMembership(handle, nullptr, &where, 1), kWrong);
  EXPECT_EQ(TpMgm6DeleteMembership(handle, &about, nullptr, 1), kWrong);
  EXPECT_EQ(TpMgm6SetUpstream(handle, nullptr, &about.source), kWrong);
  EXPECT_EQ(TpMgm6SetUpstream(handle, &about, nullptr), kWrong);
  EXPECT_EQ(TpMgm6SetUpstream(handle, &about, &about.source), 1168U);
  EXPECT_EQ(TpMgm6GroupsStart(handle, 1, nullptr), kWrong);
  void* enumeration = nullptr;
  ASSERT_EQ(TpMgm6GroupsStart(handle, 1, &enumeration), 0U);
  EXPECT_EQ(TpMgm6GroupsNext(enumeration, nullptr, nullptr), kWrong);
  uint32_t one = 1;
  EXPECT_EQ(TpMgm6GroupsNext(enumeration, nullptr, &one), kWrong);
  EXPECT_EQ(TpMgm6Deregister(handle), 0U);
  EXPECT_EQ(TpMgm6Deregister(handle), kWrong);
  uint32_t number = 0;
  EXPECT_EQ(TpMgm6GetProtocolOnInterface(nullptr, &number, &number), kWrong);
  EXPECT_EQ(TpMgm6GetProtocolOnInterface(&where, nullptr, &number), kWrong);
  EXPECT_EQ(TpMgm6GetProtocolOnInterface(&where, &number, nullptr), kWrong);
  TP_MGM6_ENTRY entry{};
  EXPECT_EQ(TpMgm6GetEntry(&about, &entry, nullptr, 0), kWrong) << "no size";
  entry.size = sizeof entry;
  EXPECT_EQ(TpMgm6GetEntry(nullptr, &entry, nullptr, 0), kWrong);
  EXPECT_EQ(TpMgm6GetEntry(&about, nullptr, nullptr, 0), kWrong);
  EXPECT_EQ(TpMgm6GetEntry(&about, &entry, nullptr, 1), kWrong);
  EXPECT_EQ(TpMgm6GetEntry(&about, &entry, nullptr, 0), 1168U);
  EXPECT_EQ(TpMgm6GetNextEntry(nullptr, nullptr, nullptr, 0), kWrong);
  EXPECT_EQ(TpMgm6GetNextEntry(nullptr, &entry, nullptr, 1), kWrong);
  EXPECT_EQ(TpMgm6GetNextEntry(nullptr, &entry, nullptr, 0), 259U);
  TP_MGM_FORWARDER_OPTIONS options{};
  EXPECT_EQ(TpMgm6ForwarderStart(&options, nullptr, 0), kWrong);
  EXPECT_EQ(TpMgm6ForwarderStop(), 1168U);
  EXPECT_EQ(TpMgm6AllClaimed(), 1168U);
  EXPECT_EQ(TpMgm6GetStatus(nullptr), kWrong);
  TP_MGM_STATUS status{};
  EXPECT_EQ(TpMgm6GetStatus(&status), kWrong);
  status.size = sizeof status;
  EXPECT_EQ(TpMgm6GetStatus(&status), 0U);
  EXPECT_EQ(status.forwarder, TP_MGM_FORWARDER_MEMORY);
  EXPECT_EQ(status.clients, 0U);
  EXPECT_EQ(TpMgm6GetDeviceCounters(1, nullptr), kWrong);
  TP_MGM_DEVICE_COUNTERS counters{};
  EXPECT_EQ(TpMgm6GetDeviceCounters(1, &counters), 1168U);
  EXPECT_EQ(TpMgm6SetScope(1, 0, nullptr, 0), kWrong);
  EXPECT_EQ(TpMgm6SetScope(1, 1, nullptr, 1), kWrong);
  const TP_MGM6_BOUNDARY long_one{address("ff00::"), 129};
  EXPECT_EQ(TpMgm6SetScope(1, 1, &long_one, 1), kWrong);
}

}  // namespace
}  // namespace turnpike::conformance
