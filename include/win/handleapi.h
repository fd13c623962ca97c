/* Handles. Every function here answers FALSE and ERROR_INVALID_HANDLE to a handle that is null, closed, of another room
 * or not of a kind that it takes. */
#ifndef _HANDLEAPI_H_
#define _HANDLEAPI_H_

#include "minwinbase.h"

#define DUPLICATE_CLOSE_SOURCE 0x00000001u
#define DUPLICATE_SAME_ACCESS 0x00000002u
#define HANDLE_FLAG_INHERIT 0x00000001u
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 0x00000002u

TP_BEGIN

/* Events, semaphores, mutexes, threads, waitable timers. A thread that waits with the handle goes on waiting. */
BOOL WINAPI CloseHandle(HANDLE hObject) TP_SHIM(CloseHandle);

/* Both processes must be GetCurrentProcess(): ERROR_NOT_SUPPORTED else. Access rights are not kept. */
BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
                            LPHANDLE lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions)
    TP_SHIM(DuplicateHandle);

/* No flag is ever set, and none can be. */
BOOL WINAPI GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags) TP_SHIM(GetHandleInformation);

/* Whether two handles stand for one object. */
BOOL WINAPI CompareObjectHandles(HANDLE hFirstObjectHandle, HANDLE hSecondObjectHandle) TP_SHIM(CompareObjectHandles);

TP_END

#endif
