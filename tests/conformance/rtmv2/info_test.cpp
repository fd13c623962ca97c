// RTM2-148 … RTM2-159: from handles to information, and the references on the way.
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class Information : public RtmTest {
 protected:
  Client rip_{{.protocol = 8}};
  Client ospf_{{.protocol = 13}};
};

// clauses: RTM2-148
TEST_F(Information, OneEntryForEachViewAskedFor) {
  const Route both = rip_.route("10.0.0.0/8", {.metric = 5, .views = kBoth});
  const Route unicast = ospf_.route("10.0.0.0/8", {.metric = 3, .views = kUnicast});
  DestInfo destination = rip_.find("10.0.0.0/8", kBoth);
  EXPECT_EQ(destination.prefix(), "10.0.0.0/8");
  EXPECT_EQ(destination->BelongsToViews, kBoth);
  ASSERT_EQ(destination->NumberOfViews, 2U);
  EXPECT_EQ(destination.view(0).ViewId, RTM_VIEW_ID_UCAST);
  EXPECT_EQ(destination.view(0).NumRoutes, 2U);
  EXPECT_EQ(destination.view(0).Route, HANDLE{unicast});
  EXPECT_EQ(destination.view(0).Owner, HANDLE{ospf_});
  EXPECT_EQ(destination.view(0).HoldRoute, nullptr);
  EXPECT_EQ(destination.view(1).ViewId, RTM_VIEW_ID_MCAST);
  EXPECT_EQ(destination.view(1).NumRoutes, 1U);
  EXPECT_EQ(destination.view(1).Route, HANDLE{both});
  EXPECT_EQ(destination.view(1).Owner, HANDLE{rip_});
}

// clauses: RTM2-148
TEST_F(Information, AViewWithoutARouteHasItsEntryToo) {
  const Route unicast = ospf_.route("10.0.0.0/8", {.views = kUnicast});
  DestInfo destination = rip_.find("10.0.0.0/8", kBoth);
  ASSERT_EQ(destination->NumberOfViews, 2U);
  EXPECT_EQ(destination.view(1).ViewId, RTM_VIEW_ID_MCAST);
  EXPECT_EQ(destination.view(1).NumRoutes, 0U);
  EXPECT_EQ(destination.view(1).Route, nullptr);
  EXPECT_EQ(destination.view(1).Owner, nullptr);
}

// clauses: RTM2-149
TEST_F(Information, AnyViewGivesNoEntries) {
  const Route route = rip_.route("10.0.0.0/8", {.views = kBoth});
  DestInfo found = rip_.find("10.0.0.0/8", kAny);
  EXPECT_EQ(found->NumberOfViews, 0U);
  DestInfo looked = rip_.look(found.handle(), kAny);
  EXPECT_EQ(looked->NumberOfViews, 0U);
  EXPECT_EQ(looked.prefix(), "10.0.0.0/8");
  EXPECT_EQ(looked->BelongsToViews, kBoth);
}

// clauses: RTM2-150
TEST_F(Information, AllViewsGiveThoseSupported_choice) {
  const Route route = rip_.route("10.0.0.0/8");
  DestInfo destination = rip_.find("10.0.0.0/8", RTM_VIEW_MASK_ALL);
  ASSERT_EQ(destination->NumberOfViews, rip_.profile().NumberOfViews);
  EXPECT_EQ(destination.view(0).ViewId, RTM_VIEW_ID_UCAST);
  EXPECT_EQ(destination.view(1).ViewId, RTM_VIEW_ID_MCAST);
}

// clauses: RTM2-151
TEST_F(Information, TheRouteOfOneProtocol) {
  const NextHop hop = rip_.next_hop("192.0.2.1");
  const Route worst = rip_.route("10.0.0.0/8", {.metric = 9});
  const Route middle = rip_.route("10.0.0.0/8", {.metric = 7, .neighbour = hop});
  const Route best = ospf_.route("10.0.0.0/8", {.metric = 1});
  DestInfo of_rip = ospf_.find("10.0.0.0/8", kUnicast, 8);
  EXPECT_EQ(of_rip.view(0).Route, HANDLE{middle});
  EXPECT_EQ(of_rip.view(0).Owner, HANDLE{rip_});
  EXPECT_EQ(of_rip.view(0).NumRoutes, 3U);
  DestInfo overall = rip_.find("10.0.0.0/8", kUnicast, RTM_BEST_PROTOCOL);
  EXPECT_EQ(overall.view(0).Route, HANDLE{best});
  DestInfo own = rip_.look(overall.handle(), kUnicast, RTM_THIS_PROTOCOL);
  EXPECT_EQ(own.view(0).Route, HANDLE{middle});
}

// clauses: RTM2-152
TEST_F(Information, AProtocolWithoutARouteThere_choice) {
  const Route route = rip_.route("10.0.0.0/8");
  DestInfo destination = rip_.find("10.0.0.0/8", kUnicast, 9999);
  EXPECT_EQ(destination.view(0).Route, nullptr);
  EXPECT_EQ(destination.view(0).Owner, nullptr);
  DestInfo own = ospf_.look(destination.handle(), kUnicast, RTM_THIS_PROTOCOL);
  EXPECT_EQ(own.view(0).Route, nullptr);
}

// clauses: RTM2-153
TEST_F(Information, BadDestination) {
  DestInfo info(rip_);
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage}) {
    EXPECT_EQ(RtmGetDestInfo(rip_, bad, 0, kBoth, info), DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_EQ(info.handle(), nullptr);
}

// clauses: RTM2-154
TEST_F(Information, BothPartsOfARouteAreOptional) {
  const Route route = rip_.route("10.0.0.0/8", {.metric = 7});
  RouteInfo info(rip_);
  EXPECT_EQ(RtmGetRouteInfo(rip_, route, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->PrefInfo.Metric, 7U);
  const Books before = Books::now();
  RTM_NET_ADDRESS address{};
  EXPECT_EQ(RtmGetRouteInfo(rip_, route, nullptr, &address), DWORD{NO_ERROR});
  EXPECT_EQ(text_of(address), "10.0.0.0/8");
  EXPECT_EQ(RtmGetRouteInfo(rip_, route, nullptr, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now(), before);
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage}) {
    EXPECT_EQ(RtmGetRouteInfo(rip_, bad, nullptr, &address), DWORD{ERROR_INVALID_HANDLE});
  }
}

// clauses: RTM2-155
TEST_F(Information, GettingAndReleasingBalance) {
  const NextHop hop = rip_.next_hop("192.0.2.1");
  const NextHop neighbour = rip_.next_hop("192.0.2.2");
  const Route route = rip_.route("10.0.0.0/8", {.views = kBoth, .neighbour = neighbour, .hops = {hop}});
  const Books before = Books::now();
  {
    DestInfo destination = ospf_.find("10.0.0.0/8");
    const Books with = Books::now();
    EXPECT_EQ(with.references[TP_KIND_DESTINATION], before.references[TP_KIND_DESTINATION] + 1);
    EXPECT_EQ(with.references[TP_KIND_ROUTE], before.references[TP_KIND_ROUTE] + 2) << "one for each view";
    EXPECT_EQ(with.references[TP_KIND_ENTITY], before.references[TP_KIND_ENTITY] + 2);
    DestInfo again = ospf_.look(destination.handle());
  }
  EXPECT_EQ(Books::now(), before);
  {
    RouteInfo info(ospf_);
    EXPECT_EQ(RtmGetRouteInfo(ospf_, route, info, nullptr), DWORD{NO_ERROR});
    const Books with = Books::now();
    EXPECT_EQ(with.references[TP_KIND_DESTINATION], before.references[TP_KIND_DESTINATION] + 1);
    EXPECT_EQ(with.references[TP_KIND_ENTITY], before.references[TP_KIND_ENTITY] + 1);
    EXPECT_EQ(with.references[TP_KIND_NEXT_HOP], before.references[TP_KIND_NEXT_HOP] + 2) << "neighbour and next hop";
  }
  EXPECT_EQ(Books::now(), before);
  RTM_NEXTHOP_INFO hop_info{};
  EXPECT_EQ(RtmGetNextHopInfo(ospf_, hop, &hop_info), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseNextHopInfo(ospf_, &hop_info), DWORD{NO_ERROR});
  RTM_ENTITY_INFO entity{};
  EXPECT_EQ(RtmGetEntityInfo(ospf_, rip_, &entity), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseEntityInfo(ospf_, &entity), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-156
TEST_F(Information, OneHandleIsKeptOutOfAStructure) {
  Route route = rip_.route("10.0.0.0/8");
  const Books before = Books::now();
  DestInfo destination = ospf_.find("10.0.0.0/8", kUnicast);
  HANDLE kept = destination.view(0).Route;
  ASSERT_EQ(RtmReferenceHandles(ospf_, 1, &kept), DWORD{NO_ERROR});
  destination.release();
  const Route held(ospf_, kept);
  const Books now = Books::now();
  EXPECT_EQ(now.references[TP_KIND_ROUTE], before.references[TP_KIND_ROUTE] + 1);
  EXPECT_EQ(now.references[TP_KIND_DESTINATION], before.references[TP_KIND_DESTINATION]);
  EXPECT_EQ(now.references[TP_KIND_ENTITY], before.references[TP_KIND_ENTITY]);
  rip_.remove(std::move(route));
  RouteInfo info(ospf_);
  EXPECT_EQ(RtmGetRouteInfo(ospf_, held, info, nullptr), DWORD{NO_ERROR}) << "kept alive";
}

// clauses: RTM2-157
TEST_F(Information, ABareDestinationIsReleasedByAStructureWithoutViews_choice) {
  const Route route = rip_.route("10.0.0.0/8");
  const Books before = Books::now();
  DestInfo destination = rip_.find("10.0.0.0/8");
  HANDLE bare = destination.handle();
  ASSERT_EQ(RtmReferenceHandles(rip_, 1, &bare), DWORD{NO_ERROR});
  destination.release();
  EXPECT_EQ(TpReferenceCount(TP_KIND_DESTINATION), before.references[TP_KIND_DESTINATION] + 1);
  RTM_DEST_INFO carrier{};
  carrier.DestHandle = bare;
  EXPECT_EQ(RtmReleaseDestInfo(rip_, &carrier), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-158
TEST_F(Information, OneBadHandleAmongThoseToReference_choice) {
  const NextHop hop = rip_.next_hop("192.0.2.1");
  const Route route = rip_.route("10.0.0.0/8", {.hops = {hop}});
  const Books before = Books::now();
  for (size_t bad = 0; bad < 3; ++bad) {
    HANDLE handles[] = {route, hop, rip_};
    handles[bad] = kGarbage;
    EXPECT_EQ(RtmReferenceHandles(rip_, 3, handles), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(Books::now(), before);
  }
}

// clauses: RTM2-159
TEST_F(Information, OnceTooOften_choice) {
  Route route = rip_.route("10.0.0.0/8");
  NextHop hop = rip_.next_hop("192.0.2.1");
  HANDLE route_handle = route.consume();
  HANDLE hop_handle = hop.consume();
  EXPECT_EQ(RtmReleaseRoutes(rip_, 1, &route_handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseRoutes(rip_, 1, &route_handle), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmReleaseNextHops(rip_, 1, &hop_handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseNextHops(rip_, 1, &hop_handle), DWORD{ERROR_INVALID_HANDLE});
  DestInfo destination = rip_.find("10.0.0.0/8", kUnicast);
  RTM_DEST_INFO copy{};
  copy.DestHandle = destination.handle();
  destination.release();
  EXPECT_EQ(RtmReleaseDestInfo(rip_, &copy), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_TRUE(rip_.has("10.0.0.0/8")) << "the route itself was never the client's to free";
}

// clauses: RTM2-159
TEST_F(Information, ReferencesOfAnotherClient_choice) {
  const Route mine = rip_.route("10.0.0.0/8");
  const Books before = Books::now();
  HANDLE theirs = mine;
  EXPECT_EQ(RtmReleaseRoutes(ospf_, 1, &theirs), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(Books::now(), before);
}

}  // namespace
}  // namespace turnpike::conformance
