// RTM1-047 … RTM1-060, RTM1-092: deleting routes, one by one and many at once.
#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Deleting = RtmV1Test;

// clauses: RTM1-047
TEST_F(Deleting, TheOnlyRoute) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  const Answer answer = rip.remove("10.0.0.0/8");
  EXPECT_EQ(answer.code, DWORD{NO_ERROR});
  EXPECT_EQ(answer.flags, DWORD{RTM_ROUTE_DELETED});
  EXPECT_FALSE(answer.wrote_current());
  IP_NETWORK gone = network("10.0.0.0/8");
  EXPECT_EQ(RtmIsRoute(kIp, &gone, nullptr), FALSE);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
}

// clauses: RTM1-048
TEST_F(Deleting, TheBestOfSeveral) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 1});
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 2});
  const Answer answer = rip.remove("10.0.0.0/8", {.metric = 1});
  EXPECT_EQ(answer.flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(text_of(answer.current), "10.0.0.0/8 8 via 192.0.2.2 if 1 metric 2");
}

// clauses: RTM1-049
TEST_F(Deleting, OneThatIsNotBest) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 1});
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 2});
  const Answer answer = rip.remove("10.0.0.0/8", {.hop = "192.0.2.2"});
  EXPECT_EQ(answer.text(), "NO CHANGE");
  EXPECT_FALSE(answer.wrote_current());
  EXPECT_EQ(enumerated().size(), 1U);
}

// clauses: RTM1-050
TEST_F(Deleting, WhatIsNotThere) {
  const Client rip(kRip);
  EXPECT_EQ(rip.remove("10.0.0.0/8").code, DWORD{ERROR_NO_SUCH_ROUTE});
  rip.add("10.0.0.0/8");
  EXPECT_EQ(rip.remove("10.0.0.0/8", {.hop = "192.0.2.2"}).code, DWORD{259});
  EXPECT_EQ(rip.remove("10.0.0.0/8", {.interface = 2}).code, DWORD{ERROR_NO_SUCH_ROUTE});
  EXPECT_EQ(rip.remove("10.0.0.0/9").code, DWORD{ERROR_NO_SUCH_ROUTE});
  RTM_IP_ROUTE holes = route("10.0.0.0/8");
  holes.RR_Network.N_NetMask = 0x00FF00FF;
  EXPECT_EQ(rip.remove(holes).code, DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(enumerated().size(), 1U);
}

// clauses: RTM1-051
TEST_F(Deleting, NotAnotherProtocols_choice) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  EXPECT_EQ(ospf.remove("10.0.0.0/8").code, DWORD{ERROR_NO_SUCH_ROUTE});
  EXPECT_EQ(enumerated().size(), 1U);
}

// clauses: RTM1-052
TEST_F(Deleting, ByIdentityAlone_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 3});
  RTM_IP_ROUTE named = route("10.0.0.0/8", {.metric = 99, .flags = 0});
  named.RR_ProtocolSpecificData.PSD_Data[0] = 5;
  named.RR_TimeStamp = {1, 1};
  named.RR_RoutingProtocol = kOspf;
  EXPECT_EQ(rip.remove(named).flags, DWORD{RTM_ROUTE_DELETED});
}

// clauses: RTM1-053
TEST_F(Deleting, OfASingleRouteClientByTheNetwork_choice) {
  const Client ospf(kOspf, RTM_PROTOCOL_SINGLE_ROUTE);
  ospf.add("10.0.0.0/8", {.hop = "192.0.2.4", .interface = 4});
  EXPECT_EQ(ospf.remove("10.0.0.0/8", {.hop = "192.0.2.5", .interface = 5}).flags, DWORD{RTM_ROUTE_DELETED});
}

// clauses: RTM1-092
TEST_F(Deleting, TheNewBestNeedNotBeWanted) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 1});
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 2});
  RTM_IP_ROUTE named = route("10.0.0.0/8");
  DWORD flags = 77;
  EXPECT_EQ(RtmDeleteRoute(rip, &named, &flags, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(RtmDeleteRoute(rip, &named, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmDeleteRoute(rip, nullptr, &flags, nullptr), DWORD{ERROR_INVALID_PARAMETER});
}

// --- many at once

/// Two networks by two interfaces each, and another client's beside them.
class Blocks : public RtmV1Test {
 protected:
  Blocks() {
    for (const char* prefix : {"10.1.0.0/16", "10.2.0.0/16"}) {
      for (const DWORD interface : {1U, 2U}) {
        rip_.add(prefix, {.interface = interface, .metric = interface});
        ospf_.add(prefix, {.interface = interface, .metric = interface});
      }
    }
    rip_.messages();
    ospf_.messages();
  }
  DWORD remove(DWORD flags, RTM_IP_ROUTE criteria) { return RtmBlockDeleteRoutes(rip_, flags, &criteria); }
  std::vector<std::string> rips() {
    RTM_IP_ROUTE criteria{};
    criteria.RR_RoutingProtocol = kRip;
    return enumerated(RTM_ONLY_THIS_PROTOCOL, criteria);
  }
  const Client rip_{kRip};
  const Client ospf_{kOspf};
};

// clauses: RTM1-055
TEST_F(Blocks, OfOneInterface) {
  EXPECT_EQ(remove(RTM_ONLY_THIS_INTERFACE, route("0.0.0.0/0", {.interface = 1})), DWORD{NO_ERROR});
  EXPECT_EQ(rips(), (std::vector<std::string>{"10.1.0.0/16 8 via 192.0.2.1 if 2 metric 2",
                                              "10.2.0.0/16 8 via 192.0.2.1 if 2 metric 2"}));
  EXPECT_EQ(enumerated().size(), 6U);
}

// clauses: RTM1-055
TEST_F(Blocks, OfOneNetwork) {
  EXPECT_EQ(remove(RTM_ONLY_THIS_NETWORK, route("10.1.0.0/16")), DWORD{NO_ERROR});
  EXPECT_EQ(rips(), (std::vector<std::string>{"10.2.0.0/16 8 via 192.0.2.1 if 1 metric 1",
                                              "10.2.0.0/16 8 via 192.0.2.1 if 2 metric 2"}));
  EXPECT_EQ(enumerated().size(), 6U);
}

// clauses: RTM1-055
TEST_F(Blocks, OfOneNetworkAndInterface) {
  EXPECT_EQ(remove(RTM_ONLY_THIS_NETWORK | RTM_ONLY_THIS_INTERFACE | RTM_ONLY_THIS_PROTOCOL,
                   [] {
                     RTM_IP_ROUTE criteria = route("10.1.0.0/16", {.interface = 2});
                     criteria.RR_RoutingProtocol = kRip;
                     return criteria;
                   }()),
            DWORD{NO_ERROR});
  EXPECT_EQ(rips().size(), 3U);
}

// clauses: RTM1-056
TEST_F(Blocks, OnlyTheBestAreAll) {
  EXPECT_EQ(RtmBlockDeleteRoutes(rip_, RTM_ONLY_BEST_ROUTES, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(rips().size(), 0U);
  EXPECT_EQ(enumerated().size(), 4U);
}

// clauses: RTM1-057 RTM1-060
TEST_F(Blocks, NothingThatMatches) {
  EXPECT_EQ(remove(RTM_ONLY_THIS_INTERFACE, route("0.0.0.0/0", {.interface = 3})), DWORD{ERROR_NO_ROUTES});
  EXPECT_EQ(remove(RTM_ONLY_THIS_NETWORK, route("10.3.0.0/16")), DWORD{ERROR_NO_ROUTES});
  RTM_IP_ROUTE other{};
  other.RR_RoutingProtocol = kOspf;
  EXPECT_EQ(remove(RTM_ONLY_THIS_PROTOCOL, other), DWORD{ERROR_NO_ROUTES});
  EXPECT_EQ(enumerated().size(), 8U);
}

// clauses: RTM1-058
TEST_F(Blocks, BadFlagsAndHandles) {
  EXPECT_EQ(remove(0x10, {}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmBlockDeleteRoutes(rip_, RTM_ONLY_THIS_NETWORK, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmBlockDeleteRoutes(kGarbage, 0, nullptr), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(enumerated().size(), 8U);
}

// clauses: RTM1-059
TEST_F(Blocks, TheCallerIsToldToo) {
  rip_.add("10.9.0.0/16");
  ospf_.messages();
  EXPECT_EQ(RtmBlockDeleteRoutes(rip_, 0, nullptr), DWORD{NO_ERROR});
  EXPECT_TRUE(rip_.is_told());
  const std::vector<std::string> gone{"DELETED 10.9.0.0/16 8 via 192.0.2.1 if 1 metric 1"};
  EXPECT_EQ(rip_.messages(), gone) << "the other two networks are OSPF's";
  EXPECT_EQ(ospf_.messages(), gone);
}

}  // namespace
}  // namespace turnpike::conformance
