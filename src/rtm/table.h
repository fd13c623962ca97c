// Table: one routing table, for one instance and one address family. The engine behind the C face of RTMv2.
//
// Every operation is a member function that names its caller by handle, answers a Result, and may be called from any
// thread. The error kinds are those of the contract (docs/contract/rtmv2.md says which function answers which):
//   kInvalidHandle   a handle that is null, stale, of another kind, or of another table
//   kInvalidArgument what can never be right; also: the calling thread holds an object lock that the call would have to
//   wait for kDenied          somebody else's object kExhausted       memory, or a configured bound
//
// README.md beside this file tells how the parts hang together, and which lock is taken when. The parts: entity.cpp
// (life cycle), sweep.cpp (deregistration), event.cpp, method.cpp, search.cpp, info.cpp, route.cpp, rank.cpp,
// policy.cpp, next_hop.cpp, in_place.cpp, hold.cpp, expiry.cpp, notify.cpp, enumerate.cpp, list.cpp, lock.cpp,
// store.cpp (records and their lives).
#pragma once

#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "rtm/bulk.h"
#include "rtm/config.h"
#include "rtm/deadlines.h"
#include "rtm/entity.h"
#include "rtm/limbo.h"
#include "rtm/lock.h"
#include "rtm/mutex.h"
#include "rtm/notify.h"
#include "rtm/port.h"
#include "rtm/records.h"
#include "rtm/roster.h"
#include "rtm/slab.h"
#include "rtm/trie.h"
#include "rtm/v1.h"

namespace turnpike::rtm {

struct Enumeration;
struct RouteList;

// What adding or updating a route says of it.
struct RouteRequest {
  Handle neighbour = Handle::kNone;
  std::uint16_t flags = 0;
  std::uint8_t flags1 = 0;
  Preference preference;
  ViewSet views = 0;
  void* entity_specific = nullptr;
  std::span<const Handle> hops;
  std::uint32_t time_to_live = kInfinite;  // milliseconds
  Handle list = Handle::kNone;
  std::uint32_t change_flags = 0;  // change::kFirst, change::kNew
};

struct AddedRoute {
  Handle route = Handle::kNone;
  std::uint32_t change_flags = 0;  // change::kNew, change::kBest
};

// One of many (bulk.cpp).
struct BulkRoute {
  NetAddress address;
  RouteRequest request;
};

struct NextHopRequest {
  NetAddress address;
  std::uint32_t interface_index = 0;
  std::uint16_t flags = 0;
  void* entity_specific = nullptr;
  Handle remote = Handle::kNone;
  bool may_be_of_other_family = false;  // Config::gateway_family
};

// Which routes of a destination a caller is after.
struct RouteCriteria {
  std::uint32_t flags = 0;  // match::…
  Handle owner = Handle::kNone;
  Handle neighbour = Handle::kNone;
  Preference preference;
  Handle hop = Handle::kNone;
  std::uint32_t interface_index = 0;
};

// A destination and its best unicast route, as a forwarder reads them.
struct Forwarding {
  NetAddress destination;
  bool has_route = false;
  Handle owner = Handle::kNone;
  std::uint16_t flags = 0;
  bool on_link = false;  // an RTMv1 route with FSD_Type 3: the addresses of its next hops are no gateways
  std::uint32_t hop_count = 0;
  std::array<Handle, 64> hops;  // hop_count of them; as many as a configuration may allow
};

struct Statistics {
  std::uint64_t entities = 0, destinations = 0, routes = 0, next_hops = 0;  // that exist, tombstones too
  std::uint64_t live_routes = 0, visible_destinations = 0;
  std::uint64_t enumerations = 0, lists = 0, registrations = 0;
  std::uint64_t changes_waiting = 0, deadlines = 0, object_locks = 0;
  std::uint64_t record_bytes = 0, trie_bytes = 0, other_bytes = 0;
  // Of long work: how often, and how long at most, the lock was held; and how long the holder was running meanwhile.
  std::uint64_t steps = 0, longest_step_ns = 0, longest_step_busy_ns = 0;
  std::uint64_t callback_throws = 0;
  std::uint64_t index_routes = 0, index_bytes = 0, index_builds = 0;  // of longest match in bulk
};

class Table {
 public:
  // The configuration is taken as it is: its maker has checked it. kExhausted: no address space.
  static Result<std::unique_ptr<Table>> make(std::uint8_t id, const Config& config, Port& port, Epoch& epoch,
                                             std::uint32_t first_generation = 1);
  // The first generation that no handle of this table has: where a table that takes its place begins.
  [[nodiscard]] std::uint32_t next_generation();
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] std::uint8_t id() const { return id_; }

  // --- entities (entity.cpp, sweep.cpp)

  Result<Handle> register_entity(Registration registration);
  // Returns when decision 6 of the contract holds. Called inside an own callback or method: it does not wait for that
  // one.
  Result<void> deregister_entity(Handle self);
  // visit(handle, info) for each live entity; those whose `visit` answers true are referenced for the caller.
  Result<void> for_each_entity(Handle self,
                               const std::function<bool(std::size_t total, Handle, const EntityInfo&)>& visit);
  Result<EntityInfo> entity_info(Handle self, Handle entity);
  Result<void> release_entities(Handle self, std::span<const Handle> entities);
  [[nodiscard]] bool has_clients() const;

  // Whether that is the handle of a client that may call; and whether a handle names a living object of that kind.
  [[nodiscard]] bool is_client(Handle self);
  [[nodiscard]] bool is_alive(Kind kind, Handle handle);

  // --- methods (method.cpp)

  Result<std::vector<AnyFunction>> entity_methods(Handle self, Handle entity);
  // Waits while the target's methods are blocked; then the caller may run them, until leave_methods.
  Result<std::span<const AnyFunction>> enter_methods(Handle self, Handle target);
  void leave_methods(Handle target);
  // Blocking returns when no other thread is in one of the caller's methods.
  Result<void> block_methods(Handle self, bool block);
  // Whether this thread is in one of the client's methods.
  bool runs_own_method(Handle self);

  // --- events (event.cpp)

  // Runs the client's callback for one event after another until none is left. At most one thread does at a time.
  void deliver(ClientIndex client);
  // The event type whose callback this thread is in, the innermost one.
  static std::optional<EventType> current_event();

  // --- destinations (search.cpp, info.cpp)

  // Each fills a DestImage that has room for the views asked for, and references what it names.
  Result<void> dest_info(Handle self, Handle dest, std::uint32_t protocol, ViewSet views, DestImage& out);
  Result<void> exact_destination(Handle self, const NetAddress& address, std::uint32_t protocol, ViewSet views,
                                 DestImage& out);
  Result<void> most_specific_destination(Handle self, const NetAddress& address, std::uint32_t protocol, ViewSet views,
                                         DestImage& out);
  Result<void> less_specific_destination(Handle self, Handle dest, std::uint32_t protocol, ViewSet views,
                                         DestImage& out);
  // Of `count` records one behind the other, each as long as it says.
  Result<void> release_dest_infos(Handle self, std::uint32_t count, const std::byte* infos);
  Result<void> hold_destination(Handle self, Handle dest, ViewSet views, std::uint32_t milliseconds);
  // The address of the caller's slot.
  Result<void**> opaque_slot(Handle self, Handle dest);
  // How many views a record filled for that set has.
  [[nodiscard]] unsigned views_in(ViewSet views) const;
  [[nodiscard]] bool supports(ViewSet views) const { return views == kAllViews || (views & ~config_.views) == 0; }
  // For the forwarder: the best unicast route is, or is not, in the kernel.
  Result<void> set_installed(Handle self, Handle dest, bool installed);

  // --- for whoever follows the whole table, as a forwarder does (forwarding.cpp)

  // While one lives, calls of its thread do not wait for object locks: where they would, they answer kBusy and have
  // done nothing.
  class NeverWaits {
   public:
    NeverWaits();
    NeverWaits(const NeverWaits&) = delete;
    NeverWaits& operator=(const NeverWaits&) = delete;
    ~NeverWaits();
  };
  // A reader goes on until this gives fewer than it asked for.
  // Up to `most` that have changed, each with a reference for the caller, and nothing about them. Says how many.
  Result<std::size_t> changed_handles(Handle self, Handle registration, std::size_t most, std::vector<Handle>& out);
  // Neither takes nor gives references; the handles are good as long as the route does not change. kBusy: only
  // `destination` is filled.
  Result<void> forwarding(Handle self, Handle dest, Forwarding& out);
  // It will be read soon: its memory is asked for now. Any number will do.
  void expect_forwarding(std::uint32_t dest_index) const;
  // The handle of the destination with just that prefix; no reference: the caller holds one.
  Result<Handle> find_destination(Handle self, const NetAddress& address);
  // Of many, but for those that wait in the registration: what is in the kernel is no longer their best route.
  Result<void> set_installed(Handle self, Handle registration, std::span<const Handle> dests, bool installed);
  // One reference on each.
  Result<void> release_destinations(Handle self, std::span<const Handle> dests);

  // --- routes (route.cpp, in_place.cpp)

  // `route`: which one to update; kNone: identified by value. `reference`: count the returned handle for the caller.
  Result<AddedRoute> add_route(Handle self, Handle route, const NetAddress& address, const RouteRequest& request,
                               bool reference);
  // change::kBest or 0.
  Result<std::uint32_t> delete_route(Handle self, Handle route);
  // Either may be null. `out` has room for config().max_next_hops.
  Result<void> route_info(Handle self, Handle route, RouteImage* out, NetAddress* address);
  Result<void> release_route_info(Handle self, const RouteImage& info);
  Result<void> release_routes(Handle self, std::span<const Handle> routes);
  Result<RouteImage*> route_pointer(Handle self, Handle route);
  // The image, if `pointer`; else null.
  Result<RouteImage*> lock_route(Handle self, Handle route, bool exclusive, bool pointer);
  Result<void> unlock_route(Handle self, Handle route, bool exclusive);
  Result<std::uint32_t> update_and_unlock_route(Handle self, Handle route, std::uint32_t time_to_live, Handle list);
  // `out` may be null; `reference`: count the returned handle.
  Result<Handle> exact_route(Handle self, const NetAddress& address, const RouteCriteria& criteria, ViewSet views,
                             RouteImage* out, bool reference);
  Result<ViewSet> best_in_views(Handle self, Handle route);

  // --- what an administrator prefers (policy.cpp)

  // From now on; protocols that are not named have config().default_preference.
  void set_preferences(Preferences preferences);
  // Routes that came without a preference before get what their owner's protocol has now.
  void apply_preferences();

  // --- next hops (next_hop.cpp)

  // The handle, and whether it is new.
  Result<std::pair<Handle, bool>> add_next_hop(Handle self, Handle next_hop, const NextHopRequest& request,
                                               bool reference);
  Result<std::pair<Handle, NextHopImage*>> find_next_hop(Handle self, const NetAddress& address,
                                                         std::uint32_t interface_index, bool reference, bool pointer);
  Result<void> delete_next_hop(Handle self, Handle next_hop);
  Result<void> delete_next_hop(Handle self, const NetAddress& address, std::uint32_t interface_index);
  Result<void> next_hop_info(Handle self, Handle next_hop, NextHopImage& out);
  Result<void> release_next_hop_info(Handle self, const NextHopImage& info);
  Result<void> release_next_hops(Handle self, std::span<const Handle> next_hops);
  Result<NextHopImage*> next_hop_pointer(Handle self, Handle next_hop);
  Result<NextHopImage*> lock_next_hop(Handle self, Handle next_hop, bool exclusive, bool pointer);
  Result<void> unlock_next_hop(Handle self, Handle next_hop, bool exclusive);

  // --- enumerations and lists (enumerate.cpp, list.cpp)

  Result<Handle> create_dest_enum(Handle self, ViewSet views, std::uint32_t flags, const NetAddress* address,
                                  std::uint32_t protocol);
  // Fills records at the stride of the enumeration's views; says how many. kNoMoreItems: none is left.
  Result<std::uint32_t> next_dests(Handle self, Handle enumeration, std::uint32_t capacity, std::byte* out);
  Result<Handle> create_route_enum(Handle self, Handle dest, ViewSet views, std::uint32_t flags,
                                   const NetAddress* address, const RouteCriteria& criteria);
  Result<std::uint32_t> next_routes(Handle self, Handle enumeration, std::span<Handle> out);
  Result<Handle> create_next_hop_enum(Handle self, std::uint32_t flags, const NetAddress* address);
  Result<std::uint32_t> next_next_hops(Handle self, Handle enumeration, std::span<Handle> out);
  Result<Handle> create_list(Handle self);
  Result<void> delete_list(Handle self, Handle list);
  // `list` may be kNone: out of any list. All or nothing.
  Result<void> insert_in_list(Handle self, Handle list, std::span<const Handle> routes);
  Result<Handle> create_list_enum(Handle self, Handle list);
  Result<std::uint32_t> next_list_routes(Handle self, Handle enumeration, std::span<Handle> out);
  Result<void> delete_enum(Handle self, Handle enumeration);

  // --- change notification (notify.cpp)

  Result<Handle> register_for_changes(Handle self, ViewSet views, std::uint32_t flags, void* context);
  Result<void> deregister_from_changes(Handle self, Handle registration);
  Result<std::uint32_t> changed_dests(Handle self, Handle registration, std::uint32_t capacity, std::byte* out);
  Result<void> release_changed_dests(Handle self, Handle registration, std::uint32_t count, const std::byte* infos);
  Result<void> ignore_changed_dests(Handle self, Handle registration, std::span<const Handle> dests);
  Result<bool> change_status(Handle self, Handle registration, Handle dest);
  Result<void> mark_for_changes(Handle self, Handle registration, Handle dest, bool mark);
  Result<bool> is_marked_for_changes(Handle self, Handle registration, Handle dest);

  // Raises and lowers what the client polls. `make` is asked the first time; later calls answer the token that it gave
  // then.
  Result<int> change_signal(Handle self, Handle registration, const std::function<ChangeSignal()>& make);

  // --- many at once (bulk.cpp, match.cpp)

  // outcomes[i] is what happened to element i. An error: the caller is no client (any more), and what has no outcome
  // was not done.
  Result<void> add_routes(Handle self, std::span<const BulkRoute> routes, bool reference,
                          std::span<Result<AddedRoute>> outcomes);
  Result<void> delete_routes(Handle self, std::span<const Handle> routes, std::span<Result<std::uint32_t>> outcomes);
  Result<void> delete_routes_to(Handle self, std::span<const NetAddress> destinations,
                                std::span<Result<std::uint32_t>> outcomes);
  // Longest matches of out.size() addresses of 4 or 16 bytes in network order, in one view or any. No references.
  Result<void> match_destinations(Handle self, ViewSet views, const std::byte* addresses, std::span<Handle> out);
  Result<void> match_routes(Handle self, ViewSet views, const std::byte* addresses, std::span<Match> out);
  // Of one destination in one view; no references, and no waiting for who has locked it. kNotFound: no best route
  // there, or one without a next hop.
  Result<FirstHop> first_hop(Handle self, Handle destination, ViewSet view);

  // --- what it was (snapshot.cpp)

  Result<Snapshot> snapshot(Handle self);
  // The last so many changes from now on; 0: none.
  static constexpr std::size_t kMaxJournal = std::size_t{1} << 20;
  Result<void> keep_journal(Handle self, std::size_t capacity);
  // Those with a higher number, the oldest first; how many. kNotFound: there is no journal.
  Result<std::size_t> read_journal(Handle self, std::uint64_t after, std::span<JournalEntry> out);

  // --- object locks and references (lock.cpp, store.cpp)

  Result<void> lock_destination(Handle self, Handle dest, bool exclusive);
  Result<void> unlock_destination(Handle self, Handle dest, bool exclusive);
  // One more of each, all or nothing.
  Result<void> reference_handles(Handle self, std::span<const Handle> handles);

  // --- time (expiry.cpp)

  // When run_deadlines has something to do: a time of the port's clock; nothing: never.
  std::optional<std::uint64_t> next_deadline();
  // At most so many of what is due, in the order of their times; says how many.
  std::size_t run_deadlines(std::size_t most = std::numeric_limits<std::size_t>::max());

  // --- RTMv1's clients and readers

  [[nodiscard]] V1& v1() { return v1_; }

  // --- what there is (store.cpp)

  [[nodiscard]] Statistics statistics();
  Result<EntityStatistics> entity_statistics(Handle self, Handle about);
  // Objects of a kind that exist, references that clients hold on them, and what clients left behind so far.
  [[nodiscard]] std::uint64_t object_count(Kind kind);
  [[nodiscard]] std::uint64_t reference_count(Kind kind);
  [[nodiscard]] std::uint64_t leak_count(Kind kind);

 private:
  friend class V1;
  using Lock = std::unique_lock<TableMutex>;

  // What a call has to wait for before it can be tried again.
  struct Blocked {
    enum class On : std::uint8_t { kNothing, kReading, kWriting, kMethods } on = On::kNothing;
    Kind kind = Kind::kNone;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    explicit operator bool() const { return on != On::kNothing; }
  };

  Table(std::uint8_t id, const Config& config, Port& port, Epoch& epoch, std::uint32_t first_generation,
        Slab destinations, Slab routes, Slab next_hops, Slab extras);

  // --- who calls (entity.cpp)
  [[nodiscard]] Entity* entity_at(ClientIndex index) const { return entities_[index].load(std::memory_order_acquire); }
  [[nodiscard]] Entity* find_entity(Handle handle) const;   // in any state
  [[nodiscard]] Entity* find_caller(Handle handle) const {  // live
    Entity* entity = find_entity(with_kind(Kind::kEntity, handle));
    return entity != nullptr && entity->caller == handle &&
                   entity->state.load(std::memory_order_acquire) == Entity::State::kLive
               ? entity
               : nullptr;
  }
  // Runs run(caller, blocked) as often as it finds itself blocked, waiting in between; never while Reading.
  template <class Run>
  auto attempt(Handle self, Run&& run) -> decltype(run(std::declval<Entity&>(), std::declval<Blocked&>()));
  // The same under the table's lock, for what makes or frees records; then the upkeep.
  template <class Run>
  auto attempt_change(Handle self, Run&& run) -> decltype(run(std::declval<Entity&>(), std::declval<Blocked&>()));
  void wait_until_free(Handle self, const Blocked& blocked);
  bool is_blocked(const Blocked& blocked) const;
  void collect_entity(Entity& entity);
  void unpin(Entity& entity, std::uint64_t count = 1);

  // --- sweeping (sweep.cpp)
  void stop_calls_and_callbacks(Entity& entity);
  void sweep(Entity& entity);
  template <class T, class F>
  std::uint64_t sweep_roster(const Roster<T>& roster, const Entity& entity, F&& remove);
  void sweep_objects(const Entity& entity);
  void sweep_routes(Entity& entity);
  void sweep_next_hops(Entity& entity);
  void sweep_references(Entity& entity, Kind kind);
  void sweep_entity_references(Entity& entity);
  void sweep_opaque_slots(Entity& entity);
  void report_forgotten(const Entity& entity, Kind kind, std::uint64_t count);
  // Runs step(enough) again and again, each time under the lock, until it answers false. It stops when enough() says
  // so.
  template <class Step>
  void in_steps(Step&& step);

  // --- records (store.cpp)
  [[nodiscard]] Destination& destination(std::uint32_t index) const {
    return *reinterpret_cast<Destination*>(destinations_.at(index));
  }
  [[nodiscard]] Route& route(std::uint32_t index) const { return *reinterpret_cast<Route*>(routes_.at(index)); }
  [[nodiscard]] NextHop& next_hop(std::uint32_t index) const {
    return *reinterpret_cast<NextHop*>(next_hops_.at(index));
  }
  [[nodiscard]] RouteExtra& extra(std::uint32_t index) const {
    return *reinterpret_cast<RouteExtra*>(extras_.at(index));
  }
  [[nodiscard]] Shared<std::uint32_t>& best(const Destination& dest, unsigned view_rank) const;
  [[nodiscard]] unsigned rank_of_view(unsigned view) const {
    return count_ones(config_.views & ((ViewSet{1} << view) - 1));
  }
  [[nodiscard]] Key key_of(std::uint32_t dest) const { return keys_[dest]; }
  template <class F>
  void for_each_view(ViewSet views, F&& visit) const;
  [[nodiscard]] Handle handle_of(Kind kind, std::uint32_t index, const ReferenceWord& word) const {
    return make_handle(kind, id_, word.generation(), index);
  }
  [[nodiscard]] Handle dest_handle(std::uint32_t i) const {
    return handle_of(Kind::kDestination, i, destination(i).references);
  }
  [[nodiscard]] Handle route_handle(std::uint32_t i) const { return handle_of(Kind::kRoute, i, route(i).references); }
  [[nodiscard]] Handle next_hop_handle(std::uint32_t i) const {
    return i == 0 ? Handle::kNone : handle_of(Kind::kNextHop, i, next_hop(i).references);
  }
  // The index of a living object; 0 for a bad handle.
  [[nodiscard]] std::uint32_t find(Kind kind, Handle handle) const;
  [[nodiscard]] ReferenceWord* word_of(Kind kind, std::uint32_t index) const;
  [[nodiscard]] const Slab* slab_of(Kind kind) const;  // null: that kind has no slab
  [[nodiscard]] const Slab& own_slab_of(Kind kind) const;
  [[nodiscard]] Result<Key> key_from(const NetAddress& address) const;
  [[nodiscard]] static Key key_of_bits(const NetAddress& address, unsigned bits);
  void write_address(const Key& key, NetAddress& out) const;

  std::uint32_t make_destination(const Key& key) noexcept;
  void pin(Destination& dest);
  void unpin(std::uint32_t dest, std::uint32_t count = 1);
  void free_destination(std::uint32_t index);
  bool has_slot_values(const Destination& dest) const;
  // What memory wants of whoever has just let go of the lock: pages for what comes, an end for what has gone. It may
  // take milliseconds.
  struct Upkeep {
    Region* low = nullptr;
    bool has_bags = false;
  };
  [[nodiscard]] Upkeep take_upkeep();
  void keep_up(const Upkeep& wanted);
  DestinationExtra* extra_of(Destination& dest);
  RouteExtra* extra_of(Route& route);
  void free_route(std::uint32_t index);
  void free_next_hop(std::uint32_t index);
  void use(std::uint32_t next_hop);
  void unuse(std::uint32_t next_hop);
  void retire_record(Slab& slab, std::uint32_t index, ReferenceWord& word);
  bool take(Entity& client, Kind kind, std::uint32_t index);
  References::Dropped count_down(Entity& client, Kind kind, Handle handle);
  bool drop(Entity& client, Kind kind, Handle handle);
  bool drop_under_lock(Entity& client, Kind kind, Handle handle);
  void collect(Kind kind, std::uint32_t index, std::uint32_t generation);
  Result<void> release_all(Handle self, Kind kind, std::span<const Handle> handles);

  // --- hops
  template <class F>
  static void for_each_hop(std::uint64_t hops, F&& visit);
  static bool same_hops(std::uint64_t a, std::uint64_t b);
  static bool has_hop(std::uint64_t hops, std::uint32_t hop);
  void retire_hops(std::uint64_t hops);
  Result<std::uint64_t> make_hops(std::span<const std::uint32_t> hops);

  // --- reading (info.cpp, search.cpp)
  enum class Filled : std::uint8_t { kYes, kGone, kBlocked, kOwnLock, kNoMemory };
  Filled fill(Entity& client, std::uint32_t dest, std::uint32_t protocol, ViewSet views, DestImage& out,
              Blocked& blocked, bool is_taken = false);
  bool fill_views(Entity& client, const Destination& dest, std::uint32_t protocol, ViewSet views, DestImage& out);
  bool fill_view(Entity& client, const Destination& dest, unsigned view, unsigned rank, std::uint32_t protocol,
                 std::uint32_t common_flags, ViewImage& out);
  bool drop_view(Entity& client, const ViewImage& view);
  void drop_views(Entity& client, const DestImage& info);
  bool drop_dest(Entity& client, const DestImage& info);
  static Result<void> filled(Filled how);
  template <class Read, class Undo>
  bool consistently(const Destination& dest, Read&& read, Undo&& undo);
  bool is_of_protocol(const Route& route, std::uint32_t protocol) const;
  std::uint32_t dest_flags(const Destination& dest, unsigned view, std::uint32_t best_route) const;
  bool read_route(Entity& client, std::uint32_t index, RouteImage& out);
  bool take_image(Entity& client, const RouteImage& image);
  bool drop_image(Entity& client, const RouteImage& image);
  void write_image(std::uint32_t index, RouteImage& out) const;
  void write_image(std::uint32_t index, NextHopImage& out) const;
  void prefetch(std::uint32_t dest) const;
  bool is_in(const Destination& dest, ViewSet views) const;
  template <class Find>
  Result<void> search(Handle self, std::uint32_t protocol, ViewSet views, DestImage& out, Find&& find);
  bool matches(const Route& route, const RouteCriteria& criteria, ViewSet views) const;
  std::uint32_t first_match(const Destination& dest, const RouteCriteria& criteria, ViewSet views) const;
  bool is_best_in(const Destination& dest, std::uint32_t route, ViewSet views) const;
  Result<void> check_criteria(const RouteCriteria& criteria) const;

  // --- many at once (bulk.cpp, match.cpp, snapshot.cpp)
  struct Index;
  struct SnapshotWalk;
  template <class T, class One>
  Result<void> in_one_hold(Handle self, std::span<Result<T>> outcomes, One&& one);
  Result<std::uint32_t> delete_own_under_lock(Entity& client, const NetAddress& address, Blocked& blocked);
  std::unique_ptr<Index> make_index();
  void forget_index();
  void describe_index(Statistics& all);
  void consider_index(std::size_t count);
  void match_batch(const std::byte* addresses, ViewSet views, std::span<std::uint32_t> dests) const;
  Result<void> check_match(ViewSet views) const;
  template <class Prepare, class Show>
  Result<void> match_all(Handle self, ViewSet views, const std::byte* addresses, std::size_t count, Prepare&& prepare,
                         Show&& show);
  void write_match(std::uint32_t index, unsigned rank, Match& out);
  void copy_routes(std::uint32_t dest, Snapshot& out) const;
  void save_for_snapshots(std::uint32_t dest) noexcept;
  void walk_on(SnapshotWalk& state, const std::function<bool()>& enough);
  void note_in_journal(JournalEntry::What what, std::uint32_t index, std::uint32_t was_best) noexcept;

  // --- next hops (next_hop.cpp)
  Result<NextHopKey> next_hop_key(const NetAddress& address, std::uint32_t interface_index) const;
  [[nodiscard]] bool is_of_other_family(const NetAddress& address) const;
  Result<std::uint32_t> own_next_hop(const Entity& client, Handle handle) const;
  Result<std::uint32_t> check_remote(std::uint16_t flags, Handle remote) const;
  std::uint32_t make_next_hop(Entity& owner, const NextHopKey& key, const NetAddress& address);
  void store_next_hop(std::uint32_t index, std::uint16_t flags, void* entity_specific, std::uint32_t remote);
  void remove_next_hop(std::uint32_t index);

  // --- preferences (policy.cpp)
  [[nodiscard]] std::uint32_t policy_of(const Entity& owner) const;
  void follow_policy(std::uint32_t index);

  // --- writing (route.cpp, rank.cpp)
  struct Values {  // of a route, checked: what add and update store
    std::uint64_t hops = 0;
    void* entity_specific = nullptr;
    Preference preference;
    ViewSet views = 0;
    std::uint32_t neighbour = 0;
    std::uint32_t time_to_live = kInfinite;
    std::uint32_t list = 0;
    std::uint16_t flags = 0;
    std::uint8_t flags1 = 0;
    bool by_policy = false;
  };
  using BestRoutes = std::array<std::uint32_t, kMaxViews>;  // by rank of view
  Result<Values> check_values(const Entity& owner, const RouteRequest& request, std::uint32_t updated);
  Result<std::uint32_t> check_hop(const Entity& owner, Handle handle, std::uint32_t updated) const;
  std::uint32_t find_route(const Destination& dest, const Entity& owner, std::uint32_t neighbour,
                           std::uint32_t flags) const;
  Result<AddedRoute> add_under_lock(Entity& client, Handle handle, const NetAddress& address,
                                    const RouteRequest& request, bool reference, Blocked& blocked);
  Result<std::uint32_t> delete_under_lock(Entity& client, Handle handle, Blocked& blocked);
  Result<AddedRoute> put_route(Entity& client, const Key& key, std::uint32_t dest, std::uint32_t updated,
                               const Values& values, bool reference);
  std::uint32_t new_route(Entity& owner, const Values& values);
  std::uint32_t new_destination(const Key& key);
  void abandon_route(std::uint32_t index, const Values& values);
  std::uint32_t insert_route(Entity& owner, std::uint32_t dest, std::uint32_t index, const Values& values);
  std::uint32_t update_route(std::uint32_t index, const Values& values);
  bool prepare(Route& route, const Values& values);
  std::uint32_t store_values(std::uint32_t index, const Values& values);
  void link(Destination& dest, std::uint32_t index);
  void unlink(Destination& dest, std::uint32_t index);
  void begin_change(Destination& dest, BestRoutes& before);
  // Chooses the best routes anew, ends the change, and queues it for those who asked. `affected`: the views of the
  // route before or after; `stayed`: before and after; `types`: what it counts as where it was and is the best.
  // change::kBest if it was or is a best one.
  std::uint32_t end_change(std::uint32_t dest, const BestRoutes& before, std::uint32_t route, ViewSet affected,
                           ViewSet stayed, std::uint32_t types);
  void choose_best(Destination& dest);
  void touch(Destination& dest);
  enum class Why : std::uint8_t { kDeleted, kExpired, kSwept };
  static JournalEntry::What what_of(Why why);
  std::uint32_t remove_route(std::uint32_t index, Why why);
  ViewSet views_of_none_but(const Destination& dest, std::uint32_t route) const;
  void set_timer(std::uint32_t route, std::uint32_t time_to_live);
  void set_deadline(const Deadlines::Entry& entry);
  void refresh_image(std::uint32_t route);
  RouteImage* image_of(std::uint32_t route);
  NextHopImage* next_hop_image_of(std::uint32_t hop);

  // --- hold-down (hold.cpp)
  bool start_hold(Destination& dest, std::uint32_t route, ViewSet last_in);
  void set_hold_timer(std::uint32_t dest);
  void end_hold(std::uint32_t dest, ViewSet views);
  ViewSet views_held_in(std::uint32_t route) const;

  // --- notification (notify.cpp)
  void note_change(std::uint32_t dest, ViewSet all, ViewSet best, ViewSet forwarding);
  void queue_change(ChangeRegistration& registration, std::uint32_t index, std::uint32_t dest);
  ChangeRegistration* find_registration(const Entity& client, Handle handle) const;
  void schedule_event(ChangeRegistration& registration, std::uint32_t index);
  void drain(ChangeRegistration& gone);
  void reawaken(std::uint32_t dest);
  void take_changes(Entity& client, ChangeRegistration& registration, std::uint32_t capacity,
                    std::vector<std::uint32_t>& taken);
  void give_back_change(Entity& client, Handle registration, std::uint32_t dest);
  template <class Act>
  auto with_change(Handle self, Handle registration, Handle dest, Act&& act)
      -> Result<decltype(act(std::declval<ChangeRegistration&>(), 0U))>;
  void unwait(ChangeRegistration& registration, std::uint32_t dest);

  // --- events (event.cpp)
  bool queue_event(Entity& receiver, Entity::Queued event);
  void announce_to_others(EventType type, Entity& about);
  void discard_events(Entity& receiver);
  static bool only_this_thread_runs(const Entity& entity);
  std::uint32_t call(Entity& receiver, const Event& event, Lock& lock);
  void watch(Entity& receiver, std::uint64_t at);
  std::uint64_t overdue(Entity& receiver, std::uint64_t now);
  void run_event(Entity& receiver, const Entity::Queued& queued, Lock& lock);
  void run_expiry(Entity& receiver, const Entity::Queued& queued, Lock& lock);

  // --- object locks (lock.cpp)
  // May the calling thread read (or change) it? kBusy: `blocked` says what to wait for, and the answer of the call does
  // not count. kInvalidArgument: it holds a lock itself that stands in the way.
  Result<void> access(Kind kind, std::uint32_t index, bool writing, Blocked& blocked);
  Result<void> access_under_lock(Kind kind, std::uint32_t index, bool writing, Blocked& blocked) const;
  Shared<std::uint16_t>& marks_of(Kind kind, std::uint32_t index) const;
  Result<void> acquire(Entity& client, Kind kind, std::uint32_t index, bool exclusive, std::uint32_t via,
                       Blocked& blocked);
  Result<void> unlock(Entity& client, Kind kind, std::uint32_t index, bool exclusive, std::uint32_t via);
  bool owe_to_locked_route(Entity& client, std::uint32_t hop);
  void after_unlock(Kind kind, std::uint32_t index);
  void release_locks_of(const Entity& client);
  void release_locks_in(std::size_t bucket, const Entity& client);
  Result<std::uint32_t> own_route(const Entity& client, Handle handle) const;
  std::vector<std::uint32_t> named_by(std::uint32_t route) const;
  Result<std::uint32_t> commit(Entity& client, std::uint32_t route, const Values& values, ObjectLock::Holder& mine);
  ObjectLock::Holder* holder(const Entity& client, Kind kind, std::uint32_t index, bool exclusive, std::uint32_t via);

  // --- lists and enumerations (list.cpp, enumerate.cpp)
  RouteList* find_list(const Entity& client, Handle handle) const;
  void move_to_list(std::uint32_t route, std::uint32_t list);
  void leave_list(std::uint32_t route);
  void pass_by(RouteList& list, std::uint32_t route);
  void empty_list(std::uint32_t list);
  Enumeration* find_enumeration(const Entity& client, Handle handle, std::uint8_t of) const;
  Result<Handle> add_enumeration(std::unique_ptr<Enumeration> made);
  template <class F>
  static void for_each_named(const Enumeration& enumeration, F&& visit);
  Result<void> set_range(Enumeration& cursor, std::uint32_t flags, const NetAddress* address) const;
  bool wants(const Entity& client, const Enumeration& cursor, const Destination& dest) const;
  std::uint32_t fetch_dests(Entity& client, Enumeration& cursor, std::uint32_t capacity, std::byte* out,
                            Blocked& blocked, Result<void>& trouble);
  void list_routes_of(const Entity& client, Enumeration& cursor, std::uint32_t dest);
  bool go_to_next_dest(const Entity& client, Enumeration& cursor, Blocked& blocked, Result<void>& trouble);
  std::unordered_set<std::uint64_t> forget_enumeration(std::uint32_t index);

  const std::uint8_t id_;
  const std::uint32_t first_generation_;
  const Config config_;
  Port& port_;
  Epoch& epoch_;  // whose readers may look at the records; shared by the process's tables

  Limbo limbo_;  // first: what follows may retire into it to the end
  Slab destinations_;
  Slab routes_;
  Slab next_hops_;
  Slab extras_;
  KeyArray keys_;
  Trie trie_;
  References references_;
  std::unique_ptr<std::atomic<Entity*>[]> entities_;
  std::vector<std::uint32_t> entity_generations_;

  mutable TableMutex mutex_;
  std::condition_variable_any woken_;  // an object lock, a callback, a method or a call has ended
  std::size_t entity_count_ = 0;       // tombstones too
  std::size_t live_entities_ = 0;      // until they have been swept
  std::uint32_t opaque_taken_ = 0;
  std::uint32_t next_sequence_ = 1;
  std::uint64_t next_list_sequence_ = 1;
  std::uint64_t live_routes_ = 0;
  Preferences preferences_;  // of the owner's protocol, for routes that come without one
  Deadlines deadlines_;
  std::size_t destination_extras_ = 0;
  std::uint64_t announced_deadline_ = ~std::uint64_t{0};
  Roster<Enumeration> enumerations_;
  Roster<RouteList> lists_;
  Roster<ChangeRegistration> registrations_;
  V1 v1_;
  std::unordered_map<std::uint64_t, ObjectLock> locks_;
  std::array<std::uint64_t, kKinds> leaks_{};
  std::uint64_t callback_throws_ = 0;
  std::vector<SnapshotWalk*> walks_;   // snapshots in the making
  std::vector<JournalEntry> journal_;  // a ring; empty: none is kept
  std::uint64_t journaled_ = 0;        // the last number
  std::uint64_t journal_begins_ = 1;
  std::uint64_t steps_ = 0;
  std::uint64_t longest_step_ns_ = 0;
  std::uint64_t longest_step_busy_ns_ = 0;

  std::mutex index_mutex_;  // who makes one
  std::atomic<Index*> index_{nullptr};
  std::atomic<std::uint64_t> appearances_{0};   // of destinations, ever; changes under the lock
  std::atomic<std::uint64_t> slow_matches_{0};  // since there was no right index
  std::atomic<std::uint64_t> index_builds_{0};
};

// A number for each thread that no other thread ever had.
std::uint64_t this_thread_number() noexcept;

}  // namespace turnpike::rtm
