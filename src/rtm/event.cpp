// Events: what a client's callback is told, one after the other, on a thread that nobody else waits for.
//
// Whoever causes an event queues it on the receiver, under the table's lock, and tells the port once that there is
// something; the port has some thread call `deliver`. That thread runs the callback with no lock held. So a client that
// hangs in its callback holds up its own events and nothing else, and what one client is told is in one order.
//
// A queue is bounded by what exists: one change event for each registration (it is re-armed just before the callback,
// so a change during the callback leads to another event), one expiry for each route, and registrations and departures
// of others.
//
// A callback that does not return is named in the log, after some seconds and then each minute (`watch`). One deadline
// a client serves for all its callbacks: when it comes, it looks at the one that is running now.
//
// What an event speaks of may have gone when its turn comes: a route that was refreshed or deleted, a registration that
// was given up. Then it is not told. An entity that left is kept as a name until all have been told.
#include <exception>
#include <new>

#include "base/log.h"
#include "rtm/list.h"
#include "rtm/lock.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr std::uint32_t kDeclined =
    50;  // ERROR_NOT_SUPPORTED, from the callback of an expired route: the table may delete it

constexpr std::uint64_t kPatience = 5'000'000'000;   // nanoseconds of the table's clock
constexpr std::uint64_t kReminder = 60'000'000'000;  // from one line in the log to the next

// The callbacks that this thread is in, innermost first.
struct Frame {
  EventType type;
  const Frame* outer;
};
thread_local const Frame* innermost = nullptr;

bool is_about_entity(EventType type) {
  return type == EventType::kEntityRegistered || type == EventType::kEntityDeregistered;
}

}  // namespace

std::optional<EventType> Table::current_event() {
  return innermost != nullptr ? std::optional(innermost->type) : std::nullopt;
}

// An event for which there is no memory is lost, and the log says so: its cause must not fail for the receiver's sake.
// False: it will not be told.
bool Table::queue_event(Entity& receiver, Entity::Queued event) {
  if (!receiver.handler || receiver.state.load(std::memory_order_relaxed) != Entity::State::kLive) {
    return false;
  }
  try {
    receiver.events.push_back(event);
  } catch (const std::bad_alloc&) {
    TURNPIKE_LOG(LogLevel::kError, "rtm", "no memory for an event", {"protocol", receiver.info.protocol});
    return false;
  }
  if (is_about_entity(event.type)) {
    ++entity_at(static_cast<ClientIndex>(event.index))->pins;
  }
  if (!receiver.announced) {
    receiver.announced = true;
    port_.events_waiting(*this, receiver.index);
  }
  return true;
}

void Table::announce_to_others(EventType type, Entity& about) {
  for (ClientIndex i = 1; i <= kMaxClients; ++i) {
    if (Entity* other = entity_at(i); other != nullptr && other != &about) {
      queue_event(*other, {type, about.index, generation_of(about.handle)});
    }
  }
}

// Without the lock, of one who gets no more. In steps: each of a million routes may have expired.
void Table::discard_events(Entity& receiver) {
  in_steps([&](auto&& enough) {
    while (!receiver.events.empty()) {
      const Entity::Queued event = receiver.events.front();
      receiver.events.pop_front();
      if (is_about_entity(event.type)) {
        unpin(*entity_at(static_cast<ClientIndex>(event.index)));
      }
      if (enough()) {
        return true;
      }
    }
    return false;
  });
}

void Table::deliver(ClientIndex client) {
  Lock lock(mutex_);
  Entity* receiver = entity_at(client);
  if (receiver == nullptr || receiver->delivering != 0) {
    return;
  }
  ++receiver->pins;  // its own callback may deregister it
  while (!receiver->events.empty() && receiver->state.load(std::memory_order_relaxed) == Entity::State::kLive) {
    const Entity::Queued event = receiver->events.front();
    receiver->events.pop_front();
    receiver->delivering = this_thread_number();
    run_event(*receiver, event, lock);
    receiver->delivering = 0;
    receiver->told = Handle::kNone;
    woken_.notify_all();
  }
  receiver->announced = false;
  unpin(*receiver);
}

// Without memory for it nobody watches.
void Table::watch(Entity& receiver, std::uint64_t at) {
  if (receiver.told_watch != 0 || deadlines_.reserve_one()) {
    set_deadline({at, receiver.index, Deadlines::What::kCallback, receiver.index, &receiver.told_watch});
  }
}

// For how long the client has been in its callback, if that is too long; and the next look.
std::uint64_t Table::overdue(Entity& receiver, std::uint64_t now) {
  if (receiver.delivering == 0) {
    return 0;
  }
  const std::uint64_t since = now - receiver.told_at;
  watch(receiver, since < kPatience ? receiver.told_at + kPatience : now + kReminder);
  return since < kPatience ? 0 : since;
}

// Returns what the callback returned; 0 if it threw.
std::uint32_t Table::call(Entity& receiver, const Event& event, Lock& lock) {
  receiver.told = event.subject;
  receiver.told_type = event.type;
  receiver.told_at = port_.nanoseconds();
  ++receiver.delivered;
  if (receiver.told_watch == 0) {
    watch(receiver, receiver.told_at + kPatience);
  }
  lock.unlock();
  const Frame frame{event.type, innermost};
  innermost = &frame;
  std::uint32_t answer = 0;
  const char* thrown = nullptr;
  try {
    answer = receiver.handler(receiver.handle, event);
  } catch (const std::exception& e) {
    thrown = e.what();
    TURNPIKE_LOG(LogLevel::kError, "rtm", "a client's callback threw", {"protocol", receiver.info.protocol},
                 {"exception", thrown});
  } catch (...) {
    thrown = "";
    TURNPIKE_LOG(LogLevel::kError, "rtm", "a client's callback threw", {"protocol", receiver.info.protocol});
  }
  innermost = frame.outer;
  lock.lock();
  callback_throws_ += thrown != nullptr ? 1 : 0;
  return answer;
}

void Table::run_event(Entity& receiver, const Entity::Queued& queued, Lock& lock) {
  switch (queued.type) {
    case EventType::kEntityRegistered:
    case EventType::kEntityDeregistered: {
      Entity& about = *entity_at(static_cast<ClientIndex>(queued.index));
      EntityInfo info = about.info;
      call(receiver, {queued.type, about.handle, &info}, lock);
      unpin(about);
      break;
    }
    case EventType::kRouteExpired:
      run_expiry(receiver, queued, lock);
      break;
    case EventType::kChangeNotification: {
      const Handle handle = make_handle(Kind::kNotification, id_, queued.generation, queued.index);
      if (ChangeRegistration* registration = registrations_.find(handle); registration != nullptr) {
        registration->scheduled = false;
        call(receiver, {queued.type, handle, registration->context}, lock);
      }
      break;
    }
  }
}

void Table::run_expiry(Entity& receiver, const Entity::Queued& queued, Lock& lock) {
  const Handle handle = make_handle(Kind::kRoute, id_, queued.generation, queued.index);
  const auto is_there = [&] {
    return find(Kind::kRoute, handle) != 0 && route(queued.index).state == route_state::kCreated;
  };
  if (!is_there() || route(queued.index).extra == 0 || extra(route(queued.index).extra).expired == 0) {
    return;
  }
  RouteImage* image = image_of(queued.index);
  if (image == nullptr || !take(receiver, Kind::kRoute, queued.index)) {
    remove_route(queued.index, Why::kExpired);
    return;
  }
  extra(route(queued.index).extra).expired = 0;
  if (call(receiver, {queued.type, handle, image}, lock) == kDeclined) {
    if (is_there()) {
      remove_route(queued.index, Why::kExpired);
    }
    drop_under_lock(receiver, Kind::kRoute, handle);
  }
}

}  // namespace turnpike::rtm
