// What the kernel, links and other programs can do to the forwarder; afterwards the kernel has what is wanted, or the
// forwarder says why not.
#include <functional>
#include <utility>

#include "base/log_capture.h"
#include "scene.h"

namespace turnpike::forwarder {
namespace {

using kernel::ScriptedPort;

class FaultsTest : public Scene {
 protected:
  void refuse_routes(int error, unsigned times = 1'000'000) {
    port.set_judge([error, left_over = times](const ScriptedPort::Attempt& attempt) mutable {
      if (attempt.route == nullptr || left_over == 0) return ScriptedPort::Verdict{};
      --left_over;
      return ScriptedPort::refusing(error);
    });
  }
  void many(unsigned count, Handle its_hop) {
    for (unsigned i = 0; i < count; ++i) {
      route(("10." + std::to_string(100 + i / 256) + "." + std::to_string(i % 256) + ".0/24").c_str(), {its_hop});
    }
  }
  // And back at once; and so again while the forwarder writes what it has heard of it.
  void flap_again_unheard(kernel::InterfaceIndex link, const std::function<void()>& work) {
    const auto flap = [&] {
      set_link(link, false);
      set_link(link, true);
    };
    bool again = true;
    port.before_submits([&] {
      if (std::exchange(again, false)) flap();
    });
    flap();
    work();
    port.before_submits(nullptr);
    EXPECT_FALSE(again);
  }
  std::uint64_t in_state(RouteState state) { return forwarder->status().ipv4.routes[static_cast<std::size_t>(state)]; }
};

class RefusalTest : public FaultsTest, public testing::WithParamInterface<int> {};

TEST_P(RefusalTest, IsSeenAtTheRouteAndTriedAgain) {
  start();
  refuse_routes(GetParam());
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kFailed);
  EXPECT_EQ(explain("10.9.0.0/16").error, GetParam());
  EXPECT_FALSE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(in_state(RouteState::kFailed), 1U);
  port.set_judge(nullptr);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(kernel_routes().size(), 1U);
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(in_state(RouteState::kFailed), 0U);
}
INSTANTIATE_TEST_SUITE_P(Errors, RefusalTest,
                         testing::Values(ENOBUFS, ESRCH, ENETUNREACH, EINVAL, ENOSPC, ENOMEM, EPERM));

TEST_F(FaultsTest, TriesBecomeRarerWhileARefusalLasts) {
  start();
  refuse_routes(ENOSPC);
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  const auto before = writes();
  for (int i = 0; i < 600; ++i) pass(std::chrono::seconds(1));
  EXPECT_LT(writes() - before, 40U);
  EXPECT_GT(writes() - before, 8U);
}

// By news of it, or, where that was lost, when everything is read.
class ConflictTest : public FaultsTest, public testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Heard, ConflictTest, testing::Bool());

TEST_P(ConflictTest, AForeignRouteIsNeverOverwrittenAndItsPlaceIsTakenWhenItGoes) {
  kernel::Route theirs;
  theirs.destination = "10.9.0.0/16"_prefix;
  theirs.type = kernel::RouteType::kBlackhole;
  theirs.protocol = 250;
  theirs.priority = 20;
  Settings settings;
  settings.import_routes = false;
  start(settings);
  port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, Change::kAdd, theirs).error, 0); });
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kConflict);
  EXPECT_FALSE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(kernel_routes(250).size(), 1U);
  if (!GetParam()) port.hold_notifications();
  port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, Change::kRemove, theirs).error, 0); });
  if (!GetParam()) port.overrun_monitors();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 1U);
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
}

TEST_F(FaultsTest, AForeignReplacementBecomesAConflict) {
  Settings settings;
  settings.import_routes = false;
  start(settings);
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  kernel::Route theirs;
  theirs.destination = "10.9.0.0/16"_prefix;
  theirs.type = kernel::RouteType::kBlackhole;
  theirs.protocol = 250;
  theirs.priority = 20;
  port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, Change::kReplace, theirs).error, 0); });
  run();
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kConflict);
  EXPECT_EQ(kernel_routes(250).size(), 1U);
}

TEST_F(FaultsTest, AForeignRouteWithALowerMetricShadowsOurs) {
  kernel::Route theirs;
  theirs.destination = "10.9.0.0/16"_prefix;
  theirs.type = kernel::RouteType::kBlackhole;
  theirs.protocol = 250;
  theirs.priority = 5;
  const auto change = [&](Change what) {
    port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, what, theirs).error, 0); });
    if (forwarder != nullptr) run();
  };
  change(Change::kAdd);
  start();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kShadowed);
  EXPECT_FALSE(is_marked("10.9.0.0/16"));
  EXPECT_EQ(in_state(RouteState::kShadowed), 1U);
  const auto count = writes();
  change(Change::kRemove);
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kInstalled);
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  change(Change::kAdd);
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kShadowed);
  EXPECT_FALSE(is_marked("10.9.0.0/16"));
  forwarder->audit_now();
  run();
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kShadowed);
  EXPECT_EQ(writes(), count) << "ours is there, and stays";
  theirs.priority = 30;  // after ours
  change(Change::kAdd);
  theirs.priority = 5;
  change(Change::kRemove);
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kInstalled);
}

TEST_F(FaultsTest, AForeignFlushIsRepairedOnce) {
  start();
  many(300, hop("10.0.1.2", left));
  run();
  port.with_model([&](kernel::KernelModel& model) {
    for (const kernel::RouteCopy& each : model.routes()) {
      if (each.view().protocol == kernel::kOurProtocol) {
        EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
      }
    }
  });
  EXPECT_EQ(kernel_routes().size(), 0U);
  run();
  EXPECT_EQ(kernel_routes().size(), 300U);
  EXPECT_EQ(forwarder->status().ipv4.repaired, 300U);
  EXPECT_TRUE(is_marked("10.100.0.0/24"));
}

TEST_F(FaultsTest, AFightIsBackedOffFrom) {
  start();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  unsigned removals = 0;
  const auto before = writes();
  for (int i = 0; i < 600; ++i) {
    port.with_model([&](kernel::KernelModel& model) {
      for (const kernel::RouteCopy& each : model.routes()) {
        if (each.view().protocol != kernel::kOurProtocol) continue;
        ++removals;
        EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
      }
    });
    pass(std::chrono::milliseconds(100));
  }
  EXPECT_GT(removals, 4U);
  EXPECT_LT(writes() - before, 15U) << "600 times it was looked, a minute passed";
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kContested);
  pass(std::chrono::minutes(6));
  EXPECT_EQ(kernel_routes().size(), 1U) << "the other has stopped";
}

TEST_F(FaultsTest, WhatSomebodyMadeOfOursIsMadeRightAgain) {
  start();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  port.with_model([&](kernel::KernelModel& model) {
    kernel::Route changed;
    changed.destination = "10.9.0.0/16"_prefix;
    changed.type = kernel::RouteType::kBlackhole;
    changed.priority = 20;
    EXPECT_EQ(model.change(77, Change::kReplace, changed).error, 0);
  });
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
}

TEST_F(FaultsTest, ANextHopThatAnotherDeletesComesBackWithItsRoutes) {
  start();
  const Handle a = hop("10.0.1.2", left);
  many(100, a);
  route("10.8.0.0/16", {a, hop("10.0.2.2", right)});
  run();
  const Texts before = kernel_routes();
  port.with_model([&](kernel::KernelModel& model) {
    for (const kernel::NextHopCopy& each : model.next_hops()) {
      if (each.view().gateway == "10.0.1.2"_address) {
        EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
      }
    }
  });
  run();
  EXPECT_EQ(kernel_routes(), before);
  EXPECT_TRUE(is_marked("10.100.0.0/24"));
}

TEST_F(FaultsTest, ALinkThatGoesTakesItsRoutesAndBringsThemBack) {
  start();
  const Handle a = hop("10.0.1.2", left);
  many(300, a);
  route("10.8.0.0/16", {a, hop("10.0.2.2", right)});
  run();
  const Texts before = kernel_routes();
  set_link(left, false);
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.2.2", right)}) << "the other way is left";
  EXPECT_TRUE(is_marked("10.8.0.0/16"));
  EXPECT_FALSE(is_marked("10.100.0.0/24"));
  EXPECT_EQ(explain("10.100.0.0/24").error, ENETDOWN);
  set_link(left, true);
  run();
  EXPECT_EQ(kernel_routes(), before);
  EXPECT_TRUE(is_marked("10.100.0.0/24"));
}

// No route changes then: only what they name.
TEST_F(FaultsTest, AWayOfSeveralComesBackWithItsLink) {
  Settings settings;
  settings.import_routes = false;
  start(settings);
  route("10.8.0.0/16", {hop("10.0.1.2", left), hop("10.0.2.2", right)});
  run();
  const Texts before = kernel_routes();
  set_link(left, false);
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.2.2", right)});
  set_link(left, true);
  run();
  EXPECT_EQ(kernel_routes(), before);
}

// And no news says that it could be tried again.
TEST_F(FaultsTest, AWayOfSeveralThatWasRefusedIsTriedAgain) {
  start();
  port.set_judge([](const ScriptedPort::Attempt& attempt) {
    return attempt.next_hop != nullptr && attempt.next_hop->gateway == "10.0.1.2"_address
               ? ScriptedPort::refusing(ENOMEM)
               : ScriptedPort::Verdict{};
  });
  route("10.8.0.0/16", {hop("10.0.1.2", left), hop("10.0.2.2", right)});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.2.2", right)});
  EXPECT_TRUE(is_marked("10.8.0.0/16"));
  pass(std::chrono::seconds(1));
  port.set_judge(nullptr);
  const auto tries = writes();
  pass(std::chrono::milliseconds(500));
  EXPECT_EQ(writes(), tries) << "rarer while it lasts";
  for (int i = 0; i < 3; ++i) pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.1.2", left) + " +" + via("10.0.2.2", right)});
}

TEST_F(FaultsTest, ALinkMayFlapUnderChurn) {
  start();
  const Handle a = hop("10.0.1.2", left);
  many(100, a);
  for (int i = 0; i < 20; ++i) {
    set_link(left, i % 2 != 0);
    remove(route("10.7.0.0/16", {a}));
    forwarder->step();
    route(("10.6." + std::to_string(i) + ".0/24").c_str(), {a});
    forwarder->step();
  }
  set_link(left, true);
  run();
  pass(std::chrono::seconds(2));
  EXPECT_EQ(kernel_routes().size(), 120U);
}

// Of the second time the forwarder hears when it has written everything again.
TEST_F(FaultsTest, ALinkMayFlapAgainBeforeItsNewsIsHeard) {
  start();
  many(100, hop("10.0.1.2", left));
  run();
  flap_again_unheard(left, [&] { run(); });
  pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 100U);
  EXPECT_EQ(in_state(RouteState::kInstalled), 100U) << "none is in conflict with itself";
  port.with_model([&](kernel::KernelModel& model) { model.remove_link(left); });
  run();
  EXPECT_EQ(in_state(RouteState::kFailed), 100U);
}

// As above; and what the wrong belief is about is withdrawn before the news of the flap says so: nothing of it stays.
TEST_F(FaultsTest, WhatIsWithdrawnWhileItsLinkIsWronglyThoughtDownGoesAllTheSame) {
  for (const int kept : {0, 50}) {
    start();
    const Handle unclaimed = route("10.7.0.0/16", {hop("10.0.2.2", right)});
    run();
    forwarder->stop(false);
    remove(unclaimed);
    start();
    const Handle a = hop("10.0.1.2", left);
    many(100, a);
    run();
    flap_again_unheard(left, [&] { forwarder->step(); });
    ASSERT_EQ(kernel_routes().size(), 101U) << "and of the second flap it has not heard";
    ASSERT_TRUE(routes.table->deregister_entity(std::exchange(self, Handle::kNone)));
    many(static_cast<unsigned>(kept), hop("10.0.1.2", left));
    run();
    for (int i = 0; i < 3; ++i) pass(std::chrono::seconds(1));
    EXPECT_EQ(kernel_routes().size(), static_cast<std::size_t>(kept) + 1) << "and the former life's";
    EXPECT_EQ(in_state(RouteState::kInstalled), static_cast<std::uint64_t>(kept));
    pass(std::chrono::minutes(4));
    EXPECT_EQ(kernel_routes().size(), static_cast<std::size_t>(kept));
    EXPECT_EQ(kernel_objects(), kept != 0 ? 1U : 0U);
    forwarder->stop(true);
  }
}

TEST_F(FaultsTest, ALinkThatIsDeletedTakesWhatIsWantedOverItForGood) {
  start();
  const Handle a = hop("10.0.1.2", left);
  many(100, a);
  run();
  port.with_model([&](kernel::KernelModel& model) { model.remove_link(left); });
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(in_state(RouteState::kFailed), 100U);
  ASSERT_TRUE(routes.table->deregister_entity(std::exchange(self, Handle::kNone)));
  run();
  EXPECT_EQ(in_state(RouteState::kFailed), 0U);
}

// The kernel takes routes away with the address that they prefer, and says nothing of them.
TEST_F(FaultsTest, AnAddressThatGoesTakesTheRoutesThatPreferIt) {
  kernel::InterfaceAddress preferred;
  preferred.link = right;
  preferred.local = "10.0.2.1"_address;
  preferred.prefix_length = 24;
  const auto change = [&](Change what) {
    port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(0, what, preferred).error, 0); });
  };
  TableSettings settings;
  settings.routes.preferred_source = preferred.local;
  start({}, settings);
  many(100, hop("10.0.1.2", left));
  run();
  ASSERT_EQ(kernel_routes().size(), 100U);
  change(Change::kRemove);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 0U);
  EXPECT_EQ(in_state(RouteState::kFailed), 100U);
  EXPECT_EQ(explain("10.100.7.0/24").error, EINVAL);
  change(Change::kAdd);
  run();
  EXPECT_EQ(kernel_routes().size(), 100U);
  EXPECT_EQ(in_state(RouteState::kInstalled), 100U);
}

// Another client's changes wait for him in the table; they cost nobody else anything.
TEST_F(FaultsTest, ASubscriberThatStopsReadingDelaysNobody) {
  start();
  many(1000, hop("10.0.1.2", left));
  run();
  const auto bytes = forwarder->status().bytes;
  const Handle deaf = routes.client(99);
  ASSERT_TRUE(routes.table->register_for_changes(deaf, 1, rtm::change::kAll, nullptr));
  for (int round = 0; round < 10; ++round) {
    const bool is_left = round % 2 != 0;
    many(1000, is_left ? hop("10.0.1.2", left) : hop("10.0.2.2", right));
    run();
    ASSERT_EQ(kernel_routes().size(), 1000U);
    EXPECT_EQ(kernel_routes().back(), "10.103.231.0/24" + (is_left ? via("10.0.1.2", left) : via("10.0.2.2", right)));
    EXPECT_EQ(in_state(RouteState::kInstalled), 1000U);
  }
  EXPECT_LE(forwarder->status().bytes, bytes * 5 / 4);
}

TEST_F(FaultsTest, AfterAnOverrunTheKernelIsReadAndMadeRight) {
  const LogCapture log(process_log(), LogLevel::kWarning);
  start();
  many(100, hop("10.0.1.2", left));
  run();
  port.hold_notifications();
  port.with_model([&](kernel::KernelModel& model) {
    for (const kernel::RouteCopy& each : model.routes()) {
      if (each.view().protocol == kernel::kOurProtocol) {
        EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
      }
    }
    kernel::Route stray;
    stray.destination = "172.16.0.0/12"_prefix;
    stray.type = kernel::RouteType::kBlackhole;
    EXPECT_EQ(model.change(77, Change::kAdd, stray).error, 0);
  });
  port.overrun_monitors();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 101U);
  EXPECT_EQ(forwarder->status().losses, 1U);
  EXPECT_EQ(std::ranges::count_if(log.lines(), [](const std::string& line) { return line.ends_with("why=overrun"); }),
            1);
  pass(std::chrono::minutes(4));
  EXPECT_EQ(kernel_routes().size(), 100U) << "what has our number and is nobody's goes with the sweep";
  port.release_notifications(true);
  run();
  EXPECT_EQ(kernel_routes().size(), 100U) << "old news in the wrong order change nothing that lasts";
  pass(std::chrono::seconds(1));
  EXPECT_EQ(forwarder->status().ipv4.routes[static_cast<std::size_t>(RouteState::kInstalled)], 100U)
      << "and what is ours is not taken for another's";
}

TEST_F(FaultsTest, AStormOfOverrunsIsNoStormOfDumps) {
  start();
  const auto before = forwarder->status().resyncs;
  for (int i = 0; i < 100; ++i) {
    port.overrun_monitors();
    pass(std::chrono::milliseconds(1));
  }
  EXPECT_LE(forwarder->status().resyncs - before, 3U);
}

TEST_F(FaultsTest, DisturbedAndFailedDumpsAreRepeated) {
  start();
  many(10, hop("10.0.1.2", left));
  run();
  const auto before = writes();
  port.disturb_dumps(3);
  forwarder->audit_now();
  pass(std::chrono::seconds(1));
  port.fail_dumps(2, ENOBUFS);
  forwarder->audit_now();
  for (int i = 0; i < 5; ++i) pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 10U);
  EXPECT_EQ(forwarder->status().ipv4.repaired, 0U);
  EXPECT_EQ(writes(), before) << "nothing was wrong";
}

TEST_F(FaultsTest, TheAuditFindsWhatWasOnlySaidToBeDone) {
  start();
  port.set_judge([](const ScriptedPort::Attempt& attempt) {
    return attempt.route != nullptr ? ScriptedPort::pretending() : ScriptedPort::Verdict{};
  });
  many(20, hop("10.0.1.2", left));
  run();
  EXPECT_EQ(kernel_routes().size(), 0U);
  port.set_judge(nullptr);
  pass(std::chrono::minutes(16));
  EXPECT_EQ(kernel_routes().size(), 20U);
}

TEST_F(FaultsTest, WhatWasDoneButRefusedIsFoundAndKept) {
  start();
  port.set_judge([](const ScriptedPort::Attempt& attempt) {
    return attempt.route != nullptr ? ScriptedPort::making_but_refusing(ENOBUFS) : ScriptedPort::Verdict{};
  });
  many(20, hop("10.0.1.2", left));
  run();
  port.set_judge(nullptr);
  for (int i = 0; i < 5; ++i) pass(std::chrono::seconds(1));
  forwarder->audit_now();
  for (int i = 0; i < 5; ++i) pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 20U);
  EXPECT_EQ(in_state(RouteState::kInstalled), 20U);
}

TEST_F(FaultsTest, LostAnswersLeadToAReading) {
  start();
  const Handle a = hop("10.0.1.2", left);
  route("10.6.0.0/16", {a});
  run();
  refuse_routes(ENOMEM, 5);
  port.lose_next_answers();
  many(10, a);
  for (int i = 0; i < 5; ++i) pass(std::chrono::seconds(1));
  EXPECT_EQ(kernel_routes().size(), 11U);
  EXPECT_EQ(in_state(RouteState::kInstalled), 11U);
}

TEST_F(FaultsTest, ARefusedNextHopIsItsRoutesFailureUntilItIsTaken) {
  start();
  port.set_judge([](const ScriptedPort::Attempt& attempt) {
    return attempt.next_hop != nullptr ? ScriptedPort::refusing(ENOMEM) : ScriptedPort::Verdict{};
  });
  many(10, hop("10.0.1.2", left));
  run();
  EXPECT_EQ(in_state(RouteState::kFailed), 10U);
  EXPECT_EQ(explain("10.100.0.0/24").error, ENOMEM);
  port.set_judge(nullptr);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(kernel_routes().size(), 10U);
}

TEST_F(FaultsTest, AnIdThatAnotherHasIsNotOurs) {
  start();
  port.with_model([&](kernel::KernelModel& model) {
    kernel::NextHop theirs;
    theirs.id = NextHops::kFirstId;
    theirs.kind = kernel::NextHopKind::kBlackhole;
    theirs.protocol = 250;
    EXPECT_EQ(model.change(77, Change::kAdd, theirs).error, 0);
  });
  port.hold_notifications();
  route("10.9.0.0/16", {hop("10.0.1.2", left)});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
  EXPECT_NE(explain("10.9.0.0/16").next_hop_id, NextHops::kFirstId);
}

TEST_F(FaultsTest, ManyDeathsAtAnyMomentEndWithTheWantedTable) {
  const Handle a = hop("10.0.1.2", left);
  const Handle b = hop("10.0.2.2", right);
  many(2000, a);
  unsigned seed = 7;
  for (int life = 0; life < 20; ++life) {
    auto made = Forwarder::start(port, {{routes.table.get(), {}}}, {}, clock, [] {});
    ASSERT_TRUE(made);
    forwarder = std::move(*made);
    seed = seed * 1103515245 + 12345;
    for (unsigned steps = seed / 65536 % 4; steps != 0; --steps) forwarder->step();
    many(500 + seed / 65536 % 500, life % 2 != 0 ? a : b);
    forwarder->step();
    forwarder->stop(false);  // as a death: what is in the kernel stays as it is
    forwarder.reset();
  }
  many(2000, b);
  start();
  forwarder->all_claimed();
  run();
  const Texts all = kernel_routes();
  EXPECT_EQ(all.size(), 2000U);
  EXPECT_TRUE(
      std::ranges::all_of(all, [&](const std::string& each) { return each.ends_with(via("10.0.2.2", right)); }));
  EXPECT_EQ(kernel_objects(), 1U);
}

}  // namespace
}  // namespace turnpike::forwarder
