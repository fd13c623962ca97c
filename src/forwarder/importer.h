// Importer: the kernel's routes that are not ours, as routes of clients of a routing table.
//
// Connected and local routes, and those of other managers (`ip route`, DHCP, FRRouting, BIRD), appear under entities
// with the protocol ids that clients know: owners.h says which kernel protocol becomes which. So a best route is chosen
// among all, a recursive next hop finds the connected network, and other clients see the lot. Routes with our own
// number are never taken: nothing echoes.
//
// It is told each change (`heard`), and all there is (`begin`, `taken`, `end`: what was not taken has gone). It has no
// thread and waits for nobody: a destination that a client has locked is written later (`step`).
//
// Left out: broadcast, multicast and anycast entries, which no client routes by; source-specific IPv6 routes, which a
// table of destinations cannot say; cached exceptions.
//
// The kernel takes IPv4 routes away with their link and does not say so: `link_lost` does the same here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "forwarder/config.h"
#include "forwarder/owners.h"
#include "kernel/port.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

class Importer {
 public:
  // Gives the hops of a next hop object of others; used where the kernel does not write them out.
  using HopsOf = std::function<std::vector<kernel::Hop>(std::uint32_t id)>;

  // `owns` is told of each entity that is registered: its routes are the kernel's.
  Importer(rtm::Table& table, const TableSettings& settings, std::uint8_t our_protocol, HopsOf hops_of,
           Owners::Told owns);

  void heard(const kernel::Notice& notice, const kernel::Route& route);
  void link_lost(kernel::InterfaceIndex link);

  void begin();
  void taken(const kernel::Route& route);
  void end();

  // Whether packets to just this destination go by one of these, although a route of ours with that metric is there.
  [[nodiscard]] bool goes_before(const kernel::Prefix& destination, std::uint32_t priority) const;

  // What had to wait. True: some still has.
  bool step();

  // Takes everything out again.
  void stop();

  [[nodiscard]] std::size_t routes() const { return routes_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  // What tells two kernel routes apart; the link, because IPv6 has equal ones on several.
  struct Key {
    kernel::Prefix destination = {};
    std::uint32_t table = 0, priority = 0;
    kernel::InterfaceIndex link = {};
    std::uint8_t protocol = 0, tos = 0;
    kernel::RouteType type{};
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Imported {
    rtm::Handle route = rtm::Handle::kNone;
    std::uint32_t protocol_id = 0;
    std::uint16_t flags = 0;
    bool seen = false;
    std::vector<OwnedHop> hops;
  };

  [[nodiscard]] bool is_wanted(const kernel::Route& route) const;
  [[nodiscard]] static Key key_of(const kernel::Route& route);
  bool put(const Key& key, const kernel::Route& route);  // false: later
  bool drop(const Key& key);                             // false: later
  void change(const Key& key, const kernel::Route* route);

  const TableSettings settings_;
  const std::uint8_t our_protocol_;
  const HopsOf hops_of_;
  Owners owners_;
  std::map<Key, Imported> routes_;
  std::map<Key, std::optional<kernel::RouteCopy>> waiting_;  // nothing: to go
};

}  // namespace turnpike::forwarder
