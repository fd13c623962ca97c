#include "router/autostatic.h"

#include <errhandlingapi.h>
#include <winbase.h>
#include <winerror.h>

#include <cstddef>
#include <cstring>

#include "base/log.h"

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

Autostatic::Key Autostatic::key_of(const Learnt& learnt) {
  return {bytes_of(learnt.destination), bytes_of(learnt.next_hop)};
}

std::size_t Autostatic::count(net::InterfaceIndex index) const {
  const auto routes = routes_.find(index);
  return routes == routes_.end() ? 0 : routes->second.size();
}

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

std::uint32_t Autostatic::read(std::uint32_t protocol, net::InterfaceIndex index, std::vector<Learnt>& learnt) {
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
                         std::vector<Learnt>& learnt) {
  RouteInfo found{};
  Learnt each;
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
      each.flags = found.info.Flags;
      each.metric = found.info.PrefInfo.Metric;
      learnt.push_back(each);
    }
    (void)RtmReleaseNextHopInfo(self_, &hop);
  }
  (void)RtmReleaseRouteInfo(self_, &found.info);
}

// ---------------------------------------------------------------------------------------------------------------------
// What becomes of it

std::uint32_t Autostatic::add(const Learnt& learnt, net::InterfaceIndex index, std::uint32_t preference,
                              RTM_ROUTE_HANDLE& route) {
  RTM_NEXTHOP_INFO hop{};
  hop.NextHopAddress = learnt.next_hop;
  hop.InterfaceIndex = index.value();
  RTM_NEXTHOP_HANDLE next_hop = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  DWORD code = RtmAddNextHop(self_, &hop, &next_hop, &hop_flags);
  if (code != NO_ERROR) return code;
  RTM_ROUTE_INFO info{};
  info.Neighbour = next_hop;  // so that two next hops to one destination are two routes
  info.Flags = learnt.flags;
  info.PrefInfo.Metric = learnt.metric;
  info.PrefInfo.Preference = preference;
  info.BelongsToViews = RTM_VIEW_MASK_UCAST;
  info.NextHopsList.NumNextHops = 1;
  info.NextHopsList.NextHops[0] = next_hop;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  RTM_NET_ADDRESS destination = learnt.destination;
  code = RtmAddRouteToDest(self_, &route, &destination, &info, INFINITE, nullptr, 0, nullptr, &flags);
  (void)RtmReleaseNextHops(self_, 1, &next_hop);
  return code;
}

void Autostatic::remove(RTM_ROUTE_HANDLE route) {
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  (void)RtmDeleteRouteToDest(self_, route, &flags);
}

std::uint32_t Autostatic::take(std::uint32_t protocol, net::InterfaceIndex index, std::uint32_t preference) {
  std::uint32_t code = enter();
  std::vector<Learnt> learnt;
  if (code == NO_ERROR) code = read(protocol, index, learnt);
  Routes& former = routes_[index];
  Routes now;
  for (const Learnt& each : learnt) {
    if (code != NO_ERROR) break;
    const auto [place, is_new] = now.try_emplace(key_of(each));
    if (const auto known = former.find(place->first); known != former.end()) place->second = known->second;
    if (is_new) code = add(each, index, preference, place->second);
  }
  if (code == NO_ERROR) {
    std::swap(former, now);  // what is left in `now` is what was there before
  }
  for (const auto& [key, route] : now) {
    if (route != nullptr && !former.contains(key)) remove(route);
  }
  TURNPIKE_LOG(LogLevel::kInfo, "router", "autostatic routes are renewed", {"interface", index.value()},
               {"protocol", protocol}, {"routes", former.size()}, {"code", code});
  return code;
}

void Autostatic::drop(net::InterfaceIndex index) {
  const auto routes = routes_.find(index);
  if (routes == routes_.end()) return;
  for (const auto& [key, route] : routes->second) remove(route);
  routes_.erase(routes);
}

}  // namespace turnpike::router
