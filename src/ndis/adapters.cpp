// Adapters come, change and go (section F.5): what the source says, compared with what was known.
#include <algorithm>

#include "base/log.h"
#include "ndis/adapter_name.h"
#include "ndis/engine.h"
#include "net/text.h"

namespace turnpike::ndis {
namespace {

bool is_offered_to(Generation generation, Medium medium) {
  switch (medium) {
    case Medium::k802_3:
    case Medium::kLoopback:
      return true;
    case Medium::kIp:
      return generation == Generation::k6;
    default:
      return false;
  }
}

}  // namespace

Nic::Nic(Engine& its_engine, AdapterFacts its_facts)
    : engine(its_engine),
      adapter_name(adapter_name_of(its_facts)),
      index(its_facts.index),
      header(header_size(its_facts.medium)),
      facts(std::move(its_facts)),
      current_fan_out(make_shared<FanOut>()) {
  connected = facts.link.connected();
  mtu = facts.mtu;
}

void Nic::broken(const Error& why) noexcept {
  TURNPIKE_LOG(LogLevel::kWarning, "ndis", "an adapter is of no use any more",
               {"adapter", std::string_view(adapter_name)}, {"reason", why.what}, {"errno", why.system_code});
  engine.broken(*this);
}

// To its drivers it has gone; often it has, and the source is about to say so.
void Engine::broken(Nic& nic) {
  {
    const std::lock_guard lock(mutex_);
    nic.is_broken = true;
    nic.removed.store(true);
    poke_everybody();
  }
  end_what_waits(nic);
}

void Engine::end_what_waits(Nic& nic) {
  abort_sends(nic, nullptr);
  complete_held([&](const HeldRequest& held) { return held.binding->nic.get() == &nic; }, Status::kAdapterRemoved);
}

bool Engine::wants(const Protocol& protocol, const Nic& nic) const {
  const AdapterFacts& facts = nic.facts;
  const BindPolicy& policy = protocol.policy;
  if (protocol.retired || !is_offered_to(protocol.registration.generation, facts.medium) ||
      (policy.when_up && !facts.link.admin_up) || matches_any(policy.exclude, facts)) {
    return false;
  }
  switch (policy.mode) {
    case BindPolicy::Mode::kAllEthernet:
      return facts.medium == Medium::k802_3 && !facts.enslaved;
    case BindPolicy::Mode::kList:
      return matches_any(policy.globs, facts);
    default:
      return false;
  }
}

Shared<Nic> Engine::nic_named(const std::string& name, Generation generation) const {
  for (const auto& [index, nic] : nics_) {
    if (is_offered_to(generation, nic->facts.medium) && names_adapter(name, nic->adapter_name, nic->facts.name)) {
      return nic;
    }
  }
  return nullptr;
}

std::optional<AdapterFacts> Engine::adapter_named(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [index, nic] : nics_) {
    if (nic->facts.name == name || names_adapter(name, nic->adapter_name, nic->facts.name)) {
      return nic->facts;
    }
  }
  return std::nullopt;
}

void Engine::add_seats(Protocol& protocol) {
  for (const auto& [index, nic] : nics_) {
    if (std::ranges::none_of(protocol.seats, [&](const auto& seat) { return seat->nic == nic; })) {
      protocol.seats.push_back(std::make_unique<Seat>());
      protocol.seats.back()->nic = nic;
    }
  }
}

std::vector<std::string> Engine::bind_order(const Protocol& protocol) const {
  std::map<std::pair<std::size_t, std::uint32_t>, std::string> ranked;
  for (const auto& [index, nic] : nics_) {
    if (wants(protocol, *nic)) {
      const auto& order = protocol.policy.order;
      const auto at = std::ranges::find_if(order, [&](const std::string& glob) { return matches(glob, nic->facts); });
      ranked.emplace(std::pair(static_cast<std::size_t>(at - order.begin()), index.value()), nic->adapter_name);
    }
  }
  std::vector<std::string> names;
  for (auto& [rank, name] : ranked) {
    names.push_back(std::move(name));
  }
  return names;
}

void Engine::adapter_event(const AdapterEvent& event) noexcept {
  After after;
  {
    const std::lock_guard lock(mutex_);
    switch (event.kind) {
      case AdapterEvent::Kind::kSeen:
        note_seen(event.facts, after);
        break;
      case AdapterEvent::Kind::kGone:
        if (const auto at = nics_.find(event.facts.index); at != nics_.end()) {
          note_gone(at->second, after);
          nics_.erase(at);
        }
        break;
      case AdapterEvent::Kind::kListing:
        for (const auto& [index, nic] : nics_) {
          nic->seen = false;
        }
        break;
      case AdapterEvent::Kind::kListed:
        std::erase_if(nics_, [&](const auto& entry) {
          if (entry.second->seen) {
            return false;
          }
          note_gone(entry.second, after);
          return true;
        });
        listed_ = true;
        poke_everybody();
        break;
    }
  }
  for (const auto& job : after) {
    job();
  }
}

void Engine::note_seen(const AdapterFacts& facts, After& after) {
  const auto at = nics_.find(facts.index);
  if (at != nics_.end()) {
    const Shared<Nic>& nic = at->second;
    nic->seen = true;
    if (nic->facts != facts) {
      const AdapterFacts before = std::exchange(nic->facts, facts);
      note_changed(nic, before, after);
    }
    return;
  }
  const auto nic = make_shared<Nic>(*this, facts);
  nics_.emplace(facts.index, nic);
  for (const auto& protocol : protocols_) {
    if (protocol->begun && !protocol->leaving) {
      add_seats(*protocol);
      poke(*protocol);
    }
  }
}

void Engine::note_changed(const Shared<Nic>& nic, const AdapterFacts& before, After& after) {
  const AdapterFacts& now = nic->facts;
  nic->connected.store(now.link.connected());
  nic->mtu.store(now.mtu);
  if (before.link.oper != now.link.oper) {
    nic->last_change = static_cast<std::uint64_t>(clock_.now().time_since_epoch() / std::chrono::milliseconds(10));
  }
  StatusNote note{.code = Status::kLinkState, .link = now.link};
  note.connection_changed = before.link.connected() != now.link.connected();
  note.speed_changed = before.link.speed != now.link.speed || before.link.duplex != now.link.duplex;
  nic->counters.media_changes += note.connection_changed ? 1 : 0;
  if (note.connection_changed || note.speed_changed) {
    after.emplace_back([this, nic, note] { later([this, nic, note] { tell_all(*nic, note); }); });
  }
  const bool new_mtu = before.mtu != now.mtu;
  const bool new_mac = before.mac != now.mac;
  for (const auto& protocol : protocols_) {
    const bool v6 = protocol->registration.generation == Generation::k6;
    const bool pause = v6 && (new_mtu || (new_mac && protocol->registration.takes_mac_changes));
    const bool rebind = (!v6 && new_mtu) || (new_mac && !(v6 && protocol->registration.takes_mac_changes));
    for (const auto& seat : protocol->seats) {
      if (seat->nic != nic) {
        continue;
      }
      for (const auto& binding : seat->bindings) {
        binding->pause_due |= pause && binding->now() != BindingState::kPaused;
        binding->attributes_due |= pause;
        binding->restart_due |= v6 && binding->now() == BindingState::kPaused;
        seat->again |= rebind && !seat->leaving;
        seat->leaving |= rebind;
      }
    }
    poke(*protocol);
  }
  if (new_mtu || new_mac) {
    after.emplace_back([this, nic] {
      const std::lock_guard setup(nic->setup_mutex);
      publish(*nic);
    });
  }
}

// Surprise removal: what waits ends, and the control threads unbind.
void Engine::note_gone(const Shared<Nic>& nic, After& after) {
  nic->present = false;
  nic->removed.store(true);
  after.emplace_back([this, nic] { end_what_waits(*nic); });
  poke_everybody();
}

}  // namespace turnpike::ndis
