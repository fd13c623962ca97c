// Change notification: which destinations have changed, for each registration that asked.
//
// A registration is told that there is something (one event, re-armed before the callback runs) and fetches the set
// when it likes, with the state of that moment. A destination that somebody has locked exclusively is left in the set
// and fetched later: the unlock tells the registration anew. So a client that holds an object lock for long does not
// hold up those who follow the table.
#include "rtm/notify.h"

#include <algorithm>

#include "base/log.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_registration() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of a change registration of this client");
}
constexpr Failure bad_dest() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
}

}  // namespace

bool ChangeRegistration::push(std::uint32_t dest) {
  if (waiting.has(dest)) {
    return false;
  }
  queue_.push_back(dest);
  try {
    return waiting.insert(dest);
  } catch (...) {
    queue_.pop_back();
    throw;
  }
}

std::uint32_t ChangeRegistration::pop() {
  while (!queue_.empty()) {
    const std::uint32_t dest = queue_.front();
    queue_.pop_front();
    if (const auto counted = void_.find(dest); counted != void_.end()) {
      --void_count_;
      if (--counted->second == 0) {
        void_.erase(counted);
      }
    } else {
      waiting.erase(dest);
      return dest;
    }
  }
  return 0;
}

bool ChangeRegistration::withdraw(std::uint32_t dest) {
  if (!waiting.has(dest)) {
    return false;
  }
  ++void_[dest];
  ++void_count_;
  waiting.erase(dest);
  if (void_count_ > waiting.size() + 64) {
    clean();
  }
  return true;
}

// Where there is no memory for it, later.
void ChangeRegistration::clean() try {
  std::deque<std::uint32_t> kept;
  auto left = void_;
  for (const std::uint32_t dest : queue_) {
    if (const auto counted = left.find(dest); counted != left.end() && counted->second != 0) {
      --counted->second;
    } else {
      kept.push_back(dest);
    }
  }
  queue_.swap(kept);
  void_.clear();
  void_count_ = 0;
} catch (const std::bad_alloc&) {
}

// --- what happens in the table
// ---------------------------------------------------------------------------------------------

void Table::note_change(std::uint32_t dest, ViewSet all, ViewSet best, ViewSet forwarding) {
  if (registrations_.size() == 0 || all == 0) {
    return;
  }
  registrations_.for_each([&](std::uint32_t index, ChangeRegistration& each) {
    if (each.wants(all, best, forwarding) && (!each.only_marked || each.marked.has(dest))) {
      queue_change(each, index, dest);
    }
  });
}

void Table::queue_change(ChangeRegistration& registration, std::uint32_t index, std::uint32_t dest) {
  try {
    if (registration.push(dest)) {
      pin(destination(dest));
    }
  } catch (const std::bad_alloc&) {
    TURNPIKE_LOG(LogLevel::kError, "rtm", "no memory to queue a change");
  }
  schedule_event(registration, index);
}

void Table::schedule_event(ChangeRegistration& registration, std::uint32_t index) {
  registration.raise(true);
  if (!registration.scheduled) {
    registration.scheduled =
        queue_event(*entity_at(registration.owner),
                    {EventType::kChangeNotification, index, generation_of(registrations_.handle_at(index))});
  }
}

// It does not wait any more. May be the end of the destination.
void Table::unwait(ChangeRegistration& registration, std::uint32_t dest) {
  if (registration.withdraw(dest)) {
    unpin(dest);
  }
}

// After an unlock: those who had to leave the destination where it was are told again.
void Table::reawaken(std::uint32_t dest) {
  registrations_.for_each([&](std::uint32_t index, ChangeRegistration& each) {
    if (each.waiting.has(dest)) {
      schedule_event(each, index);
    }
  });
}

// --- registering
// -----------------------------------------------------------------------------------------------------------

ChangeRegistration* Table::find_registration(const Entity& client, Handle handle) const {
  ChangeRegistration* found = registrations_.find(handle);
  return found != nullptr && found->owner == client.index ? found : nullptr;
}

Result<Handle> Table::register_for_changes(Handle self, ViewSet views, std::uint32_t flags, void* context) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    if ((flags & change::kTypes) == 0 || (flags & ~(change::kTypes | change::kOnlyMarked)) != 0) {
      return fail(ErrorKind::kInvalidArgument, "no kind of change, or one that there is not");
    }
    if (!supports(views)) {
      return fail(ErrorKind::kUnsupported, "a view that this table does not have");
    }
    const std::lock_guard lock(mutex_);
    if (registrations_.size() >= config_.change_registrations) {
      return fail(ErrorKind::kExhausted, "the table has as many change registrations as it may");
    }
    auto made = std::make_unique<ChangeRegistration>();
    made->owner = client.index;
    made->views = views;
    made->watched = views == kAnyView ? kAllViews : views;
    made->types = flags & change::kTypes;
    made->only_marked = (flags & change::kOnlyMarked) != 0;
    made->context = context;
    return registrations_.add(std::move(made)).first;
  });
}

Result<int> Table::change_signal(Handle self, Handle handle, const std::function<ChangeSignal()>& make) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<int> {
    const std::lock_guard lock(mutex_);
    ChangeRegistration* registration = find_registration(client, handle);
    if (registration == nullptr) {
      return bad_registration();
    }
    if (!registration->signal.raise) {
      ChangeSignal made = make();
      if (!made.raise) {
        return fail(ErrorKind::kExhausted, "no descriptor is left");
      }
      registration->signal = std::move(made);
      if (registration->raised) {
        registration->signal.raise(true);
      }
    }
    return registration->signal.token;
  });
}

Result<void> Table::deregister_from_changes(Handle self, Handle handle) {
  std::unique_ptr<ChangeRegistration> gone;
  {
    Lock lock(mutex_);
    Entity* client = find_caller(self);
    if (client == nullptr || find_registration(*client, handle) == nullptr) {
      return bad_registration();
    }
    gone = registrations_.remove(index_of(handle));
    ++client->waiting;
    woken_.wait(lock, [&] {
      return client->delivering == 0 || client->delivering == this_thread_number() || client->told != handle;
    });
    --client->waiting;
    woken_.notify_all();
  }
  drain(*gone);
  return {};
}

// Lets go of every destination that waits or is marked.
void Table::drain(ChangeRegistration& gone) {
  for (BitSet* set : {&gone.waiting, &gone.marked}) {
    std::uint32_t from = 1;
    in_steps([&](auto&& enough) {
      while (from != 0) {
        from = set->take(from, 16, [&](std::uint32_t dest) {
          unpin(dest);
          enough();
        });
        if (from != 0 && enough()) {
          return true;
        }
      }
      return false;
    });
  }
}

// --- fetching
// --------------------------------------------------------------------------------------------------------------

// Takes up to so many out of the set, each with a reference of the client's, so that it stays until it has been looked
// at.
void Table::take_changes(Entity& client, ChangeRegistration& registration, std::uint32_t capacity,
                         std::vector<std::uint32_t>& taken) {
  for (std::size_t left = registration.waiting.size(); taken.size() < capacity && left != 0; --left) {
    const std::uint32_t dest = registration.pop();
    if ((destination(dest).marks & Destination::kLockedExclusively) != 0 || !take(client, Kind::kDestination, dest)) {
      registration.push(dest);
      continue;
    }
    unpin(dest);
    taken.push_back(dest);
  }
  if (taken.size() < capacity) {
    registration.raise(false);  // none is left, or none that may be looked at now
  }
}

Result<std::uint32_t> Table::changed_dests(Handle self, Handle handle, std::uint32_t capacity, std::byte* out) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<std::uint32_t> {
    std::vector<std::uint32_t> taken;
    taken.reserve(capacity);
    ViewSet views = kAnyView;
    {
      const std::lock_guard lock(mutex_);
      ChangeRegistration* registration = find_registration(client, handle);
      if (registration == nullptr) {
        return bad_registration();
      }
      views = registration->views;
      take_changes(client, *registration, capacity, taken);
    }
    for (const std::uint32_t dest : taken) {
      prefetch(dest);
    }
    const std::size_t stride = size_of_dest_image(views_in(views));
    std::uint32_t count = 0;
    for (const std::uint32_t dest : taken) {
      auto& record = *reinterpret_cast<DestImage*>(out + count * stride);
      Blocked blocked;
      if (fill(client, dest, kBestProtocol, views, record, blocked, true) == Filled::kYes) {
        ++count;
      } else {
        give_back_change(client, handle, dest);
      }
    }
    return count != 0 ? Result<std::uint32_t>(count) : fail(ErrorKind::kNoMoreItems, "no more changes");
  });
}

// Somebody locked it in the meantime: it waits again.
void Table::give_back_change(Entity& client, Handle handle, std::uint32_t dest) {
  const std::lock_guard lock(mutex_);
  if (ChangeRegistration* registration = find_registration(client, handle); registration != nullptr) {
    queue_change(*registration, index_of(handle), dest);
  }
  drop_under_lock(client, Kind::kDestination, dest_handle(dest));
}

Result<void> Table::release_changed_dests(Handle self, Handle handle, std::uint32_t count, const std::byte* infos) {
  const auto known = attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    return find_registration(client, handle) != nullptr ? Result<void>() : bad_registration();
  });
  return known ? release_dest_infos(self, count, infos) : known;
}

// --- one destination in one registration
// -------------------------------------------------------------------------------------

template <class Act>
auto Table::with_change(Handle self, Handle handle, Handle dest, Act&& act)
    -> Result<decltype(act(std::declval<ChangeRegistration&>(), 0U))> {
  using Answer = Result<decltype(act(std::declval<ChangeRegistration&>(), 0U))>;
  return attempt(self, [&](Entity& client, Blocked&) -> Answer {
    const std::lock_guard lock(mutex_);
    ChangeRegistration* registration = find_registration(client, handle);
    const std::uint32_t index = find(Kind::kDestination, dest);
    if (registration == nullptr || index == 0) {
      return registration == nullptr ? bad_registration() : bad_dest();
    }
    return act(*registration, index);
  });
}

Result<void> Table::ignore_changed_dests(Handle self, Handle handle, std::span<const Handle> dests) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    ChangeRegistration* registration = find_registration(client, handle);
    if (registration == nullptr) {
      return bad_registration();
    }
    for (const Handle dest : dests) {
      if (find(Kind::kDestination, dest) == 0) {
        return bad_dest();
      }
    }
    for (const Handle dest : dests) {
      unwait(*registration, index_of(dest));
    }
    return {};
  });
}

Result<bool> Table::change_status(Handle self, Handle handle, Handle dest) {
  return with_change(self, handle, dest,
                     [](ChangeRegistration& its, std::uint32_t index) { return its.waiting.has(index); });
}

Result<bool> Table::is_marked_for_changes(Handle self, Handle handle, Handle dest) {
  return with_change(self, handle, dest,
                     [](ChangeRegistration& its, std::uint32_t index) { return its.marked.has(index); });
}

Result<void> Table::mark_for_changes(Handle self, Handle handle, Handle dest, bool mark) {
  return with_change(self, handle, dest,
                     [&](ChangeRegistration& its, std::uint32_t index) {
                       if (mark) {
                         if (its.marked.insert(index)) {
                           pin(destination(index));
                         }
                         return true;
                       }
                       const bool was_marked = its.marked.erase(index);
                       if (its.only_marked) {
                         unwait(its, index);
                       }
                       if (was_marked) {
                         unpin(index);
                       }
                       return true;
                     })
      .map([](bool) {});
}

}  // namespace turnpike::rtm
