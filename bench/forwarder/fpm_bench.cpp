// What a routing daemon's table takes from its connection (FPM) to the kernel: our server, the routing table and the
// forwarder, against the kernel alone in the same run (ceiling.h). The sender is a thread with ready-made frames, as
// zebra's module makes them: 16 next hop objects, and a route in each frame. So what is measured is our end; with zebra
// itself at the other it is zebra that is measured: fpm.py.
//
//   fpm/N        from the first byte until the kernel has all N routes. `ratio` as in kernel_bench.cpp: the median of
//                three turns; `cpu_ratio` has the sender's time in it too. `sent_s`: until the last byte was taken
//   fpm_again/N  the sender has gone, comes back and says all once more, until nothing is stale. `writes` must be 0
#include <arpa/inet.h>

#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <array>

#include "base/descriptor.h"
#include "forwarder/ceiling.h"
#include "kernel/codec.h"

namespace turnpike::bench {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::uint16_t kPort = 2620;

template <class T>
void append_frame(Octets& all, const T& object) {
  std::array<std::uint8_t, 256> room{};
  kernel::MessageBuilder out(room);
  must(kernel::encode(out, 0, Change::kReplace, object).has_value(), "a frame");
  const std::size_t length = out.bytes().size() + 4;
  const std::uint8_t head[] = {1, 1, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
  all.insert(all.end(), std::begin(head), std::end(head));
  all.insert(all.end(), out.bytes().begin(), out.bytes().end());
}

Octets stream_of(const std::vector<net::Prefix>& all) {
  constexpr std::uint8_t kBgp = 186;
  Octets stream;
  for (std::uint32_t i = 0; i < kNextHops; ++i) {
    kernel::NextHop object;
    object.id = 1 + i;
    object.link = own_place().link;
    object.gateway = gateway(Family::kIpv4, i);
    append_frame(stream, object);
  }
  std::uint32_t number = 0;
  for (const net::Prefix& each : all) {
    kernel::Route route;
    route.destination = each;
    route.protocol = kBgp;
    route.priority = 20;
    route.next_hop_id = 1 + number++ % kNextHops;
    append_frame(stream, route);
  }
  return stream;
}

TP_FPM_STATUS feed() {
  TP_FPM_STATUS now{};
  now.size = sizeof now;
  must_rtm(TpFpmStatus(&now), "TpFpmStatus");
  return now;
}

void await_feed(const std::function<bool(const TP_FPM_STATUS&)>& there) {
  while (!there(feed())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// A connection that says all of it, and stands until it is destroyed.
class Sender {
 public:
  explicit Sender(const Octets& stream) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(kPort);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0, "no server");
    thread_ = std::thread([this, &stream] {
      for (std::size_t at = 0; at < stream.size();) {
        const auto some = ::send(socket_.number(), stream.data() + at, stream.size() - at, MSG_NOSIGNAL);
        must(some > 0, "the server has closed");
        at += static_cast<std::size_t>(some);
      }
      sent_s_ = watch_.taken().wall;
    });
  }
  ~Sender() {
    if (thread_.joinable()) thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  double sent_s() {  // once
    thread_.join();
    return sent_s_;
  }

 private:
  const Watch watch_;
  Descriptor socket_;
  double sent_s_ = 0;
  std::thread thread_;
};

// Started for each turn, and gone with all that it wrote.
class Server {
 public:
  Server() {
    start();
    TP_FPM_OPTIONS options{};
    options.size = sizeof options;
    options.address = "127.0.0.1";
    options.port = kPort;
    must_rtm(TpFpmStart(&options), "TpFpmStart");
  }
  ~Server() {
    must_rtm(TpFpmStop(), "TpFpmStop");
    wait_for([](const TP_FORWARDER_STATUS& now) { return now.installed == 0 && now.pending == 0; });
    stop(true);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
};

void fpm(benchmark::State& state) {
  constexpr int kTurns = 3;
  static_cast<void>(own_place());
  const auto count = static_cast<std::size_t>(state.range(0));
  const Octets stream = stream_of(prefixes(Family::kIpv4, count, false));
  const auto order_of_ceiling = prefixes(Family::kIpv4, count, true);
  for (auto _ : state) {
    Turns turns;
    for (int turn = 0; turn < kTurns; ++turn) {
      Taken limit;
      {
        Ceiling alone(Family::kIpv4);
        limit = alone.write(Change::kAdd, order_of_ceiling);
        alone.write(Change::kRemove, order_of_ceiling);
      }
      const Server server;
      const Watch watch;
      Sender sender(stream);
      wait_for_installed(order_of_ceiling.size());
      const Taken here = watch.taken();
      state.counters["sent_s"] = sender.sent_s();
      turns.add(here, limit);
    }
    turns.tell(state);
  }
}

void fpm_again(benchmark::State& state) {
  static_cast<void>(own_place());
  const auto all = prefixes(Family::kIpv4, static_cast<std::size_t>(state.range(0)), false);
  const Octets stream = stream_of(all);
  for (auto _ : state) {
    const Server server;
    {
      const Sender first(stream);
      wait_for_installed(all.size());
    }
    await_feed([](const TP_FPM_STATUS& now) { return now.connected == 0; });
    const auto written = status().written;
    const Watch watch;
    const Sender second(stream);
    await_feed([&](const TP_FPM_STATUS& now) { return now.connected != 0 && now.stale == 0; });
    const Taken took = watch.taken();
    state.SetIterationTime(took.wall);
    state.counters["cpu_s"] = took.cpu;
    state.counters["writes"] = static_cast<double>(status().written - written);
  }
}

void sizes(benchmark::internal::Benchmark* its) {
  its->Arg(10'000)->Arg(kInternetV4)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(fpm)->Apply(sizes);
BENCHMARK(fpm_again)->Apply(sizes);

}  // namespace
}  // namespace turnpike::bench
