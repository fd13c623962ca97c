// Records: what the table keeps of a destination, a route and a next hop. A million of each, so every byte is accounted
// for.
//
// A record is written under the table's lock and read under none. So what a reader looks at is `Shared`: loads acquire
// and stores release, which costs nothing on x86. Several fields together are read consistently through the
// destination's `version`: odd while a writer is at work, and different afterwards (info.cpp). A freed record is not
// reused before its readers have gone (grace.h).
//
// | one IPv4 route that is alone on its destination | bytes |
// |---|---|
// | Destination, two views | 64 |
// | Route, one next hop | 64 |
// | trie (trie.h) | 8 |
// | for each registration that has changes waiting or marks | 1 bit for each destination, 4 bytes for each change that
// waits | | RouteExtra, only with a time to live, a list, or a pointer or lock of the owner | 64 |
//
// Rejected: a chain of each owner's routes (8 bytes, and two more cache misses for each addition): a deregistration
// walks the slab instead, some 10 ms for a million records. A count of routes for each view: most destinations have one
// route, a reader counts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rtm/image.h"
#include "rtm/key.h"
#include "rtm/reference.h"

namespace turnpike::rtm {

template <class T>
class Shared {
 public:
  Shared() = default;
  explicit Shared(T value) : value_(value) {}
  Shared(const Shared&) = delete;
  operator T() const { return value_.load(std::memory_order_acquire); }  // NOLINT(google-explicit-constructor)
  Shared& operator=(T value) {
    value_.store(value, std::memory_order_release);
    return *this;
  }
  // For the one writer: nobody else stores meanwhile.
  void set(T bits) { *this = static_cast<T>(*this | bits); }
  void clear(T bits) { *this = static_cast<T>(*this & static_cast<T>(~bits)); }

 private:
  std::atomic<T> value_{};
};

// What few destinations have. Under the table's lock, but `slots` (the client's own) and `hold_routes` (Shared).
struct DestinationExtra {
  explicit DestinationExtra(unsigned views, unsigned opaque_slots)
      : hold_routes(std::make_unique<Shared<std::uint32_t>[]>(views)), slots(std::make_unique<void*[]>(opaque_slots)) {}

  ViewSet hold_wanted = 0;  // RtmHoldDestination's mark: these views, this long, when the last route goes
  std::uint32_t hold_time = 0;
  std::uint32_t hold_timer = 0;  // place in the heap of deadlines, 0: none
  bool hold_runs = false;
  std::unique_ptr<Shared<std::uint32_t>[]> hold_routes;  // one a view
  std::unique_ptr<void*[]> slots;                        // the opaque pointers, one a reserving client
};

// Behind it, as the table's layout says: best routes (4 bytes a view) and the key's bits (4 bytes, or 16).
struct Destination {
  ReferenceWord references;
  Shared<std::uint64_t> last_changed;  // FILETIME
  Shared<DestinationExtra*> extra;     // null for most; lives as long as the destination
  Shared<std::uint32_t> version;
  Shared<std::uint32_t> first_route;
  Shared<ViewSet> views;  // in which it has a live route
  Shared<ViewSet> held;   // in which it has a hold route
  std::uint32_t pins;     // under the lock: route records, changes that wait, marks, remote next hops
  Shared<std::uint16_t> marks;
  std::uint8_t key_length;
  std::uint8_t padding;

  static constexpr std::uint16_t kLocked = 1;  // somebody holds an object lock on it
  static constexpr std::uint16_t kLockedExclusively = 2;
  static constexpr std::uint16_t kInstalled = 4;  // the forwarder has its best unicast route in the kernel

  // A live route, be it in no view, or a hold route: what searches and enumerations show.
  [[nodiscard]] bool is_visible() const { return first_route != 0 || held != 0; }
};
static_assert(sizeof(Destination) == 48);

// Several next hops of one route: never changed, replaced as a whole.
struct HopSet {
  std::uint32_t count;
  std::uint32_t hops[1];  // count of them
};

struct Route {
  ReferenceWord references;
  Shared<std::uint64_t> hops;  // 0: none; index << 1 | 1: one; else the address of a HopSet
  Shared<void*> entity_specific;
  std::uint32_t extra;         // under the lock: a RouteExtra's index, 0 for most
  Shared<std::uint32_t> next;  // of its destination, in rank
  std::uint32_t destination;
  Shared<std::uint32_t> metric;
  Shared<std::uint32_t> preference;
  Shared<ViewSet> views;
  Shared<std::uint32_t> neighbour;  // 0: none
  std::uint32_t sequence;           // of its insertion
  Shared<std::uint16_t> flags;
  ClientIndex owner;
  Shared<std::uint8_t> flags1;
  Shared<std::uint8_t> state;
  bool by_policy;  // under the lock: the preference is what the table has for the owner's protocol

  [[nodiscard]] Preference rank() const { return {metric, preference}; }
};
static_assert(sizeof(Route) == 64);

// What few routes have. Under the lock; the image also belongs to the owner, as the contract says.
struct RouteExtra {
  std::uint64_t reserved;   // the slab's
  std::uint32_t next_free;  // the slab's
  std::uint32_t timer;      // place in the heap of deadlines, 0: none
  RouteImage* image;        // what RtmGetRoutePointer showed
  std::uint32_t list;       // 0: in none
  std::uint32_t list_previous;
  std::uint32_t list_next;
  std::uint32_t expired;  // 1: its time ran out and the owner has not yet said what he makes of it
  std::uint64_t list_sequence;
  std::uint32_t shown_preference;  // in the image, before the owner's edits
};

struct NextHop {
  ReferenceWord references;
  std::uint32_t next_free;  // the slab's
  std::uint32_t interface_index;
  NetAddress address;  // as the client gave it
  Key key;             // masked
  Shared<std::uint32_t> version;
  Shared<void*> entity_specific;
  NextHopImage* image;           // what RtmGetNextHopPointer showed; under the lock
  Shared<std::uint32_t> remote;  // a destination; 0: none
  std::uint32_t uses;            // under the lock: routes, tombstones too, that name it
  Shared<std::uint16_t> flags;
  Shared<std::uint16_t> state;
  Shared<std::uint16_t> marks;  // Destination::kLocked…
  ClientIndex owner;
};

}  // namespace turnpike::rtm
