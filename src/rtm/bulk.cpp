// Many routes in one hold of the lock. Each element has its own outcome, as if it had come alone; an element that has
// to wait for an object lock makes the rest wait behind it, with the lock free.
#include "rtm/bulk.h"

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for an element of a batch"); }

}  // namespace

// Runs one(client, i, blocked) -> Result<T> for each i, from where the last try was blocked.
template <class T, class One>
Result<void> Table::in_one_hold(Handle self, std::span<Result<T>> outcomes, One&& one) {
  std::size_t done = 0;
  return attempt_change(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    for (; done < outcomes.size(); ++done) {
      try {
        Result<T> outcome = one(client, done, blocked);
        if (blocked) {
          return {};
        }
        outcomes[done] = outcome;
      } catch (const std::bad_alloc&) {
        outcomes[done] = no_memory();
      }
    }
    return {};
  });
}

Result<void> Table::add_routes(Handle self, std::span<const BulkRoute> routes, bool reference,
                               std::span<Result<AddedRoute>> outcomes) {
  return in_one_hold(self, outcomes, [&](Entity& client, std::size_t i, Blocked& blocked) {
    return add_under_lock(client, Handle::kNone, routes[i].address, routes[i].request, reference, blocked);
  });
}

Result<void> Table::delete_routes(Handle self, std::span<const Handle> routes,
                                  std::span<Result<std::uint32_t>> outcomes) {
  return in_one_hold(self, outcomes, [&](Entity& client, std::size_t i, Blocked& blocked) {
    return delete_under_lock(client, routes[i], blocked);
  });
}

// All routes of the client's to that destination.
Result<std::uint32_t> Table::delete_own_under_lock(Entity& client, const NetAddress& address, Blocked& blocked) {
  const auto key = key_from(address);
  if (!key) {
    return tl::unexpected(key.error());
  }
  const std::uint32_t dest = trie_.find(*key);
  if (dest == 0) {
    return fail(ErrorKind::kNotFound, "no such destination");
  }
  if (const auto free = access_under_lock(Kind::kDestination, dest, true, blocked); !free) {
    return tl::unexpected(free.error());
  }
  pin(destination(dest));  // the last route may be the last that keeps it
  std::uint32_t was_best = 0;
  bool any = false;
  for (std::uint32_t index = destination(dest).first_route, next = 0; index != 0; index = next) {
    next = route(index).next;
    if (route(index).owner == client.index) {
      was_best |= remove_route(index, Why::kDeleted);
      any = true;
    }
  }
  unpin(dest);
  return any ? Result<std::uint32_t>(was_best) : fail(ErrorKind::kNotFound, "no route of the client's to there");
}

Result<void> Table::delete_routes_to(Handle self, std::span<const NetAddress> destinations,
                                     std::span<Result<std::uint32_t>> outcomes) {
  return in_one_hold(self, outcomes, [&](Entity& client, std::size_t i, Blocked& blocked) {
    return delete_own_under_lock(client, destinations[i], blocked);
  });
}

Result<EntityStatistics> Table::entity_statistics(Handle self, Handle about) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<EntityStatistics> {
    const std::lock_guard lock(mutex_);
    const Entity* its = find_entity(about);
    if (its == nullptr) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of an entity of this table");
    }
    EntityStatistics all{.info = its->info, .routes = its->routes, .next_hops = its->next_hops.size()};
    const auto count = [&](const auto& roster, std::uint64_t& sum) {
      roster.for_each([&](std::uint32_t, const auto& each) { sum += each.owner == its->index ? 1 : 0; });
    };
    count(registrations_, all.registrations);
    count(enumerations_, all.enumerations);
    count(lists_, all.lists);
    registrations_.for_each([&](std::uint32_t, const ChangeRegistration& each) {
      all.changes_waiting += each.owner == its->index ? each.waiting.size() : 0;
    });
    all.events_waiting = its->events.size();
    all.events_told = its->delivered;
    all.calls_blocked = its->waiting;
    return all;
  });
}

}  // namespace turnpike::rtm
