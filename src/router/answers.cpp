#include "router/answers.h"

#include <iprtrmib.h>
#include <mprerror.h>
#include <rtmv2.h>
#include <winerror.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "base/log.h"
#include "router/ip_mib.h"
#include "router/protocol.h"

namespace turnpike::router {
namespace {

bool is_destination(const RTM_NET_ADDRESS& address, TransportId transport) {
  const bool is_ipv6 = transport == TransportId::kIpv6;
  return address.AddressFamily == (is_ipv6 ? AF_INET6 : AF_INET) && address.NumBits <= (is_ipv6 ? 128 : 32);
}

}  // namespace

Answers::Answers(kernel::ReceptionPort* reception, std::function<void(net::InterfaceIndex)> dial_wanted)
    : reception_(reception), dial_wanted_(std::move(dial_wanted)) {}

// ---------------------------------------------------------------------------------------------------------------------
// What the router writes

void Answers::set_interface(net::InterfaceIndex index, InterfaceFacts facts) {
  const std::lock_guard lock(mutex_);
  interfaces_.insert_or_assign(index, std::move(facts));
}

void Answers::drop_interface(net::InterfaceIndex index) {
  const std::lock_guard lock(mutex_);
  interfaces_.erase(index);
}

void Answers::set_router_id(std::optional<net::Address> id) {
  const std::lock_guard lock(mutex_);
  configured_id_ = id;
}

void Answers::set_preferences(TransportId transport, rtm::Preferences preferences) {
  const std::lock_guard lock(mutex_);
  preferences_.insert_or_assign(transport, rtm::over_the_usual(std::move(preferences)));
}

void Answers::add_module(Module& module) {
  const std::lock_guard lock(mutex_);
  modules_[{module.plan().transport, module.plan().protocol}] = &module;
}

void Answers::drop_module(Module& module) {
  const std::lock_guard lock(mutex_);
  const auto known = modules_.find({module.plan().transport, module.plan().protocol});
  if (known == modules_.end() || known->second != &module) return;
  modules_.erase(known);
  std::vector<Wish> wishes;
  for (const auto& [each, protocols] : wishes_) {
    if (protocols.contains(module.plan().protocol)) wishes.push_back(each);
  }
  for (const Wish& each : wishes) (void)wish(each, module.plan().protocol, false);
}

// ---------------------------------------------------------------------------------------------------------------------
// Interfaces

DWORD Answers::demand_dial(const Caller&, DWORD, DWORD interface_index) {
  const net::InterfaceIndex index(interface_index);
  {
    const std::lock_guard lock(mutex_);
    const auto known = interfaces_.find(index);
    if (known == interfaces_.end()) return ERROR_NO_SUCH_INTERFACE;
    const InterfaceFacts& facts = known->second;
    if (!dim::is_dialled(facts.type)) return ERROR_NOT_SUPPORTED;
    if (!facts.enabled) return ERROR_CAN_NOT_COMPLETE;
    const bool is_under_way =
        facts.state == dim::ConnectionState::kConnected || facts.state == dim::ConnectionState::kConnecting;
    if (is_under_way) return NO_ERROR;
  }
  dial_wanted_(index);
  return NO_ERROR;
}

// The wish of one protocol; the device is told of the first and of the last. `mutex_` is held: the port does not wait.
DWORD Answers::wish(const Wish& wish, std::uint32_t protocol, bool on) {
  std::set<std::uint32_t>& protocols = wishes_[wish];
  const bool is_first = on && protocols.empty();
  const bool is_last = !on && protocols.size() == 1 && protocols.contains(protocol);
  if (is_first || is_last) {
    const Result<void> set = reception_ == nullptr ? fail(ErrorKind::kUnsupported, "no port for reception")
                                                   : reception_->set(wish.first, wish.second, on);
    if (!set && on) {
      TURNPIKE_LOG(LogLevel::kWarning, "router", "a device does not hand over more packets",
                   {"device", wish.first.value()}, {"error", set.error().what}, {"errno", set.error().system_code});
      wishes_.erase(wish);
      return ERROR_CAN_NOT_COMPLETE;
    }
  }
  if (on) {
    protocols.insert(protocol);
  } else {
    protocols.erase(protocol);
  }
  if (protocols.empty()) wishes_.erase(wish);
  return NO_ERROR;
}

DWORD Answers::set_receive_type(const Caller&, DWORD protocol, DWORD interface_index, DWORD type, bool on) {
  if (type != IR_PROMISCUOUS && type != IR_PROMISCUOUS_MULTICAST) return ERROR_INVALID_PARAMETER;
  const std::lock_guard lock(mutex_);
  const auto known = interfaces_.find(net::InterfaceIndex(interface_index));
  if (known == interfaces_.end()) return ERROR_NO_SUCH_INTERFACE;
  if (known->second.device.is_none()) return ERROR_CAN_NOT_COMPLETE;
  return wish({known->second.device, static_cast<kernel::Reception>(type)}, protocol, on);
}

bool Answers::has_boundary(const Caller&, DWORD interface_index, DWORD group) {
  const std::lock_guard lock(mutex_);
  const auto known = interfaces_.find(net::InterfaceIndex(interface_index));
  return known != interfaces_.end() && std::ranges::any_of(known->second.boundaries, [group](const Boundary& each) {
           return (group & each.mask) == (each.group & each.mask);
         });
}

// ---------------------------------------------------------------------------------------------------------------------
// Routes and the router

std::uint32_t Answers::preference_of(TransportId transport, std::uint32_t protocol) const {
  const std::lock_guard lock(mutex_);
  const auto configured = preferences_.find(transport);
  return configured != preferences_.end() ? rtm::preference_in(configured->second, protocol)
                                          : rtm::preference_in(rtm::kUsualPreferences, protocol);
}

DWORD Answers::validate_route(const Caller& caller, DWORD protocol, void* route, void* destination) {
  if (route == nullptr) return ERROR_INVALID_PARAMETER;
  auto& info = *static_cast<RTM_ROUTE_INFO*>(route);
  if (destination != nullptr && !is_destination(*static_cast<RTM_NET_ADDRESS*>(destination), caller.transport)) {
    return ERROR_INVALID_PARAMETER;
  }
  if (info.BelongsToViews == 0) return ERROR_INVALID_PARAMETER;
  info.PrefInfo.Preference = preference_of(caller.transport, protocol);
  return NO_ERROR;
}

DWORD Answers::router_id(const Caller&) {
  const std::lock_guard lock(mutex_);
  if (configured_id_) return configured_id_->ipv4_network();
  std::optional<net::Address> of_loopback, of_any;
  for (const auto& [index, facts] : interfaces_) {
    for (const dim::LinkAddress& each : facts.addresses) {
      if (!each.local.is_ipv4() || each.local.is_loopback()) continue;
      of_any = std::max(of_any, std::optional(each.local));
      if (facts.type == InterfaceType::kLoopback) of_loopback = std::max(of_loopback, std::optional(each.local));
    }
  }
  const std::optional<net::Address> id = of_loopback ? of_loopback : of_any;
  return id ? id->ipv4_network() : 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// MIB

namespace {

MIB_IFSTATUS status_of(net::InterfaceIndex index, const InterfaceFacts& facts) {
  MIB_IFSTATUS status{};
  status.dwIfIndex = index.value();
  status.dwAdminStatus = facts.enabled ? MIB_IF_ADMIN_STATUS_UP : MIB_IF_ADMIN_STATUS_DOWN;
  switch (facts.state) {
    case dim::ConnectionState::kUnreachable:
      status.dwOperationalStatus = MIB_IF_OPER_STATUS_UNREACHABLE;
      break;
    case dim::ConnectionState::kDisconnected:
      status.dwOperationalStatus = MIB_IF_OPER_STATUS_DISCONNECTED;
      break;
    case dim::ConnectionState::kConnecting:
      status.dwOperationalStatus = MIB_IF_OPER_STATUS_CONNECTING;
      break;
    case dim::ConnectionState::kConnected:
      status.dwOperationalStatus = MIB_IF_OPER_STATUS_CONNECTED;
      break;
  }
  return status;
}

}  // namespace

// IF_STATUS is the router's to tell: what it is told of its interfaces is more than the kernel knows.
DWORD Answers::interface_status(const MibRequest& request) const {
  DWORD query[2] = {};  // the variable, and the index of a row
  const bool has_index = request.in_size >= sizeof(query);
  if (request.call != MibCall::kGetFirst && !has_index) return ERROR_INVALID_PARAMETER;
  std::memcpy(query, request.in, std::min<std::size_t>(request.in_size, sizeof(query)));
  const net::InterfaceIndex asked(query[1]);
  const std::lock_guard lock(mutex_);
  auto row = interfaces_.begin();
  if (request.call == MibCall::kGet) row = interfaces_.find(asked);
  if (request.call == MibCall::kGetNext) row = interfaces_.upper_bound(asked);
  if (row == interfaces_.end()) return request.call == MibCall::kGet ? ERROR_NOT_FOUND : ERROR_NO_MORE_ITEMS;
  const MIB_IFSTATUS status = status_of(row->first, row->second);
  return give(request, IF_STATUS, std::as_bytes(std::span(&status, 1)));
}

// The router manager's own variables, which can be read.
DWORD Answers::own_variable(const MibRequest& request) const {
  const bool is_read =
      request.call == MibCall::kGet || request.call == MibCall::kGetFirst || request.call == MibCall::kGetNext;
  DWORD variable = 0;
  if (request.in == nullptr || request.in_size < sizeof(variable)) return ERROR_INVALID_PARAMETER;
  std::memcpy(&variable, request.in, sizeof(variable));
  if (variable >= NUMBER_OF_EXPORTED_VARIABLES) return ERROR_INVALID_PARAMETER;
  if (!is_read) return ERROR_NOT_SUPPORTED;
  return variable == IF_STATUS ? interface_status(request) : read_ip_variable(request);
}

DWORD Answers::mib(const Caller& caller, DWORD routing_pid, const MibRequest& request) {
  if (routing_pid == caller.protocol) return ERROR_INVALID_PARAMETER;
  return administer(caller.transport, routing_pid, request);
}

DWORD Answers::administer(TransportId transport, DWORD routing_pid, const MibRequest& request) {
  if (routing_pid == IPRTRMGR_PID) return own_variable(request);
  Module* module = nullptr;
  std::optional<Inside> inside;
  {
    // Inside before the lock is given up: then the module cannot go meanwhile.
    const std::lock_guard lock(mutex_);
    const auto known = modules_.find({transport, routing_pid});
    if (known == modules_.end()) return ERROR_UNKNOWN_PROTOCOL_ID;
    module = known->second;
    inside.emplace(module->gate());
  }
  return *inside ? module->mib(request) : ERROR_UNKNOWN_PROTOCOL_ID;
}

}  // namespace turnpike::router
