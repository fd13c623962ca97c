// RTM2-056 … RTM2-065: locking destinations, routes and next hops.
#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class Locks : public RtmTest {
 protected:
  Client owner_;
  Client other_;
  Route route_ = owner_.route("10.0.0.0/8");
  DestInfo destination_ = owner_.find("10.0.0.0/8");
};

DWORD lock(const Client& client, RTM_DEST_HANDLE destination, bool exclusive) {
  return RtmLockDestination(client, destination, exclusive ? TRUE : FALSE, TRUE);
}
DWORD unlock(const Client& client, RTM_DEST_HANDLE destination, bool exclusive) {
  return RtmLockDestination(client, destination, exclusive ? TRUE : FALSE, FALSE);
}

// clauses: RTM2-056
TEST_F(Locks, SharedLocksOfADestinationGoTogether) {
  ASSERT_EQ(lock(owner_, destination_.handle(), false), DWORD{NO_ERROR});
  Attempt second([&] {
    EXPECT_EQ(lock(other_, destination_.handle(), false), DWORD{NO_ERROR});
    EXPECT_EQ(unlock(other_, destination_.handle(), false), DWORD{NO_ERROR});
  });
  EXPECT_TRUE(second.ends()) << "a shared lock keeps another shared lock out";
  EXPECT_EQ(unlock(owner_, destination_.handle(), false), DWORD{NO_ERROR});
}

/// Takes a lock while `first` is held by another client and expects to wait for it.
void expect_exclusion(const Client& owner, const Client& other, RTM_DEST_HANDLE destination, bool first, bool second) {
  Signal unlocking;
  ASSERT_EQ(lock(owner, destination, first), DWORD{NO_ERROR});
  Attempt attempt([&] {
    EXPECT_EQ(lock(other, destination, second), DWORD{NO_ERROR});
    EXPECT_TRUE(unlocking.raised()) << "entered while the other lock was held";
    EXPECT_EQ(unlock(other, destination, second), DWORD{NO_ERROR});
  });
  EXPECT_FALSE(attempt.ends_at_once());
  unlocking.raise();
  ASSERT_EQ(unlock(owner, destination, first), DWORD{NO_ERROR});
  EXPECT_TRUE(attempt.ends());
}

// clauses: RTM2-056
TEST_F(Locks, AnExclusiveLockExcludesBothKinds) {
  expect_exclusion(owner_, other_, destination_.handle(), true, false);
  expect_exclusion(owner_, other_, destination_.handle(), true, true);
  expect_exclusion(owner_, other_, destination_.handle(), false, true);
}

/// What `call` does on another thread must wait until the exclusive lock is dropped.
void expect_delayed(const Client& owner, RTM_DEST_HANDLE destination, const std::function<void()>& call) {
  Signal unlocking;
  ASSERT_EQ(lock(owner, destination, true), DWORD{NO_ERROR});
  Attempt attempt([&] {
    call();
    EXPECT_TRUE(unlocking.raised()) << "reached while the exclusive lock was held";
  });
  EXPECT_FALSE(attempt.ends_at_once());
  unlocking.raise();
  ASSERT_EQ(unlock(owner, destination, true), DWORD{NO_ERROR});
  EXPECT_TRUE(attempt.ends());
}

// clauses: RTM2-057
TEST_F(Locks, AnExclusiveLockDelaysOthersThere) {
  expect_delayed(owner_, destination_.handle(), [&] { other_.look(destination_.handle()); });
  expect_delayed(owner_, destination_.handle(), [&] {
    RouteInfo info(other_);
    EXPECT_EQ(RtmGetRouteInfo(other_, route_, info, nullptr), DWORD{NO_ERROR});
  });
  Route theirs;
  expect_delayed(owner_, destination_.handle(), [&] { theirs = other_.route("10.0.0.0/8"); });
  expect_delayed(owner_, destination_.handle(), [&] { other_.update(theirs, "10.0.0.0/8", {.metric = 7}); });
  expect_delayed(owner_, destination_.handle(), [&] { other_.remove(std::move(theirs)); });
}

// clauses: RTM2-057
TEST_F(Locks, AnExclusiveLockDelaysNobodyElsewhere_choice) {
  ASSERT_EQ(lock(owner_, destination_.handle(), true), DWORD{NO_ERROR});
  Attempt elsewhere([&] {
    Route theirs = other_.route("10.1.0.0/16");
    EXPECT_TRUE(other_.has("10.1.0.0/16"));
    other_.update(theirs, "10.1.0.0/16", {.metric = 7});
    DestInfo nearby = other_.find("10.1.0.0/16");
    EXPECT_EQ(lock(other_, nearby.handle(), true), DWORD{NO_ERROR});
    EXPECT_EQ(unlock(other_, nearby.handle(), true), DWORD{NO_ERROR});
    nearby.release();
    other_.remove(std::move(theirs));
  });
  EXPECT_TRUE(elsewhere.ends());
  EXPECT_EQ(unlock(owner_, destination_.handle(), true), DWORD{NO_ERROR});
}

// clauses: RTM2-058
TEST_F(Locks, BadDestination) {
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage, HANDLE{route_}}) {
    EXPECT_EQ(lock(owner_, bad, true), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(unlock(owner_, bad, true), DWORD{ERROR_INVALID_HANDLE});
  }
}

// clauses: RTM2-059
TEST_F(Locks, AnybodyMayLockADestination_choice) {
  for (const bool exclusive : {false, true}) {
    EXPECT_EQ(lock(other_, destination_.handle(), exclusive), DWORD{NO_ERROR});
    EXPECT_EQ(unlock(other_, destination_.handle(), exclusive), DWORD{NO_ERROR});
  }
}

// clauses: RTM2-060
TEST_F(Locks, UnlockingWhatIsNotLocked_choice) {
  EXPECT_EQ(unlock(owner_, destination_.handle(), true), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(unlock(owner_, destination_.handle(), false), DWORD{ERROR_INVALID_PARAMETER});
  ASSERT_EQ(lock(owner_, destination_.handle(), true), DWORD{NO_ERROR});
  EXPECT_EQ(unlock(other_, destination_.handle(), true), DWORD{ERROR_INVALID_PARAMETER}) << "it is another's lock";
  EXPECT_EQ(unlock(owner_, destination_.handle(), true), DWORD{NO_ERROR});
  EXPECT_EQ(unlock(owner_, destination_.handle(), true), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RTM2-061
TEST_F(Locks, ARouteIsLockedByItsOwnerAlone) {
  PRTM_ROUTE_INFO untouched = reinterpret_cast<PRTM_ROUTE_INFO>(kGarbage);
  for (const BOOL exclusive : {FALSE, TRUE}) {
    EXPECT_EQ(RtmLockRoute(other_, route_, exclusive, TRUE, &untouched), DWORD{ERROR_ACCESS_DENIED});
  }
  EXPECT_EQ(untouched, reinterpret_cast<PRTM_ROUTE_INFO>(kGarbage));
  EXPECT_EQ(lock(owner_, destination_.handle(), true), DWORD{NO_ERROR}) << "nothing stayed locked";
  EXPECT_EQ(unlock(owner_, destination_.handle(), true), DWORD{NO_ERROR});
}

// clauses: RTM2-062
TEST_F(Locks, ALockedRouteLocksItsDestination) {
  const Route theirs = other_.route("10.0.0.0/8");
  Signal unlocking;
  PRTM_ROUTE_INFO pointer = nullptr;
  ASSERT_EQ(RtmLockRoute(owner_, route_, TRUE, TRUE, &pointer), DWORD{NO_ERROR});
  Attempt attempt([&] {
    RouteInfo info(other_);
    EXPECT_EQ(RtmGetRouteInfo(other_, theirs, info, nullptr), DWORD{NO_ERROR});
    EXPECT_TRUE(unlocking.raised());
  });
  EXPECT_FALSE(attempt.ends_at_once());
  unlocking.raise();
  ASSERT_EQ(RtmLockRoute(owner_, route_, TRUE, FALSE, nullptr), DWORD{NO_ERROR});
  EXPECT_TRUE(attempt.ends());
}

// clauses: RTM2-063
TEST_F(Locks, ThePointerIsOptional) {
  for (const BOOL exclusive : {FALSE, TRUE}) {
    EXPECT_EQ(RtmLockRoute(owner_, route_, exclusive, TRUE, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(RtmLockRoute(owner_, route_, exclusive, FALSE, nullptr), DWORD{NO_ERROR});
  }
  const NextHop hop = owner_.next_hop("192.0.2.1");
  for (const BOOL exclusive : {FALSE, TRUE}) {
    EXPECT_EQ(RtmLockNextHop(owner_, hop, exclusive, TRUE, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(RtmLockNextHop(owner_, hop, exclusive, FALSE, nullptr), DWORD{NO_ERROR});
  }
}

// clauses: RTM2-064
TEST_F(Locks, ReferencesAreTakenAndGivenUnderTheLockOfARoute) {
  const NextHop hop = owner_.next_hop("192.0.2.1");
  const Books before = Books::now();
  ASSERT_EQ(RtmLockRoute(owner_, route_, TRUE, TRUE, nullptr), DWORD{NO_ERROR});
  HANDLE handles[] = {hop, route_};
  EXPECT_EQ(RtmReferenceHandles(owner_, 2, handles), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseNextHops(owner_, 1, handles), DWORD{NO_ERROR});
  EXPECT_EQ(RtmLockRoute(owner_, route_, TRUE, FALSE, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseRoutes(owner_, 1, &handles[1]), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-065
TEST_F(Locks, ANextHopIsLockedByItsOwnerAloneAndOnlyWhileItIsThere) {
  const NextHop hop = owner_.next_hop("192.0.2.1");
  PRTM_NEXTHOP_INFO untouched = reinterpret_cast<PRTM_NEXTHOP_INFO>(kGarbage);
  EXPECT_EQ(RtmLockNextHop(other_, hop, TRUE, TRUE, &untouched), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(untouched, reinterpret_cast<PRTM_NEXTHOP_INFO>(kGarbage));

  RTM_NEXTHOP_INFO key{};
  key.NextHopAddress = Net("192.0.2.1").value();
  key.InterfaceIndex = 1;
  ASSERT_EQ(RtmDeleteNextHop(owner_, nullptr, &key), DWORD{NO_ERROR});
  EXPECT_EQ(RtmLockNextHop(owner_, hop, TRUE, TRUE, &untouched), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(untouched, reinterpret_cast<PRTM_NEXTHOP_INFO>(kGarbage));
}

}  // namespace
}  // namespace turnpike::conformance
