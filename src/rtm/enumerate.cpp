// Enumerations of destinations, routes and next hops.
//
// A cursor is a place in the order of keys, not a pointer: the next batch begins at the first key that is not before
// it. So nothing that happens in between can invalidate it, nothing is returned twice, and an enumeration that nobody
// goes on with holds on to nothing. The routes of one destination can change their rank between two batches, so they
// are noted down when the destination is reached, and those that are still there are returned.
//
// Destinations are fetched without the table's lock. Their trie leaves are found first and their records are
// prefetched, so that the waits for memory overlap: that is most of the time of an enumeration of a large table.
#include <utility>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

using Of = Enumeration::Of;

constexpr Failure bad_enumeration() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of such an enumeration of this client");
}
constexpr Failure no_more() { return fail(ErrorKind::kNoMoreItems, "the enumeration has come to its end"); }

// The first key after this one: the same bits and one more, which is beyond an address only for those that have no
// more.
Key after(const Key& key) { return {key.high, key.low, static_cast<std::uint8_t>(key.length + 1)}; }

}  // namespace

Enumeration* Table::find_enumeration(const Entity& client, Handle handle, std::uint8_t of) const {
  Enumeration* found = enumerations_.find(handle);
  return found != nullptr && found->owner == client.index && static_cast<std::uint8_t>(found->of) == of ? found
                                                                                                        : nullptr;
}

// START, NEXT or RANGE, with the address that the latter two want.
Result<void> Table::set_range(Enumeration& cursor, std::uint32_t flags, const NetAddress* address) const {
  const std::uint32_t place = flags & (enumeration::kNext | enumeration::kRange);
  if (place == 0) {
    return {};
  }
  if (place == (enumeration::kNext | enumeration::kRange) || address == nullptr) {
    return fail(ErrorKind::kInvalidArgument, "NEXT and RANGE together, or without an address");
  }
  return key_from(*address).map([&](const Key& key) {
    cursor.next = key;
    cursor.range = key;
    cursor.ranged = place == enumeration::kRange;
  });
}

// --- destinations
// ----------------------------------------------------------------------------------------------------------

Result<Handle> Table::create_dest_enum(Handle self, ViewSet views, std::uint32_t flags, const NetAddress* address,
                                       std::uint32_t protocol) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    if ((flags & ~(enumeration::kNext | enumeration::kRange | enumeration::kOwnDestinations)) != 0) {
      return fail(ErrorKind::kInvalidArgument, "a flag that there is not");
    }
    if (!supports(views)) {
      return fail(ErrorKind::kUnsupported, "a view that this table does not have");
    }
    auto made = std::make_unique<Enumeration>();
    made->of = Of::kDestinations;
    made->owner = client.index;
    made->views = views;
    made->flags = flags;
    made->protocol = protocol;
    if (const auto good = set_range(*made, flags, address); !good) {
      return tl::unexpected(good.error());
    }
    const std::lock_guard lock(mutex_);
    return enumerations_.add(std::move(made)).first;
  });
}

bool Table::wants(const Entity& client, const Enumeration& cursor, const Destination& dest) const {
  if (!is_in(dest, cursor.views)) {
    return false;
  }
  if ((cursor.flags & enumeration::kOwnDestinations) == 0) {
    return true;
  }
  bool owns = false;
  for_each_view(cursor.views == kAnyView ? kAllViews : cursor.views, [&](unsigned, unsigned rank) {
    const std::uint32_t route_there = best(dest, rank);
    owns = owns || (route_there != 0 && route(route_there).owner == client.index);
  });
  return owns;
}

// Fills records until there are enough, the enumeration ends, or a destination is locked by somebody; then that one is
// the next.
std::uint32_t Table::fetch_dests(Entity& client, Enumeration& cursor, std::uint32_t capacity, std::byte* out,
                                 Blocked& blocked, Result<void>& trouble) {
  constexpr unsigned kAhead = 32;
  const std::size_t stride = size_of_dest_image(views_in(cursor.views));
  std::array<std::uint32_t, kAhead> ahead;
  Walk walk(trie_);
  walk.seek(cursor.next);
  std::uint32_t count = 0;
  while (count < capacity && !cursor.ended) {
    unsigned found = 0;
    for (; found < std::min(kAhead, capacity - count) && (ahead[found] = walk.next()) != 0; ++found) {
      prefetch(ahead[found]);
    }
    cursor.ended = found == 0;
    for (unsigned i = 0; i < found && !cursor.ended; ++i) {
      const Key key = key_of(ahead[i]);
      if (cursor.ranged && !covers(cursor.range, key)) {
        cursor.ended = true;
        break;
      }
      if (wants(client, cursor, destination(ahead[i]))) {
        auto& record = *reinterpret_cast<DestImage*>(out + count * stride);
        const Filled how = fill(client, ahead[i], cursor.protocol, cursor.views, record, blocked);
        if (how == Filled::kYes) {
          ++count;
        } else if (how != Filled::kGone) {
          trouble = filled(how);
          return count;
        }
      }
      cursor.next = after(key);
    }
  }
  return count;
}

Result<std::uint32_t> Table::next_dests(Handle self, Handle handle, std::uint32_t capacity, std::byte* out) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<std::uint32_t> {
    Enumeration* cursor = nullptr;
    {
      const std::lock_guard lock(mutex_);
      cursor = find_enumeration(client, handle, static_cast<std::uint8_t>(Of::kDestinations));
    }
    if (cursor == nullptr) {
      return bad_enumeration();
    }
    const std::lock_guard turn(cursor->fetching);
    Result<void> trouble;
    const std::uint32_t count = fetch_dests(client, *cursor, capacity, out, blocked, trouble);
    if (count != 0) {
      blocked = {};  // what there is now; the locked one comes with the next batch
      return count;
    }
    if (blocked) {
      return 0;
    }
    return trouble ? no_more() : Result<std::uint32_t>(tl::unexpected(trouble.error()));
  });
}

// --- routes
// ----------------------------------------------------------------------------------------------------------------

Result<Handle> Table::create_route_enum(Handle self, Handle dest, ViewSet views, std::uint32_t flags,
                                        const NetAddress* address, const RouteCriteria& criteria) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    if ((flags & ~(enumeration::kNext | enumeration::kRange | enumeration::kOwnRoutes)) != 0) {
      return fail(ErrorKind::kInvalidArgument, "a flag that there is not");
    }
    if (!supports(views)) {
      return fail(ErrorKind::kUnsupported, "a view that this table does not have");
    }
    auto made = std::make_unique<Enumeration>();
    made->of = Of::kRoutes;
    made->owner = client.index;
    made->views = views;
    made->flags = flags;
    made->criteria = criteria;
    if (dest == Handle::kNone) {
      if (const auto good = set_range(*made, flags, address); !good) {
        return tl::unexpected(good.error());
      }
    }
    const std::lock_guard lock(mutex_);
    if (const auto good = check_criteria(criteria); !good) {
      return tl::unexpected(good.error());
    }
    if (dest != Handle::kNone && (made->only = find(Kind::kDestination, dest)) == 0) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
    }
    return add_enumeration(std::move(made));
  });
}

// What it names it keeps: the destination, and the objects of its criteria, lest another object come to stand in their
// place.
Result<Handle> Table::add_enumeration(std::unique_ptr<Enumeration> made) {
  const Enumeration& its = *made;
  const Handle handle = enumerations_.add(std::move(made)).first;
  for_each_named(its, [&](Kind kind, std::uint32_t index) {
    switch (kind) {
      case Kind::kDestination:
        pin(destination(index));
        break;
      case Kind::kNextHop:
        use(index);
        break;
      default:
        ++entity_at(static_cast<ClientIndex>(index))->pins;
        break;
    }
  });
  return handle;
}

template <class F>
void Table::for_each_named(const Enumeration& its, F&& visit) {
  if (its.only != 0) {
    visit(Kind::kDestination, its.only);
  }
  if ((its.criteria.flags & match::kOwner) != 0) {
    visit(Kind::kEntity, index_of(its.criteria.owner));
  }
  if ((its.criteria.flags & match::kNeighbour) != 0 && its.criteria.neighbour != Handle::kNone) {
    visit(Kind::kNextHop, index_of(its.criteria.neighbour));
  }
  if ((its.criteria.flags & match::kNextHop) != 0) {
    visit(Kind::kNextHop, index_of(its.criteria.hop));
  }
}

// Returns what is only used under the lock and may take long to free.
std::unordered_set<std::uint64_t> Table::forget_enumeration(std::uint32_t index) {
  std::unique_ptr<Enumeration> gone = enumerations_.remove(index);
  if (RouteList* list = gone->list != 0 ? lists_.at(gone->list) : nullptr; list != nullptr) {
    list->cursors.erase(std::find(list->cursors.begin(), list->cursors.end(), index));
  }
  for_each_named(*gone, [&](Kind kind, std::uint32_t named) {
    switch (kind) {
      case Kind::kDestination:
        unpin(named);
        break;
      case Kind::kNextHop:
        unuse(named);
        break;
      default:
        unpin(*entity_at(static_cast<ClientIndex>(named)));
        break;
    }
  });
  std::unordered_set<std::uint64_t> returned = std::move(gone->returned);
  limbo_.retire(std::move(gone));  // another thread may be fetching from it
  return returned;
}

Result<void> Table::delete_enum(Handle self, Handle handle) {
  std::unordered_set<std::uint64_t> returned;  // freed without the lock
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const Enumeration* found = enumerations_.find(handle);
    if (found == nullptr || found->owner != client.index) {
      return bad_enumeration();
    }
    returned = forget_enumeration(index_of(handle));
    return {};
  });
}

// Notes down the destination's routes that are wanted: held ones after the live ones, and only for who asks for no
// view.
void Table::list_routes_of(const Entity& client, Enumeration& cursor, std::uint32_t index) {
  const Destination& dest = destination(index);
  const auto note = [&](std::uint32_t i) {
    const bool is_own = route(i).owner == client.index || (cursor.flags & enumeration::kOwnRoutes) == 0;
    const std::pair<std::uint32_t, std::uint32_t> entry{i, route(i).references.generation()};
    if (is_own && std::find(cursor.coming.begin(), cursor.coming.end(), entry) == cursor.coming.end()) {
      cursor.coming.push_back(entry);
    }
  };
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    if (matches(route(i), cursor.criteria, cursor.views)) {
      note(i);
    }
  }
  if (cursor.views == kAnyView && dest.held != 0) {
    for_each_view(dest.held, [&](unsigned, unsigned rank) {
      const std::uint32_t held = static_cast<DestinationExtra*>(dest.extra)->hold_routes[rank];
      if (matches(route(held), cursor.criteria, kAnyView)) {
        note(held);
      }
    });
  }
  std::reverse(cursor.coming.begin(), cursor.coming.end());
}

// False at the end, or when there is something to wait for first.
bool Table::go_to_next_dest(const Entity& client, Enumeration& cursor, Blocked& blocked, Result<void>& trouble) {
  std::uint32_t dest = cursor.only;
  if (dest == 0) {
    Walk walk(trie_);
    walk.seek(cursor.next);
    do {
      dest = walk.next();
    } while (dest != 0 && !destination(dest).is_visible());
    if (dest == 0 || (cursor.ranged && !covers(cursor.range, key_of(dest)))) {
      cursor.ended = true;
      return false;
    }
  }
  if (const auto free = access_under_lock(Kind::kDestination, dest, false, blocked); !free) {
    trouble = free;
    return false;
  }
  list_routes_of(client, cursor, dest);
  cursor.next = after(key_of(dest));
  cursor.ended = cursor.only != 0;
  return true;
}

// Under the lock, a bounded number of destinations a time; a batch may end early, but not empty.
Result<std::uint32_t> Table::next_routes(Handle self, Handle handle, std::span<Handle> out) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<std::uint32_t> {
    Result<void> trouble;
    std::uint32_t count = 0;
    for (bool more = true; more && count == 0;) {
      const std::lock_guard lock(mutex_);
      Enumeration* cursor = find_enumeration(client, handle, static_cast<std::uint8_t>(Of::kRoutes));
      if (cursor == nullptr) {
        return bad_enumeration();
      }
      for (unsigned visited = 0; more && count < out.size() && visited < 1024; ++visited) {
        while (!cursor->coming.empty() && count < out.size()) {
          const auto [index, generation] = cursor->coming.back();
          const bool is_there = route(index).references.is_alive(generation) &&
                                (route(index).state == route_state::kCreated ||
                                 (route(index).state == route_state::kDeleting && cursor->views == kAnyView));
          if (is_there && !take(client, Kind::kRoute, index)) {
            trouble = filled(Filled::kNoMemory);
            break;
          }
          if (is_there) {
            out[count++] = route_handle(index);
          }
          cursor->coming.pop_back();
        }
        if (count < out.size()) {
          more = trouble && !cursor->ended && go_to_next_dest(client, *cursor, blocked, trouble);
        }
      }
    }
    if (count != 0) {
      blocked = {};
      return count;
    }
    if (blocked) {
      return 0;
    }
    return trouble ? no_more() : Result<std::uint32_t>(tl::unexpected(trouble.error()));
  });
}

// --- next hops
// -------------------------------------------------------------------------------------------------------------

Result<Handle> Table::create_next_hop_enum(Handle self, std::uint32_t flags, const NetAddress* address) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    if ((flags & ~(enumeration::kNext | enumeration::kRange)) != 0) {
      return fail(ErrorKind::kInvalidArgument, "a flag that there is not");
    }
    auto made = std::make_unique<Enumeration>();
    made->of = Of::kNextHops;
    made->owner = client.index;
    if (const auto good = set_range(*made, flags, address); !good) {
      return tl::unexpected(good.error());
    }
    made->next_hop.address = made->next;
    const std::lock_guard lock(mutex_);
    return enumerations_.add(std::move(made)).first;
  });
}

Result<std::uint32_t> Table::next_next_hops(Handle self, Handle handle, std::span<Handle> out) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<std::uint32_t> {
    const std::lock_guard lock(mutex_);
    Enumeration* cursor = find_enumeration(client, handle, static_cast<std::uint8_t>(Of::kNextHops));
    if (cursor == nullptr) {
      return bad_enumeration();
    }
    std::uint32_t count = 0;
    auto at = client.next_hops.lower_bound(cursor->next_hop);
    for (; !cursor->ended && count < out.size(); ++at) {
      if (at == client.next_hops.end() ||
          (cursor->ranged && (at->first.of_other_family || !covers(cursor->range, at->first.address)))) {
        cursor->ended = true;
        break;
      }
      if (!take(client, Kind::kNextHop, at->second)) {
        break;
      }
      out[count++] = next_hop_handle(at->second);
      cursor->next_hop = at->first;
      if (++cursor->next_hop.interface_index == 0) {  // the last interface of this address
        cursor->next_hop.address = after(at->first.address);
      }
    }
    return count != 0 ? Result<std::uint32_t>(count) : no_more();
  });
}

}  // namespace turnpike::rtm
