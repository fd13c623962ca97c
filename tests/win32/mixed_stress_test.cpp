// Everything at once: threads that wait in every way there is, register and end waits, make and delete timers, queue
// calls and work to each other. The work is the same in each run; what is left to chance is who meets whom. Meant for
// ThreadSanitizer: what a callback touches is plain memory wherever the documentation promises that it may be.
#include <windows.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

#include "waiting.h"

namespace turnpike::win32 {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 8000;

// What callbacks of one registration work on. Whoever has ended it with INVALID_HANDLE_VALUE is alone with it: `calls`
// is plain, so a callback that came later, or were still running, is a race that the sanitizer sees.
struct Registration {
  int calls = 0;
  bool ended = false;
  HANDLE called = nullptr;

  void call() {
    EXPECT_FALSE(ended);
    ++calls;
    if (called != nullptr) {
      SetEvent(called);
    }
  }
};

void CALLBACK on_call(PVOID context, BOOLEAN) { static_cast<Registration*>(context)->call(); }

class MixedStress : public NoHandleLeft {
 protected:
  using Step = void (MixedStress::*)(int thread, int round);

  void take_both(int thread, int round);
  void take_turn(int thread, int round);
  void call_neighbour(int thread, int round);
  void register_and_end(int thread, int round);
  void time_and_delete(int thread, int round);
  void drop_queue(int thread, int round);
  void outlive_thread(int thread, int round);
  void queue_work(int thread, int round);

  void work(int thread) {
    static constexpr std::array<Step, 8> kSteps{&MixedStress::take_both,       &MixedStress::take_turn,
                                                &MixedStress::call_neighbour,  &MixedStress::register_and_end,
                                                &MixedStress::time_and_delete, &MixedStress::drop_queue,
                                                &MixedStress::outlive_thread,  &MixedStress::queue_work};
    HANDLE& self = selves_[static_cast<std::size_t>(thread)];
    EXPECT_TRUE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    together_.arrive_and_wait();
    for (int round = 0; round < kRounds; ++round) {
      (this->*kSteps[static_cast<std::size_t>(round + 3 * thread) % kSteps.size()])(thread, round);
    }
    together_.arrive_and_wait();  // nobody calls anybody any more
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION) {
    }
    together_.arrive_and_wait();
    EXPECT_TRUE(CloseHandle(self));
  }

  const OwnedHandle turn_ = auto_event(true);
  const OwnedHandle never_ = manual_event();
  const OwnedHandle mutex_{CreateMutexW(nullptr, FALSE, nullptr)};
  const OwnedHandle semaphore_{CreateSemaphoreW(nullptr, 2, 2, nullptr)};
  const HANDLE timers_ = CreateTimerQueue();
  std::barrier<> together_{kThreads};
  std::array<HANDLE, kThreads> selves_{};
  int by_mutex_ = 0;  // guarded by it
  int by_turn_ = 0;
  std::atomic<int> asked_{0};
  std::atomic<int> called_{0};
};

void MixedStress::take_both(int, int) {
  const std::array<HANDLE, 2> both{mutex_, semaphore_};
  EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, INFINITE), WAIT_OBJECT_0);
  ++by_mutex_;
  EXPECT_TRUE(ReleaseSemaphore(semaphore_, 1, nullptr));
  EXPECT_TRUE(ReleaseMutex(mutex_));
}

// Calls may interrupt it, time-outs too.
void MixedStress::take_turn(int, int round) {
  const std::array<HANDLE, 2> any{never_, turn_};
  const DWORD patience = round % 3 == 0 ? 1 : INFINITE;
  DWORD result = WAIT_FAILED;
  while ((result = WaitForMultipleObjectsEx(2, any.data(), FALSE, patience, TRUE)) != WAIT_OBJECT_0 + 1) {
    EXPECT_TRUE(result == WAIT_IO_COMPLETION || result == WAIT_TIMEOUT);
  }
  ++by_turn_;
  SetEvent(turn_);
}

void MixedStress::call_neighbour(int thread, int) {
  const auto neighbour = static_cast<std::size_t>((thread + 1) % kThreads);
  const auto note = [](ULONG_PTR counter) { ++*reinterpret_cast<std::atomic<int>*>(counter); };
  ++asked_;
  EXPECT_NE(QueueUserAPC(note, selves_[neighbour], reinterpret_cast<ULONG_PTR>(&called_)), 0U);
  SleepEx(0, TRUE);
}

void MixedStress::register_and_end(int thread, int round) {
  const OwnedHandle event = auto_event();
  const OwnedHandle called = auto_event();
  Registration registration;
  registration.called = called;
  const ULONG flags = (round % 2 == 0 ? WT_EXECUTEONLYONCE : WT_EXECUTEDEFAULT) |
                      (thread % 2 == 0 ? WT_EXECUTEINWAITTHREAD : WT_EXECUTEDEFAULT);
  HANDLE wait = nullptr;
  ASSERT_TRUE(RegisterWaitForSingleObject(&wait, event, on_call, &registration, INFINITE, flags));
  SetEvent(event);
  const bool waits = round % 3 != 0;
  if (waits) {
    EXPECT_EQ(WaitForSingleObject(called, INFINITE), WAIT_OBJECT_0);
  }
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  registration.ended = true;
  EXPECT_LE(registration.calls, 1);
  EXPECT_GE(registration.calls, waits ? 1 : 0);
  SetEvent(event);
}

void MixedStress::time_and_delete(int thread, int round) {
  const OwnedHandle called = auto_event();
  Registration registration;
  registration.called = called;
  HANDLE timer = nullptr;
  const DWORD period = round % 2 == 0 ? 0 : 1;
  // Periodic callbacks of one timer may meet on two threads of the pool; those of the timers' thread cannot.
  const ULONG flags = thread % 2 == 0 || period != 0 ? WT_EXECUTEINTIMERTHREAD : WT_EXECUTEDEFAULT;
  ASSERT_TRUE(CreateTimerQueueTimer(&timer, timers_, on_call, &registration, 0, period, flags));
  if (round % 3 == 0) {
    EXPECT_EQ(WaitForSingleObject(called, INFINITE), WAIT_OBJECT_0);
    EXPECT_TRUE(ChangeTimerQueueTimer(timers_, timer, 0, 1));
  }
  EXPECT_TRUE(DeleteTimerQueueTimer(timers_, timer, INVALID_HANDLE_VALUE));
  registration.ended = true;
  EXPECT_GE(registration.calls, round % 3 == 0 ? 1 : 0);
}

void MixedStress::drop_queue(int, int round) {
  const HANDLE queue = CreateTimerQueue();
  ASSERT_NE(queue, nullptr);
  std::array<Registration, 3> all;
  for (Registration& each : all) {
    HANDLE timer = nullptr;
    ASSERT_TRUE(CreateTimerQueueTimer(&timer, queue, on_call, &each, 0, 1, WT_EXECUTEINTIMERTHREAD));
  }
  if (round % 2 == 0) {
    SwitchToThread();
  }
  EXPECT_TRUE(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
  for (Registration& each : all) {
    each.ended = true;
    EXPECT_GE(each.calls, 0);
  }
}

void MixedStress::outlive_thread(int, int round) {
  const auto body = [](LPVOID semaphore) -> DWORD {
    EXPECT_EQ(WaitForSingleObject(semaphore, INFINITE), WAIT_OBJECT_0);
    EXPECT_TRUE(ReleaseSemaphore(semaphore, 1, nullptr));
    return 7;
  };
  const DWORD flags = round % 2 == 0 ? CREATE_SUSPENDED : 0;
  const OwnedHandle thread(CreateThread(nullptr, 0, body, semaphore_, flags, nullptr));
  if (flags != 0) {
    EXPECT_EQ(ResumeThread(thread), 1U);
  }
  const std::array<HANDLE, 2> any{never_, thread};
  while (WaitForMultipleObjectsEx(2, any.data(), FALSE, INFINITE, TRUE) == WAIT_IO_COMPLETION) {
  }
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 7U);
}

void MixedStress::queue_work(int, int round) {
  struct Work {
    HANDLE begin, done;
    int result = 0;
  };
  const OwnedHandle begin = auto_event();
  const OwnedHandle done = auto_event();
  Work work{begin, done};
  const auto body = [](LPVOID context) -> DWORD {
    auto& mine = *static_cast<Work*>(context);
    EXPECT_EQ(WaitForSingleObject(mine.begin, INFINITE), WAIT_OBJECT_0);
    mine.result = 5;
    SetEvent(mine.done);
    return 0;
  };
  EXPECT_TRUE(QueueUserWorkItem(body, &work, round % 2 == 0 ? WT_EXECUTELONGFUNCTION : WT_EXECUTEDEFAULT));
  EXPECT_EQ(SignalObjectAndWait(begin, done, INFINITE, FALSE), WAIT_OBJECT_0);
  EXPECT_EQ(work.result, 5);
}

TEST_F(MixedStress, NothingIsLostAndNothingComesLate) {
  std::array<std::thread, kThreads> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads[static_cast<std::size_t>(i)] = std::thread([this, i] { work(i); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(DeleteTimerQueueEx(timers_, INVALID_HANDLE_VALUE));
  EXPECT_EQ(by_mutex_, kThreads * kRounds / 8);
  EXPECT_EQ(by_turn_, kThreads * kRounds / 8);
  EXPECT_EQ(called_, asked_);
  EXPECT_EQ(asked_, kThreads * kRounds / 8);
  EXPECT_TRUE(is_signalled(turn_));
}

}  // namespace
}  // namespace turnpike::win32
