// What mgm.h never had: include/turnpike/mgm.h over runtime::Multicast.
#include "capi/mgm_forwarder.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "capi/mgm_codes.h"
#include "capi/rtm_codes.h"
#include "runtime/world.h"

namespace turnpike::capi {
namespace {

using runtime::World;

constexpr std::uint32_t kCanNotComplete = 1003;
constexpr std::uint32_t kFlags = TP_MGM_UNICAST_VIEW | TP_MGM_WRONG_INTERFACE | TP_MGM_KEEP;

std::uint32_t start(net::Family family, const TP_MGM_FORWARDER_OPTIONS& options, std::span<char> holder) {
  if (options.size != sizeof options || (options.flags & ~kFlags) != 0) return kInvalidParameter;
  runtime::MulticastSettings settings;
  settings.kernel.table = options.kernel_table;
  settings.kernel.wrong_interface = (options.flags & TP_MGM_WRONG_INTERFACE) != 0;
  settings.kernel.keep = (options.flags & TP_MGM_KEEP) != 0;
  if (options.settle_ms != 0) settings.settle = std::chrono::milliseconds(options.settle_ms);
  settings.unicast_view = (options.flags & TP_MGM_UNICAST_VIEW) != 0;
  if (options.receive_buffer != 0) settings.kernel.receive_buffer = options.receive_buffer;
  std::string who;
  const auto started = World::instance().multicast(family).start(settings, who);
  if (!holder.empty()) {
    const std::size_t length = std::min(who.size(), holder.size() - 1);
    std::memcpy(holder.data(), who.data(), length);
    holder[length] = '\0';
  }
  return !started && !who.empty() ? kCanNotComplete : code_of(started);
}

Result<mgm::Scope> scope_of(std::uint32_t threshold, std::span<const TP_MGM_BOUNDARY> boundaries) {
  mgm::Scope scope;
  scope.threshold = static_cast<std::uint8_t>(threshold);
  for (const TP_MGM_BOUNDARY& each : boundaries) {
    const auto prefix =
        net::Prefix::from_netmask(net::Address::from_network(each.group), net::Address::from_network(each.mask));
    if (!prefix) return tl::unexpected(prefix.error());
    scope.boundaries.push_back(*prefix);
  }
  return scope;
}

}  // namespace

std::uint32_t start_multicast(net::Family family, const TP_MGM_FORWARDER_OPTIONS* options, char* holder,
                              std::size_t holder_size) noexcept {
  return guarded([&] {
    TP_MGM_FORWARDER_OPTIONS defaults{};
    defaults.size = sizeof defaults;
    const std::span<char> room = holder != nullptr ? std::span(holder, holder_size) : std::span<char>();
    return start(family, options != nullptr ? *options : defaults, room);
  });
}

std::uint32_t stop_multicast(net::Family family) noexcept {
  return guarded([&] { return code_of(World::instance().multicast(family).stop()); });
}

std::uint32_t all_claimed(net::Family family) noexcept {
  return code_of(World::instance().multicast(family).all_claimed());
}

std::uint32_t set_scope(net::Family family, std::uint32_t device, mgm::Scope scope) {
  const auto manager = World::instance().multicast(family).manager();
  if (!manager) return code_of_mgm(manager.error());
  (*manager)->set_scope(net::InterfaceIndex(device), std::move(scope));
  return kSuccess;
}

std::uint32_t device_counters(net::Family family, std::uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) noexcept {
  if (counters == nullptr) return kInvalidParameter;
  const auto read = World::instance().multicast(family).device_counters(net::InterfaceIndex(device));
  if (!read) return code_of(read.error());
  *counters = {read->packets_in, read->packets_out, read->octets_in, read->octets_out};
  return kSuccess;
}

std::uint32_t multicast_status(net::Family family, TP_MGM_STATUS* status) noexcept {
  constexpr uint32_t kLeast = offsetof(TP_MGM_STATUS, clients);
  if (status == nullptr || status->size < kLeast) {
    return kInvalidParameter;
  }
  auto& multicast = World::instance().multicast(family);
  const auto manager = multicast.manager();
  if (!manager) {
    return code_of_mgm(manager.error());
  }
  const auto now = (*manager)->status();
  const auto in_kernel = multicast.kernel_status();
  const auto forwarded = in_kernel.value_or(kernel::MulticastStatus());
  const TP_MGM_STATUS full = {.size = std::min<uint32_t>(status->size, sizeof(TP_MGM_STATUS)),
                              .forwarder = in_kernel ? TP_MGM_FORWARDER_KERNEL : TP_MGM_FORWARDER_MEMORY,
                              .clients = now.clients,
                              .interfaces = now.interfaces,
                              .memberships = now.memberships,
                              .entries = now.entries,
                              .enumerations = now.enumerations,
                              .unknown_flows = now.unknown_flows,
                              .merged_flows = now.merged,
                              .dropped_flows = now.dropped,
                              .forwarder_refusals = now.forwarder_refusals,
                              .alerts = now.alerts,
                              .alerts_left = now.alerts_left,
                              .alerts_lost = now.alerts_lost,
                              .memberships_refused = now.memberships_refused,
                              .upcalls = forwarded.upcalls,
                              .upcalls_lost = forwarded.upcalls_lost,
                              .upcalls_ignored = forwarded.upcalls_ignored,
                              .devices_lost = forwarded.vifs_lost,
                              .receive_buffer = forwarded.receive_buffer,
                              .kept = forwarded.kept ? 1U : 0U,
                              .taken_over = forwarded.taken_over,
                              .unclaimed = forwarded.unclaimed};
  std::memcpy(status, &full, full.size);
  return kSuccess;
}

}  // namespace turnpike::capi

namespace capi = turnpike::capi;
constexpr auto kIpv4 = turnpike::net::Family::kIpv4;

uint32_t TpMgmForwarderStart(const TP_MGM_FORWARDER_OPTIONS* options, char* holder, size_t holder_size) noexcept {
  return capi::start_multicast(kIpv4, options, holder, holder_size);
}
uint32_t TpMgmForwarderStop(void) noexcept { return capi::stop_multicast(kIpv4); }
uint32_t TpMgmAllClaimed(void) noexcept { return capi::all_claimed(kIpv4); }
uint32_t TpMgmGetStatus(TP_MGM_STATUS* status) noexcept { return capi::multicast_status(kIpv4, status); }
uint32_t TpMgmGetDeviceCounters(uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) noexcept {
  return capi::device_counters(kIpv4, device, counters);
}

uint32_t TpMgmSetScope(uint32_t device, uint32_t threshold, const TP_MGM_BOUNDARY* boundaries,
                       uint32_t count) noexcept {
  if (!capi::is_threshold(threshold) || (boundaries == nullptr && count != 0) || count > capi::kMostBoundaries) {
    return capi::kInvalidParameter;
  }
  return capi::guarded([&]() -> std::uint32_t {
    auto scope = capi::scope_of(threshold, std::span(boundaries, count));
    return scope ? capi::set_scope(kIpv4, device, std::move(*scope)) : capi::kInvalidParameter;
  });
}
