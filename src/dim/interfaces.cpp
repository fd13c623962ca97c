#include "dim/interfaces.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace turnpike::dim {
namespace {

constexpr std::uint32_t kLastIndex = std::numeric_limits<std::int32_t>::max();
constexpr std::uint32_t kRemoteDisconnection = 629;    // ERROR_REMOTE_DISCONNECTION
constexpr std::uint32_t kInterfaceDisconnected = 929;  // ERROR_INTERFACE_DISCONNECTED
constexpr Reasons kSettable = kOutOfResources | kServicePaused | kDialOutHours;

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Characters of UTF-8, of which each has one byte that is no continuation.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !name.empty() && characters(name) <= kLongestName && std::ranges::none_of(name, is_control);
}

bool can_be_planned(InterfaceType type) { return type <= InterfaceType::kDialOut && type != InterfaceType::kLoopback; }

InterfaceType type_of(const Link& link) { return link.loopback ? InterfaceType::kLoopback : InterfaceType::kDedicated; }

constexpr std::string_view kEventNames[] = {
    "created",           "deleted",     "state",         "attached", "addresses",       "media present",
    "media absent",      "enabled",     "disabled",      "detached", "transport added", "transport changed",
    "transport removed", "dial wanted", "hang-up wanted"};
static_assert(std::size(kEventNames) == static_cast<unsigned>(EventKind::kHangUpWanted) + 1);

}  // namespace

std::string_view name_of(EventKind kind) { return kEventNames[static_cast<unsigned>(kind)]; }

// ---------------------------------------------------------------------------------------------------------------------
// What follows from the facts, and how a change of it is told

void Interfaces::settle_dialled(Interface& interface) const {
  const Dialled& facts = dialled_.at(interface.id);
  interface.reasons = 0;
  if (interface.enabled && interface.link) {
    interface.state = ConnectionState::kConnected;
  } else if (interface.enabled && facts.connecting) {
    interface.state = ConnectionState::kConnecting;
  } else {
    interface.reasons =
        facts.others | (interface.enabled ? 0 : kAdminDisabled) | (facts.has_failed ? kConnectionFailure : 0);
    interface.state = interface.reasons != 0 ? ConnectionState::kUnreachable : ConnectionState::kDisconnected;
  }
}

void Interfaces::settle(Interface& interface) const {
  if (is_dialled(interface.type)) {
    settle_dialled(interface);
    return;
  }
  interface.reasons = 0;
  if (interface.type == InterfaceType::kDedicated || interface.type == InterfaceType::kTunnel) {
    const bool disabled = !interface.enabled || (interface.link && !interface.link->up);
    const bool no_media = interface.link && interface.link->up && !interface.link->carrier;
    interface.reasons =
        (disabled ? kAdminDisabled : 0) | (interface.link ? 0 : kNoDevice) | (no_media ? kNoMediaSense : 0);
  }
  interface.state = interface.reasons != 0 ? ConnectionState::kUnreachable : ConnectionState::kConnected;
}

Interfaces::Shown Interfaces::shown(const Interface& interface) {
  Shown shown;
  shown.state = interface.state;
  shown.reasons = interface.reasons;
  shown.index = interface.index;
  shown.usable = !interface.index.is_none() && interface.is_usable();
  shown.media = interface.has_media();
  if (interface.link) shown.addresses = interface.link->addresses;
  return shown;
}

void Interfaces::tell(const Interface& interface, EventKind kind, TransportId transport) {
  events_.push_back({kind, interface.id, interface.index, transport});
}

void Interfaces::tell_visible(const Interface& interface, const Shown& before, const Shown& now) {
  if (before.state != now.state || before.reasons != now.reasons) tell(interface, EventKind::kState);
  const bool comes = before.index.is_none() && !now.index.is_none();
  const bool goes = !before.index.is_none() && now.index.is_none();
  if (before.usable && !now.usable) {
    events_.push_back({EventKind::kDisabled, interface.id, before.index, {}});
  }
  if (goes) events_.push_back({EventKind::kDetached, interface.id, before.index, {}});
  if (comes) tell(interface, EventKind::kAttached);
  if (now.index.is_none()) return;
  if (comes ? !now.addresses.empty() : before.addresses != now.addresses) tell(interface, EventKind::kAddresses);
  const bool had_media = !comes && before.media;
  if (had_media != now.media) tell(interface, now.media ? EventKind::kMediaPresent : EventKind::kMediaAbsent);
  const bool was_usable = !comes && before.usable;
  if (!was_usable && now.usable) tell(interface, EventKind::kEnabled);
}

template <class Mutate>
void Interfaces::change(Interface& interface, Mutate&& mutate) {
  const Shown before = shown(interface);
  mutate();
  settle(interface);
  tell_visible(interface, before, shown(interface));
}

std::vector<Event> Interfaces::take_events() { return std::exchange(events_, {}); }

// ---------------------------------------------------------------------------------------------------------------------
// Entries

Interface* Interfaces::entry(InterfaceId id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

Interface* Interfaces::entry_named(std::string_view name) {
  const auto found = by_name_.find(folded(name));
  return found == by_name_.end() ? nullptr : entry(found->second);
}

Interface* Interfaces::entry_of_device(InterfaceIndex device) {
  const auto found = by_device_.find(device);
  return found == by_device_.end() ? nullptr : entry(found->second);
}

Result<Interface*> Interfaces::dialled(InterfaceId id) {
  Interface* interface = entry(id);
  if (interface == nullptr) return fail(ErrorKind::kNotFound, "no such interface");
  if (!is_dialled(interface->type)) return fail(ErrorKind::kUnsupported, "an interface without connections");
  return interface;
}

const Interface* Interfaces::find(InterfaceId id) const { return const_cast<Interfaces*>(this)->entry(id); }
const Interface* Interfaces::find(std::string_view name) const {
  return const_cast<Interfaces*>(this)->entry_named(name);
}
const Interface* Interfaces::find(InterfaceIndex index) const {
  const auto found = by_index_.find(index);
  return found == by_index_.end() ? nullptr : find(found->second);
}

// An index stays with its name, so a route or a module's settings that name it mean the same interface tomorrow.
Result<InterfaceIndex> Interfaces::own_index(std::string_view name, InterfaceType type) {
  if (is_of_device(type)) return InterfaceIndex();
  const bool is_shared = type == InterfaceType::kClient;
  if (const auto known = remembered_.find(folded(name)); !is_shared && known != remembered_.end()) return known->second;
  if (next_index_ > kLastIndex) return fail(ErrorKind::kExhausted, "no interface index is left");
  const InterfaceIndex index(next_index_++);
  if (!is_shared) remembered_.emplace(folded(name), index);
  return index;
}

Interface& Interfaces::make(std::string_view name, InterfaceType type, bool planned, bool enabled,
                            InterfaceIndex index) {
  const auto id = static_cast<InterfaceId>(next_id_++);
  Interface& interface = entries_[id];
  interface.id = id;
  interface.name = name;
  interface.type = type;
  interface.planned = planned;
  interface.enabled = enabled;
  if (is_dialled(type)) dialled_.try_emplace(id);
  by_name_.emplace(folded(name), id);
  settle(interface);
  tell(interface, EventKind::kCreated);
  if (!index.is_none()) {
    by_index_.emplace(index, id);
    change(interface, [&] { interface.index = index; });
  }
  return interface;
}

void Interfaces::erase(Interface& interface) {
  detach(interface);
  if (!interface.index.is_none()) {
    by_index_.erase(interface.index);
    change(interface, [&] { interface.index = InterfaceIndex(); });
  }
  tell(interface, EventKind::kDeleted);
  const auto [first, last] = by_name_.equal_range(folded(interface.name));
  by_name_.erase(std::find_if(first, last, [&](const auto& each) { return each.second == interface.id; }));
  dialled_.erase(interface.id);
  entries_.erase(interface.id);
}

void Interfaces::attach(Interface& interface, const Link& link) {
  by_device_[link.index] = interface.id;
  if (is_of_device(interface.type)) by_index_[link.index] = interface.id;
  change(interface, [&] {
    interface.link = link;
    if (is_of_device(interface.type)) interface.index = link.index;
  });
}

void Interfaces::detach(Interface& interface) {
  if (!interface.link) return;
  by_device_.erase(interface.link->index);
  if (is_of_device(interface.type)) by_index_.erase(interface.index);
  change(interface, [&] {
    interface.link.reset();
    if (is_of_device(interface.type)) interface.index = InterfaceIndex();
  });
}

// A device that is no interface's finds the one that was planned for it, or becomes one by itself.
void Interfaces::adopt(const Link& link) {
  Interface* planned = entry_named(link.name);
  if (planned == nullptr) {
    if (!link.dial) attach(make(link.name, type_of(link), false, true, {}), link);
    return;
  }
  const bool is_for_it = is_of_device(planned->type) && !planned->link && !link.loopback;
  if (is_for_it) attach(*planned, link);
}

void Interfaces::adopt_named(std::string_view name) {
  for (const auto& [index, link] : links_) {
    if (folded(link.name) == folded(name) && !by_device_.contains(index)) return adopt(link);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Administration

Result<InterfaceId> Interfaces::create(std::string_view name, InterfaceType type, bool enabled) {
  if (!is_name(name)) return fail(ErrorKind::kInvalidArgument, "no name for an interface");
  if (!can_be_planned(type)) return fail(ErrorKind::kInvalidArgument, "not a type that can be created");
  Interface* other = entry_named(name);
  const bool both_clients = other != nullptr && other->type == InterfaceType::kClient && type == InterfaceType::kClient;
  if (other != nullptr && !both_clients) {
    if (other->planned || !is_of_device(type) || other->type == InterfaceType::kLoopback) {
      return fail(ErrorKind::kAlreadyExists, "an interface of that name is there");
    }
    if (other->type == type) {
      change(*other, [&] {
        other->planned = true;
        other->enabled = enabled;
      });
      return other->id;
    }
    erase(*other);
  }
  const Result<InterfaceIndex> index = own_index(name, type);
  if (!index) return Failure(index.error());
  const InterfaceId id = make(name, type, true, enabled, *index).id;
  if (is_of_device(type)) adopt_named(name);
  return id;
}

Result<void> Interfaces::remove(InterfaceId id) {
  Interface* interface = entry(id);
  if (interface == nullptr) return fail(ErrorKind::kNotFound, "no such interface");
  if (!interface->planned) return fail(ErrorKind::kInvalidArgument, "an interface that is there with its device");
  if (is_dialled(interface->type) && (interface->link || dialled_.at(id).connecting)) {
    return fail(ErrorKind::kBusy, "the interface is connected");
  }
  if (interface->type == InterfaceType::kDedicated && interface->link) {
    while (!interface->transports.empty()) (void)remove_transport(id, interface->transports.begin()->first);
    change(*interface, [&] {
      interface->planned = false;
      interface->enabled = true;
    });
    return {};
  }
  const std::string name = interface->name;
  erase(*interface);
  adopt_named(name);
  return {};
}

Result<void> Interfaces::set_enabled(InterfaceId id, bool enabled) {
  Interface* interface = entry(id);
  if (interface == nullptr) return fail(ErrorKind::kNotFound, "no such interface");
  if (!enabled && is_dialled(interface->type)) end_connection(*interface, kInterfaceDisconnected);
  change(*interface, [&] { interface->enabled = enabled; });
  return {};
}

Result<void> Interfaces::set_transport(InterfaceId id, TransportId transport, Bytes info) {
  Interface* interface = entry(id);
  if (interface == nullptr) return fail(ErrorKind::kNotFound, "no such interface");
  const auto [at, is_new] = interface->transports.try_emplace(transport);
  if (!is_new && at->second == info) return {};
  at->second = std::move(info);
  tell(*interface, is_new ? EventKind::kTransportAdded : EventKind::kTransportChanged, transport);
  return {};
}

Result<void> Interfaces::remove_transport(InterfaceId id, TransportId transport) {
  Interface* interface = entry(id);
  if (interface == nullptr || interface->transports.erase(transport) == 0) {
    return fail(ErrorKind::kNotFound, "no such transport on such an interface");
  }
  tell(*interface, EventKind::kTransportRemoved, transport);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Connections

Result<void> Interfaces::connect(InterfaceId id) {
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  Dialled& facts = dialled_.at(id);
  if ((*interface)->link) return fail(ErrorKind::kAlreadyExists, "the interface is connected");
  if (facts.connecting) return fail(ErrorKind::kBusy, "the interface is being connected");
  if (!(*interface)->enabled || facts.others != 0)
    return fail(ErrorKind::kDenied, "the interface may not be connected");
  change(**interface, [&] {
    facts.connecting = true;
    facts.has_failed = false;
  });
  tell(**interface, EventKind::kDialWanted);
  return {};
}

Result<void> Interfaces::connected(InterfaceId id, InterfaceIndex device) {
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  const auto link = links_.find(device);
  if (link == links_.end()) return fail(ErrorKind::kNotFound, "no such device");
  if ((*interface)->link) return fail(ErrorKind::kAlreadyExists, "the interface is connected");
  if (!(*interface)->enabled) return fail(ErrorKind::kDenied, "the interface is disabled");
  Interface* holder = entry_of_device(device);
  if (holder != nullptr && (holder->planned || holder->type == InterfaceType::kLoopback)) {
    return fail(ErrorKind::kBusy, "the device is another interface's");
  }
  if (holder != nullptr) erase(*holder);
  dialled_.at(id) = {.connecting = false, .has_failed = false, .others = dialled_.at(id).others};
  (*interface)->last_error = 0;
  attach(**interface, link->second);
  return {};
}

Result<void> Interfaces::failed(InterfaceId id, std::uint32_t error) {
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  Dialled& facts = dialled_.at(id);
  if (!facts.connecting) return fail(ErrorKind::kNotFound, "no connection is being made");
  change(**interface, [&] {
    facts.connecting = false;
    facts.has_failed = true;
    (*interface)->last_error = error;
  });
  return {};
}

Result<void> Interfaces::disconnect(InterfaceId id, std::uint32_t error) {
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  if (!(*interface)->link && !dialled_.at(id).connecting) return fail(ErrorKind::kNotFound, "no connection is there");
  end_connection(**interface, error);
  return {};
}

void Interfaces::end_connection(Interface& interface, std::uint32_t error) {
  Dialled& facts = dialled_.at(interface.id);
  if (!interface.link && !facts.connecting) return;
  interface.last_error = error;
  change(interface, [&] { facts.connecting = false; });
  const InterfaceIndex device = interface.link ? interface.link->index : InterfaceIndex();
  detach(interface);
  tell(interface, EventKind::kHangUpWanted);
  if (const auto left = links_.find(device); left != links_.end()) adopt(left->second);
}

Result<void> Interfaces::forgive(InterfaceId id) {
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  change(**interface, [&] { dialled_.at(id).has_failed = false; });
  return {};
}

Result<void> Interfaces::set_reason(InterfaceId id, Reasons reason, bool holds) {
  if (reason == 0 || (reason & ~kSettable) != 0)
    return fail(ErrorKind::kInvalidArgument, "not a reason that can be set");
  const Result<Interface*> interface = dialled(id);
  if (!interface) return Failure(interface.error());
  change(**interface, [&] {
    Reasons& others = dialled_.at(id).others;
    others = holds ? others | reason : others & ~reason;
  });
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Links

// The device's record has changed: so has the interface that it belongs to.
void Interfaces::update(const Link& link) {
  if (Interface* interface = entry_of_device(link.index); interface != nullptr) {
    change(*interface, [&] { interface->link = link; });
  } else {
    adopt(link);
  }
}

void Interfaces::see_link(const Link& link) {
  const auto known = links_.find(link.index);
  Link now = link;
  now.addresses = known == links_.end() ? std::vector<LinkAddress>() : known->second.addresses;
  const bool is_another =
      known != links_.end() && (known->second.name != link.name || known->second.loopback != link.loopback);
  if (is_another) lose_link(link.index);
  update(links_[link.index] = std::move(now));
}

void Interfaces::lose_link(InterfaceIndex device) {
  const auto link = links_.find(device);
  if (link == links_.end()) return;
  const std::string name = std::move(link->second.name);
  links_.erase(link);
  Interface* interface = entry_of_device(device);
  if (interface == nullptr) return;
  if (is_dialled(interface->type)) {
    end_connection(*interface, kRemoteDisconnection);
  } else if (interface->planned) {
    detach(*interface);
  } else {
    erase(*interface);
  }
  adopt_named(name);  // of a second device that had the name already
}

void Interfaces::see_address(InterfaceIndex device, const LinkAddress& address) {
  const auto link = links_.find(device);
  if (link == links_.end()) return;
  std::vector<LinkAddress>& addresses = link->second.addresses;
  const auto same = [&](const LinkAddress& each) {
    return each.local == address.local && each.prefix_length == address.prefix_length;
  };
  const auto known = std::ranges::find_if(addresses, same);
  if (known != addresses.end()) {
    *known = address;
  } else {
    addresses.push_back(address);
  }
  update(link->second);
}

void Interfaces::lose_address(InterfaceIndex device, const LinkAddress& address) {
  const auto link = links_.find(device);
  if (link == links_.end()) return;
  std::erase_if(link->second.addresses, [&](const LinkAddress& each) {
    return each.local == address.local && each.prefix_length == address.prefix_length;
  });
  update(link->second);
}

void Interfaces::see_all(std::span<const Link> links) {
  std::vector<InterfaceIndex> gone;
  for (const auto& [index, link] : links_) {
    if (std::ranges::find(links, index, &Link::index) == links.end()) gone.push_back(index);
  }
  for (const InterfaceIndex index : gone) lose_link(index);
  for (const Link& link : links) {
    const auto known = links_.find(link.index);
    if (known != links_.end() && known->second == link) continue;
    if (known != links_.end() && known->second.name != link.name) lose_link(link.index);
    update(links_[link.index] = link);
  }
}

}  // namespace turnpike::dim
