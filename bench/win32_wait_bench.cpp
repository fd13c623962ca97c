// What waiting costs, and where it goes.
//
// The wake-up of a waiting thread is shown beside a bare eventfd in the same run, as a round trip between two threads:
// half of it is one wake-up. Both are measured in turns, and what counts is `ratio`, the median of the turns' ratios: a
// change of the machine's mood meets both. Where the two threads run decides what a round trip is: on one CPU it is two
// switches of context, on two it is two interrupts to a CPU that may have gone to sleep. So there are three of them:
// wherever the scheduler likes, both on one CPU, each on its own.
//
// Either peer makes four system calls a round trip: a write and a read of an eventfd against a wake and a wait of a
// futex. What the shim adds is in the program: finding the object behind its handle, and holding it (twice 10 ns), its
// lock, queueing the waiter and taking it out. What it saves is the kernel's way through a file descriptor. So the two
// come out alike, and there is nothing to be won by spinning before sleeping: it would take the CPU that the partner
// needs where there is one, and hide a microsecond where there are two.
//
// Taking the one ready event of 64 is 64 times finding, holding and asking one that is not ready; its peer is poll()
// over 64 eventfds, one of them ready.
#include <benchmark/benchmark.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <windows.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

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

enum Place { kAnywhere, kOneCpu, kTwoCpus };

// The calling thread runs on one of the CPUs that the program may use, for as long as this lives.
class Pinned {
 public:
  Pinned(Place place, std::size_t which) {
    ::pthread_getaffinity_np(::pthread_self(), sizeof(before_), &before_);
    std::vector<std::size_t> usable;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &before_)) usable.push_back(cpu);
    }
    if (place == kAnywhere) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(usable[place == kOneCpu ? 0 : which % usable.size()], &one);
    ::pthread_setaffinity_np(::pthread_self(), sizeof(one), &one);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { ::pthread_setaffinity_np(::pthread_self(), sizeof(before_), &before_); }

 private:
  cpu_set_t before_{};
};

// Microseconds for a round trip.
template <class Pair>
double round_trip(Place place, int rounds) {
  Pair pair;
  std::thread partner([&] {
    const Pinned pinned(place, 1);
    for (int i = 0; i < rounds; ++i) {
      pair.wait_there();
      pair.back();
    }
  });
  const Pinned pinned(place, 0);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    pair.there();
    pair.wait_back();
  }
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
  partner.join();
  return taken.count() / rounds;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void BM_EventRoundTrip(benchmark::State& state) {
  constexpr int kRounds = 2000;
  const auto place = static_cast<Place>(state.range(0));
  std::vector<double> bare;
  std::vector<double> event;
  std::vector<double> ratio;
  for ([[maybe_unused]] auto _ : state) {
    bare.push_back(round_trip<EventfdPair>(place, kRounds));
    event.push_back(round_trip<EventPair>(place, kRounds));
    ratio.push_back(event.back() / bare.back());
    state.SetIterationTime(event.back() * kRounds / 1e6);
  }
  state.counters["eventfd_us"] = median(bare);
  state.counters["event_us"] = median(event);
  state.counters["ratio"] = median(ratio);
}
BENCHMARK(BM_EventRoundTrip)
    ->ArgName("place")
    ->Arg(kAnywhere)
    ->Arg(kOneCpu)
    ->Arg(kTwoCpus)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(51);

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

// The peer: poll() over as many eventfds, the last of them ready.
void BM_PollEventfds(benchmark::State& state) {
  std::vector<pollfd> polled(static_cast<std::size_t>(state.range(0)));
  for (pollfd& each : polled) {
    each = {::eventfd(&each == &polled.back() ? 1 : 0, EFD_CLOEXEC), POLLIN, 0};
  }
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(::poll(polled.data(), polled.size(), -1));
  }
  for (const pollfd& each : polled) {
    ::close(each.fd);
  }
}
BENCHMARK(BM_PollEventfds)->Arg(1)->Arg(8)->Arg(64);

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
