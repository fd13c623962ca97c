// RTM1-046: the IPX family, which nothing forwards, complete.
#include <cstring>

#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Ipx = RtmV1Test;

RTM_IPX_ROUTE ipx_route(DWORD number, BYTE station, USHORT ticks, USHORT hops, DWORD interface = 1) {
  RTM_IPX_ROUTE made{};
  made.RR_Network.N_NetNumber = number;
  const BYTE mac[6] = {2, 0, 0, 0, 0, station};
  std::memcpy(made.RR_NextHopAddress.NHA_Mac, mac, sizeof mac);
  made.RR_InterfaceID = interface;
  made.RR_FamilySpecificData = {0, ticks, hops};
  return made;
}

struct IpxAnswer {
  DWORD code = 0;
  DWORD flags = 0;
  RTM_IPX_ROUTE current{};
  RTM_IPX_ROUTE previous{};
};
IpxAnswer add(HANDLE client, RTM_IPX_ROUTE added, DWORD seconds = INFINITE) {
  IpxAnswer answer;
  answer.code = RtmAddRoute(client, &added, seconds, &answer.flags, &answer.current, &answer.previous);
  return answer;
}

// clauses: RTM1-046
TEST_F(Ipx, TicksThenHopsDecide_choice) {
  const Client rip(0x020000, 0, kIpx);
  const Client nlsp(0x020001, 0, kIpx);
  EXPECT_EQ(add(rip, ipx_route(0x11, 1, 10, 3)).flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(add(nlsp, ipx_route(0x11, 2, 9, 200)).flags, DWORD{RTM_ROUTE_CHANGED}) << "fewer ticks";
  EXPECT_EQ(add(rip, ipx_route(0x11, 3, 9, 201)).flags, DWORD{RTM_NO_CHANGE}) << "more hops";
  const IpxAnswer better = add(rip, ipx_route(0x11, 4, 9, 199));
  EXPECT_EQ(better.flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(better.current.RR_FamilySpecificData.FSD_TickCount, 9);
  EXPECT_EQ(better.current.RR_FamilySpecificData.FSD_HopCount, 199);
  EXPECT_EQ(better.current.RR_NextHopAddress.NHA_Mac[5], 4);
  EXPECT_EQ(better.previous.RR_NextHopAddress.NHA_Mac[5], 2);
  EXPECT_EQ(better.previous.RR_RoutingProtocol, 0x020001U);
}

// clauses: RTM1-046
TEST_F(Ipx, TheFamiliesDoNotMix_choice) {
  const Client ip(kRip);
  const Client ipx(kRip, 0, kIpx);
  ip.add("10.0.0.0/8");
  add(ipx, ipx_route(1, 1, 1, 1));
  add(ipx, ipx_route(2, 1, 1, 1));
  EXPECT_EQ(RtmGetNetworkCount(kIp), 1U);
  EXPECT_EQ(RtmGetNetworkCount(kIpx), 2U);
  EXPECT_EQ(enumerated().size(), 1U);
}

// Whatever is said of IP routes holds of these too: identity, significance, deletion, ageing, messages, enumeration.
TEST_F(Ipx, TheWholeLifeOfARoute) {
  const Client rip(0x020000, 0, kIpx);
  const Client nlsp(0x020001, 0, kIpx);
  RTM_IPX_ROUTE wan = ipx_route(0x80000001, 1, 5, 2, 7);
  wan.RR_FamilySpecificData.FSD_Flags = IPX_GLOBAL_CLIENT_WAN_ROUTE;
  wan.RR_ProtocolSpecificData.PSD_Data[2] = 99;
  const IpxAnswer first = add(rip, wan, 60);
  EXPECT_EQ(first.flags, DWORD{RTM_ROUTE_ADDED});
  RTM_IPX_ROUTE expected = wan;
  expected.RR_TimeStamp = first.current.RR_TimeStamp;
  expected.RR_RoutingProtocol = 0x020000;
  EXPECT_EQ(std::memcmp(&first.current, &expected, sizeof expected), 0) << "what was said, and nothing beside it";
  EXPECT_EQ(add(rip, wan, 60).flags, DWORD{RTM_NO_CHANGE});
  EXPECT_EQ(add(rip, ipx_route(0x80000001, 2, 6, 2, 7)).flags, DWORD{RTM_NO_CHANGE})
      << "another station: another route";

  IPX_NETWORK asked{0x80000001};
  RTM_IPX_ROUTE found{};
  ASSERT_NE(RtmIsRoute(kIpx, &asked, &found), FALSE);
  EXPECT_EQ(found.RR_FamilySpecificData.FSD_Flags, DWORD{IPX_GLOBAL_CLIENT_WAN_ROUTE});
  pass(30);
  EXPECT_EQ(RtmGetRouteAge(&found), 30U);
  pass(31);

  DWORD flags = 0;
  RTM_IPX_ROUTE now{};
  RTM_IPX_ROUTE before{};
  EXPECT_EQ(RtmDequeueRouteChangeMessage(nlsp, &flags, &now, &before), DWORD{ERROR_MORE_MESSAGES});
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(RtmDequeueRouteChangeMessage(nlsp, &flags, &now, &before), DWORD{NO_ERROR})
      << "the first route has aged out";
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(now.RR_NextHopAddress.NHA_Mac[5], 2);
  EXPECT_EQ(before.RR_ProtocolSpecificData.PSD_Data[2], 99U);

  RTM_IPX_ROUTE named = ipx_route(0x80000001, 2, 0, 0, 7);
  EXPECT_EQ(RtmDeleteRoute(rip, &named, &flags, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_DELETED});
}

TEST_F(Ipx, OrderAndCriteria) {
  const Client rip(0x020000, 0, kIpx);
  for (const DWORD number : {0x03000000U, 0x01000000U, 0x00000001U}) {  // 3, 1 and 0x01000000 in host order
    add(rip, ipx_route(number, 2, 1, 1, 5));
    add(rip, ipx_route(number, 1, 2, 1, 6));
  }
  std::vector<std::pair<DWORD, DWORD>> seen;
  RTM_IPX_ROUTE at{};
  DWORD code = RtmGetFirstRoute(kIpx, 0, &at);
  for (; code == NO_ERROR; code = RtmGetNextRoute(kIpx, 0, &at)) {
    seen.emplace_back(at.RR_Network.N_NetNumber, at.RR_InterfaceID);
  }
  EXPECT_EQ(seen,
            (std::vector<std::pair<DWORD, DWORD>>{
                {0x01000000, 5}, {0x01000000, 6}, {0x03000000, 5}, {0x03000000, 6}, {0x00000001, 5}, {0x00000001, 6}}));
  at = ipx_route(0x03000000, 0, 0, 0, 6);
  const HANDLE handle = RtmCreateEnumerationHandle(kIpx, RTM_ONLY_THIS_NETWORK | RTM_ONLY_THIS_INTERFACE, &at);
  ASSERT_NE(handle, nullptr);
  ASSERT_EQ(RtmEnumerateGetNextRoute(handle, &at), DWORD{NO_ERROR});
  EXPECT_EQ(at.RR_FamilySpecificData.FSD_TickCount, 2);
  EXPECT_EQ(RtmEnumerateGetNextRoute(handle, &at), DWORD{ERROR_NO_MORE_ROUTES});
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmBlockDeleteRoutes(rip, RTM_ONLY_THIS_INTERFACE, &at), DWORD{NO_ERROR});
  EXPECT_EQ(RtmGetNetworkCount(kIpx), 3U);
}

}  // namespace
}  // namespace turnpike::conformance
