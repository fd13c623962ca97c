#include "forwarder/fpm_routes.h"

#include <algorithm>
#include <utility>

namespace turnpike::forwarder {
namespace {

constexpr std::uint32_t kInstance = 0x46504d20;  // "FPM ": apart from the importer's and other clients' entities
constexpr Duration kLockedAgain = std::chrono::milliseconds(2);

bool has_ways(kernel::RouteType type) { return type == kernel::RouteType::kUnicast; }

}  // namespace

FpmRoutes::FpmRoutes(rtm::Table& table, kernel::Family family, bool gateways_only, HopsOf hops_of, Owners::Told owns,
                     const Clock& clock)
    : gateways_only_(gateways_only),
      hops_of_(std::move(hops_of)),
      clock_(clock),
      owners_(table, family, kInstance, std::move(owns)),
      paths_(1) {}

// --- what is said
// ----------------------------------------------------------------------------------------------------------------

void FpmRoutes::begin_life() {
  ++life_;
  for (auto& [destination, entry] : routes_) set_stale(entry, true);
}

void FpmRoutes::say(bool wanted, const kernel::Route& route) {
  if (!wanted) {
    const auto there = routes_.find(route.destination);
    if (there == routes_.end()) return;
    there->second.gone = true;
    return queue(route.destination, there->second);
  }
  Entry& entry = routes_[route.destination];
  if (entry.type == kernel::RouteType::kUnspecified) ++counts_.routes;
  const auto protocol_id = static_cast<std::uint8_t>(protocol_id_of(route.protocol));
  const std::uint32_t path = has_ways(route.type) ? use_path(protocol_id, route) : 0;
  const bool same = entry.route != rtm::Handle::kNone && !entry.gone && entry.protocol_id == protocol_id &&
                    entry.type == route.type && entry.metric == route.priority &&
                    paths_[entry.path].owned == paths_[path].owned;
  release_path(std::exchange(entry.path, path));
  entry.metric = route.priority;
  entry.protocol_id = protocol_id;
  entry.type = route.type;
  entry.gone = false;
  set_stale(entry, false);
  if (!same) queue(route.destination, entry);
}

void FpmRoutes::objects_changed(const std::set<std::uint32_t>& ids) {
  bool any = false;
  for (Path& path : paths_) {
    const auto& [life, id, own] = path.key;
    if (path.uses == 0 || life != life_ || !ids.contains(id)) continue;
    const std::vector<OwnedHop> before = path.owned;
    work_out(path, hops_of_(id));
    path.changed = path.owned != before;
    any = any || path.changed;
  }
  if (!any) return;
  for (auto& [destination, entry] : routes_) {
    if (paths_[entry.path].changed) queue(destination, entry);
  }
  for (Path& path : paths_) path.changed = false;
}

void FpmRoutes::sweep() {
  for (auto& [destination, entry] : routes_) {
    if (!entry.stale) continue;
    entry.gone = true;
    queue(destination, entry);
  }
}

void FpmRoutes::set_stale(Entry& entry, bool stale) {
  counts_.stale += std::uint64_t{stale} - std::uint64_t{entry.stale};
  entry.stale = stale;
}

void FpmRoutes::set_absent(Entry& entry, bool absent) {
  counts_.absent += std::uint64_t{absent} - std::uint64_t{entry.absent};
  entry.absent = absent;
}

void FpmRoutes::queue(const kernel::Prefix& destination, Entry& entry) {
  if (entry.queued) return;
  entry.queued = true;
  queue_.push_back(destination);
}

// --- paths
// -------------------------------------------------------------------------------------------------------------------

// What leads somewhere from here. Without links a gateway that has a meaning on its link alone has none.
std::vector<kernel::Hop> FpmRoutes::usable(std::span<const kernel::Hop> hops) const {
  std::vector<kernel::Hop> all(hops.begin(), hops.end());
  if (!gateways_only_) return all;
  std::erase_if(all, [](const kernel::Hop& hop) { return !hop.gateway || hop.gateway->is_link_local(); });
  for (kernel::Hop& hop : all) hop.link = {};
  return all;
}

std::uint32_t FpmRoutes::use_path(std::uint32_t protocol_id, const kernel::Route& route) {
  PathKey key{life_, route.next_hop_id, {}};
  if (route.next_hop_id == 0) std::get<2>(key) = owners_.owned(protocol_id, usable(route.hops));
  const auto [place, is_new] = path_index_.try_emplace({protocol_id, key}, 0);
  if (is_new) {
    if (free_paths_.empty()) {
      place->second = static_cast<std::uint32_t>(paths_.size());
      paths_.emplace_back();
    } else {
      place->second = free_paths_.back();
      free_paths_.pop_back();
    }
    Path& path = paths_[place->second];
    path.key = std::move(key);
    path.protocol_id = protocol_id;
    const std::vector<kernel::Hop> its =
        route.next_hop_id != 0 ? hops_of_(route.next_hop_id) : std::vector<kernel::Hop>{};
    work_out(path, route.next_hop_id != 0 ? its : route.hops);
  }
  ++paths_[place->second].uses;
  return place->second;
}

void FpmRoutes::work_out(Path& path, std::span<const kernel::Hop> hops) {
  path.hops = usable(hops);
  std::vector<OwnedHop> owned = owners_.owned(path.protocol_id, path.hops);
  path.handles = owners_.use(owned);
  const std::vector<OwnedHop> before = std::exchange(path.owned, std::move(owned));
  former_.insert(former_.end(), before.begin(), before.end());
}

void FpmRoutes::release_path(std::uint32_t index) {
  if (index == 0) return;
  Path& path = paths_[index];
  if (--path.uses != 0) return;
  former_.insert(former_.end(), path.owned.begin(), path.owned.end());
  path_index_.erase({path.protocol_id, path.key});
  path = Path{};
  free_paths_.push_back(index);
}

// --- the table
// ---------------------------------------------------------------------------------------------------------------

bool FpmRoutes::step(std::size_t most) {
  const rtm::Table::NeverWaits never_waits;
  if (locked_at_ && *locked_at_ <= clock_.now()) {
    locked_at_.reset();
    std::erase_if(left_over_, [this](const auto& each) { return take_out(each.first, each.second); });
    for (const kernel::Prefix& destination : std::exchange(locked_, {})) queue_.push_back(destination);
  }
  for (; most != 0 && !queue_.empty(); --most) {
    const kernel::Prefix destination = queue_.front();
    queue_.pop_front();
    Entry& entry = routes_.at(destination);
    if (apply(destination, entry)) {
      entry.queued = false;
      if (entry.gone) forget(destination, entry);
    } else {
      locked_.push_back(destination);
    }
  }
  if ((!locked_.empty() || !left_over_.empty()) && !locked_at_) locked_at_ = clock_.now() + kLockedAgain;
  if (queue_.empty()) owners_.release(std::exchange(former_, {}));
  return !queue_.empty();
}

bool FpmRoutes::apply(const kernel::Prefix& destination, Entry& entry) {
  const bool leads_nowhere = has_ways(entry.type) && paths_[entry.path].handles.empty();
  set_absent(entry, leads_nowhere && !entry.gone);
  if (!entry.gone && !leads_nowhere) return put(destination, entry);
  if (entry.route != rtm::Handle::kNone && !take_out(entry.owner, entry.route)) return false;
  entry.route = rtm::Handle::kNone;
  return true;
}

bool FpmRoutes::put(const kernel::Prefix& destination, Entry& entry) {
  const Path& path = paths_[entry.path];
  kernel::Route route;
  route.destination = destination;
  route.type = entry.type;
  const bool moves = entry.route != rtm::Handle::kNone && entry.owner != entry.protocol_id;
  const auto done = owners_.put(entry.protocol_id, moves ? rtm::Handle::kNone : entry.route, destination,
                                route_flags_of(route, path.hops), entry.metric, path.handles);
  if (!done) return done.error().kind != ErrorKind::kBusy;
  const rtm::Handle former = std::exchange(entry.route, *done);
  const std::uint8_t former_owner = std::exchange(entry.owner, entry.protocol_id);
  if (moves && !take_out(former_owner, former)) left_over_.emplace_back(former_owner, former);
  return true;
}

bool FpmRoutes::take_out(std::uint8_t owner, rtm::Handle route) {
  const auto dropped = owners_.drop(owner, route);
  return dropped || dropped.error().kind != ErrorKind::kBusy;
}

void FpmRoutes::forget(const kernel::Prefix& destination, Entry& entry) {
  release_path(entry.path);
  set_stale(entry, false);
  set_absent(entry, false);
  --counts_.routes;
  routes_.erase(destination);
}

void FpmRoutes::stop() {
  const rtm::Table::NeverWaits never_waits;
  for (const auto& [destination, entry] : routes_) {
    if (entry.route != rtm::Handle::kNone) owners_.drop_or_release(entry.owner, entry.route);
  }
  for (const auto& [owner, route] : left_over_) owners_.drop_or_release(owner, route);
  owners_.stop();
  routes_.clear();
  queue_.clear();
  locked_.clear();
  left_over_.clear();
  path_index_.clear();
  paths_.assign(1, {});
  free_paths_.clear();
  former_.clear();
  counts_ = {};
}

}  // namespace turnpike::forwarder
