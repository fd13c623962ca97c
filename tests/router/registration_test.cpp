// RP-006 … RP-014, RP-020: how a module is loaded and registered, and what becomes of one that is not right.
#include <fstream>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class Registration : public RouterTest {
 protected:
  // A router with a as given, and b well.
  void start_with_a(std::function<void(MPR_ROUTING_CHARACTERISTICS&, MPR_SERVICE_CHARACTERISTICS&)> change) {
    a_.at_registration = std::move(change);
    outcome_ = start(plan_of_two());
  }
  void only_b_runs(std::uint32_t code = 0) {
    EXPECT_TRUE(outcome_.done);
    ASSERT_EQ(outcome_.refusals.size(), 1U);
    EXPECT_EQ(outcome_.refusals[0].subject, "module a");
    EXPECT_EQ(outcome_.refusals[0].code, code);
    EXPECT_EQ(functions_of(a_.told()), Lines{"RegisterProtocol"});
    EXPECT_FALSE(lines_of(b_.told(), "StartComplete").empty());
    EXPECT_EQ(router_->modules().size(), 2U);
  }

  Outcome outcome_;
};

// clauses: RP-006 RP-008 RP-009
TEST_F(Registration, AsksForTheProtocolWithWhatTheRouterOffers) {
  start(plan_of_one());
  EXPECT_EQ(lines_of(a_.told(), "RegisterProtocol"),
            Lines{"RegisterProtocol " + std::to_string(MS_ROUTER_VERSION) + " 8 " + std::to_string(kOffered) + " " +
                  std::to_string(MS_ROUTER_VERSION) + " 0 zeros"});
}

// clauses: RP-006 RP-007
TEST_F(Registration, OfTwoProtocolsOfOneLibraryAreTwo) {
  add_link("eth0");
  add_link("eth1");
  EXPECT_TRUE(start(plan_of_two()).refusals.empty());
  EXPECT_EQ(lines_of(a_.told(), "AddInterface").size(), 1U);
  const Lines told = b_.told();
  EXPECT_EQ(lines_of(told, "RegisterProtocol").size(), 1U);
  EXPECT_EQ(lines_of(told, "StartProtocol"), Lines{"StartProtocol 'gb' 1 2 1"});
  EXPECT_EQ(lines_of(told, "AddInterface").size(), 2U);
  EXPECT_NE(a_.support_pointer, b_.support_pointer);
  EXPECT_NE(a_.event, b_.event);
}

// clauses: RP-010 RP-020
TEST_F(Registration, RefusedByTheModuleLeavesTheOthers) {
  a_.answers["RegisterProtocol"] = ERROR_NOT_SUPPORTED;
  outcome_ = start(plan_of_two());
  only_b_runs(ERROR_NOT_SUPPORTED);
}

// clauses: RP-011
TEST_F(Registration, WithOtherFlagsIsRefused) {
  start_with_a([](auto& routing, auto&) { routing.fSupportedFunctionality |= 0x80; });
  only_b_runs();
}

// clauses: RP-011
TEST_F(Registration, OfANewerVersionIsRefused) {
  start_with_a([](auto& routing, auto&) { routing.dwVersion = MS_ROUTER_VERSION + 1; });
  only_b_runs();
}

// clauses: RP-011
TEST_F(Registration, OfAnotherProtocolIsRefused) {
  start_with_a([](auto& routing, auto&) { routing.dwProtocolId = 9; });
  only_b_runs();
}

TEST_F(Registration, OfAnOlderVersionIsTaken) {
  start_with_a([](auto& routing, auto&) { routing.dwVersion = 0x500; });
  EXPECT_TRUE(outcome_.refusals.empty());
}

TEST_F(Registration, ForPowerIsTakenWithoutIt) {
  start_with_a([](auto& routing, auto&) { routing.fSupportedFunctionality |= RF_POWER; });
  EXPECT_TRUE(outcome_.refusals.empty());
}

// clauses: RP-011
TEST_F(Registration, WithoutAFunctionIsRefused) {
  using Routing = MPR_ROUTING_CHARACTERISTICS;
  const std::function<void(Routing&)> holes[] = {
      [](Routing& f) { f.pfnStartProtocol = nullptr; },
      [](Routing& f) { f.pfnStopProtocol = nullptr; },
      [](Routing& f) { f.pfnAddInterface = nullptr; },
      [](Routing& f) { f.pfnDeleteInterface = nullptr; },
      [](Routing& f) { f.pfnInterfaceStatus = nullptr; },
      [](Routing& f) { f.pfnGetEventMessage = nullptr; },
      [](Routing& f) { f.pfnGetGlobalInfo = nullptr; },
      [](Routing& f) { f.pfnSetGlobalInfo = nullptr; },
      [](Routing& f) { f.pfnGetInterfaceInfo = nullptr; },
      [](Routing& f) { f.pfnSetInterfaceInfo = nullptr; },
      [](Routing& f) { f.fSupportedFunctionality |= RF_DEMAND_UPDATE_ROUTES, f.pfnUpdateRoutes = nullptr; },
      [](Routing& f) { f.fSupportedFunctionality |= RF_MULTICAST, f.pfnGetNeighbors = nullptr; },
      [](Routing& f) { f.fSupportedFunctionality |= RF_MULTICAST, f.pfnGetMfeStatus = nullptr; },
  };
  for (const auto& hole : holes) {
    make_router();
    start_with_a([&](auto& routing, auto&) { hole(routing); });
    only_b_runs();
    stop();
    b_.told();
  }
}

TEST_F(Registration, NeedsNoOptionalFunction) {
  start_with_a([](auto& f, auto&) {
    f.pfnStartComplete = nullptr;
    f.pfnQueryPower = f.pfnSetPower = nullptr;
    f.pfnUpdateRoutes = nullptr;
    f.pfnGetNeighbors = nullptr;
    f.pfnGetMfeStatus = nullptr;
  });
  EXPECT_TRUE(outcome_.refusals.empty());
}

// clauses: RP-012
TEST_F(Registration, NeedsTheSymbol) {
  Plan plan = plan_of_two();
  plan.modules[0].path = BARE_MODULE;
  outcome_ = start(plan);
  EXPECT_TRUE(outcome_.done);
  ASSERT_EQ(outcome_.refusals.size(), 1U);
  EXPECT_EQ(outcome_.refusals[0].reason, "has no RegisterProtocol");
  EXPECT_FALSE(is_loaded(BARE_MODULE));
  EXPECT_FALSE(lines_of(b_.told(), "StartComplete").empty());
  const Lines log = log_.lines();
  EXPECT_TRUE(std::ranges::any_of(
      log, [](const std::string& line) { return line.find("a module is not started module=a") != std::string::npos; }));
}

TEST_F(Registration, NeedsALibrary) {
  const std::string path = testing::TempDir() + "no_module.so";
  std::ofstream(path) << "this is no shared object";
  for (const std::string& each : {path, std::string("/nowhere/at/all.so"), testing::TempDir()}) {
    make_router();
    Plan plan = plan_of_two();
    plan.modules[0].path = each;
    outcome_ = start(plan);
    EXPECT_TRUE(outcome_.done);
    ASSERT_EQ(outcome_.refusals.size(), 1U);
    EXPECT_NE(outcome_.refusals[0].code, 0U);
    EXPECT_FALSE(lines_of(b_.told(), "StartComplete").empty());
    stop();
  }
}

// clauses: RP-013 RP-060
TEST_F(Registration, OfServicesAndPowerIsNeverUsed) {
  const net::InterfaceIndex eth0 = add_link("eth0");
  start(plan_of_one());
  set_up(eth0, false);
  settle();
  (void)router_->apply(plan_of_two());
  stop();
  for (const std::string& line : a_.told()) {
    EXPECT_FALSE(line.starts_with("Power") || line.starts_with("IsService") || line.starts_with("UpdateServices"))
        << line;
  }
}

// clauses: RP-014
TEST_F(Registration, WaitsForGlobalInformation) {
  Plan plan = plan_of_one();
  plan.transports[0].global_info.clear();
  add_link("eth0");
  EXPECT_TRUE(start(plan).refusals.empty());
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_TRUE(router_->modules().empty());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
}

TEST_F(Registration, IsOfModulesWithABlockAlone) {
  Plan plan = plan_of_two();
  plan.transports[0].global_info = header({{kB, "gb"}, {kA, ""}});
  EXPECT_TRUE(start(plan).refusals.empty());
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_FALSE(b_.told().empty());
}

}  // namespace
}  // namespace turnpike::router::test
