// What can be waited on, and what waits. The essay is in waitable.cpp.
#pragma once

#include <span>

#include "base/short_lock.h"
#include "win32/waits/object.h"
#include "win32/waits/parker.h"

namespace turnpike::win32 {

class Thread;
class Wait;
class Waitable;

// What a wait came to, in the numbers of the documented return values: 0–63 the object that ended it, 0x80 more where
// that was an abandoned mutex.
using Verdict = std::uint32_t;
inline constexpr Verdict kAbandoned = 0x80;
inline constexpr Verdict kInterrupted = 0xC0;  // WAIT_IO_COMPLETION
inline constexpr Verdict kTimedOut = 0x102;    // WAIT_TIMEOUT
inline constexpr std::size_t kMostWaitables = 64;

// The place of one object in one wait, and of that wait in the object's queue.
struct WaitBlock {
  Waitable* object = nullptr;
  Wait* wait = nullptr;
  Verdict index = 0;
  bool queued = false;  // guarded by the object's lock, as are the links
  WaitBlock* next = nullptr;
  WaitBlock* previous = nullptr;
};

// What is left to do once the lock is left: whom to wake, and whether workers must be found for what was queued.
class WakeList {
 public:
  WakeList() = default;
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;
  ~WakeList() {
    wake();
    if (afterwards_ != nullptr) {
      afterwards_();
    }
  }

  void afterwards(void (*call)()) { afterwards_ = call; }

  void add(Parker& parker) {
    if (count_ == kRoom) {
      wake();  // still under the lock, which is unkind but not wrong
    }
    parkers_[count_++] = &parker;
  }

 private:
  static constexpr std::size_t kRoom = 16;

  void wake() {
    while (count_ != 0) {
      parkers_[--count_]->unpark();
    }
  }

  Parker* parkers_[kRoom];
  std::size_t count_ = 0;
  void (*afterwards_)() = nullptr;
};

// Somebody who waits: a thread, or a registered wait. Ends exactly once, by whoever moves the verdict on from kWaiting.
class Wait {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  virtual ~Wait() = default;

  // Ends the wait for another reason than an object. False where it has ended already, or is being ended now.
  bool end_without_object(Verdict verdict) {
    Verdict expected = kWaiting;
    return verdict_.compare_exchange_strong(expected, verdict, std::memory_order_acq_rel);
  }

  // The thread for whom ownership of a mutex is taken.
  Thread& thread() const { return thread_; }

  // All objects at once, or any one of them.
  bool for_all() const { return !all_blocks_.empty(); }
  std::span<WaitBlock> all_blocks() const { return all_blocks_; }

 protected:
  friend class Waitable;

  static constexpr Verdict kWaiting = ~0U;
  static constexpr Verdict kBeingServed = ~0U - 1;

  explicit Wait(Thread& thread, std::span<WaitBlock> all_blocks = {}) : thread_(thread), all_blocks_(all_blocks) {}
  // Called under the lock of the object that ends the wait. Publishes the verdict, from which moment the waiter may be
  // gone, and says whom to wake, or queues a callback.
  virtual void served(Verdict verdict, WakeList& wakes) = 0;

  void publish(Verdict verdict) { verdict_.store(verdict, std::memory_order_release); }
  Verdict verdict() const { return verdict_.load(std::memory_order_acquire); }
  bool is_over() const { return verdict() < kBeingServed; }
  void start_again() { verdict_.store(kWaiting, std::memory_order_relaxed); }

 private:
  bool begin_serving() {
    Verdict expected = kWaiting;
    return verdict_.compare_exchange_strong(expected, kBeingServed, std::memory_order_acq_rel);
  }

  std::atomic<Verdict> verdict_{kWaiting};
  Thread& thread_;
  const std::span<WaitBlock> all_blocks_;  // empty: any
};

class Waitable : public Object {
 public:
  // Takes the object for `thread` if that is possible now. `abandoned` is set where it was an abandoned mutex.
  bool try_take(Thread& thread, bool& abandoned);

  // Puts a wait into the queue, or serves it at once if the object is ready. False where the wait has ended: then it is
  // not in the queue.
  bool enqueue(WaitBlock& block);

  // Takes a wait out of the queue, if it is still there.
  void remove(WaitBlock& block);

  // The same three for a wait for all objects of `blocks`; that no object is there twice is for the caller to find out.
  static bool try_take_all(std::span<WaitBlock> blocks, Thread& thread, bool& abandoned);
  static bool enqueue_all(std::span<WaitBlock> blocks);
  static void remove_all(std::span<WaitBlock> blocks);
  static bool has_twins(std::span<Waitable* const> objects);

  // SignalObjectAndWait: what SetEvent, ReleaseSemaphore or ReleaseMutex would do. 0, or the error that it would set.
  virtual std::uint32_t signal(Thread& thread);

  // Whether it is still signalled after somebody has taken it.
  virtual bool stays_signalled() const { return false; }

  // How many waits are queued: by this tests know that a thread has come to rest.
  std::size_t queue_length();

  // A descriptor that is readable while the object is signalled; it belongs to the object. -1 and errno on failure.
  int descriptor();

 protected:
  Waitable(Kind kind, bool signalled) : Object(kind), maybe_signalled_(signalled || kind == Kind::kMutex) {}
  ~Waitable() override;

  // What a kind of object answers, each under the lock.
  virtual bool is_signalled_for(const Thread* thread) const = 0;  // nullptr: for a thread that owns nothing
  virtual bool take(Thread& thread) = 0;                          // is signalled; true: it was an abandoned mutex

  // Runs `change`, which may make the object signalled, under the lock; then serves who waits, in the order of arrival,
  // and runs `after` before anybody else can see the object. Returns what `change` returned.
  template <class Change>
  auto update(Change change) {
    return update(change, [] {});
  }
  template <class Change, class After>
  auto update(Change change, After after) {
    WakeList wakes;  // outlives the locks: who is woken finds them free
    Locked locked(*this);
    const auto result = change();
    serve(wakes);
    after();
    note_state();
    return result;
  }

  // Runs `look` under the lock.
  template <class Look>
  auto inspect(Look look) {
    lock_.lock();
    const auto result = look();
    lock_.unlock();
    return result;
  }

 private:
  // The object's lock, and before it the lock of waits for all where somebody waits so.
  class Locked {
   public:
    explicit Locked(Waitable& object);
    ~Locked();
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

   private:
    Waitable& object_;
    bool with_all_ = false;
  };

  void serve(WakeList& wakes);
  void serve_one(WaitBlock& block, WakeList& wakes);
  void serve_all(Wait& wait, WakeList& wakes);
  static bool all_signalled(std::span<WaitBlock> blocks, const Thread& thread);
  static bool take_each(std::span<WaitBlock> blocks, Thread& thread);

  void link(WaitBlock& block);
  void unlink(WaitBlock& block);
  void note_state();
  void show_in_descriptor(bool signalled);

  ShortLock lock_;
  std::atomic<bool> maybe_signalled_;  // false only where no thread could take the object; written under the lock
  bool readable_ = false;              // what the descriptor shows
  int descriptor_ = -1;
  std::uint32_t waits_for_all_ = 0;  // of those in the queue
  WaitBlock* first_ = nullptr;
  WaitBlock* last_ = nullptr;
  std::uint64_t visit_ = 0;  // has_twins(); guarded by the lock of waits for all
};

}  // namespace turnpike::win32
