/* The driver tier of the base shim: what protocol drivers take from the kernel besides NDIS, as user-mode code.
 *
 * A level (IRQL) is a number of the calling thread. A spin lock raises it to DISPATCH_LEVEL and puts it back; callbacks
 * that are documented to come at DISPATCH_LEVEL come with it raised. Nothing is masked by it: it exists so that a
 * call which may wait, made where it must not, is found (checked mode).
 *
 * Events, mutexes, timers and locks lie in the driver's own memory, as it expects, and hold no resource of the system:
 * forgetting them leaks nothing. Only a timer that is set and a work item that is queued are known to the library.
 *
 * There are no IRPs and no device objects that do anything: DRIVER_OBJECT is here because DriverEntry gets one and
 * hangs its unload routine on it. Functions have the prefix tp_ as symbols, as everywhere in the shim. */
#ifndef _WDMDDK_
#define _WDMDDK_

#if !defined(WIN32_NO_STATUS) && !defined(_WINNT_)
#define WIN32_NO_STATUS /* <ntstatus.h> has them all */
#endif

#include "interlockedapi.h"
#include "ntdef.h"
#include "ntstatus.h"
#include "windef.h"

#define FASTCALL
#define DDKAPI
#define NTKERNELAPI
#define NTHALAPI
#define __drv_aliasesMem
typedef short CSHORT;
typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;
typedef LONG KPRIORITY;
typedef struct _IRP IRP, *PIRP;
typedef struct _EPROCESS* PEPROCESS;

#ifndef PAGE_SIZE
#define PAGE_SIZE 0x1000
#endif
#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#define PAGE_ALIGN(va) TP_POINTER(PVOID, TP_BITS(va) & ~TP_CAST(ULONG_PTR, PAGE_SIZE - 1))
#define BYTE_OFFSET(va) TP_CAST(ULONG, TP_BITS(va) & (PAGE_SIZE - 1))
#define ROUND_TO_PAGES(bytes) ((TP_CAST(ULONG_PTR, bytes) + PAGE_SIZE - 1) & ~TP_CAST(ULONG_PTR, PAGE_SIZE - 1))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(va, bytes) \
  TP_CAST(ULONG, (TP_CAST(ULONG_PTR, BYTE_OFFSET(va)) + (bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)

#ifndef PAGED_CODE
#define PAGED_CODE() ((void)0)
#endif
#ifndef NT_ASSERT
#define NT_ASSERT(expression) ((void)0)
#endif
#ifndef ASSERT
#define ASSERT(expression) NT_ASSERT(expression)
#endif
#ifndef ASSERTMSG
#define ASSERTMSG(message, expression) NT_ASSERT(expression)
#endif

/* Levels. */
typedef UCHAR KIRQL, *PKIRQL;
#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2

typedef CCHAR KPROCESSOR_MODE;
typedef enum _MODE { KernelMode = 0, UserMode = 1, MaximumMode = 2 } MODE;

typedef enum _KWAIT_REASON {
  Executive = 0,
  FreePage = 1,
  PageIn = 2,
  PoolAllocation = 3,
  DelayExecution = 4,
  Suspended = 5,
  UserRequest = 6
} KWAIT_REASON;

/* Objects that are waited for. What is inside is the library's. */
typedef enum _EVENT_TYPE { NotificationEvent = 0, SynchronizationEvent = 1 } EVENT_TYPE;
typedef enum _TIMER_TYPE { NotificationTimer = 0, SynchronizationTimer = 1 } TIMER_TYPE;

typedef struct _DISPATCHER_HEADER {
  UCHAR Type;
  UCHAR Reserved[3];
  LONG SignalState;
  ULONG_PTR Wait[2];
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
  DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KMUTANT {
  DISPATCHER_HEADER Header;
  ULONG_PTR Owner[4];
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

typedef struct _KDPC* PKDPC;
typedef VOID(NTAPI KDEFERRED_ROUTINE)(PKDPC Dpc, PVOID DeferredContext, PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE* PKDEFERRED_ROUTINE;

typedef struct _KDPC {
  ULONG_PTR Reserved[3];
  PKDEFERRED_ROUTINE DeferredRoutine;
  PVOID DeferredContext;
  PVOID SystemArgument1;
  PVOID SystemArgument2;
  PVOID DpcData;
} KDPC;

typedef struct _KTIMER {
  DISPATCHER_HEADER Header;
  ULARGE_INTEGER DueTime;
  ULONG_PTR Reserved[2];
  PKDPC Dpc;
  ULONG Kind;
  ULONG Period;
} KTIMER, *PKTIMER, *PRKTIMER;

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _FAST_MUTEX {
  LONG Count;
  ULONG_PTR Owner;
  ULONG Contention;
  KEVENT Event;
  ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

/* Memory descriptors: a range of memory, and the next one. `MdlFlags` are as documented; nothing is locked or mapped,
 * every address is a system address. */
typedef struct _MDL {
  struct _MDL* Next;
  CSHORT Size;
  CSHORT MdlFlags;
  PEPROCESS Process;
  PVOID MappedSystemVa;
  PVOID StartVa;
  ULONG ByteCount;
  ULONG ByteOffset;
} MDL, *PMDL;
typedef PMDL PMDLX;

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE 0x0008
#define MDL_PARTIAL 0x0010

typedef enum _LOCK_OPERATION { IoReadAccess = 0, IoWriteAccess = 1, IoModifyAccess = 2 } LOCK_OPERATION;
typedef enum _MM_PAGE_PRIORITY { LowPagePriority = 0, NormalPagePriority = 16, HighPagePriority = 32 } MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000u
#define MdlMappingNoExecute 0x40000000u

#define MmGetMdlByteCount(mdl) ((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl) ((mdl)->ByteOffset)
#define MmGetMdlVirtualAddress(mdl) TP_POINTER(PVOID, TP_BITS((mdl)->StartVa) + (mdl)->ByteOffset)
#define MmGetMdlBaseVa(mdl) ((mdl)->StartVa)
#define MmGetSystemAddressForMdl(mdl) ((mdl)->MappedSystemVa)
#define MmGetSystemAddressForMdlSafe(mdl, priority) ((mdl)->MappedSystemVa)
#define MmPrepareMdlForReuse(mdl) ((void)(mdl))
#define MmInitializeMdl(mdl, va, length)                                                                            \
  ((mdl)->Next = NULL, (mdl)->Size = TP_CAST(CSHORT, sizeof(MDL)), (mdl)->MdlFlags = 0, (mdl)->Process = NULL,      \
   (mdl)->StartVa = PAGE_ALIGN(va), (mdl)->ByteOffset = BYTE_OFFSET(va), (mdl)->ByteCount = TP_CAST(ULONG, length), \
   (mdl)->MappedSystemVa = TP_POINTER(PVOID, TP_BITS(va)))

/* Pool: the heap. The tag is kept for the report of what a driver left behind. */
typedef enum _POOL_TYPE {
  NonPagedPool = 0,
  NonPagedPoolExecute = NonPagedPool,
  PagedPool = 1,
  NonPagedPoolMustSucceed = 2,
  DontUseThisType = 3,
  NonPagedPoolCacheAligned = 4,
  PagedPoolCacheAligned = 5,
  NonPagedPoolCacheAlignedMustS = 6,
  MaxPoolType = 7,
  NonPagedPoolNx = 512,
  NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;
typedef enum _EX_POOL_PRIORITY {
  LowPoolPriority = 0,
  LowPoolPrioritySpecialPoolOverrun = 8,
  LowPoolPrioritySpecialPoolUnderrun = 9,
  NormalPoolPriority = 16,
  NormalPoolPrioritySpecialPoolOverrun = 24,
  NormalPoolPrioritySpecialPoolUnderrun = 25,
  HighPoolPriority = 32,
  HighPoolPrioritySpecialPoolOverrun = 40,
  HighPoolPrioritySpecialPoolUnderrun = 41
} EX_POOL_PRIORITY;
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ull
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ull
#define POOL_FLAG_NON_PAGED 0x0000000000000040ull
#define POOL_FLAG_PAGED 0x0000000000000100ull

typedef struct _NPAGED_LOOKASIDE_LIST {
  SLIST_HEADER Free;
  PVOID Allocate;
  PVOID Release;
  SIZE_T Size;
  ULONG Tag;
  USHORT Depth;
  USHORT Type;
  ULONG_PTR Reserved[10];
} DECLSPEC_CACHEALIGN NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST, PAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;
typedef PVOID(NTAPI* PALLOCATE_FUNCTION)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
typedef VOID(NTAPI* PFREE_FUNCTION)(PVOID Buffer);

/* Work items run on a thread of the library at PASSIVE_LEVEL, once for each time that they are queued. */
typedef enum _WORK_QUEUE_TYPE {
  CriticalWorkQueue = 0,
  DelayedWorkQueue = 1,
  HyperCriticalWorkQueue = 2,
  NormalWorkQueue = 3,
  BackgroundWorkQueue = 4,
  RealTimeWorkQueue = 5,
  SuperCriticalWorkQueue = 6,
  MaximumWorkQueue = 7
} WORK_QUEUE_TYPE;
typedef VOID(NTAPI* PWORKER_THREAD_ROUTINE)(PVOID Parameter);
typedef struct _WORK_QUEUE_ITEM {
  LIST_ENTRY List;
  PWORKER_THREAD_ROUTINE WorkerRoutine;
  PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;
#define ExInitializeWorkItem(item, routine, parameter) \
  ((item)->WorkerRoutine = (routine), (item)->Parameter = (parameter), (item)->List.Flink = NULL)

/* What DriverEntry is given. */
#define IRP_MJ_CREATE 0x00
#define IRP_MJ_CLOSE 0x02
#define IRP_MJ_READ 0x03
#define IRP_MJ_WRITE 0x04
#define IRP_MJ_DEVICE_CONTROL 0x0E
#define IRP_MJ_INTERNAL_DEVICE_CONTROL 0x0F
#define IRP_MJ_CLEANUP 0x12
#define IRP_MJ_POWER 0x16
#define IRP_MJ_SYSTEM_CONTROL 0x17
#define IRP_MJ_PNP 0x1B
#define IRP_MJ_MAXIMUM_FUNCTION 0x1B

struct _DRIVER_OBJECT;
struct _DEVICE_OBJECT;
struct _DRIVER_EXTENSION;
struct _FAST_IO_DISPATCH;
typedef NTSTATUS(NTAPI DRIVER_INITIALIZE)(struct _DRIVER_OBJECT* DriverObject, PUNICODE_STRING RegistryPath);
typedef DRIVER_INITIALIZE* PDRIVER_INITIALIZE;
typedef VOID(NTAPI DRIVER_UNLOAD)(struct _DRIVER_OBJECT* DriverObject);
typedef DRIVER_UNLOAD* PDRIVER_UNLOAD;
typedef NTSTATUS(NTAPI DRIVER_DISPATCH)(struct _DEVICE_OBJECT* DeviceObject, PIRP Irp);
typedef DRIVER_DISPATCH* PDRIVER_DISPATCH;

typedef VOID(NTAPI DRIVER_STARTIO)(struct _DEVICE_OBJECT* DeviceObject, PIRP Irp);
typedef DRIVER_STARTIO* PDRIVER_STARTIO;

/* Nothing makes one; this is the beginning of it, for sources that look into theirs. */
typedef struct _DEVICE_OBJECT {
  CSHORT Type;
  USHORT Size;
  LONG ReferenceCount;
  struct _DRIVER_OBJECT* DriverObject;
  struct _DEVICE_OBJECT* NextDevice;
  struct _DEVICE_OBJECT* AttachedDevice;
  PIRP CurrentIrp;
  PVOID Timer;
  ULONG Flags;
  ULONG Characteristics;
  PVOID Vpb;
  PVOID DeviceExtension;
  ULONG DeviceType;
  CCHAR StackSize;
} DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef struct _DRIVER_OBJECT {
  CSHORT Type;
  CSHORT Size;
  PDEVICE_OBJECT DeviceObject;
  ULONG Flags;
  PVOID DriverStart;
  ULONG DriverSize;
  PVOID DriverSection;
  struct _DRIVER_EXTENSION* DriverExtension;
  UNICODE_STRING DriverName;
  PUNICODE_STRING HardwareDatabase;
  struct _FAST_IO_DISPATCH* FastIoDispatch;
  PDRIVER_INITIALIZE DriverInit;
  PDRIVER_STARTIO DriverStartIo;
  PDRIVER_UNLOAD DriverUnload;
  PDRIVER_DISPATCH MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
} DRIVER_OBJECT, *PDRIVER_OBJECT;

/* Doubly linked circular lists, in line: the links are the driver's. */
FORCEINLINE VOID InitializeListHead(PLIST_ENTRY ListHead) { ListHead->Flink = ListHead->Blink = ListHead; }
FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY* ListHead) { return ListHead->Flink == ListHead ? TRUE : FALSE; }
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) {
  Entry->Blink->Flink = Entry->Flink;
  Entry->Flink->Blink = Entry->Blink;
  return Entry->Flink == Entry->Blink ? TRUE : FALSE;
}
FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY entry = ListHead->Flink;
  RemoveEntryList(entry);
  return entry;
}
FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY entry = ListHead->Blink;
  RemoveEntryList(entry);
  return entry;
}
FORCEINLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  Entry->Flink = ListHead->Flink;
  Entry->Blink = ListHead;
  ListHead->Flink->Blink = Entry;
  ListHead->Flink = Entry;
}
FORCEINLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  Entry->Flink = ListHead;
  Entry->Blink = ListHead->Blink;
  ListHead->Blink->Flink = Entry;
  ListHead->Blink = Entry;
}
FORCEINLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY end = ListHead->Blink;
  ListHead->Blink->Flink = ListToAppend;
  ListHead->Blink = ListToAppend->Blink;
  ListToAppend->Blink->Flink = ListHead;
  ListToAppend->Blink = end;
}
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY entry = ListHead->Next;
  if (entry != NULL) ListHead->Next = entry->Next;
  return entry;
}
FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

TP_BEGIN

KIRQL KeGetCurrentIrql(VOID) TP_SHIM(KeGetCurrentIrql);
KIRQL KfRaiseIrql(KIRQL NewIrql) TP_SHIM(KfRaiseIrql);
KIRQL KeRaiseIrqlToDpcLevel(VOID) TP_SHIM(KeRaiseIrqlToDpcLevel);
VOID KeLowerIrql(KIRQL NewIrql) TP_SHIM(KeLowerIrql);
#define KeRaiseIrql(level, old_level) ((void)(*(old_level) = KfRaiseIrql(level)))

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) TP_SHIM(KeInitializeSpinLock);
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) TP_SHIM(KeAcquireSpinLockRaiseToDpc);
VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) TP_SHIM(KeReleaseSpinLock);
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) TP_SHIM(KeAcquireSpinLockAtDpcLevel);
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) TP_SHIM(KeReleaseSpinLockFromDpcLevel);
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) TP_SHIM(KeTryToAcquireSpinLockAtDpcLevel);
#define KeAcquireSpinLock(lock, old_level) ((void)(*(old_level) = KeAcquireSpinLockRaiseToDpc(lock)))

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) TP_SHIM(KeInitializeEvent);
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait) TP_SHIM(KeSetEvent);
LONG KeResetEvent(PRKEVENT Event) TP_SHIM(KeResetEvent);
VOID KeClearEvent(PRKEVENT Event) TP_SHIM(KeClearEvent);
LONG KeReadStateEvent(PRKEVENT Event) TP_SHIM(KeReadStateEvent);
VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level) TP_SHIM(KeInitializeMutex);
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait) TP_SHIM(KeReleaseMutex);
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout) TP_SHIM(KeWaitForSingleObject);
VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex) TP_SHIM(ExInitializeFastMutex);
VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex) TP_SHIM(ExAcquireFastMutex);
VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex) TP_SHIM(ExReleaseFastMutex);
BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) TP_SHIM(ExTryToAcquireFastMutex);

VOID KeInitializeTimer(PKTIMER Timer) TP_SHIM(KeInitializeTimer);
VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) TP_SHIM(KeInitializeTimerEx);
VOID KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) TP_SHIM(KeInitializeDpc);
BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) TP_SHIM(KeSetTimer);
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) TP_SHIM(KeSetTimerEx);
BOOLEAN KeCancelTimer(PKTIMER Timer) TP_SHIM(KeCancelTimer);
BOOLEAN KeReadStateTimer(PKTIMER Timer) TP_SHIM(KeReadStateTimer);
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
    TP_SHIM(KeDelayExecutionThread);
VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime) TP_SHIM(KeQuerySystemTime);
ULONGLONG KeQueryInterruptTime(VOID) TP_SHIM(KeQueryInterruptTime);
VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount) TP_SHIM(KeQueryTickCount);
ULONG KeQueryTimeIncrement(VOID) TP_SHIM(KeQueryTimeIncrement);
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) TP_SHIM(KeQueryPerformanceCounter);
VOID KeStallExecutionProcessor(ULONG MicroSeconds) TP_SHIM(KeStallExecutionProcessor);
ULONG KeGetCurrentProcessorNumber(VOID) TP_SHIM(KeGetCurrentProcessorNumber);
VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType) TP_SHIM(ExQueueWorkItem);

PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes) TP_SHIM(ExAllocatePool);
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) TP_SHIM(ExAllocatePoolWithTag);
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) TP_SHIM(ExAllocatePool2);
VOID ExFreePool(PVOID P) TP_SHIM(ExFreePool);
VOID ExFreePoolWithTag(PVOID P, ULONG Tag) TP_SHIM(ExFreePoolWithTag);
VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                     ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
    TP_SHIM(ExInitializeNPagedLookasideList);
VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) TP_SHIM(ExDeleteNPagedLookasideList);
PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) TP_SHIM(ExAllocateFromNPagedLookasideList);
VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) TP_SHIM(ExFreeToNPagedLookasideList);

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
    TP_SHIM(ExInterlockedInsertHeadList);
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
    TP_SHIM(ExInterlockedInsertTailList);
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) TP_SHIM(ExInterlockedRemoveHeadList);
ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock) TP_SHIM(ExInterlockedAddUlong);
#define ExInitializeSListHead(head) InitializeSListHead(head)
#define ExInterlockedPushEntrySList(head, entry, lock) InterlockedPushEntrySList(head, entry)
#define ExInterlockedPopEntrySList(head, lock) InterlockedPopEntrySList(head)
#define ExInterlockedFlushSList(head) InterlockedFlushSList(head)
#define ExQueryDepthSList(head) QueryDepthSList(head)

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
    TP_SHIM(IoAllocateMdl);
VOID IoFreeMdl(PMDL Mdl) TP_SHIM(IoFreeMdl);
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length) TP_SHIM(IoBuildPartialMdl);
VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList) TP_SHIM(MmBuildMdlForNonPagedPool);
VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
    TP_SHIM(MmProbeAndLockPages);
VOID MmUnlockPages(PMDL MemoryDescriptorList) TP_SHIM(MmUnlockPages);
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length) TP_SHIM(MmSizeOfMdl);

/* Counted text. Lengths are bytes and a WCHAR has four of them, so at most 16,383 characters. */
VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString) TP_SHIM(RtlInitUnicodeString);
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString) TP_SHIM(RtlInitAnsiString);
VOID RtlInitString(PSTRING DestinationString, PCSTR SourceString) TP_SHIM(RtlInitString);
VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
    TP_SHIM(RtlCopyUnicodeString);
LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
    TP_SHIM(RtlCompareUnicodeString);
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
    TP_SHIM(RtlEqualUnicodeString);
BOOLEAN RtlEqualString(const STRING* String1, const STRING* String2, BOOLEAN CaseInSensitive) TP_SHIM(RtlEqualString);
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
    TP_SHIM(RtlPrefixUnicodeString);
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString) TP_SHIM(RtlUpcaseUnicodeString);
WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter) TP_SHIM(RtlUpcaseUnicodeChar);
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) TP_SHIM(RtlAppendUnicodeToString);
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
    TP_SHIM(RtlAppendUnicodeStringToString);
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, const STRING* SourceString,
                                      BOOLEAN AllocateDestinationString) TP_SHIM(RtlAnsiStringToUnicodeString);
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString) TP_SHIM(RtlUnicodeStringToAnsiString);
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString) TP_SHIM(RtlFreeUnicodeString);
VOID RtlFreeAnsiString(PANSI_STRING AnsiString) TP_SHIM(RtlFreeAnsiString);
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
    TP_SHIM(RtlUnicodeStringToInteger);
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String) TP_SHIM(RtlIntegerToUnicodeString);

ULONG DbgPrint(PCSTR Format, ...) TP_SHIM(DbgPrint);
#ifndef KdPrint
#if defined(DBG) && DBG
#define KdPrint(arguments) DbgPrint arguments
#else
#define KdPrint(arguments) ((void)0)
#endif
#endif

TP_END

FORCEINLINE VOID RtlInitEmptyUnicodeString(PUNICODE_STRING String, PWCHAR Buffer, USHORT BufferSize) {
  String->Length = 0;
  String->MaximumLength = BufferSize;
  String->Buffer = Buffer;
}
#ifdef __cplusplus
#define RTL_CONSTANT_STRING(text) {sizeof(text) - sizeof((text)[0]), sizeof(text), const_cast<PWSTR>(text)}
#else
#define RTL_CONSTANT_STRING(text) {sizeof(text) - sizeof((text)[0]), sizeof(text), (PWSTR)(text)}
#endif
#define RtlUshortByteSwap(value) __builtin_bswap16(value)
#define RtlUlongByteSwap(value) __builtin_bswap32(value)
#define RtlUlonglongByteSwap(value) __builtin_bswap64(value)

#endif
