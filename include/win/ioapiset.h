/* Overlapped input and output: its results, and how to end it. The handles that have such are sockets. */
#ifndef _IO_APISET_H_
#define _IO_APISET_H_

#include "minwinbase.h"

TP_BEGIN

/* FALSE with ERROR_IO_INCOMPLETE while it goes on and bWait is FALSE; FALSE with the error it ended with. */
BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred, BOOL bWait)
    TP_SHIM(GetOverlappedResult);

/* What the calling thread has begun; or what anybody has, one or (null) all: FALSE with ERROR_NOT_FOUND if there is
 * none. What is ended completes with ERROR_OPERATION_ABORTED. */
BOOL WINAPI CancelIo(HANDLE hFile) TP_SHIM(CancelIo);
BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped) TP_SHIM(CancelIoEx);

/* The function is called on the thread pool, once for each overlapped call that completes and has no routine of its
 * own, with one of this system's error numbers. Flags must be 0. A socket has one such function for good. */
BOOL WINAPI BindIoCompletionCallback(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE Function, ULONG Flags)
    TP_SHIM(BindIoCompletionCallback);

TP_END

#define HasOverlappedIoCompleted(lpOverlapped) \
  (__atomic_load_n(&(lpOverlapped)->Internal, __ATOMIC_ACQUIRE) != STATUS_PENDING)

#endif
