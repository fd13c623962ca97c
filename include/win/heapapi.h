/* Heaps: memory that knows whom it belongs to, so that HeapDestroy gives back what a client forgot.
 *
 * A heap that is null, destroyed or no heap: ERROR_INVALID_HANDLE. Memory that is not that heap's, or was freed
 * already: ERROR_INVALID_PARAMETER, and nothing happens to it. No memory: null and ERROR_NOT_ENOUGH_MEMORY; nothing
 * here raises exceptions, whatever HEAP_GENERATE_EXCEPTIONS says. Flags that have no name: ERROR_INVALID_PARAMETER. */
#ifndef _HEAPAPI_H_
#define _HEAPAPI_H_

#include "minwinbase.h"

// clang-format off: a table
#define HEAP_NO_SERIALIZE 0x00000001u          /* accepted; calls may always come from any thread */
#define HEAP_GROWABLE 0x00000002u              /* accepted */
#define HEAP_GENERATE_EXCEPTIONS 0x00000004u   /* accepted */
#define HEAP_ZERO_MEMORY 0x00000008u
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010u
#define HEAP_TAIL_CHECKING_ENABLED 0x00000020u /* accepted, and so are the next two */
#define HEAP_FREE_CHECKING_ENABLED 0x00000040u
#define HEAP_DISABLE_COALESCE_ON_FREE 0x00000080u
#define HEAP_CREATE_ALIGN_16 0x00010000u       /* memory always is */
#define HEAP_CREATE_ENABLE_TRACING 0x00020000u /* accepted */
#define HEAP_CREATE_ENABLE_EXECUTE 0x00040000u /* accepted, and not so */
// clang-format on

typedef enum _HEAP_INFORMATION_CLASS {
  HeapCompatibilityInformation = 0,
  HeapEnableTerminationOnCorruption = 1
} HEAP_INFORMATION_CLASS;

TP_BEGIN

/* A maximum other than 0 is the most bytes that the heap will hand out at one time. */
HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize) TP_SHIM(HeapCreate);

/* Frees all that the heap still owns. The process heap cannot be destroyed: ERROR_INVALID_HANDLE. */
BOOL WINAPI HeapDestroy(HANDLE hHeap) TP_SHIM(HeapDestroy);

/* One heap, for ever. */
HANDLE WINAPI GetProcessHeap(VOID) TP_SHIM(GetProcessHeap);

/* A size of 0 gives memory of no bytes, which is to be freed too. */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes) TP_SHIM(HeapAlloc);

/* On failure the old memory is as it was. HEAP_ZERO_MEMORY zeroes what is added. */
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes) TP_SHIM(HeapReAlloc);

/* Null is freed without complaint, from a good heap. */
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem) TP_SHIM(HeapFree);

/* The bytes that were asked for; (SIZE_T)-1 on failure. */
SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem) TP_SHIM(HeapSize);

/* Whether the heap (null), or that memory of it, is good. */
BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem) TP_SHIM(HeapValidate);

/* Nothing can be set; the two classes are accepted (of the second, no heap is asked), another is
 * ERROR_INVALID_PARAMETER. */
BOOL WINAPI HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
                               SIZE_T HeapInformationLength) TP_SHIM(HeapSetInformation);

/* HeapCompatibilityInformation: 0, a ULONG. Another class: ERROR_INVALID_PARAMETER. */
BOOL WINAPI HeapQueryInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
                                 SIZE_T HeapInformationLength, PSIZE_T ReturnLength) TP_SHIM(HeapQueryInformation);

/* Until it is unlocked as often, the calls of other threads wait. Who has not locked it: ERROR_NOT_LOCKED. */
BOOL WINAPI HeapLock(HANDLE hHeap) TP_SHIM(HeapLock);
BOOL WINAPI HeapUnlock(HANDLE hHeap) TP_SHIM(HeapUnlock);

/* One block after the other, the first behind an lpData of null: ERROR_NO_MORE_ITEMS at the end. Only of a locked heap
 * are they sure to be all, and each one once; an lpData that is no block of it: ERROR_INVALID_PARAMETER. */
BOOL WINAPI HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry) TP_SHIM(HeapWalk);

/* Nothing is moved. What a heap with a maximum may still hand out; of another 0 with NO_ERROR, "not known". */
SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags) TP_SHIM(HeapCompact);

TP_END

#endif
