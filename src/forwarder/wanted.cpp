// What a destination's best route asks for: type, path, settings; and how they are shared.
#include <algorithm>
#include <cerrno>

#include "forwarder/unicast.h"

namespace turnpike::forwarder {
namespace {

// RTM_ROUTE_FLAGS_… of rtmv2.h.
constexpr std::uint16_t kMartian = 0x0001, kBlackhole = 0x0002, kDiscard = 0x0004, kInactive = 0x0008;
// Addresses of this router, multicast and broadcast addresses: the kernel has them in its local table.
constexpr std::uint16_t kOfTheKernel = 0x0040 | 0x0080 | 0x0300 | 0xf400;

}  // namespace

Unicast::Wish Unicast::wish(std::uint32_t index, Prefix& prefix) {
  rtm::Forwarding route;
  if (!table_.forwarding(self_, handle_of(index), route)) return {.readable = false};
  const std::span bytes(route.destination.address, width_of(settings_.family) / 8);
  prefix = Prefix(*Address::from_bytes(bytes), route.destination.bits);
  if (!route.has_route) return {};
  if (std::ranges::find(foreign_owners_, route.owner) != foreign_owners_.end()) return {.state = RouteState::kForeign};
  if ((route.flags & (kMartian | kInactive | kOfTheKernel)) != 0) return {};
  const std::uint32_t settings = settings_for(route.owner);
  const bool is_black = (route.flags & kBlackhole) != 0;
  const bool is_discarded = (route.flags & kDiscard) != 0;
  if (is_black || is_discarded) {
    const auto type = is_black && is_discarded ? kernel::RouteType::kProhibit
                      : is_black               ? kernel::RouteType::kBlackhole
                                               : kernel::RouteType::kUnreachable;
    return {.target = share_target({.type = type, .settings = settings})};
  }
  return unicast_wish(route, settings, adopted_id(entries_[index], prefix));
}

// A next hop that says nothing (no address, no interface) is as if it were not there.
Unicast::Wish Unicast::unicast_wish(const rtm::Forwarding& route, std::uint32_t settings, std::uint32_t hint) {
  Hops hops;
  hops.reserve(route.hop_count);
  for (std::uint32_t i = 0; i < route.hop_count; ++i) {
    const auto found = hop(route.hops[i]);
    if (!found && found.error().kind == ErrorKind::kBusy) return {.readable = false};
    if (!found) continue;
    hops.push_back(*found);
    if (route.on_link && found->link != 0) hops.back().address = Address::netmask(settings_.family, 0);
  }
  if (hops.empty()) return {.error = EDESTADDRREQ, .state = RouteState::kFailed};
  std::ranges::sort(hops);
  const std::uint32_t path = share_path(std::move(hops), hint);
  if (path == 0) return {.error = E2BIG, .state = RouteState::kFailed};
  const std::uint32_t target = share_target({.path = path, .settings = settings});
  release_path(path);  // the target has its own
  return {.target = target};
}

// Read once a step: a million routes have few next hops.
Result<Unicast::Hop> Unicast::hop(rtm::Handle handle) {
  if (const auto known = hop_of_handle_.find(handle); known != hop_of_handle_.end()) return known->second;
  rtm::NextHopImage image;
  if (const auto read = table_.next_hop_info(self_, handle, image); !read) return tl::unexpected(read.error());
  const bool is_remote = (image.flags & rtm::kRemoteNextHop) != 0;
  Hop hop{.link = is_remote ? 0 : image.interface_index};
  // A next hop of the other family than the table's is one too.
  const auto address_of = [this](const rtm::NetAddress& of) {
    const bool wide = (settings_.family == Family::kIpv6) == (of.family == table_.config().family);
    return *Address::from_bytes(std::span(of.address, wide ? 16 : 4));
  };
  hop.address = address_of(image.address);
  if (rtm::Forwarding remote; hop.link == 0 && hop.address.is_unspecified() && image.remote != rtm::Handle::kNone &&
                              table_.forwarding(self_, image.remote, remote)) {
    hop.address = address_of(remote.destination);
  }
  static_cast<void>(table_.release_next_hop_info(self_, image));
  if (hop.link == 0 && hop.address.is_unspecified()) return fail(ErrorKind::kNotFound, "a next hop that leads nowhere");
  hop_of_handle_.emplace(handle, hop);
  return hop;
}

Way Unicast::way_of(const Hop& hop, const Address& towards) const {
  Way way{.family = settings_.family, .link = InterfaceIndex(hop.link)};
  const Address& gateway = hop.address.is_unspecified() ? towards : hop.address;
  if (!gateway.is_unspecified()) {
    way.gateway = gateway;
    way.family = gateway.family();
  }
  return way;
}

// --- shared values
// -----------------------------------------------------------------------------------------------------------

std::uint32_t Unicast::settings_for(rtm::Handle owner) {
  const auto [place, is_new] = settings_of_owner_.try_emplace(owner, 0);
  if (is_new && !settings_.by_protocol.empty()) {
    const auto info = table_.entity_info(self_, owner);
    const auto special = info ? settings_.by_protocol.find(info->protocol) : settings_.by_protocol.end();
    if (special != settings_.by_protocol.end()) place->second = share_settings(special->second);
  }
  return place->second;
}

// Never given back: there are as many as the configuration, and what others wrote with our number, have.
std::uint32_t Unicast::share_settings(const RouteSettings& settings) {
  const auto there = std::ranges::find(route_settings_, settings);
  if (there != route_settings_.end()) return static_cast<std::uint32_t>(there - route_settings_.begin());
  route_settings_.push_back(settings);
  return static_cast<std::uint32_t>(route_settings_.size() - 1);
}

std::uint32_t Unicast::share_path(Hops hops, std::uint32_t hint) {
  if (const auto there = path_index_.find(hops); there != path_index_.end()) {
    ++paths_[there->second].uses;
    return there->second;
  }
  Path made{.hops = hops, .uses = 1};
  made.recursive = std::ranges::any_of(hops, [](const Hop& each) { return each.link == 0; });
  if (!made.recursive) {
    std::vector<Way> ways;
    for (const Hop& each : hops) ways.push_back(way_of(each, Address()));
    made.object = next_hops_.share(ways, hint);
  } else {
    made.object = next_hops_.make_movable();
  }
  if (made.object == 0) return 0;
  if (free_paths_.empty()) {
    free_paths_.push_back(static_cast<std::uint32_t>(paths_.size()));
    paths_.emplace_back();
  }
  const std::uint32_t path = free_paths_.back();
  free_paths_.pop_back();
  paths_[path] = std::move(made);
  path_index_.emplace(std::move(hops), path);
  if (paths_[path].recursive) resolve(path, hint);
  return path;
}

void Unicast::release_path(std::uint32_t path) {
  Path& its = paths_[path];
  if (path == 0 || --its.uses != 0) return;
  forget_lookups(path);
  next_hops_.release(its.object);
  path_index_.erase(its.hops);
  const bool waits = its.to_resolve;  // its place is in to_resolve_: not reused before that is empty
  its = Path{};
  its.to_resolve = waits;
  free_paths_.push_back(path);
}

// One use more.
std::uint32_t Unicast::share_target(const Target& target) {
  const auto [place, is_new] = target_index_.try_emplace(target, 0);
  if (is_new) {
    if (free_targets_.empty()) {
      free_targets_.push_back(static_cast<std::uint32_t>(targets_.size()));
      targets_.emplace_back();
    }
    place->second = free_targets_.back();
    free_targets_.pop_back();
    static_cast<Target&>(targets_[place->second]) = target;
    if (target.path != 0) ++paths_[target.path].uses;
  }
  use_target(place->second);
  return place->second;
}

void Unicast::release_target(std::uint32_t target) {
  if (target == 0 || --targets_[target].uses != 0) return;
  const Target gone = targets_[target];
  target_index_.erase(gone);
  targets_[target] = CountedTarget{};
  free_targets_.push_back(target);
  release_path(gone.path);
}

}  // namespace turnpike::forwarder
