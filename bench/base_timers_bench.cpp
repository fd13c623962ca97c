// A million timers armed, cancelled and fired; the time is that of one.
//
// Deadlines are spread at random over two minutes, as those of routes that expire, unless the name says otherwise.
// `in_order` cancels in the order of arming, `shuffled` in any other: then each cancellation misses the cache.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "base/timers.h"

namespace turnpike {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr MonotonicTime kStart = TestClock::kStart;
constexpr Duration kSpread = std::chrono::minutes(2);

std::int64_t fired = 0;

class Wheel {
 public:
  explicit Wheel(Duration spread = kSpread, MonotonicTime from = kStart) {
    std::mt19937_64 random(1);
    for (std::int64_t i = 0; i < kMillion; ++i) {
      const auto delay = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread.count()));
      deadlines_.push_back(from + Duration(delay));
    }
    ids_.reserve(static_cast<std::size_t>(kMillion));
  }

  void arm_all() {
    for (const MonotonicTime deadline : deadlines_) {
      ids_.push_back(*timers_->arm(deadline, [] { ++fired; }));
    }
  }
  void cancel_all() {
    for (const TimerId id : ids_) {
      if (timers_->cancel(id) != Cancelled::kInTime) {
        std::abort();
      }
    }
  }
  void shuffle() { std::shuffle(ids_.begin(), ids_.end(), std::mt19937_64(2)); }
  void rearm_all() {
    for (const TimerId id : ids_) {
      benchmark::DoNotOptimize(timers_->rearm(id, kStart + kSpread * 2));
    }
  }

  // Time goes on in steps of a millisecond, as a driver that is kept busy sees it.
  void fire_all() {
    for (MonotonicTime now = kStart; timers_->armed() != 0; now += std::chrono::milliseconds(1)) {
      benchmark::DoNotOptimize(timers_->advance(now));
    }
  }
  void fire_at_once() { benchmark::DoNotOptimize(timers_->advance(kStart + kSpread)); }

 private:
  std::vector<MonotonicTime> deadlines_;
  std::vector<TimerId> ids_;
  std::unique_ptr<Timers> timers_ = std::move(Timers::create(kStart).value());
};

// Prepares a wheel outside of the clock, and times `work` on it.
template <class Prepare, class Work>
void time_a_million(benchmark::State& state, Prepare prepare, Work work) {
  for (auto _ : state) {
    state.PauseTiming();
    auto wheel = prepare();
    state.ResumeTiming();
    work(*wheel);
    state.PauseTiming();
    wheel.reset();
    state.ResumeTiming();
  }
  state.counters["each"] = benchmark::Counter(
      static_cast<double>(kMillion), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

std::unique_ptr<Wheel> armed(Duration spread = kSpread, MonotonicTime from = kStart) {
  auto wheel = std::make_unique<Wheel>(spread, from);
  wheel->arm_all();
  return wheel;
}

void arm(benchmark::State& state) {
  time_a_million(state, [] { return std::make_unique<Wheel>(); }, [](Wheel& wheel) { wheel.arm_all(); });
}
BENCHMARK(arm)->Unit(benchmark::kMillisecond);

void cancel_in_order(benchmark::State& state) {
  time_a_million(state, [] { return armed(); }, [](Wheel& wheel) { wheel.cancel_all(); });
}
BENCHMARK(cancel_in_order)->Unit(benchmark::kMillisecond);

void cancel_shuffled(benchmark::State& state) {
  const auto prepare = [] {
    auto wheel = armed();
    wheel->shuffle();
    return wheel;
  };
  time_a_million(state, prepare, [](Wheel& wheel) { wheel.cancel_all(); });
}
BENCHMARK(cancel_shuffled)->Unit(benchmark::kMillisecond);

void rearm_in_order(benchmark::State& state) {
  time_a_million(state, [] { return armed(); }, [](Wheel& wheel) { wheel.rearm_all(); });
}
BENCHMARK(rearm_in_order)->Unit(benchmark::kMillisecond);

void fire(benchmark::State& state) {
  time_a_million(state, [] { return armed(); }, [](Wheel& wheel) { wheel.fire_all(); });
}
BENCHMARK(fire)->Unit(benchmark::kMillisecond);

void fire_at_once(benchmark::State& state) {
  time_a_million(state, [] { return armed(); }, [](Wheel& wheel) { wheel.fire_at_once(); });
}
BENCHMARK(fire_at_once)->Unit(benchmark::kMillisecond);

// The worst that ticks can do: a million to be ordered at a time.
void fire_all_of_one_tick(benchmark::State& state) {
  static constexpr Duration kTick{1 << 20};
  const auto prepare = [] { return armed(kTick, MonotonicTime(kTick * 3500000)); };
  time_a_million(state, prepare, [](Wheel& wheel) { wheel.fire_at_once(); });
}
BENCHMARK(fire_all_of_one_tick)->Unit(benchmark::kMillisecond);

// What a protocol does with its hello timer: arms it and cancels it, over and over.
void arm_and_cancel_one(benchmark::State& state) {
  const auto timers = std::move(Timers::create(kStart).value());
  for (auto _ : state) {
    const TimerId id = *timers->arm(kStart + std::chrono::seconds(10), [] { ++fired; });
    benchmark::DoNotOptimize(timers->cancel(id));
  }
}
BENCHMARK(arm_and_cancel_one);

}  // namespace
}  // namespace turnpike
