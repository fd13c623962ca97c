// The waiting thread's side of what waitable.cpp tells, and the C face of waiting.
//
// A pass without queueing comes first, so that what is ready costs no queueing. An alertable wait looks for queued
// calls only when nothing was ready, as Windows does: a loop that always finds an event signalled is not kept busy by
// APCs, and the other way round SleepEx(0, TRUE) runs them for certain.
#include "win32/waits/wait.h"

#include <sched.h>
#include <synchapi.h>

#include <array>

#include "win32/last_error.h"
#include "win32/threads/thread.h"
#include "win32/threads/time_service.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

class ThreadWait final : public Wait {
 public:
  ThreadWait(Thread& thread, bool alertable, std::span<WaitBlock> all_blocks = {})
      : Wait(thread, all_blocks), parker_(thread.parker()), alertable_(alertable) {
    if (alertable_) {
      thread.begin_alertable(*this);
    }
  }

  ~ThreadWait() {
    if (alertable_) {
      thread().end_alertable();
    }
  }

  Verdict sleep(Patience patience) {
    if (patience.is_endless() || !clock_is_turned_by_hand()) {
      return sleep_until(patience.from_now());
    }
    const TimerId timer = arm_timer(in_milliseconds(patience.milliseconds()), [this] {
      if (end_without_object(kTimedOut)) {
        parker_.unpark();
      }
    });
    const Verdict verdict = sleep_until(kNever);
    cancel_timer_and_wait(timer);
    return verdict;
  }

 private:
  Verdict sleep_until(Deadline deadline) {
    while (!is_over()) {
      if (!parker_.park(deadline) && !end_without_object(kTimedOut)) {
        deadline = kNever;  // somebody serves it just now, and will wake us when he has done
      }
    }
    return verdict();
  }

  void served(Verdict verdict, WakeList& wakes) override {
    Parker& parker = parker_;
    publish(verdict);
    wakes.add(parker);
  }

  Parker& parker_;
  const bool alertable_;
};

Verdict wait_in_queues(Thread& thread, std::span<Waitable* const> objects, std::span<WaitBlock> blocks,
                       Patience patience, bool alertable) {
  ThreadWait wait(thread, alertable);
  std::size_t queued = 0;
  for (; queued < objects.size(); ++queued) {
    WaitBlock& block = blocks[queued];
    block.object = objects[queued];
    block.wait = &wait;
    block.index = static_cast<Verdict>(queued);
    if (!block.object->enqueue(block)) {
      break;
    }
  }
  const Verdict verdict = wait.sleep(patience);
  for (std::size_t i = 0; i < queued; ++i) {
    if ((verdict & ~kAbandoned) != i) {  // that one was taken out by who served it
      blocks[i].object->remove(blocks[i]);
    }
  }
  return verdict;
}

Verdict wait_in_queues_for_all(Thread& thread, std::span<WaitBlock> blocks, Patience patience, bool alertable) {
  ThreadWait wait(thread, alertable, blocks);
  for (WaitBlock& block : blocks) {
    block.wait = &wait;
  }
  if (!Waitable::enqueue_all(blocks)) {
    return wait.sleep(Patience::endless());
  }
  const Verdict verdict = wait.sleep(patience);
  if (verdict == kTimedOut || verdict == kInterrupted) {
    Waitable::remove_all(blocks);
  }
  return verdict;
}

// For when nothing was ready: the calls that are queued already, or the end of a poll, or really waiting.
template <class Queueing>
Verdict wait_unless(Thread& thread, Patience patience, bool alertable, Queueing wait_in_queue) {
  if (alertable && thread.run_apcs()) {
    return kInterrupted;
  }
  if (patience.is_none()) {
    return kTimedOut;
  }
  const Verdict verdict = wait_in_queue();
  if (verdict == kInterrupted) {
    thread.run_apcs();  // now that nothing of the wait is left: they may wait themselves
  }
  return verdict;
}

}  // namespace

Verdict wait_for_any(std::span<Waitable* const> objects, Patience patience, bool alertable) {
  Thread& thread = Thread::current();
  bool abandoned = false;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (objects[i]->try_take(thread, abandoned)) {
      return static_cast<Verdict>(i) + (abandoned ? kAbandoned : 0);
    }
  }
  return wait_unless(thread, patience, alertable, [&] {
    if (objects.size() == 1) {
      WaitBlock block;
      return wait_in_queues(thread, objects, {&block, 1}, patience, alertable);
    }
    std::array<WaitBlock, kMostWaitables> blocks;
    return wait_in_queues(thread, objects, blocks, patience, alertable);
  });
}

Verdict wait_for_all(std::span<Waitable* const> objects, Patience patience, bool alertable) {
  Thread& thread = Thread::current();
  std::array<WaitBlock, kMostWaitables> room;
  const std::span<WaitBlock> blocks(room.data(), objects.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].object = objects[i];
  }
  bool abandoned = false;
  if (Waitable::try_take_all(blocks, thread, abandoned)) {
    return abandoned ? kAbandoned : 0;
  }
  return wait_unless(thread, patience, alertable,
                     [&] { return wait_in_queues_for_all(thread, blocks, patience, alertable); });
}

Verdict sleep_for(Patience patience, bool alertable) {
  Thread& thread = Thread::current();
  return wait_unless(thread, patience, alertable, [&] {
    ThreadWait wait(thread, alertable);
    return wait.sleep(patience);
  });
}

namespace {

// What a handle that is to be waited on stands for, GetCurrentThread's pseudo handle included.
class Target {
 public:
  Target() = default;
  explicit Target(RawHandle raw)
      : held_(pin_waitable(raw)), object_(raw == kCurrentThread ? &Thread::current() : held_.get()) {}

  Waitable* object() const { return object_; }

 private:
  Held<Waitable> held_;
  Waitable* object_ = nullptr;
};

DWORD wait_on_handle(HANDLE handle, Patience patience, bool alertable) {
  const Target target(handle);
  if (target.object() == nullptr) {
    return fail_with(ERROR_INVALID_HANDLE, WAIT_FAILED);
  }
  return wait_for_one(*target.object(), patience, alertable);
}

DWORD wait_on_handles(std::span<const HANDLE> handles, bool for_all, Patience patience, bool alertable) {
  std::array<Target, kMostWaitables> targets;
  std::array<Waitable*, kMostWaitables> objects;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    targets[i] = Target(handles[i]);
    objects[i] = targets[i].object();
    if (objects[i] == nullptr) {
      return fail_with(ERROR_INVALID_HANDLE, WAIT_FAILED);
    }
  }
  const std::span<Waitable* const> all(objects.data(), handles.size());
  if (!for_all) {
    return wait_for_any(all, patience, alertable);
  }
  if (Waitable::has_twins(all)) {
    return fail_with(ERROR_INVALID_PARAMETER, WAIT_FAILED);
  }
  return wait_for_all(all, patience, alertable);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::kInterrupted;
using turnpike::win32::kMostWaitables;
using turnpike::win32::Patience;
using turnpike::win32::pin_waitable;
using turnpike::win32::sleep_for;
using turnpike::win32::Target;
using turnpike::win32::Thread;
using turnpike::win32::Verdict;
using turnpike::win32::wait_for_one;
using turnpike::win32::wait_on_handle;
using turnpike::win32::wait_on_handles;
using turnpike::win32::Waitable;

DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds) {
  return wait_on_handle(hHandle, Patience(dwMilliseconds), false);
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable) {
  return wait_on_handle(hHandle, Patience(dwMilliseconds), bAlertable != FALSE);
}

DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE* lpHandles, BOOL bWaitAll, DWORD dwMilliseconds) {
  return WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, FALSE);
}

DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE* lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
                                      BOOL bAlertable) {
  if (nCount == 0 || nCount > kMostWaitables || lpHandles == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, WAIT_FAILED);
  }
  return wait_on_handles({lpHandles, nCount}, bWaitAll != FALSE, Patience(dwMilliseconds), bAlertable != FALSE);
}

DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn, DWORD dwMilliseconds,
                                 BOOL bAlertable) {
  const Held<Waitable> to_signal = pin_waitable(hObjectToSignal);
  const Target to_wait_on(hObjectToWaitOn);
  if (!to_signal || to_wait_on.object() == nullptr) {
    return fail_with(ERROR_INVALID_HANDLE, WAIT_FAILED);
  }
  const DWORD error = to_signal->signal(Thread::current());
  if (error != ERROR_SUCCESS) {
    return fail_with(error, WAIT_FAILED);
  }
  return wait_for_one(*to_wait_on.object(), Patience(dwMilliseconds), bAlertable != FALSE);
}

DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable) {
  const Verdict verdict = sleep_for(Patience(dwMilliseconds), bAlertable != FALSE);
  if (dwMilliseconds == 0) {
    ::sched_yield();
  }
  return verdict == kInterrupted ? WAIT_IO_COMPLETION : 0;
}

VOID WINAPI Sleep(DWORD dwMilliseconds) { SleepEx(dwMilliseconds, FALSE); }
