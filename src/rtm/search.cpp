// Searching: by prefix, without the table's lock; and for one route among those of a destination.
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure not_found() { return fail(ErrorKind::kNotFound, "no such destination or route"); }

}  // namespace

// The record of a destination that will be read next, and that of its route, if the two were made together: most are.
// Asked for at once, they come at the same time.
void Table::prefetch(std::uint32_t dest) const {
  __builtin_prefetch(routes_.at(dest), 1);
  __builtin_prefetch(destinations_.at(dest), 1);
}

// Whether a search in those views may show it.
bool Table::is_in(const Destination& dest, ViewSet views) const {
  return views == kAnyView ? dest.is_visible() : (dest.views & views & config_.views) != 0;
}

// find() names a destination, or 0. One that goes away before it could be referenced is looked for again.
template <class Find>
Result<void> Table::search(Handle self, std::uint32_t protocol, ViewSet views, DestImage& out, Find&& find) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    while (true) {
      const Result<std::uint32_t> found = find();
      if (!found) {
        return tl::unexpected(found.error());
      }
      if (*found == 0) {
        return not_found();
      }
      if (const Filled how = fill(client, *found, protocol, views, out, blocked); how != Filled::kGone) {
        return filled(how);
      }
    }
  });
}

Result<void> Table::exact_destination(Handle self, const NetAddress& address, std::uint32_t protocol, ViewSet views,
                                      DestImage& out) {
  return search(self, protocol, views, out, [&]() -> Result<std::uint32_t> {
    return key_from(address).map([&](const Key& key) {
      const std::uint32_t dest = trie_.find(key);
      return dest != 0 && is_in(destination(dest), views) ? dest : 0;
    });
  });
}

Result<void> Table::most_specific_destination(Handle self, const NetAddress& address, std::uint32_t protocol,
                                              ViewSet views, DestImage& out) {
  return search(self, protocol, views, out, [&]() -> Result<std::uint32_t> {
    return key_from(address).map([&](const Key& key) {
      return trie_.longest(key, [&](std::uint32_t dest) {
        prefetch(dest);
        return is_in(destination(dest), views);
      });
    });
  });
}

Result<void> Table::less_specific_destination(Handle self, Handle handle, std::uint32_t protocol, ViewSet views,
                                              DestImage& out) {
  return search(self, protocol, views, out, [&]() -> Result<std::uint32_t> {
    if (handle == Handle::kNone) {
      return fail(ErrorKind::kInvalidArgument, "no destination to begin with");
    }
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
    }
    const Key key = key_of(index);
    if (key.length == 0) {
      return 0;
    }
    return trie_.longest(masked(key, key.length - 1U),
                         [&](std::uint32_t dest) { return is_in(destination(dest), views); });
  });
}

// --- routes by criteria
// --------------------------------------------------------------------------------------------------

Result<void> Table::check_criteria(const RouteCriteria& criteria) const {
  const auto bad = [] { return fail(ErrorKind::kInvalidHandle, "a criterion is not the handle that it should be"); };
  if ((criteria.flags & match::kOwner) != 0 && find_entity(criteria.owner) == nullptr) {
    return bad();
  }
  if ((criteria.flags & match::kNeighbour) != 0 && criteria.neighbour != Handle::kNone &&
      find(Kind::kNextHop, criteria.neighbour) == 0) {
    return bad();
  }
  if ((criteria.flags & match::kNextHop) != 0 && find(Kind::kNextHop, criteria.hop) == 0) {
    return bad();
  }
  return {};
}

bool Table::matches(const Route& its, const RouteCriteria& criteria, ViewSet views) const {
  const std::uint32_t flags = criteria.flags;
  if (views != kAnyView && (its.views & views & config_.views) == 0) {
    return false;
  }
  if (((flags & match::kOwner) != 0 && its.owner != index_of(criteria.owner)) ||
      ((flags & match::kNeighbour) != 0 && its.neighbour != index_of(criteria.neighbour)) ||
      ((flags & match::kPreference) != 0 && its.rank() != criteria.preference) ||
      ((flags & match::kNextHop) != 0 && !has_hop(its.hops, index_of(criteria.hop)))) {
    return false;
  }
  bool on_interface = (flags & match::kInterface) == 0;
  if (!on_interface) {
    for_each_hop(its.hops, [&](std::uint32_t hop) {
      on_interface = on_interface || next_hop(hop).interface_index == criteria.interface_index;
    });
  }
  return on_interface;
}

bool Table::is_best_in(const Destination& dest, std::uint32_t index, ViewSet views) const {
  bool is_best = false;
  for_each_view(views == kAnyView ? kAllViews : views,
                [&](unsigned, unsigned rank) { is_best = is_best || best(dest, rank) == index; });
  return is_best;
}

// The best-ranked one that matches; among those that tie, one that is the best of a view.
std::uint32_t Table::first_match(const Destination& dest, const RouteCriteria& criteria, ViewSet views) const {
  std::uint32_t first = 0;
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    if (!matches(route(i), criteria, views)) {
      continue;
    }
    if (first == 0) {
      first = i;
    } else if (!(route(i).rank() == route(first).rank())) {
      break;
    }
    if (is_best_in(dest, i, views)) {
      return i;
    }
  }
  return first;
}

Result<Handle> Table::exact_route(Handle self, const NetAddress& address, const RouteCriteria& criteria, ViewSet views,
                                  RouteImage* out, bool reference) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<Handle> {
    const auto key = key_from(address);
    if (!key) {
      return tl::unexpected(key.error());
    }
    const std::lock_guard lock(mutex_);
    if (const auto good = check_criteria(criteria); !good) {
      return tl::unexpected(good.error());
    }
    const std::uint32_t dest = trie_.find(*key);
    if (dest != 0) {
      if (const auto free = access_under_lock(Kind::kDestination, dest, false, blocked); !free) {
        return tl::unexpected(free.error());
      }
    }
    const std::uint32_t index = dest != 0 ? first_match(destination(dest), criteria, views) : 0;
    if (index == 0) {
      return not_found();
    }
    if (reference && !take(client, Kind::kRoute, index)) {
      return fail(ErrorKind::kExhausted, "no memory for a reference");
    }
    if (out != nullptr) {
      write_image(index, *out);
      if (!take_image(client, *out)) {
        return fail(ErrorKind::kExhausted, "no memory for a reference");
      }
    }
    return route_handle(index);
  });
}

}  // namespace turnpike::rtm
