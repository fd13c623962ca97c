// References: which client holds how many on which object, exactly, in one word of the object.
//
// Every handle that the table writes into a client's memory carries a reference, and a client may release no more than
// it holds. So a plain count is not enough: it would let one client release what another holds, and nobody could say at
// a deregistration what was forgotten. A count for each (client, object) pair in a hash table would be exact, and cost
// two cache misses a look-up. But an object is nearly always held by nobody, by the client that just looked it up, or
// by that one and its owner. So the word of an object has room for two holders, and the few objects with more of them
// spill into a map:
//
//   63          44  43      42      41   32 31   21 20   11 10    0
//   +--------------+-------+-------+-------+-------+-------+-------+
//   |  generation  |rooted |spilled|client | count |client | count |      not spilled
//   +--------------+-------+-------+-------+-------+-------+-------+
//   |  generation  |rooted |spilled|  sum of all counts            |      spilled: who holds how many is in the map
//   +--------------+-------+-------+-------------------------------+
//
// `rooted` says that the table itself needs the object (it has routes, it is in a list, somebody else's record points
// to it) and is changed under the table's lock alone. An object that is neither rooted nor held is dead: nobody can
// take a reference any more, and who made it so frees it, under the table's lock, after a second look (a writer may
// have rooted it again meanwhile).
//
// Taking and dropping are one compare-and-swap on the object's own line, so threads that look up different objects
// share nothing. A count that outgrows its 11 bits spills as well; who falls back to two holders returns from the map.
//
// Entities are different: every look-up references the same few owners, so one word would be one contended line. Their
// counts are kept by the holder, in stripes (`EntityReferences`): a thread adds to and takes from its own stripe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "rtm/handle.h"

namespace turnpike::rtm {

using ClientIndex = std::uint16_t;
inline constexpr unsigned kClientBits = 10;
inline constexpr ClientIndex kMaxClients = (1U << kClientBits) - 1;  // 1 to 1023; 0 is nobody

class ReferenceWord {
 public:
  // Begins a life: rooted, held by nobody.
  void begin(std::uint32_t generation) { word_.store(make(generation) | kRooted, std::memory_order_release); }
  // Ends one: refused from now on, and ready for `begin` with the next generation.
  void end() { word_.store(make(generation() + 1), std::memory_order_release); }

  [[nodiscard]] std::uint32_t generation() const { return generation_in(word_.load(std::memory_order_acquire)); }
  [[nodiscard]] bool is_alive() const { return alive(word_.load(std::memory_order_acquire)); }
  [[nodiscard]] bool is_alive(std::uint32_t generation) const {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    return generation_in(word) == generation && alive(word);
  }
  [[nodiscard]] bool is_rooted() const { return (word_.load(std::memory_order_acquire) & kRooted) != 0; }

  void root() { word_.fetch_or(kRooted, std::memory_order_acq_rel); }
  // True if nobody holds it either: the caller frees it.
  bool unroot() { return (word_.fetch_and(~kRooted, std::memory_order_acq_rel) & kCounts) == 0; }

 private:
  friend class References;

  static constexpr unsigned kCountBits = 11;
  static constexpr std::uint64_t kMaxCount = (1U << kCountBits) - 1;
  static constexpr unsigned kHolderBits = kClientBits + kCountBits;
  static constexpr std::uint64_t kSpilled = 1ULL << (2 * kHolderBits);
  static constexpr std::uint64_t kRooted = kSpilled << 1;
  static constexpr std::uint64_t kCounts = kSpilled - 1;  // also of an unspilled word: no holder has a count of 0
  static constexpr unsigned kGenerationShift = 2 * kHolderBits + 2;
  static_assert(kGenerationShift + kGenerationBits == 64);

  static constexpr std::uint64_t make(std::uint32_t generation) {
    return std::uint64_t{generation} << kGenerationShift;
  }
  static constexpr std::uint32_t generation_in(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> kGenerationShift);
  }
  static constexpr bool alive(std::uint64_t word) { return (word & (kRooted | kCounts)) != 0; }

  std::atomic<std::uint64_t> word_{0};
};

// The operations that need to know who asks, and the map of the spilled. One for each table; from any thread, under no
// lock but its own.
class References {
 public:
  References();
  ~References();

  // The key of an object in the map: kind and index.
  static constexpr std::uint64_t id(Kind kind, std::uint32_t index) {
    return std::uint64_t{static_cast<std::uint8_t>(kind)} << kIndexBits | index;
  }

  // One more for the client. False where the object is dead, or is not the one of that generation any more.
  // May throw bad_alloc when it must spill.
  bool take(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation);
  // Of whatever lives there now.
  bool take(ReferenceWord& word, std::uint64_t id, ClientIndex client) {
    return take(word, id, client, word.generation());
  }

  enum class Dropped : std::uint8_t {
    kNone,
    kOne,
    kLast
  };  // not held by this client / done / done, and the object is dead
  Dropped drop(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation,
               std::uint64_t count = 1);

  // How many the client holds, and how many all together. A look, not a promise.
  [[nodiscard]] std::uint64_t held_by(const ReferenceWord& word, std::uint64_t id, ClientIndex client) const;
  [[nodiscard]] std::uint64_t held(const ReferenceWord& word) const;

  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Holder {
    ClientIndex client;
    std::uint64_t count;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, std::vector<Holder>> map;
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(std::uint64_t id) const { return shards_[(id * 0x9e3779b97f4a7c15ULL) >> 58]; }
  bool take_slowly(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation);
  Dropped drop_slowly(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation,
                      std::uint64_t count);

  std::unique_ptr<Shard[]> shards_;
};

// How many references one client holds on each entity.
//
// A stripe's counts never go below zero. A release takes from the thread's own stripe, else from another one; only when
// all look empty does it stop everybody (a lock, and a mark on every stripe's count) for one exact sum: so a release
// too many is refused, whoever took the references on whichever thread.
class EntityReferences {
 public:
  EntityReferences();
  ~EntityReferences();

  void take(ClientIndex entity);
  bool drop(ClientIndex entity, std::uint32_t count = 1);
  [[nodiscard]] std::uint64_t held(ClientIndex entity) const;

 private:
  static constexpr unsigned kStripes = 8;
  static constexpr std::uint32_t kFrozen = 1U << 31;
  using Counts = std::array<std::atomic<std::uint32_t>, kMaxClients + 1>;
  struct alignas(64) Stripe {
    Counts counts{};
  };

  bool drop_exactly(ClientIndex entity, std::uint32_t count);

  std::unique_ptr<Stripe[]> stripes_;
  std::mutex freezing_;
};

}  // namespace turnpike::rtm
