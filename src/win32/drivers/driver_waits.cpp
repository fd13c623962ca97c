// Events and mutexes of drivers, and the wait for them. Everything lies in the driver's own memory: a word that is 1
// when the object is signalled, on which waiters sleep (a futex), and how many of them there are, so that signalling an
// object that nobody waits for asks nothing of the kernel. An object of zeros is an event that is not signalled.
//
// A mutex knows its owner by the number of the thread and may be taken again by him.
#include "win32/drivers/driver_waits.h"

#include <unistd.h>

#include "base/futex.h"
#include "base/log.h"
#include "win32/drivers/driver_levels.h"
#include "win32/system/file_time.h"
#include "win32/threads/time_service.h"

namespace turnpike::win32 {
namespace {

std::atomic<std::uint32_t>& signal_of(DISPATCHER_HEADER& header) {
  return *reinterpret_cast<std::atomic<std::uint32_t>*>(&header.SignalState);
}
DispatcherType type_of(const DISPATCHER_HEADER& header) { return DispatcherType(header.Type); }

bool wakes_one(DispatcherType type) {
  return type == DispatcherType::kSynchronizationEvent || type == DispatcherType::kMutex ||
         type == DispatcherType::kSynchronizationTimer;
}

std::uint32_t own_number() {
  static thread_local const auto number = static_cast<std::uint32_t>(::gettid());
  return number;
}

struct Mutex {
  explicit Mutex(KMUTEX& mutex)
      : owner(*reinterpret_cast<std::atomic<std::uint32_t>*>(&mutex.Owner[0])), depth(mutex.Owner[1]) {}
  std::atomic<std::uint32_t>& owner;
  ULONG_PTR& depth;  // the owner's alone
};

// Takes what a signalled object gives to one waiter.
bool take(DISPATCHER_HEADER& header) {
  std::uint32_t state = 1;
  if (!wakes_one(type_of(header))) {
    return signal_of(header).load(std::memory_order_acquire) != 0;
  }
  if (!signal_of(header).compare_exchange_strong(state, 0, std::memory_order_acq_rel)) {
    return false;
  }
  if (type_of(header) == DispatcherType::kMutex) {
    Mutex mutex(reinterpret_cast<KMUTEX&>(header));
    mutex.owner.store(own_number(), std::memory_order_relaxed);
    mutex.depth = 1;
  }
  return true;
}

// Of a time-out: 100 ns, negative from now on, else since 1601; none is never.
Deadline deadline_of(const LARGE_INTEGER* timeout) {
  if (timeout == nullptr) {
    return kNever;
  }
  constexpr LONGLONG kMost = kNever / 200;  // so that nothing overflows
  if (timeout->QuadPart < -kMost) {
    return kNever;
  }
  const LONGLONG span = timeout->QuadPart > 0 ? timeout->QuadPart - to_file_time(clock().wall()) : -timeout->QuadPart;
  if (span > kMost) {
    return kNever;
  }
  return span <= 0 ? 0 : monotonic_now() + span * 100;
}

bool is_known(DispatcherType type) {
  return type <= DispatcherType::kMutex || type == DispatcherType::kNotificationTimer ||
         type == DispatcherType::kSynchronizationTimer;
}

NTSTATUS wait_for(DISPATCHER_HEADER& header, Deadline deadline) {
  if (type_of(header) == DispatcherType::kMutex) {
    Mutex mutex(reinterpret_cast<KMUTEX&>(header));
    if (mutex.owner.load(std::memory_order_relaxed) == own_number()) {
      ++mutex.depth;
      return STATUS_SUCCESS;
    }
  }
  if (take(header)) {
    return STATUS_SUCCESS;
  }
  if (deadline == 0) {
    return static_cast<NTSTATUS>(STATUS_TIMEOUT);
  }
  bool taken = false;
  while (!taken && futex_wait(signal_of(header), 0, deadline) == FutexOutcome::kWoken) {
    taken = take(header);
  }
  taken = taken || take(header);
  return taken ? STATUS_SUCCESS : static_cast<NTSTATUS>(STATUS_TIMEOUT);
}

}  // namespace

// Whoever waited may be gone with the object as soon as it is signalled (an event on the stack of a driver that waits
// for its request): so nothing of it is read after that, and waking, which needs the address alone, is not saved.
LONG set_signal(DISPATCHER_HEADER& header, LONG state) noexcept {
  const bool one = wakes_one(type_of(header));
  std::atomic<std::uint32_t>& signal = signal_of(header);
  const std::uint32_t before = signal.exchange(state != 0 ? 1 : 0, std::memory_order_acq_rel);
  if (state != 0 && before == 0) {
    one ? static_cast<void>(futex_wake_one(signal)) : futex_wake_all(signal);
  }
  return static_cast<LONG>(before);
}

void initialise(DISPATCHER_HEADER& header, DispatcherType type, LONG state) noexcept {
  header = {};
  header.Type = static_cast<UCHAR>(type);
  header.SignalState = state;
}

}  // namespace turnpike::win32

using turnpike::LogLevel;
using turnpike::win32::DispatcherType;

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
  if (Event != nullptr) {
    turnpike::win32::initialise(
        Event->Header,
        Type == SynchronizationEvent ? DispatcherType::kSynchronizationEvent : DispatcherType::kNotificationEvent,
        State != FALSE ? 1 : 0);
  }
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY, BOOLEAN) {
  return Event != nullptr ? turnpike::win32::set_signal(Event->Header, 1) : 0;
}
LONG KeResetEvent(PRKEVENT Event) { return Event != nullptr ? turnpike::win32::set_signal(Event->Header, 0) : 0; }
VOID KeClearEvent(PRKEVENT Event) { KeResetEvent(Event); }
LONG KeReadStateEvent(PRKEVENT Event) {
  return Event != nullptr ? static_cast<LONG>(turnpike::win32::signal_of(Event->Header).load(std::memory_order_acquire))
                          : 0;
}

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG) {
  if (Mutex != nullptr) {
    *Mutex = {};
    turnpike::win32::initialise(Mutex->Header, DispatcherType::kMutex, 1);
  }
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN) {
  if (Mutex == nullptr) {
    return 0;
  }
  turnpike::win32::Mutex mutex(*Mutex);
  if (mutex.owner.load(std::memory_order_relaxed) != turnpike::win32::own_number()) {
    TURNPIKE_LOG(LogLevel::kWarning, "driver", "a mutex is released by a thread that does not own it");
    return 0;
  }
  if (--mutex.depth == 0) {
    mutex.owner.store(0, std::memory_order_relaxed);
    turnpike::win32::set_signal(Mutex->Header, 1);
  }
  return 0;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  auto* const header = static_cast<DISPATCHER_HEADER*>(Object);
  if (header == nullptr || !turnpike::win32::is_known(turnpike::win32::type_of(*header))) {
    return static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER);
  }
  const bool may_wait = Timeout == nullptr || Timeout->QuadPart != 0;
  if (may_wait && turnpike::win32::current_level() >= DISPATCH_LEVEL) {
    TURNPIKE_LOG(LogLevel::kWarning, "driver", "a wait at DISPATCH_LEVEL");
  }
  return turnpike::win32::wait_for(*header, turnpike::win32::deadline_of(Timeout));
}

// A fast mutex: its event, and who has it.
VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex) {
  if (FastMutex != nullptr) {
    *FastMutex = {};
    FastMutex->Count = 1;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, TRUE);
  }
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex) {
  if (FastMutex != nullptr) {
    turnpike::win32::wait_for(FastMutex->Event.Header, turnpike::kNever);
    FastMutex->Owner = turnpike::win32::own_number();
    FastMutex->OldIrql = KfRaiseIrql(APC_LEVEL);
  }
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) {
  if (FastMutex == nullptr || turnpike::win32::wait_for(FastMutex->Event.Header, 0) != STATUS_SUCCESS) {
    return FALSE;
  }
  FastMutex->Owner = turnpike::win32::own_number();
  FastMutex->OldIrql = KfRaiseIrql(APC_LEVEL);
  return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex) {
  if (FastMutex != nullptr) {
    const auto level = static_cast<KIRQL>(FastMutex->OldIrql);
    FastMutex->Owner = 0;
    KeSetEvent(&FastMutex->Event, 0, FALSE);
    KeLowerIrql(level);
  }
}
