#include <array>
#include <atomic>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

using Handles = NoHandleLeft;

// What no function may take for a handle.
const std::array<HANDLE, 6> kNoHandles{nullptr,
                                       INVALID_HANDLE_VALUE,
                                       reinterpret_cast<HANDLE>(std::uintptr_t{4}),
                                       reinterpret_cast<HANDLE>(std::uintptr_t{0x7FFF12345678}),
                                       reinterpret_cast<HANDLE>(std::uintptr_t{0xE100000100000000}),
                                       reinterpret_cast<HANDLE>(std::uintptr_t{0xFEFFFFFFFFFFFFFE})};

DWORD error_after(BOOL result) {
  EXPECT_FALSE(result);
  return GetLastError();
}

TEST_F(Handles, BadOnesAreRefusedByEveryFunction) {
  HANDLE closed = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  ASSERT_TRUE(CloseHandle(closed));
  std::vector<HANDLE> bad(kNoHandles.begin(), kNoHandles.end());
  bad.push_back(closed);
  const OwnedHandle good = auto_event();
  for (const HANDLE handle : bad) {
    const DWORD invalid = ERROR_INVALID_HANDLE;
    HANDLE copy = nullptr;
    DWORD number = 0;
    EXPECT_EQ(error_after(CloseHandle(handle)), invalid);
    EXPECT_EQ(error_after(SetEvent(handle)), invalid);
    EXPECT_EQ(error_after(ResetEvent(handle)), invalid);
    EXPECT_EQ(error_after(PulseEvent(handle)), invalid);
    EXPECT_EQ(error_after(ReleaseMutex(handle)), invalid);
    EXPECT_EQ(error_after(ReleaseSemaphore(handle, 1, nullptr)), invalid);
    EXPECT_EQ(error_after(GetHandleInformation(handle, &number)), invalid);
    EXPECT_EQ(error_after(CompareObjectHandles(handle, good)), invalid);
    EXPECT_EQ(error_after(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, FALSE, 0)),
              invalid);
    EXPECT_EQ(copy, nullptr);
    EXPECT_EQ(error_after(GetExitCodeThread(handle, &number)), invalid);
    EXPECT_EQ(error_after(SetThreadPriority(handle, 0)), invalid);
    EXPECT_EQ(GetThreadPriority(handle), THREAD_PRIORITY_ERROR_RETURN);
    EXPECT_EQ(ResumeThread(handle), static_cast<DWORD>(-1));
    EXPECT_EQ(QueueUserAPC([](ULONG_PTR) {}, handle, 0), 0U);
    SetLastError(0);
    EXPECT_EQ(WaitForSingleObject(handle, INFINITE), WAIT_FAILED);
    EXPECT_EQ(GetLastError(), invalid);
    SetLastError(0);
    const std::array<HANDLE, 2> pair{good, handle};
    EXPECT_EQ(WaitForMultipleObjects(2, pair.data(), TRUE, 0), WAIT_FAILED);
    EXPECT_EQ(GetLastError(), invalid);
    SetLastError(0);
    EXPECT_EQ(SignalObjectAndWait(handle, good, 0, FALSE), WAIT_FAILED);
    EXPECT_EQ(GetLastError(), invalid);
    SetLastError(0);
    EXPECT_EQ(SignalObjectAndWait(good, handle, 0, FALSE), WAIT_FAILED);
    EXPECT_EQ(GetLastError(), invalid);
    EXPECT_FALSE(is_signalled(good));  // nothing half done
  }
}

TEST_F(Handles, OfAnotherKindAreRefused) {
  const OwnedHandle event = auto_event();
  const OwnedHandle mutex(CreateMutexA(nullptr, FALSE, nullptr));
  EXPECT_EQ(error_after(SetEvent(mutex)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(error_after(ReleaseMutex(event)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(error_after(ReleaseSemaphore(event, 1, nullptr)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  DWORD code = 0;
  EXPECT_EQ(error_after(GetExitCodeThread(event, &code)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
}

TEST_F(Handles, CountsOfWaitsAreChecked) {
  const OwnedHandle event = manual_event(true);
  std::array<HANDLE, 65> many{};
  many.fill(event);
  for (const DWORD count : {DWORD{0}, DWORD{65}, DWORD{0xFFFFFFFF}}) {
    SetLastError(0);
    EXPECT_EQ(WaitForMultipleObjects(count, many.data(), FALSE, 0), WAIT_FAILED);
    EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  }
  EXPECT_EQ(WaitForMultipleObjects(1, nullptr, FALSE, 0), WAIT_FAILED);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(WaitForMultipleObjects(64, many.data(), FALSE, 0xFFFFFFFE), WAIT_OBJECT_0);
}

TEST_F(Handles, DuplicateStandsForTheSameObject) {
  const OwnedHandle event = auto_event();
  HANDLE copy = nullptr;
  ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
  const OwnedHandle other = auto_event();
  EXPECT_NE(copy, event);
  EXPECT_TRUE(CompareObjectHandles(copy, event));
  EXPECT_FALSE(CompareObjectHandles(copy, other));
  SetEvent(copy);
  EXPECT_TRUE(is_signalled(event));
  HANDLE moved = nullptr;
  ASSERT_TRUE(
      DuplicateHandle(GetCurrentProcess(), copy, GetCurrentProcess(), &moved, 0, FALSE, DUPLICATE_CLOSE_SOURCE));
  EXPECT_FALSE(CloseHandle(copy));
  EXPECT_TRUE(CloseHandle(moved));
}

TEST_F(Handles, DuplicateChecksItsArguments) {
  const OwnedHandle event = auto_event();
  HANDLE copy = nullptr;
  EXPECT_EQ(error_after(DuplicateHandle(event, event, GetCurrentProcess(), &copy, 0, FALSE, 0)),
            static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  EXPECT_EQ(error_after(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), nullptr, 0, FALSE, 0)),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(error_after(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE, 0x80)),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(copy, nullptr);
}

TEST_F(Handles, NamesAreSharedByAllKinds) {
  OwnedHandle first(CreateEventW(nullptr, TRUE, FALSE, L"router"));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_SUCCESS));
  OwnedHandle second(CreateEventA(nullptr, FALSE, TRUE, "Local\\router"));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_ALREADY_EXISTS));
  const OwnedHandle opened(OpenEventW(EVENT_ALL_ACCESS, FALSE, L"router"));
  EXPECT_TRUE(CompareObjectHandles(first, second));
  EXPECT_TRUE(CompareObjectHandles(first, opened));
  EXPECT_FALSE(is_signalled(second));  // the state that the first one gave it
  EXPECT_EQ(CreateMutexW(nullptr, FALSE, L"router"), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(OpenSemaphoreW(0, FALSE, L"router"), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(OpenEventW(0, FALSE, L"Global\\router"), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_FILE_NOT_FOUND));
}

// The names of both widths are one: what A makes W opens, and the other way round.
TEST_F(Handles, NamesInBothWidths) {
  const OwnedHandle mutex(CreateMutexExA(nullptr, "mutex", CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS));
  const OwnedHandle same_mutex(OpenMutexW(MUTEX_ALL_ACCESS, FALSE, L"mutex"));
  const OwnedHandle mutex_again(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "mutex"));
  EXPECT_TRUE(CompareObjectHandles(mutex, same_mutex));
  EXPECT_TRUE(CompareObjectHandles(mutex, mutex_again));
  EXPECT_TRUE(ReleaseMutex(same_mutex));
  const OwnedHandle semaphore(CreateSemaphoreExA(nullptr, 1, 2, "semaphore", 0, SEMAPHORE_ALL_ACCESS));
  const OwnedHandle same_semaphore(OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, "semaphore"));
  EXPECT_TRUE(CompareObjectHandles(semaphore, same_semaphore));
  EXPECT_TRUE(is_signalled(same_semaphore));
  EXPECT_FALSE(is_signalled(semaphore));
  const OwnedHandle timer(CreateWaitableTimerExA(nullptr, "timer", CREATE_WAITABLE_TIMER_MANUAL_RESET, 0));
  const OwnedHandle same_timer(OpenWaitableTimerA(TIMER_ALL_ACCESS, FALSE, "timer"));
  EXPECT_TRUE(CompareObjectHandles(timer, same_timer));
  EXPECT_EQ(OpenMutexA(0, FALSE, "semaphore"), nullptr);
  EXPECT_EQ(OpenSemaphoreA(0, FALSE, "no such"), nullptr);
  EXPECT_EQ(OpenWaitableTimerA(0, FALSE, nullptr), nullptr);
}

using HandlesInTime = TurnedClock;
TEST_F(HandlesInTime, NameIsFreeWhenTheLastHandleIsClosed) {
  OwnedHandle first(CreateEventW(nullptr, TRUE, FALSE, L"short"));
  OwnedHandle second(OpenEventA(0, FALSE, "short"));
  std::atomic<DWORD> waited{WAIT_FAILED};
  std::thread waiter([&] { waited = WaitForSingleObject(first, 50); });
  until_waiting(first);
  first.close();
  second.close();  // the wait goes on, but the name is free
  EXPECT_EQ(OpenEventW(0, FALSE, L"short"), nullptr);
  const OwnedHandle fresh(CreateSemaphoreW(nullptr, 0, 1, L"short"));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_SUCCESS));
  while (waited == WAIT_FAILED) {
    advance(50);
  }
  waiter.join();
  EXPECT_EQ(waited, static_cast<DWORD>(WAIT_TIMEOUT));
}

TEST_F(Handles, BadNames) {
  EXPECT_EQ(CreateEventW(nullptr, TRUE, FALSE, L"a\\b"), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_PATH_NOT_FOUND));
  EXPECT_EQ(CreateEventA(nullptr, TRUE, FALSE, std::string(300, 'x').c_str()), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_FILENAME_EXCED_RANGE));
  EXPECT_EQ(OpenEventW(0, FALSE, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

TEST_F(Handles, FlagsAreChecked) {
  EXPECT_EQ(CreateEventExW(nullptr, nullptr, 4, 0), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(CreateMutexExW(nullptr, nullptr, 2, 0), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(CreateSemaphoreExW(nullptr, 0, 1, nullptr, 1, 0), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  const OwnedHandle event(
      CreateEventExA(nullptr, nullptr, CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS));
  EXPECT_TRUE(is_signalled(event));
  EXPECT_TRUE(is_signalled(event));
}

TEST_F(Handles, SemaphoreCounts) {
  for (const auto& [initial, maximum] : {std::pair{-1, 1}, {2, 1}, {0, 0}, {0, -1}}) {
    EXPECT_EQ(CreateSemaphoreW(nullptr, initial, maximum, nullptr), nullptr);
    EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  }
  const OwnedHandle semaphore(CreateSemaphoreA(nullptr, 1, MAXLONG, nullptr));
  LONG before = -7;
  EXPECT_EQ(error_after(ReleaseSemaphore(semaphore, 0, &before)), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(error_after(ReleaseSemaphore(semaphore, -1, &before)), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(error_after(ReleaseSemaphore(semaphore, MAXLONG, &before)), static_cast<DWORD>(ERROR_TOO_MANY_POSTS));
  EXPECT_EQ(before, -7);
  EXPECT_TRUE(ReleaseSemaphore(semaphore, 2, &before));
  EXPECT_EQ(before, 1);
  EXPECT_TRUE(is_signalled(semaphore));
  EXPECT_TRUE(is_signalled(semaphore));
  EXPECT_TRUE(is_signalled(semaphore));
  EXPECT_FALSE(is_signalled(semaphore));
}

TEST_F(Handles, AreCounted) {
  DWORD before = 0;
  DWORD after = 0;
  ASSERT_TRUE(GetProcessHandleCount(GetCurrentProcess(), &before));
  const OwnedHandle event = auto_event();
  ASSERT_TRUE(GetProcessHandleCount(GetCurrentProcess(), &after));
  EXPECT_EQ(after, before + 1);
  EXPECT_EQ(error_after(GetProcessHandleCount(event, &after)), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(error_after(GetProcessHandleCount(GetCurrentProcess(), nullptr)),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

}  // namespace
}  // namespace turnpike::win32
