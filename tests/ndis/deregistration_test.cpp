// Deregistration, in each order and with each misuse, while frames come in and links go (sections D.6 and D.15).
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>

#include "base/log_capture.h"
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
              rounds_ += 1;
            }
          }) {}
    void go_on(int rounds) const {
      const int until = rounds_ + rounds;
      while (rounds_ < until) {
        std::this_thread::yield();
      }
    }
    ~Traffic() {
      stop_ = true;
      thread_.join();
    }

   private:
    std::atomic<bool> stop_{false};
    std::atomic<int> rounds_{0};
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
        traffic.go_on(100);
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
    script.journal.add("close pends");
    return status;
  };
  begin(script, Generation::k5);
  all_bound(script, 1);
  ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
  std::atomic<bool> let_go{false};
  std::thread leaving([&] {
    leave(script);
    EXPECT_TRUE(let_go);
  });
  ASSERT_TRUE(script.journal.await("close pends"));
  let_go = true;
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
      script.journal.add("bind pends");
      return Status::kPending;
    };
    begin(script, Generation::k5);
    ASSERT_TRUE(script.journal.await("bind pends"));
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

// From inside every kind of callback, with frames coming in: no deadlock, and the protocol goes; a broken rule, but for
// NDIS 5 while it unbinds.
class FromInside : public Deregistration, public ::testing::WithParamInterface<std::pair<Generation, const char*>> {};

// clauses: NDIS-077 NDIS-078
TEST_P(FromInside, IsHandedOver) {
  const auto [generation, where] = GetParam();
  const std::string here = where;
  const auto eth0 = world.add_ethernet("eth0");
  Script script(engine);
  Journal left;
  std::atomic<bool> armed{true};
  script.on_any = [&](const char* at) {
    if (here == at && armed.exchange(false)) {
      EXPECT_TRUE(engine.deregister(script.protocol, script.generation, "test"));
      left.add("left");
    }
  };
  engine.knobs().force_pend =
      (here == "open complete" ? pend::kOpen : 0) | (here == "close complete" ? pend::kClose : 0);
  script.on_bind = [&](Offer& offer) {
    const Status status = script.open(offer);
    // An open that pends is complete before the bind is, as drivers have it.
    return status == Status::kPending && script.journal.await("open complete") ? Status::kSuccess : status;
  };
  begin(script, generation);
  ASSERT_TRUE(script.journal.await("bind eth0"));
  const Traffic traffic(world, {eth0});
  std::uint32_t value = 0;
  OidRequest request{.oid = kFilterOid, .buffer = &value, .length = 4};
  Element element;
  element.bytes = frame_to(kEverybody);
  if (armed && here != "bind" && here != "binds complete" && here != "open complete" && here != "restart") {
    all_bound(script, 1);
    const Handle binding = script.binding();
    if (here == "request complete") {
      engine.knobs().force_pend = pend::kRequest;
      EXPECT_EQ(engine.request(binding, request, nullptr, nullptr), Status::kPending);
    } else if (here == "send complete") {
      const SendItem item{.element = &element};
      EXPECT_TRUE(engine.send(binding, std::span(&item, 1)));
    } else if (here == "status") {
      ASSERT_TRUE(world.set_carrier(eth0, false));
    } else if (here == "reconfigure") {
      engine.reconfigured();
    } else if (here != "receive") {
      EXPECT_EQ(engine.unbind_adapter(binding), Status::kSuccess);
    }
  }
  ASSERT_TRUE(left.await("left"));
  while (engine.counts().protocols != 0) {  // the rest follows on the control thread
    std::this_thread::yield();
  }
  script.gone = true;
  traffic.go_on(20);
  EXPECT_EQ(script.after_gone, 0);
  EXPECT_EQ(script.journal.count("unbind"), here == "bind" ? 0U : 1U);  // the open came too late
  const bool allowed = generation == Generation::k5 && here == "unbind";
  const std::lock_guard lock(violations_mutex);
  EXPECT_EQ(violations, allowed ? std::vector<std::string>{}
                                : std::vector<std::string>{"called from inside a callback of the protocol"});
}

INSTANTIATE_TEST_SUITE_P(
    Callback, FromInside,
    ::testing::Values(std::pair{Generation::k5, "bind"}, std::pair{Generation::k5, "unbind"},
                      std::pair{Generation::k5, "binds complete"}, std::pair{Generation::k5, "reconfigure"},
                      std::pair{Generation::k5, "open complete"}, std::pair{Generation::k5, "close complete"},
                      std::pair{Generation::k5, "receive"}, std::pair{Generation::k5, "status"},
                      std::pair{Generation::k5, "send complete"}, std::pair{Generation::k5, "request complete"},
                      std::pair{Generation::k6, "bind"}, std::pair{Generation::k6, "unbind"},
                      std::pair{Generation::k6, "binds complete"}, std::pair{Generation::k6, "reconfigure"},
                      std::pair{Generation::k6, "pause"}, std::pair{Generation::k6, "restart"},
                      std::pair{Generation::k6, "open complete"}, std::pair{Generation::k6, "close complete"},
                      std::pair{Generation::k6, "receive"}, std::pair{Generation::k6, "status"},
                      std::pair{Generation::k6, "send complete"}, std::pair{Generation::k6, "request complete"}),
    [](const auto& instance) {
      std::string name = std::string(instance.param.first == Generation::k5 ? "Five_" : "Six_") + instance.param.second;
      std::ranges::replace(name, ' ', '_');
      return name;
    });

// From the last unbind of NDIS 5, before the binding is closed and after, while another binding is still there.
// clauses: NDIS-077
TEST_F(Deregistration, FromAnUnbindTakesTheOthersAlong) {
  for (const bool close_first : {true, false}) {
    for (const std::uint32_t pends : {0U, pend::kClose}) {
      const auto eth0 = world.add_ethernet("eth0"), eth1 = world.add_ethernet("eth1");
      Script script(engine);
      std::atomic<int> unbinds{0};
      script.on_unbind = [&](Binding& binding, Handle context) {
        const bool first = unbinds.fetch_add(1) == 0;
        if (first && !close_first) {
          EXPECT_TRUE(engine.deregister(script.protocol, Generation::k5, "test"));
        }
        const Status status = script.close(binding, context);
        if (first && close_first) {
          EXPECT_TRUE(engine.deregister(script.protocol, Generation::k5, "test"));
        }
        return status;
      };
      engine.knobs().force_pend = pends;
      begin(script, Generation::k5);
      all_bound(script, 2);
      {
        const Traffic traffic(world, {eth0, eth1});
        EXPECT_EQ(engine.unbind_adapter(script.binding()), Status::kSuccess);
        while (engine.counts().protocols != 0) {
          std::this_thread::yield();
        }
        script.gone = true;
        traffic.go_on(20);
      }
      EXPECT_EQ(unbinds, 2);
      EXPECT_EQ(script.after_gone, 0);
      ASSERT_TRUE(world.remove(eth0));
      ASSERT_TRUE(world.remove(eth1));
    }
  }
  EXPECT_TRUE(violations.empty()) << violations.front();
}

// What is outstanding when a deregistration begins ends once each, whatever it is: sends that wait for room, requests
// that are held, frames that the driver keeps.
// clauses: NDIS-049 NDIS-067
TEST_F(Deregistration, DrainsWhatIsOutstandingUnderTraffic) {
  for (const Generation generation : {Generation::k5, Generation::k6}) {
    const auto eth0 = world.add_ethernet("eth0");
    Script script(engine);
    std::atomic<Binding*> keeper{nullptr};
    std::atomic<std::uint32_t> kept{0};
    script.on_receive = [&](Binding& binding, std::span<const Indicated> frames) {
      if (kept < 100) {
        keeper = &binding;
        kept += static_cast<std::uint32_t>(frames.size());
        binding.hold(Held::kRetained, static_cast<std::uint32_t>(frames.size()));
      }
    };
    begin(script, generation);
    all_bound(script, 1);
    const Handle binding = script.binding();
    ASSERT_TRUE(world.make_room(eth0, 0));
    std::vector<Element> elements(50);
    std::vector<SendItem> items;
    for (Element& element : elements) {
      element.bytes = frame_to(kEverybody);
      items.push_back({.element = &element});
    }
    EXPECT_TRUE(engine.send(binding, items));
    engine.knobs().force_pend = pend::kRequest;
    engine.knobs().hold_requests = true;
    std::array<std::uint32_t, 10> values{};
    std::vector<OidRequest> requests(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      requests[i] = {.oid = kFilterOid, .buffer = &values[i], .length = 4};
      EXPECT_EQ(engine.request(binding, requests[i], nullptr, nullptr), Status::kPending);
    }
    {
      const Traffic traffic(world, {eth0});
      while (kept < 100) {
        std::this_thread::yield();
      }
      std::atomic<bool> let_go{false};
      std::thread leaving([&] {
        leave(script);
        EXPECT_TRUE(let_go);
      });
      ASSERT_TRUE(script.journal.await(generation == Generation::k6 ? "pause" : "unbind"));
      // A pause waits for what was sent; the close of NDIS 5 takes it back.
      while (generation == Generation::k5 && elements.back().completions == 0) {
        std::this_thread::yield();
      }
      traffic.go_on(20);
      let_go = true;
      ASSERT_TRUE(world.make_room(eth0, -1));
      for (std::uint32_t left = kept; left > 0; --left) {
        engine.returned(*keeper.load(), 1);
      }
      leaving.join();
      traffic.go_on(20);
    }
    EXPECT_EQ(script.after_gone, 0);
    for (const Element& element : elements) {
      EXPECT_EQ(element.completions, 1);
    }
    const Status sent = generation == Generation::k6 ? Status::kSuccess : Status::kRequestAborted;
    EXPECT_EQ(elements.front().status, sent);
    EXPECT_EQ(script.journal.count("request " + std::to_string(static_cast<std::uint32_t>(Status::kRequestAborted))),
              requests.size());
    EXPECT_EQ(script.journal.count("unbind"), 1U);
    engine.knobs().hold_requests = false;
    engine.knobs().force_pend = 0;
    ASSERT_TRUE(world.remove(eth0));
  }
}

// A binding that is paused and restarted while frames come in is not closed by the last of them: it is there, and
// hears, when it is time to unbind it.
TEST_F(Deregistration, FindsWhatWasPausedUnderTraffic) {
  const auto eth0 = world.add_ethernet("eth0");
  Script script(engine);
  begin(script);
  all_bound(script, 1);
  {
    const Traffic traffic(world, {eth0});
    for (std::uint32_t i = 0; i < 200; ++i) {
      ASSERT_TRUE(world.set_mtu(eth0, 1400 + i));
      ASSERT_TRUE(script.journal.await("restart", i + 2));
    }
    const int received = script.received;
    while (script.received == received) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(engine.counts().bindings, 1U);
  EXPECT_EQ(script.journal.count("close complete"), 0U);
  leave(script);
  EXPECT_EQ(script.journal.count("unbind"), 1U);
}

// A driver that waits inside its own unbind callback, for ever as it seems: the log says for what.
// clauses: NDIS-085
TEST(Watchdog, NamesWhatAnUnbindWaitsFor) {
  MemoryAdapters world;
  EngineOptions options;
  options.watchdog = std::chrono::milliseconds(1);
  Engine engine(world, system_clock(), options);
  ASSERT_TRUE(engine.start());
  const auto eth0 = world.add_ethernet("eth0");
  const LogCapture log(process_log());
  Script script(engine);
  Binding* kept = nullptr;
  script.on_receive = [&](Binding& binding, std::span<const Indicated>) {
    kept = &binding;
    binding.hold(Held::kRetained);
  };
  std::promise<void> closed;
  std::atomic<bool> closing{false};
  script.on_close_complete = [&](Binding&) { closed.set_value(); };
  script.on_unbind = [&](Binding& binding, Handle) {
    EXPECT_EQ(engine.close(binding.handle), Status::kPending);
    closing = true;
    closed.get_future().wait();  // as drivers of NDIS 5 do
    return Status::kSuccess;
  };
  script.generation = Generation::k5;
  Registration registration;
  registration.name = "STUCK";
  registration.generation = Generation::k5;
  registration.driver = std::make_unique<ScriptedDriver>(script);
  ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
  engine.begin(script.protocol);
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::uint32_t filter = packet_type::kBroadcast;
  OidRequest request{.type = OidRequest::Type::kSet, .oid = 0x0001010E, .buffer = &filter, .length = 4};
  ASSERT_EQ(engine.request(script.binding(), request, nullptr, nullptr), Status::kSuccess);
  ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
  std::thread leaving([&] { EXPECT_TRUE(engine.deregister(script.protocol, Generation::k5, "test")); });
  const auto named = [&] {
    const std::vector<std::string> lines = log.lines();
    return std::ranges::any_of(lines, [](const std::string& line) {
      return line.find("1 retained frames on eth0, unbind of eth0") != std::string::npos;
    });
  };
  while (!closing || !named()) {
    std::this_thread::yield();
  }
  engine.returned(*kept, 1);
  leaving.join();
}

// Everything at once: two protocols come and go, links come, change and go, policies change, frames arrive and leave.
// clauses: NDIS-070 NDIS-076
TEST_F(Deregistration, SurvivesAStorm) {
  const auto eth0 = world.add_ethernet("eth0");
  std::atomic<bool> stop{false};
  std::thread links([&] {
    for (unsigned i = 0; !stop; ++i) {
      const auto flapping = world.add_ethernet("flap" + std::to_string(i % 3));
      (void)world.set_carrier(eth0, i % 2 == 0);
      (void)world.set_mtu(eth0, 1500 + i % 2);
      (void)world.inject(flapping, frame_to(kEverybody));
      engine.reconfigured();
      (void)world.remove(flapping);
    }
  });
  {
    const Traffic traffic(world, {eth0});
    for (int round = 0; round < 20; ++round) {
      std::array<std::unique_ptr<Script>, 2> scripts;
      for (std::size_t i = 0; i < scripts.size(); ++i) {
        scripts[i] = std::make_unique<Script>(engine);
        begin(*scripts[i], i == 0 ? Generation::k5 : Generation::k6, "STORM" + std::to_string(i));
      }
      std::array<Element, 8> elements;
      std::vector<SendItem> items;
      for (Element& element : elements) {
        element.bytes = frame_to(kEverybody);
        items.push_back({.element = &element, .flags = send_flag::kLoopToSelf});
      }
      for (const auto& script : scripts) {
        ASSERT_TRUE(script->journal.await("binds complete"));
        (void)set(script->binding(), kFilterOid, packet_type::kBroadcast | packet_type::kPromiscuous);
      }
      const bool sent = engine.send(scripts[round % 2]->binding(), items);
      std::thread other([&] { leave(*scripts[0]); });
      leave(*scripts[1]);
      other.join();
      traffic.go_on(5);
      for (const Element& element : elements) {
        EXPECT_EQ(element.completions, sent ? 1 : 0);
      }
      for (const auto& script : scripts) {
        EXPECT_EQ(script->after_gone, 0);
        EXPECT_EQ(script->most_inside, 1);
      }
    }
    stop = true;
    links.join();
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
