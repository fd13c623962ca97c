/* Waiting, and what is waited for: events, semaphores, mutexes, waitable timers; and the locks that need no handle:
 * critical sections, slim locks, condition variables, one-time initialisation.
 *
 * A bad handle: WAIT_FAILED, FALSE or NULL with ERROR_INVALID_HANDLE. Names are of this process: "Local\" is dropped,
 * and anything else, "Global\" included, is part of the name. */
#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#include "minwinbase.h"

#define CREATE_EVENT_MANUAL_RESET 0x00000001u
#define CREATE_EVENT_INITIAL_SET 0x00000002u
#define CREATE_MUTEX_INITIAL_OWNER 0x00000001u
#define CREATE_WAITABLE_TIMER_MANUAL_RESET 0x00000001u
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002u
#define MUTEX_MODIFY_STATE MUTANT_QUERY_STATE
#define MUTEX_ALL_ACCESS MUTANT_ALL_ACCESS
#define TIMER_QUERY_STATE 0x0001u
#define TIMER_MODIFY_STATE 0x0002u
#define TIMER_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | TIMER_QUERY_STATE | TIMER_MODIFY_STATE)

#define CONDITION_VARIABLE_LOCKMODE_SHARED 0x1u
#define RTL_CONDITION_VARIABLE_LOCKMODE_SHARED CONDITION_VARIABLE_LOCKMODE_SHARED
#define INIT_ONCE_CHECK_ONLY 0x00000001u
#define INIT_ONCE_ASYNC 0x00000002u
#define INIT_ONCE_INIT_FAILED 0x00000004u
#define INIT_ONCE_CTX_RESERVED_BITS 2
#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000u

typedef BOOL(WINAPI* PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter, PVOID* Context);
typedef VOID(CALLBACK* PTIMERAPCROUTINE)(LPVOID lpArgToCompletionRoutine, DWORD dwTimerLowValue,
                                         DWORD dwTimerHighValue);

TP_BEGIN

DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds) TP_SHIM(WaitForSingleObject);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
    TP_SHIM(WaitForSingleObjectEx);

/* 1 to MAXIMUM_WAIT_OBJECTS handles, else ERROR_INVALID_PARAMETER; for all of them, no object twice (the same). */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE* lpHandles, BOOL bWaitAll, DWORD dwMilliseconds)
    TP_SHIM(WaitForMultipleObjects);
DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE* lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
                                      BOOL bAlertable) TP_SHIM(WaitForMultipleObjectsEx);

/* Signals, then waits: two steps, as the documentation allows. */
DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn, DWORD dwMilliseconds, BOOL bAlertable)
    TP_SHIM(SignalObjectAndWait);

VOID WINAPI Sleep(DWORD dwMilliseconds) TP_SHIM(Sleep);
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable) TP_SHIM(SleepEx);

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCSTR lpName) TP_SHIM(CreateEventA);
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCWSTR lpName) TP_SHIM(CreateEventW);
HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess) TP_SHIM(CreateEventExA);
HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess) TP_SHIM(CreateEventExW);
HANDLE WINAPI OpenEventA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName) TP_SHIM(OpenEventA);
HANDLE WINAPI OpenEventW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName) TP_SHIM(OpenEventW);
BOOL WINAPI SetEvent(HANDLE hEvent) TP_SHIM(SetEvent);
BOOL WINAPI ResetEvent(HANDLE hEvent) TP_SHIM(ResetEvent);
BOOL WINAPI PulseEvent(HANDLE hEvent) TP_SHIM(PulseEvent);

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCSTR lpName) TP_SHIM(CreateSemaphoreA);
HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCWSTR lpName) TP_SHIM(CreateSemaphoreW);
HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                                 LPCSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess) TP_SHIM(CreateSemaphoreExA);
HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                                 LPCWSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess) TP_SHIM(CreateSemaphoreExW);
HANDLE WINAPI OpenSemaphoreA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName) TP_SHIM(OpenSemaphoreA);
HANDLE WINAPI OpenSemaphoreW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName) TP_SHIM(OpenSemaphoreW);
BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount) TP_SHIM(ReleaseSemaphore);

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName)
    TP_SHIM(CreateMutexA);
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName)
    TP_SHIM(CreateMutexW);
HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess) TP_SHIM(CreateMutexExA);
HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess) TP_SHIM(CreateMutexExW);
HANDLE WINAPI OpenMutexA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName) TP_SHIM(OpenMutexA);
HANDLE WINAPI OpenMutexW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName) TP_SHIM(OpenMutexW);
BOOL WINAPI ReleaseMutex(HANDLE hMutex) TP_SHIM(ReleaseMutex);

HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset, LPCSTR lpTimerName)
    TP_SHIM(CreateWaitableTimerA);
HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset, LPCWSTR lpTimerName)
    TP_SHIM(CreateWaitableTimerW);
HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCSTR lpTimerName, DWORD dwFlags,
                                     DWORD dwDesiredAccess) TP_SHIM(CreateWaitableTimerExA);
HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCWSTR lpTimerName, DWORD dwFlags,
                                     DWORD dwDesiredAccess) TP_SHIM(CreateWaitableTimerExW);
HANDLE WINAPI OpenWaitableTimerA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpTimerName)
    TP_SHIM(OpenWaitableTimerA);
HANDLE WINAPI OpenWaitableTimerW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpTimerName)
    TP_SHIM(OpenWaitableTimerW);

/* A negative due time is that many 100 ns from now, another one a moment (FILETIME) of the system's clock. */
BOOL WINAPI SetWaitableTimer(HANDLE hTimer, const LARGE_INTEGER* lpDueTime, LONG lPeriod,
                             PTIMERAPCROUTINE pfnCompletionRoutine, LPVOID lpArgToCompletionRoutine, BOOL fResume)
    TP_SHIM(SetWaitableTimer);
BOOL WINAPI CancelWaitableTimer(HANDLE hTimer) TP_SHIM(CancelWaitableTimer);

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection) TP_SHIM(InitializeCriticalSection);
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
    TP_SHIM(InitializeCriticalSectionAndSpinCount);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags)
    TP_SHIM(InitializeCriticalSectionEx);
DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
    TP_SHIM(SetCriticalSectionSpinCount);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection) TP_SHIM(EnterCriticalSection);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection) TP_SHIM(TryEnterCriticalSection);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection) TP_SHIM(LeaveCriticalSection);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection) TP_SHIM(DeleteCriticalSection);

VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock) TP_SHIM(InitializeSRWLock);
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock) TP_SHIM(AcquireSRWLockExclusive);
VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock) TP_SHIM(AcquireSRWLockShared);
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock) TP_SHIM(ReleaseSRWLockExclusive);
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock) TP_SHIM(ReleaseSRWLockShared);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock) TP_SHIM(TryAcquireSRWLockExclusive);
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock) TP_SHIM(TryAcquireSRWLockShared);

VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable) TP_SHIM(InitializeConditionVariable);
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable) TP_SHIM(WakeConditionVariable);
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable) TP_SHIM(WakeAllConditionVariable);
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable, PCRITICAL_SECTION CriticalSection,
                                     DWORD dwMilliseconds) TP_SHIM(SleepConditionVariableCS);
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock, DWORD dwMilliseconds,
                                      ULONG Flags) TP_SHIM(SleepConditionVariableSRW);

VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce) TP_SHIM(InitOnceInitialize);
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter, LPVOID* Context)
    TP_SHIM(InitOnceExecuteOnce);
BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE lpInitOnce, DWORD dwFlags, PBOOL fPending, LPVOID* lpContext)
    TP_SHIM(InitOnceBeginInitialize);
BOOL WINAPI InitOnceComplete(LPINIT_ONCE lpInitOnce, DWORD dwFlags, LPVOID lpContext) TP_SHIM(InitOnceComplete);

TP_END

#define CreateEvent TP_AW(CreateEvent)
#define CreateEventEx TP_AW(CreateEventEx)
#define OpenEvent TP_AW(OpenEvent)
#define CreateSemaphore TP_AW(CreateSemaphore)
#define CreateSemaphoreEx TP_AW(CreateSemaphoreEx)
#define OpenSemaphore TP_AW(OpenSemaphore)
#define CreateMutex TP_AW(CreateMutex)
#define CreateMutexEx TP_AW(CreateMutexEx)
#define OpenMutex TP_AW(OpenMutex)
#define CreateWaitableTimer TP_AW(CreateWaitableTimer)
#define CreateWaitableTimerEx TP_AW(CreateWaitableTimerEx)
#define OpenWaitableTimer TP_AW(OpenWaitableTimer)

#endif
