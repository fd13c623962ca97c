// Entity: a client of a table, from its registration until nobody holds its handle any more.
//
//   live      calls with its handle are served
//   leaving   its handle is refused as a caller's; what it left behind is being swept
//   gone      only a name: it answers RtmGetEntityInfo for those who still hold its handle or a route of it
//
// Everything here is under the table's lock, but what is const and `references` (from any thread, by itself).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "rtm/handle.h"
#include "rtm/key.h"
#include "rtm/reference.h"
#include "rtm/v1_messages.h"

namespace turnpike::rtm {

struct EntityInfo {
  std::uint16_t instance = 0;
  std::uint16_t family = 0;
  std::uint32_t protocol = 0;
  std::uint32_t protocol_instance = 0;
};

enum class EventType : std::uint8_t { kEntityRegistered, kEntityDeregistered, kRouteExpired, kChangeNotification };

// What a client's callback is told: the contract's Context1 and Context2.
struct Event {
  EventType type = EventType::kEntityRegistered;
  Handle subject = Handle::kNone;
  void* context = nullptr;  // EntityInfo*, RouteImage*, or the registration's context
};
// Returns what the callback returned.
using EventHandler = std::function<std::uint32_t(Handle self, const Event& event)>;

// An exported method: the table keeps it and says when it may run; who calls it knows its type.
using AnyFunction = void (*)();

struct Registration {
  std::uint32_t protocol = 0;
  std::uint32_t protocol_instance = 0;
  std::vector<AnyFunction> methods;
  EventHandler handler;  // empty: no events
  bool reserve_opaque = false;
  std::unique_ptr<V1Client> v1 = nullptr;  // a client of RTMv1
};

// Those of the table's own family come first, so that a range of its addresses is a range of keys.
struct NextHopKey {
  bool of_other_family = false;
  Key address;
  std::uint32_t interface_index = 0;
  friend auto operator<=>(const NextHopKey&, const NextHopKey&) = default;
};

struct Entity {
  enum class State : std::uint8_t { kLive, kLeaving, kGone };
  // An event as it waits: what it speaks of may be gone when its turn comes.
  struct Queued {
    EventType type;
    std::uint32_t index;
    std::uint32_t generation;
  };

  Entity(const EntityInfo& its_info, ClientIndex its_index, Handle its_handle, Registration&& registration, int slot)
      : info(its_info),
        index(its_index),
        handle(its_handle),
        caller(registration.v1 == nullptr ? its_handle : with_kind(Kind::kV1Client, its_handle)),
        v1(std::move(registration.v1)),
        methods(std::move(registration.methods)),
        handler(std::move(registration.handler)),
        opaque_slot(slot) {}

  const EntityInfo info;
  const ClientIndex index;
  const Handle handle;
  const Handle caller;  // by which it calls: an RTMv1 client's is of another kind
  const std::unique_ptr<V1Client> v1;
  const std::vector<AnyFunction> methods;
  const EventHandler handler;
  const int opaque_slot;  // -1: none

  std::atomic<State> state{State::kLive};
  EntityReferences references;  // what this client holds on entities

  std::uint64_t routes = 0;   // its live routes
  std::uint64_t pins = 0;     // records, tombstones too, and queued events that name it
  std::uint32_t waiting = 0;  // its calls that are blocked
  std::map<NextHopKey, std::uint32_t> next_hops;

  std::deque<Queued> events;
  bool announced = false;        // the port knows that there are events
  std::uint64_t delivering = 0;  // the thread that is in its callback; 0: none
  Handle told = Handle::kNone;   // what that callback is about
  EventType told_type = EventType::kEntityRegistered;
  std::uint64_t told_at = 0;     // when it was called
  std::uint32_t told_watch = 0;  // place in the heap of deadlines, 0: none
  std::uint64_t delivered = 0;

  bool methods_blocked = false;
  std::vector<std::uint64_t> running;  // the threads that are in its methods
};

}  // namespace turnpike::rtm
