// Manager: the router manager of one transport. It loads, starts, configures, tells and stops the transport's modules.
//
// What each module has been told is kept (`Told`), and one function, `converge`, compares it with what is so and makes
// the calls that are missing, in the documented order. Whatever has happened, a link that came, an address, a setting,
// a module that is new, ends in `converge`; so nothing is told twice, and nothing has a path of its own on which it
// could be told in another order. What a module refused is remembered with what it was given, and not tried again until
// that changes.
//
//   admit     loads and starts what is new, sets what has changed; can be refused
//   settle    brings interfaces and their settings to the modules; can be refused
//   complete  StartComplete for those that are new, and the status of the interfaces to all; cannot
//   retire    stops what is not wanted any more; cannot
//
// A module that goes is not waited for: it moves to `leaving_`, where `step` asks for its last messages, until it has
// stopped and nobody is inside it, or its time is up. A successor waits there for it by being admitted again.
//
// One thread at a time.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dim/info_header.h"
#include "dim/interfaces.h"
#include "router/answers.h"
#include "router/module.h"

namespace turnpike::router {

// What one module is told of at the end of its life, and in between, by the manager's owner.
class ManagerOwner {
 public:
  ManagerOwner() = default;
  ManagerOwner(const ManagerOwner&) = delete;
  ManagerOwner& operator=(const ManagerOwner&) = delete;
  virtual ~ManagerOwner() = default;

  // May this module be loaded? A reason why not, or nothing.
  virtual std::optional<std::string> objection(const ModulePlan& module) = 0;
  // A module changed its settings by itself: the headers as they are now.
  virtual void save_global(TransportId transport, const Bytes& header) = 0;
  virtual void save_interface(dim::InterfaceId interface, TransportId transport, const Bytes& header) = 0;
  // An update of routes is over and was successful: what the protocol has learnt there is to become autostatic.
  // Answers a code.
  virtual std::uint32_t take_routes(TransportId transport, std::uint32_t protocol, net::InterfaceIndex index) = 0;
};

inline constexpr Duration kStopLimit = std::chrono::seconds(60);

// What administration sees of a module.
enum class ModuleState : std::uint8_t { kRunning, kStopping, kRefused };
std::string_view name_of(ModuleState state);
struct ModuleStatus {
  std::string name;
  std::string path;
  TransportId transport = TransportId::kIp;
  std::uint32_t protocol = 0;
  ModuleState state = ModuleState::kRunning;
  std::uint32_t functionality = 0;  // RF_… bits
  std::size_t interfaces = 0;
  std::uint32_t preference = 0;  // of its routes, where they have none of their own
  std::string reason;            // of a refusal
  std::uint32_t code = 0;
};

class Manager {
 public:
  struct Surroundings {
    const dim::Interfaces& interfaces;
    Answers& answers;
    CallWatch& watch;
    Clock& clock;
    ManagerOwner& owner;
  };

  Manager(TransportId transport, const Surroundings& surroundings);
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager();  // whatever has not stopped is abandoned

  // `catalogue` and `global` are what is wanted from now on; `global` is a sound header. All are tried, whatever is
  // refused.
  std::vector<Refusal> admit(std::vector<ModulePlan> catalogue, const Bytes& global);
  std::vector<Refusal> settle();
  void complete();
  void retire();

  // What was refused of that protocol may be tried again as it is.
  void forget_failure(std::uint32_t protocol) { failures_.erase(protocol); }

  // The interface has changed, come, or gone.
  void converge(dim::InterfaceId interface);

  // All modules are told to stop. `is_idle` when they have.
  void stop();
  [[nodiscard]] bool is_idle() const { return clients_.empty() && leaving_.empty(); }

  // Reads what modules have signalled, and lets go of those that have stopped. True: there may be more to do at once.
  bool step();
  void add_descriptors(std::vector<int>& descriptors) const;
  // When `step` has something to do though nothing is signalled.
  [[nodiscard]] std::optional<MonotonicTime> deadline() const;

  // --- administration
  // -------------------------------------------------------------------------------------------------

  // The header with the modules' blocks as they are now.
  Answer<Bytes> global_info();
  Answer<Bytes> interface_info(const dim::Interface& interface);
  // NO_ERROR: begun. Codes as the documented call has them.
  std::uint32_t update_routes(std::uint32_t protocol, net::InterfaceIndex index);
  // Of the last update of an interface; nothing: there was none. ERROR_IO_PENDING while one runs.
  [[nodiscard]] std::optional<std::uint32_t> update_result(net::InterfaceIndex index) const;
  [[nodiscard]] std::vector<ModuleStatus> modules() const;

 private:
  // What a module knows of an interface.
  struct Told {
    bool added = false;
    net::InterfaceIndex index;
    Bytes info;
    std::optional<Bytes> refused;  // not to be tried again
    bool enabled = false;
    bool media = false;
    std::vector<dim::LinkAddress> addresses;
  };
  struct Client {
    std::unique_ptr<Module> module;
    Bytes global;
    std::optional<Bytes> refused;
    bool complete = false;
    bool has_more = false;  // messages, beyond those that were read at a time
    std::map<dim::InterfaceId, Told> told;
    std::set<net::InterfaceIndex> updating;
  };
  struct Leaving {
    std::unique_ptr<Module> module;
    MonotonicTime deadline;
  };
  struct Failure {
    ModulePlan plan;
    Bytes global;
    Refusal refusal;
  };

  std::optional<Refusal> admit(const ModulePlan& plan, const Bytes& block);
  std::optional<Refusal> start(const ModulePlan& plan, const Bytes& block);
  std::optional<Refusal> set_global(Client& client, const Bytes& block);
  std::optional<Refusal> converge(Client& client, dim::InterfaceId interface);
  std::optional<Refusal> add(Client& client, Told& told, const dim::Interface& interface, const Bytes& block);
  std::optional<Refusal> set(Client& client, Told& told, const dim::Interface& interface, const Bytes& block);
  void withdraw(Client& client, Told& told);
  void tell_status(Client& client, Told& told, const dim::Interface& interface);
  void tell(Client& client, Told& told, std::uint32_t status, void* info);
  void leave(Client& client);
  bool read_messages(Client& client);
  bool on_message(Client& client, const Module::Message& message);
  void on_update_complete(Client& client, const UPDATE_COMPLETE_MESSAGE& message);
  void save_global(Client& client);
  void save_interface(Client& client, net::InterfaceIndex index);
  bool step(Leaving& leaving);
  [[nodiscard]] const Bytes* block_of(const ModulePlan& plan) const;
  [[nodiscard]] Bytes block_of(const dim::Interface& interface, const Client& client) const;
  Client* client_of(std::uint32_t protocol);
  [[nodiscard]] std::set<dim::InterfaceId> known_interfaces(const Client& client) const;

  TransportId transport_;
  Surroundings at_;
  std::vector<ModulePlan> catalogue_;
  Bytes global_;
  std::map<std::uint32_t, Bytes> blocks_;  // of `global_`, those with at least a byte
  std::list<Client> clients_;
  std::list<Leaving> leaving_;
  std::map<std::uint32_t, Failure> failures_;  // by protocol
  std::map<net::InterfaceIndex, std::uint32_t> update_results_;
};

}  // namespace turnpike::router
