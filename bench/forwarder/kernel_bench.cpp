// What lies between a client's call and the kernel: the forwarder over a table like the Internet's, against the kernel
// alone in the same run.
//
// Runs in a network namespace of its own, which it makes (as root, or in a user namespace), through the documented C
// face and include/turnpike/forwarder.h. The ceiling is the kernel port by itself: shuffled routes that name 16 next
// hop objects, 64 KiB a system call, nothing but refusals answered (what that costs over a bare socket:
// kernel_netlink). `ratio` is ours over the ceiling.
//
//   load/N       RtmAddRouteToDest of N prefixes until the kernel has all and says so
//   withdraw/N   RtmDeregisterEntity until the kernel has none
//                Both: ceiling and ours in turns, three times; `ratio` is the median of the three, `cpu_ratio` that of
//                the processor time that the whole process took (ours has the client's and the table's in it)
//   lone/N       one RtmAddRouteToDest until a listener of the kernel has heard of it, N other routes in the table;
//                medians. The ceiling: one written route, heard in the same way
//   move/N       the route to the gateway changes that N routes are resolved through, until the kernel leads elsewhere
//   restart/N    the forwarder stops and leaves N routes, and starts: until all are claimed. `writes` must be 0,
//                `dump_s` is what reading them by the kernel port takes if nothing is done with them
//   rebirth/N    the same where the clients begin anew as well: an empty table, and all routes are added again
//   load_v6/N    as load, IPv6, in address order
// `bytes` is the forwarder's own memory, a route.
#include <benchmark/benchmark.h>
#include <rtmv2.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "forwarder/ceiling.h"

namespace turnpike::bench {
namespace {

struct Round {
  Taken add, remove;
};
Round ceiling(Family family, const std::vector<net::Prefix>& all) {
  Ceiling limit(family);
  Round round;
  round.add = limit.write(Change::kAdd, all);
  round.remove = limit.write(Change::kRemove, all);
  return round;
}

// --- ours
// ----------------------------------------------------------------------------------------------------------------------

RTM_NET_ADDRESS net_address(const net::Address& address, unsigned length) {
  RTM_NET_ADDRESS result{};
  result.AddressFamily = address.is_ipv4() ? AF_INET : AF_INET6;
  result.NumBits = static_cast<USHORT>(length);
  std::memcpy(result.AddrBits, address.bytes().data(), address.bytes().size());
  return result;
}

class Entity {
 public:
  explicit Entity(Family family) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = family == Family::kIpv4 ? AF_INET : AF_INET6;
    info.EntityId.EntityProtocolId = 77;
    RTM_REGN_PROFILE profile{};
    must_rtm(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle_), "RtmRegisterEntity");
    for (std::uint32_t i = 0; i < kNextHops; ++i) hops_.push_back(hop(gateway(family, i), own_place().link.value(), 0));
  }
  RTM_NEXTHOP_HANDLE hop(const net::Address& address, ULONG link, USHORT flags) {
    RTM_NEXTHOP_INFO info{};
    info.NextHopAddress = net_address(address, address.width());
    info.InterfaceIndex = link;
    info.Flags = flags;
    RTM_NEXTHOP_HANDLE made = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS change = 0;
    must_rtm(RtmAddNextHop(handle_, &info, &made, &change), "RtmAddNextHop");
    return made;
  }
  void add(const net::Prefix& prefix, RTM_NEXTHOP_HANDLE hop) const {
    RTM_ROUTE_INFO route{};
    route.PrefInfo.Metric = 1;
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = hop;
    RTM_NET_ADDRESS address = net_address(prefix.address(), prefix.length());
    RTM_ROUTE_CHANGE_FLAGS flags = RTM_ROUTE_CHANGE_FIRST;
    must_rtm(RtmAddRouteToDest(handle_, nullptr, &address, &route, INFINITE, nullptr, 0, nullptr, &flags),
             "RtmAddRouteToDest");
  }
  void add_all(const std::vector<net::Prefix>& all) const {
    std::uint32_t number = 0;
    for (const net::Prefix& each : all) add(each, hops_[number++ % kNextHops]);
  }
  // Next hops that were not given back are reported; here that does not matter.
  void leave() {
    if (handle_ != nullptr) must_rtm(RtmDeregisterEntity(std::exchange(handle_, nullptr)), "RtmDeregisterEntity");
  }
  ~Entity() { leave(); }
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;
  [[nodiscard]] RTM_NEXTHOP_HANDLE first_hop() const { return hops_.front(); }

 private:
  RTM_ENTITY_HANDLE handle_ = nullptr;
  std::vector<RTM_NEXTHOP_HANDLE> hops_;
};

// --- whole tables
// ------------------------------------------------------------------------------------------------------------------

Round ours(Family family, const std::vector<net::Prefix>& all, benchmark::State& state) {
  start();
  Entity entity(family);
  const auto before = status().installed;
  Round round;
  const Watch load;
  entity.add_all(all);
  state.counters["calls_s"] = load.taken().wall;
  wait_for_installed(before + all.size());
  round.add = load.taken();
  state.counters["bytes"] = static_cast<double>(status().bytes) / static_cast<double>(all.size());
  const Watch withdrawal;
  entity.leave();
  wait_for([&](const TP_FORWARDER_STATUS& now) { return now.installed <= before && now.pending == 0; });
  round.remove = withdrawal.taken();
  stop(true);
  return round;
}

void load_and_withdraw(benchmark::State& state, Family family, Taken Round::* which) {
  constexpr int kTurns = 3;
  static_cast<void>(own_place());
  const auto all = prefixes(family, static_cast<std::size_t>(state.range(0)), false);
  const auto order_of_ceiling = prefixes(family, static_cast<std::size_t>(state.range(0)), family == Family::kIpv4);
  for (auto _ : state) {
    Turns turns;
    for (int turn = 0; turn < kTurns; ++turn) {
      const Taken limit = ceiling(family, order_of_ceiling).*which;
      const Taken here = ours(family, all, state).*which;
      turns.add(here, limit);
    }
    turns.tell(state);
  }
}
void load(benchmark::State& state) { load_and_withdraw(state, Family::kIpv4, &Round::add); }
void withdraw(benchmark::State& state) { load_and_withdraw(state, Family::kIpv4, &Round::remove); }
void load_v6(benchmark::State& state) { load_and_withdraw(state, Family::kIpv6, &Round::add); }

// A start over a kernel that has all of it already.
void start_over(benchmark::State& state, bool clients_too) {
  static_cast<void>(own_place());
  const auto all = prefixes(Family::kIpv4, static_cast<std::size_t>(state.range(0)), false);
  for (auto _ : state) {
    start();
    auto entity = std::make_unique<Entity>(Family::kIpv4);
    entity->add_all(all);
    wait_for_installed(all.size());
    stop(false);
    if (clients_too) entity.reset();
    const Watch dump;
    must(own_place().port->dump_routes({.family = Family::kIpv4}, {{}, [](const kernel::Route&) {}}).has_value(),
         "dump");
    state.counters["dump_s"] = dump.taken().wall;
    state.counters["dump_cpu_s"] = dump.taken().cpu;
    const Watch watch;
    start();
    state.counters["start_s"] = watch.taken().wall;
    if (clients_too) {
      state.counters["bytes_unclaimed"] = static_cast<double>(status().bytes) / static_cast<double>(all.size());
      entity = std::make_unique<Entity>(Family::kIpv4);
      entity->add_all(all);
    }
    wait_for_installed(all.size());
    const Taken took = watch.taken();
    state.SetIterationTime(took.wall);
    state.counters["cpu_s"] = took.cpu;
    state.counters["writes"] = static_cast<double>(status().written + status().removed);
    state.counters["bytes"] = static_cast<double>(status().bytes) / static_cast<double>(all.size());
    entity.reset();
    stop(true);
  }
}
void restart(benchmark::State& state) { start_over(state, false); }
void rebirth(benchmark::State& state) { start_over(state, true); }

// --- single changes
// ---------------------------------------------------------------------------------------------------------------

// Hears the kernel, as any program may.
class Ear final : public kernel::Listener {
 public:
  Ear() {
    kernel::MonitorOptions options;
    options.topics.ipv4_routes = options.topics.next_hops = true;
    monitor_ = own_place().port->open_monitor(options).value();
  }
  void on_route(const kernel::Notice& notice, const kernel::Route& route) override {
    heard_ = heard_ || (!notice.gone && route.destination == wanted_);
  }
  void on_next_hop(const kernel::Notice& notice, const kernel::NextHop& object) override {
    objects_ += !notice.gone && object.kind == kernel::NextHopKind::kGroup ? 1 : 0;
  }
  void on_loss(kernel::Loss) override {}
  void forget() {
    heard_ = false;
    while (monitor_->read(*this).value_or(0) != 0) {
    }
    heard_ = false;
    objects_ = 0;
  }
  // Spins: what is measured is not how we are woken.
  void await(const net::Prefix& prefix) {
    wanted_ = prefix;
    while (!heard_) must(monitor_->read(*this).has_value(), "monitor");
  }
  void await_group() {
    while (objects_ == 0) must(monitor_->read(*this).has_value(), "monitor");
  }
  void expect(const net::Prefix& prefix) { wanted_ = prefix; }

 private:
  std::unique_ptr<kernel::Monitor> monitor_;
  net::Prefix wanted_;
  bool heard_ = false;
  int objects_ = 0;
};

constexpr int kRounds = 400;
net::Prefix lone_prefix(int round) {
  return {net::Address::ipv4(0xf0000000 + static_cast<std::uint32_t>(round) * 256), 24};
}

double lone_raw() {
  Ceiling limit(Family::kIpv4);
  const auto writer = own_place().port->open_writer().value();
  Ear ear;
  std::vector<double> all;
  for (int round = 0; round < kRounds; ++round) {
    kernel::Route route;
    route.destination = lone_prefix(round);
    route.protocol = 250;
    route.next_hop_id = 1;
    ear.forget();
    const auto begin = Clock::now();
    must(kernel::write_now(*writer, Change::kAdd, route).has_value(), "route");
    ear.await(route.destination);
    all.push_back(seconds_since(begin));
    must(kernel::write_now(*writer, Change::kRemove, route).has_value(), "route");
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return median(all);
}

void lone(benchmark::State& state) {
  static_cast<void>(own_place());
  const auto all = prefixes(Family::kIpv4, static_cast<std::size_t>(state.range(0)), false);
  for (auto _ : state) {
    start();
    Entity entity(Family::kIpv4);
    entity.add_all(all);
    wait_for_installed(all.size());
    const double raw = lone_raw();
    Ear ear;
    std::vector<double> took;
    for (int round = 0; round < kRounds; ++round) {
      std::this_thread::sleep_for(std::chrono::microseconds(500));  // asleep again
      ear.forget();
      const auto begin = Clock::now();
      entity.add(lone_prefix(round), entity.first_hop());
      ear.await(lone_prefix(round));
      took.push_back(seconds_since(begin));
    }
    const double ours = median(took);
    state.SetIterationTime(ours);
    state.counters["raw_us"] = raw * 1e6;
    state.counters["ratio"] = ours / raw;
    entity.leave();
    stop(true);
  }
}

void move(benchmark::State& state) {
  static_cast<void>(own_place());
  const auto all = prefixes(Family::kIpv4, static_cast<std::size_t>(state.range(0)), false);
  const net::Prefix towards(net::Address::ipv4(0xf1000000), 24);
  for (auto _ : state) {
    start();
    Entity entity(Family::kIpv4);
    const auto first = entity.hop(gateway(Family::kIpv4, 0), own_place().link.value(), 0);
    const auto second = entity.hop(gateway(Family::kIpv4, 1), own_place().link.value(), 0);
    const auto far = entity.hop(net::Address::ipv4(0xf1000001), 0, RTM_NEXTHOP_FLAGS_REMOTE);
    entity.add(towards, first);
    for (const net::Prefix& each : all) entity.add(each, far);
    wait_for([&](const TP_FORWARDER_STATUS& now) { return now.installed > all.size(); });
    Ear ear;
    std::vector<double> took;
    const auto written = status().written;
    for (int round = 0; round < 20; ++round) {
      ear.forget();
      const auto begin = Clock::now();
      entity.add(towards, round % 2 == 0 ? second : first);
      ear.await_group();
      took.push_back(seconds_since(begin));
    }
    state.SetIterationTime(median(took));
    state.counters["routes_written"] = static_cast<double>(status().written - written) / 20;
    entity.leave();
    stop(true);
  }
}

void sizes(benchmark::internal::Benchmark* its) {
  for (const std::size_t count : {std::size_t{1000}, std::size_t{10'000}, std::size_t{100'000}, kInternetV4}) {
    its->Arg(static_cast<std::int64_t>(count));
  }
  its->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(load)->Apply(sizes);
BENCHMARK(withdraw)->Apply(sizes);
BENCHMARK(load_v6)->Arg(kInternetV6)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(restart)->Arg(kInternetV4)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(rebirth)->Arg(kInternetV4)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(lone)->Arg(0)->Arg(kInternetV4)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(move)->Arg(kInternetV4)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turnpike::bench
