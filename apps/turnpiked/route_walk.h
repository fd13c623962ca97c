// Routes of one table, read one after the other through the documented calls: what they are, whose, where they lead,
// and what became of them in the kernel.
#pragma once

#include <rtmv2.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "net/prefix.h"

namespace turnpike::daemon {

struct ShownHop {
  std::optional<net::Address> via;  // none: on link
  std::uint32_t interface = 0;
};

struct ShownRoute {
  net::Prefix destination;
  bool is_best = false;
  std::uint32_t protocol = 0;
  std::uint32_t preference = 0;
  std::uint32_t metric = 0;
  std::uint16_t flags = 0;
  std::vector<ShownHop> hops;
  std::uint32_t state = 0;  // TP_FORWARDER_…, of the best one
  std::string kernel;       // the same in words; empty: not the best one
};

class RouteWalk {
 public:
  // Of all routes of the entity's table; with a prefix, of those to it and to what it holds. An entity that is none: a
  // walk that is over.
  RouteWalk(RTM_ENTITY_HANDLE self, const std::optional<net::Prefix>& within);
  // Of those to one destination, by rank.
  RouteWalk(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE destination);
  RouteWalk(const RouteWalk&) = delete;
  RouteWalk& operator=(const RouteWalk&) = delete;
  ~RouteWalk();

  // The next few; none: it is over.
  [[nodiscard]] std::vector<ShownRoute> next();

 private:
  std::optional<ShownRoute> read(RTM_ROUTE_HANDLE route);
  void look_at_destination(RTM_ROUTE_HANDLE route, RTM_DEST_HANDLE destination, ShownRoute& shown);
  std::vector<ShownHop> hops_of(const RTM_NEXTHOP_LIST& list);
  std::uint32_t owner_of(RTM_ENTITY_HANDLE owner);

  RTM_ENTITY_HANDLE self_;
  RTM_ENUM_HANDLE walk_ = nullptr;
  std::vector<std::uint64_t> info_;  // room for a route's information, aligned for it
  std::map<RTM_ENTITY_HANDLE, std::uint32_t> owners_;
};

[[nodiscard]] RTM_NET_ADDRESS rtm_address(const net::Prefix& prefix);
[[nodiscard]] std::string_view type_of(std::uint16_t flags);

}  // namespace turnpike::daemon
