// A mutex of one word, for sections of a few dozen instructions that neither block nor call out.
//
// Why not std::mutex: one lies in each waitable object of win32, where 4 bytes against 40 count; and a wait for all
// objects locks many of them in the order of the caller's array, which is safe for the reason that waitable.cpp gives,
// but which a checker of lock orders, knowing nothing of that reason, would report.
#pragma once

#include "base/futex.h"

#include <mutex>

namespace turnpike {

class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void lock() {
    if (!try_lock()) {
      lock_contended();
    }
  }

  bool try_lock() {
    std::uint32_t state = kFree;
    return state_.compare_exchange_strong(state, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
  }

  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kHeldAndWanted) {
      futex_wake_one(state_);
    }
  }

 private:
  static constexpr std::uint32_t kFree = 0, kHeld = 1, kHeldAndWanted = 2;
  static constexpr int kSpins = 64;  // about the length of the sections it guards

  void lock_contended() {
    for (int spin = 0; spin < kSpins; ++spin) {
      std::uint32_t state = kFree;
      if (state_.load(std::memory_order_relaxed) == kFree &&
          state_.compare_exchange_weak(state, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) {
        return;
      }
    }
    while (state_.exchange(kHeldAndWanted, std::memory_order_acquire) != kFree) {
      futex_wait(state_, kHeldAndWanted);
    }
  }

  std::atomic<std::uint32_t> state_{kFree};
};

}  // namespace turnpike
