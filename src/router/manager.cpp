#include "router/manager.h"

#include <mprerror.h>
#include <stringapiset.h>
#include <winerror.h>
#include <winnls.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "router/binding.h"

namespace turnpike::router {
namespace {

using dim::InfoBlock;
using dim::InfoHeader;
using dim::Interface;
using dim::InterfaceId;

constexpr unsigned kMostMessages = 1000;  // read at a time from a module: others have their turn
constexpr LogLimit kUnlimited{0, 0};      // what happens once in a module's life is always told
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

std::map<std::uint32_t, Bytes> blocks_of(const Bytes& header) {
  std::map<std::uint32_t, Bytes> blocks;
  if (header.empty()) return blocks;
  const Result<InfoHeader> parsed = InfoHeader::parse(header);
  if (!parsed) return blocks;
  for (const InfoBlock& block : parsed->blocks()) {
    if (!block.data.empty()) blocks.emplace(block.type, Bytes(block.data.begin(), block.data.end()));
  }
  return blocks;
}

// The header with one block in place of what has its type; an empty block only takes away.
Bytes with_block(const Bytes& header, std::uint32_t type, const Bytes& data) {
  std::vector<InfoBlock> blocks;
  if (const Result<InfoHeader> parsed = InfoHeader::parse(header); parsed) blocks = parsed->blocks();
  const auto place = std::ranges::find(blocks, type, &InfoBlock::type);
  if (place != blocks.end()) {
    *place = dim::single(type, data);
  } else {
    blocks.push_back(dim::single(type, data));
  }
  std::erase_if(blocks, [](const InfoBlock& block) { return block.data.empty(); });
  return *dim::join(blocks);
}

std::wstring wide(const std::string& text) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring result(static_cast<std::size_t>(std::max(length, 0)), L'\0');
  (void)MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), result.data(), length);
  return result;
}

NET_INTERFACE_TYPE type_of(const Interface& interface) {
  switch (interface.type) {
    case InterfaceType::kClient:
      return REMOTE_WORKSTATION_DIAL;
    case InterfaceType::kInternal:
      return LOCAL_WORKSTATION_DIAL;
    case InterfaceType::kHomeRouter:
    case InterfaceType::kFullRouter:
    case InterfaceType::kDialOut:
      return DEMAND_DIAL;
    default:
      return interface.link && interface.link->dial ? DEMAND_DIAL : PERMANENT;
  }
}

}  // namespace

std::string_view name_of(ModuleState state) {
  static constexpr std::string_view kNames[] = {"running", "stopping", "refused"};
  return kNames[static_cast<unsigned>(state)];
}

Manager::Manager(TransportId transport, const Surroundings& surroundings) : transport_(transport), at_(surroundings) {}

Manager::~Manager() {
  for (Client& client : clients_) at_.answers.drop_module(*client.module);
}

const Bytes* Manager::block_of(const ModulePlan& plan) const {
  const auto block = blocks_.find(plan.protocol);
  return plan.transport == transport_ && block != blocks_.end() ? &block->second : nullptr;
}

Bytes Manager::block_of(const Interface& interface, const Client& client) const {
  const auto binding = interface.transports.find(transport_);
  if (binding == interface.transports.end()) return {};
  const Result<InfoHeader> header = InfoHeader::parse(binding->second);
  const auto block = header ? header->find(client.module->plan().protocol) : std::nullopt;
  return block ? Bytes(block->data.begin(), block->data.end()) : Bytes();
}

Manager::Client* Manager::client_of(std::uint32_t protocol) {
  const auto found =
      std::ranges::find_if(clients_, [&](const Client& each) { return each.module->plan().protocol == protocol; });
  return found == clients_.end() ? nullptr : &*found;
}

// ---------------------------------------------------------------------------------------------------------------------
// Modules come

std::vector<Refusal> Manager::admit(std::vector<ModulePlan> catalogue, const Bytes& global) {
  catalogue_ = std::move(catalogue);
  global_ = global;
  blocks_ = blocks_of(global);
  std::vector<Refusal> refusals;
  for (const ModulePlan& plan : catalogue_) {
    const Bytes* block = block_of(plan);
    if (block == nullptr) continue;
    if (std::optional<Refusal> refused = admit(plan, *block)) refusals.push_back(std::move(*refused));
  }
  return refusals;
}

// A module of the same protocol that is on its way out, or is to go because its file is another, comes first.
std::optional<Refusal> Manager::admit(const ModulePlan& plan, const Bytes& block) {
  if (Client* client = client_of(plan.protocol); client != nullptr) {
    return client->module->plan() == plan ? set_global(*client, block) : std::nullopt;
  }
  const auto is_predecessor = [&](const Leaving& each) { return each.module->plan().protocol == plan.protocol; };
  if (std::ranges::any_of(leaving_, is_predecessor)) return std::nullopt;
  const auto failed = failures_.find(plan.protocol);
  if (failed != failures_.end() && failed->second.plan == plan && failed->second.global == block) return std::nullopt;
  failures_.erase(plan.protocol);
  std::optional<Refusal> refused = start(plan, block);
  if (refused) {
    TURNPIKE_LOG_LIMITED(process_log(), kUnlimited, LogLevel::kError, "router", "a module is not started",
                         {"module", plan.name}, {"reason", refused->reason}, {"code", refused->code},
                         {"path", plan.path});
    failures_.emplace(plan.protocol, Failure{plan, block, *refused});
  }
  return refused;
}

std::optional<Refusal> Manager::start(const ModulePlan& plan, const Bytes& block) {
  if (const std::optional<std::string> objection = at_.owner.objection(plan)) {
    return Refusal{"module " + plan.name, *objection, 0};
  }
  Answer<std::unique_ptr<Module>> module = Module::load(plan, at_.watch);
  if (!module) return std::move(module.error());
  const std::uint32_t code = (*module)->start(at_.answers, block);
  if (code != NO_ERROR) return Refusal{"module " + plan.name, "StartProtocol says no", code};
  at_.answers.add_module(**module);
  TURNPIKE_LOG(LogLevel::kInfo, "router", "a module is started", {"module", plan.name}, {"path", plan.path},
               {"protocol", plan.protocol});
  clients_.push_back({.module = std::move(*module), .global = block, .refused = {}, .told = {}, .updating = {}});
  return std::nullopt;
}

std::optional<Refusal> Manager::set_global(Client& client, const Bytes& block) {
  if (client.global == block) client.refused.reset();  // back from what it refused: that may be tried again
  if (client.global == block || client.refused == block) return std::nullopt;
  const std::uint32_t code = client.module->set_global_info(block);
  if (code != NO_ERROR) {
    client.refused = block;
    return Refusal{"module " + client.module->name(), "refuses its global settings", code};
  }
  client.global = block;
  client.refused.reset();
  return std::nullopt;
}

void Manager::complete() {
  for (Client& client : clients_) {
    if (client.complete) continue;
    client.complete = true;
    client.module->start_complete();
  }
  for (Client& client : clients_) {
    for (const InterfaceId id : known_interfaces(client)) (void)converge(client, id);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Interfaces

// Those that are, and those that were and of which the module has not been told that they are gone.
std::set<InterfaceId> Manager::known_interfaces(const Client& client) const {
  std::set<InterfaceId> ids;
  for (const auto& [id, interface] : at_.interfaces.all()) ids.insert(id);
  for (const auto& [id, told] : client.told) ids.insert(id);
  return ids;
}

std::vector<Refusal> Manager::settle() {
  std::vector<Refusal> refusals;
  for (Client& client : clients_) {
    for (const InterfaceId id : known_interfaces(client)) {
      if (std::optional<Refusal> refused = converge(client, id)) refusals.push_back(std::move(*refused));
    }
  }
  return refusals;
}

void Manager::converge(InterfaceId interface) {
  for (Client& client : clients_) {
    const std::optional<Refusal> refused = converge(client, interface);
    if (!refused) continue;
    TURNPIKE_LOG(LogLevel::kError, "router", "a module refuses an interface", {"subject", refused->subject},
                 {"reason", refused->reason}, {"code", refused->code});
  }
}

std::optional<Refusal> Manager::converge(Client& client, InterfaceId id) {
  const Interface* interface = at_.interfaces.find(id);
  const bool is_offered =
      interface != nullptr && !interface->index.is_none() && interface->type != InterfaceType::kLoopback;
  const Bytes block = is_offered ? block_of(*interface, client) : Bytes();
  const bool is_wanted = is_offered && (!block.empty() || client.module->can(RF_ADD_ALL_INTERFACES));
  const auto known = client.told.find(id);
  if (known == client.told.end() && !is_wanted) return std::nullopt;
  Told& told = client.told[id];
  // What was set and is not there any more takes the module off the interface, be it to be added without again.
  const bool is_another =
      told.added && is_wanted && (told.index != interface->index || (block.empty() && !told.info.empty()));
  if (told.added && (!is_wanted || is_another)) withdraw(client, told);
  if (!is_wanted) {
    client.told.erase(id);
    return std::nullopt;
  }
  std::optional<Refusal> refused =
      told.added ? set(client, told, *interface, block) : add(client, told, *interface, block);
  if (told.added && client.complete) tell_status(client, told, *interface);
  return refused;
}

std::optional<Refusal> Manager::add(Client& client, Told& told, const Interface& interface, const Bytes& block) {
  if (told.refused == block && told.index == interface.index) return std::nullopt;
  const std::uint32_t code =
      client.module->add_interface({wide(interface.name), interface.index, type_of(interface)}, block);
  told = Told{};
  told.index = interface.index;
  if (code != NO_ERROR) {
    told.refused = block;
    return Refusal{"module " + client.module->name(), "refuses interface " + interface.name, code};
  }
  told.added = true;
  told.info = block;
  return std::nullopt;
}

std::optional<Refusal> Manager::set(Client& client, Told& told, const Interface& interface, const Bytes& block) {
  if (told.info == block) told.refused.reset();
  if (told.info == block || told.refused == block) return std::nullopt;
  const std::uint32_t code = client.module->set_interface_info(told.index, block);
  if (code != NO_ERROR) {
    told.refused = block;
    return Refusal{"module " + client.module->name(), "refuses its settings for interface " + interface.name, code};
  }
  told.info = block;
  told.refused.reset();
  return std::nullopt;
}

void Manager::withdraw(Client& client, Told& told) {
  if (std::exchange(told.enabled, false)) tell(client, told, RIS_INTERFACE_DISABLED, nullptr);
  (void)client.module->delete_interface(told.index);
  client.updating.erase(told.index);
  told = Told{};
}

void Manager::tell(Client& client, Told& told, std::uint32_t status, void* info) {
  (void)client.module->interface_status(told.index, told.enabled, status, info);
}

void Manager::tell_status(Client& client, Told& told, const Interface& interface) {
  if (told.enabled && !interface.is_usable()) {
    told.enabled = false;
    tell(client, told, RIS_INTERFACE_DISABLED, nullptr);
  }
  if (std::vector<dim::LinkAddress> addresses = addresses_of(interface, transport_); addresses != told.addresses) {
    told.addresses = std::move(addresses);
    BindingInfo info(interface, transport_);
    tell(client, told, RIS_INTERFACE_ADDRESS_CHANGE, info.get());
  }
  if (told.media != interface.has_media()) {
    told.media = interface.has_media();
    tell(client, told, told.media ? RIS_INTERFACE_MEDIA_PRESENT : RIS_INTERFACE_MEDIA_ABSENT, nullptr);
  }
  if (!told.enabled && interface.is_usable()) {
    told.enabled = true;
    tell(client, told, RIS_INTERFACE_ENABLED, nullptr);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Modules go

void Manager::retire() {
  for (auto client = clients_.begin(); client != clients_.end();) {
    const ModulePlan& plan = client->module->plan();
    const bool is_wanted = std::ranges::find(catalogue_, plan) != catalogue_.end() && block_of(plan) != nullptr;
    if (!is_wanted) leave(*client);
    client = is_wanted ? std::next(client) : clients_.erase(client);
  }
  std::erase_if(failures_, [&](const auto& each) {
    const ModulePlan& plan = each.second.plan;
    return std::ranges::find(catalogue_, plan) == catalogue_.end() || block_of(plan) == nullptr;
  });
  (void)step();  // a module that has stopped at once makes room for a successor at once
}

void Manager::stop() {
  catalogue_.clear();
  retire();
}

void Manager::leave(Client& client) {
  for (auto& [id, told] : client.told) {
    if (told.added && std::exchange(told.enabled, false)) tell(client, told, RIS_INTERFACE_DISABLED, nullptr);
  }
  at_.answers.drop_module(*client.module);
  const std::uint32_t code = client.module->stop();
  if (code == NO_ERROR || code == ERROR_PROTOCOL_STOP_PENDING) {
    TURNPIKE_LOG_LIMITED(process_log(), kUnlimited, LogLevel::kInfo, "router", "a module is told to stop",
                         {"module", client.module->name()});
  } else {
    TURNPIKE_LOG_LIMITED(process_log(), kUnlimited, LogLevel::kError, "router",
                         "a module does not stop, and stays loaded", {"module", client.module->name()}, {"code", code});
  }
  leaving_.push_back({std::move(client.module), later(at_.clock.now(), kStopLimit)});
}

// True: it is gone.
bool Manager::step(Leaving& leaving) {
  Module& module = *leaving.module;
  if (module.state() == Module::State::kStopping && module.take_signal()) {
    for (auto message = module.next_message(); message; message = module.next_message()) {
      if (message->event != ROUTER_STOPPED) continue;
      module.has_stopped();
      break;
    }
  }
  if (module.state() == Module::State::kAbandoned) return true;
  if (module.state() == Module::State::kStopped && module.is_empty()) return true;
  if (at_.clock.now() < leaving.deadline) return false;
  TURNPIKE_LOG_LIMITED(process_log(), kUnlimited, LogLevel::kError, "router",
                       "a module has not stopped in time, and stays loaded", {"module", module.name()},
                       {"seconds", std::chrono::duration_cast<std::chrono::seconds>(kStopLimit).count()});
  module.abandon();
  return true;
}

// ---------------------------------------------------------------------------------------------------------------------
// What modules say

bool Manager::step() {
  bool more = false;
  for (auto client = clients_.begin(); client != clients_.end();) {
    const bool is_signalled = client->module->take_signal() || client->has_more;
    const bool goes_on = !is_signalled || read_messages(*client);
    more = more || (goes_on && client->has_more);
    client = goes_on ? std::next(client) : clients_.erase(client);
  }
  const std::size_t before = leaving_.size();
  leaving_.remove_if([this](Leaving& leaving) { return step(leaving); });
  if (leaving_.size() == before || catalogue_.empty()) return more;
  // Somebody may have waited for one that is gone.
  const std::size_t clients = clients_.size();
  (void)admit(catalogue_, global_);
  if (clients_.size() != clients) {
    (void)settle();
    complete();
    more = true;
  }
  return more;
}

// False: the module is gone by itself.
bool Manager::read_messages(Client& client) {
  client.has_more = false;
  for (unsigned read = 0; read < kMostMessages; ++read) {
    const std::optional<Module::Message> message = client.module->next_message();
    if (!message) return true;
    if (!on_message(client, *message)) return false;
  }
  client.has_more = true;
  return true;
}

bool Manager::on_message(Client& client, const Module::Message& message) {
  switch (message.event) {
    case ROUTER_STOPPED:
      TURNPIKE_LOG_LIMITED(process_log(), kUnlimited, LogLevel::kError, "router", "a module has stopped by itself",
                           {"module", client.module->name()});
      at_.answers.drop_module(*client.module);
      client.module->has_stopped();
      failures_.insert_or_assign(
          client.module->plan().protocol,
          Failure{
              client.module->plan(), client.global, {"module " + client.module->name(), "has stopped by itself", 0}});
      leaving_.push_back({std::move(client.module), later(at_.clock.now(), kStopLimit)});
      return false;
    case SAVE_GLOBAL_CONFIG_INFO:
      save_global(client);
      return true;
    case SAVE_INTERFACE_CONFIG_INFO:
      save_interface(client, net::InterfaceIndex(message.body.InterfaceIndex));
      return true;
    case UPDATE_COMPLETE:
      on_update_complete(client, message.body.UpdateCompleteMessage);
      return true;
    default:
      TURNPIKE_LOG(LogLevel::kWarning, "router", "a module sends a message that has no meaning",
                   {"module", client.module->name()}, {"event", message.event});
      return true;
  }
}

void Manager::save_global(Client& client) {
  const auto info = client.module->global_info();
  if (!info) {
    TURNPIKE_LOG(LogLevel::kError, "router", "a module does not tell its global settings",
                 {"module", client.module->name()}, {"code", info.error()});
    return;
  }
  if (info->empty()) return;  // nothing to keep, and no reason to be without a block at the next start
  client.global = *info;
  global_ = with_block(global_, client.module->plan().protocol, *info);
  blocks_ = blocks_of(global_);
  at_.owner.save_global(transport_, global_);
}

void Manager::save_interface(Client& client, net::InterfaceIndex index) {
  const Interface* interface = at_.interfaces.find(index);
  const auto told = interface == nullptr ? client.told.end() : client.told.find(interface->id);
  if (told == client.told.end() || !told->second.added) return;
  const auto info = client.module->interface_info(index);
  if (!info) {
    TURNPIKE_LOG(LogLevel::kError, "router", "a module does not tell its settings for an interface",
                 {"module", client.module->name()}, {"interface", interface->name}, {"code", info.error()});
    return;
  }
  if (info->empty()) return;
  told->second.info = *info;
  const auto binding = interface->transports.find(transport_);
  const Bytes header = with_block(binding == interface->transports.end() ? Bytes() : binding->second,
                                  client.module->plan().protocol, *info);
  at_.owner.save_interface(interface->id, transport_, header);
}

// ---------------------------------------------------------------------------------------------------------------------
// Autostatic updates

std::uint32_t Manager::update_routes(std::uint32_t protocol, net::InterfaceIndex index) {
  Client* client = client_of(protocol);
  if (client == nullptr) return ERROR_UNKNOWN_PROTOCOL_ID;
  if (!client->module->can(RF_DEMAND_UPDATE_ROUTES)) return ERROR_NOT_SUPPORTED;
  const Interface* interface = at_.interfaces.find(index);
  const auto told = interface == nullptr ? client->told.end() : client->told.find(interface->id);
  if (told == client->told.end() || !told->second.added) return ERROR_NO_SUCH_INTERFACE;
  if (client->updating.contains(index)) return ERROR_UPDATE_IN_PROGRESS;
  client->updating.insert(index);
  const std::uint32_t code = client->module->update_routes(index);
  if (code != NO_ERROR) client->updating.erase(index);
  return code;
}

void Manager::on_update_complete(Client& client, const UPDATE_COMPLETE_MESSAGE& message) {
  const net::InterfaceIndex index(message.InterfaceIndex);
  if (message.UpdateType != RF_DEMAND_UPDATE_ROUTES || client.updating.erase(index) == 0) return;
  std::uint32_t code = message.UpdateStatus;
  if (code == NO_ERROR) code = at_.owner.take_routes(transport_, client.module->plan().protocol, index);
  update_results_[index] = code;
}

std::optional<std::uint32_t> Manager::update_result(net::InterfaceIndex index) const {
  const auto runs = [index](const Client& each) { return each.updating.contains(index); };
  if (std::ranges::any_of(clients_, runs)) return ERROR_IO_PENDING;
  const auto result = update_results_.find(index);
  return result == update_results_.end() ? std::nullopt : std::optional(result->second);
}

// ---------------------------------------------------------------------------------------------------------------------
// Administration

Answer<Bytes> Manager::global_info() {
  Bytes header = global_;
  for (Client& client : clients_) {
    const auto info = client.module->global_info();
    if (!info) {
      return tl::unexpected(
          Refusal{"module " + client.module->name(), "does not tell its global settings", info.error()});
    }
    header = with_block(header, client.module->plan().protocol, *info);
  }
  return header;
}

Answer<Bytes> Manager::interface_info(const Interface& interface) {
  const auto binding = interface.transports.find(transport_);
  Bytes header = binding == interface.transports.end() ? Bytes() : binding->second;
  for (Client& client : clients_) {
    const auto told = client.told.find(interface.id);
    if (told == client.told.end() || !told->second.added) continue;
    const auto info = client.module->interface_info(told->second.index);
    if (!info) {
      return tl::unexpected(Refusal{"module " + client.module->name(),
                                    "does not tell its settings for interface " + interface.name, info.error()});
    }
    header = with_block(header, client.module->plan().protocol, *info);
  }
  return header;
}

std::vector<ModuleStatus> Manager::modules() const {
  std::vector<ModuleStatus> all;
  const auto add = [&](const ModulePlan& plan, ModuleState state) -> ModuleStatus& {
    const std::uint32_t preference = at_.answers.preference_of(plan.transport, plan.protocol);
    all.push_back({plan.name, plan.path, plan.transport, plan.protocol, state, 0, 0, preference, "", 0});
    return all.back();
  };
  for (const Client& client : clients_) {
    ModuleStatus& status = add(client.module->plan(), ModuleState::kRunning);
    for (const std::uint32_t flag : {RF_ROUTING, RF_DEMAND_UPDATE_ROUTES, RF_ADD_ALL_INTERFACES, RF_MULTICAST}) {
      if (client.module->can(flag)) status.functionality |= flag;
    }
    status.interfaces = static_cast<std::size_t>(
        std::ranges::count_if(client.told, [](const auto& each) { return each.second.added; }));
  }
  for (const Leaving& each : leaving_) add(each.module->plan(), ModuleState::kStopping);
  for (const auto& [protocol, failure] : failures_) {
    ModuleStatus& status = add(failure.plan, ModuleState::kRefused);
    status.reason = failure.refusal.reason;
    status.code = failure.refusal.code;
  }
  return all;
}

void Manager::add_descriptors(std::vector<int>& descriptors) const {
  for (const Client& client : clients_) descriptors.push_back(client.module->descriptor());
  for (const Leaving& each : leaving_) {
    if (each.module->state() == Module::State::kStopping) descriptors.push_back(each.module->descriptor());
  }
}

std::optional<MonotonicTime> Manager::deadline() const {
  std::optional<MonotonicTime> first;
  for (const Leaving& each : leaving_) {
    // Nobody says when the last thread is out: that is looked at again.
    const bool is_stopped = each.module->state() == Module::State::kStopped;
    const MonotonicTime next = is_stopped ? std::min(each.deadline, later(at_.clock.now(), kLookAgain)) : each.deadline;
    first = first ? std::min(*first, next) : next;
  }
  return first;
}

}  // namespace turnpike::router
