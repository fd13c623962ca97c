// Timers and work items of ndis.h. NDIS_TIMER lies in the driver's memory and is a KTIMER; timer objects and I/O work
// items are handles. What a work item is to do is copied when it is queued: so the item may be freed, or queued again,
// by its own routine.
#include <ndis.h>
#include <turnpike/drivers.h>

#include <memory>
#include <mutex>
#include <new>

#include "capi/ndis_handles.h"

namespace {

using turnpike::ndis::report_misuse;

struct TimerObject {
  TimerObject() = default;
  TimerObject(const TimerObject&) = delete;
  TimerObject& operator=(const TimerObject&) = delete;
  ~TimerObject() { KeCancelTimer(&timer); }

  KTIMER timer{};
  KDPC dpc{};
  PNDIS_TIMER_FUNCTION function = nullptr;
  PVOID context = nullptr;
  std::mutex mutex;  // the context in use
  PVOID current = nullptr;
};
struct WorkObject {};

}  // namespace

template <>
struct turnpike::HandleKind<TimerObject> {
  static constexpr HandleTag tag{0x72};
  static constexpr const char* name = "timer";
};
template <>
struct turnpike::HandleKind<WorkObject> {
  static constexpr HandleTag tag{0x73};
  static constexpr const char* name = "work item";
};

namespace {

using Handles = turnpike::capi::ServiceHandles<(1U << 20), TimerObject, WorkObject>;
constexpr const char* kNoTimer = "the handle names no timer";
constexpr const char* kNoWorkItem = "the handle names no work item";

VOID NTAPI run_timer_object(PKDPC, PVOID handle, PVOID, PVOID) {
  PNDIS_TIMER_FUNCTION function = nullptr;
  PVOID context = nullptr;
  if (const auto object = Handles::find<TimerObject>(handle)) {
    const std::lock_guard lock(object->mutex);
    function = object->function;
    context = object->current;
  }
  if (function != nullptr) {  // it was not freed meanwhile
    function(nullptr, context, nullptr, nullptr);
  }
}

// One run of a work item.
struct Job {
  NDIS_PROC routine = nullptr;
  PNDIS_WORK_ITEM item = nullptr;
  NDIS_IO_WORKITEM_ROUTINE io_routine = nullptr;
  NDIS_HANDLE io_item = nullptr;
  PVOID context = nullptr;
};

DWORD WINAPI run_job(LPVOID parameter) {
  const std::unique_ptr<Job> job(static_cast<Job*>(parameter));
  job->routine != nullptr ? job->routine(job->item, job->context) : job->io_routine(job->context, job->io_item);
  KeLowerIrql(PASSIVE_LEVEL);
  return 0;
}

bool queue(const Job& job) noexcept {
  std::unique_ptr<Job> queued(new (std::nothrow) Job(job));
  const void* const code = job.routine != nullptr ? reinterpret_cast<const void*>(job.routine)
                                                  : reinterpret_cast<const void*>(job.io_routine);
  if (queued == nullptr || TpQueueDriverCall(run_job, queued.get(), code) != 0) {
    report_misuse("NdisQueueIoWorkItem", "no memory for a work item: it will not run", job.item);
    return false;
  }
  static_cast<void>(queued.release());
  return true;
}

LARGE_INTEGER in_milliseconds(UINT milliseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -static_cast<LONGLONG>(milliseconds) * 10'000;
  return due;
}

}  // namespace

VOID NdisInitializeTimer(PNDIS_TIMER Timer, PNDIS_TIMER_FUNCTION TimerFunction, PVOID FunctionContext) {
  if (Timer != nullptr) {
    KeInitializeTimer(&Timer->Timer);
    // A deferred routine has the same four parameters but for the type of the first, which a timer function ignores.
    KeInitializeDpc(&Timer->Dpc, reinterpret_cast<PKDEFERRED_ROUTINE>(reinterpret_cast<void (*)()>(TimerFunction)),
                    FunctionContext);
  }
}
VOID NdisSetTimer(PNDIS_TIMER Timer, UINT MillisecondsToDelay) {
  if (Timer != nullptr) {
    KeSetTimer(&Timer->Timer, in_milliseconds(MillisecondsToDelay), &Timer->Dpc);
  }
}
VOID NdisSetTimerEx(PNDIS_TIMER Timer, UINT MillisecondsToDelay, PVOID FunctionContext) {
  if (Timer != nullptr) {
    KeCancelTimer(&Timer->Timer);
    Timer->Dpc.DeferredContext = FunctionContext;
    NdisSetTimer(Timer, MillisecondsToDelay);
  }
}
VOID NdisSetPeriodicTimer(PNDIS_TIMER NdisTimer, UINT MillisecondsPeriod) {
  if (NdisTimer != nullptr && MillisecondsPeriod <= MAXLONG) {
    KeSetTimerEx(&NdisTimer->Timer, in_milliseconds(MillisecondsPeriod), static_cast<LONG>(MillisecondsPeriod),
                 &NdisTimer->Dpc);
  }
}
VOID NdisCancelTimer(PNDIS_TIMER Timer, PBOOLEAN TimerCancelled) {
  const BOOLEAN cancelled = Timer != nullptr ? KeCancelTimer(&Timer->Timer) : BOOLEAN{FALSE};
  if (TimerCancelled != nullptr) {
    *TimerCancelled = cancelled;
  }
}

NDIS_STATUS NdisAllocateTimerObject(NDIS_HANDLE NdisHandle, PNDIS_TIMER_CHARACTERISTICS TimerCharacteristics,
                                    PNDIS_HANDLE pTimerObject) {
  if (NdisHandle == nullptr || pTimerObject == nullptr || TimerCharacteristics == nullptr ||
      TimerCharacteristics->Header.Type != NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS ||
      TimerCharacteristics->Header.Revision < 1 ||
      TimerCharacteristics->Header.Size < NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1 ||
      TimerCharacteristics->TimerFunction == nullptr) {
    return NDIS_STATUS_INVALID_PARAMETER;
  }
  std::unique_ptr<TimerObject> object(new (std::nothrow) TimerObject);
  if (object == nullptr) {
    return NDIS_STATUS_RESOURCES;
  }
  object->function = TimerCharacteristics->TimerFunction;
  object->context = object->current = TimerCharacteristics->FunctionContext;
  KeInitializeTimer(&object->timer);
  NDIS_HANDLE const handle = Handles::add(std::move(object));
  if (handle == nullptr) {
    return NDIS_STATUS_RESOURCES;
  }
  *pTimerObject = handle;
  return NDIS_STATUS_SUCCESS;
}
BOOLEAN NdisSetTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                           PVOID FunctionContext) {
  const auto object = Handles::pin<struct TimerObject>(TimerObject, __func__, kNoTimer);
  if (!object || MillisecondsPeriod < 0) {
    return FALSE;
  }
  const BOOLEAN was = KeCancelTimer(&object->timer);
  {
    const std::lock_guard lock(object->mutex);
    object->current = FunctionContext != nullptr ? FunctionContext : object->context;
  }
  KeInitializeDpc(&object->dpc, run_timer_object, TimerObject);
  object->dpc.DpcData = reinterpret_cast<PVOID>(object->function);  // whose code it runs
  KeSetTimerEx(&object->timer, DueTime, MillisecondsPeriod, &object->dpc);
  return was;
}
BOOLEAN NdisSetCoalescableTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                                      PVOID FunctionContext, ULONG) {
  return NdisSetTimerObject(TimerObject, DueTime, MillisecondsPeriod, FunctionContext);
}
BOOLEAN NdisCancelTimerObject(NDIS_HANDLE TimerObject) {
  const auto object = Handles::pin<struct TimerObject>(TimerObject, __func__, kNoTimer);
  return object ? KeCancelTimer(&object->timer) : BOOLEAN{FALSE};
}
VOID NdisFreeTimerObject(NDIS_HANDLE TimerObject) {
  const auto object = Handles::pin<struct TimerObject>(TimerObject, __func__, kNoTimer);
  if (object && KeCancelTimer(&object->timer) != FALSE) {
    report_misuse(__func__, "a timer is cancelled before it is freed", TimerObject);
  }
  if (object) {
    Handles::remove<struct TimerObject>(TimerObject, __func__, kNoTimer);
  }
}

NDIS_STATUS NdisScheduleWorkItem(PNDIS_WORK_ITEM WorkItem) {
  if (WorkItem == nullptr || WorkItem->Routine == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  Job job;
  job.routine = WorkItem->Routine;
  job.item = WorkItem;
  job.context = WorkItem->Context;
  return queue(job) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES;
}
NDIS_HANDLE NdisAllocateIoWorkItem(NDIS_HANDLE NdisObjectHandle) {
  return NdisObjectHandle != nullptr ? Handles::add(std::unique_ptr<WorkObject>(new (std::nothrow) WorkObject))
                                     : nullptr;
}
VOID NdisQueueIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle, NDIS_IO_WORKITEM_ROUTINE Routine, PVOID WorkItemContext) {
  if (Routine != nullptr && Handles::pin<WorkObject>(NdisIoWorkItemHandle, __func__, kNoWorkItem)) {
    Job job;
    job.io_routine = Routine;
    job.io_item = NdisIoWorkItemHandle;
    job.context = WorkItemContext;
    queue(job);
  }
}
VOID NdisFreeIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle) {
  Handles::remove<WorkObject>(NdisIoWorkItemHandle, __func__, kNoWorkItem);
}
