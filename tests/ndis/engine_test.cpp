// The engine by itself: the order in which a driver hears of things, data both ways, requests. What the clauses of the
// contract say in the words of the interface is tested through it, in tests/conformance/ndis.
#include "scripted_driver.h"

namespace turnpike::ndis::testing {
namespace {

using Lines = std::vector<std::string>;
const net::MacAddress kEverybody = net::MacAddress::broadcast();

BindPolicy nothing() {
  BindPolicy policy;
  policy.mode = BindPolicy::Mode::kNone;
  return policy;
}

TEST_F(EngineTest, OffersWhatIsThereAndThenSaysSo) {
  world.add_ethernet("eth0");
  world.add_ethernet("eth1");
  Script script(engine);
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"bind eth0", "restart", "bind eth1", "restart", "binds complete"}));
  leave(script);
  EXPECT_EQ(script.journal.take(), (Lines{"pause", "unbind", "pause", "unbind"}));
  EXPECT_EQ(script.most_inside, 1);
}

TEST_F(EngineTest, FollowsAnAdapterThatComesChangesAndGoes) {
  Script script(engine);
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  const auto eth0 = world.add_ethernet("eth0");
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"binds complete", "bind eth0", "restart"}));
  ASSERT_TRUE(world.set_carrier(eth0, false));
  ASSERT_TRUE(world.set_carrier(eth0, false));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"disconnected"}));
  ASSERT_TRUE(world.set_mtu(eth0, 9000));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"pause", "restart"}));
  ASSERT_TRUE(world.remove(eth0));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"pause", "unbind"}));
  leave(script);
}

TEST_F(EngineTest, RecoversWhatItWasNotTold) {
  const auto eth0 = world.add_ethernet("eth0");
  const auto eth1 = world.add_ethernet("eth1");
  Script script(engine);
  begin(script, Generation::k5);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  script.journal.take();
  world.lose_events();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(world.set_carrier(eth0, i % 2 == 0));
  }
  ASSERT_TRUE(world.remove(eth1));
  world.add_ethernet("eth1");
  world.resume();
  engine.quiesce();
  Lines heard = script.journal.take();
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (Lines{"bind eth1", "disconnected", "unbind"}));
  leave(script);
}

// clauses: NDIS-040
TEST_F(EngineTest, AnswersNoRequestWhileAnOpenIsPending) {
  // A driver cannot ask in this gap: it gets its handle when the open is complete.
  world.add_ethernet("eth0");
  engine.knobs().force_pend = pend::kOpen;
  Script script(engine);
  Status while_opening = Status::kPending;
  Handle context{};
  script.on_bind = [&](Offer& offer) {
    context = offer.context;
    return script.open(offer);
  };
  script.on_opening = [&](Binding& binding) {
    std::uint32_t value = 0;
    OidRequest request;
    request.oid = kFilterOid;
    request.buffer = &value;
    request.length = 4;
    while_opening = engine.request(binding.handle, request, nullptr, nullptr);
  };
  begin(script, Generation::k5);
  ASSERT_TRUE(script.journal.await("open complete"));
  EXPECT_EQ(while_opening, Status::kAdapterNotReady);
  EXPECT_EQ(query(script.binding(), kFilterOid), 0U);
  engine.complete_bind(context, Status::kSuccess);
  leave(script);
}

TEST_F(EngineTest, DeliversByFilterAndToNobodyElse) {
  const auto eth0 = world.add_ethernet("eth0");
  Script one(engine), other(engine);
  begin(one, Generation::k6, "ONE");
  begin(other, Generation::k5, "OTHER");
  ASSERT_TRUE(one.journal.await("binds complete"));
  ASSERT_TRUE(other.journal.await("binds complete"));
  engine.quiesce();
  const FrameBytes broadcast = frame_to(kEverybody);
  const FrameBytes foreign = frame_to(net::MacAddress({2, 9, 9, 9, 9, 9}));
  ASSERT_TRUE(world.inject(eth0, broadcast));
  EXPECT_EQ(one.received + other.received, 0);
  EXPECT_EQ(set(one.binding(), kFilterOid, packet_type::kBroadcast), Status::kSuccess);
  EXPECT_EQ(set(other.binding(), kFilterOid, packet_type::kPromiscuous), Status::kSuccess);
  EXPECT_EQ(query(one.binding(), kFilterOid), packet_type::kBroadcast | packet_type::kPromiscuous);
  ASSERT_TRUE(world.inject(eth0, broadcast));
  ASSERT_TRUE(world.inject(eth0, foreign));
  EXPECT_EQ(one.received, 1);
  EXPECT_EQ(other.received, 2);
  EXPECT_EQ(set(one.binding(), kFilterOid, 0x40), Status::kNotSupported);
  leave(other);
  EXPECT_EQ(world.asked(eth0).filter, packet_type::kBroadcast);
  ASSERT_TRUE(world.inject(eth0, broadcast));
  EXPECT_EQ(one.received, 2);
  leave(one);
  EXPECT_FALSE(world.asked(eth0).open);
}

TEST_F(EngineTest, SendsInOrderAndGivesEachElementBackOnce) {
  const auto eth0 = world.add_ethernet("eth0");
  Script script(engine);
  begin(script, Generation::k5);
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::vector<Element> elements(10);
  std::vector<SendItem> items;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    elements[i].bytes = frame_to(kEverybody, 14 + i);
    items.push_back({.element = &elements[i], .cancel_id = &elements[i % 2]});
  }
  ASSERT_TRUE(world.make_room(eth0, 3));
  EXPECT_EQ(engine.send_one(script.binding(), items[0]), Status::kSuccess);
  EXPECT_TRUE(engine.send(script.binding(), std::span(items).subspan(1)));
  engine.quiesce();
  EXPECT_EQ(elements[0].completions, 0);
  EXPECT_EQ(elements[2].completions, 1);
  EXPECT_EQ(elements[3].completions, 0);
  engine.cancel_sends(script.binding(), &elements[1]);
  engine.quiesce();
  EXPECT_EQ(elements[3].status, Status::kRequestAborted);
  EXPECT_EQ(elements[4].completions, 0);
  ASSERT_TRUE(world.make_room(eth0, -1));
  engine.quiesce();
  const std::vector<SentFrame> sent = world.take_sent(eth0);
  ASSERT_EQ(sent.size(), 6U);
  EXPECT_EQ(sent[0].bytes.size(), 60U);
  for (std::size_t i = 1; i < elements.size(); ++i) {
    EXPECT_EQ(elements[i].completions, 1) << i;
  }
  ASSERT_TRUE(world.set_carrier(eth0, false));
  EXPECT_EQ(engine.send_one(script.binding(), items[0]), Status::kNoCable);
  leave(script);
}

TEST_F(EngineTest, LoopsBackWhatIsToBeSeenHere) {
  const auto eth0 = world.add_ethernet("eth0");
  Script sender(engine), capture(engine), plain(engine);
  begin(sender, Generation::k5, "SENDER");
  begin(capture, Generation::k6, "CAPTURE");
  begin(plain, Generation::k6, "PLAIN");
  for (Script* script : {&sender, &capture, &plain}) {
    ASSERT_TRUE(script->journal.await("binds complete"));
  }
  engine.quiesce();
  EXPECT_EQ(set(sender.binding(), kFilterOid, packet_type::kBroadcast), Status::kSuccess);
  EXPECT_EQ(set(plain.binding(), kFilterOid, packet_type::kDirected), Status::kSuccess);
  Element element;
  element.bytes = frame_to(kEverybody);
  EXPECT_EQ(engine.send_one(sender.binding(), {.element = &element, .flags = send_flag::kLoopToSelf}),
            Status::kSuccess);
  EXPECT_EQ(engine.send_one(sender.binding(), {.element = &element}), Status::kSuccess);
  engine.quiesce();
  EXPECT_EQ(sender.received, 1);
  EXPECT_EQ(capture.received + plain.received, 0);
  EXPECT_EQ(set(capture.binding(), kFilterOid, packet_type::kPromiscuous), Status::kSuccess);
  EXPECT_TRUE(world.asked(eth0).local_sends);
  EXPECT_EQ(engine.send_one(sender.binding(), {.element = &element}), Status::kSuccess);
  engine.quiesce();
  EXPECT_EQ(capture.received, 1);
  EXPECT_EQ(plain.received, 0);
  for (Script* script : {&sender, &capture, &plain}) {
    leave(*script);
  }
}

TEST_F(EngineTest, AnswersEveryListedIdentifier) {
  world.add_ethernet("eth0");
  Script script(engine);
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::array<std::uint32_t, 256> list{};
  OidRequest request{.oid = 0x00010101, .buffer = list.data(), .length = sizeof(list)};
  ASSERT_EQ(engine.request(script.binding(), request, nullptr, nullptr), Status::kSuccess);
  const std::size_t n = request.done / 4;
  ASSERT_GT(n, 50U);
  for (std::size_t i = 0; i < n; ++i) {
    std::array<std::byte, 2048> buffer;
    buffer.fill(std::byte{0xA5});
    OidRequest one{.oid = list[i], .buffer = buffer.data(), .length = sizeof(buffer)};
    const Status status = engine.request(script.binding(), one, nullptr, nullptr);
    if (status != Status::kSuccess) {
      EXPECT_EQ(status, Status::kNotSupported) << std::hex << list[i];  // one that is only set
      continue;
    }
    if (one.done > 0 && one.done != 4 && one.done != 8) {
      OidRequest less{.oid = list[i], .buffer = buffer.data(), .length = one.done - 1};
      buffer.fill(std::byte{0xA5});
      EXPECT_EQ(engine.request(script.binding(), less, nullptr, nullptr), Status::kBufferTooShort)
          << std::hex << list[i];
      EXPECT_EQ(less.needed, one.done);
      EXPECT_EQ(buffer[0], std::byte{0xA5});
    }
  }
  leave(script);
}

TEST_F(EngineTest, ResetsWithEverybodyKnowing) {
  const auto eth0 = world.add_ethernet("eth0");
  Script one(engine), other(engine);
  begin(one, Generation::k5, "ONE");
  begin(other, Generation::k6, "OTHER");
  ASSERT_TRUE(one.journal.await("binds complete"));
  ASSERT_TRUE(other.journal.await("binds complete"));
  engine.quiesce();
  one.journal.take();
  other.journal.take();
  ASSERT_TRUE(world.make_room(eth0, 0));
  Element element;
  element.bytes = frame_to(kEverybody);
  EXPECT_EQ(engine.send_one(one.binding(), {.element = &element}), Status::kPending);
  EXPECT_EQ(engine.reset(one.binding()), Status::kPending);
  engine.quiesce();
  EXPECT_EQ(element.status, Status::kResetInProgress);
  EXPECT_EQ(one.journal.take(), (Lines{"reset start", "reset end", "reset complete"}));
  EXPECT_EQ(other.journal.take(), (Lines{"reset start", "reset end"}));
  leave(one);
  leave(other);
}

TEST_F(EngineTest, ReleasesAnAdapterUnlessADriverRefuses) {
  const auto eth0 = world.add_ethernet("eth0");
  Script script(engine);
  bool refuse = true;
  script.on_event = [&](Binding*, NetEventNote& note) {
    return note.event == NetEvent::kQueryRemove && refuse ? Status::kFailure : Status::kSuccess;
  };
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  script.journal.take();
  EXPECT_FALSE(engine.request_release(eth0));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"query remove", "cancel remove"}));
  refuse = false;
  EXPECT_TRUE(engine.request_release(eth0));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"query remove", "pause", "unbind"}));
  EXPECT_TRUE(engine.reenumerate(script.protocol));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{"bind eth0", "restart"}));
  leave(script);
}

// What a policy has begun to unbind goes to the end, and is then bound again where the policy wants it again meanwhile.
TEST_F(EngineTest, BindsAgainWhatThePolicyWantsAgain) {
  world.add_ethernet("eth0");
  Script script(engine);
  std::atomic<int> unbinds{0};
  std::atomic<Handle> pended{Handle::kNone};
  script.on_unbind = [&](Binding& binding, Handle context) {
    EXPECT_EQ(script.close(binding, context), Status::kSuccess);
    if (unbinds.fetch_add(1) == 0) {
      pended = context;
      return Status::kPending;
    }
    return Status::kSuccess;
  };
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  engine.set_policy("TEST", nothing());
  ASSERT_TRUE(script.journal.await("unbind"));
  engine.set_policy("TEST", {});
  engine.quiesce();
  EXPECT_EQ(script.journal.count("bind eth0"), 1U);
  engine.complete_unbind(pended);
  EXPECT_TRUE(script.journal.await("bind eth0", 2));
  engine.set_policy("TEST", nothing());
  engine.quiesce();
  EXPECT_EQ(script.journal.count("unbind"), 2U);
  EXPECT_EQ(script.journal.count("bind eth0"), 2U);
  leave(script);
}

// A policy that changes its mind while a binding is drained: it is restarted, not unbound.
TEST_F(EngineTest, KeepsWhatThePolicyWantsAgainInTime) {
  world.add_ethernet("eth0");
  Script script(engine);
  std::atomic<const void*> shown{nullptr};
  script.on_event = [&](Binding*, NetEventNote& note) {
    if (note.event != NetEvent::kPause || shown.load() != nullptr) {
      return Status::kSuccess;
    }
    shown = &note;
    script.journal.add("pause pends");
    return Status::kPending;
  };
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  engine.set_policy("TEST", nothing());
  ASSERT_TRUE(script.journal.await("pause pends"));
  engine.set_policy("TEST", {});
  engine.complete_event(script.binding(), shown, Status::kSuccess);
  EXPECT_TRUE(script.journal.await("restart", 2));
  EXPECT_EQ(script.journal.count("unbind"), 0U);
  leave(script);
}

// A pause waits for frames, not for requests, which a paused binding may make; what the close then finds it aborts.
TEST_F(EngineTest, PausesWithARequestAndAbortsItWhenItCloses) {
  world.add_ethernet("eth0");
  Script script(engine);
  begin(script);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  engine.knobs().force_pend = pend::kRequest | pend::kClose;  // the close pends even if the request has ended by then
  engine.knobs().hold_requests = true;
  std::uint32_t value = 0;
  OidRequest request{.oid = kFilterOid, .buffer = &value, .length = 4};
  EXPECT_EQ(engine.request(script.binding(), request, nullptr, nullptr), Status::kPending);
  leave(script);
  engine.let_requests_go();  // too late: it has been completed
  engine.quiesce();
  EXPECT_EQ(script.journal.count("request " + std::to_string(static_cast<std::uint32_t>(Status::kRequestAborted))), 1U);
  EXPECT_EQ(script.journal.count("close complete"), 1U);
  EXPECT_EQ(violations, (Lines{"sends, requests or received frames are outstanding"}));
}

// Nobody can ask in the gap through the interface, where the handle is given when the open is complete; the engine has
// the gap all the same.
// clauses: NDIS-040 NDIS-041
TEST_F(EngineTest, RefusesRequestsWhileTheOpenPends) {
  class Curious final : public Driver {
   public:
    explicit Curious(Engine& engine) : engine_(engine) {}
    std::unique_ptr<Part> make_part(Binding& binding) override {
      std::uint32_t value = 0;
      OidRequest request{.oid = kFilterOid, .buffer = &value, .length = 4};
      asked = engine_.request(binding.handle, request, nullptr, nullptr);
      return std::make_unique<Part>();
    }
    Status bind(Offer& offer) override {
      static constexpr std::array<std::uint32_t, 1> kMedia{0};
      OpenRequest request;
      request.protocol = protocol;
      request.adapter_name = offer.adapter_name;
      request.media = kMedia;
      request.store = [](Handle, std::uint32_t) {};
      int code = 0;
      const Status status = engine_.open(request, code);
      opened.add("opened");
      return status;
    }
    Status unbind(Binding& binding, Handle) override { return engine_.close(binding.handle); }
    Status net_event(Binding*, NetEventNote&) override { return Status::kSuccess; }
    void open_complete(Binding&, Status, int) override {}
    void close_complete(Binding&) override {}
    void request_complete(Binding&, void*, Status) override {}
    void reset_complete(Binding&, Status) override {}
    void status(Binding&, const StatusNote&) override {}
    void send_complete(Binding&, std::span<const Completed>) override {}
    void describe(Binding&, void*, FrameList&) override {}
    void receive(Binding&, std::span<const Indicated>) override {}

    Handle protocol{};
    std::atomic<Status> asked{Status::kPending};
    Journal opened;

   private:
    Engine& engine_;
  };
  world.add_ethernet("eth0");
  auto curious = std::make_unique<Curious>(engine);
  Curious& driver = *curious;
  Registration registration;
  registration.name = "CURIOUS";
  registration.generation = Generation::k5;
  registration.driver = std::move(curious);
  ASSERT_EQ(engine.register_protocol(std::move(registration), driver.protocol), Status::kSuccess);
  engine.begin(driver.protocol);
  ASSERT_TRUE(driver.opened.await("opened"));
  EXPECT_EQ(driver.asked, Status::kAdapterNotReady);
  EXPECT_TRUE(engine.deregister(driver.protocol, Generation::k5, "test"));
}

// A driver that is bound, whose requests pend until they are let go, on a clock that is turned.
struct Patient {
  MemoryAdapters world;
  TestClock clock;
  Engine engine{world, clock};
  Script script{engine};
  void bind() {
    ASSERT_TRUE(engine.start());
    world.add_ethernet("eth0");
    Registration registration;
    registration.name = "PATIENT";
    registration.driver = std::make_unique<ScriptedDriver>(script);
    ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
    engine.begin(script.protocol);
    ASSERT_TRUE(script.journal.await("binds complete"));
    engine.quiesce();
    engine.knobs().force_pend = pend::kRequest;
    engine.knobs().hold_requests = true;
  }
};

// A request that pends too long is aborted: not before its time, once, and alone. One that is answered in time, is
// cancelled, or has no timeout hears nothing of it.
TEST(Timeout, AbortsARequestThatPendsTooLong) {
  Patient patient;
  ASSERT_NO_FATAL_FAILURE(patient.bind());
  auto& [world, clock, engine, script] = patient;
  std::array<std::uint32_t, 5> values{};
  std::array<OidRequest, 5> requests;
  const std::array<int, 5> seconds{2, 3, 0, 5, 5};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].oid = 0x0001010E;
    requests[i].buffer = &values[i];
    requests[i].length = 4;
    requests[i].timeout = std::chrono::seconds(seconds[i]);
    void* const id = &values[i];
    ASSERT_EQ(engine.request(script.binding(), requests[i], nullptr, id), Status::kPending);
  }
  const auto line = [](Status status) { return "request " + std::to_string(static_cast<std::uint32_t>(status)); };
  const std::string aborted = line(Status::kRequestAborted), done = line(Status::kSuccess);
  script.journal.take();
  ASSERT_TRUE(clock.advance(std::chrono::seconds(2) - Duration(1)));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), Lines{});
  ASSERT_TRUE(clock.advance(Duration(1)));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), Lines{aborted});
  EXPECT_EQ(engine.counts().requests, 4U);
  ASSERT_TRUE(clock.advance(std::chrono::seconds(1)));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), Lines{aborted});
  engine.cancel_requests(script.binding(), &values[3]);
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), Lines{aborted});
  engine.knobs().hold_requests = false;
  engine.let_requests_go();
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), (Lines{done, done}));
  ASSERT_TRUE(clock.advance(std::chrono::hours(1)));
  engine.quiesce();
  EXPECT_EQ(script.journal.take(), Lines{});
  EXPECT_EQ(engine.counts().requests, 0U);
  EXPECT_TRUE(engine.deregister(script.protocol, Generation::k6, "test"));
}

// The timeout of a request is over while its binding is closed and its protocol leaves: whoever comes first ends it.
TEST(Timeout, MeetsADeregistration) {
  for (int round = 0; round < 30; ++round) {
    Patient patient;
    ASSERT_NO_FATAL_FAILURE(patient.bind());
    auto& [world, clock, engine, script] = patient;
    std::array<OidRequest, 8> requests;
    std::array<std::uint32_t, 8> values{};
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i] = {.oid = 0x0001010E, .buffer = &values[i], .length = 4, .timeout = std::chrono::seconds(1)};
      ASSERT_EQ(engine.request(script.binding(), requests[i], nullptr, nullptr), Status::kPending);
    }
    std::thread turning([&] { EXPECT_TRUE(clock.advance(std::chrono::seconds(1))); });
    EXPECT_TRUE(engine.deregister(script.protocol, Generation::k6, "test"));
    turning.join();
    const std::string aborted = "request " + std::to_string(static_cast<std::uint32_t>(Status::kRequestAborted));
    EXPECT_EQ(script.journal.count(aborted), requests.size());
  }
}

// No lock is held while a driver is called: from inside a frame's callback it may show another frame, on the same
// adapter too, change and remove adapters, also its own, and bring new ones; as may other threads meanwhile.
TEST_F(EngineTest, ADriverMayTurnTheWorldFromInsideAFrame) {
  for (const Generation generation : {Generation::k5, Generation::k6}) {
    const auto eth0 = world.add_ethernet("eth0"), eth1 = world.add_ethernet("eth1");
    Script script(engine);
    net::InterfaceIndex late;
    std::atomic<int> depth{0};
    script.on_receive = [&](Binding& binding, std::span<const Indicated>) {
      switch (++depth) {
        case 1:
          EXPECT_TRUE(world.inject(eth0, frame_to(kEverybody)));
          break;
        case 2:
          std::thread([&] {
            EXPECT_TRUE(world.set_carrier(eth1, false));  // somebody else wants the same adapters meanwhile
            EXPECT_TRUE(world.make_room(eth0, 0));
          }).join();
          EXPECT_TRUE(world.inject(eth1, frame_to(kEverybody)));
          break;
        default:
          late = world.add_ethernet("late");
          EXPECT_TRUE(world.make_room(eth0, -1));
          EXPECT_TRUE(world.set_carrier(eth1, true));
          EXPECT_TRUE(world.remove(binding.nic->index));
          EXPECT_TRUE(world.remove(eth0));
          EXPECT_FALSE(world.inject(eth0, frame_to(kEverybody)));
      }
    };
    begin(script, generation);
    ASSERT_TRUE(script.journal.await("binds complete"));
    engine.quiesce();
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(set(script.binding(i), kFilterOid, packet_type::kBroadcast), Status::kSuccess);
    }
    ASSERT_TRUE(world.inject(eth0, frame_to(kEverybody)));
    engine.quiesce();
    EXPECT_EQ(depth, 3);
    EXPECT_EQ(script.journal.count("unbind"), 2U);
    EXPECT_EQ(script.journal.count("bind late"), 1U);
    leave(script);
    ASSERT_TRUE(world.remove(late));
  }
}

// A source that takes its time to say what there is.
TEST(Quiesce, WaitsForTheFirstListing) {
  class Late final : public AdapterSource {
   public:
    Result<void> start(AdapterListener& listener) noexcept override {
      listener_ = &listener;
      return {};
    }
    void stop() noexcept override {}
    Result<std::unique_ptr<Adapter>> open(net::InterfaceIndex, FrameSink&) noexcept override {
      return fail(ErrorKind::kNotFound, "there is none");
    }
    void list() {
      listener_->adapter_event({AdapterEvent::Kind::kListing, {}});
      listener_->adapter_event({AdapterEvent::Kind::kListed, {}});
    }

   private:
    AdapterListener* listener_ = nullptr;
  };
  Late source;
  Engine engine(source, system_clock());
  ASSERT_TRUE(engine.start());
  std::atomic<bool> listed{false}, begun{false}, too_early{true};
  std::thread waiting([&] {
    begun = true;
    engine.quiesce();
    too_early = !listed;
  });
  while (!begun) {
    std::this_thread::yield();
  }
  for (int i = 0; i < 100; ++i) {  // time for what must not happen; a slow machine makes the test weaker, not fail
    std::this_thread::yield();
  }
  listed = true;
  source.list();
  waiting.join();
  EXPECT_FALSE(too_early);
}

}  // namespace
}  // namespace turnpike::ndis::testing
