#include "rtm/reference.h"

#include <algorithm>

#include "base/thread_index.h"

namespace turnpike::rtm {
namespace {

constexpr unsigned kCountBits = 11;
constexpr std::uint64_t kMaxCount = (1U << kCountBits) - 1;
constexpr unsigned kHolderBits = kClientBits + kCountBits;
constexpr std::uint64_t kHolderMask = (1ULL << kHolderBits) - 1;

constexpr std::uint64_t holder_at(std::uint64_t word, unsigned slot) {
  return word >> (slot * kHolderBits) & kHolderMask;
}
constexpr std::uint64_t count_of(std::uint64_t holder) { return holder & kMaxCount; }
constexpr ClientIndex client_of(std::uint64_t holder) { return static_cast<ClientIndex>(holder >> kCountBits); }
constexpr std::uint64_t holder(ClientIndex client, std::uint64_t count) {
  return count == 0 ? 0 : std::uint64_t{client} << kCountBits | count;
}
constexpr std::uint64_t with_holder(std::uint64_t word, unsigned slot, std::uint64_t value) {
  return (word & ~(kHolderMask << (slot * kHolderBits))) | value << (slot * kHolderBits);
}

// The slot of the client, else an empty one, else 2.
unsigned slot_for(std::uint64_t word, ClientIndex client) {
  unsigned found = 2;
  for (unsigned slot = 0; slot < 2; ++slot) {
    const std::uint64_t there = holder_at(word, slot);
    if (there != 0 && client_of(there) == client) {
      return slot;
    }
    if (there == 0 && found == 2) {
      found = slot;
    }
  }
  return found;
}

}  // namespace

References::References() : shards_(std::make_unique<Shard[]>(kShards)) {}
References::~References() = default;

bool References::take(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation) {
  std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  while (true) {
    if (ReferenceWord::generation_in(seen) != generation || !ReferenceWord::alive(seen)) {
      return false;
    }
    const unsigned slot = (seen & ReferenceWord::kSpilled) != 0 ? 2 : slot_for(seen, client);
    if (slot == 2 || count_of(holder_at(seen, slot)) == kMaxCount) {
      return take_slowly(word, id, client, generation);
    }
    const std::uint64_t next = with_holder(seen, slot, holder(client, count_of(holder_at(seen, slot)) + 1));
    if (word.word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return true;
    }
  }
}

// Under the shard's lock a spilled word changes only its root bit, by others; an unspilled one may change in every way.
bool References::take_slowly(ReferenceWord& word, std::uint64_t id, ClientIndex client, std::uint32_t generation) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  while (true) {
    if (ReferenceWord::generation_in(seen) != generation || !ReferenceWord::alive(seen)) {
      return false;
    }
    std::vector<Holder> holders;
    if ((seen & ReferenceWord::kSpilled) != 0) {
      holders = shard.map[id];
    } else {
      for (unsigned slot = 0; slot < 2; ++slot) {
        if (const std::uint64_t there = holder_at(seen, slot); there != 0) {
          holders.push_back({client_of(there), count_of(there)});
        }
      }
    }
    const auto mine = std::find_if(holders.begin(), holders.end(), [&](const Holder& h) { return h.client == client; });
    if (mine != holders.end()) {
      ++mine->count;
    } else {
      holders.push_back({client, 1});
    }
    std::uint64_t sum = 0;
    for (const Holder& each : holders) {
      sum += each.count;
    }
    std::vector<Holder>& kept = shard.map[id];
    const std::uint64_t next = (seen & ~ReferenceWord::kCounts) | ReferenceWord::kSpilled | sum;
    if (word.word_.compare_exchange_strong(seen, next, std::memory_order_acq_rel, std::memory_order_acquire)) {
      kept = std::move(holders);
      return true;
    }
    if ((seen & ReferenceWord::kSpilled) == 0) {
      shard.map.erase(id);
    }
  }
}

References::Dropped References::drop(ReferenceWord& word, std::uint64_t id, ClientIndex client,
                                     std::uint32_t generation, std::uint64_t count) {
  std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  while (true) {
    if (ReferenceWord::generation_in(seen) != generation) {
      return Dropped::kNone;
    }
    if ((seen & ReferenceWord::kSpilled) != 0) {
      return drop_slowly(word, id, client, generation, count);
    }
    const unsigned slot = slot_for(seen, client);
    const std::uint64_t held = slot == 2 ? 0 : count_of(holder_at(seen, slot));
    if (held < count || count == 0) {
      return Dropped::kNone;
    }
    const std::uint64_t next = with_holder(seen, slot, holder(client, held - count));
    if (word.word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return ReferenceWord::alive(next) ? Dropped::kOne : Dropped::kLast;
    }
  }
}

References::Dropped References::drop_slowly(ReferenceWord& word, std::uint64_t id, ClientIndex client,
                                            std::uint32_t generation, std::uint64_t count) {
  Shard& shard = shard_of(id);
  std::unique_lock lock(shard.mutex);
  std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  if (ReferenceWord::generation_in(seen) != generation) {
    return Dropped::kNone;
  }
  if ((seen & ReferenceWord::kSpilled) == 0) {
    lock.unlock();
    return drop(word, id, client, generation, count);
  }
  std::vector<Holder>& holders = shard.map[id];
  const auto mine = std::find_if(holders.begin(), holders.end(), [&](const Holder& h) { return h.client == client; });
  if (mine == holders.end() || mine->count < count) {
    return Dropped::kNone;
  }
  mine->count -= count;
  if (mine->count == 0) {
    holders.erase(mine);
  }
  std::uint64_t sum = 0;
  bool fits = holders.size() <= 2;
  for (const Holder& each : holders) {
    sum += each.count;
    fits = fits && each.count <= kMaxCount;
  }
  std::uint64_t next = 0;
  do {
    next = seen & ~(ReferenceWord::kCounts | ReferenceWord::kSpilled);
    if (fits) {
      for (unsigned slot = 0; slot < holders.size(); ++slot) {
        next = with_holder(next, slot, holder(holders[slot].client, holders[slot].count));
      }
    } else {
      next |= ReferenceWord::kSpilled | sum;
    }
  } while (!word.word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_acquire));
  if (fits) {
    shard.map.erase(id);
  }
  return ReferenceWord::alive(next) ? Dropped::kOne : Dropped::kLast;
}

std::uint64_t References::held_by(const ReferenceWord& word, std::uint64_t id, ClientIndex client) const {
  std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  if ((seen & ReferenceWord::kSpilled) != 0) {
    const Shard& shard = shard_of(id);
    const std::lock_guard lock(shard.mutex);
    seen = word.word_.load(std::memory_order_acquire);
    if ((seen & ReferenceWord::kSpilled) != 0) {
      const auto found = shard.map.find(id);
      for (const Holder& each : found->second) {
        if (each.client == client) {
          return each.count;
        }
      }
      return 0;
    }
  }
  const unsigned slot = slot_for(seen, client);
  return slot == 2 ? 0 : count_of(holder_at(seen, slot));
}

std::uint64_t References::held(const ReferenceWord& word) const {
  const std::uint64_t seen = word.word_.load(std::memory_order_acquire);
  return (seen & ReferenceWord::kSpilled) != 0 ? seen & ReferenceWord::kCounts
                                               : count_of(holder_at(seen, 0)) + count_of(holder_at(seen, 1));
}

std::uint64_t References::bytes() const {
  std::uint64_t sum = kShards * sizeof(Shard);
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum += shards_[i].map.size() * (sizeof(std::vector<Holder>) + 4 * sizeof(void*) + 3 * sizeof(Holder));
  }
  return sum;
}

EntityReferences::EntityReferences() : stripes_(std::make_unique<Stripe[]>(kStripes)) {}
EntityReferences::~EntityReferences() = default;

void EntityReferences::take(ClientIndex entity) {
  std::atomic<std::uint32_t>& count = stripes_[thread_index() % kStripes].counts[entity];
  std::uint32_t seen = count.load(std::memory_order_relaxed);
  while (true) {
    if ((seen & kFrozen) != 0) {
      const std::lock_guard wait(freezing_);
      seen = count.load(std::memory_order_relaxed);
    } else if (count.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return;
    }
  }
}

bool EntityReferences::drop(ClientIndex entity, std::uint32_t count) {
  const unsigned own = thread_index() % kStripes;
  for (unsigned i = 0; i < kStripes; ++i) {
    std::atomic<std::uint32_t>& there = stripes_[(own + i) % kStripes].counts[entity];
    std::uint32_t seen = there.load(std::memory_order_relaxed);
    while ((seen & kFrozen) == 0 && seen >= count) {
      if (there.compare_exchange_weak(seen, seen - count, std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return true;
      }
    }
  }
  return drop_exactly(entity, count);
}

bool EntityReferences::drop_exactly(ClientIndex entity, std::uint32_t count) {
  const std::lock_guard lock(freezing_);
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < kStripes; ++i) {
    sum += stripes_[i].counts[entity].fetch_or(kFrozen, std::memory_order_acq_rel);
  }
  const bool enough = sum >= count;
  for (unsigned i = 0; i < kStripes; ++i) {
    std::atomic<std::uint32_t>& there = stripes_[i].counts[entity];
    const std::uint32_t has = there.load(std::memory_order_relaxed) & ~kFrozen;
    const std::uint32_t taken = enough ? std::min(has, count) : 0;
    count -= taken;
    there.store(has - taken, std::memory_order_release);
  }
  return enough;
}

std::uint64_t EntityReferences::held(ClientIndex entity) const {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < kStripes; ++i) {
    sum += stripes_[i].counts[entity].load(std::memory_order_acquire) & ~kFrozen;
  }
  return sum;
}

}  // namespace turnpike::rtm
