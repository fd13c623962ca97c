// Unicast: one routing table and one kernel table, kept the same.
//
// A client of the routing table that follows every change of a best unicast route, and writes it to the kernel. It has
// no thread and no socket of its own: `step` does a slice of what there is to do, with the writer that it is given, so
// a test with the scripted port is the same each time, and src/runtime drives it from one thread.
//
// ## What is known of a destination
//
// 16 bytes (Entry), in an array by the index of the destination's handle; the handle is held as long as the entry says
// anything, so index and prefix stay its own until the last delete is written. `wanted` and `installed` are targets:
// what a route says but for its prefix (its type, its next hop object, its settings), shared by all that say the same.
//
//   kIdle        neither wanted nor in the kernel
//   kPending     something is to be written
//   kInstalled   as wanted
//   kFailed      the kernel refused it (`error`), or it cannot be resolved; tried again
//   kConflict    somebody else's route has its place: never overwritten, written when that goes
//   kForeign     the best route is one that was imported: the kernel has it from its owner
//   kContested   somebody keeps taking it away: we wait, longer each time
//   kShadowed    as wanted, and of no effect: somebody else's route to the same destination has a lower metric
//
// ## How a change goes
//
//   the table's registration → intake: the destination is dirty, and in the bag (once, however often it changes)
//   → examine: what is wanted now → next hop objects → put → send → settle: what was refused, what is installed,
//   RTM_DEST_FLAG_FWD_ENGIN_ADD
//
// A lone change makes one such round and is in the kernel when `step` returns. Under load the bag fills while the
// kernel works, and a batch is made ready while the kernel has the one before (batches.h). What changes while it is
// under way waits in `deferred_` until it is settled: `installed` says what the kernel has only then. IPv4 routes are
// then taken out of it at random, because the kernel's trie is built fastest so (2.6 s instead of 3.95 s for the
// Internet's table); IPv6 routes in the order of their prefixes, which its tree likes best. The bag holds 4 bytes for
// each destination at most, so memory is bounded by the table and not by the churn.
//
// ## Recursion
//
// A next hop that is REMOTE, or names no interface, is looked up in the same table, again and again up to a depth, and
// no route may lead back to itself. Routes with such a next hop name a movable group (next_hops.h) of their own: when a
// destination changes that covers the address, the group is changed, and no route is written. An IPv6 address that an
// IPv4 route names is looked up in the IPv6 table.
//
// ## Adopting
//
// What a dump finds with our number, and we did not know of, is noted as a target: in the entry of its destination
// (`adopted`), where the table has that already, else by its prefix (`adopted_`). What is wanted as it stands is taken
// over without a write; what is wanted otherwise is replaced; what nobody wants waits for `sweep_adopted`. After a dump
// those in entries are looked at first and in the order of memory, not at random: nearly all of them need no write.
// A later dump may find what no former life left, and this one has given up by mistake (Forwarder::look_for_survivors):
// that is claimed likewise, and what nobody wants of it goes at once.
//
// ## Rejected
//
// The prefix in the entry (18 bytes that the table has already; a held handle is free). A map of dependents for each
// next hop (a scan of a million entries takes 2 ms and is rare). Deleting and adding instead of replacing (packets lost
// in between). Overwriting foreign routes that have our key (the other manager would fight).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "forwarder/backoff.h"
#include "forwarder/batches.h"
#include "forwarder/config.h"
#include "forwarder/next_hops.h"
#include "forwarder/prefix_map.h"
#include "kernel/port.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

class Importer;

class Unicast {
 public:
  // Registers with the table. `wake` is called under the table's lock when there is something to do.
  static Result<std::unique_ptr<Unicast>> start(rtm::Table& table, const TableSettings& settings, std::uint8_t protocol,
                                                NextHops& next_hops, const Clock& clock, std::function<void()> wake);
  ~Unicast();

  // A slice of the work: about `most` routes, in batches; next hops and what is swept go by `writer`. Nothing is under
  // way when it returns. True: there is more. Nothing waits for clients.
  bool step(kernel::Writer& writer, Batches& batches, std::size_t most = kSlice);
  static constexpr std::size_t kSlice = 8192;

  // When `step` has something to do although nobody calls; nothing: never.
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;

  // The owner's routes are the kernel's own: they are never written.
  void add_foreign_owner(rtm::Handle owner) { foreign_owners_.push_back(owner); }
  void remove_foreign_owner(rtm::Handle owner) { std::erase(foreign_owners_, owner); }

  // What the kernel's monitor hears of routes that somebody else wrote.
  void heard(const kernel::Notice& notice, const kernel::Route& route);
  // A next hop object or a link went or came: routes that named what is lost are written anew.
  void next_hops_changed();
  // Whom to ask whether a foreign route goes before ours; without one nothing is known to be shadowed.
  void ask(const Importer& importer) { importer_ = &importer; }
  // Who resolves next hops of the other family than this table's, as long as both live; without one they lead nowhere.
  void resolve_by(Unicast& other_family);
  // Something changed that may help what failed.
  void retry_failed();

  // A dump of what the kernel has: begin (again, where it was disturbed), each route with our number, end; then the
  // difference is written with the next steps. A dump that broke off is begun anew, and has no end.
  void begin_reconcile();
  void seen(const kernel::Route& route);
  void seen_foreign(const kernel::Route& route);  // one with another number
  void end_reconcile();
  // What nobody has claimed goes.
  void sweep_adopted();

  // Ends it: takes all routes out of the kernel, or leaves them as they are, and leaves the table.
  void stop(kernel::Writer& writer, bool remove_routes);

  struct Status {
    std::array<std::uint64_t, kRouteStates> routes{};  // by RouteState
    std::uint64_t adopted = 0;                         // not claimed yet
    std::uint64_t written = 0, removed = 0, refused = 0;
    std::uint64_t repaired = 0;  // of ours that others took away or changed, also found by reconciling
    std::uint64_t kept = 0;      // adopted as they stood
    std::uint64_t moved = 0;     // recursive next hops that lead elsewhere now
    std::uint64_t skipped = 0;   // because a client had locked them
    std::uint64_t reconciled = 0;
    std::size_t waiting = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Status status() const;

  struct Explained {
    RouteState state = RouteState::kIdle;
    int error = 0;
    std::uint32_t next_hop_id = 0;
  };
  // Of a destination of this table; kIdle where nothing is known of it.
  [[nodiscard]] Explained explain(rtm::Handle dest) const;

  [[nodiscard]] rtm::Table& table() const { return table_; }
  [[nodiscard]] Family family() const { return settings_.family; }
  [[nodiscard]] std::uint32_t kernel_table() const { return settings_.kernel_table; }
  // There is something to do at once, perhaps since the other family's step.
  [[nodiscard]] bool has_more() const { return !is_idle() || !survivors_.empty() || (sweeping_ && !adopted_.empty()); }
  // It has asked for a reconciling since, for instance because answers of the kernel were lost.
  [[nodiscard]] bool wants_reconcile() const { return wants_reconcile_; }

 private:
  struct Entry {
    std::uint32_t generation : 20 = 0;
    std::uint32_t state : 3 = 0;
    std::uint32_t held : 1 = 0;
    std::uint32_t dirty : 1 = 0;    // in the bag
    std::uint32_t unseen : 1 = 0;   // by the reconciling that runs
    std::uint32_t adopted : 1 = 0;  // `installed` is of a former life, and nobody has claimed it yet
    std::uint32_t robbed : 1 = 0;   // it went, as was heard: perhaps before we wrote it last
    std::uint32_t sent : 1 = 0;     // under way to the kernel: `installed` is not what it was
    std::uint32_t differs : 1 = 0;  // the kernel has another route of ours: to be written even if it seems the same
    std::uint32_t wanted = 0;
    std::uint32_t installed = 0;
    std::uint16_t error = 0;
    std::uint16_t doubted : 1 = 0;  // robbed, and by what was heard of it alone
  };
  static_assert(sizeof(Entry) == 16);
  // By index, in chunks that are there while one of their entries is held: indices are the table's, and may be high
  // though few destinations are left.
  class Entries {
   public:
    [[nodiscard]] bool holds(std::uint32_t index) const {
      return index / kChunk < chunks_.size() && chunks_[index / kChunk].entries != nullptr && (*this)[index].held != 0;
    }
    // Of one that is held; one that was dropped may be written to until `tidy`.
    Entry& operator[](std::uint32_t index) { return chunks_[index / kChunk].entries[index % kChunk]; }
    const Entry& operator[](std::uint32_t index) const { return chunks_[index / kChunk].entries[index % kChunk]; }
    Entry& hold(std::uint32_t index) {
      if (index / kChunk >= chunks_.size()) chunks_.resize(index / kChunk + 1);
      Chunk& chunk = chunks_[index / kChunk];
      if (chunk.entries == nullptr) chunk.entries = std::make_unique<Entry[]>(kChunk);
      Entry& entry = chunk.entries[index % kChunk];
      chunk.held += entry.held == 0 ? 1 : 0;
      entry = Entry{};
      entry.held = 1;
      return entry;
    }
    void drop(std::uint32_t index) {
      (*this)[index] = Entry{};
      has_empty_ = --chunks_[index / kChunk].held == 0 || has_empty_;
    }
    // For the processor's caches; any number will do.
    void expect(std::uint32_t index) const {
      if (index / kChunk < chunks_.size()) __builtin_prefetch(&chunks_[index / kChunk].entries[index % kChunk], 1);
    }
    void tidy() {
      if (!std::exchange(has_empty_, false)) return;
      for (Chunk& chunk : chunks_) {
        if (chunk.held == 0) chunk.entries.reset();
      }
      while (!chunks_.empty() && chunks_.back().entries == nullptr) chunks_.pop_back();
    }
    template <class Visit>
    void for_each(Visit&& visit) {
      for (std::uint32_t first = 0; first < chunks_.size() * kChunk; first += kChunk) {
        const Chunk& chunk = chunks_[first / kChunk];
        for (std::uint32_t i = 0; chunk.held != 0 && i < kChunk; ++i) {
          if (chunk.entries[i].held != 0) visit(first + i, chunk.entries[i]);
        }
      }
    }
    [[nodiscard]] std::size_t bytes() const {
      const auto is_there = [](const Chunk& chunk) { return chunk.entries != nullptr; };
      return static_cast<std::size_t>(std::ranges::count_if(chunks_, is_there)) * kChunk * sizeof(Entry) +
             chunks_.capacity() * sizeof(Chunk);
    }

   private:
    static constexpr std::uint32_t kChunk = 256;
    struct Chunk {
      std::unique_ptr<Entry[]> entries;
      std::uint32_t held = 0;
    };
    std::vector<Chunk> chunks_;
    bool has_empty_ = false;
  };

  // What a client said of a next hop.
  struct Hop {
    Address address = {};
    std::uint32_t link = 0;  // 0: recursive
    friend auto operator<=>(const Hop&, const Hop&) = default;
  };
  using Hops = std::vector<Hop>;
  struct Path {
    Hops hops;
    NextHops::Index object = 0;
    std::uint32_t uses = 0;
    bool recursive = false;
    bool to_resolve = false;
    std::vector<Way> ways = {};           // of a recursive one, as they were found
    std::vector<Address> looked_up = {};  // to find them
  };
  struct Target {
    kernel::RouteType type = kernel::RouteType::kUnicast;
    std::uint32_t path = 0;
    std::uint32_t settings = 0;    // which of route_settings_
    std::uint32_t adopted_id = 0;  // of what was adopted and is none of our objects' yet
    friend auto operator<=>(const Target&, const Target&) = default;
  };
  struct CountedTarget : Target {
    std::uint32_t uses = 0;
  };
  struct Fight {
    std::uint32_t rounds = 0;
    MonotonicTime since;
    std::optional<MonotonicTime> until = {};  // when it is our turn again
  };
  struct Wish {
    std::uint32_t target = 0;
    int error = 0;
    RouteState state = RouteState::kIdle;  // where there is no target
    bool readable = true;
  };

  Unicast(rtm::Table& table, const TableSettings& settings, std::uint8_t protocol, NextHops& next_hops,
          const Clock& clock);

  // --- intake and writing (unicast.cpp)
  [[nodiscard]] bool is_idle() const { return bag_.empty() && checks_.empty() && !more_changes_ && !resolves_now_; }
  void take_what_is_there();
  void intake(std::size_t most);
  void make_dirty(std::uint32_t index);
  std::uint32_t take_from_bag();
  using Batch = Batches::Batch;
  std::size_t examine_some(std::size_t most, Batch& batch);
  void examine(std::uint32_t index, Batch& batch);
  void put_all(Batch& batch);
  void put_work(Batch& batch, std::size_t place);
  void put(Batch& batch, kernel::Change change, const kernel::Route& route, std::size_t place, bool former);
  void take(const kernel::Report& report, Batch& batch);
  void settle(Batch& batch);
  void refused(Work& work, bool former, const kernel::Refusal& refusal);
  void done(const Work& work);
  void finish(std::uint32_t index, RouteState state, int error = 0);
  // Of what the kernel has as it is wanted.
  [[nodiscard]] RouteState standing(const Prefix& prefix, std::uint32_t target) const;
  void sweep_some(kernel::Writer& writer, std::size_t most);
  void tell_table();
  void set_state(Entry& entry, RouteState state, int error = 0);
  void set_installed(Entry& entry, std::uint32_t target);
  void set_wanted(Entry& entry, std::uint32_t target);
  void forget_if_idle(std::uint32_t index);
  [[nodiscard]] rtm::Handle handle_of(std::uint32_t index) const;
  [[nodiscard]] kernel::Route route_of(const Prefix& prefix, std::uint32_t target) const;
  [[nodiscard]] std::uint32_t priority_of(std::uint32_t target) const {
    return route_settings_[targets_[target].settings].priority;
  }
  // Whether the kernel has what the target's routes name; else why not.
  [[nodiscard]] int trouble_of(std::uint32_t target) const;
  void scan(const std::function<void(std::uint32_t, Entry&)>& visit) { entries_.for_each(visit); }
  void run_timers();
  void retry_later();

  // --- what is wanted (wanted.cpp)
  Wish wish(std::uint32_t index, Prefix& prefix);
  Wish unicast_wish(const rtm::Forwarding& route, std::uint32_t settings, std::uint32_t hint);
  Result<Hop> hop(rtm::Handle next_hop);
  std::uint32_t settings_for(rtm::Handle owner);
  std::uint32_t share_settings(const RouteSettings& settings);
  std::uint32_t share_path(Hops hops, std::uint32_t hint);
  void release_path(std::uint32_t path);
  std::uint32_t share_target(const Target& target);
  void use_target(std::uint32_t target) { ++targets_[target].uses; }
  void release_target(std::uint32_t target);
  [[nodiscard]] Way way_of(const Hop& hop, const Address& towards) const;

  // --- recursion (recursion.cpp)
  void resolve(std::uint32_t path, std::uint32_t hint);
  void look_up(const Address& address, unsigned depth, std::vector<rtm::Handle>& through, Path& found);
  void forget_lookups(std::uint32_t path);
  void destination_changed(const Prefix& prefix);
  void resolve_anew();

  // --- what the kernel has, and others (reconcile.cpp)
  [[nodiscard]] std::uint32_t find(const Prefix& prefix);
  [[nodiscard]] std::uint32_t adopted_id(const Entry& entry, const Prefix& prefix) const;
  void claim(Entry& entry, const Prefix& prefix);
  void note_found(std::uint32_t index, const kernel::Route& route);
  void forget_found(Entry& entry);
  [[nodiscard]] bool is_survivor(const kernel::Route& route) const;
  void clear(PrefixMap& targets);
  void look_again(std::uint32_t index, bool gone);
  [[nodiscard]] bool is_none_of_ours(const kernel::Route& route) const;
  [[nodiscard]] bool is_as_installed(const Entry& entry, const kernel::Route& route) const;
  void taken_away(std::uint32_t index, const Prefix& prefix, kernel::Identity by);
  bool back_off(std::uint32_t index);
  bool has_room_for_fight(MonotonicTime now);

  rtm::Table& table_;
  const TableSettings settings_;
  const std::uint8_t protocol_;
  NextHops& next_hops_;
  const Clock& clock_;
  const Importer* importer_ = nullptr;
  rtm::Handle self_ = rtm::Handle::kNone;
  rtm::Handle registration_ = rtm::Handle::kNone;

  Entries entries_;
  std::deque<std::uint32_t> bag_;
  std::deque<std::uint32_t> checks_;     // dirty too, and of a former life: most need no write
  std::vector<std::uint32_t> chosen_;    // out of the bag, in this step
  std::vector<std::uint32_t> locked_;    // could not be looked at; tried again soon
  std::vector<std::uint32_t> deferred_;  // dirty, and under way to the kernel
  std::vector<rtm::Handle> taken_, to_release_, now_installed_, not_installed_;
  std::vector<rtm::Handle> foreign_owners_;
  std::uint64_t random_ = 0x9e3779b97f4a7c15;
  bool more_changes_ = true;

  std::vector<CountedTarget> targets_;
  std::vector<std::uint32_t> free_targets_;
  std::map<Target, std::uint32_t> target_index_;
  std::vector<Path> paths_;
  std::vector<std::uint32_t> free_paths_;
  std::map<Hops, std::uint32_t> path_index_;
  std::vector<RouteSettings> route_settings_;
  std::unordered_map<rtm::Handle, std::uint32_t> settings_of_owner_;  // both as of this step
  std::unordered_map<rtm::Handle, Hop> hop_of_handle_;
  std::set<std::pair<Address, std::uint32_t>> lookups_;  // what was looked up, for which path
  std::vector<std::uint32_t> to_resolve_;                // paths
  bool resolves_now_ = false;                            // not only when what was locked is looked at again
  Unicast* other_family_ = nullptr;                      // who resolves for us
  Unicast* told_ = nullptr;                              // for whom we do

  PrefixMap adopted_;                                     // targets, each with a use
  PrefixMap former_;                                      // adopted_ as it was before the reading that runs
  std::vector<Prefix> survivors_;                         // in adopted_, and of this life: they go at once
  bool reads_ = false;                                    // begun, and not ended
  bool takes_all_for_former_ = true;                      // what this reading finds
  std::size_t found_ = 0;                                 // entries with `adopted`
  std::vector<std::pair<Prefix, std::uint32_t>> strays_;  // with our number, at a priority that is not wanted
  bool sweeping_ = false;                                 // adopted_ goes
  std::unordered_map<std::uint32_t, Fight> fights_;
  std::set<kernel::Identity> known_rivals_;
  std::optional<MonotonicTime> fight_at_, fights_looked_at_, retry_at_, locked_at_;
  Backoff backoff_;
  bool wants_reconcile_ = false;
  std::array<std::uint64_t, kRouteStates> by_state_{};
  Status counters_;
};

}  // namespace turnpike::forwarder
