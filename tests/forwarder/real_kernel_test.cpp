// The forwarder in a process, over the real kernel, by the documented calls and include/turnpike/forwarder.h.
#include <turnpike/log.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include "live.h"
#include "runtime/forwarder_guard.h"

namespace turnpike::forwarder {
namespace {

using runtime::ForwarderGuard;

// The one line for who wonders why `ip route` does not show his routes; he need not have listened from the beginning.
TEST(ForwarderAbsent, IsToldOnceWhereRoutesAreAddedAndNoneRuns) {
  const Client client;
  const auto hop = client.hop("10.0.1.9", 1);
  client.add("10.91.0.0/16", hop);  // nobody listens yet
  int count = 0;
  TpLogSink sink = 0;
  const auto count_it = [](void* context, const TpLogRecord* record) {
    if (std::strstr(record->message, "no forwarder runs") != nullptr) ++*static_cast<int*>(context);
  };
  ASSERT_EQ(TpLogOpenCallback(TP_LOG_NOTICE, count_it, &count, &sink), 0U);
  client.add("10.92.0.0/16", hop);
  client.add("10.93.0.0/16", hop);
  EXPECT_EQ(TpLogClose(sink), 0U);
  EXPECT_EQ(count, 1);
}

TEST(RealKernel, PacketsFollowWhatClientsAdd) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client ipv4;
    Client ipv6(AF_INET6);
    ipv4.add("192.0.2.0/24", ipv4.hop("10.0.2.2", link_of(row.middle, "east")));
    ipv6.add("fd00:9::/64", ipv6.hop("fd00:2::2", 0));  // remote: found on the connected network
    await("both routes", [&] { return ipv4.is_marked("192.0.2.0/24") && ipv6.is_marked("fd00:9::/64"); });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    EXPECT_TRUE(row.left.ping("fd00:9::1"));
    EXPECT_NE(ours(row.middle).find("192.0.2.0/24 nhid"), std::string::npos);
    ipv4.leave();
    await("the IPv4 route is gone", [&] { return ours(row.middle).empty(); });
    ASSERT_EQ(TpForwarderStop(1), 0U);
    EXPECT_EQ(ours(row.middle, "-6"), "");
    EXPECT_EQ(row.middle.run({"ip", "nexthop", "show", "proto", "220"}), "");
  });
}

TEST(RealKernel, Ipv4PacketsGoOverIpv6Neighbours) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client client;
    client.add("192.0.2.0/24", client.other_hop("fd00:2::2", link_of(row.middle, "east")));
    client.add("198.51.100.0/24", client.other_hop("fd00:2::2", 0));  // remote: found on the connected IPv6 network
    await("both routes", [&] { return client.is_marked("192.0.2.0/24") && client.is_marked("198.51.100.0/24"); });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    row.right.ip({"address add 198.51.100.1/32 dev lo"});
    EXPECT_TRUE(row.left.ping("198.51.100.1"));
    const std::string objects = row.middle.run({"ip", "nexthop", "show", "proto", "220"});
    EXPECT_NE(objects.find("via fd00:2::2 dev east"), std::string::npos) << objects;
    row.middle.ip({"route add 203.0.113.0/24 via inet6 fd00:2::2 dev east proto bgp"});
    await("another's route is seen", [&] { return client.owner("203.0.113.0/24") == 14U; });
    client.leave();
    ASSERT_EQ(TpForwarderStop(1), 0U);
    EXPECT_EQ(ours(row.middle), "");
  });
}

TEST(RealKernel, WhatOthersAddIsInTheTable) {
  in_the_middle([](Row& row) {
    row.middle.ip({"route add 198.51.100.0/24 via 10.0.2.2 proto static"});
    ASSERT_EQ(start(), 0U);
    Client client;
    EXPECT_EQ(client.owner("10.0.1.0/24"), 2U);
    EXPECT_EQ(client.owner("10.0.1.1/32"), 2U);
    EXPECT_EQ(client.owner("198.51.100.0/24"), 3U);
    row.middle.ip({"route add 198.51.101.0/24 via 10.0.2.2 proto bgp metric 20",
                   "nexthop add id 7 via 10.0.2.2 dev east proto zebra",
                   "route add 198.51.102.0/24 nhid 7 proto ospf metric 20"});
    await("routes of others",
          [&] { return client.owner("198.51.101.0/24") == 14U && client.owner("198.51.102.0/24") == 13U; });
    row.middle.ip({"route del 198.51.100.0/24", "route del 198.51.101.0/24 metric 20"});
    await("they go", [&] { return client.owner("198.51.100.0/24") == 0 && client.owner("198.51.101.0/24") == 0; });
    client.add("192.0.2.0/24", client.hop("198.51.102.9", 0));  // through the foreign route, by its next hop object
    await("a route through it", [&] { return client.is_marked("192.0.2.0/24"); });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    client.leave();
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TEST(RealKernel, WhatOthersTakeAwayComesBack) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client client;
    const auto hop = client.hop("10.0.2.2", link_of(row.middle, "east"));
    constexpr int kRoutes = 5000;
    for (int i = 0; i < kRoutes; ++i) {
      client.add("172." + std::to_string(16 + i / 256 / 256) + "." + std::to_string(i / 256 % 256) + "." +
                     std::to_string(i % 256) + "/32",
                 hop);
    }
    const auto all = [&] { return std::ranges::count(ours(row.middle), '\n') == kRoutes && status().pending == 0; };
    await("all routes", all);
    row.middle.run({"ip", "route", "flush", "proto", "220"});
    await("all are back after a flush", all);
    row.middle.run({"ip", "nexthop", "flush", "proto", "220"});
    await("all are back after the next hops went", all);
    row.middle.ip({"link set east down"});
    await("they go with the link", [&] { return status().failed == kRoutes; });
    EXPECT_EQ(ours(row.middle), "");
    row.middle.ip({"link set east up"});
    await("and come with it", all);
    for (int i = 0; i < 10; ++i) row.middle.ip({"link set east down", "link set east up"});
    await("it flapped", all);
    row.middle.ip({"link del east"});
    await("it is deleted", [&] { return status().failed == kRoutes; });
    EXPECT_EQ(status().installed, 0U);
    client.leave();
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TP_FORWARDER_ROUTE became_of(const Client& client, const std::string& prefix) {
  RTM_NET_ADDRESS address = address_of(prefix);
  RTM_DEST_INFO info{};
  TP_FORWARDER_ROUTE route{};
  EXPECT_EQ(RtmGetExactMatchDestination(client.self, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info), 0U);
  EXPECT_EQ(TpForwarderRoute(info.DestHandle, &route), 0U);
  EXPECT_EQ(RtmReleaseDestInfo(client.self, &info), 0U);
  return route;
}

// EEXIST, ENETUNREACH, and EINVAL for an address that is preferred and goes; each is told, and made good when it can
// be.
TEST(RealKernel, WhatTheKernelRefusesIsSaidAndWrittenWhenItCanBe) {
  in_the_middle([](Row& row) {
    Said said;
    row.middle.ip({"address add 10.0.77.1/32 dev lo", "route add blackhole 198.51.100.0/24 metric 20"});
    TP_FORWARDER_OPTIONS options{};
    options.size = sizeof options;
    options.flags = TP_FORWARDER_OWN_NAMESPACE | TP_FORWARDER_NO_IMPORT;
    const std::uint8_t preferred[4] = {10, 0, 77, 1};
    std::ranges::copy(preferred, options.attributes.source4);
    ASSERT_EQ(TpForwarderStart(&options, nullptr, 0), 0U);
    Client client;
    const ULONG east = link_of(row.middle, "east");
    client.add("192.0.2.0/24", client.hop("10.0.2.2", east));
    await("a good one", [] { return status().installed == 1; });

    client.add("198.51.100.0/24", client.hop("10.0.2.2", east));
    await("another's is there", [] { return status().conflicts == 1; });
    EXPECT_EQ(became_of(client, "198.51.100.0/24").error, EEXIST);
    EXPECT_EQ(said.times("another's route has the place of ours"), 1U);
    row.middle.ip({"route del 198.51.100.0/24 metric 20"});
    await("it has gone", [] { return status().installed == 2; });

    client.add("203.0.113.0/24", client.hop("172.31.0.9", east));
    await("no way to the gateway", [] { return status().failed == 1; });
    EXPECT_NE(became_of(client, "203.0.113.0/24").error, 0);
    EXPECT_GE(said.times("the kernel refused a next hop"), 1U);
    row.middle.ip({"address add 172.31.0.1/24 dev east"});
    await("there is one", [] { return status().installed == 3; });

    row.middle.ip({"address del 10.0.77.1/32 dev lo"});
    await("the kernel took the routes along", [] { return status().failed == 3; });
    EXPECT_EQ(ours(row.middle), "");
    EXPECT_EQ(became_of(client, "192.0.2.0/24").error, EINVAL);
    EXPECT_GE(said.times("the kernel refused a route"), 1U);
    row.middle.ip({"address add 10.0.77.1/32 dev lo"});
    await("they come with the address", [] { return status().installed == 3; });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    client.leave();
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TEST(RealKernel, ARestartTakesOverAndSweepsWhatNobodyClaims) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client first;
    first.add("192.0.2.0/24", first.hop("10.0.2.2", link_of(row.middle, "east")));
    first.add("198.51.100.0/24", first.hop("10.0.2.2", 0));
    first.add("203.0.113.0/24", first.hop("10.0.2.2", link_of(row.middle, "east")));
    await("three routes", [&] { return status().installed == 3; });
    ASSERT_EQ(TpForwarderStop(0), 0U);
    first.leave();
    EXPECT_TRUE(row.left.ping("192.0.2.1")) << "nobody runs, and it forwards";
    ASSERT_EQ(start(), 0U);
    EXPECT_EQ(status().unclaimed, 3U);
    Client second;
    second.add("192.0.2.0/24", second.hop("10.0.2.2", link_of(row.middle, "east")));
    second.add("198.51.100.0/24", second.hop("10.0.2.2", 0));
    await("they are claimed", [&] { return status().installed == 2; });
    EXPECT_EQ(status().taken_over, 2U);
    EXPECT_EQ(status().written, 0U);
    ASSERT_EQ(TpForwarderAllClaimed(), 0U);
    await("the third is swept", [&] { return status().unclaimed == 0; });
    await("it is gone", [&] { return ours(row.middle).find("203.0.113") == std::string::npos; });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    second.leave();
    ASSERT_EQ(TpForwarderStop(1), 0U);
  });
}

// So many that they are read ahead, in the background.
TEST(RealKernel, ARestartOverManyRoutesWritesNone) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    Client client;
    const auto hop = client.hop("10.0.2.2", link_of(row.middle, "east"));
    constexpr std::uint64_t kRoutes = 5000;
    for (unsigned i = 0; i < kRoutes; ++i) {
      client.add("172.16." + std::to_string(i / 256) + "." + std::to_string(i % 256) + "/32", hop);
    }
    await("all routes", [] { return status().installed == kRoutes; });
    ASSERT_EQ(TpForwarderStop(0), 0U);
    ASSERT_EQ(start(), 0U);
    await("all are claimed", [] { return status().installed == kRoutes; });
    EXPECT_EQ(status().taken_over, kRoutes);
    EXPECT_EQ(status().written, 0U);
    client.leave();
    ASSERT_EQ(TpForwarderStop(1), 0U);
    EXPECT_EQ(ours(row.middle), "");
  });
}

// Killed at any moment of a full load, started again: in the end the kernel has what is wanted, and nothing else.
TEST(RealKernel, TwentyKillsLoseNothing) {
  on_a_row([](Row& row) {
    std::mt19937 random(220);
    for (int life = 0; life < 20; ++life) {
      ground::Process process =
          row.middle.spawn({FORWARDER_ONE_LIFE, std::to_string(8000 + random() % 8000), "10.0.2.2", "east"});
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 200'000));  // allow sleeping-test: the moment
      process.signal(SIGKILL);
      process.await_end();
    }
    ground::Process last = row.middle.spawn({FORWARDER_ONE_LIFE, "6000", "10.0.2.2", "east"});
    last.await_output("all 6000\n");
    const std::string all = ours(row.middle);
    EXPECT_EQ(std::ranges::count(all, '\n'), 6000);
    EXPECT_NE(all.find("\n100.0.2.0/24 nhid "), std::string::npos);
    const std::string objects = row.middle.run({"ip", "nexthop", "show", "proto", "220"});
    EXPECT_EQ(std::ranges::count(objects, '\n'), 1) << objects;
  });
}

TEST(RealKernel, OnlyOneRunsAndTheSecondIsToldWho) {
  auto ground = Ground::unprivileged({"nexthop"});
  if (!ground) return;
  Host& host = ground->host("host");
  host.inside([&] {
    EXPECT_EQ(status().running, 0U);
    EXPECT_EQ(TpForwarderStop(1), static_cast<DWORD>(ERROR_NOT_FOUND));
    EXPECT_EQ(TpForwarderAllClaimed(), static_cast<DWORD>(ERROR_NOT_FOUND));
    TP_FORWARDER_ROUTE route{};
    EXPECT_EQ(TpForwarderRoute(nullptr, &route), static_cast<DWORD>(ERROR_NOT_FOUND));
    std::string holder;
    {
      std::string nobody;
      const auto guard = ForwarderGuard::take(254, 220, nobody);  // as another process would
      ASSERT_TRUE(guard);
      EXPECT_EQ(start(&holder), static_cast<DWORD>(ERROR_BUSY));
      EXPECT_TRUE(holder.starts_with("process " + std::to_string(::getpid()))) << holder;
      EXPECT_EQ(status().running, 0U);
      ground->host("other").inside([&] { EXPECT_TRUE(ForwarderGuard::take(254, 220, nobody)) << "another namespace"; });
      EXPECT_TRUE(ForwarderGuard::take(100, 220, nobody)) << "another table";
    }
    ASSERT_EQ(start(&holder), 0U);
    EXPECT_EQ(holder, "");
    EXPECT_EQ(start(&holder), static_cast<DWORD>(ERROR_ALREADY_EXISTS));
    EXPECT_EQ(status().running, 1U);
    EXPECT_EQ(TpForwarderStop(0), 0U);
    ASSERT_EQ(start(), 0U) << "and again";
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TEST(RealKernel, WrongOptionsAreRefused) {
  auto ground = Ground::unprivileged({"nexthop"});
  if (!ground) return;
  ground->host("host").inside([&] {
    constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
    TP_FORWARDER_OPTIONS options{};
    EXPECT_EQ(TpForwarderStart(&options, nullptr, 0), kWrong) << "no size";
    options.size = sizeof options;
    options.flags = 0x80;
    EXPECT_EQ(TpForwarderStart(&options, nullptr, 0), kWrong);
    options.flags = 0;
    options.table_count = 1;
    EXPECT_EQ(TpForwarderStart(&options, nullptr, 0), kWrong) << "no tables";
    const TP_FORWARDER_TABLE unknown{7, 254};
    options.tables = &unknown;
    EXPECT_EQ(TpForwarderStart(&options, nullptr, 0), kWrong) << "no such instance";
    EXPECT_EQ(TpForwarderStatus(nullptr), kWrong);
    TP_FORWARDER_STATUS small{};
    EXPECT_EQ(TpForwarderStatus(&small), kWrong);
    EXPECT_EQ(TpForwarderRoute(nullptr, nullptr), kWrong);
    EXPECT_EQ(status().running, 0U);
  });
}

}  // namespace
}  // namespace turnpike::forwarder
