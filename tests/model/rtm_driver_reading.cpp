// Searches, information, enumerations: whatever comes back is compared with the reference to the last field, down to
// the next hops of the routes that it names. A route is recognised by the cookie in its EntitySpecificInfo.
#include <rtmv2.h>
#include <winerror.h>

#include <algorithm>

#include "rtm_driver_parts.h"

namespace turnpike::model {

Selector Driver::choose_protocol(std::size_t client) {
  const unsigned which = choices_.below(6);
  if (which >= kProtocols.size())
    return which == 5 ? selector(RTM_THIS_PROTOCOL, clients_[client].protocol) : Selector{RTM_BEST_PROTOCOL, {}};
  return selector(kProtocols[which], kProtocols[which]);
}

Selector Driver::selector(ULONG asked, ULONG meant) const {
  Selector result{asked, std::set<Id>{}};
  for (const Client& client : clients_) {
    if (client.protocol == meant) result.owners->insert(client.id);
  }
  return result;
}

void Driver::search() {
  const std::size_t client = choose_client();
  const Prefix prefix = choose_prefix();
  const RTM_VIEW_SET views = choose_views();
  const Selector protocol = choose_protocol(client);
  const bool exact = choices_.one_in(2);
  std::optional<Prefix> wanted = reference_.most_specific(prefix, plain_views(views));
  if (exact && wanted && *wanted != prefix) wanted.reset();
  RTM_NET_ADDRESS address = net_address(prefix);
  DestBuffer buffer{};
  const auto function = exact ? RtmGetExactMatchDestination : RtmGetMostSpecificDestination;
  MODEL_STATUS(function(clients_[client].handle, &address, protocol.protocol, views, &buffer.info),
               wanted ? NO_ERROR : ERROR_NOT_FOUND);
  if (!wanted) return;
  compare_record(client, buffer.info, *wanted, views, protocol.get());
  keep_some(client, buffer.info, *wanted);
  MODEL_STATUS(RtmReleaseDestInfo(clients_[client].handle, &buffer.info), NO_ERROR);
}

void Driver::less_specific() {
  const std::optional<std::size_t> index = choose_held(Kind::kDestination);
  if (!index) return;
  const Held held = held_[*index];
  const RTM_VIEW_SET views = choose_views();
  const std::optional<Prefix> wanted = reference_.less_specific(std::get<Prefix>(held.object), plain_views(views));
  DestBuffer buffer{};
  MODEL_STATUS(
      RtmGetLessSpecificDestination(clients_[held.client].handle, held.handle, RTM_BEST_PROTOCOL, views, &buffer.info),
      wanted ? NO_ERROR : ERROR_NOT_FOUND);
  if (!wanted) return;
  compare_record(held.client, buffer.info, *wanted, views, nullptr);
  MODEL_STATUS(RtmReleaseDestInfo(clients_[held.client].handle, &buffer.info), NO_ERROR);
}

void Driver::destination_info() {
  const std::optional<std::size_t> index = choose_held(Kind::kDestination);
  if (!index) return;
  const Held held = held_[*index];
  const RTM_VIEW_SET views = choose_views();
  const Selector protocol = choose_protocol(held.client);
  DestBuffer buffer{};
  MODEL_STATUS(RtmGetDestInfo(clients_[held.client].handle, held.handle, protocol.protocol, views, &buffer.info),
               NO_ERROR);
  MODEL_EXPECT(buffer.info.DestHandle == held.handle);
  compare_record(held.client, buffer.info, std::get<Prefix>(held.object), views, protocol.get());
  MODEL_STATUS(RtmReleaseDestInfo(clients_[held.client].handle, &buffer.info), NO_ERROR);
}

void Driver::enumerate_destinations() {
  const std::size_t client = choose_client();
  const RTM_ENTITY_HANDLE self = clients_[client].handle;
  const RTM_VIEW_SET views = choose_views();
  const unsigned how = choices_.below(3);
  constexpr std::array<RTM_ENUM_FLAGS, 3> kFlags{RTM_ENUM_START, RTM_ENUM_NEXT, RTM_ENUM_RANGE};
  const bool own = choices_.one_in(3);
  const Prefix start = choose_prefix();
  std::vector<Prefix> wanted = reference_.visible_in(plain_views(views));
  std::erase_if(wanted, [&](const Prefix& prefix) {
    if (how == 1 && prefix < start) return true;
    if (how == 2 && !start.covers(prefix)) return true;
    return own && !owns_best(clients_[client].id, prefix, plain_views(views));
  });
  RTM_NET_ADDRESS address = net_address(start);
  RTM_ENUM_HANDLE walk = nullptr;
  MODEL_STATUS(RtmCreateDestEnum(self, views, kFlags[how] | (own ? RTM_ENUM_OWN_DESTS : 0U),
                                 how == 0 ? nullptr : &address, RTM_BEST_PROTOCOL, &walk),
               NO_ERROR);
  const std::size_t stride = RTM_SIZE_OF_DEST_INFO(static_cast<std::size_t>(__builtin_popcount(plain_views(views))));
  const UINT batch = 1 + choices_.below(5);
  std::vector<RTM_DEST_INFO> room(batch * 2);
  std::size_t at = 0;
  for (;;) {
    UINT count = batch;
    const DWORD status = RtmGetEnumDests(self, walk, &count, room.data());
    MODEL_EXPECT((status == NO_ERROR && count > 0) || (status == ERROR_NO_MORE_ITEMS && count == 0));
    if (status != NO_ERROR) break;
    for (UINT i = 0; i < count; ++i, ++at) {
      MODEL_EXPECT(at < wanted.size());
      const auto* record =
          reinterpret_cast<const RTM_DEST_INFO*>(reinterpret_cast<const unsigned char*>(room.data()) + i * stride);
      compare_record(client, *record, wanted[at], views, nullptr);
    }
    MODEL_STATUS(RtmReleaseDests(self, count, room.data()), NO_ERROR);
  }
  MODEL_EXPECT(at == wanted.size());
  MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
  MODEL_STATUS(RtmDeleteEnumHandle(self, walk), ERROR_INVALID_HANDLE);
}

bool Driver::owns_best(Id entity, const Prefix& prefix, unsigned views) const {
  for (int view = 0; view < kViews; ++view) {
    if (views != 0 && (views >> view & 1) == 0) continue;
    for (Id id : reference_.best_for(prefix, view, nullptr)) {
      if (reference_.routes().at(id).owner == entity) return true;
    }
  }
  return false;
}

std::vector<RTM_ROUTE_HANDLE> Driver::read_routes(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE walk) {
  std::vector<RTM_ROUTE_HANDLE> all;
  std::array<RTM_ROUTE_HANDLE, 7> room{};
  for (;;) {
    UINT count = room.size();
    if (RtmGetEnumRoutes(self, walk, &count, room.data()) != NO_ERROR) {
      MODEL_EXPECT(count == 0);
      return all;
    }
    all.insert(all.end(), room.begin(), room.begin() + count);
  }
}

void Driver::enumerate_routes() {
  const std::size_t client = choose_client();
  const RTM_ENTITY_HANDLE self = clients_[client].handle;
  const RTM_VIEW_SET views = choose_views();
  const bool own = choices_.one_in(2);
  std::vector<std::pair<Prefix, Id>> wanted;
  for (const auto& [prefix, destination] : reference_.destinations()) {
    std::set<Id> ids(destination.routes.begin(), destination.routes.end());
    if (plain_views(views) == 0) {
      for (Id id : destination.hold) {
        if (id != kNone) ids.insert(id);
      }
    }
    for (Id id : ids) {
      const Route& route = reference_.routes().at(id);
      if (plain_views(views) != 0 && (route.data.views & plain_views(views)) == 0) continue;
      if (!own || route.owner == clients_[client].id) wanted.emplace_back(prefix, id);
    }
  }
  RTM_ENUM_HANDLE walk = nullptr;
  MODEL_STATUS(RtmCreateRouteEnum(self, nullptr, views, RTM_ENUM_START | (own ? RTM_ENUM_OWN_ROUTES : 0U), nullptr,
                                  RTM_MATCH_NONE, nullptr, 0, &walk),
               NO_ERROR);
  std::vector<std::pair<Prefix, Id>> got;
  for (RTM_ROUTE_HANDLE handle : read_routes(self, walk)) {
    const Id id = identify(client, handle);
    const Route& route = reference_.routes().at(id);
    if (!got.empty()) compare_order(reference_.routes().at(got.back().second), route);
    got.emplace_back(route.prefix, id);
    MODEL_STATUS(RtmReleaseRoutes(self, 1, &handle), NO_ERROR);
  }
  std::sort(got.begin(), got.end());
  std::sort(wanted.begin(), wanted.end());
  MODEL_EXPECT(got == wanted);
  MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
}

void Driver::compare_order(const Route& earlier, const Route& later) {
  MODEL_EXPECT(earlier.prefix <= later.prefix);
  if (earlier.prefix != later.prefix || earlier.state != State::kCreated || later.state != State::kCreated) return;
  MODEL_EXPECT(std::pair(earlier.data.preference, earlier.data.metric) <=
               std::pair(later.data.preference, later.data.metric));
}

void Driver::is_best() {
  const std::optional<std::size_t> index = choose_held(Kind::kRoute);
  if (!index) return;
  const Id id = std::get<Id>(held_[*index].object);
  RTM_VIEW_SET views = 0xDEAD;
  MODEL_STATUS(RtmIsBestRoute(clients_[held_[*index].client].handle, held_[*index].handle, &views), NO_ERROR);
  RTM_VIEW_SET wanted = 0;
  const auto found = reference_.destinations().find(reference_.routes().at(id).prefix);
  for (unsigned view = 0; found != reference_.destinations().end() && view < kViews; ++view) {
    if (found->second.best[view] == id) wanted |= 1U << view;
  }
  MODEL_EXPECT(views == wanted);
  MODEL_EXPECT(identify(held_[*index].client, held_[*index].handle) == id);
}

void Driver::exact_route() {
  const std::size_t client = choose_client();
  const Prefix prefix = choose_prefix();
  const Client& owner = clients_[choose_client()];
  RouteBuffer buffer{};
  buffer.info.RouteOwner = owner.handle;
  RTM_NET_ADDRESS address = net_address(prefix);
  RTM_ROUTE_HANDLE handle = nullptr;
  std::vector<Id> wanted = reference_.same_routes(owner.id, prefix, kNone, true);
  MODEL_STATUS(RtmGetExactMatchRoute(clients_[client].handle, &address, RTM_MATCH_OWNER, &buffer.info, 0,
                                     RTM_VIEW_MASK_ANY, &handle),
               wanted.empty() ? ERROR_NOT_FOUND : NO_ERROR);
  if (wanted.empty()) return;
  MODEL_STATUS(RtmReleaseRouteInfo(clients_[client].handle, &buffer.info), NO_ERROR);
  const Id id = identify(client, handle);
  MODEL_EXPECT(std::find(wanted.begin(), wanted.end(), id) != wanted.end());
  take(client, Kind::kRoute, handle, id);
}

// Compares a record with the reference and gives back what it holds, except, where asked, the destination itself.
void Driver::compare_record(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix, RTM_VIEW_SET views,
                            const std::set<Id>* owners) {
  MODEL_EXPECT(prefix_of(info.DestAddress) == prefix);
  MODEL_EXPECT(info.BelongsToViews == reference_.views_of(prefix));
  std::vector<int> wanted;
  for (int view = 0; view < kViews; ++view) {
    if ((plain_views(views) >> view & 1) != 0) wanted.push_back(view);
  }
  MODEL_EXPECT(info.NumberOfViews == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) compare_view(client, views_of(info)[i], prefix, wanted[i], owners);
}

template <class View>
void Driver::compare_view(std::size_t client, const View& view, const Prefix& prefix, int number,
                          const std::set<Id>* owners) {
  MODEL_EXPECT(view.ViewId == number);
  MODEL_EXPECT(static_cast<int>(view.NumRoutes) == reference_.routes_in(prefix, number));
  const std::vector<Id> best = reference_.best_for(prefix, number, owners);
  MODEL_EXPECT((view.Route == nullptr) == best.empty());
  MODEL_EXPECT((view.Owner == nullptr) == best.empty());
  if (view.Route != nullptr) {
    const Id id = identify(client, view.Route);
    MODEL_EXPECT(std::find(best.begin(), best.end(), id) != best.end());
    MODEL_EXPECT(view.Owner == clients_[client_of(reference_.routes().at(id).owner)].handle);
  }
  const Id hold = reference_.destinations().at(prefix).hold[static_cast<std::size_t>(number)];
  MODEL_EXPECT((view.HoldRoute == nullptr) == (hold == kNone),
               text_of(prefix) + " view " + std::to_string(number) + " holds " + std::to_string(hold));
  if (hold != kNone) MODEL_EXPECT(identify(client, view.HoldRoute) == hold);
}

// Reads a route through any client and compares all of it.
Id Driver::identify(std::size_t client, RTM_ROUTE_HANDLE handle) {
  const RTM_ENTITY_HANDLE self = clients_[client].handle;
  RouteBuffer buffer;
  RTM_NET_ADDRESS address{};
  MODEL_STATUS(RtmGetRouteInfo(self, handle, &buffer.info, &address), NO_ERROR);
  const auto found = cookies_.find(reinterpret_cast<std::uintptr_t>(buffer.info.EntitySpecificInfo));
  MODEL_EXPECT(found != cookies_.end());
  const Route& route = reference_.routes().at(found->second);
  MODEL_EXPECT(route.data.specific == found->first);
  MODEL_EXPECT(prefix_of(address) == route.prefix);
  MODEL_EXPECT(buffer.info.State == static_cast<int>(route.state));
  MODEL_EXPECT(buffer.info.Flags == route.data.flags);
  MODEL_EXPECT(buffer.info.PrefInfo.Metric == route.data.metric &&
               buffer.info.PrefInfo.Preference == route.data.preference);
  MODEL_EXPECT(buffer.info.BelongsToViews == route.data.views);
  MODEL_EXPECT((buffer.info.Neighbour == nullptr) == (route.data.neighbour == kNone));
  MODEL_EXPECT(buffer.info.NextHopsList.NumNextHops == route.data.hops.size());
  for (std::size_t i = 0; i < route.data.hops.size(); ++i)
    compare_next_hop(self, hops_of(buffer)[i], route.data.hops[i]);
  MODEL_STATUS(RtmReleaseRouteInfo(self, &buffer.info), NO_ERROR);
  return route.id;
}

void Driver::compare_next_hop(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE handle, Id id) {
  RTM_NEXTHOP_INFO info{};
  MODEL_STATUS(RtmGetNextHopInfo(self, handle, &info), NO_ERROR);
  const NextHop& hop = reference_.next_hops().at(id);
  MODEL_EXPECT(prefix_of(info.NextHopAddress) == (Prefix{hop.address, 32}));
  MODEL_EXPECT(info.InterfaceIndex == hop.interface && info.Flags == hop.flags);
  MODEL_EXPECT(info.State == (hop.deleted ? RTM_NEXTHOP_STATE_DELETED : RTM_NEXTHOP_STATE_CREATED));
  MODEL_EXPECT(reinterpret_cast<std::uintptr_t>(info.EntitySpecificInfo) == hop.specific);
  MODEL_STATUS(RtmReleaseNextHopInfo(self, &info), NO_ERROR);
}

// One more reference on some handles of a record, taken over by the driver, before the record is released.
void Driver::keep_some(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix) {
  if (!choices_.one_in(2)) return;
  HANDLE handle = info.DestHandle;
  MODEL_STATUS(RtmReferenceHandles(clients_[client].handle, 1, &handle), NO_ERROR);
  take(client, Kind::kDestination, handle, prefix);
}

}  // namespace turnpike::model
