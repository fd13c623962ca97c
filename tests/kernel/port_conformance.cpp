#include "kernel/port_conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <set>
#include <thread>

#include "net/text.h"

namespace turnpike::kernel {
namespace {

using net::literals::operator""_address;
using net::literals::operator""_mac;
using net::literals::operator""_prefix;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// What a monitor heard, in words: "+route 10.0.0.0/8", "-nexthop 7", "~route 10.0.0.0/8" for one that replaced another.
class Ear final : public Listener {
 public:
  void on_link(const Notice& notice, const Link& link) override { add(notice, "link " + link.name); }
  void on_address(const Notice& notice, const InterfaceAddress& address) override {
    add(notice, "address " + std::string(to_text(address.local).view()));
  }
  void on_route(const Notice& notice, const Route& route) override {
    if (route.protocol != kOurProtocol) return;  // the kernel's own come with links and addresses
    routes.emplace_back(route);
    add(notice, "route " + std::string(to_text(route.destination).view()));
  }
  void on_next_hop(const Notice& notice, const NextHop& next_hop) override {
    add(notice, "nexthop " + std::to_string(next_hop.id));
  }
  void on_neighbour(const Notice& notice, const Neighbour& neighbour) override {
    add(notice, "neighbour " + std::string(to_text(neighbour.address).view()));
  }
  void on_rule(const Notice& notice, const Rule& rule) override {
    add(notice, "rule " + std::to_string(rule.priority));
  }
  void on_loss(Loss why) override { heard.push_back(why == Loss::kOverrun ? "overrun" : "unreadable"); }

  std::vector<std::string> heard;
  std::vector<Identity> writers;
  std::vector<RouteCopy> routes;

 private:
  void add(const Notice& notice, const std::string& what) {
    heard.push_back((notice.gone ? "-" : notice.replaced ? "~" : "+") + what);
    writers.push_back(notice.writer);
  }
};

constexpr Topics kEverything{true, true, true, true, true, true, true};
constexpr Topics kRoutesAndNextHops{.ipv4_routes = true, .ipv6_routes = true, .next_hops = true};

// What a case works with: a world with a link "a" that has 10.0.0.1/24 and fd00::1/64.
class Bench {
 public:
  explicit Bench(World& of) : world(of), port(of.port()), writer(port.open_writer().value()) {
    a = add_link("a", "10.0.0.1"_address, "fd00::1"_address);
  }

  InterfaceIndex add_link(const std::string& name, const Address& four, const Address& six) {
    const InterfaceIndex index = world.add_link(name);
    for (const auto& [local, length] : {std::pair{four, 24}, {six, 64}}) {
      InterfaceAddress address;
      address.link = index;
      address.local = local;
      address.prefix_length = static_cast<std::uint8_t>(length);
      address.flags = kAddressNoDad;
      EXPECT_EQ(errno_of(Change::kAdd, address), 0);
    }
    return index;
  }

  // A lone change: 0, or the errno that it was refused with.
  template <class... Object>
  int errno_of(const Object&... object) {
    const auto done = write_now(*writer, object...);
    if (done) return 0;
    EXPECT_EQ(done.error().kind, ErrorKind::kKernel) << done.error().what;
    return done.error().system_code;
  }

  // Makes a change that the case relies on.
  template <class... Object>
  void make(const Object&... object) {
    ASSERT_EQ(errno_of(object...), 0);
  }

  // The kernel's words for a refusal.
  template <class Object>
  std::string words_for(Change change, const Object& object) {
    EXPECT_TRUE(writer->put(change, object, 5));
    const Report report = writer->submit();
    EXPECT_EQ(report.refused.size(), 1u);
    return report.refused.empty() ? "" : describe(report.refused[0]);
  }

  std::vector<RouteCopy> routes(RouteFilter filter = {}) {
    std::vector<RouteCopy> all;
    if (!filter.protocol) filter.protocol = kOurProtocol;
    const auto done =
        port.dump_routes(filter, {[&] { all.clear(); }, [&](const Route& one) { all.emplace_back(one); }});
    EXPECT_TRUE(done && done->consistent);
    return all;
  }
  std::vector<NextHopCopy> next_hops(const NextHopFilter& filter = {}) {
    std::vector<NextHopCopy> all;
    const auto done =
        port.dump_next_hops(filter, {[&] { all.clear(); }, [&](const NextHop& one) { all.emplace_back(one); }});
    EXPECT_TRUE(done && done->consistent);
    return all;
  }
  std::set<std::string> destinations(const RouteFilter& filter = {}) {
    std::set<std::string> all;
    for (const RouteCopy& copy : routes(filter)) all.emplace(to_text(copy.view().destination).view());
    return all;
  }
  std::set<std::uint32_t> ids() {
    std::set<std::uint32_t> all;
    for (const NextHopCopy& copy : next_hops()) all.insert(copy.view().id);
    return all;
  }
  std::optional<Link> link(const std::string& name) {
    std::optional<Link> found;
    EXPECT_TRUE(port.dump_links({[&] { found.reset(); },
                                 [&](const Link& one) {
                                   if (one.name == name) found = one;
                                 }}));
    return found;
  }

  std::unique_ptr<Monitor> listen(const Topics& topics) { return port.open_monitor({.topics = topics}).value(); }

  World& world;
  Port& port;
  std::unique_ptr<Writer> writer;
  InterfaceIndex a;
};

std::vector<std::string> heard_by(Monitor& monitor) {
  Ear ear;
  EXPECT_TRUE(monitor.read(ear));
  return ear.heard;
}

// What of it is about `what`: the kernel goes on talking of an IPv6 address and its neighbours after it was added.
std::vector<std::string> heard_of(Monitor& monitor, std::string_view what) {
  auto heard = heard_by(monitor);
  std::erase_if(heard, [what](const std::string& one) { return one.substr(1) != what; });
  return heard;
}

constexpr Hop hop(InterfaceIndex link, std::optional<Address> gateway = {}) { return {link, gateway}; }

// A route whose one hop lives as long as this.
struct OneHop {
  OneHop(const Prefix& destination, InterfaceIndex link, std::optional<Address> gateway) : hops{hop(link, gateway)} {
    route.destination = destination;
    route.hops = hops;
  }
  OneHop(const OneHop&) = delete;
  OneHop& operator=(const OneHop&) = delete;
  std::array<Hop, 1> hops;
  Route route;
};

Route shared(const Prefix& destination, std::uint32_t id) {
  Route route;
  route.destination = destination;
  route.next_hop_id = id;
  return route;
}

Route dropping(const Prefix& destination, RouteType type) {
  Route route;
  route.destination = destination;
  route.type = type;
  return route;
}

NextHop single(std::uint32_t id, InterfaceIndex link, std::optional<Address> gateway) {
  NextHop next_hop;
  next_hop.id = id;
  next_hop.link = link;
  next_hop.gateway = gateway;
  if (gateway) next_hop.family = gateway->family();
  return next_hop;
}

NextHop group(std::uint32_t id, std::span<const GroupMember> members) {
  NextHop next_hop;
  next_hop.id = id;
  next_hop.kind = NextHopKind::kGroup;
  next_hop.members = members;
  return next_hop;
}

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

// ---------------------------------------------------------------------------------------------------------------------
// Next hop objects

void next_hops_come_and_go(World& world) {
  Bench bench(world);
  NextHop drop;
  drop.id = 3;
  drop.kind = NextHopKind::kBlackhole;
  const std::array all{single(1, bench.a, "10.0.0.2"_address), single(2, bench.a, "fd00::2"_address), drop,
                       single(4, bench.a, std::nullopt)};
  for (const NextHop& one : all) {
    bench.make(Change::kAdd, one);
    EXPECT_EQ(bench.errno_of(Change::kAdd, one), EEXIST);
  }
  const auto read = bench.next_hops();
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(read[i], NextHopCopy(all[i])) << i;
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.9"_address));
  EXPECT_EQ(bench.next_hops()[0].view().gateway, "10.0.0.9"_address);
  NextHop foreign = single(9, bench.a, "10.0.0.2"_address);
  foreign.protocol = 4;
  bench.make(Change::kReplace, foreign);
  EXPECT_EQ(bench.next_hops({.protocol = kOurProtocol}).size(), all.size());
  EXPECT_EQ(bench.next_hops({.link = InterfaceIndex(987)}).size(), 0u);
  for (const NextHop& one : all) bench.make(Change::kRemove, one);
  EXPECT_EQ(bench.errno_of(Change::kRemove, all[0]), ENOENT);
  EXPECT_THAT(bench.ids(), ElementsAre(9u));
}

void next_hops_that_cannot_be_are_refused(World& world) {
  Bench bench(world);
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(1, InterfaceIndex(987), "10.0.0.2"_address)), EINVAL);
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(1, bench.a, "99.0.0.2"_address)), ENETUNREACH);
  const std::array unknown{GroupMember{77, 1}};
  EXPECT_EQ(bench.words_for(Change::kAdd, group(2, unknown)).substr(0, 45),
            "EINVAL (Invalid argument): Invalid nexthop id");
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  const std::array known{GroupMember{1, 1}};
  bench.make(Change::kAdd, group(2, known));
  const std::array nested{GroupMember{2, 1}};
  EXPECT_EQ(bench.errno_of(Change::kAdd, group(3, nested)), EINVAL);
  EXPECT_EQ(bench.errno_of(Change::kReplace, single(2, bench.a, "10.0.0.3"_address)), EINVAL)
      << "a group stays a group";
  bench.make(LinkChange{bench.a, false, {}});
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(5, bench.a, "10.0.0.2"_address)), ENETDOWN);
}

void routes_share_next_hops(World& world) {
  Bench bench(world);
  EXPECT_EQ(bench.words_for(Change::kAdd, shared("1.0.0.0/8"_prefix, 1)).substr(0, 51),
            "EINVAL (Invalid argument): Nexthop id does not exis");
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  EXPECT_EQ(bench.errno_of(Change::kAdd, shared("2001:db8::/32"_prefix, 1)), EINVAL) << "an IPv4 next hop";
  bench.make(Change::kAdd, single(2, bench.a, "fd00::2"_address));
  bench.make(Change::kAdd, shared("2.0.0.0/8"_prefix, 2));
  bench.make(Change::kAdd, shared("2001:db8::/32"_prefix, 2));
  for (const RouteCopy& copy : bench.routes()) {
    const Route route = copy.view();
    EXPECT_NE(route.next_hop_id, 0u);
    ASSERT_EQ(route.hops.size(), 1u) << "the compatible mode writes out what the next hop holds";
    EXPECT_EQ(route.hops[0].link, bench.a);
  }
  EXPECT_THAT(bench.destinations({.link = bench.a}), ElementsAre("1.0.0.0/8", "2.0.0.0/8", "2001:db8::/32"));
  EXPECT_THAT(bench.destinations({.link = InterfaceIndex(987)}), ElementsAre());
}

void groups_have_weights_and_shrink(World& world) {
  Bench bench(world);
  for (const std::uint32_t id : {1U, 2U}) bench.make(Change::kAdd, single(id, bench.a, Address::ipv4(0x0a000001 + id)));
  const std::array members{GroupMember{1, 1}, GroupMember{2, 256}};
  bench.make(Change::kAdd, group(3, members));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 3));
  ASSERT_EQ(bench.next_hops().size(), 3u);
  EXPECT_EQ(bench.next_hops()[2], NextHopCopy(group(3, members)));
  ASSERT_EQ(bench.routes().size(), 1u);
  EXPECT_EQ(bench.routes()[0].view().hops.size(), 2u);
  EXPECT_EQ(bench.routes()[0].view().hops[1].weight, 256);
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("-nexthop 1", "+nexthop 3"));
  const std::array left{GroupMember{2, 256}};
  EXPECT_EQ(bench.next_hops()[1], NextHopCopy(group(3, left)));
  bench.make(Change::kRemove, single(2, bench.a, std::nullopt));
  EXPECT_THAT(bench.ids(), ElementsAre()) << "a group goes with its last member";
  EXPECT_THAT(bench.destinations(), ElementsAre());
}

void a_group_is_repointed_in_place(World& world) {
  Bench bench(world);
  for (const std::uint32_t id : {1U, 2U, 3U})
    bench.make(Change::kAdd, single(id, bench.a, Address::ipv4(0x0a000001 + id)));
  const std::array before{GroupMember{1, 1}, GroupMember{2, 1}};
  const std::array after{GroupMember{3, 7}};
  bench.make(Change::kAdd, group(9, before));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 9));
  bench.make(Change::kReplace, group(9, after));
  EXPECT_EQ(bench.next_hops().back(), NextHopCopy(group(9, after)));
  ASSERT_EQ(bench.routes().size(), 1u);
  ASSERT_EQ(bench.routes()[0].view().hops.size(), 1u);
  EXPECT_EQ(bench.routes()[0].view().hops[0].gateway, "10.0.0.4"_address);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_EQ(bench.routes().size(), 1u) << "the old members are out of it";
}

void what_uses_a_next_hop_goes_with_it(World& world) {
  Bench bench(world);
  bench.make(Change::kAdd, single(1, bench.a, "fd00::2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  bench.make(Change::kAdd, shared("2001:db8::/32"_prefix, 1));
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_THAT(heard_by(*monitor), UnorderedElementsAre("-nexthop 1", "-route 2001:db8::/32")) << "IPv4 says nothing";
  EXPECT_THAT(bench.destinations(), ElementsAre());
}

void replacing_a_next_hop_moves_its_routes(World& world) {
  Bench bench(world);
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  const std::array members{GroupMember{1, 1}};
  bench.make(Change::kAdd, group(2, members));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  bench.make(Change::kAdd, shared("2.0.0.0/8"_prefix, 2));
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.3"_address));
  EXPECT_THAT(heard_by(*monitor), UnorderedElementsAre("+nexthop 1", "~route 1.0.0.0/8", "~route 2.0.0.0/8"))
      << "the compatible mode tells each route";
  for (const RouteCopy& route : bench.routes()) EXPECT_EQ(route.view().hops[0].gateway, "10.0.0.3"_address);
  ASSERT_TRUE(bench.port.write_setting(kCompatMode, "0"));
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.4"_address));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+nexthop 1"));
  for (const RouteCopy& route : bench.routes()) EXPECT_TRUE(route.view().hops.empty());
}

// ---------------------------------------------------------------------------------------------------------------------
// What goes when a link goes

void fill_two_links(Bench& bench, InterfaceIndex b) {
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, single(2, b, "10.0.1.2"_address));
  const std::array members{GroupMember{1, 1}, GroupMember{2, 1}};
  bench.make(Change::kAdd, group(3, members));
  const OneHop own("1.0.0.0/8"_prefix, b, "10.0.1.2"_address);
  const OneHop six("2001:db8::/32"_prefix, b, "fd00:1::2"_address);
  const std::array both{hop(bench.a, "10.0.0.2"_address), hop(b, "10.0.1.2"_address)};
  Route wide;
  wide.destination = "4.0.0.0/8"_prefix;
  wide.hops = both;
  for (const Route& route : {own.route, shared("2.0.0.0/8"_prefix, 2), shared("3.0.0.0/8"_prefix, 3), wide, six.route})
    bench.make(Change::kAdd, route);
}

void a_link_that_goes_down_takes_routes_and_next_hops(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  fill_two_links(bench, b);
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(LinkChange{b, false, {}});
  EXPECT_THAT(bench.ids(), ElementsAre(1u, 3u));
  EXPECT_THAT(bench.destinations(), ElementsAre("3.0.0.0/8", "4.0.0.0/8"));
  const auto heard = heard_by(*monitor);
  EXPECT_THAT(heard, ::testing::Contains("-route 2001:db8::/32"));
  for (const char* silent : {"-nexthop 2", "-route 1.0.0.0/8", "-route 2.0.0.0/8"})
    EXPECT_THAT(heard, ::testing::Not(::testing::Contains(silent)));
  for (const RouteCopy& copy : bench.routes()) {
    const Route route = copy.view();
    if (route.next_hop_id != 0) continue;
    ASSERT_EQ(route.hops.size(), 2u) << "a hop beside others stays";
    EXPECT_EQ(route.hops[0].flags & kHopDead, 0);
    EXPECT_EQ(route.hops[1].flags & kHopDead, kHopDead);
  }
  bench.make(LinkChange{b, true, {}});
  EXPECT_THAT(bench.destinations(), ElementsAre("3.0.0.0/8", "4.0.0.0/8")) << "nothing comes back by itself";
  for (const RouteCopy& copy : bench.routes()) {
    for (const Hop& one : copy.view().hops) EXPECT_EQ(one.flags & kHopDead, 0);
  }
}

void a_link_that_is_removed_takes_all(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  fill_two_links(bench, b);
  Topics topics;
  topics.links = topics.addresses = true;
  const auto monitor = bench.listen(topics);
  world.remove_link("b");
  EXPECT_THAT(bench.ids(), ElementsAre(1u, 3u));
  EXPECT_FALSE(bench.link("b"));
  EXPECT_TRUE(bench.link("a"));
  const auto heard = heard_by(*monitor);
  EXPECT_THAT(heard, ::testing::Contains("-link b"));
  EXPECT_THAT(heard, ::testing::Contains("-address 10.0.1.1"));
  EXPECT_THAT(heard, ::testing::Contains("-address fd00:1::1"));
  const auto left = bench.destinations();
  EXPECT_FALSE(left.contains("1.0.0.0/8"));
  EXPECT_FALSE(left.contains("2.0.0.0/8"));
  EXPECT_TRUE(left.contains("3.0.0.0/8"));
}

void links_are_changed(World& world) {
  Bench bench(world);
  const auto before = bench.link("a");
  ASSERT_TRUE(before);
  EXPECT_EQ(before->index, bench.a);
  EXPECT_EQ(before->kind, "veth");
  EXPECT_EQ(before->flags & (kLinkUp | kLinkLowerUp), kLinkUp | kLinkLowerUp);
  EXPECT_TRUE(before->mac);
  Topics topics;
  topics.links = true;
  const auto monitor = bench.listen(topics);
  bench.make(LinkChange{bench.a, {}, 1400});
  EXPECT_EQ(bench.link("a")->mtu, 1400u);
  EXPECT_THAT(heard_by(*monitor), ::testing::Contains("+link a"));
  bench.make(LinkChange{bench.a, false, {}});
  EXPECT_EQ(bench.link("a")->flags & kLinkUp, 0u);
  EXPECT_EQ(bench.errno_of(LinkChange{InterfaceIndex(987), true, {}}), ENODEV);
  EXPECT_EQ(bench.errno_of(LinkChange{bench.a, {}, 1}), EINVAL);
}

// ---------------------------------------------------------------------------------------------------------------------
// Addresses, neighbours, rules

void addresses_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.addresses = true;
  const auto monitor = bench.listen(topics);
  InterfaceAddress address;
  address.link = bench.a;
  address.local = "10.9.0.1"_address;
  address.prefix_length = 16;
  bench.make(Change::kAdd, address);
  EXPECT_EQ(bench.errno_of(Change::kAdd, address), EEXIST);
  std::vector<InterfaceAddress> found;
  const Taker<InterfaceAddress> taker{[&] { found.clear(); },
                                      [&](const InterfaceAddress& one) {
                                        if (one.local == address.local) found.push_back(one);
                                      }};
  ASSERT_TRUE(bench.port.dump_addresses(taker));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].link, bench.a);
  EXPECT_EQ(found[0].prefix_length, 16);
  EXPECT_EQ(found[0].flags, kAddressPermanent);
  EXPECT_THAT(bench.destinations({.table = kMainTable, .protocol = std::uint8_t{2}}),
              ::testing::Contains("10.9.0.0/16"));
  const OneHop route("1.0.0.0/8"_prefix, bench.a, "10.9.0.2"_address);
  bench.make(Change::kAdd, route.route);
  OneHop sourced("2.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  sourced.route.preferred_source = address.local;
  bench.make(Change::kAdd, sourced.route);
  bench.make(Change::kRemove, address);
  EXPECT_EQ(bench.errno_of(Change::kRemove, address), EADDRNOTAVAIL);
  EXPECT_THAT(heard_of(*monitor, "address 10.9.0.1"), ElementsAre("+address 10.9.0.1", "-address 10.9.0.1"));
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8"))
      << "a route that names the address goes, one through its network stays";
  address.link = InterfaceIndex(987);
  EXPECT_EQ(bench.errno_of(Change::kAdd, address), ENODEV);
}

void neighbours_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.neighbours = true;
  const auto monitor = bench.listen(topics);
  Neighbour neighbour;
  neighbour.link = bench.a;
  neighbour.address = "10.0.0.9"_address;
  neighbour.mac = "02:00:00:00:00:09"_mac;
  bench.make(Change::kAdd, neighbour);
  EXPECT_EQ(bench.errno_of(Change::kAdd, neighbour), EEXIST);
  std::vector<Neighbour> found;
  const auto dump = [&] {
    found.clear();
    EXPECT_TRUE(bench.port.dump_neighbours({{}, [&](const Neighbour& one) {
                                              if (one.address == neighbour.address) found.push_back(one);
                                            }}));
  };
  dump();
  EXPECT_THAT(found, ElementsAre(neighbour));
  EXPECT_THAT(heard_of(*monitor, "neighbour 10.0.0.9"), ElementsAre("+neighbour 10.0.0.9"));
  bench.make(Change::kRemove, neighbour);
  neighbour.link = InterfaceIndex(987);
  EXPECT_EQ(bench.errno_of(Change::kAdd, neighbour), ENODEV);
}

void rules_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.rules = true;
  const auto monitor = bench.listen(topics);
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Rule rule;
    rule.family = family;
    rule.priority = 100;
    rule.table = 1000;
    rule.in_link = "a";
    rule.mark = 1;
    rule.mark_mask = 0xff;
    rule.suppress_prefix_length = 0;
    rule.destination = Prefix::everything(family) == "0.0.0.0/0"_prefix ? "10.0.0.0/8"_prefix : "2001:db8::/32"_prefix;
    bench.make(Change::kAdd, rule);
    EXPECT_EQ(bench.errno_of(Change::kAdd, rule), EEXIST);
    std::vector<Rule> rules;
    ASSERT_TRUE(bench.port.dump_rules({[&] { rules.clear(); },
                                       [&](const Rule& one) {
                                         if (one.family == family) rules.push_back(one);
                                       }}));
    ASSERT_GE(rules.size(), 3u) << "local and main were there";
    EXPECT_EQ(rules[0].table, kLocalTable);
    EXPECT_EQ(rules[1], rule);
    bench.make(Change::kRemove, rule);
    EXPECT_EQ(bench.errno_of(Change::kRemove, rule), ENOENT);
  }
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+rule 100", "-rule 100", "+rule 100", "-rule 100"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Hearing

void a_monitor_hears_in_order_who_did_what(World& world) {
  Bench bench(world);
  const auto monitor = bench.listen(kEverything);
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
  const auto heard = heard_by(*monitor);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard[0], "overrun");
  EXPECT_EQ(std::ranges::count(heard, "overrun"), 1);
  EXPECT_LT(heard.size(), kRoutes);
  EXPECT_THAT(heard_by(*monitor), ElementsAre());
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

// ---------------------------------------------------------------------------------------------------------------------
// The rest

void settings_are_read_and_written(World& world) {
  Port& port = world.port();
  EXPECT_EQ(port.read_setting(kCompatMode).value(), "1");
  ASSERT_TRUE(port.write_setting(kCompatMode, "0"));
  EXPECT_EQ(port.read_setting(kCompatMode).value(), "0");
  EXPECT_EQ(port.write_setting(kCompatMode, "7").error().kind, ErrorKind::kKernel);
  EXPECT_EQ(port.read_setting("net/ipv4/no_such_thing").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(port.write_setting("net/ipv4/no_such_thing", "1").error().kind, ErrorKind::kNotFound);
  for (const std::string_view wrong :
       {"", "net", "net/", "kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "net/../kernel/hostname", "net//ipv4",
        "net/./ipv4", "net/ipv4/", "net/ipv4/ip_forward\n"}) {
    EXPECT_EQ(port.read_setting(wrong).error().kind, ErrorKind::kInvalidArgument) << wrong;
    EXPECT_EQ(port.write_setting(wrong, "1").error().kind, ErrorKind::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(port.read_setting(std::string_view("net/ipv4\0x", 10)).error().kind, ErrorKind::kInvalidArgument);
}

void a_probe_tells_what_there_is(World& world) {
  const auto found = world.port().probe();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->release.empty());
  EXPECT_TRUE(found->may_write);
  EXPECT_TRUE(found->next_hop_objects);
  EXPECT_TRUE(found->strict_dumps);
  EXPECT_TRUE(found->clear_errors);
  EXPECT_TRUE(found->compat_mode_setting);
  EXPECT_GT(found->receive_buffer, 0u);
}

void a_port_serves_any_thread(World& world) {
  Bench bench(world);
  std::thread elsewhere([&] {
    const auto writer = bench.port.open_writer();
    ASSERT_TRUE(writer);
    EXPECT_TRUE(write_now(**writer, Change::kAdd, dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole)));
    EXPECT_EQ(bench.routes().size(), 1u);
    EXPECT_TRUE(bench.port.write_setting(kCompatMode, "0"));
  });
  elsewhere.join();
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8"));
  EXPECT_EQ(bench.port.read_setting(kCompatMode).value(), "0");
}

}  // namespace

const std::vector<Case>& conformance_cases() {
  static const std::vector<Case> cases{
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
      {"NextHopsComeAndGo", next_hops_come_and_go},
      {"NextHopsThatCannotBeAreRefused", next_hops_that_cannot_be_are_refused},
      {"RoutesShareNextHops", routes_share_next_hops},
      {"GroupsHaveWeightsAndShrink", groups_have_weights_and_shrink},
      {"AGroupIsRepointedInPlace", a_group_is_repointed_in_place},
      {"WhatUsesANextHopGoesWithIt", what_uses_a_next_hop_goes_with_it},
      {"ReplacingANextHopMovesItsRoutes", replacing_a_next_hop_moves_its_routes},
      {"ALinkThatGoesDownTakesRoutesAndNextHops", a_link_that_goes_down_takes_routes_and_next_hops},
      {"ALinkThatIsRemovedTakesAll", a_link_that_is_removed_takes_all},
      {"LinksAreChanged", links_are_changed},
      {"AddressesComeAndGo", addresses_come_and_go},
      {"NeighboursComeAndGo", neighbours_come_and_go},
      {"RulesComeAndGo", rules_come_and_go},
      {"AMonitorHearsInOrderWhoDidWhat", a_monitor_hears_in_order_who_did_what},
      {"AMonitorHearsWhatItAskedFor", a_monitor_hears_what_it_asked_for},
      {"AWriterCanBeLeftOut", a_writer_can_be_left_out},
      {"AMonitorIsReadableWhileSomethingWaits", a_monitor_is_readable_while_something_waits},
      {"AnOverrunIsToldAndThenItGoesOn", an_overrun_is_told_and_then_it_goes_on},
      {"WhoIsLeftOutOverrunsNobody", who_is_left_out_overruns_nobody},
      {"DumpsAreFiltered", dumps_are_filtered},
      {"ADumpThatIsDisturbedIsRepeated", a_dump_that_is_disturbed_is_repeated},
      {"ADumpThatIsAlwaysDisturbedEnds", a_dump_that_is_always_disturbed_ends},
      {"SettingsAreReadAndWritten", settings_are_read_and_written},
      {"AProbeTellsWhatThereIs", a_probe_tells_what_there_is},
      {"APortServesAnyThread", a_port_serves_any_thread},
  };
  return cases;
}

}  // namespace turnpike::kernel
