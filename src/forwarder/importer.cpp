#include "forwarder/importer.h"

#include <algorithm>
#include <utility>

namespace turnpike::forwarder {
namespace {

constexpr std::uint32_t kInstance = 0x4b524e4c;  // "KRNL": apart from clients that register with the same protocol id

}  // namespace

Importer::Importer(rtm::Table& table, const TableSettings& settings, std::uint8_t our_protocol, HopsOf hops_of,
                   Owners::Told owns)
    : settings_(settings),
      our_protocol_(our_protocol),
      hops_of_(std::move(hops_of)),
      owners_(table, settings.family, kInstance, std::move(owns)) {}

bool Importer::is_wanted(const kernel::Route& route) const {
  const bool table = route.table == settings_.kernel_table ||
                     (settings_.kernel_table == kernel::kMainTable && route.table == kernel::kLocalTable);
  return table && route.destination.family() == settings_.family && route.protocol != our_protocol_ &&
         can_stand_in_a_table(route);
}

Importer::Key Importer::key_of(const kernel::Route& route) {
  Key key;
  key.destination = route.destination;
  key.table = route.table;
  key.priority = route.priority;
  if (route.destination.family() == kernel::Family::kIpv6 && !route.hops.empty()) key.link = route.hops.front().link;
  key.protocol = route.protocol;
  key.tos = route.tos;
  key.type = route.type;
  return key;
}

// --- routes
// ------------------------------------------------------------------------------------------------------------------

bool Importer::put(const Key& key, const kernel::Route& route) {
  Imported& imported = routes_[key];
  imported.seen = true;
  imported.protocol_id = protocol_id_of(key.protocol);
  std::vector<kernel::Hop> hops(route.hops.begin(), route.hops.end());
  if (hops.empty() && route.next_hop_id != 0) hops = hops_of_(route.next_hop_id);
  const std::uint16_t flags = route_flags_of(route, hops);
  std::vector<OwnedHop> owned = owners_.owned(imported.protocol_id, hops);
  const bool is_new = imported.route == rtm::Handle::kNone;
  if (!is_new && imported.flags == flags && imported.hops == owned) return true;
  const std::vector<rtm::Handle> handles = owners_.use(owned);
  const auto put = owners_.put(imported.protocol_id, imported.route, key.destination, flags, route.priority, handles);
  if (!put) {
    owners_.release(owned);
    if (is_new) routes_.erase(key);
    return put.error().kind != ErrorKind::kBusy;
  }
  imported.route = *put;
  imported.flags = flags;
  owners_.release(std::exchange(imported.hops, std::move(owned)));
  return true;
}

bool Importer::drop(const Key& key) {
  const auto there = routes_.find(key);
  if (there == routes_.end()) return true;
  const Imported& its = there->second;
  const auto dropped = owners_.drop(its.protocol_id, its.route);
  if (!dropped && dropped.error().kind == ErrorKind::kBusy) return false;
  owners_.release(its.hops);
  routes_.erase(there);
  return true;
}

void Importer::change(const Key& key, const kernel::Route* route) {
  const rtm::Table::NeverWaits never_waits;
  waiting_.erase(key);
  if (route != nullptr ? put(key, *route) : drop(key)) return;
  waiting_.emplace(key, route != nullptr ? std::optional(kernel::RouteCopy(*route)) : std::nullopt);
}

// A route that takes the place of another of its key may come from another protocol: then that other has gone.
void Importer::heard(const kernel::Notice& notice, const kernel::Route& route) {
  const Key key = key_of(route);
  if (notice.replaced) {
    std::vector<Key> gone;
    for (auto each = routes_.lower_bound(Key{.destination = key.destination});
         each != routes_.end() && each->first.destination == key.destination; ++each) {
      const Key& other = each->first;
      if (other != key && other.table == key.table && other.priority == key.priority && other.tos == key.tos &&
          other.link == key.link) {
        gone.push_back(other);
      }
    }
    for (const Key& other : gone) change(other, nullptr);
  }
  if (is_wanted(route)) change(key, notice.gone ? nullptr : &route);
}

// The local table is asked before any other, whatever the metric.
bool Importer::goes_before(const kernel::Prefix& destination, std::uint32_t priority) const {
  if (routes_.empty()) return false;
  for (auto each = routes_.lower_bound(Key{.destination = destination});
       each != routes_.end() && each->first.destination == destination; ++each) {
    const Key& its = each->first;
    if (its.tos == 0 && (its.table != settings_.kernel_table || its.priority < priority)) return true;
  }
  return false;
}

void Importer::link_lost(kernel::InterfaceIndex link) {
  std::vector<Key> gone;
  for (const auto& [key, imported] : routes_) {
    const bool all = !imported.hops.empty() &&
                     std::ranges::all_of(imported.hops, [&](const OwnedHop& hop) { return std::get<1>(hop) == link; });
    if (all) gone.push_back(key);
  }
  for (const Key& key : gone) change(key, nullptr);
}

void Importer::begin() {
  for (auto& [key, imported] : routes_) imported.seen = false;
}

void Importer::taken(const kernel::Route& route) {
  if (is_wanted(route)) change(key_of(route), &route);
}

void Importer::end() {
  std::vector<Key> gone;
  for (const auto& [key, imported] : routes_) {
    if (!imported.seen) gone.push_back(key);
  }
  for (const Key& key : gone) change(key, nullptr);
}

bool Importer::step() {
  for (auto& [key, route] : std::exchange(waiting_, {})) {
    if (route) {
      const kernel::Route view = route->view();
      change(key, &view);
    } else {
      change(key, nullptr);
    }
  }
  return !waiting_.empty();
}

void Importer::stop() {
  const rtm::Table::NeverWaits never_waits;
  for (const auto& [key, imported] : routes_) owners_.drop_or_release(imported.protocol_id, imported.route);
  owners_.stop();
  routes_.clear();
  waiting_.clear();
}

}  // namespace turnpike::forwarder
