// A heap: malloc with an owner.
//
// What a heap adds to malloc is that it knows its blocks. So HeapDestroy gives back what is left, HeapSize knows what
// was asked for, and a pointer that is foreign, stale or freed twice is refused instead of breaking the allocator. The
// price is an entry in a table a block; tables are 16 by address, so that threads seldom meet. A header in front of
// each block would be cheaper, but to look at it is to trust the pointer.
//
// The tables hold the complement of each address: LeakSanitizer does not see through it, and still reports what a
// client of the process heap forgot.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "win32/waits/handles.h"

namespace turnpike::win32 {

class Heap final : public Object {
 public:
  static constexpr Kind kKind = Kind::kHeap;
  static constexpr std::size_t kNoLimit = 0;

  explicit Heap(std::size_t limit) : Object(kKind), limit_(limit) {}

  // The one that is never destroyed, and its handle.
  static Heap& of_process();
  static RawHandle handle_of_process();

  // Null: no memory, or the limit would be passed.
  void* allocate(std::size_t size, bool zeroed);

  struct Change {
    bool zeroed = false;
    bool in_place = false;
  };
  enum class Outcome : std::uint8_t { kDone, kNotOurs, kNoMemory };
  struct Moved {
    Outcome outcome;
    void* block;
  };
  Moved reallocate(void* block, std::size_t size, Change change);

  // False: not ours.
  bool free(void* block);

  [[nodiscard]] std::optional<std::size_t> size_of(const void* block) const;

  // Between them no other thread gets at the heap, for which it holds all tables; a thread may lock again. False: this
  // thread has not locked it. A locked heap outlives its handle.
  void lock();
  bool unlock();

  // The block behind that one, the first behind null, in an order that lasts until the heap is changed; `block` is null
  // at the end. Nothing: not ours.
  struct Entry {
    void* block = nullptr;
    std::size_t size = 0;
  };
  [[nodiscard]] std::optional<Entry> next(const void* block) const;

  // What may still be handed out, where there is a limit.
  [[nodiscard]] std::size_t room() const { return limit_ - std::min(limit_, in_use_.load(std::memory_order_relaxed)); }

 private:
  using Key = std::uintptr_t;
  struct Shard {
    mutable std::recursive_mutex lock;
    std::unordered_map<Key, std::size_t> sizes;
  };

  ~Heap() override;

  static Key key_of(const void* block) { return ~reinterpret_cast<Key>(block); }
  std::size_t index_of(const void* block) const { return (reinterpret_cast<Key>(block) >> 6) % shards_.size(); }
  const Shard& shard_of(const void* block) const { return shards_[index_of(block)]; }
  Shard& shard_of(const void* block) { return shards_[index_of(block)]; }

  bool reserve(std::size_t bytes);
  void give_back(std::size_t bytes) { in_use_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool enter(void* block, std::size_t size);
  bool resize(void* block, std::size_t old_size, std::size_t size);
  std::optional<std::size_t> take_out(void* block);

  const std::size_t limit_;
  std::atomic<std::size_t> in_use_{0};
  std::array<Shard, 16> shards_;
  std::atomic<std::thread::id> owner_;  // who has locked all of them
  unsigned depth_ = 0;                  // how often, and
  Ref<Heap> kept_;                      // what keeps the heap meanwhile: the owner's alone
};

}  // namespace turnpike::win32
