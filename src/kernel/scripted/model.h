// KernelModel: Linux's routing in memory, as far as whoever drives it can tell: tables, next hop objects and groups,
// links, addresses, rules, neighbours; what is refused and with which errno; what goes when something else goes, and
// which of that is told. For tests and replays; scripted_port.h makes a port of it and lets it misbehave.
//
// It is no second kernel: no packet is forwarded, nothing takes time. What it claims about Linux is in
// tests/kernel/conformance, which runs over the kernel too; what is not there, it does not claim.
//
// Not thread-safe: its user locks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "kernel/port.h"

namespace turnpike::kernel {

class KernelModel {
 public:
  using Object = std::variant<Link, InterfaceAddress, RouteCopy, NextHopCopy, Neighbour, Rule>;
  using Teller = std::function<void(const Notice& notice, const Object& object)>;

  struct Outcome {
    int error = 0;
    const char* text = "";
  };

  // `tell` is called for each notification, in the middle of a change: it notes it and comes back.
  explicit KernelModel(Teller tell);

  // What a netlink request does.
  Outcome change(Identity writer, Change change, const Route& route);
  Outcome change(Identity writer, Change change, const NextHop& next_hop);
  Outcome change(Identity writer, Change change, const InterfaceAddress& address);
  Outcome change(Identity writer, Change change, const Neighbour& neighbour);
  Outcome change(Identity writer, Change change, const Rule& rule);
  Outcome change(Identity writer, const LinkChange& change);

  // What an administrator does by other means. A link is made up and running, like one end of a wire.
  InterfaceIndex add_link(const std::string& name);
  void remove_link(InterfaceIndex link);
  // A cable that is pulled, or put in again, on a link that is up. Only the link itself tells of it.
  void set_carrier(InterfaceIndex link, bool carrier);

  // All of a kind, in the kernel's order or one like it.
  [[nodiscard]] std::vector<Link> links() const;
  [[nodiscard]] const std::vector<InterfaceAddress>& addresses() const { return addresses_; }
  [[nodiscard]] std::vector<RouteCopy> routes() const;
  [[nodiscard]] std::vector<NextHopCopy> next_hops() const;
  [[nodiscard]] const std::vector<Neighbour>& neighbours() const { return neighbours_; }
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }

  // Grows with every change of what a dump can notice: all but routes and neighbours.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  // net.ipv4.nexthop_compat_mode: routes are written out, and told when their next hop changes.
  bool compat_mode = true;

 private:
  using RouteKey = std::tuple<Family, std::uint32_t, Prefix, Prefix, std::uint8_t, std::uint32_t>;
  using Routes = std::map<RouteKey, RouteCopy>;
  using NextHops = std::map<std::uint32_t, NextHopCopy>;

  static RouteKey key_of(const Route& route);
  static bool is_same(const Rule& a, const Rule& b);

  void tell(bool gone, Identity writer, const Object& object, bool replaced = false);

  [[nodiscard]] Outcome judge(const Route& route) const;
  [[nodiscard]] Outcome judge_hop(const Hop& hop, Family family) const;
  [[nodiscard]] Outcome judge_link(InterfaceIndex link) const;
  [[nodiscard]] Outcome judge(const NextHop& next_hop) const;
  [[nodiscard]] Outcome judge_group(const NextHop& group) const;
  [[nodiscard]] InterfaceIndex link_towards(const Address& gateway) const;
  [[nodiscard]] RouteCopy as_kept(const Route& route) const;
  [[nodiscard]] Route as_told(const Route& route, std::vector<Hop>& hops) const;
  [[nodiscard]] std::vector<Hop> hops_of(const NextHop& next_hop) const;

  Outcome remove(Identity writer, const Route& route);
  Outcome remove(Identity writer, const NextHop& next_hop);
  void drop_next_hop(NextHops::iterator at, Identity writer, bool told);
  void drop_from_groups(std::uint32_t id);
  void drop_routes(const std::function<bool(const Route&)>& goes, Identity writer);
  void take_down(InterfaceIndex link);
  void bring_up(InterfaceIndex link);
  void drop_address(const InterfaceAddress& address, Identity writer);
  void add_routes_of(const InterfaceAddress& address, Identity writer);
  void put_route(const Route& route, Identity writer);

  Teller tell_;
  std::uint64_t version_ = 0;
  std::uint32_t next_index_ = 1;
  std::map<InterfaceIndex, Link> links_;
  std::vector<InterfaceAddress> addresses_;
  Routes routes_;
  NextHops next_hops_;
  std::vector<Neighbour> neighbours_;
  std::vector<Rule> rules_;
};

}  // namespace turnpike::kernel
