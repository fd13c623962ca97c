// What a frame costs in the library itself: no kernel, adapters that cost nothing, 64 frames at a time.
//
// Received: from the adapter's call to the driver's callback, which gives the frames back at once, and back. With one
// binding, and with 64 of eight protocols on eight adapters, where `each` is a frame for one driver.
//
// Sent: from the driver's call to the adapter, and to the driver's completion. `inline:1` has the completions on the
// stack of the call (the knob for that), which leaves what the library does with a frame. With `inline:0` they come on
// the library's own thread, as they do: the processor time of both threads counts, and nearly all of it is the waking
// of a thread. There the adapter takes as long as a packet socket (kToSend), or the driver would not be sending but
// waiting for its 512 frames to come back; what it takes is measured by itself and subtracted.
//
// `allocations` counts what was allocated for a batch: nothing, once the pools have grown.
#include <benchmark/benchmark.h>
#include <turnpike/ndis.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>
#include <vector>

#include "../place.h"
#include "bench_driver.h"
#include "bench_driver5.h"
#include "runtime/ndis_world.h"

namespace {

std::atomic<std::uint64_t> allocated = 0;

}  // namespace

void* operator new(std::size_t size) {
  allocated.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace turnpike::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kAdapters = 8;

// Turns of a loop: for a frame, a microsecond or so.
constexpr int kToSend = 5000;
int to_send = kToSend;
void spin(int turns) {
  for (; turns > 0; --turns) benchmark::ClobberMemory();
}

double worked_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Swallows final : public ndis::Adapter {
 public:
  [[nodiscard]] const ndis::BackendFacts& facts() const noexcept override {
    static constexpr ndis::BackendFacts kFacts{};
    return kFacts;
  }
  Result<void> receive(const ndis::Reception&) noexcept override { return {}; }
  ndis::SendAnswer send(std::span<const ndis::OutFrame> frames) noexcept override {
    spin(to_send * static_cast<int>(frames.size()));
    return {frames.size(), {}};
  }
  Result<ndis::AdapterStatistics> statistics() noexcept override { return ndis::AdapterStatistics{}; }
  [[nodiscard]] ndis::AdapterLosses losses() const noexcept override { return {}; }
  Result<void> reset() noexcept override { return {}; }
};

// own0 to own7, and whoever receives their frames.
class Source final : public ndis::AdapterSource {
 public:
  Result<void> start(ndis::AdapterListener& listener) noexcept override {
    listener.adapter_event({ndis::AdapterEvent::Kind::kListing, {}});
    for (std::uint32_t at = 0; at < kAdapters; ++at) {
      ndis::AdapterFacts facts;
      facts.index = net::InterfaceIndex(at + 1);
      facts.name = "own" + std::to_string(at);
      facts.mac = net::MacAddress({2, 0, 0, 0, 0, static_cast<std::uint8_t>(at)});
      facts.link.admin_up = facts.link.carrier = true;
      listener.adapter_event({ndis::AdapterEvent::Kind::kSeen, facts});
    }
    listener.adapter_event({ndis::AdapterEvent::Kind::kListed, {}});
    return {};
  }
  void stop() noexcept override {}
  Result<std::unique_ptr<ndis::Adapter>> open(net::InterfaceIndex index, ndis::FrameSink& sink) noexcept override {
    sinks[index.value() - 1] = &sink;
    return std::make_unique<Swallows>();
  }

  std::array<ndis::FrameSink*, kAdapters> sinks{};
};

Source& source() {
  static Source* const started = [] {
    auto made = std::make_unique<Source>();
    Source* const kept = made.get();
    must(runtime::NdisWorld::instance().start(std::move(made)).has_value(), "NDIS");
    return kept;
  }();
  return *started;
}

// To all, of a type for experiments.
constexpr std::array<std::uint8_t, 60> kFrame = [] {
  std::array<std::uint8_t, 60> bytes{};
  for (std::size_t at = 0; at < 6; ++at) bytes[at] = 0xff;
  bytes[12] = 0x88;
  bytes[13] = 0xb5;
  return bytes;
}();

// `each_ns`: processor time of one of so many frames a batch, without what the adapter spends on purpose.
template <class Batch>
void measure(benchmark::State& state, std::size_t frames, int spent, Batch batch) {
  for (int warm = 0; warm < 100; ++warm) batch();
  const std::uint64_t before = allocated.load();
  const double began = worked_ns();
  for (auto _ : state) batch();
  const double worked = worked_ns();
  spin(spent * static_cast<int>(frames) * 100);
  const double batches = static_cast<double>(state.iterations());
  const double on_purpose = (worked_ns() - worked) / 100;
  state.counters["each_ns"] = ((worked - began) / batches - on_purpose) / static_cast<double>(frames);
  state.counters["allocations"] = static_cast<double>(allocated.load() - before) / batches;
}

void receive_batches(benchmark::State& state, std::size_t adapters, std::size_t protocols) {
  std::array<ndis::InFrame, kBatch> frames{};
  for (ndis::InFrame& each : frames) {
    each.bytes = std::as_bytes(std::span(kFrame));
    each.received = system_clock().wall();
  }
  measure(state, kBatch * adapters * protocols, 0, [&] {
    for (std::size_t at = 0; at < adapters; ++at) source().sinks[at]->received(frames);
  });
}

void receive6(benchmark::State& state) {
  source();
  const auto protocols = static_cast<std::size_t>(state.range(0));
  const auto adapters = static_cast<std::size_t>(state.range(1));
  std::vector<std::unique_ptr<BenchDriver>> drivers;
  for (std::size_t at = 0; at < protocols; ++at)
    drivers.push_back(std::make_unique<BenchDriver>("own-cost-" + std::to_string(at), adapters == 1 ? "own0" : "own*"));
  receive_batches(state, adapters, protocols);
}
BENCHMARK(receive6)->ArgNames({"protocols", "adapters"})->Args({1, 1})->Args({8, 8});

void receive5(benchmark::State& state) {
  source();
  const BenchDriver5 driver("own0");
  receive_batches(state, 1, 1);
}
BENCHMARK(receive5);

void complete_inline(bool wanted) {
  runtime::NdisWorld::instance().running()->knobs().inline_completion = wanted;
  to_send = wanted ? 0 : kToSend;
}

void send6(benchmark::State& state) {
  source();
  BenchDriver driver("own-cost", "own0");
  BenchDriver::Bound& bound = *driver.bindings().front();
  complete_inline(state.range(0) != 0);
  measure(state, kBatch, to_send, [&] { driver.send(bound, kFrame, kBatch); });
  driver.await_sent();
  complete_inline(false);
}
BENCHMARK(send6)->ArgName("inline")->Arg(1)->Arg(0)->UseRealTime();

void send5(benchmark::State& state) {
  source();
  BenchDriver5 driver("own0");
  complete_inline(state.range(0) != 0);
  measure(state, kBatch, to_send, [&] { driver.send(kFrame, kBatch); });
  driver.await_sent();
  complete_inline(false);
}
BENCHMARK(send5)->ArgName("inline")->Arg(1)->Arg(0)->UseRealTime();

}  // namespace
}  // namespace turnpike::bench
