// Routes are added, updated, deleted and held.
//
// An update by value may mean one of several routes that the contract does not tell apart. Then the driver finds out
// which of them the library took, and has the reference follow: by a handle that it holds, or by the cookies, since
// each addition and update stores a new one in EntitySpecificInfo.
#include <rtmv2.h>
#include <winerror.h>

#include <algorithm>
#include <tuple>

#include "rtm_driver_parts.h"

namespace turnpike::model {

RouteData Driver::choose_route(std::size_t client, RouteBuffer& buffer) {
  RouteData data;
  const std::vector<std::size_t> hops = usable_next_hops(client);
  buffer = {};
  const auto pick = [&] { return held_[hops[choices_.below(static_cast<unsigned>(hops.size()))]]; };
  if (!hops.empty() && !choices_.one_in(3)) {
    const Held neighbour = pick();
    data.neighbour = std::get<Id>(neighbour.object);
    buffer.info.Neighbour = neighbour.handle;
  }
  for (unsigned count = hops.empty() ? 0 : choices_.below(3); count > 0; --count) {
    const Held hop = pick();
    if (std::find(data.hops.begin(), data.hops.end(), std::get<Id>(hop.object)) != data.hops.end()) continue;
    hops_of(buffer)[data.hops.size()] = hop.handle;
    data.hops.push_back(std::get<Id>(hop.object));
  }
  data.flags = choices_.one_in(3) ? 1U << choices_.below(8) : unsigned{RTM_ROUTE_FLAGS_REMOTE};
  data.preference = choices_.below(3);
  data.metric = choices_.below(3);
  data.views = choices_.below(4);
  data.specific = ++cookie_;
  buffer.info.NextHopsList.NumNextHops = static_cast<USHORT>(data.hops.size());
  buffer.info.Flags = static_cast<USHORT>(data.flags);
  buffer.info.PrefInfo = {data.metric, data.preference};
  buffer.info.BelongsToViews = data.views;
  buffer.info.EntitySpecificInfo = reinterpret_cast<PVOID>(data.specific);
  return data;
}

ULONG Driver::choose_time_to_live() {
  constexpr std::array<ULONG, 4> kTimes{INFINITE, INFINITE, 1000, 3000};
  return kTimes[choices_.below(kTimes.size())];
}

std::int64_t Driver::model_time(ULONG time_to_live) {
  return time_to_live == INFINITE ? kNever : std::int64_t{time_to_live};
}

const OpenList* Driver::choose_list(std::size_t client) {
  for (const OpenList& list : lists_) {
    if (list.client == client) return choices_.one_in(2) ? &list : nullptr;
  }
  return nullptr;
}

void Driver::add_route() {
  const std::size_t client = choose_client();
  const Prefix prefix = choose_prefix();
  RouteBuffer buffer;
  const RouteData data = choose_route(client, buffer);
  const ULONG time_to_live = choose_time_to_live();
  const OpenList* list = choose_list(client);
  const unsigned how = choices_.below(6);
  RTM_ROUTE_CHANGE_FLAGS flags = how == 4 ? RTM_ROUTE_CHANGE_FIRST : how == 5 ? RTM_ROUTE_CHANGE_NEW : 0;
  std::vector<Id> same;
  if (how != 5) same = reference_.same_routes(clients_[client].id, prefix, data.neighbour, how == 4);
  RTM_NET_ADDRESS address = net_address(prefix);
  RTM_ROUTE_HANDLE handle = nullptr;
  MODEL_STATUS(RtmAddRouteToDest(clients_[client].handle, &handle, &address, &buffer.info, time_to_live,
                                 list ? list->handle : nullptr, 0, nullptr, &flags),
               NO_ERROR);
  MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_NEW) != 0) == same.empty());
  Id id = kNone;
  bool best = false;
  if (same.empty()) {
    std::tie(id, best) =
        reference_.insert_route(clients_[client].id, prefix, data, model_time(time_to_live), list ? list->id : kNone);
  } else {
    id = which_of(handle, same);
    best = reference_.update_route(id, data, model_time(time_to_live), list ? list->id : kNone);
  }
  cookies_[data.specific] = id;
  trace(" route ", id, same.empty() ? " added" : " updated", text_of(prefix), text_of(data), " for ", time_to_live);
  MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_BEST) != 0) == best);
  take(client, Kind::kRoute, handle, id);
  if (choices_.one_in(2)) drop(held_.size() - 1);
}

// Among routes that the contract does not tell apart, the one the library took: known where its handle is held, or
// where there is no choice.
Id Driver::which_of(HANDLE handle, const std::vector<Id>& same) {
  for (const Held& held : held_) {
    if (held.kind == Kind::kRoute && held.handle == handle) {
      MODEL_EXPECT(std::find(same.begin(), same.end(), std::get<Id>(held.object)) != same.end());
      return std::get<Id>(held.object);
    }
  }
  std::vector<Id> open = same;
  std::erase_if(open, [&](Id id) {
    return std::any_of(held_.begin(), held_.end(),
                       [&](const Held& held) { return held.kind == Kind::kRoute && std::get<Id>(held.object) == id; });
  });
  MODEL_EXPECT(!open.empty());
  if (open.size() == 1) return open.front();
  return open_choice(open);
}

// Several routes nobody holds a handle of: ask the table which of their cookies is gone.
Id Driver::open_choice(const std::vector<Id>& open) {
  std::vector<std::uintptr_t> present;
  RTM_ENUM_HANDLE walk = nullptr;
  const RTM_ENTITY_HANDLE self = clients_[0].handle;
  MODEL_STATUS(
      RtmCreateRouteEnum(self, nullptr, RTM_VIEW_MASK_ANY, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &walk),
      NO_ERROR);
  for (RTM_ROUTE_HANDLE route : read_routes(self, walk)) {
    RouteBuffer buffer;
    MODEL_STATUS(RtmGetRouteInfo(self, route, &buffer.info, nullptr), NO_ERROR);
    present.push_back(reinterpret_cast<std::uintptr_t>(buffer.info.EntitySpecificInfo));
    MODEL_STATUS(RtmReleaseRouteInfo(self, &buffer.info), NO_ERROR);
    MODEL_STATUS(RtmReleaseRoutes(self, 1, &route), NO_ERROR);
  }
  MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
  for (Id id : open) {
    if (std::find(present.begin(), present.end(), reference_.routes().at(id).data.specific) == present.end()) return id;
  }
  differ(__FILE__, __LINE__, "one of several equal routes was updated");
}

void Driver::update_route() {
  const std::optional<std::size_t> index = choose_held(Kind::kRoute);
  if (!index) return;
  const Held held = held_[*index];
  const Route route = reference_.routes().at(std::get<Id>(held.object));
  RouteBuffer buffer;
  const RouteData data = choose_route(held.client, buffer);
  const ULONG time_to_live = choose_time_to_live();
  const bool own = route.owner == clients_[held.client].id;
  const Prefix prefix = choices_.one_in(8) ? choose_prefix() : route.prefix;
  DWORD wanted = NO_ERROR;
  if (!own)
    wanted = ERROR_ACCESS_DENIED;
  else if (route.state != State::kCreated)
    wanted = ERROR_INVALID_HANDLE;
  else if (prefix != route.prefix)
    wanted = ERROR_INVALID_PARAMETER;
  if (!own && route.state != State::kCreated) return;  // two mistakes at once: either answer is right
  if (wanted == ERROR_ACCESS_DENIED && prefix != route.prefix) return;
  if (wanted == ERROR_INVALID_HANDLE && prefix != route.prefix) return;
  RTM_NET_ADDRESS address = net_address(prefix);
  RTM_ROUTE_HANDLE handle = held.handle;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  MODEL_STATUS(RtmAddRouteToDest(clients_[held.client].handle, &handle, &address, &buffer.info, time_to_live, nullptr,
                                 0, nullptr, &flags),
               wanted);
  MODEL_EXPECT(handle == held.handle);
  if (wanted != NO_ERROR) return;
  const bool best = reference_.update_route(route.id, data, model_time(time_to_live), kNone);
  cookies_[data.specific] = route.id;
  trace(" route ", route.id, " updated by handle", text_of(prefix), text_of(data), " for ", time_to_live);
  MODEL_EXPECT(flags == (best ? RTM_ROUTE_CHANGE_BEST : 0U));
}

void Driver::delete_route() {
  const std::optional<std::size_t> index = choose_held(Kind::kRoute);
  if (!index) return;
  const Held held = held_[*index];
  const Route& route = reference_.routes().at(std::get<Id>(held.object));
  const bool own = route.owner == clients_[held.client].id;
  if (!own && route.state != State::kCreated) return;
  const DWORD wanted = !own                             ? DWORD{ERROR_ACCESS_DENIED}
                       : route.state != State::kCreated ? DWORD{ERROR_NOT_FOUND}
                                                        : DWORD{NO_ERROR};
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  MODEL_STATUS(RtmDeleteRouteToDest(clients_[held.client].handle, held.handle, &flags), wanted);
  if (wanted != NO_ERROR) return;
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(*index));
  trace(" route ", route.id, " deleted", text_of(route.prefix));
  const bool best = reference_.delete_route(route.id);
  MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_BEST) != 0) == best);
}

void Driver::hold_destination() {
  const std::optional<std::size_t> index = choose_held(Kind::kDestination);
  if (!index) return;
  const Held held = held_[*index];
  const RTM_VIEW_SET views = choices_.below(4);
  const ULONG time = choices_.below(4) * 1000;
  const DWORD wanted = views == 0 || time == 0 ? DWORD{ERROR_INVALID_PARAMETER} : DWORD{NO_ERROR};
  MODEL_STATUS(RtmHoldDestination(clients_[held.client].handle, held.handle, views, time), wanted);
  if (wanted != NO_ERROR) return;
  trace(" hold", text_of(std::get<Prefix>(held.object)), " views ", views, " for ", time);
  reference_.hold(std::get<Prefix>(held.object), views, time);
}

}  // namespace turnpike::model
