// What NDIS on real links costs, beside what it is measured against: the table of docs/benchmarks.md.
//
// All ways are open at once, each on a veth pair of its own, and take turns: one frame, or 128 bursts of 64, each. So a
// change of the machine's mood meets all of them, and what counts is the ratio of medians over the turns. Figures of
// `wherever` depend on where the scheduler puts sender and receiver (on two processors a wake-up is an interrupt to one
// that may have gone to sleep); those of `one_cpu` do not.
#include <benchmark/benchmark.h>
#include <turnpike/ndis.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

#include "../place.h"
#include "bench_driver.h"
#include "ground/one_processor.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

double median(std::vector<double> all) {
  if (all.empty()) return 0;
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
  return all[all.size() / 2];
}

double now_ns() { return static_cast<double>(Clock::now().time_since_epoch().count()); }
double worked_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// A way on a link of its own, and what was measured of it.
struct Contestant {
  Contestant(const Kind& sender, const Kind& receiver) : name(receiver.name) {
    const std::string number = add_link();
    from = sender.open("left" + number);
    to = receiver.open("right" + number);
  }
  [[nodiscard]] bool is_ours() const { return name.starts_with("turnpike"); }

  std::string name;
  Way::Arrivals arrivals;  // beyond the ways, which may be telling it the last
  std::unique_ptr<Way> from, to;
  std::vector<double> took, worked;
};
using Contest = std::vector<std::unique_ptr<Contestant>>;

const Kind& of_name(const std::vector<Kind>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Kind::name);
  must(found != all.end(), ("this build has no " + name).c_str());
  return *found;
}

// `sender`: of all of them; empty: each sends by itself.
Contest contest(const std::vector<Kind>& all, const std::vector<std::string>& names, const std::string& sender = "") {
  Contest made;
  for (const std::string& name : names) {
    const std::string plain = name.substr(0, name.rfind("_thread"));
    made.push_back(std::make_unique<Contestant>(of_name(all, sender.empty() ? plain : sender), of_name(all, name)));
  }
  return made;
}

// One frame to a receiver that has slept for 50 µs at least.
void one_frame(Contestant& each) {
  std::this_thread::sleep_for(microseconds(50));
  const std::uint32_t before = each.arrivals.seen;
  const double start = now_ns();
  each.from->send(sample_frame(), 1);
  each.arrivals.seen.wait(before);
  each.took.push_back(static_cast<double>(each.arrivals.at.load()) - start);
}

// A sender that does not stop, and whoever receives: nanoseconds of a frame. So many that waking up at the beginning
// and being heard at the end do not count; the sender waits only for a receiver that has fallen a whole window behind.
void many_frames(Contestant& each) {
  constexpr std::size_t kBursts = 128;
  constexpr std::size_t kBurst = 64;
  const auto sample = sample_frame();
  std::uint64_t sum = 0, sent = 0, received = 0;
  const double start = now_ns(), began = worked_ns();
  for (std::size_t burst = 0; burst < kBursts; ++burst) {
    each.from->send(sample, kBurst);
    sent += kBurst;
    if (sent - received >= each.to->window()) take(*each.to, sent - received - each.to->window() / 2, received, sum);
  }
  take(*each.to, sent - received, received, sum);
  benchmark::DoNotOptimize(sum);
  must(received == sent, (each.name + " lost frames").c_str());
  each.took.push_back((now_ns() - start) / static_cast<double>(sent));
  each.worked.push_back((worked_ns() - began) / static_cast<double>(sent));
}

// Ours are called turnpike_…: ratio_X says how many times what the best of the others takes.
void tell(benchmark::State& state, const Contest& all) {
  double best = 1e300;
  for (const auto& each : all) {
    if (!each->is_ours()) best = std::min(best, median(each->took));
  }
  for (const auto& each : all) {
    const double took = median(each->took);
    state.counters[each->name] = took;
    if (!each->worked.empty()) state.counters["cpu_" + each->name] = median(each->worked);
    if (each->is_ours()) state.counters["ratio_" + each->name] = took / best;
  }
}

// In turns, each time beginning with another.
template <class Measure>
void take_turns(benchmark::State& state, const Contest& all, Measure measure) {
  std::size_t first = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at < all.size(); ++at) measure(*all[(first + at) % all.size()]);
    ++first;
  }
}

std::vector<Kind> every_way() {
  place();  // before there is a second thread
  static const bool kStarted = TpNdisStart(nullptr) == 0;
  must(kStarted, "TpNdisStart");
  std::vector<Kind> all;
  for (const auto& some : {bare_ways(), pcap_ways(), xdp_ways(), our_ways(), driver_ways()})
    all.insert(all.end(), some.begin(), some.end());
  for (std::size_t at = 0, count = all.size(); at < count; ++at) {
    if (!all[at].name.starts_with("turnpike")) all.push_back(threaded(all[at]));
  }
  return all;
}

void latency(benchmark::State& state) {
  std::optional<ground::OneProcessor> one;
  if (state.range(0) != 0) one.emplace();
  const auto ways = every_way();
  const Contest all = contest(
      ways, {"recvfrom_sendto", "libpcap_immediate", "v2_poll_of_two", "v2_epoll", "turnpike_packet", "turnpike_ndis6"},
      "recvfrom_sendto");
  for (const auto& each : all) each->to->listen(each->arrivals);
  take_turns(state, all, one_frame);
  for (const auto& each : all) each->to->end_listening(*each->from, sample_frame());
  tell(state, all);
}
BENCHMARK(latency)->ArgName("one_cpu")->Arg(0)->Arg(1)->Iterations(1000);

void compare(benchmark::State& state, const std::vector<std::string>& names) {
  std::optional<ground::OneProcessor> one;
  if (state.range(0) != 0) one.emplace();
  const Contest all = contest(every_way(), names);
  take_turns(state, all, many_frames);
  for (const auto& each : all) {
    if (each->name.ends_with("_thread")) each->to->end_listening(*each->from, sample_frame());
  }
  tell(state, all);
}

// One thread that sends and receives in turns never waits: the least that this can cost.
void beside_one_thread(benchmark::State& state) {
  compare(state, {"recvfrom_sendto", "recvmmsg_sendmmsg", "v2_sendto", "v2_txring", "v2_sendmmsg", "libpcap_immediate",
                  "turnpike_packet", "turnpike_ndis6"});
}
BENCHMARK(beside_one_thread)->ArgName("one_cpu")->Arg(0)->Arg(1)->Iterations(30);

// A thread that receives, and sleeps until there is something: what a program is that does not know when frames come.
void beside_a_thread(benchmark::State& state) {
  compare(state, {"recvmmsg_sendmmsg_thread", "v2_sendto_thread", "v2_txring_thread", "v2_sendmmsg_thread",
                  "v3_retire_1ms_thread", "libpcap_immediate_thread", "turnpike_packet", "turnpike_ndis6"});
}
BENCHMARK(beside_a_thread)->ArgName("one_cpu")->Arg(0)->Arg(1)->Iterations(30);

void xdp_beside_one_thread(benchmark::State& state) {
  compare(state, {"af_xdp_generic", "af_xdp_native", "turnpike_xdp", "turnpike_ndis6_xdp"});
}
BENCHMARK(xdp_beside_one_thread)->ArgName("one_cpu")->Arg(0)->Arg(1)->Iterations(30);

void xdp_beside_a_thread(benchmark::State& state) {
  compare(state, {"af_xdp_generic_thread", "af_xdp_native_thread", "turnpike_xdp", "turnpike_ndis6_xdp"});
}
BENCHMARK(xdp_beside_a_thread)->ArgName("one_cpu")->Arg(0)->Arg(1)->Iterations(30);

// A driver is bound and unbound while a frame comes every 20 µs: from the change of the policy to the first frame, and
// to the last; in milliseconds.
void bind_and_unbind(benchmark::State& state) {
  const auto ways = every_way();
  const std::string number = add_link();
  const auto from = ways.front().open("left" + number);
  std::atomic<bool> ends = false;
  std::thread sender([&] {
    for (; !ends.load(); std::this_thread::sleep_for(microseconds(20))) from->send(sample_frame(), 1);
  });
  {
    Way::Arrivals arrivals;
    BenchDriver driver("bench-comes-and-goes", "",
                       [&arrivals](PNET_BUFFER_LIST, std::size_t frames) { arrivals.note(frames); });
    std::vector<double> first, last;
    for (auto _ : state) {
      const std::uint32_t before = arrivals.seen;
      double start = now_ns();
      driver.bind_to("right" + number);
      arrivals.seen.wait(before);
      first.push_back((static_cast<double>(arrivals.at) - start) / 1e6);
      TpNdisQuiesce();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      start = now_ns();
      driver.bind_to("");
      TpNdisQuiesce();
      last.push_back((static_cast<double>(arrivals.at) - start) / 1e6);
    }
    state.counters["bind_to_first_frame_ms"] = median(first);
    state.counters["unbind_to_last_callback_ms"] = median(last);
    state.counters["longest_bind_ms"] = std::ranges::max(first);
    state.counters["longest_unbind_ms"] = std::ranges::max(last);
  }
  ends = true;
  sender.join();
}
BENCHMARK(bind_and_unbind)->Iterations(50);

// Eight protocols on eight interfaces: each frame goes to eight drivers. Counts what was sent and did not reach all of
// them; `each` is the processor time of one frame for one driver.
void many_bindings(benchmark::State& state) {
  const auto ways = every_way();
  const auto drivers = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Way>> from;
  std::string list;
  for (int link = 0; link < 8; ++link) {
    const std::string number = add_link();
    from.push_back(ways[1].open("left" + number));
    list += "right" + number + ",";
  }
  std::vector<std::unique_ptr<BenchDriver>> all;
  for (std::size_t at = 0; at < drivers; ++at)
    all.push_back(std::make_unique<BenchDriver>("bench-of-many-" + std::to_string(at), list));
  const auto received = [&all] {
    std::uint64_t sum = 0;
    for (const auto& driver : all) {
      for (const auto* bound : driver->bindings()) sum += bound->received;
    }
    return sum;
  };
  const auto sample = sample_frame();
  std::uint64_t sent = 0;
  const double began = worked_ns();
  for (auto _ : state) {
    for (const auto& each : from) each->send(sample, 64);
    sent += 64 * from.size();
    for (const auto limit = Clock::now() + std::chrono::seconds(2);
         received() < (sent - std::min<std::uint64_t>(sent, 4096)) * drivers && Clock::now() < limit;)
      std::this_thread::sleep_for(microseconds(200));
  }
  for (const auto limit = Clock::now() + std::chrono::seconds(2); received() < sent * drivers && Clock::now() < limit;)
    std::this_thread::sleep_for(microseconds(200));
  state.counters["each_ns"] = (worked_ns() - began) / static_cast<double>(sent * drivers);
  state.counters["frame_ns"] = (worked_ns() - began) / static_cast<double>(sent);
  state.counters["lost"] = static_cast<double>(sent * drivers - received());
}
BENCHMARK(many_bindings)->ArgName("protocols")->Arg(1)->Arg(8)->Iterations(400);

}  // namespace
}  // namespace turnpike::bench
