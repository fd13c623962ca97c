// Any order of calls, right and wrong, by two drivers of both generations on two adapters in memory, with any bytes as
// requests and frames: nothing crashes, every element comes back once, and when both have left nothing is there.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>

#include "ndis/engine.h"
#include "ndis/memory_adapters.h"
#include "ndis/transport.h"

namespace {

using namespace turnpike::ndis;  // allow using-namespace: a program about one room
using turnpike::Handle;

void expect(bool kept) {
  if (!kept) std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const std::uint8_t value = rest_.empty() ? 0 : rest_.front();
    rest_ = rest_.subspan(rest_.empty() ? 0 : 1);
    return value;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  FrameBytes bytes(std::size_t most) {
    const std::size_t n = std::min<std::size_t>(word() % (most + 1), rest_.size());
    const auto taken = std::as_bytes(rest_.first(n));
    rest_ = rest_.subspan(n);
    return {taken.begin(), taken.end()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

struct Element {
  FrameBytes bytes;
  std::atomic<int> completions{0};
};

// Behaves as the bits of `mood` say.
struct Fuzzed {
  Fuzzed(Engine& its_engine, MemoryAdapters& its_world, Generation its_generation)
      : engine(its_engine), world(its_world), generation(its_generation) {}
  Engine& engine;
  MemoryAdapters& world;
  const Generation generation;
  Handle protocol{};
  std::atomic<std::uint32_t> mood{0};
  std::mutex mutex;
  std::vector<Handle> bindings;               // every one there ever was: stale ones are tried, too
  std::deque<std::pair<Handle, int>> pended;  // 0: bind, 1: unbind
  std::map<Binding*, Handle> pended_by_binding;
  std::deque<std::pair<Handle, const void*>> events;
};

class FuzzedDriver final : public Driver {
 public:
  explicit FuzzedDriver(Fuzzed& self) : self_(self) {}
  Status bind(Offer& offer) override {
    static constexpr std::array<std::uint32_t, 1> kMedia{0};
    const std::uint32_t mood = self_.mood;
    if ((mood & 1) == 0) {
      OpenRequest request;
      request.protocol = self_.protocol;
      request.bind = self_.generation == Generation::k6 ? offer.context : Handle::kNone;
      request.adapter_name = offer.adapter_name;
      request.media = kMedia;
      request.store = [this](Handle handle, std::uint32_t) {
        const std::lock_guard lock(self_.mutex);
        self_.bindings.push_back(handle);
      };
      int code = 0;
      (void)self_.engine.open(request, code);
    }
    if ((mood & 2) != 0) {
      const std::lock_guard lock(self_.mutex);
      self_.pended.emplace_back(offer.context, 0);
      return Status::kPending;
    }
    return (mood & 4) != 0 ? Status::kFailure : Status::kSuccess;
  }
  Status unbind(Binding& binding, Handle context) override {
    const std::uint32_t mood = self_.mood;
    if ((mood & 8) == 0) (void)self_.engine.close(binding.handle);
    if ((mood & 16) != 0) {
      const std::lock_guard lock(self_.mutex);
      self_.pended.emplace_back(context, 1);
      return Status::kPending;
    }
    return Status::kSuccess;
  }
  Status net_event(Binding* binding, NetEventNote& note) override {
    note.shown->store(&note);
    if ((self_.mood & 32) != 0) {
      const std::lock_guard lock(self_.mutex);
      self_.events.emplace_back(binding != nullptr ? binding->handle : Handle::kNone, &note);
      return Status::kPending;
    }
    return (self_.mood & 64) != 0 ? Status::kFailure : Status::kSuccess;
  }
  void open_complete(Binding&, Status, int) override {}
  void close_complete(Binding&) override {}
  void request_complete(Binding&, void* request, Status) override { delete static_cast<Asked*>(request); }
  void reset_complete(Binding&, Status) override {}
  void status(Binding&, const StatusNote&) override {}
  void send_complete(Binding&, std::span<const Completed> elements) override {
    for (const Completed& completed : elements) static_cast<Element*>(completed.element)->completions.fetch_add(1);
  }
  void describe(Binding&, void* element, FrameList& frames) override {
    frames.piece(static_cast<Element*>(element)->bytes);
    frames.end_frame({}, 60);
  }
  void receive(Binding& binding, std::span<const Indicated> frames) override {
    for (const Indicated& frame : frames) {
      expect(!frame.frame->bytes.empty());
      for (const std::size_t header : {binding.nic->header, std::size_t{0}}) {  // some begin with 0x4 or 0x6
        static_cast<void>(transport_of(frame.frame->bytes, header));
      }
    }
    if ((self_.mood & 128) != 0) (void)self_.engine.unbind_adapter(binding.handle);
    if ((self_.mood & 256) != 0) (void)self_.world.remove(binding.nic->index);  // from inside the frame
  }
  std::unique_ptr<Part> make_part(Binding&) override { return std::make_unique<Part>(); }

  struct Asked {
    OidRequest request;
    FrameBytes buffer;
  };

 private:
  Fuzzed& self_;
};

// Everything that was promised later is done now.
void keep_promises(Fuzzed& driver) {
  for (;;) {
    std::deque<std::pair<Handle, int>> pended;
    std::deque<std::pair<Handle, const void*>> events;
    {
      const std::lock_guard lock(driver.mutex);
      pended.swap(driver.pended);
      events.swap(driver.events);
    }
    for (const auto& [handle, kind] : pended) {
      kind == 0 ? driver.engine.complete_bind(handle, Status::kSuccess) : driver.engine.complete_unbind(handle);
    }
    for (const auto& [handle, shown] : events) driver.engine.complete_event(handle, shown, Status::kSuccess);
    if (pended.empty() && events.empty()) return;
  }
}

// Some with a timeout that is over soon; some twice, with the same structure.
void ask(Engine& engine, Handle binding, Input& input) {
  auto asked = std::make_unique<FuzzedDriver::Asked>();
  static constexpr std::array<std::uint32_t, 5> kSpaces{0x00010100, 0x00010200, 0x00020200, 0x01010100, 0x01010200};
  asked->request.type = OidRequest::Type(input.byte() % 4);
  asked->request.oid = kSpaces[input.byte() % kSpaces.size()] + input.byte();
  asked->buffer = input.bytes(1600);
  asked->request.buffer = asked->buffer.data();
  asked->request.length = static_cast<std::uint32_t>(asked->buffer.size());
  const std::uint8_t how = input.byte();
  asked->request.timeout = std::chrono::microseconds(how % 8 * 50);
  asked->request.shown = (how & 8) != 0 ? &engine : nullptr;  // any address will do: only one at a time has it
  FuzzedDriver::Asked* const token = asked.release();
  if (engine.request(binding, token->request, token, nullptr) != Status::kPending) {
    expect(token->request.done <= token->request.length);
    asked.reset(token);
  }
}

BindPolicy policy_of(Input& input) {
  BindPolicy policy;
  policy.mode = BindPolicy::Mode(input.byte() % 3);
  policy.globs = {"eth*"};
  policy.when_up = (input.byte() & 1) != 0;
  return policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  MemoryAdapters world;
  Engine engine(world, turnpike::system_clock());
  expect(engine.start().has_value());
  Fuzzed five(engine, world, Generation::k5);
  Fuzzed six(engine, world, Generation::k6);
  std::deque<Element> elements;
  std::size_t sent = 0;
  std::vector<turnpike::net::InterfaceIndex> adapters{world.add_ethernet("eth0"), world.add_ethernet("eth1")};
  for (Fuzzed* driver : {&five, &six}) {
    Registration registration;
    registration.name = driver == &five ? "FIVE" : "SIX";
    registration.generation = driver->generation;
    registration.driver = std::make_unique<FuzzedDriver>(*driver);
    driver->mood = input.byte();
    expect(engine.register_protocol(std::move(registration), driver->protocol) == Status::kSuccess);
    engine.begin(driver->protocol);
  }
  engine.quiesce();  // else the calls come before there is a binding to make them on
  for (int calls = 0; calls < 64 && !input.empty(); ++calls) {
    const std::uint8_t call = input.byte();
    Fuzzed& driver = (call & 0x80) != 0 ? five : six;
    const auto adapter = adapters[input.byte() % adapters.size()];
    Handle binding{};
    {
      const std::lock_guard lock(driver.mutex);
      if (!driver.bindings.empty()) binding = driver.bindings[input.byte() % driver.bindings.size()];
    }
    switch (call & 0x1f) {
      case 0:
        driver.mood = input.byte() | (input.byte() & 1U) << 8;
        break;
      case 1:
        ask(engine, binding, input);
        break;
      case 2:
        (void)world.inject(adapter, input.bytes(2000));
        break;
      case 3: {
        Element& element = elements.emplace_back();
        element.bytes = input.bytes(1514);
        const SendItem item{.element = &element, .cancel_id = &element, .flags = input.byte() & 3U};
        sent += engine.send(binding, std::span(&item, 1)) ? 1 : 0;
        break;
      }
      case 4:
        if (!elements.empty()) engine.cancel_sends(binding, &elements.back());
        break;
      case 5:
        (void)engine.unbind_adapter(binding);
        break;
      case 6:
        (void)engine.close(binding);
        break;
      case 7:
        (void)engine.reset(binding);
        break;
      case 8:
        (void)engine.reenumerate(driver.protocol);
        break;
      case 9:
        (void)world.remove(adapter);
        break;
      case 10:
        if (adapters.size() < 8) adapters.push_back(world.add_ethernet("more"));
        break;
      case 11:
        (void)world.set_mtu(adapter, 68 + input.byte() * 8U);
        break;
      case 12:
        (void)world.set_carrier(adapter, (input.byte() & 1) != 0);
        break;
      case 13:
        (void)world.make_room(adapter, static_cast<int>(input.byte() % 4) - 1);
        break;
      case 14:
        engine.knobs().force_pend = input.byte() & 0xfU;
        break;
      case 16:
        engine.knobs().hold_requests = (input.byte() & 1) != 0;
        break;
      case 17:
        engine.let_requests_go();
        break;
      case 18:
        engine.cancel_requests(binding, nullptr);
        break;
      case 19:
        (void)world.break_down(adapter);
        break;
      case 20:
        engine.set_policy(driver.generation == Generation::k5 ? "FIVE" : "SIX", policy_of(input));
        break;
      case 21:
        engine.reconfigured();
        break;
      case 22:
        world.lose_events();
        break;
      case 23:
        world.resume();
        break;
      case 24:
        engine.quiesce();
        break;
      case 25:
        (void)world.set_mac(adapter, turnpike::net::MacAddress({2, 0, 0, 0, 0, input.byte()}));
        break;
      default:
        keep_promises(driver);
    }
  }
  for (Fuzzed* driver : {&five, &six}) driver->mood = 0;
  world.resume();
  for (const auto adapter : adapters) (void)world.make_room(adapter, -1);  // a pause waits for what is sent
  for (Fuzzed* driver : {&five, &six}) {
    std::atomic<bool> left{false};
    std::thread leaving([&] {
      expect(engine.deregister(driver->protocol, driver->generation, "fuzz"));
      left = true;
    });
    while (!left) {
      keep_promises(*driver);
      std::this_thread::yield();
    }
    leaving.join();
  }
  engine.quiesce();
  std::size_t back = 0;
  for (const Element& element : elements) {
    expect(element.completions <= 1);
    back += static_cast<std::size_t>(element.completions);
  }
  expect(back == sent);
  const EngineCounts counts = engine.counts();
  expect(counts.protocols + counts.bindings + counts.binds + counts.unbinds == 0 && world.open_count() == 0);
  return 0;
}
