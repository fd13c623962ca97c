// Recursive next hops: found by looking their address up in the same table, and followed as that changes.
//
// A path notes every address that was looked up for it, at any depth. A change of a destination that covers one of them
// is what can lead it elsewhere, and nothing else is; so it is resolved anew then. That a route's next hop leads
// through the route itself, or in a circle, shows in the destinations passed on the way: such a branch leads nowhere.
//
// An IPv4 route's next hop may have an IPv6 address (RFC 8950). It is looked up by the IPv6 table's Unicast, which
// tells of every destination of its own that changes; the path is ours.
#include <algorithm>

#include "forwarder/unicast.h"

namespace turnpike::forwarder {
namespace {

constexpr unsigned kMostDepth = 8;
constexpr std::uint16_t kNoWay = 0x000f | 0x0040 | 0x0300 | 0xf400;  // dropped, local, multicast, broadcast

}  // namespace

void Unicast::look_up(const Address& address, unsigned depth, std::vector<rtm::Handle>& through, Path& found) {
  if (address.family() != settings_.family) {
    if (other_family_ != nullptr) other_family_->look_up(address, depth, through, found);
    return;
  }
  found.looked_up.push_back(address);
  rtm::NetAddress wanted;
  wanted.family = table_.config().family;
  wanted.bits = static_cast<std::uint16_t>(address.width());
  std::ranges::copy(address.bytes(), wanted.address);
  rtm::DestImage info;
  const auto there = table_.most_specific_destination(self_, wanted, rtm::kBestProtocol, 1, info);
  if (!there) {
    found.to_resolve = found.to_resolve || there.error().kind == ErrorKind::kBusy;
    return;
  }
  rtm::Forwarding route;
  const bool is_new = std::ranges::find(through, info.destination) == through.end();
  if (is_new && table_.forwarding(self_, info.destination, route) && route.has_route && (route.flags & kNoWay) == 0) {
    through.push_back(info.destination);
    for (std::uint32_t i = 0; i < route.hop_count; ++i) {
      const auto next = hop(route.hops[i]);
      if (next && next->link != 0) {
        found.ways.push_back(way_of(*next, address));
      } else if (next && depth < kMostDepth) {
        look_up(next->address, depth + 1, through, found);
      }
    }
    through.pop_back();
  }
  static_cast<void>(table_.release_dest_infos(self_, 1, reinterpret_cast<const std::byte*>(&info)));
}

void Unicast::resolve(std::uint32_t path, std::uint32_t hint) {
  Path found;
  std::vector<rtm::Handle> through;
  for (const Hop& each : paths_[path].hops) {
    if (each.link != 0) {
      found.ways.push_back(way_of(each, Address()));
    } else {
      look_up(each.address, 1, through, found);
    }
  }
  forget_lookups(path);
  Path& its = paths_[path];
  its.looked_up = std::move(found.looked_up);
  for (const Address& address : its.looked_up) lookups_.emplace(address, path);
  const bool moves = its.ways != found.ways;
  its.ways = std::move(found.ways);
  if (moves || its.ways.empty()) {
    next_hops_.move(its.object, its.ways, hint);
  }
  if (found.to_resolve && !locked_at_) locked_at_ = clock_.now() + std::chrono::milliseconds(2);
  if (found.to_resolve && !std::exchange(its.to_resolve, true)) to_resolve_.push_back(path);
}

void Unicast::forget_lookups(std::uint32_t path) {
  for (const Address& address : paths_[path].looked_up) lookups_.erase({address, path});
  paths_[path].looked_up.clear();
}

void Unicast::destination_changed(const Prefix& prefix) {
  for (auto each = lookups_.lower_bound({prefix.address(), 0}); each != lookups_.end() && prefix.contains(each->first);
       ++each) {
    if (!std::exchange(paths_[each->second].to_resolve, true)) to_resolve_.push_back(each->second);
    resolves_now_ = true;
  }
  if (told_ != nullptr) told_->destination_changed(prefix);
}

void Unicast::resolve_by(Unicast& other_family) {
  other_family_ = &other_family;
  other_family.told_ = this;
}

// Routes are written only where the path becomes one or ceases to be one.
void Unicast::resolve_anew() {
  std::set<std::uint32_t> turned;
  resolves_now_ = false;
  for (const std::uint32_t path : std::exchange(to_resolve_, {})) {
    Path& its = paths_[path];
    its.to_resolve = false;
    if (its.uses == 0) continue;
    const std::vector<Way> before = its.ways;
    resolve(path, 0);
    if (paths_[path].ways != before) ++counters_.moved;
    if (paths_[path].ways.empty() != before.empty()) turned.insert(path);
  }
  if (turned.empty()) return;
  scan([&](std::uint32_t index, Entry& entry) {
    if (entry.wanted != 0 && turned.contains(targets_[entry.wanted].path)) make_dirty(index);
  });
}

}  // namespace turnpike::forwarder
