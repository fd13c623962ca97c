// What the kernel has, compared with what it should have; and what to do about others who change it.
#include <algorithm>

#include "base/log.h"
#include "forwarder/unicast.h"
#include "net/text.h"

namespace turnpike::forwarder {
namespace {

// A route that is taken away more often than so within the time is left to the other for a while, longer each time.
constexpr std::uint32_t kPatience = 3;
constexpr Duration kFightTime = std::chrono::seconds(10);
constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLastPause = std::chrono::minutes(5);
constexpr std::size_t kMostFights = 65536;
constexpr std::size_t kMostRivals = 64;

constexpr std::uint32_t kNoObject = 0xffffffff;  // a unicast route with hops of its own, which ours never have

RouteSettings settings_in(const kernel::Route& route) {
  return {.priority = route.priority, .mtu = route.metrics.mtu, .preferred_source = route.preferred_source};
}

}  // namespace

std::uint32_t Unicast::find(const Prefix& prefix) {
  rtm::NetAddress address;
  address.family = table_.config().family;
  address.bits = static_cast<std::uint16_t>(prefix.length());
  std::ranges::copy(prefix.address().bytes(), address.address);
  const auto handle = table_.find_destination(self_, address);
  const std::uint32_t index = handle ? rtm::index_of(*handle) : 0;
  return index != 0 && entries_.holds(index) && handle_of(index) == *handle ? index : 0;
}

bool Unicast::is_as_installed(const Entry& entry, const kernel::Route& route) const {
  const Target& target = targets_[entry.installed];
  const std::uint32_t adopted_id = target.adopted_id != kNoObject ? target.adopted_id : 0;
  const std::uint32_t id = target.path != 0 ? next_hops_.id_of(paths_[target.path].object) : adopted_id;
  return route.type == target.type && route.next_hop_id == id && settings_in(route) == route_settings_[target.settings];
}

// --- adopting and reconciling
// -----------------------------------------------------------------------------------------------

// The kernel has a route to this destination that is wanted, and that a former life wrote: it is taken for ours, as it
// stands. One that says what is wanted is so installed; another will be replaced. While it is not wanted, or not known
// where to, it is left alone, as one that nobody has claimed.
void Unicast::claim(Entry& entry, const Prefix& prefix) {
  const Target& wanted = targets_[entry.wanted];
  const Path& path = paths_[wanted.path];
  if (entry.wanted == 0 || (path.recursive && path.ways.empty())) {
    if (entry.adopted != 0 && adopted_.insert(prefix, entry.installed)) use_target(entry.installed);
    return forget_found(entry);
  }
  if (entry.installed == 0) {
    entry.installed = adopted_.take(prefix);
  } else if (entry.adopted == 0) {
    return;
  } else {
    entry.adopted = 0;
    --found_;
  }
  const Target& its = targets_[entry.installed];
  const std::uint32_t id = wanted.path != 0 ? next_hops_.id_of(path.object) : kNoObject;
  if (entry.installed == 0 || its.type != wanted.type || its.settings != wanted.settings || its.adopted_id != id)
    return;
  set_installed(entry, entry.wanted);
  ++counters_.kept;
}

// The next hop object that the former life's route to this destination names; 0: none that is known.
std::uint32_t Unicast::adopted_id(const Entry& entry, const Prefix& prefix) const {
  return targets_[entry.adopted != 0 ? entry.installed : adopted_.find(prefix)].adopted_id;
}

// Of this life, and given up by mistake. What another program wrote under our number names no next hop of ours.
bool Unicast::is_survivor(const kernel::Route& route) const {
  if (!reads_ || takes_all_for_former_ || !next_hops_.has(route.next_hop_id)) return false;
  const std::uint32_t former = former_.find(route.destination);
  return former == 0 || priority_of(former) != route.priority;
}

void Unicast::note_found(std::uint32_t index, const kernel::Route& route) {
  const bool survives = is_survivor(route);
  const bool has_object = route.type == kernel::RouteType::kUnicast && route.next_hop_id != 0;
  const std::uint32_t target = share_target({.type = route.type,
                                             .settings = share_settings(settings_in(route)),
                                             .adopted_id = has_object ? route.next_hop_id : kNoObject});
  if (index != 0) {
    entries_[index].installed = target;
    entries_[index].adopted = 1;
    ++found_;
    make_dirty(index);
    if (survives) survivors_.push_back(route.destination);
  } else if (const std::uint32_t other = adopted_.find(route.destination);
             other != 0 && priority_of(other) != route.priority) {
    release_target(target);
    strays_.emplace_back(route.destination, route.priority);
  } else {
    release_target(adopted_.take(route.destination));
    adopted_.insert(route.destination, target);
    if (survives) survivors_.push_back(route.destination);
  }
}

void Unicast::forget_found(Entry& entry) {
  if (entry.adopted == 0) return;
  set_installed(entry, 0);
  entry.adopted = 0;
  --found_;
}

void Unicast::clear(PrefixMap& targets) {
  targets.for_each([this](const Prefix&, std::uint32_t target) { release_target(target); });
  targets.clear();
}

void Unicast::begin_reconcile() {
  wants_reconcile_ = false;
  if (!std::exchange(reads_, true)) {
    takes_all_for_former_ = counters_.reconciled == 0 || found_ != 0;  // of those in entries nobody remembers more
    std::swap(former_, adopted_);
  }
  clear(adopted_);
  strays_.clear();
  survivors_.clear();
  bag_.insert(bag_.end(), checks_.begin(), checks_.end());
  checks_.clear();
  scan([this](std::uint32_t, Entry& entry) {
    forget_found(entry);
    entry.unseen = entry.installed != 0 ? 1 : 0;
  });
}

void Unicast::seen(const kernel::Route& route) {
  if (is_none_of_ours(route)) return;
  const std::uint32_t index = find(route.destination);
  if (index == 0 || entries_[index].installed == 0) return note_found(index, route);
  Entry& entry = entries_[index];
  if (route.priority != priority_of(entry.installed)) {
    strays_.emplace_back(route.destination, route.priority);
    return;
  }
  entry.unseen = 0;
  if (entry.adopted == 0 && !is_as_installed(entry, route)) {
    ++counters_.repaired;
    entry.differs = 1;
    make_dirty(index);
  }
}

void Unicast::seen_foreign(const kernel::Route& route) {
  if (route.destination.family() == settings_.family) look_again(find(route.destination), false);
}

// Another's route has come or gone: ours may be shadowed, be so no more, or have its place free.
void Unicast::look_again(std::uint32_t index, bool gone) {
  if (index == 0) return;
  const auto state = static_cast<RouteState>(entries_[index].state);
  const bool may_be_free = state == RouteState::kConflict && gone;
  if (state == RouteState::kInstalled || state == RouteState::kShadowed || may_be_free) make_dirty(index);
}

void Unicast::end_reconcile() {
  reads_ = false;
  clear(former_);
  std::erase_if(bag_, [this](std::uint32_t index) { return entries_[index].adopted != 0; });
  std::uint64_t missing = 0;
  scan([&](std::uint32_t index, Entry& entry) {
    if (entry.adopted != 0) checks_.push_back(index);
    const auto state = static_cast<RouteState>(entry.state);
    if (state == RouteState::kShadowed || state == RouteState::kConflict) make_dirty(index);  // others may have gone
    if (entry.unseen == 0) return;
    entry.unseen = 0;
    ++missing;
    set_installed(entry, 0);
    make_dirty(index);
  });
  if (missing != 0) {
    TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "the kernel lacks routes of ours; they are written again",
                 {"routes", missing});
  }
  counters_.repaired += missing;
  ++counters_.reconciled;
}

void Unicast::sweep_adopted() { sweeping_ = true; }

void Unicast::next_hops_changed() {
  scan([&](std::uint32_t index, Entry& entry) {
    const std::uint32_t installed = targets_[entry.installed].path;
    if (entry.installed != 0 && installed != 0 && next_hops_.is_lost(paths_[installed].object)) {
      set_installed(entry, 0);
      entry.robbed = 1;
      make_dirty(index);
    }
    const std::uint32_t wanted = targets_[entry.wanted].path;
    const bool failed = entry.state == static_cast<std::uint32_t>(RouteState::kFailed);
    if (wanted != 0 && failed && next_hops_.state_of(paths_[wanted].object) != NextHops::State::kFailed) {
      make_dirty(index);
    }
  });
}

// --- others
// ------------------------------------------------------------------------------------------------------------------

// Whether it is in no place of ours: another table or family, or of a kind that we never write.
bool Unicast::is_none_of_ours(const kernel::Route& route) const {
  return route.table != settings_.kernel_table || route.destination.family() != settings_.family || route.tos != 0 ||
         (route.flags & kernel::kRouteCloned) != 0 || route.source;
}

void Unicast::heard(const kernel::Notice& notice, const kernel::Route& route) {
  if (is_none_of_ours(route)) return;
  const std::uint32_t index = find(route.destination);
  const bool in_our_place =
      index != 0 && entries_[index].installed != 0 && priority_of(entries_[index].installed) == route.priority;
  if (in_our_place && entries_[index].adopted != 0) {  // nobody has claimed it, so there is nothing to repair
    const bool is_ours = route.protocol == protocol_;
    if (is_ours || (notice.replaced && !notice.gone)) forget_found(entries_[index]);
    if (is_ours && !notice.gone) note_found(index, route);
    return;
  }
  if (route.protocol != protocol_) {
    if (in_our_place && notice.replaced && !notice.gone) {
      taken_away(index, route.destination, notice.writer);
    } else {
      look_again(index, notice.gone);
    }
  } else if (in_our_place && notice.gone) {
    taken_away(index, route.destination, notice.writer);
  } else if (in_our_place && !is_as_installed(entries_[index], route)) {
    entries_[index].differs = 1;
    taken_away(index, route.destination, notice.writer);
  } else if (!in_our_place && notice.gone) {
    const std::uint32_t found = adopted_.find(route.destination);
    if (found != 0 && priority_of(found) == route.priority) release_target(adopted_.take(route.destination));
  } else if (!in_our_place && index == 0) {
    note_found(0, route);
  } else if (!in_our_place) {
    strays_.emplace_back(route.destination, route.priority);
  }
}

// Somebody took ours away, or made it another. Written again, unless that has happened too often lately.
void Unicast::taken_away(std::uint32_t index, const Prefix& prefix, kernel::Identity by) {
  Entry& entry = entries_[index];
  ++counters_.repaired;
  if (entry.differs == 0) set_installed(entry, 0);
  entry.robbed = entry.doubted = 1;
  if (by != 0 && known_rivals_.size() < kMostRivals && known_rivals_.insert(by).second) {
    TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "another program changes routes of ours; they are written again",
                 {"prefix", net::to_text(prefix)}, {"netlink_port", by});
  }
  if (!back_off(index)) make_dirty(index);
}

// False: so many routes were taken away that it is a flush, and no fight. What is over is looked for now and then: for
// each of a million routes, that would take longer than writing them again.
bool Unicast::has_room_for_fight(MonotonicTime now) {
  if (fights_.size() < kMostFights) return true;
  if (fights_looked_at_ && *fights_looked_at_ + kFightTime > now) return false;
  fights_looked_at_ = now;
  std::erase_if(fights_, [&](const auto& each) { return !each.second.until && each.second.since + kLastPause < now; });
  return fights_.size() < kMostFights;
}

// True: not now. The destination is told as not installed, and tried again when the pause is over.
bool Unicast::back_off(std::uint32_t index) {
  const MonotonicTime now = clock_.now();
  if (!fights_.contains(index) && !has_room_for_fight(now)) return false;
  Fight& fight = fights_[index];
  if (fight.rounds <= kPatience && fight.since + kFightTime < now) fight = {.since = now};
  if (fight.since + kLastPause * 2 < now) fight = {.since = now};
  if (++fight.rounds <= kPatience) return false;
  const unsigned doublings = std::min(fight.rounds - kPatience - 1, 16U);
  fight.since = now;
  fight.until = now + std::min(kFirstPause * (1U << doublings), kLastPause);
  if (!fight_at_ || *fight.until < *fight_at_) fight_at_ = fight.until;
  Entry& entry = entries_[index];
  if (entry.dirty == 0) {
    finish(index, RouteState::kContested);
  }
  return true;
}

}  // namespace turnpike::forwarder
