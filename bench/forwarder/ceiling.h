// What the benchmarks of the forwarder share: the kernel alone, which they measure themselves against; clocks; and the
// forwarder's start, state and end by its C face.
#pragma once

#include <benchmark/benchmark.h>
#include <turnpike/forwarder.h>
#include <winerror.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "kernel/real_port.h"
#include "net/text.h"
#include "place.h"
#include "rtm/routes.h"

namespace turnpike::bench {

using kernel::Change;
using net::Family;
using Clock = std::chrono::steady_clock;

inline constexpr std::uint32_t kNextHops = 16;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Time on the wall, and that of processors by all threads of the process: others share the machine.
struct Taken {
  double wall = 0, cpu = 0;
};
class Watch {
 public:
  [[nodiscard]] Taken taken() const { return {seconds_since(begin_), cpu() - cpu_}; }

 private:
  static double cpu() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  Clock::time_point begin_ = Clock::now();
  double cpu_ = cpu();
};

inline double median(std::vector<double>& all) {
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

// Turns of ours and of the kernel alone, which go in pairs: what else the machine does meets both.
class Turns {
 public:
  void add(const Taken& ours, const Taken& limit) {
    took_.push_back(ours.wall);
    limits_.push_back(limit.wall);
    ratios_.push_back(ours.wall / limit.wall);
    cpu_ratios_.push_back(ours.cpu / limit.cpu);
  }
  // Their medians; ours is the time of the iteration.
  void tell(benchmark::State& state) {
    state.SetIterationTime(median(took_));
    state.counters["ceiling_s"] = median(limits_);
    state.counters["ratio"] = median(ratios_);
    state.counters["cpu_ratio"] = median(cpu_ratios_);
  }

 private:
  std::vector<double> took_, limits_, ratios_, cpu_ratios_;
};

// The benchmark's place, where nobody else manages routes.
inline Place& own_place() {
  static Place& own = [&]() -> Place& {
    Place& made = place();
    must(made.port->write_setting(kernel::kCompatMode, "0").has_value(), "nexthop_compat_mode");
    return made;
  }();
  return own;
}

inline net::Address gateway(Family family, std::uint32_t number) {
  return family == Family::kIpv4 ? net::Address::ipv4(0x0a000002 + number)
                                 : net::Address::from_halves(family, 0xfd00ULL << 48, 2 + number);
}

inline std::vector<net::Prefix> prefixes(Family family, std::size_t count, bool shuffles) {
  auto made = table(family, count);
  // Not what the links themselves have.
  std::erase_if(made, [](const net::Prefix& each) { return each.contains(net::Address::ipv4(0x0a000001)); });
  if (shuffles) std::shuffle(made.begin(), made.end(), std::mt19937(1));
  return made;
}

// The kernel port by itself, with 16 next hop objects of its own.
class Ceiling {
 public:
  explicit Ceiling(Family family) : writer_(own_place().port->open_writer().value()) {
    for (std::uint32_t i = 0; i < kNextHops; ++i) {
      kernel::NextHop object;
      object.id = 1 + i;
      object.protocol = 250;
      object.link = own_place().link;
      object.gateway = gateway(family, i);
      object.family = family;
      must(kernel::write_now(*writer_, Change::kAdd, object).has_value(), "next hop");
    }
  }
  ~Ceiling() {
    for (std::uint32_t i = 0; i < kNextHops; ++i) {
      kernel::NextHop object;
      object.id = 1 + i;
      static_cast<void>(kernel::write_now(*writer_, Change::kRemove, object));
    }
  }

  Taken write(Change change, const std::vector<net::Prefix>& all) {
    const Watch watch;
    std::uint32_t number = 0;
    for (const net::Prefix& each : all) {
      kernel::Route route;
      route.destination = each;
      route.protocol = 250;
      route.priority = 20;
      route.next_hop_id = 1 + number++ % kNextHops;
      while (!writer_->put(change, route, 0)) must(writer_->submit().refused.empty(), "refused");
    }
    must(writer_->submit().refused.empty(), "refused");
    return watch.taken();
  }

 private:
  std::unique_ptr<kernel::Writer> writer_;
};

inline void must_rtm(std::uint32_t status, const char* what) {
  if (status == NO_ERROR) return;
  std::fprintf(stderr, "%s: error %u\n", what, status);
  std::exit(1);
}

inline TP_FORWARDER_STATUS status() {
  TP_FORWARDER_STATUS now{};
  now.size = sizeof now;
  must_rtm(TpForwarderStatus(&now), "TpForwarderStatus");
  return now;
}
inline void wait_for(const std::function<bool(const TP_FORWARDER_STATUS&)>& there) {
  while (!there(status())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
inline void start() {
  static_cast<void>(own_place());
  TP_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = TP_FORWARDER_OWN_NAMESPACE;
  options.audit_every_ms = TP_FORWARDER_NEVER;
  char holder[64];
  must_rtm(TpForwarderStart(&options, holder, sizeof holder), "TpForwarderStart");
}
inline void stop(bool removes) { must_rtm(TpForwarderStop(removes ? 1 : 0), "TpForwarderStop"); }

inline void wait_for_installed(std::size_t count) {
  wait_for([&](const TP_FORWARDER_STATUS& now) { return now.installed >= count; });
}

}  // namespace turnpike::bench
