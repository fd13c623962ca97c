// What the cases are made of: an ear that notes what a monitor tells, a world to start from, objects in one line each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/port_conformance.h"
#include "net/text.h"

namespace turnpike::kernel {

using net::literals::operator""_address;
using net::literals::operator""_mac;
using net::literals::operator""_prefix;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<Case> cases_of_changes();
std::vector<Case> cases_of_next_hops();
std::vector<Case> cases_of_hearing();
std::vector<Case> cases_of_others();

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

inline constexpr Topics kRoutesAndNextHops{.ipv4_routes = true, .ipv6_routes = true, .next_hops = true};

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

inline std::vector<std::string> heard_by(Monitor& monitor) {
  Ear ear;
  EXPECT_TRUE(monitor.read(ear));
  return ear.heard;
}

// What of it is about `what`: the kernel goes on talking of an IPv6 address and its neighbours after it was added.
inline std::vector<std::string> heard_of(Monitor& monitor, std::string_view what) {
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

inline Route shared(const Prefix& destination, std::uint32_t id) {
  Route route;
  route.destination = destination;
  route.next_hop_id = id;
  return route;
}

inline Route dropping(const Prefix& destination, RouteType type) {
  Route route;
  route.destination = destination;
  route.type = type;
  return route;
}

inline NextHop single(std::uint32_t id, InterfaceIndex link, std::optional<Address> gateway) {
  NextHop next_hop;
  next_hop.id = id;
  next_hop.link = link;
  next_hop.gateway = gateway;
  if (gateway) next_hop.family = gateway->family();
  return next_hop;
}

inline NextHop group(std::uint32_t id, std::span<const GroupMember> members) {
  NextHop next_hop;
  next_hop.id = id;
  next_hop.kind = NextHopKind::kGroup;
  next_hop.members = members;
  return next_hop;
}

}  // namespace turnpike::kernel
