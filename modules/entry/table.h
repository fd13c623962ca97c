// Our routes in the routing table of one family: what is there, and how it becomes what should be.
//
// A client of RTMv2 like any other. A route is known by its destination and its next hop, so two ways to one
// destination are two routes, of which the table takes the better. `become` compares what should be there with what is,
// and touches nothing but the difference: a reload of 50,000 routes with one change is one change.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <map>

#include "turnpike/module.h"

#include <windows.h>
// After it.
#include <routprot.h>
#include <rtmv2.h>

namespace turnpike::modules {

// What becomes of packets.
enum class Kind : std::uint32_t { kUnicast, kBlackhole, kUnreachable, kProhibit };

struct Hop {
  TpModuleAddress via{};
  std::uint32_t interface_index = 0;
};

// How a route is known. Compared as bytes: there are no holes in it.
struct RouteKey {
  TpModuleAddress to{};
  Hop hop;

  friend bool operator==(const RouteKey& a, const RouteKey& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
  friend bool operator<(const RouteKey& a, const RouteKey& b) { return std::memcmp(&a, &b, sizeof a) < 0; }
};
static_assert(sizeof(RouteKey) == 44);

struct RouteValue {
  Kind kind = Kind::kUnicast;
  std::uint32_t metric = 0;
  std::uint32_t preference = 0;
  friend bool operator==(const RouteValue&, const RouteValue&) = default;
};

using RouteSet = std::map<RouteKey, RouteValue>;

class Table {
 public:
  // `views`: RTM_VIEW_MASK_…, what the routes are for.
  Table(std::uint16_t family, DWORD protocol, RTM_VIEW_SET views, const SUPPORT_FUNCTIONS& support)
      : family_(family), protocol_(protocol), views_(views), support_(support) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { leave(); }

  // Makes it so. NO_ERROR; else what the routing table said, with all that it took in place.
  DWORD become(const RouteSet& wanted);
  [[nodiscard]] std::size_t size() const { return present_.size(); }
  // Takes everything back.
  void leave();

 private:
  struct Present {
    RouteValue value;
    RTM_ROUTE_HANDLE handle;
  };
  struct HopLess {
    bool operator()(const Hop& a, const Hop& b) const { return std::memcmp(&a, &b, sizeof a) < 0; }
  };
  struct KnownHop {
    RTM_NEXTHOP_HANDLE handle = nullptr;
    std::uint32_t routes = 0;
  };

  DWORD enter();
  DWORD add(const RouteKey& key, const RouteValue& value);
  void remove(const RouteKey& key, const Present& present);
  DWORD use_hop(const Hop& hop, RTM_NEXTHOP_HANDLE& handle);
  void release_hop(const Hop& hop);
  [[nodiscard]] static bool has_hop(const RouteKey& key) {
    return key.hop.interface_index != 0 || key.hop.via.family != 0;
  }

  const std::uint16_t family_;
  const DWORD protocol_;
  const RTM_VIEW_SET views_;
  const SUPPORT_FUNCTIONS& support_;
  RTM_ENTITY_HANDLE self_ = nullptr;  // null until there is a route
  std::map<RouteKey, Present> present_;
  std::map<Hop, KnownHop, HopLess> hops_;
};

}  // namespace turnpike::modules
