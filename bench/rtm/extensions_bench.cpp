// What the extensions of the routing table cost through the C face (include/turnpike/rtm.h), on a table like the
// Internet's: one entity, one next hop.
//
//   add                  TpRtmAddRoutes of every prefix, no handles asked for, 4096 a call; and TpRtmDeleteRoutesTo
//   match_destinations   TpRtmMatchDestinations of uniformly random addresses (IPv6: in 2000::/3), 4096 a call
//   match_routes         the same with everything that TpRtmMatchRoutes says of a route
//   snapshot             TpRtmOpenSnapshot and TpRtmCloseSnapshot
#include <benchmark/benchmark.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "routes.h"

namespace turnpike::bench {
namespace {

constexpr std::uint32_t kCall = 4096;
constexpr std::size_t kAddresses = 1 << 20;
constexpr auto kV4 = net::Family::kIpv4;
constexpr auto kV6 = net::Family::kIpv6;

void must(std::uint32_t status, const char* what) {
  if (status == 0) return;
  std::fprintf(stderr, "%s: error %u\n", what, status);
  std::abort();
}

class Loaded {
 public:
  explicit Loaded(net::Family family) {
    const bool narrow = family == kV4;
    RTM_ENTITY_INFO info{};
    info.AddressFamily = narrow ? AF_INET : AF_INET6;
    info.EntityId.EntityProtocolId = 77;
    RTM_REGN_PROFILE profile;
    must(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle), "RtmRegisterEntity");
    RTM_NEXTHOP_INFO next{};
    next.NextHopAddress.AddressFamily = info.AddressFamily;
    next.NextHopAddress.NumBits = narrow ? 32 : 128;
    next.NextHopAddress.AddrBits[0] = 0xfe;
    next.InterfaceIndex = 1;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    must(RtmAddNextHop(handle, &next, &hop_, &flags), "RtmAddNextHop");
    for (const net::Prefix& prefix : table(family, narrow ? kInternetV4 : kInternetV6)) {
      TpRtmRoute& route = routes_.emplace_back();
      route.destination.family = info.AddressFamily;
      route.destination.bits = static_cast<std::uint16_t>(prefix.length());
      std::memcpy(route.destination.address, prefix.address().bytes().data(), narrow ? 4 : 16);
      route.metric = 1;
      route.views = RTM_VIEW_MASK_UCAST;
      route.hop_count = 1;
      route.hops = &hop_;
      destinations_.push_back(route.destination);
    }
    for (const net::Address& address : random_addresses(family, kAddresses)) {
      const auto bytes = address.bytes();
      addresses.insert(addresses.end(), bytes.begin(), bytes.end());
    }
    stride = narrow ? 4 : 16;
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() { RtmDeregisterEntity(handle); }

  std::size_t size() const { return routes_.size(); }
  void add() {
    std::vector<std::uint32_t> statuses(kCall);
    for (std::size_t i = 0; i < size(); i += kCall) {
      const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(kCall, size() - i));
      must(TpRtmAddRoutes(handle, &routes_[i], count, statuses.data(), nullptr), "TpRtmAddRoutes");
    }
  }
  void remove() {
    std::vector<std::uint32_t> statuses(kCall);
    for (std::size_t i = 0; i < size(); i += kCall) {
      const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(kCall, size() - i));
      must(TpRtmDeleteRoutesTo(handle, &destinations_[i], count, statuses.data()), "TpRtmDeleteRoutesTo");
    }
  }

  RTM_ENTITY_HANDLE handle = nullptr;
  std::vector<std::uint8_t> addresses;
  std::size_t stride = 4;

 private:
  RTM_NEXTHOP_HANDLE hop_ = nullptr;
  std::vector<TpRtmRoute> routes_;
  std::vector<TpRtmAddress> destinations_;
};

// One at a time: the two families' tables together are more than the cache holds.
Loaded& loaded(net::Family family) {
  static std::unique_ptr<Loaded> one;
  static net::Family which;
  if (one == nullptr || which != family) {
    one.reset();
    one = std::make_unique<Loaded>(family);
    which = family;
    one->add();
  }
  return *one;
}

void rate(benchmark::State& state, std::size_t each) {
  state.counters["per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations() * each), benchmark::Counter::kIsRate);
}

void add(benchmark::State& state, net::Family family) {
  Loaded& it = loaded(family);
  for (auto _ : state) {
    state.PauseTiming();
    it.remove();
    state.ResumeTiming();
    it.add();
  }
  rate(state, it.size());
}

void remove(benchmark::State& state, net::Family family) {
  Loaded& it = loaded(family);
  for (auto _ : state) {
    it.remove();
    state.PauseTiming();
    it.add();
    state.ResumeTiming();
  }
  rate(state, it.size());
}

template <class Out, class Match>
void match(benchmark::State& state, net::Family family, Match&& match_some) {
  Loaded& it = loaded(family);
  std::vector<Out> out(kAddresses);
  must(match_some(it.handle, it.addresses.data(), kAddresses, out.data()), "the first match");  // builds
  std::size_t next = 0;
  for (auto _ : state) {
    must(match_some(it.handle, &it.addresses[next * it.stride], kCall, out.data()), "match");
    benchmark::DoNotOptimize(out.data());
    next = (next + kCall) % kAddresses;
  }
  rate(state, kCall);
}

void match_destinations(benchmark::State& state, net::Family family) {
  match<void*>(state, family, [](void* entity, const void* asked, std::uint32_t count, void** out) {
    return TpRtmMatchDestinations(entity, RTM_VIEW_MASK_UCAST, asked, count, out);
  });
}

void match_routes(benchmark::State& state, net::Family family) {
  match<TpRtmMatch>(state, family, [](void* entity, const void* asked, std::uint32_t count, TpRtmMatch* out) {
    return TpRtmMatchRoutes(entity, RTM_VIEW_MASK_UCAST, 0, asked, count, out);
  });
}

void snapshot(benchmark::State& state, net::Family family) {
  Loaded& it = loaded(family);
  for (auto _ : state) {
    TpRtmSnapshot opened = 0;
    must(TpRtmOpenSnapshot(it.handle, &opened), "TpRtmOpenSnapshot");
    must(TpRtmCloseSnapshot(opened), "TpRtmCloseSnapshot");
  }
  rate(state, it.size());
}

BENCHMARK_CAPTURE(match_destinations, ipv4, kV4);
BENCHMARK_CAPTURE(match_routes, ipv4, kV4);
BENCHMARK_CAPTURE(snapshot, ipv4, kV4)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(add, ipv4, kV4)->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(remove, ipv4, kV4)->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(match_destinations, ipv6, kV6);
BENCHMARK_CAPTURE(match_routes, ipv6, kV6);

}  // namespace
}  // namespace turnpike::bench
