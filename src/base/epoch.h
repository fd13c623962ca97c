// Reading without writing to what is shared: a reader says that he reads, and nothing that he may see is freed
// meanwhile.
//
//   {
//     const Epoch::Reader reading(epoch);                       // three stores to this thread's own cache line
//     if (Entity* entity = table.peek<Entity>(handle)) look(*entity);
//   }
//   … elsewhere, when the entity can no longer be found:
//   epoch.retire(std::move(entity));                            // freed when every reader of now has left
//   epoch.collect();                                            // at a place where no lock is held
//
// ## How it works
//
// A counter, the epoch, only rises. Each thread has a slot of its own (thread_index.h), in which a reader notes the
// epoch he entered at, and 0 when he leaves. What is retired is stamped with the epoch of that moment. A collector
// raises the epoch and looks at the slots: what was stamped before the oldest reader entered can be seen by nobody.
//
// A reader's note must be visible before he reads anything, which on every machine takes a full barrier, some 20
// cycles, at each entry. Instead the collector, who comes rarely, makes the kernel run a barrier on every CPU where
// this process runs (membarrier(2), a microsecond or two); a reader only keeps the compiler from moving his loads. Each
// reader then either had noted his entry before that barrier, so the collector sees it, or begins to read after it, so
// that he can no longer find what was retired before. Where the kernel has no membarrier, readers do the barrier
// themselves.
//
// ## Rules
//
// A reader does not block, and never waits for a thread that may synchronize(). Readers nest. A Reader is a local
// variable: it ends on the thread that it began on, and before the thread gives back its number. Objects are retired
// after they can no longer be found, and any thread may do it, also as a reader. Nothing is freed from inside retire():
// callbacks run in collect() and synchronize(), on the caller's thread, in the order of retirement, with no lock held;
// they may retire more.
//
// Threads need not be announced. Those beyond `max_threads`, and thread-local destructors that run after the thread
// gave back its number, read under a lock instead: slow, and right.
//
// Rejected: reference counts striped over CPUs (two atomic operations a look-up, and a sum that is never exact); hazard
// pointers (a store for each object on the way, where a walk through a trie meets dozens); quiescent states
// that each thread reports (threads here are our users', they report nothing).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "base/reservation.h"
#include "base/result.h"
#include "base/thread_index.h"

namespace turnpike {

struct EpochOptions {
  std::uint32_t max_threads = kMaxThreadIndex;  // threads with a slot of their own, 0 to kMaxThreadIndex
  bool use_membarrier = true;                   // false, or a kernel without it: readers pay for the barrier
};

class Epoch {
 public:
  class Reader;
  using Reclaim = void (*)(void* object, void* context);

  // An option out of range: kInvalidArgument. No memory for the slots: kExhausted.
  static Result<std::unique_ptr<Epoch>> create(const EpochOptions& options = {});

  // Runs what is still waiting. No reader may be left, not even one whose destructor is still running: synchronize()
  // waits for what readers see, and not for their last instruction.
  ~Epoch();
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  // reclaim(object, context) will run once, when no reader of now is left. It must not throw. Null `reclaim`: does
  // nothing. No memory: std::bad_alloc, since nobody could go on without knowing; the object stays the caller's.
  void retire(void* object, Reclaim reclaim, void* context = nullptr);
  template <class T>
  void retire(std::unique_ptr<T> object) {
    if (object != nullptr) {
      retire(object.get(), [](void* old, void*) { std::unique_ptr<T>(static_cast<T*>(old)).reset(); });
      static_cast<void>(object.release());
    }
  }

  // Runs what no reader can see any more, without waiting or allocating; says how many. Does nothing when fewer than
  // `at_least` are waiting, or somebody collects already.
  std::size_t collect(std::size_t at_least = 1);

  // Waits until every reader of now has left, then runs everything that was retired before the call; what another
  // thread had begun to run is finished too. From inside a reader or a callback, which would wait for itself: kBusy.
  // The kernel refuses the barrier that it granted at first (a seccomp filter that came later): kKernel, and from then
  // on nothing is freed any more, by anybody, because what readers see cannot be known.
  Result<void> synchronize();

  // Retired, and not yet begun to run.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> entered;  // the epoch its reader entered at, 0: none
    std::atomic<bool> awaited;           // synchronize() sleeps until this reader leaves
    std::uint32_t depth;                 // of nested readers; the thread's own
  };
  struct Retired {
    void* object;
    Reclaim reclaim;
    void* context;
    std::uint64_t epoch;
  };

  explicit Epoch(const EpochOptions& options) : slot_count_(options.max_threads) {}

  inline Slot* enter() noexcept;
  inline void leave(Slot* slot) noexcept;
  void enter_crowd() noexcept;
  void leave_crowd() noexcept;
  void wake() noexcept;

  inline void light_barrier() const noexcept;
  bool heavy_barrier() const noexcept;
  static void full_fence() noexcept;

  bool is_reading() noexcept;
  std::uint64_t oldest_reader(std::uint64_t now) noexcept;
  void wait_for_readers(std::uint64_t now) noexcept;
  void wait_for(Slot& slot, std::uint64_t now) noexcept;
  std::uint64_t begin_turn() noexcept;
  std::size_t take_before(std::uint64_t limit, std::span<Retired> out) noexcept;
  std::size_t run_before(std::uint64_t limit) noexcept;

  Slot* slots_ = nullptr;
  std::uint32_t slot_count_;
  bool membarrier_ = false;
  std::atomic<std::uint64_t> epoch_{
      1};  // raised under mutex_, so that whoever sees a new one sees what was retired before

  alignas(64) std::mutex mutex_;  // what follows, and the raising of the epoch
  std::condition_variable turn_;
  std::deque<Retired> retired_;  // their epochs do not fall
  std::atomic<std::size_t> waiting_{0};
  bool collecting_ = false;  // one collects at a time
  std::thread::id collector_;

  std::mutex wait_mutex_;  // synchronize() asleep
  std::condition_variable reader_left_;

  std::recursive_mutex crowd_;  // readers without a slot hold it
  std::uint32_t crowd_depth_ = 0;

  Reservation memory_;
};

// While one lives, nothing is freed that could be found when it began.
class [[nodiscard]] Epoch::Reader {
 public:
  explicit Reader(Epoch& epoch) noexcept : epoch_(epoch), slot_(epoch.enter()) {}
  ~Reader() { epoch_.leave(slot_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  Epoch& epoch_;
  Slot* slot_;  // null: one of the crowd
};

inline void Epoch::light_barrier() const noexcept {
  if (membarrier_) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    full_fence();
  }
}

inline Epoch::Slot* Epoch::enter() noexcept {
  const std::uint32_t index = thread_index();
  if (index >= slot_count_) [[unlikely]] {
    enter_crowd();
    return nullptr;
  }
  Slot& slot = slots_[index];
  if (slot.depth++ == 0) {
    // Release: a collector who sees this entry has seen the end of the thread's last reading.
    slot.entered.store(epoch_.load(std::memory_order_acquire), std::memory_order_release);
    light_barrier();
  }
  return &slot;
}

inline void Epoch::leave(Slot* slot) noexcept {
  if (slot == nullptr) [[unlikely]] {
    leave_crowd();
  } else if (--slot->depth == 0) {
    slot->entered.store(0, std::memory_order_release);
    light_barrier();
    if (slot->awaited.load(std::memory_order_relaxed)) [[unlikely]] {
      wake();
    }
  }
}

}  // namespace turnpike
