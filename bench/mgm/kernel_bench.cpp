// Multicast over the real kernel: what the multicast group manager adds to the least that a multicast router can do, a
// loop that reads an upcall and adds the entry. Both in the same run, between the same source and receiver:
//
//   first_packet   of a new flow, one flow at a time, from before its sending to after its receiving
//   new_flows      32 at a time: sent, and received, before the next 32. `router_us` is the processor time of a flow in
//   the
//                  router's thread: what the wall clock says is the machine's affair where others work on it
//   burst          all at once; `arrived` is the share that was forwarded at the first try
//   statistics     a walk over all entries with their counters, as MgmGetFirstMfeStats makes it
//
// `mgm` has two protocols: one on the way to the sources, asked by RPF and told of receivers, one with the receivers,
// asked by CREATION; and a route in the multicast view. Needs root.
// Before the kernel's headers, which leave out what libc has declared.
#include <arpa/inet.h>

#include <benchmark/benchmark.h>
#include <linux/mroute.h>
#include <mgm.h>
#include <net/if.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/mgm.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "ground/ground.h"
#include "ground/multicast.h"

namespace turnpike::mgm {
namespace {

using ground::GroupReceiver;
using ground::GroupSender;
using ground::Host;

constexpr std::uint32_t kGroup = 0xef010101;

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "mgm_kernel: %s\n", what);
  std::exit(1);
}

struct Place {
  Place() : source("source", 1), router("router", 2), home("home", 3) {
    source.ip({"link add eth0 type veth peer name in netns " + router.path(), "link set eth0 up",
               "addr add 10.0.0.2/24 dev eth0"});
    home.ip({"link add eth0 type veth peer name out netns " + router.path(), "link set eth0 up",
             "addr add 10.0.1.2/24 dev eth0"});
    router.ip({"link set in up", "addr add 10.0.0.1/24 dev in", "link set out up", "addr add 10.0.1.1/24 dev out"});
    router.forward();
    for (const Host* each : {&source, &home}) each->await_running("eth0");
    receiver = std::make_unique<GroupReceiver>(home, "eth0", "239.1.1.1");
    sender = std::make_unique<GroupSender>(source, "eth0");
    router.inside([&] {
      in = ::if_nametoindex("in");
      out = ::if_nametoindex("out");
    });
  }
  // A source that no packet came from yet.
  void send_new() {
    sender->send_as(0x0a100000 + next, kGroup, next);
    ++next;
  }
  Host source;
  Host router;
  Host home;
  std::unique_ptr<GroupReceiver> receiver;
  std::unique_ptr<GroupSender> sender;
  DWORD in = 0;
  DWORD out = 0;
  std::uint32_t next = 0;
};

Place& place() {
  static Place& made = *new Place;
  return made;
}

// The least: virtual interfaces 0 and 1, and a loop.
class Bare {
 public:
  Bare() {
    place().router.inside([&] {
      socket_ = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_IGMP);
      const int one = 1;
      const int room = 64 << 20;
      must(::setsockopt(socket_, IPPROTO_IP, MRT_INIT, &one, sizeof one) == 0, "no multicast table");
      must(::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == 0, "no root");
      for (const DWORD link : {place().in, place().out}) {
        vifctl vif{};
        vif.vifc_vifi = link == place().in ? 0 : 1;
        vif.vifc_flags = VIFF_USE_IFINDEX;
        vif.vifc_threshold = 1;
        vif.vifc_lcl_ifindex = static_cast<int>(link);
        must(::setsockopt(socket_, IPPROTO_IP, MRT_ADD_VIF, &vif, sizeof vif) == 0, "no virtual interface");
      }
      thread_ = std::thread([this] { loop(); });
    });
  }
  ~Bare() {
    done_ = true;
    place().send_new();  // wakes it
    thread_.join();
    place().receiver->await(1);
    ::close(socket_);
  }

 private:
  void loop() const {
    char buffer[256];
    while (!done_) {
      const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
      igmpmsg upcall;
      std::memcpy(&upcall, buffer, sizeof upcall);
      if (size < static_cast<ssize_t>(sizeof upcall) || upcall.im_mbz != 0) continue;
      mfcctl entry{};
      entry.mfcc_origin = upcall.im_src;
      entry.mfcc_mcastgrp = upcall.im_dst;
      entry.mfcc_parent = upcall.im_vif;
      entry.mfcc_ttls[1] = 1;
      must(::setsockopt(socket_, IPPROTO_IP, MRT_ADD_MFC, &entry, sizeof entry) == 0, "no entry");
    }
  }
  int socket_ = -1;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

DWORD rpf(DWORD, DWORD, DWORD, DWORD, PDWORD, PDWORD, PDWORD, DWORD, PBYTE, PBYTE) { return 0; }
DWORD creation(DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, PMGM_IF_ENTRY) { return 0; }
DWORD join(DWORD, DWORD, DWORD, DWORD, BOOL) { return 0; }
DWORD prune(DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, BOOL, PDWORD) { return 0; }

class Mgm {
 public:
  Mgm() {
    place().router.inside([&] {
      must(TpMgmForwarderStart(nullptr, nullptr, 0) == 0, "no multicast forwarder");
      add_way();
      ROUTING_PROTOCOL_CONFIG config{};
      config.pfnRpfCallback = rpf;
      config.pfnCreationAlertCallback = creation;
      config.pfnJoinAlertCallback = join;
      config.pfnPruneAlertCallback = prune;
      const DWORD links[] = {place().in, place().out};
      for (int i = 0; i < 2; ++i) {
        must(MgmRegisterMProtocol(&config, 1000 + i, 0, &clients_[i]) == 0, "no client");
        must(MgmTakeInterfaceOwnership(clients_[i], links[i], 0) == 0, "no interface");
      }
      must(MgmAddGroupMembershipEntry(clients_[1], 0, 0, htonl(kGroup), 0xffffffff, place().out, 0,
                                      MGM_JOIN_STATE_FLAG) == 0,
           "no membership");
    });
  }
  ~Mgm() {
    must(MgmReleaseInterfaceOwnership(clients_[1], place().out, 0) == 0, "an interface is left");
    must(MgmReleaseInterfaceOwnership(clients_[0], place().in, 0) == 0, "an interface is left");
    for (const HANDLE each : clients_) must(MgmDeRegisterMProtocol(each) == 0, "a client is left");
    must(RtmDeregisterEntity(entity_) == 0, "a route is left");
    must(TpMgmForwarderStop() == 0, "the forwarder is left");
  }

 private:
  void add_way() {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = 77;
    RTM_REGN_PROFILE profile{};
    must(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &entity_) == 0, "no entity");
    RTM_NEXTHOP_INFO hop{};
    RTM_IPV4_MAKE_NET_ADDRESS(&hop.NextHopAddress, 0, 32);
    hop.InterfaceIndex = place().in;
    RTM_NEXTHOP_HANDLE next_hop = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
    must(RtmAddNextHop(entity_, &hop, &next_hop, &hop_flags) == 0, "no next hop");
    RTM_ROUTE_INFO route{};
    route.BelongsToViews = RTM_VIEW_MASK_MCAST;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = next_hop;
    RTM_NET_ADDRESS network{};
    RTM_IPV4_MAKE_NET_ADDRESS(&network, htonl(0x0a000000), 8);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    must(RtmAddRouteToDest(entity_, nullptr, &network, &route, INFINITE, nullptr, 0, nullptr, &flags) == 0, "no route");
  }
  RTM_ENTITY_HANDLE entity_ = nullptr;
  HANDLE clients_[2] = {};
};

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Processor time of every thread but the one that asks, which sends and receives.
double router_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID); }

template <class Router>
void first_packet(benchmark::State& state) {
  place();
  const Router router;
  std::vector<double> times;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    place().send_new();
    must(place().receiver->await(1).size() == 1, "a first packet was lost");
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  state.counters["median_us"] = times[times.size() / 2];
  state.counters["p99_us"] = times[times.size() * 99 / 100];
}
BENCHMARK(first_packet<Bare>)->Name("first_packet/bare")->Iterations(2000);
BENCHMARK(first_packet<Mgm>)->Name("first_packet/mgm")->Iterations(2000);

template <class Router>
void new_flows(benchmark::State& state) {
  constexpr std::uint32_t kAtOnce = 32;
  place();
  const Router router;
  const double before = router_seconds();
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kAtOnce; ++i) place().send_new();
    must(place().receiver->await(kAtOnce).size() == kAtOnce, "a first packet was lost");
  }
  const auto flows = static_cast<double>(state.iterations() * kAtOnce);
  state.counters["router_us"] = (router_seconds() - before) / flows * 1e6;
  state.SetItemsProcessed(state.iterations() * kAtOnce);
}
BENCHMARK(new_flows<Bare>)->Name("new_flows/bare")->Iterations(500)->UseRealTime();
BENCHMARK(new_flows<Mgm>)->Name("new_flows/mgm")->Iterations(500)->UseRealTime();

template <class Router>
void burst(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  std::size_t arrived = 0;
  place();
  for (auto _ : state) {
    state.PauseTiming();
    auto router = std::make_unique<Router>();
    state.ResumeTiming();
    for (std::uint32_t i = 0; i < count; ++i) place().send_new();
    arrived += place().receiver->await(count).size();
    state.PauseTiming();
    router.reset();
    state.ResumeTiming();
  }
  state.counters["arrived"] = static_cast<double>(arrived) / static_cast<double>(state.iterations() * count);
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(burst<Bare>)->Name("burst/bare")->Arg(10'000)->Iterations(1)->UseRealTime();
BENCHMARK(burst<Mgm>)->Name("burst/mgm")->Arg(10'000)->Iterations(1)->UseRealTime();

void statistics(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  place();
  const Mgm router;
  for (std::uint32_t i = 0; i < count; i += 32) {
    for (int j = 0; j < 32; ++j) place().send_new();
    must(place().receiver->await(32).size() == 32, "a first packet was lost");
  }
  std::vector<BYTE> buffer(1 << 20);
  for (auto _ : state) {
    auto size = static_cast<DWORD>(buffer.size());
    DWORD got = 0;
    std::uint32_t seen = 0;
    DWORD answer = MgmGetFirstMfeStats(&size, buffer.data(), &got, MGM_MFE_STATS_1);
    while (answer == ERROR_MORE_DATA) {
      seen += got;
      MIB_IPMCAST_MFE last{};  // of entries with one outgoing interface each
      std::memcpy(&last, buffer.data() + (got - 1) * SIZEOF_MIB_MFE_STATS_EX(1), 8);
      answer = MgmGetNextMfeStats(&last, &size, buffer.data(), &got, MGM_MFE_STATS_1);
    }
    if (seen + got < count) state.SkipWithError("not every entry was shown");
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(statistics)->Arg(100'000)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace turnpike::mgm
