// RP-033 … RP-040: settings are read and changed while the router runs; and plans, which are applied whole or not at
// all.
#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class Settings : public RouterTest {
 protected:
  void run(const Plan& plan = plan_of_two()) {
    eth0_ = add_link("eth0");
    eth1_ = add_link("eth1");
    ASSERT_TRUE(start(plan).refusals.empty());
    forget();
  }
  void forget() {
    (void)a_.told();
    (void)b_.told();
  }
  Outcome set(std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks) {
    return router_->set_interface_info("eth0", TransportId::kIp, header(blocks));
  }
  std::string on(net::InterfaceIndex index, const std::string& function, const std::string& rest = "") {
    return function + " " + std::to_string(index.value()) + rest;
  }

  net::InterfaceIndex eth0_, eth1_;
};

// clauses: RP-033
TEST_F(Settings, AreReadFromEachModuleOnTheInterface) {
  run();
  a_.interfaces[eth0_.value()] = "changed by a itself";
  const Answer<Bytes> info = router_->interface_info("eth0", TransportId::kIp);
  ASSERT_TRUE(info);
  EXPECT_EQ(text_of(*info, kA), "changed by a itself");
  EXPECT_EQ(text_of(*info, kB), "b0");
  forget();
  EXPECT_EQ(text_of(*router_->interface_info("eth1", TransportId::kIp), kA), "none");
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_EQ(lines_of(b_.told(), "GetInterfaceInfo").size(), 2U);
}

// clauses: RP-034
TEST_F(Settings, AreReadWithRoomForThem) {
  run();
  EXPECT_EQ(text_of(*router_->interface_info("eth0", TransportId::kIp), kA), "a0");
  EXPECT_EQ(a_.told(), (Lines{on(eth0_, "GetInterfaceInfo", " 0"), on(eth0_, "GetInterfaceInfo", " 2")}));
  EXPECT_EQ(text_of(*router_->global_info(TransportId::kIp), kA), "ga");
  EXPECT_EQ(a_.told(), (Lines{"GetGlobalInfo 0", "GetGlobalInfo 2"}));
}

TEST_F(Settings, ThatGrowWhileTheyAreReadAreReadWhole) {
  run();
  a_.at_call = [&](const std::string& function) {
    if (function == "GetGlobalInfo" && a_.global.size() < 5) a_.global += "!";
  };
  EXPECT_EQ(text_of(*router_->global_info(TransportId::kIp), kA), "ga!!!");
}

TEST_F(Settings, ThatGrowForEverAreGivenUp) {
  run();
  a_.at_call = [&](const std::string& function) {
    if (function == "GetGlobalInfo") a_.global += "!";
  };
  const auto info = router_->global_info(TransportId::kIp);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().subject, "module a");
  EXPECT_LT(a_.told().size(), 20U);
}

TEST_F(Settings, ThatAModuleDoesNotTellAreAnError) {
  run();
  a_.answers["GetInterfaceInfo"] = ERROR_CAN_NOT_COMPLETE;
  EXPECT_EQ(router_->interface_info("eth0", TransportId::kIp).error().code,
            static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
  EXPECT_EQ(router_->interface_info("eth9", TransportId::kIp).error().code,
            static_cast<std::uint32_t>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_EQ(router_->interface_info("eth0", TransportId::kIpv6).error().code,
            static_cast<std::uint32_t>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_EQ(router_->global_info(TransportId::kIpv6).error().code,
            static_cast<std::uint32_t>(ERROR_UNKNOWN_PROTOCOL_ID));
}

// clauses: RP-035 RP-036
TEST_F(Settings, AreSetForTheModulesThatAreNamed) {
  run();
  EXPECT_TRUE(set({{kA, "a0 anew"}}).done);
  EXPECT_EQ(a_.told(), Lines{on(eth0_, "SetInterfaceInfo", " 'a0 anew' 1 7 1")});
  EXPECT_EQ(b_.told(), Lines());
  EXPECT_EQ(text_of(*router_->interface_info("eth0", TransportId::kIp), kB), "b0");
}

// clauses: RP-037
TEST_F(Settings, WithoutAByteTakeTheModuleOff) {
  run();
  EXPECT_TRUE(set({{kB, ""}}).done);
  const Lines told = b_.told();
  EXPECT_EQ(lines_of(told, "DeleteInterface"), Lines{on(eth0_, "DeleteInterface")});
  EXPECT_EQ(told.back(), on(eth0_, "DeleteInterface"));
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_TRUE(b_.interfaces.contains(eth1_.value()));
}

// clauses: RP-038
TEST_F(Settings, OfAModuleThatIsNotThereYetAddIt) {
  run();
  EXPECT_TRUE(router_->set_interface_info("eth1", TransportId::kIp, header({{kA, "a1"}})).done);
  EXPECT_EQ(functions_of(a_.told()), (Lines{"AddInterface", "InterfaceStatus", "InterfaceStatus"}));
  EXPECT_EQ(a_.interfaces.at(eth1_.value()), "a1");
}

// clauses: RP-039
TEST_F(Settings, OfAllReachTheModulesThatAreNamed) {
  run();
  EXPECT_TRUE(router_->set_global_info(TransportId::kIp, header({{kB, "gb anew"}})).done);
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_EQ(b_.told(), Lines{"SetGlobalInfo 'gb anew' 1 7 1"});
}

TEST_F(Settings, OfAllStartAndStopModules) {
  run(plan_of_one());
  Plan plan = router_->plan();
  plan.modules.push_back(module("b", kB));
  ASSERT_TRUE(router_->apply(plan).done);
  EXPECT_EQ(b_.told(), Lines());
  EXPECT_TRUE(router_->set_global_info(TransportId::kIp, header({{kB, "gb"}})).done);
  EXPECT_EQ(functions_of(b_.told()), (Lines{"RegisterProtocol", "StartProtocol", "StartComplete"}));
  EXPECT_TRUE(router_->set_global_info(TransportId::kIp, header({{kB, ""}})).done);
  EXPECT_EQ(functions_of(b_.told()), Lines{"StopProtocol"});
  EXPECT_EQ(router_->modules().size(), 1U);
}

// clauses: RP-040
TEST_F(Settings, ThatAModuleRefusesAreNotKept) {
  run();
  const Plan before = router_->plan();
  a_.answers["SetInterfaceInfo"] = ERROR_INVALID_PARAMETER;
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = set({{kA, "bad"}});
    EXPECT_FALSE(outcome.done);
    ASSERT_EQ(outcome.refusals.size(), 1U);
    EXPECT_EQ(outcome.refusals[0].code, static_cast<std::uint32_t>(ERROR_INVALID_PARAMETER));
    EXPECT_EQ(outcome.refusals[0].subject, "module a");
  }
  a_.answers["SetGlobalInfo"] = ERROR_CAN_NOT_COMPLETE;
  const Outcome outcome = router_->set_global_info(TransportId::kIp, header({{kA, "bad"}, {kB, "good"}}));
  EXPECT_EQ(outcome.refusals.at(0).code, static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
  EXPECT_EQ(router_->plan(), before);
  EXPECT_TRUE(store_.globals.empty() && store_.interfaces.empty());
  EXPECT_EQ(b_.global, "gb");
  EXPECT_EQ(text_of(*router_->interface_info("eth0", TransportId::kIp), kA), "a0");
}

TEST_F(Settings, AreRefusedWhereTheyAreNone) {
  run();
  EXPECT_EQ(router_->set_interface_info("eth0", TransportId::kIp, Bytes(3)).refusals.at(0).code,
            static_cast<std::uint32_t>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(router_->set_global_info(TransportId::kIp, {}).refusals.at(0).code,
            static_cast<std::uint32_t>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(router_->set_interface_info("eth9", TransportId::kIp, header({})).refusals.at(0).code,
            static_cast<std::uint32_t>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_FALSE(router_->set_interface_info("eth0", TransportId::kIpv6, header({{kA, "x"}})).done);
  EXPECT_FALSE(router_->set_enabled("eth9", true).done);
}

// --- plans
// ---------------------------------------------------------------------------------------------------------------

TEST_F(Settings, OfThePlanThatIsTouchNothing) {
  run();
  const Outcome outcome = router_->apply(plan_of_two());
  EXPECT_TRUE(outcome.done);
  EXPECT_TRUE(outcome.differences.empty());
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_EQ(b_.told(), Lines());
}

TEST_F(Settings, OfAPlanAreAppliedWhole) {
  run();
  Plan plan = plan_of_one();
  plan.interfaces[0].transports[0].info = header({{kA, "a0 anew"}});
  const Outcome outcome = router_->apply(plan);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.differences.size(), 5U);
  EXPECT_EQ(functions_of(a_.told()), Lines{"SetInterfaceInfo"});
  EXPECT_EQ(functions_of(b_.told()), (Lines{"InterfaceStatus", "DeleteInterface", "InterfaceStatus", "StopProtocol"}));
}

// All or nothing: what had been taken before the refusal is as it was.
TEST_F(Settings, OfAPlanAreRefusedWhole) {
  run(plan_of_one());
  b_.answers["AddInterface"] = ERROR_CAN_NOT_COMPLETE;
  Plan plan = plan_of_two();
  plan.transports[0].global_info = header({{kA, "ga anew"}, {kB, "gb"}});
  plan.interfaces.push_back({"branch", InterfaceType::kFullRouter, true, {}});
  const Outcome outcome = router_->apply(plan);
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.refusals.at(0).subject, "module b");
  EXPECT_EQ(router_->plan(), plan_of_one());
  EXPECT_EQ(a_.global, "ga");
  EXPECT_EQ(lines_of(a_.told(), "StopProtocol"), Lines());
  EXPECT_EQ(functions_of(b_.told()).back(), "StopProtocol");
  EXPECT_EQ(router_->interfaces().find("branch"), nullptr);
  EXPECT_EQ(router_->modules().size(), 1U);
}

TEST_F(Settings, OfAPlanWithoutAModuleThatLoadsAreRefused) {
  run(plan_of_one());
  Plan plan = plan_of_two();
  plan.modules[1].path = BARE_MODULE;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(router_->apply(plan).done);
  EXPECT_TRUE(router_->apply(plan_of_two()).done);
}

TEST_F(Settings, OfAPlanReplaceAModuleByAnother) {
  run(plan_of_one());
  Plan plan = plan_of_one();
  plan.modules[0].name = "a anew";
  EXPECT_TRUE(router_->apply(plan).done);
  settle();
  const Lines told = functions_of(a_.told());
  EXPECT_EQ(std::ranges::count(told, "StopProtocol"), 1);
  EXPECT_EQ(std::ranges::count(told, "StartProtocol"), 1);
  EXPECT_LT(std::ranges::find(told, "StopProtocol"), std::ranges::find(told, "RegisterProtocol"));
  EXPECT_EQ(std::ranges::count(told, "AddInterface"), 1);
  ASSERT_EQ(router_->modules().size(), 1U);
  EXPECT_EQ(router_->modules()[0].name, "a anew");
}

TEST_F(Settings, OfAnInterfaceThatIsEnabledAndDisabled) {
  run();
  EXPECT_TRUE(router_->set_enabled("eth0", false).done);
  EXPECT_EQ(a_.told(), Lines{on(eth0_, "InterfaceStatus", " inactive disabled null")});
  EXPECT_TRUE(router_->set_enabled("ETH0", true).done);
  EXPECT_EQ(a_.told(), Lines{on(eth0_, "InterfaceStatus", " active enabled null")});
}

}  // namespace
}  // namespace turnpike::router::test
