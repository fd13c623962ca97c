// Timer queues: timers of time_service.h whose callbacks run on the pool.
//
// A timer fires on the timers' thread, which arms it for its next period, counted from its due time and not from now,
// so that it does not drift, and queues the callback; with WT_EXECUTEINTIMERTHREAD it makes the callback itself.
// Callbacks of one timer may run beside each other when one takes longer than the period, as documented.
//
// Changing a timer begins a new life of its schedule: an expiry of the old one that is on its way finds that it is of
// yesterday (`life_`), so no lock is held against the timers' thread.
//
// A callback passes two gates (callback_gate.h), its timer's and its queue's: so each can be ended, and waited for,
// alone.
#include <threadpoollegacyapiset.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "win32/last_error.h"
#include "win32/threads/callback_gate.h"
#include "win32/threads/thread_pool.h"
#include "win32/threads/time_service.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kKnownFlags = WT_EXECUTEINIOTHREAD | WT_EXECUTEONLYONCE | WT_EXECUTELONGFUNCTION |
                              WT_EXECUTEINTIMERTHREAD | WT_EXECUTEINPERSISTENTTHREAD | WT_TRANSFER_IMPERSONATION;

// An expiry that finds so many callbacks of its timer queued and not begun adds none, nor one that finds no memory: a
// client that has fallen that far behind is not helped by more.
constexpr std::uint32_t kMostWaiting = 1024;

class QueueTimer;

class TimerQueue final : public Object {
 public:
  static constexpr Kind kKind = Kind::kTimerQueue;
  TimerQueue() : Object(kKind) {}

  // False where the queue is being deleted.
  bool add(const Ref<QueueTimer>& timer, RawHandle handle);
  void remove(const QueueTimer& timer);
  BOOL end(Ending& ending);

  CallbackGate gate;

 private:
  struct Entry {
    Ref<QueueTimer> timer;
    RawHandle handle;
  };

  std::mutex mutex_;
  std::vector<Entry> timers_;
  bool ended_ = false;
};

struct Schedule {
  WAITORTIMERCALLBACK callback;
  PVOID parameter;
  ULONG flags;

  bool in_timer_thread() const { return (flags & WT_EXECUTEINTIMERTHREAD) != 0; }
  Where where() const {
    if ((flags & (WT_EXECUTEINIOTHREAD | WT_EXECUTEINPERSISTENTTHREAD)) != 0) {
      return Where::kPersistent;
    }
    return (flags & WT_EXECUTELONGFUNCTION) != 0 ? Where::kLong : Where::kWorker;
  }
};

class QueueTimer final : public Object {
 public:
  static constexpr Kind kKind = Kind::kQueueTimer;

  QueueTimer(Ref<TimerQueue> queue, const Schedule& schedule)
      : Object(kKind), queue_(std::move(queue)), schedule_(schedule) {}
  ~QueueTimer() override;

  TimerQueue& queue() const { return *queue_; }

  // From now on it is due then and each period after; a timer that has expired for good stays so.
  void set(DWORD due, DWORD period);
  void call_off();  // no further expiry
  void call();

  CallbackGate gate;

 private:
  class Call;

  void arm(MonotonicTime due);
  void expire(std::uint64_t life);
  void queue_call();

  const Ref<TimerQueue> queue_;
  const Schedule schedule_;

  std::mutex mutex_;
  std::uint64_t life_ = 0;
  MonotonicTime due_{};
  Duration period_{};  // zero: once
  OwnTimer timer_;
  bool expired_for_good_ = false;
  std::atomic<std::uint32_t> waiting_{0};
};

class QueueTimer::Call final : public Task {
 public:
  explicit Call(QueueTimer& timer) : timer_(&timer) {}

 private:
  void run() override {
    const std::unique_ptr<Call> self(this);
    timer_->waiting_.fetch_sub(1, std::memory_order_relaxed);
    timer_->call();
  }

  const Ref<QueueTimer> timer_;
};

void QueueTimer::set(DWORD due, DWORD period) {
  const std::lock_guard guard(mutex_);
  if (expired_for_good_) {
    return;
  }
  ++life_;
  timer_.cancel();
  const bool once = period == 0 || period == INFINITE || (schedule_.flags & WT_EXECUTEONLYONCE) != 0;
  period_ = once ? Duration::zero() : Duration(std::chrono::milliseconds(period));
  if (due != INFINITE) {
    arm(in_milliseconds(due));
  }
}

QueueTimer::~QueueTimer() { timer_.wait(); }

// The timer holds no reference, so that it needs no memory of its own: it is called off before the last one goes, and
// the destructor waits for an expiry that comes too late.
void QueueTimer::arm(MonotonicTime due) {
  due_ = due;
  timer_.arm(due, [this, life = life_] { expire(life); });
}

void QueueTimer::expire(std::uint64_t life) {
  Ref<QueueTimer> self;
  {
    const std::lock_guard guard(mutex_);
    if (life != life_) {
      return;  // changed or called off meanwhile
    }
    self = Ref<QueueTimer>(this);
    expired_for_good_ = period_ == Duration::zero();
    if (!expired_for_good_) {
      arm(later(due_, period_));
    }
  }
  if (schedule_.in_timer_thread()) {
    call();
  } else {
    queue_call();
  }
}

void QueueTimer::queue_call() {
  std::unique_ptr<Call> call;
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < kMostWaiting) {
    call.reset(new (std::nothrow) Call(*this));
  }
  if (call == nullptr) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  thread_pool().submit(*call.release(), schedule_.where());
}

void QueueTimer::call() {
  const CallbackGate::Inside in_queue(queue_->gate);
  const CallbackGate::Inside in_timer(gate);
  if (in_queue && in_timer) {
    schedule_.callback(schedule_.parameter, TRUE);
  }
}

void QueueTimer::call_off() {
  const std::lock_guard guard(mutex_);
  ++life_;
  expired_for_good_ = true;
  timer_.cancel();
}

bool TimerQueue::add(const Ref<QueueTimer>& timer, RawHandle handle) {
  const std::lock_guard guard(mutex_);
  if (!ended_) {
    timers_.push_back({timer, handle});
  }
  return !ended_;
}

void TimerQueue::remove(const QueueTimer& timer) {
  const std::lock_guard guard(mutex_);
  std::erase_if(timers_, [&timer](const Entry& entry) { return entry.timer.get() == &timer; });
}

BOOL TimerQueue::end(Ending& ending) {
  std::vector<Entry> timers;
  {
    const std::lock_guard guard(mutex_);
    ended_ = true;
    timers.swap(timers_);
  }
  for (const Entry& entry : timers) {
    close_handle(entry.handle, Kind::kQueueTimer);
    entry.timer->call_off();
  }
  return ending.finish(gate);
}

TimerQueue& default_queue() {
  static TimerQueue& queue = *make_object<TimerQueue>().detach();
  return queue;
}

// The queue of a handle; NULL is the process's own.
class QueueTarget {
 public:
  explicit QueueTarget(HANDLE handle)
      : held_(pin<TimerQueue>(handle)), queue_(handle == nullptr ? &default_queue() : held_.get()) {}
  TimerQueue* get() const { return queue_; }

 private:
  Held<TimerQueue> held_;
  TimerQueue* queue_;
};

// A timer of a queue: 0, or the error that the handles deserve.
DWORD error_of(const QueueTarget& queue, const Held<QueueTimer>& timer) {
  if (queue.get() == nullptr || !timer) {
    return ERROR_INVALID_HANDLE;
  }
  return &timer->queue() == queue.get() ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER;
}

bool is_staffed_for(const Schedule& schedule) {
  return thread_pool().ensure_worker() &&
         (schedule.where() != Where::kPersistent || thread_pool().ensure_persistent_worker());
}

BOOL create_timer(HANDLE& made, TimerQueue& queue, const Schedule& schedule, DWORD due, DWORD period) {
  if (!is_staffed_for(schedule)) {
    return fail_with(ERROR_NOT_ENOUGH_MEMORY, FALSE);
  }
  const Ref<QueueTimer> timer = make_object<QueueTimer>(Ref<TimerQueue>(&queue), schedule);
  NewHandle handle(timer);
  if (!handle) {
    return FALSE;
  }
  if (!queue.add(timer, handle.raw())) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);  // it is being deleted
  }
  made = handle.keep();  // before the callback can run and look for it
  timer->set(due, period);
  return TRUE;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::close_handle;
using turnpike::win32::create_timer;
using turnpike::win32::Ending;
using turnpike::win32::error_of;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::kKnownFlags;
using turnpike::win32::make_object;
using turnpike::win32::open_handle;
using turnpike::win32::pin;
using turnpike::win32::QueueTarget;
using turnpike::win32::QueueTimer;
using turnpike::win32::TimerQueue;
using turnpike::win32::unless_memory_is_out;

HANDLE WINAPI CreateTimerQueue(VOID) {
  return unless_memory_is_out(HANDLE{nullptr}, [] { return open_handle(make_object<TimerQueue>()); });
}

BOOL WINAPI CreateTimerQueueTimer(PHANDLE phNewTimer, HANDLE TimerQueue, WAITORTIMERCALLBACK Callback, PVOID Parameter,
                                  DWORD DueTime, DWORD Period, ULONG Flags) {
  if (phNewTimer == nullptr || Callback == nullptr || (Flags & 0xFFFF & ~kKnownFlags) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const QueueTarget queue(TimerQueue);
  if (queue.get() == nullptr) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return unless_memory_is_out(
      FALSE, [&] { return create_timer(*phNewTimer, *queue.get(), {Callback, Parameter, Flags}, DueTime, Period); });
}

BOOL WINAPI ChangeTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, ULONG DueTime, ULONG Period) {
  const QueueTarget queue(TimerQueue);
  const Held<QueueTimer> timer = pin<QueueTimer>(Timer);
  if (const DWORD error = error_of(queue, timer); error != ERROR_SUCCESS) {
    return fail_with(error, FALSE);
  }
  timer->set(DueTime, Period);
  return TRUE;
}

BOOL WINAPI DeleteTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, HANDLE CompletionEvent) {
  const QueueTarget queue(TimerQueue);
  const Held<QueueTimer> timer = pin<QueueTimer>(Timer);
  if (const DWORD error = error_of(queue, timer); error != ERROR_SUCCESS) {
    return fail_with(error, FALSE);
  }
  Ending ending(CompletionEvent);
  if (!ending.is_valid() || !close_handle(Timer, Kind::kQueueTimer)) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  timer->call_off();
  queue.get()->remove(*timer);
  return ending.finish(timer->gate);
}

BOOL WINAPI DeleteTimerQueueEx(HANDLE TimerQueue, HANDLE CompletionEvent) {
  const Held<turnpike::win32::TimerQueue> queue = pin<turnpike::win32::TimerQueue>(TimerQueue);
  Ending ending(CompletionEvent);
  if (!queue || !ending.is_valid() || !close_handle(TimerQueue, Kind::kTimerQueue)) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return queue->end(ending);
}

BOOL WINAPI DeleteTimerQueue(HANDLE TimerQueue) { return DeleteTimerQueueEx(TimerQueue, nullptr); }
