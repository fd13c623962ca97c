// Changes and their answers, and what a route can be.
#include "kernel/conformance/parts.h"

#include <tuple>

namespace turnpike::kernel {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Changes and their answers

void add_is_refused_where_the_key_is_taken(World& world) {
  Bench bench(world);
  const OneHop one("1.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  const OneHop other("1.0.0.0/8"_prefix, bench.a, "10.0.0.3"_address);
  bench.make(Change::kAdd, one.route);
  EXPECT_EQ(bench.errno_of(Change::kAdd, other.route), EEXIST);
  const auto routes = bench.routes();
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0].view().hops[0].gateway, "10.0.0.2"_address);
  Route worse = other.route;
  worse.priority = 7;
  EXPECT_EQ(bench.errno_of(Change::kAdd, worse), 0) << "another priority is another key";
  const OneHop six("2001:db8::/32"_prefix, bench.a, "fd00::2"_address);
  bench.make(Change::kAdd, six.route);
  EXPECT_EQ(bench.errno_of(Change::kAdd, six.route), EEXIST);
}

void replace_takes_the_place_of_what_has_the_key(World& world) {
  Bench bench(world);
  const auto monitor = bench.listen({.ipv4_routes = true, .ipv6_routes = true});
  OneHop foreign("1.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  foreign.route.protocol = 4;
  const OneHop ours("1.0.0.0/8"_prefix, bench.a, "10.0.0.3"_address);
  bench.make(Change::kReplace, foreign.route);
  bench.make(Change::kReplace, ours.route);
  EXPECT_EQ(bench.routes({.protocol = std::uint8_t{4}}).size(), 0u) << "also of what is foreign";
  const auto routes = bench.routes();
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0].view().hops[0].gateway, "10.0.0.3"_address);
  EXPECT_THAT(heard_by(*monitor), ElementsAre("~route 1.0.0.0/8"));
  const OneHop six("2001:db8::/32"_prefix, bench.a, "fd00::2"_address);
  bench.make(Change::kReplace, six.route);
  bench.make(Change::kReplace, six.route);
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+route 2001:db8::/32", "~route 2001:db8::/32"));
}

void remove_goes_by_key_and_protocol(World& world) {
  Bench bench(world);
  for (const Prefix& prefix : {"1.0.0.0/8"_prefix, "2001:db8::/32"_prefix}) {
    Route route = dropping(prefix, RouteType::kBlackhole);
    route.table = 1000;
    route.priority = 5;
    EXPECT_EQ(bench.errno_of(Change::kRemove, route), ESRCH) << "nothing is there yet";
    bench.make(Change::kAdd, route);
    Route foreign = route;
    foreign.protocol = 4;
    EXPECT_EQ(bench.errno_of(Change::kRemove, foreign), ESRCH);
    Route elsewhere = route;
    elsewhere.table = kMainTable;
    EXPECT_EQ(bench.errno_of(Change::kRemove, elsewhere), ESRCH);
    Route worse = route;
    worse.priority = 6;
    EXPECT_EQ(bench.errno_of(Change::kRemove, worse), ESRCH);
    EXPECT_EQ(bench.routes().size(), 1u);
    EXPECT_EQ(bench.errno_of(Change::kRemove, route), 0);
    EXPECT_EQ(bench.errno_of(Change::kRemove, route), ESRCH);
    EXPECT_EQ(bench.routes().size(), 0u);
  }
}

void a_submit_goes_on_behind_what_is_refused(World& world) {
  Bench bench(world);
  const Route good = dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole);
  const Route missing = dropping("2.0.0.0/8"_prefix, RouteType::kBlackhole);
  const Route also_good = dropping("3.0.0.0/8"_prefix, RouteType::kProhibit);
  EXPECT_TRUE(bench.writer->put(Change::kAdd, good, 11));
  EXPECT_TRUE(bench.writer->put(Change::kRemove, missing, 12));
  EXPECT_TRUE(bench.writer->put(Change::kAdd, good, 13));
  EXPECT_TRUE(bench.writer->put(Change::kAdd, shared("4.0.0.0/8"_prefix, 99), 14));
  EXPECT_TRUE(bench.writer->put(Change::kAdd, also_good, 15));
  EXPECT_EQ(bench.writer->noted(), 5u);
  const Report report = bench.writer->submit();
  EXPECT_EQ(report.submitted, 5u);
  EXPECT_FALSE(report.answers_lost);
  std::vector<std::pair<Cookie, int>> refused;
  for (const Refusal& one : report.refused) refused.emplace_back(one.cookie, one.error);
  EXPECT_THAT(refused,
              ElementsAre(std::pair(Cookie{12}, ESRCH), std::pair(Cookie{13}, EEXIST), std::pair(Cookie{14}, EINVAL)));
  EXPECT_EQ(describe(report.refused[2]).substr(0, 51), "EINVAL (Invalid argument): Nexthop id does not exis");
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8", "3.0.0.0/8"));
  EXPECT_EQ(bench.writer->noted(), 0u);
  const Report nothing = bench.writer->submit();
  EXPECT_EQ(nothing.submitted, 0u);
  EXPECT_TRUE(nothing.refused.empty());
}

void what_can_never_be_written_is_refused_by_the_report(World& world) {
  Bench bench(world);
  const OneHop wrong("2001:db8::/32"_prefix, bench.a, "10.0.0.2"_address);
  const Route good = dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole);
  EXPECT_TRUE(bench.writer->put(Change::kAdd, wrong.route, 1));
  EXPECT_TRUE(bench.writer->put(Change::kAdd, good, 2));
  EXPECT_TRUE(bench.writer->put(Change::kAdd, group(3, {}), 3));
  const Report report = bench.writer->submit();
  ASSERT_EQ(report.refused.size(), 2u);
  EXPECT_EQ(report.refused[0].cookie, 1u);
  EXPECT_EQ(report.refused[0].error, EINVAL);
  EXPECT_EQ(report.refused[0].text, "an IPv6 route has no IPv4 gateway");
  EXPECT_EQ(report.refused[1].cookie, 3u);
  EXPECT_EQ(bench.routes().size(), 1u);
  EXPECT_EQ(bench.errno_of(Change::kAdd, wrong.route), EINVAL) << "also as the only change of a submit";
}

void a_full_writer_takes_no_more_until_it_has_submitted(World& world) {
  Bench bench(world);
  constexpr std::uint32_t kRoutes = 5000;
  std::size_t submits = 0;
  for (const Change change : {Change::kAdd, Change::kRemove}) {
    std::size_t done = 0;
    for (std::uint32_t i = 0; i < kRoutes; ++i) {
      const Route route = dropping(Prefix::host(Address::ipv4(0x0b000000 + i)), RouteType::kBlackhole);
      if (bench.writer->put(change, route, i)) continue;
      done += bench.writer->submit().submitted;
      ++submits;
      ASSERT_TRUE(bench.writer->put(change, route, i));
    }
    const Report last = bench.writer->submit();
    EXPECT_TRUE(last.refused.empty());
    EXPECT_EQ(done + last.submitted, kRoutes);
    EXPECT_EQ(bench.routes().size(), change == Change::kAdd ? kRoutes : 0);
  }
  EXPECT_GT(submits, 0u);
}

void every_change_of_a_full_submit_may_be_refused(World& world) {
  Bench bench(world);
  Cookie cookie = 0;
  while (bench.writer->put(Change::kAdd, shared("1.0.0.0/8"_prefix, 99), cookie)) ++cookie;
  const Report report = bench.writer->submit();
  EXPECT_FALSE(report.answers_lost);
  ASSERT_EQ(report.refused.size(), cookie);
  for (Cookie i = 0; i < cookie; ++i) {
    ASSERT_EQ(report.refused[i].cookie, i);
    ASSERT_EQ(report.refused[i].error, EINVAL);
    ASSERT_FALSE(report.refused[i].text.empty());
  }
}

void a_lone_change_waits_for_no_others(World& world) {
  Bench bench(world);
  EXPECT_TRUE(bench.writer->put(Change::kAdd, dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole), 1));
  const auto done = write_now(*bench.writer, Change::kAdd, dropping("2.0.0.0/8"_prefix, RouteType::kBlackhole));
  EXPECT_EQ(done.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(bench.routes().size(), 0u) << "nothing was written";
  EXPECT_EQ(bench.writer->submit().submitted, 1u);
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8"));
}

void routes_that_lead_nowhere_are_refused(World& world) {
  Bench bench(world);
  const auto refusal = [&](const Prefix& to, InterfaceIndex link, std::optional<Address> gateway) {
    const OneHop one(to, link, gateway);
    return bench.errno_of(Change::kAdd, one.route);
  };
  EXPECT_EQ(refusal("1.0.0.0/8"_prefix, {}, "99.0.0.1"_address), ENETUNREACH);
  EXPECT_EQ(refusal("1.0.0.0/8"_prefix, bench.a, "99.0.0.1"_address), ENETUNREACH);
  EXPECT_EQ(refusal("2001:db8::/32"_prefix, {}, "2001:db8::1"_address), EHOSTUNREACH);
  EXPECT_EQ(refusal("1.0.0.0/8"_prefix, InterfaceIndex(987), "10.0.0.2"_address), ENETUNREACH) << "IPv4 asks routes";
  EXPECT_EQ(refusal("1.0.0.0/8"_prefix, InterfaceIndex(987), std::nullopt), ENODEV);
  EXPECT_EQ(refusal("2001:db8::/32"_prefix, InterfaceIndex(987), std::nullopt), ENODEV);
  const OneHop stranger("1.0.0.0/8"_prefix, bench.a, "99.0.0.1"_address);
  auto hops = stranger.hops;
  hops[0].flags = kHopOnLink;
  Route route = stranger.route;
  route.hops = hops;
  EXPECT_EQ(bench.errno_of(Change::kAdd, route), 0) << "unless the gateway is said to be on the link";
  ASSERT_EQ(bench.routes().size(), 1u);
  EXPECT_EQ(bench.routes()[0].view().hops[0].flags & kHopOnLink, kHopOnLink);
  bench.make(LinkChange{bench.a, false, {}});
  EXPECT_EQ(refusal("2.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address), ENETUNREACH);
  EXPECT_EQ(refusal("2.0.0.0/8"_prefix, bench.a, std::nullopt), ENETDOWN);
  EXPECT_EQ(refusal("2001:db8::/32"_prefix, bench.a, "fe80::2"_address), ENETDOWN);
}

// ---------------------------------------------------------------------------------------------------------------------
// What a route can be

void routes_come_back_as_they_were_written(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  const auto check = [&](Route route) {
    SCOPED_TRACE(to_text(route.destination).view());
    bench.make(Change::kAdd, route);
    const auto read = bench.routes();
    ASSERT_EQ(read.size(), 1u);
    if (!route.scope) route.scope = read[0].view().scope;
    EXPECT_EQ(read[0], RouteCopy(route));
    bench.make(Change::kRemove, route);
  };
  OneHop plain("1.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  check(plain.route);
  plain.route.table = 100'000;
  plain.route.priority = 77;
  plain.route.tos = 0x10;
  plain.route.protocol = kOurProtocol;
  plain.route.preferred_source = "10.0.0.1"_address;
  plain.route.metrics = {1400, 1200, 33};
  check(plain.route);
  const OneHop direct("2.0.0.0/8"_prefix, bench.a, std::nullopt);
  check(direct.route);
  const OneHop everything("0.0.0.0/0"_prefix, bench.a, "10.0.0.2"_address);
  check(everything.route);
  const OneHop over_six("3.0.0.0/8"_prefix, bench.a, "fd00::2"_address);
  check(over_six.route);
  const std::array many{Hop{bench.a, "10.0.0.2"_address, 3}, Hop{b, "10.0.1.2"_address, 256},
                        Hop{b, "fd00:1::2"_address, 1}};
  Route wide;
  wide.destination = "4.0.0.0/8"_prefix;
  wide.hops = many;
  check(wide);
  for (const RouteType type : {RouteType::kBlackhole, RouteType::kUnreachable, RouteType::kProhibit, RouteType::kThrow})
    check(dropping("5.0.0.0/8"_prefix, type));
}

void ipv6_routes_come_back_as_they_were_written(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  const auto check = [&](Route route) {
    SCOPED_TRACE(to_text(route.destination).view());
    bench.make(Change::kAdd, route);
    const auto read = bench.routes();
    ASSERT_EQ(read.size(), 1u);
    route.scope = kScopeUniverse;
    if (route.priority == 0) route.priority = 1024;
    EXPECT_EQ(read[0], RouteCopy(route));
    bench.make(Change::kRemove, route);
  };
  OneHop plain("2001:db8::/32"_prefix, bench.a, "fd00::2"_address);
  check(plain.route);
  plain.route.table = 100'000;
  plain.route.priority = 77;
  plain.route.preferred_source = "fd00::1"_address;
  plain.route.metrics = {1400, 1200, 33};
  check(plain.route);
  const OneHop everything("::/0"_prefix, bench.a, "fe80::2"_address);
  check(everything.route);
  const std::array many{Hop{bench.a, "fd00::2"_address, 1}, Hop{b, "fd00:1::2"_address, 9}};
  Route wide;
  wide.destination = "2001:db8:1::/48"_prefix;
  wide.hops = many;
  check(wide);
  for (const RouteType type : {RouteType::kBlackhole, RouteType::kUnreachable, RouteType::kProhibit})
    check(dropping("2001:db8:2::/48"_prefix, type));
}

void replacing_a_route_leaves_nothing_of_the_old_one(World& world) {
  Bench bench(world);
  bench.make(Change::kAdd, single(1, bench.a, "fd00::9"_address));
  for (const auto& [prefix, one, other] : {std::tuple{"1.0.0.0/8"_prefix, "10.0.0.2"_address, "10.0.0.3"_address},
                                           std::tuple{"2001:db8::/32"_prefix, "fd00::2"_address, "fd00::3"_address}}) {
    const std::array both{hop(bench.a, one), hop(bench.a, other)};
    Route wide;
    wide.destination = prefix;
    wide.hops = both;
    const OneHop narrow(prefix, bench.a, other);
    const std::array steps{
        wide, narrow.route, shared(prefix, 1), wide, dropping(prefix, RouteType::kUnreachable), narrow.route};
    for (const Route& step : steps) {
      bench.make(Change::kReplace, step);
      const auto read = bench.routes({.family = prefix.family()});
      ASSERT_EQ(read.size(), 1u);
      EXPECT_EQ(read[0].view().type, step.type);
      EXPECT_EQ(read[0].view().next_hop_id, step.next_hop_id);
      EXPECT_EQ(read[0].view().hops.size(), step.next_hop_id != 0 ? 1 : step.hops.size());
    }
  }
}

}  // namespace

std::vector<Case> cases_of_changes() {
  return {
      {"AddIsRefusedWhereTheKeyIsTaken", add_is_refused_where_the_key_is_taken},
      {"ReplaceTakesThePlaceOfWhatHasTheKey", replace_takes_the_place_of_what_has_the_key},
      {"RemoveGoesByKeyAndProtocol", remove_goes_by_key_and_protocol},
      {"ASubmitGoesOnBehindWhatIsRefused", a_submit_goes_on_behind_what_is_refused},
      {"WhatCanNeverBeWrittenIsRefusedByTheReport", what_can_never_be_written_is_refused_by_the_report},
      {"AFullWriterTakesNoMoreUntilItHasSubmitted", a_full_writer_takes_no_more_until_it_has_submitted},
      {"EveryChangeOfAFullSubmitMayBeRefused", every_change_of_a_full_submit_may_be_refused},
      {"ALoneChangeWaitsForNoOthers", a_lone_change_waits_for_no_others},
      {"RoutesThatLeadNowhereAreRefused", routes_that_lead_nowhere_are_refused},
      {"RoutesComeBackAsTheyWereWritten", routes_come_back_as_they_were_written},
      {"Ipv6RoutesComeBackAsTheyWereWritten", ipv6_routes_come_back_as_they_were_written},
      {"ReplacingARouteLeavesNothingOfTheOldOne", replacing_a_route_leaves_nothing_of_the_old_one},
  };
}

}  // namespace turnpike::kernel
