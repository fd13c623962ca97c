// Deregistration: how a client leaves, whatever it has left behind (decision 6 of the contract).
//
//  1. The client is marked as leaving: from now on its handle is refused. Its calls that are blocked come back with
//  that answer.
//  2. Wait until its callback and its methods have returned (but for one that this very thread is in), and until no
//  call of its own is under
//     way: a grace period of the readers, since every call is one.
//  3. Sweep: locks, enumerations, registrations, routes and hold routes, lists, next hops, opaque slots; then every
//  reference that it still holds on
//     anything. What it forgot is counted, and told to the log by kind and number.
//  4. The others are told (an event is queued at each), and the entity is only a name, or gone.
//
// Steps 3 are done in short holds of the table's lock, between which others get their turn. What others see is the
// routes go away one after the other, each with its change of the best route and its notification, as if the client had
// deleted them.
//
// There are no chains from a client to its routes or references: the slabs are walked, in the order of memory, a
// million records in some ten milliseconds, without the lock for all that is not the client's.
#include <algorithm>

#include "base/log.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {

Result<void> Table::deregister_entity(Handle self) {
  Entity* leaver = nullptr;
  {
    const std::lock_guard lock(mutex_);
    leaver = find_caller(self);
    if (leaver == nullptr) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a registered client");
    }
    leaver->state.store(Entity::State::kLeaving, std::memory_order_seq_cst);
    ++leaver->pins;
  }
  stop_calls_and_callbacks(*leaver);
  sweep(*leaver);
  const std::lock_guard lock(mutex_);
  announce_to_others(EventType::kEntityDeregistered, *leaver);
  if (leaver->opaque_slot >= 0) {
    opaque_taken_ &= ~(1U << leaver->opaque_slot);
  }
  deadlines_.remove(leaver->told_watch);
  --live_entities_;
  leaver->state.store(Entity::State::kGone, std::memory_order_release);
  unpin(*leaver);
  return {};
}

void Table::stop_calls_and_callbacks(Entity& leaver) {
  {
    Lock lock(mutex_);
    woken_.notify_all();
    woken_.wait(lock, [&] {
      return leaver.waiting == 0 && only_this_thread_runs(leaver) &&
             (leaver.delivering == 0 || leaver.delivering == this_thread_number());
    });
  }
  discard_events(leaver);
  static_cast<void>(epoch_.synchronize());
}

void Table::sweep(Entity& leaver) {
  if (leaver.v1 != nullptr) {
    v1_.forget_client(leaver);
  }
  sweep_objects(leaver);
  sweep_routes(leaver);
  sweep_next_hops(leaver);
  sweep_opaque_slots(leaver);
  for (const Kind kind : {Kind::kDestination, Kind::kRoute, Kind::kNextHop}) {
    sweep_references(leaver, kind);
  }
  sweep_entity_references(leaver);
}

void Table::report_forgotten(const Entity& leaver, Kind kind, std::uint64_t count) {
  if (count == 0) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    leaks_[static_cast<unsigned>(kind)] += count;
  }
  TURNPIKE_LOG(LogLevel::kWarning, "rtm", "a client left without releasing handles", {"kind", name_of(kind)},
               {"handles", count}, {"protocol", leaver.info.protocol},
               {"protocol_instance", leaver.info.protocol_instance}, {"instance", leaver.info.instance},
               {"family", leaver.info.family});
}

// Runs remove(index) for each of the client's; says how many.
template <class T, class F>
std::uint64_t Table::sweep_roster(const Roster<T>& roster, const Entity& leaver, F&& remove) {
  std::uint64_t count = 0;
  std::uint32_t index = 1;
  in_steps([&](auto&& enough) {
    while (index < roster.limit()) {
      if (const T* each = roster.at(index); each != nullptr && each->owner == leaver.index) {
        remove(index);
        ++count;
      }
      ++index;
      if (enough()) {
        return true;
      }
    }
    return false;
  });
  return count;
}

// Locks, enumerations, registrations; and lists, whose routes go on their own.
void Table::sweep_objects(const Entity& leaver) {
  release_locks_of(leaver);
  std::vector<std::unique_ptr<ChangeRegistration>> registrations;
  sweep_roster(registrations_, leaver,
               [&](std::uint32_t index) { registrations.push_back(registrations_.remove(index)); });
  std::vector<std::unordered_set<std::uint64_t>> returned;  // freed without the lock
  const std::uint64_t enumerations = sweep_roster(enumerations_, leaver, [&](std::uint32_t index) {
    if (auto gone = forget_enumeration(index); !gone.empty()) {
      returned.push_back(std::move(gone));
    }
  });
  std::vector<std::uint32_t> lists;
  sweep_roster(lists_, leaver, [&](std::uint32_t index) { lists.push_back(index); });
  for (const auto& registration : registrations) {
    drain(*registration);
  }
  for (const std::uint32_t index : lists) {
    empty_list(index);
    const std::lock_guard lock(mutex_);
    lists_.remove(index);
  }
  report_forgotten(leaver, Kind::kEnumeration, enumerations);
  report_forgotten(leaver, Kind::kRouteList, lists.size());
  report_forgotten(leaver, Kind::kNotification, registrations.size());
}

// Routes are not handles: a client that leaves them to the table has forgotten nothing.
void Table::sweep_routes(Entity& leaver) {
  std::uint32_t index = 1;
  in_steps([&](auto&& enough) {
    for (const std::uint32_t limit = routes_.limit(); index < limit && leaver.pins > 1; ++index) {
      const Route& its = route(index);
      if (its.owner == leaver.index && its.references.is_rooted()) {
        const bool is_live = its.state == route_state::kCreated;
        if (const ViewSet held = views_held_in(index); held != 0) {
          end_hold(its.destination, held);
        }
        if (is_live) {
          remove_route(index, Why::kSwept);
        }
      }
      if (enough()) {
        ++index;
        return true;
      }
    }
    return false;
  });
}

void Table::sweep_next_hops(Entity& leaver) {
  in_steps([&](auto&& enough) {
    while (!leaver.next_hops.empty()) {
      remove_next_hop(leaver.next_hops.begin()->second);
      if (enough()) {
        return true;
      }
    }
    return false;
  });
}

// The slot is empty everywhere before another client may have it.
void Table::sweep_opaque_slots(Entity& leaver) {
  if (leaver.opaque_slot < 0) {
    return;
  }
  std::uint32_t index = 1;
  in_steps([&](auto&& enough) {
    for (const std::uint32_t limit = destinations_.limit(); index < limit; ++index) {
      Destination& dest = destination(index);
      if (DestinationExtra* its = dest.extra; its != nullptr) {
        its->slots[static_cast<std::size_t>(leaver.opaque_slot)] = nullptr;
        collect(Kind::kDestination, index, dest.references.generation());  // it may have been kept by that alone
      }
      if (enough()) {
        ++index;
        return true;
      }
    }
    return false;
  });
}

// Every reference of the client's on records of one kind. Nobody adds to them any more, so a look without the lock
// finds them all.
void Table::sweep_references(Entity& leaver, Kind kind) {
  const Slab& slab = *slab_of(kind);
  std::uint64_t forgotten = 0;
  for (std::uint32_t index = 1, limit = slab.limit(); index < limit; ++index) {
    ReferenceWord& word = *word_of(kind, index);
    const std::uint64_t count = references_.held_by(word, References::id(kind, index), leaver.index);
    if (count == 0) {
      continue;
    }
    forgotten += count;
    const std::uint32_t generation = word.generation();
    if (references_.drop(word, References::id(kind, index), leaver.index, generation, count) ==
        References::Dropped::kLast) {
      const std::lock_guard lock(mutex_);
      collect(kind, index, generation);
    }
  }
  report_forgotten(leaver, kind, forgotten);
}

void Table::sweep_entity_references(Entity& leaver) {
  std::uint64_t forgotten = 0;
  for (ClientIndex index = 1; index <= kMaxClients; ++index) {
    const std::uint64_t count = leaver.references.held(index);
    if (count == 0 || !leaver.references.drop(index, static_cast<std::uint32_t>(count))) {
      continue;
    }
    forgotten += count;
    const std::lock_guard lock(mutex_);
    if (Entity* named = entity_at(index); named != nullptr) {
      collect_entity(*named);
    }
  }
  report_forgotten(leaver, Kind::kEntity, forgotten);
}

}  // namespace turnpike::rtm
