// Routes: adding, updating, deleting.
//
// Each of them first checks everything and gets all the memory that it will need, then changes the table in one bracket
// (rank.cpp) that cannot fail. So an error means that nothing has changed.
#include <cstring>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_route() { return fail(ErrorKind::kInvalidHandle, "not the handle of a route of this table"); }
constexpr Failure not_yours() { return fail(ErrorKind::kDenied, "the route is another client's"); }
constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for a route"); }

}  // namespace

// --- what a caller wants stored, checked
// --------------------------------------------------------------------------------

// A next hop of the owner's list; one that was deleted from it only where the route that is updated names it already.
Result<std::uint32_t> Table::check_hop(const Entity& owner, Handle handle, std::uint32_t updated) const {
  const std::uint32_t index = find(Kind::kNextHop, handle);
  if (index == 0) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of a next hop of this table");
  }
  if (next_hop(index).owner != owner.index) {
    return fail(ErrorKind::kInvalidArgument, "the next hop is in another client's list");
  }
  if (next_hop(index).state == next_hop_state::kDeleted &&
      (updated == 0 || (route(updated).neighbour != index && !has_hop(route(updated).hops, index)))) {
    return fail(ErrorKind::kInvalidHandle, "the next hop was deleted");
  }
  return index;
}

Result<Table::Values> Table::check_values(const Entity& owner, const RouteRequest& request, std::uint32_t updated) {
  Values values{.entity_specific = request.entity_specific,
                .preference = request.preference,
                .views = request.views == kAllViews ? config_.views : request.views,
                .time_to_live = request.time_to_live,
                .flags = request.flags,
                .flags1 = request.flags1};
  if (request.hops.size() > config_.max_next_hops) {
    return fail(ErrorKind::kInvalidArgument, "more next hops than a route of this table may have");
  }
  if (!supports(values.views)) {
    return fail(ErrorKind::kInvalidArgument, "a view that this table does not have");
  }
  if (values.preference.preference == 0) {
    values.preference.preference = policy_of(owner);
    values.by_policy = true;
  }
  if (request.list != Handle::kNone) {
    if (find_list(owner, request.list) == nullptr) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a list of this client");
    }
    values.list = index_of(request.list);
  }
  if (request.neighbour != Handle::kNone) {
    const auto neighbour = check_hop(owner, request.neighbour, updated);
    if (!neighbour) {
      return tl::unexpected(neighbour.error());
    }
    values.neighbour = *neighbour;
  }
  std::array<std::uint32_t, 64> hops;  // as many as a configuration may allow
  for (std::size_t i = 0; i < request.hops.size(); ++i) {
    const auto hop = check_hop(owner, request.hops[i], updated);
    if (!hop) {
      return tl::unexpected(hop.error());
    }
    hops[i] = *hop;
  }
  const auto stored = make_hops(std::span(hops).first(request.hops.size()));
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  values.hops = *stored;
  return values;
}

// --- adding and updating
// -------------------------------------------------------------------------------------------------

// The client's route that an addition by value means; 0: none, so a new one.
std::uint32_t Table::find_route(const Destination& dest, const Entity& owner, std::uint32_t neighbour,
                                std::uint32_t flags) const {
  if ((flags & change::kNew) != 0) {
    return 0;
  }
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    if (route(i).owner == owner.index && ((flags & change::kFirst) != 0 || route(i).neighbour == neighbour)) {
      return i;
    }
  }
  return 0;
}

Result<AddedRoute> Table::add_route(Handle self, Handle handle, const NetAddress& address, const RouteRequest& request,
                                    bool reference) {
  return attempt_change(self, [&](Entity& client, Blocked& blocked) -> Result<AddedRoute> {
    return add_under_lock(client, handle, address, request, reference, blocked);
  });
}

Result<AddedRoute> Table::add_under_lock(Entity& client, Handle handle, const NetAddress& address,
                                         const RouteRequest& request, bool reference, Blocked& blocked) {
  const auto key = key_from(address);
  if (!key) {
    return tl::unexpected(key.error());
  }
  std::uint32_t updated = 0;
  if (handle != Handle::kNone) {
    updated = find(Kind::kRoute, handle);
    if (updated == 0) {
      return bad_route();
    }
    if (route(updated).owner != client.index) {
      return not_yours();
    }
    if (route(updated).state != route_state::kCreated) {
      return bad_route();
    }
    if (key_of(route(updated).destination) != *key) {
      return fail(ErrorKind::kInvalidArgument, "the route is one to another destination");
    }
  }
  const std::uint32_t dest = updated != 0 ? route(updated).destination : trie_.find(*key);
  if (dest != 0) {
    if (const auto free = access_under_lock(Kind::kDestination, dest, true, blocked); !free) {
      return tl::unexpected(free.error());
    }
  }
  if (updated == 0 && dest != 0) {
    const std::uint32_t neighbour = request.neighbour == Handle::kNone ? 0 : find(Kind::kNextHop, request.neighbour);
    updated = find_route(destination(dest), client, neighbour, request.change_flags);
  }
  auto values = check_values(client, request, updated);
  if (!values) {
    return tl::unexpected(values.error());
  }
  return put_route(client, *key, dest, updated, *values, reference && handle == Handle::kNone);
}

Result<AddedRoute> Table::put_route(Entity& client, const Key& key, std::uint32_t dest, std::uint32_t updated,
                                    const Values& values, bool reference) {
  std::uint32_t index = updated;
  if (updated == 0) {
    index = new_route(client, values);
    if (index == 0 || (dest == 0 && (dest = new_destination(key)) == 0)) {
      abandon_route(index, values);
      return no_memory();
    }
    if (reference) {
      take(client, Kind::kRoute, index);  // in a new word there is room
    }
  } else if (!prepare(route(index), values) || (reference && !take(client, Kind::kRoute, index))) {
    retire_hops(values.hops);
    return no_memory();
  }
  AddedRoute added{.route = route_handle(index), .change_flags = updated == 0 ? change::kNew : 0};
  added.change_flags |= updated == 0 ? insert_route(client, dest, index, values) : update_route(index, values);
  return added;
}

// What a route with a time to live or a list needs beyond its record.
bool Table::prepare(Route& its, const Values& values) {
  if (values.time_to_live == kInfinite && values.list == 0) {
    return true;
  }
  return (values.time_to_live == kInfinite || deadlines_.reserve_one()) && extra_of(its) != nullptr;
}

// A record that nothing leads to yet. Bad memory: 0, and abandon_route has nothing to do.
std::uint32_t Table::new_route(Entity& owner, const Values& values) {
  const std::uint32_t index = routes_.take();
  if (index == 0) {
    return 0;
  }
  Route& fresh = route(index);
  std::memset(reinterpret_cast<std::byte*>(&fresh) + sizeof(ReferenceWord), 0, sizeof(Route) - sizeof(ReferenceWord));
  fresh.owner = owner.index;
  fresh.sequence = next_sequence_++;
  if (!prepare(fresh, values)) {
    routes_.count_out();
    routes_.give_back(index);
    return 0;
  }
  fresh.references.begin(std::max(fresh.references.generation(), first_generation_));
  return index;
}

std::uint32_t Table::new_destination(const Key& key) {
  const std::uint32_t index = make_destination(key);
  if (index != 0 && !trie_.insert(key, index)) {
    retire_record(destinations_, index, destination(index).references);
    return 0;
  }
  return index;
}

void Table::abandon_route(std::uint32_t index, const Values& values) {
  retire_hops(values.hops);
  if (index == 0) {
    return;
  }
  if (route(index).extra != 0) {
    extras_.count_out();
    extras_.give_back(route(index).extra);
  }
  retire_record(routes_, index, route(index).references);
}

std::uint32_t Table::insert_route(Entity& owner, std::uint32_t dest, std::uint32_t index, const Values& values) {
  route(index).destination = dest;
  pin(destination(dest));
  ++owner.pins;
  ++owner.routes;
  ++live_routes_;
  store_values(index, values);
  BestRoutes before;
  begin_change(destination(dest), before);
  link(destination(dest), index);
  const std::uint32_t was_best = end_change(dest, before, index, values.views, 0, 0);
  set_timer(index, values.time_to_live);
  if (values.list != 0) {
    move_to_list(index, values.list);
  }
  if (!journal_.empty()) {
    note_in_journal(JournalEntry::What::kAdded, index, was_best);
  }
  return was_best;
}

std::uint32_t Table::update_route(std::uint32_t index, const Values& values) {
  Route& changed = route(index);
  Destination& dest = destination(changed.destination);
  const ViewSet views_before = changed.views;
  const ViewSet last_in = views_of_none_but(dest, index) & ~values.views;
  const bool moves = changed.rank() != values.preference;
  BestRoutes before;
  begin_change(dest, before);
  if (moves) {
    unlink(dest, index);
  }
  const std::uint32_t types = store_values(index, values);
  if (moves) {
    link(dest, index);
  }
  const bool is_held = last_in != 0 && start_hold(dest, index, last_in);
  const std::uint32_t was_best =
      end_change(changed.destination, before, index, views_before | values.views, views_before & values.views, types);
  if (is_held) {
    set_hold_timer(changed.destination);
  }
  set_timer(index, values.time_to_live);
  if (values.list != 0) {
    move_to_list(index, values.list);
  }
  refresh_image(index);
  if (!journal_.empty()) {
    note_in_journal(JournalEntry::What::kUpdated, index, was_best);
  }
  return was_best;
}

// Returns what the difference counts as where the route is the best one. What is directly reachable is forwarded
// otherwise (forwarding.cpp) if RTMv1 says so; RTMv2's LOCAL is no forwarding flag.
std::uint32_t Table::store_values(std::uint32_t index, const Values& values) {
  Route& its = route(index);
  const std::uint64_t hops_before = its.hops;
  const std::uint32_t neighbour_before = its.neighbour;
  const std::uint16_t flags_changed = its.flags ^ values.flags;
  const unsigned local = entity_at(its.owner)->v1 != nullptr ? kLocalFlag : 0U;
  std::uint32_t types = 0;
  if (its.rank() != values.preference || !same_hops(hops_before, values.hops) ||
      (flags_changed & (kForwardingFlags | local)) != 0) {
    types = change::kBestRoute | change::kForwarding;
  } else if (flags_changed != 0) {
    types = change::kBestRoute;
  }
  for_each_hop(values.hops, [&](std::uint32_t hop) { use(hop); });
  if (values.neighbour != 0) {
    use(values.neighbour);
  }
  its.hops = values.hops;
  its.neighbour = values.neighbour;
  its.metric = values.preference.metric;
  its.preference = values.preference.preference;
  its.by_policy = values.by_policy;
  its.views = values.views;
  its.entity_specific = values.entity_specific;
  its.flags = values.flags;
  its.flags1 = values.flags1;
  for_each_hop(hops_before, [&](std::uint32_t hop) { unuse(hop); });
  if (neighbour_before != 0) {
    unuse(neighbour_before);
  }
  retire_hops(hops_before);
  return types;
}

// --- deleting
// ------------------------------------------------------------------------------------------------------------

Result<std::uint32_t> Table::delete_route(Handle self, Handle handle) {
  return attempt_change(self, [&](Entity& client, Blocked& blocked) -> Result<std::uint32_t> {
    return delete_under_lock(client, handle, blocked);
  });
}

Result<std::uint32_t> Table::delete_under_lock(Entity& client, Handle handle, Blocked& blocked) {
  const std::uint32_t index = find(Kind::kRoute, handle);
  if (index == 0) {
    return bad_route();
  }
  if (route(index).owner != client.index) {
    return not_yours();
  }
  if (route(index).state != route_state::kCreated) {
    return fail(ErrorKind::kNotFound, "the route was deleted before");
  }
  if (const auto free = access_under_lock(Kind::kDestination, route(index).destination, true, blocked); !free) {
    return tl::unexpected(free.error());
  }
  const std::uint32_t was_best = remove_route(index, Why::kDeleted);
  drop_under_lock(client, Kind::kRoute, handle);
  return was_best;
}

JournalEntry::What Table::what_of(Why why) {
  return why == Why::kDeleted   ? JournalEntry::What::kDeleted
         : why == Why::kExpired ? JournalEntry::What::kExpired
                                : JournalEntry::What::kSwept;
}

// Takes a live route out of the table, whoever has locked its destination: a lock keeps other clients' calls away, and
// what was read under it stays readable. In hold-down it stays as the hold route, if its owner is not leaving.
std::uint32_t Table::remove_route(std::uint32_t index, Why why) {
  Route& gone = route(index);
  const std::uint32_t dest_index = gone.destination;
  Destination& dest = destination(dest_index);
  const ViewSet views = gone.views;
  const ViewSet last_in = views_of_none_but(dest, index);
  leave_list(index);
  if (gone.extra != 0) {
    deadlines_.remove(extra(gone.extra).timer);
    extra(gone.extra).expired = 0;
  }
  --entity_at(gone.owner)->routes;
  --live_routes_;
  BestRoutes before;
  begin_change(dest, before);
  unlink(dest, index);
  const bool starts_hold = why != Why::kSwept && start_hold(dest, index, last_in);
  const bool is_held = starts_hold || views_held_in(index) != 0;
  gone.state = is_held ? route_state::kDeleting : route_state::kDeleted;
  const std::uint32_t was_best = end_change(dest_index, before, index, views, 0, 0);
  if (!journal_.empty()) {
    note_in_journal(what_of(why), index, was_best);
  }
  refresh_image(index);
  if (is_held) {
    set_hold_timer(dest_index);
  } else if (gone.references.unroot()) {
    free_route(index);
  }
  return was_best;
}

}  // namespace turnpike::rtm
