// Reading without the lock: what a destination and a route look like, consistently, and with a reference for each
// handle shown.
//
// A reader copies the fields, takes the references, and then looks whether the destination's version is still the one
// he began with. If not he gives the references back and begins again. A version that stays odd, or keeps changing,
// makes him take the table's lock, under which nothing changes: so he is done after a bounded number of tries. The
// references are taken in the order destination, route, owner: a route that is held keeps its owner, so each can be
// taken while the one before it is held.
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_handle() {
  return fail(ErrorKind::kInvalidHandle, "the handle is null, stale, or of another kind");
}

// The length that a classful address would have.
unsigned classful_length(std::uint64_t high) {
  return high >> 63 == 0 ? 8 : high >> 62 == 2 ? 16 : high >> 61 == 6 ? 24 : 32;
}

}  // namespace

unsigned Table::views_in(ViewSet views) const { return count_ones(views & config_.views); }

std::uint32_t Table::dest_flags(const Destination& dest, unsigned view, std::uint32_t best_route) const {
  std::uint32_t flags = view == 0 && (dest.marks & Destination::kInstalled) != 0 ? dest_flag::kInstalled : 0;
  flags |= best_route != 0 && (route(best_route).flags & kForwardingFlags) != 0 ? dest_flag::kDontForward : 0;
  return flags;
}

// A route that is going away may have outlived its owner.
bool Table::is_of_protocol(const Route& its, std::uint32_t protocol) const {
  const Entity* owner = entity_at(its.owner);
  return owner != nullptr && owner->info.protocol == protocol;
}

// One view's record. False: a route went away under our hands, and no reference was taken.
bool Table::fill_view(Entity& client, const Destination& dest, unsigned view, unsigned rank, std::uint32_t protocol,
                      std::uint32_t common_flags, ViewImage& out) {
  const ViewSet bit = ViewSet{1} << view;
  const std::uint32_t best_route = best(dest, rank);
  std::uint32_t shown = protocol == kBestProtocol ? best_route : 0;
  std::uint32_t count = 0;
  for (std::uint32_t i = dest.first_route; i != 0; i = route(i).next) {
    const bool is_in = (route(i).views & bit) != 0;
    count += is_in ? 1 : 0;
    if (shown == 0 && is_in && protocol != kBestProtocol && is_of_protocol(route(i), protocol)) {
      shown = i;
    }
  }
  out.view = static_cast<std::int32_t>(view);
  out.route_count = count;
  out.route = out.owner = out.hold_route = Handle::kNone;
  out.flags = common_flags | dest_flags(dest, view, best_route);
  if (shown != 0) {
    const ClientIndex owner = route(shown).owner;
    const Handle handle = route_handle(shown);
    if (!take(client, Kind::kRoute, shown)) {
      return false;
    }
    out.route = handle;
    out.owner = entity_at(owner)->handle;
    client.references.take(owner);
  }
  if ((dest.held & bit) != 0) {
    const DestinationExtra* its = dest.extra;
    const std::uint32_t held = its != nullptr ? its->hold_routes[rank] : 0;
    if (held != 0) {
      const Handle handle = route_handle(held);
      if (!take(client, Kind::kRoute, held)) {
        drop_view(client, out);
        return false;
      }
      out.hold_route = handle;
    }
  }
  return true;
}

bool Table::drop_view(Entity& client, const ViewImage& view) {
  const bool route = view.route == Handle::kNone || drop(client, Kind::kRoute, view.route);
  const bool owner = view.owner == Handle::kNone || drop(client, Kind::kEntity, view.owner);
  const bool held = view.hold_route == Handle::kNone || drop(client, Kind::kRoute, view.hold_route);
  return route && owner && held;
}

bool Table::fill_views(Entity& client, const Destination& dest, std::uint32_t protocol, ViewSet views, DestImage& out) {
  const std::uint64_t changed = dest.last_changed;
  out.last_changed = {static_cast<std::uint32_t>(changed), static_cast<std::uint32_t>(changed >> 32)};
  out.views = dest.views;
  out.view_count = 0;
  const Key key = key_of(index_of(out.destination));
  const std::uint32_t common = config_.classful && key.length == classful_length(key.high) ? dest_flag::kNaturalNet : 0;
  bool good = true;
  for_each_view(views, [&](unsigned view, unsigned rank) {
    if (good && (good = fill_view(client, dest, view, rank, protocol, common, out.view[out.view_count]))) {
      ++out.view_count;
    }
  });
  if (!good) {
    drop_views(client, out);
  }
  return good;
}

void Table::drop_views(Entity& client, const DestImage& info) {
  for (std::uint32_t i = 0; i < info.view_count; ++i) {
    drop_view(client, info.view[i]);
  }
}

// Takes the reference on the destination itself, unless the caller has done it (`is_taken`: then a failure keeps it).
Table::Filled Table::fill(Entity& client, std::uint32_t index, std::uint32_t protocol, ViewSet views, DestImage& out,
                          Blocked& blocked, bool is_taken) {
  Destination& dest = destination(index);
  if (const auto free = access(Kind::kDestination, index, false, blocked); !free) {
    return blocked ? Filled::kBlocked : Filled::kOwnLock;
  }
  const std::uint32_t generation = dest.references.generation();
  if (!is_taken && !take(client, Kind::kDestination, index)) {
    return Filled::kGone;
  }
  out.destination = make_handle(Kind::kDestination, id_, generation, index);
  write_address(key_of(index), out.address);
  const std::uint32_t wanted = protocol == kThisProtocol ? client.info.protocol : protocol;
  const bool good = consistently(
      dest, [&] { return fill_views(client, dest, wanted, views, out); }, [&] { drop_views(client, out); });
  if (!good) {
    if (!is_taken) {
      drop(client, Kind::kDestination, out.destination);
    }
    return Filled::kNoMemory;
  }
  return Filled::kYes;
}

Result<void> Table::filled(Filled how) {
  switch (how) {
    case Filled::kYes:
    case Filled::kBlocked:
      return {};
    case Filled::kOwnLock:
      return fail(ErrorKind::kInvalidArgument, "this thread itself has locked the destination");
    case Filled::kNoMemory:
      return fail(ErrorKind::kExhausted, "no memory for a reference");
    case Filled::kGone:
      break;
  }
  return fail(ErrorKind::kInvalidHandle, "the destination is gone");
}

Result<void> Table::dest_info(Handle self, Handle handle, std::uint32_t protocol, ViewSet views, DestImage& out) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return bad_handle();
    }
    return filled(fill(client, index, protocol, views, out, blocked));
  });
}

bool Table::drop_dest(Entity& client, const DestImage& info) {
  bool good = info.destination == Handle::kNone || drop(client, Kind::kDestination, info.destination);
  for (std::uint32_t i = 0; i < info.view_count; ++i) {
    good = drop_view(client, info.view[i]) && good;
  }
  return good;
}

Result<void> Table::release_dest_infos(Handle self, std::uint32_t count, const std::byte* infos) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    bool good = true;
    for (const std::byte* at = infos; count-- != 0;) {
      const auto& info = *reinterpret_cast<const DestImage*>(at);
      if (info.view_count > kMaxViews) {
        return fail(ErrorKind::kInvalidArgument, "no such record: more views than there can be");
      }
      good = drop_dest(client, info) && good;
      at += size_of_dest_image(info.view_count);
    }
    return good ? Result<void>() : bad_handle();
  });
}

Result<void**> Table::opaque_slot(Handle self, Handle handle) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void**> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return bad_handle();
    }
    if (client.opaque_slot < 0) {
      return fail(ErrorKind::kNotFound, "the client has not reserved a slot");
    }
    return &extra_of(destination(index))->slots[static_cast<std::size_t>(client.opaque_slot)];
  });
}

Result<void> Table::set_installed(Handle self, Handle handle, bool installed) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return bad_handle();
    }
    Shared<std::uint16_t>& marks = destination(index).marks;
    installed ? marks.set(Destination::kInstalled) : marks.clear(Destination::kInstalled);
    return {};
  });
}

// --- routes
// --------------------------------------------------------------------------------------------------------------

// Takes a reference for each handle of the image; all or none.
bool Table::take_image(Entity& client, const RouteImage& image) {
  if (!take(client, Kind::kDestination, index_of(image.destination))) {
    return false;
  }
  std::uint32_t taken = 0;
  bool good = image.neighbour == Handle::kNone || take(client, Kind::kNextHop, index_of(image.neighbour));
  const bool has_neighbour = good && image.neighbour != Handle::kNone;
  while (good && taken < image.hop_count) {
    good = take(client, Kind::kNextHop, index_of(image.hops[taken]));
    taken += good ? 1 : 0;
  }
  if (good) {
    client.references.take(static_cast<ClientIndex>(index_of(image.owner)));
    return true;
  }
  while (taken != 0) {
    drop(client, Kind::kNextHop, image.hops[--taken]);
  }
  if (has_neighbour) {
    drop(client, Kind::kNextHop, image.neighbour);
  }
  drop(client, Kind::kDestination, image.destination);
  return false;
}

bool Table::drop_image(Entity& client, const RouteImage& image) {
  bool good = image.destination == Handle::kNone || drop(client, Kind::kDestination, image.destination);
  good = (image.owner == Handle::kNone || drop(client, Kind::kEntity, image.owner)) && good;
  good = (image.neighbour == Handle::kNone || drop(client, Kind::kNextHop, image.neighbour)) && good;
  for (std::uint32_t i = 0; i < image.hop_count; ++i) {
    good = (image.hops[i] == Handle::kNone || drop(client, Kind::kNextHop, image.hops[i])) && good;
  }
  return good;
}

// The caller's buffer has room for as many next hops as a route may have, and may be released with some of them gone.
bool Table::read_route(Entity& client, std::uint32_t index, RouteImage& out) {
  if (!take(client, Kind::kRoute, index)) {  // so that what it names stays
    return false;
  }
  const Handle handle = route_handle(index);
  const bool good = consistently(
      destination(route(index).destination),
      [&] {
        write_image(index, out);
        return take_image(client, out);
      },
      [&] { drop_image(client, out); });
  drop(client, Kind::kRoute, handle);
  return good;
}

Result<void> Table::route_info(Handle self, Handle handle, RouteImage* out, NetAddress* address) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const std::uint32_t index = find(Kind::kRoute, handle);
    if (index == 0) {
      return bad_handle();
    }
    const std::uint32_t dest = route(index).destination;
    if (const auto free = access(Kind::kDestination, dest, false, blocked); !free) {
      return tl::unexpected(free.error());
    }
    const Key key = key_of(dest);
    if (out != nullptr && !read_route(client, index, *out)) {
      return bad_handle();
    }
    if (address != nullptr) {
      write_address(key, *address);
    }
    return {};
  });
}

Result<void> Table::release_route_info(Handle self, const RouteImage& info) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    if (info.hop_count > config_.max_next_hops) {
      return fail(ErrorKind::kInvalidArgument, "no such route: more next hops than a route of this table may have");
    }
    return drop_image(client, info) ? Result<void>() : bad_handle();
  });
}

Result<ViewSet> Table::best_in_views(Handle self, Handle handle) {
  return attempt(self, [&](Entity&, Blocked& blocked) -> Result<ViewSet> {
    const std::uint32_t index = find(Kind::kRoute, handle);
    if (index == 0) {
      return bad_handle();
    }
    const std::uint32_t dest = route(index).destination;
    if (const auto free = access(Kind::kDestination, dest, false, blocked); !free) {
      return tl::unexpected(free.error());
    }
    ViewSet views = 0;
    for_each_view(config_.views, [&](unsigned view, unsigned rank) {
      views |= best(destination(dest), rank) == index ? ViewSet{1} << view : 0;
    });
    return views;
  });
}

}  // namespace turnpike::rtm
