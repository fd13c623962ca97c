// Subscriptions to changes, and lists of routes: the sets that a client keeps in the table. Both are told from the
// reference member by member, and in their order where that is known (what several routes did that ended at one moment
// has none).
#include <rtmv2.h>
#include <winerror.h>

#include <algorithm>

#include "rtm_driver_parts.h"

namespace turnpike::model {

void Driver::subscribe() {
  const std::size_t client = choose_client();
  if (subscriptions_.size() >= 6 || choices_.one_in(4)) {
    if (subscriptions_.empty()) return;
    const std::size_t index = choices_.below(static_cast<unsigned>(subscriptions_.size()));
    const OpenSubscription gone = subscriptions_[index];
    MODEL_STATUS(RtmDeregisterFromChangeNotification(clients_[gone.client].handle, gone.handle), NO_ERROR);
    MODEL_STATUS(RtmDeregisterFromChangeNotification(clients_[gone.client].handle, gone.handle), ERROR_INVALID_HANDLE);
    reference_.unsubscribe(gone.id);
    subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(index));
    return;
  }
  const RTM_VIEW_SET views = choose_views();
  const unsigned types = 1 + choices_.below(7);
  const bool marked_only = choices_.one_in(3);
  RTM_NOTIFY_HANDLE handle = nullptr;
  MODEL_STATUS(
      RtmRegisterForChangeNotification(clients_[client].handle, views,
                                       types | (marked_only ? RTM_NOTIFY_ONLY_MARKED_DESTS : 0U), nullptr, &handle),
      NO_ERROR);
  subscriptions_.push_back(
      {client, handle, reference_.subscribe(clients_[client].id, plain_views(views), types, marked_only), views});
}

OpenSubscription* Driver::choose_subscription() {
  return subscriptions_.empty() ? nullptr
                                : &subscriptions_[choices_.below(static_cast<unsigned>(subscriptions_.size()))];
}

void Driver::read_changes() {
  const OpenSubscription* open = choose_subscription();
  if (open == nullptr) return;
  const RTM_ENTITY_HANDLE self = clients_[open->client].handle;
  Subscription& wanted = reference_.subscriptions().at(open->id);
  for (unsigned reads = 1 + choices_.below(6); reads > 0; --reads) {
    DestBuffer buffer{};
    UINT count = 1;
    const DWORD status = RtmGetChangedDests(self, open->handle, &count, &buffer.info);
    MODEL_EXPECT((status == ERROR_NO_MORE_ITEMS) == wanted.pending.empty());
    if (status != NO_ERROR) break;
    MODEL_EXPECT(count == 1);
    const Prefix prefix = prefix_of(buffer.info.DestAddress);
    const auto found = std::find(wanted.pending.begin(), wanted.pending.end(), prefix);
    MODEL_EXPECT(found != wanted.pending.end());
    if (wanted.order_known) MODEL_EXPECT(found == wanted.pending.begin());
    wanted.pending.erase(found);
    compare_record(open->client, buffer.info, prefix, open->views, nullptr);
    keep_some(open->client, buffer.info, prefix);
    MODEL_STATUS(RtmReleaseChangedDests(self, open->handle, count, &buffer.info), NO_ERROR);
  }
  if (wanted.pending.empty()) wanted.order_known = true;
}

void Driver::mark() {
  const OpenSubscription* open = choose_subscription();
  if (open == nullptr) return;
  const std::optional<std::size_t> index = choose_held(Kind::kDestination, open->client);
  if (!index) return;
  const RTM_ENTITY_HANDLE self = clients_[open->client].handle;
  RTM_DEST_HANDLE handle = held_[*index].handle;
  const Prefix prefix = std::get<Prefix>(held_[*index].object);
  const Subscription& before = reference_.subscriptions().at(open->id);
  const auto pending = [&] {
    return std::find(before.pending.begin(), before.pending.end(), prefix) != before.pending.end();
  };
  BOOL flag = 7;
  MODEL_STATUS(RtmGetChangeStatus(self, open->handle, handle, &flag), NO_ERROR);
  MODEL_EXPECT(flag == (pending() ? TRUE : FALSE));
  if (choices_.one_in(3)) {
    MODEL_STATUS(RtmIgnoreChangedDests(self, open->handle, 1, &handle), NO_ERROR);
    reference_.ignore(open->id, prefix);
    return;
  }
  const bool marked = !choices_.one_in(3);
  MODEL_STATUS(RtmMarkDestForChangeNotification(self, open->handle, handle, marked), NO_ERROR);
  reference_.mark(open->id, prefix, marked);
  MODEL_STATUS(RtmIsMarkedForChangeNotification(self, open->handle, handle, &flag), NO_ERROR);
  MODEL_EXPECT(flag == (marked ? TRUE : FALSE));
}

void Driver::lists() {
  const std::size_t client = choose_client();
  const RTM_ENTITY_HANDLE self = clients_[client].handle;
  const auto found =
      std::find_if(lists_.begin(), lists_.end(), [&](const OpenList& list) { return list.client == client; });
  if (found == lists_.end()) {
    RTM_ROUTE_LIST_HANDLE handle = nullptr;
    MODEL_STATUS(RtmCreateRouteList(self, &handle), NO_ERROR);
    lists_.push_back({client, handle, reference_.create_list(clients_[client].id)});
    return;
  }
  if (choices_.one_in(4)) {
    MODEL_STATUS(RtmDeleteRouteList(self, found->handle), NO_ERROR);
    MODEL_STATUS(RtmDeleteRouteList(self, found->handle), ERROR_INVALID_HANDLE);
    reference_.delete_list(found->id);
    lists_.erase(found);
    return;
  }
  insert_in_list(client, *found);
  compare_list(client, *found);
}

void Driver::insert_in_list(std::size_t client, const OpenList& list) {
  const std::optional<std::size_t> index = choose_held(Kind::kRoute, client);
  if (!index) return;
  const Route& route = reference_.routes().at(std::get<Id>(held_[*index].object));
  if (route.state != State::kCreated) return;
  const bool own = route.owner == clients_[client].id;
  const bool remove = choices_.one_in(3);
  RTM_ROUTE_HANDLE handle = held_[*index].handle;
  MODEL_STATUS(RtmInsertInRouteList(clients_[client].handle, remove ? nullptr : list.handle, 1, &handle),
               own ? NO_ERROR : ERROR_ACCESS_DENIED);
  if (own) reference_.move_to_list(route.id, remove ? kNone : list.id);
}

std::string Driver::names(const std::vector<Id>& ids) {
  std::string text;
  for (Id id : ids) text += std::to_string(id) + " ";
  return text;
}

void Driver::compare_list(std::size_t client, const OpenList& list) {
  const RTM_ENTITY_HANDLE self = clients_[client].handle;
  RTM_ENUM_HANDLE walk = nullptr;
  MODEL_STATUS(RtmCreateRouteListEnum(self, list.handle, &walk), NO_ERROR);
  std::vector<Id> members;
  for (UINT count = 3; count == 3;) {
    std::array<RTM_ROUTE_HANDLE, 3> room{};
    MODEL_STATUS(RtmGetListEnumRoutes(self, walk, &count, room.data()), NO_ERROR);
    for (UINT i = 0; i < count; ++i) members.push_back(identify(client, room[i]));
    MODEL_STATUS(RtmReleaseRoutes(self, count, room.data()), NO_ERROR);
  }
  MODEL_EXPECT(members == reference_.list_members(list.id),
               names(members) + "instead of " + names(reference_.list_members(list.id)));
  MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
}

}  // namespace turnpike::model
