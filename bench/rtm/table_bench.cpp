// What the routing table costs, through the documented C face, on a table like the Internet's.
//
// Each benchmark is one whole life: an entity registers, loads its routes, is measured, leaves. Times are taken with
// the table warm in nothing but what the load itself left behind; one iteration is the whole table, so the figures are
// rates over a million calls and repetitions give the spread. The essay on where time and bytes go stands in
// src/rtm/README.md; the figures of a reference machine in docs/benchmarks.md.
//
//   add              RtmAddRouteToDest of every prefix, one next hop each, no handle asked for; in address order and
//   shuffled add_watched      the same while a second entity reads every change; time until it has read the last one
//   memory           bytes of resident memory that the loaded table added, a route
//   look_up          RtmGetMostSpecificDestination and its release, uniformly random addresses, 1 and 2 threads
//   enumerate        every destination with its record, and its release
//   deregister       RtmDeregisterEntity owning all of it; `hold_ms` is the longest that it held the table's lock, and
//                    `hold_busy_ms` the longest that it ran while holding it; `stall_ms` the longest that another
//                    entity's single call into the same table took meanwhile. Where more threads want to run than there
//                    are processors, hold and stall are those of the scheduler
//   growth           add, look up and notify at 1 k, 10 k, 100 k and 1 M routes, in nanoseconds a call
#include <benchmark/benchmark.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>
#include <unistd.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "routes.h"

namespace turnpike::bench {
namespace {

using Clock = std::chrono::steady_clock;

// What passed since it was made, and what of that this thread was running: on a machine with other work the second is
// what the call costs.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  double busy_seconds() const { return thread_seconds() - busy_before_; }

 private:
  static double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }

  Clock::time_point begin_ = Clock::now();
  double busy_before_ = thread_seconds();
};

RTM_NET_ADDRESS net_address(const net::Address& address, unsigned length) {
  RTM_NET_ADDRESS result{};
  result.AddressFamily = address.is_ipv4() ? AF_INET : AF_INET6;
  result.NumBits = static_cast<USHORT>(length);
  std::memcpy(result.AddrBits, address.bytes().data(), address.bytes().size());
  return result;
}

std::vector<RTM_NET_ADDRESS> load_of(net::Family family, std::size_t count) {
  std::vector<RTM_NET_ADDRESS> load;
  for (const net::Prefix& prefix : table(family, count)) load.push_back(net_address(prefix.address(), prefix.length()));
  return load;
}

const std::vector<RTM_NET_ADDRESS>& internet(net::Family family) {
  static const std::vector<RTM_NET_ADDRESS> v4 = load_of(net::Family::kIpv4, kInternetV4);
  static const std::vector<RTM_NET_ADDRESS> v6 = load_of(net::Family::kIpv6, kInternetV6);
  return family == net::Family::kIpv4 ? v4 : v6;
}

void must(DWORD status, const char* what) {
  if (status == NO_ERROR) return;
  std::fprintf(stderr, "%s: error %u\n", what, status);
  std::abort();
}

// An entity with one next hop.
class Entity {
 public:
  Entity(net::Family family, ULONG protocol, RTM_EVENT_CALLBACK callback = nullptr) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = family == net::Family::kIpv4 ? AF_INET : AF_INET6;
    info.EntityId.EntityProtocolId = protocol;
    must(RtmRegisterEntity(&info, nullptr, callback, FALSE, &profile, &handle), "RtmRegisterEntity");
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress = net_address(net::Address::netmask(family, 8), family == net::Family::kIpv4 ? 32 : 128);
    hop.InterfaceIndex = 1;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    must(RtmAddNextHop(handle, &hop, &next_hop, &flags), "RtmAddNextHop");
  }
  ~Entity() { leave(); }
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;

  void leave() {
    if (handle == nullptr) return;
    must(RtmReleaseNextHops(handle, 1, &next_hop), "RtmReleaseNextHops");
    must(RtmDeregisterEntity(handle), "RtmDeregisterEntity");
    handle = nullptr;
  }

  void add(const RTM_NET_ADDRESS& destination, ULONG metric = 1) const {
    RTM_ROUTE_INFO route{};
    route.Neighbour = next_hop;
    route.PrefInfo.Metric = metric;
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = next_hop;
    RTM_NET_ADDRESS address = destination;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    must(RtmAddRouteToDest(handle, nullptr, &address, &route, INFINITE, nullptr, 0, nullptr, &flags),
         "RtmAddRouteToDest");
  }
  void add_all(const std::vector<RTM_NET_ADDRESS>& load) const {
    for (const RTM_NET_ADDRESS& destination : load) add(destination);
  }

  RTM_ENTITY_HANDLE handle = nullptr;
  RTM_NEXTHOP_HANDLE next_hop = nullptr;
  RTM_REGN_PROFILE profile{};
};

// Reads whatever changes, on the notifier's thread, and counts.
class Reader {
 public:
  explicit Reader(net::Family family) : entity_(family, 78, &Reader::on_event) {
    must(RtmRegisterForChangeNotification(entity_.handle, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, this, &notify_),
         "RtmRegisterForChangeNotification");
  }
  void wait_for(std::size_t records) {
    std::unique_lock lock(mutex_);
    grown_.wait(lock, [&] { return seen_ >= records; });
  }
  // What its callbacks took of the processor.
  double busy_seconds() {
    const std::lock_guard lock(mutex_);
    return busy_;
  }

 private:
  static DWORD WINAPI on_event(RTM_ENTITY_HANDLE self, RTM_EVENT_TYPE event, PVOID notify, PVOID context) {
    if (event != RTM_CHANGE_NOTIFICATION) return NO_ERROR;
    Reader& reader = *static_cast<Reader*>(context);
    const Stopwatch watch;
    std::size_t seen = 0;
    for (;;) {
      std::array<RTM_DEST_INFO, 100> records;
      UINT count = std::min<UINT>(records.size(), reader.entity_.profile.MaxHandlesInEnum);
      if (RtmGetChangedDests(self, notify, &count, records.data()) != NO_ERROR || count == 0) break;
      seen += count;
      RtmReleaseChangedDests(self, notify, count, records.data());
    }
    const std::lock_guard lock(reader.mutex_);
    reader.seen_ += seen;
    reader.busy_ += watch.busy_seconds();
    reader.grown_.notify_all();
    return NO_ERROR;
  }

  std::size_t seen_ = 0;
  std::mutex mutex_;
  double busy_ = 0;
  std::condition_variable grown_;
  RTM_NOTIFY_HANDLE notify_ = nullptr;
  Entity entity_;
};

// `busy`: what the calls took of the processor, over all the threads that made them.
void report(benchmark::State& state, double seconds, double busy, std::size_t calls) {
  state.SetIterationTime(seconds);
  state.counters["calls_per_second"] = static_cast<double>(calls) / seconds;
  state.counters["each"] = busy / static_cast<double>(calls);
}
void report(benchmark::State& state, const Stopwatch& watch, std::size_t calls) {
  report(state, watch.seconds(), watch.busy_seconds(), calls);
}

void add(benchmark::State& state, net::Family family, bool shuffled) {
  std::vector<RTM_NET_ADDRESS> load = internet(family);
  if (shuffled) std::shuffle(load.begin(), load.end(), std::mt19937(7));
  for (auto _ : state) {
    Entity entity(family, 77);
    const Stopwatch watch;
    entity.add_all(load);
    report(state, watch, load.size());
  }
}

void add_watched(benchmark::State& state, net::Family family) {
  const std::vector<RTM_NET_ADDRESS>& load = internet(family);
  for (auto _ : state) {
    Reader reader(family);
    Entity entity(family, 77);
    const Stopwatch watch;
    entity.add_all(load);
    reader.wait_for(load.size());
    report(state, watch, load.size());
  }
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void memory(benchmark::State& state, net::Family family) {
  const std::vector<RTM_NET_ADDRESS>& load = internet(family);
  for (auto _ : state) {
    const std::size_t before = resident_bytes();
    Entity entity(family, 77);
    const Stopwatch watch;
    entity.add_all(load);
    report(state, watch, load.size());
    state.counters["bytes_a_route"] = static_cast<double>(resident_bytes() - before) / static_cast<double>(load.size());
  }
}

// All of them, beginning with one of them.
void look_up_all(const Entity& entity, const std::vector<RTM_NET_ADDRESS>& addresses, std::size_t first = 0) {
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    RTM_DEST_INFO found;
    RTM_NET_ADDRESS wanted = addresses[(first + i) % addresses.size()];
    if (RtmGetMostSpecificDestination(entity.handle, &wanted, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &found) ==
        NO_ERROR) {
      RtmReleaseDestInfo(entity.handle, &found);
    }
  }
}

std::vector<RTM_NET_ADDRESS> questions(net::Family family, std::size_t count) {
  std::vector<RTM_NET_ADDRESS> result;
  for (const net::Address& address : random_addresses(family, count))
    result.push_back(net_address(address, address.width()));
  return result;
}

void look_up(benchmark::State& state, net::Family family) {
  constexpr std::size_t kLookUps = 2'000'000;
  const auto threads = static_cast<std::size_t>(state.range(0));
  const std::vector<RTM_NET_ADDRESS> asked = questions(family, kLookUps);
  Entity entity(family, 77);
  entity.add_all(internet(family));
  for (auto _ : state) {
    std::vector<std::thread> workers;
    std::vector<double> busy(threads);
    const Stopwatch watch;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        const Stopwatch own;
        look_up_all(entity, asked, i * kLookUps / threads);  // together they would fight over each destination
        busy[i] = own.busy_seconds();
      });
    }
    for (std::thread& worker : workers) worker.join();
    report(state, watch.seconds(), std::accumulate(busy.begin(), busy.end(), 0.0), kLookUps * threads);
  }
}

std::size_t walk(const Entity& entity) {
  RTM_ENUM_HANDLE handle = nullptr;
  must(RtmCreateDestEnum(entity.handle, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, RTM_BEST_PROTOCOL, &handle),
       "RtmCreateDestEnum");
  std::array<RTM_DEST_INFO, 100> records;
  std::size_t seen = 0;
  for (;;) {
    UINT count = std::min<UINT>(records.size(), entity.profile.MaxHandlesInEnum);
    if (RtmGetEnumDests(entity.handle, handle, &count, records.data()) != NO_ERROR) break;
    seen += count;
    RtmReleaseDests(entity.handle, count, records.data());
  }
  must(RtmDeleteEnumHandle(entity.handle, handle), "RtmDeleteEnumHandle");
  return seen;
}

void enumerate(benchmark::State& state, net::Family family) {
  Entity entity(family, 77);
  entity.add_all(internet(family));
  for (auto _ : state) {
    const Stopwatch watch;
    const std::size_t seen = walk(entity);
    report(state, watch, seen);
  }
}

void deregister(benchmark::State& state, net::Family family) {
  const RTM_NET_ADDRESS probe = net_address(net::Address::netmask(family, 6), 6);
  for (auto _ : state) {
    Entity other(family, 79);
    Entity entity(family, 77);
    entity.add_all(internet(family));
    std::atomic<bool> done{false};
    double longest = 0;
    std::thread prober([&] {
      for (ULONG metric = 1; !done.load(); ++metric) {
        const Stopwatch watch;
        other.add(probe, metric);
        longest = std::max(longest, watch.seconds());
      }
    });
    const Stopwatch watch;
    entity.leave();
    report(state, watch, internet(family).size());
    done = true;
    prober.join();
    state.counters["stall_ms"] = longest * 1e3;
    TpRtmTableStatistics table{};
    table.size = sizeof table;
    must(TpRtmGetTableStatistics(other.handle, &table), "TpRtmGetTableStatistics");
    state.counters["hold_ms"] = static_cast<double>(table.longest_step_ns) * 1e-6;
    state.counters["hold_busy_ms"] = static_cast<double>(table.longest_step_busy_ns) * 1e-6;
  }
}

void growth(benchmark::State& state, net::Family family) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<RTM_NET_ADDRESS> load = internet(family);
  std::shuffle(load.begin(), load.end(), std::mt19937(7));
  load.resize(std::min(count, load.size()));
  const std::vector<RTM_NET_ADDRESS> asked = questions(family, 200'000);
  for (auto _ : state) {
    Entity entity(family, 77);
    const Stopwatch adding;
    entity.add_all(load);
    const double add_seconds = adding.busy_seconds();
    report(state, adding, load.size());
    Reader reader(family);
    const Stopwatch changing;
    for (const RTM_NET_ADDRESS& destination : load) entity.add(destination, 2);
    reader.wait_for(load.size());
    const double notify_seconds = changing.busy_seconds() + reader.busy_seconds();
    const Stopwatch asking;
    look_up_all(entity, asked);
    const double look_up_seconds = asking.busy_seconds();
    state.counters["add_ns"] = add_seconds * 1e9 / static_cast<double>(load.size());
    state.counters["notify_ns"] = notify_seconds * 1e9 / static_cast<double>(load.size());
    state.counters["look_up_ns"] = look_up_seconds * 1e9 / static_cast<double>(asked.size());
  }
}

constexpr auto kV4 = net::Family::kIpv4;
constexpr auto kV6 = net::Family::kIpv6;

// Memory first: what later benchmarks leave to the allocator would hide what the table takes.
BENCHMARK_CAPTURE(memory, ipv4, kV4)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(add, ipv4_ordered, kV4, false)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(add, ipv4_shuffled, kV4, true)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(add, ipv6_ordered, kV6, false)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(add_watched, ipv4, kV4)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(look_up, ipv4, kV4)->Arg(1)->Arg(2)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(look_up, ipv6, kV6)->Arg(1)->Arg(2)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(enumerate, ipv4, kV4)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(deregister, ipv4, kV4)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(growth, ipv4, kV4)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turnpike::bench
