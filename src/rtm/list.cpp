// Route lists: chains of a client's own routes, in the order in which they were put in.
//
// A route is in one list at most; the chain runs through the routes' extras. An enumeration of a list stands on the
// route that it returns next, and the list knows its enumerations: a route that leaves moves those that stand on it one
// on. So a client may move what it has just fetched to another list, which is what the documentation's sample does. A
// route that was returned, left and came back is ahead of the cursor again; each enumeration remembers those, to return
// none twice.
#include "rtm/list.h"

#include <algorithm>

#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_list() { return fail(ErrorKind::kInvalidHandle, "not the handle of a list of this client"); }
constexpr Failure bad_enumeration() {
  return fail(ErrorKind::kInvalidHandle, "not the handle of a list's enumeration of this client");
}

}  // namespace

RouteList* Table::find_list(const Entity& client, Handle handle) const {
  RouteList* found = lists_.find(handle);
  return found != nullptr && found->owner == client.index ? found : nullptr;
}

Result<Handle> Table::create_list(Handle self) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    const std::lock_guard lock(mutex_);
    auto made = std::make_unique<RouteList>();
    made->owner = client.index;
    return lists_.add(std::move(made)).first;
  });
}

// The route's extra is there (prepare). In the list that it is in already it moves to the end.
void Table::move_to_list(std::uint32_t index, std::uint32_t list_index) {
  RouteExtra& its = extra(route(index).extra);
  leave_list(index);
  RouteList& list = *lists_.at(list_index);
  its.list = list_index;
  its.list_sequence = next_list_sequence_++;
  its.list_previous = list.last;
  (list.last != 0 ? extra(route(list.last).extra).list_next : list.first) = index;
  list.last = index;
  for (const std::uint32_t at : list.cursors) {
    Enumeration& cursor = *enumerations_.at(at);
    if (cursor.cursor == 0) {
      cursor.cursor = index;  // it stood at the end
    }
  }
}

void Table::leave_list(std::uint32_t index) {
  if (route(index).extra == 0 || extra(route(index).extra).list == 0) {
    return;
  }
  RouteExtra& its = extra(route(index).extra);
  RouteList& list = *lists_.at(its.list);
  pass_by(list, index);
  (its.list_previous != 0 ? extra(route(its.list_previous).extra).list_next : list.first) = its.list_next;
  (its.list_next != 0 ? extra(route(its.list_next).extra).list_previous : list.last) = its.list_previous;
  its.list = its.list_previous = its.list_next = 0;
}

// The route leaves: what its list's enumerations make of it.
void Table::pass_by(RouteList& list, std::uint32_t index) {
  const RouteExtra& its = extra(route(index).extra);
  for (const std::uint32_t at : list.cursors) {
    Enumeration& cursor = *enumerations_.at(at);
    if (cursor.cursor == index) {
      cursor.cursor = its.list_next;
    } else if (its.list_sequence <= cursor.passed) {
      cursor.returned.insert(static_cast<std::uint64_t>(route_handle(index)));
    }
  }
}

Result<void> Table::insert_in_list(Handle self, Handle handle, std::span<const Handle> routes) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    if (handle != Handle::kNone && find_list(client, handle) == nullptr) {
      return bad_list();
    }
    for (const Handle each : routes) {
      const auto index = own_route(client, each);
      if (!index) {
        return tl::unexpected(index.error());
      }
      if (route(*index).state != route_state::kCreated) {
        return fail(ErrorKind::kInvalidHandle, "the route was deleted");
      }
      if (handle != Handle::kNone && extra_of(route(*index)) == nullptr) {
        return fail(ErrorKind::kExhausted, "no memory for a route's place in a list");
      }
    }
    for (const Handle each : routes) {
      handle != Handle::kNone ? move_to_list(index_of(each), index_of(handle)) : leave_list(index_of(each));
    }
    return {};
  });
}

// In steps: a list may hold every route of its owner.
void Table::empty_list(std::uint32_t index) {
  in_steps([&](auto&& enough) {
    while (lists_.at(index)->first != 0) {
      leave_list(lists_.at(index)->first);
      if (enough()) {
        return true;
      }
    }
    return false;
  });
}

Result<void> Table::delete_list(Handle self, Handle handle) {
  RouteList* gone = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const Entity* client = find_caller(self);
    if (client == nullptr || (gone = find_list(*client, handle)) == nullptr) {
      return bad_list();
    }
    gone->owner = 0;  // refused from now on; nobody puts a route in
    for (const std::uint32_t at : gone->cursors) {
      enumerations_.at(at)->list = 0;
      enumerations_.at(at)->cursor = 0;
    }
    gone->cursors.clear();
  }
  empty_list(index_of(handle));
  const std::lock_guard lock(mutex_);
  lists_.remove(index_of(handle));
  return {};
}

Result<Handle> Table::create_list_enum(Handle self, Handle handle) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<Handle> {
    const std::lock_guard lock(mutex_);
    RouteList* list = find_list(client, handle);
    if (list == nullptr) {
      return bad_list();
    }
    auto made = std::make_unique<Enumeration>();
    made->of = Enumeration::Of::kList;
    made->owner = client.index;
    made->list = index_of(handle);
    made->cursor = list->first;
    list->cursors.reserve(list->cursors.size() + 1);
    const auto [added, index] = enumerations_.add(std::move(made));
    list->cursors.push_back(index);
    return added;
  });
}

Result<std::uint32_t> Table::next_list_routes(Handle self, Handle handle, std::span<Handle> out) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<std::uint32_t> {
    const std::lock_guard lock(mutex_);
    Enumeration* cursor = find_enumeration(client, handle, static_cast<std::uint8_t>(Enumeration::Of::kList));
    if (cursor == nullptr) {
      return bad_enumeration();
    }
    std::uint32_t count = 0;
    while (count < out.size() && cursor->cursor != 0) {
      const std::uint32_t index = cursor->cursor;
      const RouteExtra& its = extra(route(index).extra);
      const Handle found = route_handle(index);
      if (cursor->returned.count(static_cast<std::uint64_t>(found)) == 0) {
        if (!take(client, Kind::kRoute, index)) {
          break;
        }
        out[count++] = found;
      }
      cursor->passed = its.list_sequence;
      cursor->cursor = its.list_next;
    }
    return count;
  });
}

}  // namespace turnpike::rtm
