#include "protocol.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "turnpike/log.h"

namespace turnpike::modules {

Protocol::Protocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block)
    : support_(support),
      block_(std::move(block)),
      routes_(routes_in(block_)),
      ipv4_(AF_INET, support_),
      ipv6_(AF_INET6, support_) {}

std::vector<StaticRoute> Protocol::routes_in(const std::vector<std::uint8_t>& block) {
  StaticSettings settings{};
  std::memcpy(&settings, block.data(), sizeof settings);
  std::vector<StaticRoute> routes(settings.routes.count);
  if (!routes.empty()) {
    std::memcpy(routes.data(), block.data() + settings.routes.offset, routes.size() * sizeof(StaticRoute));
  }
  return routes;
}

bool Protocol::is_active(const StaticRoute& route, Hop& hop) const {
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
DWORD Protocol::settle() {
  if (!complete_) return NO_ERROR;
  RouteSet wanted4;
  RouteSet wanted6;
  for (const StaticRoute& route : routes_) {
    Hop hop;
    if (!is_active(route, hop)) continue;
    const RouteValue value{route.kind, route.metric, route.preference};
    RouteSet& wanted = route.to.family == AF_INET ? wanted4 : wanted6;
    const auto [there, is_new] = wanted.emplace(RouteKey{route.to, hop}, value);
    if (!is_new && value.metric < there->second.metric) there->second = value;
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

DWORD Protocol::start_complete() {
  const std::lock_guard guard(lock_);
  complete_ = true;
  return settle() == NO_ERROR ? NO_ERROR : ERROR_CAN_NOT_COMPLETE;
}

DWORD Protocol::add_interface(std::uint32_t index, Links::Link link) {
  const std::lock_guard guard(lock_);
  return links_.add(index, std::move(link)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

DWORD Protocol::delete_interface(std::uint32_t index) {
  const std::lock_guard guard(lock_);
  if (!links_.remove(index)) return ERROR_INVALID_PARAMETER;
  settle();
  return NO_ERROR;
}

DWORD Protocol::interface_status(std::uint32_t index, DWORD type, const void* info) {
  const std::lock_guard guard(lock_);
  Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  switch (type) {
    case RIS_INTERFACE_ADDRESS_CHANGE: {
      const auto* binding = static_cast<const IP_ADAPTER_BINDING_INFO*>(info);
      link->addresses.clear();
      if (binding != nullptr) link->addresses.assign(binding->Address, binding->Address + binding->AddressCount);
      break;
    }
    case RIS_INTERFACE_ENABLED:
      link->enabled = true;
      break;
    case RIS_INTERFACE_DISABLED:
      link->enabled = false;
      break;
    case RIS_INTERFACE_MEDIA_PRESENT:
      link->has_media = true;
      break;
    case RIS_INTERFACE_MEDIA_ABSENT:
      link->has_media = false;
      break;
    default:
      return NO_ERROR;
  }
  return settle() == NO_ERROR ? NO_ERROR : ERROR_CAN_NOT_COMPLETE;
}

DWORD Protocol::set_global(std::vector<std::uint8_t> block) {
  const std::lock_guard guard(lock_);
  std::vector<StaticRoute> routes = routes_in(block);
  block_.swap(block);
  routes_.swap(routes);
  if (settle() == NO_ERROR) return NO_ERROR;
  block_.swap(block);
  routes_.swap(routes);
  settle();
  return ERROR_CAN_NOT_COMPLETE;
}

DWORD Protocol::set_interface(std::uint32_t index, std::vector<std::uint8_t> block) {
  const std::lock_guard guard(lock_);
  Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  link->block = std::move(block);
  return NO_ERROR;
}

DWORD Protocol::has_interface(std::uint32_t index) {
  const std::lock_guard guard(lock_);
  return links_.find(index) != nullptr ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

std::vector<std::uint8_t> Protocol::global_block() {
  const std::lock_guard guard(lock_);
  return block_;
}

DWORD Protocol::interface_block(std::uint32_t index, std::vector<std::uint8_t>& block) {
  const std::lock_guard guard(lock_);
  const Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  block = link->block;
  return NO_ERROR;
}

StaticCounts Protocol::counts() {
  const std::lock_guard guard(lock_);
  return {static_cast<std::uint32_t>(routes_.size()), static_cast<std::uint32_t>(ipv4_.size() + ipv6_.size())};
}

DWORD Protocol::row(std::uint32_t number, StaticRow& row) {
  const std::lock_guard guard(lock_);
  if (number >= routes_.size()) return ERROR_NO_MORE_ITEMS;
  Hop hop;
  row = {number, complete_ && is_active(routes_[number], hop) ? 1U : 0U, routes_[number]};
  return NO_ERROR;
}

}  // namespace turnpike::modules
