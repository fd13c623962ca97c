// What goes wrong, with a hundred thousand routes over the real kernel: after each the kernel has what is wanted, and
// nothing else, and a line in the log says what happened.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <turnpike/log.h>
#include <turnpike/rtm.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "base/descriptor.h"
#include "kernel/real_port.h"
#include "live.h"

namespace turnpike::forwarder {
namespace {

using namespace net::literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kRoutes = 100'000;
constexpr seconds kPatience(120);

// 100.64.0.0/32 and on.
net::Prefix destination(std::uint32_t number, std::uint32_t first = 0x64400000) {
  const std::uint32_t bits = htonl(first + number);
  return {*net::Address::from_bytes(std::span(reinterpret_cast<const std::uint8_t*>(&bits), 4)), 32};
}
std::vector<TpRtmAddress> addresses(std::uint32_t first, std::uint32_t end) {
  std::vector<TpRtmAddress> all(end - first);
  for (TpRtmAddress& each : all) {
    each.family = AF_INET;
    each.bits = 32;
    std::ranges::copy(destination(first++).address().bytes(), each.address);
  }
  return all;
}

// Packets from one host to an address of another, and how many of them come.
class Flow {
 public:
  Flow(const Host& from, const Host& to, const char* address) {
    ::inet_pton(AF_INET, address, &where_.sin_addr);
    where_.sin_family = AF_INET;
    where_.sin_port = htons(4711);
    to.inside([&] {
      in_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      EXPECT_EQ(::bind(in_.number(), reinterpret_cast<const sockaddr*>(&where_), sizeof where_), 0);
    });
    from.inside([&] { out_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    thread_ = std::thread([this] { run(); });
  }
  ~Flow() { stop(); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // How many were lost.
  std::uint64_t stop() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_ - come_;
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  void run() {
    while (!ending_) {
      sent_ += ::sendto(out_.number(), &sent_, sizeof sent_, 0, reinterpret_cast<const sockaddr*>(&where_),
                        sizeof where_) > 0;
      take(1);
    }
    for (int idle = 0; idle < 200 && come_ < sent_; ++idle) take(100);
  }
  void take(int within) {
    std::uint64_t number = 0;
    pollfd watched{in_.number(), POLLIN, 0};
    static_cast<void>(::poll(&watched, 1, within));
    while (::recv(in_.number(), &number, sizeof number, 0) > 0) ++come_;
  }

  sockaddr_in where_{};
  Descriptor in_, out_;
  std::atomic<bool> ending_{false};
  std::uint64_t sent_ = 0, come_ = 0;
  std::thread thread_;
};

class FullSize : public testing::Test {
 protected:
  // What the kernel has with a protocol number: destinations, and the gateway or next hop object of each.
  using Seen = std::map<net::Prefix, std::uint32_t>;
  static Seen in_kernel(std::uint8_t protocol = kernel::kOurProtocol) {
    Seen all;
    auto port = kernel::open_real_port();
    EXPECT_TRUE(port);
    kernel::RouteFilter filter;
    filter.protocol = protocol;
    filter.family = net::Family::kIpv4;
    EXPECT_TRUE((*port)->dump_routes(
        filter,
        {[&] { all.clear(); }, [&](const kernel::Route& each) { all.emplace(each.destination, each.next_hop_id); }}));
    return all;
  }
  // Each of these is there, all go the same way, and there are no others.
  static void expect_exactly(const std::set<net::Prefix>& wanted) {
    const Seen seen = in_kernel();
    EXPECT_EQ(seen.size(), wanted.size());
    std::set<std::uint32_t> ways;
    std::size_t strange = 0;
    for (const auto& [prefix, way] : seen) {
      strange += wanted.contains(prefix) ? 0 : 1;
      ways.insert(way);
    }
    EXPECT_EQ(strange, 0U);
    EXPECT_LE(ways.size(), 1U);
    EXPECT_EQ(status().installed, wanted.size());
    EXPECT_EQ(status().failed + status().pending + status().conflicts + status().contested, 0U);
  }
  static std::set<net::Prefix> numbers(std::uint32_t first, std::uint32_t end) {
    std::set<net::Prefix> all;
    for (std::uint32_t i = first; i < end; ++i) all.insert(destination(i));
    return all;
  }
  static void load(const Client& client, RTM_NEXTHOP_HANDLE hop, std::uint32_t first = 0, std::uint32_t end = kRoutes) {
    std::vector<TpRtmRoute> routes;
    for (const TpRtmAddress& each : addresses(first, end)) {
      TpRtmRoute& route = routes.emplace_back();
      route.destination = each;
      route.metric = 1;
      route.views = RTM_VIEW_MASK_UCAST;
      route.hop_count = 1;
      route.hops = &hop;
    }
    std::vector<std::uint32_t> statuses(routes.size());
    EXPECT_EQ(TpRtmAddRoutes(client.self, routes.data(), end - first, statuses.data(), nullptr), 0U);
  }
  static void unload(const Client& client, std::uint32_t first, std::uint32_t end) {
    std::vector<std::uint32_t> statuses(end - first);
    EXPECT_EQ(TpRtmDeleteRoutesTo(client.self, addresses(first, end).data(), end - first, statuses.data()), 0U);
  }
  static void await_installed(const char* what, std::uint64_t count) {
    await(what, [&] { return status().installed == count && status().pending == 0; }, kPatience);
  }
};

TEST_F(FullSize, AnInterfaceIsDeletedAndComesBack) {
  in_the_middle([](Row& row) {
    Said said;
    ASSERT_EQ(start(), 0U);
    Client client;
    load(client, client.hop("10.0.2.2", link_of(row.middle, "east")), 0, kRoutes / 2);
    load(client, client.hop("10.0.2.2", 0), kRoutes / 2, kRoutes);  // remote: wherever that is found
    await_installed("all", kRoutes);
    row.middle.ip({"link del east"});
    await("all have failed", [] { return status().failed == kRoutes && status().pending == 0; }, kPatience);
    EXPECT_EQ(in_kernel().size(), 0U);
    EXPECT_EQ(status().installed, 0U);
    EXPECT_EQ(said.times("a link went, and our routes with it"), 1U);
    row.ground.wire({row.middle, "east", {"10.0.2.1/24"}}, {row.right, "eth0", {"10.0.2.2/24"}});
    await_installed("those that need not this interface", kRoutes / 2);
    EXPECT_EQ(in_kernel().size(), kRoutes / 2);
    load(client, client.hop("10.0.2.2", link_of(row.middle, "east")), 0, kRoutes / 2);  // which has another number
    await_installed("all again", kRoutes);
    EXPECT_EQ(in_kernel().size(), kRoutes);
    client.leave();
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TEST_F(FullSize, ALinkFlapsUnderChurn) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client client;
    const auto hop = client.hop("10.0.2.2", link_of(row.middle, "east"));
    load(client, hop);
    std::thread churn([&] {
      constexpr std::uint32_t kAtOnce = 1000;
      for (std::uint32_t i = 0; i < kRoutes / 2; i += kAtOnce) {
        unload(client, i, i + kAtOnce);
        load(client, hop, kRoutes + i, kRoutes + i + kAtOnce);
      }
    });
    for (int i = 0; i < 20; ++i) row.middle.ip({"link set east down", "link set east up"});
    churn.join();
    await(
        "it has come to rest",
        [] { return status().installed == kRoutes && status().pending == 0 && in_kernel().size() == kRoutes; },
        kPatience);  // what was withdrawn while it was wrongly thought gone is found by a reading
    expect_exactly(numbers(kRoutes / 2, kRoutes + kRoutes / 2));
    client.leave();
    await("all are gone", [] { return in_kernel().empty(); }, kPatience);
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

// By a program that writes faster than anybody can hear: so news of it are lost, too.
TEST_F(FullSize, OthersFlushRoutesAndNextHops) {
  in_the_middle([](Row& row) {
    Said said;
    ASSERT_EQ(start(), 0U);
    Client client;
    load(client, client.hop("10.0.2.2", link_of(row.middle, "east")));
    await_installed("all", kRoutes);
    const std::set<net::Prefix> wanted = numbers(0, kRoutes);
    auto other = (*kernel::open_real_port())->open_writer();
    kernel::Route gone;
    gone.type = kernel::RouteType::kUnspecified;
    gone.priority = 20;
    for (const net::Prefix& each : wanted) {
      gone.destination = each;
      while (!(*other)->put(kernel::Change::kRemove, gone, 0)) EXPECT_TRUE((*other)->submit().refused.empty());
    }
    static_cast<void>((*other)->submit());
    const auto all_back = [&] { return status().pending == 0 && in_kernel().size() == kRoutes; };
    await("all are back after a flush", all_back, kPatience);
    expect_exactly(wanted);
    EXPECT_GE(said.times("another program changes routes of ours; they are written again") +
                  said.times("the kernel lacks routes of ours; they are written again"),
              1U);
    const std::string id = std::to_string(in_kernel().begin()->second);
    row.middle.run({"ip", "nexthop", "del", "id", id});
    await("all are back after their next hop went", all_back, kPatience);
    expect_exactly(wanted);
    EXPECT_EQ(said.times("another program changes a next hop of ours; it is written again"), 1U);
    client.leave();
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

// At any moment of a full load; a flow over a route that every life wants loses no packet. How far a life comes before
// it is killed is the machine's speed; so one more comes to its end, and leaves twice what the last one wants.
TEST_F(FullSize, TwentyKillsLoseNoPacket) {
  on_a_row([](Row& row) {
    std::mt19937 random(220);
    const auto live = [&](std::uint32_t count) {
      return row.middle.spawn({FORWARDER_ONE_LIFE, std::to_string(count), "10.0.2.2", "east"});
    };
    {
      ground::Process first = live(1);
      first.await_output("all 1\n");
    }
    ASSERT_TRUE(row.left.ping("192.0.2.1"));
    Flow flow(row.left, row.right, "192.0.2.1");
    for (int life = 0; life < 20; ++life) {
      ground::Process process = live(kRoutes - static_cast<std::uint32_t>(random() % 1000));
      std::this_thread::sleep_for(milliseconds(random() % 1000));  // allow sleeping-test: the moment
      process.signal(SIGKILL);
      process.await_end();
    }
    {
      ground::Process full = live(kRoutes);
      full.await_output("all " + std::to_string(kRoutes) + "\n", kPatience);
      full.signal(SIGKILL);
      full.await_end();
    }
    ground::Process last = live(kRoutes / 2);
    const std::string& said = last.await_output("all 50000\n", kPatience);
    EXPECT_NE(said.find("the kernel has routes of a former life: they forward on until claimed"), std::string::npos);
    EXPECT_NE(said.find("removing routes of a former life that nobody has claimed"), std::string::npos);
    row.middle.inside([&] {
      const Seen seen = in_kernel();
      EXPECT_EQ(seen.size(), kRoutes / 2);
      EXPECT_TRUE(seen.contains("192.0.2.0/24"_prefix));
      EXPECT_TRUE(seen.contains("100.0.1.0/24"_prefix));
    });
    const std::string objects = row.middle.run({"ip", "nexthop", "show", "proto", "220"});
    EXPECT_EQ(std::ranges::count(objects, '\n'), 1) << objects;
    EXPECT_EQ(flow.stop(), 0U) << "of " << flow.sent();
    EXPECT_GT(flow.sent(), 1000U);
  });
}

}  // namespace
}  // namespace turnpike::forwarder
