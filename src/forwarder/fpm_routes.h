// FpmRoutes: one routing table's share of what an FPM connection says.
//
// A sender has one route for each destination, whatever its protocol: that is the key. What is said goes into an entry
// and its destination into a queue; `step` brings the table into line, a slice at a time, and comes back to what a
// client has locked. Nothing is taken out to be put back: another path or metric changes the route in place, and a
// route that moves to another protocol's entity is there under the new before it goes under the old.
//
// Paths. Routes that say the same of where to go share a path: the next hop object that they name, or their own hops.
// When an object changes, its paths are worked out anew and their routes go into the queue. A route whose object is not
// known (or knows no way) is in no table until it is.
//
// Lives. With each connection a life begins: what former ones said is stale, and keeps its ways, because a daemon that
// was restarted numbers its objects anew. What is said again is stale no longer, without a write where nothing differs;
// what never is, `sweep` removes.
//
// 56 bytes for each destination and its place in the index; paths are few.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "forwarder/config.h"
#include "forwarder/owners.h"
#include "kernel/objects.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

class FpmRoutes {
 public:
  using HopsOf = std::function<std::vector<kernel::Hop>(std::uint32_t id)>;

  // Both functions and the table outlive it. `gateways_only`: links are the sender's, and mean nothing here.
  FpmRoutes(rtm::Table& table, kernel::Family family, bool gateways_only, HopsOf hops_of, Owners::Told owns,
            const Clock& clock);

  void begin_life();
  // `wanted`: else there is none to this destination any more.
  void say(bool wanted, const kernel::Route& route);
  // These objects changed, or groups that they are in.
  void objects_changed(const std::set<std::uint32_t>& ids);
  void sweep();

  // True: there is more to do at once.
  bool step(std::size_t most);
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const { return locked_at_; }
  void stop();

  struct Counts {
    std::uint64_t routes = 0;  // that were said
    std::uint64_t stale = 0;   // in a former life
    std::uint64_t absent = 0;  // from the table, for want of a way
  };
  [[nodiscard]] Counts counts() const { return counts_; }

 private:
  struct Entry {
    rtm::Handle route = rtm::Handle::kNone;
    std::uint32_t path = 0;
    std::uint32_t metric = 0;
    std::uint8_t protocol_id = 0;
    std::uint8_t owner = 0;  // the protocol id under which `route` stands
    kernel::RouteType type{};
    bool stale : 1 = false;
    bool gone : 1 = false;
    bool queued : 1 = false;
    bool absent : 1 = false;
  };
  using PathKey = std::tuple<std::uint64_t, std::uint32_t, std::vector<OwnedHop>>;  // life, object, own hops
  struct Path {
    PathKey key;
    std::uint32_t protocol_id = 0;
    std::vector<kernel::Hop> hops;
    std::vector<OwnedHop> owned;
    std::vector<rtm::Handle> handles;
    std::uint32_t uses = 0;
    bool changed = false;
  };

  [[nodiscard]] std::vector<kernel::Hop> usable(std::span<const kernel::Hop> hops) const;
  std::uint32_t use_path(std::uint32_t protocol_id, const kernel::Route& route);
  void release_path(std::uint32_t path);
  void work_out(Path& path, std::span<const kernel::Hop> hops);
  void queue(const kernel::Prefix& destination, Entry& entry);
  bool apply(const kernel::Prefix& destination, Entry& entry);  // false: later
  bool put(const kernel::Prefix& destination, Entry& entry);
  bool take_out(std::uint8_t owner, rtm::Handle route);
  void set_stale(Entry& entry, bool stale);
  void set_absent(Entry& entry, bool absent);
  void forget(const kernel::Prefix& destination, Entry& entry);

  const bool gateways_only_;
  const HopsOf hops_of_;
  const Clock& clock_;
  Owners owners_;
  std::uint64_t life_ = 0;
  std::unordered_map<kernel::Prefix, Entry> routes_;
  std::deque<kernel::Prefix> queue_;
  std::vector<kernel::Prefix> locked_;
  std::optional<MonotonicTime> locked_at_;
  std::vector<std::pair<std::uint8_t, rtm::Handle>> left_over_;  // routes of former owners, locked when they should go
  std::vector<Path> paths_;
  std::vector<std::uint32_t> free_paths_;
  std::map<std::pair<std::uint32_t, PathKey>, std::uint32_t> path_index_;  // the protocol id first
  std::vector<OwnedHop> former_;                                           // still named by routes in the queue
  Counts counts_;
};

}  // namespace turnpike::forwarder
