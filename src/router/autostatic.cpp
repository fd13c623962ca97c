#include "router/autostatic.h"

#include <errhandlingapi.h>
#include <iprtrmib.h>
#include <winbase.h>
#include <winerror.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "base/log.h"
#include "net/address.h"

namespace turnpike::router {
namespace {

constexpr std::size_t kMostNextHops = 64;  // that a routing table can be configured to have in a route

// A route's information with room for all its next hops.
union RouteInfo {
  RTM_ROUTE_INFO info;
  std::byte room[sizeof(RTM_ROUTE_INFO) + kMostNextHops * sizeof(RTM_NEXTHOP_HANDLE)];
};

bool is_of(const RTM_ENTITY_INFO& entity, std::uint32_t protocol) {
  const std::uint32_t id = entity.EntityId.EntityProtocolId;
  return id == protocol || id == PROTO_FROM_PROTO_ID(protocol);
}

std::vector<std::uint8_t> bytes_of(const RTM_NET_ADDRESS& address) {
  std::vector<std::uint8_t> bytes(address.AddrBits, address.AddrBits + RTM_MAX_ADDRESS_SIZE);
  bytes.push_back(static_cast<std::uint8_t>(address.NumBits));
  return bytes;
}

}  // namespace

Autostatic::Key Autostatic::key_of(const Route& route) {
  return {bytes_of(route.destination), bytes_of(route.next_hop)};
}

// ---------------------------------------------------------------------------------------------------------------------
// As it is stored

Autostatic::Route Autostatic::of_item(const INTERFACE_ROUTE_INFO& item) const {
  Route route;
  if (transport_ == dim::TransportId::kIpv6) {
    route.destination.AddressFamily = route.next_hop.AddressFamily = AF_INET6;
    route.destination.NumBits = static_cast<USHORT>(std::min<DWORD>(item.DestPrefixLength, 128));
    route.next_hop.NumBits = 128;
    std::memcpy(route.destination.AddrBits, &item.DestinationPrefix, sizeof item.DestinationPrefix);
    std::memcpy(route.next_hop.AddrBits, &item.NextHopAddress, sizeof item.NextHopAddress);
    route.metric = item.Metric;
  } else {
    const auto length = static_cast<USHORT>(std::popcount(item.dwRtInfoMask));
    RTM_IPV4_MAKE_NET_ADDRESS(&route.destination, item.dwRtInfoDest, length);
    RTM_IPV4_MAKE_NET_ADDRESS(&route.next_hop, item.dwRtInfoNextHop, 32);
    route.metric = item.dwRtInfoMetric1;
  }
  return route;
}

INTERFACE_ROUTE_INFO Autostatic::to_item(const Route& route, net::InterfaceIndex index) const {
  INTERFACE_ROUTE_INFO item{};
  if (transport_ == dim::TransportId::kIpv6) {
    std::memcpy(&item.DestinationPrefix, route.destination.AddrBits, sizeof item.DestinationPrefix);
    std::memcpy(&item.NextHopAddress, route.next_hop.AddrBits, sizeof item.NextHopAddress);
    item.DestPrefixLength = route.destination.NumBits;
    item.ValidLifeTime = INFINITE;
    item.Metric = route.metric;
  } else {
    std::memcpy(&item.dwRtInfoDest, route.destination.AddrBits, sizeof item.dwRtInfoDest);
    std::memcpy(&item.dwRtInfoNextHop, route.next_hop.AddrBits, sizeof item.dwRtInfoNextHop);
    item.dwRtInfoMask = net::Address::netmask(net::Family::kIpv4, route.destination.NumBits).ipv4_network();
    item.dwRtInfoMetric1 = route.metric;
    item.dwRtInfoMetric2 = item.dwRtInfoMetric3 = MIB_IPROUTE_METRIC_UNUSED;
    item.bV4 = TRUE;
  }
  item.dwRtInfoIfIndex = index.value();
  item.dwRtInfoType = MIB_IPROUTE_TYPE_INDIRECT;
  item.dwRtInfoProto = PROTO_IP_NT_AUTOSTATIC;
  item.dwRtInfoViewSet = RTM_VIEW_MASK_UCAST;
  return item;
}

RouteItems Autostatic::items(net::InterfaceIndex index) const {
  RouteItems items;
  if (const auto routes = routes_.find(index); routes != routes_.end()) {
    for (const auto& [key, route] : routes->second) items.push_back(to_item(route, index));
  }
  return items;
}

// ---------------------------------------------------------------------------------------------------------------------
// Coming and going

std::uint32_t Autostatic::enter() {
  if (self_ != nullptr) return NO_ERROR;
  RTM_ENTITY_INFO info{};
  info.AddressFamily = transport_ == dim::TransportId::kIpv6 ? AF_INET6 : AF_INET;
  info.EntityId.EntityProtocolId = PROTO_IP_NT_AUTOSTATIC;
  return RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile_, &self_);
}

void Autostatic::leave() {
  if (self_ != nullptr) (void)RtmDeregisterEntity(self_);  // takes the routes along
  self_ = nullptr;
  routes_.clear();
}

// ---------------------------------------------------------------------------------------------------------------------
// What the protocol has

std::uint32_t Autostatic::read(std::uint32_t protocol, net::InterfaceIndex index, std::vector<Route>& learnt) {
  RTM_ENUM_HANDLE walk = nullptr;
  const DWORD begun = RtmCreateRouteEnum(self_, nullptr, RTM_VIEW_MASK_ANY, RTM_ENUM_ALL_ROUTES, nullptr,
                                         RTM_MATCH_INTERFACE, nullptr, index.value(), &walk);
  if (begun != NO_ERROR) return begun;
  std::vector<RTM_ROUTE_HANDLE> routes(profile_.MaxHandlesInEnum);
  DWORD code = NO_ERROR;
  while (code == NO_ERROR) {
    auto count = static_cast<UINT>(routes.size());
    code = RtmGetEnumRoutes(self_, walk, &count, routes.data());
    if (code != NO_ERROR && code != ERROR_NO_MORE_ITEMS) count = 0;
    for (UINT i = 0; i < count; ++i) look_at(routes[i], protocol, index, learnt);
    if (count != 0) (void)RtmReleaseRoutes(self_, count, routes.data());
  }
  (void)RtmDeleteEnumHandle(self_, walk);
  return code == ERROR_NO_MORE_ITEMS ? NO_ERROR : code;
}

void Autostatic::look_at(RTM_ROUTE_HANDLE route, std::uint32_t protocol, net::InterfaceIndex index,
                         std::vector<Route>& learnt) {
  RouteInfo found{};
  Route each;
  if (RtmGetRouteInfo(self_, route, &found.info, &each.destination) != NO_ERROR) return;
  RTM_ENTITY_INFO owner{};
  const bool has_owner = RtmGetEntityInfo(self_, found.info.RouteOwner, &owner) == NO_ERROR;
  const bool is_wanted = has_owner && is_of(owner, protocol);
  if (has_owner) (void)RtmReleaseEntityInfo(self_, &owner);
  for (unsigned i = 0; is_wanted && i < found.info.NextHopsList.NumNextHops; ++i) {
    RTM_NEXTHOP_INFO hop{};
    if (RtmGetNextHopInfo(self_, found.info.NextHopsList.NextHops[i], &hop) != NO_ERROR) continue;
    const bool is_of_family = hop.NextHopAddress.AddressFamily == each.destination.AddressFamily;
    if (hop.InterfaceIndex == index.value() && is_of_family) {
      each.next_hop = hop.NextHopAddress;
      each.metric = found.info.PrefInfo.Metric;
      learnt.push_back(each);
    }
    (void)RtmReleaseNextHopInfo(self_, &hop);
  }
  (void)RtmReleaseRouteInfo(self_, &found.info);
}

// ---------------------------------------------------------------------------------------------------------------------
// What becomes of it

// Adds the route, or gives it another metric. The preference is the routing table's to say: it is that of the protocol.
std::uint32_t Autostatic::add(Route& route, net::InterfaceIndex index) {
  RTM_NEXTHOP_INFO hop{};
  hop.NextHopAddress = route.next_hop;
  hop.InterfaceIndex = index.value();
  RTM_NEXTHOP_HANDLE next_hop = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  DWORD code = RtmAddNextHop(self_, &hop, &next_hop, &hop_flags);
  if (code != NO_ERROR) return code;
  RTM_ROUTE_INFO info{};
  info.Neighbour = next_hop;  // so that two next hops to one destination are two routes
  info.PrefInfo.Metric = route.metric;
  info.BelongsToViews = RTM_VIEW_MASK_UCAST;
  info.NextHopsList.NumNextHops = 1;
  info.NextHopsList.NextHops[0] = next_hop;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  code = RtmAddRouteToDest(self_, &route.handle, &route.destination, &info, INFINITE, nullptr, 0, nullptr, &flags);
  (void)RtmReleaseNextHops(self_, 1, &next_hop);
  return code;
}

void Autostatic::remove(const Route& route) {
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  (void)RtmDeleteRouteToDest(self_, route.handle, &flags);
}

std::uint32_t Autostatic::take(std::uint32_t protocol, net::InterfaceIndex index) {
  std::uint32_t code = enter();
  std::vector<Route> learnt;
  if (code == NO_ERROR) code = read(protocol, index, learnt);
  if (code == NO_ERROR) code = replace(index, learnt);
  TURNPIKE_LOG(LogLevel::kInfo, "router", "autostatic routes are renewed", {"interface", index.value()},
               {"protocol", protocol}, {"routes", learnt.size()}, {"code", code});
  return code;
}

std::uint32_t Autostatic::restore(net::InterfaceIndex index, const RouteItems& items) {
  std::vector<Route> wanted;
  for (const INTERFACE_ROUTE_INFO& item : items) wanted.push_back(of_item(item));
  if (wanted.empty() && !routes_.contains(index)) return NO_ERROR;
  const std::uint32_t code = enter();
  return code == NO_ERROR ? replace(index, wanted) : code;
}

// A route that is there already keeps its handle, and is not touched if it is the same.
std::uint32_t Autostatic::replace(net::InterfaceIndex index, const std::vector<Route>& wanted) {
  Routes& former = routes_[index];
  Routes now;
  std::uint32_t code = NO_ERROR;
  for (const Route& each : wanted) {
    if (code != NO_ERROR) break;
    const auto [place, is_new] = now.try_emplace(key_of(each), each);
    if (!is_new) continue;
    const auto known = former.find(place->first);
    if (known != former.end()) place->second.handle = known->second.handle;
    if (known == former.end() || known->second.metric != each.metric) code = add(place->second, index);
  }
  if (code == NO_ERROR) std::swap(former, now);  // what is left in `now` is what was there before
  for (const auto& [key, route] : now) {
    if (route.handle != nullptr && !former.contains(key)) remove(route);
  }
  return code;
}

void Autostatic::drop(net::InterfaceIndex index) {
  const auto routes = routes_.find(index);
  if (routes == routes_.end()) return;
  for (const auto& [key, route] : routes->second) remove(route);
  routes_.erase(routes);
}

}  // namespace turnpike::router
