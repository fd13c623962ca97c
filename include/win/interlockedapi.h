/* Interlocked operations: on integers of any width, on pointers, and on singly linked lists. All of them are full
 * barriers; the forms ...Acquire, ...Release and ...NoFence promise less and give as much. */
#ifndef _INTERLOCKAPI_H_
#define _INTERLOCKAPI_H_

#include "windef.h"

/* The width is that of what is pointed at, so that one definition serves LONG, DWORD, LONG64 and the rest. */
#define InterlockedIncrement(addend) __sync_add_and_fetch((addend), 1)
#define InterlockedDecrement(addend) __sync_sub_and_fetch((addend), 1)
#define InterlockedExchange(target, value) __atomic_exchange_n((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd(addend, value) __sync_fetch_and_add((addend), (value))
#define InterlockedExchangeSubtract(addend, value) __sync_fetch_and_sub((addend), (value))
#define InterlockedAdd(addend, value) __sync_add_and_fetch((addend), (value))
#define InterlockedCompareExchange(destination, exchange, comparand) \
  __sync_val_compare_and_swap((destination), (comparand), (exchange))
#define InterlockedAnd(destination, value) __sync_fetch_and_and((destination), (value))
#define InterlockedOr(destination, value) __sync_fetch_and_or((destination), (value))
#define InterlockedXor(destination, value) __sync_fetch_and_xor((destination), (value))

#define InterlockedIncrement16(addend) InterlockedIncrement(addend)
#define InterlockedDecrement16(addend) InterlockedDecrement(addend)
#define InterlockedIncrement64(addend) InterlockedIncrement(addend)
#define InterlockedDecrement64(addend) InterlockedDecrement(addend)
#define InterlockedExchange8(target, value) InterlockedExchange(target, value)
#define InterlockedExchange16(target, value) InterlockedExchange(target, value)
#define InterlockedExchange64(target, value) InterlockedExchange(target, value)
#define InterlockedExchangeAdd64(addend, value) InterlockedExchangeAdd(addend, value)
#define InterlockedAdd64(addend, value) InterlockedAdd(addend, value)
#define InterlockedCompareExchange16(destination, exchange, comparand) \
  InterlockedCompareExchange(destination, exchange, comparand)
#define InterlockedCompareExchange64(destination, exchange, comparand) \
  InterlockedCompareExchange(destination, exchange, comparand)
#define InterlockedAnd64(destination, value) InterlockedAnd(destination, value)
#define InterlockedOr64(destination, value) InterlockedOr(destination, value)
#define InterlockedXor64(destination, value) InterlockedXor(destination, value)

#define InterlockedIncrementAcquire(addend) InterlockedIncrement(addend)
#define InterlockedIncrementRelease(addend) InterlockedIncrement(addend)
#define InterlockedIncrementNoFence(addend) InterlockedIncrement(addend)
#define InterlockedDecrementAcquire(addend) InterlockedDecrement(addend)
#define InterlockedDecrementRelease(addend) InterlockedDecrement(addend)
#define InterlockedDecrementNoFence(addend) InterlockedDecrement(addend)
#define InterlockedExchangeAcquire(target, value) InterlockedExchange(target, value)
#define InterlockedExchangeNoFence(target, value) InterlockedExchange(target, value)
#define InterlockedCompareExchangeAcquire(destination, exchange, comparand) \
  InterlockedCompareExchange(destination, exchange, comparand)
#define InterlockedCompareExchangeRelease(destination, exchange, comparand) \
  InterlockedCompareExchange(destination, exchange, comparand)
#define InterlockedCompareExchangeNoFence(destination, exchange, comparand) \
  InterlockedCompareExchange(destination, exchange, comparand)

#define MemoryBarrier() __sync_synchronize()
#define YieldProcessor() ((void)0)

/* Pointers: what is pointed at may be a pointer to anything, and the values are PVOIDs, as documented. */
FORCEINLINE PVOID tp_exchange_pointer(PVOID volatile* target, PVOID value) {
  return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID tp_compare_exchange_pointer(PVOID volatile* destination, PVOID exchange, PVOID comparand) {
  return __sync_val_compare_and_swap(destination, comparand, exchange);
}
#define InterlockedExchangePointer(target, value) tp_exchange_pointer(TP_POINTER(PVOID volatile*, target), (value))
#define InterlockedCompareExchangePointer(destination, exchange, comparand) \
  tp_compare_exchange_pointer(TP_POINTER(PVOID volatile*, destination), (exchange), (comparand))

/* A bit of an array of LONGs; says whether it was set before. */
FORCEINLINE BOOLEAN InterlockedBitTestAndSet(volatile LONG* base, LONG bit) {
  const LONG mask = TP_CAST(LONG, 1u << (TP_CAST(DWORD, bit) % 32));
  return (__sync_fetch_and_or(base + bit / 32, mask) & mask) != 0 ? TRUE : FALSE;
}
FORCEINLINE BOOLEAN InterlockedBitTestAndReset(volatile LONG* base, LONG bit) {
  const LONG mask = TP_CAST(LONG, 1u << (TP_CAST(DWORD, bit) % 32));
  return (__sync_fetch_and_and(base + bit / 32, ~mask) & mask) != 0 ? TRUE : FALSE;
}

/* Singly linked lists that several threads push to and pop from. The header holds a lock of its own: there is no pop
 * that reads memory which another thread has popped and freed. */
#define MEMORY_ALLOCATION_ALIGNMENT 16

typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
  struct _SLIST_ENTRY* Next;
} SLIST_ENTRY, *PSLIST_ENTRY;

typedef struct DECLSPEC_ALIGN(16) _SLIST_HEADER {
  PSLIST_ENTRY First;
  DWORD Lock;
  DWORD Depth;
} SLIST_HEADER, *PSLIST_HEADER;

TP_BEGIN

VOID WINAPI InitializeSListHead(PSLIST_HEADER ListHead) TP_SHIM(InitializeSListHead);
PSLIST_ENTRY WINAPI InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
    TP_SHIM(InterlockedPushEntrySList);
PSLIST_ENTRY WINAPI InterlockedPopEntrySList(PSLIST_HEADER ListHead) TP_SHIM(InterlockedPopEntrySList);
PSLIST_ENTRY WINAPI InterlockedFlushSList(PSLIST_HEADER ListHead) TP_SHIM(InterlockedFlushSList);
USHORT WINAPI QueryDepthSList(PSLIST_HEADER ListHead) TP_SHIM(QueryDepthSList);

TP_END

#endif
