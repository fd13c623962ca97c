// RegisterWaitForSingleObject: a wait that no thread sits in.
//
// A registered wait stands in the object's queue like a waiting thread does (waitable.cpp); who signals the object
// takes it for the wait and queues the callback on the pool. So any number of them costs no thread, where Windows keeps
// one for every 63. A time-out is a timer that ends the wait in the same way.
//
// Armed again when? For an object that the wait has taken something from (an auto-reset event, a semaphore), when the
// callback begins: signals that come meanwhile have callbacks of their own, beside it on other workers, as on Windows.
// For an object that stays signalled (a manual-reset event, a thread), and after a time-out, when the callback has
// returned: Windows would call without end while the callback is on its way to ResetEvent.
//
// One armed round after the other, never two at once: the round owns a reference (`round_`), which goes to the callback
// with the verdict. `arming_` is held while a round begins or is called off; what ends it never needs that lock.
//
// Unregistering: the gate is closed, so a callback that is queued and has not begun is never made; the round is called
// off; and the caller waits, is told, or not, as he asked (callback_gate.h).
#include <threadpoollegacyapiset.h>

#include <mutex>

#include "win32/last_error.h"
#include "win32/threads/callback_gate.h"
#include "win32/threads/thread.h"
#include "win32/threads/thread_pool.h"
#include "win32/threads/time_service.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kKnownFlags = WT_EXECUTEINIOTHREAD | WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE |
                              WT_EXECUTELONGFUNCTION | WT_EXECUTEINPERSISTENTTHREAD | WT_TRANSFER_IMPERSONATION;

struct Registration {
  WAITORTIMERCALLBACK callback;
  PVOID context;
  ULONG milliseconds;
  ULONG flags;

  bool once() const { return (flags & WT_EXECUTEONLYONCE) != 0; }
  bool in_wait_thread() const { return (flags & WT_EXECUTEINWAITTHREAD) != 0; }
  Where where() const {
    if ((flags & (WT_EXECUTEINWAITTHREAD | WT_EXECUTEINIOTHREAD | WT_EXECUTEINPERSISTENTTHREAD)) != 0) {
      return Where::kPersistent;
    }
    return (flags & WT_EXECUTELONGFUNCTION) != 0 ? Where::kLong : Where::kWorker;
  }
};

class RegisteredWait final : public Object, private Wait, private Task {
 public:
  static constexpr Kind kKind = Kind::kRegisteredWait;

  // `taker` is who owns a mutex that the wait takes.
  RegisteredWait(const Registration& registration, Waitable& object, Thread& taker)
      : Object(kKind), Wait(taker), registration_(registration), object_(&object) {
    block_.object = &object;
    block_.wait = this;
  }

  void arm();
  BOOL end(Ending& ending);

 private:
  void served(Verdict verdict, WakeList& wakes) override;
  void time_is_over();
  void run() override;

  const Registration registration_;
  const Ref<Waitable> object_;
  WaitBlock block_;
  CallbackGate gate_;

  std::mutex arming_;
  Ref<RegisteredWait> round_;       // guarded by arming_, as are the next two
  TimerId timer_ = TimerId::kNone;  // of the round's time-out
  bool ended_ = false;
};

void RegisteredWait::arm() {
  const std::lock_guard guard(arming_);
  if (ended_) {
    return;
  }
  round_ = Ref<RegisteredWait>(this);
  start_again();
  if (!object_->enqueue(block_)) {
    return;  // served already
  }
  if (registration_.milliseconds == 0) {
    time_is_over();
  } else if (registration_.milliseconds != INFINITE) {
    timer_ =
        arm_timer(in_milliseconds(registration_.milliseconds), [this] { time_is_over(); });  // the round outlives it
  }
}

void RegisteredWait::served(Verdict verdict, WakeList& wakes) {
  publish(verdict);
  thread_pool().queue(*this, registration_.where());
  wakes.afterwards([] { thread_pool().find_workers(); });
}

void RegisteredWait::time_is_over() {
  if (end_without_object(kTimedOut)) {
    thread_pool().submit(*this, registration_.where());
  }
}

void RegisteredWait::run() {
  Ref<RegisteredWait> self;  // keeps this object until the callback has returned
  TimerId timer = TimerId::kNone;
  {
    const std::lock_guard guard(arming_);
    self = std::move(round_);
    timer = std::exchange(timer_, TimerId::kNone);
  }
  cancel_timer_and_wait(timer);  // or it would end the next round
  object_->remove(block_);
  const bool timed_out = verdict() == kTimedOut;
  const CallbackGate::Inside inside(gate_);
  if (!inside) {
    return;
  }
  const bool again_first =
      !registration_.once() && !registration_.in_wait_thread() && !timed_out && !object_->stays_signalled();
  if (again_first) {
    arm();
  }
  registration_.callback(registration_.context, timed_out ? TRUE : FALSE);
  if (!registration_.once() && !again_first) {
    arm();
  }
}

BOOL RegisteredWait::end(Ending& ending) {
  Ref<RegisteredWait> round;
  TimerId timer = TimerId::kNone;
  {
    const std::lock_guard guard(arming_);
    ended_ = true;
    if (round_ && end_without_object(kTimedOut)) {
      object_->remove(block_);
      round = std::move(round_);
      timer = std::exchange(timer_, TimerId::kNone);
    }
  }
  cancel_timer_and_wait(timer);
  return ending.finish(gate_);
}

// The round of a mutex belongs to the worker that runs all callbacks of such waits; others need no thread.
Thread* taker_for(const Waitable& object, const Registration& registration) {
  const bool persistent = object.kind() == Kind::kMutex || registration.where() == Where::kPersistent;
  if (!(persistent ? thread_pool().ensure_persistent_worker() : thread_pool().ensure_worker())) {
    return nullptr;
  }
  return persistent ? &thread_pool().persistent_thread() : &Thread::nobody();
}

BOOL register_wait(PHANDLE made, HANDLE handle, const Registration& registration) {
  if (made == nullptr || registration.callback == nullptr || (registration.flags & 0xFFFF & ~kKnownFlags) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const Held<Waitable> object = pin_waitable(handle);
  if (!object) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return unless_memory_is_out(FALSE, [&] {
    Thread* taker = taker_for(*object, registration);
    if (taker == nullptr) {
      return fail_with(ERROR_NOT_ENOUGH_MEMORY, FALSE);
    }
    const Ref<RegisteredWait> wait = make_object<RegisteredWait>(registration, *object, *taker);
    NewHandle wait_handle(wait);
    if (!wait_handle) {
      return FALSE;
    }
    *made = wait_handle.keep();  // before the callback can run and look for it
    wait->arm();
    return TRUE;
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::close_handle;
using turnpike::win32::Ending;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::pin;
using turnpike::win32::register_wait;
using turnpike::win32::RegisteredWait;

BOOL WINAPI RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
                                        PVOID Context, ULONG dwMilliseconds, ULONG dwFlags) {
  return register_wait(phNewWaitObject, hObject, {Callback, Context, dwMilliseconds, dwFlags});
}

BOOL WINAPI UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent) {
  const Held<RegisteredWait> wait = pin<RegisteredWait>(WaitHandle);
  Ending ending(CompletionEvent);
  if (!wait || !ending.is_valid() || !close_handle(WaitHandle, Kind::kRegisteredWait)) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return wait->end(ending);
}

BOOL WINAPI UnregisterWait(HANDLE WaitHandle) { return UnregisterWaitEx(WaitHandle, nullptr); }
