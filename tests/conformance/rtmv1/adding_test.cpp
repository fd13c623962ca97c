// RTM1-018 … RTM1-045: adding and changing routes, and which one is best.
#include <sys/socket.h>
#include <turnpike/rtm.h>

#include <cstring>

#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Adding = RtmV1Test;

// clauses: RTM1-018
TEST_F(Adding, TheFirstRouteOfANetwork) {
  const Client rip(kRip);
  const Answer answer = rip.add("10.1.0.0/16", {.interface = 3, .metric = 2});
  EXPECT_EQ(answer.text(), "ADDED 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2");
  IP_NETWORK wanted = network("10.1.0.0/16");
  RTM_IP_ROUTE stored;
  ASSERT_NE(RtmIsRoute(kIp, &wanted, &stored), FALSE);
  EXPECT_EQ(std::memcmp(&stored, &answer.current, sizeof stored), 0);
}

// clauses: RTM1-019 RTM1-020
TEST_F(Adding, StampProtocolAndPriorityAreTheTables) {
  const Client rip(kRip);
  FILETIME now;
  GetSystemTimeAsFileTime(&now);
  RTM_IP_ROUTE in = route("10.1.0.0/16");
  in.RR_TimeStamp = {17, 4};
  in.RR_RoutingProtocol = 9999;
  in.RR_FamilySpecificData.FSD_Priority = 1;
  const RTM_IP_ROUTE before = in;
  Answer first;
  first.code = RtmAddRoute(rip, &in, INFINITE, &first.flags, &first.current, nullptr);
  EXPECT_EQ(std::memcmp(&in, &before, sizeof in), 0) << "the input is not changed";
  EXPECT_EQ(first.current.RR_RoutingProtocol, kRip);
  EXPECT_EQ(first.current.RR_FamilySpecificData.FSD_Priority, 120U);
  EXPECT_EQ(RtmGetRouteAge(&first.current), 0U);
  pass(7);
  EXPECT_EQ(RtmGetRouteAge(&first.current), 7U) << "the stamp was the present";
}

// The protocols' priorities that RTMv2 uses too.
TEST_F(Adding, PriorityIsThatOfTheProtocol) {
  const std::pair<DWORD, DWORD> expected[] = {
      {PROTO_IP_LOCAL, 1},  {PROTO_IP_NT_STATIC, 3}, {PROTO_IP_NT_AUTOSTATIC, 7},     {PROTO_IP_NETMGMT, 10},
      {PROTO_IP_OSPF, 110}, {PROTO_IP_RIP, 120},     {PROTO_IP_NT_STATIC_NON_DOD, 5}, {4711, 100}};
  for (const auto& [protocol, priority] : expected) {
    const Client client(protocol);
    EXPECT_EQ(client.add("10.0.0.0/8").current.RR_FamilySpecificData.FSD_Priority, priority) << protocol;
  }
}

// Everything that a client says of a route is kept, the mask of the next hop too.
TEST_F(Adding, KeepsWhatTheClientSays) {
  const Client rip(kRip);
  RTM_IP_ROUTE in = route("10.1.0.0/16", {.flags = 0xF0F0F0F1});
  in.RR_NextHopAddress.N_NetMask = 0x00FFFFFF;
  in.RR_FamilySpecificData.FSD_Type = 3;
  in.RR_FamilySpecificData.FSD_Policy = 21;
  in.RR_FamilySpecificData.FSD_NextHopAS = 22;
  in.RR_FamilySpecificData.FSD_Metric1 = 31;
  in.RR_FamilySpecificData.FSD_Metric2 = 32;
  in.RR_FamilySpecificData.FSD_Metric3 = 33;
  in.RR_FamilySpecificData.FSD_Metric4 = 34;
  in.RR_FamilySpecificData.FSD_Metric5 = 35;
  in.RR_ProtocolSpecificData = {{1, 2, 3, 0xFFFFFFFF}};
  RTM_IP_ROUTE out = rip.add(in).current;
  in.RR_RoutingProtocol = kRip;
  in.RR_FamilySpecificData.FSD_Priority = 120;
  in.RR_TimeStamp = out.RR_TimeStamp;
  EXPECT_EQ(std::memcmp(&in, &out, sizeof in), 0);
}

// clauses: RTM1-021
TEST_F(Adding, TheSameAgainIsNoChange) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  EXPECT_EQ(rip.add("10.0.0.0/8").text(), "NO CHANGE");
  EXPECT_EQ(enumerated().size(), 1U);
}

// clauses: RTM1-022 RTM1-045
TEST_F(Adding, AnotherNextHopIsAnotherRoute) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  const Answer worse = rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 5});
  EXPECT_EQ(worse.text(), "NO CHANGE");
  EXPECT_FALSE(worse.wrote_current());
  EXPECT_FALSE(worse.wrote_previous());
  EXPECT_EQ(enumerated().size(), 2U);
}

// clauses: RTM1-023 RTM1-031
TEST_F(Adding, TheBetterMetricWins) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 5});
  RTM_IP_ROUTE better = route("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 4});
  better.RR_FamilySpecificData.FSD_Metric1 = 99;
  better.RR_FamilySpecificData.FSD_Metric5 = 99;
  EXPECT_EQ(rip.add(better).text(),
            "CHANGED 10.0.0.0/8 8 via 192.0.2.2 if 1 metric 4 from 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 5");
}

// clauses: RTM1-024
TEST_F(Adding, AnotherInterfaceOrProtocolIsAnotherRoute) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  rip.add("10.0.0.0/8", {.interface = 2});
  ospf.add("10.0.0.0/8");
  EXPECT_EQ(enumerated().size(), 3U);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
}

// A next hop is compared by its address alone.
TEST_F(Adding, TheMaskOfTheNextHopMeansNothing_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  RTM_IP_ROUTE other_mask = route("10.0.0.0/8");
  other_mask.RR_NextHopAddress.N_NetMask = 0;
  EXPECT_EQ(rip.add(other_mask).text(), "NO CHANGE");
  EXPECT_EQ(enumerated().size(), 1U);
}

// clauses: RTM1-025
TEST_F(Adding, AnotherMaskIsAnotherNetwork_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  EXPECT_EQ(rip.add("10.0.0.0/16").flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(rip.add("0.0.0.0/0").flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(rip.add("10.0.0.0/32").flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(RtmGetNetworkCount(kIp), 4U);
}

// clauses: RTM1-026
TEST_F(Adding, EveryFamilySpecificMemberIsSignificant) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  RTM_IP_ROUTE now = route("10.0.0.0/8");
  rip.add(now);
  ospf.messages();
  DWORD IP_SPECIFIC_DATA::* const members[] = {&IP_SPECIFIC_DATA::FSD_Type,      &IP_SPECIFIC_DATA::FSD_Policy,
                                               &IP_SPECIFIC_DATA::FSD_NextHopAS, &IP_SPECIFIC_DATA::FSD_Metric,
                                               &IP_SPECIFIC_DATA::FSD_Metric1,   &IP_SPECIFIC_DATA::FSD_Metric2,
                                               &IP_SPECIFIC_DATA::FSD_Metric3,   &IP_SPECIFIC_DATA::FSD_Metric4,
                                               &IP_SPECIFIC_DATA::FSD_Metric5,   &IP_SPECIFIC_DATA::FSD_Flags};
  for (DWORD IP_SPECIFIC_DATA::* const member : members) {
    now.RR_FamilySpecificData.*member += 2;
    const Answer answer = rip.add(now);
    EXPECT_EQ(answer.flags, DWORD{RTM_ROUTE_CHANGED});
    EXPECT_EQ(answer.current.RR_FamilySpecificData.*member, now.RR_FamilySpecificData.*member);
    EXPECT_EQ(answer.previous.RR_FamilySpecificData.*member, now.RR_FamilySpecificData.*member - 2);
    EXPECT_EQ(rip.add(now).flags, DWORD{RTM_NO_CHANGE});
    EXPECT_EQ(ospf.messages().size(), 1U);
  }
}

// clauses: RTM1-027
TEST_F(Adding, ProtocolSpecificDataIsNotSignificant) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  RTM_IP_ROUTE now = route("10.0.0.0/8");
  rip.add(now);
  ospf.messages();
  now.RR_ProtocolSpecificData.PSD_Data[3] = 77;
  EXPECT_EQ(rip.add(now).text(), "NO CHANGE");
  EXPECT_EQ(ospf.next().code, DWORD{ERROR_NO_MESSAGES});
  ASSERT_EQ(RtmGetFirstRoute(kIp, 0, &now), DWORD{NO_ERROR});
  EXPECT_EQ(now.RR_ProtocolSpecificData.PSD_Data[3], 77U);
}

// clauses: RTM1-028
TEST_F(Adding, ARouteThatIsNotBestChangesInSilence) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 9});
  ospf.messages();
  EXPECT_EQ(rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 8}).text(), "NO CHANGE");
  EXPECT_EQ(ospf.next().code, DWORD{ERROR_NO_MESSAGES});
}

// clauses: RTM1-029
TEST_F(Adding, TheBestGetsWorseThanAnother) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 1});
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 5});
  EXPECT_EQ(rip.add("10.0.0.0/8", {.metric = 9}).text(),
            "CHANGED 10.0.0.0/8 8 via 192.0.2.2 if 1 metric 5 from 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
}

// clauses: RTM1-030
TEST_F(Adding, ThePriorityOfTheProtocolComesFirst) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8", {.metric = 1});
  EXPECT_EQ(ospf.add("10.0.0.0/8", {.metric = 1000}).flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 13 via 192.0.2.1 if 1 metric 1000");
}

// clauses: RTM1-093
TEST_F(Adding, AnotherPriorityIsAnotherBestRoute_choice) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8", {.metric = 1});
  ospf.add("10.0.0.0/8", {.metric = 1000});
  static_cast<void>(rip.messages());
  const TpRtmPreference wanted{kOspf, 121};
  ASSERT_EQ(TpRtmSetPreferences(0, AF_INET, &wanted, 1), 0U);
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
  const std::string change = " from 10.0.0.0/8 13 via 192.0.2.1 if 1 metric 1000";
  for (const Client* each : {&rip, &ospf}) {
    const auto messages = each->messages();
    ASSERT_FALSE(messages.empty());
    EXPECT_EQ(messages.back(), "CHANGED 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1" + change);
  }
  ASSERT_EQ(TpRtmSetPreferences(0, AF_INET, nullptr, 0), 0U);
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 13 via 192.0.2.1 if 1 metric 1000");
}

// clauses: RTM1-032
TEST_F(Adding, AmongEqualsTheFirstStays_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.hop = "192.0.2.9"});
  EXPECT_EQ(rip.add("10.0.0.0/8", {.hop = "192.0.2.1"}).text(), "NO CHANGE");
  EXPECT_EQ(best("10.0.0.0/8"), "10.0.0.0/8 8 via 192.0.2.9 if 1 metric 1");
}

// clauses: RTM1-033 RTM1-034
TEST_F(Adding, InvalidRoutesTakePart) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8", {.metric = 5});
  RTM_IP_ROUTE invalid = route("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 1});
  invalid.RR_FamilySpecificData.FSD_Type = 2;
  EXPECT_EQ(rip.add(invalid).flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(rip.add("10.2.0.0/16", {.flags = 0}).flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(rip.add("10.2.0.0/16", {.hop = "192.0.2.2", .metric = 2}).flags, DWORD{RTM_NO_CHANGE});
}

// clauses: RTM1-035
TEST_F(Adding, TheRoutesNeedNotBeWanted) {
  const Client rip(kRip);
  RTM_IP_ROUTE in = route("10.0.0.0/8");
  DWORD flags = 0;
  RTM_IP_ROUTE out;
  EXPECT_EQ(RtmAddRoute(rip, &in, INFINITE, &flags, nullptr, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_ADDED});
  in.RR_FamilySpecificData.FSD_Metric = 2;
  EXPECT_EQ(RtmAddRoute(rip, &in, INFINITE, &flags, &out, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(out.RR_FamilySpecificData.FSD_Metric, 2U);
  in.RR_FamilySpecificData.FSD_Metric = 3;
  EXPECT_EQ(RtmAddRoute(rip, &in, INFINITE, &flags, nullptr, &out), DWORD{NO_ERROR});
  EXPECT_EQ(out.RR_FamilySpecificData.FSD_Metric, 2U);
}

// clauses: RTM1-036
TEST_F(Adding, RouteAndFlagsMustBeThere_choice) {
  const Client rip(kRip);
  RTM_IP_ROUTE in = route("10.0.0.0/8");
  DWORD flags = 77;
  EXPECT_EQ(RtmAddRoute(rip, nullptr, INFINITE, &flags, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmAddRoute(rip, &in, INFINITE, nullptr, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(flags, 77U);
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
}

// clauses: RTM1-038
TEST_F(Adding, NoNetworkThatIsNone_choice) {
  const Client rip(kRip);
  RTM_IP_ROUTE holes = route("10.0.0.0/8");
  holes.RR_Network.N_NetMask = 0x00FF00FF;
  RTM_IP_ROUTE outside = route("10.0.0.1/8");
  RTM_IP_ROUTE wrong_way = route("10.0.0.0/8");
  wrong_way.RR_Network.N_NetMask = 0xFF000000;
  for (const RTM_IP_ROUTE& bad : {holes, outside, wrong_way}) {
    const Answer answer = rip.add(bad);
    EXPECT_EQ(answer.code, DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_FALSE(answer.wrote_current());
  }
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
}

// clauses: RTM1-044
TEST_F(Adding, ASingleRouteClientHasOneRouteANetwork) {
  const Client rip(kRip);
  const Client ospf(kOspf, RTM_PROTOCOL_SINGLE_ROUTE);
  ospf.add("10.1.0.0/16", {.hop = "198.51.100.1", .interface = 4, .metric = 50});
  EXPECT_EQ(
      ospf.add("10.1.0.0/16", {.hop = "198.51.100.2", .interface = 5, .metric = 60}).text(),
      "CHANGED 10.1.0.0/16 13 via 198.51.100.2 if 5 metric 60 from 10.1.0.0/16 13 via 198.51.100.1 if 4 metric 50");
  rip.add("10.1.0.0/16");
  ospf.add("10.2.0.0/16");
  EXPECT_EQ(enumerated(), (std::vector<std::string>{"10.1.0.0/16 8 via 192.0.2.1 if 1 metric 1",
                                                    "10.1.0.0/16 13 via 198.51.100.2 if 5 metric 60",
                                                    "10.2.0.0/16 13 via 192.0.2.1 if 1 metric 1"}));
}

}  // namespace
}  // namespace turnpike::conformance
