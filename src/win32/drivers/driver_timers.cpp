// Timers, deferred calls and work items of drivers.
//
// A timer lies in the driver's memory, which may be gone as soon as KeCancelTimer has said that it was queued. So what
// is set is written down here: a timer's memory is touched only while it stands in the book, under its lock, and a call
// that comes for an entry that is not there any more, or was set anew meanwhile, does nothing.
#include <turnpike/drivers.h>
#include <wdm.h>

#include <map>
#include <memory>
#include <mutex>
#include <new>

#include "base/immortal.h"
#include "base/log.h"
#include "threadpoollegacyapiset.h"
#include "win32/drivers/driver_calls.h"
#include "win32/drivers/driver_levels.h"
#include "win32/drivers/driver_waits.h"
#include "win32/system/file_time.h"
#include "win32/threads/time_service.h"

namespace turnpike::win32 {
namespace {

struct Set {
  std::uint64_t number = 0;  // of the setting: who comes for another one is late
  TimerId id = TimerId::kNone;
  MonotonicTime due{};
};

// Whose code a deferred call runs: a library's routine that stands before a driver's notes that in DpcData.
const void* code_of(const KDPC& call) {
  return call.DpcData != nullptr ? call.DpcData : reinterpret_cast<const void*>(call.DeferredRoutine);
}

class Book {
 public:
  static Book& instance() {
    // Never destroyed: timers may still run while the process ends.
    static Book* const book = std::unique_ptr<Book>(new Book).release();
    return *book;
  }

  // Says whether the timer was set already.
  bool set(KTIMER& timer, MonotonicTime due) {
    const std::lock_guard lock(mutex_);
    const bool was = erase(timer);
    timer.Header.SignalState = 0;
    arm(timer, due);
    return was;
  }

  bool cancel(KTIMER& timer) {
    const std::lock_guard lock(mutex_);
    return erase(timer);
  }

  // Those that lie there, or would call what does. Says how many there were.
  std::uint32_t cancel(const CodeRange& range) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint32_t>(std::erase_if(set_, [&](const auto& entry) {
      const PKDPC call = entry.first->Dpc;
      const bool meant =
          range.holds(entry.first) || range.holds(call) || (call != nullptr && range.holds(code_of(*call)));
      if (meant) cancel_timer(entry.second.id);
      return meant;
    }));
  }

 private:
  bool erase(KTIMER& timer) {
    const auto found = set_.find(&timer);
    if (found == set_.end()) {
      return false;
    }
    cancel_timer(found->second.id);
    set_.erase(found);
    return true;
  }

  void arm(KTIMER& timer, MonotonicTime due) {
    const std::uint64_t number = ++last_;
    const TimerId id = arm_timer(due, [this, at = &timer, number] { fire(*at, number); });
    if (id == TimerId::kNone) {
      TURNPIKE_LOG(LogLevel::kError, "driver", "no memory for a timer: it will not fire");
      return;
    }
    set_[&timer] = {number, id, due};
  }

  void fire(KTIMER& timer, std::uint64_t number) {
    KDPC call{};
    PKDPC dpc = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = set_.find(&timer);
      if (found == set_.end() || found->second.number != number) {
        return;
      }
      const MonotonicTime due = found->second.due;
      set_.erase(found);
      if (timer.Period != 0) {
        arm(timer, later(due, std::chrono::milliseconds(timer.Period)));
      }
      set_signal(timer.Header, 1);
      dpc = timer.Dpc;
      call = dpc != nullptr ? *dpc : KDPC{};
      if (call.DeferredRoutine != nullptr) {
        DriverCalls::instance().begin(code_of(call));
      }
    }
    if (call.DeferredRoutine != nullptr) {
      const DriverCalls::Running running(code_of(call));
      const AtDispatchLevel level;
      call.DeferredRoutine(dpc, call.DeferredContext, call.SystemArgument1, call.SystemArgument2);
    }
  }

  std::mutex mutex_;
  std::map<KTIMER*, Set> set_;
  std::uint64_t last_ = 0;
};

// 100 ns: negative from now on, else since 1601.
MonotonicTime due_at(LONGLONG due) {
  constexpr LONGLONG kMost = INT64_MAX / 200;
  const LONGLONG span = due > 0 ? due - to_file_time(clock().wall()) : due < -kMost ? kMost : -due;
  return later(clock().now(), Duration(std::min(span, kMost) * 100));
}

DWORD WINAPI run_item(LPVOID item) {
  auto& queued = *static_cast<WORK_QUEUE_ITEM*>(item);
  const PWORKER_THREAD_ROUTINE routine = queued.WorkerRoutine;
  PVOID const parameter = queued.Parameter;
  __atomic_store_n(&queued.List.Flink, nullptr, __ATOMIC_RELEASE);  // from here on the memory is the driver's again
  routine(parameter);
  set_level(PASSIVE_LEVEL);
  return 0;
}

struct Queued {
  uint32_t (*run)(void*);
  void* parameter;
  const void* code;
};

DWORD WINAPI run_queued(LPVOID queued) {
  const Queued call = *std::unique_ptr<Queued>(static_cast<Queued*>(queued));
  const DriverCalls::Running running(call.code);
  return call.run(call.parameter);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::Book;
using turnpike::win32::DispatcherType;
using turnpike::win32::DriverCalls;

VOID KeInitializeTimer(PKTIMER Timer) { KeInitializeTimerEx(Timer, NotificationTimer); }

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
  if (Timer != nullptr) {
    Book::instance().cancel(*Timer);
    *Timer = {};
    turnpike::win32::initialise(
        Timer->Header,
        Type == SynchronizationTimer ? DispatcherType::kSynchronizationTimer : DispatcherType::kNotificationTimer, 0);
  }
}

VOID KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  if (Dpc != nullptr) {
    *Dpc = {};
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
  }
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) { return KeSetTimerEx(Timer, DueTime, 0, Dpc); }

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
  if (Timer == nullptr || Period < 0) {
    return FALSE;
  }
  const BOOLEAN was = KeCancelTimer(Timer);
  Timer->DueTime.QuadPart = static_cast<ULONGLONG>(DueTime.QuadPart);
  Timer->Period = static_cast<ULONG>(Period);
  Timer->Dpc = Dpc;
  Book::instance().set(*Timer, turnpike::win32::due_at(DueTime.QuadPart));
  return was;
}

BOOLEAN KeCancelTimer(PKTIMER Timer) { return Timer != nullptr && Book::instance().cancel(*Timer) ? TRUE : FALSE; }

BOOLEAN KeReadStateTimer(PKTIMER Timer) {
  return Timer != nullptr && __atomic_load_n(&Timer->Header.SignalState, __ATOMIC_ACQUIRE) != 0 ? TRUE : FALSE;
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE) {
  using turnpike::LogLevel;
  if (WorkItem == nullptr || WorkItem->WorkerRoutine == nullptr) {
    return;
  }
  PLIST_ENTRY idle = nullptr;
  if (!__atomic_compare_exchange_n(&WorkItem->List.Flink, &idle, &WorkItem->List, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED)) {
    TURNPIKE_LOG(LogLevel::kWarning, "driver", "a work item is queued again before it has begun");
    return;
  }
  if (TpQueueDriverCall(turnpike::win32::run_item, WorkItem, reinterpret_cast<const void*>(WorkItem->WorkerRoutine)) !=
      ERROR_SUCCESS) {
    TURNPIKE_LOG(LogLevel::kError, "driver", "no memory for a work item: it will not run");
    __atomic_store_n(&WorkItem->List.Flink, nullptr, __ATOMIC_RELEASE);
  }
}

uint32_t TpQueueDriverCall(uint32_t (*run)(void*), void* parameter, const void* code) noexcept {
  using turnpike::win32::Queued;
  if (run == nullptr || code == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  try {
    auto queued = std::make_unique<Queued>(Queued{run, parameter, code});
    DriverCalls::instance().begin(code);
    if (QueueUserWorkItem(turnpike::win32::run_queued, queued.get(), WT_EXECUTEDEFAULT)) {
      static_cast<void>(queued.release());
      return ERROR_SUCCESS;
    }
    DriverCalls::instance().end(code);
  } catch (const std::bad_alloc&) {  // said below
  }
  return ERROR_NOT_ENOUGH_MEMORY;
}

// What runs while it is waited for may set a timer again.
uint32_t TpReleaseDriverCode(const void* inside, uint32_t patience_ms, uint32_t* cancelled) noexcept {
  const auto range = turnpike::win32::CodeRange::around(inside);
  if (!range || cancelled == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  std::uint32_t more = Book::instance().cancel(*range);
  *cancelled = more;
  do {
    if (!DriverCalls::instance().await_none(*range, std::chrono::milliseconds(patience_ms))) {
      return WAIT_TIMEOUT;
    }
    more = Book::instance().cancel(*range);
    *cancelled += more;
  } while (more != 0);
  return ERROR_SUCCESS;
}
