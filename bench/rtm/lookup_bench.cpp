// What longest match costs in bulk (src/rtm/lookup.h), on a table like the Internet's, beside DPDK's rte_fib where that
// is installed.
//
//   build     from the keys in order; bytes, a route
//   random    addresses all over the space (IPv6: over 2000::/3), a million different ones, 256 a call
//   routed    an address within a route, for each of a million routes picked at random
//   dpdk_…    the same for rte_fib (DIR-24-8, 4 bytes a place) and rte_fib6 (trie), as DPDK chooses to run them
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "dpdk_fib.h"
#include "routes.h"
#include "rtm/lookup.h"

namespace turnpike::bench {
namespace {

constexpr std::size_t kAddresses = 1 << 20;
constexpr std::size_t kCall = 256;
constexpr auto kV4 = net::Family::kIpv4;
constexpr auto kV6 = net::Family::kIpv6;

const std::vector<net::Prefix>& internet(net::Family family) {
  static const std::vector<net::Prefix> v4 = table(kV4, kInternetV4);
  static const std::vector<net::Prefix> v6 = table(kV6, kInternetV6);
  return family == kV4 ? v4 : v6;
}

std::unique_ptr<const rtm::Lookup> make_lookup(net::Family family) {
  const std::vector<net::Prefix>& prefixes = internet(family);
  rtm::Lookup::Builder builder(net::width_of(family), prefixes.size());
  std::uint32_t value = 0;
  for (const net::Prefix& prefix : prefixes) {
    const rtm::Key key{prefix.address().high(), prefix.address().low(), static_cast<std::uint8_t>(prefix.length())};
    if (!builder.add(key, ++value)) std::abort();
  }
  return std::move(*builder.finish());
}

const rtm::Lookup& lookup(net::Family family) {
  static const auto v4 = make_lookup(kV4);
  static const auto v6 = make_lookup(kV6);
  return family == kV4 ? *v4 : *v6;
}

DpdkFib* peer(net::Family family) {
  static const auto v4 = DpdkFib::make(internet(kV4));
  static const auto v6 = DpdkFib::make(internet(kV6));
  return family == kV4 ? v4.get() : v6.get();
}

std::vector<net::Address> routed_addresses(net::Family family, std::size_t count) {
  std::mt19937_64 random(2);
  const std::vector<net::Address> hosts = random_addresses(family, count);
  std::vector<net::Address> addresses;
  for (const net::Address& host : hosts) {
    const net::Prefix& prefix = internet(family)[random() % internet(family).size()];
    const net::Address mask = prefix.netmask();
    addresses.push_back(net::Address::from_halves(family, prefix.address().high() | (host.high() & ~mask.high()),
                                                  prefix.address().low() | (host.low() & ~mask.low())));
  }
  return addresses;
}

std::vector<net::Address> addresses(net::Family family, bool routed) {
  return routed ? routed_addresses(family, kAddresses) : random_addresses(family, kAddresses);
}

template <class Form>
std::vector<Form> network_form(net::Family family, bool routed) {
  std::vector<Form> forms;
  for (const net::Address& address : addresses(family, routed)) forms.push_back(address.to_network<Form>());
  return forms;
}

void count(benchmark::State& state) {
  state.counters["per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kCall), benchmark::Counter::kIsRate);
}

void build(benchmark::State& state, net::Family family) {
  const std::size_t routes = internet(family).size();  // made here, not in the loop
  std::size_t bytes = 0;
  for (auto _ : state) bytes = make_lookup(family)->bytes();
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["bytes_a_route"] = static_cast<double>(bytes) / static_cast<double>(routes);
}

template <class Form>
void find(benchmark::State& state, net::Family family, bool routed) {
  const rtm::Lookup& it = lookup(family);
  const std::vector<Form> asked = network_form<Form>(family, routed);
  std::vector<std::uint32_t> values(kCall);
  std::size_t next = 0;
  for (auto _ : state) {
    it.find(std::span(asked).subspan(next, kCall), values);
    benchmark::DoNotOptimize(values.data());
    next = (next + kCall) % kAddresses;
  }
  count(state);
}

void find_v4(benchmark::State& state, bool routed) { find<rtm::Lookup::Narrow>(state, kV4, routed); }
void find_v6(benchmark::State& state, bool routed) { find<rtm::Lookup::Wide>(state, kV6, routed); }

template <class Form>
void find_dpdk(benchmark::State& state, net::Family family, const std::vector<Form>& asked) {
  DpdkFib* fib = peer(family);
  if (fib == nullptr) {
    state.SkipWithError("no peer");
    return;
  }
  std::vector<std::uint64_t> values(kCall);
  std::size_t next = 0;
  for (auto _ : state) {
    fib->find(asked.data() + next, values.data(), kCall);
    benchmark::DoNotOptimize(values.data());
    next = (next + kCall) % kAddresses;
  }
  state.counters["bytes"] = static_cast<double>(fib->bytes());
  count(state);
}

void dpdk_v4(benchmark::State& state, bool routed) {
  std::vector<std::uint32_t> asked;
  for (const net::Address& address : addresses(kV4, routed)) asked.push_back(address.ipv4_host());
  find_dpdk(state, kV4, asked);
}
void dpdk_v6(benchmark::State& state, bool routed) {
  find_dpdk(state, kV6, network_form<rtm::Lookup::Wide>(kV6, routed));
}

BENCHMARK_CAPTURE(build, ipv4, kV4)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build, ipv6, kV6)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_v4, random, false)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(dpdk_v4, random, false)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(find_v4, routed, true)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(dpdk_v4, routed, true)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(find_v6, random, false)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(dpdk_v6, random, false)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(find_v6, routed, true)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(dpdk_v6, routed, true)->Threads(1)->Threads(2);

}  // namespace
}  // namespace turnpike::bench
