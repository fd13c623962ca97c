// The level (IRQL) of the calling thread.
#pragma once

#include <wdm.h>

namespace turnpike::win32 {

KIRQL current_level() noexcept;
KIRQL set_level(KIRQL next) noexcept;  // what it was

// For as long as it lives, the thread is at DISPATCH_LEVEL: callbacks of timers.
class AtDispatchLevel {
 public:
  AtDispatchLevel() : before_(set_level(DISPATCH_LEVEL)) {}
  ~AtDispatchLevel() { set_level(before_); }
  AtDispatchLevel(const AtDispatchLevel&) = delete;
  AtDispatchLevel& operator=(const AtDispatchLevel&) = delete;

 private:
  const KIRQL before_;
};

}  // namespace turnpike::win32
