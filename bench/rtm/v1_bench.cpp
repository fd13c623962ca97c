// What RTMv1 costs beside RTMv2: the same work by both, one after the other in each iteration, on a table like the
// Internet's. The promise is a ratio of at most 1.6.
//
//   add      RtmAddRoute, and RtmAddRouteToDest with one next hop (whose handle the client has); nobody listens
//   delete   RtmDeleteRoute, which names a route by its contents, and what does that by RTMv2: RtmGetExactMatchRoute
//            with the owner and the next hop, its release, RtmDeleteRouteToDest; beside it (`v2_handle_ns`) the last
//            alone, for a client that has kept every handle
//   dequeue  RtmDequeueRouteChangeMessage, which brings the new best route, and what does that by RTMv2:
//            RtmGetChangedDests, 64 at once, RtmGetRouteInfo of each best route, the releases; beside it
//            (`v2_bare_ns`) without the routes' contents
//   watched  the addition while one client of the same version listens, and reads nothing yet
//   deregister/N  RtmDeregisterClient of a client that owns all of it, while N others listen: `hold_ms` is the longest
//            that the table's lock was held
//
// Times are a route's, in nanoseconds of the calling thread's processor time: all of the work is done there, and what
// else the machine does is left out.
#include <windows.h>

#include <benchmark/benchmark.h>
#include <rtm.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "routes.h"

namespace turnpike::bench {
namespace {

constexpr std::size_t kRoutes = kInternetV4;
constexpr UINT kBatch = 64;

void must(DWORD status, const char* what) {
  if (status == NO_ERROR) return;
  std::fprintf(stderr, "%s: error %u\n", what, status);
  std::abort();
}

template <class Work>
double nanoseconds_a_route(Work&& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  work();
  return (now() - begin) / double{kRoutes};
}

struct Prefix {
  DWORD number;
  USHORT length;
};
const std::vector<Prefix>& prefixes() {
  static const std::vector<Prefix> all = [] {
    std::vector<Prefix> made;
    for (const net::Prefix& each : table(net::Family::kIpv4, kRoutes)) {
      Prefix prefix{0, static_cast<USHORT>(each.length())};
      std::memcpy(&prefix.number, each.address().bytes().data(), sizeof prefix.number);
      made.push_back(prefix);
    }
    return made;
  }();
  return all;
}

class Old {
 public:
  explicit Old(DWORD protocol, bool listens = false)
      : event_(CreateEventW(nullptr, TRUE, FALSE, nullptr)),
        handle_(RtmRegisterClient(RTM_PROTOCOL_FAMILY_IP, protocol, listens ? event_ : nullptr, 0)) {
    must(handle_ == nullptr ? GetLastError() : NO_ERROR, "RtmRegisterClient");
  }
  Old(const Old&) = delete;
  Old& operator=(const Old&) = delete;
  ~Old() {
    must(RtmDeregisterClient(handle_), "RtmDeregisterClient");
    CloseHandle(event_);
  }
  static RTM_IP_ROUTE route(const Prefix& prefix) {
    RTM_IP_ROUTE made{};
    made.RR_Network.N_NetNumber = prefix.number;
    made.RR_Network.N_NetMask = prefix.length == 0 ? 0 : __builtin_bswap32(~DWORD{0} << (32 - prefix.length));
    made.RR_InterfaceID = 1;
    made.RR_NextHopAddress = {0x010200C0, ~DWORD{0}};
    made.RR_FamilySpecificData.FSD_Type = 4;
    made.RR_FamilySpecificData.FSD_Metric = 1;
    made.RR_FamilySpecificData.FSD_Flags = IP_VALID_ROUTE;
    return made;
  }
  void add_all() const {
    for (const Prefix& each : prefixes()) {
      RTM_IP_ROUTE made = route(each);
      DWORD flags = 0;
      must(RtmAddRoute(handle_, &made, INFINITE, &flags, nullptr, nullptr), "RtmAddRoute");
    }
  }
  void delete_all() const {
    for (const Prefix& each : prefixes()) {
      RTM_IP_ROUTE made = route(each);
      DWORD flags = 0;
      must(RtmDeleteRoute(handle_, &made, &flags, nullptr), "RtmDeleteRoute");
    }
  }
  void read_all() const {
    std::size_t count = 0;
    RTM_IP_ROUTE now;
    DWORD flags = 0;
    DWORD code = ERROR_MORE_MESSAGES;
    for (; code == ERROR_MORE_MESSAGES; ++count) {
      code = RtmDequeueRouteChangeMessage(handle_, &flags, &now, nullptr);
    }
    must(count == kRoutes ? code : DWORD{ERROR_INVALID_DATA}, "RtmDequeueRouteChangeMessage");
  }

 private:
  HANDLE event_;
  HANDLE handle_;
};

class New {
 public:
  explicit New(ULONG protocol) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = protocol;
    RTM_REGN_PROFILE profile{};
    must(RtmRegisterEntity(&info, nullptr, &New::ignore, FALSE, &profile, &handle_), "RtmRegisterEntity");
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress = net_address({0x010200C0, 32});
    hop.InterfaceIndex = 1;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    must(RtmAddNextHop(handle_, &hop, &hop_, &flags), "RtmAddNextHop");
  }
  New(const New&) = delete;
  New& operator=(const New&) = delete;
  ~New() {
    must(RtmReleaseNextHops(handle_, 1, &hop_), "RtmReleaseNextHops");
    must(RtmDeregisterEntity(handle_), "RtmDeregisterEntity");
  }
  void add_all(std::vector<RTM_ROUTE_HANDLE>* handles = nullptr) const {
    for (const Prefix& each : prefixes()) {
      RTM_NET_ADDRESS address = net_address(each);
      RTM_ROUTE_INFO route{};
      route.Neighbour = hop_;
      route.PrefInfo.Metric = 1;
      route.BelongsToViews = RTM_VIEW_MASK_UCAST;
      route.NextHopsList.NumNextHops = 1;
      route.NextHopsList.NextHops[0] = hop_;
      RTM_ROUTE_CHANGE_FLAGS flags = 0;
      RTM_ROUTE_HANDLE added = nullptr;
      must(RtmAddRouteToDest(handle_, handles != nullptr ? &added : nullptr, &address, &route, INFINITE, nullptr, 0,
                             nullptr, &flags),
           "RtmAddRouteToDest");
      if (handles != nullptr) handles->push_back(added);
    }
  }
  void delete_all() const {
    for (const Prefix& each : prefixes()) {
      RTM_NET_ADDRESS address = net_address(each);
      RTM_ROUTE_INFO route{};
      route.RouteOwner = handle_;
      route.Neighbour = hop_;
      RTM_ROUTE_HANDLE found = nullptr;
      must(RtmGetExactMatchRoute(handle_, &address, RTM_MATCH_OWNER | RTM_MATCH_NEIGHBOUR, &route, 0,
                                 RTM_VIEW_MASK_UCAST, &found),
           "RtmGetExactMatchRoute");
      must(RtmReleaseRouteInfo(handle_, &route), "RtmReleaseRouteInfo");
      RTM_ROUTE_CHANGE_FLAGS flags = 0;
      must(RtmDeleteRouteToDest(handle_, found, &flags), "RtmDeleteRouteToDest");
    }
  }
  void delete_all(const std::vector<RTM_ROUTE_HANDLE>& handles) const {
    for (const RTM_ROUTE_HANDLE each : handles) {
      RTM_ROUTE_CHANGE_FLAGS flags = 0;
      must(RtmDeleteRouteToDest(handle_, each, &flags), "RtmDeleteRouteToDest");
    }
  }
  void watch() {
    must(RtmRegisterForChangeNotification(handle_, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, nullptr, &notify_),
         "RtmRegisterForChangeNotification");
  }
  double longest_hold_ms() const {
    TpRtmTableStatistics statistics{};
    statistics.size = sizeof statistics;
    must(TpRtmGetTableStatistics(handle_, &statistics), "TpRtmGetTableStatistics");
    return static_cast<double>(statistics.longest_step_ns) / 1e6;
  }
  void read_all(bool with_routes) const {
    std::size_t all = 0;
    std::vector<RTM_DEST_INFO> records(kBatch);
    for (UINT count = kBatch; all < kRoutes; count = kBatch) {
      must(RtmGetChangedDests(handle_, notify_, &count, records.data()), "RtmGetChangedDests");
      for (UINT i = 0; with_routes && i < count; ++i) {
        RTM_ROUTE_INFO route;
        must(RtmGetRouteInfo(handle_, records[i].ViewInfo[0].Route, &route, nullptr), "RtmGetRouteInfo");
        must(RtmReleaseRouteInfo(handle_, &route), "RtmReleaseRouteInfo");
      }
      must(RtmReleaseChangedDests(handle_, notify_, count, records.data()), "RtmReleaseChangedDests");
      all += count;
    }
  }

 private:
  static RTM_NET_ADDRESS net_address(const Prefix& prefix) {
    RTM_NET_ADDRESS made{};
    made.AddressFamily = AF_INET;
    made.NumBits = prefix.length;
    std::memcpy(made.AddrBits, &prefix.number, sizeof prefix.number);
    return made;
  }
  static DWORD WINAPI ignore(RTM_ENTITY_HANDLE, RTM_EVENT_TYPE, PVOID, PVOID) { return ERROR_NOT_SUPPORTED; }

  RTM_ENTITY_HANDLE handle_ = nullptr;
  RTM_NEXTHOP_HANDLE hop_ = nullptr;
  RTM_NOTIFY_HANDLE notify_ = nullptr;
};

void report(benchmark::State& state, double v1, double v2) {
  state.SetIterationTime(v1 * double{kRoutes} / 1e9);
  state.counters["v1_ns"] = v1;
  state.counters["v2_ns"] = v2;
  state.counters["ratio"] = v1 / v2;
}

void add(benchmark::State& state) {
  prefixes();
  for (auto _ : state) {
    double v1 = 0;
    double v2 = 0;
    {
      const New client(77);
      v2 = nanoseconds_a_route([&] { client.add_all(); });
    }
    {
      const Old client(77);
      v1 = nanoseconds_a_route([&] { client.add_all(); });
    }
    report(state, v1, v2);
  }
}

void remove(benchmark::State& state) {
  prefixes();
  for (auto _ : state) {
    const New newer(77);
    const Old older(77);
    newer.add_all();
    const double v2 = nanoseconds_a_route([&] { newer.delete_all(); });
    older.add_all();
    const double v1 = nanoseconds_a_route([&] { older.delete_all(); });
    std::vector<RTM_ROUTE_HANDLE> handles;
    handles.reserve(kRoutes);
    newer.add_all(&handles);
    state.counters["v2_handle_ns"] = nanoseconds_a_route([&] { newer.delete_all(handles); });
    report(state, v1, v2);
  }
}

// Both are fed by the same RTMv2 client, one after the other. `of_adding`: measure the feeding, not the reading.
void listen(benchmark::State& state, bool of_adding) {
  prefixes();
  for (auto _ : state) {
    double v1[2] = {};
    double v2[2] = {};
    {
      const New feeder(77);
      New listener(78);
      listener.watch();
      v2[0] = nanoseconds_a_route([&] { feeder.add_all(); });
      v2[1] = nanoseconds_a_route([&] { listener.read_all(true); });
    }
    {
      const Old feeder(77);
      const Old listener(78, true);
      v1[0] = nanoseconds_a_route([&] { feeder.add_all(); });
      v1[1] = nanoseconds_a_route([&] { listener.read_all(); });
    }
    if (!of_adding) {
      const New feeder(77);
      New listener(78);
      listener.watch();
      feeder.add_all();
      state.counters["v2_bare_ns"] = nanoseconds_a_route([&] { listener.read_all(false); });
    }
    report(state, v1[of_adding ? 0 : 1], v2[of_adding ? 0 : 1]);
  }
}
void dequeue(benchmark::State& state) { listen(state, false); }
void watched(benchmark::State& state) { listen(state, true); }

void deregister(benchmark::State& state) {
  prefixes();
  for (auto _ : state) {
    const New onlooker(79);
    std::vector<std::unique_ptr<Old>> listeners;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      listeners.push_back(std::make_unique<Old>(static_cast<DWORD>(100 + i), true));
    }
    auto leaver = std::make_unique<Old>(77);
    leaver->add_all();
    const double each = nanoseconds_a_route([&] { leaver.reset(); });
    state.SetIterationTime(each * double{kRoutes} / 1e9);
    state.counters["hold_ms"] = onlooker.longest_hold_ms();
  }
}

BENCHMARK(add)->Name("add")->Iterations(1)->UseManualTime();
BENCHMARK(remove)->Name("delete")->Iterations(1)->UseManualTime();
BENCHMARK(dequeue)->Name("dequeue")->Iterations(1)->UseManualTime();
BENCHMARK(deregister)
    ->Name("deregister")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(watched)->Name("watched")->Iterations(1)->UseManualTime();

}  // namespace
}  // namespace turnpike::bench
