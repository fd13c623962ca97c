// Bad input to what waits and is waited for, to threads, timers, locks: every function with handles that are null,
// closed, of another kind or never were one, and with pointers, counts, flags and names that make no sense.
#include <process.h>

#include <array>
#include <string>

#include "bad_input.h"
#include "waiting.h"

namespace turnpike::win32 {
namespace {

class BadObjects : public NoHandleLeft {
 protected:
  BadObjects() { EXPECT_TRUE(CloseHandle(closed_)); }

  // What is no handle at all, and handles of objects that are no event, mutex, semaphore, timer or thread.
  std::array<HANDLE, 5> no_handles() const {
    return {nullptr, INVALID_HANDLE_VALUE, reinterpret_cast<HANDLE>(UINT_PTR{12344}), closed_,
            reinterpret_cast<HANDLE>(UINT_PTR{1} << 63)};
  }

 private:
  const HANDLE closed_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
};

void CALLBACK on_timer(PVOID, BOOLEAN) {}
void CALLBACK on_call(ULONG_PTR) {}

TEST_F(BadObjects, AreRefusedByTheirHandles) {
  constexpr DWORD kInvalid = ERROR_INVALID_HANDLE;
  const OwnedHandle event = auto_event();
  LARGE_INTEGER due{};
  DWORD number = 0;
  HANDLE copy = nullptr;
  for (const HANDLE bad : no_handles()) {
    EXPECT_REFUSED(WaitForSingleObject(bad, 0), WAIT_FAILED, kInvalid);
    EXPECT_REFUSED(WaitForSingleObjectEx(bad, INFINITE, TRUE), WAIT_FAILED, kInvalid);
    const std::array<HANDLE, 2> pair{event, bad};
    EXPECT_REFUSED(WaitForMultipleObjects(2, pair.data(), FALSE, INFINITE), WAIT_FAILED, kInvalid);
    EXPECT_REFUSED(WaitForMultipleObjectsEx(2, pair.data(), TRUE, INFINITE, TRUE), WAIT_FAILED, kInvalid);
    EXPECT_REFUSED(SignalObjectAndWait(bad, event, 0, FALSE), WAIT_FAILED, kInvalid);
    EXPECT_REFUSED(SignalObjectAndWait(event, bad, 0, FALSE), WAIT_FAILED, kInvalid);
    EXPECT_FALSE(is_signalled(event));
    EXPECT_REFUSED(CloseHandle(bad), FALSE, kInvalid);
    EXPECT_REFUSED(SetEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(ResetEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(PulseEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(ReleaseMutex(bad), FALSE, kInvalid);
    EXPECT_REFUSED(ReleaseSemaphore(bad, 1, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(SetWaitableTimer(bad, &due, 0, nullptr, nullptr, FALSE), FALSE, kInvalid);
    EXPECT_REFUSED(CancelWaitableTimer(bad), FALSE, kInvalid);
    EXPECT_REFUSED(GetExitCodeThread(bad, &number), FALSE, kInvalid);
    EXPECT_REFUSED(ResumeThread(bad), static_cast<DWORD>(-1), kInvalid);
    EXPECT_REFUSED(GetThreadId(bad), 0U, kInvalid);
    EXPECT_REFUSED(SetThreadPriority(bad, 0), FALSE, kInvalid);
    EXPECT_REFUSED(GetThreadPriority(bad), THREAD_PRIORITY_ERROR_RETURN, kInvalid);
    EXPECT_REFUSED(QueueUserAPC(on_call, bad, 0), 0U, kInvalid);
    EXPECT_REFUSED(CompareObjectHandles(bad, event), FALSE, kInvalid);
    EXPECT_REFUSED(GetHandleInformation(bad, &number), FALSE, kInvalid);
    EXPECT_REFUSED(RegisterWaitForSingleObject(&copy, bad, on_timer, nullptr, 0, 0), FALSE, kInvalid);
    EXPECT_REFUSED(UnregisterWait(bad), FALSE, kInvalid);
    EXPECT_REFUSED(UnregisterWaitEx(bad, INVALID_HANDLE_VALUE), FALSE, kInvalid);
    EXPECT_REFUSED(DeleteTimerQueue(bad), FALSE, kInvalid);
    EXPECT_REFUSED(DeleteTimerQueueEx(bad, INVALID_HANDLE_VALUE), FALSE, kInvalid);
    EXPECT_REFUSED(DeleteTimerQueueTimer(nullptr, bad, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(ChangeTimerQueueTimer(nullptr, bad, 1, 1), FALSE, kInvalid);
    if (bad != INVALID_HANDLE_VALUE) {  // which is the process
      EXPECT_REFUSED(DuplicateHandle(GetCurrentProcess(), bad, GetCurrentProcess(), &copy, 0, FALSE, 0), FALSE,
                     kInvalid);
      EXPECT_REFUSED(DuplicateHandle(bad, event, GetCurrentProcess(), &copy, 0, FALSE, 0), FALSE, ERROR_NOT_SUPPORTED);
      EXPECT_REFUSED(GetProcessHandleCount(bad, &number), FALSE, kInvalid);
    }
    if (bad != nullptr) {  // which is the process's queue
      EXPECT_REFUSED(CreateTimerQueueTimer(&copy, bad, on_timer, nullptr, 1, 1, 0), FALSE, kInvalid);
    }
  }
  EXPECT_EQ(copy, nullptr);
  EXPECT_EQ(number, 0U);
}

TEST_F(BadObjects, OfAnotherKindAreRefused) {
  constexpr DWORD kInvalid = ERROR_INVALID_HANDLE;
  const OwnedHandle event = auto_event();
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  LARGE_INTEGER due{};
  DWORD number = 0;
  for (const HANDLE bad : {HANDLE{mutex}, GetCurrentThread()}) {
    EXPECT_REFUSED(SetEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(ResetEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(PulseEvent(bad), FALSE, kInvalid);
    EXPECT_REFUSED(ReleaseSemaphore(bad, 1, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(SetWaitableTimer(bad, &due, 0, nullptr, nullptr, FALSE), FALSE, kInvalid);
    EXPECT_REFUSED(CancelWaitableTimer(bad), FALSE, kInvalid);
    EXPECT_REFUSED(UnregisterWaitEx(bad, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(DeleteTimerQueueEx(bad, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(DeleteTimerQueueTimer(nullptr, bad, nullptr), FALSE, kInvalid);
    EXPECT_REFUSED(ChangeTimerQueueTimer(nullptr, bad, 1, 1), FALSE, kInvalid);
  }
  EXPECT_REFUSED(ReleaseMutex(event), FALSE, kInvalid);
  EXPECT_REFUSED(GetExitCodeThread(event, &number), FALSE, kInvalid);
  EXPECT_REFUSED(ResumeThread(event), static_cast<DWORD>(-1), kInvalid);
  EXPECT_REFUSED(GetThreadId(event), 0U, kInvalid);
  EXPECT_REFUSED(QueueUserAPC(on_call, event, 0), 0U, kInvalid);
  EXPECT_REFUSED(ReleaseMutex(mutex), FALSE, ERROR_NOT_OWNER);
  EXPECT_REFUSED(SuspendThread(GetCurrentThread()), static_cast<DWORD>(-1), ERROR_NOT_SUPPORTED);
  EXPECT_REFUSED(TerminateThread(GetCurrentThread(), 0), FALSE, ERROR_NOT_SUPPORTED);
}

TEST_F(BadObjects, CountsAndTimeOutsMakeSenseOrAreRefused) {
  constexpr DWORD kInvalid = ERROR_INVALID_PARAMETER;
  const OwnedHandle event = manual_event(true);
  std::array<HANDLE, 65> many{};
  many.fill(event);
  for (const DWORD count : {DWORD{0}, DWORD{65}, DWORD{0xFFFFFFFF}}) {
    EXPECT_REFUSED(WaitForMultipleObjects(count, many.data(), FALSE, 0), WAIT_FAILED, kInvalid);
    EXPECT_REFUSED(WaitForMultipleObjectsEx(count, many.data(), FALSE, INFINITE, TRUE), WAIT_FAILED, kInvalid);
  }
  EXPECT_REFUSED(WaitForMultipleObjectsEx(1, nullptr, FALSE, 0, FALSE), WAIT_FAILED, kInvalid);
  EXPECT_REFUSED(WaitForMultipleObjectsEx(2, many.data(), TRUE, 0, FALSE), WAIT_FAILED, kInvalid);  // one twice
  EXPECT_EQ(WaitForMultipleObjectsEx(64, many.data(), FALSE, 0xFFFFFFFE, FALSE), WAIT_OBJECT_0);    // 49 days
  EXPECT_EQ(WaitForSingleObjectEx(event, 0x80000000, FALSE), WAIT_OBJECT_0);
  EXPECT_EQ(SleepEx(0, TRUE), 0U);

  const LARGE_INTEGER due{};
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  EXPECT_REFUSED(SetWaitableTimer(timer, nullptr, 0, nullptr, nullptr, FALSE), FALSE, kInvalid);
  EXPECT_REFUSED(SetWaitableTimer(timer, &due, -1, nullptr, nullptr, FALSE), FALSE, kInvalid);
  const OwnedHandle semaphore(CreateSemaphoreA(nullptr, 0, 1, nullptr));
  EXPECT_REFUSED(ReleaseSemaphore(semaphore, 0, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(ReleaseSemaphore(semaphore, -1, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(ReleaseSemaphore(semaphore, 2, nullptr), FALSE, ERROR_TOO_MANY_POSTS);
  EXPECT_REFUSED(CreateSemaphoreA(nullptr, 2, 1, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(CreateSemaphoreExA(nullptr, -1, 1, nullptr, 0, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateSemaphoreExW(nullptr, 0, 0, nullptr, 0, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateSemaphoreW(nullptr, 0, -1, nullptr), nullptr, kInvalid);
}

TEST_F(BadObjects, FlagsAndNamesThatMakeNoSenseAreRefused) {
  constexpr DWORD kInvalid = ERROR_INVALID_PARAMETER;
  EXPECT_REFUSED(CreateEventExA(nullptr, nullptr, 4, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateEventExW(nullptr, nullptr, 0x80000000, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateMutexExA(nullptr, nullptr, 2, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateMutexExW(nullptr, nullptr, 2, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateSemaphoreExA(nullptr, 0, 1, nullptr, 1, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateSemaphoreExW(nullptr, 0, 1, nullptr, 1, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateWaitableTimerExA(nullptr, nullptr, 8, 0), nullptr, kInvalid);
  EXPECT_REFUSED(CreateWaitableTimerExW(nullptr, nullptr, 8, 0), nullptr, kInvalid);

  constexpr DWORD kPath = ERROR_PATH_NOT_FOUND;
  EXPECT_REFUSED(CreateEventA(nullptr, FALSE, FALSE, "a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateEventW(nullptr, FALSE, FALSE, L"a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateEventExA(nullptr, "a\\b", 0, 0), nullptr, kPath);
  EXPECT_REFUSED(CreateMutexA(nullptr, FALSE, "a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateMutexW(nullptr, FALSE, L"a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateSemaphoreW(nullptr, 0, 1, L"a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateWaitableTimerA(nullptr, FALSE, "a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateWaitableTimerW(nullptr, FALSE, L"a\\b"), nullptr, kPath);
  EXPECT_REFUSED(CreateEventA(nullptr, FALSE, FALSE, std::string(300, 'x').c_str()), nullptr,
                 ERROR_FILENAME_EXCED_RANGE);

  EXPECT_REFUSED(OpenEventA(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenEventW(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenMutexA(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenMutexW(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenSemaphoreA(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenSemaphoreW(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenWaitableTimerA(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenWaitableTimerW(0, FALSE, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(OpenMutexA(0, FALSE, "nobody"), nullptr, ERROR_FILE_NOT_FOUND);
  EXPECT_REFUSED(OpenSemaphoreW(0, FALSE, L"nobody"), nullptr, ERROR_FILE_NOT_FOUND);
  const OwnedHandle named(CreateEventA(nullptr, FALSE, FALSE, "of this kind"));
  EXPECT_REFUSED(OpenMutexA(0, FALSE, "of this kind"), nullptr, ERROR_INVALID_HANDLE);
  EXPECT_REFUSED(OpenWaitableTimerA(0, FALSE, "of this kind"), nullptr, ERROR_INVALID_HANDLE);
  EXPECT_REFUSED(CreateSemaphoreA(nullptr, 0, 1, "of this kind"), nullptr, ERROR_INVALID_HANDLE);
}

unsigned return_nothing(void*) { return 0; }
void do_nothing(void*) {}

TEST_F(BadObjects, NullPointersAndFlagsOfThreadsAndRegistrationsAreRefused) {
  constexpr DWORD kInvalid = ERROR_INVALID_PARAMETER;
  const OwnedHandle event = auto_event();
  HANDLE out = nullptr;
  EXPECT_REFUSED(CreateThread(nullptr, 0, nullptr, nullptr, 0, nullptr), nullptr, kInvalid);
  errno = 0;
  EXPECT_EQ(_beginthreadex(nullptr, 0, nullptr, nullptr, 0, nullptr), 0U);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(_beginthreadex(nullptr, 0, return_nothing, nullptr, 0x4000, nullptr), 0U);
  errno = 0;
  EXPECT_EQ(_beginthread(nullptr, 0, nullptr), static_cast<uintptr_t>(-1));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(_beginthread(do_nothing, UINT_MAX, nullptr) == static_cast<uintptr_t>(-1) ? errno : EAGAIN, EAGAIN);
  EXPECT_REFUSED(QueueUserAPC(nullptr, GetCurrentThread(), 0), 0U, kInvalid);
  EXPECT_REFUSED(QueueUserWorkItem(nullptr, nullptr, 0), FALSE, kInvalid);
  EXPECT_REFUSED(RegisterWaitForSingleObject(nullptr, event, on_timer, nullptr, 0, 0), FALSE, kInvalid);
  EXPECT_REFUSED(RegisterWaitForSingleObject(&out, event, nullptr, nullptr, 0, 0), FALSE, kInvalid);
  EXPECT_REFUSED(RegisterWaitForSingleObject(&out, event, on_timer, nullptr, 0, WT_EXECUTEINUITHREAD), FALSE, kInvalid);
  EXPECT_REFUSED(CreateTimerQueueTimer(nullptr, nullptr, on_timer, nullptr, 1, 1, 0), FALSE, kInvalid);
  EXPECT_REFUSED(CreateTimerQueueTimer(&out, nullptr, on_timer, nullptr, 1, 1, 0x4000), FALSE, kInvalid);
  EXPECT_REFUSED(GetExitCodeThread(GetCurrentThread(), nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetHandleInformation(event, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetProcessHandleCount(GetCurrentProcess(), nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), nullptr, 0, FALSE, 0), FALSE,
                 kInvalid);
  EXPECT_REFUSED(SetThreadPriority(GetCurrentThread(), 7), FALSE, kInvalid);
  EXPECT_EQ(out, nullptr);
  for (const DWORD bad : {DWORD{77}, DWORD{5000}, TLS_OUT_OF_INDEXES}) {
    EXPECT_REFUSED(TlsGetValue(bad), nullptr, kInvalid);
    EXPECT_REFUSED(TlsSetValue(bad, &out), FALSE, kInvalid);
    EXPECT_REFUSED(TlsFree(bad), FALSE, kInvalid);
  }
}

// These have no result that could say it, and live in the client's memory: a null is passed by.
TEST_F(BadObjects, NullLocksAreLeftAlone) {
  constexpr DWORD kInvalid = ERROR_INVALID_PARAMETER;
  EXPECT_NOTHING_DONE(InitializeCriticalSection(nullptr), kInvalid);
  EXPECT_REFUSED(InitializeCriticalSectionAndSpinCount(nullptr, 1), FALSE, kInvalid);
  EXPECT_REFUSED(InitializeCriticalSectionEx(nullptr, 1, 0), FALSE, kInvalid);
  EXPECT_REFUSED(SetCriticalSectionSpinCount(nullptr, 1), 0U, kInvalid);
  EXPECT_NOTHING_DONE(EnterCriticalSection(nullptr), kInvalid);
  EXPECT_REFUSED(TryEnterCriticalSection(nullptr), FALSE, kInvalid);
  EXPECT_NOTHING_DONE(LeaveCriticalSection(nullptr), kInvalid);
  DeleteCriticalSection(nullptr);
  CRITICAL_SECTION section;
  InitializeCriticalSection(&section);
  LeaveCriticalSection(&section);  // not in it: nothing
  EXPECT_TRUE(TryEnterCriticalSection(&section));
  LeaveCriticalSection(&section);
  DeleteCriticalSection(&section);

  EXPECT_NOTHING_DONE(InitializeSRWLock(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(AcquireSRWLockExclusive(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(AcquireSRWLockShared(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(ReleaseSRWLockExclusive(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(ReleaseSRWLockShared(nullptr), kInvalid);
  EXPECT_REFUSED(TryAcquireSRWLockExclusive(nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(TryAcquireSRWLockShared(nullptr), FALSE, kInvalid);

  CONDITION_VARIABLE variable = CONDITION_VARIABLE_INIT;
  SRWLOCK lock = SRWLOCK_INIT;
  EXPECT_NOTHING_DONE(InitializeConditionVariable(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(WakeConditionVariable(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(WakeAllConditionVariable(nullptr), kInvalid);
  EXPECT_REFUSED(SleepConditionVariableCS(nullptr, &section, 0), FALSE, kInvalid);
  EXPECT_REFUSED(SleepConditionVariableCS(&variable, nullptr, 0), FALSE, kInvalid);
  EXPECT_REFUSED(SleepConditionVariableSRW(nullptr, &lock, 0, 0), FALSE, kInvalid);
  EXPECT_REFUSED(SleepConditionVariableSRW(&variable, nullptr, 0, 0), FALSE, kInvalid);
  EXPECT_REFUSED(SleepConditionVariableSRW(&variable, &lock, 0, 2), FALSE, kInvalid);

  INIT_ONCE once = INIT_ONCE_STATIC_INIT;
  BOOL pending = FALSE;
  EXPECT_NOTHING_DONE(InitOnceInitialize(nullptr), kInvalid);
  EXPECT_REFUSED(InitOnceExecuteOnce(nullptr, nullptr, nullptr, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceExecuteOnce(&once, nullptr, nullptr, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceBeginInitialize(nullptr, 0, &pending, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceBeginInitialize(&once, 0, nullptr, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceBeginInitialize(&once, 8, &pending, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceComplete(nullptr, 0, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceComplete(&once, 8, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(InitOnceComplete(&once, 0, nullptr), FALSE, ERROR_GEN_FAILURE);  // nobody has begun

  SLIST_HEADER list;
  InitializeSListHead(&list);
  EXPECT_NOTHING_DONE(InitializeSListHead(nullptr), kInvalid);
  EXPECT_REFUSED(InterlockedPushEntrySList(nullptr, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(InterlockedPushEntrySList(&list, nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(InterlockedPopEntrySList(nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(InterlockedFlushSList(nullptr), nullptr, kInvalid);
  EXPECT_REFUSED(QueryDepthSList(nullptr), 0, kInvalid);
  EXPECT_EQ(QueryDepthSList(&list), 0);
}

}  // namespace
}  // namespace turnpike::win32
