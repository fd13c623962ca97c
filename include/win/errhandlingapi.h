/* The last error of the calling thread. WSAGetLastError and GetLastError are one and the same. */
#ifndef _ERRHANDLING_H_
#define _ERRHANDLING_H_

#include "minwinbase.h"

TP_BEGIN

DWORD WINAPI GetLastError(VOID) TP_SHIM(GetLastError);
VOID WINAPI SetLastError(DWORD dwErrCode) TP_SHIM(SetLastError);

/* There is nothing to be silenced: returns what was set before, 0 at first. */
UINT WINAPI SetErrorMode(UINT uMode) TP_SHIM(SetErrorMode);

/* No handler can be found (see <excpt.h>), so what comes of it is what comes of an exception that nobody handles: a
 * line in the log, and the end of the process by SIGABRT. */
VOID WINAPI RaiseException(DWORD dwExceptionCode, DWORD dwExceptionFlags, DWORD nNumberOfArguments,
                           const ULONG_PTR* lpArguments) TP_SHIM(RaiseException);

TP_END

#define SEM_FAILCRITICALERRORS 0x0001
#define SEM_NOGPFAULTERRORBOX 0x0002
#define SEM_NOALIGNMENTFAULTEXCEPT 0x0004
#define SEM_NOOPENFILEERRORBOX 0x8000

#endif
