// Expiry: what happens when a time has come.
//
// A route whose time to live has run out is its owner's to decide about: the owner is told, and the route stays until
// he has answered (event.cpp). A route of an owner without a callback is deleted at once. The time is off afterwards,
// until an update sets one.
#include "base/log.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {

void Table::set_deadline(const Deadlines::Entry& entry) {
  deadlines_.set(entry);
  if (deadlines_.first().place == entry.place) {
    port_.deadline_moved(*this, entry.at);
  }
}

// Its extra and the room in the heap are there already, if there is a time (prepare).
void Table::set_timer(std::uint32_t index, std::uint32_t time_to_live) {
  if (route(index).extra == 0) {
    return;
  }
  RouteExtra& its = extra(route(index).extra);
  its.expired = 0;
  if (time_to_live == kInfinite) {
    deadlines_.remove(its.timer);
  } else {
    set_deadline({port_.nanoseconds() + time_to_live * std::uint64_t{1000000}, index, Deadlines::What::kRoute,
                  route(index).sequence, &its.timer});
  }
}

std::optional<std::uint64_t> Table::next_deadline() {
  const std::lock_guard lock(mutex_);
  return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.first().at);
}

namespace {

const char* name_of(EventType type) {
  switch (type) {
    case EventType::kEntityRegistered:
      return "entity registered";
    case EventType::kEntityDeregistered:
      return "entity deregistered";
    case EventType::kRouteExpired:
      return "route expired";
    case EventType::kChangeNotification:
      break;
  }
  return "change";
}

void report_hanging(const Entity& client, std::uint64_t nanoseconds) {
  TURNPIKE_LOG(LogLevel::kWarning, "rtm", "a client's callback has not returned", {"event", name_of(client.told_type)},
               {"seconds", nanoseconds / 1'000'000'000}, {"protocol", client.info.protocol},
               {"protocol_instance", client.info.protocol_instance}, {"instance", client.info.instance},
               {"family", client.info.family});
}

}  // namespace

std::size_t Table::run_deadlines(std::size_t most) {
  const std::uint64_t now = port_.nanoseconds();
  std::size_t count = 0;
  in_steps([&](auto&& enough) {
    while (count < most && !deadlines_.empty() && deadlines_.first().at <= now) {
      ++count;
      const Deadlines::Entry due = deadlines_.first();
      deadlines_.remove(*due.place);
      if (due.what == Deadlines::What::kHold) {
        end_hold(due.index, kAllViews);
      } else if (due.what == Deadlines::What::kCallback) {
        Entity& client = *entity_at(static_cast<ClientIndex>(due.index));
        if (const std::uint64_t since = overdue(client, now); since != 0) {
          report_hanging(client, since);
        }
      } else if (Entity& owner = *entity_at(route(due.index).owner); owner.handler) {
        extra(route(due.index).extra).expired = 1;
        queue_event(owner, {EventType::kRouteExpired, due.index, route(due.index).references.generation()});
      } else {
        remove_route(due.index, Why::kExpired);
      }
      if (enough()) {
        return true;
      }
    }
    return false;
  });
  return count;
}

}  // namespace turnpike::rtm
