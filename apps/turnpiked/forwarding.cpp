#include "forwarding.h"

#include <turnpike/forwarder.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/objects.h"

namespace turnpike::daemon {
namespace {

constexpr std::chrono::seconds kMovePatience(30);  // with a million routes it takes four
constexpr std::chrono::milliseconds kLookAgain(10);

TP_FORWARDER_STATUS status() {
  TP_FORWARDER_STATUS now{};
  now.size = sizeof now;
  (void)TpForwarderStatus(&now);
  return now;
}

}  // namespace

std::optional<std::string> start_forwarder(const config::ForwarderSettings& settings) {
  if (settings.enabled == 0) return std::nullopt;
  const TP_FORWARDER_TABLE table{0, settings.table};
  TP_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = settings.import_routes != 0 ? 0 : TP_FORWARDER_NO_IMPORT;
  options.attributes.metric = settings.metric;
  options.sweep_after_ms = settings.sweep_after_ms;
  options.audit_every_ms = settings.audit_every_ms;
  options.table_count = 1;
  options.tables = &table;
  std::array<char, 256> holder{};
  const std::uint32_t code = TpForwarderStart(&options, holder.data(), holder.size());
  if (code == 0) return std::nullopt;
  std::string reason = "error " + std::to_string(code);
  if (holder[0] != '\0') reason += std::string(", held by ") + holder.data();
  return reason;
}

std::optional<std::string> ForwarderChange::begin() {
  if (is_none() || to_.enabled == 0) return std::nullopt;
  installed_ = status().installed;
  if (from_.enabled != 0) TpForwarderStop(0);
  const auto why = start_forwarder(to_);
  if (!why) return std::nullopt;
  undo();
  return "the forwarder does not start with the new settings: " + *why;
}

void ForwarderChange::undo() {
  if (is_none() || to_.enabled == 0) return;
  // What the new one has written elsewhere, or where there was none, goes with it.
  TpForwarderStop(has_moved() || from_.enabled == 0 ? 1 : 0);
  if (const auto why = start_forwarder(from_)) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the former forwarder does not start again", {"reason", *why});
  }
}

void ForwarderChange::finish() {
  if (from_.enabled != 0 && to_.enabled == 0) TpForwarderStop(1);
  if (!has_moved()) return;
  if (await_all()) return remove_from_former_table();
  TURNPIKE_LOG(LogLevel::kError, "turnpiked",
               "routes are left in the former table: those of the new one are not all there", {"table", from_.table});
}

// As many are in the kernel as there were before, and nothing is on its way. There is no event to wait for.
bool ForwarderChange::await_all() const {
  const MonotonicTime end = later(system_clock().now(), kMovePatience);
  for (;;) {
    const TP_FORWARDER_STATUS now = status();
    if (now.pending == 0 && now.installed + now.foreign + now.shadowed >= installed_) return true;
    if (system_clock().now() >= end) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
}

void ForwarderChange::remove_from_former_table() {
  kernel::RouteFilter ours;
  ours.table = from_.table;
  ours.protocol = kernel::kOurProtocol;
  std::vector<kernel::Route> routes;
  kernel::Taker<kernel::Route> taker;
  taker.begin = [&] { routes.clear(); };
  taker.take = [&](const kernel::Route& route) {
    routes.push_back(route);
    routes.back().hops = {};  // gone with the dump, and a removal goes by the key
  };
  const auto read = kernel_.dump_routes(ours, taker);
  auto writer = kernel_.open_writer();
  if (!read || !writer) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "routes are left in the former table", {"table", from_.table});
    return;
  }
  const auto submit = [&] {
    for (const kernel::Refusal& refusal : (*writer)->submit().refused) {
      TURNPIKE_LOG(LogLevel::kWarning, "turnpiked", "a route is left in the former table", {"table", from_.table},
                   {"reason", describe(refusal)});
    }
  };
  for (const kernel::Route& each : routes) {
    if ((*writer)->put(kernel::Change::kRemove, each, 0)) continue;
    submit();
    (void)(*writer)->put(kernel::Change::kRemove, each, 0);
  }
  submit();
}

}  // namespace turnpike::daemon
