// From a routing table to a kernel: what becomes of a route, by what messages, and what is seen of it.
#include <set>

#include "kernel/late_background.h"
#include "scene.h"

namespace turnpike::forwarder {
namespace {

class UnicastTest : public Scene {};

TEST_F(UnicastTest, ALoneRouteIsInTheKernelAfterOneStepAndMarked) {
  start();
  const auto before = writes();
  const Handle made = route("10.9.0.0/16", {hop("10.0.1.2", left)});
  EXPECT_GE(wakes, 1U);
  forwarder->step();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(writes() - before, 2U) << "a next hop and a route";
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kInstalled);
  EXPECT_NE(explain("10.9.0.0/16").next_hop_id, 0U);

  remove(made);
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(kernel_objects(), 0U) << "what nobody uses is taken out";
}

TEST_F(UnicastTest, RoutesShareNextHopsAndGroups) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle b = hop("10.0.2.2", right);
  const Handle one = route("10.9.0.0/16", {a});
  route("10.8.0.0/16", {a, b});
  route("10.7.0.0/16", {b, a});
  route("10.6.0.0/16", {b});
  run();
  EXPECT_EQ(kernel_routes(), (Texts{"10.6.0.0/16" + via("10.0.2.2", right),
                                    "10.7.0.0/16" + via("10.0.1.2", left) + " +" + via("10.0.2.2", right),
                                    "10.8.0.0/16" + via("10.0.1.2", left) + " +" + via("10.0.2.2", right),
                                    "10.9.0.0/16" + via("10.0.1.2", left)}));
  EXPECT_EQ(kernel_objects(), 3U);
  remove(one);
  run();
  EXPECT_EQ(kernel_objects(), 3U) << "the group still needs it";
}

TEST_F(UnicastTest, AnotherClientsNextHopWithTheSameGatewayIsTheSameObject) {
  start();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  const Handle other = routes.client(13);
  const auto its_hop = routes.table->add_next_hop(
      other, Handle::kNone, {.address = rtm::TestTable::net("10.0.1.2"), .interface_index = left.value()}, true);
  ASSERT_TRUE(its_hop);
  route("10.8.0.0/16", {its_hop->first}, 0, other);
  run();
  EXPECT_EQ(kernel_objects(), 1U);
}

TEST_F(UnicastTest, AChangeIsAReplacementInPlace) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle b = hop("10.0.2.2", right);
  route("10.9.0.0/16", {a});
  run();
  std::vector<Change> changes;
  port.set_judge([&](const kernel::ScriptedPort::Attempt& attempt) {
    if (attempt.route != nullptr) changes.push_back(attempt.change);
    return kernel::ScriptedPort::Verdict{};
  });
  route("10.9.0.0/16", {b});
  run();
  port.set_judge(nullptr);
  EXPECT_EQ(changes, std::vector<Change>{Change::kReplace});
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.2.2", right)});
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
}

TEST_F(UnicastTest, FlagsOfTheRouteChooseItsType) {
  start();
  route("10.1.0.0/16", {}, 0x2);
  route("10.2.0.0/16", {}, 0x4);
  route("10.3.0.0/16", {}, 0x6);
  route("10.4.0.0/16", {hop("10.0.1.2", left)}, 0x8);   // inactive
  route("10.5.0.0/16", {hop("10.0.1.2", left)}, 0x40);  // myself
  run();
  EXPECT_EQ(kernel_routes(), (Texts{"10.1.0.0/16 blackhole", "10.2.0.0/16 unreachable", "10.3.0.0/16 prohibit"}));
  EXPECT_FALSE(is_marked("10.4.0.0/16"));
}

TEST_F(UnicastTest, SettingsComeFromTheConfiguration) {
  TableSettings settings;
  settings.routes.priority = 77;
  settings.by_protocol[8] = {.priority = 33, .mtu = 1300, .preferred_source = "10.0.1.1"_address};
  start({}, settings);
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  const Handle other = routes.client(13);
  route("10.8.0.0/16", {}, 0x2, other);
  run();
  std::vector<std::tuple<std::uint32_t, std::uint32_t, bool>> seen;
  ASSERT_TRUE(port.dump_routes({.protocol = kernel::kOurProtocol},
                               {{}, [&](const kernel::Route& each) {
                                  seen.emplace_back(each.priority, each.metrics.mtu, each.preferred_source.has_value());
                                }}));
  EXPECT_EQ(seen, (decltype(seen){{77, 0, false}, {33, 1300, true}}));
}

TEST_F(UnicastTest, EachInstanceHasItsKernelTable) {
  constexpr std::uint32_t kTheirs = 1000;
  rtm::TestTable second(rtm::TestTable::ipv4(), 8);
  TableSettings settings;
  settings.kernel_table = kTheirs;
  forwarder =
      Forwarder::start(port, {{routes.table.get(), {}}, {second.table.get(), settings}}, {}, clock, [] {}).value();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  const Handle other = second.client(8);
  const Handle over_there = second.next_hop(other, "10.0.2.2", right.value());
  second.route(other, "10.9.0.0/16", 1, over_there);
  second.route(other, "10.8.0.0/16", 1, over_there);
  run();
  const auto in_table = [&](std::uint32_t table) {
    std::set<net::Prefix> all;
    EXPECT_TRUE(port.dump_routes({.table = table, .protocol = kernel::kOurProtocol},
                                 {{}, [&](const kernel::Route& each) { all.insert(each.destination); }}));
    return all;
  };
  EXPECT_EQ(in_table(kernel::kMainTable), (std::set{"10.9.0.0/16"_prefix}));
  EXPECT_EQ(in_table(kTheirs), (std::set{"10.8.0.0/16"_prefix, "10.9.0.0/16"_prefix}));
  ASSERT_TRUE(second.table->deregister_entity(other));
  run();
  EXPECT_EQ(in_table(kTheirs).size(), 0U);
  EXPECT_EQ(in_table(kernel::kMainTable).size(), 1U) << "of another instance";
  forwarder.reset();
}

TEST_F(UnicastTest, ARemoteNextHopIsResolvedAndFollowedWithoutWritingItsRoutes) {
  start();
  const Handle igp = route("192.0.2.0/24", {hop("10.0.1.2", left)});
  const Handle far = hop("192.0.2.7", {});
  for (int i = 0; i < 50; ++i) route(("10." + std::to_string(100 + i) + ".0.0/16").c_str(), {far});
  run();
  ASSERT_EQ(kernel_routes().size(), 51U);
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("10.0.1.2", left));

  std::vector<std::string> written;
  port.set_judge([&](const kernel::ScriptedPort::Attempt& attempt) {
    if (attempt.route != nullptr) written.emplace_back(net::to_text(attempt.route->destination).view());
    return kernel::ScriptedPort::Verdict{};
  });
  route("192.0.2.0/24", {hop("10.0.2.2", right)});
  run();
  port.set_judge(nullptr);
  EXPECT_EQ(written, Texts{"192.0.2.0/24"});
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("10.0.2.2", right));
  EXPECT_TRUE(is_marked("10.100.0.0/16"));

  remove(igp);
  run();
  EXPECT_EQ(kernel_routes(), Texts{}) << "nothing leads there any more";
  EXPECT_EQ(explain("10.100.0.0/16").state, RouteState::kFailed);
  EXPECT_EQ(explain("10.100.0.0/16").error, ENETUNREACH);
  EXPECT_FALSE(is_marked("10.100.0.0/16"));

  route("192.0.2.0/24", {hop("10.0.1.2", left), hop("10.0.2.2", right)});
  run();
  EXPECT_EQ(kernel_routes().size(), 51U);
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("10.0.1.2", left) + " +" + via("10.0.2.2", right));
}

TEST_F(UnicastTest, ARemoteNextHopOnAConnectedNetworkIsItsOwnGateway) {
  start();
  route("10.9.0.0/16", {hop("10.0.1.77", {})});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.77", left)});
}

TEST_F(UnicastTest, RecursionGoesThroughRecursionAndNeverInACircle) {
  start();
  route("192.0.2.0/24", {hop("10.0.1.2", left)});
  route("198.51.100.0/24", {hop("192.0.2.1", {})});
  route("10.9.0.0/16", {hop("198.51.100.1", {})});
  route("172.16.0.0/16", {hop("172.16.1.1", {})});  // through itself
  route("203.0.113.0/25", {hop("203.0.113.129", {})});
  route("203.0.113.128/25", {hop("203.0.113.1", {})});
  run();
  EXPECT_EQ(kernel_routes(), (Texts{"10.9.0.0/16" + via("10.0.1.2", left), "192.0.2.0/24" + via("10.0.1.2", left),
                                    "198.51.100.0/24" + via("10.0.1.2", left)}));
  route("192.0.2.0/24", {hop("10.0.2.2", right)});
  run();
  EXPECT_EQ(kernel_routes().front(), "10.9.0.0/16" + via("10.0.2.2", right)) << "followed through two";
}

TEST_F(UnicastTest, ALockedDestinationIsSkippedAndComesBack) {
  start();
  const Handle made = route("10.9.0.0/16", {hop("10.0.1.2", left)});
  static_cast<void>(made);
  rtm::DestImage info;
  ASSERT_TRUE(routes.table->exact_destination(client(), rtm::TestTable::net("10.9.0.0/16"), 0, 1, info));
  ASSERT_TRUE(routes.table->lock_destination(client(), info.destination, true));
  // The forwarder's thread is another one; here it is this one, which holds the lock: that too is "not now".
  route("10.8.0.0/16", {hop("10.0.1.2", left)});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.1.2", left)});
  ASSERT_TRUE(routes.table->unlock_destination(client(), info.destination, true));
  run();
  EXPECT_EQ(kernel_routes().size(), 2U);
  EXPECT_TRUE(routes.table->release_dest_infos(client(), 1, reinterpret_cast<const std::byte*>(&info)));
}

TEST_F(UnicastTest, ADepartureTakesAllOut) {
  start();
  const Handle via_left = hop("10.0.1.2", left);
  for (int i = 0; i < 200; ++i) route(("10." + std::to_string(i) + ".0.0/16").c_str(), {via_left});
  run();
  EXPECT_EQ(kernel_routes().size(), 200U);
  ASSERT_TRUE(routes.table->deregister_entity(std::exchange(self, Handle::kNone)));
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(kernel_objects(), 0U);
  EXPECT_EQ(forwarder->status().ipv4.routes[static_cast<std::size_t>(RouteState::kInstalled)], 0U);
}

TEST_F(UnicastTest, ChurnNeitherGrowsNorWritesMoreThanItMust) {
  start();
  const Handle a = hop("10.0.1.2", left);
  route("10.9.0.0/16", {a});
  run();
  const auto bytes = forwarder->status().bytes;
  const auto before = writes();
  for (int i = 0; i < 1000; ++i) {
    remove(route("10.8.0.0/16", {a}));
  }
  run();
  EXPECT_EQ(writes(), before) << "nothing of it lasted";
  EXPECT_EQ(forwarder->status().bytes, bytes);
}

TEST_F(UnicastTest, StoppingLeavesOrRemovesRoutesAndGivesEverythingBack) {
  for (const bool removes : {false, true}) {
    start();
    route("10.9.0.0/16", {hop("10.0.1.2", left)});
    run();
    forwarder->stop(removes);
    forwarder.reset();
    EXPECT_EQ(kernel_routes().size(), removes ? 0U : 1U);
    EXPECT_EQ(kernel_objects(), removes ? 0U : 1U);
    EXPECT_FALSE(is_marked("10.9.0.0/16")) << "nobody sees to it any more";
    EXPECT_EQ(routes.table->leak_count(rtm::Kind::kDestination), 0U);
    EXPECT_EQ(routes.table->leak_count(rtm::Kind::kRoute), 0U);
    EXPECT_EQ(routes.table->leak_count(rtm::Kind::kNextHop), 0U);
    EXPECT_EQ(routes.table->leak_count(rtm::Kind::kNotification), 0U);
  }
}

TEST_F(UnicastTest, WhatIsInTheTableAlreadyIsWritten) {
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  start();
  EXPECT_EQ(kernel_routes().size(), 1U);
}

// --- a second life
// -----------------------------------------------------------------------------------------------------

TEST_F(UnicastTest, ARestartWithNothingChangedWritesNothing) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle b = hop("10.0.2.2", right);
  route("192.0.2.0/24", {a});
  route("10.9.0.0/16", {a, b});
  route("10.8.0.0/16", {hop("192.0.2.9", {})});
  route("10.7.0.0/16", {}, 0x2);
  run();
  const Texts before = kernel_routes();
  forwarder->stop(false);
  const auto count = writes();
  start();
  EXPECT_EQ(writes(), count);
  EXPECT_EQ(kernel_routes(), before);
  EXPECT_EQ(forwarder->status().ipv4.kept, 4U);
  EXPECT_TRUE(is_marked("10.8.0.0/16"));
  forwarder->all_claimed();
  run();
  EXPECT_EQ(writes(), count) << "nothing is left to sweep";
}

TEST_F(UnicastTest, WhatNobodyClaimsForwardsUntilItIsSwept) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle gone = route("10.9.0.0/16", {a});
  route("10.8.0.0/16", {a});
  route("10.7.0.0/16", {hop("10.0.2.2", right)});
  run();
  forwarder->stop(false);
  remove(gone);
  route("10.8.0.0/16", {hop("10.0.2.2", right)});
  start();
  EXPECT_EQ(kernel_routes(), (Texts{"10.7.0.0/16" + via("10.0.2.2", right), "10.8.0.0/16" + via("10.0.2.2", right),
                                    "10.9.0.0/16" + via("10.0.1.2", left)}));
  EXPECT_EQ(forwarder->status().ipv4.adopted, 1U);
  pass(std::chrono::minutes(4));
  EXPECT_EQ(kernel_routes().size(), 2U);
  EXPECT_EQ(kernel_objects(), 1U);
  EXPECT_TRUE(forwarder->status().sweeping_done);
}

TEST_F(UnicastTest, WhatIsInTheTableButNotWantedWaitsForTheSweepAsWell) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle routes_a[] = {route("10.9.0.0/16", {a}), route("10.8.0.0/16", {a})};
  run();
  forwarder->stop(false);
  for (const Handle each : routes_a) remove(each);
  for (const char* each : {"10.9.0.0/16", "10.8.0.0/16"}) route(each, {a}, 0x8);  // inactive
  const auto count = writes();
  start();
  EXPECT_EQ(kernel_routes().size(), 2U);
  EXPECT_EQ(forwarder->status().ipv4.adopted, 2U);
  forwarder->audit_now();
  run();
  EXPECT_EQ(forwarder->status().ipv4.adopted, 2U);
  route("10.9.0.0/16", {a});  // claimed
  run();
  EXPECT_EQ(writes(), count);
  EXPECT_EQ(forwarder->status().ipv4.kept, 1U);
  forwarder->all_claimed();
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
}

TEST_F(UnicastTest, ClientsThatComeAfterTheForwarderClaimWithoutAWrite) {
  start();
  std::vector<Handle> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(
        route(("10.9." + std::to_string(i % 256) + ".0/" + (i < 256 ? "24" : "25")).c_str(), {hop("10.0.1.2", left)}));
  }
  run();
  forwarder->stop(false);
  for (const Handle each : all) remove(each);
  const auto count = writes();
  start();
  EXPECT_EQ(forwarder->status().ipv4.adopted, 300U);
  for (int i = 0; i < 300; ++i) {
    route(("10.9." + std::to_string(i % 256) + ".0/" + (i < 256 ? "24" : "25")).c_str(), {hop("10.0.1.2", left)});
  }
  run();
  EXPECT_EQ(writes(), count);
  EXPECT_EQ(forwarder->status().ipv4.kept, 300U);
  forwarder->all_claimed();
  run();
  EXPECT_EQ(writes(), count);
}

// Somebody touches what nobody has claimed yet.
TEST_F(UnicastTest, WhatIsTakenAwayBeforeItIsClaimedIsWrittenAnew) {
  start();
  const Handle a = hop("10.0.1.2", left);
  const Handle mine = route("10.9.0.0/16", {a});
  run();
  forwarder->stop(false);
  remove(mine);
  start();
  port.with_model([&](kernel::KernelModel& model) {
    for (const kernel::RouteCopy& each : model.routes()) {
      if (each.view().protocol != kernel::kOurProtocol) continue;
      EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
    }
  });
  run();
  EXPECT_EQ(forwarder->status().ipv4.adopted, 0U);
  route("10.9.0.0/16", {a});
  run();
  EXPECT_EQ(kernel_routes().size(), 1U);
}

TEST_F(UnicastTest, MemoryGoesWithTheRoutes) {
  start();
  const Handle a = hop("10.0.1.2", left);
  std::vector<Handle> all;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(route(("11." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24").c_str(), {a}));
  }
  run();
  const std::size_t full = forwarder->status().bytes;
  EXPECT_LT(full / all.size(), 48U);
  for (std::size_t i = 0; i + 10 < all.size(); ++i) remove(all[i]);
  run();
  EXPECT_LT(forwarder->status().bytes, full / 4) << "the last ones have high numbers";
}

TEST_F(UnicastTest, AnotherPriorityMovesTheRoute) {
  start();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  forwarder->stop(false);
  TableSettings settings;
  settings.routes.priority = 50;
  start({}, settings);
  std::vector<std::uint32_t> priorities;
  ASSERT_TRUE(port.dump_routes({.protocol = kernel::kOurProtocol},
                               {{}, [&](const kernel::Route& each) { priorities.push_back(each.priority); }}));
  EXPECT_EQ(priorities, std::vector<std::uint32_t>{50});
}

// --- batches under way
// -----------------------------------------------------------------------------------------------------

class BatchesTest : public UnicastTest {
 protected:
  BatchesTest() {
    auto its = std::make_unique<kernel::LateBackground>();
    late = its.get();
    background = std::move(its);
  }
  static std::string prefix(int number) {
    return "11." + std::to_string(number / 256) + "." + std::to_string(number % 256) + ".0/24";
  }
  void load(int count, Handle over) {
    for (int i = 0; i < count; ++i) made.push_back(route(prefix(i).c_str(), {over}));
  }
  // While the kernel works on its route number `which`: `act`, once.
  void meanwhile(std::uint64_t which, std::function<void()> act) {
    port.set_judge([this, left_over = which, act](const kernel::ScriptedPort::Attempt& attempt) mutable {
      if (attempt.route != nullptr && left_over-- == 0) {
        last = attempt.route->destination;
        act();
      }
      return kernel::ScriptedPort::Verdict{};
    });
  }

  // As a thread does: until nobody has woken it.
  void run_while_woken() {
    for (unsigned before = wakes - 1; std::exchange(before, wakes) != wakes;) run();
  }

  kernel::LateBackground* late = nullptr;
  std::vector<Handle> made;
  net::Prefix last;
};

TEST_F(BatchesTest, AFloodGoesInTheBackgroundAndALoneChangeDoesNot) {
  start();
  load(5000, hop("10.0.1.2", left));
  run();
  EXPECT_GE(late->done_here(), 4U);
  EXPECT_EQ(kernel_routes().size(), 5000U);
  EXPECT_TRUE(is_marked(prefix(4999).c_str()));
  const auto before = late->done_here();
  route("10.9.0.0/16", {hop("10.0.2.2", right)});
  forwarder->step();
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(late->done_here(), before);
  remove(std::exchange(made[0], Handle::kNone));
  for (std::size_t i = 1; i < made.size(); ++i) remove(made[i]);
  run();
  EXPECT_EQ(kernel_routes().size(), 1U);
}

// The destination that is being written changes at that moment: what is there in the end, and marked, is the last word.
TEST_F(BatchesTest, WhatChangesWhileItIsUnderWayIsWrittenAgain) {
  start();
  struct Way {
    Handle hop;
    std::string text;
  };
  Way now{hop("10.0.1.2", left), via("10.0.1.2", left)};
  Way other{hop("10.0.2.2", right), via("10.0.2.2", right)};
  for (const std::uint64_t which : {0U, 1500U, 4000U}) {
    load(5000, now.hop);
    meanwhile(which, [&] { route(std::string(net::to_text(last).view()).c_str(), {other.hop}); });
    run_while_woken();
    port.set_judge(nullptr);
    const std::string text(net::to_text(last).view());
    const auto all = kernel_routes();
    EXPECT_EQ(all.size(), 5000U);
    EXPECT_NE(std::ranges::find(all, text + other.text), all.end()) << text;
    EXPECT_TRUE(is_marked(text.c_str()));
    std::swap(now, other);
  }
}

TEST_F(BatchesTest, WhatGoesWhileItIsUnderWayIsTakenOutAgain) {
  start();
  load(3000, hop("10.0.1.2", left));
  meanwhile(100, [&] {
    for (const Handle each : made) remove(each);
  });
  run_while_woken();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(kernel_objects(), 0U);
}

TEST_F(BatchesTest, RefusalsAndLostAnswersOfABatchAreItsOwn) {
  start();
  unsigned count = 0;
  port.set_judge([&](const kernel::ScriptedPort::Attempt& attempt) {
    return attempt.route != nullptr && ++count % 10 == 0 ? kernel::ScriptedPort::refusing(ENOSPC)
                                                         : kernel::ScriptedPort::Verdict{};
  });
  load(3000, hop("10.0.1.2", left));
  run();
  EXPECT_EQ(kernel_routes().size(), 2700U);
  EXPECT_EQ(forwarder->status().ipv4.routes[static_cast<std::size_t>(RouteState::kFailed)], 300U);
  port.set_judge(nullptr);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(kernel_routes().size(), 3000U);
}

}  // namespace
}  // namespace turnpike::forwarder
