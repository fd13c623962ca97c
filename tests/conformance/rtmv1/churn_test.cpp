// Decision 12 of the contract: a client that does not read costs a bounded amount, and what it reads in the end is
// true.
#include <map>

#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Churn = RtmV1Test;
constexpr size_t kLimit = 65536;

std::string prefix(unsigned number) {
  return "10." + std::to_string(number / 256 % 256) + "." + std::to_string(number % 256) + ".0/24";
}

// An hour in which 500 networks change 60 times a second, each with a metric that says when; and nobody reads.
TEST_F(Churn, AnHourUnreadIsBoundedAndATrueHistory) {
  constexpr unsigned kNetworks = 500;
  constexpr unsigned kSeconds = 3600;
  const Client rip(kRip);
  const Client ospf(kOspf);
  std::vector<RTM_IP_ROUTE> routes;
  for (unsigned i = 0; i < kNetworks; ++i) {
    routes.push_back(route(prefix(i).c_str()));
  }
  unsigned changes = 0;
  for (unsigned second = 0; second < kSeconds; ++second) {
    for (unsigned i = 0; i < 60; ++i, ++changes) {
      RTM_IP_ROUTE& each = routes[changes * 7919 % kNetworks];
      each.RR_FamilySpecificData.FSD_Metric = changes + 1;
      DWORD flags = 0;
      ASSERT_EQ(RtmAddRoute(rip, &each, INFINITE, &flags, nullptr, nullptr), DWORD{NO_ERROR});
      ASSERT_NE(flags, DWORD{RTM_NO_CHANGE});
    }
    pass(1);
  }
  std::map<DWORD, DWORD> told;  // the metric last told of each network
  std::map<DWORD, unsigned> count;
  size_t messages = 0;
  Answer answer;
  do {
    answer = ospf.next();
    ++messages;
    const RTM_IP_ROUTE& now = answer.current;
    const DWORD number = now.RR_Network.N_NetNumber;
    if (told.count(number) == 0) {
      ASSERT_EQ(answer.flags, DWORD{RTM_ROUTE_ADDED}) << "the first of a network's history is its beginning";
    } else {
      ASSERT_EQ(answer.flags, DWORD{RTM_ROUTE_CHANGED});
      ASSERT_EQ(answer.previous.RR_FamilySpecificData.FSD_Metric, told[number])
          << "each goes on where the last one ended";
    }
    told[number] = now.RR_FamilySpecificData.FSD_Metric;
    ++count[number];
  } while (answer.code == ERROR_MORE_MESSAGES);
  EXPECT_EQ(answer.code, DWORD{NO_ERROR});
  EXPECT_LE(messages, kLimit + kNetworks);
  EXPECT_GE(messages, kLimit) << "not merged before it must be";
  ASSERT_EQ(told.size(), kNetworks);
  for (const RTM_IP_ROUTE& each : routes) {
    EXPECT_EQ(told[each.RR_Network.N_NetNumber], each.RR_FamilySpecificData.FSD_Metric)
        << "and the last one is the present";
  }
}

// Networks that come and go while nobody looks: beyond the limit they leave nothing behind.
TEST_F(Churn, WhatCameAndWentLeavesNoMessage) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("11.0.0.0/8");
  for (unsigned i = 0; i < kLimit; ++i) {
    const RTM_IP_ROUTE passing = route(prefix(i).c_str());
    rip.add(passing);
    rip.remove(passing);
  }
  size_t messages = 1;
  Answer answer = ospf.next();
  EXPECT_EQ(answer.flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(answer.current.RR_Network.N_NetNumber, address("11.0.0.0"));
  for (; answer.code == ERROR_MORE_MESSAGES; ++messages) {
    answer = ospf.next();
  }
  EXPECT_LE(messages, kLimit + 1);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
  EXPECT_FALSE(ospf.is_told());
  rip.remove("11.0.0.0/8");
  EXPECT_TRUE(ospf.is_told()) << "and it goes on as ever";
  EXPECT_EQ(ospf.messages().size(), 1U);
}

}  // namespace
}  // namespace turnpike::conformance
