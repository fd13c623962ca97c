// Slim reader/writer locks, condition variables and one-time initialisation: each in the one pointer that the
// documented structure gives it.
//
// A slim lock's low word counts readers, or says that a writer has it, and has a flag each for readers and writers that
// wait; writers sleep on the high word, which counts their wake-ups, so that waking one writer disturbs no reader. Who
// waits is not overtaken by new readers. A release that finds both waiting wakes a writer.
//
// A condition variable's low word counts wake-ups, its high word sleepers: a wake-up that nobody waits for costs no
// system call.
//
// A one-time initialisation keeps its state in the two lowest bits of the context, which is why a context must leave
// them free. Who waits for another's initialisation sleeps on the low word.
#include <synchapi.h>

#include "base/futex.h"
#include "win32/last_error.h"
#include "win32/threads/time_service.h"
#include "win32/waits/client_word.h"
#include "win32/waits/wait.h"

namespace turnpike::win32 {
namespace {

// ---- slim locks -----------------------------------------------------------------------------------------------------

class SlimLock {
 public:
  static SlimLock& at(PSRWLOCK lock) { return *reinterpret_cast<SlimLock*>(lock); }

  bool try_lock_shared() {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    while (readers_may_enter(state)) {
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void lock_shared() {
    while (!try_lock_shared()) {
      std::uint32_t state = state_.load(std::memory_order_relaxed);
      if (!readers_may_enter(state) && flag_is_set(state, kReadersWait)) {
        futex_wait(state_, state | kReadersWait);
      }
    }
  }

  bool try_lock() {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    while ((state & kCount) == 0) {
      if (state_.compare_exchange_weak(state, state | kWriter, std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void lock() {
    std::uint32_t left_behind = 0;  // once woken, we speak for writers that may still wait behind us
    while (!take_for_writer(left_behind)) {
      std::uint32_t state = state_.load(std::memory_order_relaxed);
      if ((state & kCount) == 0 || !flag_is_set(state, kWritersWait)) {
        continue;
      }
      left_behind = kWritersWait;
      const std::uint32_t wake_ups = writer_wake_ups_.load(std::memory_order_acquire);
      state = state_.load(std::memory_order_relaxed);
      if ((state & kCount) != 0 && (state & kWritersWait) != 0) {
        futex_wait(writer_wake_ups_, wake_ups);
      }
    }
  }

  void unlock_shared() {
    if ((state_.load(std::memory_order_relaxed) & kCount) == 0) {
      return;  // nobody holds it: the caller's mistake
    }
    const std::uint32_t state = state_.fetch_sub(1, std::memory_order_release) - 1;
    if ((state & kCount) == 0 && state != 0) {
      hand_on(state);
    }
  }

  void unlock() {
    if ((state_.load(std::memory_order_relaxed) & kCount) != kWriter) {
      return;
    }
    const std::uint32_t state = state_.fetch_sub(kWriter, std::memory_order_release) - kWriter;
    if (state != 0) {
      hand_on(state);
    }
  }

 private:
  static constexpr std::uint32_t kReadersWait = 1U << 30;
  static constexpr std::uint32_t kWritersWait = 1U << 31;
  static constexpr std::uint32_t kCount = kReadersWait - 1;
  static constexpr std::uint32_t kWriter = kCount;  // in the place of the count

  static bool readers_may_enter(std::uint32_t state) {
    return (state & kCount) < kWriter - 1 && (state & (kReadersWait | kWritersWait)) == 0;
  }

  // Sets a flag in the state that the caller has seen; false: the state has changed meanwhile.
  bool flag_is_set(std::uint32_t& state, std::uint32_t flag) {
    return (state & flag) != 0 ||
           state_.compare_exchange_strong(state, state | flag, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  bool take_for_writer(std::uint32_t left_behind) {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    while ((state & kCount) == 0) {
      if (state_.compare_exchange_weak(state, state | kWriter | left_behind, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // Nobody held the lock, and somebody waited: a writer is woken, else all readers. Whoever comes in between hands it
  // on in turn.
  void hand_on(std::uint32_t state) {
    while ((state & kCount) == 0 && state != 0) {
      const bool to_writer = (state & kWritersWait) != 0;
      const std::uint32_t next = to_writer ? state & ~kWritersWait : 0;
      if (!state_.compare_exchange_strong(state, next, std::memory_order_relaxed, std::memory_order_relaxed)) {
        continue;
      }
      if (!to_writer) {
        futex_wake_all(state_);
        return;
      }
      writer_wake_ups_.fetch_add(1, std::memory_order_release);
      if (futex_wake_one(writer_wake_ups_)) {
        return;
      }
      state = next;  // the writer was not asleep yet, and will find the lock free; but readers may sleep
    }
  }

  Word state_;
  Word writer_wake_ups_;
};
static_assert(sizeof(SlimLock) == sizeof(SRWLOCK));

// ---- condition variables --------------------------------------------------------------------------------------------

// Sleeps until a wake-up after `before`, or until the time is over; says which.
FutexOutcome sleep_on(TwoWords& variable, std::uint32_t before, Patience patience) {
  if (patience.is_endless() || !clock_is_turned_by_hand()) {
    return futex_wait(variable.low, before, patience.from_now());
  }
  std::atomic<bool> over{false};
  const TimerId timer = arm_timer(in_milliseconds(patience.milliseconds()), [&] {
    over = true;
    variable.low.fetch_add(1, std::memory_order_release);
    futex_wake_all(variable.low);
  });
  futex_wait(variable.low, before);
  cancel_timer_and_wait(timer);
  return over ? FutexOutcome::kTimedOut : FutexOutcome::kWoken;
}

template <class Leave, class Enter>
BOOL sleep_without(PCONDITION_VARIABLE condition, DWORD milliseconds, Leave leave, Enter enter) {
  TwoWords& variable = two_words_at(condition);
  variable.high.fetch_add(1, std::memory_order_seq_cst);
  const std::uint32_t before = variable.low.load(std::memory_order_seq_cst);
  leave();
  const FutexOutcome outcome = sleep_on(variable, before, Patience(milliseconds));
  variable.high.fetch_sub(1, std::memory_order_relaxed);
  enter();
  return outcome == FutexOutcome::kTimedOut ? fail_with(ERROR_TIMEOUT, FALSE) : TRUE;
}

void wake(PCONDITION_VARIABLE condition, bool all) {
  TwoWords& variable = two_words_at(condition);
  variable.low.fetch_add(1, std::memory_order_seq_cst);
  if (variable.high.load(std::memory_order_seq_cst) == 0) {
    return;
  }
  if (all) {
    futex_wake_all(variable.low);
  } else {
    futex_wake_one(variable.low);
  }
}

// ---- one-time initialisation ----------------------------------------------------------------------------------------

class Once {
 public:
  enum State : std::uintptr_t { kFresh = 0, kPending = 1, kDone = 2, kPendingAsync = 3 };
  static constexpr std::uintptr_t kStateBits = (1U << INIT_ONCE_CTX_RESERVED_BITS) - 1;

  static Once& at(PINIT_ONCE once) { return *reinterpret_cast<Once*>(once); }

  State state() const { return static_cast<State>(value_.load(std::memory_order_acquire) & kStateBits); }
  void* context() const { return reinterpret_cast<void*>(value_.load(std::memory_order_acquire) & ~kStateBits); }

  bool begin(State pending) {
    std::uintptr_t value = kFresh;
    return value_.compare_exchange_strong(value, pending, std::memory_order_acq_rel);
  }

  // False where it is not pending in that way (any more).
  bool end(State pending, State with, void* context) {
    std::uintptr_t value = pending;
    const bool good = value_.compare_exchange_strong(value, reinterpret_cast<std::uintptr_t>(context) | with,
                                                     std::memory_order_acq_rel);
    if (good) {
      futex_wake_all(word_at(this));
    }
    return good;
  }

  void wait_while_pending() { futex_wait(word_at(this), kPending); }

 private:
  std::atomic<std::uintptr_t> value_;
};
static_assert(sizeof(Once) == sizeof(INIT_ONCE));

bool is_context(const void* context) { return (reinterpret_cast<std::uintptr_t>(context) & Once::kStateBits) == 0; }

// Tries to be the one who initialises; false: another one has done so.
bool begin_or_wait(Once& once) {
  while (once.state() != Once::kDone) {
    if (once.begin(Once::kPending)) {
      return true;
    }
    once.wait_while_pending();
  }
  return false;
}

BOOL run_once(Once& once, PINIT_ONCE raw, PINIT_ONCE_FN function, PVOID parameter) {
  // However the client's function is left, by its thread's end too, somebody else may then try.
  struct Attempt {
    Once& once;
    ~Attempt() { once.end(Once::kPending, Once::kFresh, nullptr); }
  } const attempt{once};
  PVOID context = nullptr;
  if (function(raw, parameter, &context) == FALSE) {
    return FALSE;  // with the function's own last error
  }
  if (!is_context(context)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  once.end(Once::kPending, Once::kDone, context);
  return TRUE;
}

BOOL begin_asynchronously(Once& once, PBOOL pending) {
  if (!once.begin(Once::kPendingAsync) && once.state() == Once::kPending) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  *pending = once.state() != Once::kDone ? TRUE : FALSE;
  return TRUE;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::begin_asynchronously;
using turnpike::win32::begin_or_wait;
using turnpike::win32::fail_with;
using turnpike::win32::is_context;
using turnpike::win32::is_null;
using turnpike::win32::Once;
using turnpike::win32::run_once;
using turnpike::win32::sleep_without;
using turnpike::win32::SlimLock;
using turnpike::win32::wake;

VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock) {
  if (!is_null(SRWLock)) {
    *SRWLock = SRWLOCK_INIT;
  }
}
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock) {
  if (!is_null(SRWLock)) {
    SlimLock::at(SRWLock).lock();
  }
}
VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock) {
  if (!is_null(SRWLock)) {
    SlimLock::at(SRWLock).lock_shared();
  }
}
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock) {
  if (!is_null(SRWLock)) {
    SlimLock::at(SRWLock).unlock();
  }
}
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock) {
  if (!is_null(SRWLock)) {
    SlimLock::at(SRWLock).unlock_shared();
  }
}
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock) {
  return !is_null(SRWLock) && SlimLock::at(SRWLock).try_lock() ? TRUE : FALSE;
}
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock) {
  return !is_null(SRWLock) && SlimLock::at(SRWLock).try_lock_shared() ? TRUE : FALSE;
}

VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable) {
  if (!is_null(ConditionVariable)) {
    *ConditionVariable = CONDITION_VARIABLE_INIT;
  }
}
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable) {
  if (!is_null(ConditionVariable)) {
    wake(ConditionVariable, false);
  }
}
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable) {
  if (!is_null(ConditionVariable)) {
    wake(ConditionVariable, true);
  }
}

BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable, PCRITICAL_SECTION CriticalSection,
                                     DWORD dwMilliseconds) {
  if (is_null(ConditionVariable) || is_null(CriticalSection)) {
    return FALSE;
  }
  return sleep_without(
      ConditionVariable, dwMilliseconds, [=] { LeaveCriticalSection(CriticalSection); },
      [=] { EnterCriticalSection(CriticalSection); });
}

BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock, DWORD dwMilliseconds,
                                      ULONG Flags) {
  if (is_null(ConditionVariable) || is_null(SRWLock)) {
    return FALSE;
  }
  if ((Flags & ~CONDITION_VARIABLE_LOCKMODE_SHARED) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  if (Flags == CONDITION_VARIABLE_LOCKMODE_SHARED) {
    return sleep_without(
        ConditionVariable, dwMilliseconds, [=] { ReleaseSRWLockShared(SRWLock); },
        [=] { AcquireSRWLockShared(SRWLock); });
  }
  return sleep_without(
      ConditionVariable, dwMilliseconds, [=] { ReleaseSRWLockExclusive(SRWLock); },
      [=] { AcquireSRWLockExclusive(SRWLock); });
}

VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce) {
  if (!is_null(InitOnce)) {
    *InitOnce = INIT_ONCE_STATIC_INIT;
  }
}

BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter, LPVOID* Context) {
  if (InitOnce == nullptr || InitFn == nullptr || Once::at(InitOnce).state() == Once::kPendingAsync) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  Once& once = Once::at(InitOnce);
  if (begin_or_wait(once) && run_once(once, InitOnce, InitFn, Parameter) == FALSE) {
    return FALSE;
  }
  if (Context != nullptr) {
    *Context = once.context();
  }
  return TRUE;
}

BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE lpInitOnce, DWORD dwFlags, PBOOL fPending, LPVOID* lpContext) {
  if (lpInitOnce == nullptr || fPending == nullptr || (dwFlags & ~(INIT_ONCE_CHECK_ONLY | INIT_ONCE_ASYNC)) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  Once& once = Once::at(lpInitOnce);
  if (once.state() != Once::kDone && (dwFlags & INIT_ONCE_CHECK_ONLY) != 0) {
    return fail_with(ERROR_GEN_FAILURE, FALSE);
  }
  if ((dwFlags & INIT_ONCE_ASYNC) != 0) {
    if (begin_asynchronously(once, fPending) == FALSE) {
      return FALSE;
    }
  } else if (once.state() == Once::kPendingAsync) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  } else {
    *fPending = begin_or_wait(once) ? TRUE : FALSE;
  }
  if (*fPending == FALSE && lpContext != nullptr) {
    *lpContext = once.context();
  }
  return TRUE;
}

BOOL WINAPI InitOnceComplete(LPINIT_ONCE lpInitOnce, DWORD dwFlags, LPVOID lpContext) {
  const bool failed = dwFlags == INIT_ONCE_INIT_FAILED;
  if (lpInitOnce == nullptr || (!failed && (dwFlags & ~INIT_ONCE_ASYNC) != 0) || !is_context(lpContext) ||
      (failed && lpContext != nullptr)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const Once::State pending = dwFlags == INIT_ONCE_ASYNC ? Once::kPendingAsync : Once::kPending;
  if (!Once::at(lpInitOnce).end(pending, failed ? Once::kFresh : Once::kDone, lpContext)) {
    return fail_with(ERROR_GEN_FAILURE, FALSE);
  }
  return TRUE;
}
