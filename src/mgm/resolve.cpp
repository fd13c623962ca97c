// New entries: what happens when a packet comes that no entry matches.
//
//   1. the entry is there as `resolving`, so that further packets of the flow change nothing
//   2. the view of routes tells the way to the source. No way through an interface that somebody holds: a negative
//      entry on the interface where the packet came in, and nobody is asked
//   3. RPF: the client of that interface may choose another one, and the upstream neighbour
//   4. CREATION: each client that speaks for outgoing interfaces may veto them, in the order of registration
//   5. the entry becomes live, with the outgoing interfaces as memberships and vetoes now are; the forwarder gets it
//   6. the client behind the incoming interface hears whether anybody else wants the flow
//
// The lock is given up for each question. What may change meanwhile: memberships (5 looks again), and the incoming
// interface may be released, which ends the entry; then nothing has happened.
#include <algorithm>
#include <functional>
#include <iterator>
#include <new>
#include <utility>

#include "base/log.h"
#include "mgm/deliver.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

// Never forwarded, whatever its TTL: 224.0.0.0/24; in IPv6 the scopes of the interface and the link.
bool stays_on_link(const net::Address& group) {
  return group.is_ipv4() ? group.high() >> 40 == 0xe00000 : (group.high() >> 48 & 0xf) <= 2;
}

}  // namespace

Entry* Manager::begin_entry(const Flow& flow, Vif arrival) {
  const std::lock_guard lock(mutex_);
  ++counts_.unknown_flows;
  if (!is_flow(flow) || flow.any_group() || flow.any_source() || stays_on_link(flow.group)) {
    ++counts_.dropped;
    return nullptr;
  }
  const auto at = entries_.lower_bound(flow);
  if (at != entries_.end() && at->first == flow) {
    ++counts_.merged;
    if (at->second->state == Entry::State::kLive) {
      mark(*at->second);  // the forwarder has lost it
    }
    return nullptr;
  }
  if (entries_.size() >= config_.max_entries || interface_on(arrival) == nullptr) {
    ++counts_.dropped;
    TURNPIKE_LOG(LogLevel::kWarning, "mgm", "a flow gets no entry", {"entries", entries_.size()}, {"vif", arrival});
    return nullptr;
  }
  const std::size_t deadlines = 2 * entries_.size() + 128;  // what `arm` may come to hold
  if (deadlines_.capacity() < deadlines) {
    deadlines_.reserve(2 * deadlines);
  }
  return entries_.emplace_hint(at, flow, std::make_unique<Entry>(flow, next_entry_number_++))->second.get();
}

void Manager::unknown_flow(const Flow& flow, Vif arrival, std::span<const std::byte> header) noexcept {
  Entry* entry = nullptr;
  try {
    entry = begin_entry(flow, arrival);
  } catch (const std::bad_alloc&) {
    TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an entry");
  }
  if (entry == nullptr) {
    mirror();
    return;
  }
  bool has_way = false;
  const auto found = [&](const Route& route, void* details) {
    has_way = true;
    resolve_or_forget(*entry, arrival, header, &route, details);
  };
  ports_.routes.look_up(flow.source, std::ref(found));
  if (!has_way) {
    resolve_or_forget(*entry, arrival, header, nullptr, nullptr);
  }
}

void Manager::resolve_or_forget(Entry& entry, Vif arrival, std::span<const std::byte> header, const Route* route,
                                void* details) noexcept {
  const Flow flow = entry.flow;
  try {
    resolve(entry, arrival, header, route, details);
  } catch (const std::bad_alloc&) {  // before it came to life: nothing has happened
    TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an entry");
    const std::lock_guard lock(mutex_);
    ++counts_.dropped;
    entries_.erase(flow);
  }
}

void Manager::resolve(Entry& entry, Vif arrival, std::span<const std::byte> header, const Route* route, void* details) {
  Lock lock(mutex_);
  Interface* towards = route != nullptr ? interface_towards(*route) : nullptr;
  if (towards != nullptr) {
    entry.in = towards;
    entry.in_view = towards->id;
    entry.route = *route;
    entry.upstream = route->neighbour;
    ask_rpf(entry, header, details, lock);
    ask_creation(entry, lock);
  } else {
    entry.negative = true;
    entry.in = interface_on(arrival);
    entry.upstream = net::Address::netmask(config_.family, 0);
  }
  if (entry.state == Entry::State::kDead || entry.in == nullptr) {
    ++counts_.dropped;
    entries_.erase(entry.flow);
    return;
  }
  finish(entry, lock);
}

void Manager::ask_rpf(Entry& entry, std::span<const std::byte> header, void* details, Lock& lock) {
  Client* client = entry.in->responsible();
  if (!client->wants(CallbackKind::kRpf)) {
    return;
  }
  Rpf rpf{entry.in->id, entry.upstream, entry.route, details};
  call_out(*client, CallbackKind::kRpf, lock, [&] { client->callbacks->rpf(entry.flow, header, rpf); });
  wake();
  if (entry.state == Entry::State::kDead) {
    return;
  }
  if (Interface* chosen = find_interface(rpf.incoming); chosen != nullptr && chosen->responsible() != nullptr) {
    entry.in = chosen;
  }
  entry.upstream = rpf.upstream;
  entry.route = rpf.route;
}

void Manager::ask_creation(Entry& entry, Lock& lock) {
  // By client, in the order of registration; by number, because a client may leave while another is asked.
  std::vector<Asked> asked = std::exchange(spare_.asked, {});
  std::vector<OutInterface> shown = std::exchange(spare_.shown, {});
  memberships_.for_each_covering(entry.flow, [&](const Interface& interface) {
    const auto is_same = [&](const Asked& each) { return each.out.id == interface.id; };
    if (shall_forward(entry, interface, true) && std::none_of(asked.begin(), asked.end(), is_same)) {
      asked.push_back({interface.responsible()->number, {interface.id, interface.igmp != nullptr}});
    }
  });
  std::sort(asked.begin(), asked.end(), [](const Asked& a, const Asked& b) {
    return a.client != b.client ? a.client < b.client : a.out.id < b.out.id;
  });
  for (auto begin = asked.begin(), end = begin; begin != asked.end(); begin = end) {
    end = std::find_if(begin, asked.end(), [&](const Asked& each) { return each.client != begin->client; });
    Client* client = client_numbered(begin->client);
    if (client == nullptr || !client->wants(CallbackKind::kCreated) || entry.state == Entry::State::kDead) {
      continue;
    }
    shown.clear();
    std::transform(begin, end, std::back_inserter(shown), [](const Asked& each) { return each.out; });
    const InterfaceId incoming = entry.in->id;
    call_out(*client, CallbackKind::kCreated, lock, [&] { client->callbacks->created(entry.flow, incoming, shown); });
    wake();
    // What the client wrote into the other members is nobody's business.
    for (auto each = begin; each != end; ++each) {
      Interface* interface = find_interface(each->out.id);
      if (!shown[static_cast<std::size_t>(each - begin)].enabled && interface != nullptr) {
        entry.overrides.push_back({interface, false});
      }
    }
  }
  asked.clear();
  spare_.asked = std::move(asked);
  spare_.shown = std::move(shown);
}

void Manager::finish(Entry& entry, Lock& lock) {
  Client* in_client = entry.in->responsible();
  bool others_want = false;
  memberships_.for_each_covering(entry.flow, [&](Interface& interface) {
    const auto is_same = [&](const Out& out) { return out.interface == &interface; };
    if (shall_forward(entry, interface, true) && std::none_of(entry.out.begin(), entry.out.end(), is_same)) {
      entry.out.push_back({&interface});
      others_want = others_want || interface.responsible() != in_client;
    }
  });
  std::sort(entry.out.begin(), entry.out.end(),
            [](const Out& a, const Out& b) { return a.interface->id < b.interface->id; });
  entry.created = ports_.clock.now();
  entry.timeout = config_.timeout;
  entry.deadline = later(entry.created, std::chrono::seconds(entry.timeout));
  arm(entry);
  entry.state = Entry::State::kLive;
  negative_ += entry.negative ? 1 : 0;
  mark(entry);
  Round round{nullptr, std::exchange(spare_.alerts, {})};
  if (!entry.negative && entry.out.empty()) {
    say_by_entry(round, entry, CallbackKind::kPruned);
  } else if (others_want) {
    say_by_entry(round, entry, CallbackKind::kJoined);
  }
  conclude(round, lock);
  round.alerts.clear();
  spare_.alerts = std::move(round.alerts);
}

void Manager::set_wrong_interface_alerts(bool on) {
  const std::lock_guard lock(mutex_);
  wrong_interface_alerts_ = on;
}

// At most once in three seconds for each entry, as the kernel has it.
void Manager::wrong_interface(const Flow& flow, Vif arrival, std::span<const std::byte> header) noexcept {
  constexpr auto kPause = std::chrono::seconds(3);
  Lock lock(mutex_);
  const auto at = entries_.find(flow);
  Interface* interface = interface_on(arrival);
  Client* client = interface != nullptr ? interface->responsible() : nullptr;
  const MonotonicTime now = ports_.clock.now();
  if (!wrong_interface_alerts_ || at == entries_.end() || at->second->state != Entry::State::kLive ||
      now < at->second->last_wrong + kPause || client == nullptr || !client->wants(CallbackKind::kWrongInterface)) {
    return;
  }
  at->second->last_wrong = now;
  const InterfaceId id = interface->id;
  call_out(*client, CallbackKind::kWrongInterface, lock, [&] { client->callbacks->wrong_interface(flow, id, header); });
  wake();
}

}  // namespace turnpike::mgm
