// In-place editing: the image of a route that its owner reads, and edits under an exclusive lock.
//
// An image is made when its owner first asks (decision 11 of the contract), with room for as many next hops as a route
// may have, and is kept in step with the record until the route is freed. The record is what counts: nobody but the
// owner sees an edited image, and an unlock without a commit writes the record over it.
//
// ## References in an edit
//
// The documentation has the owner account for the next hops that he swaps in the image: RtmReleaseNextHops on the one
// that he takes out, which gives up the reference that the *route* held, and RtmReferenceHandles on the one that he
// puts in, which passes to the route. So the sum of references is kept, and a commit only says whose they are:
//
//   taken out   the route's reference passes to the owner; unless he has given it up already: then that debt is settled
//   put in      one of the owner's references passes to the route; if he has none, the route takes its own
//
// A release of a next hop that the owner holds no reference of, but whose route he has locked exclusively, is such a
// debt (owe_to_locked_route).
#include <algorithm>
#include <new>

#include "rtm/list.h"
#include "rtm/lock.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_route() { return fail(ErrorKind::kInvalidHandle, "not the handle of a route of this table"); }
constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for a route's image"); }

}  // namespace

void Table::write_image(std::uint32_t index, RouteImage& out) const {
  const Route& its = route(index);
  out.destination = dest_handle(its.destination);
  out.owner = entity_at(its.owner)->handle;
  out.neighbour = next_hop_handle(its.neighbour);
  out.state = its.state;
  out.flags1 = its.flags1;
  out.flags = its.flags;
  out.preference = its.rank();
  out.views = its.views;
  out.entity_specific = its.entity_specific;
  out.hop_count = 0;
  for_each_hop(its.hops, [&](std::uint32_t hop) { out.hops[out.hop_count++] = next_hop_handle(hop); });
}

RouteImage* Table::image_of(std::uint32_t index) {
  RouteExtra* its = extra_of(route(index));
  if (its != nullptr && its->image == nullptr) {
    void* memory = ::operator new(size_of_route_image(config_.max_next_hops), std::nothrow);
    if (memory == nullptr) {
      return nullptr;
    }
    its->image = new (memory) RouteImage;
    write_image(index, *its->image);
    its->shown_preference = its->image->preference.preference;
  }
  return its != nullptr ? its->image : nullptr;
}

void Table::refresh_image(std::uint32_t index) {
  if (const std::uint32_t more = route(index).extra; more != 0 && extra(more).image != nullptr) {
    write_image(index, *extra(more).image);
    extra(more).shown_preference = route(index).preference;
  }
}

// The index of a route of the client's own, in any state.
Result<std::uint32_t> Table::own_route(const Entity& client, Handle handle) const {
  const std::uint32_t index = find(Kind::kRoute, handle);
  if (index == 0) {
    return bad_route();
  }
  if (route(index).owner != client.index) {
    return fail(ErrorKind::kDenied, "the route is another client's");
  }
  return index;
}

Result<RouteImage*> Table::route_pointer(Handle self, Handle handle) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<RouteImage*> {
    const std::lock_guard lock(mutex_);
    return own_route(client, handle).and_then([&](std::uint32_t index) -> Result<RouteImage*> {
      RouteImage* image = image_of(index);
      return image != nullptr ? Result<RouteImage*>(image) : no_memory();
    });
  });
}

Result<RouteImage*> Table::lock_route(Handle self, Handle handle, bool exclusive, bool pointer) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<RouteImage*> {
    const std::lock_guard lock(mutex_);
    const auto index = own_route(client, handle);
    if (!index) {
      return tl::unexpected(index.error());
    }
    RouteImage* image = pointer ? image_of(*index) : nullptr;
    if (pointer && image == nullptr) {
      return no_memory();
    }
    return acquire(client, Kind::kDestination, route(*index).destination, exclusive, *index, blocked).map([&] {
      return image;
    });
  });
}

Result<void> Table::unlock_route(Handle self, Handle handle, bool exclusive) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    return own_route(client, handle).and_then([&](std::uint32_t index) -> Result<void> {
      auto unlocked = unlock(client, Kind::kDestination, route(index).destination, exclusive, index);
      if (unlocked && exclusive) {
        refresh_image(index);
      }
      return unlocked;
    });
  });
}

// The next hops and the neighbour that a route's record names: each as often as it does.
std::vector<std::uint32_t> Table::named_by(std::uint32_t index) const {
  std::vector<std::uint32_t> all;
  for_each_hop(route(index).hops, [&](std::uint32_t hop) { all.push_back(hop); });
  if (const std::uint32_t neighbour = route(index).neighbour; neighbour != 0) {
    all.push_back(neighbour);
  }
  return all;
}

bool Table::owe_to_locked_route(Entity& client, std::uint32_t hop) {
  if (hop == 0) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  for (auto& [id, lock_of_one] : locks_) {
    for (ObjectLock::Holder& each : lock_of_one.holders) {
      if (each.client != client.index || !each.exclusive || each.via == 0) {
        continue;
      }
      const std::vector<std::uint32_t> named = named_by(each.via);
      if (std::count(each.debts.begin(), each.debts.end(), hop) < std::count(named.begin(), named.end(), hop)) {
        each.debts.push_back(hop);
        return true;
      }
    }
  }
  return false;
}

Result<std::uint32_t> Table::update_and_unlock_route(Handle self, Handle handle, std::uint32_t time_to_live,
                                                     Handle list) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<std::uint32_t> {
    const std::lock_guard lock(mutex_);
    const auto found = own_route(client, handle);
    if (!found) {
      return tl::unexpected(found.error());
    }
    const std::uint32_t index = *found;
    ObjectLock::Holder* mine = holder(client, Kind::kDestination, route(index).destination, true, index);
    if (mine == nullptr) {
      return fail(ErrorKind::kInvalidArgument, "this thread has not locked the route exclusively");
    }
    if (route(index).state != route_state::kCreated) {
      return bad_route();
    }
    const RouteImage* image = image_of(index);
    if (image == nullptr) {
      return no_memory();
    }
    if (image->hop_count > config_.max_next_hops) {  // before the list is looked at: it does not reach that far
      return fail(ErrorKind::kInvalidArgument, "more next hops than a route of this table may have");
    }
    const bool keeps_policy =
        route(index).by_policy && image->preference.preference == extra(route(index).extra).shown_preference;
    const RouteRequest request{
        .neighbour = image->neighbour,
        .flags = route(index).flags,
        .flags1 = route(index).flags1,
        .preference = {image->preference.metric, keeps_policy ? 0 : image->preference.preference},
        .views = image->views,
        .entity_specific = image->entity_specific,
        .hops = std::span(image->hops, image->hop_count),
        .time_to_live = time_to_live,
        .list = list};
    return check_values(client, request, index).and_then([&](const Values& values) {
      return commit(client, index, values, *mine);
    });
  });
}

Result<std::uint32_t> Table::commit(Entity& client, std::uint32_t index, const Values& values,
                                    ObjectLock::Holder& mine) {
  if (!prepare(route(index), values)) {
    retire_hops(values.hops);
    return no_memory();
  }
  std::vector<std::uint32_t> taken_out = named_by(index);
  std::vector<std::uint32_t> put_in;
  const auto cancel_out = [&](std::uint32_t hop) {
    const auto same = std::find(taken_out.begin(), taken_out.end(), hop);
    same != taken_out.end() ? static_cast<void>(taken_out.erase(same)) : put_in.push_back(hop);
  };
  for_each_hop(values.hops, cancel_out);
  if (values.neighbour != 0) {
    cancel_out(values.neighbour);
  }
  for (const std::uint32_t hop : taken_out) {
    const auto debt = std::find(mine.debts.begin(), mine.debts.end(), hop);
    debt != mine.debts.end() ? static_cast<void>(mine.debts.erase(debt))
                             : static_cast<void>(take(client, Kind::kNextHop, hop));
  }
  const std::uint32_t was_best = update_route(index, values);
  for (const std::uint32_t hop : put_in) {
    drop_under_lock(client, Kind::kNextHop, next_hop_handle(hop));
  }
  static_cast<void>(unlock(client, Kind::kDestination, route(index).destination, true, index));
  return was_best;
}

}  // namespace turnpike::rtm
