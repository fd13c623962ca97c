// What the table takes and answers many of at once: the types of bulk.cpp, match.cpp, snapshot.cpp and journal.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "rtm/entity.h"
#include "rtm/image.h"

namespace turnpike::rtm {

// The longest match of one address, as values: no reference is held on anything that it names. Laid out as TpRtmMatch.
struct Match {
  Handle destination = Handle::kNone;  // kNone: nothing matches
  Handle route = Handle::kNone;        // the best one of the view; kNone where only a route in hold-down is left
  Handle next_hop = Handle::kNone;     // its first
  std::uint32_t protocol = 0;          // the owner's
  std::uint32_t protocol_instance = 0;
  Preference preference;
  std::uint32_t interface_index = 0;  // of the next hop
  std::uint16_t hop_count = 0;
  std::uint16_t bits = 0;             // length of the prefix that matches
  std::uint8_t hop_address[16] = {};  // of the next hop
};

// Where the best route to a destination leads first, as values.
struct FirstHop {
  NetAddress address;
  std::uint32_t interface_index = 0;
  std::uint16_t flags = 0;     // of the next hop
  std::uint32_t protocol = 0;  // of the route's owner
};

// One route as it was at the moment of a snapshot. Laid out as TpRtmSnapshotRoute.
struct SnapshotRoute {
  NetAddress destination;
  ViewSet views = 0;
  ViewSet best_in = 0;  // the views in which it is the best
  std::uint32_t protocol = 0;
  std::uint32_t protocol_instance = 0;
  Preference preference;
  std::uint16_t flags = 0;
  std::uint16_t hop_count = 0;
  std::uint32_t first_hop = 0;  // of hop_count in Snapshot::hops
};

struct SnapshotHop {
  NetAddress address;
  std::uint32_t interface_index = 0;
};

struct Snapshot {
  std::vector<SnapshotRoute> routes;  // in the table's order, of one destination in that of rank
  std::vector<SnapshotHop> hops;
};

// One change as the journal keeps it. Laid out as TpRtmJournalEntry.
struct JournalEntry {
  enum class What : std::uint32_t { kAdded = 1, kUpdated, kDeleted, kExpired, kSwept };

  std::uint64_t number = 0;  // 1, 2, … in the table's life
  std::uint64_t time = 0;    // FILETIME
  What what = What::kAdded;
  NetAddress destination;
  ViewSet views = 0;
  std::uint32_t protocol = 0;
  std::uint32_t protocol_instance = 0;
  Preference preference;
  std::uint32_t was_best = 0;  // 1: it was or became the best route of a view
};

struct EntityStatistics {
  EntityInfo info;
  std::uint64_t routes = 0, next_hops = 0;  // live ones
  std::uint64_t registrations = 0, enumerations = 0, lists = 0;
  std::uint64_t changes_waiting = 0;  // over its registrations
  std::uint64_t events_waiting = 0, events_told = 0;
  std::uint64_t calls_blocked = 0;  // of its threads, right now
};

}  // namespace turnpike::rtm
