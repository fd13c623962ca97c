#include "kernel/scripted/model.h"

#include <algorithm>
#include <cerrno>

namespace turnpike::kernel {
namespace {

constexpr std::uint8_t kProtocolKernel = 2;
constexpr std::uint32_t kDefaultPriority6 = 1024;
constexpr std::uint32_t kConnectedPriority6 = 256;
constexpr std::uint32_t kFlagsOfAGroup = 0;

bool is_on(const Link& link) { return (link.flags & kLinkUp) != 0; }

bool has_hop_on(const Route& route, InterfaceIndex link) {
  return std::ranges::any_of(route.hops, [link](const Hop& hop) { return hop.link == link; });
}

Prefix network_of(const InterfaceAddress& address) {
  return {address.peer.value_or(address.local), address.prefix_length};
}

}  // namespace

KernelModel::KernelModel(Teller tell) : tell_(std::move(tell)) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const auto& [priority, table] : {std::pair{0U, kLocalTable}, {32766U, kMainTable}, {32767U, kDefaultTable}}) {
      if (family == Family::kIpv6 && table == kDefaultTable) continue;
      Rule rule;
      rule.family = family;
      rule.priority = priority;
      rule.table = table;
      rule.protocol = kProtocolKernel;
      rules_.push_back(rule);
    }
  }
}

void KernelModel::tell(bool gone, Identity writer, const Object& object, bool replaced) {
  if (!std::holds_alternative<RouteCopy>(object) && !std::holds_alternative<Neighbour>(object)) ++version_;
  tell_({gone, replaced, writer}, object);
}

// ---------------------------------------------------------------------------------------------------------------------
// Routes

KernelModel::RouteKey KernelModel::key_of(const Route& route) {
  const Family family = route.destination.family();
  const bool has_default = family == Family::kIpv6 && route.priority == 0 && route.table != kLocalTable;
  return {family,
          route.table,
          route.destination,
          route.source.value_or(Prefix::everything(family)),
          route.tos,
          has_default ? kDefaultPriority6 : route.priority};
}

InterfaceIndex KernelModel::link_towards(const Address& gateway) const {
  for (const InterfaceAddress& address : addresses_) {
    if (network_of(address).contains(gateway) && is_on(links_.at(address.link))) return address.link;
  }
  return {};
}

KernelModel::Outcome KernelModel::judge_link(InterfaceIndex link) const {
  const auto found = links_.find(link);
  if (found == links_.end()) return {ENODEV, "Device does not exist"};
  if (!is_on(found->second)) return {ENETDOWN, "Nexthop device is not up"};
  return {};
}

KernelModel::Outcome KernelModel::judge_hop(const Hop& hop, Family family) const {
  const bool asks_routes = hop.gateway && hop.gateway->is_ipv4() && (hop.flags & kHopOnLink) == 0;
  if (!hop.link.is_none() && !asks_routes) {
    if (const Outcome wrong = judge_link(hop.link); wrong.error != 0) return wrong;
  }
  if (!hop.gateway) return hop.link.is_none() ? Outcome{ENODEV, ""} : Outcome{};
  if ((hop.flags & kHopOnLink) != 0 || hop.gateway->is_link_local()) return {};
  const InterfaceIndex towards = link_towards(*hop.gateway);
  const bool leads_there = hop.link.is_none() || hop.link == towards;
  if (!towards.is_none() && leads_there) return {};
  return family == Family::kIpv4 ? Outcome{ENETUNREACH, "Nexthop has invalid gateway"} : Outcome{EHOSTUNREACH, ""};
}

KernelModel::Outcome KernelModel::judge(const Route& route) const {
  const Family family = route.destination.family();
  const bool has_source = !route.preferred_source || std::ranges::any_of(addresses_, [&](const InterfaceAddress& one) {
    return one.local == *route.preferred_source;
  });
  if (family == Family::kIpv4 && !has_source) return {EINVAL, "Invalid prefsrc address"};
  if (route.next_hop_id != 0) {
    const auto found = next_hops_.find(route.next_hop_id);
    if (found == next_hops_.end()) return {EINVAL, "Nexthop id does not exist"};
    const NextHop next_hop = found->second.view();
    if (family == Family::kIpv6 && next_hop.kind == NextHopKind::kGateway && next_hop.family == Family::kIpv4)
      return {EINVAL, "IPv6 routes can not use an IPv4 nexthop"};
    return {};
  }
  if (route.type != RouteType::kUnicast) return {};
  if (route.hops.empty()) return {family == Family::kIpv4 ? ENODEV : EINVAL, ""};
  for (const Hop& hop : route.hops) {
    if (const Outcome wrong = judge_hop(hop, hop.gateway ? hop.gateway->family() : family); wrong.error != 0)
      return wrong;
  }
  return {};
}

// With what the kernel adds: the link that a gateway is on, the priority and scope that were left to it.
RouteCopy KernelModel::as_kept(const Route& route) const {
  Route kept = route;
  std::vector<Hop> hops(route.hops.begin(), route.hops.end());
  for (Hop& hop : hops) {
    hop.flags &= kHopOnLink;
    if (hop.link.is_none() && hop.gateway) hop.link = link_towards(*hop.gateway);
  }
  const bool is_direct = hops.size() == 1 && !hops[0].gateway;
  kept.priority = std::get<5>(key_of(route));
  if (route.destination.family() == Family::kIpv6) kept.scope = kScopeUniverse;
  if (!kept.scope) kept.scope = is_direct ? kScopeLink : kScopeUniverse;
  if (route.next_hop_id != 0 || route.type >= RouteType::kBlackhole) hops.clear();
  kept.flags = 0;
  kept.hops = hops;
  return RouteCopy(kept);
}

std::vector<Hop> KernelModel::hops_of(const NextHop& next_hop) const {
  if (next_hop.kind == NextHopKind::kGateway) return {{next_hop.link, next_hop.gateway, 1, next_hop.flags}};
  std::vector<Hop> hops;
  for (const GroupMember& member : next_hop.members) {
    for (Hop hop : hops_of(next_hops_.at(member.id).view())) {
      hop.weight = member.weight;
      hops.push_back(hop);
    }
  }
  return hops;
}

// What a dump or a notification shows of a route with a next hop; `hops` keeps what the result refers to.
Route KernelModel::as_told(const Route& route, std::vector<Hop>& hops) const {
  Route told = route;
  const auto next_hop = next_hops_.find(route.next_hop_id);
  if (next_hop == next_hops_.end()) return told;
  if (next_hop->second.view().kind == NextHopKind::kBlackhole) told.type = RouteType::kBlackhole;
  if (!compat_mode) return told;
  hops = hops_of(next_hop->second.view());
  told.hops = hops;
  return told;
}

KernelModel::Outcome KernelModel::change(Identity writer, Change change, const Route& route) {
  if (change == Change::kRemove) return remove(writer, route);
  if (const Outcome wrong = judge(route); wrong.error != 0) return wrong;
  const auto key = key_of(route);
  const auto there = routes_.find(key);
  if (there != routes_.end() && change == Change::kAdd) return {EEXIST, ""};
  const bool replaces = there != routes_.end();
  if (!replaces && change == Change::kUpdate) return {ENOENT, ""};
  const RouteCopy& kept = routes_.insert_or_assign(key, as_kept(route)).first->second;
  std::vector<Hop> hops;
  tell(false, writer, RouteCopy(as_told(kept.view(), hops)), replaces);
  return {};
}

KernelModel::Outcome KernelModel::remove(Identity writer, const Route& route) {
  const auto key = key_of(route);
  auto there = route.priority == 0 ? routes_.lower_bound([&] {
    auto first = key;
    std::get<5>(first) = 0;
    return first;
  }())
                                   : routes_.find(key);
  const auto prefix_of_key = [](const RouteKey& one) {
    return std::tie(std::get<0>(one), std::get<1>(one), std::get<2>(one), std::get<3>(one), std::get<4>(one));
  };
  while (there != routes_.end() && prefix_of_key(there->first) == prefix_of_key(key) && route.protocol != 0 &&
         there->second.view().protocol != route.protocol)
    ++there;
  if (there == routes_.end() || prefix_of_key(there->first) != prefix_of_key(key) ||
      (route.priority != 0 && there->first != key))
    return {ESRCH, ""};
  const RouteCopy gone = there->second;
  std::vector<Hop> hops;
  const RouteCopy told(as_told(gone.view(), hops));
  routes_.erase(there);
  tell(true, writer, told);
  return {};
}

void KernelModel::put_route(const Route& route, Identity writer) {
  const RouteCopy kept(route);
  routes_.insert_or_assign(key_of(route), kept);
  tell(false, writer, kept);
}

// Routes that go with something else: IPv6 tells, IPv4 does not.
void KernelModel::drop_routes(const std::function<bool(const Route&)>& goes, Identity writer) {
  std::vector<RouteCopy> told;
  std::erase_if(routes_, [&](const auto& entry) {
    const Route route = entry.second.view();
    if (!goes(route)) return false;
    std::vector<Hop> hops;
    const bool silent = route.destination.family() == Family::kIpv4 || (route.next_hop_id != 0 && !compat_mode);
    if (!silent) told.emplace_back(as_told(route, hops));
    return true;
  });
  for (const RouteCopy& route : told) tell(true, writer, route);
}

// ---------------------------------------------------------------------------------------------------------------------
// Next hops

KernelModel::Outcome KernelModel::judge_group(const NextHop& group) const {
  for (const GroupMember& member : group.members) {
    const auto found = next_hops_.find(member.id);
    if (found == next_hops_.end()) return {EINVAL, "Invalid nexthop id"};
    const NextHopKind kind = found->second.view().kind;
    if (kind == NextHopKind::kGroup) return {EINVAL, "Nexthop can not be a group within a group"};
    if (kind == NextHopKind::kBlackhole && group.members.size() > 1)
      return {EINVAL, "Blackhole nexthop can not be used in a group with more than 1 path"};
  }
  return {};
}

KernelModel::Outcome KernelModel::judge(const NextHop& next_hop) const {
  if (next_hop.kind == NextHopKind::kGroup) return judge_group(next_hop);
  if (next_hop.kind == NextHopKind::kBlackhole) return {};
  if (next_hop.link.is_none()) return {EINVAL, "Nexthop attribute set is not valid"};
  if (!links_.contains(next_hop.link)) return {EINVAL, "Invalid device index"};
  if (const Outcome wrong = judge_link(next_hop.link); wrong.error != 0) return wrong;
  const Family family = next_hop.gateway ? next_hop.gateway->family() : next_hop.family;
  return judge_hop({next_hop.link, next_hop.gateway, 1, next_hop.flags}, family);
}

KernelModel::Outcome KernelModel::change(Identity writer, Change change, const NextHop& next_hop) {
  if (change == Change::kRemove) return remove(writer, next_hop);
  const auto there = next_hops_.find(next_hop.id);
  if (there != next_hops_.end() && change == Change::kAdd) return {EEXIST, ""};
  if (const Outcome wrong = judge(next_hop); wrong.error != 0) return wrong;
  if (there == next_hops_.end() && change == Change::kUpdate)
    return {ENOENT, "Replace specified without create and no entry exists"};
  const bool is_group = next_hop.kind == NextHopKind::kGroup;
  if (there != next_hops_.end() && is_group != (there->second.view().kind == NextHopKind::kGroup))
    return {EINVAL, "Can not replace a nexthop by a group, nor a group by a nexthop"};
  NextHop kept = next_hop;
  kept.flags = is_group ? kFlagsOfAGroup : next_hop.flags & kHopOnLink;
  if (next_hop.gateway) kept.family = next_hop.gateway->family();
  if (is_group) kept.family = Family::kIpv4;
  const bool replaces = there != next_hops_.end();
  next_hops_.insert_or_assign(next_hop.id, NextHopCopy(kept));
  tell(false, writer, NextHopCopy(kept));
  if (!replaces || !compat_mode) return {};
  const auto uses = [&](std::uint32_t id) {
    const auto user = next_hops_.find(id);
    return id == next_hop.id ||
           (user != next_hops_.end() &&
            std::ranges::any_of(user->second.view().members, [&](const auto& one) { return one.id == next_hop.id; }));
  };
  for (const auto& [key, route] : routes_) {
    std::vector<Hop> hops;
    if (uses(route.view().next_hop_id)) tell(false, writer, RouteCopy(as_told(route.view(), hops)), true);
  }
  return {};
}

KernelModel::Outcome KernelModel::remove(Identity writer, const NextHop& next_hop) {
  const auto there = next_hops_.find(next_hop.id);
  if (there == next_hops_.end()) return {ENOENT, ""};
  drop_next_hop(there, writer, true);
  return {};
}

// With the routes that use it, and out of its groups; a group that has no member left goes as well, untold.
void KernelModel::drop_next_hop(NextHops::iterator at, Identity writer, bool told) {
  const std::uint32_t id = at->first;
  const NextHopCopy gone = at->second;
  if (told) tell(true, writer, gone);
  drop_routes([id](const Route& route) { return route.next_hop_id == id; }, writer);
  next_hops_.erase(at);
  ++version_;
  drop_from_groups(id);
}

void KernelModel::drop_from_groups(std::uint32_t id) {
  std::vector<std::uint32_t> emptied;
  for (auto& [group_id, copy] : next_hops_) {
    const NextHop group = copy.view();
    std::vector<GroupMember> left(group.members.begin(), group.members.end());
    if (std::erase_if(left, [id](const GroupMember& member) { return member.id == id; }) == 0) continue;
    if (left.empty()) {
      emptied.push_back(group_id);
      continue;
    }
    NextHop smaller = group;
    smaller.members = left;
    copy = NextHopCopy(smaller);
    tell(false, 0, copy);
  }
  for (const std::uint32_t group_id : emptied) drop_next_hop(next_hops_.find(group_id), 0, false);
}

// ---------------------------------------------------------------------------------------------------------------------
// Links

InterfaceIndex KernelModel::add_link(const std::string& name) {
  Link link;
  link.index = InterfaceIndex(next_index_++);
  link.name = name;
  link.kind = "veth";
  link.flags = kLinkUp | kLinkRunning | kLinkLowerUp | kLinkBroadcast | kLinkMulticast;
  link.hardware_type = 1;
  link.operational_state = 6;
  link.mtu = 1500;
  link.mac = MacAddress({2, 0, 0, 0, 0, static_cast<std::uint8_t>(link.index.value())});
  links_.emplace(link.index, link);
  tell(false, 0, link);
  return link.index;
}

void KernelModel::remove_link(InterfaceIndex index) {
  const auto found = links_.find(index);
  if (found == links_.end()) return;
  if (is_on(found->second)) take_down(index);
  for (const InterfaceAddress& address : std::vector(addresses_)) {
    if (address.link == index) drop_address(address, 0);
  }
  std::erase_if(neighbours_, [index](const Neighbour& one) { return one.link == index; });
  const Link gone = found->second;
  links_.erase(found);
  tell(true, 0, gone);
}

void KernelModel::set_carrier(InterfaceIndex index, bool carrier) {
  const auto found = links_.find(index);
  if (found == links_.end() || !is_on(found->second)) return;
  Link& link = found->second;
  constexpr std::uint32_t kSigns = kLinkRunning | kLinkLowerUp;
  link.flags = carrier ? link.flags | kSigns : link.flags & ~kSigns;
  link.operational_state = carrier ? 6 : 3;
  tell(false, 0, link);
}

// What goes with a link: its next hops (untold) with their routes and places in groups, routes all of whose hops are
// there, IPv6's addresses. An IPv4 hop beside others stays, dead.
void KernelModel::take_down(InterfaceIndex index) {
  Link& link = links_.at(index);
  link.flags &= ~(kLinkUp | kLinkRunning | kLinkLowerUp);
  link.operational_state = 2;
  tell(false, 0, link);
  for (auto at = next_hops_.begin(); at != next_hops_.end();) {
    const NextHop next_hop = at->second.view();
    if (next_hop.kind != NextHopKind::kGateway || next_hop.link != index) {
      ++at;
      continue;
    }
    drop_next_hop(at, 0, false);
    at = next_hops_.begin();  // groups may have gone as well
  }
  const auto is_dead = [index](const Hop& hop) { return hop.link == index || (hop.flags & kHopDead) != 0; };
  drop_routes([&](const Route& route) { return !route.hops.empty() && std::ranges::all_of(route.hops, is_dead); }, 0);
  for (auto& [key, copy] : routes_) {
    Route route = copy.view();
    if (!has_hop_on(route, index)) continue;
    std::vector<Hop> hops(route.hops.begin(), route.hops.end());
    if (route.destination.family() == Family::kIpv6) {
      std::erase_if(hops, is_dead);
    } else {
      for (Hop& hop : hops) {
        if (is_dead(hop)) hop.flags = static_cast<std::uint8_t>(hop.flags | kHopDead | kHopLinkDown);
      }
    }
    route.hops = hops;
    copy = RouteCopy(route);
  }
  for (const InterfaceAddress& address : std::vector(addresses_)) {
    if (address.link == index && address.local.is_ipv6()) drop_address(address, 0);
  }
}

void KernelModel::bring_up(InterfaceIndex index) {
  Link& link = links_.at(index);
  link.flags |= kLinkUp | kLinkRunning | kLinkLowerUp;
  link.operational_state = 6;
  tell(false, 0, link);
  for (const InterfaceAddress& address : addresses_) {
    if (address.link == index) add_routes_of(address, 0);
  }
  for (auto& [key, copy] : routes_) {
    Route route = copy.view();
    if (!has_hop_on(route, index)) continue;
    std::vector<Hop> hops(route.hops.begin(), route.hops.end());
    for (Hop& hop : hops) {
      if (hop.link == index) hop.flags &= kHopOnLink;
    }
    route.hops = hops;
    copy = RouteCopy(route);
  }
}

KernelModel::Outcome KernelModel::change(Identity, const LinkChange& change) {
  const auto found = links_.find(change.index);
  if (found == links_.end()) return {ENODEV, ""};
  if (change.mtu && (*change.mtu < 68 || *change.mtu > 65535)) return {EINVAL, "mtu out of range"};
  Link& link = found->second;
  if (change.mtu && link.mtu != *change.mtu) {
    link.mtu = *change.mtu;
    tell(false, 0, link);
  }
  if (change.up && *change.up != is_on(link)) *change.up ? bring_up(change.index) : take_down(change.index);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Addresses, neighbours, rules

// The route to the network on the link, and the one that says "this is I".
void KernelModel::add_routes_of(const InterfaceAddress& address, Identity writer) {
  const std::array hops{Hop{address.link, std::nullopt}};
  const bool is_ipv4 = address.local.is_ipv4();
  Route route;
  route.protocol = kProtocolKernel;
  route.hops = hops;
  route.destination = Prefix::host(address.local);
  route.table = kLocalTable;
  route.type = RouteType::kLocal;
  route.scope = is_ipv4 ? kScopeHost : kScopeUniverse;
  if (is_ipv4) route.preferred_source = address.local;
  put_route(route, writer);
  if ((address.flags & kAddressNoPrefixRoute) != 0 || network_of(address).is_host()) return;
  route.destination = network_of(address);
  route.table = kMainTable;
  route.type = RouteType::kUnicast;
  route.scope = is_ipv4 ? kScopeLink : kScopeUniverse;
  route.priority = is_ipv4 ? 0 : kConnectedPriority6;
  put_route(route, writer);
}

KernelModel::Outcome KernelModel::change(Identity writer, Change change, const InterfaceAddress& address) {
  const auto found = links_.find(address.link);
  if (found == links_.end()) return {ENODEV, ""};
  const auto is_it = [&](const InterfaceAddress& one) {
    return one.link == address.link && one.local == address.local && one.prefix_length == address.prefix_length;
  };
  const auto there = std::ranges::find_if(addresses_, is_it);
  if (change == Change::kRemove) {
    if (there == addresses_.end()) return {EADDRNOTAVAIL, ""};
    drop_address(*there, writer);
    return {};
  }
  if (there != addresses_.end() && change == Change::kAdd) return {EEXIST, ""};
  InterfaceAddress kept = address;
  if (kept.valid_seconds == kForever) kept.flags |= kAddressPermanent;
  if (there != addresses_.end()) {
    *there = kept;
    tell(false, writer, kept);
    return {};
  }
  addresses_.push_back(kept);
  tell(false, writer, kept);
  if (is_on(found->second)) add_routes_of(kept, writer);
  return {};
}

// With the routes that it brought; IPv4 routes that name it as their source go as well, and with a link's last IPv4
// address every IPv4 route with a hop of its own there.
void KernelModel::drop_address(const InterfaceAddress& given, Identity writer) {
  const InterfaceAddress address = given;
  std::erase_if(addresses_, [&](const InterfaceAddress& one) {
    return one.link == address.link && one.local == address.local && one.prefix_length == address.prefix_length;
  });
  tell(true, writer, address);
  for (const auto& [prefix, table] :
       {std::pair{network_of(address), kMainTable}, {Prefix::host(address.local), kLocalTable}}) {
    const auto found = std::ranges::find_if(routes_, [&](const auto& entry) {
      const Route route = entry.second.view();
      return route.protocol == kProtocolKernel && route.destination == prefix && route.table == table &&
             has_hop_on(route, address.link);
    });
    if (found == routes_.end()) continue;
    const RouteCopy gone = found->second;
    routes_.erase(found);
    tell(true, writer, gone);
  }
  if (!address.local.is_ipv4()) return;
  const bool is_last = std::ranges::none_of(
      addresses_, [&](const InterfaceAddress& one) { return one.link == address.link && one.local.is_ipv4(); });
  drop_routes(
      [&](const Route& route) {
        return route.destination.family() == Family::kIpv4 &&
               (route.preferred_source == address.local || (is_last && has_hop_on(route, address.link)));
      },
      writer);
}

KernelModel::Outcome KernelModel::change(Identity, Change change, const Neighbour& neighbour) {
  if (!links_.contains(neighbour.link)) return {ENODEV, ""};
  const auto there = std::ranges::find_if(neighbours_, [&](const Neighbour& one) {
    return one.link == neighbour.link && one.address == neighbour.address;
  });
  if (change == Change::kRemove) {
    if (there == neighbours_.end()) return {ENOENT, ""};
    neighbours_.erase(there);
    return {};
  }
  if (there != neighbours_.end() && change == Change::kAdd) return {EEXIST, ""};
  if (there != neighbours_.end()) {
    *there = neighbour;
  } else {
    neighbours_.push_back(neighbour);
  }
  tell(false, 0, neighbour);
  return {};
}

bool KernelModel::is_same(const Rule& a, const Rule& b) {
  Rule same = a;
  same.protocol = b.protocol;
  return same == b;
}

KernelModel::Outcome KernelModel::change(Identity writer, Change change, const Rule& rule) {
  const auto there = std::ranges::find_if(rules_, [&](const Rule& one) { return is_same(one, rule); });
  if (change == Change::kRemove) {
    if (there == rules_.end()) return {ENOENT, ""};
    const Rule gone = *there;
    rules_.erase(there);
    tell(true, writer, gone);
    return {};
  }
  if (rule.table == 0 && rule.action == RuleAction::kTable) return {EINVAL, "Invalid table"};
  if (there != rules_.end()) return {EEXIST, ""};
  const auto rank = [](const Rule& one) { return std::pair(one.family, one.priority); };
  rules_.insert(std::ranges::upper_bound(rules_, rank(rule), {}, rank), rule);
  tell(false, writer, rule);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// All of a kind

std::vector<Link> KernelModel::links() const {
  std::vector<Link> all;
  for (const auto& [index, link] : links_) all.push_back(link);
  return all;
}

std::vector<RouteCopy> KernelModel::routes() const {
  std::vector<RouteCopy> all;
  all.reserve(routes_.size());
  for (const auto& [key, route] : routes_) {
    std::vector<Hop> hops;
    all.emplace_back(as_told(route.view(), hops));
  }
  return all;
}

std::vector<NextHopCopy> KernelModel::next_hops() const {
  std::vector<NextHopCopy> all;
  for (const auto& [id, next_hop] : next_hops_) all.push_back(next_hop);
  return all;
}

}  // namespace turnpike::kernel
