// What waiting costs. The wake-up of a waiting thread is shown beside a bare eventfd in the same run, as a round trip
// between two threads: half of it is one wake-up. The counter `ratio` of BM_EventRoundTrip is what counts.
#include <benchmark/benchmark.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <windows.h>

#include <array>
#include <chrono>
#include <thread>

namespace {

// Sends a token there and waits for it to come back.
class EventfdPair {
 public:
  void there() { ::eventfd_write(out_, 1); }
  void back() { ::eventfd_write(in_, 1); }
  void wait_there() { ::eventfd_read(out_, &count_there_); }
  void wait_back() { ::eventfd_read(in_, &count_back_); }
  ~EventfdPair() {
    ::close(out_);
    ::close(in_);
  }

 private:
  int out_ = ::eventfd(0, EFD_CLOEXEC);
  int in_ = ::eventfd(0, EFD_CLOEXEC);
  eventfd_t count_there_ = 0;
  eventfd_t count_back_ = 0;
};

class EventPair {
 public:
  void there() { SetEvent(out_); }
  void back() { SetEvent(in_); }
  void wait_there() { WaitForSingleObject(out_, INFINITE); }
  void wait_back() { WaitForSingleObject(in_, INFINITE); }
  ~EventPair() {
    CloseHandle(out_);
    CloseHandle(in_);
  }

 private:
  HANDLE out_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  HANDLE in_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
};

// Seconds for `rounds` round trips.
template <class Pair>
double round_trips(int rounds) {
  Pair pair;
  std::thread partner([&] {
    for (int i = 0; i < rounds; ++i) {
      pair.wait_there();
      pair.back();
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    pair.there();
    pair.wait_back();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  partner.join();
  return taken.count();
}

// Each iteration measures both, one after the other, so that a change of the machine's mood meets both.
void BM_EventRoundTrip(benchmark::State& state) {
  constexpr int kRounds = 2000;
  double bare = 0;
  double event = 0;
  for ([[maybe_unused]] auto _ : state) {
    bare += round_trips<EventfdPair>(kRounds);
    const double taken = round_trips<EventPair>(kRounds);
    event += taken;
    state.SetIterationTime(taken);
  }
  const double trips = static_cast<double>(state.iterations()) * kRounds;
  state.counters["eventfd_us"] = bare / trips * 1e6;
  state.counters["event_us"] = event / trips * 1e6;
  state.counters["ratio"] = event / bare;
}
BENCHMARK(BM_EventRoundTrip)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(50);

void BM_SetAndTakeEvent(benchmark::State& state) {
  const HANDLE event = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  for ([[maybe_unused]] auto _ : state) {
    SetEvent(event);
    benchmark::DoNotOptimize(WaitForSingleObject(event, 0));
  }
  CloseHandle(event);
}
BENCHMARK(BM_SetAndTakeEvent);

// One of `count` events is ready, the last one.
void BM_WaitForAny(benchmark::State& state) {
  std::array<HANDLE, MAXIMUM_WAIT_OBJECTS> events{};
  const auto count = static_cast<DWORD>(state.range(0));
  for (DWORD i = 0; i < count; ++i) {
    events[i] = CreateEventW(nullptr, TRUE, i + 1 == count, nullptr);
  }
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(WaitForMultipleObjects(count, events.data(), FALSE, INFINITE));
  }
  for (DWORD i = 0; i < count; ++i) {
    CloseHandle(events[i]);
  }
}
BENCHMARK(BM_WaitForAny)->Arg(1)->Arg(8)->Arg(64);

void BM_WaitForAll(benchmark::State& state) {
  std::array<HANDLE, MAXIMUM_WAIT_OBJECTS> events{};
  const auto count = static_cast<DWORD>(state.range(0));
  for (DWORD i = 0; i < count; ++i) {
    events[i] = CreateEventW(nullptr, TRUE, TRUE, nullptr);
  }
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(WaitForMultipleObjects(count, events.data(), TRUE, INFINITE));
  }
  for (DWORD i = 0; i < count; ++i) {
    CloseHandle(events[i]);
  }
}
BENCHMARK(BM_WaitForAll)->Arg(8)->Arg(64);

// Threads that each set and take an event of their own: what one lock for all waiting would make slow.
void BM_SetAndTakeOwnEvent(benchmark::State& state) {
  const HANDLE event = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  for ([[maybe_unused]] auto _ : state) {
    SetEvent(event);
    benchmark::DoNotOptimize(WaitForSingleObject(event, 0));
  }
  CloseHandle(event);
}
BENCHMARK(BM_SetAndTakeOwnEvent)->Threads(2)->UseRealTime();

}  // namespace
