#include "base/handle_table.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "base/thread_index.h"

namespace turnpike {
namespace {

using detail::HandleSlot;
using detail::kAwaited;
using detail::kClosing;
using detail::kPinMask;

constexpr std::uint32_t kNoSlot = ~0U;

constexpr std::uint64_t state_of(HandleTag tag, std::uint32_t generation) {
  return static_cast<std::uint64_t>(tag) << detail::kHandleTagShift | static_cast<std::uint64_t>(generation)
                                                                          << detail::kHandleIndexBits;
}

constexpr std::uint32_t generation_of(std::uint64_t state) {
  return static_cast<std::uint32_t>(state >> detail::kHandleIndexBits) & HandleTable::kLastGeneration;
}

constexpr Handle handle_of(std::uint64_t state, std::uint32_t index) {
  return Handle{(state & ~detail::kHandleIndexMask) | index};
}

}  // namespace

// 8192 slots. A chunk is in the pool (under pool_mutex_), belongs to a shard (under its mutex) and stands in its list
// while it has a slot to give, or is closed for ever.
struct HandleTable::Chunk {
  std::atomic<std::uint32_t> used{0};  // slots from here on have not been given out since the chunk was opened
  std::uint32_t size = 0;              // slots it may give out: fewer in a table's last chunk
  std::uint32_t shard = 0;
  std::uint32_t live = 0;     // slots given out and not freed
  std::uint32_t retired = 0;  // slots that have used their last generation
  std::uint32_t free_slots = 0;
  std::uint32_t first_free = kNoSlot;
  std::uint32_t last_free = kNoSlot;
  std::uint32_t first_generation = 0;  // of a slot that is given out for the first time
  std::uint32_t top_generation = 0;    // the highest that a slot was freed with
  std::uint32_t previous = kNoChunk;   // of the shard's list
  std::uint32_t next = kNoChunk;       // of the shard's list, or of the pool
  bool linked = false;

  bool can_give() const noexcept { return free_slots != 0 || used.load(std::memory_order_relaxed) < size; }
};

struct alignas(64) HandleTable::Shard {
  mutable std::mutex mutex;
  std::uint32_t first = kNoChunk;  // chunks that have a slot to give; slots are taken from the first
  std::uint32_t last = kNoChunk;
  HandleCounts counts;
};

// ---- making and ending a table
// -----------------------------------------------------------------------------------------

HandleTable::HandleTable(const HandleTableOptions& options) : options_(options) {}

Result<std::unique_ptr<HandleTable>> HandleTable::create(const HandleTableOptions& options) {
  const bool sane = options.capacity >= 1 && options.capacity <= kMaxCapacity && options.first_generation >= 1 &&
                    options.first_generation <= kLastGeneration && options.shards >= 1 && options.shards <= 256;
  if (!sane) {
    return fail(ErrorKind::kInvalidArgument, "an option of the handle table is out of range");
  }
  std::unique_ptr<HandleTable> table(new HandleTable(options));
  if (const Result<void> reserved = table->reserve(); !reserved) {
    return tl::unexpected(reserved.error());
  }
  return table;
}

// The chunks' descriptions are reserved like the slots and made as chunks are opened; being trivial they need no end.
Result<void> HandleTable::reserve() {
  const std::size_t chunks = (options_.capacity + kChunkSlots - 1) / kChunkSlots;
  const auto reserve_array = [](Reservation& memory, std::size_t bytes) -> Result<void> {
    return Reservation::make(bytes).map([&memory](Reservation&& made) { memory = std::move(made); });
  };
  return reserve_array(slot_memory_, chunks * kChunkSlots * sizeof(HandleSlot))
      .and_then([&] { return reserve_array(owner_memory_, chunks * kChunkSlots * sizeof(std::atomic<std::uint32_t>)); })
      .and_then([&] { return reserve_array(chunk_memory_, chunks * sizeof(Chunk)); })
      .and_then([&] { return chunk_memory_.commit(0, chunks * sizeof(Chunk)); })
      .map([&] {
        slots_ = static_cast<HandleSlot*>(slot_memory_.data());
        owners_ = static_cast<std::atomic<std::uint32_t>*>(owner_memory_.data());
        chunks_ = static_cast<Chunk*>(chunk_memory_.data());
        shards_ = std::make_unique<Shard[]>(options_.shards);
      });
}

HandleTable::~HandleTable() {
  if (slots_ != nullptr) {
    walk([this](std::uint32_t index) {
      if (const Handle handle = live_handle(index); handle != Handle::kNone) {
        static_cast<void>(remove(handle));
      }
    });
  }
}

// ---- tags
// --------------------------------------------------------------------------------------------------------------

Result<void> HandleTable::register_tag(HandleTag tag, const char* name, Destroyer destroy) {
  if (tag == HandleTag{0} || tag == HandleTag{255} || name == nullptr || !destroy) {
    return fail(ErrorKind::kInvalidArgument, "a tag is 1 to 254, with a name and a destroyer");
  }
  Tag& entry = tags_[static_cast<std::size_t>(tag)];
  const std::lock_guard lock(pool_mutex_);
  if (entry.name.load(std::memory_order_relaxed) != nullptr) {
    return fail(ErrorKind::kAlreadyExists, "the tag is registered already");
  }
  entry.destroy = std::move(destroy);
  entry.name.store(name, std::memory_order_release);
  return {};
}

const char* HandleTable::name_of(HandleTag tag) const noexcept {
  const char* name = tags_[static_cast<std::size_t>(tag)].name.load(std::memory_order_acquire);
  return name != nullptr ? name : "unknown";
}

// ---- a handle's life
// ---------------------------------------------------------------------------------------------------

Result<Handle> HandleTable::add(HandleTag tag, void* object, OwnerId owner) {
  if (object == nullptr || tags_[static_cast<std::size_t>(tag)].name.load(std::memory_order_acquire) == nullptr) {
    return fail(ErrorKind::kInvalidArgument, "no object, or a tag that nobody has registered");
  }
  const std::uint32_t index = take_slot();
  if (index == kNoSlot) {
    return fail(ErrorKind::kExhausted, "every handle is in use");
  }
  HandleSlot& slot = slots_[index];
  // Released one by one, not only with the state: a reader that is late with a stale handle, and sees one of them, then
  // also sees that the slot was freed.
  slot.object.store(object, std::memory_order_release);
  owners_[index].store(static_cast<std::uint32_t>(owner), std::memory_order_release);
  const std::uint64_t state = state_of(tag, generation_of(slot.state.load(std::memory_order_relaxed)));
  slot.state.store(state, std::memory_order_release);
  return handle_of(state, index);
}

Result<void> HandleTable::close(Handle handle, std::uint64_t more_bits) noexcept {
  const auto number = static_cast<std::uint64_t>(handle);
  HandleSlot* slot = slot_of(number);
  if (slot == nullptr || (number >> detail::kHandleTagShift) == 0) {
    return wrong_handle();
  }
  std::uint64_t state = slot->state.load(std::memory_order_relaxed);
  std::uint64_t closed = 0;
  do {
    if (!detail::is_live(state, number)) {
      return wrong_handle();
    }
    closed = state | kClosing | more_bits;
  } while (!slot->state.compare_exchange_weak(state, closed, std::memory_order_acq_rel, std::memory_order_relaxed));
  if ((closed & kPinMask) == 0) {
    finish(*slot, closed);
  }
  return {};
}

Result<void> HandleTable::remove_and_wait(Handle handle, std::uint32_t own_pins) noexcept {
  if (const Result<void> closed = close(handle, kAwaited); !closed) {
    return closed;
  }
  const auto number = static_cast<std::uint64_t>(handle);
  const HandleSlot& slot = *slot_of(number);
  std::unique_lock lock(wait_mutex_);
  wait_condition_.wait(lock, [&] {
    const std::uint64_t state = slot.state.load(std::memory_order_acquire);
    const bool gone = (state ^ number) >> detail::kHandleIndexBits != 0;
    return gone || (own_pins != 0 && (state & kPinMask) <= own_pins);
  });
  return {};
}

// Kept out of line: a pin rarely outlives its handle.
void HandleTable::drop_pin_of_removed(HandleSlot& slot, std::uint64_t state) noexcept {
  if ((state & kPinMask) == 0) {
    finish(slot, state);
  } else if ((state & kAwaited) != 0) {
    wake_waiters();
  }
}

// `state` is closing without pins: this thread alone may touch the slot.
void HandleTable::finish(HandleSlot& slot, std::uint64_t state) noexcept {
  tags_[state >> detail::kHandleTagShift].destroy(slot.object.load(std::memory_order_relaxed));
  free_slot(static_cast<std::uint32_t>(&slot - slots_), generation_of(state));
  if ((state & kAwaited) != 0) {
    wake_waiters();
  }
}

void HandleTable::wake_waiters() noexcept {
  {
    const std::lock_guard lock(wait_mutex_);
  }  // a waiter has either not looked yet, or sleeps
  wait_condition_.notify_all();
}

// ---- slots and chunks
// --------------------------------------------------------------------------------------------------

std::uint32_t HandleTable::take_slot() noexcept {
  const std::uint32_t home = thread_index() % options_.shards;
  for (std::uint32_t n = 0; n < options_.shards; ++n) {
    const std::uint32_t index = take_slot_of(shards_[(home + n) % options_.shards], n == 0);
    if (index != kNoSlot) {
      return index;
    }
  }
  return kNoSlot;
}

// A free slot, its state holding the generation of the life that begins.
std::uint32_t HandleTable::take_slot_of(Shard& shard, bool may_grow) noexcept {
  const std::lock_guard lock(shard.mutex);
  if (shard.first == kNoChunk && !(may_grow && open_chunk_for(shard))) {
    return kNoSlot;
  }
  Chunk& chunk = chunks_[shard.first];
  std::uint32_t index = chunk.first_free;
  if (const std::uint32_t used = chunk.used.load(std::memory_order_relaxed); used < chunk.size) {
    index = shard.first * kChunkSlots + used;
    slots_[index].state.store(state_of(HandleTag{}, chunk.first_generation), std::memory_order_relaxed);
    chunk.used.store(used + 1, std::memory_order_release);
  } else {
    chunk.first_free = owners_[index].load(std::memory_order_relaxed);
    --chunk.free_slots;
  }
  ++chunk.live;
  if (!chunk.can_give()) {
    unlink(shard, chunk);
  }
  ++shard.counts.created;
  shard.counts.peak = std::max(shard.counts.peak, ++shard.counts.in_use);
  return index;
}

void HandleTable::free_slot(std::uint32_t index, std::uint32_t generation) noexcept {
  const std::uint32_t number = index / kChunkSlots;
  Chunk& chunk = chunks_[number];
  Shard& shard = shards_[chunk.shard];
  {
    const std::lock_guard lock(shard.mutex);
    ++shard.counts.destroyed;
    --shard.counts.in_use;
    --chunk.live;
    chunk.top_generation = std::max(chunk.top_generation, generation);
    if (generation == kLastGeneration) {
      slots_[index].state.store(0, std::memory_order_release);
      ++chunk.retired;
      ++shard.counts.retired;
    } else {
      slots_[index].state.store(state_of(HandleTag{}, generation + 1), std::memory_order_release);
      append_free(chunk, index);
      link(shard, chunk);
    }
    const bool keep = chunk.live != 0 || (shard.first == number && chunk.can_give());
    if (keep) {
      return;
    }
    unlink(shard, chunk);
    if (chunk.top_generation == kLastGeneration) {
      shard.counts.retired += chunk.size - chunk.retired;
    }
  }
  close_chunk(chunk);
}

void HandleTable::append_free(Chunk& chunk, std::uint32_t index) noexcept {
  if (chunk.free_slots++ == 0) {
    chunk.first_free = index;
  } else {
    owners_[chunk.last_free].store(index, std::memory_order_release);
  }
  chunk.last_free = index;
}

// Gives the shard, whose lock is held, a chunk without a live slot: one that came back, or the next fresh one.
bool HandleTable::open_chunk_for(Shard& shard) noexcept {
  const std::lock_guard lock(pool_mutex_);
  std::uint32_t number = pool_;
  if (number != kNoChunk) {
    pool_ = chunks_[number].next;
  } else {
    const std::uint32_t begin = open_slots_.load(std::memory_order_relaxed);
    if (begin >= options_.capacity ||
        !slot_memory_.commit(begin * sizeof(HandleSlot), kChunkSlots * sizeof(HandleSlot)) ||
        !owner_memory_.commit(begin * sizeof(std::uint32_t), kChunkSlots * sizeof(std::uint32_t))) {
      return false;
    }
    number = begin / kChunkSlots;
    Chunk* chunk = new (&chunks_[number]) Chunk;
    chunk->size = std::min(kChunkSlots, options_.capacity - begin);
    chunk->first_generation = options_.first_generation;
    open_slots_.store(begin + kChunkSlots, std::memory_order_release);
  }
  ++chunks_in_use_;
  chunks_[number].shard = static_cast<std::uint32_t>(&shard - shards_.get());
  link(shard, chunks_[number]);
  return true;
}

// Of a chunk that has no live slot and stands in no list: its memory goes back, its generations go on from where they
// were.
void HandleTable::close_chunk(Chunk& chunk) noexcept {
  const std::size_t number = static_cast<std::size_t>(&chunk - chunks_);
  chunk.used.store(0, std::memory_order_release);
  chunk.free_slots = 0;
  slot_memory_.discard(number * kChunkSlots * sizeof(HandleSlot), kChunkSlots * sizeof(HandleSlot));
  owner_memory_.discard(number * kChunkSlots * sizeof(std::uint32_t), kChunkSlots * sizeof(std::uint32_t));
  const std::lock_guard lock(pool_mutex_);
  --chunks_in_use_;
  if (chunk.top_generation != kLastGeneration) {
    chunk.first_generation = chunk.top_generation + 1;
    chunk.next = std::exchange(pool_, static_cast<std::uint32_t>(number));
  }
}

void HandleTable::link(Shard& shard, Chunk& chunk) noexcept {
  if (chunk.linked) {
    return;
  }
  const auto number = static_cast<std::uint32_t>(&chunk - chunks_);
  chunk.linked = true;
  chunk.next = kNoChunk;
  chunk.previous = std::exchange(shard.last, number);
  (chunk.previous == kNoChunk ? shard.first : chunks_[chunk.previous].next) = number;
}

void HandleTable::unlink(Shard& shard, Chunk& chunk) noexcept {
  if (!chunk.linked) {
    return;
  }
  chunk.linked = false;
  (chunk.previous == kNoChunk ? shard.first : chunks_[chunk.previous].next) = chunk.next;
  (chunk.next == kNoChunk ? shard.last : chunks_[chunk.next].previous) = chunk.previous;
}

// ---- looking at all of them
// --------------------------------------------------------------------------------------------

std::uint32_t HandleTable::used_slots_of(std::uint32_t chunk) const noexcept {
  return chunks_[chunk].used.load(std::memory_order_acquire);
}

Handle HandleTable::live_handle(std::uint32_t index) const noexcept {
  const std::uint64_t state = slots_[index].state.load(std::memory_order_acquire);
  const bool live = state >> detail::kHandleTagShift != 0 && (state & kClosing) == 0;
  return live ? handle_of(state, index) : Handle::kNone;
}

std::uint64_t Census::total() const noexcept { return std::accumulate(by_tag.begin(), by_tag.end(), std::uint64_t{0}); }

Census HandleTable::census() const {
  Census census;
  walk([&](std::uint32_t index) {
    if (const Handle handle = live_handle(index); handle != Handle::kNone) {
      ++census.by_tag[static_cast<std::size_t>(tag_of(handle))];
    }
  });
  return census;
}

Census HandleTable::census(OwnerId owner) const {
  Census census;
  for_each_owned(owner, [&](Handle handle) { ++census.by_tag[static_cast<std::size_t>(tag_of(handle))]; });
  return census;
}

std::string HandleTable::describe(const Census& census) const {
  std::string text;
  for (std::size_t tag = 0; tag < census.by_tag.size(); ++tag) {
    if (census.by_tag[tag] != 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(census.by_tag[tag]) + " " +
              name_of(HandleTag{static_cast<std::uint8_t>(tag)});
    }
  }
  return text.empty() ? "nothing" : text;
}

HandleCounts HandleTable::counts() const {
  HandleCounts sum;
  for (std::uint32_t n = 0; n < options_.shards; ++n) {
    const std::lock_guard lock(shards_[n].mutex);
    const HandleCounts& one = shards_[n].counts;
    sum.created += one.created;
    sum.destroyed += one.destroyed;
    sum.in_use += one.in_use;
    sum.peak += one.peak;
    sum.retired += one.retired;
  }
  const std::lock_guard lock(pool_mutex_);
  sum.chunks = chunks_in_use_;
  return sum;
}

}  // namespace turnpike
