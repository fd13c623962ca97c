// Monitors and dumps.
#include "kernel/conformance/parts.h"

#include <poll.h>

namespace turnpike::kernel {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Hearing

void a_monitor_hears_in_order_who_did_what(World& world) {
  Bench bench(world);
  // Neither of addresses nor of IPv6 routes: the kernel makes the bench's IPv6 address usable on a thread of its own,
  // and tells that address once more and its local route when it comes to that.
  const auto monitor = bench.listen({.ipv4_routes = true, .next_hops = true});
  const auto other = bench.port.open_writer().value();
  EXPECT_NE(other->identity(), bench.writer->identity());
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  ASSERT_TRUE(write_now(*other, Change::kAdd, shared("2.0.0.0/8"_prefix, 1)));
  ASSERT_TRUE(write_now(*other, Change::kRemove, shared("1.0.0.0/8"_prefix, 1)));
  Ear ear;
  EXPECT_EQ(monitor->read(ear).value(), 4u);
  EXPECT_THAT(ear.heard, ElementsAre("+nexthop 1", "+route 1.0.0.0/8", "+route 2.0.0.0/8", "-route 1.0.0.0/8"));
  const Identity mine = bench.writer->identity();
  const Identity theirs = other->identity();
  EXPECT_THAT(ear.writers, ElementsAre(mine, mine, theirs, theirs));
  ASSERT_FALSE(ear.routes.empty());
  EXPECT_EQ(ear.routes[0].view().next_hop_id, 1u);
  EXPECT_EQ(monitor->read(ear).value(), 0u);
}

void a_monitor_hears_what_it_asked_for(World& world) {
  Bench bench(world);
  const auto four = bench.listen({.ipv4_routes = true});
  const auto six = bench.listen({.ipv6_routes = true});
  const auto hops = bench.listen({.next_hops = true});
  const auto nothing = bench.listen({});
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  bench.make(Change::kAdd, dropping("2001:db8::/32"_prefix, RouteType::kBlackhole));
  EXPECT_THAT(heard_by(*four), ElementsAre("+route 1.0.0.0/8"));
  EXPECT_THAT(heard_by(*six), ElementsAre("+route 2001:db8::/32"));
  EXPECT_THAT(heard_by(*hops), ElementsAre("+nexthop 1"));
  EXPECT_THAT(heard_by(*nothing), ElementsAre());
}

void a_writer_can_be_left_out(World& world) {
  Bench bench(world);
  const auto monitor = bench.listen({.ipv4_routes = true});
  const auto other = bench.port.open_writer().value();
  ASSERT_TRUE(monitor->leave_out(bench.writer->identity()));
  ASSERT_TRUE(monitor->leave_out(bench.writer->identity())) << "twice is once";
  bench.make(Change::kAdd, dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole));
  ASSERT_TRUE(write_now(*other, Change::kAdd, dropping("2.0.0.0/8"_prefix, RouteType::kBlackhole)));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+route 2.0.0.0/8"));
  ASSERT_TRUE(monitor->leave_out(other->identity()));
  ASSERT_TRUE(write_now(*other, Change::kRemove, dropping("2.0.0.0/8"_prefix, RouteType::kBlackhole)));
  EXPECT_THAT(heard_by(*monitor), ElementsAre());
  for (Identity i = 1; i <= 14; ++i) EXPECT_TRUE(monitor->leave_out(0x1000'0000 + i));
  EXPECT_EQ(monitor->leave_out(0x2000'0000).error().kind, ErrorKind::kExhausted);
  const auto third = bench.port.open_writer().value();
  ASSERT_TRUE(write_now(*third, Change::kAdd, dropping("3.0.0.0/8"_prefix, RouteType::kBlackhole)));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+route 3.0.0.0/8"));
}

bool is_readable(const Monitor& monitor) {
  pollfd asked{monitor.descriptor(), POLLIN, 0};
  return ::poll(&asked, 1, 0) == 1;
}

void a_monitor_is_readable_while_something_waits(World& world) {
  Bench bench(world);
  const auto monitor = bench.listen({.ipv4_routes = true});
  EXPECT_FALSE(is_readable(*monitor));
  for (std::uint32_t i = 0; i < 10; ++i)
    bench.make(Change::kAdd, dropping(Prefix::host(Address::ipv4(0x0b000000 + i)), RouteType::kBlackhole));
  EXPECT_TRUE(is_readable(*monitor));
  Ear ear;
  EXPECT_EQ(monitor->read(ear, 4).value(), 4u) << "no more than was asked for";
  EXPECT_TRUE(is_readable(*monitor));
  EXPECT_EQ(monitor->read(ear, 100).value(), 6u);
  EXPECT_FALSE(is_readable(*monitor));
}

void an_overrun_is_told_and_then_it_goes_on(World& world) {
  Bench bench(world);
  const auto monitor = bench.port.open_monitor({.topics = {.ipv4_routes = true}, .receive_buffer = 8192}).value();
  const auto large = bench.listen({.ipv4_routes = true});
  constexpr std::uint32_t kRoutes = 500;
  for (std::uint32_t i = 0; i < kRoutes; ++i)
    bench.make(Change::kAdd, dropping(Prefix::host(Address::ipv4(0x0b000000 + i)), RouteType::kBlackhole));
  EXPECT_TRUE(is_readable(*monitor));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("overrun")) << "and no news from before it";
  EXPECT_FALSE(is_readable(*monitor));
  bench.make(Change::kAdd, dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+route 1.0.0.0/8"));
  EXPECT_EQ(heard_by(*large).size(), kRoutes + 1) << "another monitor lost nothing";
}

void who_is_left_out_overruns_nobody(World& world) {
  Bench bench(world);
  const auto monitor = bench.port.open_monitor({.topics = {.ipv4_routes = true}, .receive_buffer = 8192}).value();
  ASSERT_TRUE(monitor->leave_out(bench.writer->identity()));
  for (std::uint32_t i = 0; i < 500; ++i)
    bench.make(Change::kAdd, dropping(Prefix::host(Address::ipv4(0x0b000000 + i)), RouteType::kBlackhole));
  EXPECT_FALSE(is_readable(*monitor));
  EXPECT_THAT(heard_by(*monitor), ElementsAre());
}

// ---------------------------------------------------------------------------------------------------------------------
// Dumps

void dumps_are_filtered(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  const OneHop on_a("1.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  OneHop on_b("2.0.0.0/8"_prefix, b, "10.0.1.2"_address);
  on_b.route.table = 1000;
  OneHop foreign("3.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  foreign.route.protocol = 4;
  const OneHop six("2001:db8::/32"_prefix, b, "fd00:1::2"_address);
  for (const Route& route : {on_a.route, on_b.route, foreign.route, six.route}) bench.make(Change::kAdd, route);
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8", "2.0.0.0/8", "2001:db8::/32"));
  EXPECT_THAT(bench.destinations({.family = Family::kIpv4}), ElementsAre("1.0.0.0/8", "2.0.0.0/8"));
  EXPECT_THAT(bench.destinations({.family = Family::kIpv6}), ElementsAre("2001:db8::/32"));
  EXPECT_THAT(bench.destinations({.table = kMainTable}), ElementsAre("1.0.0.0/8", "2001:db8::/32"));
  EXPECT_THAT(bench.destinations({.table = 1000}), ElementsAre("2.0.0.0/8"));
  EXPECT_THAT(bench.destinations({.table = 987'654}), ElementsAre()) << "a table that is not there is empty";
  EXPECT_THAT(bench.destinations({.protocol = std::uint8_t{4}}), ElementsAre("3.0.0.0/8"));
  EXPECT_THAT(bench.destinations({.link = b}), ElementsAre("2.0.0.0/8", "2001:db8::/32"));
  std::size_t all = 0;
  EXPECT_TRUE(bench.port.dump_routes({}, {{}, [&](const Route&) { ++all; }}));
  EXPECT_GT(all, 8u) << "the kernel's own are there too";
  EXPECT_TRUE(bench.port.dump_routes({}, {})) << "nobody has to take anything";
}

constexpr std::uint32_t kManyNextHops = 4000;

void add_many_next_hops(Bench& bench) {
  for (std::uint32_t id = 1; id <= kManyNextHops; ++id) {
    NextHop one;
    one.id = id;
    one.kind = NextHopKind::kBlackhole;
    if (bench.writer->put(Change::kAdd, one, id)) continue;
    EXPECT_TRUE(bench.writer->submit().refused.empty());
    EXPECT_TRUE(bench.writer->put(Change::kAdd, one, id));
  }
  EXPECT_TRUE(bench.writer->submit().refused.empty());
}

void a_dump_that_is_disturbed_is_repeated(World& world) {
  Bench bench(world);
  add_many_next_hops(bench);
  unsigned attempts = 0;
  std::set<std::uint32_t> seen;
  const auto done = bench.port.dump_next_hops({}, {[&] {
                                                     ++attempts;
                                                     seen.clear();
                                                   },
                                                   [&](const NextHop& one) {
                                                     if (attempts == 1 && seen.empty())
                                                       bench.make(Change::kRemove, single(kManyNextHops, {}, {}));
                                                     EXPECT_TRUE(seen.insert(one.id).second);
                                                   }});
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->consistent);
  EXPECT_EQ(done->attempts, 2u);
  EXPECT_EQ(attempts, 2u);
  EXPECT_EQ(seen.size(), kManyNextHops - 1);
}

void a_dump_that_is_always_disturbed_ends(World& world) {
  Bench bench(world);
  add_many_next_hops(bench);
  unsigned attempts = 0;
  std::uint32_t taken = 0;
  const auto done =
      bench.port.dump_next_hops({}, {[&] {
                                       ++attempts;
                                       taken = 0;
                                     },
                                     [&](const NextHop&) {
                                       if (taken++ == 0)
                                         bench.make(Change::kRemove, single(kManyNextHops - attempts, {}, {}));
                                     }});
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->consistent);
  EXPECT_EQ(done->attempts, kMostAttempts);
  EXPECT_EQ(attempts, kMostAttempts);
  EXPECT_GT(taken, kManyNextHops - 10) << "the last attempt is read to its end";
}

}  // namespace

std::vector<Case> cases_of_hearing() {
  return {
      {"AMonitorHearsInOrderWhoDidWhat", a_monitor_hears_in_order_who_did_what},
      {"AMonitorHearsWhatItAskedFor", a_monitor_hears_what_it_asked_for},
      {"AWriterCanBeLeftOut", a_writer_can_be_left_out},
      {"AMonitorIsReadableWhileSomethingWaits", a_monitor_is_readable_while_something_waits},
      {"AnOverrunIsToldAndThenItGoesOn", an_overrun_is_told_and_then_it_goes_on},
      {"WhoIsLeftOutOverrunsNobody", who_is_left_out_overruns_nobody},
      {"DumpsAreFiltered", dumps_are_filtered},
      {"ADumpThatIsDisturbedIsRepeated", a_dump_that_is_disturbed_is_repeated},
      {"ADumpThatIsAlwaysDisturbedEnds", a_dump_that_is_always_disturbed_ends},
  };
}

}  // namespace turnpike::kernel
