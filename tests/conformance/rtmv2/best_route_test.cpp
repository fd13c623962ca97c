// RTM2-117 … RTM2-125: which route is the best, per destination and view.
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class BestRoute : public RtmTest {
 protected:
  RTM_ROUTE_HANDLE best(RTM_VIEW_SET view = kUnicast) const { return one_.best("10.0.0.0/8", view); }

  Client one_;
  Client two_;
  DWORD answer_ = 0;
  RTM_ROUTE_CHANGE_FLAGS flags_ = 0;
};

// clauses: RTM2-117
TEST_F(BestRoute, ThePreferenceDecidesWhateverTheMetrics) {
  const Route worse = one_.route("10.0.0.0/8", {.preference = 20, .metric = 1});
  const Route better = two_.route("10.0.0.0/8", {.preference = 10, .metric = 1000});
  EXPECT_EQ(best(), HANDLE{better});
  EXPECT_EQ(one_.find("10.0.0.0/8").view(0).Owner, HANDLE{two_});
}

// clauses: RTM2-118
TEST_F(BestRoute, ThenTheMetric) {
  const Route worse = one_.route("10.0.0.0/8", {.preference = 10, .metric = 3});
  const Route better = two_.route("10.0.0.0/8", {.preference = 10, .metric = 2});
  EXPECT_EQ(best(), HANDLE{better});
}

// clauses: RTM2-119
TEST_F(BestRoute, TheIncumbentStaysInATie_choice) {
  const Route first = one_.route("10.0.0.0/8", {.metric = 5});
  const Route second = two_.route("10.0.0.0/8", {.metric = 5});
  EXPECT_EQ(best(), HANDLE{first});
  two_.update(second, "10.0.0.0/8", {.metric = 4});
  EXPECT_EQ(best(), HANDLE{second});
  two_.update(second, "10.0.0.0/8", {.metric = 5});
  EXPECT_EQ(best(), HANDLE{second}) << "the incumbent, though it came later";
}

// clauses: RTM2-119
TEST_F(BestRoute, WithoutAnIncumbentTheEarlierOneRanksFirst_choice) {
  Route incumbent = one_.route("10.0.0.0/8", {.metric = 1});
  const Route earlier = one_.route("10.0.0.0/8", {.metric = 5, .change = RTM_ROUTE_CHANGE_NEW});
  const Route later = two_.route("10.0.0.0/8", {.metric = 5});
  one_.remove(std::move(incumbent));
  EXPECT_EQ(best(), HANDLE{earlier});
}

// clauses: RTM2-120
TEST_F(BestRoute, EachViewHasItsOwn) {
  const Route multicast = one_.route("10.0.0.0/8", {.preference = 1, .views = kMulticast});
  const Route unicast = two_.route("10.0.0.0/8", {.preference = 50, .views = kUnicast});
  EXPECT_EQ(best(kUnicast), HANDLE{unicast});
  EXPECT_EQ(best(kMulticast), HANDLE{multicast});
}

// clauses: RTM2-121
TEST_F(BestRoute, IsBestTellsTheViews) {
  const Route both = one_.route("10.0.0.0/8", {.metric = 5, .views = kBoth});
  EXPECT_EQ(two_.best_in(both), kBoth);
  const Route unicast = two_.route("10.0.0.0/8", {.metric = 1, .views = kUnicast});
  EXPECT_EQ(two_.best_in(both), kMulticast);
  EXPECT_EQ(two_.best_in(unicast), kUnicast);
  const Route multicast = two_.route("10.0.0.0/8", {.metric = 1, .views = kMulticast, .change = RTM_ROUTE_CHANGE_NEW});
  EXPECT_EQ(two_.best_in(both), 0U);
  RTM_VIEW_SET views = 0;
  EXPECT_EQ(RtmIsBestRoute(one_, kGarbage, &views), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-122
TEST_F(BestRoute, DeletingTheBestPromotesTheNext) {
  Route best_one = one_.route("10.0.0.0/8", {.metric = 1});
  Route worst = one_.route("10.0.0.0/8", {.metric = 9, .change = RTM_ROUTE_CHANGE_NEW});
  const Route next = two_.route("10.0.0.0/8", {.metric = 5});
  EXPECT_EQ(one_.remove(std::move(worst)) & RTM_ROUTE_CHANGE_BEST, 0U);
  EXPECT_EQ(best(), HANDLE{best_one});
  EXPECT_NE(one_.remove(std::move(best_one)) & RTM_ROUTE_CHANGE_BEST, 0U);
  EXPECT_EQ(best(), HANDLE{next});
}

// clauses: RTM2-123
TEST_F(BestRoute, LosingTheFirstPlaceSetsTheFlag_choice) {
  const Route fallen = one_.route("10.0.0.0/8", {.metric = 1});
  const Route next = two_.route("10.0.0.0/8", {.metric = 5});
  EXPECT_NE(one_.update(fallen, "10.0.0.0/8", {.metric = 9}) & RTM_ROUTE_CHANGE_BEST, 0U);
  EXPECT_EQ(best(), HANDLE{next});
  EXPECT_EQ(one_.update(fallen, "10.0.0.0/8", {.metric = 8}) & RTM_ROUTE_CHANGE_BEST, 0U);
}

// clauses: RTM2-124
TEST_F(BestRoute, AWorseRouteLeavesTheFlagClear) {
  const Route first = one_.route("10.0.0.0/8", {.metric = 1});
  const Route worse = two_.try_route("10.0.0.0/8", {.metric = 2}, answer_, flags_);
  EXPECT_EQ(flags_, DWORD{RTM_ROUTE_CHANGE_NEW});
  EXPECT_EQ(best(), HANDLE{first});
}

// clauses: RTM2-125
TEST_F(BestRoute, ARouteInNoViewIsNeverTheBest_choice) {
  const Route nowhere = one_.try_route("10.0.0.0/8", {.preference = 1, .views = 0}, answer_, flags_);
  EXPECT_EQ(answer_, DWORD{NO_ERROR});
  EXPECT_EQ(flags_, DWORD{RTM_ROUTE_CHANGE_NEW});
  EXPECT_EQ(one_.best_in(nowhere), 0U);
  const Route unicast = two_.route("10.0.0.0/8", {.preference = 50});
  DestInfo destination = one_.find("10.0.0.0/8");
  EXPECT_EQ(destination.view(0).NumRoutes, 1U);
  EXPECT_EQ(destination.view(0).Route, HANDLE{unicast});
  EXPECT_EQ(destination.view(1).NumRoutes, 0U);
  EXPECT_EQ(destination->BelongsToViews, kUnicast);
}

}  // namespace
}  // namespace turnpike::conformance
