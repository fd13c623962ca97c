/* Threads, their calls to each other, and their own variables. */
#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#include "minwinbase.h"

#define CREATE_SUSPENDED 0x00000004u
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000u
#define TLS_OUT_OF_INDEXES 0xFFFFFFFFu
#define TLS_MINIMUM_AVAILABLE 64

#define THREAD_PRIORITY_LOWEST (-2)
#define THREAD_PRIORITY_BELOW_NORMAL (-1)
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_IDLE (-15)
#define THREAD_PRIORITY_ERROR_RETURN MAXLONG

TP_BEGIN

/* Of the flags, CREATE_SUSPENDED and STACK_SIZE_PARAM_IS_A_RESERVATION; another: ERROR_INVALID_PARAMETER. */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter, DWORD dwCreationFlags,
                           LPDWORD lpThreadId) TP_SHIM(CreateThread);

/* Unwinds: destructors of C++ objects on the stack run. */
DECLSPEC_NORETURN VOID WINAPI ExitThread(DWORD dwExitCode) TP_SHIM(ExitThread);

BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode) TP_SHIM(GetExitCodeThread);

/* Starts a thread made with CREATE_SUSPENDED. There is no way to stop one from outside: SuspendThread answers
 * (DWORD)-1 and TerminateThread FALSE, with ERROR_NOT_SUPPORTED. */
DWORD WINAPI ResumeThread(HANDLE hThread) TP_SHIM(ResumeThread);
DWORD WINAPI SuspendThread(HANDLE hThread) TP_SHIM(SuspendThread);
BOOL WINAPI TerminateThread(HANDLE hThread, DWORD dwExitCode) TP_SHIM(TerminateThread);

/* Kept and told, and without effect on the scheduler. */
BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority) TP_SHIM(SetThreadPriority);
int WINAPI GetThreadPriority(HANDLE hThread) TP_SHIM(GetThreadPriority);

HANDLE WINAPI GetCurrentThread(VOID) TP_SHIM(GetCurrentThread);
DWORD WINAPI GetCurrentThreadId(VOID) TP_SHIM(GetCurrentThreadId);
DWORD WINAPI GetThreadId(HANDLE Thread) TP_SHIM(GetThreadId);
HANDLE WINAPI GetCurrentProcess(VOID) TP_SHIM(GetCurrentProcess);
DWORD WINAPI GetCurrentProcessId(VOID) TP_SHIM(GetCurrentProcessId);
BOOL WINAPI SwitchToThread(VOID) TP_SHIM(SwitchToThread);
DECLSPEC_NORETURN VOID WINAPI ExitProcess(UINT uExitCode) TP_SHIM(ExitProcess);

/* How many handles of the shim are open: what a test compares before and after. */
BOOL WINAPI GetProcessHandleCount(HANDLE hProcess, PDWORD pdwHandleCount) TP_SHIM(GetProcessHandleCount);

/* Returns 0 for a bad handle (ERROR_INVALID_HANDLE) or a thread that has ended (ERROR_GEN_FAILURE). */
DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData) TP_SHIM(QueueUserAPC);

DWORD WINAPI TlsAlloc(VOID) TP_SHIM(TlsAlloc);
LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex) TP_SHIM(TlsGetValue);
BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue) TP_SHIM(TlsSetValue);
BOOL WINAPI TlsFree(DWORD dwTlsIndex) TP_SHIM(TlsFree);

TP_END

#endif
