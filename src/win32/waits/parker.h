// Where one thread sleeps, and the token that wakes it.
//
// A token given to a thread that does not sleep yet is kept, so no wake-up is lost; tokens do not add up. A thread may
// find a stale token, left by somebody who decided to wake it just when it woke for another reason: so park() can
// return for nothing, and its caller looks again at what it waits for.
//
// Parkers are never given back to the allocator, only to a list of free ones. That is what allows to wake a thread
// after the last lock was left: by then it may have ended, and the token goes to whoever uses the parker now, as a
// stale one.
#pragma once

#include "base/futex.h"

namespace turnpike::win32 {

class Parker {
 public:
  static Parker& take_one();
  void give_back();

  // Sleeps until there is a token, which it eats, or until the deadline. Says whether there was a token.
  bool park(Deadline deadline);

  void unpark();

 private:
  static constexpr std::uint32_t kEmpty = 0, kToken = 1, kAsleep = 2;

  Parker() = default;

  std::atomic<std::uint32_t> word_{kEmpty};
  Parker* next_free_ = nullptr;
};

}  // namespace turnpike::win32
