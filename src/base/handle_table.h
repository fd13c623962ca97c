// Handles: 64-bit numbers that name objects and cannot dangle.
//
//   63      56 55                     28 27                      0
//   +---------+-------------------------+------------------------+
//   |   tag   |       generation        |         index          |
//   +---------+-------------------------+------------------------+
//
// The tag is the kind of object, 1 to 254: no handle is null, a pointer of user space or (HANDLE)-1. The index is a
// slot of the table, the generation counts the slot's lives. A handle whose object is gone is refused for ever:
// generations only rise, and a slot that has used its last one is never used again.
//
// ## What a user does
//
//   template <> struct HandleKind<Route> {                          // once, beside Route
//     static constexpr HandleTag tag{3};
//     static constexpr const char* name = "route";
//   };
//   table->register_kind<Route>([](Route& route) { delete &route; });  // once a table: how a route dies
//
//   Result<Handle> handle = table->add(*route, owner);             // publishes: from now on anybody may pin it
//   if (Pin<Route> pin = table->pin<Route>(handle)) use(*pin);     // an empty Pin: the handle is bad
//   table->remove<Route>(handle);                                  // refused from now on; dies with its last pin
//
// ## Reading without writing
//
// A pin writes to the slot, so two threads that pin the same handle pass a cache line to and fro. Where one handle is
// on every path (a client's registration), enter an Epoch (epoch.h), peek(), and let the destroyer retire() the object
// there.
//
// ## One slot, one word
//
// A slot's state holds tag and generation where a handle has them, so one comparison checks all; below stand `closing`
// (the handle was removed), `awaited` (somebody waits for the last pin), and the number of pins:
//
//   free      tag 0, the generation of its next life    add() ->    live, 0 pins
//   live      pins come and go by compare-and-swap      remove() -> closing
//   closing   no new pin; the one who takes the pins to zero (a leaving pin, or remove() itself) runs the destroyer,
//   alone,
//             then frees the slot
//
// Between them the word and the object's address take 16 bytes, aligned, so they never straddle a cache line; what only
// rarer calls need, the owner, is an array beside them: 20 bytes a handle. A free slot keeps the next free one in the
// owner's place.
//
// ## Memory
//
// The arrays are reserved as address space and opened in chunks of 8192 slots (160 KiB). A chunk whose slots are all
// free goes back to the kernel; a reader with a stale handle then sees zeros, which no handle matches. What must
// outlive the pages, the generation the chunk starts from next time, is kept beside. One empty chunk a shard is kept,
// so a table at the edge of a chunk does not go back and forth.
//
// Free slots are used first in, first out, and fresh ones before those: lives are spread evenly, and the 2^28
// generations of a chunk last for 2^41 additions. A chunk with a used-up slot is closed for ever once it has emptied.
//
// ## Threads
//
// All functions may be called from any thread, but for register_*, which come before the first add() of that kind.
// check, peek and pin take no lock. add and the last unpin take the lock of a shard: each chunk belongs to one, a
// thread adds to its own (thread_index.h) and to another's only when no chunk is left. Destroyers and visitors run with
// no lock held, and may use the table.
//
// ## Listing an owner's handles
//
// for_each_owned() walks the owners' array, four bytes a slot: 0.4 ms for a million handles, whoever has them. A doubly
// linked list for each owner would make the walk proportional to the owner, but it costs eight bytes a handle, a lock
// that all threads of an owner share, and 30 ns in each handle's life (measured: 4 to 20 to link, 15 to 20 to unlink).
// The million would pay 30 ms to save 0.4, and a walk happens once in an owner's life.
//
// Rejected: pointers with a magic word (dangling ones are read before they are refused); a hash table (two cache
// misses); hazard pointers instead of pins (a pin must be able to outlive its thread's call, and be handed to another
// thread).
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/reservation.h"
#include "base/result.h"

namespace turnpike {

enum class Handle : std::uint64_t { kNone = 0 };
enum class HandleTag : std::uint8_t {};              // 1 … 254
enum class OwnerId : std::uint32_t { kNobody = 0 };  // who answers for a handle; the user gives the numbers

constexpr HandleTag tag_of(Handle handle) {
  return HandleTag(static_cast<std::uint8_t>(static_cast<std::uint64_t>(handle) >> 56));
}

// To be specialised for each type that has handles, with a `tag` and a `name` (see the top of this file).
template <class T>
struct HandleKind;

// Live handles by tag: what tests compare before and after, and what names a leak.
struct Census {
  std::array<std::uint64_t, 256> by_tag{};
  std::uint64_t total() const noexcept;
  std::uint64_t of(HandleTag tag) const noexcept { return by_tag[static_cast<std::size_t>(tag)]; }
  friend bool operator==(const Census&, const Census&) = default;
};

struct HandleCounts {
  std::uint64_t created = 0;    // since the table was made
  std::uint64_t destroyed = 0;  // destroyers that have returned
  std::uint64_t in_use = 0;     // created and not destroyed: live ones, and removed ones that are still pinned
  std::uint64_t peak = 0;       // the most ever in use: the sum of the shards' peaks, so never below the truth
  std::uint64_t retired = 0;    // slots that have used their last generation
  std::uint64_t chunks = 0;     // chunks that hold memory
};

struct HandleTableOptions {
  std::uint32_t capacity = 1U << 26;   // handles at one time, 1 to 2^28
  std::uint32_t first_generation = 1;  // 1 to 2^28 - 1; tests begin near the end
  std::uint32_t shards = 16;           // 1 to 256
};

class HandleTable;

namespace detail {

struct HandleSlot {
  std::atomic<std::uint64_t> state;
  std::atomic<void*> object;
};
static_assert(sizeof(HandleSlot) == 16);

inline constexpr int kHandleIndexBits = 28;
inline constexpr int kHandleTagShift = 56;
inline constexpr std::uint64_t kHandleIndexMask = (1ULL << kHandleIndexBits) - 1;
inline constexpr int kClosingShift = 27;
inline constexpr std::uint64_t kClosing = 1ULL << kClosingShift;
inline constexpr std::uint64_t kAwaited = 1ULL << 26;
inline constexpr std::uint64_t kPinMask = kAwaited - 1;

// Tag and generation agree, and the handle is not being removed.
constexpr bool is_live(std::uint64_t state, std::uint64_t handle) noexcept {
  return ((state ^ (handle & ~kHandleIndexMask)) >> kClosingShift) == 0;
}

}  // namespace detail

// Keeps an object alive. Empty when made from a bad handle, moved from, or released. Pins nest, may move to another
// thread, and must not outlive the table.
template <class T>
class [[nodiscard]] Pin {
 public:
  Pin() = default;
  Pin(Pin&& other) noexcept
      : table_(other.table_), slot_(other.slot_), object_(std::exchange(other.object_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    if (this != &other) {
      release();
      table_ = other.table_;
      slot_ = other.slot_;
      object_ = std::exchange(other.object_, nullptr);
    }
    return *this;
  }
  ~Pin() { release(); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }

  // Lets go early; an empty pin stays empty. The last pin of a removed handle runs the destroyer, here.
  inline void release() noexcept;

 private:
  friend class HandleTable;
  Pin(HandleTable* table, detail::HandleSlot* slot, T* object) : table_(table), slot_(slot), object_(object) {}

  HandleTable* table_ = nullptr;
  detail::HandleSlot* slot_ = nullptr;
  T* object_ = nullptr;
};

class HandleTable {
 public:
  static constexpr std::uint32_t kMaxCapacity = 1U << detail::kHandleIndexBits;
  static constexpr std::uint32_t kLastGeneration = (1U << 28) - 1;
  static constexpr std::uint32_t kMaxPins = detail::kPinMask;

  using Destroyer = std::function<void(void* object)>;

  // An option out of range: kInvalidArgument. No address space left: kExhausted.
  static Result<std::unique_ptr<HandleTable>> create(const HandleTableOptions& options = {});

  // Destroys what is still live, whoever owns it. No pin may be left and no call be running, release() included:
  // remove_and_wait() returns as soon as the object is gone, a moment before the one who let it go has left the table.
  ~HandleTable();
  HandleTable(const HandleTable&) = delete;
  HandleTable& operator=(const HandleTable&) = delete;

  // Gives a tag its name (a string literal) and its destroyer, which runs once for each handle, on the thread that
  // drops the last pin, and must not throw. Tag 0 or 255, no name, no destroyer: kInvalidArgument. Registered before:
  // kAlreadyExists.
  Result<void> register_tag(HandleTag tag, const char* name, Destroyer destroy);
  template <class T, class F>
  Result<void> register_kind(F destroy) {
    static_assert(HandleKind<T>::tag > HandleTag{0} && HandleKind<T>::tag < HandleTag{255});
    return register_tag(HandleKind<T>::tag, HandleKind<T>::name,
                        [destroy = std::move(destroy)](void* object) { destroy(*static_cast<T*>(object)); });
  }

  // "unknown" for a tag that nobody has registered.
  const char* name_of(HandleTag tag) const noexcept;

  // A new handle for `object`. From here on the table decides when it dies. A tag that nobody has registered, no
  // object: kInvalidArgument. Every slot in use or retired, or no memory: kExhausted. On failure the object stays the
  // caller's.
  Result<Handle> add(HandleTag tag, void* object, OwnerId owner);
  template <class T>
  Result<Handle> add(T& object, OwnerId owner) {
    return add(HandleKind<T>::tag, &object, owner);
  }

  // Whether the handle is live, of any kind or of kind T. Another thread may remove it the moment after.
  bool check(Handle handle) const noexcept;
  template <class T>
  bool check(Handle handle) const noexcept {
    return tag_of(handle) == HandleKind<T>::tag && check(handle);
  }

  // The object without a pin: for callers who know that it cannot die meanwhile (an Epoch, a lock of their own). Null
  // for a handle that is null, stale, out of range or of another kind.
  template <class T>
  T* peek(Handle handle) const noexcept;

  // The object, pinned. Empty: the handle is null, stale, out of range, of another kind, or pinned kMaxPins times.
  template <class T>
  Pin<T> pin(Handle handle) noexcept {
    return pin_tagged<T>(handle, HandleKind<T>::tag);
  }

  // The same where several tags name objects of one type: `tag` is the one to accept, and it was added as a T. Tag 0
  // names nothing.
  template <class T>
  Pin<T> pin_tagged(Handle handle, HandleTag tag) noexcept;

  // Refuses the handle from now on, and destroys the object: now, or when its last pin goes. A handle that is null,
  // stale, out of range, of another kind, or removed already: kInvalidHandle, so of many that remove it at once just
  // one succeeds.
  Result<void> remove(Handle handle) noexcept { return close(handle, 0); }
  template <class T>
  Result<void> remove(Handle handle) noexcept {
    return tag_of(handle) == HandleKind<T>::tag ? remove(handle) : wrong_handle();
  }

  // The same, and returns when nobody else uses the object any more: when the destroyer has returned, or, for a caller
  // who holds pins on it himself and says how many (`own_pins`), when only those are left; the object then dies with
  // the last of them. A caller who holds a pin and does not say so waits for himself, for ever.
  Result<void> remove_and_wait(Handle handle, std::uint32_t own_pins = 0) noexcept;

  // Calls visit(Handle) for each live handle of the owner. What others add or remove meanwhile is seen or not seen;
  // visit may remove.
  template <class F>
  void for_each_owned(OwnerId owner, F&& visit) const;

  // What is live, of everybody or of one owner. A walk; exact when nobody adds or removes meanwhile.
  Census census() const;
  Census census(OwnerId owner) const;

  // "2 route, 1 enumeration"; "nothing" for an empty census.
  std::string describe(const Census& census) const;

  HandleCounts counts() const;

 private:
  template <class>
  friend class Pin;

  static constexpr std::uint32_t kChunkSlots = 8192;  // slots and owners fill whole pages of 4, 16 and 64 KiB
  static constexpr std::uint32_t kNoChunk = ~0U;

  struct Chunk;
  struct Shard;
  struct Tag {
    std::atomic<const char*> name{nullptr};  // set last: who sees it sees the destroyer
    Destroyer destroy;
  };

  explicit HandleTable(const HandleTableOptions& options);
  Result<void> reserve();
  static Failure wrong_handle() {
    return fail(ErrorKind::kInvalidHandle, "the handle is null, stale or of another kind");
  }

  detail::HandleSlot* slot_of(std::uint64_t handle) const noexcept {
    const std::uint64_t index = handle & detail::kHandleIndexMask;
    return index < open_slots_.load(std::memory_order_acquire) ? slots_ + index : nullptr;
  }
  static bool take_pin(detail::HandleSlot& slot, std::uint64_t handle) noexcept;
  void drop_pin(detail::HandleSlot& slot) noexcept {
    const std::uint64_t before = slot.state.fetch_sub(1, std::memory_order_acq_rel);
    if ((before & detail::kClosing) != 0) [[unlikely]] {
      drop_pin_of_removed(slot, before - 1);
    }
  }
  void drop_pin_of_removed(detail::HandleSlot& slot, std::uint64_t state) noexcept;

  Result<void> close(Handle handle, std::uint64_t more_bits) noexcept;
  void finish(detail::HandleSlot& slot, std::uint64_t state) noexcept;
  void wake_waiters() noexcept;

  std::uint32_t take_slot() noexcept;
  std::uint32_t take_slot_of(Shard& shard, bool may_grow) noexcept;
  void free_slot(std::uint32_t index, std::uint32_t generation) noexcept;
  void append_free(Chunk& chunk, std::uint32_t index) noexcept;
  bool open_chunk_for(Shard& shard) noexcept;
  void close_chunk(Chunk& chunk) noexcept;
  void link(Shard& shard, Chunk& chunk) noexcept;
  void unlink(Shard& shard, Chunk& chunk) noexcept;

  std::uint32_t used_slots_of(std::uint32_t chunk) const noexcept;
  Handle live_handle(std::uint32_t index) const noexcept;
  template <class F>
  void walk(F&& visit) const;

  const HandleTableOptions options_;
  detail::HandleSlot* slots_ = nullptr;
  std::atomic<std::uint32_t>* owners_ = nullptr;  // of a live slot its owner, of a free one the next free slot
  Chunk* chunks_ = nullptr;
  std::atomic<std::uint32_t> open_slots_{0};  // slots below it may be touched

  Reservation slot_memory_;
  Reservation owner_memory_;
  Reservation chunk_memory_;
  std::unique_ptr<Shard[]> shards_;
  std::array<Tag, 256> tags_;

  mutable std::mutex pool_mutex_;  // chunks that belong to no shard; taken within a shard's lock
  std::uint32_t pool_ = kNoChunk;  // the first of the chunks that were given back
  std::uint64_t chunks_in_use_ = 0;
  std::mutex wait_mutex_;  // remove_and_wait() alone
  std::condition_variable wait_condition_;
};

inline bool HandleTable::check(Handle handle) const noexcept {
  const auto number = static_cast<std::uint64_t>(handle);
  const detail::HandleSlot* slot = slot_of(number);
  return slot != nullptr && (number >> detail::kHandleTagShift) != 0 &&
         detail::is_live(slot->state.load(std::memory_order_acquire), number);
}

template <class T>
T* HandleTable::peek(Handle handle) const noexcept {
  const auto number = static_cast<std::uint64_t>(handle);
  const detail::HandleSlot* slot = slot_of(number);
  if (slot == nullptr || tag_of(handle) != HandleKind<T>::tag ||
      !detail::is_live(slot->state.load(std::memory_order_acquire), number)) {
    return nullptr;
  }
  // The slot may have begun another life in between: whoever sees that life's object also sees its state.
  void* object = slot->object.load(std::memory_order_acquire);
  return detail::is_live(slot->state.load(std::memory_order_relaxed), number) ? static_cast<T*>(object) : nullptr;
}

inline bool HandleTable::take_pin(detail::HandleSlot& slot, std::uint64_t handle) noexcept {
  std::uint64_t state = slot.state.load(std::memory_order_relaxed);
  do {
    if (!detail::is_live(state, handle) || (state & detail::kPinMask) == kMaxPins) {
      return false;
    }
  } while (!slot.state.compare_exchange_weak(state, state + 1, std::memory_order_acquire, std::memory_order_relaxed));
  return true;
}

template <class T>
Pin<T> HandleTable::pin_tagged(Handle handle, HandleTag tag) noexcept {
  const auto number = static_cast<std::uint64_t>(handle);
  detail::HandleSlot* slot = slot_of(number);
  if (slot == nullptr || tag == HandleTag{0} || tag_of(handle) != tag || !take_pin(*slot, number)) {
    return {};
  }
  return Pin<T>(this, slot, static_cast<T*>(slot->object.load(std::memory_order_relaxed)));
}

template <class T>
inline void Pin<T>::release() noexcept {
  if (object_ != nullptr) {
    object_ = nullptr;
    table_->drop_pin(*slot_);
  }
}

template <class F>
void HandleTable::walk(F&& visit) const {
  const std::uint32_t end = open_slots_.load(std::memory_order_acquire);
  for (std::uint32_t begin = 0; begin < end; begin += kChunkSlots) {
    const std::uint32_t used = used_slots_of(begin / kChunkSlots);
    for (std::uint32_t index = begin; index < begin + used; ++index) {
      visit(index);
    }
  }
}

template <class F>
void HandleTable::for_each_owned(OwnerId owner, F&& visit) const {
  walk([&](std::uint32_t index) {
    if (owners_[index].load(std::memory_order_relaxed) != static_cast<std::uint32_t>(owner)) {
      return;
    }
    const Handle handle = live_handle(index);  // then the owner again: the slot may have changed lives in between
    if (handle != Handle::kNone &&
        owners_[index].load(std::memory_order_acquire) == static_cast<std::uint32_t>(owner) && check(handle)) {
      visit(handle);
    }
  });
}

}  // namespace turnpike
