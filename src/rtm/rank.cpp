// Ranking: the order of a destination's routes, the best one in each view, and what a change counts as.
//
// The chain of a destination's routes is in order of preference, then metric, then insertion: lower first. The best
// route of a view is the first in the chain that is in the view; but among those that tie with it the one that was the
// best stays (A-06 of the contract). So the best routes are stored, not found.
//
// A change is bracketed: begin_change makes the destination's version odd and notes the best routes, end_change chooses
// anew, makes the version even, and tells the difference to those who registered for it. In between nothing can fail.
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

bool ranks_before(const Route& a, const Route& b) {
  if (a.preference != b.preference) {
    return a.preference < b.preference;
  }
  if (a.metric != b.metric) {
    return a.metric < b.metric;
  }
  return static_cast<std::int32_t>(a.sequence - b.sequence) < 0;  // numbers wrap around
}

}  // namespace

void Table::link(Destination& dest, std::uint32_t index) {
  Route& inserted = route(index);
  Shared<std::uint32_t>* place = &dest.first_route;
  while (*place != 0 && ranks_before(route(*place), inserted)) {
    place = &route(*place).next;
  }
  inserted.next = std::uint32_t{*place};
  *place = index;
}

void Table::unlink(Destination& dest, std::uint32_t index) {
  Shared<std::uint32_t>* place = &dest.first_route;
  while (*place != index) {
    place = &route(*place).next;
  }
  *place = std::uint32_t{route(index).next};
}

void Table::begin_change(Destination& dest, BestRoutes& before) {
  if (!walks_.empty()) [[unlikely]] {
    const auto offset = reinterpret_cast<std::byte*>(&dest) - destinations_.at(0);
    save_for_snapshots(static_cast<std::uint32_t>(static_cast<std::size_t>(offset) / destinations_.stride()));
  }
  if (!dest.is_visible()) {  // it may now appear; who finds it sees that the count has changed (match.cpp)
    appearances_.store(appearances_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  dest.version = dest.version + 1;
  for (unsigned rank = 0; rank < config_.view_count(); ++rank) {
    before[rank] = best(dest, rank);
  }
  if (v1_.is_watching()) {
    v1_.before_change(dest);
  }
}

void Table::choose_best(Destination& dest) {
  ViewSet views = 0;
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    views |= route(i).views;
  }
  dest.views = views;
  for_each_view(config_.views, [&](unsigned view, unsigned rank) {
    const ViewSet bit = ViewSet{1} << view;
    std::uint32_t first = 0;
    if ((views & bit) != 0) {
      const std::uint32_t incumbent = best(dest, rank);
      for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
        if ((route(i).views & bit) == 0) {
          continue;
        }
        if (first != 0 && !(route(i).rank() == route(first).rank())) {
          break;
        }
        if (first == 0 || i == incumbent) {
          first = i;
        }
      }
    }
    best(dest, rank) = first;
  });
}

// Never the same twice, whatever the clock says: a reader who compares two of them sees every change.
void Table::touch(Destination& dest) { dest.last_changed = std::max(port_.file_time(), dest.last_changed + 1); }

std::uint32_t Table::end_change(std::uint32_t index, const BestRoutes& before, std::uint32_t changed, ViewSet affected,
                                ViewSet stayed, std::uint32_t types) {
  Destination& dest = destination(index);
  const ViewSet views_before = dest.views;
  choose_best(dest);
  v1_.count_networks(static_cast<int>(dest.views & 1) - static_cast<int>(views_before & 1));
  touch(dest);
  ViewSet in_best = 0;
  ViewSet in_forwarding = 0;
  bool was_or_is_best = false;
  for_each_view(config_.views, [&](unsigned view, unsigned rank) {
    const ViewSet bit = ViewSet{1} << view;
    const std::uint32_t now = best(dest, rank);
    const bool other = now != before[rank];
    const std::uint32_t counts_as = other ? change::kTypes : now == changed && (stayed & bit) != 0 ? types : 0;
    in_best |= (counts_as & change::kBestRoute) != 0 ? bit : 0;
    in_forwarding |= (counts_as & change::kForwarding) != 0 ? bit : 0;
    was_or_is_best = was_or_is_best || (changed != 0 && (now == changed || before[rank] == changed));
  });
  if ((in_forwarding & 1) != 0) {
    dest.marks.clear(Destination::kInstalled);  // what the kernel has is no longer the best route
  }
  dest.version = dest.version + 1;
  note_change(index, affected | in_best, in_best, in_forwarding);
  if (v1_.is_watching()) {
    v1_.after_change(index);
  }
  return was_or_is_best ? change::kBest : 0;
}

// The views in which the route is the only one.
ViewSet Table::views_of_none_but(const Destination& dest, std::uint32_t index) const {
  ViewSet others = 0;
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    others |= i == index ? 0 : ViewSet{route(i).views};
  }
  return route(index).views & ~others;
}

}  // namespace turnpike::rtm
