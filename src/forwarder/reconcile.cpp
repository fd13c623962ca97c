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
  return index != 0 && index < entries_.size() && entries_[index].held != 0 && handle_of(index) == *handle ? index : 0;
}

bool Unicast::is_as_installed(const Entry& entry, const kernel::Route& route) const {
  const Target& target = targets_[entry.installed];
  const std::uint32_t id = target.path != 0 ? next_hops_.id_of(paths_[target.path].object) : target.adopted_id;
  return route.type == target.type && route.next_hop_id == id && settings_in(route) == route_settings_[target.settings];
}

// --- adopting and reconciling
// -----------------------------------------------------------------------------------------------

// The kernel has a route of a former life to this destination: it is taken for ours, as it stands. One that says what
// is wanted is so installed; another will be replaced. While it is not known where to, it is left alone.
void Unicast::adopt(Entry& entry, const Prefix& prefix) {
  const auto former = adopted_.find(prefix);
  if (former == adopted_.end() || entry.wanted == 0) return;
  const Target& wanted = targets_[entry.wanted];
  if (wanted.path != 0 && paths_[wanted.path].recursive && paths_[wanted.path].ways.empty()) return;
  const Adopted& its = former->second;
  const std::uint32_t id = wanted.path != 0 ? next_hops_.id_of(paths_[wanted.path].object) : 0;
  if (its.type == wanted.type && its.settings == wanted.settings && its.next_hop_id == id) {
    set_installed(entry, entry.wanted);
    ++counters_.kept;
  } else {
    const bool has_object = its.type == kernel::RouteType::kUnicast && its.next_hop_id != 0;
    const std::uint32_t target = share_target(
        {.type = its.type, .settings = its.settings, .adopted_id = has_object ? its.next_hop_id : kNoObject});
    set_installed(entry, target);
    release_target(target);
  }
  adopted_.erase(former);
}

Result<void> Unicast::reconcile(kernel::Port& port) {
  wants_reconcile_ = false;
  const kernel::Taker<kernel::Route> taker{
      [&] {
        adopted_.clear();
        strays_.clear();
        scan([](std::uint32_t, Entry& entry) { entry.unseen = entry.installed != 0 ? 1 : 0; });
      },
      [&](const kernel::Route& route) { seen(route); }};
  const auto dumped = port.dump_routes(
      {.family = settings_.family, .table = settings_.kernel_table, .protocol = protocol_, .link = {}}, taker);
  if (!dumped) {
    wants_reconcile_ = true;
    return tl::unexpected(dumped.error());
  }
  std::uint64_t missing = 0;
  scan([&](std::uint32_t index, Entry& entry) {
    if (entry.unseen == 0) return;
    entry.unseen = 0;
    ++missing;
    set_installed(entry, 0);
    make_dirty(index);
  });
  counters_.repaired += missing;
  ++counters_.reconciled;
  return {};
}

void Unicast::seen(const kernel::Route& route) {
  if ((route.flags & kernel::kRouteCloned) != 0 || route.source || route.tos != 0) return;
  const std::uint32_t index = find(route.destination);
  const std::uint32_t settings = share_settings(settings_in(route));
  if (index != 0 && entries_[index].installed != 0) {
    Entry& entry = entries_[index];
    if (route.priority != priority_of(entry.installed)) {
      strays_.emplace_back(route.destination, route.priority);
      return;
    }
    entry.unseen = 0;
    if (!is_as_installed(entry, route)) {
      ++counters_.repaired;
      entry.differs = 1;
      make_dirty(index);
    }
    return;
  }
  const auto [place, is_new] =
      adopted_.try_emplace(route.destination, Adopted{route.type, route.next_hop_id, settings});
  if (!is_new) {
    strays_.emplace_back(route.destination, route.priority);
  } else if (index != 0) {
    make_dirty(index);  // thought not to be there
  }
}

void Unicast::sweep_adopted() { sweeping_ = true; }

void Unicast::next_hops_changed() {
  scan([&](std::uint32_t index, Entry& entry) {
    const std::uint32_t installed = targets_[entry.installed].path;
    if (entry.installed != 0 && installed != 0 && next_hops_.is_lost(paths_[installed].object)) {
      set_installed(entry, 0);
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

void Unicast::heard(const kernel::Notice& notice, const kernel::Route& route) {
  if (route.table != settings_.kernel_table || route.destination.family() != settings_.family || route.tos != 0 ||
      (route.flags & kernel::kRouteCloned) != 0 || route.source) {
    return;
  }
  const std::uint32_t index = find(route.destination);
  const bool ours =
      index != 0 && entries_[index].installed != 0 && priority_of(entries_[index].installed) == route.priority;
  if (route.protocol != protocol_) {
    if (ours && notice.replaced && !notice.gone) taken_away(index, route.destination, notice.writer);
    if (index != 0 && notice.gone && entries_[index].state == static_cast<std::uint32_t>(RouteState::kConflict)) {
      make_dirty(index);
    }
  } else if (ours && notice.gone) {
    taken_away(index, route.destination, notice.writer);
  } else if (ours && !is_as_installed(entries_[index], route)) {
    entries_[index].differs = 1;
    taken_away(index, route.destination, notice.writer);
  } else if (!ours && !notice.gone) {
    if (index == 0)
      adopted_.try_emplace(route.destination,
                           Adopted{route.type, route.next_hop_id, share_settings(settings_in(route))});
    else
      strays_.emplace_back(route.destination, route.priority);
  } else if (!ours) {
    adopted_.erase(route.destination);
  }
}

// Somebody took ours away, or made it another. Written again, unless that has happened too often lately.
void Unicast::taken_away(std::uint32_t index, const Prefix& prefix, kernel::Identity by) {
  Entry& entry = entries_[index];
  ++counters_.repaired;
  if (entry.differs == 0) set_installed(entry, 0);
  if (by != 0 && known_rivals_.size() < kMostRivals && known_rivals_.insert(by).second) {
    TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "another program changes routes of ours; they are written again",
                 {"prefix", net::to_text(prefix)}, {"netlink_port", by});
  }
  if (!back_off(index)) make_dirty(index);
}

// True: not now. The destination is told as not installed, and tried again when the pause is over.
bool Unicast::back_off(std::uint32_t index) {
  const MonotonicTime now = clock_.now();
  if (fights_.size() >= kMostFights) {
    std::erase_if(fights_,
                  [&](const auto& each) { return !each.second.until && each.second.since + kLastPause < now; });
    if (fights_.size() >= kMostFights) return false;  // a flush, no fight
  }
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
