// RP-022 … RP-032: what modules are told of interfaces.
#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class InterfacesOfModules : public RouterTest {
 protected:
  // Module a on eth0, which has an address, and the book is empty.
  void run() {
    eth0_ = add_link("eth0");
    add_address(eth0_, "192.0.2.1");
    start(plan_of_one());
    (void)a_.told();
  }
  void told(const Lines& lines) {
    settle();
    EXPECT_EQ(a_.told(), lines);
  }

  net::InterfaceIndex eth0_;
};

std::string at(net::InterfaceIndex index, const std::string& rest) {
  return "InterfaceStatus " + std::to_string(index.value()) + " " + rest;
}

// clauses: RP-023 RP-024 RP-025
TEST_F(InterfacesOfModules, AreEnabledAfterTheirAddresses) {
  const net::InterfaceIndex eth0 = add_link("eth0");
  add_address(eth0, "192.0.2.1");
  add_address(eth0, "198.51.100.9", 30);
  start(plan_of_one());
  EXPECT_EQ(lines_of(a_.told(), "InterfaceStatus"),
            (Lines{at(eth0, "inactive addresses [2 192.0.2.1/255.255.255.0 198.51.100.9/255.255.255.252]"),
                   at(eth0, "inactive media-present null"), at(eth0, "active enabled null")}));
}

// clauses: RP-023
TEST_F(InterfacesOfModules, ThatAreDownAreNotEnabled) {
  const net::InterfaceIndex eth0 = add_link("eth0");
  set_up(eth0, false);
  start(plan_of_one());
  EXPECT_EQ(lines_of(a_.told(), "InterfaceStatus"), Lines());
}

TEST_F(InterfacesOfModules, ThatAreDisabledAreNotEnabled) {
  add_link("eth0");
  Plan plan = plan_of_one();
  plan.interfaces[0].enabled = false;
  start(plan);
  EXPECT_EQ(lines_of(lines_of(a_.told(), "InterfaceStatus"), "enabled"), Lines());
  plan.interfaces[0].enabled = true;
  EXPECT_TRUE(router_->apply(plan).done);
  EXPECT_EQ(functions_of(a_.told()), Lines{"InterfaceStatus"});
}

// clauses: RP-025 RP-026
TEST_F(InterfacesOfModules, TellEachChangeOfAddresses) {
  run();
  add_address(eth0_, "192.0.2.2");
  told({at(eth0_, "active addresses [2 192.0.2.1/255.255.255.0 192.0.2.2/255.255.255.0]")});
  remove_address(eth0_, "192.0.2.2");
  told({at(eth0_, "active addresses [1 192.0.2.1/255.255.255.0]")});
  remove_address(eth0_, "192.0.2.1");
  told({at(eth0_, "active addresses [0]")});
}

TEST_F(InterfacesOfModules, TellNothingOfOtherFamilies) {
  run();
  add_address(eth0_, "2001:db8::1", 64);
  told({});
}

// clauses: RP-027
TEST_F(InterfacesOfModules, AreDisabledAndEnabledWithTheirLink) {
  run();
  set_up(eth0_, false);
  settle();
  const Lines down = a_.told();
  EXPECT_EQ(down.front(), at(eth0_, "inactive disabled null"));
  set_up(eth0_, true);
  settle();
  EXPECT_EQ(a_.told().back(), at(eth0_, "active enabled null"));
}

// clauses: RP-028
TEST_F(InterfacesOfModules, TellTheirCarrier) {
  run();
  kernel_.with_model([&](kernel::KernelModel& model) { model.set_carrier(eth0_, false); });
  told({at(eth0_, "active media-absent null")});
  kernel_.with_model([&](kernel::KernelModel& model) { model.set_carrier(eth0_, true); });
  told({at(eth0_, "active media-present null")});
}

// clauses: RP-029
TEST_F(InterfacesOfModules, AreToldNothingTwice) {
  run();
  kernel_.overrun_monitors();
  told({});
  set_up(eth0_, false);
  settle();
  (void)a_.told();
  set_up(eth0_, false);
  told({});
}

TEST_F(InterfacesOfModules, AreSetRightAfterALoss) {
  run();
  kernel_.overrun_monitors();
  add_address(eth0_, "192.0.2.7");
  const net::InterfaceIndex eth1 = add_link("eth1");
  (void)eth1;
  told({at(eth0_, "active addresses [2 192.0.2.1/255.255.255.0 192.0.2.7/255.255.255.0]")});
  EXPECT_NE(router_->interfaces().find("eth1"), nullptr);
}

// clauses: RP-030
TEST_F(InterfacesOfModules, WithoutABlockAreNotTheirs) {
  add_link("eth0");
  add_link("eth1");
  start(plan_of_one());
  EXPECT_EQ(lines_of(a_.told(), "AddInterface").size(), 1U);
}

// clauses: RP-030
TEST_F(InterfacesOfModules, WithoutABlockAreForThoseThatWantAll) {
  add_link("eth0");
  const net::InterfaceIndex eth1 = add_link("eth1");
  a_.at_registration = [](auto& routing, auto&) { routing.fSupportedFunctionality |= RF_ADD_ALL_INTERFACES; };
  start(plan_of_one());
  const Lines added = lines_of(a_.told(), "AddInterface");
  ASSERT_EQ(added.size(), 2U);
  EXPECT_TRUE(added[0].starts_with("AddInterface eth0 ")) << added[0];
  EXPECT_EQ(added[1], "AddInterface eth1 " + std::to_string(eth1.value()) + " 0 0 0 0 null 1 0 0");
  const net::InterfaceIndex eth2 = add_link("eth2");
  settle();
  EXPECT_EQ(lines_of(a_.told(), "AddInterface"),
            Lines{"AddInterface eth2 " + std::to_string(eth2.value()) + " 0 0 0 0 null 1 0 0"});
}

// clauses: RP-031
TEST_F(InterfacesOfModules, ThatTheyRefuseAreNotTheirs) {
  a_.answers["AddInterface"] = ERROR_CAN_NOT_COMPLETE;
  eth0_ = add_link("eth0");
  const Outcome outcome = start(plan_of_one());
  ASSERT_EQ(outcome.refusals.size(), 1U);
  EXPECT_EQ(outcome.refusals[0].code, static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
  EXPECT_EQ(functions_of(a_.told()), (Lines{"RegisterProtocol", "StartProtocol", "AddInterface", "StartComplete"}));
  add_address(eth0_, "192.0.2.1");
  set_up(eth0_, false);
  told({});
  EXPECT_TRUE(router_->interface_info("eth0", TransportId::kIp));
  EXPECT_EQ(a_.told(), Lines());
  remove_link(eth0_);
  told({});
}

// clauses: RP-032
TEST_F(InterfacesOfModules, GoWithTheirDevice) {
  run();
  const std::string index = std::to_string(eth0_.value());
  remove_link(eth0_);
  settle();
  const Lines gone = a_.told();
  ASSERT_GE(gone.size(), 2U);
  EXPECT_EQ(lines_of(gone, "DeleteInterface"), Lines{"DeleteInterface " + index});
  EXPECT_EQ(gone.back(), "DeleteInterface " + index);
  EXPECT_EQ(std::ranges::count(gone, at(eth0_, "inactive disabled null")), 1);
  settle();
  told({});
}

TEST_F(InterfacesOfModules, ComeBackUnderAnotherNumber) {
  run();
  remove_link(eth0_);
  settle();
  (void)a_.told();
  const net::InterfaceIndex again = add_link("eth0");
  EXPECT_NE(again, eth0_);
  settle();
  EXPECT_EQ(lines_of(a_.told(), "AddInterface"),
            Lines{"AddInterface eth0 " + std::to_string(again.value()) + " 0 0 0 0 'a0' 1 2 1"});
}

TEST_F(InterfacesOfModules, OnDemandHaveNumbersOfTheirOwn) {
  Plan plan = plan_of_one();
  plan.interfaces = {{"Branch office", InterfaceType::kFullRouter, true, {{TransportId::kIp, header({{kA, "dial"}})}}}};
  start(plan);
  const Lines told = a_.told();
  EXPECT_EQ(lines_of(told, "AddInterface"),
            Lines{"AddInterface Branch office " + std::to_string(dim::kOwnIndexBase + 1) + " 1 0 0 0 'dial' 1 4 1"});
  EXPECT_EQ(lines_of(told, "InterfaceStatus"), Lines());
}

TEST_F(InterfacesOfModules, ThatFlapAThousandTimesEndAsTheyAre) {
  run();
  for (int i = 0; i < 1000; ++i) set_up(eth0_, i % 2 != 0);
  settle();
  const Lines told = a_.told();
  EXPECT_EQ(told.back(), at(eth0_, "active enabled null"));
  EXPECT_EQ(std::ranges::count(told, at(eth0_, "inactive disabled null")), 500);
}

}  // namespace
}  // namespace turnpike::router::test
