/* Work items, registered waits and timer queues: callbacks on the threads of the process's pool.
 *
 * Ending a registration (UnregisterWaitEx, DeleteTimerQueueTimer, DeleteTimerQueueEx): callbacks that have not begun
 * are never made. With NULL the function does not wait for those that run, with INVALID_HANDLE_VALUE it does, with an
 * event it does not and the event is set when the last one has returned. FALSE with ERROR_IO_PENDING says that some
 * still run, and that everything was done. Called from inside such a callback it never waits for that very callback. */
#ifndef _THREADPOOLLEGACYAPISET_H_
#define _THREADPOOLLEGACYAPISET_H_

#include "minwinbase.h"

#define WT_EXECUTEDEFAULT 0x00000000u
#define WT_EXECUTEINIOTHREAD 0x00000001u
#define WT_EXECUTEINUITHREAD 0x00000002u
#define WT_EXECUTEINWAITTHREAD 0x00000004u
#define WT_EXECUTEONLYONCE 0x00000008u
#define WT_EXECUTELONGFUNCTION 0x00000010u
#define WT_EXECUTEINTIMERTHREAD 0x00000020u
#define WT_EXECUTEINPERSISTENTIOTHREAD 0x00000040u
#define WT_EXECUTEINPERSISTENTTHREAD 0x00000080u
#define WT_TRANSFER_IMPERSONATION 0x00000100u
#define WT_SET_MAX_THREADPOOL_THREADS(Flags, Limit) ((Flags) |= (Limit) << 16)

TP_BEGIN

/* Unknown flags, or no function: ERROR_INVALID_PARAMETER. A limit of threads is accepted and has no effect. */
BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, PVOID Context, ULONG Flags) TP_SHIM(QueueUserWorkItem);

/* Anything that can be waited on. A mutex is taken by the pool's persistent thread, which runs the callback and may
 * release it there. */
BOOL WINAPI RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
                                        PVOID Context, ULONG dwMilliseconds, ULONG dwFlags)
    TP_SHIM(RegisterWaitForSingleObject);
BOOL WINAPI UnregisterWait(HANDLE WaitHandle) TP_SHIM(UnregisterWait);
BOOL WINAPI UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent) TP_SHIM(UnregisterWaitEx);

/* A queue of NULL is the process's own, which cannot be deleted. A due time of INFINITE never comes, until it is
 * changed. */
HANDLE WINAPI CreateTimerQueue(VOID) TP_SHIM(CreateTimerQueue);
BOOL WINAPI CreateTimerQueueTimer(PHANDLE phNewTimer, HANDLE TimerQueue, WAITORTIMERCALLBACK Callback, PVOID Parameter,
                                  DWORD DueTime, DWORD Period, ULONG Flags) TP_SHIM(CreateTimerQueueTimer);

/* Without effect, and TRUE, on a timer without period that has expired. */
BOOL WINAPI ChangeTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, ULONG DueTime, ULONG Period)
    TP_SHIM(ChangeTimerQueueTimer);
BOOL WINAPI DeleteTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, HANDLE CompletionEvent)
    TP_SHIM(DeleteTimerQueueTimer);

/* Deletes its timers with it: their handles are void. */
BOOL WINAPI DeleteTimerQueueEx(HANDLE TimerQueue, HANDLE CompletionEvent) TP_SHIM(DeleteTimerQueueEx);
BOOL WINAPI DeleteTimerQueue(HANDLE TimerQueue) TP_SHIM(DeleteTimerQueue);

TP_END

#endif
