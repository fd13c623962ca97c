// Deregistration, in each order and with each misuse, while frames come in and links go (sections D.6 and D.15).
#include <atomic>
#include <future>

#include "scripted_driver.h"

namespace turnpike::ndis::testing {
namespace {

const net::MacAddress kEverybody = net::MacAddress::broadcast();

class Deregistration : public EngineTest {
 protected:
  // Frames for every adapter, from another thread, until it is told to stop.
  class Traffic {
   public:
    Traffic(MemoryAdapters& world, std::vector<net::InterfaceIndex> adapters)
        : thread_([&world, adapters = std::move(adapters), this] {
            const FrameBytes frame = frame_to(kEverybody);
            while (!stop_.load()) {
              for (const net::InterfaceIndex adapter : adapters) {
                (void)world.inject(adapter, frame);
              }
            }
          }) {}
    ~Traffic() {
      stop_ = true;
      thread_.join();
    }

   private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
  };

  void all_bound(Script& script, std::size_t n) {
    ASSERT_TRUE(script.journal.await("binds complete"));
    engine.quiesce();
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(set(script.binding(i), kFilterOid, packet_type::kBroadcast), Status::kSuccess);
    }
  }
};

// clauses: NDIS-063 NDIS-064 NDIS-065 NDIS-069 NDIS-070
TEST_F(Deregistration, UnbindsEachOnceOnTheCallersThreadUnderTraffic) {
  for (const Generation generation : {Generation::k5, Generation::k6}) {
    for (const std::size_t n : {1U, 2U, 16U}) {
      std::vector<net::InterfaceIndex> adapters;
      for (std::size_t i = 0; i < n; ++i) {
        adapters.push_back(world.add_ethernet("eth" + std::to_string(i)));
      }
      Script script(engine);
      std::atomic<int> elsewhere{0};
      const auto me = std::this_thread::get_id();
      script.on_unbind = [&](Binding& binding, Handle context) {
        elsewhere += std::this_thread::get_id() == me ? 0 : 1;
        return script.close(binding, context);
      };
      begin(script, generation);
      all_bound(script, n);
      {
        const Traffic traffic(world, adapters);
        while (script.received < 100) {
          std::this_thread::yield();
        }
        leave(script);
        // allow sleeping-test: time for what must not happen, or a poll
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      EXPECT_EQ(script.journal.count("unbind"), n);
      EXPECT_EQ(elsewhere, 0);
      EXPECT_EQ(script.after_gone, 0);
      EXPECT_EQ(script.most_inside, 1);
      EXPECT_EQ(engine.counts().bindings, 0U);
      for (const net::InterfaceIndex adapter : adapters) {
        ASSERT_TRUE(world.remove(adapter));
      }
    }
  }
  EXPECT_TRUE(violations.empty()) << violations.front();
}

// clauses: NDIS-066 NDIS-067
TEST_F(Deregistration, WaitsForAnUnbindAndForARetainedFrame) {
  const auto eth0 = world.add_ethernet("eth0");
  Script script(engine);
  std::atomic<Binding*> retained{nullptr};
  script.on_receive = [&](Binding& binding, std::span<const Indicated>) {
    if (retained.exchange(&binding) == nullptr) {
      binding.hold(Held::kRetained);
    }
  };
  script.on_unbind = [&](Binding& binding, Handle context) {
    const Status status = script.close(binding, context);
    EXPECT_EQ(status, Status::kPending);
    return status;
  };
  begin(script, Generation::k5);
  all_bound(script, 1);
  ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
  std::atomic<bool> returned{false};
  std::thread leaving([&] {
    leave(script);
    returned = true;
  });
  ASSERT_TRUE(script.journal.await("unbind"));
  // allow sleeping-test: time for what must not happen, or a poll
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(returned);
  engine.returned(*retained.load(), 1);
  leaving.join();
  EXPECT_EQ(script.journal.count("close complete"), 1U);
}

// clauses: NDIS-074 NDIS-075 NDIS-073
TEST_F(Deregistration, LetsAPendingBindFinish) {
  for (const Status outcome : {Status::kSuccess, Status::kFailure}) {
    const auto eth0 = world.add_ethernet("eth0");
    Script script(engine);
    engine.knobs().force_pend = pend::kOpen;
    Handle context{};
    Offer kept;
    script.on_bind = [&](Offer& offer) {
      context = offer.context;
      kept.context = offer.context;
      kept.adapter_name = offer.adapter_name;
      if (outcome == Status::kSuccess) {
        EXPECT_EQ(script.open(offer), Status::kPending);
      }
      return Status::kPending;
    };
    begin(script, Generation::k5);
    ASSERT_TRUE(script.journal.await("bind eth0"));
    if (outcome == Status::kSuccess) {
      ASSERT_TRUE(script.journal.await("open complete"));
    }
    std::atomic<bool> returned{false};
    std::thread leaving([&] {
      leave(script);
      returned = true;
    });
    while (engine.reenumerate(script.protocol)) {  // until it has begun to leave
      std::this_thread::yield();
    }
    EXPECT_EQ(script.open(kept), Status::kClosing);
    EXPECT_FALSE(returned);
    engine.complete_bind(context, outcome);
    leaving.join();
    EXPECT_EQ(script.journal.count("unbind"), outcome == Status::kSuccess ? 1U : 0U);
    engine.knobs().force_pend = 0;
    ASSERT_TRUE(world.remove(eth0));
  }
}

// clauses: NDIS-076 NDIS-072
TEST_F(Deregistration, RacesALinkThatGoes) {
  for (int round = 0; round < 50; ++round) {
    const auto eth0 = world.add_ethernet("eth0");
    std::optional<net::InterfaceIndex> late;
    Script script(engine);
    script.on_unbind = [&](Binding& binding, Handle context) {
      if (!late) {
        late = world.add_ethernet("late");
      }
      return script.close(binding, context);
    };
    begin(script, round % 2 == 0 ? Generation::k5 : Generation::k6);
    ASSERT_TRUE(script.journal.await("bind eth0"));
    std::thread removing([&] { ASSERT_TRUE(world.remove(eth0)); });
    leave(script);
    removing.join();
    EXPECT_LE(script.journal.count("unbind"),
              1U + script.journal.count("bind late"));  // none where the open came too late
    EXPECT_EQ(script.after_gone, 0);
    if (late) {
      ASSERT_TRUE(world.remove(*late));
    }
  }
}

// clauses: NDIS-077 NDIS-078
TEST_F(Deregistration, FromInsideACallbackIsHandedOver) {
  for (const std::string where : {"bind", "unbind", "receive", "event", "close complete"}) {
    const auto eth0 = world.add_ethernet("eth0");
    Script script(engine);
    const auto leave_here = [&] { EXPECT_TRUE(engine.deregister(script.protocol, script.generation, "test")); };
    std::atomic<bool> once{false};
    const auto maybe = [&](const char* here) {
      if (where == here && !once.exchange(true)) {
        leave_here();
      }
    };
    script.on_bind = [&](Offer& offer) {
      const Status status = script.open(offer);
      maybe("bind");
      return status;
    };
    script.on_unbind = [&](Binding& binding, Handle context) {
      const Status status = script.close(binding, context);
      maybe("unbind");
      return status;
    };
    script.on_receive = [&](Binding&, std::span<const Indicated>) { maybe("receive"); };
    script.on_event = [&](Binding* binding, NetEventNote&) {
      if (binding == nullptr) {
        maybe("event");
      }
      return Status::kSuccess;
    };
    script.on_close_complete = [&](Binding&) { maybe("close complete"); };
    engine.knobs().force_pend = where == "close complete" ? pend::kClose : 0;
    begin(script, Generation::k5);
    ASSERT_TRUE(script.journal.await("bind eth0"));
    if (where == "receive") {
      all_bound(script, 1);
      ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
    } else if (where == "unbind" || where == "close complete") {
      all_bound(script, 1);
      EXPECT_EQ(engine.unbind_adapter(script.binding()), Status::kSuccess);
    }
    for (int i = 0; i < 10000 && engine.counts().protocols != 0; ++i) {
      // allow sleeping-test: time for what must not happen, or a poll
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(engine.counts().protocols, 0U) << where;
    EXPECT_EQ(script.journal.count("unbind"), 1U) << where;
    EXPECT_EQ(violations.empty(), where == "unbind") << where;
    violations.clear();
    ASSERT_TRUE(world.remove(eth0));
  }
}

// clauses: NDIS-079 NDIS-080
TEST_F(Deregistration, TwiceIsOnceAndTheNameIsFree) {
  world.add_ethernet("eth0");
  Script script(engine);
  std::promise<Handle> context;
  script.on_unbind = [&](Binding& binding, Handle unbind) {
    EXPECT_EQ(engine.close(binding.handle), Status::kSuccess);
    context.set_value(unbind);
    return Status::kPending;
  };
  Journal rules;
  engine.verifier().set_callback([&](const Violation& violation) { rules.add(violation.what); });
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::thread first([&] { leave(script); });
  const Handle unbind = context.get_future().get();
  std::thread second([&] {
    EXPECT_TRUE(engine.deregister(script.protocol, Generation::k6, "test"));
    EXPECT_EQ(engine.counts().protocols, 0U);  // it has waited with the first
  });
  EXPECT_TRUE(rules.await("the protocol is being deregistered already"));
  engine.complete_unbind(unbind);
  first.join();
  second.join();
  EXPECT_FALSE(engine.deregister(script.protocol, Generation::k6, "test"));
  EXPECT_EQ(rules.count("the handle names no protocol of this interface"), 1U);
  Script again(engine);
  begin(again);
  leave(again);
}

// clauses: NDIS-055 NDIS-056
TEST_F(Deregistration, ADriverThatForgetsToCloseIsHelped) {
  world.add_ethernet("eth0");
  Script script(engine);
  script.on_unbind = [](Binding&, Handle) { return Status::kSuccess; };
  begin(script, Generation::k5);
  ASSERT_TRUE(script.journal.await("binds complete"));
  leave(script);
  EXPECT_EQ(script.journal.count("close complete"), 0U);
  EXPECT_EQ(violations, (std::vector<std::string>{"returned without closing the binding"}));
}

}  // namespace
}  // namespace turnpike::ndis::testing
