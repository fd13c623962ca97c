// Waitable timers: objects that a moment signals.
//
// An absolute due time is turned into a distance when the timer is set: a clock that is set later does not move it,
// which on Windows it does. A period counts from the due time.
//
// The completion routine is an APC for the thread that set the timer. At most one is queued at a time, and setting or
// cancelling the timer takes it back, as documented.
#include <synchapi.h>

#include <limits>
#include <mutex>
#include <new>

#include "win32/last_error.h"
#include "win32/system/file_time.h"
#include "win32/threads/thread.h"
#include "win32/threads/time_service.h"
#include "win32/waits/handles.h"
#include "win32/waits/names.h"

namespace turnpike::win32 {
namespace {

// What happens when the timer is due, and to whom.
struct Routine {
  PTIMERAPCROUTINE function = nullptr;
  void* argument = nullptr;
  Ref<Thread> thread;
};

class WaitableTimer final : public Waitable {
 public:
  static constexpr Kind kKind = Kind::kWaitableTimer;

  explicit WaitableTimer(bool manual_reset) : Waitable(kKind, false), manual_(manual_reset) {}
  ~WaitableTimer() override;

  bool set(MonotonicTime due, Duration period, Routine routine);
  void cancel();

  bool stays_signalled() const override { return manual_; }

 private:
  bool is_signalled_for(const Thread*) const override { return signalled_; }
  bool take(Thread&) override;

  bool arm(MonotonicTime due);
  void expire(std::uint64_t life);
  void queue_routine();
  void call_off();

  const bool manual_;
  bool signalled_ = false;  // guarded by the waitable's lock

  std::mutex mutex_;  // guards the schedule; the waitable's lock may be taken under it
  std::uint64_t life_ = 0;
  MonotonicTime due_{};
  Duration period_{};
  OwnTimer timer_;
  Routine routine_;
};

WaitableTimer::~WaitableTimer() {
  timer_.wait();
  call_off();
}

bool WaitableTimer::take(Thread&) {
  signalled_ = manual_;
  return false;
}

bool WaitableTimer::set(MonotonicTime due, Duration period, Routine routine) {
  const std::lock_guard guard(mutex_);
  call_off();
  update([this] { return signalled_ = false; });
  period_ = period;
  routine_ = std::move(routine);
  return arm(due);
}

void WaitableTimer::cancel() {
  const std::lock_guard guard(mutex_);
  call_off();
}

void WaitableTimer::call_off() {
  ++life_;
  timer_.cancel();
  if (routine_.thread) {
    routine_.thread->drop_apcs(this);
  }
  routine_ = {};
}

bool WaitableTimer::arm(MonotonicTime due) {
  // No reference: a timer that nobody has a handle of, or waits for, is gone, and its destructor waits for an expiry.
  due_ = due;
  return timer_.arm(due, [this, life = life_] { expire(life); });
}

void WaitableTimer::expire(std::uint64_t life) {
  const std::lock_guard guard(mutex_);
  if (life != life_) {
    return;
  }
  if (period_ != Duration::zero()) {
    arm(later(due_, period_));
  }
  update([this] { return signalled_ = true; });
  queue_routine();
}

void WaitableTimer::queue_routine() {
  if (routine_.function == nullptr) {
    return;
  }
  const auto run = [](const Apc& apc) {
    const auto routine = reinterpret_cast<PTIMERAPCROUTINE>(apc.function);
    routine(reinterpret_cast<void*>(apc.arguments[0]), static_cast<DWORD>(apc.arguments[1]),
            static_cast<DWORD>(apc.arguments[2]));
  };
  const auto now = static_cast<std::uint64_t>(to_file_time(clock().wall()));
  routine_.thread->drop_apcs(this);
  try {
    routine_.thread->queue_apc({run,
                                reinterpret_cast<void*>(routine_.function),
                                {reinterpret_cast<std::uintptr_t>(routine_.argument), now & UINT32_MAX, now >> 32},
                                this});
  } catch (const std::bad_alloc&) {
    return;  // nobody is there to be told; the timer is signalled all the same
  }
}

constexpr std::int64_t kLongestWait = std::numeric_limits<std::int64_t>::max() / 100;

// The moment that a due time means: negative, a distance in units of 100 ns; else a FILETIME.
MonotonicTime moment_of(std::int64_t due) {
  std::int64_t distance = due == std::numeric_limits<std::int64_t>::min() ? kLongestWait : -due;
  if (due >= 0) {
    const std::int64_t now = to_file_time(clock().wall());
    distance = due > now ? due - now : 0;
  }
  return later(clock().now(), Duration(std::min(distance, kLongestWait) * 100));
}

HANDLE create_timer(const ObjectName& name, DWORD flags) {
  if ((flags & ~(CREATE_WAITABLE_TIMER_MANUAL_RESET | CREATE_WAITABLE_TIMER_HIGH_RESOLUTION)) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return create_named(name, Kind::kWaitableTimer, [flags] {
    return Ref<Object>(make_object<WaitableTimer>((flags & CREATE_WAITABLE_TIMER_MANUAL_RESET) != 0));
  });
}

DWORD flags_of(BOOL manual_reset) { return manual_reset != FALSE ? CREATE_WAITABLE_TIMER_MANUAL_RESET : 0; }

}  // namespace
}  // namespace turnpike::win32

using turnpike::Duration;
using turnpike::win32::create_timer;
using turnpike::win32::fail_with;
using turnpike::win32::flags_of;
using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::moment_of;
using turnpike::win32::ObjectName;
using turnpike::win32::open_named;
using turnpike::win32::pin;
using turnpike::win32::Ref;
using turnpike::win32::Routine;
using turnpike::win32::set_last_error;
using turnpike::win32::Thread;
using turnpike::win32::WaitableTimer;

HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES, BOOL bManualReset, LPCSTR lpTimerName) {
  return create_timer(ObjectName::from(lpTimerName), flags_of(bManualReset));
}

HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES, BOOL bManualReset, LPCWSTR lpTimerName) {
  return create_timer(ObjectName::from(lpTimerName), flags_of(bManualReset));
}

HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES, LPCSTR lpTimerName, DWORD dwFlags, DWORD) {
  return create_timer(ObjectName::from(lpTimerName), dwFlags);
}

HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES, LPCWSTR lpTimerName, DWORD dwFlags, DWORD) {
  return create_timer(ObjectName::from(lpTimerName), dwFlags);
}

HANDLE WINAPI OpenWaitableTimerA(DWORD, BOOL, LPCSTR lpTimerName) {
  return open_named(ObjectName::from(lpTimerName), Kind::kWaitableTimer);
}

HANDLE WINAPI OpenWaitableTimerW(DWORD, BOOL, LPCWSTR lpTimerName) {
  return open_named(ObjectName::from(lpTimerName), Kind::kWaitableTimer);
}

BOOL WINAPI SetWaitableTimer(HANDLE hTimer, const LARGE_INTEGER* lpDueTime, LONG lPeriod,
                             PTIMERAPCROUTINE pfnCompletionRoutine, LPVOID lpArgToCompletionRoutine, BOOL fResume) {
  const Held<WaitableTimer> timer = pin<WaitableTimer>(hTimer);
  if (!timer) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (lpDueTime == nullptr || lPeriod < 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  Routine routine;
  if (pfnCompletionRoutine != nullptr) {
    routine = {pfnCompletionRoutine, lpArgToCompletionRoutine, Ref<Thread>(&Thread::current())};
  }
  const Duration period = std::chrono::milliseconds(lPeriod);
  if (!timer->set(moment_of(lpDueTime->QuadPart), period, std::move(routine))) {
    return fail_with(ERROR_NOT_ENOUGH_MEMORY, FALSE);
  }
  set_last_error(fResume != FALSE ? ERROR_NOT_SUPPORTED : ERROR_SUCCESS);  // as documented where nothing can be resumed
  return TRUE;
}

BOOL WINAPI CancelWaitableTimer(HANDLE hTimer) {
  const Held<WaitableTimer> timer = pin<WaitableTimer>(hTimer);
  if (!timer) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  timer->cancel();
  return TRUE;
}
