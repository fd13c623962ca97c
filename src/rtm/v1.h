// V1: a table as RTMv1 knows it. The engine behind the C face of rtm.h, beside Table's own operations.
//
// ## One world
//
// There is one set of routes. An RTMv1 client is an entity with kV1Instance for its instance id and a handle of a kind
// of its own: RTMv2's functions refuse it as a caller, RTMv1's refuse an entity's, so neither pulls the ground from
// under the other. What it adds is a route like any other, in all views, of a next hop that the table makes with the
// first route that needs it and removes after the last. What it reads is the unicast view, RTMv2's routes included:
//
//   RTMv1                         RTMv2
//   RR_Network                    destination
//   RR_RoutingProtocol            protocol of the owner
//   RR_InterfaceID, next hop      the next hop that is also the neighbour (so it is part of the identity); of a route
//   of
//                                 RTMv2: the first of its next hops; none: 0
//   FSD_Priority, FSD_Metric      preference, metric
//   FSD_Flags, IP_VALID_ROUTE     not INACTIVE; a route of RTMv2 is valid without INACTIVE and MARTIAN
//   FSD_Type 3 and 4              the flags LOCAL and REMOTE; of RTMv2: 3 with LOCAL or without next hop, else 4
//   IsRouteNonUnicast, loopback,  MCAST, LOOPBACK, MYSELF: what no forwarder writes
//     PROTO_IP_LOCAL
//   RR_TimeStamp                  a route of RTMv2: the destination's last change
//   FSD_Metric1                   a route of RTMv2: its metric, the others -1: not used
//   the rest                      kept beside the route (V1Details), by number in its EntitySpecificInfo; else 0
//
// ## Changes
//
// Every change of a destination is bracketed (rank.cpp). Here the bracket notes what the best unicast route looked like
// before and after; if the two differ in what RTMv1 calls significant, every client with an event gets a message, but
// for the one that made the change by its own RtmAddRoute or RtmDeleteRoute: it has the same as its answer. Where
// nobody listens the bracket costs one test.
//
// A client's call makes sure of all memory before it changes anything, that of others' messages too. What the table
// does on its own (ageing, departures) and what RTMv2's clients do must not fail for a listener's sake: there a message
// for which there is no memory is lost, counted, and told to the log.
//
// ## Locks
//
// All of it is under the table's lock, reads too: RTMv1's calls are few. Object locks hold RTMv1's writers up like
// others; its readers see what was last stored. A reader that finds nothing for long lets others in after 1,024
// networks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "rtm/entity.h"
#include "rtm/key.h"
#include "rtm/roster.h"
#include "rtm/slab.h"
#include "rtm/v1_messages.h"
#include "rtm/v1_route.h"

namespace turnpike::rtm {

class Table;
struct Destination;
struct Route;

inline constexpr std::uint32_t kV1Instance = 0xffffffff;

// A place in the order of networks, and the routes of the network that it stands on.
struct V1Cursor {
  std::uint32_t flags = 0;  // v1::k…
  V1Route criteria;
  Key next;
  bool ended = false;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> coming;  // index and generation; the last is the next
};

class V1 {
 public:
  V1(Table& table, std::uint8_t id, std::uint32_t first_generation)
      : table_(table), cursors_(Kind::kV1Enumeration, id, first_generation) {}

  // --- clients (v1.cpp). `self` is the handle that register_client returned.

  // signal(true) sets the client's event, signal(false) resets it, under the table's lock; empty: the client wants no
  // messages. kAlreadyExists: the protocol has a client.
  Result<Handle> register_client(std::uint32_t protocol, bool single_route, std::function<void(bool)> signal);
  // kInvalidArgument: a bad network.
  Result<void> add_route(Handle self, const V1Route& route, std::uint32_t milliseconds, V1Change& change);
  // kNotFound: none of this client's.
  Result<void> delete_route(Handle self, const V1Route& route, V1Change& change);
  // The client's routes that match. kNotFound: there is none.
  Result<void> delete_routes(Handle self, std::uint32_t flags, const V1Route& criteria);
  // The oldest message; whether more wait. kNoMoreItems: none waits. kInvalidHandle: also a client without event.
  Result<bool> dequeue(Handle self, V1Change& message);

  // --- readers (v1_read.cpp): anybody. kNotFound, kNoMoreItems: there is none (any more).

  Result<void> best_route(const V1Route& network, V1Route& out);
  Result<void> longest_match(std::uint32_t address, V1Route& out);
  [[nodiscard]] std::uint64_t network_count();
  // The first that matches `route`; the first that matches it and comes after it.
  Result<void> first_route(std::uint32_t flags, V1Route& route);
  Result<void> next_route(std::uint32_t flags, V1Route& route);
  Result<Handle> create_enumeration(std::uint32_t flags, const V1Route& criteria);
  Result<void> enumerate(Handle enumeration, V1Route& out);
  Result<void> close_enumeration(Handle enumeration);
  [[nodiscard]] bool is_enumeration(Handle enumeration);

  // --- for the table, under its lock

  // Whether changes are to be noted.
  [[nodiscard]] bool is_watching() const { return is_watching_; }
  void before_change(const Destination& dest) { had_ = describe_best(dest, change_.previous); }
  void after_change(std::uint32_t dest);
  // How many networks have a route came to more, or to less.
  void count_networks(int more) { networks_ += static_cast<std::uint64_t>(static_cast<std::int64_t>(more)); }
  // A client comes; what could fail comes before.
  void expect_client() { listeners_.reserve(listeners_.size() + 1); }
  void welcome(Entity& client);
  // A route of an RTMv1 client is gone: what was kept beside it goes.
  void forget_details(const Route& route);
  // In several steps, without the lock: it is told nothing any more, and what waits for it is dropped.
  void forget_client(Entity& leaver);
  // The same for a client that is there when the table goes: its messages' routes, and no destination.
  void drop_messages(Entity& client);
  [[nodiscard]] std::size_t cursors() const { return cursors_.size(); }
  [[nodiscard]] std::uint32_t highest_generation() const { return cursors_.highest_generation(); }
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  // Of a route of RTMv1, what the table's record has no room for.
  struct Details {
    std::uint64_t stamp;      // FILETIME
    std::uint32_t next_free;  // the slab's, while it is dead
    std::uint32_t hop_mask;
    std::array<std::uint32_t, 4> data;
    std::uint32_t type, policy, next_hop_as, flags;
    std::array<std::uint32_t, 5> metrics;
    std::uint32_t padding;
  };
  class Acting;

  [[nodiscard]] bool is_ipx() const;
  [[nodiscard]] std::optional<Key> key_of(std::uint32_t network, std::uint32_t mask) const;
  [[nodiscard]] Details& details(std::uint32_t index) const { return *reinterpret_cast<Details*>(details_.at(index)); }
  [[nodiscard]] static std::uint32_t details_of(const Route& route);
  [[nodiscard]] static std::uint32_t first_hop(const Route& route);
  std::uint32_t make_details(const V1Route& from);
  void free_details(std::uint32_t index);
  void describe(std::uint32_t route, V1Route& out) const;
  bool describe_best(const Destination& dest, V1Route& out) const;
  [[nodiscard]] bool is_same(const V1Route& a, const V1Route& b) const;
  void update_watching() { is_watching_ = actor_ != nullptr || !listeners_.empty(); }

  [[nodiscard]] NextHopKey next_hop_key(const V1Route& route) const;
  std::uint32_t next_hop_for(Entity& client, const V1Route& route);
  std::uint32_t find_own(const Entity& client, const V1Route& route) const;
  [[nodiscard]] std::uint16_t flags_of(const Entity& client, const V1Route& route) const;
  Result<void> put(Entity& client, const Key& key, std::uint32_t dest, const V1Route& route,
                   std::uint32_t milliseconds);
  std::uint32_t next_own(const Entity& client, std::uint32_t flags, const V1Route& criteria, std::uint32_t& from) const;
  bool reserve_messages();
  void send(std::uint32_t dest);
  void drop(const V1Queue::Message& message);
  [[nodiscard]] bool matches(const Route& route, std::uint32_t flags, const V1Route& criteria) const;

  void list_routes(V1Cursor& cursor, std::uint32_t dest, const V1Route* after) const;
  bool take(V1Cursor& cursor, V1Route& out) const;
  bool go_on(V1Cursor& cursor) const;
  Result<void> find(V1Cursor& cursor, V1Route& out) const;
  template <class Search>
  Result<void> search_in_steps(Search&& search);

  Table& table_;
  Slab details_;
  bool has_details_ = false;
  std::vector<Entity*> listeners_;
  V1Snapshots snapshots_;
  Roster<V1Cursor> cursors_;
  bool is_watching_ = false;
  const Entity* actor_ = nullptr;  // whose RtmAddRoute or RtmDeleteRoute it is that changes something
  bool had_ = false;
  V1Change change_;  // the last one
  std::uint64_t networks_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace turnpike::rtm
