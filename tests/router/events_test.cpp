// RP-041 … RP-048: what modules say by their queue, and updates of routes.
#include <arpa/inet.h>
#include <ipinfoid.h>
#include <rtmv2.h>
#include <synchapi.h>

#include "router/route_info.h"
#include "router_scene.h"
#include "turnpike/testing.h"

namespace turnpike::router::test {
namespace {

class Events : public RouterTest {
 protected:
  void run() {
    eth0_ = add_link("eth0");
    a_.at_registration = [](auto& routing, auto&) { routing.fSupportedFunctionality |= RF_DEMAND_UPDATE_ROUTES; };
    ASSERT_TRUE(start(plan_of_two()).refusals.empty());
    (void)a_.told();
    (void)a_.asked_for_messages();
  }
  [[nodiscard]] MESSAGE about_eth0() const {
    MESSAGE message{};
    message.InterfaceIndex = eth0_.value();
    return message;
  }
  [[nodiscard]] MESSAGE update(DWORD status) const {
    MESSAGE message{};
    message.UpdateCompleteMessage = {eth0_.value(), RF_DEMAND_UPDATE_ROUTES, status};
    return message;
  }
  std::uint32_t begin_update() { return router_->update_routes("eth0", TransportId::kIp, kA); }
  // From the beginning to its good end.
  void update_routes() {
    ASSERT_EQ(begin_update(), NO_ERROR);
    a_.post(UPDATE_COMPLETE, update(NO_ERROR));
    settle();
  }
  std::uint32_t update_result() {
    std::uint32_t result = 4711;
    const std::uint32_t code = router_->update_result("eth0", TransportId::kIp, result);
    return code == NO_ERROR ? result : code;
  }

  net::InterfaceIndex eth0_;
};

// clauses: RP-041 RP-046
TEST_F(Events, AreReadUntilThereAreNone) {
  run();
  a_.post(SAVE_GLOBAL_CONFIG_INFO, {}, false);
  a_.post(SAVE_INTERFACE_CONFIG_INFO, about_eth0(), false);
  settle();
  EXPECT_EQ(a_.asked_for_messages(), Lines());
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  settle();
  EXPECT_EQ(a_.asked_for_messages(), (Lines{"1", "2", "1", "nothing"}));
  EXPECT_EQ(functions_of(a_.told()), (Lines{"GetGlobalInfo", "GetGlobalInfo", "GetInterfaceInfo", "GetInterfaceInfo",
                                            "GetGlobalInfo", "GetGlobalInfo"}));
}

TEST_F(Events, MayBeSignalledForNothing) {
  run();
  SetEvent(a_.event);
  settle();
  EXPECT_EQ(a_.asked_for_messages(), Lines{"nothing"});
  EXPECT_EQ(a_.told(), Lines());
}

// clauses: RP-042
TEST_F(Events, SaveGlobalSettings) {
  run();
  a_.global = "changed by an agent";
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  settle();
  EXPECT_EQ(text_of(store_.globals.at(TransportId::kIp), kA), "changed by an agent");
  EXPECT_EQ(text_of(store_.globals.at(TransportId::kIp), kB), "gb");
  EXPECT_EQ(text_of(router_->plan().transports.at(0).global_info, kA), "changed by an agent");
  (void)a_.told();
  EXPECT_TRUE(router_->apply(router_->plan()).differences.empty());
  EXPECT_EQ(a_.told(), Lines());
}

// clauses: RP-043
TEST_F(Events, SaveSettingsOfAnInterface) {
  run();
  a_.interfaces[eth0_.value()] = "changed by an agent";
  a_.post(SAVE_INTERFACE_CONFIG_INFO, about_eth0());
  settle();
  EXPECT_EQ(text_of(store_.interfaces.at("eth0"), kA), "changed by an agent");
  EXPECT_EQ(text_of(store_.interfaces.at("eth0"), kB), "b0");
  EXPECT_EQ(lines_of(a_.told(), "SetInterfaceInfo"), Lines());
}

TEST_F(Events, OfWhatIsNotThereAreLeftAlone) {
  run();
  MESSAGE nowhere{};
  nowhere.InterfaceIndex = 4711;
  a_.post(SAVE_INTERFACE_CONFIG_INFO, nowhere);
  a_.post(77);
  a_.post(UPDATE_COMPLETE, update(NO_ERROR));  // that nobody asked for
  a_.answers["GetGlobalInfo"] = ERROR_CAN_NOT_COMPLETE;
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  settle();
  EXPECT_TRUE(store_.globals.empty() && store_.interfaces.empty());
  EXPECT_EQ(update_result(), static_cast<std::uint32_t>(ERROR_NOT_FOUND));
}

TEST_F(Events, GoOnWhereTheStoreFails) {
  run();
  store_.fails = true;
  a_.global = "changed";
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  settle();
  EXPECT_EQ(text_of(router_->plan().transports.at(0).global_info, kA), "changed");
}

TEST_F(Events, OfAFloodLeaveOthersTheirTurn) {
  run();
  for (int i = 0; i < 2500; ++i) a_.post(SAVE_GLOBAL_CONFIG_INFO, {}, i == 0);
  (void)router_->step();
  EXPECT_EQ(a_.asked_for_messages().size(), 1000U);
  settle();
  EXPECT_EQ(a_.asked_for_messages().size(), 1501U);
}

// --- updates
// ---------------------------------------------------------------------------------------------------------------

// Entity of the module's own protocol, as its code would be.
class Routes {
 public:
  explicit Routes(std::uint32_t protocol) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = protocol;
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile_, &self_), NO_ERROR);
  }
  ~Routes() { EXPECT_EQ(RtmDeregisterEntity(self_), NO_ERROR); }
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  static RTM_NET_ADDRESS prefix(std::uint32_t network, USHORT length) {
    RTM_NET_ADDRESS address{};
    RTM_IPV4_MAKE_NET_ADDRESS(&address, net::Address::ipv4(network).ipv4_network(), length);
    return address;
  }

  RTM_ROUTE_HANDLE add(std::uint32_t network, net::InterfaceIndex index, std::uint32_t metric = 3) {
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress = prefix(0xc00002fe, 32);
    hop.InterfaceIndex = index.value();
    RTM_NEXTHOP_HANDLE next_hop = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
    EXPECT_EQ(RtmAddNextHop(self_, &hop, &next_hop, &hop_flags), NO_ERROR);
    RTM_ROUTE_INFO info{};
    info.PrefInfo = {metric, 120};
    info.BelongsToViews = RTM_VIEW_MASK_UCAST;
    info.NextHopsList.NumNextHops = 1;
    info.NextHopsList.NextHops[0] = next_hop;
    RTM_NET_ADDRESS destination = prefix(network, 16);
    RTM_ROUTE_HANDLE route = nullptr;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddRouteToDest(self_, &route, &destination, &info, INFINITE, nullptr, 0, nullptr, &flags), NO_ERROR);
    (void)RtmReleaseNextHops(self_, 1, &next_hop);
    return route;
  }
  void remove(RTM_ROUTE_HANDLE route) {
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmDeleteRouteToDest(self_, route, &flags), NO_ERROR);
  }

  // "10002 metric 3 preference 7 by 192.0.2.254 on 1" for the best route of a protocol to there; "" without one.
  std::string best(std::uint32_t network, std::uint32_t protocol) {
    RTM_NET_ADDRESS destination = prefix(network, 16);
    RTM_DEST_INFO dest{};
    if (RtmGetExactMatchDestination(self_, &destination, protocol, RTM_VIEW_MASK_UCAST, &dest) != NO_ERROR) return "";
    std::string text;
    RTM_ROUTE_INFO route{};
    if (dest.ViewInfo[0].Route != nullptr &&
        RtmGetRouteInfo(self_, dest.ViewInfo[0].Route, &route, nullptr) == NO_ERROR) {
      RTM_NEXTHOP_INFO hop{};
      EXPECT_EQ(RtmGetNextHopInfo(self_, route.NextHopsList.NextHops[0], &hop), NO_ERROR);
      text = "metric " + std::to_string(route.PrefInfo.Metric) + " preference " +
             std::to_string(route.PrefInfo.Preference) + " on " + std::to_string(hop.InterfaceIndex);
      (void)RtmReleaseNextHopInfo(self_, &hop);
      (void)RtmReleaseRouteInfo(self_, &route);
    }
    (void)RtmReleaseDestInfo(self_, &dest);
    return text;
  }
  std::string autostatic(std::uint32_t network) { return best(network, PROTO_IP_NT_AUTOSTATIC); }

 private:
  RTM_REGN_PROFILE profile_{};
  RTM_ENTITY_HANDLE self_ = nullptr;
};

// clauses: RP-044
TEST_F(Events, OfAnUpdateMakeRoutesAutostatic) {
  run();
  const std::string expected = "metric 3 preference 7 on " + std::to_string(eth0_.value());
  Routes learnt(kA);
  const RTM_ROUTE_HANDLE one = learnt.add(0x0a010000, eth0_);
  (void)learnt.add(0x0a020000, eth0_);
  (void)learnt.add(0x0a030000, net::InterfaceIndex(99));
  ASSERT_EQ(begin_update(), NO_ERROR);
  EXPECT_EQ(update_result(), static_cast<std::uint32_t>(ERROR_IO_PENDING));
  a_.post(UPDATE_COMPLETE, update(NO_ERROR));
  settle();
  EXPECT_EQ(update_result(), NO_ERROR);
  EXPECT_EQ(learnt.autostatic(0x0a010000), expected);
  EXPECT_EQ(learnt.autostatic(0x0a020000), expected);
  EXPECT_EQ(learnt.autostatic(0x0a030000), "");
  // They outlive what the protocol does with its own, until the next update.
  learnt.remove(one);
  EXPECT_EQ(learnt.autostatic(0x0a010000), expected);
  (void)learnt.add(0x0a040000, eth0_);
  update_routes();
  EXPECT_EQ(learnt.autostatic(0x0a010000), "");
  EXPECT_EQ(learnt.autostatic(0x0a020000), expected);
  EXPECT_EQ(learnt.autostatic(0x0a040000), expected);
  stop();
  EXPECT_EQ(learnt.autostatic(0x0a020000), "");
}

// clauses: RP-045
TEST_F(Events, OfAnUpdateThatFailedLeaveTheFormerRoutes) {
  run();
  Routes learnt(kA);
  const RTM_ROUTE_HANDLE one = learnt.add(0x0a010000, eth0_);
  update_routes();
  learnt.remove(one);
  ASSERT_EQ(begin_update(), NO_ERROR);
  a_.post(UPDATE_COMPLETE, update(ERROR_CAN_NOT_COMPLETE));
  settle();
  EXPECT_EQ(update_result(), static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
  EXPECT_NE(learnt.autostatic(0x0a010000), "");
}

// They come back with it: what counts is what is stored.
TEST_F(Events, OfAnInterfaceThatGoesTakeItsAutostaticRoutesAlong) {
  run();
  Routes learnt(kA);
  (void)learnt.add(0x0a010000, eth0_);
  update_routes();
  remove_link(eth0_);
  settle();
  EXPECT_EQ(learnt.autostatic(0x0a010000), "");
  const net::InterfaceIndex again = add_link("eth0");
  settle();
  EXPECT_EQ(learnt.autostatic(0x0a010000), "metric 3 preference 7 on " + std::to_string(again.value()));
  ASSERT_TRUE(router_->set_enabled("eth0", false).done);
  EXPECT_EQ(learnt.autostatic(0x0a010000), "");
  ASSERT_TRUE(router_->set_enabled("eth0", true).done);
  EXPECT_NE(learnt.autostatic(0x0a010000), "");
}

// clauses: RP-044
TEST_F(Events, OfAnUpdateAreStored) {
  run();
  Routes learnt(kA);
  (void)learnt.add(0x0a010000, eth0_);
  update_routes();
  const Bytes stored = store_.interfaces.at("eth0");
  EXPECT_EQ(text_of(stored, kA), "a0") << "what was there is there";
  const RouteItems routes = autostatic_routes_in(stored, TransportId::kIp);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(ntohl(routes[0].dwRtInfoDest), 0x0a010000U);
  EXPECT_EQ(ntohl(routes[0].dwRtInfoMask), 0xffff0000U);
  EXPECT_EQ(ntohl(routes[0].dwRtInfoNextHop), 0xc00002feU);
  EXPECT_EQ(routes[0].dwRtInfoMetric1, 3U);
  EXPECT_EQ(lines_of(a_.told(), "SetInterfaceInfo"), Lines()) << "it is no affair of the module";

  // A reload whose plan knows of no file keeps them; an administrator's empty block takes them away.
  Plan plan = plan_of_two();
  router_->keep_stored(plan);
  ASSERT_TRUE(router_->apply(plan).done);
  EXPECT_NE(learnt.autostatic(0x0a010000), "");
  ASSERT_TRUE(router_->set_interface_info("eth0", TransportId::kIp, header({{IP_ROUTE_INFO, ""}})).done);
  EXPECT_EQ(learnt.autostatic(0x0a010000), "");
  stop();

  // At the next start the stored ones are there before anybody updates anything.
  make_router();
  plan = plan_of_two();
  plan.interfaces[0].transports[0].info = stored;
  ASSERT_TRUE(start(plan).done);
  EXPECT_EQ(learnt.autostatic(0x0a010000), "metric 3 preference 7 on " + std::to_string(eth0_.value()));
}

// clauses: RP-045
TEST_F(Events, OfAnUpdateThatFailedAreNotStored) {
  run();
  ASSERT_EQ(begin_update(), NO_ERROR);
  a_.post(UPDATE_COMPLETE, update(ERROR_CAN_NOT_COMPLETE));
  settle();
  EXPECT_TRUE(store_.interfaces.empty());
  Plan plan = router_->plan();
  plan.interfaces[0].transports[0].info = header({{kA, "a0"}, {IP_ROUTE_INFO, "seven b"}});
  const Outcome outcome = router_->apply(plan);
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.refusals.at(0).subject, "interface eth0, transport 0x21");
}

// clauses: RP-047
TEST_F(Events, OfOneUpdateAtATime) {
  run();
  ASSERT_EQ(begin_update(), NO_ERROR);
  EXPECT_EQ(begin_update(), static_cast<std::uint32_t>(ERROR_UPDATE_IN_PROGRESS));
  EXPECT_EQ(lines_of(a_.told(), "DoUpdateRoutes").size(), 1U);
  a_.post(UPDATE_COMPLETE, update(ERROR_CAN_NOT_COMPLETE));
  settle();
  EXPECT_EQ(begin_update(), NO_ERROR);
}

// clauses: RP-048
TEST_F(Events, OfUpdatesNeedAModuleThatCan) {
  run();
  (void)b_.told();
  EXPECT_EQ(router_->update_routes("eth0", TransportId::kIp, kB), static_cast<std::uint32_t>(ERROR_NOT_SUPPORTED));
  EXPECT_EQ(b_.told(), Lines());
  EXPECT_EQ(router_->update_routes("eth0", TransportId::kIp, 99),
            static_cast<std::uint32_t>(ERROR_UNKNOWN_PROTOCOL_ID));
  EXPECT_EQ(router_->update_routes("eth1", TransportId::kIp, kA), static_cast<std::uint32_t>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_EQ(router_->update_routes("eth0", TransportId::kIpv6, kA),
            static_cast<std::uint32_t>(ERROR_UNKNOWN_PROTOCOL_ID));
  a_.answers["DoUpdateRoutes"] = ERROR_CAN_NOT_COMPLETE;
  EXPECT_EQ(begin_update(), static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
  a_.answers.clear();
  EXPECT_EQ(begin_update(), NO_ERROR);
}

}  // namespace
}  // namespace turnpike::router::test
