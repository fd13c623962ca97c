// A protocol leaves while everything is in flight: each order in which it can meet what others do at the same time, by
// drivers of both generations, with frames arriving on both of its adapters. Whatever wins: nobody waits for ever, each
// element comes back once, each binding is unbound at most once, nothing is heard afterwards, and nothing is left.
// (What one thread can do in one order is in deregistration_test.cpp, with the misuse.)
#include <algorithm>
#include <atomic>
#include <functional>

#include "scripted_driver.h"
#include "swallow.h"

namespace turnpike::ndis::testing {
namespace {

const net::MacAddress kEverybody = net::MacAddress::broadcast();

// What a driver has pended, to be completed by somebody.
class Promises {
 public:
  void bind(Handle context) {
    add([context](Engine& engine) { engine.complete_bind(context, Status::kSuccess); });
  }
  void unbind(Handle context) {
    add([context](Engine& engine) { engine.complete_unbind(context); });
  }
  void event(Binding* binding, const void* shown) {
    const Handle handle = binding != nullptr ? binding->handle : Handle::kNone;
    add([handle, shown](Engine& engine) { engine.complete_event(handle, shown, Status::kSuccess); });
  }
  // Of frames that are retained.
  void frames(Binding& binding, std::size_t n) {
    binding.hold(Held::kRetained, static_cast<std::uint32_t>(n));
    add([&binding, n](Engine& engine) { engine.returned(binding, static_cast<std::uint32_t>(n)); });
  }
  void keep_all(Engine& engine) {
    std::vector<std::function<void(Engine&)>> due;
    {
      const std::lock_guard lock(mutex_);
      due.swap(due_);
    }
    for (const auto& each : due) {
      each(engine);
    }
  }

 private:
  void add(std::function<void(Engine&)> promise) {
    const std::lock_guard lock(mutex_);
    due_.push_back(std::move(promise));
  }
  std::mutex mutex_;
  std::vector<std::function<void(Engine&)>> due_;
};

struct Stage {
  Engine& engine;
  MemoryAdapters& world;
  Script& script;
  net::InterfaceIndex eth0, eth1;
  Promises promises{};
  std::atomic<bool> left{false};
  std::vector<Element> elements = std::vector<Element>(16);
  int round = 0;
  Handle binding() { return script.binding(); }
  bool is_five() const { return script.generation == Generation::k5; }
  void send() {
    std::vector<SendItem> items;
    for (Element& element : elements) {
      element.bytes = frame_to(kEverybody);
      items.push_back({.element = &element, .cancel_id = &elements, .flags = send_flag::kLoopToSelf});
    }
    sends += engine.send(binding(), items) ? 1 : 0;
  }
  int sends = 0;
};

struct Order {
  const char* name;
  std::function<void(Stage&)> prepare;    // before the driver registers
  std::function<void(Stage&)> before;     // bound, frames arrive; then the protocol leaves
  std::function<void(Stage&)> meanwhile;  // on another thread; again and again until it has left, if `often`
  bool often = false;
  bool violates = false;
};

const std::vector<Order>& orders() {
  static const auto pend_everything = [](Stage& stage) {
    stage.script.on_event = [&stage](Binding* binding, NetEventNote& note) {
      stage.promises.event(binding, &note);
      return Status::kPending;
    };
    stage.script.on_bind = [&stage](Offer& offer) {
      EXPECT_EQ(stage.script.open(offer), Status::kSuccess);
      stage.promises.bind(offer.context);
      return Status::kPending;
    };
    stage.script.on_unbind = [&stage](Binding& binding, Handle context) {
      if (stage.script.close(binding, context) != Status::kPending) {  // else its completion ends the unbind, too
        stage.promises.unbind(context);
      }
      return Status::kPending;
    };
  };
  static const std::vector<Order> kOrders{
      {"everything pends", pend_everything, nullptr, [](Stage& stage) { stage.promises.keep_all(stage.engine); }, true},
      {"a reset", nullptr,
       [](Stage& stage) {
         stage.send();
         if (stage.is_five()) {
           EXPECT_EQ(stage.engine.reset(stage.binding()), Status::kPending);
         }
       },
       [](Stage& stage) {
         if (stage.is_five()) {
           (void)stage.engine.reset(stage.binding());
         }
       },
       false, true},
      {"sends that wait, and are cancelled", nullptr,
       [](Stage& stage) {
         EXPECT_TRUE(stage.world.make_room(stage.eth0, 0));
         EXPECT_TRUE(stage.world.make_room(stage.eth1, 0));
         stage.send();
       },
       [](Stage& stage) {
         stage.engine.cancel_sends(stage.binding(), &stage.elements);
         EXPECT_TRUE(stage.world.make_room(stage.eth0, -1));
         EXPECT_TRUE(stage.world.make_room(stage.eth1, -1));
       },
       false, true},
      {"frames that are kept",
       [](Stage& stage) {
         stage.script.on_receive = [&stage](Binding& binding, std::span<const Indicated> frames) {
           stage.promises.frames(binding, frames.size());
         };
       },
       nullptr, [](Stage& stage) { stage.promises.keep_all(stage.engine); }, true},
      {"requests that are held", nullptr,
       [](Stage& stage) {
         stage.engine.knobs().force_pend = pend::kRequest;
         stage.engine.knobs().hold_requests = true;
         static std::uint32_t value = 0;
         static std::array<OidRequest, 8> requests;
         for (OidRequest& request : requests) {
           request = {.oid = 0x00010106, .buffer = &value, .length = 4, .timeout = std::chrono::milliseconds(1)};
           EXPECT_EQ(stage.engine.request(stage.binding(), request, nullptr, &value), Status::kPending);
         }
       },
       [](Stage& stage) {
         stage.engine.let_requests_go();
         stage.engine.cancel_requests(stage.binding(), nullptr);
         stage.engine.knobs().force_pend = 0;
         stage.engine.knobs().hold_requests = false;
       },
       false, true},
      {"an adapter that goes", nullptr, nullptr, [](Stage& stage) { EXPECT_TRUE(stage.world.remove(stage.eth1)); }},
      {"an adapter that breaks", nullptr, nullptr,
       [](Stage& stage) { EXPECT_TRUE(stage.world.break_down(stage.eth1)); }},
      {"adapters that come", nullptr, nullptr,
       [](Stage& stage) {
         const auto late = stage.world.add_ethernet("late");
         (void)stage.world.inject(late, frame_to(kEverybody));
         EXPECT_TRUE(stage.world.remove(late));
       },
       true},
      {"an MTU and an address that change", nullptr, nullptr,
       [](Stage& stage) {
         EXPECT_TRUE(stage.world.set_mtu(stage.eth0, 1400 + static_cast<std::uint32_t>(stage.round++ % 2)));
         EXPECT_TRUE(stage.world.set_mac(stage.eth1, net::MacAddress({2, 0, 0, 0, 7, std::uint8_t(stage.round)})));
       },
       true},
      {"a link that flaps", nullptr, nullptr,
       [](Stage& stage) { EXPECT_TRUE(stage.world.set_carrier(stage.eth0, stage.round++ % 2 == 0)); }, true},
      {"a monitor that lists anew", nullptr, nullptr,
       [](Stage& stage) {
         stage.world.lose_events();
         stage.world.resume();
       },
       true},
      {"policies and reconfiguration", nullptr, nullptr,
       [](Stage& stage) {
         BindPolicy policy;
         policy.mode = stage.round++ % 2 == 0 ? BindPolicy::Mode::kNone : BindPolicy::Mode::kAllEthernet;
         stage.engine.set_policy("ORDER", policy);
         stage.engine.reconfigured();
       },
       true},
      {"a re-enumeration", nullptr, nullptr,
       [](Stage& stage) { (void)stage.engine.reenumerate(stage.script.protocol); }, true, true},
      {"a host that releases an adapter", nullptr, nullptr,
       [](Stage& stage) { (void)stage.engine.request_release(stage.eth0); }},
      {"a host that unloads the driver", nullptr, nullptr,
       [](Stage& stage) { (void)stage.engine.retire(stage.script.protocol); }},
      {"unbinds that are asked for", nullptr, nullptr,
       [](Stage& stage) { (void)stage.engine.unbind_adapter(stage.binding()); }, false, true},
      {"unbinds that are asked for by those who receive",
       [](Stage& stage) {
         stage.script.on_receive = [&stage](Binding& binding, std::span<const Indicated>) {
           EXPECT_EQ(stage.engine.unbind_adapter(binding.handle), Status::kSuccess);
         };
       },
       nullptr, [](Stage&) {}, false, true},
      {"closes of the driver's own", nullptr, nullptr, [](Stage& stage) { (void)stage.engine.close(stage.binding()); },
       false, true},
      {"opens anywhere", [](Stage& stage) { stage.engine.allow_open_anywhere("ORDER", true); }, nullptr,
       [](Stage& stage) {
         Offer offer;
         offer.adapter_name = "\\Device\\eth0";
         Handle opened{};
         const Status status = stage.script.open(offer, &opened);
         EXPECT_TRUE(status == Status::kSuccess || status == Status::kClosing || status == Status::kFailure)
             << static_cast<std::uint32_t>(status);
       },
       true, true},
      {"sends without end", nullptr, nullptr,
       [](Stage& stage) {
         stage.send();
         for (const Element& element : stage.elements) {
           while (element.completions != stage.sends) {
             std::this_thread::yield();
           }
         }
       },
       true, true},
      {"filters and lists", nullptr, nullptr,
       [](Stage& stage) {
         std::uint32_t filter = stage.round++ % 2 == 0 ? packet_type::kPromiscuous : packet_type::kBroadcast;
         OidRequest request{.type = OidRequest::Type::kSet, .oid = 0x0001010E, .buffer = &filter, .length = 4};
         (void)stage.engine.request(stage.binding(), request, nullptr, nullptr);
       },
       true, true},
      {"its own name, registered anew", nullptr, nullptr,
       [](Stage& stage) {
         Script other(stage.engine);
         Registration registration;
         registration.name = "ORDER";
         registration.driver = std::make_unique<ScriptedDriver>(other);
         if (stage.engine.register_protocol(std::move(registration), other.protocol) == Status::kSuccess) {
           stage.engine.begin(other.protocol);
           EXPECT_TRUE(stage.engine.deregister(other.protocol, Generation::k6, "test"));
         }
       },
       true},
  };
  return kOrders;
}

class Orders : public EngineTest, public ::testing::WithParamInterface<std::tuple<Generation, std::size_t>> {};

TEST_P(Orders, EndWell) {
  const auto& [generation, which] = GetParam();
  const Order& order = orders()[which];
  for (int round = 0; round < 8; ++round) {
    const auto eth0 = world.add_ethernet("eth0"), eth1 = world.add_ethernet("eth1");
    Script script(engine);
    Stage stage{.engine = engine, .world = world, .script = script, .eth0 = eth0, .eth1 = eth1};
    if (order.prepare) {
      order.prepare(stage);
    }
    std::atomic<bool> over{false};
    std::thread traffic([&] {
      const FrameBytes frame = frame_to(kEverybody);
      while (!over) {
        for (const auto adapter : {eth0, eth1}) {
          (void)world.inject(adapter, frame);
        }
      }
    });
    begin(script, generation, "ORDER");
    while (script.binding(1) == Handle::kNone) {  // somebody has to keep what the driver promises
      stage.promises.keep_all(engine);
      std::this_thread::yield();
    }
    for (const std::size_t i : {0U, 1U}) {  // refused where it is unbound already
      (void)set(script.binding(i), kFilterOid, packet_type::kBroadcast);
    }
    if (order.before) {
      order.before(stage);
    }
    std::thread other([&] {
      do {
        order.meanwhile(stage);
      } while (order.often && !stage.left);
    });
    leave(script);
    stage.left = true;
    other.join();
    over = true;
    traffic.join();
    engine.quiesce();
    EXPECT_EQ(script.after_gone, 0);
    EXPECT_EQ(script.most_inside, 1);
    EXPECT_LE(script.journal.count("unbind"), script.opens);
    for (const Element& element : stage.elements) {
      EXPECT_EQ(element.completions, stage.sends);
    }
    EXPECT_EQ(engine.counts().protocols + engine.counts().bindings + engine.counts().open_adapters, 0U);
    engine.set_policy("ORDER", {});
    engine.allow_open_anywhere("ORDER", false);
    (void)world.remove(eth0);
    (void)world.remove(eth1);
  }
  const std::lock_guard lock(violations_mutex);
  EXPECT_TRUE(order.violates || violations.empty()) << violations.front();
}

std::string order_name(const ::testing::TestParamInfo<Orders::ParamType>& info) {
  const auto& [generation, which] = info.param;
  std::string name = std::string(generation == Generation::k5 ? "Five_" : "Six_") + orders()[which].name;
  std::ranges::replace_if(name, [](char c) { return c == ' ' || c == '\'' || c == ',' || c == '-'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Meeting, Orders,
                         ::testing::Combine(::testing::Values(Generation::k5, Generation::k6),
                                            ::testing::Range(std::size_t{0}, orders().size())),
                         order_name);

class OrdersAlone : public EngineTest {};

// What has been registered, but not begun, leaves without a callback.
TEST_F(OrdersAlone, BeforeItHasBegun) {
  world.add_ethernet("eth0");
  Script script(engine);
  script.generation = Generation::k6;
  Registration registration;
  registration.name = "ORDER";
  registration.driver = std::make_unique<ScriptedDriver>(script);
  ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
  leave(script);
  engine.begin(script.protocol);
  engine.quiesce();
  EXPECT_TRUE(script.journal.take().empty());
}

// Requests that are held when an adapter goes, or breaks, which often is the first sign of it, end with that, once
// each, though a driver that hears of it closes at once.
TEST_F(OrdersAlone, RequestsOfAnAdapterThatGoesSaySo) {
  engine.knobs().force_pend = pend::kRequest;
  engine.knobs().hold_requests = true;
  const std::string removed = "request " + std::to_string(static_cast<std::uint32_t>(Status::kAdapterRemoved));
  for (int round = 0; round < 50; ++round) {
    const auto eth0 = world.add_ethernet("eth0");
    Script script(engine);
    begin(script, Generation::k5);
    ASSERT_TRUE(script.journal.await("binds complete"));
    std::array<std::uint32_t, 8> values{};
    std::array<OidRequest, 8> requests;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i] = {.oid = kFilterOid, .buffer = &values[i], .length = 4};
      ASSERT_EQ(engine.request(script.binding(), requests[i], nullptr, nullptr), Status::kPending);
    }
    ASSERT_TRUE(round % 2 == 0 ? world.remove(eth0) : world.break_down(eth0));
    engine.quiesce();
    EXPECT_EQ(script.journal.count(removed), requests.size());
    EXPECT_EQ(script.journal.count("unbind"), 1U);
    EXPECT_EQ(engine.counts().requests, 0U);
    leave(script);
    (void)world.remove(eth0);
  }
  EXPECT_TRUE(violations.empty()) << violations.front();
}

// A send that comes while the close is being finished, when nobody waits for it any more: refused, as one after the end
// is; nothing comes back to a binding that has gone.
TEST(LastMoment, ASendThatMeetsTheEndOfItsBindingIsRefused) {
  for (const Generation generation : {Generation::k5, Generation::k6}) {
    Swallow world;
    Engine engine(world, system_clock());
    ASSERT_TRUE(engine.start());
    Script script(engine);
    script.generation = generation;
    Registration registration;
    registration.name = "LAST";
    registration.generation = generation;
    registration.driver = std::make_unique<ScriptedDriver>(script);
    ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
    engine.begin(script.protocol);
    ASSERT_TRUE(script.journal.await("binds complete"));
    Element element;
    element.bytes = frame_to(kEverybody);
    const SendItem item{.element = &element};
    int tried = 0;
    world.on_close = [&, binding = script.binding()] {
      ++tried;
      EXPECT_FALSE(engine.send(binding, std::span(&item, 1)));
      EXPECT_EQ(engine.send_one(binding, item), Status::kAdapterNotOpen);
    };
    EXPECT_TRUE(engine.deregister(script.protocol, generation, "test"));
    EXPECT_EQ(tried, 1);
    EXPECT_EQ(element.completions, 0);
    EXPECT_EQ(engine.verifier().count(), 2U);
  }
}

// One protocol's callback may take another protocol away: that is nobody's own callback.
TEST_F(OrdersAlone, FromInsideAnotherProtocol) {
  for (const char* const where : {"unbind", "receive", "send complete", "status"}) {
    const auto eth0 = world.add_ethernet("eth0");
    Script one(engine), other(engine);
    std::atomic<bool> armed{true};
    one.on_any = [&](const char* at) {
      if (std::string_view(at) == where && armed.exchange(false)) {
        leave(other);
        one.journal.add("taken away");
      }
    };
    begin(one, Generation::k5, "ONE");
    begin(other, Generation::k6, "OTHER");
    for (Script* const script : {&one, &other}) {
      ASSERT_TRUE(script->journal.await("binds complete"));
      engine.quiesce();
      ASSERT_EQ(set(script->binding(), kFilterOid, packet_type::kBroadcast), Status::kSuccess);
    }
    Element element;
    element.bytes = frame_to(kEverybody);
    const SendItem item{.element = &element};
    ASSERT_TRUE(engine.send(one.binding(), std::span(&item, 1)));
    ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
    ASSERT_TRUE(world.set_carrier(eth0, false));
    if (std::string_view(where) != "unbind") {
      ASSERT_TRUE(one.journal.await("taken away"));
    }
    leave(one);
    EXPECT_FALSE(armed);
    EXPECT_EQ(other.journal.count("unbind"), 1U);
    EXPECT_EQ(other.after_gone, 0);
    ASSERT_TRUE(world.remove(eth0));
  }
  EXPECT_TRUE(violations.empty()) << violations.front();
}

}  // namespace
}  // namespace turnpike::ndis::testing
