// RTM2-126 … RTM2-138: deleting routes, and routes that grow old.
#include <optional>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Deleting = RtmTest;

// clauses: RTM2-126
TEST_F(Deleting, ConsumesTheHandleAndTheRouteIsGone) {
  const Client owner;
  Route route = owner.route("10.0.0.0/8");
  HANDLE handle = route;
  RouteInfo info(owner, {});
  owner.remove(std::move(route));
  EXPECT_FALSE(owner.has("10.0.0.0/8"));
  EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), 0U);
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), 0U);
  EXPECT_EQ(RtmReleaseRoutes(owner, 1, &handle), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmGetExactMatchRoute(owner, Net("10.0.0.0/8"), RTM_MATCH_NONE, info, 0, kAny, nullptr),
            DWORD{ERROR_NOT_FOUND});
}

// clauses: RTM2-127
TEST_F(Deleting, OnlyByTheOwner) {
  const Client owner;
  const Client other;
  const Route route = owner.route("10.0.0.0/8");
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  const Books before = Books::now();
  EXPECT_EQ(RtmDeleteRouteToDest(other, route, &flags), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(Books::now(), before) << "the handle is not consumed";
  EXPECT_EQ(owner.best("10.0.0.0/8"), HANDLE{route});
}

// clauses: RTM2-128 RTM2-130
TEST_F(Deleting, ASecondReferenceOutlivesTheRoute_choice) {
  const Client owner;
  Route route = owner.route("10.0.0.0/8", {.metric = 7});
  HANDLE handle = route;
  ASSERT_EQ(RtmReferenceHandles(owner, 1, &handle), DWORD{NO_ERROR});
  const Route second(owner, handle);
  owner.remove(std::move(route));

  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmDeleteRouteToDest(owner, second, &flags), DWORD{ERROR_NOT_FOUND});
  RouteInfo info(owner);
  RTM_NET_ADDRESS address{};
  ASSERT_EQ(RtmGetRouteInfo(owner, second, info, &address), DWORD{NO_ERROR});
  EXPECT_EQ(info->State, RTM_ROUTE_STATE_DELETED);
  EXPECT_EQ(info->PrefInfo.Metric, 7U);
  EXPECT_EQ(text_of(address), "10.0.0.0/8");
}

// clauses: RTM2-129
TEST_F(Deleting, TheLastRouteTakesTheDestinationWithIt_choice) {
  const Client owner;
  Route last = owner.route("10.0.0.0/8");
  Route other = owner.route("10.1.0.0/16");
  owner.remove(std::move(last));
  DestInfo info(owner);
  EXPECT_EQ(RtmGetMostSpecificDestination(owner, Net("10.0.0.0/8"), 0, kUnicast, info), DWORD{ERROR_NOT_FOUND});
  HANDLE enumeration = nullptr;
  ASSERT_EQ(RtmCreateDestEnum(owner, kBoth, RTM_ENUM_START, nullptr, 0, &enumeration), DWORD{NO_ERROR});
  UINT count = 1;
  ASSERT_EQ(RtmGetEnumDests(owner, enumeration, &count, info), DWORD{NO_ERROR});
  EXPECT_EQ(info.prefix(), "10.1.0.0/16");
  EXPECT_EQ(RtmDeleteEnumHandle(owner, enumeration), DWORD{NO_ERROR});
}

class Ageing : public RtmTest {
 protected:
  void keep_what_expires() {
    owner_.on_event([this](const Event& event) {
      HANDLE handed_over = event.first;
      EXPECT_EQ(RtmReleaseRoutes(owner_, 1, &handed_over), DWORD{NO_ERROR});
      return DWORD{NO_ERROR};
    });
  }

  Client owner_;
};

// clauses: RTM2-131 RTM2-132
TEST_F(Ageing, TheOwnerIsToldAndMayLeaveItToTheLibrary) {
  Route route = owner_.route("10.0.0.0/8", {.metric = 7, .lives = 1000});
  const HANDLE handle = route;
  route.release();
  ULONG metric = 0;
  owner_.on_event([&](const Event& event) {
    metric = static_cast<PRTM_ROUTE_INFO>(event.second)->PrefInfo.Metric;
    return DWORD{ERROR_NOT_SUPPORTED};
  });
  pass(999);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 0U) << "too early";
  EXPECT_TRUE(owner_.has("10.0.0.0/8"));
  pass(1 + 500);
  const std::vector<Event> events = owner_.events(RTM_ROUTE_EXPIRED);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].first, handle);
  EXPECT_EQ(events[0].receiver, HANDLE{owner_});
  EXPECT_EQ(metric, 7U);
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), 0U) << "the handle of the event was disposed of";
}

// clauses: RTM2-133
TEST_F(Ageing, TheOwnerMayKeepTheRoute) {
  owner_.route("10.0.0.0/8", {.lives = 1000}).release();
  const uint64_t before = TpReferenceCount(TP_KIND_ROUTE);
  keep_what_expires();
  pass(1500);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 1U);
  EXPECT_TRUE(owner_.has("10.0.0.0/8"));
  EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), before);
}

// clauses: RTM2-134
TEST_F(Ageing, TheOwnerMayMakeItUnreachableForEver) {
  const Route kept = owner_.route("10.0.0.0/8", {.metric = 1, .lives = 1000});
  owner_.on_event([&](const Event& event) {
    HANDLE route = event.first;
    EXPECT_EQ(RtmLockRoute(owner_, route, TRUE, TRUE, nullptr), DWORD{NO_ERROR});
    static_cast<PRTM_ROUTE_INFO>(event.second)->PrefInfo.Metric = 16;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmUpdateAndUnlockRoute(owner_, route, INFINITE, nullptr, 0, nullptr, &flags), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseRoutes(owner_, 1, &route), DWORD{NO_ERROR});
    return DWORD{NO_ERROR};
  });
  pass(1500);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 1U);
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, kept, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->PrefInfo.Metric, 16U);
  pass(100000);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 0U);
  EXPECT_TRUE(owner_.has("10.0.0.0/8"));
}

// clauses: RTM2-135
TEST_F(Ageing, InfiniteMeansNever) {
  const Route route = owner_.route("10.0.0.0/8", {.lives = INFINITE});
  pass(0xFFFFFFFE);
  pass(0xFFFFFFFE);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 0U);
  EXPECT_TRUE(owner_.has("10.0.0.0/8"));
}

// clauses: RTM2-136
TEST_F(Ageing, AnUpdateRestartsTheTimer_choice) {
  const Route route = owner_.route("10.0.0.0/8", {.lives = 1000});
  pass(600);
  owner_.update(route, "10.0.0.0/8", {.lives = 1000});
  pass(600);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 0U) << "the old timer ran on";
  pass(900);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 1U);
}

// clauses: RTM2-136
TEST_F(Ageing, AfterAHandledExpiryThereIsNoTimer_choice) {
  const Route route = owner_.route("10.0.0.0/8", {.lives = 1000});
  keep_what_expires();
  pass(1500);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 1U);
  pass(100000);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 0U);
  owner_.update(route, "10.0.0.0/8", {.lives = 1000});
  pass(1500);
  EXPECT_EQ(owner_.events(RTM_ROUTE_EXPIRED).size(), 1U) << "an update sets one again";
}

// clauses: RTM2-137
TEST_F(Ageing, WithoutACallbackTheRouteIsDeleted_choice) {
  const Client silent({.events = false});
  silent.route("10.0.0.0/8", {.lives = 1000}).release();
  pass(1500);
  EXPECT_FALSE(silent.has("10.0.0.0/8"));
}

// clauses: RTM2-138
TEST_F(Ageing, NotifiesAndHoldsLikeADeletion_choice) {
  const Client watcher;
  const Watch watch(watcher, RTM_CHANGE_TYPE_FORWARDING);
  owner_.route("10.0.0.0/8", {.lives = 1000}).release();
  {
    DestInfo destination = owner_.find("10.0.0.0/8");
    ASSERT_EQ(RtmHoldDestination(owner_, destination.handle(), kUnicast, 60000), DWORD{NO_ERROR});
  }
  EXPECT_EQ(watch.changed().size(), 1U);
  pass(1500);
  EXPECT_EQ(watch.changed(), std::vector<std::string>{"10.0.0.0/8"});
  DestInfo held = watcher.find("10.0.0.0/8", kAny);
  DestInfo destination = watcher.look(held.handle());
  EXPECT_EQ(destination.view(0).Route, nullptr);
  EXPECT_NE(destination.view(0).HoldRoute, nullptr);
}

}  // namespace
}  // namespace turnpike::conformance
