// Clients come and go, with their next hops, and with the handles that they hold: the driver notes each one, so that it
// can be used, doubled, released, released once too often, or left behind.
#include <rtmv2.h>
#include <winerror.h>

#include <algorithm>

#include "rtm_driver_parts.h"

namespace turnpike::model {

void Driver::register_client() {
  Client client;
  const unsigned which = choices_.below(kProtocols.size());
  client.protocol = kProtocols[which];
  client.vetoes_expiry = choices_.one_in(2);
  RTM_ENTITY_INFO info{};
  info.AddressFamily = static_cast<USHORT>(family_);
  info.EntityId.EntityProtocolId = client.protocol;
  info.EntityId.EntityInstanceId = ++instances_;
  MODEL_STATUS(
      RtmRegisterEntity(&info, nullptr, expiry_callback(client.vetoes_expiry), FALSE, &client.profile, &client.handle),
      NO_ERROR);
  client.id = reference_.register_entity(kPreferences[which]);
  clients_.push_back(client);
  RTM_ENTITY_HANDLE again = nullptr;
  MODEL_STATUS(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &client.profile, &again), ERROR_ALREADY_EXISTS);
  MODEL_EXPECT(again == nullptr);
}

// What the client still holds is either given back first or left behind: both must end in the same table.
void Driver::deregister_client(std::size_t index) {
  const bool leave_behind = choices_.one_in(2);
  for (std::size_t i = held_.size(); i-- > 0;) {
    if (held_[i].client == index && !leave_behind) drop(i);
  }
  const Client client = clients_[index];
  trace(" client ", client.id, " leaves");
  MODEL_STATUS(RtmDeregisterEntity(client.handle), NO_ERROR);
  MODEL_STATUS(RtmDeregisterEntity(client.handle), ERROR_INVALID_HANDLE);
  reference_.deregister_entity(client.id);
  clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(index));
  const auto gone = [&](auto& item) {
    if (item.client == index) return true;
    if (item.client > index) --item.client;
    return false;
  };
  std::erase_if(held_, gone);
  std::erase_if(lists_, gone);
  std::erase_if(subscriptions_, gone);
}

void Driver::add_next_hop() {
  const std::size_t client = choose_client();
  const unsigned address = choices_.below(4);
  const unsigned interface = 1 + choices_.below(3);
  RTM_NEXTHOP_INFO info{};
  info.NextHopAddress = net_address({0xC0000200U + address, 32});
  info.InterfaceIndex = interface;
  info.Flags = static_cast<USHORT>(choices_.one_in(3) ? RTM_NEXTHOP_FLAGS_DOWN : 0);
  info.EntitySpecificInfo = reinterpret_cast<PVOID>(++cookie_);
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  const bool want_handle = !choices_.one_in(4);
  MODEL_STATUS(RtmAddNextHop(clients_[client].handle, &info, want_handle ? &handle : nullptr, &flags), NO_ERROR);
  const auto [id, created] =
      reference_.add_next_hop(clients_[client].id, 0xC0000200U + address, interface, info.Flags, cookie_);
  MODEL_EXPECT((flags == RTM_NEXTHOP_CHANGE_NEW) == created);
  if (want_handle) take(client, Kind::kNextHop, handle, id);
}

void Driver::delete_next_hop() {
  const std::size_t client = choose_client();
  const std::optional<std::size_t> index =
      choose_held(Kind::kNextHop, choices_.one_in(4) ? std::nullopt : std::optional(client));
  if (!index) return;
  const Held held = held_[*index];
  const NextHop& hop = reference_.next_hops().at(std::get<Id>(held.object));
  const bool own = hop.owner == clients_[client].id;
  const DWORD wanted = !own ? DWORD{ERROR_ACCESS_DENIED} : hop.deleted ? DWORD{ERROR_NOT_FOUND} : DWORD{NO_ERROR};
  if (held.client != client) return;  // a handle is used by whom it was given to
  MODEL_STATUS(RtmDeleteNextHop(clients_[client].handle, held.handle, nullptr), wanted);
  if (wanted != NO_ERROR) return;
  reference_.delete_next_hop(std::get<Id>(held.object));
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(*index));
}

// Next hops that the client holds a handle of, its own and alive.
std::vector<std::size_t> Driver::usable_next_hops(std::size_t client) const {
  std::vector<std::size_t> usable = held_of(Kind::kNextHop, client);
  std::erase_if(usable, [&](std::size_t i) {
    const NextHop& hop = reference_.next_hops().at(std::get<Id>(held_[i].object));
    return hop.owner != clients_[client].id || hop.deleted;
  });
  return usable;
}

// While somebody holds a reference, equal handles are the same object and different ones are not.
void Driver::take(std::size_t client, Kind kind, HANDLE handle, const Object& object) {
  MODEL_EXPECT(handle != nullptr);
  for (const Held& held : held_) {
    MODEL_EXPECT((held.handle == handle) == (held.kind == kind && held.object == object),
                 "a handle changed its object");
  }
  held_.push_back({client, kind, handle, object});
}

DWORD Driver::release_one(const Held& held) {
  HANDLE handle = held.handle;
  const RTM_ENTITY_HANDLE self = clients_[held.client].handle;
  switch (held.kind) {
    case Kind::kEntity:
      return RtmReleaseEntities(self, 1, &handle);
    case Kind::kRoute:
      return RtmReleaseRoutes(self, 1, &handle);
    case Kind::kNextHop:
      return RtmReleaseNextHops(self, 1, &handle);
    case Kind::kDestination:
      break;
  }
  DestBuffer buffer{};
  buffer.info.DestHandle = handle;
  return RtmReleaseDestInfo(self, &buffer.info);
}

void Driver::drop(std::size_t index) {
  const Held held = held_[index];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  MODEL_STATUS(release_one(held), NO_ERROR);
}

// Any held handle of a kind, of a client or of any.
std::vector<std::size_t> Driver::held_of(Kind kind, std::optional<std::size_t> client) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (held_[i].kind == kind && (!client || held_[i].client == *client)) found.push_back(i);
  }
  return found;
}

std::optional<std::size_t> Driver::choose_held(Kind kind, std::optional<std::size_t> client) {
  const std::vector<std::size_t> found = held_of(kind, client);
  if (found.empty()) return std::nullopt;
  return found[choices_.below(static_cast<unsigned>(found.size()))];
}

std::size_t Driver::client_of(Id entity) const {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i].id == entity) return i;
  }
  differ(__FILE__, __LINE__, "entity is registered");
}

bool Driver::referenced(const Prefix& prefix) const {
  return std::any_of(held_.begin(), held_.end(), [&](const Held& held) {
    if (held.kind == Kind::kDestination) return std::get<Prefix>(held.object) == prefix;
    return held.kind == Kind::kRoute && reference_.routes().at(std::get<Id>(held.object)).prefix == prefix;
  });
}

void Driver::release_or_reference() {
  if (held_.empty()) return;
  const std::size_t index = choices_.below(static_cast<unsigned>(held_.size()));
  const Held held = held_[index];
  if (choices_.one_in(4)) {
    HANDLE handle = held.handle;
    MODEL_STATUS(RtmReferenceHandles(clients_[held.client].handle, 1, &handle), NO_ERROR);
    held_.push_back(held);
    return;
  }
  drop(index);
  const bool last = std::none_of(held_.begin(), held_.end(), [&](const Held& other) {
    return other.client == held.client && other.handle == held.handle;
  });
  if (last && held.kind != Kind::kEntity && !choices_.one_in(3)) MODEL_STATUS(release_one(held), ERROR_INVALID_HANDLE);
}

}  // namespace turnpike::model
