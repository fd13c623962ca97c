// RTM1-039 … RTM1-043: routes that nobody refreshes.
#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Ageing = RtmV1Test;
constexpr DWORD kLongest = 2147483;

// clauses: RTM1-039
TEST_F(Ageing, TheLongestLifeIsTwentyFourDays_choice) {
  const Client rip(kRip);
  EXPECT_EQ(rip.add("10.0.0.0/8", {}, 0).code, DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(rip.add("10.0.0.0/8", {}, kLongest + 1).code, DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(rip.add("10.0.0.0/8", {}, INFINITE - 1).code, DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  EXPECT_EQ(rip.add("10.0.0.0/8", {}, kLongest).code, DWORD{NO_ERROR});
  EXPECT_EQ(rip.add("10.1.0.0/16", {}, INFINITE).code, DWORD{NO_ERROR});
  pass(kLongest - 1);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 2U);
  pass(2);
  EXPECT_EQ(best("10.0.0.0/8"), "");
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
}

// clauses: RTM1-040 RTM1-043
TEST_F(Ageing, WhatIsNotRefreshedGoesAndEverybodyIsTold) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8", {}, 180);
  ospf.messages();
  pass(179);
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
  EXPECT_FALSE(rip.is_told());
  pass(2);
  EXPECT_EQ(best("10.0.0.0/8"), "");
  EXPECT_TRUE(rip.is_told()) << "the owner too";
  const std::vector<std::string> gone{"DELETED 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1"};
  EXPECT_EQ(rip.messages(), gone);
  EXPECT_EQ(ospf.messages(), gone);
}

// clauses: RTM1-043
TEST_F(Ageing, TheNextBestTakesOver) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 1}, 10);
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 2}, 20);
  pass(11);
  EXPECT_EQ(rip.messages(),
            std::vector<std::string>{"CHANGED 10.0.0.0/8 8 via 192.0.2.2 if 1 metric 2 from 10.0.0.0/8 8 "
                                     "via 192.0.2.1 if 1 metric 1"});
}

// clauses: RTM1-041
TEST_F(Ageing, ARefreshBeginsTheTimeAnew_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {}, 180);
  for (int i = 0; i < 5; ++i) {
    pass(170);
    EXPECT_EQ(rip.add("10.0.0.0/8", {}, 180).text(), "NO CHANGE");
  }
  pass(179);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
  pass(2);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
}

// A refresh can also end the ageing.
TEST_F(Ageing, ARefreshGivesTheLife) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {}, 10);
  rip.add("10.0.0.0/8", {}, INFINITE);
  rip.add("10.1.0.0/16", {}, INFINITE);
  rip.add("10.1.0.0/16", {}, 10);
  pass(20);
  EXPECT_EQ(enumerated(), std::vector<std::string>{"10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1"});
}

// clauses: RTM1-042
TEST_F(Ageing, AnInfiniteRouteDoesNotAge) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  for (int month = 0; month < 3; ++month) {
    pass(30 * 24 * 3600);
  }
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
  EXPECT_FALSE(rip.is_told());
}

}  // namespace
}  // namespace turnpike::conformance
