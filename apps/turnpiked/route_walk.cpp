#include "route_walk.h"

#include <sys/socket.h>
#include <turnpike/forwarder.h>
#include <winerror.h>

#include <algorithm>
#include <cstring>

namespace turnpike::daemon {
namespace {

constexpr UINT kAtATime = 64;  // routes that are referenced at a time
constexpr std::size_t kMostNextHops = 64;

constexpr std::pair<std::uint32_t, std::string_view> kStates[] = {
    {TP_FORWARDER_IDLE, "not to be there"}, {TP_FORWARDER_PENDING, "pending"},   {TP_FORWARDER_INSTALLED, "installed"},
    {TP_FORWARDER_FAILED, "failed"},        {TP_FORWARDER_CONFLICT, "conflict"}, {TP_FORWARDER_FOREIGN, "foreign"},
    {TP_FORWARDER_CONTESTED, "contested"},  {TP_FORWARDER_SHADOWED, "shadowed"},
};

net::Prefix prefix_of(const RTM_NET_ADDRESS& from) {
  const std::size_t size = from.AddressFamily == AF_INET ? 4 : 16;
  return {*net::Address::from_bytes({from.AddrBits, size}), static_cast<std::uint8_t>(from.NumBits)};
}

}  // namespace

RTM_NET_ADDRESS rtm_address(const net::Prefix& prefix) {
  RTM_NET_ADDRESS to{};
  to.AddressFamily = prefix.family() == net::Family::kIpv4 ? AF_INET : AF_INET6;
  to.NumBits = static_cast<std::uint16_t>(prefix.length());
  std::ranges::copy(prefix.address().bytes(), to.AddrBits);
  return to;
}

std::string_view type_of(std::uint16_t flags) {
  const bool black = (flags & RTM_ROUTE_FLAGS_BLACKHOLE) != 0;
  const bool discard = (flags & RTM_ROUTE_FLAGS_DISCARD) != 0;
  if (black || discard) return black && discard ? "prohibit" : black ? "blackhole" : "unreachable";
  return (flags & RTM_ROUTE_FLAGS_MARTIAN) != 0 ? "martian" : "unicast";
}

RouteWalk::RouteWalk(RTM_ENTITY_HANDLE self, const std::optional<net::Prefix>& within)
    : self_(self), info_((sizeof(RTM_ROUTE_INFO) + kMostNextHops * sizeof(RTM_NEXTHOP_HANDLE)) / 8 + 1) {
  RTM_NET_ADDRESS range{};
  if (within) range = rtm_address(*within);
  const RTM_ENUM_FLAGS flags = RTM_ENUM_ALL_ROUTES | (within ? RTM_ENUM_RANGE : RTM_ENUM_START);
  if (RtmCreateRouteEnum(self, nullptr, RTM_VIEW_MASK_ANY, flags, within ? &range : nullptr, 0, nullptr, 0, &walk_) !=
      NO_ERROR) {
    walk_ = nullptr;
  }
}

RouteWalk::RouteWalk(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE destination)
    : self_(self), info_((sizeof(RTM_ROUTE_INFO) + kMostNextHops * sizeof(RTM_NEXTHOP_HANDLE)) / 8 + 1) {
  if (RtmCreateRouteEnum(self, destination, RTM_VIEW_MASK_ANY, RTM_ENUM_ALL_ROUTES, nullptr, 0, nullptr, 0, &walk_) !=
      NO_ERROR) {
    walk_ = nullptr;
  }
}

RouteWalk::~RouteWalk() {
  if (walk_ != nullptr) (void)RtmDeleteEnumHandle(self_, walk_);
}

std::vector<ShownRoute> RouteWalk::next() {
  std::vector<ShownRoute> out;
  RTM_ROUTE_HANDLE routes[kAtATime];
  for (DWORD status = NO_ERROR; walk_ != nullptr && out.empty() && status == NO_ERROR;) {
    UINT count = kAtATime;
    status = RtmGetEnumRoutes(self_, walk_, &count, routes);
    if (status != NO_ERROR && status != ERROR_NO_MORE_ITEMS) break;
    for (UINT i = 0; i < count; ++i) {
      if (auto shown = read(routes[i])) out.push_back(std::move(*shown));  // a route that has gone meanwhile is not
    }
    if (count != 0) (void)RtmReleaseRoutes(self_, count, routes);
  }
  return out;
}

std::optional<ShownRoute> RouteWalk::read(RTM_ROUTE_HANDLE route) {
  auto* info = reinterpret_cast<PRTM_ROUTE_INFO>(info_.data());
  RTM_NET_ADDRESS destination{};
  if (RtmGetRouteInfo(self_, route, info, &destination) != NO_ERROR) return std::nullopt;
  ShownRoute shown;
  shown.destination = prefix_of(destination);
  shown.protocol = owner_of(info->RouteOwner);
  shown.preference = info->PrefInfo.Preference;
  shown.metric = info->PrefInfo.Metric;
  shown.flags = info->Flags;
  shown.hops = hops_of(info->NextHopsList);
  look_at_destination(route, info->DestHandle, shown);
  (void)RtmReleaseRouteInfo(self_, info);
  return shown;
}

void RouteWalk::look_at_destination(RTM_ROUTE_HANDLE route, RTM_DEST_HANDLE destination, ShownRoute& shown) {
  RTM_DEST_INFO info{};
  if (RtmGetDestInfo(self_, destination, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info) != NO_ERROR) return;
  shown.is_best = info.ViewInfo[0].Route == route;
  (void)RtmReleaseDestInfo(self_, &info);
  if (!shown.is_best) return;
  TP_FORWARDER_ROUTE kernel{};
  if (TpForwarderRoute(destination, &kernel) != NO_ERROR) {
    shown.kernel = "no forwarder";
    return;
  }
  shown.state = kernel.state;
  const auto known = std::ranges::find(kStates, kernel.state, &std::pair<std::uint32_t, std::string_view>::first);
  shown.kernel = known != std::end(kStates) ? known->second : "unknown";
  if (kernel.error != 0) shown.kernel += std::string(" (") + strerrorname_np(kernel.error) + ")";
}

std::vector<ShownHop> RouteWalk::hops_of(const RTM_NEXTHOP_LIST& list) {
  std::vector<ShownHop> out;
  for (unsigned i = 0; i < list.NumNextHops; ++i) {
    RTM_NEXTHOP_INFO hop{};
    if (RtmGetNextHopInfo(self_, list.NextHops[i], &hop) != NO_ERROR) continue;
    ShownHop& shown = out.emplace_back(ShownHop{std::nullopt, hop.InterfaceIndex});
    const net::Address address = prefix_of(hop.NextHopAddress).address();
    if (hop.NextHopAddress.NumBits != 0 && !address.is_unspecified()) shown.via = address;
    (void)RtmReleaseNextHopInfo(self_, &hop);
  }
  return out;
}

std::uint32_t RouteWalk::owner_of(RTM_ENTITY_HANDLE owner) {
  const auto known = owners_.find(owner);
  if (known != owners_.end()) return known->second;
  RTM_ENTITY_INFO info{};
  if (RtmGetEntityInfo(self_, owner, &info) != NO_ERROR) return 0;
  (void)RtmReleaseEntityInfo(self_, &info);
  return owners_.emplace(owner, info.EntityId.EntityProtocolId).first->second;
}

}  // namespace turnpike::daemon
