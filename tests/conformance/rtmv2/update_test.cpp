// RTM2-139 … RTM2-147: editing a route in place, under its lock.
#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class InPlace : public RtmTest {
 protected:
  PRTM_ROUTE_INFO lock(RTM_ROUTE_HANDLE route) const {
    PRTM_ROUTE_INFO pointer = nullptr;
    EXPECT_EQ(RtmLockRoute(owner_, route, TRUE, TRUE, &pointer), DWORD{NO_ERROR});
    return pointer;
  }
  DWORD commit(RTM_ROUTE_HANDLE route, RTM_ROUTE_CHANGE_FLAGS& flags, RTM_ROUTE_LIST_HANDLE list = nullptr) const {
    return RtmUpdateAndUnlockRoute(owner_, route, INFINITE, list, 0, nullptr, &flags);
  }
  /// Whether another client gets at the destination: nobody holds its lock any more.
  bool is_unlocked() const {
    Attempt reader([this] { other_.find("10.0.0.0/8"); });
    return reader.ends();
  }

  Client owner_;
  Client other_;
  RTM_ROUTE_CHANGE_FLAGS flags_ = 0;
};

// clauses: RTM2-139
TEST_F(InPlace, TheMetricCountsFromTheCommitOn) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 5});
  const Route theirs = other_.route("10.0.0.0/8", {.metric = 3});
  PRTM_ROUTE_INFO edited = lock(mine);
  ASSERT_NE(edited, nullptr);
  edited->PrefInfo.Metric = 1;
  EXPECT_EQ(commit(mine, flags_), DWORD{NO_ERROR});
  EXPECT_NE(flags_ & RTM_ROUTE_CHANGE_BEST, 0U) << "it became the best by this call";
  EXPECT_EQ(owner_.best("10.0.0.0/8"), HANDLE{mine});
  EXPECT_TRUE(is_unlocked());
  EXPECT_EQ(RtmLockRoute(owner_, mine, TRUE, FALSE, nullptr), DWORD{ERROR_INVALID_PARAMETER}) << "unlocked already";
}

// clauses: RTM2-140
TEST_F(InPlace, TheViewsMoveTheRoute) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 1, .views = kUnicast});
  const Route theirs = other_.route("10.0.0.0/8", {.metric = 3, .views = kBoth});
  PRTM_ROUTE_INFO edited = lock(mine);
  ASSERT_NE(edited, nullptr);
  edited->BelongsToViews = kMulticast;
  EXPECT_EQ(commit(mine, flags_), DWORD{NO_ERROR});
  EXPECT_EQ(owner_.best("10.0.0.0/8", kUnicast), HANDLE{theirs});
  EXPECT_EQ(owner_.best("10.0.0.0/8", kMulticast), HANDLE{mine});
  DestInfo destination = owner_.find("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).NumRoutes, 1U);
  EXPECT_EQ(destination.view(1).NumRoutes, 2U);
}

/// Puts next hop `to` where the route has another, as documented: the route's reference on the old one is released,
/// and one on the new is given to it.
void swap_hop(const Client& owner, PRTM_ROUTE_INFO route, RTM_NEXTHOP_HANDLE to) {
  HANDLE old = route->NextHopsList.NextHops[0];
  EXPECT_EQ(RtmReleaseNextHops(owner, 1, &old), DWORD{NO_ERROR});
  route->NextHopsList.NextHops[0] = to;
  EXPECT_EQ(RtmReferenceHandles(owner, 1, &to), DWORD{NO_ERROR});
}

// clauses: RTM2-141
TEST_F(InPlace, NextHopsAreSwappedWithTheirReferences) {
  const NextHop one = owner_.next_hop("192.0.2.1");
  const NextHop two = owner_.next_hop("192.0.2.2");
  const Route route = owner_.route("10.0.0.0/8", {.hops = {one}});
  const Books before = Books::now();
  for (const HANDLE next : {HANDLE{two}, HANDLE{one}}) {
    PRTM_ROUTE_INFO edited = lock(route);
    ASSERT_NE(edited, nullptr);
    swap_hop(owner_, edited, next);
    EXPECT_EQ(commit(route, flags_), DWORD{NO_ERROR});
    RouteInfo info(owner_);
    ASSERT_EQ(RtmGetRouteInfo(owner_, route, info, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(info.hops(), std::vector<HANDLE>{next});
  }
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-141
TEST_F(InPlace, TheOldNextHopIsReleasedByAnOwnerWithoutAReferenceOfItsOwn) {
  NextHop one = owner_.next_hop("192.0.2.1");
  const NextHop two = owner_.next_hop("192.0.2.2");
  const Route route = owner_.route("10.0.0.0/8", {.hops = {one}});
  one.release();
  EXPECT_EQ(TpReferenceCount(TP_KIND_NEXT_HOP), 1U);
  PRTM_ROUTE_INFO edited = lock(route);
  ASSERT_NE(edited, nullptr);
  swap_hop(owner_, edited, two);
  EXPECT_EQ(commit(route, flags_), DWORD{NO_ERROR});
  EXPECT_EQ(TpReferenceCount(TP_KIND_NEXT_HOP), 1U) << "the added reference passed to the route";
  RTM_NEXTHOP_INFO key{};
  key.NextHopAddress = Net("192.0.2.1").value();
  key.InterfaceIndex = 1;
  ASSERT_EQ(RtmDeleteNextHop(owner_, nullptr, &key), DWORD{NO_ERROR});
  EXPECT_EQ(TpObjectCount(TP_KIND_NEXT_HOP), 1U) << "nobody holds the old one any more";
}

// clauses: RTM2-142
TEST_F(InPlace, OnlyByTheOwner) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 5});
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmUpdateAndUnlockRoute(other_, mine, INFINITE, nullptr, 0, nullptr, &flags), DWORD{ERROR_ACCESS_DENIED});
}

// clauses: RTM2-143
TEST_F(InPlace, AFailedCommitKeepsTheLock) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 5});
  PRTM_ROUTE_INFO edited = lock(mine);
  ASSERT_NE(edited, nullptr);
  EXPECT_NE(commit(mine, flags_, kGarbage), DWORD{NO_ERROR}) << "there is no such list";
  Signal unlocking;
  Attempt reader([&] {
    other_.find("10.0.0.0/8");
    EXPECT_TRUE(unlocking.raised()) << "the lock was lost";
  });
  EXPECT_FALSE(reader.ends_at_once());
  unlocking.raise();
  EXPECT_EQ(RtmLockRoute(owner_, mine, TRUE, FALSE, nullptr), DWORD{NO_ERROR});
  EXPECT_TRUE(reader.ends());
}

// clauses: RTM2-144
TEST_F(InPlace, NotWithoutTheExclusiveLock_choice) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 5});
  EXPECT_EQ(commit(mine, flags_), DWORD{ERROR_INVALID_PARAMETER});
  ASSERT_EQ(RtmLockRoute(owner_, mine, FALSE, TRUE, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(commit(mine, flags_), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmLockRoute(owner_, mine, FALSE, FALSE, nullptr), DWORD{NO_ERROR});
}

// clauses: RTM2-145
TEST_F(InPlace, ThePointerIsForTheOwnerAndShowsTheRoute) {
  const NextHop hop = owner_.next_hop("192.0.2.1");
  int data = 0;
  const Route mine = owner_.route(
      "10.0.0.0/8", {.metric = 5, .views = kBoth, .neighbour = hop, .hops = {hop}, .flags = 0x10, .data = &data});
  PRTM_ROUTE_INFO pointer = nullptr;
  EXPECT_EQ(RtmGetRoutePointer(other_, mine, &pointer), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(pointer, nullptr);
  const Books before = Books::now();
  ASSERT_EQ(RtmGetRoutePointer(owner_, mine, &pointer), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now(), before) << "the pointer is borrowed";
  ASSERT_NE(pointer, nullptr);
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, mine, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(pointer->DestHandle, info->DestHandle);
  EXPECT_EQ(pointer->RouteOwner, info->RouteOwner);
  EXPECT_EQ(pointer->Neighbour, info->Neighbour);
  EXPECT_EQ(pointer->State, info->State);
  EXPECT_EQ(pointer->Flags, info->Flags);
  EXPECT_EQ(pointer->PrefInfo.Metric, info->PrefInfo.Metric);
  EXPECT_EQ(pointer->PrefInfo.Preference, info->PrefInfo.Preference);
  EXPECT_EQ(pointer->BelongsToViews, info->BelongsToViews);
  EXPECT_EQ(pointer->EntitySpecificInfo, &data);
  ASSERT_EQ(pointer->NextHopsList.NumNextHops, 1);
  EXPECT_EQ(pointer->NextHopsList.NextHops[0], HANDLE{hop});
}

// clauses: RTM2-146
TEST_F(InPlace, TheCommitMovesTheRouteToAList) {
  const Route mine = owner_.route("10.0.0.0/8");
  HANDLE list = nullptr;
  ASSERT_EQ(RtmCreateRouteList(owner_, &list), DWORD{NO_ERROR});
  lock(mine);
  EXPECT_EQ(commit(mine, flags_, list), DWORD{NO_ERROR});
  HANDLE enumeration = nullptr;
  ASSERT_EQ(RtmCreateRouteListEnum(owner_, list, &enumeration), DWORD{NO_ERROR});
  HANDLE found = nullptr;
  UINT count = 1;
  EXPECT_EQ(RtmGetListEnumRoutes(owner_, enumeration, &count, &found), DWORD{NO_ERROR});
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(found, HANDLE{mine});
  EXPECT_EQ(RtmReleaseRoutes(owner_, count, &found), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteEnumHandle(owner_, enumeration), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteRouteList(owner_, list), DWORD{NO_ERROR});
}

// clauses: RTM2-147
TEST_F(InPlace, OtherMembersAreRestored_choice) {
  const Route mine = owner_.route("10.0.0.0/8", {.metric = 5, .flags = RTM_ROUTE_FLAGS_REMOTE});
  DestInfo destination = owner_.find("10.0.0.0/8");
  PRTM_ROUTE_INFO edited = lock(mine);
  ASSERT_NE(edited, nullptr);
  edited->PrefInfo.Metric = 6;
  edited->Flags = RTM_ROUTE_FLAGS_BLACKHOLE;
  edited->DestHandle = kGarbage;
  edited->RouteOwner = kGarbage;
  edited->State = RTM_ROUTE_STATE_DELETED;
  EXPECT_EQ(commit(mine, flags_), DWORD{NO_ERROR});
  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, mine, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->PrefInfo.Metric, 6U);
  EXPECT_EQ(info->Flags, RTM_ROUTE_FLAGS_REMOTE);
  EXPECT_EQ(info->DestHandle, destination.handle());
  EXPECT_EQ(info->RouteOwner, HANDLE{owner_});
  EXPECT_EQ(info->State, RTM_ROUTE_STATE_CREATED);
}

}  // namespace
}  // namespace turnpike::conformance
