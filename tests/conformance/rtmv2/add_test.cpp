// RTM2-011, RTM2-097 … RTM2-116: adding and updating routes by their values or by their handle.
#include <cstring>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class Adding : public RtmTest {
 protected:
  /// What the library knows of a route; released when the test ends.
  static void expect(const Client& client, RTM_ROUTE_HANDLE route, ULONG preference, ULONG metric) {
    RouteInfo info(client);
    ASSERT_EQ(RtmGetRouteInfo(client, route, info, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(info->PrefInfo.Preference, preference);
    EXPECT_EQ(info->PrefInfo.Metric, metric);
  }
  DWORD refused(Net prefix, const RouteSpec& spec) {
    DWORD answer = 0;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    const Books before = Books::now();
    const Route route = owner_.try_route(prefix, spec, answer, flags);
    EXPECT_EQ(HANDLE{route}, nullptr);
    EXPECT_EQ(Books::now(), before);
    return answer;
  }

  Client owner_;
  Client other_;
  DWORD answer_ = 0;
  RTM_ROUTE_CHANGE_FLAGS flags_ = 0;
};

// clauses: RTM2-097
TEST_F(Adding, TheFirstRoute) {
  const Route route = owner_.try_route("10.0.0.0/8", {}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_EQ(flags_, DWORD{RTM_ROUTE_CHANGE_NEW | RTM_ROUTE_CHANGE_BEST});
  EXPECT_NE(HANDLE{route}, nullptr);
  DestInfo destination = other_.find("10.0.0.0/8");
  EXPECT_EQ(destination.prefix(), "10.0.0.0/8");
  EXPECT_EQ(destination.view(0).Route, HANDLE{route});
  EXPECT_EQ(destination.view(0).Owner, HANDLE{owner_});
  EXPECT_EQ(destination.view(0).NumRoutes, 1U);
}

// clauses: RTM2-098
TEST_F(Adding, TheSameNeighbourAgainIsAnUpdate) {
  const NextHop neighbour = owner_.next_hop("192.0.2.1");
  const Route first = owner_.route("10.0.0.0/8", {.metric = 1, .neighbour = neighbour});
  const Route second =
      owner_.try_route("10.0.0.0/8", {.metric = 2, .neighbour = neighbour, .flags = 0x10}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_EQ(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_EQ(HANDLE{first}, HANDLE{second});
  expect(owner_, first, 10, 2);
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, first, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->Flags, 0x10);
  EXPECT_EQ(owner_.find("10.0.0.0/8").view(0).NumRoutes, 1U);
}

// clauses: RTM2-099
TEST_F(Adding, AnotherNeighbourOrAnotherOwnerIsAnotherRoute) {
  const NextHop one = owner_.next_hop("192.0.2.1");
  const NextHop two = owner_.next_hop("192.0.2.2");
  const Route first = owner_.route("10.0.0.0/8", {.neighbour = one});
  const Route second = owner_.try_route("10.0.0.0/8", {.neighbour = two}, answer_, flags_);
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  const Route third = owner_.try_route("10.0.0.0/8", {}, answer_, flags_);
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  const Route fourth = other_.try_route("10.0.0.0/8", {}, answer_, flags_);
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_NE(HANDLE{first}, HANDLE{second});
  EXPECT_NE(HANDLE{third}, HANDLE{fourth});
  EXPECT_EQ(owner_.find("10.0.0.0/8").view(0).NumRoutes, 4U);
}

// clauses: RTM2-100
TEST_F(Adding, FirstUpdatesTheCallersBestWhateverItsNeighbour) {
  const NextHop one = owner_.next_hop("192.0.2.1");
  const NextHop two = owner_.next_hop("192.0.2.2");
  const NextHop three = owner_.next_hop("192.0.2.3");
  const Route worse = owner_.route("10.0.0.0/8", {.metric = 9, .neighbour = one});
  const Route better = owner_.route("10.0.0.0/8", {.metric = 2, .neighbour = two});
  const Route worst = owner_.route("10.0.0.0/8", {.metric = 10});
  const Route updated = owner_.try_route(
      "10.0.0.0/8", {.metric = 3, .neighbour = three, .change = RTM_ROUTE_CHANGE_FIRST}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_EQ(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_EQ(HANDLE{updated}, HANDLE{better});
  expect(owner_, better, 10, 3);
  expect(owner_, worse, 10, 9);
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, better, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->Neighbour, HANDLE{three});
}

// clauses: RTM2-101
TEST_F(Adding, FirstCreatesWhereTheCallerHasNone) {
  const Route theirs = other_.route("10.0.0.0/8", {.metric = 1});
  const Route mine = owner_.try_route("10.0.0.0/8", {.metric = 2, .change = RTM_ROUTE_CHANGE_FIRST}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_NE(HANDLE{mine}, HANDLE{theirs});
  expect(owner_, theirs, 10, 1);
}

// clauses: RTM2-102
TEST_F(Adding, NewCreatesWhateverThereIs) {
  const Route first = owner_.route("10.0.0.0/8");
  const Route second = owner_.try_route("10.0.0.0/8", {.change = RTM_ROUTE_CHANGE_NEW}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_NE(HANDLE{first}, HANDLE{second});
  EXPECT_EQ(owner_.find("10.0.0.0/8").view(0).NumRoutes, 2U);
}

// clauses: RTM2-103
TEST_F(Adding, UpdateByHandleTakesNoReference) {
  const Route route = owner_.route("10.0.0.0/8");
  const uint64_t before = TpReferenceCount(TP_KIND_ROUTE);
  const RTM_ROUTE_CHANGE_FLAGS flags = owner_.update(route, "10.0.0.0/8", {.metric = 5});
  EXPECT_EQ(flags & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), before);
  expect(owner_, route, 10, 5);
}

// clauses: RTM2-104
TEST_F(Adding, TheRouteOfAnotherIsNotTouched) {
  const Route theirs = other_.route("10.0.0.0/8", {.metric = 3});
  RouteInfo info(owner_, {.metric = 7});
  HANDLE handle = theirs;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmAddRouteToDest(owner_, &handle, Net("10.0.0.0/8"), info, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{ERROR_ACCESS_DENIED});
  expect(other_, theirs, 10, 3);
}

// clauses: RTM2-105
TEST_F(Adding, BadRouteHandle) {
  RouteInfo info(owner_);
  Route deleted = owner_.route("10.0.0.0/8");
  const HANDLE stale = deleted;
  owner_.remove(std::move(deleted));
  for (const HANDLE bad : {kInvalid, kGarbage, stale}) {
    HANDLE handle = bad;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddRouteToDest(owner_, &handle, Net("10.0.0.0/8"), info, INFINITE, nullptr, 0, nullptr, &flags),
              DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
}

// clauses: RTM2-106
TEST_F(Adding, WithoutAHandle) {
  RouteInfo info(owner_);
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  const uint64_t before = TpReferenceCount(TP_KIND_ROUTE);
  EXPECT_EQ(RtmAddRouteToDest(owner_, nullptr, Net("10.0.0.0/8"), info, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{NO_ERROR});
  EXPECT_NE(flags & RTM_ROUTE_CHANGE_NEW, 0U);
  EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), before);
  EXPECT_TRUE(owner_.has("10.0.0.0/8"));
}

// clauses: RTM2-107
TEST_F(Adding, AsManyNextHopsAsTheProfileSays_choice) {
  std::vector<NextHop> kept;
  std::vector<HANDLE> hops;
  for (UINT i = 0; i <= owner_.profile().MaxNextHopsInRoute; ++i) {
    kept.push_back(owner_.next_hop("192.0.2.1", i + 1));
    hops.push_back(kept.back());
  }
  EXPECT_EQ(refused("10.0.0.0/8", {.hops = hops}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
  hops.pop_back();
  const Route full = owner_.route("10.0.0.0/8", {.hops = hops});
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, full, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info.hops(), hops);
  const Route none = owner_.route("11.0.0.0/8", {.hops = {}});
  EXPECT_TRUE(owner_.has("11.0.0.0/8"));
}

// clauses: RTM2-108
TEST_F(Adding, TheNextHopsOfAnother_choice) {
  const NextHop theirs = other_.next_hop("192.0.2.1");
  EXPECT_EQ(refused("10.0.0.0/8", {.hops = {theirs}}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(refused("10.0.0.0/8", {.neighbour = theirs}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
}

// clauses: RTM2-109
TEST_F(Adding, WrongFamilyOrLength_choice) {
  EXPECT_EQ(refused("2001:db8::/32", {}), DWORD{ERROR_INVALID_PARAMETER});
  Net long_one("10.0.0.0/32");
  long_one.value().NumBits = 33;
  EXPECT_EQ(refused(long_one, {}), DWORD{ERROR_INVALID_PARAMETER});
  const Client six({.family = AF_INET6});
  Net longer("2001:db8::/128");
  longer.value().NumBits = 129;
  RouteInfo info(six);
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmAddRouteToDest(six, nullptr, longer, info, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION), 0U);
}

// clauses: RTM2-110
TEST_F(Adding, BitsBeyondTheLengthAreCleared_choice) {
  const Route one = owner_.route("10.1.2.3/8");
  const Route same = owner_.try_route("10.0.0.0/8", {}, answer_, flags_);
  EXPECT_EQ(HANDLE{one}, HANDLE{same});
  EXPECT_EQ(owner_.find("10.9.9.9/8").prefix(), "10.0.0.0/8");
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION), 1U);
}

// clauses: RTM2-011
TEST_F(Adding, BytesBeyondAnIpv4AddressDoNotCount_choice) {
  Net clean("10.0.0.0/8");
  Net dirty("10.0.0.0/8");
  std::memset(&dirty.value().AddrBits[4], 0xEE, 12);
  const Route one = owner_.route(dirty);
  const Route same = owner_.route(clean);
  EXPECT_EQ(HANDLE{one}, HANDLE{same});
  EXPECT_EQ(owner_.find(dirty).handle(), owner_.find(clean).handle());
}

// clauses: RTM2-111
TEST_F(Adding, TheRouteHoldsItsNextHopsItself) {
  NextHop hop = owner_.next_hop("192.0.2.1");
  NextHop neighbour = owner_.next_hop("192.0.2.2");
  const std::vector<HANDLE> hops = {hop};
  const HANDLE from = neighbour;
  const Route route = owner_.route("10.0.0.0/8", {.neighbour = neighbour, .hops = hops});
  hop.release();
  neighbour.release();
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, route, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info.hops(), hops);
  EXPECT_EQ(info->Neighbour, from);
  RTM_NEXTHOP_INFO hop_info{};
  ASSERT_EQ(RtmGetNextHopInfo(owner_, hops[0], &hop_info), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(hop_info.NextHopAddress), "192.0.2.1/32");
  EXPECT_EQ(RtmReleaseNextHopInfo(owner_, &hop_info), DWORD{NO_ERROR});
}

// clauses: RTM2-112 RTM2-113
TEST_F(Adding, DestinationOwnerAndStateAreTheLibrarys_choice) {
  RouteInfo spec(owner_);
  spec->DestHandle = kGarbage;
  spec->RouteOwner = kGarbage;
  spec->State = RTM_ROUTE_STATE_DELETED;
  HANDLE handle = nullptr;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmAddRouteToDest(owner_, &handle, Net("10.0.0.0/8"), spec, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{NO_ERROR});
  spec->DestHandle = nullptr;  // never ours to release
  const Route route(owner_, handle);
  RouteInfo info(other_);
  RTM_NET_ADDRESS address{};
  ASSERT_EQ(RtmGetRouteInfo(other_, route, info, &address), DWORD{NO_ERROR});
  EXPECT_EQ(info->DestHandle, owner_.find("10.0.0.0/8").handle());
  EXPECT_EQ(info->RouteOwner, HANDLE{owner_}) << "the owner's registration handle is its entity handle";
  EXPECT_EQ(info->State, RTM_ROUTE_STATE_CREATED);
  EXPECT_EQ(text_of(address), "10.0.0.0/8");
}

// clauses: RTM2-114
TEST_F(Adding, PreferenceZeroIsThatOfTheProtocol_choice) {
  struct {
    ULONG protocol;
    ULONG preference;
  } const table[] = {{2, 1},    {10006, 3}, {10007, 5}, {10002, 7}, {3, 10},    {14, 20},
                     {13, 110}, {9, 115},   {8, 120},   {1, 100},   {4711, 100}};
  for (const auto& row : table) {
    const Client client({.protocol = row.protocol});
    const Route configured = client.route("10.0.0.0/8", {.preference = 0});
    expect(client, configured, row.preference, 1);
    const Route given = client.route("11.0.0.0/8", {.preference = 77});
    expect(client, given, 77, 1);
  }
}

// clauses: RTM2-115
TEST_F(Adding, NullPointers_choice) {
  RouteInfo info(owner_);
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmAddRouteToDest(owner_, nullptr, nullptr, info, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmAddRouteToDest(owner_, nullptr, Net("10.0.0.0/8"), nullptr, INFINITE, nullptr, 0, nullptr, &flags),
            DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmAddRouteToDest(owner_, nullptr, Net("10.0.0.0/8"), info, INFINITE, nullptr, 0, nullptr, nullptr),
            DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
}

uint64_t last_changed(const Client& client) {
  const FILETIME stamp = client.find("10.0.0.0/8")->LastChanged;
  return uint64_t{stamp.dwHighDateTime} << 32 | stamp.dwLowDateTime;
}

// clauses: RTM2-116
TEST_F(Adding, TheStampOfADestinationMovesOn) {
  const Route route = owner_.route("10.0.0.0/8");
  const uint64_t created = last_changed(owner_);
  EXPECT_GE(created, 116444736000000000U) << "100 ns since 1601: not before 1970";
  pass(1000);
  EXPECT_GE(last_changed(owner_), created);
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  const uint64_t updated = last_changed(owner_);
  EXPECT_GT(updated, created);
  pass(1000);
  const Route second = other_.route("10.0.0.0/8");
  EXPECT_GT(last_changed(owner_), updated);
}

}  // namespace
}  // namespace turnpike::conformance
