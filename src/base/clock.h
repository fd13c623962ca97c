// Time, as a port: whoever needs it is given a Clock, so a test turns the clock where it would have to wait.
//
// Two kinds of time that the compiler keeps apart: MonotonicTime only moves forward and is for distances and deadlines,
// WallTime is what people read and may jump. Both count nanoseconds, and so reach 292 years.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace turnpike {

using Duration = std::chrono::nanoseconds;

struct MonotonicTag {};
struct WallTag {};
using MonotonicTime = std::chrono::time_point<MonotonicTag, Duration>;  // since some moment before the process began
using WallTime = std::chrono::time_point<WallTag, Duration>;            // since 1970-01-01T00:00:00Z

// `time + delay`, or the end of time where that would overflow: a deadline that is never reached. A negative delay
// counts as none.
constexpr MonotonicTime later(MonotonicTime time, Duration delay) {
  const Duration wait = delay < Duration::zero() ? Duration::zero() : delay;
  const bool fits = time < MonotonicTime{} || wait <= MonotonicTime::max() - time;
  return fits ? time + wait : MonotonicTime::max();
}

// Is told that a clock was turned. clock_turned() runs on the thread that turns it, while the clock's observers
// may not change: it wakes somebody, and returns.
class ClockObserver {
 public:
  virtual void clock_turned() noexcept = 0;

 protected:
  ~ClockObserver() = default;
};

// All functions may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual MonotonicTime now() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;

  // How long a thread may sleep, really, until this clock shows `deadline` if nobody turns it: 0 when it does already,
  // Duration::max() for a clock that moves only by being turned.
  virtual Duration real_delay_until(MonotonicTime deadline) const noexcept = 0;

  // From now on the observer is told when the clock is turned; after unobserve() has returned it is told no more, and
  // no call is running. Once added, adding it again changes nothing, nor does removing one that was never added.
  virtual void observe(ClockObserver& observer) = 0;
  virtual void unobserve(ClockObserver& observer) noexcept = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME. Nobody turns it, so observers are never called.
Clock& system_clock() noexcept;

// Stands still until it is turned.
class TestClock final : public Clock {
 public:
  static constexpr MonotonicTime kStart{std::chrono::hours(1)};  // not 0: time and delay shall not look alike
  static constexpr WallTime kStartOfWall{std::chrono::seconds(1767225600)};  // 2026-01-01T00:00:00Z

  MonotonicTime now() const noexcept override;
  WallTime wall() const noexcept override;
  Duration real_delay_until(MonotonicTime deadline) const noexcept override;
  void observe(ClockObserver& observer) override;
  void unobserve(ClockObserver& observer) noexcept override;

  // Turns both times forward and tells the observers. Backwards, or beyond the end of time: kInvalidArgument, and
  // nothing moves.
  Result<void> advance(Duration by);

  // Sets the wall alone, as an administrator or NTP does; forwards or backwards.
  void set_wall(WallTime wall);

 private:
  void tell_observers();

  std::atomic<Duration::rep> now_{kStart.time_since_epoch().count()};
  std::atomic<Duration::rep> wall_{kStartOfWall.time_since_epoch().count()};
  std::mutex turn_mutex_;
  std::mutex observers_mutex_;
  std::vector<ClockObserver*> observers_;
};

}  // namespace turnpike
