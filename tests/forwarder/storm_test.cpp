// Overruns of the monitor by the real kernel, made certain: the forwarder is stepped by the test, and stands still
// while others write.
#include <set>

#include "ground/ground.h"
#include "kernel/real_port.h"
#include "net/text.h"
#include "rtm/manual_port.h"

#include "forwarder/forwarder.h"

namespace turnpike::forwarder {
namespace {

using namespace net::literals;
using ground::Ground;
using ground::Host;
using kernel::Change;

constexpr std::uint32_t kOurs = 2000;

net::Prefix destination(std::uint32_t network, std::uint32_t number) {
  return net::Prefix::host(net::Address::ipv4((network << 24) + number));
}

class StormTest : public testing::Test {
 protected:
  // A host with a link, a table with routes over it, and a forwarder that hears little.
  void start(Ground& ground) {
    Host& host = ground.host("host");
    ground.wire({host, "eth0", {"10.0.1.1/24"}}, {ground.host("other"), "eth0", {"10.0.1.2/24"}});
    port = kernel::open_real_port().value();
    others = port->open_writer().value();
    Settings settings;
    settings.receive_buffer = 64 << 10;
    forwarder = Forwarder::start(*port, {{routes.table.get(), {}}}, settings, clock, [] {}).value();
    self = routes.client(8);
    rtm::NextHopRequest request;
    request.address = rtm::TestTable::net("10.0.1.2");
    request.flags = rtm::kRemoteNextHop;
    hop = routes.table->add_next_hop(self, rtm::Handle::kNone, request, true).value().first;
    for (std::uint32_t i = 0; i < kOurs; ++i) add(i);
    run();
  }
  void add(std::uint32_t number) {
    rtm::NetAddress address;
    address.family = routes.table->config().family;
    address.bits = 32;
    std::ranges::copy(destination(100, number).address().bytes(), address.address);
    rtm::RouteRequest request;
    request.preference = {1, 10};
    request.views = 1;
    request.hops = std::span(&hop, 1);
    request.change_flags = rtm::change::kFirst;
    EXPECT_TRUE(routes.table->add_route(self, rtm::Handle::kNone, address, request, true));
  }
  void run() {
    for (unsigned steps = 0; forwarder->step(); ++steps) ASSERT_LT(steps, 100'000U) << "it does not come to rest";
  }
  // Lets as much time pass as there is between two comparisons with the kernel.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      run();
      static_cast<void>(clock.advance(std::chrono::seconds(2)));
    }
    run();
  }
  void write(Change change, const net::Prefix& prefix, std::uint8_t protocol) {
    kernel::Route route;
    route.destination = prefix;
    route.protocol = protocol;
    route.type = change == Change::kRemove ? kernel::RouteType::kUnspecified : kernel::RouteType::kBlackhole;
    route.priority = 20;
    while (!others->put(change, route, 0)) static_cast<void>(others->submit());
  }
  std::set<net::Prefix> in_kernel(std::uint8_t protocol) {
    std::set<net::Prefix> all;
    kernel::RouteFilter filter;
    filter.family = net::Family::kIpv4;
    filter.protocol = protocol;
    EXPECT_TRUE(port->dump_routes(
        filter, {[&] { all.clear(); }, [&](const kernel::Route& each) { all.insert(each.destination); }}));
    return all;
  }
  // Ours are what is wanted, and what is imported is what others have.
  void expect_equal() {
    std::set<net::Prefix> wanted;
    for (std::uint32_t i = 0; i < kOurs; ++i) wanted.insert(destination(100, i));
    EXPECT_EQ(in_kernel(kernel::kOurProtocol), wanted);
    const Forwarder::Status status = forwarder->status();
    EXPECT_EQ(status.ipv4.routes[static_cast<std::size_t>(RouteState::kInstalled)], kOurs);
    EXPECT_EQ(status.imported, in_kernel(99).size() + kConnected);
  }

  static constexpr std::size_t kConnected = 4;  // 10.0.1.0/24, 10.0.1.1, 127.0.0.0/8, 127.0.0.1
  TestClock clock;
  rtm::TestTable routes;
  std::unique_ptr<kernel::Port> port;
  std::unique_ptr<kernel::Writer> others;
  std::unique_ptr<Forwarder> forwarder;
  rtm::Handle self = rtm::Handle::kNone, hop = rtm::Handle::kNone;
};

TEST_F(StormTest, WhatWasNotHeardIsMadeUpFor) {
  auto ground = Ground::unprivileged({"veth", "nexthop"});
  if (!ground) return;
  ground->host("host").inside([&] {
    start(*ground);
    for (std::uint32_t storm = 0; storm < 3; ++storm) {
      for (std::uint32_t i = 0; i < 10'000; ++i) {
        write(Change::kAdd, destination(101, i), 99);
        if (i % 3 != storm % 3) write(Change::kRemove, destination(101, i), 99);
        if (i % 17 == storm) write(Change::kRemove, destination(100, i % kOurs), kernel::kOurProtocol);
      }
      static_cast<void>(others->submit());
      settle();
      expect_equal();
    }
    EXPECT_GE(forwarder->status().losses, 3U);
    forwarder.reset();
  });
}

}  // namespace
}  // namespace turnpike::forwarder
