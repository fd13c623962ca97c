// When frames came, as a driver of NDIS 6 asks for it: on the scale of KeQueryPerformanceCounter, which is that of what
// a miniport stamps by software. Adapters tell it by the wall clock.
#pragma once

#include <wdm.h>

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace turnpike::capi {

// How far the two clocks are apart is asked once for every second in which frames come: nobody changes it but who sets
// the wall clock. What was known stays unless it clearly is something else now, so that moments do not go back and
// forth by what asking is inexact.
class FrameTimes {
 public:
  // For frames that came about then.
  explicit FrameTimes(WallTime about) {
    const std::int64_t at = nanoseconds(about);
    if (at != 0 && (at < asked_at || at - asked_at > kSecond)) {
      ask();
      asked_at = at;
    }
    ahead_ = known_ahead;
  }

  // 0: nobody has said.
  [[nodiscard]] ULONG64 of(WallTime received) const {
    const std::int64_t at = nanoseconds(received);
    return at != 0 && at + ahead_ > 0 ? static_cast<ULONG64>(at + ahead_) / kTick : 0;
  }

 private:
  static constexpr std::int64_t kTick = 100;
  static constexpr std::int64_t kSecond = 1'000'000'000;
  static constexpr std::int64_t kInexact = 2'000;

  static std::int64_t nanoseconds(WallTime time) { return time.time_since_epoch().count(); }
  static std::int64_t counter() { return KeQueryPerformanceCounter(nullptr).QuadPart * kTick; }

  // The wall clock's moment lies between two of the counter's, close together unless the thread was put aside.
  static void ask() {
    std::int64_t between = std::numeric_limits<std::int64_t>::max();
    std::int64_t ahead = 0;
    for (int tries = 0; tries < 4 && between > kInexact; ++tries) {
      const std::int64_t before = counter();
      const std::int64_t wall = nanoseconds(system_clock().wall());
      const std::int64_t after = counter();
      if (after - before < between) {
        between = after - before;
        ahead = before + between / 2 - wall;
      }
    }
    if (ahead - known_ahead > kInexact || known_ahead - ahead > kInexact) {
      known_ahead = ahead;
    }
  }

  // Of an adapter's thread, mostly: how far the counter is ahead of the wall clock, in nanoseconds, and when the frame
  // came for which that was asked.
  static inline constinit thread_local std::int64_t known_ahead = 0, asked_at = 0;
  std::int64_t ahead_ = 0;
};

}  // namespace turnpike::capi
