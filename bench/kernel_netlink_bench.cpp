// What our port costs over the bare kernel: the same work by a hand-written loop and by the port, in turns in one run.
//
// Runs in a network namespace of its own, which it makes (as root, or in a user namespace), with a table like the
// Internet's (rtm/routes.h) in shuffled order, its routes sharing 16 next hop objects. `ratio` is our time over that of
// the hand-written loop. Times of load, dump and watched are what the thread worked, its work in the kernel included;
// of lone what the clock on the wall says.
//
//   load    a million routes added, then removed: 64 KiB a system call, only errors answered. By hand: fields written
//           in place, nobody asks what was refused. Ours: put and submit, every refusal known
//   dump    that table read. By hand: messages counted, attributes not looked at. Ours: every route decoded
//   watched the load again while a monitor listens that leaves the writer out; `ratio` over the same without a monitor
//   lone    one route added and removed, each with its answer; `heard_us`: from the call until a monitor has told it
#include <benchmark/benchmark.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernel/real_port.h"
#include "net/text.h"
#include "place.h"
#include "rtm/routes.h"

namespace turnpike::bench {
namespace {

using kernel::Change;
using net::literals::operator""_address;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kNextHops = 16;
constexpr std::size_t kBatch = std::size_t{64} << 10;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// What this thread has worked; the kernel works for it on its time.
double worked() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The port of the benchmark's place, with next hops on its link.
kernel::Port& make_port() {
  kernel::Port& made = *place().port;
  const auto writer = made.open_writer().value();
  for (std::uint32_t id = 1; id <= kNextHops; ++id) {
    kernel::NextHop next_hop;
    next_hop.id = id;
    next_hop.link = place().link;
    next_hop.gateway = net::Address::ipv4(0x0a000001 + id);
    must(kernel::write_now(*writer, Change::kAdd, next_hop).has_value(), "next hop");
  }
  return made;
}

kernel::Port& port() {
  static kernel::Port& made = make_port();
  return made;
}

const std::vector<net::Prefix>& shuffled() {
  static const std::vector<net::Prefix> prefixes = [] {
    auto made = table(net::Family::kIpv4, kInternetV4);
    std::shuffle(made.begin(), made.end(), std::mt19937(1));
    return made;
  }();
  return prefixes;
}

// ---------------------------------------------------------------------------------------------------------------------
// By hand

int raw_socket() {
  const int made = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  must(made >= 0, "socket");
  return made;
}

struct RawRoute {
  nlmsghdr head;
  rtmsg fixed;
  nlattr destination_head;
  std::uint32_t destination;
  nlattr next_hop_head;
  std::uint32_t next_hop;
};

RawRoute raw_route(bool add, const net::Prefix& prefix, std::uint32_t id, std::uint16_t flags) {
  RawRoute one{};
  one.head.nlmsg_len = sizeof one;
  one.head.nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
  one.head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
  one.fixed = {AF_INET,
               static_cast<unsigned char>(prefix.length()),
               0,
               0,
               RT_TABLE_MAIN,
               kernel::kOurProtocol,
               static_cast<unsigned char>(add ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE),
               static_cast<unsigned char>(add ? RTN_UNICAST : RTN_UNSPEC),
               0};
  one.destination_head = {8, RTA_DST};
  one.destination = prefix.address().ipv4_network();
  one.next_hop_head = {8, RTA_NH_ID};
  one.next_hop = id;
  if (!add) one.head.nlmsg_len -= 8;
  return one;
}

double load_by_hand(bool add) {
  const int socket = raw_socket();
  std::vector<char> buffer(kBatch);
  std::size_t used = 0;
  std::uint32_t number = 0;
  const double begin = worked();
  for (const net::Prefix& prefix : shuffled()) {
    const RawRoute one = raw_route(add, prefix, number++ % kNextHops + 1, 0);
    if (used + sizeof one > buffer.size()) {
      must(::send(socket, buffer.data(), used, 0) >= 0, "send");
      used = 0;
    }
    std::memcpy(buffer.data() + used, &one, one.head.nlmsg_len);
    used += one.head.nlmsg_len;
  }
  must(::send(socket, buffer.data(), used, 0) >= 0, "send");
  const double seconds = worked() - begin;
  must(::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT) < 0, "a route was refused");
  ::close(socket);
  return seconds;
}

double dump_by_hand() {
  const int socket = raw_socket();
  std::vector<char> buffer(kBatch);
  struct {
    nlmsghdr head;
    rtmsg fixed;
  } request{};
  request.head = {sizeof request, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  request.fixed.rtm_family = AF_INET;
  const int strict = 1;  // spares the kernel looking for exceptions behind every route
  must(::setsockopt(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict) == 0, "strict");
  const double begin = worked();
  must(::send(socket, &request, sizeof request, 0) >= 0, "send");
  std::size_t count = 0;
  for (bool done = false; !done;) {
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    must(size > 0, "recv");
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      nlmsghdr head;
      std::memcpy(&head, buffer.data() + at, sizeof head);
      done = done || head.nlmsg_type == NLMSG_DONE;
      ++count;
      at += (head.nlmsg_len + 3) & ~3U;
    }
  }
  const double seconds = worked() - begin;
  must(count > shuffled().size(), "too few routes");
  ::close(socket);
  return seconds;
}

// ---------------------------------------------------------------------------------------------------------------------
// Ours

kernel::Route our_route(const net::Prefix& prefix, std::uint32_t id) {
  kernel::Route route;
  route.destination = prefix;
  route.next_hop_id = id;
  return route;
}

double load_by_port(Change change, kernel::Monitor* monitor = nullptr) {
  const auto writer = port().open_writer().value();
  if (monitor != nullptr) must(monitor->leave_out(writer->identity()).has_value(), "leave out");
  std::uint32_t number = 0;
  std::size_t refused = 0;
  const auto submit = [&] {
    const kernel::Report report = writer->submit();
    refused += report.refused.size() + (report.answers_lost ? 1 : 0);
  };
  const double begin = worked();
  for (const net::Prefix& prefix : shuffled()) {
    const kernel::Route route = our_route(prefix, number++ % kNextHops + 1);
    if (writer->put(change, route, number)) continue;
    submit();
    must(writer->put(change, route, number), "put");
  }
  submit();
  const double seconds = worked() - begin;
  must(refused == 0, "a route was refused");
  return seconds;
}

double dump_by_port() {
  std::size_t count = 0;
  const double begin = worked();
  kernel::RouteFilter ours;
  ours.family = net::Family::kIpv4;
  ours.table = kernel::kMainTable;
  ours.protocol = kernel::kOurProtocol;
  must(port().dump_routes(ours, {{}, [&](const kernel::Route& route) { count += route.next_hop_id != 0; }}).has_value(),
       "dump");
  const double seconds = worked() - begin;
  must(count == shuffled().size(), "too few routes");
  return seconds;
}

// ---------------------------------------------------------------------------------------------------------------------

void report(benchmark::State& state, const char* what, double by_hand, double ours, double count) {
  state.counters[std::string(what) + "_by_hand"] = count / by_hand;
  state.counters[std::string(what) + "_ours"] = count / ours;
  state.counters[std::string(what) + "_ratio"] = ours / by_hand;
}

void load(benchmark::State& state) {
  port();
  const auto count = static_cast<double>(shuffled().size());
  for (auto _ : state) {
    const double hand_add = load_by_hand(true);
    const double hand_remove = load_by_hand(false);
    const double our_add = load_by_port(Change::kAdd);
    dump_by_hand();  // the first fetches the table into the cache
    const double hand_dump = dump_by_hand();
    const double our_dump = dump_by_port();
    const double our_remove = load_by_port(Change::kRemove);
    state.SetIterationTime(our_add);
    report(state, "add", hand_add, our_add, count);
    report(state, "dump", hand_dump, our_dump, count);
    report(state, "remove", hand_remove, our_remove, count);
  }
}
BENCHMARK(load)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

class Heard final : public kernel::Listener {
 public:
  void on_route(const kernel::Notice&, const kernel::Route&) override { ++count; }
  void on_loss(kernel::Loss) override { must(false, "loss"); }
  std::size_t count = 0;
};

void watched(benchmark::State& state) {
  port();
  const auto count = static_cast<double>(shuffled().size());
  for (auto _ : state) {
    const double alone = load_by_port(Change::kAdd);
    load_by_port(Change::kRemove);
    const auto monitor = port().open_monitor({.topics = {.ipv4_routes = true, .next_hops = true}}).value();
    const double with_monitor = load_by_port(Change::kAdd, monitor.get());
    load_by_port(Change::kRemove, monitor.get());
    Heard heard;
    must(monitor->read(heard).has_value() && heard.count == 0, "what was left out was heard");
    state.SetIterationTime(with_monitor);
    state.counters["add"] = count / with_monitor;
    state.counters["ratio"] = with_monitor / alone;
  }
}
BENCHMARK(watched)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

// Microseconds in the middle of many.
double median(std::vector<double>& seconds) {
  std::ranges::nth_element(seconds, seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2));
  return seconds[seconds.size() / 2] * 1e6;
}

void lone(benchmark::State& state) {
  kernel::Port& here = port();
  const auto writer = here.open_writer().value();
  const auto monitor = here.open_monitor({.topics = {.ipv4_routes = true}}).value();
  const kernel::Route route = our_route(net::Prefix("192.0.2.0"_address, 24), 1);
  const int socket = raw_socket();
  Heard heard;
  std::vector<double> by_hand;
  std::vector<double> ours;
  std::vector<double> until_heard;
  const auto change_by_hand = [&](bool add) {
    const RawRoute one = raw_route(add, route.destination, 1, NLM_F_ACK);
    std::array<char, 4096> answer;
    const auto begin = Clock::now();
    must(::send(socket, &one, one.head.nlmsg_len, 0) >= 0, "send");
    must(::recv(socket, answer.data(), answer.size(), 0) > 0, "recv");
    by_hand.push_back(seconds_since(begin));
  };
  const auto change_by_port = [&](Change change) {
    const auto begin = Clock::now();
    must(kernel::write_now(*writer, change, route).has_value(), "write");
    ours.push_back(seconds_since(begin));
    must(monitor->read(heard).has_value(), "read");
    until_heard.push_back(seconds_since(begin));
  };
  for (auto _ : state) {
    change_by_hand(true);
    change_by_hand(false);
    must(monitor->read(heard).has_value(), "read");
    change_by_port(Change::kAdd);
    change_by_port(Change::kRemove);
  }
  must(heard.count == 4 * static_cast<std::size_t>(state.iterations()), "not all was heard");
  ::close(socket);
  state.counters["by_hand_us"] = median(by_hand);
  state.counters["ours_us"] = median(ours);
  state.counters["heard_us"] = median(until_heard);
  state.counters["ratio"] = median(ours) / median(by_hand);
}
BENCHMARK(lone)->Iterations(20000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace turnpike::bench
