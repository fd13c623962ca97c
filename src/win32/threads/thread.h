// A thread as the shim knows it: what it waits in, what was queued for it, what it owns. Made by CreateThread, or at
// the first question of a thread that somebody else made; ends with the thread, in both cases.
#pragma once

#include <optional>
#include <vector>

#include "win32/waits/waitable.h"

namespace turnpike::win32 {

class Mutex;

// A call that another thread asked this one to make, when it next waits alertably.
struct Apc {
  void (*run)(const Apc& apc) = nullptr;
  void* function = nullptr;  // the client's, and its arguments
  std::uintptr_t arguments[4] = {};
  const void* origin = nullptr;  // who may take it back: drop_apcs()
};

class Thread final : public Waitable {
 public:
  static constexpr Kind kKind = Kind::kThread;
  static constexpr std::uint32_t kStillActive = 259;

  // The calling thread.
  static Thread& current();

  // The record of no thread: for waits that need not say who takes an object.
  static Thread& nobody();

  // For CreateThread: the record of a thread that does not run yet, and what that thread says first; with it the thread
  // takes over a reference.
  static Ref<Thread> make_unstarted();
  void begin_on_this_thread();

  // A suspended thread waits for its start; start() says whether it was suspended, 1 or 0.
  void suspend_before_start() { suspended_.store(1, std::memory_order_relaxed); }
  void wait_for_start();
  std::uint32_t start();

  std::uint32_t id() const;  // waits until the thread has begun
  Parker& parker() { return parker_; }

  std::uint32_t exit_code() const { return exit_code_.load(std::memory_order_acquire); }
  void set_exit_code(std::uint32_t code) { exit_code_to_be_ = code; }  // by the thread itself

  bool stays_signalled() const override { return true; }

  // False where the thread has ended. std::bad_alloc: not queued.
  bool queue_apc(const Apc& apc);

  // Room for a call that is to come whatever happens to memory: std::bad_alloc comes now, not then. See PromisedApc.
  void keep_room_for_apc();
  void give_up_room_for_apc();
  void queue_apc_into_room(const Apc& apc);

  // Takes back what `origin` has queued and the thread has not begun. Says whether there was anything.
  bool drop_apcs(const void* origin);

  // Runs what is queued for this thread, including what that queues in turn. False where there was nothing.
  bool run_apcs();

  // Between these two an APC ends `wait`.
  void begin_alertable(Wait& wait);
  void end_alertable();

  // Mutexes that it owns: abandoned when it ends.
  void now_owns(Mutex& mutex);
  void owns_no_more(Mutex& mutex);

  // The thread's variable of that index (TlsAlloc), null at first in each life of the index.
  void* variable(std::uint32_t index, std::uint32_t life) const;
  void set_variable(std::uint32_t index, std::uint32_t life, void* value);

  std::atomic<int> priority{0};

 private:
  Thread();
  ~Thread() override;

  bool is_signalled_for(const Thread*) const override { return ended_; }
  bool take(Thread&) override { return false; }

  friend void end_of_thread(void* record);
  void end();
  void abandon_mutexes();
  std::optional<Apc> next_apc();
  void make_room(std::size_t more);
  bool append(const Apc& apc);

  Parker& parker_;
  std::atomic<std::uint32_t> id_{0};
  std::atomic<std::uint32_t> suspended_{0};
  std::atomic<std::uint32_t> exit_code_{kStillActive};
  std::uint32_t exit_code_to_be_ = 0;
  bool ended_ = false;  // guarded by the waitable's lock

  ShortLock apc_lock_;     // a leaf: nothing is locked under it
  std::vector<Apc> apcs_;  // a few at most; an empty one needs no memory
  std::size_t rooms_ = 0;  // for so many more there is memory
  Wait* alertable_wait_ = nullptr;
  bool takes_apcs_ = true;

  ShortLock mutexes_lock_;  // a leaf
  Mutex* first_mutex_ = nullptr;

  struct Variable {
    void* value = nullptr;
    std::uint32_t life = 0;
  };
  std::vector<Variable> variables_;  // its own thread's alone
};

// A call that somebody will want to queue later and cannot do without. Made where running out of memory can still be
// told; a promise that is not used is given back.
class PromisedApc {
 public:
  explicit PromisedApc(Ref<Thread> thread) : thread_(std::move(thread)) { thread_->keep_room_for_apc(); }
  PromisedApc(const PromisedApc&) = delete;
  PromisedApc& operator=(const PromisedApc&) = delete;
  ~PromisedApc() {
    if (thread_) {
      thread_->give_up_room_for_apc();
    }
  }

  void queue(const Apc& apc) { std::exchange(thread_, {})->queue_apc_into_room(apc); }

 private:
  Ref<Thread> thread_;
};

}  // namespace turnpike::win32
