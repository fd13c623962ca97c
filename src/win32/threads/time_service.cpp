#include "win32/threads/time_service.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/timer_thread.h"
#include "win32/threads/thread_pool.h"

namespace turnpike::win32 {
namespace {

struct Drive {
  std::unique_ptr<Timers> timers;
  std::unique_ptr<TimerThread> thread;
};

std::atomic<Clock*> current_clock{nullptr};  // null: the system's
std::atomic<Drive*> current_drive{nullptr};  // null: nobody has armed a timer yet. Never destroyed, but by use_clock()

std::mutex& starting() {
  static std::mutex mutex;
  return mutex;
}

Drive* start_drive() {
  const std::lock_guard guard(starting());
  if (Drive* drive = current_drive.load(std::memory_order_acquire); drive != nullptr) {
    return drive;
  }
  auto drive = std::make_unique<Drive>();
  Result<std::unique_ptr<Timers>> timers = Timers::create(clock().now());
  if (!timers) {
    return nullptr;
  }
  drive->timers = std::move(*timers);
  Result<std::unique_ptr<TimerThread>> thread = TimerThread::start(*drive->timers, clock(), "tp-win32-timers");
  if (!thread) {
    return nullptr;
  }
  drive->thread = std::move(*thread);
  current_drive.store(drive.get(), std::memory_order_release);
  return drive.release();
}

}  // namespace

Clock& clock() {
  Clock* clock = current_clock.load(std::memory_order_acquire);
  return clock != nullptr ? *clock : system_clock();
}

bool clock_is_turned_by_hand() {
  const Clock* clock = current_clock.load(std::memory_order_relaxed);
  return clock != nullptr && clock != &system_clock();
}

MonotonicTime in_milliseconds(std::uint32_t milliseconds) {
  return later(clock().now(), std::chrono::milliseconds(milliseconds));
}

TimerId arm_timer(MonotonicTime deadline, Timers::Callback callback) {
  Drive* drive = current_drive.load(std::memory_order_acquire);
  if (drive == nullptr && (drive = start_drive()) == nullptr) {
    return TimerId::kNone;
  }
  return drive->timers->arm(deadline, std::move(callback)).value_or(TimerId::kNone);
}

Cancelled cancel_timer(TimerId id) {
  Drive* drive = current_drive.load(std::memory_order_acquire);
  return drive != nullptr ? drive->timers->cancel(id) : Cancelled::kTooLate;
}

Cancelled cancel_timer_and_wait(TimerId id) {
  Drive* drive = current_drive.load(std::memory_order_acquire);
  return drive != nullptr ? drive->timers->cancel_and_wait(id) : Cancelled::kTooLate;
}

bool OwnTimer::arm(MonotonicTime deadline, Timers::Callback callback) {
  timer_ = arm_timer(deadline, std::move(callback));
  return timer_ != TimerId::kNone;
}

void OwnTimer::cancel() {
  const TimerId timer = std::exchange(timer_, TimerId::kNone);
  if (cancel_timer(timer) == Cancelled::kRunning) {
    late_ = timer;
  }
}

void OwnTimer::wait() {
  cancel_timer_and_wait(timer_);
  cancel_timer_and_wait(late_);
}

bool use_clock(Clock& clock) {
  const std::lock_guard guard(starting());
  Drive* old = current_drive.load(std::memory_order_acquire);
  if (old != nullptr && (old->timers->armed() != 0 || !old->thread->stop())) {
    return false;
  }
  current_drive.store(nullptr, std::memory_order_release);
  current_clock.store(&clock, std::memory_order_release);
  const std::unique_ptr<Drive> done(old);
  return true;
}

bool settle() {
  do {
    Drive* drive = current_drive.load(std::memory_order_acquire);
    if (ThreadPool::is_running_a_task() || (drive != nullptr && !drive->thread->settle())) {
      return false;
    }
  } while (thread_pool().wait_until_idle());
  return true;
}

}  // namespace turnpike::win32
