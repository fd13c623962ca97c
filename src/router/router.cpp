#include "router/router.h"

#include <ipinfoid.h>
#include <ipmib.h>
#include <mprerror.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>
#include <winerror.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "dim/info_header.h"
#include "router/priority_info.h"
#include "router/route_info.h"

namespace turnpike::router {
namespace {

using dim::EventKind;
using dim::InfoBlock;
using dim::InfoHeader;
using dim::Interface;
using dim::InterfaceId;

constexpr std::uint32_t kInterfaceDisconnected = ERROR_INTERFACE_DISCONNECTED;

std::optional<InfoBlock> block_of(const Bytes& header, std::uint32_t type) {
  if (header.empty()) return std::nullopt;
  const Result<InfoHeader> parsed = InfoHeader::parse(header);
  return parsed ? parsed->find(type) : std::nullopt;
}

// The items of a block, read as so many pairs of 32-bit numbers.
std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_of(std::span<const std::byte> data) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::size_t at = 0; at + 8 <= data.size(); at += 8) {
    std::uint32_t words[2];
    std::memcpy(words, data.data() + at, sizeof(words));
    pairs.emplace_back(words[0], words[1]);
  }
  return pairs;
}

std::vector<Boundary> boundaries_of(const Interface& interface) {
  std::vector<Boundary> boundaries;
  const auto binding = interface.transports.find(TransportId::kIp);
  if (binding == interface.transports.end()) return boundaries;
  if (const auto block = block_of(binding->second, IP_MCAST_BOUNDARY_INFO)) {
    for (const auto& [group, mask] : pairs_of(block->data)) boundaries.push_back({group, mask});
  }
  return boundaries;
}

// Of a sound plan. Nothing: the transport is not routed.
std::optional<rtm::Preferences> preferences_of(const Plan& plan, TransportId transport) {
  const auto planned = std::ranges::find(plan.transports, transport, &TransportPlan::id);
  if (planned == plan.transports.end() || planned->global_info.empty()) return std::nullopt;
  const auto block = block_of(planned->global_info, IP_PROT_PRIORITY_INFO);
  return block && !block->data.empty() ? read_priority_info(block->data) : rtm::Preferences();
}

// The routing table of the family goes by them.
void set_preferences(std::uint16_t family, const rtm::Preferences& preferences) {
  std::vector<TpRtmPreference> all;
  for (const auto& [protocol, preference] : preferences) all.push_back({protocol, preference});
  const DWORD code = TpRtmSetPreferences(0, family, all.data(), static_cast<std::uint32_t>(all.size()));
  if (code != NO_ERROR) {
    TURNPIKE_LOG(LogLevel::kError, "router", "the routing table does not take the protocols' preferences",
                 {"family", family}, {"code", code});
  }
}

// `changes` over `header`, block by block.
Bytes merged(const Bytes& header, const InfoHeader& changes) {
  std::vector<InfoBlock> blocks;
  if (const Result<InfoHeader> parsed = InfoHeader::parse(header); parsed) blocks = parsed->blocks();
  for (const InfoBlock& change : changes.blocks()) {
    std::erase_if(blocks, [&](const InfoBlock& each) { return each.type == change.type; });
    if (!change.data.empty()) blocks.push_back(change);
  }
  return *dim::join(blocks);
}

bool is_called(const InterfacePlan& plan, const std::string& name) {
  return std::ranges::equal(plan.name, name, [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  });
}

InterfacePlan* planned(Plan& plan, const std::string& name) {
  const auto found =
      std::ranges::find_if(plan.interfaces, [&](const InterfacePlan& each) { return is_called(each, name); });
  return found == plan.interfaces.end() ? nullptr : &*found;
}

// The part of the plan that speaks of that interface, made where nobody has spoken of it.
InterfacePlan& planned(Plan& plan, const Interface& interface) {
  if (InterfacePlan* known = planned(plan, interface.name); known != nullptr) return *known;
  plan.interfaces.push_back({interface.name, interface.type, interface.enabled, {}});
  return plan.interfaces.back();
}

Bytes& info_of(InterfacePlan& interface, TransportId transport) {
  const auto known = std::ranges::find(interface.transports, transport, &BindingPlan::transport);
  if (known != interface.transports.end()) return known->info;
  return interface.transports.emplace_back(BindingPlan{transport, {}}).info;
}

Bytes& info_of(Plan& plan, TransportId transport) {
  const auto known = std::ranges::find(plan.transports, transport, &TransportPlan::id);
  if (known != plan.transports.end()) return known->global_info;
  return plan.transports.emplace_back(TransportPlan{transport, {}, {}}).global_info;
}

Refusal no_header(const char* what) { return {"information header", what, ERROR_INVALID_PARAMETER}; }
Refusal no_interface(const std::string& name) { return {"interface " + name, "is not there", ERROR_NO_SUCH_INTERFACE}; }
Outcome refused(Refusal refusal) { return {false, {std::move(refusal)}, {}}; }

}  // namespace

Router::Router(Surroundings surroundings)
    : at_(std::move(surroundings)),
      watch_(at_.clock),
      answers_(at_.reception,
               [this](net::InterfaceIndex index) {
                 {
                   const std::lock_guard lock(dial_mutex_);
                   to_dial_.push_back(index);
                 }
                 if (at_.wake) at_.wake();
               }),
      links_(at_.kernel, interfaces_, [this] { note_events(!is_making_); }) {}

Router::~Router() {
  if (!was_started_) return;
  set_preferences(AF_INET, {});
  set_preferences(AF_INET6, {});
}

// ---------------------------------------------------------------------------------------------------------------------
// Plans

Outcome Router::start(const Plan& plan) {
  if (is_started_) return refused({"router", "is started already", 0});
  std::vector<Refusal> found = flaws(plan);
  if (!found.empty()) return {false, std::move(found), {}};
  is_making_ = true;
  if (const Result<void> listening = links_.start(); !listening) {
    is_making_ = false;
    return refused({"kernel", listening.error().what, static_cast<std::uint32_t>(listening.error().system_code)});
  }
  is_started_ = was_started_ = true;
  found = go_to(plan, false);
  Outcome outcome = {true, std::move(found), differences(Plan(), plan)};
  plan_ = plan;
  return outcome;
}

Outcome Router::apply(const Plan& plan) {
  if (!is_started_) return refused({"router", "is not started", ERROR_ROUTER_STOPPED});
  std::vector<Refusal> found = flaws(plan);
  if (!found.empty()) return {false, std::move(found), {}};
  std::vector<Difference> changes = differences(plan_, plan);
  if (changes.empty()) return {true, {}, {}};
  found = go_to(plan, true);
  if (!found.empty()) {
    for (const Refusal& each : go_to(plan_, false)) {
      TURNPIKE_LOG(LogLevel::kError, "router", "the way back from a refused plan is not whole",
                   {"subject", each.subject}, {"reason", each.reason}, {"code", each.code});
    }
    return {false, std::move(found), {}};
  }
  plan_ = plan;
  return {true, {}, std::move(changes)};
}

Outcome Router::retry(const std::string& module) {
  const auto plan = std::ranges::find(plan_.modules, module, &ModulePlan::name);
  if (plan == plan_.modules.end()) return refused({"module " + module, "is not there", ERROR_UNKNOWN_PROTOCOL_ID});
  manager_of(plan->transport).forget_failure(plan->protocol);
  std::vector<Refusal> found = go_to(plan_, false);
  std::erase_if(found, [&](const Refusal& each) { return each.subject != "module " + module; });
  return {found.empty(), std::move(found), {}};
}

// The order is that of the start-up; what can be refused comes before what cannot. With `stop_at_refusals` the first
// stage that is refused is the last: the caller goes back.
std::vector<Refusal> Router::go_to(const Plan& plan, bool stop_at_refusals) {
  is_making_ = true;
  std::vector<Refusal> refusals;
  const auto gather = [&](std::vector<Refusal> more) {
    std::ranges::move(more, std::back_inserter(refusals));
    return refusals.empty() || !stop_at_refusals;
  };
  const auto make = [&] {
    make_interfaces(plan);
    set_settings(plan);
    for (const TransportPlan& transport : plan.transports) {
      if (!gather(manager_of(transport.id).admit(plan.modules, transport.global_info))) return;
    }
    bind_transports(plan);
    for (auto& [id, manager] : managers_) {
      if (!gather(manager->settle())) return;
    }
    drop_interfaces(plan);
    for (auto& [id, manager] : managers_) {
      if (std::ranges::find(plan.transports, id, &TransportPlan::id) == plan.transports.end())
        (void)manager->admit(std::vector<ModulePlan>(), Bytes());
      manager->retire();
      (void)manager->settle();
      manager->complete();
    }
  };
  make();
  is_making_ = false;
  return refusals;
}

void Router::make_interfaces(const Plan& plan) {
  for (const InterfacePlan& each : plan.interfaces) {
    const Interface* known = interfaces_.find(each.name);
    if (known != nullptr && known->planned && known->type != each.type) drop(*known);
    known = interfaces_.find(each.name);
    if (known != nullptr && known->planned) {
      (void)interfaces_.set_enabled(known->id, each.enabled);
    } else if (const auto made = interfaces_.create(each.name, each.type, each.enabled); !made) {
      TURNPIKE_LOG(LogLevel::kError, "router", "an interface is not created", {"interface", each.name},
                   {"error", made.error().what});
    }
  }
  note_events(false);
}

void Router::bind_transports(const Plan& plan) {
  for (const InterfacePlan& each : plan.interfaces) {
    const Interface* interface = interfaces_.find(each.name);
    if (interface == nullptr) continue;
    for (const BindingPlan& binding : each.transports) {
      (void)interfaces_.set_transport(interface->id, binding.transport, binding.info);
    }
    std::vector<TransportId> gone;
    for (const auto& [transport, info] : interface->transports) {
      if (std::ranges::find(each.transports, transport, &BindingPlan::transport) == each.transports.end()) {
        gone.push_back(transport);
      }
    }
    for (const TransportId transport : gone) (void)interfaces_.remove_transport(interface->id, transport);
  }
  note_events(false);
}

void Router::drop_interfaces(const Plan& plan) {
  std::vector<InterfaceId> gone;
  for (const auto& [id, interface] : interfaces_.all()) {
    const auto is_it = [&](const InterfacePlan& each) { return is_called(each, interface.name); };
    const bool is_wanted = interface.type == InterfaceType::kClient || std::ranges::any_of(plan.interfaces, is_it);
    if (interface.planned && !is_wanted) gone.push_back(id);
  }
  for (const InterfaceId id : gone) drop(*interfaces_.find(id));
  note_events(false);
}

void Router::drop(const Interface& interface) {
  const InterfaceId id = interface.id;
  (void)interfaces_.disconnect(id, kInterfaceDisconnected);
  (void)interfaces_.remove(id);
}

void Router::set_settings(const Plan& plan) {
  answers_.set_router_id(plan.router_id);
  const auto of_ip = preferences_of(plan, TransportId::kIp), of_ipv6 = preferences_of(plan, TransportId::kIpv6);
  const rtm::Preferences none;
  answers_.set_preferences(TransportId::kIp, of_ip.value_or(none));
  answers_.set_preferences(TransportId::kIpv6, of_ipv6.value_or(none));
  // A module may make routes of the family whose transport it does not belong to, also where that is not routed.
  set_preferences(AF_INET, of_ip ? *of_ip : of_ipv6.value_or(none));
  set_preferences(AF_INET6, of_ipv6 ? *of_ipv6 : of_ip.value_or(none));
}

Manager& Router::manager_of(TransportId transport) {
  std::unique_ptr<Manager>& manager = managers_[transport];
  if (!manager) {
    manager =
        std::make_unique<Manager>(transport, Manager::Surroundings{interfaces_, answers_, watch_, at_.clock, *this});
  }
  return *manager;
}

Manager* Router::running_manager(TransportId transport) {
  const auto plan = std::ranges::find(plan_.transports, transport, &TransportPlan::id);
  return plan == plan_.transports.end() || plan->global_info.empty() ? nullptr : &manager_of(transport);
}

void Router::stop() {
  for (auto& [id, manager] : managers_) manager->stop();
  for (auto& [id, routes] : autostatic_) routes->leave();
  is_started_ = false;
}

bool Router::is_idle() const {
  return std::ranges::all_of(managers_, [](const auto& each) { return each.second->is_idle(); });
}

// ---------------------------------------------------------------------------------------------------------------------
// What happens to interfaces

// Modules see one thing at a time: this is called after each thing that the kernel says.
void Router::note_events(bool tell_modules) {
  std::vector<InterfaceId> to_dial;
  for (const dim::Event& event : interfaces_.take_events()) {
    if (event.kind == EventKind::kDialWanted) to_dial.push_back(event.id);
    if (const Interface* interface = interfaces_.find(event.id); interface != nullptr) {
      names_[event.id] = interface->name;
      note(*interface);
    }
    if (event.kind == EventKind::kDetached) {
      answers_.drop_interface(event.index);
      for (auto& [transport, routes] : autostatic_) routes->drop(event.index);
    }
    if (at_.on_event) at_.on_event(event, names_[event.id]);
    if (event.kind == EventKind::kDeleted) names_.erase(event.id);
    if (!tell_modules) continue;
    for (auto& [transport, manager] : managers_) manager->converge(event.id);
  }
  // Nobody is there yet to make connections: every attempt fails at once.
  for (const InterfaceId id : to_dial) (void)interfaces_.failed(id, ERROR_INTERFACE_HAS_NO_DEVICES);
  if (!to_dial.empty()) note_events(tell_modules);
}

void Router::note(const Interface& interface) {
  if (interface.index.is_none()) return;
  InterfaceFacts facts;
  facts.type = interface.type;
  facts.state = interface.state;
  facts.enabled = interface.enabled;
  if (interface.link) {
    facts.device = interface.link->index;
    facts.addresses = interface.link->addresses;
  }
  facts.boundaries = boundaries_of(interface);
  answers_.set_interface(interface.index, std::move(facts));
  restore_routes(interface);
}

void Router::dial_what_is_wanted() {
  std::vector<net::InterfaceIndex> wanted;
  {
    const std::lock_guard lock(dial_mutex_);
    std::swap(wanted, to_dial_);
  }
  for (const net::InterfaceIndex index : wanted) {
    if (const Interface* interface = interfaces_.find(index); interface != nullptr)
      (void)interfaces_.connect(interface->id);
  }
  if (!wanted.empty()) note_events(true);
}

// ---------------------------------------------------------------------------------------------------------------------
// The loop

bool Router::step() {
  bool more = links_.step();
  dial_what_is_wanted();
  for (auto& [id, manager] : managers_) more = manager->step() || more;
  return more;
}

std::vector<int> Router::descriptors() const {
  std::vector<int> all;
  if (links_.descriptor() >= 0) all.push_back(links_.descriptor());
  for (const auto& [id, manager] : managers_) manager->add_descriptors(all);
  return all;
}

std::optional<MonotonicTime> Router::deadline() const {
  std::optional<MonotonicTime> first;
  for (const auto& [id, manager] : managers_) {
    const std::optional<MonotonicTime> next = manager->deadline();
    if (next) first = first ? std::min(*first, *next) : *next;
  }
  return first;
}

// ---------------------------------------------------------------------------------------------------------------------
// What modules cause

std::optional<std::string> Router::objection(const ModulePlan& module) {
  return at_.quarantine == nullptr ? std::nullopt : at_.quarantine->objection(module.path);
}

void Router::save_global(TransportId transport, const Bytes& header) {
  info_of(plan_, transport) = header;
  const Result<void> kept = at_.store == nullptr ? Result<void>() : at_.store->keep_global(transport, header);
  if (!kept) {
    TURNPIKE_LOG(LogLevel::kError, "router", "a module's global settings are not stored",
                 {"transport", static_cast<std::uint32_t>(transport)}, {"error", kept.error().what});
  }
}

void Router::save_interface(InterfaceId id, TransportId transport, const Bytes& header) {
  const Interface* interface = interfaces_.find(id);
  if (interface == nullptr) return;
  info_of(planned(plan_, *interface), transport) = header;
  (void)interfaces_.set_transport(id, transport, header);
  note_events(true);
  const Result<void> kept =
      at_.store == nullptr ? Result<void>() : at_.store->keep_interface(interface->name, transport, header);
  if (!kept) {
    TURNPIKE_LOG(LogLevel::kError, "router", "a module's settings for an interface are not stored",
                 {"interface", interface->name}, {"error", kept.error().what});
  }
}

Autostatic& Router::autostatic(TransportId transport) {
  std::unique_ptr<Autostatic>& routes = autostatic_[transport];
  if (!routes) routes = std::make_unique<Autostatic>(transport);
  return *routes;
}

std::uint32_t Router::take_routes(TransportId transport, std::uint32_t protocol, net::InterfaceIndex index) {
  Autostatic& routes = autostatic(transport);
  const std::uint32_t code = routes.take(protocol, index);
  const Interface* interface = interfaces_.find(index);
  if (code != NO_ERROR || interface == nullptr) return code;
  const auto binding = interface->transports.find(transport);
  if (binding == interface->transports.end()) return code;
  const Bytes header = with_autostatic_routes(binding->second, transport, routes.items(index));
  if (header != binding->second) save_interface(interface->id, transport, header);
  return code;
}

// What an interface's headers say of autostatic routes is so while it can be used.
void Router::restore_routes(const Interface& interface) {
  if (!is_started_) return;
  for (const TransportId transport : {TransportId::kIp, TransportId::kIpv6}) {
    const auto binding = interface.transports.find(transport);
    const bool is_usable = interface.enabled && binding != interface.transports.end();
    const RouteItems items = is_usable ? autostatic_routes_in(binding->second, transport) : RouteItems();
    if (items.empty() && !autostatic_.contains(transport)) continue;
    const std::uint32_t code = autostatic(transport).restore(interface.index, items);
    if (code != NO_ERROR) {
      TURNPIKE_LOG(LogLevel::kError, "router", "stored autostatic routes are not in the routing table",
                   {"interface", interface.name}, {"code", code});
    }
  }
}

void Router::keep_stored(Plan& plan) const {
  for (const InterfacePlan& each : plan_.interfaces) {
    InterfacePlan* wanted = planned(plan, each.name);
    if (wanted == nullptr) continue;
    for (const BindingPlan& binding : each.transports) {
      const RouteItems routes = autostatic_routes_in(binding.info, binding.transport);
      const auto same = std::ranges::find(wanted->transports, binding.transport, &BindingPlan::transport);
      if (routes.empty() || same == wanted->transports.end()) continue;
      same->info = with_autostatic_routes(same->info, binding.transport, routes);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Administration

std::vector<ModuleStatus> Router::modules() const {
  std::vector<ModuleStatus> all;
  for (const auto& [id, manager] : managers_) std::ranges::move(manager->modules(), std::back_inserter(all));
  return all;
}

Answer<Bytes> Router::global_info(TransportId transport) {
  Manager* manager = running_manager(transport);
  if (manager == nullptr) return tl::unexpected(Refusal{"transport", "does not run", ERROR_UNKNOWN_PROTOCOL_ID});
  return manager->global_info();
}

Answer<Bytes> Router::interface_info(const std::string& name, TransportId transport) {
  const Interface* interface = interfaces_.find(name);
  if (interface == nullptr || !interface->transports.contains(transport)) return tl::unexpected(no_interface(name));
  Manager* manager = running_manager(transport);
  return manager == nullptr ? Answer<Bytes>(interface->transports.at(transport)) : manager->interface_info(*interface);
}

Plan Router::changed(const std::function<void(Plan& plan)>& change) const {
  Plan plan = plan_;
  change(plan);
  return plan;
}

Outcome Router::set_global_info(TransportId transport, const Bytes& header) {
  const Result<InfoHeader> changes = InfoHeader::parse(header);
  if (!changes) return refused(no_header(changes.error().what));
  return apply(changed([&](Plan& plan) {
    Bytes& info = info_of(plan, transport);
    info = merged(info, *changes);
  }));
}

Outcome Router::set_interface_info(const std::string& name, TransportId transport, const Bytes& header) {
  const Interface* interface = interfaces_.find(name);
  if (interface == nullptr) return refused(no_interface(name));
  const Result<InfoHeader> changes = InfoHeader::parse(header);
  if (!changes) return refused(no_header(changes.error().what));
  return apply(changed([&](Plan& plan) {
    Bytes& info = info_of(planned(plan, *interface), transport);
    info = merged(info, *changes);
  }));
}

Outcome Router::set_enabled(const std::string& name, bool enabled) {
  const Interface* interface = interfaces_.find(name);
  if (interface == nullptr) return refused(no_interface(name));
  return apply(changed([&](Plan& plan) { planned(plan, *interface).enabled = enabled; }));
}

std::uint32_t Router::update_routes(const std::string& name, TransportId transport, std::uint32_t protocol) {
  const Interface* interface = interfaces_.find(name);
  if (interface == nullptr) return ERROR_NO_SUCH_INTERFACE;
  Manager* manager = running_manager(transport);
  return manager == nullptr ? ERROR_UNKNOWN_PROTOCOL_ID : manager->update_routes(protocol, interface->index);
}

std::uint32_t Router::update_result(const std::string& name, TransportId transport, std::uint32_t& result) const {
  const Interface* interface = interfaces_.find(name);
  if (interface == nullptr) return ERROR_NO_SUCH_INTERFACE;
  const auto manager = managers_.find(transport);
  const auto found = manager == managers_.end() ? std::nullopt : manager->second->update_result(interface->index);
  if (!found) return ERROR_NOT_FOUND;
  result = *found;
  return NO_ERROR;
}

}  // namespace turnpike::router
