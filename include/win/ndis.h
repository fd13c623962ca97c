/* NDIS, the protocol driver's side: everything that lies between a protocol and its network adapters.
 *
 * One header serves both generations. A driver says which it wants as on Windows, before it includes this: NDIS40,
 * NDIS50 or NDIS51; NDIS60, NDIS61, NDIS620, NDIS630, NDIS640, NDIS650, NDIS651, NDIS660, NDIS670, NDIS680 ... NDIS689;
 * or NDIS_PROTOCOL_MAJOR_VERSION and NDIS_PROTOCOL_MINOR_VERSION themselves. Structures then have the shape of that
 * version, and the other generation's functions are not declared: an NDIS 6 driver cannot reset an adapter by mistake.
 * Whoever says nothing sees both generations in their newest shapes.
 *
 *   this file           versions, statuses, services that both generations use: memory, locks, events, timers, work
 *                       items, configuration, text, time
 *   turnpike_ndis5.h    packets, and protocols that send and receive them
 *   turnpike_ndis6.h    net buffers, and protocols that send and receive them
 *
 * Levels (IRQL), spin locks and memory descriptors are those of <wdm.h>. The contract is docs/contract/ndis.md. */
#ifndef _NDIS_
#define _NDIS_

#include "wdm.h"

/* Versions. A minor version counts as it is spoken: 6.20 is minor 20. */
#ifndef NDIS_PROTOCOL_MAJOR_VERSION
#if defined(NDIS689)
#define NDIS_PROTOCOL_MINOR_VERSION 89
#elif defined(NDIS688)
#define NDIS_PROTOCOL_MINOR_VERSION 88
#elif defined(NDIS687)
#define NDIS_PROTOCOL_MINOR_VERSION 87
#elif defined(NDIS686)
#define NDIS_PROTOCOL_MINOR_VERSION 86
#elif defined(NDIS685)
#define NDIS_PROTOCOL_MINOR_VERSION 85
#elif defined(NDIS684)
#define NDIS_PROTOCOL_MINOR_VERSION 84
#elif defined(NDIS683)
#define NDIS_PROTOCOL_MINOR_VERSION 83
#elif defined(NDIS682)
#define NDIS_PROTOCOL_MINOR_VERSION 82
#elif defined(NDIS681)
#define NDIS_PROTOCOL_MINOR_VERSION 81
#elif defined(NDIS680)
#define NDIS_PROTOCOL_MINOR_VERSION 80
#elif defined(NDIS670)
#define NDIS_PROTOCOL_MINOR_VERSION 70
#elif defined(NDIS660)
#define NDIS_PROTOCOL_MINOR_VERSION 60
#elif defined(NDIS651)
#define NDIS_PROTOCOL_MINOR_VERSION 51
#elif defined(NDIS650)
#define NDIS_PROTOCOL_MINOR_VERSION 50
#elif defined(NDIS640)
#define NDIS_PROTOCOL_MINOR_VERSION 40
#elif defined(NDIS630)
#define NDIS_PROTOCOL_MINOR_VERSION 30
#elif defined(NDIS620)
#define NDIS_PROTOCOL_MINOR_VERSION 20
#elif defined(NDIS61)
#define NDIS_PROTOCOL_MINOR_VERSION 1
#elif defined(NDIS60)
#define NDIS_PROTOCOL_MINOR_VERSION 0
#elif defined(NDIS51)
#define NDIS_PROTOCOL_MAJOR_VERSION 5
#define NDIS_PROTOCOL_MINOR_VERSION 1
#elif defined(NDIS50)
#define NDIS_PROTOCOL_MAJOR_VERSION 5
#define NDIS_PROTOCOL_MINOR_VERSION 0
#elif defined(NDIS40)
#define NDIS_PROTOCOL_MAJOR_VERSION 4
#define NDIS_PROTOCOL_MINOR_VERSION 0
#endif
#if defined(NDIS_PROTOCOL_MINOR_VERSION) && !defined(NDIS_PROTOCOL_MAJOR_VERSION)
#define NDIS_PROTOCOL_MAJOR_VERSION 6
#endif
#endif

#if defined(NDIS_PROTOCOL_MAJOR_VERSION) && !defined(NDIS_PROTOCOL_MINOR_VERSION)
#error "NDIS_PROTOCOL_MAJOR_VERSION is defined and NDIS_PROTOCOL_MINOR_VERSION is not."
#endif
#ifdef NDIS_PROTOCOL_MAJOR_VERSION
#if NDIS_PROTOCOL_MAJOR_VERSION < 4 || NDIS_PROTOCOL_MAJOR_VERSION > 6
#error "There are protocol drivers of NDIS 4, 5 and 6 here."
#endif
#define TP_NDIS_AT_LEAST(minor) (NDIS_PROTOCOL_MAJOR_VERSION == 6 && NDIS_PROTOCOL_MINOR_VERSION >= (minor))
#define NDIS_LEGACY_PROTOCOL (NDIS_PROTOCOL_MAJOR_VERSION < 6)
#else
#define TP_NDIS_AT_LEAST(minor) 1
#define NDIS_LEGACY_PROTOCOL 1
#endif
#define NDIS_LEGACY_DRIVER NDIS_LEGACY_PROTOCOL
#define NDIS_SUPPORT_NDIS6 TP_NDIS_AT_LEAST(0)
#define NDIS_SUPPORT_NDIS61 TP_NDIS_AT_LEAST(1)
#define NDIS_SUPPORT_NDIS620 TP_NDIS_AT_LEAST(20)
#define NDIS_SUPPORT_NDIS630 TP_NDIS_AT_LEAST(30)
#define NDIS_SUPPORT_NDIS640 TP_NDIS_AT_LEAST(40)
#define NDIS_SUPPORT_NDIS650 TP_NDIS_AT_LEAST(50)
#define NDIS_SUPPORT_NDIS651 TP_NDIS_AT_LEAST(51)
#define NDIS_SUPPORT_NDIS660 TP_NDIS_AT_LEAST(60)
#define NDIS_SUPPORT_NDIS670 TP_NDIS_AT_LEAST(70)
#define NDIS_SUPPORT_NDIS680 TP_NDIS_AT_LEAST(80)
#define NDIS_SUPPORT_60_COMPATIBLE_API (!NDIS_SUPPORT_NDIS620)

#include "netpnp.h" /* these two ask which version it is */
#include "ntddndis.h"

// clang-format off: tables
#define NDIS_RUNTIME_VERSION_60  ((6 << 16) | 0)
#define NDIS_RUNTIME_VERSION_61  ((6 << 16) | 1)
#define NDIS_RUNTIME_VERSION_620 ((6 << 16) | 20)
#define NDIS_RUNTIME_VERSION_630 ((6 << 16) | 30)
#define NDIS_RUNTIME_VERSION_640 ((6 << 16) | 40)
#define NDIS_RUNTIME_VERSION_650 ((6 << 16) | 50)
#define NDIS_RUNTIME_VERSION_651 ((6 << 16) | 51)
#define NDIS_RUNTIME_VERSION_660 ((6 << 16) | 60)
#define NDIS_RUNTIME_VERSION_670 ((6 << 16) | 70)
#define NDIS_RUNTIME_VERSION_680 ((6 << 16) | 80)

#define NDISAPI
#define EXPORT
typedef PVOID NDIS_HANDLE, *PNDIS_HANDLE;
typedef int NDIS_STATUS, *PNDIS_STATUS;
typedef UNICODE_STRING NDIS_STRING, *PNDIS_STRING;
typedef MDL NDIS_BUFFER, *PNDIS_BUFFER;
typedef PHYSICAL_ADDRESS NDIS_PHYSICAL_ADDRESS, *PNDIS_PHYSICAL_ADDRESS;
typedef ULONG NDIS_ERROR_CODE, *PNDIS_ERROR_CODE;
typedef USHORT NET_FRAME_TYPE, *PNET_FRAME_TYPE;

#define NDIS_STATUS_SUCCESS                   TP_CAST(NDIS_STATUS, 0x00000000)
#define NDIS_STATUS_PENDING                   TP_CAST(NDIS_STATUS, 0x00000103)
#define NDIS_STATUS_NOT_RECOGNIZED            TP_CAST(NDIS_STATUS, 0x00010001)
#define NDIS_STATUS_NOT_COPIED                TP_CAST(NDIS_STATUS, 0x00010002)
#define NDIS_STATUS_NOT_ACCEPTED              TP_CAST(NDIS_STATUS, 0x00010003)
#define NDIS_STATUS_CALL_ACTIVE               TP_CAST(NDIS_STATUS, 0x00010007)
#define NDIS_STATUS_INDICATION_REQUIRED       TP_CAST(NDIS_STATUS, 0x40230001)
#define NDIS_STATUS_ONLINE                    TP_CAST(NDIS_STATUS, 0x40010003)
#define NDIS_STATUS_RESET_START               TP_CAST(NDIS_STATUS, 0x40010004)
#define NDIS_STATUS_RESET_END                 TP_CAST(NDIS_STATUS, 0x40010005)
#define NDIS_STATUS_RING_STATUS               TP_CAST(NDIS_STATUS, 0x40010006)
#define NDIS_STATUS_CLOSED                    TP_CAST(NDIS_STATUS, 0x40010007)
#define NDIS_STATUS_WAN_LINE_UP               TP_CAST(NDIS_STATUS, 0x40010008)
#define NDIS_STATUS_WAN_LINE_DOWN             TP_CAST(NDIS_STATUS, 0x40010009)
#define NDIS_STATUS_WAN_FRAGMENT              TP_CAST(NDIS_STATUS, 0x4001000A)
#define NDIS_STATUS_MEDIA_CONNECT             TP_CAST(NDIS_STATUS, 0x4001000B)
#define NDIS_STATUS_MEDIA_DISCONNECT          TP_CAST(NDIS_STATUS, 0x4001000C)
#define NDIS_STATUS_HARDWARE_LINE_UP          TP_CAST(NDIS_STATUS, 0x4001000D)
#define NDIS_STATUS_HARDWARE_LINE_DOWN        TP_CAST(NDIS_STATUS, 0x4001000E)
#define NDIS_STATUS_INTERFACE_UP              TP_CAST(NDIS_STATUS, 0x4001000F)
#define NDIS_STATUS_INTERFACE_DOWN            TP_CAST(NDIS_STATUS, 0x40010010)
#define NDIS_STATUS_MEDIA_BUSY                TP_CAST(NDIS_STATUS, 0x40010011)
#define NDIS_STATUS_MEDIA_SPECIFIC_INDICATION TP_CAST(NDIS_STATUS, 0x40010012)
#define NDIS_STATUS_WW_INDICATION             NDIS_STATUS_MEDIA_SPECIFIC_INDICATION
#define NDIS_STATUS_LINK_SPEED_CHANGE         TP_CAST(NDIS_STATUS, 0x40010013)
#define NDIS_STATUS_LINK_STATE                TP_CAST(NDIS_STATUS, 0x40010017)
#define NDIS_STATUS_NETWORK_CHANGE            TP_CAST(NDIS_STATUS, 0x40010018)
#define NDIS_STATUS_MEDIA_SPECIFIC_INDICATION_EX TP_CAST(NDIS_STATUS, 0x40010019)
#define NDIS_STATUS_PORT_STATE                TP_CAST(NDIS_STATUS, 0x40010022)
#define NDIS_STATUS_OPER_STATUS               TP_CAST(NDIS_STATUS, 0x40010023)
#define NDIS_STATUS_PACKET_FILTER             TP_CAST(NDIS_STATUS, 0x40010024)
#define NDIS_STATUS_NOT_RESETTABLE            TP_CAST(NDIS_STATUS, 0x80010001)
#define NDIS_STATUS_SOFT_ERRORS               TP_CAST(NDIS_STATUS, 0x80010003)
#define NDIS_STATUS_HARD_ERRORS               TP_CAST(NDIS_STATUS, 0x80010004)
#define NDIS_STATUS_BUFFER_OVERFLOW           TP_CAST(NDIS_STATUS, 0x80000005)
#define NDIS_STATUS_FAILURE                   TP_CAST(NDIS_STATUS, 0xC0000001)
#define NDIS_STATUS_INVALID_PARAMETER         TP_CAST(NDIS_STATUS, 0xC000000D)
#define NDIS_STATUS_INVALID_DEVICE_REQUEST    TP_CAST(NDIS_STATUS, 0xC0000010)
#define NDIS_STATUS_RESOURCES                 TP_CAST(NDIS_STATUS, 0xC000009A)
#define NDIS_STATUS_NOT_SUPPORTED             TP_CAST(NDIS_STATUS, 0xC00000BB)
#define NDIS_STATUS_INVALID_STATE             TP_CAST(NDIS_STATUS, 0xC0000184)
#define NDIS_STATUS_CLOSING                   TP_CAST(NDIS_STATUS, 0xC0010002)
#define NDIS_STATUS_BAD_VERSION               TP_CAST(NDIS_STATUS, 0xC0010004)
#define NDIS_STATUS_BAD_CHARACTERISTICS       TP_CAST(NDIS_STATUS, 0xC0010005)
#define NDIS_STATUS_ADAPTER_NOT_FOUND         TP_CAST(NDIS_STATUS, 0xC0010006)
#define NDIS_STATUS_OPEN_FAILED               TP_CAST(NDIS_STATUS, 0xC0010007)
#define NDIS_STATUS_DEVICE_FAILED             TP_CAST(NDIS_STATUS, 0xC0010008)
#define NDIS_STATUS_MULTICAST_FULL            TP_CAST(NDIS_STATUS, 0xC0010009)
#define NDIS_STATUS_MULTICAST_EXISTS          TP_CAST(NDIS_STATUS, 0xC001000A)
#define NDIS_STATUS_MULTICAST_NOT_FOUND       TP_CAST(NDIS_STATUS, 0xC001000B)
#define NDIS_STATUS_REQUEST_ABORTED           TP_CAST(NDIS_STATUS, 0xC001000C)
#define NDIS_STATUS_RESET_IN_PROGRESS         TP_CAST(NDIS_STATUS, 0xC001000D)
#define NDIS_STATUS_CLOSING_INDICATING        TP_CAST(NDIS_STATUS, 0xC001000E)
#define NDIS_STATUS_INVALID_PACKET            TP_CAST(NDIS_STATUS, 0xC001000F)
#define NDIS_STATUS_OPEN_LIST_FULL            TP_CAST(NDIS_STATUS, 0xC0010010)
#define NDIS_STATUS_ADAPTER_NOT_READY         TP_CAST(NDIS_STATUS, 0xC0010011)
#define NDIS_STATUS_ADAPTER_NOT_OPEN          TP_CAST(NDIS_STATUS, 0xC0010012)
#define NDIS_STATUS_NOT_INDICATING            TP_CAST(NDIS_STATUS, 0xC0010013)
#define NDIS_STATUS_INVALID_LENGTH            TP_CAST(NDIS_STATUS, 0xC0010014)
#define NDIS_STATUS_INVALID_DATA              TP_CAST(NDIS_STATUS, 0xC0010015)
#define NDIS_STATUS_BUFFER_TOO_SHORT          TP_CAST(NDIS_STATUS, 0xC0010016)
#define NDIS_STATUS_INVALID_OID               TP_CAST(NDIS_STATUS, 0xC0010017)
#define NDIS_STATUS_ADAPTER_REMOVED           TP_CAST(NDIS_STATUS, 0xC0010018)
#define NDIS_STATUS_UNSUPPORTED_MEDIA         TP_CAST(NDIS_STATUS, 0xC0010019)
#define NDIS_STATUS_GROUP_ADDRESS_IN_USE      TP_CAST(NDIS_STATUS, 0xC001001A)
#define NDIS_STATUS_FILE_NOT_FOUND            TP_CAST(NDIS_STATUS, 0xC001001B)
#define NDIS_STATUS_ERROR_READING_FILE        TP_CAST(NDIS_STATUS, 0xC001001C)
#define NDIS_STATUS_ALREADY_MAPPED            TP_CAST(NDIS_STATUS, 0xC001001D)
#define NDIS_STATUS_RESOURCE_CONFLICT         TP_CAST(NDIS_STATUS, 0xC001001E)
#define NDIS_STATUS_NO_CABLE                  TP_CAST(NDIS_STATUS, 0xC001001F)
#define NDIS_STATUS_INVALID_SAP               TP_CAST(NDIS_STATUS, 0xC0010020)
#define NDIS_STATUS_SAP_IN_USE                TP_CAST(NDIS_STATUS, 0xC0010021)
#define NDIS_STATUS_INVALID_ADDRESS           TP_CAST(NDIS_STATUS, 0xC0010022)
#define NDIS_STATUS_SEND_ABORTED              TP_CAST(NDIS_STATUS, 0xC023000C)
#define NDIS_STATUS_MEDIA_DISCONNECTED        TP_CAST(NDIS_STATUS, 0xC023001F)
#define NDIS_STATUS_PAUSED                    TP_CAST(NDIS_STATUS, 0xC023002A)
#define NDIS_STATUS_INTERFACE_NOT_FOUND       TP_CAST(NDIS_STATUS, 0xC023002B)
#define NDIS_STATUS_UNSUPPORTED_REVISION      TP_CAST(NDIS_STATUS, 0xC023002C)
#define NDIS_STATUS_INVALID_PORT              TP_CAST(NDIS_STATUS, 0xC023002D)
#define NDIS_STATUS_INVALID_PORT_STATE        TP_CAST(NDIS_STATUS, 0xC023002E)
#define NDIS_STATUS_LOW_POWER_STATE           TP_CAST(NDIS_STATUS, 0xC023002F)

#define NDIS_PROTOCOL_ID_DEFAULT 0x00
#define NDIS_PROTOCOL_ID_TCP_IP  0x02
#define NDIS_PROTOCOL_ID_IP6     0x03
#define NDIS_PROTOCOL_ID_IPX     0x06
#define NDIS_PROTOCOL_ID_NBF     0x07
#define NDIS_PROTOCOL_ID_MAX     0x0F
#define NDIS_PROTOCOL_ID_MASK    0x0F
// clang-format on

/* Memory. */
#define NDIS_MEMORY_CONTIGUOUS 0x00000001u
#define NDIS_MEMORY_NONCACHED 0x00000002u
#ifdef __cplusplus
#define NDIS_STRING_CONST(text) {sizeof(L##text) - sizeof(WCHAR), sizeof(L##text), const_cast<PWSTR>(L##text)}
#else
#define NDIS_STRING_CONST(text) {sizeof(L##text) - sizeof(WCHAR), sizeof(L##text), (PWSTR)(L##text)}
#endif
#define NDIS_PHYSICAL_ADDRESS_CONST(low, high) \
  {                                            \
    {                                          \
      TP_CAST(DWORD, low), TP_CAST(LONG, high) \
    }                                          \
  }

#define NdisMoveMemory(to, from, bytes) RtlCopyMemory(to, from, bytes)
#define NdisZeroMemory(to, bytes) RtlZeroMemory(to, bytes)
#define NdisFillMemory(to, bytes, value) RtlFillMemory(to, bytes, value)
#define NdisEqualMemory(left, right, bytes) RtlEqualMemory(left, right, bytes)
#define NdisMoveMappedMemory(to, from, bytes) RtlCopyMemory(to, from, bytes)
#define NdisZeroMappedMemory(to, bytes) RtlZeroMemory(to, bytes)
#define NdisMoveToMappedMemory(to, from, bytes) RtlCopyMemory(to, from, bytes)
#define NdisMoveFromMappedMemory(to, from, bytes) RtlCopyMemory(to, from, bytes)
#define NdisRetrieveUlong(to, from) ((void)memcpy((to), (from), sizeof(ULONG)))
#define NdisStoreUlong(to, value)              \
  do {                                         \
    const ULONG tp_value = (value);            \
    memcpy((to), &tp_value, sizeof(tp_value)); \
  } while (0)

typedef struct _NDIS_GENERIC_OBJECT {
  NDIS_OBJECT_HEADER Header;
  PVOID Caller;
  PVOID CallersCaller;
  PDRIVER_OBJECT DriverObject;
} NDIS_GENERIC_OBJECT, *PNDIS_GENERIC_OBJECT;
#define NDIS_GENERIC_OBJECT_REVISION_1 1
#define NDIS_SIZEOF_GENERIC_OBJECT_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_GENERIC_OBJECT, DriverObject)

/* Locks, events. */
typedef struct _NDIS_SPIN_LOCK {
  KSPIN_LOCK SpinLock;
  KIRQL OldIrql;
} NDIS_SPIN_LOCK, *PNDIS_SPIN_LOCK;

typedef struct _LOCK_STATE {
  USHORT LockState;
  KIRQL OldIrql;
} LOCK_STATE, *PLOCK_STATE;

typedef struct _NDIS_RW_LOCK {
  ULONG_PTR Reserved[2];
} NDIS_RW_LOCK, *PNDIS_RW_LOCK;

typedef struct _NDIS_RW_LOCK_EX NDIS_RW_LOCK_EX, *PNDIS_RW_LOCK_EX;
typedef struct _LOCK_STATE_EX {
  KIRQL OldIrql;
  UCHAR LockState;
  UCHAR Flags;
} LOCK_STATE_EX, *PLOCK_STATE_EX;
#define NDIS_RWL_AT_DISPATCH_LEVEL 1

typedef struct _NDIS_EVENT {
  KEVENT Event;
} NDIS_EVENT, *PNDIS_EVENT;

typedef KMUTEX NDIS_MUTEX, *PNDIS_MUTEX;
#define NDIS_INIT_MUTEX(mutex) KeInitializeMutex(mutex, 0xFFFF)
#define NDIS_WAIT_FOR_MUTEX(mutex) KeWaitForSingleObject(mutex, Executive, KernelMode, FALSE, NULL)
#define NDIS_RELEASE_MUTEX(mutex) KeReleaseMutex(mutex, FALSE)

#define NDIS_CURRENT_IRQL() KeGetCurrentIrql()
#define NDIS_RAISE_IRQL_TO_DISPATCH(old_level) KeRaiseIrql(DISPATCH_LEVEL, old_level)
#define NDIS_LOWER_IRQL(old_level, current_level)                                                  \
  do {                                                                                             \
    if ((current_level) == DISPATCH_LEVEL && (old_level) < DISPATCH_LEVEL) KeLowerIrql(old_level); \
  } while (0)

/* Timers and work items. */
typedef VOID(NDISAPI NDIS_TIMER_FUNCTION)(PVOID SystemSpecific1, PVOID FunctionContext, PVOID SystemSpecific2,
                                          PVOID SystemSpecific3);
typedef NDIS_TIMER_FUNCTION* PNDIS_TIMER_FUNCTION;

typedef struct _NDIS_TIMER {
  KTIMER Timer;
  KDPC Dpc;
} NDIS_TIMER, *PNDIS_TIMER;

typedef struct _NDIS_TIMER_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  ULONG AllocationTag;
  PNDIS_TIMER_FUNCTION TimerFunction;
  PVOID FunctionContext;
} NDIS_TIMER_CHARACTERISTICS, *PNDIS_TIMER_CHARACTERISTICS;
#define NDIS_TIMER_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_TIMER_CHARACTERISTICS, FunctionContext)

struct _NDIS_WORK_ITEM;
typedef VOID(NDISAPI* NDIS_PROC)(struct _NDIS_WORK_ITEM* WorkItem, PVOID Context);
typedef struct _NDIS_WORK_ITEM {
  PVOID Context;
  NDIS_PROC Routine;
  UCHAR WrapperReserved[8 * sizeof(PVOID)];
} NDIS_WORK_ITEM, *PNDIS_WORK_ITEM;

typedef VOID(NDISAPI NDIS_IO_WORKITEM)(PVOID WorkItemContext, NDIS_HANDLE NdisIoWorkItemHandle);
typedef NDIS_IO_WORKITEM* NDIS_IO_WORKITEM_ROUTINE;

/* Configuration. */
typedef enum _NDIS_PARAMETER_TYPE {
  NdisParameterInteger = 0,
  NdisParameterHexInteger = 1,
  NdisParameterString = 2,
  NdisParameterMultiString = 3,
  NdisParameterBinary = 4
} NDIS_PARAMETER_TYPE,
    *PNDIS_PARAMETER_TYPE;

typedef struct _BINARY_DATA {
  USHORT Length;
  PVOID Buffer;
} BINARY_DATA;

typedef struct _NDIS_CONFIGURATION_PARAMETER {
  NDIS_PARAMETER_TYPE ParameterType;
  union {
    ULONG IntegerData;
    NDIS_STRING StringData;
    BINARY_DATA BinaryData;
  } ParameterData;
} NDIS_CONFIGURATION_PARAMETER, *PNDIS_CONFIGURATION_PARAMETER;

typedef struct _NDIS_CONFIGURATION_OBJECT {
  NDIS_OBJECT_HEADER Header;
  NDIS_HANDLE NdisHandle;
  ULONG Flags;
} NDIS_CONFIGURATION_OBJECT, *PNDIS_CONFIGURATION_OBJECT;
#define NDIS_CONFIGURATION_OBJECT_REVISION_1 1
#define NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_CONFIGURATION_OBJECT, Flags)

/* The host's processors. There is one group. */
typedef struct _PROCESSOR_NUMBER {
  USHORT Group;
  UCHAR Number;
  UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;
#define ALL_PROCESSOR_GROUPS 0xFFFF

TP_BEGIN

TP_API NDIS_STATUS NdisAllocateMemory(PVOID* VirtualAddress, UINT Length, UINT MemoryFlags,
                                      NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress);
TP_API NDIS_STATUS NdisAllocateMemoryWithTag(PVOID* VirtualAddress, UINT Length, ULONG Tag);
TP_API PVOID NdisAllocateMemoryWithTagPriority(NDIS_HANDLE NdisHandle, UINT Length, ULONG Tag,
                                               EX_POOL_PRIORITY Priority);
TP_API VOID NdisFreeMemory(PVOID VirtualAddress, UINT Length, UINT MemoryFlags);
TP_API VOID NdisFreeMemoryWithTag(PVOID VirtualAddress, ULONG Tag);
TP_API VOID NdisFreeMemoryWithTagPriority(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, ULONG Tag);
TP_API PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(PDRIVER_OBJECT DriverObject, ULONG Tag, USHORT Size);
TP_API VOID NdisFreeGenericObject(PNDIS_GENERIC_OBJECT NdisObject);
TP_API VOID NdisCreateLookaheadBufferFromSharedMemory(PVOID pSharedMemory, UINT LookaheadLength,
                                                      PVOID* pLookaheadBuffer);
TP_API VOID NdisDestroyLookaheadBufferFromSharedMemory(PVOID pLookaheadBuffer);

TP_API VOID NdisAllocateSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisFreeSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock);
TP_API VOID NdisInitializeReadWriteLock(PNDIS_RW_LOCK Lock);
TP_API VOID NdisAcquireReadWriteLock(PNDIS_RW_LOCK Lock, BOOLEAN fWrite, PLOCK_STATE LockState);
TP_API VOID NdisReleaseReadWriteLock(PNDIS_RW_LOCK Lock, PLOCK_STATE LockState);
TP_API PNDIS_RW_LOCK_EX NdisAllocateRWLock(NDIS_HANDLE NdisHandle);
TP_API VOID NdisFreeRWLock(PNDIS_RW_LOCK_EX Lock);
TP_API VOID NdisAcquireRWLockRead(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags);
TP_API VOID NdisAcquireRWLockWrite(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags);
TP_API VOID NdisReleaseRWLock(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState);

TP_API VOID NdisInitializeEvent(PNDIS_EVENT Event);
TP_API VOID NdisSetEvent(PNDIS_EVENT Event);
TP_API VOID NdisResetEvent(PNDIS_EVENT Event);
TP_API BOOLEAN NdisWaitEvent(PNDIS_EVENT Event, UINT MsToWait); /* 0: for ever */

TP_API VOID NdisInitializeTimer(PNDIS_TIMER Timer, PNDIS_TIMER_FUNCTION TimerFunction, PVOID FunctionContext);
TP_API VOID NdisSetTimer(PNDIS_TIMER Timer, UINT MillisecondsToDelay);
TP_API VOID NdisSetTimerEx(PNDIS_TIMER Timer, UINT MillisecondsToDelay, PVOID FunctionContext);
TP_API VOID NdisSetPeriodicTimer(PNDIS_TIMER NdisTimer, UINT MillisecondsPeriod);
TP_API VOID NdisCancelTimer(PNDIS_TIMER Timer, PBOOLEAN TimerCancelled);
TP_API NDIS_STATUS NdisAllocateTimerObject(NDIS_HANDLE NdisHandle, PNDIS_TIMER_CHARACTERISTICS TimerCharacteristics,
                                           PNDIS_HANDLE pTimerObject);
TP_API BOOLEAN NdisSetTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                                  PVOID FunctionContext);
TP_API BOOLEAN NdisSetCoalescableTimerObject(NDIS_HANDLE TimerObject, LARGE_INTEGER DueTime, LONG MillisecondsPeriod,
                                             PVOID FunctionContext, ULONG Tolerance);
TP_API BOOLEAN NdisCancelTimerObject(NDIS_HANDLE TimerObject);
TP_API VOID NdisFreeTimerObject(NDIS_HANDLE TimerObject);
TP_API NDIS_STATUS NdisScheduleWorkItem(PNDIS_WORK_ITEM WorkItem);
TP_API NDIS_HANDLE NdisAllocateIoWorkItem(NDIS_HANDLE NdisObjectHandle);
TP_API VOID NdisQueueIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle, NDIS_IO_WORKITEM_ROUTINE Routine,
                                PVOID WorkItemContext);
TP_API VOID NdisFreeIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle);

TP_API PLIST_ENTRY NdisInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PNDIS_SPIN_LOCK SpinLock);
TP_API PLIST_ENTRY NdisInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PNDIS_SPIN_LOCK SpinLock);
TP_API PLIST_ENTRY NdisInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PNDIS_SPIN_LOCK SpinLock);
TP_API ULONG NdisInterlockedAddUlong(PULONG Addend, ULONG Increment, PNDIS_SPIN_LOCK SpinLock);

TP_API VOID NdisOpenConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                                  NDIS_HANDLE WrapperConfigurationContext);
TP_API VOID NdisOpenProtocolConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                                          PNDIS_STRING ProtocolSection);
TP_API NDIS_STATUS NdisOpenConfigurationEx(PNDIS_CONFIGURATION_OBJECT ConfigObject, PNDIS_HANDLE ConfigurationHandle);
TP_API VOID NdisOpenConfigurationKeyByName(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle,
                                           PNDIS_STRING SubKeyName, PNDIS_HANDLE SubKeyHandle);
TP_API VOID NdisOpenConfigurationKeyByIndex(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, ULONG Index,
                                            PNDIS_STRING KeyName, PNDIS_HANDLE KeyHandle);
TP_API VOID NdisReadConfiguration(PNDIS_STATUS Status, PNDIS_CONFIGURATION_PARAMETER* ParameterValue,
                                  NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword,
                                  NDIS_PARAMETER_TYPE ParameterType);
TP_API VOID NdisWriteConfiguration(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword,
                                   PNDIS_CONFIGURATION_PARAMETER ParameterValue);
TP_API VOID NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle);

TP_API VOID NdisInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString);
TP_API VOID NdisInitUnicodeString(PNDIS_STRING DestinationString, PCWSTR SourceString);
TP_API VOID NdisInitializeString(PNDIS_STRING Destination, PUCHAR Source);
TP_API VOID NdisFreeString(NDIS_STRING String);
TP_API NDIS_STATUS NdisAnsiStringToUnicodeString(PNDIS_STRING DestinationString, PANSI_STRING SourceString);
TP_API NDIS_STATUS NdisUnicodeStringToAnsiString(PANSI_STRING DestinationString, PNDIS_STRING SourceString);
TP_API NDIS_STATUS NdisUpcaseUnicodeString(PNDIS_STRING DestinationString, PNDIS_STRING SourceString);
TP_API BOOLEAN NdisEqualString(PNDIS_STRING String1, PNDIS_STRING String2, BOOLEAN CaseInsensitive);

TP_API VOID NdisGetCurrentSystemTime(PLARGE_INTEGER pSystemTime); /* 100 ns since 1601 */
TP_API VOID NdisGetSystemUpTime(PULONG pSystemUpTime);            /* milliseconds */
TP_API VOID NdisGetSystemUpTimeEx(PLARGE_INTEGER pSystemUpTime);
TP_API VOID NdisStallExecution(UINT MicrosecondsToStall);
TP_API VOID NdisMSleep(ULONG MicrosecondsToSleep);
TP_API CCHAR NdisSystemProcessorCount(VOID);
TP_API VOID NdisGetCurrentProcessorCpuUsage(PULONG pCpuUsage);
TP_API VOID NdisGetCurrentProcessorCounts(PULONG pIdleCount, PULONG pKernelAndUser, PULONG pIndex);
TP_API ULONG NdisGetSharedDataAlignment(VOID);
TP_API ULONG NdisGroupMaxProcessorCount(USHORT Group);
TP_API ULONG NdisGroupActiveProcessorCount(USHORT Group);
TP_API USHORT NdisMaxGroupCount(VOID);
TP_API USHORT NdisActiveGroupCount(VOID);
TP_API ULONG NdisCurrentProcessorIndex(VOID);
TP_API PROCESSOR_NUMBER NdisCurrentGroupAndProcessor(VOID);
TP_API NDIS_STATUS NdisProcessorIndexToNumber(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNum);
TP_API ULONG NdisProcessorNumberToIndex(PPROCESSOR_NUMBER ProcNum);
TP_API UINT NdisGetVersion(VOID); /* (major << 16) | minor */
TP_API PVOID NdisGetRoutineAddress(PNDIS_STRING NdisRoutineName);
TP_API VOID NdisWriteErrorLogEntry(NDIS_HANDLE NdisAdapterHandle, NDIS_ERROR_CODE ErrorCode, ULONG NumberOfErrorValues,
                                   ...);
TP_API NDIS_STATUS NdisWriteEventLogEntry(PVOID LogHandle, NDIS_STATUS EventCode, ULONG UniqueEventValue,
                                          USHORT NumStrings, PVOID StringsList, ULONG DataSize, PVOID Data);
TP_API VOID NdisPrintString(NDIS_STRING String);
TP_API VOID NdisInitializeWrapper(PNDIS_HANDLE NdisWrapperHandle, PVOID SystemSpecific1, PVOID SystemSpecific2,
                                  PVOID SystemSpecific3);
TP_API VOID NdisTerminateWrapper(NDIS_HANDLE NdisWrapperHandle, PVOID SystemSpecific);
TP_API VOID NdisOpenFile(PNDIS_STATUS Status, PNDIS_HANDLE FileHandle, PUINT FileLength, PNDIS_STRING FileName,
                         NDIS_PHYSICAL_ADDRESS HighestAcceptableAddress);
TP_API VOID NdisMapFile(PNDIS_STATUS Status, PVOID* MappedBuffer, NDIS_HANDLE FileHandle);
TP_API VOID NdisUnmapFile(NDIS_HANDLE FileHandle);
TP_API VOID NdisCloseFile(NDIS_HANDLE FileHandle);

/* What both generations of protocols ask. */
TP_API VOID NdisReEnumerateProtocolBindings(NDIS_HANDLE NdisProtocolHandle);
TP_API NDIS_STATUS NdisQueryAdapterInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE NdisBindingHandle);
TP_API NDIS_STATUS NdisQueryBindInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE BindingContext);
TP_API UCHAR NdisGeneratePartialCancelId(VOID);

TP_END

#define NdisInitializeWorkItem(item, routine, context) \
  ((void)((item)->Context = (context), (item)->Routine = (routine)))
#define NdisInitializeListHead(head) InitializeListHead(head)
#define NdisInterlockedIncrement(addend) InterlockedIncrement(addend)
#define NdisInterlockedDecrement(addend) InterlockedDecrement(addend)
#define NdisInitializeSListHead(head) InitializeSListHead(head)
#define NdisInterlockedPushEntrySList(head, entry, lock) InterlockedPushEntrySList(head, entry)
#define NdisInterlockedPopEntrySList(head, lock) InterlockedPopEntrySList(head)
#define NdisInterlockedFlushSList(head) InterlockedFlushSList(head)
#define NdisQueryDepthSList(head) QueryDepthSList(head)
#define NdisInitializeNPagedLookasideList(list, allocate, release, flags, size, tag, depth) \
  ExInitializeNPagedLookasideList(list, allocate, release, flags, size, tag, depth)
#define NdisDeleteNPagedLookasideList(list) ExDeleteNPagedLookasideList(list)
#define NdisAllocateFromNPagedLookasideList(list) ExAllocateFromNPagedLookasideList(list)
#define NdisFreeToNPagedLookasideList(list, entry) ExFreeToNPagedLookasideList(list, entry)

#if NDIS_LEGACY_PROTOCOL
#include "turnpike_ndis5.h"
#endif
#if NDIS_SUPPORT_NDIS6
#include "turnpike_ndis6.h"
#endif

#endif
