// The module for multicast routes as a router manager plays with it, over the forwarder in memory: what becomes of its
// settings in the multicast group manager and the routing table, what packets do, and what it is asked and answers.

#include <gtest/gtest.h>
#include <net/if.h>

#include <cstring>
#include <thread>

#include "loaded_module.h"
// After windows.h.
#include <mgm.h>

#include "../../modules/mstatic/settings.h"
#include "ground/ground.h"
#include "ground/multicast.h"
#include "turnpike/mgm6.h"
#include "turnpike/testing.h"

namespace turnpike::modules {
namespace {

constexpr ULONG kIn = 7;
constexpr ULONG kWest = 8;
constexpr ULONG kEast = 9;
constexpr DWORD kOther = 4711;  // another protocol

struct RouteLine {
  const char* group;
  const char* source = nullptr;
  const char* from = "";
  std::vector<const char*> to;
  bool join = false;
};
struct JoinLine {
  const char* group;
  const char* interface;
  const char* source = nullptr;
};
struct WayLine {
  const char* to;
  int bits;
  const char* interface;
};
struct Lines {
  std::vector<RouteLine> routes;
  std::vector<JoinLine> joins;
  std::vector<WayLine> ways;
};

// A block, as the operator's file is made one.
class Block {
 public:
  explicit Block(const Lines& lines) : bytes_(sizeof(MstaticSettings)) {
    MstaticSettings settings{};
    std::vector<MulticastRoute> routes;
    for (const RouteLine& line : lines.routes) {
      MulticastRoute route{};
      route.group = address(line.group);
      if (line.source != nullptr) route.source = address(line.source);
      std::strncpy(route.from, line.from, sizeof route.from - 1);
      route.join = line.join ? 1 : 0;
      std::vector<InterfaceName> names;
      for (const char* name : line.to) std::strncpy(names.emplace_back().name, name, sizeof(InterfaceName) - 1);
      route.to = list(names);
      routes.push_back(route);
    }
    std::vector<MulticastJoin> joins;
    for (const JoinLine& line : lines.joins) {
      MulticastJoin& join = joins.emplace_back();
      join.group = address(line.group);
      if (line.source != nullptr) join.source = address(line.source);
      std::strncpy(join.interface, line.interface, sizeof join.interface - 1);
    }
    std::vector<MulticastWay> ways;
    for (const WayLine& line : lines.ways) {
      MulticastWay& way = ways.emplace_back();
      way.to = address(line.to, line.bits);
      std::strncpy(way.interface, line.interface, sizeof way.interface - 1);
    }
    settings.routes = list(routes);
    settings.joins = list(joins);
    settings.ways = list(ways);
    std::memcpy(bytes_.data(), &settings, sizeof settings);
  }
  operator std::vector<std::uint8_t>() const { return bytes_; }  // NOLINT(google-explicit-constructor)

 private:
  template <class T>
  TpModuleList list(const std::vector<T>& elements) {
    if (elements.empty()) return {0, 0};
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    const TpModuleList made{static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(elements.size())};
    bytes_.resize(bytes_.size() + elements.size() * sizeof(T));
    std::memcpy(bytes_.data() + made.offset, elements.data(), elements.size() * sizeof(T));
    return made;
  }
  std::vector<std::uint8_t> bytes_;
};

using Indexes = std::vector<DWORD>;
const Indexes kNowhere = {0xFFFFFFFF};  // no entry took it

// A packet that comes in, once all that was begun is done; and where it leaves.
Indexes packet(const char* source, const char* group, DWORD in) {
  EXPECT_EQ(TpDrain(), 1);
  Indexes left(8);
  const int count = TpMgmPacket(inet_addr(source), inet_addr(group), in, nullptr, 0, left.data(), 8);
  if (count < 0) return kNowhere;
  left.resize(static_cast<std::size_t>(count));
  return left;
}

template <class T = TP_MGM_STATUS>
T status_of(std::uint32_t (*ask)(T*)) {
  T status{};
  status.size = sizeof status;
  EXPECT_EQ(ask(&status), 0U);
  return status;
}

class MstaticModule : public LoadedModule {
 protected:
  MstaticModule() : LoadedModule(MODULE_MSTATIC, PROTOCOL_ID(PROTO_TYPE_MCAST, 0x0A55, PROTO_IP_NETMGMT)) {
    const std::uint32_t devices[] = {kIn, kWest, kEast};
    EXPECT_EQ(TpMgmUseDevices(devices, 3), 1);
  }
  void TearDown() override {
    LoadedModule::TearDown();
    TpMgmForwarderFailAfter(-1, 0);
    for (const auto ask : {TpMgmGetStatus, TpMgm6GetStatus}) {
      const TP_MGM_STATUS left = status_of(ask);
      EXPECT_EQ(left.clients + left.interfaces + left.memberships + left.entries, 0U) << "something is left";
    }
    EXPECT_EQ(TpDrain(), 1);
    EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U) << "something is left in the routing table";
    EXPECT_EQ(TpMgmUseDevices(nullptr, 0), 1);
  }

  void play(const Lines& lines) {
    run(Block(lines), {L"in", L"west", L"east"});
    for (const ULONG index : {kIn, kWest, kEast}) status(index, RIS_INTERFACE_ENABLED);
  }
  DWORD set(const Lines& lines) { return LoadedModule::set(Block(lines)); }

  MstaticCounts counts() {
    MstaticCounts counts{};
    ULONG room = sizeof counts;
    EXPECT_EQ(module_.pfnMibGetEntry(0, nullptr, &room, &counts), DWORD{NO_ERROR});
    return counts;
  }
  MstaticRow row(std::uint32_t number) {
    MstaticRow row{};
    ULONG room = sizeof row;
    std::uint32_t last = number - 1;
    const DWORD status = number == 0 ? module_.pfnMibGetFirstEntry(0, nullptr, &room, &row)
                                     : module_.pfnMibGetNextEntry(sizeof last, &last, &room, &row);
    EXPECT_EQ(status, DWORD{NO_ERROR});
    return row;
  }
};

const char* const kGroup = "239.1.1.1";

// clauses: RP-061 RP-077
TEST_F(MstaticModule, RegistersAsAMulticastProtocol) {
  EXPECT_EQ(module_.fSupportedFunctionality, DWORD{RF_ROUTING | RF_ADD_ALL_INTERFACES | RF_MULTICAST});
  EXPECT_NE(module_.pfnGetNeighbors, nullptr);
  EXPECT_NE(module_.pfnGetMfeStatus, nullptr);
  MPR_ROUTING_CHARACTERISTICS other = offer();
  other.dwProtocolId = PROTO_IP_NT_STATIC;
  EXPECT_EQ(register_(&other, &services_), DWORD{ERROR_NOT_SUPPORTED});
}

TEST_F(MstaticModule, ARouteForwardsFromStartCompleteOnWhileItsInterfacesAreEnabled) {
  ASSERT_EQ(start(Block({{{kGroup, nullptr, "in", {"west", "east"}}}, {}, {}})), DWORD{NO_ERROR});
  add(kIn, L"in");
  status(kIn, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(status_of(TpMgmGetStatus).clients, 0U) << "before StartComplete nothing is said";
  ASSERT_EQ(module_.pfnStartComplete(), DWORD{NO_ERROR});
  add(kWest, L"west");
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{});
  status(kWest, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
  add(kEast, L"east");
  status(kEast, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), (Indexes{kWest, kEast}));
  EXPECT_EQ(packet("10.0.0.2", "239.1.1.2", kIn), Indexes{}) << "another group";
  status(kWest, RIS_INTERFACE_DISABLED);
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kEast});
  EXPECT_EQ(module_.pfnDeleteInterface(kEast), DWORD{NO_ERROR});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{});
  EXPECT_EQ(status_of(TpMgmGetStatus).interfaces, 1U);
}

TEST_F(MstaticModule, ASourceHasItsRoute) {
  play({{{kGroup, "10.0.0.2", "in", {"west"}}, {kGroup, nullptr, "in", {"east"}}}, {}, {}});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), (Indexes{kWest, kEast})) << "routes of one group add up";
  EXPECT_EQ(packet("10.0.0.3", kGroup, kIn), Indexes{kEast});
}

// As with two networks that hear each other: the way of each is the other's.
TEST_F(MstaticModule, PacketsLeaveOnlyWhereTheRoutesOfTheirInterfaceLead) {
  play({{{kGroup, nullptr, "in", {"west"}}, {kGroup, nullptr, "east", {"in"}}},
        {},
        {{"10.0.0.0", 24, "in"}, {"10.0.2.0", 24, "east"}}});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
  EXPECT_EQ(packet("10.0.2.2", kGroup, kEast), Indexes{kIn});
  EXPECT_EQ(packet("192.0.2.1", kGroup, kIn), Indexes{kWest}) << "of whom nothing is known";
  EXPECT_EQ(set({{{kGroup, nullptr, "in", {"west"}}, {kGroup, nullptr, "east", {"in", "west"}}},
                 {},
                 {{"10.0.0.0", 24, "in"}, {"10.0.2.0", 24, "east"}}}),
            DWORD{NO_ERROR});
  EXPECT_EQ(packet("10.0.2.2", kGroup, kEast), (Indexes{kIn, kWest})) << "what was vetoed is not any more";
}

TEST_F(MstaticModule, AWayThatLeadsElsewhereAmongOurInterfacesIsCorrected) {
  play({{{kGroup, nullptr, "in", {"west"}}}, {}, {{"10.0.2.0", 24, "east"}}});
  EXPECT_EQ(packet("10.0.2.2", kGroup, kIn), Indexes{kWest}) << "the route says `in`";
  EXPECT_EQ(packet("10.0.2.2", "239.9.9.9", kEast), Indexes{}) << "of no route: as the way says";
}

// clauses: RP-065 RP-071
TEST_F(MstaticModule, NewSettingsTouchNothingThatStays) {
  play({{{kGroup, nullptr, "in", {"west"}}, {"239.1.1.2", nullptr, "in", {"west"}}}, {}, {}});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
  EXPECT_EQ(packet("10.0.0.2", "239.1.1.2", kIn), Indexes{kWest});
  const std::uint64_t asked = status_of(TpMgmGetStatus).unknown_flows;
  const Lines next = {{{kGroup, nullptr, "in", {"west"}}, {"239.1.1.2", nullptr, "in", {"east"}}}, {}, {}};
  EXPECT_EQ(set(next), DWORD{NO_ERROR});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
  EXPECT_EQ(packet("10.0.0.2", "239.1.1.2", kIn), Indexes{kEast});
  EXPECT_EQ(status_of(TpMgmGetStatus).unknown_flows, asked) << "both entries have stood";
  EXPECT_EQ(set({{{kGroup, nullptr, "west", {"in"}}}, {}, {}}), DWORD{NO_ERROR});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kWest), Indexes{kIn}) << "it comes in elsewhere now";
  EXPECT_EQ(set({{{"10.0.0.1", nullptr, "in", {"west"}}}, {}, {}}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnSetGlobalInfo(nullptr, 1, 0, 1), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kWest), Indexes{kIn});
  EXPECT_EQ(set({}), DWORD{NO_ERROR});
  EXPECT_EQ(status_of(TpMgmGetStatus).clients, 0U) << "with nothing to do it leaves";
}

TEST_F(MstaticModule, AnInterfaceOfAnotherProtocolStaysHisAndIsShown) {
  HANDLE other = nullptr;
  ROUTING_PROTOCOL_CONFIG config{};
  ASSERT_EQ(MgmRegisterMProtocol(&config, kOther, 0, &other), DWORD{NO_ERROR});
  ASSERT_EQ(MgmTakeInterfaceOwnership(other, kEast, 0), DWORD{NO_ERROR});
  play({{{kGroup, nullptr, "in", {"west", "east"}}}, {}, {}});
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
  EXPECT_EQ(row(1).state, RowState::kNotOurs);
  EXPECT_STREQ(row(1).interface, "east");
  EXPECT_EQ(counts().active, 1U);
  ASSERT_EQ(MgmReleaseInterfaceOwnership(other, kEast, 0), DWORD{NO_ERROR});
  status(kEast, RIS_INTERFACE_MEDIA_PRESENT);  // whatever happens, it is tried again
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), (Indexes{kWest, kEast}));
  EXPECT_EQ(row(1).state, RowState::kActive);
  EXPECT_EQ(MgmDeRegisterMProtocol(other), DWORD{NO_ERROR});
}

TEST_F(MstaticModule, WhatTheForwarderRefusesIsShownAndTriedAgain) {
  TpMgmForwarderFailAfter(1, 12);  // ENOMEM
  play({{{kGroup, nullptr, "in", {"west"}}}, {}, {}});
  EXPECT_EQ(row(0).state, RowState::kRefused);
  EXPECT_EQ(counts().interfaces, 1U);
  TpMgmForwarderFailAfter(-1, 0);
  status(kWest, RIS_INTERFACE_MEDIA_PRESENT);
  EXPECT_EQ(row(0).state, RowState::kActive);
  EXPECT_EQ(packet("10.0.0.2", kGroup, kIn), Indexes{kWest});
}

TEST_F(MstaticModule, AllGroupsAndIpv6) {
  play({{{"0.0.0.0", nullptr, "in", {"east"}},
         {"ff3e::8000:1", "2001:db8::5", "in", {"west", "east"}},
         {"::", nullptr, "in", {"west"}}},
        {},
        {{"2001:db8::", 32, "in"}}});
  EXPECT_EQ(packet("10.0.0.2", "239.77.0.1", kIn), Indexes{kEast});
  const TP_MGM_STATUS six = status_of(TpMgm6GetStatus);
  EXPECT_EQ(six.interfaces, 3U);
  EXPECT_EQ(six.memberships, 3U);
  EXPECT_EQ(row(2).group.family, AF_INET6);
  EXPECT_EQ(counts().outputs, 4U);
  EXPECT_EQ(counts().active, 4U);
}

// clauses: RP-064 RP-072 RP-073
TEST_F(MstaticModule, TellsItsRowsToTheManagementInterface) {
  play({{{kGroup, "10.0.0.2", "in", {"west"}}}, {{"239.2.2.2", "nowhere"}}, {}});
  const MstaticRow route = row(0);
  EXPECT_EQ(route.kind, RowKind::kRoute);
  EXPECT_STREQ(route.from, "in");
  EXPECT_EQ(std::memcmp(route.source.address, address("10.0.0.2").address, 16), 0);
  const MstaticRow join = row(1);
  EXPECT_EQ(join.kind, RowKind::kJoin);
  EXPECT_EQ(join.state, RowState::kNoInterface);
  EXPECT_EQ(join.source.family, 0);
  EXPECT_EQ(counts().joins, 1U);
  EXPECT_EQ(counts().joined, 0U);
  MstaticRow buffer{};
  ULONG room = sizeof buffer - 1;
  EXPECT_EQ(module_.pfnMibGetFirstEntry(0, nullptr, &room, &buffer), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(room, sizeof buffer);
  std::uint32_t last = 1;
  EXPECT_EQ(module_.pfnMibGetNextEntry(sizeof last, &last, &room, &buffer), DWORD{ERROR_NO_MORE_ITEMS});
}

TEST_F(MstaticModule, RefusesBlocksThatAreNone) {
  const std::vector<Lines> wrong = {
      {{{"10.0.0.1", nullptr, "in", {"west"}}}, {}, {}},
      {{{"224.0.0.5", nullptr, "in", {"west"}}}, {}, {}},
      {{{"ff02::5", nullptr, "in", {"west"}}}, {}, {}},
      {{{kGroup, "2001:db8::1", "in", {"west"}}}, {}, {}},
      {{{kGroup, "239.1.1.2", "in", {"west"}}}, {}, {}},
      {{{"0.0.0.0", "10.0.0.2", "in", {"west"}}}, {}, {}},
      {{{kGroup, nullptr, "in", {}}}, {}, {}},
      {{{kGroup, nullptr, "in", {"in"}}}, {}, {}},
      {{{kGroup, nullptr, "in", {"west", "west"}}}, {}, {}},
      {{{kGroup, nullptr, "in", {""}}}, {}, {}},
      {{{kGroup, nullptr, "", {"west"}, true}}, {}, {}},
      {{{"0.0.0.0", nullptr, "in", {"west"}, true}}, {}, {}},
      {{}, {{"10.0.0.1", "in"}}, {}},
      {{}, {{kGroup, ""}}, {}},
      {{}, {}, {{"10.0.0.0", 33, "in"}}},
      {{}, {}, {{"224.0.0.0", 4, "in"}}},
  };
  for (const Lines& lines : wrong) {
    EXPECT_EQ(start(Block(lines)), DWORD{ERROR_INVALID_PARAMETER}) << &lines - wrong.data();
  }
  EXPECT_EQ(start({}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(start(std::vector<std::uint8_t>(4)), DWORD{ERROR_INVALID_PARAMETER});
  std::vector<std::uint8_t> outside = Block({{{kGroup, nullptr, "in", {"west"}}}, {}, {}});
  outside.resize(outside.size() - 1);
  EXPECT_EQ(start(outside), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RP-066 RP-074 RP-076
TEST_F(MstaticModule, RefusesWhatItDoesNotKnow) {
  BYTE flags = 0;
  BYTE code = 0;
  DWORD size = 4;
  DWORD list = 0;
  EXPECT_EQ(module_.pfnGetNeighbors(kIn, &list, &size, &flags), DWORD{ERROR_CAN_NOT_COMPLETE}) << "it does not run";
  play({});
  EXPECT_EQ(module_.pfnGetNeighbors(99, &list, &size, &flags), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetNeighbors(kIn, &list, nullptr, &flags), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetNeighbors(kIn, &list, &size, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetNeighbors(kIn, &list, &size, &flags), DWORD{ERROR_CAN_NOT_COMPLETE}) << "nobody asks there";
  const DWORD group = inet_addr(kGroup);
  const DWORD source = inet_addr("10.0.0.2");
  EXPECT_EQ(module_.pfnGetMfeStatus(99, group, source, &code), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetMfeStatus(kIn, source, source, &code), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetMfeStatus(kIn, group, group, &code), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetMfeStatus(kIn, group, 0, &code), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetMfeStatus(kIn, group, source, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetEventMessage(nullptr, nullptr), DWORD{ERROR_NO_MORE_ITEMS});
}

// clauses: RP-070
TEST_F(MstaticModule, SaysWhyAFlowIsNotForwarded) {
  play({{{kGroup, nullptr, "in", {"west"}}}, {}, {}});
  const auto why = [&](ULONG index, const char* group) {
    BYTE code = 99;
    EXPECT_EQ(module_.pfnGetMfeStatus(index, inet_addr(group), inet_addr("10.0.0.2"), &code), DWORD{NO_ERROR});
    return code;
  };
  EXPECT_EQ(why(kIn, kGroup), MFE_NO_ERROR);
  EXPECT_EQ(why(kWest, kGroup), MFE_NO_ERROR);
  EXPECT_EQ(why(kEast, kGroup), MFE_OIF_PRUNED) << "it leaves elsewhere";
  EXPECT_EQ(why(kWest, "239.1.1.2"), MFE_OIF_PRUNED) << "nobody wants it here (4), nor there (5)";
  status(kWest, RIS_INTERFACE_DISABLED);
  EXPECT_EQ(why(kIn, kGroup), MFE_PRUNED_UPSTREAM) << "where it comes in, and leaves nowhere";
  packet("10.0.0.2", kGroup, kIn);
  EXPECT_EQ(why(kEast, kGroup), MFE_OIF_PRUNED) << "both";
}

// clauses: RP-068 RP-069
TEST_F(MstaticModule, KnowsWhoAsksForGroups) {
  auto ground = ground::Ground::unprivileged({"veth"});
  if (!ground) return;
  ground::Host& router = ground->host("router");
  ground::Host& peer = ground->host("peer");
  ground->wire({router, "eth0", {"10.0.0.1/24"}}, {peer, "eth0", {"10.0.0.2/24"}});
  router.inside([&] {
    const auto index = static_cast<ULONG>(::if_nametoindex("eth0"));
    ASSERT_EQ(start(Block({})), DWORD{NO_ERROR});
    add(index, L"eth0");
    ASSERT_EQ(module_.pfnStartComplete(), DWORD{NO_ERROR});
    bind(index, {{"10.0.0.1", "255.255.255.0"}});
    const auto ask = [&](DWORD& list, DWORD& size, BYTE& flags, DWORD until) {
      const ground::Deadline deadline(ground::kSoon);
      DWORD answer = 0;
      do {
        size = until == ERROR_INSUFFICIENT_BUFFER ? 3 : 4;
        answer = module_.pfnGetNeighbors(index, &list, &size, &flags);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // allow sleeping-test: nothing tells of the state
      } while (answer == ERROR_CAN_NOT_COMPLETE && deadline.left() > 0);
      return answer;
    };
    DWORD list = 0;
    DWORD size = 0;
    BYTE flags = 1;
    ground::ask_for_groups(peer, "eth0");
    EXPECT_EQ(ask(list, size, flags, NO_ERROR), DWORD{NO_ERROR});
    EXPECT_EQ(list, inet_addr("10.0.0.2"));
    EXPECT_EQ(size, 4U);
    EXPECT_EQ(flags, 1U);
    list = 0;
    EXPECT_EQ(ask(list, size, flags, ERROR_INSUFFICIENT_BUFFER), DWORD{ERROR_INSUFFICIENT_BUFFER});
    EXPECT_EQ(size, 4U);
    EXPECT_EQ(list, 0U);
    ground::ask_for_groups(router, "eth0");  // 10.0.0.1 is the lower address, so the peer is silent from now on
    const ground::Deadline deadline(ground::kSoon);
    while ((flags & MRINFO_QUERIER_FLAG) == 0 && deadline.left() > 0) {
      EXPECT_EQ(ask(list, size, flags, NO_ERROR), DWORD{NO_ERROR});
    }
    EXPECT_EQ(flags, MRINFO_QUERIER_FLAG | 1);
    EXPECT_EQ(size, 0U);
    EXPECT_EQ(module_.pfnStopProtocol(), DWORD{NO_ERROR});
    started_ = false;
  });
}

}  // namespace
}  // namespace turnpike::modules
