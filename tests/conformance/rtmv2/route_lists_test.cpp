// RTM2-234 … RTM2-243: lists that a client keeps of its own routes.
#include <algorithm>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Handles = std::vector<HANDLE>;

class RouteLists : public RtmTest {
 protected:
  RouteLists() {
    EXPECT_EQ(RtmCreateRouteList(client_, &one_), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateRouteList(client_, &two_), DWORD{NO_ERROR});
  }
  ~RouteLists() override {
    for (const HANDLE list : {one_, two_}) {
      EXPECT_EQ(list == nullptr ? DWORD{NO_ERROR} : RtmDeleteRouteList(client_, list), DWORD{NO_ERROR});
    }
  }

  DWORD insert(HANDLE list, Handles routes) const {
    return RtmInsertInRouteList(client_, list, static_cast<UINT>(routes.size()), routes.data());
  }
  /// The routes of a list as bare values.
  Handles of(HANDLE list) const {
    HANDLE enumeration = nullptr;
    EXPECT_EQ(RtmCreateRouteListEnum(client_, list, &enumeration), DWORD{NO_ERROR});
    Handles routes(20);
    UINT count = 20;
    EXPECT_EQ(RtmGetListEnumRoutes(client_, enumeration, &count, routes.data()), DWORD{NO_ERROR});
    routes.resize(count);
    EXPECT_EQ(RtmReleaseRoutes(client_, count, routes.data()), DWORD{NO_ERROR});
    EXPECT_EQ(RtmDeleteEnumHandle(client_, enumeration), DWORD{NO_ERROR});
    return routes;
  }

  Client client_;
  Client other_;
  Route a_ = client_.route("10.0.0.0/8");
  Route b_ = client_.route("11.0.0.0/8");
  Route c_ = client_.route("12.0.0.0/8");
  HANDLE one_ = nullptr;
  HANDLE two_ = nullptr;
};

// clauses: RTM2-234
TEST_F(RouteLists, HoldExactlyWhatIsInserted) {
  EXPECT_EQ(of(one_), Handles{});
  const Books before = Books::now();
  EXPECT_EQ(insert(one_, {c_, a_}), DWORD{NO_ERROR});
  Handles members = of(one_);
  std::sort(members.begin(), members.end());
  Handles wanted = {a_, c_};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(members, wanted);
  EXPECT_EQ(Books::now(), before) << "the handles stay the caller's";
}

// clauses: RTM2-234
TEST_F(RouteLists, KeepTheOrderOfInsertion_choice) {
  EXPECT_EQ(insert(one_, {c_, a_}), DWORD{NO_ERROR});
  EXPECT_EQ(insert(one_, {b_}), DWORD{NO_ERROR});
  EXPECT_EQ(of(one_), (Handles{c_, a_, b_}));
}

// clauses: RTM2-235
TEST_F(RouteLists, ARouteIsInOneListAtMost) {
  EXPECT_EQ(insert(one_, {a_, b_}), DWORD{NO_ERROR});
  EXPECT_EQ(insert(two_, {b_, c_}), DWORD{NO_ERROR});
  EXPECT_EQ(of(one_), (Handles{a_}));
  EXPECT_EQ(of(two_), (Handles{b_, c_}));
}

// clauses: RTM2-236
TEST_F(RouteLists, NoListMeansOut) {
  EXPECT_EQ(insert(one_, {a_, b_}), DWORD{NO_ERROR});
  EXPECT_EQ(insert(nullptr, {a_, c_}), DWORD{NO_ERROR});
  EXPECT_EQ(of(one_), (Handles{b_}));
  EXPECT_TRUE(client_.has("10.0.0.0/8"));
}

// clauses: RTM2-237
TEST_F(RouteLists, AddingPutsARouteThere) {
  const Route fresh = client_.route("13.0.0.0/8", {.list = one_});
  EXPECT_EQ(of(one_), (Handles{fresh}));
  client_.update(fresh, "13.0.0.0/8", {.metric = 2, .list = nullptr});
  EXPECT_EQ(of(one_), (Handles{fresh})) << "no list leaves the membership alone";
  client_.update(fresh, "13.0.0.0/8", {.metric = 3, .list = two_});
  EXPECT_EQ(of(one_), Handles{});
  EXPECT_EQ(of(two_), (Handles{fresh}));
}

// clauses: RTM2-238
TEST_F(RouteLists, TheEndOfAnEnumerationIsACountBelowTheRequest) {
  EXPECT_EQ(insert(one_, {a_, b_, c_}), DWORD{NO_ERROR});
  HANDLE enumeration = nullptr;
  ASSERT_EQ(RtmCreateRouteListEnum(client_, one_, &enumeration), DWORD{NO_ERROR});
  for (const UINT wanted : {2U, 1U, 0U, 0U}) {
    HANDLE routes[2] = {};
    UINT count = 2;
    EXPECT_EQ(RtmGetListEnumRoutes(client_, enumeration, &count, routes), DWORD{NO_ERROR});
    EXPECT_EQ(count, wanted);
    EXPECT_EQ(RtmReleaseRoutes(client_, count, routes), DWORD{NO_ERROR});
  }
  EXPECT_EQ(RtmDeleteEnumHandle(client_, enumeration), DWORD{NO_ERROR});
}

// clauses: RTM2-239
TEST_F(RouteLists, MovingWhatWasFetchedDoesNotDisturb) {
  EXPECT_EQ(insert(one_, {a_, b_, c_}), DWORD{NO_ERROR});
  HANDLE enumeration = nullptr;
  ASSERT_EQ(RtmCreateRouteListEnum(client_, one_, &enumeration), DWORD{NO_ERROR});
  Handles visited;
  for (;;) {
    HANDLE route = nullptr;
    UINT count = 1;
    ASSERT_EQ(RtmGetListEnumRoutes(client_, enumeration, &count, &route), DWORD{NO_ERROR});
    if (count == 0) {
      break;
    }
    visited.push_back(route);
    EXPECT_EQ(RtmInsertInRouteList(client_, two_, 1, &route), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseRoutes(client_, 1, &route), DWORD{NO_ERROR});
  }
  EXPECT_EQ(RtmDeleteEnumHandle(client_, enumeration), DWORD{NO_ERROR});
  EXPECT_EQ(visited, (Handles{a_, b_, c_}));
  EXPECT_EQ(of(one_), Handles{});
  EXPECT_EQ(of(two_), (Handles{a_, b_, c_}));
}

// clauses: RTM2-240
TEST_F(RouteLists, DeletingAListLeavesTheRoutes) {
  EXPECT_EQ(insert(one_, {a_, b_}), DWORD{NO_ERROR});
  const HANDLE gone = std::exchange(one_, nullptr);
  EXPECT_EQ(RtmDeleteRouteList(client_, gone), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteRouteList(client_, gone), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_TRUE(client_.has("10.0.0.0/8"));
  EXPECT_TRUE(client_.has("11.0.0.0/8"));
  EXPECT_EQ(insert(two_, {a_}), DWORD{NO_ERROR}) << "it is in no list now";
  EXPECT_EQ(of(two_), (Handles{a_}));
}

// clauses: RTM2-241
TEST_F(RouteLists, ADeletedRouteLeavesItsList_choice) {
  EXPECT_EQ(insert(one_, {a_, b_, c_}), DWORD{NO_ERROR});
  client_.remove(std::move(b_));
  EXPECT_EQ(of(one_), (Handles{a_, c_}));
}

// clauses: RTM2-242
TEST_F(RouteLists, TheRouteOfAnotherMovesNothing_choice) {
  const Route theirs = other_.route("10.0.0.0/8");
  EXPECT_EQ(insert(one_, {a_, theirs, b_}), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(of(one_), Handles{});
}

// clauses: RTM2-243
TEST_F(RouteLists, BadLists_choice) {
  const HANDLE stale = std::exchange(two_, nullptr);
  ASSERT_EQ(RtmDeleteRouteList(client_, stale), DWORD{NO_ERROR});
  for (const HANDLE bad : {stale, kInvalid, kGarbage, HANDLE{a_}}) {
    HANDLE handle = nullptr;
    DWORD answer = 0;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(insert(bad, {a_}), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(RtmCreateRouteListEnum(client_, bad, &handle), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(RtmDeleteRouteList(client_, bad), DWORD{ERROR_INVALID_HANDLE});
    const Route refused = client_.try_route("13.0.0.0/8", {.list = bad}, answer, flags);
    EXPECT_EQ(answer, DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_EQ(RtmCreateRouteListEnum(client_, nullptr, &two_), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmDeleteRouteList(client_, nullptr), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_FALSE(client_.has("13.0.0.0/8"));
}

}  // namespace
}  // namespace turnpike::conformance
