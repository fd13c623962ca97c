#include "forwarder/owners.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace turnpike::forwarder {
namespace {

// Kernel protocols (rtnetlink.h, FRRouting's numbers) and the protocol ids of the documented API.
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

// RTM_ROUTE_FLAGS_… of rtmv2.h.
constexpr std::uint16_t kBlackhole = 0x02, kDiscard = 0x04, kInactive = 0x08, kOnLink = 0x10, kRemote = 0x20,
                        kMyself = 0x40;

}  // namespace

std::uint32_t protocol_id_of(std::uint8_t kernel_protocol) {
  for (const auto& source : kSources) {
    if (source.kernel == kernel_protocol) return source.id;
  }
  return kNetworkManagement;
}

std::uint16_t route_flags_of(const kernel::Route& route, std::span<const kernel::Hop> hops) {
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
  const bool direct = std::ranges::none_of(hops, [](const kernel::Hop& hop) { return hop.gateway.has_value(); });
  return direct ? kOnLink : kRemote;
}

bool can_stand_in_a_table(const kernel::Route& route) {
  using kernel::RouteType;
  const bool type = route.type != RouteType::kBroadcast && route.type != RouteType::kAnycast &&
                    route.type != RouteType::kMulticast && route.type != RouteType::kNat &&
                    route.type != RouteType::kUnspecified;
  return type && !route.source && (route.flags & kernel::kRouteCloned) == 0 &&
         !route.destination.address().is_multicast();
}

std::vector<kernel::Hop> hops_through(const NextHopObjects& objects, std::uint32_t id) {
  const auto there = objects.find(id);
  if (there == objects.end()) return {};
  const kernel::NextHop object = there->second.view();
  if (object.kind == kernel::NextHopKind::kGateway) return {{.link = object.link, .gateway = object.gateway}};
  std::vector<kernel::Hop> hops;
  for (const kernel::GroupMember& member : object.members) {
    const auto leaf = objects.find(member.id);
    const kernel::NextHop its = leaf != objects.end() ? leaf->second.view() : kernel::NextHop{};
    if (leaf != objects.end() && its.kind == kernel::NextHopKind::kGateway) {
      hops.push_back({.link = its.link, .gateway = its.gateway});
    }
  }
  return hops;
}

rtm::Handle Owners::entity(std::uint32_t protocol_id) {
  const auto [place, is_new] = entities_.try_emplace(protocol_id, rtm::Handle::kNone);
  if (!is_new) return place->second;
  rtm::Registration registration;
  registration.protocol = protocol_id;
  registration.protocol_instance = instance_;
  if (const auto made = table_.register_entity(std::move(registration))) {
    place->second = *made;
    told_(*made);
    return *made;
  }
  TURNPIKE_LOG(LogLevel::kError, "forwarder", "no entity for the routes of others", {"protocol", protocol_id});
  entities_.erase(place);
  return rtm::Handle::kNone;
}

// --- next hops
// ---------------------------------------------------------------------------------------------------------------

std::vector<OwnedHop> Owners::owned(std::uint32_t protocol_id, std::span<const kernel::Hop> hops) const {
  const kernel::Address none = kernel::Address::netmask(family_, 0);
  std::vector<OwnedHop> all;
  for (const kernel::Hop& hop : hops.first(std::min<std::size_t>(hops.size(), table_.config().max_next_hops))) {
    all.emplace_back(protocol_id, hop.link, hop.gateway.value_or(none));
  }
  return all;
}

Result<rtm::Handle> Owners::use(const OwnedHop& hop) {
  Shared& shared = hops_[hop];
  if (shared.uses == 0) {
    const auto& [protocol_id, link, gateway] = hop;
    rtm::NextHopRequest request;
    const bool is_ours = gateway.family() == family_;
    request.address.family = is_ours ? table_.config().family : table_.config().gateway_family;
    request.address.bits = static_cast<std::uint16_t>(gateway.width());
    std::ranges::copy(gateway.bytes(), request.address.address);
    request.may_be_of_other_family = true;
    request.interface_index = link.value();
    if (link.is_none()) request.flags = rtm::kRemoteNextHop;
    const auto made = table_.add_next_hop(entity(protocol_id), rtm::Handle::kNone, request, true);
    if (!made) {
      hops_.erase(hop);
      return tl::unexpected(made.error());
    }
    shared.handle = made->first;
  }
  ++shared.uses;
  return shared.handle;
}

std::vector<rtm::Handle> Owners::use(std::vector<OwnedHop>& hops) {
  std::vector<rtm::Handle> handles;
  std::erase_if(hops, [&](const OwnedHop& hop) {
    const auto handle = use(hop);
    if (handle) handles.push_back(*handle);
    return !handle;
  });
  return handles;
}

// Deleting gives the handle back too.
void Owners::release(std::span<const OwnedHop> hops) {
  for (const OwnedHop& hop : hops) {
    const auto there = hops_.find(hop);
    if (there == hops_.end() || --there->second.uses != 0) continue;
    static_cast<void>(table_.delete_next_hop(entities_[std::get<0>(hop)], there->second.handle));
    hops_.erase(there);
  }
}

// --- routes
// ------------------------------------------------------------------------------------------------------------------

Result<rtm::Handle> Owners::put(std::uint32_t protocol_id, rtm::Handle route, const kernel::Prefix& destination,
                                std::uint16_t flags, std::uint32_t metric, std::span<const rtm::Handle> hops) {
  rtm::NetAddress address;
  address.family = table_.config().family;
  address.bits = static_cast<std::uint16_t>(destination.length());
  std::ranges::copy(destination.address().bytes(), address.address);
  rtm::RouteRequest request;
  request.flags = flags;
  request.preference.metric = metric;
  request.views = rtm::kAllViews;
  request.hops = hops;
  request.change_flags = rtm::change::kNew;
  const auto added = table_.add_route(entity(protocol_id), route, address, request, route == rtm::Handle::kNone);
  if (!added) return tl::unexpected(added.error());
  return added->route;
}

Result<void> Owners::drop(std::uint32_t protocol_id, rtm::Handle route) {
  const auto deleted = table_.delete_route(entities_[protocol_id], route);
  if (!deleted) return tl::unexpected(deleted.error());
  return {};
}

void Owners::drop_or_release(std::uint32_t protocol_id, rtm::Handle route) {
  const rtm::Handle self = entities_[protocol_id];
  if (!table_.delete_route(self, route)) static_cast<void>(table_.release_routes(self, std::span(&route, 1)));
}

// Deregistering takes out what an entity has; the handles are given back before, so that nothing counts as forgotten.
void Owners::stop() {
  for (const auto& [hop, shared] : hops_) {
    static_cast<void>(table_.delete_next_hop(entities_[std::get<0>(hop)], shared.handle));
  }
  for (const auto& [protocol_id, self] : entities_) static_cast<void>(table_.deregister_entity(self));
  hops_.clear();
  entities_.clear();
}

}  // namespace turnpike::forwarder
