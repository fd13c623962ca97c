// What logging and counting cost: nothing worth speaking of where nobody listens, and what one line or one count costs
// where somebody does. Names ending in threads:2 run on two threads at once.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include "base/counters.h"
#include "base/log_sinks.h"

namespace turnpike {
namespace {

void log_disabled(benchmark::State& state) {
  std::uint64_t n = 0;
  for (auto _ : state) {
    TURNPIKE_LOG(LogLevel::kInfo, "bench", "nobody listens", {"n", ++n});
    benchmark::ClobberMemory();
  }
}
BENCHMARK(log_disabled);

// A line to /dev/null as JSON, with two fields: formatting, the locks and the five system calls.
void log_json_line(benchmark::State& state) {
  Log log;
  auto sink = make_json_sink(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!sink || !log.open(std::move(*sink), LogLevel::kInfo)) return state.SkipWithError("no sink");
  std::uint64_t n = 0;
  for (auto _ : state) {
    TURNPIKE_LOG_LIMITED(log, (LogLimit{0, 0}), LogLevel::kInfo, "bench", "a line", {"n", ++n}, {"who", "somebody"});
  }
}
BENCHMARK(log_json_line);

void log_held_back(benchmark::State& state) {
  Log log;
  auto sink = make_callback_sink([](const LogRecord&) {});
  if (!sink || !log.open(std::move(*sink), LogLevel::kInfo)) return state.SkipWithError("no sink");
  for (auto _ : state) TURNPIKE_LOG_TO(log, LogLevel::kInfo, "bench", "too often");
}
BENCHMARK(log_held_back);

template <class Count>
void count(benchmark::State& state) {
  static Count counter;
  for (auto _ : state) counter.add();
}
BENCHMARK(count<Counter>)->Threads(1)->Threads(2);
BENCHMARK(count<ShardedCounter>)->Threads(1)->Threads(2);

// Each thread measures much the same thing, as threads that do the same work do: the times differ in their low bits.
void histogram_record(benchmark::State& state) {
  static Histogram histogram;
  std::uint64_t value = 1000 + static_cast<std::uint64_t>(state.thread_index());
  for (auto _ : state) {
    histogram.record(value);
    value = 1000 + (value * 2862933555777941757U >> 52);
  }
}
BENCHMARK(histogram_record)->Threads(1)->Threads(2);

void histogram_quantile(benchmark::State& state) {
  Histogram histogram;
  for (std::uint64_t i = 0; i < 100'000; ++i) histogram.record(i * i);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.read().quantile(0.99));
}
BENCHMARK(histogram_quantile);

}  // namespace
}  // namespace turnpike
