// Time as the shim sees it: one clock, and timers that run by it.
//
// Everything that waits for time goes through here: timer queues, waitable timers, the time-outs of registered waits,
// and, while a test holds the clock, those of waiting threads too. On the system's clock a waiting thread uses the
// kernel's own time-out, which is cheaper.
#pragma once

#include "base/clock.h"
#include "base/timers.h"

namespace turnpike::win32 {

// The clock in use: the system's, or a test's.
Clock& clock();
bool clock_is_turned_by_hand();

// The moment that lies `milliseconds` ahead.
MonotonicTime in_milliseconds(std::uint32_t milliseconds);

// Timers as base/timers.h has them, driven by a thread that the first one starts. arm_timer: kNone where that, or the
// timer, cannot be had.
TimerId arm_timer(MonotonicTime deadline, Timers::Callback callback);
Cancelled cancel_timer(TimerId id);
Cancelled cancel_timer_and_wait(TimerId id);

// A timer that belongs to an object and whose callback uses it, one at a time. Under the object's lock, but for wait().
class OwnTimer {
 public:
  // False where it cannot be had. The one before must have been cancelled, or be the caller.
  bool arm(MonotonicTime deadline, Timers::Callback callback);

  // A callback that has begun goes on: it must find out by itself that it is of yesterday.
  void cancel();

  // Cancels, and returns when no callback runs: for the object's destructor, without a lock.
  void wait();

 private:
  TimerId timer_ = TimerId::kNone;
  TimerId late_ = TimerId::kNone;  // ran when it was cancelled; callbacks run one at a time, so there are not two
};

// For tests: another clock from now on. False, and nothing changes, where a timer is armed. Nobody may arm one
// meanwhile.
bool use_clock(Clock& clock);

// Waits until every timer that is due has run, and every callback that this queued on the pool has returned; callbacks
// that were announced as long ones (WT_EXECUTELONGFUNCTION) are not waited for. False from inside a callback.
bool settle();

}  // namespace turnpike::win32
