// Object locks: a client keeps others away from one destination, its routes, or one next hop.
//
// They are held across calls, by a client and a thread, in a map beside the records; a record's marks say that there is
// one, so a call that meets no lock pays for a look at a byte that it reads anyway. Everything about them happens under
// the table's lock.
//
// What a lock keeps away: other threads' calls that read the object (an exclusive lock) or change it (any lock). They
// wait, and are then tried again from their beginning. The thread that holds the lock itself is told so
// (kInvalidArgument) where it would wait for itself. References, releases and the address of an opaque slot pass: the
// documentation uses them under a lock. So does what the table does on its own: the end of a hold, an expiry, the
// departure of a client. A lock makes calls wait, it does not make time stand still.
//
// A lock pins its object. A client that leaves is relieved of its locks.
#include "rtm/lock.h"

#include <algorithm>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure self_lock() { return fail(ErrorKind::kInvalidArgument, "this thread would wait for its own lock"); }
constexpr Failure not_locked() {
  return fail(ErrorKind::kInvalidArgument, "this thread has not locked the object in that way");
}

bool conflicts(const ObjectLock::Holder& holder, bool writing) { return writing || holder.exclusive; }

}  // namespace

Shared<std::uint16_t>& Table::marks_of(Kind kind, std::uint32_t index) const {
  return kind == Kind::kDestination ? destination(index).marks : next_hop(index).marks;
}

Result<void> Table::access(Kind kind, std::uint32_t index, bool writing, Blocked& blocked) {
  const std::uint16_t mark = writing ? Destination::kLocked : Destination::kLockedExclusively;
  if ((marks_of(kind, index) & mark) == 0) [[likely]] {
    return {};
  }
  const std::lock_guard lock(mutex_);
  return access_under_lock(kind, index, writing, blocked);
}

Result<void> Table::access_under_lock(Kind kind, std::uint32_t index, bool writing, Blocked& blocked) const {
  const std::uint16_t mark = writing ? Destination::kLocked : Destination::kLockedExclusively;
  if ((marks_of(kind, index) & mark) == 0) [[likely]] {
    return {};
  }
  const ObjectLock& there = locks_.at(References::id(kind, index));
  for (const ObjectLock::Holder& holder : there.holders) {
    if (conflicts(holder, writing) && holder.thread == this_thread_number()) {
      return self_lock();
    }
  }
  blocked = {writing ? Blocked::On::kWriting : Blocked::On::kReading, kind, index, word_of(kind, index)->generation()};
  return fail(ErrorKind::kBusy, "somebody has locked the object");
}

bool Table::is_blocked(const Blocked& blocked) const {
  if (blocked.on == Blocked::On::kMethods) {
    const Entity* target = find_caller(make_handle(Kind::kEntity, id_, blocked.generation, blocked.index));
    return target != nullptr && target->methods_blocked;
  }
  if (word_of(blocked.kind, blocked.index)->generation() != blocked.generation) {
    return false;
  }
  const std::uint16_t mark =
      blocked.on == Blocked::On::kWriting ? Destination::kLocked : Destination::kLockedExclusively;
  return (marks_of(blocked.kind, blocked.index) & mark) != 0;
}

ObjectLock::Holder* Table::holder(const Entity& client, Kind kind, std::uint32_t index, bool exclusive,
                                  std::uint32_t via) {
  const auto there = locks_.find(References::id(kind, index));
  if (there == locks_.end()) {
    return nullptr;
  }
  const std::uint64_t me = this_thread_number();
  for (ObjectLock::Holder& each : there->second.holders) {
    if (each.client == client.index && each.thread == me && each.exclusive == exclusive && each.via == via) {
      return &each;
    }
  }
  return nullptr;
}

Result<void> Table::acquire(Entity& client, Kind kind, std::uint32_t index, bool exclusive, std::uint32_t via,
                            Blocked& blocked) {
  if (const auto free = access_under_lock(kind, index, exclusive, blocked); !free) {
    return tl::unexpected(free.error());
  }
  if (ObjectLock::Holder* again = holder(client, kind, index, exclusive, via); again != nullptr) {
    ++again->count;
    return {};
  }
  locks_[References::id(kind, index)].holders.push_back({client.index, this_thread_number(), exclusive, via, 1, {}});
  Shared<std::uint16_t>& marks = marks_of(kind, index);
  marks.set(exclusive ? Destination::kLocked | Destination::kLockedExclusively : Destination::kLocked);
  kind == Kind::kDestination ? pin(destination(index)) : use(index);
  return {};
}

Result<void> Table::unlock(Entity& client, Kind kind, std::uint32_t index, bool exclusive, std::uint32_t via) {
  ObjectLock::Holder* mine = holder(client, kind, index, exclusive, via);
  if (mine == nullptr) {
    return not_locked();
  }
  if (--mine->count == 0) {
    std::vector<ObjectLock::Holder>& holders = locks_.at(References::id(kind, index)).holders;
    holders.erase(holders.begin() + (mine - holders.data()));
    after_unlock(kind, index);
  }
  return {};
}

// One holder less: sets the marks anew and wakes who waits. May be the end of the object.
void Table::after_unlock(Kind kind, std::uint32_t index) {
  const auto there = locks_.find(References::id(kind, index));
  const std::vector<ObjectLock::Holder>& holders = there->second.holders;
  Shared<std::uint16_t>& marks = marks_of(kind, index);
  if (std::none_of(holders.begin(), holders.end(), [](const auto& each) { return each.exclusive; })) {
    marks.clear(Destination::kLockedExclusively);
  }
  if (holders.empty()) {
    marks.clear(Destination::kLocked);
    locks_.erase(there);
  }
  woken_.notify_all();
  if (kind == Kind::kDestination) {
    reawaken(index);
    unpin(index);
  } else {
    unuse(index);
  }
}

// Without the lock, of one who takes no more. In steps, by the buckets of the map: they are numbered anew when another
// client's locks make it grow.
void Table::release_locks_of(const Entity& client) {
  std::size_t bucket = 0;
  std::size_t buckets = 0;
  in_steps([&](auto&& enough) {
    if (std::exchange(buckets, locks_.bucket_count()) != locks_.bucket_count()) {
      bucket = 0;
    }
    while (bucket < buckets) {
      release_locks_in(bucket++, client);
      if (enough()) {
        return true;
      }
    }
    return false;
  });
}

void Table::release_locks_in(std::size_t bucket, const Entity& client) {
  std::vector<std::uint64_t> locked;
  for (auto at = locks_.cbegin(bucket); at != locks_.cend(bucket); ++at) {
    for (const ObjectLock::Holder& each : at->second.holders) {
      if (each.client == client.index) {
        locked.push_back(at->first);
      }
    }
  }
  for (const std::uint64_t id : locked) {
    std::vector<ObjectLock::Holder>& holders = locks_.at(id).holders;
    holders.erase(
        std::find_if(holders.begin(), holders.end(), [&](const auto& each) { return each.client == client.index; }));
    after_unlock(static_cast<Kind>(id >> kIndexBits), static_cast<std::uint32_t>(id & kMaxIndex));
  }
}

Result<void> Table::lock_destination(Handle self, Handle handle, bool exclusive) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
    }
    return acquire(client, Kind::kDestination, index, exclusive, 0, blocked);
  });
}

Result<void> Table::unlock_destination(Handle self, Handle handle, bool exclusive) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kDestination, handle);
    if (index == 0) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
    }
    return unlock(client, Kind::kDestination, index, exclusive, 0);
  });
}

}  // namespace turnpike::rtm
