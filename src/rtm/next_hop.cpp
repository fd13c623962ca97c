// Next hops: each client's own list, by address and interface.
//
// A next hop lives in the list until it is deleted from it, and after that, in state DELETED, as long as a route names
// it or a client holds its handle. Its key comes back as a new object. A remote next hop keeps the destination that it
// names.
#include <algorithm>
#include <cstring>
#include <ranges>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr unsigned kGatewayBits = 128;  // of addresses of the other family

constexpr Failure bad_hop() { return fail(ErrorKind::kInvalidHandle, "not the handle of a next hop of this table"); }
constexpr Failure not_yours() { return fail(ErrorKind::kDenied, "the next hop is in another client's list"); }
constexpr Failure not_found() { return fail(ErrorKind::kNotFound, "no such next hop in the client's list"); }
constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for a next hop"); }

}  // namespace

Result<NextHopKey> Table::next_hop_key(const NetAddress& address, std::uint32_t interface_index) const {
  if (is_of_other_family(address)) {
    return NextHopKey{true, key_of_bits(address, address.bits), interface_index};
  }
  return key_from(address).map([&](const Key& key) { return NextHopKey{false, key, interface_index}; });
}

// A whole address. One that ends in twelve zero bytes is a network's and no router's; a Match that says it would look
// as if it were of the table's own family.
bool Table::is_of_other_family(const NetAddress& address) const {
  return config_.gateway_family != 0 && address.family == config_.gateway_family && address.bits == kGatewayBits &&
         std::ranges::any_of(address.address | std::views::drop(4), [](std::uint8_t byte) { return byte != 0; });
}

// The index of a next hop of the client's own.
Result<std::uint32_t> Table::own_next_hop(const Entity& client, Handle handle) const {
  const std::uint32_t index = find(Kind::kNextHop, handle);
  if (index == 0) {
    return bad_hop();
  }
  return next_hop(index).owner == client.index ? Result<std::uint32_t>(index) : not_yours();
}

// --- adding and deleting
// -------------------------------------------------------------------------------------------------

std::uint32_t Table::make_next_hop(Entity& owner, const NextHopKey& key, const NetAddress& address) {
  const std::uint32_t index = next_hops_.take();
  if (index == 0) {
    return 0;
  }
  NextHop& fresh = next_hop(index);
  std::memset(reinterpret_cast<std::byte*>(&fresh) + sizeof(ReferenceWord), 0, sizeof(NextHop) - sizeof(ReferenceWord));
  fresh.interface_index = key.interface_index;
  fresh.address = address;
  const std::size_t used = ((key.of_other_family ? kGatewayBits : config_.width) + 7) / 8;
  std::memset(fresh.address.address + used, 0, sizeof fresh.address.address - used);
  fresh.owner = owner.index;
  try {
    owner.next_hops.emplace(key, index);
  } catch (const std::bad_alloc&) {
    next_hops_.count_out();
    next_hops_.give_back(index);
    return 0;
  }
  fresh.references.begin(std::max(fresh.references.generation(), first_generation_));
  ++owner.pins;
  return index;
}

void Table::store_next_hop(std::uint32_t index, std::uint16_t flags, void* entity_specific, std::uint32_t remote) {
  NextHop& its = next_hop(index);
  const std::uint32_t remote_before = its.remote;
  if (remote != 0) {
    pin(destination(remote));
  }
  its.version = its.version + 1;
  its.flags = flags;
  its.entity_specific = entity_specific;
  its.remote = remote;
  its.version = its.version + 1;
  if (its.image != nullptr) {
    write_image(index, *its.image);
  }
  if (remote_before != 0) {
    unpin(remote_before);
  }
}

// The destination that a remote next hop names; without the flag, and for a null handle, none.
Result<std::uint32_t> Table::check_remote(std::uint16_t flags, Handle remote) const {
  if ((flags & kRemoteNextHop) == 0 || remote == Handle::kNone) {
    return 0;
  }
  const std::uint32_t index = find(Kind::kDestination, remote);
  return index != 0 ? Result<std::uint32_t>(index)
                    : fail(ErrorKind::kInvalidHandle, "the remote next hop is no destination of this table");
}

Result<std::pair<Handle, bool>> Table::add_next_hop(Handle self, Handle handle, const NextHopRequest& request,
                                                    bool reference) {
  using Added = Result<std::pair<Handle, bool>>;
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Added {
    const std::lock_guard lock(mutex_);
    std::uint32_t index = 0;
    NextHopKey key;
    if (handle != Handle::kNone) {
      const auto own = own_next_hop(client, handle);
      if (!own || next_hop(*own).state == next_hop_state::kDeleted) {
        return own ? bad_hop() : tl::unexpected(own.error());
      }
      index = *own;
    } else {
      const auto made = next_hop_key(request.address, request.interface_index);
      if (!made) {
        return tl::unexpected(made.error());
      }
      key = *made;
      if (key.of_other_family && !request.may_be_of_other_family) {
        return fail(ErrorKind::kInvalidArgument, "a next hop of another family");
      }
      const auto there = client.next_hops.find(key);
      index = there != client.next_hops.end() ? there->second : 0;
    }
    const auto remote = check_remote(request.flags, request.remote);
    if (!remote) {
      return tl::unexpected(remote.error());
    }
    const bool is_new = index == 0;
    if (!is_new) {
      if (const auto free = access_under_lock(Kind::kNextHop, index, true, blocked); !free) {
        return tl::unexpected(free.error());
      }
    } else if ((index = make_next_hop(client, key, request.address)) == 0) {
      return no_memory();
    }
    if (reference && handle == Handle::kNone && !take(client, Kind::kNextHop, index)) {
      return no_memory();  // only for an old one: in a new word there is room
    }
    store_next_hop(index, request.flags, request.entity_specific, *remote);
    return std::pair(next_hop_handle(index), is_new);
  });
}

// Out of its owner's list.
void Table::remove_next_hop(std::uint32_t index) {
  NextHop& gone = next_hop(index);
  entity_at(gone.owner)->next_hops.erase(*next_hop_key(gone.address, gone.interface_index));
  gone.state = next_hop_state::kDeleted;
  if (gone.image != nullptr) {
    gone.image->state = next_hop_state::kDeleted;
  }
  if (gone.uses == 0 && gone.references.unroot()) {
    free_next_hop(index);
  }
}

Result<void> Table::delete_next_hop(Handle self, Handle handle) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const auto index = own_next_hop(client, handle);
    if (!index) {
      return tl::unexpected(index.error());
    }
    if (next_hop(*index).state == next_hop_state::kDeleted) {
      return not_found();
    }
    if (const auto free = access_under_lock(Kind::kNextHop, *index, true, blocked); !free) {
      return tl::unexpected(free.error());
    }
    remove_next_hop(*index);
    drop_under_lock(client, Kind::kNextHop, handle);
    return {};
  });
}

Result<void> Table::delete_next_hop(Handle self, const NetAddress& address, std::uint32_t interface_index) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const auto key = next_hop_key(address, interface_index);
    if (!key) {
      return tl::unexpected(key.error());
    }
    const std::lock_guard lock(mutex_);
    const auto there = client.next_hops.find(*key);
    if (there == client.next_hops.end()) {
      return not_found();
    }
    if (const auto free = access_under_lock(Kind::kNextHop, there->second, true, blocked); !free) {
      return tl::unexpected(free.error());
    }
    remove_next_hop(there->second);
    return {};
  });
}

// --- reading
// -------------------------------------------------------------------------------------------------------------

void Table::write_image(std::uint32_t index, NextHopImage& out) const {
  const NextHop& its = next_hop(index);
  out.address = its.address;
  out.owner = entity_at(its.owner)->handle;
  out.interface_index = its.interface_index;
  out.state = its.state;
  out.flags = its.flags;
  out.entity_specific = its.entity_specific;
  const std::uint32_t remote = its.remote;
  out.remote = remote != 0 ? dest_handle(remote) : Handle::kNone;
}

NextHopImage* Table::next_hop_image_of(std::uint32_t index) {
  NextHop& its = next_hop(index);
  if (its.image == nullptr && (its.image = new (std::nothrow) NextHopImage) != nullptr) {
    write_image(index, *its.image);
  }
  return its.image;
}

Result<std::pair<Handle, NextHopImage*>> Table::find_next_hop(Handle self, const NetAddress& address,
                                                              std::uint32_t interface_index, bool reference,
                                                              bool pointer) {
  using Found = Result<std::pair<Handle, NextHopImage*>>;
  return attempt(self, [&](Entity& client, Blocked&) -> Found {
    const auto key = next_hop_key(address, interface_index);
    if (!key) {
      return tl::unexpected(key.error());
    }
    const std::lock_guard lock(mutex_);
    const auto there = client.next_hops.find(*key);
    if (there == client.next_hops.end()) {
      return not_found();
    }
    NextHopImage* image = pointer ? next_hop_image_of(there->second) : nullptr;
    if ((pointer && image == nullptr) || (reference && !take(client, Kind::kNextHop, there->second))) {
      return no_memory();
    }
    return std::pair(next_hop_handle(there->second), image);
  });
}

// Under the lock: a next hop is read far less often than it is named.
Result<void> Table::next_hop_info(Handle self, Handle handle, NextHopImage& out) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const std::uint32_t index = find(Kind::kNextHop, handle);
    if (index == 0) {
      return bad_hop();
    }
    if (const auto free = access_under_lock(Kind::kNextHop, index, false, blocked); !free) {
      return tl::unexpected(free.error());
    }
    if (const std::uint32_t remote = next_hop(index).remote; remote != 0 && !take(client, Kind::kDestination, remote)) {
      return no_memory();
    }
    client.references.take(next_hop(index).owner);
    write_image(index, out);
    return {};
  });
}

Result<void> Table::release_next_hop_info(Handle self, const NextHopImage& info) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const bool owner = info.owner == Handle::kNone || drop(client, Kind::kEntity, info.owner);
    const bool remote = info.remote == Handle::kNone || drop(client, Kind::kDestination, info.remote);
    return owner && remote ? Result<void>() : bad_hop();
  });
}

// --- in place
// ------------------------------------------------------------------------------------------------------------

Result<NextHopImage*> Table::next_hop_pointer(Handle self, Handle handle) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<NextHopImage*> {
    const std::lock_guard lock(mutex_);
    return own_next_hop(client, handle).and_then([&](std::uint32_t index) -> Result<NextHopImage*> {
      NextHopImage* image = next_hop_image_of(index);
      return image != nullptr ? Result<NextHopImage*>(image) : no_memory();
    });
  });
}

Result<NextHopImage*> Table::lock_next_hop(Handle self, Handle handle, bool exclusive, bool pointer) {
  return attempt(self, [&](Entity& client, Blocked& blocked) -> Result<NextHopImage*> {
    const std::lock_guard lock(mutex_);
    const auto index = own_next_hop(client, handle);
    if (!index) {
      return tl::unexpected(index.error());
    }
    if (next_hop(*index).state == next_hop_state::kDeleted) {
      return not_found();
    }
    NextHopImage* image = pointer ? next_hop_image_of(*index) : nullptr;
    if (pointer && image == nullptr) {
      return no_memory();
    }
    return acquire(client, Kind::kNextHop, *index, exclusive, 0, blocked).map([&] { return image; });
  });
}

// An unlock is the commit: what the owner wrote into the image is taken over, but for what he must not write, and for a
// remote next hop that is none; those are put right.
Result<void> Table::unlock_next_hop(Handle self, Handle handle, bool exclusive) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    const auto index = own_next_hop(client, handle);
    if (!index) {
      return tl::unexpected(index.error());
    }
    if (exclusive && holder(client, Kind::kNextHop, *index, true, 0) != nullptr) {
      if (const NextHopImage* image = next_hop(*index).image; image != nullptr) {
        const auto remote = check_remote(image->flags, image->remote);
        store_next_hop(*index, image->flags, image->entity_specific, remote ? *remote : next_hop(*index).remote);
      }
    }
    return unlock(client, Kind::kNextHop, *index, exclusive, 0);
  });
}

}  // namespace turnpike::rtm
