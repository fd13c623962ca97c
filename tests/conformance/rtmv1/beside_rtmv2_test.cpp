// One table for both versions: what an RTMv1 client and an RTMv2 client see of each other (src/rtm/v1.h has the
// mapping).
#include <cstring>
#include <tuple>

#include "entity.h"
#include "route_client.h"

namespace turnpike::conformance {
namespace {

using BesideRtmv2 = RtmV1Test;

// A route of RTMv1, as an RTMv2 client finds it.
TEST_F(BesideRtmv2, WhatRtmv2SeesOfARoute) {
  const Entity watcher(4711);
  const Client rip(kRip);
  RTM_IP_ROUTE in = route("10.1.0.0/16", {.hop = "192.0.2.7", .interface = 3, .metric = 4});
  rip.add(in);
  RTM_NET_ADDRESS address = Entity::net("10.1.0.0/16");
  RTM_ROUTE_INFO info{};
  ASSERT_EQ(RtmGetExactMatchRoute(watcher, &address, RTM_MATCH_NONE, &info, 0, RTM_VIEW_MASK_UCAST, nullptr),
            DWORD{NO_ERROR});
  EXPECT_EQ(info.PrefInfo.Preference, 120U);
  EXPECT_EQ(info.PrefInfo.Metric, 4U);
  EXPECT_EQ(info.Flags, RTM_ROUTE_FLAGS_REMOTE);
  EXPECT_EQ(info.BelongsToViews, RTM_VIEW_SET{RTM_VIEW_MASK_UCAST | RTM_VIEW_MASK_MCAST});
  ASSERT_EQ(info.NextHopsList.NumNextHops, 1);
  EXPECT_EQ(info.Neighbour, info.NextHopsList.NextHops[0]);
  RTM_NEXTHOP_INFO hop{};
  ASSERT_EQ(RtmGetNextHopInfo(watcher, info.Neighbour, &hop), DWORD{NO_ERROR});
  EXPECT_EQ(hop.InterfaceIndex, 3U);
  const DWORD wanted = ::turnpike::conformance::address("192.0.2.7");
  EXPECT_EQ(std::memcmp(hop.NextHopAddress.AddrBits, &wanted, 4), 0);
  RTM_ENTITY_INFO owner{};
  ASSERT_EQ(RtmGetEntityInfo(watcher, info.RouteOwner, &owner), DWORD{NO_ERROR});
  EXPECT_EQ(owner.EntityId.EntityProtocolId, kRip);
  EXPECT_EQ(RtmReleaseNextHopInfo(watcher, &hop), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseRouteInfo(watcher, &info), DWORD{NO_ERROR});

  for (const auto& [type, flags, expected] : {std::tuple(3U, 1U, RTM_ROUTE_FLAGS_LOCAL), std::tuple(2U, 1U, 0),
                                              std::tuple(4U, 0U, RTM_ROUTE_FLAGS_REMOTE | RTM_ROUTE_FLAGS_INACTIVE)}) {
    in.RR_FamilySpecificData.FSD_Type = type;
    in.RR_FamilySpecificData.FSD_Flags = flags;
    rip.add(in);
    ASSERT_EQ(RtmGetExactMatchRoute(watcher, &address, RTM_MATCH_NONE, &info, 0, RTM_VIEW_MASK_UCAST, nullptr),
              DWORD{NO_ERROR});
    EXPECT_EQ(info.Flags, expected);
    EXPECT_EQ(RtmReleaseRouteInfo(watcher, &info), DWORD{NO_ERROR});
  }
}

// A route of RTMv2, as an RTMv1 client reads it.
TEST_F(BesideRtmv2, WhatRtmv1SeesOfARoute) {
  const Entity bgp(PROTO_IP_BGP);
  bgp.add("10.1.0.0/16", {.hop = "192.0.2.7", .interface = 3, .metric = 4});
  IP_NETWORK wanted = network("10.1.0.0/16");
  RTM_IP_ROUTE found{};
  ASSERT_NE(RtmIsRoute(kIp, &wanted, &found), FALSE);
  EXPECT_EQ(text_of(found), "10.1.0.0/16 14 via 192.0.2.7 if 3 metric 4");
  const IP_SPECIFIC_DATA& data = found.RR_FamilySpecificData;
  EXPECT_EQ(data.FSD_Priority, 20U);
  EXPECT_EQ(data.FSD_Type, 4U);
  EXPECT_EQ(data.FSD_Flags, DWORD{IP_VALID_ROUTE});
  EXPECT_EQ(data.FSD_Metric1, 4U);
  EXPECT_EQ(data.FSD_Metric2, 0xFFFFFFFFU);
  pass(9);
  EXPECT_EQ(RtmGetRouteAge(&found), 9U);

  for (const auto& [hop, flags, type, valid] :
       {std::tuple("192.0.2.7", RTM_ROUTE_FLAGS_INACTIVE, 4U, 0U),
        std::tuple("192.0.2.7", RTM_ROUTE_FLAGS_MARTIAN, 4U, 0U),
        std::tuple("192.0.2.7", RTM_ROUTE_FLAGS_LOCAL, 3U, 1U), std::tuple("0.0.0.0", 0, 3U, 1U)}) {
    bgp.add("10.1.0.0/16", {.hop = hop, .interface = 3, .metric = 4}, static_cast<USHORT>(flags));
    ASSERT_NE(RtmIsRoute(kIp, &wanted, &found), FALSE);
    EXPECT_EQ(found.RR_FamilySpecificData.FSD_Type, type);
    EXPECT_EQ(found.RR_FamilySpecificData.FSD_Flags, valid);
  }
  EXPECT_EQ(found.RR_NextHopAddress.N_NetNumber, 0U);
  EXPECT_EQ(found.RR_InterfaceID, 0U);
}

TEST_F(BesideRtmv2, TheyCompete) {
  const Entity stat(PROTO_IP_NT_STATIC);
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.1.0.0/16", {.metric = 1});
  ospf.messages();
  stat.add("10.1.0.0/16", {.hop = "192.0.2.7", .metric = 9});
  const std::string changed =
      "CHANGED 10.1.0.0/16 10006 via 192.0.2.7 if 1 metric 9 from 10.1.0.0/16 8 via 192.0.2.1 if 1 metric 1";
  EXPECT_EQ(rip.messages(), std::vector<std::string>{changed});
  EXPECT_EQ(ospf.messages(), std::vector<std::string>{changed});
  EXPECT_EQ(rip.add("10.1.0.0/16", {.metric = 2}).text(), "NO CHANGE");
  stat.add("10.1.0.0/16", {.hop = "192.0.2.7", .metric = 8});
  EXPECT_EQ(ospf.messages(), std::vector<std::string>{"CHANGED 10.1.0.0/16 10006 via 192.0.2.7 if 1 metric 8 from "
                                                      "10.1.0.0/16 10006 via 192.0.2.7 if 1 metric 9"});
  stat.remove("10.1.0.0/16");
  EXPECT_EQ(ospf.messages(), std::vector<std::string>{"CHANGED 10.1.0.0/16 8 via 192.0.2.1 if 1 metric 2 from "
                                                      "10.1.0.0/16 10006 via 192.0.2.7 if 1 metric 8"});
}

// RTMv1 knows the unicast view alone.
TEST_F(BesideRtmv2, TheMulticastViewIsNotRtmv1s) {
  const Entity entity(4711);
  const Client rip(kRip);
  entity.add("10.1.0.0/16", {}, 0, RTM_VIEW_MASK_MCAST);
  EXPECT_FALSE(rip.is_told());
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  EXPECT_EQ(best("10.1.0.0/16"), "");
  EXPECT_EQ(enumerated().size(), 0U);
}

// Changes by RTMv1 clients reach who follows the table by RTMv2.
TEST_F(BesideRtmv2, Rtmv2IsTold) {
  const Entity watcher(4711);
  RTM_NOTIFY_HANDLE notify = nullptr;
  ASSERT_EQ(
      RtmRegisterForChangeNotification(watcher, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_FORWARDING, nullptr, &notify),
      DWORD{NO_ERROR});
  const auto changes = [&] {
    UINT count = 8;
    RTM_DEST_INFO infos[8];
    const DWORD code = RtmGetChangedDests(watcher, notify, &count, infos);
    EXPECT_EQ(code, count != 0 ? DWORD{NO_ERROR} : DWORD{ERROR_NO_MORE_ITEMS});
    if (count != 0) {
      EXPECT_EQ(RtmReleaseChangedDests(watcher, notify, count, infos), DWORD{NO_ERROR});
    }
    return count;
  };
  Client rip(kRip);
  rip.add("10.1.0.0/16");
  EXPECT_EQ(changes(), 1U);
  rip.add("10.1.0.0/16", {.flags = 0});
  EXPECT_EQ(changes(), 1U) << "it is not to be forwarded by any more";
  rip.add("10.1.0.0/16", {.metric = 2, .flags = 0}, 60);
  EXPECT_EQ(changes(), 1U);
  rip.add("10.1.0.0/16", {.metric = 2, .flags = 0}, 60);
  EXPECT_EQ(changes(), 0U) << "a refresh";
  pass(61);
  EXPECT_EQ(changes(), 1U);
  rip.add("10.2.0.0/16");
  EXPECT_EQ(changes(), 1U);
  rip.deregister();
  EXPECT_EQ(changes(), 1U);
}

// Neither version's functions take the other's clients for callers.
TEST_F(BesideRtmv2, EachKnowsItsOwnCallers) {
  const Entity entity(4711);
  const Client rip(kRip);
  rip.add("10.1.0.0/16");
  RTM_NET_ADDRESS address = Entity::net("10.1.0.0/16");
  RTM_ROUTE_INFO info{};
  ASSERT_EQ(RtmGetExactMatchRoute(entity, &address, RTM_MATCH_NONE, &info, 0, RTM_VIEW_MASK_UCAST, nullptr),
            DWORD{NO_ERROR});
  for (const HANDLE rips : {HANDLE{rip}, info.RouteOwner}) {
    EXPECT_EQ(RtmDeregisterEntity(rips), DWORD{ERROR_INVALID_HANDLE});
    RTM_DEST_INFO dest{};
    EXPECT_EQ(RtmGetExactMatchDestination(rips, &address, 0, RTM_VIEW_MASK_UCAST, &dest), DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_EQ(RtmDeregisterClient(info.RouteOwner), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmDeregisterClient(entity), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmReleaseRouteInfo(entity, &info), DWORD{NO_ERROR});
  RTM_ENUM_HANDLE dests = nullptr;
  ASSERT_EQ(RtmCreateDestEnum(entity, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, 0, &dests), DWORD{NO_ERROR});
  EXPECT_EQ(RtmCloseEnumerationHandle(dests), DWORD{ERROR_INVALID_HANDLE});
  const HANDLE routes = RtmCreateEnumerationHandle(kIp, 0, nullptr);
  EXPECT_EQ(RtmDeleteEnumHandle(entity, routes), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmCloseEnumerationHandle(routes), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteEnumHandle(entity, dests), DWORD{NO_ERROR});
}

// A tombstone that an RTMv2 client holds is still what it was.
TEST_F(BesideRtmv2, AHeldRouteOutlivesItsClient) {
  const Entity entity(4711);
  Client rip(kRip);
  rip.add("10.1.0.0/16", {.metric = 6});
  RTM_NET_ADDRESS address = Entity::net("10.1.0.0/16");
  RTM_ROUTE_INFO info{};
  RTM_ROUTE_HANDLE held = nullptr;
  ASSERT_EQ(RtmGetExactMatchRoute(entity, &address, RTM_MATCH_NONE, &info, 0, RTM_VIEW_MASK_UCAST, &held),
            DWORD{NO_ERROR});
  ASSERT_EQ(RtmReleaseRouteInfo(entity, &info), DWORD{NO_ERROR});
  rip.deregister();
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  ASSERT_EQ(RtmGetRouteInfo(entity, held, &info, &address), DWORD{NO_ERROR});
  EXPECT_EQ(info.State, RTM_ROUTE_STATE_DELETED);
  EXPECT_EQ(info.PrefInfo.Metric, 6U);
  EXPECT_EQ(RtmReleaseRouteInfo(entity, &info), DWORD{NO_ERROR});
  const Client again(kRip);
  again.add("10.1.0.0/16");
  EXPECT_EQ(RtmReleaseRoutes(entity, 1, &held), DWORD{NO_ERROR});
  EXPECT_EQ(enumerated().size(), 1U);
}

}  // namespace
}  // namespace turnpike::conformance
