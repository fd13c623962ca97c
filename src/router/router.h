// Router: the daemon's body, wired. Read this file and router.cpp to see what is connected to what.
//
//      plan ──▶ Router ──────────────▶ Manager (IPv4), Manager (IPv6) ──▶ Module … Module
//                │  ▲                        │        ▲                         │
//      kernel ─▶ Links ─▶ dim::Interfaces ◀──┘ reads  └─ converge, step         │ support functions,
//                                                                              ▼ on their own threads
//      facts, preferences, peers ────────────────────────────────────────▶ Answers
//
// Start-up, as documented: the interfaces are created; then the router manager of every transport that has global
// information is started, which loads, registers and starts a module for each of its blocks; then the interfaces are
// brought to the modules; then StartComplete; then the interfaces' status.
//
// A change (`apply`) goes the same way: what is new or different is tried first, and can be refused; then the router
// goes back to the plan that it had, and answers what was refused. What is not wanted any more goes last, because that
// cannot fail. So a plan that is refused leaves everything as it was.
//
// There is no thread here. All calls come one at a time; `step` does whatever is due without waiting, and the caller
// waits for `descriptors` or `deadline` (router_thread.h does so in the daemon; tests turn a clock and script a
// kernel). What modules ask on their own threads is answered beside all that, by `Answers`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dim/interfaces.h"
#include "router/answers.h"
#include "router/autostatic.h"
#include "router/call_watch.h"
#include "router/links.h"
#include "router/manager.h"
#include "router/plan.h"
#include "router/quarantine.h"
#include "router/store.h"

namespace turnpike::router {

struct Outcome {
  bool done = false;  // false: nothing has changed
  std::vector<Refusal> refusals;
  std::vector<Difference> differences;  // what was made; empty: nothing differed
};

class Router final : private ManagerOwner {
 public:
  struct Surroundings {
    kernel::Port& kernel;
    Clock& clock;
    std::function<void()> wake = {};  // somebody has work for `step`; called on any thread
    kernel::ReceptionPort* reception = nullptr;
    Store* store = nullptr;            // none: a module's own changes last until the router stops
    Quarantine* quarantine = nullptr;  // none: every module is given every chance
    // Everything that happens to interfaces, as it happens, with the name: for those who watch.
    std::function<void(const dim::Event& event, const std::string& name)> on_event = {};
  };

  explicit Router(Surroundings surroundings);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router() override;  // best after `stop` and `is_idle`: what has not stopped is abandoned

  // --- the plan
  // ---------------------------------------------------------------------------------------------------------

  // Not done: the plan has flaws, the kernel cannot be read, or it was started before. Modules that fail are refusals,
  // and the rest runs.
  Outcome start(const Plan& plan);
  // Not done: flaws, or a module said no; or the router was not started.
  Outcome apply(const Plan& plan);
  // Tries a module of the plan again that was refused. Not done: refused again, or there is none of that name.
  Outcome retry(const std::string& module);
  // What is so now: the last plan, with what modules and administration have changed since.
  [[nodiscard]] const Plan& plan() const { return plan_; }
  // For whoever makes a plan of a file alone: adds the autostatic routes that are stored over it, which no file has.
  void keep_stored(Plan& plan) const;

  // All modules are told to stop; `step` on until it is idle.
  void stop();
  [[nodiscard]] bool is_idle() const;

  // --- the loop
  // -----------------------------------------------------------------------------------------------------------

  // Does what is due, without waiting. True: there may be more.
  bool step();
  [[nodiscard]] std::vector<int> descriptors() const;
  [[nodiscard]] std::optional<MonotonicTime> deadline() const;

  // --- administration
  // -------------------------------------------------------------------------------------------------------

  [[nodiscard]] const dim::Interfaces& interfaces() const { return interfaces_; }
  [[nodiscard]] std::vector<ModuleStatus> modules() const;
  CallWatch& watch() { return watch_; }
  Answers& answers() { return answers_; }  // from any thread, as modules do

  // An information header with the modules' blocks as they are now. Code ERROR_UNKNOWN_PROTOCOL_ID: the transport does
  // not run; ERROR_NO_SUCH_INTERFACE: no such interface, or the transport is not on it.
  Answer<Bytes> global_info(TransportId transport);
  Answer<Bytes> interface_info(const std::string& interface, TransportId transport);
  // Blocks that `header` has replace those that are there; a block without a byte takes its module off, or stops it;
  // a block that it has not stays as it is.
  Outcome set_global_info(TransportId transport, const Bytes& header);
  Outcome set_interface_info(const std::string& interface, TransportId transport, const Bytes& header);
  Outcome set_enabled(const std::string& interface, bool enabled);

  // Codes as MprAdminInterfaceUpdateRoutes and …QueryUpdateResult have them.
  std::uint32_t update_routes(const std::string& interface, TransportId transport, std::uint32_t protocol);
  std::uint32_t update_result(const std::string& interface, TransportId transport, std::uint32_t& result) const;

 private:
  // What a manager says of its modules.
  std::optional<std::string> objection(const ModulePlan& module) override;
  void save_global(TransportId transport, const Bytes& header) override;
  void save_interface(dim::InterfaceId interface, TransportId transport, const Bytes& header) override;
  std::uint32_t take_routes(TransportId transport, std::uint32_t protocol, net::InterfaceIndex index) override;

  std::vector<Refusal> go_to(const Plan& plan, bool stop_at_refusals);
  void make_interfaces(const Plan& plan);
  void bind_transports(const Plan& plan);
  void drop_interfaces(const Plan& plan);
  void set_settings(const Plan& plan);
  void drop(const dim::Interface& interface);
  void note_events(bool tell_modules);
  void note(const dim::Interface& interface);
  Autostatic& autostatic(TransportId transport);
  void restore_routes(const dim::Interface& interface);
  void dial_what_is_wanted();
  Manager& manager_of(TransportId transport);
  Manager* running_manager(TransportId transport);
  Plan changed(const std::function<void(Plan& plan)>& change) const;

  Surroundings at_;
  CallWatch watch_;
  Answers answers_;
  dim::Interfaces interfaces_;
  Links links_;
  std::map<TransportId, std::unique_ptr<Manager>> managers_;
  std::map<TransportId, std::unique_ptr<Autostatic>> autostatic_;
  Plan plan_;
  bool is_started_ = false;
  bool was_started_ = false;
  bool is_making_ = false;  // a plan: modules are told of interfaces when all is there
  std::map<dim::InterfaceId, std::string> names_;

  std::mutex dial_mutex_;
  std::vector<net::InterfaceIndex> to_dial_;
};

}  // namespace turnpike::router
