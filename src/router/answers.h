// Answers: what modules are told when they call their support functions.
//
// Those calls come on the modules' own threads, at any time: also while the router itself is inside a call of the same
// module, which may be waiting for just that thread. So nothing here waits for the router. What the answers are made of
// is written here by the router when it changes, under a mutex that is held for no call of anybody's: facts of the
// interfaces, preferences, the router's id, and which modules there are to pass a MIB request on to. A request to dial
// is noted and carried out by the router afterwards.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "dim/interfaces.h"
#include "kernel/reception_port.h"
#include "router/module.h"
#include "router/support.h"
#include "rtm/preferences.h"

namespace turnpike::router {

// An address range that multicast does not cross on an interface; network byte order.
struct Boundary {
  std::uint32_t group = 0;
  std::uint32_t mask = 0;
};

struct InterfaceFacts {
  InterfaceType type = InterfaceType::kDedicated;
  dim::ConnectionState state = dim::ConnectionState::kUnreachable;
  bool enabled = false;
  net::InterfaceIndex device;  // none: there is none now
  std::vector<dim::LinkAddress> addresses;
  std::vector<Boundary> boundaries;
};

class Answers final : public Support {
 public:
  // `reception` may be null: then no module gets more packets than are meant for it. `dial_wanted` is called on a
  // module's thread, and only notes.
  Answers(kernel::ReceptionPort* reception, std::function<void(net::InterfaceIndex)> dial_wanted);

  // --- what the router writes
  // -----------------------------------------------------------------------------------------

  void set_interface(net::InterfaceIndex index, InterfaceFacts facts);
  void drop_interface(net::InterfaceIndex index);
  void set_router_id(std::optional<net::Address> id);
  // What the administrator says of a transport's protocols; the usual ones hold for the others.
  void set_preferences(TransportId transport, rtm::Preferences preferences);
  // A peer can be addressed from now on; until it is dropped, with what it asked for.
  void add_module(Module& module);
  void drop_module(Module& module);

  [[nodiscard]] std::uint32_t preference_of(TransportId transport, std::uint32_t protocol) const;
  // A MIB request of an administrator: as one of a module that is nobody's peer.
  DWORD administer(TransportId transport, DWORD routing_pid, const MibRequest& request);

  // --- Support
  // --------------------------------------------------------------------------------------------------------

  DWORD demand_dial(const Caller& caller, DWORD protocol, DWORD interface_index) override;
  DWORD set_receive_type(const Caller& caller, DWORD protocol, DWORD interface_index, DWORD type, bool on) override;
  DWORD validate_route(const Caller& caller, DWORD protocol, void* route, void* destination) override;
  DWORD mib(const Caller& caller, DWORD routing_pid, const MibRequest& request) override;
  DWORD router_id(const Caller& caller) override;
  bool has_boundary(const Caller& caller, DWORD interface_index, DWORD group) override;

 private:
  using Wish = std::pair<net::InterfaceIndex, kernel::Reception>;  // of a device

  DWORD own_variable(const MibRequest& request) const;
  DWORD interface_status(const MibRequest& request) const;
  DWORD wish(const Wish& wish, std::uint32_t protocol, bool on);

  kernel::ReceptionPort* reception_;
  std::function<void(net::InterfaceIndex)> dial_wanted_;
  mutable std::mutex mutex_;
  std::map<net::InterfaceIndex, InterfaceFacts> interfaces_;
  std::map<TransportId, rtm::Preferences> preferences_;  // over the usual ones
  std::map<std::pair<TransportId, std::uint32_t>, Module*> modules_;
  std::map<Wish, std::set<std::uint32_t>> wishes_;  // by protocol
  std::optional<net::Address> configured_id_;
};

}  // namespace turnpike::router
