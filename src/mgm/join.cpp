// Memberships, and who is told of them.
//
// For a wildcard flow K, (*,g) or (*,*), let N be the clients that speak for an interface with a member of K. Everybody
// must know whether there are receivers elsewhere, and nobody wants to hear of each:
//
//   N                  joins                            leaves
//   {} ↔ {A}           all others are told              all others are told
//   {A} ↔ {A, B}       A alone is told                  A alone is told
//   larger             nobody                           nobody
//
// So X has been told that there are receivers elsewhere exactly while N without X is not empty. For (s,g) only one
// client needs to know: W, who speaks for the interface towards s; it is told when the first of the others joins, and
// when the last of them leaves. IGMP's members on an owned interface count for the owner, who hears of each as a local
// join.
#include <new>
#include <utility>

#include "base/log.h"
#include "mgm/follow.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

const Way kNowhere;

}  // namespace

bool Manager::is_flow(const Flow& flow) const {
  const bool families = flow.group.family() == config_.family && flow.source.family() == config_.family;
  return families && (flow.any_group() ? flow.any_source() : flow.group.is_multicast());
}

Way Manager::way_to(const net::Address& source) {
  std::optional<Route> route;
  ports_.routes.look_up(source, [&](const Route& found, void*) { route = found; });
  if (!route) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  const Interface* interface = interface_towards(*route);
  return interface != nullptr ? Way(interface->id) : std::nullopt;
}

Client* Manager::client_on(const Way& way) const {
  const Interface* interface = way ? find_interface(*way) : nullptr;
  return interface != nullptr ? interface->responsible() : nullptr;
}

// A walk instead of a set: what takes memberships away must not need memory.
Manager::Joined Manager::joined_besides(const Flow& flow, const Client* a, const Client* w) const {
  Joined joined;
  memberships_.for_each_interface(flow, [&](const Interface& interface) {
    Client* each = interface.responsible();
    joined.several = joined.several || (joined.first != nullptr && joined.first != each);
    joined.first = joined.first != nullptr ? joined.first : each;
    joined.has_a = joined.has_a || each == a;
    joined.has_other_than_w = joined.has_other_than_w || each != w;
  });
  return joined;
}

// Who is told that A, who speaks for the interface, has joined or left: `others` are joined besides this change.
void Manager::say_change(Round& round, CallbackKind kind, const Flow& flow, const Interface& interface, Client* w,
                         const Joined& others) {
  const Client* a = interface.responsible();
  if (!flow.any_source()) {
    if (w != a && w != round.caller && !others.has_other_than_w) {
      say(round, w, kind, flow, interface.id, true);
    }
  } else if (others.first == nullptr) {
    for (const auto& [number, client] : clients_) {
      if (client.get() != a && client.get() != round.caller) {
        say(round, client.get(), kind, flow, interface.id, true);
      }
    }
  } else if (!others.several && !others.has_a) {
    say(round, others.first, kind, flow, interface.id, true);
  }
}

Result<void> Manager::join(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way) {
  try {
    Client* w = client_on(way);
    const Joined before = joined_besides(flow, interface.responsible(), w);
    if (!memberships_.add(flow, interface, holder)) {
      return {};
    }
    if (memberships_.size() > config_.max_memberships) {
      memberships_.remove(flow, interface, holder);
      ++counts_.memberships_refused;
      if (!std::exchange(is_full_, true)) {
        TURNPIKE_LOG(LogLevel::kWarning, "mgm", "as many memberships as there may be",
                     {"bound", config_.max_memberships});
      }
      return fail(ErrorKind::kExhausted, "as many memberships as there may be");
    }
    if (holder == Holder::kIgmp) {
      say(round, interface.owner, CallbackKind::kLocalJoin, flow, interface.id);
    }
    say_change(round, CallbackKind::kJoined, flow, interface, w, before);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for a membership");
  }
  for_each_entry(flow, [&](Entry& entry) { refresh(entry, interface, round); });
  return {};
}

void Manager::part(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way) {
  if (memberships_.remove(flow, interface, holder)) {
    is_full_ = is_full_ && memberships_.size() > config_.max_memberships - config_.max_memberships / 8;
    if (holder == Holder::kIgmp && interface.owner != round.caller) {
      say(round, interface.owner, CallbackKind::kLocalLeave, flow, interface.id);
    }
    Client* w = client_on(way);
    say_change(round, CallbackKind::kPruned, flow, interface, w, joined_besides(flow, interface.responsible(), w));
  }
  for_each_entry(flow, [&](Entry& entry) {
    if (!memberships_.covers(entry.flow, interface)) {  // else it leads there whatever a client has put there
      entry.end_override(interface);
    }
    refresh(entry, interface, round);
  });
}

void Manager::drop_memberships(Round& round, Interface& interface, Holder holder, const Inventory& inventory) {
  for (const auto& [held, way] : inventory) {
    if ((held.holders & static_cast<std::uint8_t>(holder)) != 0) {
      part(round, held.flow, interface, holder, way);
    }
  }
}

// The documented order of checks.
Result<Interface*> Manager::check_membership_call(const Client* client, const Flow& flow, const InterfaceId& id,
                                                  States states, ErrorKind unknown) const {
  if (client == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  if (states == 0 || (states & ~(kJoinState | kForwardState)) != 0 || !is_flow(flow)) {
    return fail(ErrorKind::kInvalidArgument, "no such state or flow");
  }
  Interface* interface = find_interface(id);
  if (interface == nullptr || interface->responsible() == nullptr) {
    return fail(unknown, "nobody holds this interface");
  }
  if (!interface->is_held_by(*client)) {
    return fail(ErrorKind::kInvalidArgument, "the client does not hold this interface");
  }
  if (interface->changing) {
    return fail(ErrorKind::kBusy, "the interface changes hands");
  }
  return interface;
}

Result<void> Manager::add(Handle self, const Flow& flow, const InterfaceId& id, States states) {
  return change_membership(self, flow, id, states, true);
}

Result<void> Manager::remove(Handle self, const Flow& flow, const InterfaceId& id, States states) {
  return change_membership(self, flow, id, states, false);
}

Result<void> Manager::change_membership(Handle self, const Flow& flow, const InterfaceId& id, States states,
                                        bool adds) {
  if (in_igmp_switch()) {
    return fail(ErrorKind::kBusy, "not in a callback that enables or disables IGMP");
  }
  const Way way = is_flow(flow) && !flow.any_source() ? way_to(flow.source) : kNowhere;
  Lock lock(mutex_);
  const Client* client = find_client(self);
  const auto interface =
      check_membership_call(client, flow, id, states, adds ? ErrorKind::kInvalidArgument : ErrorKind::kNotFound);
  if (!interface) {
    return tl::unexpected(interface.error());
  }
  Round round{client};
  const Holder holder = (*interface)->igmp == client ? Holder::kIgmp : Holder::kOwner;
  if ((states & kJoinState) != 0 && adds) {
    if (const auto joined = join(round, flow, **interface, holder, way); !joined) {
      return joined;
    }
  } else if ((states & kJoinState) != 0) {
    part(round, flow, **interface, holder, way);
  }
  if ((states & kForwardState) != 0) {
    for_each_entry(flow, [&](Entry& entry) { order_forwarding(entry, **interface, adds, round); });
  }
  conclude(round, lock);
  return {};
}

}  // namespace turnpike::mgm
