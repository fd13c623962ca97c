// A protocol driver for tests of the engine: it writes down what it is told, and does at each callback what the test
// says. Elements are the test's own frames.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "journal.h"
#include "ndis/engine.h"
#include "ndis/memory_adapters.h"

namespace turnpike::ndis::testing {

struct Element {
  FrameBytes bytes;
  std::atomic<int> completions{0};
  Status status = Status::kPending;
};

inline FrameBytes frame_to(const net::MacAddress& to, std::size_t length = 60, std::uint16_t type = 0x88B5) {
  FrameBytes bytes(length);
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = std::byte(to.bytes()[i]);
  }
  bytes[12] = std::byte(type >> 8);
  bytes[13] = std::byte(type & 0xff);
  return bytes;
}

// Shared by the driver, which the engine owns, and the test.
struct Script {
  Engine& engine;
  Generation generation = Generation::k6;
  Handle protocol{};
  Journal journal;
  std::mutex mutex;
  std::vector<Handle> bindings;  // that are open
  std::atomic<std::size_t> opens{0};
  std::atomic<int> received{0};
  std::atomic<int> inside{0};  // bind, unbind and PnP callbacks at this moment
  std::atomic<int> most_inside{0};
  std::atomic<bool> gone{false};
  std::atomic<int> after_gone{0};

  // What it does; the defaults are a well-behaved driver that opens what it is offered.
  std::function<Status(Offer&)> on_bind = [this](Offer& offer) { return open(offer); };
  std::function<Status(Binding&, Handle)> on_unbind = [this](Binding& binding, Handle context) {
    return close(binding, context);
  };
  std::function<Status(Binding*, NetEventNote&)> on_event = [](Binding*, NetEventNote&) { return Status::kSuccess; };
  std::function<void(Binding&)> on_close_complete = [](Binding&) {};
  std::function<void(Binding&, std::span<const Indicated>)> on_receive = [](Binding&, std::span<const Indicated>) {};
  std::function<void(Binding&)> on_opening = [](Binding&) {};  // before the open has come to anything
  std::function<void(Binding&)> on_open_complete = [](Binding&) {};
  std::function<void(const char* where)> on_any = [](const char*) {};  // first thing in every callback

  explicit Script(Engine& its_engine) : engine(its_engine) {}

  Status open(const Offer& offer, Handle* out = nullptr) {
    static constexpr std::array<std::uint32_t, 2> kMedia{3, 0};
    OpenRequest request;
    request.protocol = protocol;
    request.bind = generation == Generation::k6 ? offer.context : Handle::kNone;
    request.adapter_name = offer.adapter_name;
    request.media = kMedia;
    request.store = [this, out](Handle handle, std::uint32_t index) {
      EXPECT_EQ(index, 1U);
      opens += 1;
      const std::lock_guard lock(mutex);
      bindings.push_back(handle);
      if (out != nullptr) {
        *out = handle;
      }
    };
    int code = 0;
    return engine.open(request, code);
  }

  Status close(Binding& binding, Handle context) {
    {
      const std::lock_guard lock(mutex);
      std::erase(bindings, binding.handle);
      unbinding = context;
      pended_unbinds[&binding] = context;  // before: the close may be complete before it has returned
    }
    const Status status = engine.close(binding.handle);
    if (status != Status::kPending) {
      (void)take_unbind(binding);
    }
    return status;
  }

  // A close that pended is complete: so is the unbind.
  void close_complete(Binding& binding) {
    if (const Handle context = take_unbind(binding); context != Handle::kNone) {
      engine.complete_unbind(context);
    }
  }

  Handle binding(std::size_t i = 0) {
    const std::lock_guard lock(mutex);
    return i < bindings.size() ? bindings[i] : Handle::kNone;
  }
  // kNone: the close was no part of an unbind.
  Handle take_unbind(Binding& binding) {
    const std::lock_guard lock(mutex);
    const auto at = pended_unbinds.find(&binding);
    const Handle context = at != pended_unbinds.end() ? at->second : Handle::kNone;
    if (at != pended_unbinds.end()) {
      pended_unbinds.erase(at);
    }
    return context;
  }
  Handle unbinding{};
  std::map<Binding*, Handle> pended_unbinds;
};

class ScriptedDriver final : public Driver {
 public:
  explicit ScriptedDriver(Script& script) : script_(script) {}

  Status bind(Offer& offer) override {
    const Turn turn(script_);
    script_.journal.add("bind " + offer.facts.name);
    script_.on_any("bind");
    return script_.on_bind(offer);
  }
  Status unbind(Binding& binding, Handle context) override {
    const Turn turn(script_);
    script_.journal.add("unbind");
    script_.on_any("unbind");
    return script_.on_unbind(binding, context);
  }
  Status net_event(Binding* binding, NetEventNote& note) override {
    const Turn turn(script_);
    note.shown->store(&note);
    static const std::map<NetEvent, const char*> kNames{{NetEvent::kPause, "pause"},
                                                        {NetEvent::kRestart, "restart"},
                                                        {NetEvent::kBindsComplete, "binds complete"},
                                                        {NetEvent::kQueryRemove, "query remove"},
                                                        {NetEvent::kCancelRemove, "cancel remove"},
                                                        {NetEvent::kReconfigure, "reconfigure"},
                                                        {NetEvent::kBindList, "bind list"}};
    script_.journal.add(kNames.at(note.event));
    script_.on_any(kNames.at(note.event));
    return script_.on_event(binding, note);
  }
  void open_complete(Binding& binding, Status status, int) override {
    script_.journal.add(status == Status::kSuccess ? "open complete" : "open failed");
    script_.on_any("open complete");
    script_.on_open_complete(binding);
  }
  void close_complete(Binding& binding) override {
    script_.journal.add("close complete");
    script_.on_any("close complete");
    script_.on_close_complete(binding);
    script_.close_complete(binding);
  }
  void request_complete(Binding&, void*, Status status) override {
    script_.journal.add("request " + std::to_string(static_cast<std::uint32_t>(status)));
    script_.on_any("request complete");
  }
  void reset_complete(Binding&, Status) override { script_.journal.add("reset complete"); }
  void status(Binding&, const StatusNote& note) override {
    script_.journal.add(note.code == Status::kLinkState    ? (note.link.connected() ? "connected" : "disconnected")
                        : note.code == Status::kResetStart ? "reset start"
                                                           : "reset end");
    script_.on_any("status");
  }
  void send_complete(Binding&, std::span<const Completed> elements) override {
    script_.on_any("send complete");
    for (const Completed& completed : elements) {
      auto& element = *static_cast<Element*>(completed.element);
      element.status = completed.status;
      element.completions.fetch_add(1);
    }
  }
  void describe(Binding&, void* element, FrameList& frames) override {
    frames.piece(static_cast<Element*>(element)->bytes);
    frames.end_frame({}, 60);
  }
  void receive(Binding& binding, std::span<const Indicated> frames) override {
    if (script_.gone.load()) {
      script_.after_gone.fetch_add(1);
    }
    script_.received.fetch_add(static_cast<int>(frames.size()));
    script_.on_any("receive");
    script_.on_receive(binding, frames);
  }
  std::unique_ptr<Part> make_part(Binding& binding) override {
    script_.on_opening(binding);
    return std::make_unique<Part>();
  }

 private:
  struct Turn {
    explicit Turn(Script& its_script) : script(its_script) {
      const int now = script.inside.fetch_add(1) + 1;
      int most = script.most_inside.load();
      while (now > most && !script.most_inside.compare_exchange_weak(most, now)) {
      }
      if (script.gone.load()) {
        script.after_gone.fetch_add(1);
      }
    }
    ~Turn() { script.inside.fetch_sub(1); }
    Script& script;
  };
  Script& script_;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    EXPECT_TRUE(engine.start());
    engine.knobs().checked = true;
    engine.verifier().set_callback([this](const Violation& violation) {
      const std::lock_guard lock(violations_mutex);
      violations.emplace_back(violation.what);
    });
  }
  ~EngineTest() override {
    const EngineCounts counts = engine.counts();
    EXPECT_EQ(counts.protocols, 0U);
    EXPECT_EQ(counts.bindings, 0U);
    EXPECT_EQ(counts.binds, 0U);
    EXPECT_EQ(counts.unbinds, 0U);
    EXPECT_EQ(world.open_count(), 0U);
  }

  void begin(Script& script, Generation generation = Generation::k6, std::string name = "TEST") {
    script.generation = generation;
    Registration registration;
    registration.name = std::move(name);
    registration.generation = generation;
    registration.driver = std::make_unique<ScriptedDriver>(script);
    ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
    engine.begin(script.protocol);
  }
  void leave(Script& script) {
    EXPECT_TRUE(engine.deregister(script.protocol, script.generation, "test"));
    script.gone = true;
  }
  Status set(Handle binding, std::uint32_t oid, std::uint32_t value) {
    OidRequest request;
    request.type = OidRequest::Type::kSet;
    request.oid = oid;
    request.buffer = &value;
    request.length = 4;
    return engine.request(binding, request, nullptr, nullptr);
  }
  std::uint32_t query(Handle binding, std::uint32_t oid) {
    std::uint32_t value = 0;
    OidRequest request;
    request.oid = oid;
    request.buffer = &value;
    request.length = 4;
    EXPECT_EQ(engine.request(binding, request, nullptr, nullptr), Status::kSuccess) << std::hex << oid;
    return value;
  }

  static constexpr std::uint32_t kFilterOid = 0x0001010E;
  MemoryAdapters world;
  Engine engine{world, system_clock()};
  std::mutex violations_mutex;
  std::vector<std::string> violations;
};

}  // namespace turnpike::ndis::testing
