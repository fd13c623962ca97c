#include "show.h"

#include <array>
#include <utility>

#include "net/text.h"

namespace turnpike::daemon {
namespace {

std::string_view name_of(dim::ConnectionState state) {
  constexpr std::array<std::string_view, 4> kNames{"unreachable", "disconnected", "connecting", "connected"};
  return kNames[static_cast<std::size_t>(state)];
}

Value reasons_of(dim::Reasons reasons) {
  constexpr std::pair<dim::Reasons, std::string_view> kNames[] = {{dim::kOutOfResources, "out of resources"},
                                                                  {dim::kAdminDisabled, "disabled"},
                                                                  {dim::kConnectionFailure, "connection failed"},
                                                                  {dim::kServicePaused, "service paused"},
                                                                  {dim::kDialOutHours, "outside of the hours"},
                                                                  {dim::kNoMediaSense, "no carrier"},
                                                                  {dim::kNoDevice, "no device"}};
  Value::List out;
  for (const auto& [bit, name] : kNames) {
    if ((reasons & bit) != 0) out.emplace_back(name);
  }
  return out;
}

std::string_view name_of(dim::InterfaceType type) {
  constexpr std::array<std::string_view, 8> kNames{"client",   "home router", "demand-dial", "dedicated",
                                                   "internal", "loopback",    "tunnel",      "dial-out"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view name_of(dim::TransportId transport) {
  return transport == dim::TransportId::kIp ? "ip" : transport == dim::TransportId::kIpv6 ? "ipv6" : "other";
}

Value shown_interface(const dim::Interface& interface) {
  Value::List transports;
  for (const auto& [transport, info] : interface.transports) transports.emplace_back(name_of(transport));
  Value::List addresses;
  if (interface.link) {
    for (const dim::LinkAddress& each : interface.link->addresses) {
      addresses.emplace_back(std::string(to_text(each.local).view()) + '/' + std::to_string(each.prefix_length));
    }
  }
  return Value::Object{{"name", interface.name},
                       {"index", interface.index.value()},
                       {"type", name_of(interface.type)},
                       {"enabled", interface.enabled},
                       {"state", name_of(interface.state)},
                       {"reasons", reasons_of(interface.reasons)},
                       {"transports", std::move(transports)},
                       {"addresses", std::move(addresses)}};
}

// "hangs in AddInterface for 12 s"; empty: it does not.
std::string hanging_of(const std::string& module, const std::vector<router::CallWatch::Running>& hanging) {
  for (const router::CallWatch::Running& call : hanging) {
    if (call.module == module) return "hangs in " + call.function + " for " + seconds_of(call) + " s";
  }
  return "";
}

}  // namespace

std::string seconds_of(const router::CallWatch::Running& call) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(call.lasts).count());
}

Value refused(std::string what) { return Value::Object{{"error", std::move(what)}}; }

Value shown(const dim::Interfaces& interfaces, const std::string& name) {
  Value::List out;
  for (const auto& [id, interface] : interfaces.all()) {
    if (name.empty() || interface.name == name) out.push_back(shown_interface(interface));
  }
  if (!name.empty() && out.empty()) return refused("there is no interface " + name);
  return out;
}

Value::List shown(const std::vector<router::ModuleStatus>& modules,
                  const std::vector<router::CallWatch::Running>& hanging, const std::string& name) {
  Value::List out;
  for (const router::ModuleStatus& module : modules) {
    if (!name.empty() && module.name != name) continue;
    const std::string hangs = hanging_of(module.name, hanging);
    out.push_back(Value::Object{{"name", module.name},
                                {"state", hangs.empty() ? router::name_of(module.state) : "hanging"},
                                {"transport", name_of(module.transport)},
                                {"number", module.protocol},
                                {"preference", module.preference},
                                {"interfaces", static_cast<std::int64_t>(module.interfaces)},
                                {"library", module.path},
                                {"reason", hangs.empty() ? module.reason : hangs}});
  }
  return out;
}

}  // namespace turnpike::daemon
