#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "waiting.h"

namespace turnpike::win32 {
namespace {

using Waits = NoHandleLeft;

TEST_F(Waits, AutoResetEventReleasesOneWait) {
  const OwnedHandle event = auto_event(true);
  EXPECT_TRUE(is_signalled(event));
  EXPECT_FALSE(is_signalled(event));
  EXPECT_TRUE(SetEvent(event));
  EXPECT_TRUE(SetEvent(event));  // signals do not add up
  EXPECT_TRUE(is_signalled(event));
  EXPECT_FALSE(is_signalled(event));
}

TEST_F(Waits, ManualResetEventStaysUntilReset) {
  const OwnedHandle event = manual_event();
  EXPECT_FALSE(is_signalled(event));
  SetEvent(event);
  EXPECT_TRUE(is_signalled(event));
  EXPECT_TRUE(is_signalled(event));
  ResetEvent(event);
  EXPECT_FALSE(is_signalled(event));
}

TEST_F(Waits, EndWithTimeOut) {
  const OwnedHandle event = auto_event();
  const std::array<HANDLE, 2> both{event, event};
  EXPECT_EQ(WaitForSingleObject(event, 2), WAIT_TIMEOUT);
  EXPECT_EQ(WaitForMultipleObjects(1, both.data(), TRUE, 2), WAIT_TIMEOUT);
  EXPECT_EQ(WaitForMultipleObjects(2, both.data(), FALSE, 2), WAIT_TIMEOUT);
  EXPECT_EQ(pin_waitable(event)->queue_length(), 0U);
}

TEST_F(Waits, LowestIndexWins) {
  const OwnedHandle a = auto_event();
  const OwnedHandle b = auto_event(true);
  const OwnedHandle c = auto_event(true);
  const std::array<HANDLE, 3> all{a, b, c};
  EXPECT_EQ(WaitForMultipleObjects(3, all.data(), FALSE, INFINITE), WAIT_OBJECT_0 + 1);
  EXPECT_EQ(WaitForMultipleObjects(3, all.data(), FALSE, INFINITE), WAIT_OBJECT_0 + 2);
  EXPECT_EQ(WaitForMultipleObjects(3, all.data(), FALSE, 0), WAIT_TIMEOUT);
}

TEST_F(Waits, SetWakesTheOneThatCameFirst) {
  const OwnedHandle event = auto_event();
  std::vector<int> order;
  std::thread first([&] {
    EXPECT_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
    order.push_back(1);
  });
  until_waiting(event, 1);
  std::thread second([&] {
    EXPECT_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
    order.push_back(2);
  });
  until_waiting(event, 2);
  SetEvent(event);
  first.join();
  EXPECT_EQ(pin_waitable(event)->queue_length(), 1U);
  SetEvent(event);
  second.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_FALSE(is_signalled(event));  // both signals were handed over
}

TEST_F(Waits, PulseReleasesThoseWhoWaitNow) {
  const OwnedHandle manual = manual_event();
  const OwnedHandle automatic = auto_event();
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(WaitForSingleObject(manual, INFINITE), WAIT_OBJECT_0); });
  }
  until_waiting(manual, 3);
  PulseEvent(manual);
  for (std::thread& thread : threads) {
    thread.join();
  }
  PulseEvent(automatic);
  EXPECT_FALSE(is_signalled(manual));
  EXPECT_FALSE(is_signalled(automatic));
}

TEST_F(Waits, ForAllTakesNothingUntilAllAreSignalled) {
  const OwnedHandle event = auto_event();
  const OwnedHandle semaphore(CreateSemaphoreW(nullptr, 0, 5, nullptr));
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  const std::array<HANDLE, 3> all{event, semaphore, mutex};
  DWORD result = WAIT_FAILED;
  std::thread waiter([&] {
    result = WaitForMultipleObjects(3, all.data(), TRUE, INFINITE);
    EXPECT_TRUE(ReleaseMutex(mutex));
  });
  until_waiting(mutex);
  SetEvent(event);
  EXPECT_TRUE(is_signalled(event));  // still ours to take
  EXPECT_TRUE(is_signalled(mutex));
  ReleaseSemaphore(semaphore, 2, nullptr);
  SetEvent(event);  // and now only the mutex is missing
  EXPECT_EQ(pin_waitable(event)->queue_length(), 1U);
  EXPECT_TRUE(ReleaseMutex(mutex));
  waiter.join();
  EXPECT_EQ(result, WAIT_OBJECT_0);
  EXPECT_FALSE(is_signalled(event));
  LONG before = 0;
  EXPECT_TRUE(ReleaseSemaphore(semaphore, 1, &before));
  EXPECT_EQ(before, 1);
}

TEST_F(Waits, ForAllIsJudgedByTheSignaller) {
  const OwnedHandle a = auto_event();
  const OwnedHandle b = auto_event();
  const std::array<HANDLE, 2> both{a, b};
  std::thread waiter([&] { EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, INFINITE), WAIT_OBJECT_0); });
  until_waiting(b);
  SetEvent(a);
  SetEvent(b);
  EXPECT_FALSE(is_signalled(a));  // whether or not the waiter has woken yet
  EXPECT_FALSE(is_signalled(b));
  waiter.join();
}

TEST_F(Waits, ForAllPulseCounts) {
  const OwnedHandle a = manual_event(true);
  const OwnedHandle b = manual_event();
  const std::array<HANDLE, 2> both{a, b};
  std::thread waiter([&] { EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, INFINITE), WAIT_OBJECT_0); });
  until_waiting(b);
  PulseEvent(b);
  waiter.join();
}

TEST_F(Waits, ForAnyBehindOneForAllIsServed) {
  const OwnedHandle a = auto_event();
  const OwnedHandle b = auto_event();
  const std::array<HANDLE, 2> both{a, b};
  std::thread for_all([&] { EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, INFINITE), WAIT_OBJECT_0); });
  until_waiting(a, 1);
  std::thread for_any([&] { EXPECT_EQ(WaitForSingleObject(a, INFINITE), WAIT_OBJECT_0); });
  until_waiting(a, 2);
  SetEvent(a);  // of no use to the first in the queue
  for_any.join();
  SetEvent(a);
  SetEvent(b);
  for_all.join();
}

TEST_F(Waits, ForAllOneObjectTwiceIsRefused) {
  const OwnedHandle event = manual_event(true);
  HANDLE copy = nullptr;
  ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
  const std::array<HANDLE, 2> twice{event, copy};
  EXPECT_EQ(WaitForMultipleObjects(2, twice.data(), TRUE, 0), WAIT_FAILED);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(WaitForMultipleObjects(2, twice.data(), FALSE, 0), WAIT_OBJECT_0);
  CloseHandle(copy);
}

TEST_F(Waits, OneObjectTwiceForAny) {
  const OwnedHandle event = auto_event();
  const std::array<HANDLE, 2> twice{event, event};
  std::thread waiter([&] { EXPECT_EQ(WaitForMultipleObjects(2, twice.data(), FALSE, INFINITE), WAIT_OBJECT_0); });
  until_waiting(event, 2);
  SetEvent(event);
  waiter.join();
  EXPECT_EQ(pin_waitable(event)->queue_length(), 0U);
}

TEST_F(Waits, SixtyFourObjects) {
  std::vector<OwnedHandle> events;
  std::vector<HANDLE> handles;
  for (int i = 0; i < MAXIMUM_WAIT_OBJECTS; ++i) {
    events.push_back(auto_event());
    handles.push_back(events.back());
  }
  DWORD result = 0;
  std::thread waiter([&] { result = WaitForMultipleObjects(64, handles.data(), FALSE, INFINITE); });
  until_waiting(handles.back());
  SetEvent(handles.back());
  waiter.join();
  EXPECT_EQ(result, WAIT_OBJECT_0 + 63);
  std::thread for_all([&] { result = WaitForMultipleObjects(64, handles.data(), TRUE, INFINITE); });
  until_waiting(handles.back());
  for (const HANDLE event : handles) {
    SetEvent(event);
  }
  for_all.join();
  EXPECT_EQ(result, WAIT_OBJECT_0);
}

TEST_F(Waits, GoOnWhenTheHandleIsClosed) {
  HANDLE event = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  HANDLE other = nullptr;
  ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &other, 0, FALSE, 0));
  std::thread waiter([&] { EXPECT_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0); });
  until_waiting(event);
  EXPECT_TRUE(CloseHandle(event));
  EXPECT_FALSE(SetEvent(event));
  EXPECT_TRUE(SetEvent(other));
  waiter.join();
  EXPECT_TRUE(CloseHandle(other));
}

TEST_F(Waits, SignalObjectAndWait) {
  const OwnedHandle a = auto_event();
  const OwnedHandle b = auto_event();
  std::thread partner([&] {
    EXPECT_EQ(WaitForSingleObject(a, INFINITE), WAIT_OBJECT_0);
    SetEvent(b);
  });
  EXPECT_EQ(SignalObjectAndWait(a, b, INFINITE, FALSE), WAIT_OBJECT_0);
  partner.join();
  const OwnedHandle full(CreateSemaphoreW(nullptr, 1, 1, nullptr));
  EXPECT_EQ(SignalObjectAndWait(full, b, 0, FALSE), WAIT_FAILED);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_TOO_MANY_POSTS));
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  EXPECT_EQ(SignalObjectAndWait(mutex, b, 0, FALSE), WAIT_FAILED);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_OWNER));
}

TEST_F(Waits, ApcEndsAnAlertableWait) {
  const OwnedHandle event = auto_event();
  const auto add = [](ULONG_PTR where) { ++*reinterpret_cast<int*>(where); };
  int calls = 0;
  const OwnedHandle started = auto_event();
  HANDLE thread = nullptr;
  std::thread waiter([&] {
    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &thread, 0, FALSE, 0);
    SetEvent(started);
    EXPECT_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);  // deaf to APCs
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(SleepEx(0, TRUE), 0U);
    EXPECT_EQ(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
    EXPECT_EQ(calls, 3);
    SetEvent(started);
    EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
  });
  WaitForSingleObject(started, INFINITE);
  until_waiting(event);
  EXPECT_NE(QueueUserAPC(add, thread, reinterpret_cast<ULONG_PTR>(&calls)), 0U);
  EXPECT_NE(QueueUserAPC(add, thread, reinterpret_cast<ULONG_PTR>(&calls)), 0U);
  SetEvent(event);
  until_waiting(event);
  EXPECT_NE(QueueUserAPC(add, thread, reinterpret_cast<ULONG_PTR>(&calls)), 0U);
  WaitForSingleObject(started, INFINITE);
  EXPECT_NE(QueueUserAPC(add, thread, reinterpret_cast<ULONG_PTR>(&calls)), 0U);
  waiter.join();
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);  // ended, and the record still there
  EXPECT_EQ(QueueUserAPC(add, thread, 0), 0U);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_GEN_FAILURE));
  CloseHandle(thread);
}

TEST_F(Waits, WhatIsReadyWinsOverApcs) {
  const OwnedHandle event = auto_event(true);
  int calls = 0;
  QueueUserAPC([](ULONG_PTR where) { ++*reinterpret_cast<int*>(where); }, GetCurrentThread(),
               reinterpret_cast<ULONG_PTR>(&calls));
  EXPECT_EQ(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_OBJECT_0);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(WaitForSingleObjectEx(event, 0, TRUE), WAIT_IO_COMPLETION);
  EXPECT_EQ(calls, 1);
}

TEST_F(Waits, ForSeveralMayBeAlertable) {
  const OwnedHandle event = auto_event();
  const OwnedHandle other = auto_event();
  const std::array<HANDLE, 2> both{event, other};
  int calls = 0;
  const auto add = [](ULONG_PTR where) { ++*reinterpret_cast<int*>(where); };
  for (const BOOL all : {FALSE, TRUE}) {
    QueueUserAPC(add, GetCurrentThread(), reinterpret_cast<ULONG_PTR>(&calls));
    EXPECT_EQ(WaitForMultipleObjectsEx(2, both.data(), all, 0, FALSE), WAIT_TIMEOUT);
    EXPECT_EQ(WaitForMultipleObjectsEx(2, both.data(), all, INFINITE, TRUE), WAIT_IO_COMPLETION);
  }
  EXPECT_EQ(calls, 2);
  SetEvent(other);
  EXPECT_EQ(WaitForMultipleObjectsEx(2, both.data(), FALSE, INFINITE, TRUE), WAIT_OBJECT_0 + 1);
  EXPECT_EQ(WaitForMultipleObjectsEx(0, both.data(), FALSE, 0, TRUE), WAIT_FAILED);
  EXPECT_EQ(WaitForMultipleObjectsEx(65, both.data(), FALSE, 0, TRUE), WAIT_FAILED);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

TEST_F(Waits, SleepIsDeafToApcs) {
  int calls = 0;
  QueueUserAPC([](ULONG_PTR where) { ++*reinterpret_cast<int*>(where); }, GetCurrentThread(),
               reinterpret_cast<ULONG_PTR>(&calls));
  Sleep(0);
  Sleep(1);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
}

TEST_F(Waits, ApcMayWaitItself) {
  const OwnedHandle event = auto_event();
  struct Inner {
    HANDLE event;
    DWORD result;
  } inner{event, WAIT_FAILED};
  QueueUserAPC(
      [](ULONG_PTR where) {
        auto* state = reinterpret_cast<Inner*>(where);
        state->result = WaitForSingleObjectEx(state->event, 1, TRUE);
      },
      GetCurrentThread(), reinterpret_cast<ULONG_PTR>(&inner));
  EXPECT_EQ(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
  EXPECT_EQ(inner.result, WAIT_TIMEOUT);
}

// Tokens that wander between threads: none may be lost, none doubled, whichever way of waiting takes them.
TEST_F(Waits, StressOfMixedWaits) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 3000;
  const OwnedHandle semaphore(CreateSemaphoreW(nullptr, kThreads, kThreads, nullptr));
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  const OwnedHandle turn = auto_event(true);
  int guarded_by_mutex = 0;
  int guarded_by_turn = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::array<HANDLE, 2> mutex_and_semaphore{mutex, semaphore};
      const std::array<HANDLE, 2> all{turn, mutex};
      for (int round = 0; round < kRounds; ++round) {
        switch ((round + t) % 4) {
          case 0:
            EXPECT_EQ(WaitForMultipleObjects(2, mutex_and_semaphore.data(), TRUE, INFINITE), WAIT_OBJECT_0);
            ++guarded_by_mutex;
            EXPECT_TRUE(ReleaseSemaphore(semaphore, 1, nullptr));
            EXPECT_TRUE(ReleaseMutex(mutex));
            break;
          case 1:
            EXPECT_EQ(WaitForSingleObject(turn, INFINITE), WAIT_OBJECT_0);
            ++guarded_by_turn;
            SetEvent(turn);
            break;
          case 2:
            EXPECT_EQ(WaitForMultipleObjects(2, all.data(), TRUE, INFINITE), WAIT_OBJECT_0);
            ++guarded_by_mutex;
            ++guarded_by_turn;
            ReleaseMutex(mutex);
            SetEvent(turn);
            break;
          default:
            switch (WaitForMultipleObjects(2, all.data(), FALSE, round % 8 == 3 ? 0 : 1)) {
              case WAIT_OBJECT_0:
                ++guarded_by_turn;
                SetEvent(turn);
                break;
              case WAIT_OBJECT_0 + 1:
                ++guarded_by_mutex;
                ReleaseMutex(mutex);
                break;
              default:
                break;
            }
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(is_signalled(turn));
  EXPECT_GE(guarded_by_mutex, 2 * kThreads * kRounds / 4);
  EXPECT_GE(guarded_by_turn, 2 * kThreads * kRounds / 4);
  LONG before = 0;
  EXPECT_FALSE(ReleaseSemaphore(semaphore, 1, &before));  // full again
  EXPECT_TRUE(is_signalled(mutex));
  EXPECT_TRUE(ReleaseMutex(mutex));
}

TEST_F(Waits, StressOfTimeOutsAgainstSignals) {
  const OwnedHandle event = auto_event();
  constexpr int kSignals = 2000;
  std::atomic<int> taken{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!over) {
        taken += WaitForSingleObject(event, 1) == WAIT_OBJECT_0 ? 1 : 0;
      }
    });
  }
  for (int given = 0; given < kSignals; ++given) {
    SetEvent(event);
    while (taken != given + 1) {
      std::this_thread::yield();
    }
  }
  over = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(taken, kSignals);
}

}  // namespace
}  // namespace turnpike::win32
