// Route lists and enumerations: what the table keeps of each.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rtm/entity.h"
#include "rtm/image.h"
#include "rtm/key.h"
#include "rtm/table.h"

namespace turnpike::rtm {

// A chain through the routes' extras. Under the table's lock.
struct RouteList {
  ClientIndex owner = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::vector<std::uint32_t> cursors;  // the enumerations of this list
};

// A live cursor: what it has passed it never returns to, what appears or goes ahead of it is seen or not.
struct Enumeration {
  enum class Of : std::uint8_t { kDestinations, kRoutes, kNextHops, kList };

  Of of = Of::kDestinations;
  ClientIndex owner = 0;
  ViewSet views = kAnyView;
  std::uint32_t flags = 0;
  std::uint32_t protocol = 0;
  bool ended = false;

  // Destinations and routes: the place to go on from, and the subtree that bounds it.
  Key next;
  Key range;
  bool ranged = false;
  std::mutex fetching;  // destinations are fetched without the table's lock; two threads take turns

  // Routes: of one destination or of all; those of the present destination that are still to come, best first.
  std::uint32_t only = 0;
  RouteCriteria criteria;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> coming;  // index and generation, the last is the next

  // Next hops.
  NextHopKey next_hop;

  // Routes of a list: where it stands, and routes that it returned and that have left the list since (they may come
  // back).
  std::uint32_t list = 0;
  std::uint32_t cursor = 0;
  std::uint64_t passed = 0;  // list_sequence of the last one returned
  std::unordered_set<std::uint64_t> returned;
};

}  // namespace turnpike::rtm
