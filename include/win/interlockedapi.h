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

// clang-format off: a table
#define InterlockedIncrementAcquire(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementRelease(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementNoFence(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrement16(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementAcquire16(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementRelease16(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementNoFence16(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrement64(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementAcquire64(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementRelease64(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedIncrementNoFence64(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedDecrementAcquire(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementRelease(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementNoFence(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrement16(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementAcquire16(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementRelease16(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementNoFence16(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrement64(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementAcquire64(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementRelease64(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedDecrementNoFence64(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedExchangeAcquire(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchangeNoFence(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchange8(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchange16(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchange64(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchangeAcquire64(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchangeNoFence64(...) InterlockedExchange(__VA_ARGS__)
#define InterlockedExchangeAddAcquire(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAddRelease(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAddNoFence(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAdd64(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAddAcquire64(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAddRelease64(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedExchangeAddNoFence64(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedAddAcquire(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAddRelease(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAddNoFence(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAdd64(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAddAcquire64(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAddRelease64(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedAddNoFence64(...) InterlockedAdd(__VA_ARGS__)
#define InterlockedCompareExchangeAcquire(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeRelease(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeNoFence(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchange16(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeAcquire16(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeRelease16(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeNoFence16(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchange64(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeAcquire64(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeRelease64(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedCompareExchangeNoFence64(...) InterlockedCompareExchange(__VA_ARGS__)
#define InterlockedAndAcquire(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAndRelease(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAndNoFence(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd8(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd8Acquire(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd8Release(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd8NoFence(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd16(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd16Acquire(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd16Release(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd16NoFence(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd64(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd64Acquire(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd64Release(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedAnd64NoFence(...) InterlockedAnd(__VA_ARGS__)
#define InterlockedOrAcquire(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOrRelease(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOrNoFence(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr8(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr8Acquire(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr8Release(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr8NoFence(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr16(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr16Acquire(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr16Release(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr16NoFence(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr64(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr64Acquire(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr64Release(...) InterlockedOr(__VA_ARGS__)
#define InterlockedOr64NoFence(...) InterlockedOr(__VA_ARGS__)
#define InterlockedXorAcquire(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXorRelease(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXorNoFence(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor8(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor8Acquire(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor8Release(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor8NoFence(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor16(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor16Acquire(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor16Release(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor16NoFence(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor64(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor64Acquire(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor64Release(...) InterlockedXor(__VA_ARGS__)
#define InterlockedXor64NoFence(...) InterlockedXor(__VA_ARGS__)
#define InterlockedExchangeAdd8(...) InterlockedExchangeAdd(__VA_ARGS__)
#define InterlockedIncrementSizeT(...) InterlockedIncrement(__VA_ARGS__)
#define InterlockedDecrementSizeT(...) InterlockedDecrement(__VA_ARGS__)
#define InterlockedExchangeAddSizeT(...) InterlockedExchangeAdd(__VA_ARGS__)
// clang-format on

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
#define InterlockedExchangePointerAcquire(...) InterlockedExchangePointer(__VA_ARGS__)
#define InterlockedExchangePointerNoFence(...) InterlockedExchangePointer(__VA_ARGS__)
#define InterlockedCompareExchangePointerAcquire(...) InterlockedCompareExchangePointer(__VA_ARGS__)
#define InterlockedCompareExchangePointerRelease(...) InterlockedCompareExchangePointer(__VA_ARGS__)
#define InterlockedCompareExchangePointerNoFence(...) InterlockedCompareExchangePointer(__VA_ARGS__)

/* Looking and setting, of a LONG and of 64 bits. */
FORCEINLINE LONG ReadAcquire(LONG const volatile* source) { return __atomic_load_n(source, __ATOMIC_ACQUIRE); }
FORCEINLINE LONG ReadNoFence(LONG const volatile* source) { return __atomic_load_n(source, __ATOMIC_RELAXED); }
FORCEINLINE LONG64 ReadAcquire64(LONG64 const volatile* source) { return __atomic_load_n(source, __ATOMIC_ACQUIRE); }
FORCEINLINE LONG64 ReadNoFence64(LONG64 const volatile* source) { return __atomic_load_n(source, __ATOMIC_RELAXED); }
FORCEINLINE VOID WriteRelease(LONG volatile* target, LONG value) { __atomic_store_n(target, value, __ATOMIC_RELEASE); }
FORCEINLINE VOID WriteNoFence(LONG volatile* target, LONG value) { __atomic_store_n(target, value, __ATOMIC_RELAXED); }
FORCEINLINE VOID WriteRelease64(LONG64 volatile* target, LONG64 value) {
  __atomic_store_n(target, value, __ATOMIC_RELEASE);
}
FORCEINLINE VOID WriteNoFence64(LONG64 volatile* target, LONG64 value) {
  __atomic_store_n(target, value, __ATOMIC_RELAXED);
}
FORCEINLINE PVOID ReadPointerAcquire(PVOID const volatile* source) { return __atomic_load_n(source, __ATOMIC_ACQUIRE); }
FORCEINLINE PVOID ReadPointerNoFence(PVOID const volatile* source) { return __atomic_load_n(source, __ATOMIC_RELAXED); }
FORCEINLINE VOID WritePointerRelease(PVOID volatile* target, PVOID value) {
  __atomic_store_n(target, value, __ATOMIC_RELEASE);
}
FORCEINLINE VOID WritePointerNoFence(PVOID volatile* target, PVOID value) {
  __atomic_store_n(target, value, __ATOMIC_RELAXED);
}

/* A bit of an array of LONGs, or of LONG64s; says whether it was set before. */
#define TP_BIT_TEST(name, type, bits, operation, mask)                     \
  FORCEINLINE BOOLEAN name(volatile type* base, type bit) {                \
    const type one = TP_CAST(type, 1ull << (TP_CAST(DWORD, bit) % bits));  \
    return (operation(base + bit / bits, mask) & one) != 0 ? TRUE : FALSE; \
  }
TP_BIT_TEST(InterlockedBitTestAndSet, LONG, 32, __sync_fetch_and_or, one)
TP_BIT_TEST(InterlockedBitTestAndReset, LONG, 32, __sync_fetch_and_and, ~one)
TP_BIT_TEST(InterlockedBitTestAndComplement, LONG, 32, __sync_fetch_and_xor, one)
TP_BIT_TEST(InterlockedBitTestAndSet64, LONG64, 64, __sync_fetch_and_or, one)
TP_BIT_TEST(InterlockedBitTestAndReset64, LONG64, 64, __sync_fetch_and_and, ~one)
#undef TP_BIT_TEST

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
