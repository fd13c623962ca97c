#include "table.h"

#include <sys/socket.h>

#include <algorithm>
#include <iterator>

namespace turnpike::modules {
namespace {

RTM_NET_ADDRESS net_address(const TpModuleAddress& from) {
  RTM_NET_ADDRESS to{};
  to.AddressFamily = from.family;
  to.NumBits = from.bits;
  std::copy(std::begin(from.address), std::end(from.address), to.AddrBits);
  return to;
}

// Both sets are in order: whoever goes through one goes along in the other, and looks nothing up. True: `at` has the
// key.
template <class At>
bool go_to(At& at, At end, const RouteKey& key) {
  while (at != end && at->first < key) ++at;
  return at != end && at->first == key;
}

USHORT flags_of(const RouteKey& key, Kind kind) {
  switch (kind) {
    case Kind::kBlackhole:
      return RTM_ROUTE_FLAGS_BLACKHOLE;
    case Kind::kUnreachable:
      return RTM_ROUTE_FLAGS_DISCARD;
    case Kind::kProhibit:
      return RTM_ROUTE_FLAGS_BLACKHOLE | RTM_ROUTE_FLAGS_DISCARD;
    case Kind::kUnicast:
      break;
  }
  return key.hop.via.family == 0 ? RTM_ROUTE_FLAGS_LOCAL : RTM_ROUTE_FLAGS_REMOTE;
}

}  // namespace

DWORD Table::enter() {
  if (self_ != nullptr) return NO_ERROR;
  RTM_ENTITY_INFO info{};
  info.AddressFamily = family_;
  info.EntityId.EntityProtocolId = protocol_;
  RTM_REGN_PROFILE profile{};
  return RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self_);
}

void Table::leave() {
  if (self_ == nullptr) return;
  for (const auto& [key, present] : present_) remove(key, present);
  present_.clear();
  RtmDeregisterEntity(self_);
  self_ = nullptr;
}

DWORD Table::become(const RouteSet& wanted) {
  if (wanted.empty() && present_.empty()) return NO_ERROR;
  if (const DWORD status = enter(); status != NO_ERROR) return status;
  // What goes, goes first: a next hop that moves to another interface is a route less and a route more.
  auto next_wanted = wanted.begin();
  for (auto it = present_.begin(); it != present_.end();) {
    if (go_to(next_wanted, wanted.end(), it->first)) {
      ++it;
      continue;
    }
    remove(it->first, it->second);
    it = present_.erase(it);
  }
  DWORD result = NO_ERROR;
  auto present = present_.begin();
  for (const auto& [key, value] : wanted) {
    if (go_to(present, present_.end(), key) && present->second.value == value) continue;
    if (const DWORD status = add(key, value); status != NO_ERROR) result = status;
  }
  return result;
}

DWORD Table::use_hop(const Hop& hop, RTM_NEXTHOP_HANDLE& handle) {
  KnownHop& known = hops_[hop];
  if (known.handle == nullptr) {
    RTM_NEXTHOP_INFO info{};
    info.NextHopAddress = net_address(hop.via);
    if (hop.via.family == 0) info.NextHopAddress.AddressFamily = family_;  // directly on the interface
    info.InterfaceIndex = hop.interface_index;
    RTM_NEXTHOP_CHANGE_FLAGS change = 0;
    const DWORD status = RtmAddNextHop(self_, &info, &known.handle, &change);
    if (status != NO_ERROR) {
      hops_.erase(hop);
      return status;
    }
  }
  ++known.routes;
  handle = known.handle;
  return NO_ERROR;
}

void Table::release_hop(const Hop& hop) {
  const auto known = hops_.find(hop);
  if (known == hops_.end() || --known->second.routes > 0) return;
  if (RtmDeleteNextHop(self_, known->second.handle, nullptr) != NO_ERROR) {
    RtmReleaseNextHops(self_, 1, &known->second.handle);
  }
  hops_.erase(known);
}

// Adds the route, or gives it another value.
DWORD Table::add(const RouteKey& key, const RouteValue& value) {
  RTM_ROUTE_INFO info{};
  if (has_hop(key)) {
    RTM_NEXTHOP_HANDLE hop = nullptr;
    if (const DWORD status = use_hop(key.hop, hop); status != NO_ERROR) return status;
    info.Neighbour = hop;
    info.NextHopsList.NumNextHops = 1;
    info.NextHopsList.NextHops[0] = hop;
  }
  info.Flags = flags_of(key, value.kind);
  info.PrefInfo.Metric = value.metric;
  info.BelongsToViews = views_;
  RTM_NET_ADDRESS to = net_address(key.to);
  // The router looks at destinations of the transport that we belong to; the preference is the same for all.
  RTM_NET_ADDRESS* const judged = family_ == AF_INET ? &to : nullptr;
  DWORD status = support_.ValidateRoute == nullptr ? NO_ERROR : support_.ValidateRoute(protocol_, &info, judged);
  // Without one of our own it is the routing table's to say, and follows what an administrator changes there.
  info.PrefInfo.Preference = value.preference;
  const auto known = present_.find(key);
  RTM_ROUTE_HANDLE handle = known != present_.end() ? known->second.handle : nullptr;
  RTM_ROUTE_CHANGE_FLAGS change = 0;
  if (status == NO_ERROR) {
    status = RtmAddRouteToDest(self_, &handle, &to, &info, INFINITE, nullptr, 0, nullptr, &change);
  }
  // A route that was there holds its hop already.
  if (has_hop(key) && (status != NO_ERROR || known != present_.end())) release_hop(key.hop);
  if (status == NO_ERROR) present_.insert_or_assign(key, Present{value, handle});
  return status;
}

void Table::remove(const RouteKey& key, const Present& present) {
  RTM_ROUTE_HANDLE handle = present.handle;
  RTM_ROUTE_CHANGE_FLAGS change = 0;
  if (RtmDeleteRouteToDest(self_, handle, &change) != NO_ERROR) RtmReleaseRoutes(self_, 1, &handle);
  if (has_hop(key)) release_hop(key.hop);
}

}  // namespace turnpike::modules
