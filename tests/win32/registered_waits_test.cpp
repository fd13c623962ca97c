#include <array>
#include <atomic>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

// What a callback does: counts how it was called, and what a test adds.
struct Calls {
  std::atomic<int> signals{0};
  std::atomic<int> time_outs{0};
  HANDLE reset = nullptr;
  HANDLE entered = nullptr;
  HANDLE leave = nullptr;
};

VOID CALLBACK on_wait(PVOID context, BOOLEAN timed_out) {
  auto* calls = static_cast<Calls*>(context);
  ++(timed_out ? calls->time_outs : calls->signals);
  if (calls->reset != nullptr) {
    ResetEvent(calls->reset);
  }
  if (calls->entered != nullptr) {
    SetEvent(calls->entered);
  }
  if (calls->leave != nullptr) {
    WaitForSingleObject(calls->leave, INFINITE);
  }
}

class RegisteredWaits : public TurnedClock {
 protected:
  static HANDLE registered(HANDLE object, Calls& calls, DWORD milliseconds = INFINITE, DWORD flags = 0) {
    HANDLE wait = nullptr;
    EXPECT_TRUE(RegisterWaitForSingleObject(&wait, object, on_wait, &calls, milliseconds, flags)) << GetLastError();
    return wait;
  }
};

DWORD error_after(BOOL result) {
  EXPECT_FALSE(result);
  return GetLastError();
}

TEST_F(RegisteredWaits, CallForEachSignal) {
  const OwnedHandle event = auto_event();
  Calls calls;
  const HANDLE wait = registered(event, calls);
  for (int i = 1; i <= 3; ++i) {
    SetEvent(event);
    EXPECT_TRUE(settle());
    EXPECT_EQ(calls.signals, i);
  }
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  SetEvent(event);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 3);
  EXPECT_TRUE(is_signalled(event));  // nobody took it
}

TEST_F(RegisteredWaits, TakeEachCountOfASemaphore) {
  const OwnedHandle semaphore(CreateSemaphoreW(nullptr, 2, 100, nullptr));
  Calls calls;
  const HANDLE wait = registered(semaphore, calls);
  ReleaseSemaphore(semaphore, 50, nullptr);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 52);
  EXPECT_FALSE(is_signalled(semaphore));
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
}

TEST_F(RegisteredWaits, JustOnce) {
  const OwnedHandle event = auto_event(true);
  Calls calls;
  const HANDLE wait = registered(event, calls, INFINITE, WT_EXECUTEONLYONCE);
  EXPECT_TRUE(settle());
  SetEvent(event);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 1);
  EXPECT_TRUE(is_signalled(event));
  EXPECT_TRUE(UnregisterWait(wait));  // still owed
  EXPECT_EQ(error_after(UnregisterWait(wait)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
}

TEST_F(RegisteredWaits, ManualResetEventThatTheCallbackResets) {
  const OwnedHandle event = manual_event();
  Calls calls;
  calls.reset = event;
  const HANDLE wait = registered(event, calls);
  SetEvent(event);
  EXPECT_TRUE(settle());
  SetEvent(event);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 2);
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
}

TEST_F(RegisteredWaits, EndOfAThread) {
  const OwnedHandle event = auto_event();
  const OwnedHandle thread(CreateThread(
      nullptr, 0, [](LPVOID handle) -> DWORD { return WaitForSingleObject(handle, INFINITE); }, event, 0, nullptr));
  const OwnedHandle called = auto_event();
  Calls calls;
  calls.entered = called;
  const HANDLE wait = registered(thread, calls, INFINITE, WT_EXECUTEONLYONCE);
  SetEvent(event);
  EXPECT_EQ(WaitForSingleObject(called, INFINITE), WAIT_OBJECT_0);
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) || GetLastError() == ERROR_IO_PENDING);
  EXPECT_EQ(calls.signals, 1);
}

TEST_F(RegisteredWaits, TimeOuts) {
  const OwnedHandle event = auto_event();
  Calls calls;
  const HANDLE wait = registered(event, calls, 100);
  advance(99);
  EXPECT_EQ(calls.time_outs, 0);
  advance(1);
  EXPECT_EQ(calls.time_outs, 1);
  advance(50);
  SetEvent(event);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 1);
  advance(99);  // counted anew from the signal
  EXPECT_EQ(calls.time_outs, 1);
  advance(1);
  EXPECT_EQ(calls.time_outs, 2);
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  advance(1000);
  EXPECT_EQ(calls.time_outs, 2);
}

TEST_F(RegisteredWaits, PollOnce) {
  const OwnedHandle event = auto_event();
  Calls calls;
  const HANDLE idle = registered(event, calls, 0, WT_EXECUTEONLYONCE);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.time_outs, 1);
  SetEvent(event);
  const HANDLE ready = registered(event, calls, 0, WT_EXECUTEONLYONCE);
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls.signals, 1);
  EXPECT_TRUE(UnregisterWait(idle));
  EXPECT_TRUE(UnregisterWait(ready));
}

TEST_F(RegisteredWaits, UnregisteringReallyWaits) {
  const OwnedHandle event = auto_event();
  const OwnedHandle entered = auto_event();
  const OwnedHandle leave = auto_event();
  Calls calls;
  calls.entered = entered;
  calls.leave = leave;
  const HANDLE wait = registered(event, calls);
  SetEvent(event);
  WaitForSingleObject(entered, INFINITE);
  std::atomic<bool> unregistered{false};
  std::thread other([&] {
    EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    unregistered = true;
  });
  while (pin_kind(wait, Kind::kRegisteredWait)) {  // the handle goes first
    std::this_thread::yield();
  }
  EXPECT_FALSE(unregistered);
  SetEvent(leave);
  other.join();
  EXPECT_TRUE(unregistered);
}

TEST_F(RegisteredWaits, UnregisteringWithoutWaitingTellsTheEvent) {
  const OwnedHandle event = auto_event();
  const OwnedHandle entered = auto_event();
  const OwnedHandle leave = auto_event();
  const OwnedHandle done = auto_event();
  Calls calls;
  calls.entered = entered;
  calls.leave = leave;
  HANDLE wait = registered(event, calls);
  SetEvent(event);
  WaitForSingleObject(entered, INFINITE);
  EXPECT_EQ(error_after(UnregisterWaitEx(wait, done)), static_cast<DWORD>(ERROR_IO_PENDING));
  EXPECT_FALSE(is_signalled(done));
  SetEvent(leave);
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);

  calls.leave = nullptr;
  wait = registered(event, calls);
  EXPECT_TRUE(UnregisterWaitEx(wait, done));  // nothing runs
  EXPECT_TRUE(is_signalled(done));
}

TEST_F(RegisteredWaits, UnregisteringInsideTheCallback) {
  const OwnedHandle event = auto_event();
  struct Self {
    std::atomic<HANDLE> wait{nullptr};
    HANDLE how = nullptr;
    std::atomic<DWORD> error{0};
    std::atomic<int> calls{0};
  };
  const auto unregister = [](PVOID context, BOOLEAN) {
    auto* self = static_cast<Self*>(context);
    ++self->calls;
    self->error = UnregisterWaitEx(self->wait, self->how) ? ERROR_SUCCESS : GetLastError();
  };
  for (const HANDLE how : {HANDLE{nullptr}, INVALID_HANDLE_VALUE}) {
    Self self;
    self.how = how;
    HANDLE wait = nullptr;
    ASSERT_TRUE(RegisterWaitForSingleObject(&wait, event, unregister, &self, INFINITE, 0));
    self.wait = wait;
    SetEvent(event);
    EXPECT_TRUE(settle());
    EXPECT_EQ(self.error, static_cast<DWORD>(ERROR_IO_PENDING));  // its own callback was still running
    SetEvent(event);
    EXPECT_TRUE(settle());
    EXPECT_EQ(self.calls, 1);
    EXPECT_TRUE(is_signalled(event));
  }
}

TEST_F(RegisteredWaits, MutexIsTakenByTheThreadOfTheCallback) {
  const OwnedHandle mutex(CreateMutexW(nullptr, TRUE, nullptr));
  struct State {
    HANDLE mutex;
    std::atomic<BOOL> released{FALSE};
  } state{mutex};
  HANDLE wait = nullptr;
  const auto release = [](PVOID context, BOOLEAN) {
    auto* mine = static_cast<State*>(context);
    mine->released = ReleaseMutex(mine->mutex);
  };
  ASSERT_TRUE(RegisterWaitForSingleObject(&wait, mutex, release, &state, INFINITE,
                                          WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE));
  EXPECT_TRUE(ReleaseMutex(mutex));
  EXPECT_TRUE(settle());
  EXPECT_TRUE(state.released);
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
}

TEST_F(RegisteredWaits, GoOnWhenTheObjectsHandleIsClosed) {
  OwnedHandle event = auto_event();
  Calls calls;
  const HANDLE wait = registered(event, calls);
  event.close();
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  EXPECT_EQ(calls.signals, 0);
}

TEST_F(RegisteredWaits, BadArguments) {
  const OwnedHandle event = auto_event();
  Calls calls;
  HANDLE wait = nullptr;
  const DWORD invalid = ERROR_INVALID_PARAMETER;
  EXPECT_EQ(error_after(RegisterWaitForSingleObject(nullptr, event, on_wait, &calls, 0, 0)), invalid);
  EXPECT_EQ(error_after(RegisterWaitForSingleObject(&wait, event, nullptr, &calls, 0, 0)), invalid);
  EXPECT_EQ(error_after(RegisterWaitForSingleObject(&wait, event, on_wait, &calls, 0, WT_EXECUTEINUITHREAD)), invalid);
  for (const HANDLE bad : {HANDLE{nullptr}, INVALID_HANDLE_VALUE, GetCurrentThread()}) {
    EXPECT_EQ(error_after(RegisterWaitForSingleObject(&wait, bad, on_wait, &calls, 0, 0)),
              static_cast<DWORD>(ERROR_INVALID_HANDLE));
    EXPECT_EQ(error_after(UnregisterWait(bad)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  }
  EXPECT_EQ(wait, nullptr);
  EXPECT_EQ(error_after(UnregisterWait(event)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  wait = registered(event, calls);
  EXPECT_EQ(error_after(UnregisterWaitEx(wait, wait)), static_cast<DWORD>(ERROR_INVALID_HANDLE));  // no event
  EXPECT_EQ(error_after(CloseHandle(wait)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(WaitForSingleObject(wait, 0), WAIT_FAILED);
  EXPECT_TRUE(UnregisterWait(wait));  // all that changed nothing
}

TEST_F(RegisteredWaits, StressOfRegisteringWhileSignalsRain) {
  const OwnedHandle event = auto_event();
  std::atomic<bool> over{false};
  std::thread rain([&] {
    while (!over) {
      SetEvent(event);
    }
  });
  for (int round = 0; round < 300; ++round) {
    struct State {
      std::atomic<bool> alive{true};
    };
    auto state = std::make_unique<State>();
    HANDLE wait = nullptr;
    const auto check = [](PVOID context, BOOLEAN) { EXPECT_TRUE(static_cast<State*>(context)->alive); };
    ASSERT_TRUE(RegisterWaitForSingleObject(&wait, event, check, state.get(), round % 3 == 0 ? 1 : INFINITE, 0));
    EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    state->alive = false;  // and then its memory goes
  }
  over = true;
  rain.join();
}

}  // namespace
}  // namespace turnpike::win32
