// What whoever follows the whole table needs beyond what any client has: to read a million destinations without a
// reference on each thing that they name, to say of many at once that they are installed, and never to wait for a
// client that holds an object lock.
//
// A forwarder's read is a copy: prefix, flags, owner and next hops of the best unicast route, consistent as of one
// version of the destination. It keeps nothing alive but the destination, which the forwarder has had since it was told
// of the change. Whatever changes after the copy makes the destination wait in the registration again; that is also how
// set_installed knows that what was written is out of date, and leaves the mark alone.
#include <utility>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

// Destinations in one hold of the lock: some 10 µs.
constexpr std::size_t kInOneHold = 256;

constexpr Failure bad_registration() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of a change registration of this client");
}
constexpr Failure bad_dest() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
}

}  // namespace

Table::NeverWaits::NeverWaits() { ++never_waits; }
Table::NeverWaits::~NeverWaits() { --never_waits; }

Result<std::size_t> Table::changed_handles(Handle self, Handle handle, std::size_t most, std::vector<Handle>& out) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<std::size_t> {
    std::vector<std::uint32_t> taken;
    taken.reserve(std::min(most, kInOneHold));
    std::size_t count = 0;
    for (std::size_t wanted = 1; count < most && wanted != 0;) {
      taken.clear();
      wanted = std::min(most - count, kInOneHold);
      out.reserve(out.size() + wanted);
      const std::lock_guard lock(mutex_);
      ChangeRegistration* registration = find_registration(client, handle);
      if (registration == nullptr) {
        return bad_registration();
      }
      take_changes(client, *registration, static_cast<std::uint32_t>(wanted), taken);
      for (const std::uint32_t dest : taken) {
        out.push_back(dest_handle(dest));
      }
      count += taken.size();
      wanted = taken.size() < wanted ? 0 : wanted;
    }
    return count;
  });
}

Result<void> Table::forwarding(Handle self, Handle handle, Forwarding& out) {
  return attempt(self, [&](Entity&, Blocked& blocked) -> Result<void> {
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return bad_dest();
    }
    const Destination& dest = destination(index);
    write_address(key_of(index), out.destination);
    if (const auto free = access(Kind::kDestination, index, false, blocked); !free) {
      return tl::unexpected(free.error());
    }
    const auto read = [&] {
      const std::uint32_t chosen = (config_.views & 1) != 0 ? best(dest, rank_of_view(0)) : 0;
      out.has_route = chosen != 0;
      out.hop_count = 0;
      if (chosen == 0) {
        return true;
      }
      const Route& its = route(chosen);
      const Entity* owner = entity_at(its.owner);
      out.owner = owner != nullptr ? owner->handle : Handle::kNone;
      out.flags = its.flags;
      out.on_link = owner != nullptr && owner->v1 != nullptr && (its.flags & kLocalFlag) != 0;
      for_each_hop(its.hops, [&](std::uint32_t hop) {
        if (out.hop_count < out.hops.size()) {
          out.hops[out.hop_count++] = next_hop_handle(hop);
        }
      });
      return true;
    };
    consistently(dest, read, [] {});
    return {};
  });
}

void Table::expect_forwarding(std::uint32_t dest_index) const {
  if (dest_index < destinations_.limit() && dest_index < routes_.limit()) {
    prefetch(dest_index);
  }
}

Result<Handle> Table::find_destination(Handle self, const NetAddress& address) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<Handle> {
    const auto key = key_from(address);
    if (!key) {
      return tl::unexpected(key.error());
    }
    const std::uint32_t dest = trie_.find(*key);
    return dest != 0 ? Result<Handle>(dest_handle(dest)) : fail(ErrorKind::kNotFound, "no such destination");
  });
}

Result<void> Table::set_installed(Handle self, Handle handle, std::span<const Handle> dests, bool installed) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    while (!dests.empty()) {
      const std::size_t count = std::min(dests.size(), kInOneHold);
      const std::lock_guard lock(mutex_);
      const ChangeRegistration* registration = find_registration(client, handle);
      if (registration == nullptr) {
        return bad_registration();
      }
      for (const Handle dest : dests.first(count)) {
        if (const std::uint32_t index = find(Kind::kDestination, dest);
            index != 0 && !registration->waiting.has(index)) {
          Shared<std::uint16_t>& marks = destination(index).marks;
          installed ? marks.set(Destination::kInstalled) : marks.clear(Destination::kInstalled);
        }
      }
      dests = dests.subspan(count);
    }
    return {};
  });
}

Result<void> Table::release_destinations(Handle self, std::span<const Handle> dests) {
  return release_all(self, Kind::kDestination, dests);
}

}  // namespace turnpike::rtm
