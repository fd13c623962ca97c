#include "rtm_reference.h"

#include <algorithm>

namespace turnpike::model {
namespace {

constexpr unsigned kEveryView = (1U << kViews) - 1;

std::pair<std::uint32_t, std::uint32_t> rank_of(const RouteData& data) { return {data.preference, data.metric}; }

// What kind of change it is for a best route that stays the same route.
unsigned types_of_update(const RouteData& before, const RouteData& after) {
  if (rank_of(before) != rank_of(after) || before.hops != after.hops) return kAll | kBest | kForwarding;
  const unsigned changed = before.flags ^ after.flags;
  if ((changed & kForwardingFlags) != 0) return kAll | kBest | kForwarding;
  return changed != 0 ? kAll | kBest : kAll;
}

}  // namespace

bool Prefix::covers(const Prefix& other) const {
  if (length > other.length) return false;
  const std::uint32_t mask = length == 0 ? 0 : ~0U << (32 - length);
  return (other.address & mask) == address;
}

bool Destination::visible() const {
  return !routes.empty() || std::any_of(hold.begin(), hold.end(), [](Id id) { return id != kNone; });
}

Id Reference::register_entity(std::uint32_t default_preference) {
  entities_[++last_] = default_preference;
  return last_;
}

void Reference::deregister_entity(Id entity) {
  std::erase_if(subscriptions_, [&](const auto& item) { return item.second.owner == entity; });
  std::vector<Id> own;
  for (const auto& [id, route] : routes_) {
    if (route.owner == entity && route.state == State::kCreated) own.push_back(id);
  }
  for (Id id : own) remove(id, /*may_hold=*/false);
  for (auto& [prefix, destination] : destinations_) {
    for (int view = 0; view < kViews; ++view) {
      Id& held = destination.hold[static_cast<std::size_t>(view)];
      if (held == kNone || routes_.at(held).owner != entity) continue;
      routes_.at(held).state = State::kDeleted;
      held = kNone;
      queue(prefix, view, kAll | kBest);
    }
  }
  for (auto& [id, next_hop] : next_hops_) {
    if (next_hop.owner == entity) next_hop.deleted = true;
  }
  entities_.erase(entity);
  forget_order();
}

std::optional<Id> Reference::find_next_hop(Id entity, std::uint32_t address, std::uint32_t interface) const {
  for (const auto& [id, hop] : next_hops_) {
    if (hop.owner == entity && !hop.deleted && hop.address == address && hop.interface == interface) return id;
  }
  return std::nullopt;
}

std::pair<Id, bool> Reference::add_next_hop(Id entity, std::uint32_t address, std::uint32_t interface, unsigned flags,
                                            std::uintptr_t specific) {
  const std::optional<Id> found = find_next_hop(entity, address, interface);
  const Id id = found ? *found : ++last_;
  next_hops_[id] = NextHop{entity, address, interface, flags, specific, false};
  return {id, !found};
}

void Reference::delete_next_hop(Id next_hop) { next_hops_.at(next_hop).deleted = true; }

std::vector<Id> Reference::same_routes(Id entity, const Prefix& prefix, Id neighbour, bool first) const {
  std::vector<Id> same;
  const auto found = destinations_.find(prefix);
  if (found == destinations_.end()) return same;
  for (Id id : found->second.routes) {
    const Route& route = routes_.at(id);
    if (route.owner == entity && (first || route.data.neighbour == neighbour)) same.push_back(id);
  }
  if (!first || same.empty()) return same;
  auto best = rank_of(routes_.at(same.front()).data);
  for (Id id : same) best = std::min(best, rank_of(routes_.at(id).data));
  std::erase_if(same, [&](Id id) { return rank_of(routes_.at(id).data) != best; });
  return same;
}

// Lowest (preference, metric) of each view; among equals the incumbent stays, else the earliest inserted.
void Reference::rank(Destination& destination) {
  for (std::size_t view = 0; view < kViews; ++view) {
    Id best = kNone;
    for (Id id : destination.routes) {
      const RouteData& data = routes_.at(id).data;
      if ((data.views >> view & 1) == 0) continue;
      if (best == kNone || rank_of(data) < rank_of(routes_.at(best).data)) best = id;
    }
    const Id incumbent = destination.best[view];
    const bool stays =
        best != kNone && incumbent != kNone &&
        std::find(destination.routes.begin(), destination.routes.end(), incumbent) != destination.routes.end() &&
        (routes_.at(incumbent).data.views >> view & 1) != 0 &&
        rank_of(routes_.at(incumbent).data) == rank_of(routes_.at(best).data);
    destination.best[view] = stays ? incumbent : best;
  }
}

void Reference::queue(const Prefix& prefix, int view, unsigned types) {
  for (auto& [id, subscription] : subscriptions_) {
    const bool wanted = (subscription.types & types) != 0 &&
                        (subscription.views == 0 || (subscription.views >> view & 1) != 0) &&
                        (!subscription.marked_only || subscription.marks.contains(prefix));
    auto& pending = subscription.pending;
    if (wanted && std::find(pending.begin(), pending.end(), prefix) == pending.end()) pending.push_back(prefix);
  }
}

void Reference::notify_route_step(const Prefix& prefix, Id route, const Before& before, unsigned views_before) {
  const Destination& destination = destinations_.at(prefix);
  const Route& subject = routes_.at(route);
  const unsigned views_after = subject.state == State::kCreated ? subject.data.views : 0;
  for (int view = 0; view < kViews; ++view) {
    const auto at = static_cast<std::size_t>(view);
    if (destination.best[at] != before.best[at]) {
      queue(prefix, view, kAll | kBest | kForwarding);
    } else if (((views_before | views_after) >> view & 1) != 0) {
      queue(prefix, view, destination.best[at] == route ? types_of_update(before.data, subject.data) : unsigned{kAll});
    }
  }
}

bool Reference::settle(Id route, const Before& before, unsigned views_before) {
  const Route& subject = routes_.at(route);
  Destination& destination = destinations_.at(subject.prefix);
  rank(destination);
  notify_route_step(subject.prefix, route, before, views_before);
  const auto is_subject = [&](Id id) { return id == route; };
  return std::any_of(before.best.begin(), before.best.end(), is_subject) ||
         std::any_of(destination.best.begin(), destination.best.end(), is_subject);
}

std::pair<Id, bool> Reference::insert_route(Id entity, const Prefix& prefix, RouteData data, std::int64_t time_to_live,
                                            Id list) {
  if (data.preference == 0) data.preference = entities_.at(entity);
  Destination& destination = destinations_[prefix];
  const Id id = ++last_;
  const Before before{destination.best, {}};
  routes_[id] =
      Route{id, entity, prefix, data, State::kCreated, time_to_live == kNever ? kNever : now_ + time_to_live, kNone};
  destination.routes.push_back(id);
  if (list != kNone) move_to_list(id, list);
  return {id, settle(id, before, 0)};
}

bool Reference::update_route(Id route, RouteData data, std::int64_t time_to_live, Id list) {
  Route& subject = routes_.at(route);
  if (data.preference == 0) data.preference = entities_.at(subject.owner);
  Destination& destination = destinations_.at(subject.prefix);
  const Before before{destination.best, subject.data};
  const unsigned views_before = subject.data.views;
  subject.data = data;
  subject.expires = time_to_live == kNever ? kNever : now_ + time_to_live;
  if (list != kNone) move_to_list(route, list);
  start_hold(destination, route, views_before & ~data.views);
  return settle(route, before, views_before);
}

// A marked view that loses its last route holds that route, for one time common to all views.
void Reference::start_hold(Destination& destination, Id route, unsigned views_left) {
  for (std::size_t view = 0; view < kViews; ++view) {
    if ((views_left >> view & 1) == 0 || (destination.hold_views >> view & 1) == 0) continue;
    if (destination.hold[view] != kNone) continue;  // the first held route stays
    const bool last = std::none_of(destination.routes.begin(), destination.routes.end(),
                                   [&](Id id) { return id != route && (routes_.at(id).data.views >> view & 1) != 0; });
    if (!last) continue;
    destination.hold[view] = route;
    if (destination.hold_until == kNever) destination.hold_until = now_ + destination.hold_time;
  }
}

void Reference::remove(Id route, bool may_hold) {
  Route& subject = routes_.at(route);
  Destination& destination = destinations_.at(subject.prefix);
  const Before before{destination.best, subject.data};
  if (may_hold) start_hold(destination, route, subject.data.views);
  std::erase(destination.routes, route);
  const bool held = std::find(destination.hold.begin(), destination.hold.end(), route) != destination.hold.end();
  subject.state = held ? State::kDeleting : State::kDeleted;
  subject.expires = kNever;
  move_to_list(route, kNone);
  settle(route, before, subject.data.views);
}

bool Reference::delete_route(Id route) {
  const Destination& destination = destinations_.at(routes_.at(route).prefix);
  const bool best = std::find(destination.best.begin(), destination.best.end(), route) != destination.best.end();
  remove(route, /*may_hold=*/true);
  return best;
}

void Reference::hold(const Prefix& prefix, unsigned views, std::int64_t milliseconds) {
  Destination& destination = destinations_[prefix];
  destination.hold_views |= views & kEveryView;
  destination.hold_time = std::max(destination.hold_time, milliseconds);
}

std::vector<Id> Reference::due_routes() const {
  std::vector<Id> due;
  for (const auto& [id, route] : routes_) {
    if (route.state == State::kCreated && route.expires != kNever && route.expires <= now_) due.push_back(id);
  }
  const auto rank = [&](Id id) { return std::pair(routes_.at(id).expires, id); };  // ids rise, so ties stay in order
  std::ranges::sort(due, {}, rank);
  return due;
}

void Reference::end_due_holds() {
  for (auto& [prefix, destination] : destinations_) {
    if (destination.hold_until == kNever || destination.hold_until > now_) continue;
    destination.hold_until = kNever;
    destination.hold_views = 0;
    destination.hold_time = 0;
    for (int view = 0; view < kViews; ++view) {
      Id& held = destination.hold[static_cast<std::size_t>(view)];
      if (held == kNone) continue;
      if (routes_.at(held).state == State::kDeleting) routes_.at(held).state = State::kDeleted;
      held = kNone;
      queue(prefix, view, kAll | kBest);
    }
  }
}

Id Reference::subscribe(Id entity, unsigned views, unsigned types, bool marked_only) {
  subscriptions_[++last_] = Subscription{entity, views, types, marked_only, {}, {}, true};
  return last_;
}

void Reference::mark(Id id, const Prefix& prefix, bool marked) {
  Subscription& subscription = subscriptions_.at(id);
  if (marked) {
    subscription.marks.insert(prefix);
    return;
  }
  subscription.marks.erase(prefix);
  if (subscription.marked_only) std::erase(subscription.pending, prefix);
}

void Reference::ignore(Id id, const Prefix& prefix) { std::erase(subscriptions_.at(id).pending, prefix); }

bool Reference::is_noted(const Prefix& prefix) const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const auto& item) {
    const std::vector<Prefix>& pending = item.second.pending;
    return item.second.marks.contains(prefix) || std::find(pending.begin(), pending.end(), prefix) != pending.end();
  });
}

void Reference::forget_order() {
  for (auto& [id, subscription] : subscriptions_) subscription.order_known = subscription.pending.size() < 2;
}

Id Reference::create_list(Id) {
  lists_[++last_];
  return last_;
}

void Reference::delete_list(Id list) {
  for (Id id : std::vector<Id>(lists_.at(list))) move_to_list(id, kNone);
  lists_.erase(list);
}

void Reference::move_to_list(Id route, Id list) {
  Route& subject = routes_.at(route);
  if (subject.list != kNone) std::erase(lists_.at(subject.list), route);
  subject.list = list;
  if (list != kNone) lists_.at(list).push_back(route);
}

std::vector<Id> Reference::list_members(Id list) const { return lists_.at(list); }

std::vector<Id> Reference::best_for(const Prefix& prefix, int view, const std::set<Id>* owners) const {
  const Destination& destination = destinations_.at(prefix);
  if (owners == nullptr) {
    const Id best = destination.best[static_cast<std::size_t>(view)];
    return best == kNone ? std::vector<Id>{} : std::vector<Id>{best};
  }
  std::vector<Id> best;
  for (Id id : destination.routes) {
    const Route& route = routes_.at(id);
    if ((route.data.views >> view & 1) == 0 || !owners->contains(route.owner)) continue;
    if (!best.empty() && rank_of(route.data) < rank_of(routes_.at(best.front()).data)) best.clear();
    if (best.empty() || rank_of(route.data) == rank_of(routes_.at(best.front()).data)) best.push_back(id);
  }
  return best;
}

unsigned Reference::views_of(const Prefix& prefix) const {
  unsigned views = 0;
  for (Id id : destinations_.at(prefix).routes) views |= routes_.at(id).data.views;
  return views;
}

int Reference::routes_in(const Prefix& prefix, int view) const {
  const auto& routes = destinations_.at(prefix).routes;
  return static_cast<int>(
      std::count_if(routes.begin(), routes.end(), [&](Id id) { return (routes_.at(id).data.views >> view & 1) != 0; }));
}

bool Reference::matches(const Prefix& prefix, unsigned views) const {
  const auto found = destinations_.find(prefix);
  if (found == destinations_.end() || !found->second.visible()) return false;
  return views == 0 || (views_of(prefix) & views) != 0;
}

std::vector<Prefix> Reference::visible_in(unsigned views) const {
  std::vector<Prefix> result;
  for (const auto& [prefix, destination] : destinations_) {
    if (matches(prefix, views)) result.push_back(prefix);
  }
  return result;
}

std::optional<Prefix> Reference::most_specific(const Prefix& wanted, unsigned views) const {
  std::optional<Prefix> best;
  for (const auto& [prefix, destination] : destinations_) {
    if (prefix.covers(wanted) && matches(prefix, views) && (!best || prefix.length > best->length)) best = prefix;
  }
  return best;
}

std::optional<Prefix> Reference::less_specific(const Prefix& from, unsigned views) const {
  std::optional<Prefix> best;
  for (const auto& [prefix, destination] : destinations_) {
    if (prefix.length < from.length && prefix.covers(from) && matches(prefix, views) &&
        (!best || prefix.length > best->length)) {
      best = prefix;
    }
  }
  return best;
}

}  // namespace turnpike::model
