#include <atomic>
#include <limits>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

using TimerQueues = TurnedClock;
using WaitableTimers = TurnedClock;
using TimedWaits = TurnedClock;

VOID CALLBACK count(PVOID context, BOOLEAN fired) {
  EXPECT_TRUE(fired);
  ++*static_cast<std::atomic<int>*>(context);
}

DWORD error_after(BOOL result) {
  EXPECT_FALSE(result);
  return GetLastError();
}

HANDLE made_timer(HANDLE queue, std::atomic<int>& calls, DWORD due, DWORD period, ULONG flags = 0) {
  HANDLE timer = nullptr;
  EXPECT_TRUE(CreateTimerQueueTimer(&timer, queue, count, &calls, due, period, flags)) << GetLastError();
  return timer;
}

TEST_F(TimerQueues, FireOnceOrPeriodically) {
  std::atomic<int> once{0};
  std::atomic<int> often{0};
  const HANDLE first = made_timer(nullptr, once, 10, 0);
  const HANDLE second = made_timer(nullptr, often, 10, 5);
  advance(9);
  EXPECT_EQ(once + often, 0);
  advance(1);
  EXPECT_EQ(once, 1);
  EXPECT_EQ(often, 1);
  advance(50);
  EXPECT_EQ(once, 1);
  EXPECT_EQ(often, 11);  // each period that has passed
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, first, INVALID_HANDLE_VALUE));
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, second, INVALID_HANDLE_VALUE));
  advance(50);
  EXPECT_EQ(often, 11);
}

TEST_F(TimerQueues, DueAtOnceOrNever) {
  std::atomic<int> now{0};
  std::atomic<int> never{0};
  const HANDLE first = made_timer(nullptr, now, 0, 0);
  const HANDLE second = made_timer(nullptr, never, INFINITE, 0);
  EXPECT_TRUE(settle());
  EXPECT_EQ(now, 1);
  advance(0xFFFFFFFFLL + 10);
  EXPECT_EQ(never, 0);
  EXPECT_TRUE(ChangeTimerQueueTimer(nullptr, second, 7, 0));
  advance(7);
  EXPECT_EQ(never, 1);
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, first, nullptr));
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, second, nullptr));
}

TEST_F(TimerQueues, Change) {
  std::atomic<int> calls{0};
  const HANDLE timer = made_timer(nullptr, calls, 10, 10);
  advance(9);
  EXPECT_TRUE(ChangeTimerQueueTimer(nullptr, timer, 20, 0));
  advance(19);
  EXPECT_EQ(calls, 0);
  advance(1);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(ChangeTimerQueueTimer(nullptr, timer, 1, 1));  // expired for good: nothing, and no error
  advance(10);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, timer, nullptr));
}

TEST_F(TimerQueues, InTheTimerThread) {
  std::atomic<int> calls{0};
  const HANDLE timer = made_timer(nullptr, calls, 1, 1, WT_EXECUTEINTIMERTHREAD);
  advance(3);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, timer, INVALID_HANDLE_VALUE));
}

TEST_F(TimerQueues, OnlyOnceBeatsThePeriod) {
  std::atomic<int> calls{0};
  const HANDLE timer = made_timer(nullptr, calls, 1, 1, WT_EXECUTEONLYONCE | WT_EXECUTELONGFUNCTION);
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, timer, nullptr));
  const HANDLE other = made_timer(nullptr, calls, 1, 1, WT_EXECUTEONLYONCE);
  advance(5);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, other, nullptr));
}

TEST_F(TimerQueues, DeletingAQueueDeletesItsTimers) {
  std::atomic<int> calls{0};
  const HANDLE queue = CreateTimerQueue();
  const HANDLE timer = made_timer(queue, calls, 10, 10);
  made_timer(queue, calls, 10, 10);
  EXPECT_EQ(error_after(DeleteTimerQueueTimer(nullptr, timer, nullptr)), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  advance(10);
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
  EXPECT_EQ(error_after(ChangeTimerQueueTimer(nullptr, timer, 1, 1)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(error_after(DeleteTimerQueue(queue)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  advance(100);
  EXPECT_EQ(calls, 2);
}

// A callback that tells when it has begun and waits until it may go on.
struct Slow {
  HANDLE entered;
  HANDLE leave;
};
VOID CALLBACK be_slow(PVOID context, BOOLEAN) {
  const auto* slow = static_cast<Slow*>(context);
  SignalObjectAndWait(slow->entered, slow->leave, INFINITE, FALSE);
}

TEST_F(TimerQueues, DeletionWaitsForARunningCallback) {
  const OwnedHandle entered = auto_event();
  const OwnedHandle leave = auto_event();
  const OwnedHandle done = manual_event();
  Slow slow{entered, leave};
  const HANDLE queue = CreateTimerQueue();
  HANDLE timer = nullptr;
  ASSERT_TRUE(CreateTimerQueueTimer(&timer, queue, be_slow, &slow, 0, 0, 0));
  WaitForSingleObject(entered, INFINITE);
  EXPECT_EQ(error_after(DeleteTimerQueueTimer(queue, timer, done)), static_cast<DWORD>(ERROR_IO_PENDING));
  EXPECT_FALSE(is_signalled(done));
  std::atomic<bool> deleted{false};
  std::thread other([&] {
    EXPECT_TRUE(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));  // waits for the deleted timer's callback too
    deleted = true;
  });
  while (pin_kind(queue, Kind::kTimerQueue)) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(deleted);
  SetEvent(leave);
  other.join();
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
}

TEST_F(TimerQueues, DeletionInsideTheCallbackDoesNotWaitForItself) {
  struct Self {
    std::atomic<HANDLE> timer{nullptr};
    std::atomic<DWORD> error{0};
  };
  const auto end = [](PVOID context, BOOLEAN) {
    auto* self = static_cast<Self*>(context);
    self->error = DeleteTimerQueueTimer(nullptr, self->timer, INVALID_HANDLE_VALUE) ? ERROR_SUCCESS : GetLastError();
  };
  for (const ULONG flags : {ULONG{WT_EXECUTEDEFAULT}, ULONG{WT_EXECUTEINTIMERTHREAD}}) {
    Self self;
    HANDLE timer = nullptr;
    ASSERT_TRUE(CreateTimerQueueTimer(&timer, nullptr, end, &self, 1, 1, flags));
    self.timer = timer;
    advance(1);
    EXPECT_EQ(self.error, static_cast<DWORD>(ERROR_IO_PENDING));
  }
}

TEST_F(TimerQueues, BadArguments) {
  std::atomic<int> calls{0};
  HANDLE timer = nullptr;
  const OwnedHandle event = auto_event();
  const DWORD invalid = ERROR_INVALID_PARAMETER;
  const DWORD handle = ERROR_INVALID_HANDLE;
  EXPECT_EQ(error_after(CreateTimerQueueTimer(nullptr, nullptr, count, &calls, 1, 1, 0)), invalid);
  EXPECT_EQ(error_after(CreateTimerQueueTimer(&timer, nullptr, nullptr, &calls, 1, 1, 0)), invalid);
  EXPECT_EQ(error_after(CreateTimerQueueTimer(&timer, nullptr, count, &calls, 1, 1, 0x4000)), invalid);
  EXPECT_EQ(error_after(CreateTimerQueueTimer(&timer, event, count, &calls, 1, 1, 0)), handle);
  EXPECT_EQ(error_after(CreateTimerQueueTimer(&timer, INVALID_HANDLE_VALUE, count, &calls, 1, 1, 0)), handle);
  EXPECT_EQ(timer, nullptr);
  EXPECT_EQ(error_after(DeleteTimerQueue(nullptr)), handle);
  EXPECT_EQ(error_after(DeleteTimerQueueTimer(nullptr, nullptr, nullptr)), handle);
  EXPECT_EQ(error_after(DeleteTimerQueueTimer(nullptr, event, nullptr)), handle);
  timer = made_timer(nullptr, calls, 1, 0);
  EXPECT_EQ(error_after(DeleteTimerQueueTimer(nullptr, timer, timer)), handle);  // no event
  advance(1);
  EXPECT_EQ(calls, 1);  // so it was not deleted
  EXPECT_TRUE(DeleteTimerQueueTimer(nullptr, timer, nullptr));
}

TEST_F(TimerQueues, StressOfChangeAndDelete) {
  const HANDLE queue = CreateTimerQueue();
  std::atomic<int> calls{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        HANDLE timer = nullptr;
        const auto add = [](PVOID context, BOOLEAN) { ++*static_cast<std::atomic<int>*>(context); };
        ASSERT_TRUE(CreateTimerQueueTimer(&timer, queue, add, &calls, 0, round % 2,
                                          round % 3 == 0 ? WT_EXECUTEINTIMERTHREAD : 0));
        EXPECT_TRUE(ChangeTimerQueueTimer(queue, timer, 0, 1));
        EXPECT_TRUE(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
}

LARGE_INTEGER in_ms(LONGLONG milliseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -milliseconds * 10'000;
  return due;
}

TEST_F(WaitableTimers, SignalOneWait) {
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  const LARGE_INTEGER due = in_ms(10);
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE));
  advance(9);
  EXPECT_FALSE(is_signalled(timer));
  advance(1);
  EXPECT_TRUE(is_signalled(timer));
  EXPECT_FALSE(is_signalled(timer));
}

TEST_F(WaitableTimers, ManualResetAndPeriod) {
  const OwnedHandle manual(CreateWaitableTimerA(nullptr, TRUE, "a timer"));
  const OwnedHandle same(OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, L"a timer"));
  const OwnedHandle periodic(CreateWaitableTimerExW(nullptr, nullptr, 0, TIMER_ALL_ACCESS));
  const LARGE_INTEGER due = in_ms(10);
  EXPECT_TRUE(SetWaitableTimer(manual, &due, 0, nullptr, nullptr, FALSE));
  EXPECT_TRUE(SetWaitableTimer(periodic, &due, 5, nullptr, nullptr, TRUE));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  advance(10);
  EXPECT_TRUE(is_signalled(manual));
  EXPECT_TRUE(is_signalled(same));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_signalled(periodic));
    EXPECT_FALSE(is_signalled(periodic));
    advance(5);
  }
  EXPECT_TRUE(SetWaitableTimer(manual, &due, 0, nullptr, nullptr, FALSE));
  EXPECT_FALSE(is_signalled(manual));  // setting takes the signal back
  EXPECT_TRUE(CancelWaitableTimer(manual));
  EXPECT_TRUE(CancelWaitableTimer(periodic));
  advance(100);
  EXPECT_FALSE(is_signalled(manual));
}

TEST_F(WaitableTimers, AbsoluteMoment) {
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  LARGE_INTEGER due;
  // The test clock's wall begins on 2026-01-01 00:00 UTC: 425 years of 365 days, 103 leap days.
  due.QuadPart = (425LL * 365 + 103) * 86'400 * 10'000'000 + 20 * 10'000;
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE));
  advance(19);
  EXPECT_FALSE(is_signalled(timer));
  advance(1);
  EXPECT_TRUE(is_signalled(timer));
  due.QuadPart = 1;  // long past
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE));
  EXPECT_TRUE(settle());
  EXPECT_TRUE(is_signalled(timer));
}

TEST_F(WaitableTimers, CompletionRoutineIsAnApc) {
  static int calls = 0;
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  const LARGE_INTEGER due = in_ms(10);
  const auto routine = [](LPVOID argument, DWORD low, DWORD high) {
    EXPECT_EQ(argument, &calls);
    EXPECT_NE(low, 0U);
    EXPECT_GT(high, 0x01D00000U);
    ++calls;
  };
  calls = 0;
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 10, routine, &calls, FALSE));
  advance(30);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
  EXPECT_EQ(calls, 1);  // one at a time is queued
  advance(10);
  EXPECT_TRUE(CancelWaitableTimer(timer));  // takes the queued one back
  EXPECT_EQ(SleepEx(0, TRUE), 0U);
  EXPECT_EQ(calls, 1);
}

TEST_F(WaitableTimers, GoWithTheirLastHandle) {
  OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  const LARGE_INTEGER due = in_ms(10);
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 10, nullptr, nullptr, FALSE));
  timer.close();
  advance(100);
}

TEST_F(WaitableTimers, BadArguments) {
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  const OwnedHandle event = auto_event();
  LARGE_INTEGER due = in_ms(1);
  EXPECT_EQ(error_after(SetWaitableTimer(timer, nullptr, 0, nullptr, nullptr, FALSE)),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(error_after(SetWaitableTimer(timer, &due, -1, nullptr, nullptr, FALSE)),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(error_after(SetWaitableTimer(event, &due, 0, nullptr, nullptr, FALSE)),
            static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(error_after(CancelWaitableTimer(nullptr)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(CreateWaitableTimerExW(nullptr, nullptr, 8, 0), nullptr);
  due.QuadPart = std::numeric_limits<LONGLONG>::min();
  EXPECT_TRUE(SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE));  // 29,000 years
  due.QuadPart = MAXLONGLONG;
  EXPECT_TRUE(SetWaitableTimer(timer, &due, MAXLONG, nullptr, nullptr, FALSE));
  advance(1000);
  EXPECT_FALSE(is_signalled(timer));
}

// While a test holds the clock, waiting threads go by it too.
TEST_F(TimedWaits, GoByTheClock) {
  const OwnedHandle event = auto_event();
  std::atomic<DWORD> result{WAIT_FAILED};
  std::thread waiter([&] { result = WaitForSingleObject(event, 60'000); });
  until_waiting(event);
  advance(59'999);
  EXPECT_EQ(result, WAIT_FAILED);
  while (result == WAIT_FAILED) {
    advance(1);
  }
  waiter.join();
  EXPECT_EQ(result, static_cast<DWORD>(WAIT_TIMEOUT));
}

}  // namespace
}  // namespace turnpike::win32
