#include "forwarder/importer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace turnpike::forwarder {
namespace {

constexpr std::uint32_t kInstance = 0x4b524e4c;  // "KRNL": apart from clients that register with the same protocol id

// Kernel protocols (rtnetlink.h, FRRouting's and BIRD's numbers) and the protocol ids of the documented API.
constexpr std::uint32_t kLocal = 2, kNetworkManagement = 3, kIcmp = 4, kRip = 8, kIsIs = 9, kOspf = 13, kBgp = 14;
constexpr struct {
  std::uint8_t kernel;
  std::uint32_t id;
} kSources[] = {
    {1, kIcmp},    // redirect
    {2, kLocal},   // the kernel: connected and local
    {9, kIcmp},    // router advertisements
    {186, kBgp},   // FRRouting
    {187, kIsIs},  //
    {188, kOspf},  //
    {189, kRip},   //
};  // any other (`ip route`, DHCP, BIRD, static routes of FRRouting): network management

std::uint32_t protocol_id_of(std::uint8_t kernel) {
  for (const auto& source : kSources) {
    if (source.kernel == kernel) return source.id;
  }
  return kNetworkManagement;
}

// RTM_ROUTE_FLAGS_… of rtmv2.h.
constexpr std::uint16_t kBlackhole = 0x02, kDiscard = 0x04, kInactive = 0x08, kOnLink = 0x10, kRemote = 0x20,
                        kMyself = 0x40;

std::uint16_t flags_of(const kernel::Route& route, std::span<const kernel::Hop> hops) {
  using kernel::RouteType;
  switch (route.type) {
    case RouteType::kLocal:
      return kMyself;
    case RouteType::kBlackhole:
      return kBlackhole;
    case RouteType::kUnreachable:
      return kDiscard;
    case RouteType::kProhibit:
      return kBlackhole | kDiscard;
    case RouteType::kThrow:
      return kInactive;
    default:
      break;
  }
  const bool foreign_family = std::ranges::any_of(
      hops, [&](const kernel::Hop& hop) { return hop.gateway && hop.gateway->family() != route.destination.family(); });
  const bool direct = std::ranges::none_of(hops, [](const kernel::Hop& hop) { return hop.gateway.has_value(); });
  return static_cast<std::uint16_t>((direct ? kOnLink : kRemote) | (foreign_family ? kInactive : 0));
}

}  // namespace

bool Importer::is_wanted(const kernel::Route& route) const {
  using kernel::RouteType;
  const bool table = route.table == settings_.kernel_table ||
                     (settings_.kernel_table == kernel::kMainTable && route.table == kernel::kLocalTable);
  const bool type = route.type != RouteType::kBroadcast && route.type != RouteType::kAnycast &&
                    route.type != RouteType::kMulticast && route.type != RouteType::kNat &&
                    route.type != RouteType::kUnspecified;
  return table && type && route.destination.family() == settings_.family && route.protocol != our_protocol_ &&
         !route.source && (route.flags & kernel::kRouteCloned) == 0 && !route.destination.address().is_multicast();
}

Importer::Key Importer::key_of(const kernel::Route& route) {
  Key key;
  key.destination = route.destination;
  key.table = route.table;
  key.priority = route.priority;
  if (route.destination.family() == kernel::Family::kIpv6 && !route.hops.empty()) key.link = route.hops.front().link;
  key.protocol = route.protocol;
  key.tos = route.tos;
  key.type = route.type;
  return key;
}

rtm::Handle Importer::entity(std::uint32_t protocol_id) {
  const auto [place, is_new] = entities_.try_emplace(protocol_id, rtm::Handle::kNone);
  if (!is_new) return place->second;
  rtm::Registration registration;
  registration.protocol = protocol_id;
  registration.protocol_instance = kInstance;
  if (const auto made = table_.register_entity(std::move(registration))) {
    place->second = *made;
    owns_(*made);
    return *made;
  }
  TURNPIKE_LOG(LogLevel::kError, "forwarder", "no entity for routes of the kernel", {"protocol", protocol_id});
  entities_.erase(place);
  return rtm::Handle::kNone;
}

// --- next hops: one of an entity for each link and gateway, counted
// ------------------------------------------------------------------

Result<rtm::Handle> Importer::use_hop(rtm::Handle self, const HopKey& key) {
  SharedHop& shared = hops_[key];
  if (shared.uses == 0) {
    const auto& [protocol_id, link, gateway] = key;
    rtm::NextHopRequest request;
    request.address.family = table_.config().family;
    request.address.bits = static_cast<std::uint16_t>(width_of(settings_.family));
    if (gateway.family() == settings_.family) std::ranges::copy(gateway.bytes(), request.address.address);
    request.interface_index = link.value();
    const auto made = table_.add_next_hop(self, rtm::Handle::kNone, request, true);
    if (!made) {
      hops_.erase(key);
      return tl::unexpected(made.error());
    }
    shared.handle = made->first;
  }
  ++shared.uses;
  return shared.handle;
}

// Deleting gives the handle back too.
void Importer::release_hops(const std::vector<HopKey>& hops) {
  for (const HopKey& key : hops) {
    const auto there = hops_.find(key);
    if (there == hops_.end() || --there->second.uses != 0) continue;
    static_cast<void>(table_.delete_next_hop(entities_[std::get<0>(key)], there->second.handle));
    hops_.erase(there);
  }
}

// --- routes
// ------------------------------------------------------------------------------------------------------------------

bool Importer::put(const Key& key, const kernel::Route& route) {
  Imported& imported = routes_[key];
  imported.seen = true;
  imported.protocol_id = protocol_id_of(key.protocol);
  const rtm::Handle self = entity(imported.protocol_id);
  std::vector<kernel::Hop> hops(route.hops.begin(), route.hops.end());
  if (hops.empty() && route.next_hop_id != 0) hops = hops_of_(route.next_hop_id);
  hops.resize(std::min<std::size_t>(hops.size(), table_.config().max_next_hops));
  const std::uint16_t flags = flags_of(route, hops);
  std::vector<HopKey> keys;
  for (const kernel::Hop& hop : hops) {
    const kernel::Address none = kernel::Address::netmask(settings_.family, 0);
    keys.emplace_back(imported.protocol_id, hop.link, hop.gateway.value_or(none));
  }
  const bool is_new = imported.route == rtm::Handle::kNone;
  if (!is_new && imported.flags == flags && imported.hops == keys) return true;
  std::vector<rtm::Handle> handles;
  std::erase_if(keys, [&](const HopKey& hop_key) {
    const auto handle = use_hop(self, hop_key);
    if (handle) handles.push_back(*handle);
    return !handle;
  });
  rtm::NetAddress address;
  address.family = table_.config().family;
  address.bits = static_cast<std::uint16_t>(key.destination.length());
  std::ranges::copy(key.destination.address().bytes(), address.address);
  rtm::RouteRequest request;
  request.flags = flags;
  request.preference.metric = route.priority;
  request.views = rtm::kAllViews;
  request.hops = handles;
  request.change_flags = rtm::change::kNew;
  const auto added = table_.add_route(self, imported.route, address, request, is_new);
  if (!added) {
    release_hops(keys);
    if (is_new) routes_.erase(key);
    return added.error().kind != ErrorKind::kBusy;
  }
  imported.route = added->route;
  imported.flags = flags;
  release_hops(std::exchange(imported.hops, std::move(keys)));
  return true;
}

bool Importer::drop(const Key& key) {
  const auto there = routes_.find(key);
  if (there == routes_.end()) return true;
  const Imported& its = there->second;
  const auto deleted = table_.delete_route(entities_[its.protocol_id], its.route);
  if (!deleted && deleted.error().kind == ErrorKind::kBusy) return false;
  release_hops(its.hops);
  routes_.erase(there);
  return true;
}

void Importer::change(const Key& key, const kernel::Route* route) {
  const rtm::Table::NeverWaits never_waits;
  waiting_.erase(key);
  if (route != nullptr ? put(key, *route) : drop(key)) return;
  waiting_.emplace(key, route != nullptr ? std::optional(kernel::RouteCopy(*route)) : std::nullopt);
}

// A route that takes the place of another of its key may come from another protocol: then that other has gone.
void Importer::heard(const kernel::Notice& notice, const kernel::Route& route) {
  const Key key = key_of(route);
  if (notice.replaced) {
    std::vector<Key> gone;
    for (auto each = routes_.lower_bound(Key{.destination = key.destination});
         each != routes_.end() && each->first.destination == key.destination; ++each) {
      const Key& other = each->first;
      if (other != key && other.table == key.table && other.priority == key.priority && other.tos == key.tos &&
          other.link == key.link) {
        gone.push_back(other);
      }
    }
    for (const Key& other : gone) change(other, nullptr);
  }
  if (is_wanted(route)) change(key, notice.gone ? nullptr : &route);
}

void Importer::link_lost(kernel::InterfaceIndex link) {
  std::vector<Key> gone;
  for (const auto& [key, imported] : routes_) {
    const bool all = !imported.hops.empty() &&
                     std::ranges::all_of(imported.hops, [&](const HopKey& hop) { return std::get<1>(hop) == link; });
    if (all) gone.push_back(key);
  }
  for (const Key& key : gone) change(key, nullptr);
}

void Importer::begin() {
  for (auto& [key, imported] : routes_) imported.seen = false;
}

void Importer::taken(const kernel::Route& route) {
  if (is_wanted(route)) change(key_of(route), &route);
}

void Importer::end() {
  std::vector<Key> gone;
  for (const auto& [key, imported] : routes_) {
    if (!imported.seen) gone.push_back(key);
  }
  for (const Key& key : gone) change(key, nullptr);
}

bool Importer::step() {
  for (auto& [key, route] : std::exchange(waiting_, {})) {
    if (route) {
      const kernel::Route view = route->view();
      change(key, &view);
    } else {
      change(key, nullptr);
    }
  }
  return !waiting_.empty();
}

// Deregistering takes out what an entity has; the handles are given back before, so that nothing counts as forgotten.
void Importer::stop() {
  const rtm::Table::NeverWaits never_waits;
  for (const auto& [key, imported] : routes_) {
    const rtm::Handle self = entities_[imported.protocol_id];
    if (!table_.delete_route(self, imported.route)) {
      static_cast<void>(table_.release_routes(self, std::span(&imported.route, 1)));
    }
  }
  for (const auto& [key, shared] : hops_) {
    static_cast<void>(table_.delete_next_hop(entities_[std::get<0>(key)], shared.handle));
  }
  for (const auto& [protocol_id, self] : entities_) static_cast<void>(table_.deregister_entity(self));
  routes_.clear();
  hops_.clear();
  waiting_.clear();
  entities_.clear();
}

}  // namespace turnpike::forwarder
