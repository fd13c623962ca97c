// RTM1-076 … RTM1-086, RTM1-091: enumeration by handle and by place.
#include <algorithm>

#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Enumeration = RtmV1Test;

/// Networks, protocols, interfaces and next hops in every mixture, and what each combination of criteria should find.
class Mixture : public RtmV1Test {
 protected:
  Mixture() {
    for (const char* prefix : {"10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "9.0.0.0/8"}) {
      for (const DWORD interface : {2U, 1U}) {
        for (const char* hop : {"192.0.2.20", "192.0.2.3"}) {
          add(rip_, prefix, hop, interface);
          add(ospf_, prefix, hop, interface);
        }
      }
    }
  }
  void add(const Client& client, const char* prefix, const char* hop, DWORD interface) {
    RTM_IP_ROUTE made = route(prefix, {.hop = hop, .interface = interface, .metric = interface});
    ASSERT_EQ(client.add(made).code, DWORD{NO_ERROR});
    made.RR_RoutingProtocol = &client == &rip_ ? kRip : kOspf;
    all_.push_back(made);
  }
  /// In the documented order.
  std::vector<std::string> wanted(DWORD flags, const RTM_IP_ROUTE& criteria) const {
    std::vector<RTM_IP_ROUTE> found;
    for (const RTM_IP_ROUTE& each : all_) {
      const bool fits =
          ((flags & RTM_ONLY_THIS_NETWORK) == 0 || (each.RR_Network.N_NetNumber == criteria.RR_Network.N_NetNumber &&
                                                    each.RR_Network.N_NetMask == criteria.RR_Network.N_NetMask)) &&
          ((flags & RTM_ONLY_THIS_INTERFACE) == 0 || each.RR_InterfaceID == criteria.RR_InterfaceID) &&
          ((flags & RTM_ONLY_THIS_PROTOCOL) == 0 || each.RR_RoutingProtocol == criteria.RR_RoutingProtocol) &&
          ((flags & RTM_ONLY_BEST_ROUTES) == 0 || is_best(each));
      if (fits) {
        found.push_back(each);
      }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return place(a) < place(b); });
    std::vector<std::string> texts;
    for (const RTM_IP_ROUTE& each : found) {
      texts.push_back(text_of(each));
    }
    return texts;
  }
  // The first of OSPF's that was added by interface 1.
  static bool is_best(const RTM_IP_ROUTE& it) {
    return it.RR_RoutingProtocol == kOspf && it.RR_InterfaceID == 1 &&
           it.RR_NextHopAddress.N_NetNumber == address("192.0.2.20");
  }
  static std::vector<DWORD> place(const RTM_IP_ROUTE& it) {
    return {__builtin_bswap32(it.RR_Network.N_NetNumber), __builtin_bswap32(it.RR_Network.N_NetMask),
            it.RR_RoutingProtocol, it.RR_InterfaceID, __builtin_bswap32(it.RR_NextHopAddress.N_NetNumber)};
  }

  const Client rip_{kRip};
  const Client ospf_{kOspf};
  std::vector<RTM_IP_ROUTE> all_;
};

// clauses: RTM1-076 RTM1-077 RTM1-078
TEST_F(Mixture, EveryCombinationOfCriteriaByHandle) {
  RTM_IP_ROUTE criteria = route("10.0.0.0/16", {.interface = 1});
  for (const DWORD protocol : {kRip, kOspf}) {
    criteria.RR_RoutingProtocol = protocol;
    for (DWORD flags = 0; flags < 16; ++flags) {
      std::vector<std::string> found = enumerated(flags, criteria);
      std::vector<std::string> expected = wanted(flags, criteria);
      std::sort(found.begin(), found.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(found, expected) << "flags " << flags << ", protocol " << protocol;
    }
  }
  EXPECT_EQ(enumerated(RTM_ONLY_BEST_ROUTES).size(), 4U) << "one a network";
}

// clauses: RTM1-083 RTM1-084
TEST_F(Mixture, EveryCombinationOfCriteriaByPlace) {
  RTM_IP_ROUTE criteria = route("10.0.0.0/16", {.interface = 1});
  for (const DWORD protocol : {kRip, kOspf}) {
    criteria.RR_RoutingProtocol = protocol;
    for (DWORD flags = 0; flags < 16; ++flags) {
      EXPECT_EQ(walked(flags, criteria), wanted(flags, criteria)) << "flags " << flags << ", protocol " << protocol;
    }
  }
}

// clauses: RTM1-084
TEST_F(Enumeration, NoFirstRouteLeavesTheBuffer) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  RTM_IP_ROUTE criteria = route("11.0.0.0/8");
  EXPECT_EQ(RtmGetFirstRoute(kIp, RTM_ONLY_THIS_NETWORK, &criteria), DWORD{ERROR_NO_ROUTES});
  EXPECT_EQ(text_of(criteria), text_of(route("11.0.0.0/8")));
}

// clauses: RTM1-079
TEST_F(Enumeration, NothingToEnumerate) {
  RTM_IP_ROUTE criteria = route("11.0.0.0/8");
  EXPECT_EQ(RtmCreateEnumerationHandle(kIp, 0, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_ROUTES});
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  EXPECT_EQ(RtmCreateEnumerationHandle(kIp, RTM_ONLY_THIS_NETWORK, &criteria), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_ROUTES});
  EXPECT_EQ(RtmCreateEnumerationHandle(2, 0, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmCreateEnumerationHandle(kIp, 0x10, &criteria), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmCreateEnumerationHandle(kIp, RTM_ONLY_THIS_PROTOCOL, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

// Criteria are copied when the enumeration begins.
TEST_F(Enumeration, CriteriaAreCopied_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  rip.add("11.0.0.0/8");
  RTM_IP_ROUTE criteria = route("10.0.0.0/8");
  const HANDLE handle = RtmCreateEnumerationHandle(kIp, RTM_ONLY_THIS_NETWORK, &criteria);
  criteria = route("11.0.0.0/8");
  ASSERT_EQ(RtmEnumerateGetNextRoute(handle, &criteria), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(criteria), "10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
  EXPECT_EQ(RtmEnumerateGetNextRoute(handle, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmEnumerateGetNextRoute(handle, &criteria), DWORD{ERROR_NO_MORE_ROUTES});
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
}

// clauses: RTM1-080
TEST_F(Enumeration, WhatGoesMeanwhileIsNotReturned_choice) {
  const Client rip(kRip);
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"}) {
    rip.add(prefix, {.hop = "192.0.2.1"});
    rip.add(prefix, {.hop = "192.0.2.2"});
  }
  const HANDLE handle = RtmCreateEnumerationHandle(kIp, 0, nullptr);
  RTM_IP_ROUTE found;
  ASSERT_EQ(RtmEnumerateGetNextRoute(handle, &found), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(found), "10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
  rip.remove("10.0.0.0/8", {.hop = "192.0.2.1"});  // this one was returned
  rip.remove("10.0.0.0/8", {.hop = "192.0.2.2"});  // these two were not
  rip.remove("11.0.0.0/8", {.hop = "192.0.2.1"});
  std::vector<std::string> rest;
  while (RtmEnumerateGetNextRoute(handle, &found) == NO_ERROR) {
    rest.push_back(text_of(found));
  }
  EXPECT_EQ(rest, (std::vector<std::string>{"11.0.0.0/8 8 via 192.0.2.2 if 1 metric 1",
                                            "12.0.0.0/8 8 via 192.0.2.1 if 1 metric 1",
                                            "12.0.0.0/8 8 via 192.0.2.2 if 1 metric 1"}));
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
}

// clauses: RTM1-080
TEST_F(Enumeration, EverythingMayGoMeanwhile) {
  Client rip(kRip);
  rip.add("10.0.0.0/8");
  const HANDLE handle = RtmCreateEnumerationHandle(kIp, 0, nullptr);
  rip.deregister();
  RTM_IP_ROUTE found;
  EXPECT_EQ(RtmEnumerateGetNextRoute(handle, &found), DWORD{ERROR_NO_MORE_ROUTES});
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
}

// clauses: RTM1-081 RTM1-082
TEST_F(Enumeration, OnlyAnOpenEnumerationsHandleIsOne) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  const HANDLE handle = RtmCreateEnumerationHandle(kIp, 0, nullptr);
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
  RTM_IP_ROUTE found;
  for (const HANDLE bad : {handle, HANDLE{nullptr}, INVALID_HANDLE_VALUE, kGarbage, HANDLE{rip}}) {
    EXPECT_EQ(RtmCloseEnumerationHandle(bad), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(RtmEnumerateGetNextRoute(bad, &found), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(RtmEnumerateGetNextRoute(bad, nullptr), DWORD{ERROR_INVALID_HANDLE});
  }
}

// clauses: RTM1-085
TEST_F(Enumeration, ThePlaceNeedNotBeThereAnyMore_choice) {
  const Client rip(kRip);
  for (const char* prefix : {"10.0.0.0/8", "10.0.0.0/16", "12.0.0.0/8"}) {
    rip.add(prefix);
  }
  rip.add("10.0.0.0/16", {.interface = 2});
  RTM_IP_ROUTE at = route("10.0.0.0/16");
  at.RR_RoutingProtocol = kRip;
  rip.remove("10.0.0.0/16");
  ASSERT_EQ(RtmGetNextRoute(kIp, 0, &at), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(at), "10.0.0.0/16 8 via 192.0.2.1 if 2 metric 1");
  rip.remove("10.0.0.0/16", {.interface = 2});
  ASSERT_EQ(RtmGetNextRoute(kIp, 0, &at), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(at), "12.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
  EXPECT_EQ(RtmGetNextRoute(kIp, 0, &at), DWORD{ERROR_NO_ROUTES});
  EXPECT_EQ(text_of(at), "12.0.0.0/8 8 via 192.0.2.1 if 1 metric 1") << "unchanged";
}

// A place may also be one where no network can be.
TEST_F(Enumeration, ThePlaceNeedNotBeANetwork_choice) {
  const Client rip(kRip);
  rip.add("10.0.0.0/8");
  rip.add("10.1.0.0/16");
  RTM_IP_ROUTE at = route("10.0.0.77/8");
  ASSERT_EQ(RtmGetNextRoute(kIp, 0, &at), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(at), "10.1.0.0/16 8 via 192.0.2.1 if 1 metric 1");
}

// clauses: RTM1-086
TEST_F(Enumeration, OneSpecificRoute) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8", {.interface = 2, .metric = 7});
  ospf.add("10.0.0.0/8", {.interface = 2});
  RTM_IP_ROUTE asked = route("10.0.0.0/8", {.hop = "9.9.9.9", .interface = 2});
  asked.RR_RoutingProtocol = kRip;
  ASSERT_EQ(RtmGetSpecificRoute(kIp, &asked), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(asked), "10.0.0.0/8 8 via 192.0.2.1 if 2 metric 7");
  asked.RR_InterfaceID = 3;
  EXPECT_EQ(RtmGetSpecificRoute(kIp, &asked), DWORD{ERROR_NO_ROUTES});
}

// clauses: RTM1-091
TEST_F(Enumeration, BadFamiliesFlagsAndRoutes) {
  RTM_IP_ROUTE at = route("10.0.0.0/8");
  for (const auto get : {RtmGetFirstRoute, RtmGetNextRoute}) {
    EXPECT_EQ(get(2, 0, &at), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(get(kIp, 0x10, &at), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(get(kIp, 0, nullptr), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(get(kIp, 0, &at), DWORD{ERROR_NO_ROUTES});
  }
}

}  // namespace
}  // namespace turnpike::conformance
