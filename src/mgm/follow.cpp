// Entries follow: memberships, clients' orders, routes, time.
#include <algorithm>
#include <functional>
#include <limits>
#include <new>

#include "base/log.h"
#include "mgm/follow.h"
#include "mgm/manager.h"

namespace turnpike::mgm {

bool Manager::shall_forward(const Entry& entry, const Interface& interface, bool is_covered) const {
  if (entry.negative || &interface == entry.in) {
    return false;
  }
  if (const auto scope = scopes_.find(interface.id.device);
      scope != scopes_.end() && scope->second.bars(entry.flow.group)) {
    return false;
  }
  const Override* ordered = entry.override_of(interface);
  return ordered != nullptr ? ordered->forced : is_covered;
}

void Manager::refresh(Entry& entry, Interface& interface, Round& round) {
  const bool is_covered = memberships_.covers(entry.flow, interface);
  set_forwarding(entry, interface, shall_forward(entry, interface, is_covered), round);
}

void Manager::set_forwarding(Entry& entry, Interface& interface, bool on, Round& round) {
  const auto at = std::lower_bound(entry.out.begin(), entry.out.end(), interface.id,
                                   [](const Out& each, const InterfaceId& id) { return each.interface->id < id; });
  const bool is_on = at != entry.out.end() && at->interface == &interface;
  if (is_on == on) {
    return;
  }
  if (on) {
    try {
      entry.out.insert(at, {&interface});
    } catch (const std::bad_alloc&) {
      TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an outgoing interface");
      return;
    }
  } else {
    entry.out.erase(at);
  }
  mark(entry);
  if (on && entry.out.size() == 1) {
    say_by_entry(round, entry, CallbackKind::kJoined);
  } else if (entry.out.empty()) {
    say_by_entry(round, entry, CallbackKind::kPruned);
  }
}

// A client puts the interface into an entry, or takes it out, whatever the memberships say; they stay as they are.
void Manager::order_forwarding(Entry& entry, Interface& interface, bool on, Round& round) {
  if (entry.negative || &interface == entry.in) {
    return;
  }
  entry.end_override(interface);
  if (on || memberships_.covers(entry.flow, interface)) {
    try {
      entry.overrides.push_back({&interface, on});
    } catch (const std::bad_alloc&) {
      TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory to keep what a client ordered for an entry");
    }
  }
  refresh(entry, interface, round);
}

// To the client behind the incoming interface alone, and not to itself.
void Manager::say_by_entry(Round& round, const Entry& entry, CallbackKind kind) {
  Client* to = entry.in->responsible();
  if (to != round.caller) {
    say(round, to, kind, entry.flow, entry.in->id, false, kind == CallbackKind::kPruned ? entry.number : 0);
  }
}

// --- lives
// ---------------------------------------------------------------------------------------------------------------

// Does not need memory: begin_entry has seen to that.
void Manager::arm(const Entry& entry) {
  if (deadlines_.size() > 2 * entries_.size() + 64) {
    deadlines_.clear();
    for (const auto& [flow, each] : entries_) {
      if (each->state == Entry::State::kLive) {
        deadlines_.push_back({each->deadline, each->number, flow});
      }
    }
    std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
  } else {
    deadlines_.push_back({entry.deadline, entry.number, entry.flow});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
  }
  if (deadlines_.front().number == entry.number) {
    ports_.alarm.deadline_moved(entry.deadline);
  }
}

// What a prune callback stored: so many seconds from now on. The default, or nothing, changes nothing.
void Manager::set_life(const Alert& alert, std::uint32_t seconds) {
  const auto at = entries_.find(alert.flow);
  const bool is_there = at != entries_.end() && at->second->number == alert.entry;
  if (!is_there || seconds == 0 || seconds == config_.timeout) {
    return;
  }
  Entry& entry = *at->second;
  const std::uint64_t life = std::uint64_t{entry.age(ports_.clock.now())} + seconds;
  entry.timeout = static_cast<std::uint32_t>(std::min<std::uint64_t>(life, std::numeric_limits<std::uint32_t>::max()));
  entry.deadline = later(entry.created, std::chrono::seconds(entry.timeout));
  arm(entry);
}

// It is gone for everybody. One that still resolves is freed by the thread that asks; the others by the mirror, if it
// knows of them.
Manager::Entries::iterator Manager::bury(Entries::iterator at) {
  Entry& entry = *at->second;
  const bool resolves = entry.state == Entry::State::kResolving;
  const bool is_dead = entry.state == Entry::State::kDead;
  entry.state = Entry::State::kDead;
  if (resolves || is_dead) {
    return std::next(at);
  }
  negative_ -= entry.negative ? 1 : 0;
  if (entry.installed || entry.queued) {
    entry.own = std::move(at->second);
    mark(entry);
  }
  return entries_.erase(at);
}

std::optional<MonotonicTime> Manager::next_deadline() const {
  const std::lock_guard lock(mutex_);
  std::optional<MonotonicTime> next = retry_at_;
  if (!deadlines_.empty() && (!next || deadlines_.front().at < *next)) {
    next = deadlines_.front().at;
  }
  return next;
}

void Manager::run_deadlines() {
  {
    const std::lock_guard lock(mutex_);
    const MonotonicTime now = ports_.clock.now();
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
      const Deadline due = deadlines_.front();
      std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
      deadlines_.pop_back();
      const auto at = entries_.find(due.flow);
      if (at != entries_.end() && at->second->number == due.number && at->second->deadline == due.at) {
        bury(at);
      }
    }
    if (retry_at_ && *retry_at_ <= now) {
      retry_at_.reset();
      for (const auto& [flow, entry] : entries_) {
        if (entry->refused != 0 && entry->state == Entry::State::kLive) {
          mark(*entry);
        }
      }
    }
  }
  mirror();
}

// An entry whose source is elsewhere now goes; the next packet makes another. Without memory to ask, all go that may
// be.
void Manager::routes_changed(const net::Prefix& prefix) noexcept {
  std::map<net::Address, Way> ways;
  bool asked = true;
  try {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [flow, entry] : entries_) {
        if (prefix.contains(flow.source)) {
          ways.try_emplace(flow.source);
        }
      }
    }
    for (auto& [source, way] : ways) {
      way = way_to(source);
    }
  } catch (const std::bad_alloc&) {
    asked = false;
  }
  {
    const std::lock_guard lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      const Entry& entry = *at->second;
      const auto way = ways.find(at->first.source);
      const bool is_known = way != ways.end() && asked;
      const bool is_right = is_known && (entry.negative ? !way->second : way->second == entry.in_view);
      const bool stays = is_known ? is_right : asked || !prefix.contains(at->first.source);
      at = stays ? std::next(at) : bury(at);
    }
  }
  mirror();
}

Result<void> Manager::set_upstream(Handle self, const Flow& flow, const net::Address& upstream) {
  const std::lock_guard lock(mutex_);
  if (find_client(self) == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  const auto at = entries_.find(flow);
  if (at == entries_.end() || at->second->state != Entry::State::kLive) {
    return fail(ErrorKind::kNotFound, "no such entry");
  }
  at->second->upstream = upstream;
  return {};
}

// One that resolves is left: its packets wait for the answer, and nobody would ask for them again.
Result<void> Manager::forget(Handle self, const Flow& flow) {
  {
    const std::lock_guard lock(mutex_);
    if (find_client(self) == nullptr) return fail(ErrorKind::kInvalidHandle, "no such client");
    const auto at = entries_.find(flow);
    if (at == entries_.end() || at->second->state != Entry::State::kLive) {
      return fail(ErrorKind::kNotFound, "no such entry");
    }
    bury(at);
  }
  mirror();
  return {};
}

}  // namespace turnpike::mgm
