// RTM1-071 … RTM1-075, RTM1-087: what anybody may ask.
#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Queries = RtmV1Test;

// clauses: RTM1-071
TEST_F(Queries, IsRoute) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 3});
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 2});
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 8 via 192.0.2.2 if 1 metric 2");
  IP_NETWORK there = network("10.0.0.0/8");
  EXPECT_NE(RtmIsRoute(kIp, &there, nullptr), FALSE) << "only the question";
  IP_NETWORK unknown = network("11.0.0.0/8");
  EXPECT_EQ(RtmIsRoute(kIp, &unknown, nullptr), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  RTM_IP_ROUTE untouched = route("1.0.0.0/8");
  EXPECT_EQ(RtmIsRoute(2, &there, &untouched), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(text_of(untouched), text_of(route("1.0.0.0/8")));
  EXPECT_EQ(RtmIsRoute(kIp, nullptr, nullptr), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RTM1-072
TEST_F(Queries, IsRouteAsksForThatNetworkAlone_choice) {
  const Client rip(kRip);
  rip.add("10.1.0.0/16");
  EXPECT_EQ(best("10.1.2.0/24"), "");
  EXPECT_EQ(best("10.1.0.0/24"), "");
  EXPECT_EQ(best("10.0.0.0/8"), "");
  IP_NETWORK holes{address("10.1.0.0"), 0x00FF00FF};
  EXPECT_EQ(RtmIsRoute(kIp, &holes, nullptr), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
}

// clauses: RTM1-073
TEST_F(Queries, NetworkCount) {
  SetLastError(77);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2"});
  rip.add("11.0.0.0/8");
  EXPECT_EQ(RtmGetNetworkCount(kIp), 2U);
  rip.remove("10.0.0.0/8");
  EXPECT_EQ(RtmGetNetworkCount(kIp), 2U);
  rip.remove("11.0.0.0/8");
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
  EXPECT_EQ(RtmGetNetworkCount(2), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RTM1-074
TEST_F(Queries, RouteAge) {
  const Client rip(kRip);
  RTM_IP_ROUTE shown = rip.add("10.0.0.0/8").current;
  EXPECT_EQ(RtmGetRouteAge(&shown), 0U);
  pass(3600);
  EXPECT_EQ(RtmGetRouteAge(&shown), 3600U);
  rip.add("10.0.0.0/8");
  EXPECT_EQ(RtmGetRouteAge(&shown), 3600U) << "the old picture";
  ASSERT_EQ(RtmGetFirstRoute(kIp, 0, &shown), DWORD{NO_ERROR});
  EXPECT_EQ(RtmGetRouteAge(&shown), 0U);
}

// clauses: RTM1-075
TEST_F(Queries, NoAgeOfNoRoute_choice) {
  const Client rip(kRip);
  RTM_IP_ROUTE shown = rip.add("10.0.0.0/8").current;
  EXPECT_EQ(RtmGetRouteAge(nullptr), ULONG{INFINITE});
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  shown.RR_TimeStamp.dwHighDateTime += 1;
  SetLastError(NO_ERROR);
  EXPECT_EQ(RtmGetRouteAge(&shown), ULONG{INFINITE});
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  shown.RR_TimeStamp = {0, 0};
  EXPECT_EQ(RtmGetRouteAge(&shown), ULONG{INFINITE});
}

// clauses: RTM1-087
TEST_F(Queries, LookupTakesTheLongestValidMatch_choice) {
  const Client rip(kRip);
  RTM_IP_ROUTE found;
  EXPECT_EQ(RtmLookupIPDestination(address("10.1.2.3"), &found), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  rip.add("0.0.0.0/0");
  rip.add("10.1.0.0/16");
  rip.add("10.1.2.0/24", {.flags = 0});
  rip.add("10.1.2.0/24", {.hop = "192.0.2.2", .metric = 2});
  rip.add("10.1.3.0/24");
  ASSERT_NE(RtmLookupIPDestination(address("10.1.3.3"), &found), FALSE);
  EXPECT_EQ(text_of(found), "10.1.3.0/24 8 via 192.0.2.1 if 1 metric 1");
  ASSERT_NE(RtmLookupIPDestination(address("10.1.2.3"), &found), FALSE);
  EXPECT_EQ(text_of(found), "10.1.0.0/16 8 via 192.0.2.1 if 1 metric 1")
      << "the best route of 10.1.2.0/24 is not valid";
  ASSERT_NE(RtmLookupIPDestination(address("192.0.2.1"), &found), FALSE);
  EXPECT_EQ(text_of(found), "0.0.0.0/0 8 via 192.0.2.1 if 1 metric 1");
  EXPECT_EQ(RtmLookupIPDestination(address("10.1.2.3"), nullptr), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

}  // namespace
}  // namespace turnpike::conformance
