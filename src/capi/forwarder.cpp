// The C face of the forwarder: include/turnpike/forwarder.h over runtime::ForwarderHost.
#include <turnpike/forwarder.h>

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "capi/codes.h"
#include "capi/rtm_codes.h"
#include "net/text.h"
#include "runtime/forwarder_host.h"

namespace turnpike::capi {
namespace {

using forwarder::RouteSettings;
using forwarder::RouteState;
using runtime::ForwarderHost;

constexpr std::uint32_t kMostTables = 1024;
constexpr Duration kAsGoodAsNever = std::chrono::hours(24 * 3650);
constexpr std::uint32_t kFlags = TP_FORWARDER_NO_IMPORT | TP_FORWARDER_OWN_NAMESPACE;
constexpr std::pair<ErrorKind, std::uint32_t> kStartCodes[] = {{ErrorKind::kNotFound, kInvalidParameter}};

static_assert(TP_FORWARDER_PENDING == static_cast<std::uint32_t>(RouteState::kPending) &&
              TP_FORWARDER_INSTALLED == static_cast<std::uint32_t>(RouteState::kInstalled) &&
              TP_FORWARDER_FAILED == static_cast<std::uint32_t>(RouteState::kFailed) &&
              TP_FORWARDER_CONFLICT == static_cast<std::uint32_t>(RouteState::kConflict) &&
              TP_FORWARDER_FOREIGN == static_cast<std::uint32_t>(RouteState::kForeign) &&
              TP_FORWARDER_CONTESTED == static_cast<std::uint32_t>(RouteState::kContested) &&
              TP_FORWARDER_SHADOWED == static_cast<std::uint32_t>(RouteState::kShadowed));

RouteSettings settings_from(const TP_FORWARDER_ATTRIBUTES& from, net::Family family) {
  RouteSettings settings;
  if (from.metric != 0) settings.priority = from.metric;
  settings.mtu = from.mtu;
  const auto source = family == net::Family::kIpv4 ? net::Address::from_bytes(std::span(from.source4))
                                                   : net::Address::from_bytes(std::span(from.source6));
  if (source && !source->is_unspecified()) settings.preferred_source = *source;
  return settings;
}

bool is_good(const TP_FORWARDER_OPTIONS& options) {
  return options.size == sizeof options && (options.flags & ~kFlags) == 0 && options.table_count <= kMostTables &&
         options.protocol_count <= kMostTables && (options.table_count == 0 || options.tables != nullptr) &&
         (options.protocol_count == 0 || options.protocols != nullptr);
}

std::vector<runtime::ForwarderTable> tables_from(const TP_FORWARDER_OPTIONS& options) {
  const TP_FORWARDER_TABLE main{0, kernel::kMainTable};
  const std::span tables =
      options.table_count != 0 ? std::span(options.tables, options.table_count) : std::span(&main, 1);
  std::vector<runtime::ForwarderTable> all;
  for (const TP_FORWARDER_TABLE& each : tables) {
    for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
      forwarder::TableSettings settings;
      settings.family = family;
      settings.kernel_table = each.kernel_table;
      settings.routes = settings_from(options.attributes, family);
      for (const TP_FORWARDER_PROTOCOL& protocol : std::span(options.protocols, options.protocol_count)) {
        settings.by_protocol[protocol.protocol_id] = settings_from(protocol.attributes, family);
      }
      const int number = family == net::Family::kIpv4 ? AF_INET : AF_INET6;
      all.push_back({each.instance, static_cast<std::uint16_t>(number), settings});
    }
  }
  return all;
}

Duration duration_from(std::uint32_t milliseconds, Duration otherwise, Duration never) {
  if (milliseconds == TP_FORWARDER_NEVER) return never;
  return milliseconds != 0 ? std::chrono::milliseconds(milliseconds) : otherwise;
}

std::uint32_t start(const TP_FORWARDER_OPTIONS& options, char* holder, std::size_t holder_size) {
  if (!is_good(options)) return kInvalidParameter;
  forwarder::Settings settings;
  settings.import_routes = (options.flags & TP_FORWARDER_NO_IMPORT) == 0;
  settings.own_namespace = (options.flags & TP_FORWARDER_OWN_NAMESPACE) != 0;
  settings.sweep_after = duration_from(options.sweep_after_ms, settings.sweep_after, kAsGoodAsNever);
  settings.audit_every = duration_from(options.audit_every_ms, settings.audit_every, Duration{0});
  std::string who;
  const auto started = ForwarderHost::instance().start(tables_from(options), settings, who);
  if (holder != nullptr && holder_size != 0) {
    const std::size_t length = std::min(who.size(), holder_size - 1);
    std::memcpy(holder, who.data(), length);
    holder[length] = '\0';
  }
  return started ? kSuccess : code_of(started.error(), kStartCodes);
}

template <class T>
std::uint32_t answer(const Result<T>& result) {
  return result ? kSuccess : code_of(result.error());
}

void fill(TP_FORWARDER_STATUS& out, const forwarder::Forwarder::Status& from) {
  const auto count = [&](RouteState state) {
    return from.ipv4.routes[static_cast<std::size_t>(state)] + from.ipv6.routes[static_cast<std::size_t>(state)];
  };
  out.running = 1;
  out.installed = count(RouteState::kInstalled);
  out.pending = count(RouteState::kPending);
  out.failed = count(RouteState::kFailed);
  out.conflicts = count(RouteState::kConflict);
  out.contested = count(RouteState::kContested);
  out.foreign = count(RouteState::kForeign);
  out.unclaimed = from.ipv4.adopted + from.ipv6.adopted;
  out.imported = from.imported;
  out.next_hops = from.next_hops.leaves;
  out.groups = from.next_hops.groups;
  out.written = from.ipv4.written + from.ipv6.written;
  out.removed = from.ipv4.removed + from.ipv6.removed;
  out.refused = from.ipv4.refused + from.ipv6.refused;
  out.repaired = from.ipv4.repaired + from.ipv6.repaired + from.next_hops.repaired;
  out.taken_over = from.ipv4.kept + from.ipv6.kept;
  out.losses = from.losses;
  out.resyncs = from.resyncs;
  out.bytes = from.bytes;
  out.shadowed = count(RouteState::kShadowed);
}

// --- the feed

std::uint32_t start_fpm(const TP_FPM_OPTIONS& options) {
  if (options.size != sizeof options || options.reserved != 0 ||
      (options.flags & ~(TP_FPM_TABLE_ONLY | TP_FPM_GATEWAYS_ONLY)) != 0)
    return kInvalidParameter;
  const auto address = net::parse_address(options.address != nullptr ? options.address : "127.0.0.1");
  if (!address) return kInvalidParameter;
  forwarder::FpmSettings settings;
  settings.table_only = (options.flags & TP_FPM_TABLE_ONLY) != 0;
  settings.gateways_only = (options.flags & TP_FPM_GATEWAYS_ONLY) != 0;
  settings.sweep_after = duration_from(options.sweep_after_ms, settings.sweep_after, kAsGoodAsNever);
  return answer(
      ForwarderHost::instance().start_fpm(*address, options.port != 0 ? options.port : TP_FPM_PORT, settings));
}

void fill(TP_FPM_STATUS& out, const forwarder::Fpm::Status& from) {
  out.running = 1;
  out.connected = from.feed.connected ? 1 : 0;
  out.port = from.feed.port;
  out.routes = from.routes.routes;
  out.stale = from.routes.stale;
  out.absent = from.routes.absent;
  out.next_hops = from.next_hops;
  out.ignored = from.ignored;
  out.connections = from.feed.connections;
  out.turned_away = from.feed.turned_away;
  out.faults = from.feed.faults;
  out.frames = from.feed.frames;
  out.messages = from.feed.messages;
  out.skipped = from.feed.skipped;
}

}  // namespace
}  // namespace turnpike::capi

using turnpike::capi::answer;
using turnpike::capi::code_of;
using turnpike::capi::fill;
using turnpike::capi::kInvalidParameter;
using turnpike::capi::kNotEnoughMemory;
using turnpike::capi::kSuccess;
using turnpike::capi::start;
using turnpike::capi::start_fpm;
using turnpike::runtime::ForwarderHost;

uint32_t TpForwarderStart(const TP_FORWARDER_OPTIONS* options, char* holder, size_t holder_size) noexcept {
  try {
    TP_FORWARDER_OPTIONS defaults{};
    defaults.size = sizeof defaults;
    return start(options != nullptr ? *options : defaults, holder, holder_size);
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

uint32_t TpForwarderStop(int remove_routes) noexcept {
  try {
    return answer(ForwarderHost::instance().stop(remove_routes != 0));
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

uint32_t TpForwarderAllClaimed(void) noexcept { return answer(ForwarderHost::instance().all_claimed()); }
uint32_t TpForwarderAudit(void) noexcept { return answer(ForwarderHost::instance().audit()); }

uint32_t TpForwarderStatus(TP_FORWARDER_STATUS* status) noexcept {
  if (status == nullptr || status->size != sizeof *status) return kInvalidParameter;
  *status = {};
  status->size = sizeof *status;
  if (const auto now = ForwarderHost::instance().status()) fill(*status, *now);
  return kSuccess;
}

uint32_t TpForwarderRoute(void* destination, TP_FORWARDER_ROUTE* route) noexcept {
  if (route == nullptr) return kInvalidParameter;
  const auto handle = static_cast<turnpike::rtm::Handle>(reinterpret_cast<std::uintptr_t>(destination));
  const auto explained = ForwarderHost::instance().explain(handle);
  if (!explained) return code_of(explained.error());
  *route = {static_cast<std::uint32_t>(explained->state), explained->error, explained->next_hop_id};
  return kSuccess;
}

uint32_t TpFpmStart(const TP_FPM_OPTIONS* options) noexcept {
  try {
    TP_FPM_OPTIONS defaults{};
    defaults.size = sizeof defaults;
    return start_fpm(options != nullptr ? *options : defaults);
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

uint32_t TpFpmStop(void) noexcept { return answer(ForwarderHost::instance().stop_fpm()); }
uint32_t TpFpmAllSent(void) noexcept { return answer(ForwarderHost::instance().fpm_all_sent()); }

uint32_t TpFpmStatus(TP_FPM_STATUS* status) noexcept {
  if (status == nullptr || status->size != sizeof *status) return kInvalidParameter;
  *status = {};
  status->size = sizeof *status;
  if (const auto now = ForwarderHost::instance().fpm_status()) fill(*status, *now);
  return kSuccess;
}
