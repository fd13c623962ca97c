// Module: one protocol of one shared object, from RegisterProtocol to the unloading of the library.
//
//   load ─ RegisterProtocol ─ start ─ [interfaces] ─ start_complete ─ … ─ stop ─ (ROUTER_STOPPED) ─ unload
//
// Every call of a module's function goes through here, so here is where
//   * what the module answers is made sure of (sizes, codes, missing functions),
//   * the call is marked, so that a hang and a crash have a name (call_watch.h),
//   * threads inside are counted: MIB calls come on any thread, and the library goes when nobody is inside any more.
//
// One thread at a time calls everything but `mib`, which may be called by any while `running()`. The module's threads
// enter nothing here; they call support functions (support.h).
//
// A module that did not stop in time is *abandoned*: its library stays loaded for as long as the process lives, because
// a thread of it may still run there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/interface_index.h"
#include "router/call_watch.h"
#include "router/gate.h"
#include "router/plan.h"
#include "router/protocol.h"
#include "router/support.h"

namespace turnpike::router {

// What this router can do for a protocol.
inline constexpr std::uint32_t kOffered = RF_ROUTING | RF_DEMAND_UPDATE_ROUTES | RF_ADD_ALL_INTERFACES | RF_MULTICAST;

template <class T>
using Answer = tl::expected<T, Refusal>;

// How AddInterface names an interface.
struct Introduction {
  std::wstring name;
  net::InterfaceIndex index;
  NET_INTERFACE_TYPE type = PERMANENT;
};

class Module {
 public:
  enum class State : std::uint8_t { kLoaded, kRunning, kStopping, kStopped, kAbandoned };

  // Loads the library, registers the protocol, and looks at what it registered.
  static Answer<std::unique_ptr<Module>> load(const ModulePlan& plan, CallWatch& watch);

  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();  // stopped, or never started; else it is abandoned here

  [[nodiscard]] const std::string& name() const { return plan_.name; }
  [[nodiscard]] const ModulePlan& plan() const { return plan_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool can(std::uint32_t flag) const { return (functions_.fSupportedFunctionality & flag) != 0; }

  // --- life ---------------------------------------------------------------------------------------------------------

  // Its code is the module's, or ERROR_NOT_ENOUGH_MEMORY where there is no seat or no event for it.
  std::uint32_t start(Support& support, std::span<const std::byte> global_info);
  void start_complete();
  // NO_ERROR: it has stopped. ERROR_PROTOCOL_STOP_PENDING: it will say so. Another code: it is abandoned.
  std::uint32_t stop();
  void has_stopped();  // as it said
  void abandon();
  // Nobody is inside any more: the module may be destroyed, and its library goes.
  [[nodiscard]] bool is_empty() const { return gate_.is_empty() && seat_.is_empty(); }

  // --- events -------------------------------------------------------------------------------------------------------

  // Readable when the module has signalled; -1: not started.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Takes the signal back. False: there was none.
  bool take_signal();
  struct Message {
    std::uint32_t event = ROUTER_STOPPED;  // a module may write what its enumeration does not have
    MESSAGE body{};
  };
  std::optional<Message> next_message();

  // --- interfaces and settings, while running: each answers the module's code
  // ------------------------------------------

  std::uint32_t add_interface(const Introduction& interface, std::span<const std::byte> info);
  std::uint32_t delete_interface(net::InterfaceIndex index);
  std::uint32_t interface_status(net::InterfaceIndex index, bool active, std::uint32_t status, void* info);
  std::uint32_t set_interface_info(net::InterfaceIndex index, std::span<const std::byte> info);
  std::uint32_t set_global_info(std::span<const std::byte> info);
  tl::expected<Bytes, std::uint32_t> interface_info(net::InterfaceIndex index);
  tl::expected<Bytes, std::uint32_t> global_info();
  std::uint32_t update_routes(net::InterfaceIndex index);
  // Nothing is called, and NO_ERROR, where the module has no such function.
  std::uint32_t connect_client(net::InterfaceIndex index, void* address);
  std::uint32_t disconnect_client(net::InterfaceIndex index, void* address);

  // --- from any thread ----------------------------------------------------------------------------------------------

  // ERROR_NOT_SUPPORTED: it has no such function. ERROR_ROUTER_STOPPED: it does not run.
  std::uint32_t mib(const MibRequest& request);
  // Open while it runs: whoever is inside keeps the module from going.
  [[nodiscard]] Gate& gate() { return gate_; }

 private:
  struct Library;

  Module(ModulePlan plan, CallWatch& watch);
  std::optional<Refusal> register_protocol();
  std::optional<Refusal> flaw_of_registration() const;
  [[nodiscard]] Refusal refusal(std::string reason, std::uint32_t code = 0) const;
  template <class Function, class... Arguments>
  std::uint32_t call(const char* name, Function* function, Arguments... arguments);
  template <class Ask>
  tl::expected<Bytes, std::uint32_t> read_info(Ask&& ask);
  std::uint32_t call_mib(const MibRequest& request);

  ModulePlan plan_;
  CallWatch& watch_;
  std::unique_ptr<Library> library_;
  MPR_ROUTING_CHARACTERISTICS functions_{};
  State state_ = State::kLoaded;
  Gate gate_;
  Seat seat_;
  HANDLE event_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace turnpike::router
