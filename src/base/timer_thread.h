// A thread that drives a wheel of timers by a clock: it sleeps until the next is due, or until the clock is turned.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/timers.h"

namespace turnpike {

class TimerThread final : ClockObserver {
 public:
  // Both must outlive the thread. It blocks all signals, which are for the program's own threads; `name` is what ps and
  // gdb show (cut to 15 characters). No name: kInvalidArgument. No more threads: kExhausted.
  static Result<std::unique_ptr<TimerThread>> start(Timers& timers, Clock& clock, const char* name = "tp-timers");

  // Stops. Not from inside a callback.
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  // When it returns no callback runs, nor will; timers that were armed still are. Again, or from another thread at the
  // same time: the same. From inside a callback: kBusy, and the thread goes on.
  Result<void> stop();

  // Waits until everything that is due has run: what a test calls after it has turned the clock. From inside a
  // callback, or after stop(): kBusy.
  Result<void> settle();

 private:
  TimerThread(Timers& timers, Clock& clock) : timers_(timers), clock_(clock) {}
  void run();
  void clock_turned() noexcept override { timers_.wake(); }

  Timers& timers_;
  Clock& clock_;
  std::stop_source stop_;
  std::mutex join_mutex_;  // stop() alone
  std::thread thread_;
  std::thread::id id_;  // of the thread; start() sets it before anybody can ask
};

}  // namespace turnpike
