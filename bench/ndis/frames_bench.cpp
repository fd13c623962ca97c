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

void send_and_receive(benchmark::State& state, const Kind& kind) {
  constexpr std::size_t kBurst = 64;
  const auto from = kind.open("left");
  const auto to = kind.open("right");
  const auto sample = sample_frame();
  std::uint64_t sum = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  for (auto _ : state) {
    from->send(sample, kBurst);
    sent += kBurst;
    if (sent - received >= to->window()) take(*to, sent - received - to->window() / 2, received, sum);
  }
  take(*to, sent - received, received, sum);
  benchmark::DoNotOptimize(sum);
  state.counters["lost"] = static_cast<double>(sent - received);
  state.SetItemsProcessed(static_cast<std::int64_t>(received));
}

void send_only(benchmark::State& state, const Kind& kind) {
  constexpr std::size_t kBurst = 64;
  const auto from = kind.open("left");
  const auto sample = sample_frame();
  for (auto _ : state) from->send(sample, kBurst);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBurst));
}

// Each frame is sent 50 µs after the last was seen, while whoever receives sleeps.
void latency(benchmark::State& state, const Kind& kind) {
  Way::Arrivals arrivals;  // beyond the ways, which may be telling it the last
  const auto from = kind.open("left");
  const auto to = kind.open("right");
  const auto sample = sample_frame();
  to->listen(arrivals);
  std::vector<double> took;
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    const std::uint32_t before = arrivals.seen;
    const std::int64_t start = Clock::now().time_since_epoch().count();
    from->send(sample, 1);
    arrivals.seen.wait(before);
    took.push_back(static_cast<double>(arrivals.at.load() - start) * 1e-9);
    state.SetIterationTime(took.back());
  }
  to->end_listening(*from, sample);
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
