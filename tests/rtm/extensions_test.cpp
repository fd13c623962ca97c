// include/turnpike/rtm.h: each function's answers, also to bad input, for IPv4 and IPv6; and matches while others
// write.
#include <gtest/gtest.h>
#include <poll.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using Bytes = std::array<std::uint8_t, 16>;
constexpr std::uint32_t kUnicast = RTM_VIEW_MASK_UCAST;

class Client {
 public:
  explicit Client(int family, ULONG protocol = 9000) : family_(family) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = static_cast<USHORT>(family);
    info.EntityId.EntityProtocolId = protocol;
    RTM_REGN_PROFILE profile;
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle), DWORD{NO_ERROR});
    RTM_NEXTHOP_INFO next{};
    next.NextHopAddress.AddressFamily = static_cast<USHORT>(family);
    next.NextHopAddress.NumBits = family == AF_INET ? 32 : 128;
    next.NextHopAddress.AddrBits[0] = 0xfe;
    next.InterfaceIndex = 7;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddNextHop(handle, &next, &hop, &flags), DWORD{NO_ERROR});
  }
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void leave() {
    if (handle != nullptr) {
      EXPECT_EQ(RtmReleaseNextHops(handle, 1, &hop), DWORD{NO_ERROR});
      EXPECT_EQ(RtmDeregisterEntity(handle), DWORD{NO_ERROR});
      handle = nullptr;
    }
  }

  TpRtmRoute route(std::initializer_list<std::uint8_t> address, unsigned bits, std::uint32_t metric = 1) {
    TpRtmRoute made{};
    made.destination = prefix(address, bits);
    made.metric = metric;
    made.views = kUnicast;
    made.hop_count = 1;
    made.hops = &hop;
    return made;
  }
  TpRtmAddress prefix(std::initializer_list<std::uint8_t> address, unsigned bits) const {
    TpRtmAddress made{};
    made.family = static_cast<std::uint16_t>(family_);
    made.bits = static_cast<std::uint16_t>(bits);
    std::copy(address.begin(), address.end(), made.address);
    return made;
  }
  std::uint32_t add(const std::vector<TpRtmRoute>& routes) {
    std::vector<std::uint32_t> statuses(routes.size());
    return TpRtmAddRoutes(handle, routes.data(), static_cast<std::uint32_t>(routes.size()), statuses.data(), nullptr);
  }
  TpRtmMatch match(const Bytes& address, std::uint32_t view = kUnicast) {
    alignas(4) Bytes asked = address;
    TpRtmMatch found;
    EXPECT_EQ(TpRtmMatchRoutes(handle, view, 0, asked.data(), 1, &found), 0U);
    return found;
  }
  std::uint64_t live_routes() {
    TpRtmTableStatistics all{};
    all.size = sizeof all;
    EXPECT_EQ(TpRtmGetTableStatistics(handle, &all), 0U);
    return all.live_routes;
  }

  RTM_ENTITY_HANDLE handle = nullptr;
  RTM_NEXTHOP_HANDLE hop = nullptr;

 private:
  int family_;
};

void* stale_entity() {
  Client gone(AF_INET, 9999);
  void* handle = gone.handle;
  gone.leave();
  return handle;
}

class RtmExtensions : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Families, RtmExtensions, testing::Values(AF_INET, AF_INET6),
                         [](const auto& family) { return family.param == AF_INET ? "IPv4" : "IPv6"; });

// --- batches
// -------------------------------------------------------------------------------------------------------------

TEST_P(RtmExtensions, AddsAndDeletesManyByHandle) {
  Client client(GetParam());
  std::vector<TpRtmRoute> routes;
  for (unsigned i = 0; i < 1000; ++i) {
    routes.push_back(client.route({10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 24));
  }
  std::vector<std::uint32_t> statuses(routes.size(), 4711);
  std::vector<void*> handles(routes.size());
  ASSERT_EQ(TpRtmAddRoutes(client.handle, routes.data(), 1000, statuses.data(), handles.data()), 0U);
  EXPECT_EQ(statuses, std::vector<std::uint32_t>(1000, 0));
  EXPECT_EQ(client.live_routes(), 1000U);
  EXPECT_EQ(client.add(routes), 0U) << "the same again updates";
  EXPECT_EQ(client.live_routes(), 1000U);
  ASSERT_EQ(TpRtmDeleteRoutes(client.handle, handles.data(), 1000, statuses.data()), 0U);
  EXPECT_EQ(client.live_routes(), 0U);
}

TEST_P(RtmExtensions, TakesNextHopsOfTheOtherFamilyForIpv4) {
  Client client(GetParam());
  const bool is_ipv4 = GetParam() == AF_INET;
  TpRtmNextHop given{};
  given.address = {AF_INET6, 128, {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
  given.interface_index = 7;
  void* made = nullptr;
  std::uint32_t is_new = 9;
  ASSERT_EQ(TpRtmAddNextHop(client.handle, &given, &made, &is_new), 0U);
  EXPECT_EQ(is_new, 1U);
  given.flags = RTM_NEXTHOP_FLAGS_DOWN;
  void* again = nullptr;
  ASSERT_EQ(TpRtmAddNextHop(client.handle, &given, &again, &is_new), 0U);
  EXPECT_EQ(is_new, 0U);
  EXPECT_EQ(again, made);
  RTM_NEXTHOP_INFO info{};
  ASSERT_EQ(RtmGetNextHopInfo(client.handle, made, &info), 0U);
  EXPECT_EQ(std::memcmp(&info.NextHopAddress, &given.address, sizeof given.address), 0);
  EXPECT_EQ(info.Flags, RTM_NEXTHOP_FLAGS_DOWN);
  EXPECT_EQ(RtmReleaseNextHopInfo(client.handle, &info), 0U);

  TpRtmRoute route = client.route({10, 9}, 16);
  route.hops = &made;
  ASSERT_EQ(client.add({route}), 0U);
  const TpRtmMatch found = client.match({10, 9, 1, 1});
  EXPECT_EQ(found.next_hop, made);
  EXPECT_EQ(std::memcmp(found.hop_address, given.address.address, 16), 0);

  RTM_ENUM_HANDLE walk = nullptr;
  RTM_NET_ADDRESS range{};
  range.AddressFamily = static_cast<USHORT>(GetParam());
  range.NumBits = 8;
  range.AddrBits[0] = 0xfe;  // as both begin
  ASSERT_EQ(RtmCreateNextHopEnum(client.handle, RTM_ENUM_RANGE, &range, &walk), 0U);
  RTM_NEXTHOP_HANDLE all[8];
  UINT count = 8;
  ASSERT_EQ(RtmGetEnumNextHops(client.handle, walk, &count, all), 0U);
  EXPECT_EQ(count, is_ipv4 ? 1U : 2U) << "a range is of the table's own family";
  EXPECT_EQ(RtmReleaseNextHops(client.handle, count, all), 0U);
  EXPECT_EQ(RtmDeleteEnumHandle(client.handle, walk), 0U);
  ASSERT_EQ(RtmCreateNextHopEnum(client.handle, RTM_ENUM_START, nullptr, &walk), 0U);
  count = 8;
  ASSERT_EQ(RtmGetEnumNextHops(client.handle, walk, &count, all), 0U);
  ASSERT_EQ(count, 2U);
  EXPECT_EQ(all[1], made);
  EXPECT_EQ(RtmReleaseNextHops(client.handle, count, all), 0U);
  EXPECT_EQ(RtmDeleteEnumHandle(client.handle, walk), 0U);

  RTM_NEXTHOP_HANDLE by_info = nullptr;
  EXPECT_EQ(RtmFindNextHop(client.handle, &info, &by_info, nullptr), 0U);
  EXPECT_EQ(by_info, made);
  EXPECT_EQ(RtmDeleteNextHop(client.handle, nullptr, &info), 0U);
  EXPECT_EQ(RtmFindNextHop(client.handle, &info, nullptr, nullptr), static_cast<DWORD>(ERROR_NOT_FOUND));
  for (void* each : {made, again, static_cast<void*>(by_info)}) {
    EXPECT_EQ(RtmReleaseNextHops(client.handle, 1, &each), 0U);
  }
}

TEST_P(RtmExtensions, RefusesANextHopThatCannotBe) {
  Client client(GetParam());
  const bool is_ipv4 = GetParam() == AF_INET;
  constexpr auto kWrong = static_cast<std::uint32_t>(ERROR_INVALID_PARAMETER);
  constexpr auto kNoHandle = static_cast<std::uint32_t>(ERROR_INVALID_HANDLE);
  TpRtmNextHop good{};
  good.address = client.prefix({10, 0, 0, 0, 0, 0, 0, 1}, is_ipv4 ? 32 : 128);
  void* made = nullptr;
  EXPECT_EQ(TpRtmAddNextHop(nullptr, &good, &made, nullptr), kNoHandle);
  EXPECT_EQ(TpRtmAddNextHop(nullptr, nullptr, nullptr, nullptr), kNoHandle);
  EXPECT_EQ(TpRtmAddNextHop(client.handle, nullptr, &made, nullptr), kWrong);
  EXPECT_EQ(TpRtmAddNextHop(client.handle, &good, nullptr, nullptr), kWrong);
  const auto refused = [&](auto change, std::uint32_t code) {
    TpRtmNextHop bad = good;
    change(bad);
    EXPECT_EQ(TpRtmAddNextHop(client.handle, &bad, &made, nullptr), code);
  };
  refused([](TpRtmNextHop& bad) { bad.reserved = 1; }, kWrong);
  refused([](TpRtmNextHop& bad) { bad.address.family = 23; }, kWrong);
  refused([](TpRtmNextHop& bad) { bad.address.bits = 129; }, kWrong);
  refused([&](TpRtmNextHop& bad) { bad.address.family = is_ipv4 ? AF_INET6 : AF_INET; }, kWrong);  // of 32 bits; none
  refused(
      [](TpRtmNextHop& bad) {
        bad.flags = RTM_NEXTHOP_FLAGS_REMOTE;
        bad.remote = &bad;
      },
      kNoHandle);
  if (is_ipv4) {
    refused([](TpRtmNextHop& bad) { bad.address = {AF_INET6, 128, {0x20, 1, 0xd, 0xb8}}; }, kWrong);
    RTM_NEXTHOP_INFO documented{};
    documented.NextHopAddress = {AF_INET6, 128, {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
    RTM_NEXTHOP_HANDLE none = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddNextHop(client.handle, &documented, &none, &flags), kWrong) << "the documented call does not";
  }
  EXPECT_EQ(made, nullptr);
}

TEST_P(RtmExtensions, TellsEachElementItsOwnStatus) {
  Client client(GetParam());
  Client other(GetParam(), 9001);
  std::vector<TpRtmRoute> routes(6, client.route({10}, 8));
  routes[1].destination.family = 4711;
  routes[2].hops = nullptr;
  routes[3].hops = &other.hop;
  routes[4].reserved = 1;
  routes[5] = client.route({11}, 8);
  std::vector<std::uint32_t> statuses(6);
  std::vector<void*> handles(6, &statuses);
  EXPECT_EQ(TpRtmAddRoutes(client.handle, routes.data(), 6, statuses.data(), handles.data()),
            DWORD{ERROR_PARTIAL_COPY});
  EXPECT_EQ(statuses, (std::vector<std::uint32_t>{0, 87, 87, 87, 87, 0}));
  EXPECT_EQ(handles[1], nullptr);
  EXPECT_EQ(client.live_routes(), 2U);

  void* const gone[] = {handles[0], handles[5], handles[0], nullptr, client.handle};
  EXPECT_EQ(TpRtmDeleteRoutes(other.handle, gone, 2, statuses.data()), DWORD{ERROR_PARTIAL_COPY});
  EXPECT_EQ(statuses[0], DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(TpRtmDeleteRoutes(client.handle, gone, 5, statuses.data()), DWORD{ERROR_PARTIAL_COPY});
  statuses.resize(5);
  EXPECT_EQ(statuses, (std::vector<std::uint32_t>{0, 0, 6, 6, 6}));
}

TEST_P(RtmExtensions, DeletesItsOwnByDestination) {
  Client client(GetParam());
  Client other(GetParam(), 9001);
  ASSERT_EQ(client.add({client.route({10}, 8), client.route({11}, 8)}), 0U);
  ASSERT_EQ(other.add({other.route({10}, 8)}), 0U);
  const TpRtmAddress gone[] = {client.prefix({10}, 8), client.prefix({10}, 8), client.prefix({12}, 8), {}};
  std::uint32_t statuses[4];
  EXPECT_EQ(TpRtmDeleteRoutesTo(client.handle, gone, 4, statuses), DWORD{ERROR_PARTIAL_COPY});
  EXPECT_EQ(statuses[0], 0U);
  EXPECT_EQ(statuses[1], DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(statuses[2], DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(statuses[3], DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(client.match({10, 1}).protocol, 9001U);
  EXPECT_EQ(client.live_routes(), 2U);
}

TEST_P(RtmExtensions, RefusesABatchThatCannotBe) {
  Client client(GetParam());
  const TpRtmRoute route = client.route({10}, 8);
  std::uint32_t status = 4711;
  void* handle = nullptr;
  void* const stale = stale_entity();
  for (void* nobody : {static_cast<void*>(nullptr), stale, static_cast<void*>(client.hop)}) {
    EXPECT_EQ(TpRtmAddRoutes(nobody, &route, 1, &status, nullptr), 6U);
    EXPECT_EQ(TpRtmDeleteRoutes(nobody, &handle, 1, &status), 6U);
    EXPECT_EQ(TpRtmDeleteRoutesTo(nobody, &route.destination, 1, &status), 6U);
  }
  EXPECT_EQ(TpRtmAddRoutes(client.handle, nullptr, 1, &status, nullptr), 87U);
  EXPECT_EQ(TpRtmAddRoutes(client.handle, &route, 1, nullptr, nullptr), 87U);
  EXPECT_EQ(TpRtmAddRoutes(client.handle, &route, TP_RTM_MAX_BATCH + 1, &status, nullptr), 87U);
  EXPECT_EQ(TpRtmDeleteRoutes(client.handle, nullptr, 1, &status), 87U);
  EXPECT_EQ(TpRtmDeleteRoutesTo(client.handle, nullptr, 1, &status), 87U);
  EXPECT_EQ(TpRtmAddRoutes(client.handle, nullptr, 0, nullptr, nullptr), 0U) << "nothing to do";
  EXPECT_EQ(status, 4711U);
  EXPECT_EQ(client.live_routes(), 0U);
}

// --- matches
// -------------------------------------------------------------------------------------------------------------

TEST_P(RtmExtensions, MatchesTheLongestAndSaysAllOfIt) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({}, 0, 30), client.route({10}, 8, 20), client.route({10, 1}, 16, 10)}), 0U);
  for (int again = 0; again < 3; ++again) {  // by the trie, then by the structure
    const TpRtmMatch found = client.match({10, 1, 2, 3});
    EXPECT_EQ(found.bits, 16U);
    EXPECT_EQ(found.metric, 10U);
    EXPECT_EQ(found.protocol, 9000U);
    EXPECT_EQ(found.next_hop, client.hop);
    EXPECT_EQ(found.hop_count, 1U);
    EXPECT_EQ(found.interface_index, 7U);
    EXPECT_EQ(found.hop_address[0], 0xfe);
    EXPECT_EQ(client.match({10, 2}).bits, 8U);
    EXPECT_EQ(client.match({99}).metric, 30U);
  }
  const TpRtmAddress gone = client.prefix({10, 1}, 16);
  std::uint32_t status;
  ASSERT_EQ(TpRtmDeleteRoutesTo(client.handle, &gone, 1, &status), 0U);
  EXPECT_EQ(client.match({10, 1, 2, 3}).bits, 8U) << "at once";
  ASSERT_EQ(client.add({client.route({10, 1, 2}, 24, 5)}), 0U);
  EXPECT_EQ(client.match({10, 1, 2, 3}).bits, 24U) << "at once";
  ASSERT_EQ(client.add({client.route({10, 1, 2}, 24, 6)}), 0U);
  EXPECT_EQ(client.match({10, 1, 2, 3}).metric, 6U) << "what it holds is never old";
}

TEST_P(RtmExtensions, MatchesNothingInAnEmptyTableOrAnotherView) {
  Client client(GetParam());
  EXPECT_EQ(client.match({10}).destination, nullptr);
  TpRtmRoute multicast = client.route({10}, 8);
  multicast.views = RTM_VIEW_MASK_MCAST;
  ASSERT_EQ(client.add({multicast}), 0U);
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(client.match({10}).destination, nullptr);
    EXPECT_EQ(client.match({10}, RTM_VIEW_MASK_MCAST).bits, 8U);
    EXPECT_NE(client.match({10}, 0).destination, nullptr);
  }
}

// Also when many matches before have made the structure that makes them quick.
TEST_P(RtmExtensions, MatchesWhatHasAppearedSince) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({10}, 8)}), 0U);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.match({10, 1}).bits, 8U);
  ASSERT_EQ(client.add({client.route({10, 1}, 16), client.route({11}, 8)}), 0U);
  EXPECT_EQ(client.match({10, 1}).bits, 16U);
  EXPECT_EQ(client.match({11}).bits, 8U);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.match({11}).bits, 8U);
  const TpRtmAddress gone = client.prefix({10, 1}, 16);
  std::uint32_t status = 0;
  ASSERT_EQ(TpRtmDeleteRoutesTo(client.handle, &gone, 1, &status), 0U);
  EXPECT_EQ(client.match({10, 1}).bits, 8U);
}

TEST_P(RtmExtensions, AgreesWithTheSingleLookUp) {
  Client client(GetParam());
  std::mt19937 random(5);
  const unsigned width = GetParam() == AF_INET ? 32 : 128;
  const auto byte = [&] { return static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 10); };
  for (int round = 0; round < 8; ++round) {
    std::vector<TpRtmRoute> routes;
    for (int i = 0; i < 60; ++i) {
      const auto bits = static_cast<unsigned>(random() % (width == 32 ? 33 : 40));
      routes.push_back(client.route({byte(), byte(), byte(), byte()}, bits));
    }
    ASSERT_EQ(client.add(routes), 0U);
    std::vector<TpRtmAddress> gone;
    for (int i = 0; i < 20; ++i) {
      gone.push_back(routes[i * 2U].destination);
    }
    std::vector<std::uint32_t> statuses(gone.size());
    TpRtmDeleteRoutesTo(client.handle, gone.data(), 20, statuses.data());
    constexpr unsigned kAsked = 200;
    std::vector<std::uint32_t> asked(kAsked * width / 32);
    for (unsigned i = 0; i < kAsked; ++i) {
      const std::uint8_t bytes[] = {byte(), byte(), byte(), byte()};
      std::memcpy(&asked[i * width / 32], bytes, 4);
    }
    std::vector<void*> found(kAsked);
    ASSERT_EQ(TpRtmMatchDestinations(client.handle, kUnicast, asked.data(), kAsked, found.data()), 0U);
    for (unsigned i = 0; i < kAsked; ++i) {
      RTM_NET_ADDRESS address{};
      address.AddressFamily = static_cast<USHORT>(GetParam());
      address.NumBits = static_cast<USHORT>(width);
      std::memcpy(address.AddrBits, &asked[i * width / 32], width / 8);
      RTM_DEST_INFO info;
      const DWORD status = RtmGetMostSpecificDestination(client.handle, &address, RTM_BEST_PROTOCOL, kUnicast, &info);
      ASSERT_EQ(found[i], status == NO_ERROR ? info.DestHandle : nullptr);
      if (status == NO_ERROR) {
        RtmReleaseDestInfo(client.handle, &info);
      }
    }
  }
  TpRtmTableStatistics all{};
  all.size = sizeof all;
  ASSERT_EQ(TpRtmGetTableStatistics(client.handle, &all), 0U);
  EXPECT_GT(all.index_builds, 0U);
  EXPECT_GT(all.index_bytes, 0U);
}

TEST_P(RtmExtensions, HoldsTheMatchedRoutesWhenAsked) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({10}, 8)}), 0U);
  alignas(4) const Bytes asked[2] = {{10, 1, 1, 1, 99, 1, 1, 1}, {}};
  TpRtmMatch found[2];
  const std::uint32_t count = GetParam() == AF_INET ? 2 : 1;
  ASSERT_EQ(TpRtmMatchRoutes(client.handle, kUnicast, TP_RTM_REFERENCE, asked, count, found), 0U);
  ASSERT_NE(found[0].route, nullptr);
  EXPECT_EQ(RtmReleaseRoutes(client.handle, 1, &found[0].route), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseRoutes(client.handle, 1, &found[0].route), DWORD{ERROR_INVALID_HANDLE}) << "one, no more";
}

TEST_P(RtmExtensions, RefusesAMatchThatCannotBe) {
  Client client(GetParam());
  alignas(4) const std::uint8_t asked[32] = {};
  TpRtmMatch found;
  void* dest = &found;
  void* const stale = stale_entity();
  EXPECT_EQ(TpRtmMatchRoutes(nullptr, kUnicast, 0, asked, 1, &found), 6U);
  EXPECT_EQ(TpRtmMatchRoutes(stale, 0, 99, nullptr, 1, nullptr), 6U);
  EXPECT_EQ(TpRtmMatchDestinations(stale, kUnicast, asked, 1, &dest), 6U);
  EXPECT_EQ(TpRtmMatchRoutes(client.handle, kUnicast, 0, nullptr, 1, &found), 87U);
  EXPECT_EQ(TpRtmMatchRoutes(client.handle, kUnicast, 0, asked, 1, nullptr), 87U);
  EXPECT_EQ(TpRtmMatchRoutes(client.handle, kUnicast, 2, asked, 1, &found), 87U);
  EXPECT_EQ(TpRtmMatchRoutes(client.handle, 3, 0, asked, 1, &found), 87U);
  EXPECT_EQ(TpRtmMatchRoutes(client.handle, 1U << 31, 0, asked, 1, &found), 50U);
  EXPECT_EQ(TpRtmMatchDestinations(client.handle, kUnicast, asked, 1, nullptr), 87U);
  EXPECT_EQ(TpRtmMatchDestinations(client.handle, kUnicast, nullptr, 0, nullptr), 0U);
  EXPECT_EQ(TpRtmMatchDestinations(client.handle, kUnicast, asked + 1, 1, &dest), GetParam() == AF_INET ? 87U : 0U);
}

// --- snapshots
// -----------------------------------------------------------------------------------------------------------

TEST_P(RtmExtensions, ShowsTheTableAsItWas) {
  Client client(GetParam());
  Client other(GetParam(), 9001);
  ASSERT_EQ(client.add({client.route({11}, 8, 4), client.route({10}, 8, 5), client.route({10}, 16, 3)}), 0U);
  ASSERT_EQ(other.add({other.route({10}, 8, 2)}), 0U);
  TpRtmSnapshot snapshot = 0;
  ASSERT_EQ(TpRtmOpenSnapshot(client.handle, &snapshot), 0U);
  other.leave();
  std::uint64_t size = 0;
  EXPECT_EQ(TpRtmSnapshotSize(snapshot, &size), 0U);
  EXPECT_EQ(size, 4U);
  TpRtmSnapshotRoute rows[8];
  std::uint32_t count = 8;
  ASSERT_EQ(TpRtmReadSnapshot(snapshot, 0, rows, &count), 0U);
  ASSERT_EQ(count, 4U);
  EXPECT_EQ(rows[0].protocol, 9001U);
  EXPECT_EQ(rows[0].best_in, kUnicast);
  EXPECT_EQ(rows[1].protocol, 9000U);
  EXPECT_EQ(rows[1].best_in, 0U);
  EXPECT_EQ(rows[2].destination.bits, 16U);
  EXPECT_EQ(rows[3].destination.address[0], 11U);
  ASSERT_EQ(rows[3].hop_count, 1U);
  EXPECT_EQ(rows[3].hops[0].interface_index, 7U);
  EXPECT_EQ(rows[3].hops[0].address.address[0], 0xfe);
  count = 3;
  EXPECT_EQ(TpRtmReadSnapshot(snapshot, 2, rows, &count), 0U);
  EXPECT_EQ(count, 2U);
  count = 3;
  EXPECT_EQ(TpRtmReadSnapshot(snapshot, 4, rows, &count), DWORD{ERROR_NO_MORE_ITEMS});
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(TpRtmReadSnapshot(snapshot, 0, rows, &count), 87U) << "no count";
  EXPECT_EQ(TpRtmCloseSnapshot(snapshot), 0U);
  EXPECT_EQ(TpRtmCloseSnapshot(snapshot), 6U);
  EXPECT_EQ(TpRtmSnapshotSize(snapshot, &size), 6U);
  EXPECT_EQ(TpRtmReadSnapshot(snapshot, 0, rows, &count), 6U);
  EXPECT_EQ(TpRtmOpenSnapshot(client.handle, nullptr), 87U);
  EXPECT_EQ(TpRtmOpenSnapshot(nullptr, &snapshot), 6U);
}

// A writer keeps the sum of two metrics; a snapshot that tears shows another.
TEST_P(RtmExtensions, ASnapshotIsOfOneMoment) {
  Client client(GetParam());
  std::vector<TpRtmRoute> routes;
  for (unsigned i = 0; i < 4000; ++i) {
    routes.push_back(client.route({10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 24, 1000));
  }
  ASSERT_EQ(client.add(routes), 0U);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint32_t turn = 1; !done; ++turn) {  // in this order the last is never ahead of the first
      routes.front().metric = routes.back().metric = turn;
      client.add({routes.front()});
      client.add({routes.back()});
    }
  });
  for (int i = 0; i < 20; ++i) {
    TpRtmSnapshot snapshot = 0;
    ASSERT_EQ(TpRtmOpenSnapshot(client.handle, &snapshot), 0U);
    TpRtmSnapshotRoute first;
    TpRtmSnapshotRoute last;
    std::uint32_t count = 1;
    EXPECT_EQ(TpRtmReadSnapshot(snapshot, 0, &first, &count), 0U);
    EXPECT_EQ(TpRtmReadSnapshot(snapshot, 3999, &last, &count), 0U);
    EXPECT_TRUE(first.metric == last.metric || first.metric == last.metric + 1 || last.metric == 1000)
        << first.metric << ' ' << last.metric;
    EXPECT_EQ(TpRtmCloseSnapshot(snapshot), 0U);
  }
  done = true;
  writer.join();
}

// --- changes, statistics, journal
// ------------------------------------------------------------------------------------------

bool is_readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

TEST_P(RtmExtensions, ADescriptorTellsThatChangesWait) {
  Client client(GetParam());
  Client watcher(GetParam(), 9001);
  RTM_NOTIFY_HANDLE notify = nullptr;
  ASSERT_EQ(RtmRegisterForChangeNotification(watcher.handle, kUnicast, RTM_CHANGE_TYPE_BEST, nullptr, &notify),
            DWORD{NO_ERROR});
  ASSERT_EQ(client.add({client.route({10}, 8)}), 0U);
  int descriptor = -1;
  ASSERT_EQ(TpRtmChangeDescriptor(watcher.handle, notify, &descriptor), 0U);
  EXPECT_TRUE(is_readable(descriptor)) << "one waits already";
  RTM_DEST_INFO info;
  UINT count = 1;
  ASSERT_EQ(RtmGetChangedDests(watcher.handle, notify, &count, &info), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseChangedDests(watcher.handle, notify, 1, &info), DWORD{NO_ERROR});
  count = 1;
  EXPECT_EQ(RtmGetChangedDests(watcher.handle, notify, &count, &info), DWORD{ERROR_NO_MORE_ITEMS});
  EXPECT_FALSE(is_readable(descriptor));
  ASSERT_EQ(client.add({client.route({11}, 8), client.route({12}, 8)}), 0U);
  EXPECT_TRUE(is_readable(descriptor));
  int again = -1;
  EXPECT_EQ(TpRtmChangeDescriptor(watcher.handle, notify, &again), 0U);
  EXPECT_EQ(again, descriptor);

  EXPECT_EQ(TpRtmChangeDescriptor(client.handle, notify, &again), 6U) << "another client's";
  EXPECT_EQ(TpRtmChangeDescriptor(watcher.handle, nullptr, &again), 6U);
  EXPECT_EQ(TpRtmChangeDescriptor(watcher.handle, notify, nullptr), 87U);
  EXPECT_EQ(TpRtmChangeDescriptor(nullptr, notify, &again), 6U);
  EXPECT_EQ(RtmDeregisterFromChangeNotification(watcher.handle, notify), DWORD{NO_ERROR});
  EXPECT_EQ(TpRtmChangeDescriptor(watcher.handle, notify, &again), 6U);
}

TEST_P(RtmExtensions, CountsWhatATableAndAnEntityHave) {
  Client client(GetParam());
  Client other(GetParam(), 9001);
  ASSERT_EQ(client.add({client.route({10}, 8), client.route({11}, 8)}), 0U);
  TpRtmEntityStatistics of_one{};
  of_one.size = sizeof of_one;
  ASSERT_EQ(TpRtmGetEntityStatistics(other.handle, client.handle, &of_one), 0U);
  EXPECT_EQ(of_one.routes, 2U);
  EXPECT_EQ(of_one.next_hops, 1U);
  EXPECT_EQ(of_one.protocol, 9000U);
  EXPECT_EQ(of_one.size, sizeof of_one);
  ASSERT_EQ(TpRtmGetEntityStatistics(other.handle, nullptr, &of_one), 0U);
  EXPECT_EQ(of_one.protocol, 9001U);
  EXPECT_EQ(of_one.routes, 0U);
  TpRtmTableStatistics all{};
  all.size = offsetof(TpRtmTableStatistics, routes);
  all.routes = 4711;
  ASSERT_EQ(TpRtmGetTableStatistics(client.handle, &all), 0U);
  EXPECT_EQ(all.entities, 2U);
  EXPECT_EQ(all.destinations, 2U);
  EXPECT_EQ(all.routes, 4711U) << "an older client's structure is shorter";

  all.size = 0;
  EXPECT_EQ(TpRtmGetTableStatistics(client.handle, &all), 87U);
  EXPECT_EQ(TpRtmGetTableStatistics(client.handle, nullptr), 87U);
  EXPECT_EQ(TpRtmGetTableStatistics(nullptr, &all), 6U);
  EXPECT_EQ(TpRtmGetEntityStatistics(client.handle, nullptr, nullptr), 87U);
  EXPECT_EQ(TpRtmGetEntityStatistics(client.handle, client.hop, &of_one), 6U);
  EXPECT_EQ(TpRtmGetEntityStatistics(nullptr, client.handle, &of_one), 6U);
}

TEST_P(RtmExtensions, KeepsAJournalOfTheLastChanges) {
  Client client(GetParam());
  TpRtmJournalEntry entries[8];
  std::uint32_t count = 8;
  EXPECT_EQ(TpRtmReadJournal(client.handle, 0, entries, &count), DWORD{ERROR_NOT_FOUND});
  ASSERT_EQ(TpRtmKeepJournal(client.handle, 3), 0U);
  EXPECT_EQ(TpRtmReadJournal(client.handle, 0, entries, &count), DWORD{ERROR_NO_MORE_ITEMS});
  ASSERT_EQ(client.add({client.route({10}, 8, 5), client.route({10}, 8, 6), client.route({11}, 8)}), 0U);
  const TpRtmAddress gone = client.prefix({10}, 8);
  std::uint32_t status;
  ASSERT_EQ(TpRtmDeleteRoutesTo(client.handle, &gone, 1, &status), 0U);
  count = 8;
  ASSERT_EQ(TpRtmReadJournal(client.handle, 0, entries, &count), 0U);
  ASSERT_EQ(count, 3U) << "the first was overwritten";
  EXPECT_EQ(entries[0].number + 1, entries[1].number);
  EXPECT_EQ(entries[0].what, TP_RTM_UPDATED);
  EXPECT_EQ(entries[0].metric, 6U);
  EXPECT_EQ(entries[1].what, TP_RTM_ADDED);
  EXPECT_EQ(entries[2].what, TP_RTM_DELETED);
  EXPECT_EQ(entries[2].destination.address[0], 10U);
  EXPECT_EQ(entries[2].protocol, 9000U);
  EXPECT_EQ(entries[2].was_best, 1U);
  EXPECT_NE(entries[2].time, 0U);
  count = 8;
  EXPECT_EQ(TpRtmReadJournal(client.handle, entries[1].number, entries, &count), 0U);
  EXPECT_EQ(count, 1U);

  EXPECT_EQ(TpRtmKeepJournal(client.handle, TP_RTM_MAX_JOURNAL + 1), 87U);
  EXPECT_EQ(TpRtmKeepJournal(nullptr, 1), 6U);
  EXPECT_EQ(TpRtmReadJournal(client.handle, 0, nullptr, &count), 87U);
  EXPECT_EQ(TpRtmReadJournal(client.handle, 0, entries, nullptr), 87U);
  EXPECT_EQ(TpRtmReadJournal(nullptr, 0, entries, &count), 6U);
  EXPECT_EQ(TpRtmKeepJournal(client.handle, 0), 0U);
  EXPECT_EQ(TpRtmReadJournal(client.handle, 0, entries, &count), DWORD{ERROR_NOT_FOUND});
}

// --- what an administrator prefers
// ---------------------------------------------------------------------------------------------------

constexpr std::uint32_t kRip = 8, kOspf = 13;  // as EntityProtocolIds

// The usual preferences hold again at its end.
class RtmPreferences : public RtmExtensions {
 protected:
  ~RtmPreferences() override { EXPECT_EQ(prefer({}), 0U); }

  std::uint32_t prefer(const std::vector<TpRtmPreference>& wanted) const {
    return TpRtmSetPreferences(0, family(), wanted.data(), static_cast<std::uint32_t>(wanted.size()));
  }
  std::uint32_t preference_of(std::uint32_t protocol) const {
    std::uint32_t found = 0;
    EXPECT_EQ(TpRtmGetPreference(0, family(), protocol, &found), 0U);
    return found;
  }
  static std::uint16_t family() { return static_cast<std::uint16_t>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Families, RtmPreferences, testing::Values(AF_INET, AF_INET6),
                         [](const auto& family) { return family.param == AF_INET ? "IPv4" : "IPv6"; });

// clauses: RTM2-248
TEST_P(RtmPreferences, RankRoutesThatCameWithoutOne_choice) {
  Client rip(GetParam(), kRip), ospf(GetParam(), kOspf), other(GetParam());
  TpRtmRoute given = other.route({10}, 8);
  given.preference = 115;
  ASSERT_EQ(rip.add({rip.route({10}, 8)}) + ospf.add({ospf.route({10}, 8)}) + other.add({given}), 0U);
  EXPECT_EQ(rip.match({10}).protocol, kOspf);
  EXPECT_EQ(preference_of(kRip), 120U);

  ASSERT_EQ(prefer({{kOspf, 116}, {9000, 1}}), 0U);
  EXPECT_EQ(preference_of(kOspf), 116U);
  EXPECT_EQ(preference_of(9000), 1U);
  EXPECT_EQ(preference_of(kRip), 120U);
  EXPECT_EQ(rip.match({10}).preference, 115U) << "what came with one keeps it";
  ASSERT_EQ(prefer({{kRip, 2}}), 0U) << "and OSPF has what is usual again";
  EXPECT_EQ(rip.match({10}).protocol, kRip);
  EXPECT_EQ(rip.match({10}).preference, 2U);
  ASSERT_EQ(rip.add({rip.route({11}, 8)}), 0U);
  EXPECT_EQ(rip.match({11}).preference, 2U);
  ASSERT_EQ(prefer({}), 0U);
  EXPECT_EQ(rip.match({10}).preference, 110U);
  EXPECT_EQ(rip.match({11}).preference, 120U);
}

// A route that has got a preference of its own since, or has given it up. clauses: RTM2-248
TEST_P(RtmPreferences, FollowTheLastAddition_choice) {
  Client client(GetParam());
  TpRtmRoute route = client.route({10}, 8);
  ASSERT_EQ(client.add({route}), 0U);
  route.preference = 7;
  ASSERT_EQ(client.add({route}), 0U);
  ASSERT_EQ(prefer({{9000, 50}}), 0U);
  EXPECT_EQ(client.match({10}).preference, 7U);
  route.preference = 0;
  ASSERT_EQ(client.add({route}), 0U);
  EXPECT_EQ(client.match({10}).preference, 50U);
  ASSERT_EQ(prefer({{9000, 51}}), 0U);
  EXPECT_EQ(client.match({10}).preference, 51U);
}

// clauses: RTM2-248
TEST_P(RtmPreferences, AreToldAsAnUpdateIs_choice) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({10}, 8), client.route({11}, 8)}), 0U);
  RTM_NOTIFY_HANDLE changes = nullptr;
  ASSERT_EQ(RtmRegisterForChangeNotification(client.handle, kUnicast, RTM_CHANGE_TYPE_BEST, nullptr, &changes), 0U);
  int descriptor = -1;
  ASSERT_EQ(TpRtmChangeDescriptor(client.handle, changes, &descriptor), 0U);
  ASSERT_EQ(TpRtmKeepJournal(client.handle, 8), 0U);
  ASSERT_EQ(prefer({{1, 9}}), 0U) << "another protocol's";
  pollfd watched{descriptor, POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 0);
  ASSERT_EQ(prefer({{9000, 9}}), 0U);
  EXPECT_EQ(::poll(&watched, 1, 0), 1);
  TpRtmJournalEntry entries[8];
  std::uint32_t count = 8;
  ASSERT_EQ(TpRtmReadJournal(client.handle, 0, entries, &count), 0U);
  ASSERT_EQ(count, 2U);
  EXPECT_EQ(entries[1].what, TP_RTM_UPDATED);
  EXPECT_EQ(entries[1].preference, 9U);
  EXPECT_EQ(TpRtmKeepJournal(client.handle, 0), 0U);
  EXPECT_EQ(RtmDeregisterFromChangeNotification(client.handle, changes), 0U);
}

// Neither waits for the other, and neither undoes the other's work. clauses: RTM2-248
TEST_P(RtmPreferences, LeaveAnEditInAnImageAlone_choice) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({10}, 8), client.route({11}, 8)}), 0U);
  for (const auto& [first, edited, expected] :
       {std::tuple(std::uint8_t{10}, 0U, 51U), std::tuple(std::uint8_t{11}, 8U, 8U)}) {
    auto* route = static_cast<RTM_ROUTE_HANDLE>(client.match({first}).route);
    PRTM_ROUTE_INFO image = nullptr;
    ASSERT_EQ(RtmLockRoute(client.handle, route, TRUE, TRUE, &image), 0U);
    image->PrefInfo.Metric = 77;
    if (edited != 0) image->PrefInfo.Preference = edited;
    ASSERT_EQ(prefer({{9000, 51}}), 0U);
    EXPECT_EQ(image->PrefInfo.Metric, 77U);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    ASSERT_EQ(RtmUpdateAndUnlockRoute(client.handle, route, INFINITE, nullptr, 0, nullptr, &flags), 0U);
    EXPECT_EQ(client.match({first}).metric, 77U);
    EXPECT_EQ(client.match({first}).preference, expected);
    ASSERT_EQ(prefer({}), 0U);
    EXPECT_EQ(client.match({first}).preference, edited != 0 ? edited : 100U);
  }
}

TEST_P(RtmPreferences, RefusesWhatCanBeNone) {
  const TpRtmPreference good{9000, 5}, none{9000, 0};
  const TpRtmPreference twice[] = {good, good};
  std::uint32_t found = 1234;
  EXPECT_EQ(TpRtmSetPreferences(0, family(), nullptr, 1), 87U);
  EXPECT_EQ(TpRtmSetPreferences(0, family(), &none, 1), 87U);
  EXPECT_EQ(TpRtmSetPreferences(0, family(), twice, 2), 87U);
  EXPECT_EQ(TpRtmSetPreferences(0, family(), &good, TP_RTM_MAX_PREFERENCES + 1), 87U);
  EXPECT_EQ(TpRtmSetPreferences(0, AF_UNIX, &good, 1), 87U);
  EXPECT_EQ(TpRtmSetPreferences(77, family(), &good, 1), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(TpRtmGetPreference(0, family(), 9000, nullptr), 87U);
  EXPECT_EQ(TpRtmGetPreference(0, AF_UNIX, 9000, &found), 87U);
  EXPECT_EQ(TpRtmGetPreference(77, family(), 9000, &found), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(found, 1234U);
  EXPECT_EQ(preference_of(9000), 100U);
}

// Who asks meanwhile sees one preference or the other.
TEST_P(RtmPreferences, ChangeWhileOthersWriteAndLook) {
  Client reader(GetParam());
  std::atomic<bool> over = false;
  std::thread writer([&] {
    Client client(GetParam(), 9001);
    while (!over) {
      std::vector<TpRtmRoute> routes;
      for (std::uint8_t i = 1; i < 50; ++i) routes.push_back(client.route({i}, 8));
      EXPECT_EQ(client.add(routes), 0U);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const std::uint32_t wanted = i % 2 == 0 ? 30 : 40;
    ASSERT_EQ(prefer({{9001, wanted}}), 0U);
    const TpRtmMatch match = reader.match({static_cast<std::uint8_t>(i % 49 + 1)});
    EXPECT_TRUE(match.route == nullptr || match.preference == wanted) << match.preference;
  }
  over = true;
  writer.join();
}

// --- with others at work
// ---------------------------------------------------------------------------------------------------

// 10/8 is always there, 10.1/16 comes and goes, and other prefixes take the records that it leaves: an answer is one of
// the two.
TEST_P(RtmExtensions, MatchesRightlyWhileDestinationsComeAndGo) {
  Client client(GetParam());
  ASSERT_EQ(client.add({client.route({10}, 8), client.route({12}, 8)}), 0U);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    const TpRtmAddress gone[] = {client.prefix({10, 1}, 16), client.prefix({13}, 8), client.prefix({10, 2}, 16)};
    while (!done) {
      std::uint32_t statuses[3];
      client.add({client.route({10, 1}, 16)});
      TpRtmDeleteRoutesTo(client.handle, gone, 1, statuses);
      client.add({client.route({13}, 8), client.route({10, 2}, 16)});
      TpRtmDeleteRoutesTo(client.handle, gone + 1, 2, statuses);
    }
  });
  const std::size_t stride = GetParam() == AF_INET ? 4 : 16;
  alignas(4) std::array<std::uint8_t, 64 * 16> asked{};
  for (std::size_t i = 0; i < 64; ++i) {
    asked[i * stride] = 10;
    asked[i * stride + 1] = 1;
  }
  std::array<TpRtmMatch, 64> found;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(
        TpRtmMatchRoutes(client.handle, kUnicast, i % 4 == 0 ? TP_RTM_REFERENCE : 0, asked.data(), 64, found.data()),
        0U);
    for (TpRtmMatch& match : found) {
      ASSERT_TRUE(match.bits == 8 || match.bits == 16) << match.bits;
      if (i % 4 == 0 && match.route != nullptr) {
        ASSERT_EQ(RtmReleaseRoutes(client.handle, 1, &match.route), DWORD{NO_ERROR});
      }
    }
  }
  done = true;
  writer.join();
}

}  // namespace
