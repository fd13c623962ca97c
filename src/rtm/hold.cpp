// Hold-down: a destination keeps the last route of a view for a while after it was deleted, so that distance-vector
// protocols go on to advertise it as unreachable.
//
// hold_destination leaves a mark: views, and a time (the longest that anybody asked for). When the last route of a
// marked view is deleted it becomes the hold route of that view. The first such deletion starts the one timer of the
// destination; views that lose their last route while it runs join in; its end ends the hold in all views, and uses up
// the mark. Only one route can be held in a view: during a hold the first stays.
//
// A route that an update takes out of a view is deleted from that view, so it may be held there while it lives on in
// others. A route whose owner leaves is not held, and what is held of that owner's is let go; the time that runs for
// the destination goes on.
#include "base/log.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {

Result<void> Table::hold_destination(Handle self, Handle handle, ViewSet views, std::uint32_t milliseconds) {
  return attempt(self, [&](Entity&, Blocked& blocked) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
    }
    if (milliseconds == 0 || (views & config_.views) == 0) {
      return fail(ErrorKind::kInvalidArgument, "a hold of no time, or in no view of this table");
    }
    if (const auto free = access_under_lock(Kind::kDestination, index, true, blocked); !free) {
      return tl::unexpected(free.error());
    }
    DestinationExtra& its = *extra_of(destination(index));
    its.hold_wanted |= views & config_.views;
    its.hold_time = std::max(its.hold_time, milliseconds);
    return {};
  });
}

// Within a change: the route was the last in those views. True if it is held in any.
bool Table::start_hold(Destination& dest, std::uint32_t index, ViewSet last_in) {
  DestinationExtra* its = dest.extra;
  const ViewSet views = its != nullptr ? its->hold_wanted & last_in & ~dest.held : 0;
  if (views == 0) {
    return false;
  }
  if (!deadlines_.reserve_one()) {
    TURNPIKE_LOG(LogLevel::kWarning, "rtm", "no memory for a hold-down");
    return false;
  }
  for_each_view(views, [&](unsigned, unsigned rank) { its->hold_routes[rank] = index; });
  dest.held = dest.held | views;
  return true;
}

void Table::set_hold_timer(std::uint32_t index) {
  DestinationExtra& its = *destination(index).extra;
  if (its.hold_runs) {
    return;
  }
  its.hold_runs = true;
  if (its.hold_time != kInfinite) {  // else until its route's owner leaves
    set_deadline({port_.nanoseconds() + its.hold_time * std::uint64_t{1000000}, index, Deadlines::What::kHold, 0,
                  &its.hold_timer});
  }
}

void Table::end_hold(std::uint32_t index, ViewSet views) {
  Destination& dest = destination(index);
  DestinationExtra& its = *dest.extra;
  views &= dest.held;
  std::array<std::uint32_t, kMaxViews> ended{};
  unsigned count = 0;
  BestRoutes before;
  begin_change(dest, before);
  for_each_view(views, [&](unsigned, unsigned rank) {
    ended[count++] = its.hold_routes[rank];
    its.hold_routes[rank] = 0;
  });
  dest.held = dest.held & ~views;
  if (its.hold_timer == 0 &&
      dest.held == 0) {  // else the time goes on for views that have yet to lose their last route
    its.hold_runs = false;
    its.hold_wanted = 0;
    its.hold_time = 0;
  }
  touch(dest);
  dest.version = dest.version + 1;
  note_change(index, views, views, 0);
  for (unsigned i = 0; i < count; ++i) {
    bool is_held = false;
    for_each_view(dest.held, [&](unsigned, unsigned rank) { is_held = is_held || its.hold_routes[rank] == ended[i]; });
    if (is_held || route(ended[i]).state != route_state::kDeleting) {
      ended[i] = 0;  // held in another view, or alive in one, or the same one again
      continue;
    }
    route(ended[i]).state = route_state::kDeleted;
    refresh_image(ended[i]);
  }
  for (unsigned i = 0; i < count; ++i) {
    if (ended[i] != 0 && route(ended[i]).references.unroot()) {
      free_route(ended[i]);  // and perhaps with the last of them the destination
    }
  }
}

ViewSet Table::views_held_in(std::uint32_t index) const {
  const Destination& dest = destination(route(index).destination);
  ViewSet views = 0;
  for_each_view(dest.held, [&](unsigned view, unsigned rank) {
    views |= static_cast<DestinationExtra*>(dest.extra)->hold_routes[rank] == index ? ViewSet{1} << view : 0;
  });
  return views;
}

}  // namespace turnpike::rtm
