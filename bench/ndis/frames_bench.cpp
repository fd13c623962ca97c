// Layer-2 frames over a veth pair: every way that this machine has, in one run.
//
// Two questions, as issue and contract put them. How many 64-byte frames does one thread send and receive (bursts of
// 64: the sending call runs the receiving softirq on the same processor, so one thread is what there is to compare)?
// And how long does a frame take, on an idle link, from the sender's call to the receiver's code, when the receiver
// sleeps? The second is a figure of the scheduler as much as of the socket, so it is read as a ratio to recvfrom.
// Ours receive on a thread of their own, so the processor time of the whole process counts (CPU), beside what passed.
// The repetitions of all ways are interleaved (run with --benchmark_enable_random_interleaving=true, as tools/bench
// does), and the median is what counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "../place.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

using Clock = std::chrono::steady_clock;

// To all, from nobody in particular, of a type for experiments, so that no stack answers.
std::array<std::uint8_t, 60> frame() {
  std::array<std::uint8_t, 60> made{};
  std::fill_n(made.begin(), 6, std::uint8_t{0xff});
  made[6] = 2;
  made[11] = 1;
  made[12] = 0x88;
  made[13] = 0xb5;
  return made;
}

void send_and_receive(benchmark::State& state, const Kind& kind) {
  constexpr std::size_t kBurst = 64;
  const auto from = kind.open("left");
  const auto to = kind.open("right");
  const auto sample = frame();
  std::uint64_t sum = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  for (auto _ : state) {
    from->send(sample, kBurst);
    sent += kBurst;
    for (std::size_t got = 1; got > 0 && received < sent; received += got) got = to->take(sent - received, sum);
  }
  benchmark::DoNotOptimize(sum);
  state.counters["lost"] = static_cast<double>(sent - received);
  state.SetItemsProcessed(static_cast<std::int64_t>(received));
}

void send_only(benchmark::State& state, const Kind& kind) {
  constexpr std::size_t kBurst = 64;
  const auto from = kind.open("left");
  const auto sample = frame();
  for (auto _ : state) from->send(sample, kBurst);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBurst));
}

// The receiver sleeps in a thread; each frame is sent 50 µs after the last was seen.
void latency(benchmark::State& state, const Kind& kind) {
  const auto from = kind.open("left");
  const auto to = kind.open("right");
  const auto sample = frame();
  std::atomic<std::uint64_t> seen = 0;
  std::atomic<std::int64_t> seen_at = 0;
  std::atomic<bool> ends = false;
  std::uint64_t sum = 0;
  std::thread receiver([&] {
    for (std::uint64_t count = 0;;) {
      to->wait();
      const std::int64_t now = to->arrival();
      if (ends.load()) return;
      to->take(1, sum);
      seen_at.store(now);
      seen.store(++count);
    }
  });
  std::vector<double> took;
  std::uint64_t expected = 0;
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    const std::int64_t start = Clock::now().time_since_epoch().count();
    from->send(sample, 1);
    ++expected;
    while (seen.load() < expected) std::this_thread::yield();
    took.push_back(static_cast<double>(seen_at.load() - start) * 1e-9);
    state.SetIterationTime(took.back());
  }
  ends = true;
  from->send(sample, 1);
  receiver.join();
  std::ranges::nth_element(took, took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2));
  state.counters["median_us"] = took[took.size() / 2] * 1e6;
}

void add(const std::vector<Kind>& kinds) {
  for (const Kind& each : kinds) {
    benchmark::RegisterBenchmark(("send_and_receive/" + each.name).c_str(), send_and_receive, each)
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->MinTime(0.1);
    benchmark::RegisterBenchmark(("send/" + each.name).c_str(), send_only, each)->MinTime(0.1);
    benchmark::RegisterBenchmark(("latency/" + each.name).c_str(), latency, each)->Iterations(500)->UseManualTime();
  }
}

const bool kAdded = [] {
  place();
  add(bare_ways());
  add(pcap_ways());
  add(xdp_ways());
  add(our_ways());
  return true;
}();

}  // namespace
}  // namespace turnpike::bench
