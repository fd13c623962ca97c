// The kernel's routes that are not ours, as routes of a table.
#include "scene.h"

namespace turnpike::forwarder {
namespace {

class ImporterTest : public Scene {
 protected:
  void theirs(Change change, const char* prefix, std::uint8_t protocol, const char* gateway,
              std::uint32_t priority = 0) {
    kernel::Route made;
    made.destination = net::parse_prefix(prefix).value();
    made.protocol = protocol;
    made.priority = priority;
    const kernel::Hop its_hop{.link = left, .gateway = net::parse_address(gateway).value()};
    made.hops = std::span(&its_hop, 1);
    port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, change, made).error, 0); });
  }
};

TEST_F(ImporterTest, ConnectedAndLocalRoutesAreThereFromTheStart) {
  start();
  EXPECT_EQ(best("10.0.1.0/24"), (Found{.protocol = 2, .flags = 0x10, .metric = 0, .hops = 1}));
  EXPECT_EQ(best("10.0.1.1/32").value_or(Found{}).flags, 0x40);
}

TEST_F(ImporterTest, OtherManagersRoutesComeAndGoUnderTheirProtocols) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  theirs(Change::kAdd, "10.8.0.0/16", 186, "10.0.1.2", 20);
  theirs(Change::kAdd, "10.7.0.0/16", 188, "10.0.1.3", 110);
  theirs(Change::kAdd, "10.6.0.0/16", 16, "10.0.1.3", 100);
  run();
  EXPECT_EQ(best("10.9.0.0/16"), (Found{.protocol = 3, .flags = 0x20, .metric = 0, .hops = 1}));
  EXPECT_EQ(best("10.8.0.0/16").value_or(Found{}).protocol, 14U);
  EXPECT_EQ(best("10.7.0.0/16"), (Found{.protocol = 13, .flags = 0x20, .metric = 110, .hops = 1}));
  EXPECT_EQ(best("10.6.0.0/16").value_or(Found{}).protocol, 3U);
  theirs(Change::kRemove, "10.9.0.0/16", 3, "10.0.1.2");
  run();
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
}

TEST_F(ImporterTest, WhatIsImportedIsNeverWrittenAndCountsAsInstalled) {
  start();
  const auto before = writes();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  const auto its_own = writes();
  run();
  EXPECT_EQ(writes(), its_own);
  EXPECT_EQ(before, its_own) << "the world's own changes are no attempts";
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kForeign);
}

TEST_F(ImporterTest, OursAreNotImportedBack) {
  start();
  const Handle made = route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  forwarder->audit_now();
  pass(std::chrono::seconds(1));
  remove(made);
  run();
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
}

TEST_F(ImporterTest, ABetterRouteOfOursStandsBesideTheImportedOne) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 186, "10.0.1.2", 200);  // BGP: imported with the table's preference for 14
  run();
  const Handle made = route("10.9.0.0/16", {hop("10.0.2.2", right)});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.2.2", right)});
  EXPECT_EQ(kernel_routes(186).size(), 1U);
  remove(made);
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(best("10.9.0.0/16").value_or(Found{}).protocol, 14U);
}

TEST_F(ImporterTest, AReplacedRouteIsTheNewOne) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 186, "10.0.1.2", 20);
  run();
  theirs(Change::kReplace, "10.9.0.0/16", 188, "10.0.1.3", 20);
  run();
  EXPECT_EQ(best("10.9.0.0/16").value_or(Found{}).protocol, 13U);
  EXPECT_EQ(kernel_routes(188).size(), 1U);
}

TEST_F(ImporterTest, ALinkThatGoesTakesItsRoutesAlong) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  run();
  set_link(left, false);
  run();
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
  EXPECT_EQ(best("10.0.1.0/24"), std::nullopt);
  set_link(left, true);
  run();
  EXPECT_EQ(best("10.0.1.0/24").value_or(Found{}).protocol, 2U);
}

TEST_F(ImporterTest, AfterALossTheDifferenceIsMadeUp) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  run();
  port.hold_notifications();
  theirs(Change::kRemove, "10.9.0.0/16", 3, "10.0.1.2");
  theirs(Change::kAdd, "10.8.0.0/16", 3, "10.0.1.2");
  port.overrun_monitors();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
  EXPECT_TRUE(best("10.8.0.0/16"));
}

TEST_F(ImporterTest, ALockedDestinationIsImportedLater) {
  start();
  static_cast<void>(route("10.9.0.0/16", {hop("10.0.2.2", right)}));
  run();
  rtm::DestImage info;
  ASSERT_TRUE(routes.table->exact_destination(client(), rtm::TestTable::net("10.9.0.0/16"), 0, 1, info));
  const auto count = forwarder->status().imported;
  std::thread([&] { ASSERT_TRUE(routes.table->lock_destination(client(), info.destination, true)); }).join();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  run();
  EXPECT_EQ(forwarder->status().imported, count) << "and nobody waited for the lock";
  ASSERT_TRUE(routes.table->deregister_entity(std::exchange(self, Handle::kNone)));  // which gives its locks back
  pass(std::chrono::milliseconds(5));
  EXPECT_EQ(forwarder->status().imported, count + 1);
}

TEST_F(ImporterTest, StoppingTakesAllOutAndForgetsNothing) {
  start();
  theirs(Change::kAdd, "10.9.0.0/16", 3, "10.0.1.2");
  run();
  const auto entities = routes.table->statistics().entities;
  EXPECT_GE(entities, 3U);
  forwarder->stop(true);
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
  for (const rtm::Kind kind : {rtm::Kind::kRoute, rtm::Kind::kNextHop, rtm::Kind::kDestination, rtm::Kind::kEntity}) {
    EXPECT_EQ(routes.table->leak_count(kind), 0U) << rtm::name_of(kind);
  }
  EXPECT_EQ(kernel_routes(3).size(), 1U) << "the kernel keeps what is not ours";
}

}  // namespace
}  // namespace turnpike::forwarder
