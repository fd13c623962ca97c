// Interfaces: taken, shared with IGMP, released.
//
// Taking an interface that IGMP stands on, and releasing one, are several steps with callbacks between them, in the
// order of the contract: IGMP is told to keep off (DISABLE), memberships go and those who must know are told, the owner
// changes, IGMP is told to come back (ENABLE) and adds its memberships anew. Meanwhile the interface is `changing`:
// memberships there are refused with kBusy, whoever asks (a thread of IGMP that waited here could be one that its
// DISABLE callback waits for); another take or release waits until the change is over.
//
// What goes with an interface: the memberships of who leaves, the entries that come in there, its place in every other
// entry, what clients ordered for it there, and with its last holder the virtual interface.
#include <algorithm>
#include <new>

#include "mgm/manager.h"

namespace turnpike::mgm {

Interface* Manager::find_interface(const InterfaceId& id) const {
  const auto at = interfaces_.find(id);
  return at != interfaces_.end() ? at->second.get() : nullptr;
}

// A link of its own on an NBMA device, else the device as a whole.
Interface* Manager::interface_towards(const Route& route) const {
  Interface* found = find_interface({route.device, route.neighbour});
  if (found == nullptr) {
    found = find_interface({route.device, net::Address::netmask(config_.family, 0)});
  }
  return found != nullptr && found->responsible() != nullptr ? found : nullptr;
}

Interface* Manager::interface_on(Vif vif) const {
  const auto at =
      std::find_if(interfaces_.begin(), interfaces_.end(), [&](const auto& each) { return each.second->vif == vif; });
  return at != interfaces_.end() ? at->second.get() : nullptr;
}

Result<ClientInfo> Manager::protocol_on(const InterfaceId& id) const {
  const std::lock_guard lock(mutex_);
  const Interface* interface = find_interface(id);
  if (interface == nullptr || interface->responsible() == nullptr) {
    return fail(ErrorKind::kNotFound, "nobody holds this interface");
  }
  return interface->responsible()->info;
}

// What taking and releasing begin with: who calls, and nobody else changing the interface.
Result<Client*> Manager::begin_change(Handle self, const InterfaceId& id, Lock& lock) {
  if (in_igmp_switch()) {
    return fail(ErrorKind::kBusy, "not in a callback that enables or disables IGMP");
  }
  if (find_client(self) == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  const auto is_unchanged = [&] {
    const Interface* interface = find_interface(id);
    return interface == nullptr || !interface->changing;
  };
  if (!is_unchanged() && !in_callback()) {
    ++waiting_;
    changed_.wait_for(lock, config_.patience, is_unchanged);
    --waiting_;
  }
  if (!is_unchanged()) {
    return fail(ErrorKind::kBusy, "the interface changes hands");
  }
  Client* client = find_client(self);  // again: it may have left meanwhile
  if (client == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  return client;
}

Result<void> Manager::take(Handle self, const InterfaceId& id) {
  Lock lock(mutex_);
  const auto caller = begin_change(self, id, lock);
  if (!caller) {
    return tl::unexpected(caller.error());
  }
  if (id.device.is_none() || id.next_hop.family() != config_.family) {
    return fail(ErrorKind::kInvalidArgument, "no interface has this name");
  }
  Client& client = **caller;
  Interface* interface = find_interface(id);
  if (interface == nullptr) {
    return take_new(client, id, lock);
  }
  if ((client.is_igmp ? interface->igmp : interface->owner) != nullptr) {
    return fail(ErrorKind::kAlreadyExists, "the interface is held already");
  }
  ++client.interfaces;
  if (!client.is_igmp) {
    return take_over(client, *interface, lock);
  }
  interface->igmp = &client;
  return {};
}

// The interface is there, as its holder's, before the virtual one is: nobody else can take it meanwhile.
Result<void> Manager::take_new(Client& client, const InterfaceId& id, Lock& lock) {
  Interface* interface = nullptr;
  try {
    interface = interfaces_.emplace(id, std::make_unique<Interface>()).first->second.get();
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for an interface");
  }
  interface->id = id;
  interface->changing = true;
  ++client.interfaces;
  lock.unlock();
  const auto vif = add_vif(id.device);
  lock.lock();
  interface->changing = false;
  wake();
  if (!vif) {
    --client.interfaces;
    interfaces_.erase(id);
    return tl::unexpected(vif.error());
  }
  interface->vif = *vif;
  (client.is_igmp ? interface->igmp : interface->owner) = &client;
  forget_negative_entries();
  Round none;
  conclude(none, lock);
  return {};
}

// Sources that were out of reach may be behind the new interface: their next packets tell.
void Manager::forget_negative_entries() {
  for (auto at = entries_.begin(); negative_ != 0 && at != entries_.end();) {
    at = at->second->negative && at->second->state == Entry::State::kLive ? bury(at) : std::next(at);
  }
}

// From IGMP, which stays beside the new owner.
Result<void> Manager::take_over(Client& client, Interface& interface, Lock& lock) {
  interface.changing = true;
  const auto inventory = take_inventory(interface, lock);
  if (inventory) {
    Round before{&client};
    say(before, interface.igmp, CallbackKind::kDisableIgmp, {}, interface.id);
    conclude(before, lock);
    Round round{&client};
    drop_memberships(round, interface, Holder::kIgmp, *inventory);
    interface.owner = &client;
    say(round, interface.igmp, CallbackKind::kEnableIgmp, {}, interface.id);
    conclude(round, lock);
  } else {
    --client.interfaces;
  }
  interface.changing = false;
  wake();
  return inventory ? Result<void>() : tl::unexpected(inventory.error());
}

Result<void> Manager::release(Handle self, const InterfaceId& id) {
  Lock lock(mutex_);
  const auto caller = begin_change(self, id, lock);
  if (!caller) {
    return tl::unexpected(caller.error());
  }
  Client& client = **caller;
  Interface* interface = find_interface(id);
  if (interface == nullptr || !interface->is_held_by(client)) {
    return fail(ErrorKind::kInvalidArgument, "the client does not hold this interface");
  }
  interface->changing = true;
  const auto inventory = take_inventory(*interface, lock);
  if (!inventory) {
    interface->changing = false;
    wake();
    return tl::unexpected(inventory.error());
  }
  if (interface->igmp != &client) {
    Round before{&client};
    say(before, interface->igmp, CallbackKind::kDisableIgmp, {}, id);
    conclude(before, lock);
  }
  give_up(client, *interface, *inventory, lock);
  return {};
}

// What follows the DISABLE callback, if there was one. The interface is gone afterwards if nobody is left.
void Manager::give_up(Client& client, Interface& interface, const Inventory& inventory, Lock& lock) {
  const InterfaceId id = interface.id;
  Round round{&client};
  if (interface.igmp == &client) {
    drop_memberships(round, interface, Holder::kIgmp, inventory);
    interface.igmp = nullptr;
  } else {
    drop_memberships(round, interface, Holder::kOwner, inventory);
    drop_memberships(round, interface, Holder::kIgmp, inventory);
    vacate(interface, round);
    interface.owner = nullptr;
    say(round, interface.igmp, CallbackKind::kEnableIgmp, {}, id);
  }
  const bool stays = interface.responsible() != nullptr;
  if (!stays) {
    vacate(interface, round);
    give_up_vif(id.device);
    interfaces_.erase(id);
  }
  conclude(round, lock);
  --client.interfaces;  // not before: until now it could not leave
  if (stays) {
    interface.changing = false;
  }
  wake();
}

// Takes the interface out of all entries, with what clients ordered for it, and ends those that come in there.
void Manager::vacate(Interface& interface, Round& round) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = *at->second;
    if (entry.in == &interface) {
      at = bury(at);
      continue;
    }
    entry.end_override(interface);
    if (entry.state == Entry::State::kLive) {
      set_forwarding(entry, interface, false, round);
    }
    ++at;
  }
}

// What the interface has members of, and the ways to their sources: asked without the lock, and before anything
// changes, because it takes memory. While the interface is `changing` nobody adds to it.
Result<Manager::Inventory> Manager::take_inventory(const Interface& interface, Lock& lock) {
  Inventory inventory;
  try {
    for (const auto& held : memberships_.of(interface)) {
      inventory.emplace_back(held, std::nullopt);
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory to take an interface's memberships along");
  }
  lock.unlock();
  for (auto& [held, way] : inventory) {
    way = held.flow.any_source() ? std::nullopt : way_to(held.flow.source);
  }
  lock.lock();
  return inventory;
}

void Manager::set_scope(net::InterfaceIndex device, Scope scope) {
  Lock lock(mutex_);
  scopes_[device] = std::move(scope);
  Round round;
  for (const auto& [id, interface] : interfaces_) {
    if (id.device == device) {
      for (const auto& [flow, entry] : entries_) {
        if (entry->state == Entry::State::kLive) {
          refresh(*entry, *interface, round);
          mark(*entry);  // the threshold may be another one
        }
      }
    }
  }
  conclude(round, lock);
}

}  // namespace turnpike::mgm
