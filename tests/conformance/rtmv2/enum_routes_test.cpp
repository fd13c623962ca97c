// RTM2-184 … RTM2-194: enumerations of routes and of next hops, and how enumerations end.
#include <optional>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Handles = std::vector<HANDLE>;

/// What RtmCreateRouteEnum is asked for.
struct Wanted {
  RTM_DEST_HANDLE destination = nullptr;
  RTM_VIEW_SET views = kUnicast;
  RTM_ENUM_FLAGS flags = RTM_ENUM_START;
  PRTM_NET_ADDRESS from = nullptr;
  RTM_MATCH_FLAGS match = RTM_MATCH_NONE;
  PRTM_ROUTE_INFO criteria = nullptr;
  ULONG interface = 0;
};

/// Everything an enumeration gives, as bare values; their references are released.
Handles drain(const Client& client, HANDLE enumeration, decltype(&RtmGetEnumRoutes) get,
              decltype(&RtmReleaseRoutes) release) {
  Handles all;
  for (;;) {
    Handles some(2);
    UINT count = 2;
    const DWORD answer = get(client, enumeration, &count, some.data());
    if (answer == ERROR_NO_MORE_ITEMS && count == 0) {
      return all;
    }
    EXPECT_EQ(answer, DWORD{NO_ERROR});
    if (answer != NO_ERROR || count == 0) {
      return all;
    }
    all.insert(all.end(), some.begin(), some.begin() + count);
    EXPECT_EQ(release(client, count, some.data()), DWORD{NO_ERROR});
  }
}

Handles routes(const Client& client, const Wanted& wanted) {
  HANDLE enumeration = nullptr;
  EXPECT_EQ(RtmCreateRouteEnum(client, wanted.destination, wanted.views, wanted.flags, wanted.from, wanted.match,
                               wanted.criteria, wanted.interface, &enumeration),
            DWORD{NO_ERROR});
  Handles all = drain(client, enumeration, RtmGetEnumRoutes, RtmReleaseRoutes);
  EXPECT_EQ(RtmDeleteEnumHandle(client, enumeration), DWORD{NO_ERROR});
  return all;
}

class RouteEnums : public RtmTest {
 protected:
  Client one_;
  Client two_;
  NextHop first_ = one_.next_hop("192.0.2.1", 1);
  NextHop second_ = one_.next_hop("192.0.2.2", 2);
  // Not in the order of their ranks.
  Route last_ =
      one_.route("10.0.0.0/8", {.preference = 20, .metric = 1, .neighbour = second_, .hops = {first_, second_}});
  Route best_ = one_.route("10.0.0.0/8", {.metric = 1, .neighbour = first_, .hops = {first_}});
  Route middle_ = two_.route("10.0.0.0/8", {.metric = 2});
  Route elsewhere_ = two_.route("9.0.0.0/8", {.metric = 50});
  Route multicast_ = two_.route("10.0.0.0/8", {.metric = 1, .views = kMulticast, .change = RTM_ROUTE_CHANGE_NEW});
};

// clauses: RTM2-184
TEST_F(RouteEnums, OfOneDestinationBestFirst) {
  DestInfo destination = one_.find("10.0.0.0/8");
  EXPECT_EQ(routes(two_, {.destination = destination.handle()}), (Handles{best_, middle_, last_}));
  EXPECT_EQ(routes(two_, {.destination = destination.handle(), .views = kMulticast}), (Handles{multicast_}));
  EXPECT_EQ(routes(two_, {.destination = destination.handle(), .views = kAny}).size(), 4U);
}

// clauses: RTM2-185
TEST_F(RouteEnums, OwnOnes) {
  EXPECT_EQ(routes(one_, {.flags = RTM_ENUM_START | RTM_ENUM_OWN_ROUTES}), (Handles{best_, last_}));
  EXPECT_EQ(routes(two_, {.flags = RTM_ENUM_START | RTM_ENUM_OWN_ROUTES}), (Handles{elsewhere_, middle_}));
}

// clauses: RTM2-186
TEST_F(RouteEnums, FilteredByCriteria) {
  RouteInfo criteria(one_, {.preference = 20, .metric = 1, .neighbour = first_, .hops = {second_}});
  criteria->RouteOwner = two_;
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_OWNER, .criteria = criteria}), (Handles{elsewhere_, middle_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_NEIGHBOUR, .criteria = criteria}), (Handles{best_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_PREF, .criteria = criteria}), (Handles{last_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_NEXTHOP, .criteria = criteria}), (Handles{last_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_INTERFACE, .interface = 1}), (Handles{best_, last_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_INTERFACE | RTM_MATCH_PREF, .criteria = criteria, .interface = 1}),
            (Handles{last_}));
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_OWNER | RTM_MATCH_PREF, .criteria = criteria}), Handles{});
}

// clauses: RTM2-186
TEST_F(RouteEnums, WithoutCriteriaTheirStructureIsIgnored) {
  RouteInfo stale(one_, {.neighbour = kGarbage, .hops = {kGarbage, kInvalid}});
  stale->RouteOwner = kGarbage;
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_NONE, .criteria = stale}).size(), 4U);
  EXPECT_EQ(routes(one_, {.match = RTM_MATCH_NONE, .criteria = nullptr}).size(), 4U);
}

// clauses: RTM2-187
TEST_F(RouteEnums, CriteriaThatAreMissing_choice) {
  HANDLE untouched = kGarbage;
  for (const RTM_MATCH_FLAGS flags : {RTM_MATCH_OWNER, RTM_MATCH_NEIGHBOUR, RTM_MATCH_PREF, RTM_MATCH_NEXTHOP,
                                      RTM_MATCH_PREF | RTM_MATCH_INTERFACE, RTM_MATCH_FULL}) {
    EXPECT_EQ(RtmCreateRouteEnum(one_, nullptr, kUnicast, RTM_ENUM_START, nullptr, flags, nullptr, 1, &untouched),
              DWORD{ERROR_INVALID_PARAMETER})
        << flags;
  }
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-188
TEST_F(RouteEnums, OfTheWholeTableByDestinationThenRank) {
  EXPECT_EQ(routes(two_, {}), (Handles{elsewhere_, best_, middle_, last_}));
  EXPECT_EQ(routes(two_, {.flags = RTM_ENUM_NEXT, .from = Net("10.0.0.0/8")}), (Handles{best_, middle_, last_}));
  EXPECT_EQ(routes(two_, {.flags = RTM_ENUM_RANGE, .from = Net("9.0.0.0/8")}), (Handles{elsewhere_}));
}

class NextHopEnums : public RtmTest {
 protected:
  Handles enumerate(RTM_ENUM_FLAGS flags, PRTM_NET_ADDRESS from = nullptr) const {
    HANDLE enumeration = nullptr;
    EXPECT_EQ(RtmCreateNextHopEnum(client_, flags, from, &enumeration), DWORD{NO_ERROR});
    Handles all = drain(client_, enumeration, RtmGetEnumNextHops, RtmReleaseNextHops);
    EXPECT_EQ(RtmDeleteEnumHandle(client_, enumeration), DWORD{NO_ERROR});
    return all;
  }

  Client client_;
  Client other_;
  NextHop c_ = client_.next_hop("198.51.100.1");
  NextHop b_ = client_.next_hop("192.0.2.9");
  NextHop a_ = client_.next_hop("192.0.2.1");
  NextHop theirs_ = other_.next_hop("192.0.2.5");
};

// clauses: RTM2-189 RTM2-190
TEST_F(NextHopEnums, OnesOwnInTheOrderOfAddresses_choice) {
  EXPECT_EQ(enumerate(RTM_ENUM_START), (Handles{a_, b_, c_}));
}

// clauses: RTM2-189
TEST_F(NextHopEnums, FromAnAddressOrWithinARange) {
  EXPECT_EQ(enumerate(RTM_ENUM_NEXT, Net("192.0.2.9")), (Handles{b_, c_}));
  EXPECT_EQ(enumerate(RTM_ENUM_RANGE, Net("192.0.2.0/24")), (Handles{a_, b_}));
  EXPECT_EQ(enumerate(RTM_ENUM_RANGE, Net("203.0.113.0/24")), Handles{});
}

class EnumHandles : public RtmTest {
 protected:
  EnumHandles() {
    EXPECT_EQ(RtmCreateRouteList(client_, &list_), DWORD{NO_ERROR});
    EXPECT_EQ(RtmInsertInRouteList(client_, list_, 2, both_.data()), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateDestEnum(client_, kUnicast, RTM_ENUM_START, nullptr, 0, &dests_), DWORD{NO_ERROR});
    EXPECT_EQ(
        RtmCreateRouteEnum(client_, nullptr, kUnicast, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &routes_),
        DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateNextHopEnum(client_, RTM_ENUM_START, nullptr, &hops_), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateRouteListEnum(client_, list_, &listed_), DWORD{NO_ERROR});
  }
  ~EnumHandles() override { EXPECT_EQ(RtmDeleteRouteList(client_, list_), DWORD{NO_ERROR}); }

  Client client_;
  NextHop one_hop_ = client_.next_hop("192.0.2.1");
  NextHop two_hop_ = client_.next_hop("192.0.2.2");
  Route one_ = client_.route("10.0.0.0/8");
  Route two_ = client_.route("11.0.0.0/8");
  std::array<HANDLE, 2> both_ = {one_, two_};
  HANDLE list_ = nullptr;
  HANDLE dests_ = nullptr;
  HANDLE routes_ = nullptr;
  HANDLE hops_ = nullptr;
  HANDLE listed_ = nullptr;
};

// clauses: RTM2-191 RTM2-194
TEST_F(EnumHandles, EndMidWayAndWhatWasFetchedStays) {
  DestInfo dest(client_, 1);
  HANDLE route = nullptr;
  HANDLE hop = nullptr;
  HANDLE listed = nullptr;
  UINT count = 1;
  EXPECT_EQ(RtmGetEnumDests(client_, dests_, &count, dest), DWORD{NO_ERROR});
  EXPECT_EQ(RtmGetEnumRoutes(client_, routes_, &count, &route), DWORD{NO_ERROR});
  EXPECT_EQ(RtmGetEnumNextHops(client_, hops_, &count, &hop), DWORD{NO_ERROR});
  EXPECT_EQ(RtmGetListEnumRoutes(client_, listed_, &count, &listed), DWORD{NO_ERROR});
  const Route first(client_, route);
  const NextHop second(client_, hop);
  const Route third(client_, listed);
  for (const HANDLE each : {dests_, routes_, hops_, listed_}) {
    EXPECT_EQ(RtmDeleteEnumHandle(client_, each), DWORD{NO_ERROR});
    EXPECT_EQ(RtmDeleteEnumHandle(client_, each), DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_EQ(client_.look(dest.handle()).prefix(), "10.0.0.0/8");
  RouteInfo info(client_);
  EXPECT_EQ(RtmGetRouteInfo(client_, first, info, nullptr), DWORD{NO_ERROR});
  RTM_NEXTHOP_INFO hop_info{};
  EXPECT_EQ(RtmGetNextHopInfo(client_, second, &hop_info), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseNextHopInfo(client_, &hop_info), DWORD{NO_ERROR});
}

// clauses: RTM2-192
TEST_F(EnumHandles, EachGetTakesItsOwnKind_choice) {
  for (const HANDLE each : {dests_, routes_, hops_, listed_}) {
    UINT count = 1;
    HANDLE handle = nullptr;
    DestInfo dest(client_);
    if (each != dests_) {
      EXPECT_EQ(RtmGetEnumDests(client_, each, &count, dest), DWORD{ERROR_INVALID_HANDLE});
    }
    if (each != routes_) {
      EXPECT_EQ(RtmGetEnumRoutes(client_, each, &count, &handle), DWORD{ERROR_INVALID_HANDLE});
    }
    if (each != hops_) {
      EXPECT_EQ(RtmGetEnumNextHops(client_, each, &count, &handle), DWORD{ERROR_INVALID_HANDLE});
    }
    if (each != listed_) {
      EXPECT_EQ(RtmGetListEnumRoutes(client_, each, &count, &handle), DWORD{ERROR_INVALID_HANDLE});
    }
  }
  for (const HANDLE each : {dests_, routes_, hops_, listed_}) {
    EXPECT_EQ(RtmDeleteEnumHandle(client_, each), DWORD{NO_ERROR});
  }
}

}  // namespace
}  // namespace turnpike::conformance
