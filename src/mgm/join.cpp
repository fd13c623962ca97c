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
#include <algorithm>
#include <new>

#include "base/log.h"
#include "mgm/follow.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

bool contains(const std::vector<Client*>& clients, const Client* client) {
  return std::find(clients.begin(), clients.end(), client) != clients.end();
}
// Whether the set has somebody besides W.
bool has_other(const std::vector<Client*>& clients, const Client* w) {
  return std::any_of(clients.begin(), clients.end(), [&](const Client* each) { return each != w; });
}

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

std::vector<Client*> Manager::joined_clients(const Flow& flow) const {
  std::vector<Client*> clients;
  memberships_.for_each_interface(flow, [&](const Interface& interface) {
    if (!contains(clients, interface.responsible())) {
      clients.push_back(interface.responsible());
    }
  });
  return clients;
}

// Who is told that A has joined, or left: `others` are the clients that are joined besides this change.
void Manager::say_change(Round& round, CallbackKind kind, const Flow& flow, const Interface& interface,
                         const std::vector<Client*>& others, const Way& way) {
  const Client* a = interface.responsible();
  if (!flow.any_source()) {
    const Interface* towards = way ? find_interface(*way) : nullptr;
    Client* w = towards != nullptr ? towards->responsible() : nullptr;
    if (w != nullptr && w != a && w != round.caller && !has_other(others, w)) {
      say(round, w, kind, flow, interface.id, true);
    }
    return;
  }
  if (contains(others, a) || others.size() > 1) {
    return;
  }
  if (others.size() == 1) {
    say(round, others.front(), kind, flow, interface.id, true);
    return;
  }
  for (const auto& [number, client] : clients_) {
    if (client.get() != a && client.get() != round.caller) {
      say(round, client.get(), kind, flow, interface.id, true);
    }
  }
}

Result<void> Manager::join(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way) {
  try {
    const std::vector<Client*> before = joined_clients(flow);
    if (!memberships_.add(flow, interface, holder)) {
      return {};
    }
    if (memberships_.size() > config_.max_memberships) {
      memberships_.remove(flow, interface, holder);
      ++counts_.memberships_refused;
      TURNPIKE_LOG(LogLevel::kWarning, "mgm", "as many memberships as there may be",
                   {"bound", config_.max_memberships});
      return fail(ErrorKind::kExhausted, "as many memberships as there may be");
    }
    if (holder == Holder::kIgmp) {
      say(round, interface.owner, CallbackKind::kLocalJoin, flow, interface.id);
    }
    say_change(round, CallbackKind::kJoined, flow, interface, before, way);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for a membership");
  }
  for_each_entry(flow, [&](Entry& entry) { refresh(entry, interface, round); });
  return {};
}

void Manager::part(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way) {
  if (memberships_.remove(flow, interface, holder)) {
    if (holder == Holder::kIgmp && interface.owner != round.caller) {
      say(round, interface.owner, CallbackKind::kLocalLeave, flow, interface.id);
    }
    say_change(round, CallbackKind::kPruned, flow, interface, joined_clients(flow), way);
  }
  for_each_entry(flow, [&](Entry& entry) {
    if (!memberships_.covers(entry.flow, interface)) {  // else it leads there whatever a client has put there
      entry.end_override(interface);
    }
    refresh(entry, interface, round);
  });
}

void Manager::drop_memberships(Round& round, Interface& interface, Holder holder, const Ways& ways) {
  for (const auto& held : memberships_.of(interface)) {
    if ((held.holders & static_cast<std::uint8_t>(holder)) != 0) {
      const auto way = std::lower_bound(ways.begin(), ways.end(), held.flow.source,
                                        [](const auto& each, const auto& source) { return each.first < source; });
      const bool known = way != ways.end() && way->first == held.flow.source;
      part(round, held.flow, interface, holder, known ? way->second : kNowhere);
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
