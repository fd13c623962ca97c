// Autostatic: what a protocol has learnt over an interface, kept as static routes of the router manager's own.
//
// After an update the protocol's routes over that interface are read from the routing table and added again under
// PROTO_IP_NT_AUTOSTATIC, where they outlive what the protocol does with its own; what was autostatic there before and
// was not learnt again goes. All of the new is read and made before anything of the old goes: if the table has no room,
// the former routes stay.
//
// They are stored as items of the interface's header (route_info.h), which is what counts: when the interface comes
// back, at the next start, and when an administrator sets it, the routes are made of that.
//
// The router manager is a client of the routing table like any module, through the documented calls, and only for as
// long as it has routes.
#pragma once

#include <rtmv2.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "dim/terms.h"
#include "net/interface_index.h"
#include "router/protocol.h"
#include "router/route_info.h"

namespace turnpike::router {

class Autostatic {
 public:
  explicit Autostatic(dim::TransportId transport) : transport_(transport) {}
  Autostatic(const Autostatic&) = delete;
  Autostatic& operator=(const Autostatic&) = delete;
  ~Autostatic() { leave(); }

  // Replaces the interface's routes by what the protocol has, or by what is stored. A code of the routing table; what
  // was there stays then.
  std::uint32_t take(std::uint32_t protocol, net::InterfaceIndex index);
  std::uint32_t restore(net::InterfaceIndex index, const RouteItems& items);
  // The interface is gone, and its routes with it.
  void drop(net::InterfaceIndex index);
  // Gives back all routes.
  void leave();

  // To be stored.
  [[nodiscard]] RouteItems items(net::InterfaceIndex index) const;

 private:
  struct Route {
    RTM_NET_ADDRESS destination{};
    RTM_NET_ADDRESS next_hop{};
    std::uint32_t metric = 0;
    RTM_ROUTE_HANDLE handle = nullptr;  // while it is in the table
  };
  using Key = std::pair<std::vector<std::uint8_t>, std::vector<std::uint8_t>>;  // destination, next hop
  using Routes = std::map<Key, Route>;

  static Key key_of(const Route& route);
  [[nodiscard]] Route of_item(const INTERFACE_ROUTE_INFO& item) const;
  [[nodiscard]] INTERFACE_ROUTE_INFO to_item(const Route& route, net::InterfaceIndex index) const;
  std::uint32_t enter();
  std::uint32_t read(std::uint32_t protocol, net::InterfaceIndex index, std::vector<Route>& learnt);
  void look_at(RTM_ROUTE_HANDLE route, std::uint32_t protocol, net::InterfaceIndex index, std::vector<Route>& learnt);
  std::uint32_t replace(net::InterfaceIndex index, const std::vector<Route>& wanted);
  std::uint32_t add(Route& route, net::InterfaceIndex index);
  void remove(const Route& route);

  dim::TransportId transport_;
  RTM_ENTITY_HANDLE self_ = nullptr;
  RTM_REGN_PROFILE profile_{};
  std::map<net::InterfaceIndex, Routes> routes_;
};

}  // namespace turnpike::router
