#include <process.h>

#include <array>
#include <atomic>

#include "waiting.h"

namespace turnpike::win32 {
namespace {

using Threads = NoHandleLeft;

DWORD WINAPI return_it(LPVOID value) { return static_cast<DWORD>(reinterpret_cast<std::uintptr_t>(value)); }

DWORD WINAPI wait_for_it(LPVOID handle) { return WaitForSingleObject(handle, INFINITE); }

TEST_F(Threads, EndWithTheirExitCode) {
  DWORD id = 0;
  const OwnedHandle thread(CreateThread(nullptr, 0, return_it, reinterpret_cast<LPVOID>(std::uintptr_t{42}), 0, &id));
  EXPECT_NE(id, 0U);
  EXPECT_EQ(GetThreadId(thread), id);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  EXPECT_EQ(WaitForSingleObject(thread, 0), WAIT_OBJECT_0);  // and stay signalled
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 42U);
}

TEST_F(Threads, AreActiveUntilThen) {
  const OwnedHandle event = auto_event();
  const OwnedHandle thread(CreateThread(nullptr, 0, wait_for_it, event, 0, nullptr));
  until_waiting(event);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, static_cast<DWORD>(STILL_ACTIVE));
  EXPECT_EQ(WaitForSingleObject(thread, 0), static_cast<DWORD>(WAIT_TIMEOUT));
  SetEvent(event);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
}

TEST_F(Threads, ExitFromWithin) {
  static std::atomic<bool> unwound{false};
  struct Witness {
    ~Witness() { unwound = true; }
  };
  const OwnedHandle thread(CreateThread(
      nullptr, 0,
      [](LPVOID) -> DWORD {
        const Witness witness;
        ExitThread(7);
      },
      nullptr, 0, nullptr));
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 7U);
  EXPECT_TRUE(unwound);
}

TEST_F(Threads, MayExitInsideAnApc) {
  const OwnedHandle thread(CreateThread(
      nullptr, 0,
      [](LPVOID) -> DWORD {
        QueueUserAPC([](ULONG_PTR code) { ExitThread(static_cast<DWORD>(code)); }, GetCurrentThread(), 9);
        SleepEx(INFINITE, TRUE);
        return 0;
      },
      nullptr, 0, nullptr));
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 9U);
}

TEST_F(Threads, MadeSuspendedWaitForTheirStart) {
  std::atomic<int> steps{0};
  const OwnedHandle thread(CreateThread(
      nullptr, 0,
      [](LPVOID where) -> DWORD {
        *static_cast<std::atomic<int>*>(where) += 10;
        return 0;
      },
      &steps, CREATE_SUSPENDED, nullptr));
  const auto apc = [](ULONG_PTR where) { *reinterpret_cast<std::atomic<int>*>(where) += 1; };
  EXPECT_NE(QueueUserAPC(apc, thread, reinterpret_cast<ULONG_PTR>(&steps)), 0U);
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(ResumeThread(thread), 1U);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  EXPECT_EQ(steps, 11);  // what was queued for it ran before its function
  EXPECT_EQ(ResumeThread(thread), 0U);
}

TEST_F(Threads, BadArguments) {
  EXPECT_EQ(CreateThread(nullptr, 0, nullptr, nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(CreateThread(nullptr, 0, return_it, nullptr, 0x1000, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(CreateThread(nullptr, SIZE_T{1} << 60, return_it, nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_ENOUGH_MEMORY));
  EXPECT_EQ(QueueUserAPC(nullptr, GetCurrentThread(), 0), 0U);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_FALSE(GetExitCodeThread(GetCurrentThread(), nullptr));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(SuspendThread(GetCurrentThread()), static_cast<DWORD>(-1));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  EXPECT_FALSE(TerminateThread(GetCurrentThread(), 0));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
}

TEST_F(Threads, PriorityIsKept) {
  EXPECT_EQ(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_NORMAL);
  EXPECT_TRUE(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL));
  EXPECT_EQ(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_TIME_CRITICAL);
  EXPECT_FALSE(SetThreadPriority(GetCurrentThread(), 7));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_TRUE(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_NORMAL));
}

TEST_F(Threads, OfTheCRuntime) {
  unsigned id = 0;
  const auto function = [](void* value) -> unsigned { return return_it(value); };
  const OwnedHandle thread(reinterpret_cast<HANDLE>(
      _beginthreadex(nullptr, 0, function, reinterpret_cast<void*>(std::uintptr_t{5}), 0, &id)));
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 5U);
  EXPECT_NE(id, 0U);
  errno = 0;
  EXPECT_EQ(_beginthreadex(nullptr, 0, nullptr, nullptr, 0, nullptr), 0U);
  EXPECT_EQ(errno, EINVAL);

  const OwnedHandle done = auto_event();
  EXPECT_NE(_beginthread([](void* event) { SetEvent(event); }, 0, done), static_cast<std::uintptr_t>(-1));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  EXPECT_EQ(_beginthread(nullptr, 0, nullptr), static_cast<std::uintptr_t>(-1));
}

TEST_F(Threads, OfTheRunTimeLibraryEndThemselves) {
  const auto leave = [](void*) -> unsigned { _endthreadex(6); };
  const OwnedHandle thread(reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, leave, nullptr, 0, nullptr)));
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 6U);
  const OwnedHandle done = auto_event();
  const auto set_and_leave = [](void* event) {
    SetEvent(event);
    _endthread();
  };
  EXPECT_NE(_beginthread(set_and_leave, 0, done), static_cast<std::uintptr_t>(-1));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
}

using ThreadsDeathTest = testing::Test;
TEST(ThreadsDeathTest, ExitProcessEndsIt) { EXPECT_EXIT(ExitProcess(3), testing::ExitedWithCode(3), ""); }

TEST_F(Threads, ForeignOnesAreKnownToo) {
  HANDLE handle = nullptr;
  std::thread foreign([&] {
    EXPECT_EQ(GetCurrentThreadId(), GetThreadId(GetCurrentThread()));
    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &handle, 0, FALSE, 0);
  });
  foreign.join();
  EXPECT_EQ(WaitForSingleObject(handle, INFINITE), WAIT_OBJECT_0);
  EXPECT_TRUE(CloseHandle(handle));
}

TEST_F(Threads, ThatEndAbandonTheirMutexes) {
  const OwnedHandle first(CreateMutexW(nullptr, FALSE, nullptr));
  const OwnedHandle second(CreateMutexW(nullptr, FALSE, nullptr));
  const std::array<HANDLE, 2> both{first, second};
  std::thread([&] {
    EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, 0), WAIT_OBJECT_0);
    EXPECT_EQ(WaitForSingleObject(first, 0), WAIT_OBJECT_0);  // twice over
  }).join();
  EXPECT_EQ(WaitForSingleObject(first, INFINITE), WAIT_ABANDONED);
  EXPECT_TRUE(ReleaseMutex(first));
  EXPECT_FALSE(ReleaseMutex(first));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_OWNER));
  EXPECT_EQ(WaitForMultipleObjects(2, both.data(), TRUE, 0), WAIT_ABANDONED_0);
  EXPECT_TRUE(ReleaseMutex(first));
  EXPECT_TRUE(ReleaseMutex(second));
  EXPECT_EQ(WaitForSingleObject(second, 0), WAIT_OBJECT_0);  // said once
  EXPECT_TRUE(ReleaseMutex(second));
}

TEST_F(Threads, AbandonedMutexGoesToWhoWaits) {
  const OwnedHandle event = auto_event();
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  const std::array<HANDLE, 2> pair{event, mutex};
  const OwnedHandle owned = auto_event();
  std::thread owner([&] {
    EXPECT_EQ(WaitForSingleObject(mutex, INFINITE), WAIT_OBJECT_0);
    SignalObjectAndWait(owned, event, INFINITE, FALSE);
  });
  WaitForSingleObject(owned, INFINITE);
  std::thread waiter([&] { EXPECT_EQ(WaitForMultipleObjects(1, &pair[1], FALSE, INFINITE), WAIT_ABANDONED_0); });
  until_waiting(mutex);
  SetEvent(event);
  owner.join();
  waiter.join();
  EXPECT_EQ(WaitForMultipleObjects(2, pair.data(), FALSE, INFINITE), WAIT_ABANDONED_0 + 1);
  EXPECT_TRUE(ReleaseMutex(mutex));
}

TEST_F(Threads, MutexClosedWhileOwnedGoesQuietly) {
  std::thread([] {
    const OwnedHandle mutex(CreateMutexW(nullptr, TRUE, nullptr));
    EXPECT_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
  }).join();
}

TEST_F(Threads, VariablesAreEachThreadsOwn) {
  const DWORD index = TlsAlloc();
  ASSERT_NE(index, TLS_OUT_OF_INDEXES);
  EXPECT_EQ(TlsGetValue(index), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_SUCCESS));
  int here = 0;
  EXPECT_TRUE(TlsSetValue(index, &here));
  std::thread([&] {
    EXPECT_EQ(TlsGetValue(index), nullptr);
    EXPECT_TRUE(TlsSetValue(index, nullptr));
  }).join();
  EXPECT_EQ(TlsGetValue(index), &here);
  EXPECT_TRUE(TlsFree(index));
  EXPECT_EQ(TlsAlloc(), index);
  EXPECT_EQ(TlsGetValue(index), nullptr);  // a new life
  EXPECT_TRUE(TlsFree(index));
  EXPECT_FALSE(TlsFree(index));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_FALSE(TlsSetValue(index, &here));
  EXPECT_EQ(TlsGetValue(0xFFFFFFFF), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

TEST_F(Threads, VariablesRunOut) {
  std::vector<DWORD> taken;
  for (DWORD index = 0; (index = TlsAlloc()) != TLS_OUT_OF_INDEXES;) {
    taken.push_back(index);
  }
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NO_SYSTEM_RESOURCES));
  EXPECT_GE(taken.size(), static_cast<std::size_t>(TLS_MINIMUM_AVAILABLE));
  for (const DWORD index : taken) {
    EXPECT_TRUE(TlsFree(index));
  }
}

TEST_F(Threads, StressOfThreadsThatDieWithMutexes) {
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  std::atomic<int> abandoned{0};
  std::atomic<int> inside{0};
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const DWORD result = WaitForSingleObject(mutex, INFINITE);
        EXPECT_EQ(inside.fetch_add(1), 0);
        abandoned += result == WAIT_ABANDONED ? 1 : 0;
        inside -= 1;
        if (t % 2 == 0) {
          EXPECT_TRUE(ReleaseMutex(mutex));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  EXPECT_GE(abandoned, 99);
  WaitForSingleObject(mutex, INFINITE);
  ReleaseMutex(mutex);
}

}  // namespace
}  // namespace turnpike::win32
