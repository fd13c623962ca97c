/* NDIS 4 and 5: packets, and protocols that send and receive them. A part of <ndis.h>: include that. */
#ifndef TURNPIKE_NDIS5_H
#define TURNPIKE_NDIS5_H

#include "ndis.h"

#if defined(NDIS_PROTOCOL_MAJOR_VERSION) && NDIS_PROTOCOL_MAJOR_VERSION < 5
#define TP_NDIS_4_SHAPES 1
#else
#define TP_NDIS_4_SHAPES 0
#endif

/* A packet: a chain of buffers and what goes along with it. Behind the driver's ProtocolReserved lie the out-of-band
 * block, NdisPacketOobOffset bytes from the start, and behind that the extension; drivers reach both by the macros. */
typedef struct _NDIS_PACKET NDIS_PACKET, *PNDIS_PACKET, **PPNDIS_PACKET;
typedef struct _NDIS_PACKET_POOL NDIS_PACKET_POOL, *PNDIS_PACKET_POOL;

/* For intermediate drivers: there are none here, and no packet has one. */
typedef struct _NDIS_PACKET_STACK {
  ULONG_PTR IMReserved[2];
  ULONG_PTR NdisReserved[4];
} NDIS_PACKET_STACK, *PNDIS_PACKET_STACK;

typedef struct _NDIS_PACKET_PRIVATE {
  UINT PhysicalCount;
  UINT TotalLength;
  PNDIS_BUFFER Head;
  PNDIS_BUFFER Tail;
  PNDIS_PACKET_POOL Pool; /* the pool's handle */
  UINT Count;
  ULONG Flags;
  BOOLEAN ValidCounts;
  UCHAR NdisPacketFlags;
  USHORT NdisPacketOobOffset;
} NDIS_PACKET_PRIVATE, *PNDIS_PACKET_PRIVATE;

struct _NDIS_PACKET {
  NDIS_PACKET_PRIVATE Private;
  __extension__ union {
    __extension__ struct {
      UCHAR MiniportReserved[2 * sizeof(PVOID)];
      UCHAR WrapperReserved[2 * sizeof(PVOID)];
    };
    __extension__ struct {
      UCHAR MiniportReservedEx[3 * sizeof(PVOID)];
      UCHAR WrapperReservedEx[sizeof(PVOID)];
    };
    __extension__ struct {
      UCHAR MacReserved[4 * sizeof(PVOID)];
    };
  };
  ULONG_PTR Reserved[2];
  UCHAR ProtocolReserved[1]; /* as long as the pool was told */
};

typedef struct _NDIS_PACKET_OOB_DATA {
  __extension__ union {
    ULONGLONG TimeToSend;
    ULONGLONG TimeSent;
  };
  ULONGLONG TimeReceived;
  UINT HeaderSize;
  UINT SizeMediaSpecificInfo;
  PVOID MediaSpecificInformation;
  NDIS_STATUS Status;
} NDIS_PACKET_OOB_DATA, *PNDIS_PACKET_OOB_DATA;

typedef enum _NDIS_PER_PACKET_INFO {
  TcpIpChecksumPacketInfo = 0,
  IpSecPacketInfo = 1,
  TcpLargeSendPacketInfo = 2,
  ClassificationHandlePacketInfo = 3,
  NdisReserved = 4,
  ScatterGatherListPacketInfo = 5,
  Ieee8021QInfo = 6,
  OriginalPacketInfo = 7,
  PacketCancelId = 8,
  OriginalNetBufferList = 9,
  CachedNetBufferList = 10,
  ShortPacketPaddingInfo = 11,
  MaxPerPacketInfo = 12
} NDIS_PER_PACKET_INFO,
    *PNDIS_PER_PACKET_INFO;

typedef struct _NDIS_PACKET_EXTENSION {
  PVOID NdisPacketInfo[MaxPerPacketInfo];
} NDIS_PACKET_EXTENSION, *PNDIS_PACKET_EXTENSION;

/* What NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO tells of: entries, each NextEntryOffset bytes behind the one before, the
 * last of which has 0 there. No adapter here makes one. */
typedef enum _NDIS_CLASS_ID {
  NdisClass802_3Priority,
  NdisClassWirelessWanMbxMailbox,
  NdisClassIrdaPacketInfo,
  NdisClassAtmAALInfo
} NDIS_CLASS_ID;

typedef struct _MEDIA_SPECIFIC_INFORMATION {
  UINT NextEntryOffset;
  NDIS_CLASS_ID ClassId;
  UINT Size;
  UCHAR ClassInformation[1];
} MEDIA_SPECIFIC_INFORMATION, *PMEDIA_SPECIFIC_INFORMATION;

/* Priority and VLAN of a frame whose tag does not lie in its bytes. */
typedef struct _NDIS_PACKET_8021Q_INFO {
  __extension__ union {
    struct {
      UINT32 UserPriority : 3;
      UINT32 CanonicalFormatId : 1;
      UINT32 VlanId : 12;
      UINT32 Reserved : 16;
    } TagHeader;
    PVOID Value;
  };
} NDIS_PACKET_8021Q_INFO, *PNDIS_PACKET_8021Q_INFO;

/* What is to be computed, or has been verified: the value lies in the place TcpIpChecksumPacketInfo itself. Received
 * packets have Receive; neither failed nor succeeded: nobody has looked. */
typedef struct _NDIS_TCP_IP_CHECKSUM_PACKET_INFO {
  __extension__ union {
    struct {
      ULONG NdisPacketChecksumV4 : 1;
      ULONG NdisPacketChecksumV6 : 1;
      ULONG NdisPacketTcpChecksum : 1;
      ULONG NdisPacketUdpChecksum : 1;
      ULONG NdisPacketIpChecksum : 1;
    } Transmit;
    struct {
      ULONG NdisPacketTcpChecksumFailed : 1;
      ULONG NdisPacketUdpChecksumFailed : 1;
      ULONG NdisPacketIpChecksumFailed : 1;
      ULONG NdisPacketTcpChecksumSucceeded : 1;
      ULONG NdisPacketUdpChecksumSucceeded : 1;
      ULONG NdisPacketIpChecksumSucceeded : 1;
      ULONG NdisPacketLoopback : 1;
    } Receive;
    ULONG Value;
  };
} NDIS_TCP_IP_CHECKSUM_PACKET_INFO, *PNDIS_TCP_IP_CHECKSUM_PACKET_INFO;

// clang-format off: tables
#define NDIS_FLAGS_PROTOCOL_ID_MASK           0x0000000Fu
#define NDIS_FLAGS_MULTICAST_PACKET           0x00000010u
#define NDIS_FLAGS_RESERVED2                  0x00000020u
#define NDIS_FLAGS_RESERVED3                  0x00000040u
#define NDIS_FLAGS_DONT_LOOPBACK              0x00000080u
#define NDIS_FLAGS_IS_LOOPBACK_PACKET         0x00000100u
#define NDIS_FLAGS_LOOPBACK_ONLY              0x00000200u
#define NDIS_FLAGS_RESERVED4                  0x00000400u
#define NDIS_FLAGS_DOUBLE_BUFFERED            0x00000800u
#define NDIS_FLAGS_SENT_AT_DPC                0x00001000u
#define NDIS_FLAGS_USES_SG_BUFFER_LIST        0x00002000u
#define NDIS_FLAGS_USES_ORIGINAL_PACKET       0x00004000u
#define NDIS_FLAGS_PADDED                     0x00010000u
#define fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO  0x40
#define fPACKET_ALLOCATED_BY_NDIS             0x80

#define NDIS_OOB_DATA_FROM_PACKET(packet) \
  TP_POINTER(PNDIS_PACKET_OOB_DATA, TP_BITS(packet) + (packet)->Private.NdisPacketOobOffset)
#define NDIS_PACKET_EXTENSION_FROM_PACKET(packet) \
  TP_POINTER(PNDIS_PACKET_EXTENSION, \
             TP_BITS(packet) + (packet)->Private.NdisPacketOobOffset + sizeof(NDIS_PACKET_OOB_DATA))
#define NDIS_PER_PACKET_INFO_FROM_PACKET(packet, id) (NDIS_PACKET_EXTENSION_FROM_PACKET(packet)->NdisPacketInfo[id])
#define NDIS_GET_ORIGINAL_PACKET(packet) NDIS_PER_PACKET_INFO_FROM_PACKET(packet, OriginalPacketInfo)
#define NDIS_SET_ORIGINAL_PACKET(packet, original) \
  ((void)(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, OriginalPacketInfo) = (original)))
#define NDIS_GET_PACKET_CANCEL_ID(packet) NDIS_PER_PACKET_INFO_FROM_PACKET(packet, PacketCancelId)
#define NDIS_SET_PACKET_CANCEL_ID(packet, id) ((void)(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, PacketCancelId) = (id)))

#define NDIS_GET_PACKET_STATUS(packet)              (NDIS_OOB_DATA_FROM_PACKET(packet)->Status)
#define NDIS_SET_PACKET_STATUS(packet, status)      ((void)(NDIS_OOB_DATA_FROM_PACKET(packet)->Status = (status)))
#define NDIS_GET_PACKET_HEADER_SIZE(packet)         (NDIS_OOB_DATA_FROM_PACKET(packet)->HeaderSize)
#define NDIS_SET_PACKET_HEADER_SIZE(packet, size)   ((void)(NDIS_OOB_DATA_FROM_PACKET(packet)->HeaderSize = (size)))
#define NDIS_GET_PACKET_TIME_TO_SEND(packet)        (NDIS_OOB_DATA_FROM_PACKET(packet)->TimeToSend)
#define NDIS_SET_PACKET_TIME_TO_SEND(packet, time)  ((void)(NDIS_OOB_DATA_FROM_PACKET(packet)->TimeToSend = (time)))
#define NDIS_GET_PACKET_TIME_SENT(packet)           (NDIS_OOB_DATA_FROM_PACKET(packet)->TimeSent)
#define NDIS_SET_PACKET_TIME_SENT(packet, time)     ((void)(NDIS_OOB_DATA_FROM_PACKET(packet)->TimeSent = (time)))
#define NDIS_GET_PACKET_TIME_RECEIVED(packet)       (NDIS_OOB_DATA_FROM_PACKET(packet)->TimeReceived)
#define NDIS_SET_PACKET_TIME_RECEIVED(packet, time) ((void)(NDIS_OOB_DATA_FROM_PACKET(packet)->TimeReceived = (time)))
// clang-format on
#define NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(packet, p_info, p_size)                        \
  do {                                                                                     \
    *(p_info) = NULL;                                                                      \
    *(p_size) = 0;                                                                         \
    if (((packet)->Private.NdisPacketFlags & fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO) != 0) { \
      *(p_info) = NDIS_OOB_DATA_FROM_PACKET(packet)->MediaSpecificInformation;             \
      *(p_size) = NDIS_OOB_DATA_FROM_PACKET(packet)->SizeMediaSpecificInfo;                \
    }                                                                                      \
  } while (0)
#define NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(packet, info, size)                  \
  do {                                                                           \
    if ((size) != 0) {                                                           \
      (packet)->Private.NdisPacketFlags |= fPACKET_CONTAINS_MEDIA_SPECIFIC_INFO; \
      NDIS_OOB_DATA_FROM_PACKET(packet)->MediaSpecificInformation = (info);      \
      NDIS_OOB_DATA_FROM_PACKET(packet)->SizeMediaSpecificInfo = (size);         \
    }                                                                            \
  } while (0)

#define NdisGetPacketFlags(packet) ((packet)->Private.Flags)
#define NdisSetPacketFlags(packet, flags) ((void)((packet)->Private.Flags |= (flags)))
#define NdisClearPacketFlags(packet, flags) ((void)((packet)->Private.Flags &= ~TP_CAST(ULONG, flags)))
#define NdisSetSendFlags(packet, flags) ((void)((packet)->Private.Flags = (flags)))
#define NdisQuerySendFlags(packet, p_flags) ((void)(*(p_flags) = (packet)->Private.Flags))
#define NDIS_GET_PACKET_PROTOCOL_TYPE(packet) ((packet)->Private.Flags & NDIS_PROTOCOL_ID_MASK)
#define NDIS_SET_PACKET_PROTOCOL_TYPE(packet, type) \
  ((void)((packet)->Private.Flags = ((packet)->Private.Flags & ~0x0Fu) | ((type) & NDIS_PROTOCOL_ID_MASK)))
#define NDIS_PACKET_FIRST_NDIS_BUFFER(packet) ((packet)->Private.Head)
#define NDIS_PACKET_LAST_NDIS_BUFFER(packet) ((packet)->Private.Tail)
#define NDIS_PACKET_VALID_COUNTS(packet) ((packet)->Private.ValidCounts)
#define NDIS_BUFFER_LINKAGE(buffer) ((buffer)->Next)
#define NdisGetNextBuffer(buffer, p_next) ((void)(*(p_next) = (buffer)->Next))
#define NdisReinitializePacket(packet) ((void)((packet)->Private.Head = NULL, (packet)->Private.ValidCounts = FALSE))
#define NdisFlushBuffer(buffer, write) ((void)(buffer))
#define NdisCopyLookaheadData(to, from, bytes, options) RtlCopyMemory(to, from, bytes)
#define NdisDprAllocatePacket(status, packet, pool) NdisAllocatePacket(status, packet, pool)
#define NdisDprAllocatePacketNonInterlocked(status, packet, pool) NdisAllocatePacket(status, packet, pool)
#define NdisDprFreePacket(packet) NdisFreePacket(packet)
#define NdisDprFreePacketNonInterlocked(packet) NdisFreePacket(packet)

/* A question to the adapter, or an order. What follows DATA is not there in NDIS 4. */
typedef struct _NDIS_REQUEST {
  UCHAR MacReserved[4 * sizeof(PVOID)];
  NDIS_REQUEST_TYPE RequestType;
  union _DATA {
    struct QUERY_INFORMATION {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesWritten;
      UINT BytesNeeded;
    } QUERY_INFORMATION;
    struct SET_INFORMATION {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesRead;
      UINT BytesNeeded;
    } SET_INFORMATION;
  } DATA;
#if !TP_NDIS_4_SHAPES
  UCHAR NdisReserved[9 * sizeof(PVOID)];
  UCHAR ProtocolReserved[2 * sizeof(PVOID)];
  UCHAR MiniportReserved[2 * sizeof(PVOID)];
#endif
} NDIS_REQUEST, *PNDIS_REQUEST;

typedef VOID(NDISAPI* OPEN_ADAPTER_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status,
                                                     NDIS_STATUS OpenErrorStatus);
typedef VOID(NDISAPI* CLOSE_ADAPTER_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
typedef VOID(NDISAPI* RESET_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
typedef VOID(NDISAPI* REQUEST_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PNDIS_REQUEST NdisRequest,
                                                NDIS_STATUS Status);
typedef VOID(NDISAPI* STATUS_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS GeneralStatus, PVOID StatusBuffer,
                                      UINT StatusBufferSize);
typedef VOID(NDISAPI* STATUS_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext);
typedef VOID(NDISAPI* SEND_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet,
                                             NDIS_STATUS Status);
typedef VOID(NDISAPI* TRANSFER_DATA_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet,
                                                      NDIS_STATUS Status, UINT BytesTransferred);
typedef NDIS_STATUS(NDISAPI* RECEIVE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE MacReceiveContext,
                                              PVOID HeaderBuffer, UINT HeaderBufferSize, PVOID LookAheadBuffer,
                                              UINT LookaheadBufferSize, UINT PacketSize);
typedef VOID(NDISAPI* RECEIVE_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext);
typedef INT(NDISAPI* RECEIVE_PACKET_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PNDIS_PACKET Packet);
typedef VOID(NDISAPI* BIND_HANDLER)(PNDIS_STATUS Status, NDIS_HANDLE BindContext, PNDIS_STRING DeviceName,
                                    PVOID SystemSpecific1, PVOID SystemSpecific2);
typedef VOID(NDISAPI* UNBIND_HANDLER)(PNDIS_STATUS Status, NDIS_HANDLE ProtocolBindingContext,
                                      NDIS_HANDLE UnbindContext);
typedef NDIS_STATUS(NDISAPI* PNP_EVENT_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PNET_PNP_EVENT NetPnPEvent);
typedef VOID(NDISAPI* UNLOAD_PROTOCOL_HANDLER)(VOID);
/* Connection-oriented media: kept for the shape of the structure, never called. */
typedef VOID(NDISAPI* WAN_SEND_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PVOID Packet, NDIS_STATUS Status);
typedef VOID(NDISAPI* WAN_TRANSFER_DATA_COMPLETE_HANDLER)(VOID);
typedef NDIS_STATUS(NDISAPI* WAN_RECEIVE_HANDLER)(NDIS_HANDLE NdisLinkHandle, PUCHAR Packet, ULONG PacketSize);
typedef VOID(NDISAPI* CO_SEND_COMPLETE_HANDLER)(NDIS_STATUS Status, NDIS_HANDLE ProtocolVcContext, PNDIS_PACKET Packet);
typedef VOID(NDISAPI* CO_STATUS_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE ProtocolVcContext,
                                         NDIS_STATUS GeneralStatus, PVOID StatusBuffer, UINT StatusBufferSize);
typedef UINT(NDISAPI* CO_RECEIVE_PACKET_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NDIS_HANDLE ProtocolVcContext,
                                                 PNDIS_PACKET Packet);
typedef VOID(NDISAPI* CO_AF_REGISTER_NOTIFY_HANDLER)(NDIS_HANDLE ProtocolBindingContext, PVOID AddressFamily);

/* Both shapes have these members by their own names, in C and in C++; the newer also as a whole, Ndis40Chars. */
#define TP_NDIS40_MEMBERS                                              \
  UCHAR MajorNdisVersion;                                              \
  UCHAR MinorNdisVersion;                                              \
  USHORT Filler;                                                       \
  __extension__ union {                                                \
    UINT Reserved;                                                     \
    UINT Flags;                                                        \
  };                                                                   \
  OPEN_ADAPTER_COMPLETE_HANDLER OpenAdapterCompleteHandler;            \
  CLOSE_ADAPTER_COMPLETE_HANDLER CloseAdapterCompleteHandler;          \
  __extension__ union {                                                \
    SEND_COMPLETE_HANDLER SendCompleteHandler;                         \
    WAN_SEND_COMPLETE_HANDLER WanSendCompleteHandler;                  \
  };                                                                   \
  __extension__ union {                                                \
    TRANSFER_DATA_COMPLETE_HANDLER TransferDataCompleteHandler;        \
    WAN_TRANSFER_DATA_COMPLETE_HANDLER WanTransferDataCompleteHandler; \
  };                                                                   \
  RESET_COMPLETE_HANDLER ResetCompleteHandler;                         \
  REQUEST_COMPLETE_HANDLER RequestCompleteHandler;                     \
  __extension__ union {                                                \
    RECEIVE_HANDLER ReceiveHandler;                                    \
    WAN_RECEIVE_HANDLER WanReceiveHandler;                             \
  };                                                                   \
  RECEIVE_COMPLETE_HANDLER ReceiveCompleteHandler;                     \
  STATUS_HANDLER StatusHandler;                                        \
  STATUS_COMPLETE_HANDLER StatusCompleteHandler;                       \
  NDIS_STRING Name;                                                    \
  RECEIVE_PACKET_HANDLER ReceivePacketHandler;                         \
  BIND_HANDLER BindAdapterHandler;                                     \
  UNBIND_HANDLER UnbindAdapterHandler;                                 \
  PNP_EVENT_HANDLER PnPEventHandler;                                   \
  UNLOAD_PROTOCOL_HANDLER UnloadHandler;

typedef struct _NDIS40_PROTOCOL_CHARACTERISTICS {
  TP_NDIS40_MEMBERS
} NDIS40_PROTOCOL_CHARACTERISTICS;

typedef struct _NDIS50_PROTOCOL_CHARACTERISTICS {
  __extension__ union {
    __extension__ struct {
      TP_NDIS40_MEMBERS
    };
    NDIS40_PROTOCOL_CHARACTERISTICS Ndis40Chars;
  };
  PVOID ReservedHandlers[4];
  CO_SEND_COMPLETE_HANDLER CoSendCompleteHandler;
  CO_STATUS_HANDLER CoStatusHandler;
  CO_RECEIVE_PACKET_HANDLER CoReceivePacketHandler;
  CO_AF_REGISTER_NOTIFY_HANDLER CoAfRegisterNotifyHandler;
} NDIS50_PROTOCOL_CHARACTERISTICS;

#if TP_NDIS_4_SHAPES
typedef NDIS40_PROTOCOL_CHARACTERISTICS NDIS_PROTOCOL_CHARACTERISTICS;
#else
typedef NDIS50_PROTOCOL_CHARACTERISTICS NDIS_PROTOCOL_CHARACTERISTICS;
#endif
typedef NDIS_PROTOCOL_CHARACTERISTICS* PNDIS_PROTOCOL_CHARACTERISTICS;

TP_BEGIN

TP_API VOID NdisRegisterProtocol(PNDIS_STATUS Status, PNDIS_HANDLE NdisProtocolHandle,
                                 PNDIS_PROTOCOL_CHARACTERISTICS ProtocolCharacteristics, UINT CharacteristicsLength);
TP_API VOID NdisDeregisterProtocol(PNDIS_STATUS Status, NDIS_HANDLE NdisProtocolHandle);
TP_API VOID NdisOpenAdapter(PNDIS_STATUS Status, PNDIS_STATUS OpenErrorStatus, PNDIS_HANDLE NdisBindingHandle,
                            PUINT SelectedMediumIndex, PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                            NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext,
                            PNDIS_STRING AdapterName, UINT OpenOptions, PSTRING AddressingInformation);
TP_API VOID NdisCloseAdapter(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle);
TP_API VOID NdisCompleteBindAdapter(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status, NDIS_STATUS OpenErrorStatus);
TP_API VOID NdisCompleteUnbindAdapter(NDIS_HANDLE UnbindAdapterContext, NDIS_STATUS Status);
TP_API VOID NdisSend(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_PACKET Packet);
TP_API VOID NdisSendPackets(NDIS_HANDLE NdisBindingHandle, PPNDIS_PACKET PacketArray, UINT NumberOfPackets);
TP_API VOID NdisCancelSendPackets(NDIS_HANDLE NdisBindingHandle, PVOID CancelId);
TP_API VOID NdisTransferData(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacReceiveContext,
                             UINT ByteOffset, UINT BytesToTransfer, PNDIS_PACKET Packet, PUINT BytesTransferred);
TP_API VOID NdisReturnPackets(PNDIS_PACKET* PacketsToReturn, UINT NumberOfPackets);
TP_API PNDIS_PACKET NdisGetReceivedPacket(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacContext);
TP_API VOID NdisRequest(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_REQUEST NdisRequest);
TP_API VOID NdisReset(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle);
TP_API VOID NdisCompletePnPEvent(NDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNET_PNP_EVENT NetPnPEvent);
TP_API NDIS_STATUS NdisQueryPendingIOCount(PVOID NdisBindingHandle, PULONG IoCount);

TP_API VOID NdisAllocatePacketPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                                   UINT ProtocolReservedLength);
TP_API VOID NdisAllocatePacketPoolEx(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                                     UINT NumberOfOverflowDescriptors, UINT ProtocolReservedLength);
TP_API VOID NdisFreePacketPool(NDIS_HANDLE PoolHandle);
TP_API UINT NdisPacketPoolUsage(NDIS_HANDLE PoolHandle);
TP_API VOID NdisSetPacketPoolProtocolId(NDIS_HANDLE PacketPoolHandle, UINT ProtocolId);
TP_API NDIS_HANDLE NdisGetPoolFromPacket(PNDIS_PACKET Packet);
TP_API UINT NdisPacketSize(UINT ProtocolReservedLength);
TP_API VOID NdisAllocatePacket(PNDIS_STATUS Status, PNDIS_PACKET* Packet, NDIS_HANDLE PoolHandle);
TP_API VOID NdisFreePacket(PNDIS_PACKET Packet);
TP_API VOID NdisQueryPacket(PNDIS_PACKET Packet, PUINT PhysicalBufferCount, PUINT BufferCount,
                            PNDIS_BUFFER* FirstBuffer, PUINT TotalPacketLength);
TP_API VOID NdisQueryPacketLength(PNDIS_PACKET Packet, PUINT TotalPacketLength);
TP_API VOID NdisRecalculatePacketCounts(PNDIS_PACKET Packet);
TP_API VOID NdisGetFirstBufferFromPacket(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                         PUINT FirstBufferLength, PUINT TotalBufferLength);
TP_API VOID NdisGetFirstBufferFromPacketSafe(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                             PUINT FirstBufferLength, PUINT TotalBufferLength,
                                             MM_PAGE_PRIORITY Priority);
TP_API VOID NdisChainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer);
TP_API VOID NdisChainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer);
TP_API VOID NdisUnchainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer);
TP_API VOID NdisUnchainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer);
TP_API VOID NdisCopyFromPacketToPacket(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy,
                                       PNDIS_PACKET Source, UINT SourceOffset, PUINT BytesCopied);
TP_API VOID NdisCopyFromPacketToPacketSafe(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy,
                                           PNDIS_PACKET Source, UINT SourceOffset, PUINT BytesCopied,
                                           MM_PAGE_PRIORITY Priority);
TP_API VOID NdisAllocateBufferPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors);
TP_API VOID NdisFreeBufferPool(NDIS_HANDLE PoolHandle);
TP_API VOID NdisAllocateBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle, PVOID VirtualAddress,
                               UINT Length);
TP_API VOID NdisFreeBuffer(PNDIS_BUFFER Buffer);
TP_API VOID NdisCopyBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle, PVOID MemoryDescriptor,
                           UINT Offset, UINT Length);
TP_API VOID NdisQueryBuffer(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length);
TP_API VOID NdisQueryBufferSafe(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length, MM_PAGE_PRIORITY Priority);
TP_API VOID NdisQueryBufferOffset(PNDIS_BUFFER Buffer, PUINT Offset, PUINT Length);
TP_API VOID NdisAdjustBufferLength(PNDIS_BUFFER Buffer, UINT Length);
TP_API ULONG NdisBufferLength(PNDIS_BUFFER Buffer);
TP_API PVOID NdisBufferVirtualAddress(PNDIS_BUFFER Buffer);
TP_API VOID NdisGetBufferPhysicalArraySize(PNDIS_BUFFER Buffer, PUINT ArraySize);
TP_API ULONG NDIS_BUFFER_TO_SPAN_PAGES(PNDIS_BUFFER Buffer);
TP_API PNDIS_PACKET_STACK NdisIMGetCurrentPacketStack(PNDIS_PACKET Packet, BOOLEAN* StacksRemaining);

TP_END

#endif
