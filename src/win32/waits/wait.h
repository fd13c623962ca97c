// A thread that waits: for one object of some, for all of some, or for nothing but time and calls from other threads.
#pragma once

#include <span>

#include "win32/waits/waitable.h"

namespace turnpike::win32 {

// How long to wait, in the documented milliseconds: 0 looks and does not wait, 0xFFFFFFFF (INFINITE) is for ever.
class Patience {
 public:
  explicit Patience(std::uint32_t milliseconds) : milliseconds_(milliseconds) {}
  static Patience endless() { return Patience(UINT32_MAX); }

  bool is_none() const { return milliseconds_ == 0; }
  bool is_endless() const { return milliseconds_ == UINT32_MAX; }
  std::uint32_t milliseconds() const { return milliseconds_; }
  Deadline from_now() const { return deadline_in(milliseconds_); }  // reads the clock: only when it has come to waiting

 private:
  std::uint32_t milliseconds_;
};

// 1 to kMostWaitables objects, which the caller keeps alive. For all: no object twice.
Verdict wait_for_any(std::span<Waitable* const> objects, Patience patience, bool alertable);
Verdict wait_for_all(std::span<Waitable* const> objects, Patience patience, bool alertable);
Verdict sleep_for(Patience patience, bool alertable);

inline Verdict wait_for_one(Waitable& object, Patience patience, bool alertable = false) {
  Waitable* const objects[] = {&object};
  return wait_for_any(objects, patience, alertable);
}

}  // namespace turnpike::win32
