#include "protocol.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "turnpike/log.h"

namespace turnpike::modules {
namespace {

constexpr RTM_VIEW_SET kViews = RTM_VIEW_MASK_UCAST | RTM_VIEW_MASK_MCAST;

}  // namespace

StaticProtocol::StaticProtocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block)
    : Protocol(support, std::move(block)),
      ipv4_(AF_INET, kStaticModule.protocol_id, kViews, support_),
      ipv6_(AF_INET6, kStaticModule.protocol_id, kViews, support_) {
  StaticProtocol::use();
}

void StaticProtocol::use() {
  StaticSettings settings{};
  std::memcpy(&settings, block_.data(), sizeof settings);
  std::vector<StaticRoute> routes(settings.routes.count);
  if (!routes.empty()) {
    std::memcpy(routes.data(), block_.data() + settings.routes.offset, routes.size() * sizeof(StaticRoute));
  }
  routes_ = std::move(routes);
}

bool StaticProtocol::is_active(const StaticRoute& route, Hop& hop) const {
  hop = {};
  if (route.kind != Kind::kUnicast) return true;
  hop.via = route.via;
  if (route.recursive != 0) return true;
  if (route.interface[0] != '\0') {
    hop.interface_index = links_.up_by_name(route.interface);
  } else {
    std::uint32_t address = 0;
    std::memcpy(&address, route.via.address, sizeof address);
    hop.interface_index = links_.up_towards(address);
  }
  return hop.interface_index != 0;
}

// Brings the routing tables in line with settings and interfaces. Of two routes with the same destination and next hop
// the better one counts.
DWORD StaticProtocol::settle() {
  RouteSet wanted4;
  RouteSet wanted6;
  for (const StaticRoute& route : routes_) {
    Hop hop;
    if (!is_active(route, hop)) continue;
    const RouteValue value{route.kind, route.metric, route.preference};
    RouteSet& wanted = route.to.family == AF_INET ? wanted4 : wanted6;
    const std::size_t before = wanted.size();
    // A long list comes in order: then there is nothing to look for.
    const auto there = wanted.emplace_hint(wanted.end(), RouteKey{route.to, hop}, value);
    if (wanted.size() == before && value.metric < there->second.metric) there->second = value;
  }
  const DWORD status4 = ipv4_.become(wanted4);
  const DWORD status6 = ipv6_.become(wanted6);
  const DWORD status = status4 != NO_ERROR ? status4 : status6;
  if (status != NO_ERROR) {
    const TpLogField error = TpLogUnsigned("error", status);
    TpLogWrite(TP_LOG_WARNING, "static", "the routing table refused a static route", &error, 1);
  }
  return status;
}

StaticCounts StaticProtocol::counts() {
  const std::lock_guard guard(lock_);
  return {static_cast<std::uint32_t>(routes_.size()), static_cast<std::uint32_t>(ipv4_.size() + ipv6_.size())};
}

DWORD StaticProtocol::row(std::uint32_t number, StaticRow& row) {
  const std::lock_guard guard(lock_);
  if (number >= routes_.size()) return ERROR_NO_MORE_ITEMS;
  Hop hop;
  row = {number, complete_ && is_active(routes_[number], hop) ? 1U : 0U, routes_[number]};
  return NO_ERROR;
}

}  // namespace turnpike::modules
