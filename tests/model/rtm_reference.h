// The routing table manager as a child would build it: maps, lists and loops, one thread, no handles, no references.
//
// It exists to be compared with. Every rule of docs/contract/rtmv2.md sections 1.3 to 1.10 that decides what a table
// holds, which route is best and who is told stands here once more in its most obvious form; where the contract leaves
// an order open (equal preference and metric), the answers here are sets, and the comparison accepts any member.
// Objects are named by numbers that are never used again.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace turnpike::model {

using Id = int;
constexpr Id kNone = -1;
constexpr int kViews = 2;
constexpr std::int64_t kNever = -1;

enum ChangeType : unsigned { kAll = 1, kBest = 2, kForwarding = 4 };
constexpr unsigned kForwardingFlags = 0x000F;

// A prefix, in the order of the table: address bits, then the shorter first.
struct Prefix {
  std::uint32_t address = 0;  // host order
  int length = 0;

  auto operator<=>(const Prefix&) const = default;
  bool covers(const Prefix& other) const;
};

struct RouteData {
  Id neighbour = kNone;
  unsigned flags = 0;
  std::uint32_t preference = 0;
  std::uint32_t metric = 0;
  unsigned views = 0;
  std::uintptr_t specific = 0;
  std::vector<Id> hops;
};

enum class State { kCreated, kDeleting, kDeleted };

struct Route {
  Id id = kNone;
  Id owner = kNone;
  Prefix prefix;
  RouteData data;
  State state = State::kCreated;
  std::int64_t expires = kNever;
  Id list = kNone;
};

struct Destination {
  std::vector<Id> routes;  // in the order they were inserted
  std::array<Id, kViews> best{kNone, kNone};
  std::array<Id, kViews> hold{kNone, kNone};
  unsigned hold_views = 0;
  std::int64_t hold_time = 0;
  std::int64_t hold_until = kNever;

  bool visible() const;  // has a route or a held route: enumerations and searches see it
};

struct NextHop {
  Id owner = kNone;
  std::uint32_t address = 0;
  std::uint32_t interface = 0;
  unsigned flags = 0;
  std::uintptr_t specific = 0;
  bool deleted = false;
};

struct Subscription {
  Id owner = kNone;
  unsigned views = 0;  // 0: any
  unsigned types = 0;
  bool marked_only = false;
  std::set<Prefix> marks;
  std::vector<Prefix> pending;  // in the order they were first queued
  bool order_known = true;      // false after a step that queues several in an order of its own
};

class Reference {
 public:
  void set_time(std::int64_t now) { now_ = now; }
  std::int64_t now() const { return now_; }

  Id register_entity(std::uint32_t default_preference);
  // Everything the entity owns goes; what it had held goes with it.
  void deregister_entity(Id entity);

  // {next hop, whether it is new}
  std::pair<Id, bool> add_next_hop(Id entity, std::uint32_t address, std::uint32_t interface, unsigned flags,
                                   std::uintptr_t specific);
  std::optional<Id> find_next_hop(Id entity, std::uint32_t address, std::uint32_t interface) const;
  void delete_next_hop(Id next_hop);

  // The routes of `entity` that RtmAddRouteToDest by values would take for "the same"; empty: it makes a new one.
  std::vector<Id> same_routes(Id entity, const Prefix& prefix, Id neighbour, bool first) const;
  // Both tell whether the route is best in some view, or was.
  std::pair<Id, bool> insert_route(Id entity, const Prefix& prefix, RouteData data, std::int64_t time_to_live, Id list);
  bool update_route(Id route, RouteData data, std::int64_t time_to_live, Id list);
  bool delete_route(Id route);

  void hold(const Prefix& prefix, unsigned views, std::int64_t milliseconds);
  void stop_timer(Id route) { routes_.at(route).expires = kNever; }
  // The routes whose time is up, oldest deadline first.
  std::vector<Id> due_routes() const;
  void end_due_holds();

  Id subscribe(Id entity, unsigned views, unsigned types, bool marked_only);
  void unsubscribe(Id subscription) { subscriptions_.erase(subscription); }
  void mark(Id subscription, const Prefix& prefix, bool marked);
  void ignore(Id subscription, const Prefix& prefix);
  // Forgets destinations that nothing keeps: no route, no held route, no mark, no change waiting, nobody's reference.
  template <class IsReferenced>
  void forget_destinations(IsReferenced is_referenced) {
    std::erase_if(destinations_, [&](const auto& item) {
      return !item.second.visible() && !is_noted(item.first) && !is_referenced(item.first);
    });
  }
  // A step that queues several destinations in an order the contract leaves open.
  void forget_order();

  Id create_list(Id entity);
  void delete_list(Id list);
  void move_to_list(Id route, Id list);
  std::vector<Id> list_members(Id list) const;

  // The best routes of a view among those whose owner has the protocol `owners` (empty: any): a set where the order is
  // open.
  std::vector<Id> best_for(const Prefix& prefix, int view, const std::set<Id>* owners) const;
  std::vector<Prefix> visible_in(unsigned views) const;
  std::optional<Prefix> most_specific(const Prefix& prefix, unsigned views) const;
  std::optional<Prefix> less_specific(const Prefix& prefix, unsigned views) const;
  unsigned views_of(const Prefix& prefix) const;
  int routes_in(const Prefix& prefix, int view) const;

  const std::map<Prefix, Destination>& destinations() const { return destinations_; }
  const std::map<Id, Route>& routes() const { return routes_; }
  const std::map<Id, NextHop>& next_hops() const { return next_hops_; }
  std::map<Id, Subscription>& subscriptions() { return subscriptions_; }
  const std::map<Id, std::uint32_t>& entities() const { return entities_; }

 private:
  struct Before {
    std::array<Id, kViews> best;
    RouteData data;  // of the route that the step is about
  };

  bool is_noted(const Prefix& prefix) const;
  bool matches(const Prefix& prefix, unsigned views) const;
  void rank(Destination& destination);
  void start_hold(Destination& destination, Id route, unsigned views_left);
  void notify_route_step(const Prefix& prefix, Id route, const Before& before, unsigned views_before);
  void queue(const Prefix& prefix, int view, unsigned types);
  bool settle(Id route, const Before& before, unsigned views_before);
  void remove(Id route, bool may_hold);

  std::int64_t now_ = 0;
  Id last_ = 0;
  std::map<Id, std::uint32_t> entities_;  // default preference
  std::map<Prefix, Destination> destinations_;
  std::map<Id, Route> routes_;  // deleted ones too: somebody may still hold them
  std::map<Id, NextHop> next_hops_;
  std::map<Id, Subscription> subscriptions_;
  std::map<Id, std::vector<Id>> lists_;
};

}  // namespace turnpike::model
