// Objects in slots, named by ids that cannot dangle: the handle table's idea for one owner who brings his own lock.
//
//   id = generation (32) | index (32)
//
// The generation is odd while the slot is taken, even while it is free, and only rises, so a stale id, or one that
// nobody ever gave out, names nothing. Slots lie in one reservation: an index is an address without a look-up on the
// way. They are opened in chunks; a chunk that empties goes back to the kernel, with the generation it starts from next
// time kept aside, but for the last one with room. Free slots wait in a queue behind those never used, so that
// generations rise evenly; a slot that has used its last one is lost, and its chunk closed for ever when it empties.
//
// Not safe between threads: the owner's lock guards it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/reservation.h"
#include "base/result.h"

namespace turnpike {

template <class T>
class SlotPool {
 public:
  static constexpr std::uint32_t kNone = ~0U;
  static constexpr std::uint32_t kChunkSlots = 8192;
  static constexpr std::uint32_t kLastGeneration = ~0U;

  // `capacity` is rounded up to whole chunks. 0, or more than 2^31, or an even first generation: kInvalidArgument. No
  // address space: kExhausted.
  static Result<SlotPool> make(std::uint32_t capacity, std::uint32_t first_generation = 1) {
    if (capacity == 0 || capacity > (1U << 31) || first_generation % 2 == 0) {
      return fail(ErrorKind::kInvalidArgument, "a slot pool's capacity or generation is out of range");
    }
    const std::uint32_t chunks = (capacity + kChunkSlots - 1) / kChunkSlots;
    return Reservation::make(chunks * kChunkBytes).map([&](Reservation&& memory) {
      return SlotPool(std::move(memory), chunks, first_generation);
    });
  }

  SlotPool(SlotPool&&) noexcept = default;
  SlotPool& operator=(SlotPool&&) = delete;
  ~SlotPool() {
    for (std::uint32_t index = 0; index < chunks_.size() * kChunkSlots; ++index) {
      if (chunks_[index / kChunkSlots].live != 0 && is_taken(index)) {
        std::destroy_at(&slot(index).value.object);
      }
    }
  }

  // A new T{}: its index, or kNone when every slot is taken or used up, or memory is.
  std::uint32_t take() noexcept;

  // Ends the T. The index must be taken.
  void release(std::uint32_t index) noexcept;

  // The T of a taken index.
  T& operator[](std::uint32_t index) noexcept { return slot(index).value.object; }

  // The name of a taken index. Never 0.
  std::uint64_t id_of(std::uint32_t index) const noexcept {
    return static_cast<std::uint64_t>(slot(index).generation) << 32 | index;
  }

  // The index that an id names, or kNone: stale, null or never given out.
  std::uint32_t index_of(std::uint64_t id) const noexcept {
    const auto index = static_cast<std::uint32_t>(id);
    const bool known = index < open_slots_ && (id >> 32) % 2 == 1 && slot(index).generation == id >> 32;
    return known ? index : kNone;
  }

  // Whether somebody holds it now, of an index that was taken once.
  bool is_taken(std::uint32_t index) const noexcept { return slot(index).generation % 2 == 1; }

  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t chunks_in_use() const noexcept { return chunks_in_use_; }

 private:
  union Value {
    Value() {}
    ~Value() {}
    T object;
    std::uint32_t next_free;
  };
  struct Slot {
    Value value;
    std::uint32_t generation;
  };
  static constexpr std::size_t kChunkBytes = kChunkSlots * sizeof(Slot);
  static_assert(kChunkBytes % 65536 == 0, "whole pages, whatever their size");

  struct Chunk {
    std::uint32_t first_generation;  // of slots that are taken for the first time
    std::uint32_t top_generation = 0;
    std::uint32_t used = 0;  // slots from here on have not been taken since the chunk was opened
    std::uint32_t live = 0;
    std::uint32_t free_slots = 0;
    std::uint32_t first_free = kNone;
    std::uint32_t last_free = kNone;
    std::uint32_t place = kNone;  // in `roomy_` or `closed_`

    bool has_room() const { return free_slots != 0 || used < kChunkSlots; }
  };

  SlotPool(Reservation&& memory, std::uint32_t chunks, std::uint32_t first_generation)
      : memory_(std::move(memory)), slots_(static_cast<Slot*>(memory_.data())), first_generation_(first_generation) {
    chunks_.reserve(chunks);
    roomy_.reserve(chunks);
    closed_.reserve(chunks);
  }

  Slot& slot(std::uint32_t index) const noexcept { return slots_[index]; }
  std::uint32_t number_of(const Chunk& chunk) const { return static_cast<std::uint32_t>(&chunk - chunks_.data()); }

  bool open_chunk() noexcept;
  void free_slot(Chunk& chunk, std::uint32_t index) noexcept;
  void close_if_empty(Chunk& chunk) noexcept;

  // A chunk with room stands in `roomy_`, at its `place`.
  void enlist(Chunk& chunk) noexcept {
    if (chunk.place == kNone) {
      chunk.place = static_cast<std::uint32_t>(roomy_.size());
      roomy_.push_back(number_of(chunk));
    }
  }
  void delist(Chunk& chunk) noexcept {
    if (chunk.place != kNone) {
      chunks_[roomy_.back()].place = chunk.place;
      roomy_[chunk.place] = roomy_.back();
      roomy_.pop_back();
      chunk.place = kNone;
    }
  }

  Reservation memory_;
  Slot* slots_;
  std::uint32_t first_generation_;
  std::uint32_t open_slots_ = 0;  // slots below it may be touched
  std::uint32_t size_ = 0;
  std::uint32_t chunks_in_use_ = 0;
  std::vector<Chunk> chunks_;          // all that were ever opened; the vectors never grow beyond what was reserved
  std::vector<std::uint32_t> roomy_;   // chunks that hold memory and have a slot to give; the last is taken from
  std::vector<std::uint32_t> closed_;  // chunks whose memory was given back
};

template <class T>
std::uint32_t SlotPool<T>::take() noexcept {
  if (roomy_.empty() && !open_chunk()) {
    return kNone;
  }
  Chunk& chunk = chunks_[roomy_.back()];
  std::uint32_t index = chunk.first_free;
  if (chunk.used < kChunkSlots) {
    index = number_of(chunk) * kChunkSlots + chunk.used++;
    slot(index).generation = chunk.first_generation;
  } else {
    chunk.first_free = slot(index).value.next_free;
    --chunk.free_slots;
    ++slot(index).generation;
  }
  ++chunk.live;
  ++size_;
  if (!chunk.has_room()) {
    delist(chunk);
  }
  std::construct_at(&slot(index).value.object);
  return index;
}

template <class T>
void SlotPool<T>::release(std::uint32_t index) noexcept {
  Chunk& chunk = chunks_[index / kChunkSlots];
  std::destroy_at(&slot(index).value.object);
  --chunk.live;
  --size_;
  chunk.top_generation = std::max(chunk.top_generation, slot(index).generation);
  if (slot(index).generation == kLastGeneration) {
    slot(index).generation = 0;
  } else {
    ++slot(index).generation;
    free_slot(chunk, index);
  }
  close_if_empty(chunk);
}

template <class T>
void SlotPool<T>::free_slot(Chunk& chunk, std::uint32_t index) noexcept {
  if (chunk.free_slots++ == 0) {
    chunk.first_free = index;
  } else {
    slot(chunk.last_free).value.next_free = index;
  }
  chunk.last_free = index;
  enlist(chunk);
}

template <class T>
void SlotPool<T>::close_if_empty(Chunk& chunk) noexcept {
  const bool last_with_room = chunk.has_room() && roomy_.size() == 1;
  if (chunk.live != 0 || last_with_room) {
    return;
  }
  delist(chunk);
  memory_.discard(number_of(chunk) * kChunkBytes, kChunkBytes);
  --chunks_in_use_;
  if (chunk.top_generation != kLastGeneration) {
    chunk = Chunk{.first_generation = chunk.top_generation + 2};
    closed_.push_back(number_of(chunk));
  }
}

template <class T>
bool SlotPool<T>::open_chunk() noexcept {
  if (closed_.empty()) {
    if (chunks_.size() == chunks_.capacity() || !memory_.commit(chunks_.size() * kChunkBytes, kChunkBytes)) {
      return false;
    }
    closed_.push_back(static_cast<std::uint32_t>(chunks_.size()));
    chunks_.push_back(Chunk{.first_generation = first_generation_});
    open_slots_ += kChunkSlots;
  }
  enlist(chunks_[closed_.back()]);
  closed_.pop_back();
  ++chunks_in_use_;
  return true;
}

}  // namespace turnpike
