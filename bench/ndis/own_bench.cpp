// What a received frame costs in the library itself, between the adapter and the driver's callback and back: no kernel,
// adapters in memory, 64 frames at a time, which the driver gives back at once. With one binding, and with 64 of eight
// protocols on eight adapters, where `each` is a frame for one driver. `allocations` counts what was allocated for the
// frames of a batch: nothing, once the pools have grown.
#include <benchmark/benchmark.h>
#include <turnpike/ndis.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "../place.h"
#include "bench_driver.h"

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

void receive(benchmark::State& state) {
  static const bool kStarted = [] {
    TP_NDIS_OPTIONS options{sizeof options, TP_NDIS_ADAPTERS_MEMORY, 0};
    return TpNdisStart(&options) == 0;
  }();
  must(kStarted, "TpNdisStart");
  const auto protocols = static_cast<std::size_t>(state.range(0));
  const auto adapters = static_cast<std::size_t>(state.range(1));
  std::vector<std::uint32_t> indices(adapters);
  for (std::size_t at = 0; at < adapters; ++at)
    must(TpNdisAdapterCreate(("own" + std::to_string(at)).c_str(), &indices[at]) == 0, "an adapter in memory");
  std::vector<std::unique_ptr<BenchDriver>> drivers;
  for (std::size_t at = 0; at < protocols; ++at)
    drivers.push_back(std::make_unique<BenchDriver>("own-cost-" + std::to_string(at), "own*"));
  std::array<std::uint8_t, 60> bytes{};
  std::fill_n(bytes.begin(), 6, std::uint8_t{0xff});
  bytes[12] = 0x88;
  bytes[13] = 0xb5;
  std::array<TP_NDIS_FRAME, 64> frames{};
  frames.fill({bytes.data(), bytes.size(), 0, 0, 0});
  const auto batch = [&] {
    for (const std::uint32_t index : indices) TpNdisAdapterInjectBatch(index, frames.data(), frames.size());
  };
  batch();
  const std::uint64_t before = allocated.load();
  for (auto _ : state) batch();
  const double batches = static_cast<double>(state.iterations());
  state.counters["allocations"] = static_cast<double>(allocated.load() - before) / batches;
  state.counters["each"] = benchmark::Counter(batches * static_cast<double>(frames.size() * adapters * protocols),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  drivers.clear();
  for (const std::uint32_t index : indices) must(TpNdisAdapterDelete(index) == 0, "an adapter goes");
}
BENCHMARK(receive)->ArgNames({"protocols", "adapters"})->Args({1, 1})->Args({8, 8});

}  // namespace
}  // namespace turnpike::bench
