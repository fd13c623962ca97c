// RTM2-195 … RTM2-206: hold-down.
#include <algorithm>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class HoldDown : public RtmTest {
 protected:
  /// Marks a destination that has a route.
  void hold(const char* prefix, RTM_VIEW_SET views, ULONG milliseconds) {
    DestInfo destination = client_.find(prefix, kAny);
    EXPECT_EQ(RtmHoldDestination(client_, destination.handle(), views, milliseconds), DWORD{NO_ERROR});
  }
  /// A destination found whether it has routes or is only held.
  DestInfo look(const char* prefix) {
    DestInfo found = client_.find(prefix, kAny);
    return client_.look(found.handle(), kBoth);
  }
  std::vector<std::string> enumerate(RTM_VIEW_SET views) {
    HANDLE dests = nullptr;
    EXPECT_EQ(RtmCreateDestEnum(client_, views, RTM_ENUM_START, nullptr, 0, &dests), DWORD{NO_ERROR});
    std::vector<std::string> prefixes;
    for (;;) {
      DestInfo info(client_);
      UINT count = 1;
      if (RtmGetEnumDests(client_, dests, &count, info) != NO_ERROR) {
        break;
      }
      prefixes.push_back(info.prefix());
    }
    EXPECT_EQ(RtmDeleteEnumHandle(client_, dests), DWORD{NO_ERROR});
    return prefixes;
  }

  Client client_;
};

// clauses: RTM2-195
TEST_F(HoldDown, TimeZeroAndBadHandles) {
  const Route route = client_.route("10.0.0.0/8");
  DestInfo destination = client_.find("10.0.0.0/8");
  EXPECT_EQ(RtmHoldDestination(client_, destination.handle(), kUnicast, 0), DWORD{ERROR_INVALID_PARAMETER});
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage}) {
    EXPECT_EQ(RtmHoldDestination(client_, bad, kUnicast, 1000), DWORD{ERROR_INVALID_HANDLE});
  }
}

// clauses: RTM2-196
TEST_F(HoldDown, MarkingAloneShowsNothing) {
  const Route route = client_.route("10.0.0.0/8");
  const Watch watch(client_, RTM_CHANGE_TYPE_ALL, kBoth);
  hold("10.0.0.0/8", kBoth, 1000);
  EXPECT_TRUE(watch.changed().empty());
  DestInfo destination = look("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).Route, HANDLE{route});
  EXPECT_EQ(destination.view(0).HoldRoute, nullptr);
  pass(5000);
  EXPECT_TRUE(watch.changed().empty());
  EXPECT_EQ(look("10.0.0.0/8").view(0).HoldRoute, nullptr);
}

// clauses: RTM2-197
TEST_F(HoldDown, ANonLastRouteStartsNone) {
  Route first = client_.route("10.0.0.0/8", {.metric = 1});
  const Route second = client_.route("10.0.0.0/8", {.metric = 2, .change = RTM_ROUTE_CHANGE_NEW});
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(first));
  DestInfo destination = look("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).Route, HANDLE{second});
  EXPECT_EQ(destination.view(0).HoldRoute, nullptr);
}

// clauses: RTM2-198
TEST_F(HoldDown, TheLastRouteIsHeld) {
  Route route = client_.route("10.0.0.0/8");
  const HANDLE held = route;
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  DestInfo destination = look("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).Route, nullptr);
  EXPECT_EQ(destination.view(0).HoldRoute, held);
  EXPECT_EQ(destination.view(0).NumRoutes, 0U);
}

// clauses: RTM2-199
TEST_F(HoldDown, OnlyMarkedViewsHold_choice) {
  Route route = client_.route("10.0.0.0/8", {.views = kBoth});
  hold("10.0.0.0/8", kMulticast, 1000);
  client_.remove(std::move(route));
  DestInfo destination = look("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).HoldRoute, nullptr);
  EXPECT_NE(destination.view(1).HoldRoute, nullptr);
}

// clauses: RTM2-199
TEST_F(HoldDown, ADestinationIsMarkedInSupportedViewsOnly_choice) {
  const Route route = client_.route("10.0.0.0/8");
  DestInfo destination = client_.find("10.0.0.0/8");
  for (const RTM_VIEW_SET none : {kAny, kUnsupportedView}) {
    EXPECT_EQ(RtmHoldDestination(client_, destination.handle(), none, 1000), DWORD{ERROR_INVALID_PARAMETER});
  }
}

// clauses: RTM2-200
TEST_F(HoldDown, ANewRouteForwardsWhileTheOldIsHeld) {
  Route route = client_.route("10.0.0.0/8");
  const HANDLE held = route;
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  pass(400);
  const Route fresh = client_.route("10.0.0.0/8");
  {
    DestInfo destination = look("10.0.0.0/8");
    EXPECT_EQ(destination.view(0).Route, HANDLE{fresh});
    EXPECT_EQ(destination.view(0).HoldRoute, held);
  }
  pass(1100);
  DestInfo destination = look("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).Route, HANDLE{fresh});
  EXPECT_EQ(destination.view(0).HoldRoute, nullptr);
}

// clauses: RTM2-201
TEST_F(HoldDown, EndsWithItsTimeAndNotBefore) {
  Route route = client_.route("10.0.0.0/8");
  hold("10.0.0.0/8", kUnicast, 1000);
  pass(5000);  // the time begins with the deletion, not with the mark
  client_.remove(std::move(route));
  pass(999);
  EXPECT_TRUE(client_.has("10.0.0.0/8"));
  EXPECT_NE(look("10.0.0.0/8").view(0).HoldRoute, nullptr);
  pass(1 + 500);
  EXPECT_FALSE(client_.has("10.0.0.0/8"));
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), 0U);
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION), 0U);
}

// clauses: RTM2-202
TEST_F(HoldDown, OneTimeForAllViewsTheLongest_choice) {
  Route unicast = client_.route("10.0.0.0/8", {.views = kUnicast});
  Route multicast = client_.route("10.0.0.0/8", {.views = kMulticast, .change = RTM_ROUTE_CHANGE_NEW});
  hold("10.0.0.0/8", kUnicast, 3000);
  hold("10.0.0.0/8", kMulticast, 1000);
  client_.remove(std::move(unicast));
  pass(1000);
  client_.remove(std::move(multicast));
  pass(1999);
  {
    DestInfo destination = look("10.0.0.0/8");
    EXPECT_NE(destination.view(0).HoldRoute, nullptr);
    EXPECT_NE(destination.view(1).HoldRoute, nullptr);
  }
  pass(1 + 500);  // 3 s after the first of the two began
  EXPECT_FALSE(client_.has("10.0.0.0/8"));
}

// clauses: RTM2-203
TEST_F(HoldDown, HeldOnesAreEnumeratedWithAnyViewOnly) {
  const Route other = client_.route("9.0.0.0/8");
  Route route = client_.route("10.0.0.0/8");
  const HANDLE held = route;
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  EXPECT_EQ(enumerate(kAny), (std::vector<std::string>{"9.0.0.0/8", "10.0.0.0/8"}));
  for (const RTM_VIEW_SET views : {kUnicast, kBoth, RTM_VIEW_SET{RTM_VIEW_MASK_ALL}}) {
    EXPECT_EQ(enumerate(views), std::vector<std::string>{"9.0.0.0/8"}) << views;
  }
  EXPECT_TRUE(enumerate(kMulticast).empty());

  for (const RTM_VIEW_SET views : {kAny, kUnicast, kMulticast, RTM_VIEW_SET{RTM_VIEW_MASK_ALL}}) {
    HANDLE routes = nullptr;
    ASSERT_EQ(RtmCreateRouteEnum(client_, nullptr, views, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &routes),
              DWORD{NO_ERROR});
    HANDLE found[3] = {};
    UINT count = 3;
    RtmGetEnumRoutes(client_, routes, &count, found);
    EXPECT_EQ(std::count(found, found + count, held), views == kAny ? 1 : 0) << views;
    EXPECT_EQ(RtmReleaseRoutes(client_, count, found), DWORD{NO_ERROR});
    EXPECT_EQ(RtmDeleteEnumHandle(client_, routes), DWORD{NO_ERROR});
  }
}

// clauses: RTM2-204
TEST_F(HoldDown, AHeldRouteIsReadable_choice) {
  Route route = client_.route("10.0.0.0/8", {.metric = 7});
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  DestInfo destination = look("10.0.0.0/8");
  RouteInfo info(client_);
  ASSERT_EQ(RtmGetRouteInfo(client_, destination.view(0).HoldRoute, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->State, RTM_ROUTE_STATE_DELETING);
  EXPECT_EQ(info->PrefInfo.Metric, 7U);
  EXPECT_EQ(info->RouteOwner, HANDLE{client_});
}

// clauses: RTM2-205
TEST_F(HoldDown, ItsEndIsNoChangeOfForwarding_choice) {
  Route route = client_.route("10.0.0.0/8");
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  const Watch all(client_, RTM_CHANGE_TYPE_ALL);
  const Watch best(client_, RTM_CHANGE_TYPE_BEST);
  const Watch forwarding(client_, RTM_CHANGE_TYPE_FORWARDING);
  pass(1500);
  EXPECT_EQ(all.changed(), std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(best.changed(), std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_TRUE(forwarding.changed().empty());
}

// clauses: RTM2-206
TEST_F(HoldDown, AMarkIsGoodForOneHoldDown_choice) {
  Route route = client_.route("10.0.0.0/8");
  hold("10.0.0.0/8", kUnicast, 1000);
  client_.remove(std::move(route));
  Route again = client_.route("10.0.0.0/8");  // so that the destination lives on
  pass(1500);
  client_.remove(std::move(again));
  EXPECT_FALSE(client_.has("10.0.0.0/8"));
}

}  // namespace
}  // namespace turnpike::conformance
