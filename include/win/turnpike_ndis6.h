/* NDIS 6: net buffers, and protocols that send and receive them. A part of <ndis.h>: include that. */
#ifndef TURNPIKE_NDIS6_H
#define TURNPIKE_NDIS6_H

#include "ndis.h"

/* A net buffer is a frame: a chain of memory descriptors, of which DataLength bytes from DataOffset on are in use; what
 * lies before is room for headers. A list of net buffers (NBL) is what is sent, indicated and returned: its buffers
 * share one status, one context and one set of out-of-band values. Drivers go through the macros. */
typedef struct _NET_BUFFER NET_BUFFER, *PNET_BUFFER;
typedef struct _NET_BUFFER_LIST NET_BUFFER_LIST, *PNET_BUFFER_LIST;
typedef struct _NET_BUFFER_LIST_CONTEXT NET_BUFFER_LIST_CONTEXT, *PNET_BUFFER_LIST_CONTEXT;

struct DECLSPEC_ALIGN(16) _NET_BUFFER {
  __extension__ union {
    __extension__ struct {
      PNET_BUFFER Next;
      PMDL CurrentMdl;
      ULONG CurrentMdlOffset;
      __extension__ union {
        ULONG DataLength;
        SIZE_T stDataLength;
      };
      PMDL MdlChain;
      ULONG DataOffset;
    };
    SLIST_HEADER Link;
  };
  USHORT ChecksumBias;
  USHORT Reserved;
  NDIS_HANDLE NdisPoolHandle;
  DECLSPEC_ALIGN(16) PVOID NdisReserved[2];
  DECLSPEC_ALIGN(16) PVOID ProtocolReserved[6];
  DECLSPEC_ALIGN(16) PVOID MiniportReserved[4];
  NDIS_PHYSICAL_ADDRESS DataPhysicalAddress;
  PVOID ScatterGatherList;
};

struct DECLSPEC_ALIGN(16) _NET_BUFFER_LIST_CONTEXT {
  PNET_BUFFER_LIST_CONTEXT Next;
  USHORT Size;
  USHORT Offset; /* bytes not in use, from the start of ContextData */
  DECLSPEC_ALIGN(16) UCHAR ContextData[1];
};

/* Drivers name the slots; their numbers may change from build to build. */
typedef enum _NDIS_NET_BUFFER_LIST_INFO {
  TcpIpChecksumNetBufferListInfo,
  TcpOffloadBytesTransferred = TcpIpChecksumNetBufferListInfo,
  IPsecOffloadV1NetBufferListInfo,
  IPsecOffloadV2NetBufferListInfo = IPsecOffloadV1NetBufferListInfo,
  TcpLargeSendNetBufferListInfo,
  TcpReceiveNoPush = TcpLargeSendNetBufferListInfo,
  ClassificationHandleNetBufferListInfo,
  Ieee8021QNetBufferListInfo,
  NetBufferListCancelId,
  MediaSpecificInformation,
  NetBufferListFrameType,
  NetBufferListProtocolId = NetBufferListFrameType,
  NetBufferListHashValue,
  NetBufferListHashInfo,
  WfpNetBufferListInfo,
  IPsecOffloadV2TunnelNetBufferListInfo,
  IPsecOffloadV2HeaderNetBufferListInfo,
  NetBufferListCorrelationId,
  NetBufferListFilteringInfo,
  MediaSpecificInformationEx,
  NblOriginalInterfaceIfIndex,
  NblReAuthWfpFlowContext = NblOriginalInterfaceIfIndex,
  TcpReceiveBytesTransferred,
  TcpRecvSegCoalesceInfo,
  TpNetBufferListTimestamp, /* ours: reached by NdisGetNblTimestampInfo and its sisters */
  MaxNetBufferListInfo
} NDIS_NET_BUFFER_LIST_INFO,
    *PNDIS_NET_BUFFER_LIST_INFO;

struct DECLSPEC_ALIGN(16) _NET_BUFFER_LIST {
  __extension__ union {
    __extension__ struct {
      PNET_BUFFER_LIST Next;
      PNET_BUFFER FirstNetBuffer;
    };
    SLIST_HEADER Link;
  };
  PNET_BUFFER_LIST_CONTEXT Context;
  PNET_BUFFER_LIST ParentNetBufferList;
  NDIS_HANDLE NdisPoolHandle;
  DECLSPEC_ALIGN(16) PVOID NdisReserved[2];
  DECLSPEC_ALIGN(16) PVOID ProtocolReserved[4];
  DECLSPEC_ALIGN(16) PVOID MiniportReserved[2];
  PVOID Scratch;
  NDIS_HANDLE SourceHandle;
  ULONG NblFlags;
  LONG ChildRefCount;
  ULONG Flags;
  __extension__ union {
    NDIS_STATUS Status;
    ULONG NdisReserved2;
  };
  PVOID NetBufferListInfo[MaxNetBufferListInfo];
};

#define NET_BUFFER_NEXT_NB(nb) ((nb)->Next)
#define NET_BUFFER_FIRST_MDL(nb) ((nb)->MdlChain)
#define NET_BUFFER_DATA_LENGTH(nb) ((nb)->DataLength)
#define NET_BUFFER_DATA_OFFSET(nb) ((nb)->DataOffset)
#define NET_BUFFER_CURRENT_MDL(nb) ((nb)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(nb) ((nb)->CurrentMdlOffset)
#define NET_BUFFER_PROTOCOL_RESERVED(nb) ((nb)->ProtocolReserved)
#define NET_BUFFER_MINIPORT_RESERVED(nb) ((nb)->MiniportReserved)
#define NET_BUFFER_CHECKSUM_BIAS(nb) ((nb)->ChecksumBias)
#define NET_BUFFER_LIST_NEXT_NBL(nbl) ((nbl)->Next)
#define NET_BUFFER_LIST_FIRST_NB(nbl) ((nbl)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(nbl) ((nbl)->Flags)
#define NET_BUFFER_LIST_NBL_FLAGS(nbl) ((nbl)->NblFlags)
#define NET_BUFFER_LIST_STATUS(nbl) ((nbl)->Status)
#define NET_BUFFER_LIST_INFO(nbl, id) ((nbl)->NetBufferListInfo[id])
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(nbl) ((nbl)->ProtocolReserved)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(nbl) ((nbl)->MiniportReserved)
#define NET_BUFFER_LIST_CONTEXT_DATA_START(nbl) \
  TP_POINTER(PUCHAR, TP_BITS((nbl)->Context->ContextData) + (nbl)->Context->Offset)
#define NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl) ((nbl)->Context->Size)
#define NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(nbl) (NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId))
#define NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(nbl, id) ((void)(NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId) = (id)))
#define NdisSetNblFlag(nbl, flag) ((void)((nbl)->NblFlags |= (flag)))
#define NdisClearNblFlag(nbl, flag) ((void)((nbl)->NblFlags &= ~TP_CAST(ULONG, flag)))
#define NdisTestNblFlag(nbl, flag) (((nbl)->NblFlags & (flag)) != 0)
#define NdisTestNblFlags(nbl, flags) (((nbl)->NblFlags & (flags)) == (flags))
#define NdisSetNetBufferListProtocolId(nbl, id) \
  ((void)(NET_BUFFER_LIST_INFO(nbl, NetBufferListProtocolId) = TP_POINTER(PVOID, TP_CAST(ULONG_PTR, id))))
#define NdisGetNetBufferListProtocolId(nbl) TP_CAST(UCHAR, TP_BITS(NET_BUFFER_LIST_INFO(nbl, NetBufferListProtocolId)))

/* The hash by which an adapter has told a received list's flow: the library computes none, so type and function are 0.
 */
#define NET_BUFFER_LIST_GET_HASH_VALUE(nbl) PtrToUlong(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashValue))
#define NET_BUFFER_LIST_GET_HASH_TYPE(nbl) \
  (PtrToUlong(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo)) & NDIS_HASH_TYPE_MASK)
#define NET_BUFFER_LIST_GET_HASH_FUNCTION(nbl) \
  (PtrToUlong(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo)) & NDIS_HASH_FUNCTION_MASK)
#define TP_SET_HASH_INFO(nbl, value, mask)                                                                     \
  ((void)(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo) = TP_POINTER(                                       \
              PVOID, (TP_BITS(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo)) & ~TP_CAST(ULONG_PTR, mask)) | \
                         (TP_CAST(ULONG_PTR, value) & (mask)))))
#define NET_BUFFER_LIST_SET_HASH_VALUE(nbl, value) \
  ((void)(NET_BUFFER_LIST_INFO(nbl, NetBufferListHashValue) = TP_POINTER(PVOID, TP_CAST(ULONG_PTR, value))))
#define NET_BUFFER_LIST_SET_HASH_TYPE(nbl, type) TP_SET_HASH_INFO(nbl, type, NDIS_HASH_TYPE_MASK)
#define NET_BUFFER_LIST_SET_HASH_FUNCTION(nbl, function) TP_SET_HASH_INFO(nbl, function, NDIS_HASH_FUNCTION_MASK)

// clang-format off: tables
#define NDIS_SEND_FLAGS_DISPATCH_LEVEL            0x00000001u
#define NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK        0x00000002u
#define NDIS_SEND_FLAGS_SINGLE_QUEUE              0x00000004u
#define NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL   0x00000001u
#define NDIS_SEND_COMPLETE_FLAGS_SINGLE_QUEUE     0x00000002u
#define NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL         0x00000001u
#define NDIS_RECEIVE_FLAGS_RESOURCES              0x00000002u
#define NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE      0x00000100u
#define NDIS_RECEIVE_FLAGS_SINGLE_VLAN            0x00000200u
#define NDIS_RECEIVE_FLAGS_PERFECT_FILTERED       0x00000400u
#define NDIS_RECEIVE_FLAGS_SINGLE_QUEUE           0x00000800u
#define NDIS_RECEIVE_FLAGS_SHARED_MEMORY_INFO_VALID 0x00001000u
#define NDIS_RECEIVE_FLAGS_MORE_NBLS              0x00002000u
#define NDIS_RETURN_FLAGS_DISPATCH_LEVEL          0x00000001u
#define NDIS_RETURN_FLAGS_SINGLE_QUEUE            0x00000002u

#define NDIS_NBL_FLAGS_SEND_READ_ONLY             0x00000001u
#define NDIS_NBL_FLAGS_RECV_READ_ONLY             0x00000002u
#define NDIS_NBL_FLAGS_HD_SPLIT                   0x00000100u
#define NDIS_NBL_FLAGS_IS_IPV4                    0x00000200u
#define NDIS_NBL_FLAGS_IS_IPV6                    0x00000400u
#define NDIS_NBL_FLAGS_IS_TCP                     0x00000800u
#define NDIS_NBL_FLAGS_IS_UDP                     0x00001000u
#define NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_HEADER  0x00002000u
#define NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_PAYLOAD 0x00004000u
#define NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET         0x00008000u

/* Who may use which bits of NET_BUFFER_LIST_FLAGS. */
#if NDIS_SUPPORT_NDIS630
#define NBL_FLAGS_PROTOCOL_RESERVED               0xFFF00003u
#else
#define NBL_FLAGS_PROTOCOL_RESERVED               0xFFF00000u
#endif
#define NBL_FLAGS_SCRATCH                         0x000F0000u
#define NBL_FLAGS_MINIPORT_RESERVED               0x0000F000u

#define NDIS_TEST_SEND_FLAG(flags, flag)          (((flags) & (flag)) != 0)
#define NDIS_SET_SEND_FLAG(flags, flag)           ((flags) |= (flag))
#define NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags)   NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_SEND_COMPLETE_AT_DISPATCH_LEVEL(flags) (((flags) & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL) != 0)
#define NDIS_TEST_RECEIVE_FLAG(flags, flag)       (((flags) & (flag)) != 0)
#define NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags) NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_RECEIVE_CAN_PEND(flags)         (((flags) & NDIS_RECEIVE_FLAGS_RESOURCES) == 0)
#define NDIS_TEST_RECEIVE_CANNOT_PEND(flags)      (((flags) & NDIS_RECEIVE_FLAGS_RESOURCES) != 0)
#define NDIS_TEST_RETURN_FLAG(flags, flag)        (((flags) & (flag)) != 0)
#define NDIS_SET_RETURN_FLAG(flags, flag)         ((flags) |= (flag))
#define NDIS_TEST_RETURN_AT_DISPATCH_LEVEL(flags) NDIS_TEST_RETURN_FLAG(flags, NDIS_RETURN_FLAGS_DISPATCH_LEVEL)

#define NDIS_CLONE_FLAGS_RESERVED                 0x00000001u
#define NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS        0x00000002u
// clang-format on

/* Priority and VLAN of a frame whose tag does not lie in its bytes: slot Ieee8021QNetBufferListInfo. */
typedef struct _NDIS_NET_BUFFER_LIST_8021Q_INFO {
  __extension__ union {
    struct {
      UINT32 UserPriority : 3;
      UINT32 CanonicalFormatId : 1;
      UINT32 VlanId : 12;
      UINT32 Reserved : 16;
    } TagHeader;
    struct {
      UINT32 UserPriority : 3;
      UINT32 CanonicalFormatId : 1;
      UINT32 VlanId : 12;
      UINT32 WMMInfo : 4;
      UINT32 Reserved : 12;
    } WLanTagHeader;
    PVOID Value;
  };
} NDIS_NET_BUFFER_LIST_8021Q_INFO, *PNDIS_NET_BUFFER_LIST_8021Q_INFO;

/* What is to be computed, or has been verified: slot TcpIpChecksumNetBufferListInfo. Received lists have Receive;
 * neither failed nor succeeded: nobody has looked. */
typedef struct _NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO {
  __extension__ union {
    struct {
      ULONG IsIPv4 : 1;
      ULONG IsIPv6 : 1;
      ULONG TcpChecksum : 1;
      ULONG UdpChecksum : 1;
      ULONG IpHeaderChecksum : 1;
      ULONG Reserved : 11;
      ULONG TcpHeaderOffset : 10;
    } Transmit;
    struct {
      ULONG TcpChecksumFailed : 1;
      ULONG UdpChecksumFailed : 1;
      ULONG IpChecksumFailed : 1;
      ULONG TcpChecksumSucceeded : 1;
      ULONG UdpChecksumSucceeded : 1;
      ULONG IpChecksumSucceeded : 1;
      ULONG Loopback : 1;
#if NDIS_SUPPORT_NDIS630
      ULONG TcpChecksumValueInvalid : 1;
      ULONG IpChecksumValueInvalid : 1;
#endif
    } Receive;
    PVOID Value;
  };
} NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO, *PNDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO;

/* How many segments of TCP an adapter has made into a received list: 0, it is as it was on the wire. Slot
 * TcpRecvSegCoalesceInfo, which no adapter here fills. */
typedef union _NDIS_RSC_NBL_INFO {
  PVOID Value;
  struct {
    USHORT CoalescedSegCount;
    USHORT DupAckCount;
  } Info;
} NDIS_RSC_NBL_INFO, *PNDIS_RSC_NBL_INFO;
#define NET_BUFFER_LIST_COALESCED_SEG_COUNT(nbl) \
  TP_CAST(USHORT, TP_BITS(NET_BUFFER_LIST_INFO(nbl, TcpRecvSegCoalesceInfo)) & 0xFFFF)
#define NET_BUFFER_LIST_DUP_ACK_COUNT(nbl) \
  TP_CAST(USHORT, TP_BITS(NET_BUFFER_LIST_INFO(nbl, TcpRecvSegCoalesceInfo)) >> 16 & 0xFFFF)

/* When a list came, on the scale of KeQueryPerformanceCounter; 0: nobody has said. */
typedef struct _NET_BUFFER_LIST_TIMESTAMP {
  ULONG64 Timestamp;
} NET_BUFFER_LIST_TIMESTAMP, *PNET_BUFFER_LIST_TIMESTAMP;

typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  UCHAR ProtocolId;
  BOOLEAN fAllocateNetBuffer;
  USHORT ContextSize;
  ULONG PoolTag;
  ULONG DataSize;
  ULONG Flags; /* revision 2 */
} NET_BUFFER_LIST_POOL_PARAMETERS, *PNET_BUFFER_LIST_POOL_PARAMETERS;
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 1
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 2
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize)
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_LIST_POOL_PARAMETERS, Flags)
#define NET_BUFFER_LIST_POOL_FLAG_VERIFY 0x00000001u

typedef struct _NET_BUFFER_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG PoolTag;
  ULONG DataSize;
} NET_BUFFER_POOL_PARAMETERS, *PNET_BUFFER_POOL_PARAMETERS;
#define NET_BUFFER_POOL_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NET_BUFFER_POOL_PARAMETERS, DataSize)

typedef PMDL(NDISAPI NET_BUFFER_ALLOCATE_MDL)(PULONG BufferSize);
typedef NET_BUFFER_ALLOCATE_MDL(*NET_BUFFER_ALLOCATE_MDL_HANDLER);
typedef VOID(NDISAPI NET_BUFFER_FREE_MDL)(PMDL Mdl);
typedef NET_BUFFER_FREE_MDL(*NET_BUFFER_FREE_MDL_HANDLER);

/* A question to the adapter, or an order. */
typedef struct _NDIS_OID_REQUEST {
  NDIS_OBJECT_HEADER Header;
  NDIS_REQUEST_TYPE RequestType;
  NDIS_PORT_NUMBER PortNumber;
  UINT Timeout; /* seconds; 0: none */
  PVOID RequestId;
  NDIS_HANDLE RequestHandle;
  union _REQUEST_DATA {
    struct _QUERY {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesWritten;
      UINT BytesNeeded;
    } QUERY_INFORMATION;
    struct _SET {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      UINT InformationBufferLength;
      UINT BytesRead;
      UINT BytesNeeded;
    } SET_INFORMATION;
    struct _METHOD {
      NDIS_OID Oid;
      PVOID InformationBuffer;
      ULONG InputBufferLength;
      ULONG OutputBufferLength;
      ULONG MethodId;
      UINT BytesWritten;
      UINT BytesRead;
      UINT BytesNeeded;
    } METHOD_INFORMATION;
  } DATA;
  UCHAR NdisReserved[16 * sizeof(PVOID)];
  UCHAR MiniportReserved[2 * sizeof(PVOID)];
  UCHAR SourceReserved[2 * sizeof(PVOID)];
  UCHAR SupportedRevision;
  UCHAR Reserved1;
  USHORT Reserved2;
#if NDIS_SUPPORT_NDIS650
  ULONG SwitchId; /* revision 2 */
  ULONG VPortId;
  ULONG Flags;
#endif
} NDIS_OID_REQUEST, *PNDIS_OID_REQUEST;
#define NDIS_OID_REQUEST_REVISION_1 1
#define NDIS_SIZEOF_OID_REQUEST_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_OID_REQUEST, Reserved2)
#if NDIS_SUPPORT_NDIS650
#define NDIS_OID_REQUEST_REVISION_2 2
#define NDIS_SIZEOF_OID_REQUEST_REVISION_2 RTL_SIZEOF_THROUGH_FIELD(NDIS_OID_REQUEST, Flags)
#define NDIS_OID_REQUEST_FLAGS_VPORT_ID_VALID 0x00000001u
#endif
#define NDIS_OID_REQUEST_NDIS_RESERVED_SIZE 16
#define NDIS_OID_REQUEST_TIMEOUT_INFINITE 0

typedef struct _NDIS_STATUS_INDICATION {
  NDIS_OBJECT_HEADER Header;
  NDIS_HANDLE SourceHandle;
  NDIS_PORT_NUMBER PortNumber;
  NDIS_STATUS StatusCode;
  ULONG Flags;
  NDIS_HANDLE DestinationHandle;
  PVOID RequestId;
  PVOID StatusBuffer;
  ULONG StatusBufferSize;
  GUID Guid;
  PVOID NdisReserved[4];
} NDIS_STATUS_INDICATION, *PNDIS_STATUS_INDICATION;
#define NDIS_STATUS_INDICATION_REVISION_1 1
#define NDIS_SIZEOF_STATUS_INDICATION_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_STATUS_INDICATION, NdisReserved)

typedef struct _NET_PNP_EVENT_NOTIFICATION {
  NDIS_OBJECT_HEADER Header;
  NDIS_PORT_NUMBER PortNumber;
  NET_PNP_EVENT NetPnPEvent;
  ULONG Flags;
#if NDIS_SUPPORT_NDIS630
  ULONG SwitchId; /* revision 2 */
  ULONG VPortId;
#endif
} NET_PNP_EVENT_NOTIFICATION, *PNET_PNP_EVENT_NOTIFICATION;
#define NET_PNP_EVENT_NOTIFICATION_REVISION_1 1
#define NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NET_PNP_EVENT_NOTIFICATION, Flags)
#if NDIS_SUPPORT_NDIS630
#define NET_PNP_EVENT_NOTIFICATION_REVISION_2 2
#define NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2 RTL_SIZEOF_THROUGH_FIELD(NET_PNP_EVENT_NOTIFICATION, VPortId)
#endif

typedef struct _NDIS_PROTOCOL_PAUSE_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  ULONG PauseReason;
} NDIS_PROTOCOL_PAUSE_PARAMETERS, *PNDIS_PROTOCOL_PAUSE_PARAMETERS;
#define NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PROTOCOL_PAUSE_PARAMETERS, PauseReason)
#define NDIS_PAUSE_NDIS_INTERNAL 0x00000001u

typedef struct _NDIS_RESTART_ATTRIBUTES NDIS_RESTART_ATTRIBUTES, *PNDIS_RESTART_ATTRIBUTES;
struct _NDIS_RESTART_ATTRIBUTES {
  PNDIS_RESTART_ATTRIBUTES Next;
  NDIS_OID Oid;
  ULONG DataLength;
  DECLSPEC_ALIGN(16) UCHAR Data[1];
};

typedef struct _NDIS_PROTOCOL_RESTART_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  PUCHAR FilterModuleNameBuffer;
  ULONG FilterModuleNameBufferLength;
  PNDIS_RESTART_ATTRIBUTES RestartAttributes; /* NULL: nothing has changed */
  NET_IFINDEX BoundIfIndex;
  NET_LUID BoundIfNetluid;
  ULONG Flags;
} NDIS_PROTOCOL_RESTART_PARAMETERS, *PNDIS_PROTOCOL_RESTART_PARAMETERS;
#define NDIS_PROTOCOL_RESTART_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PROTOCOL_RESTART_PARAMETERS, Flags)

typedef struct _NDIS_RESTART_GENERAL_ATTRIBUTES {
  NDIS_OBJECT_HEADER Header;
  ULONG MtuSize;
  ULONG64 MaxXmitLinkSpeed;
  ULONG64 MaxRcvLinkSpeed;
  ULONG LookaheadSize;
  ULONG MacOptions;
  ULONG SupportedPacketFilters;
  ULONG MaxMulticastListSize;
  PNDIS_RECEIVE_SCALE_CAPABILITIES RecvScaleCapabilities;
  NET_IF_ACCESS_TYPE AccessType;
  ULONG Flags;
  NET_IF_CONNECTION_TYPE ConnectionType;
  ULONG SupportedStatistics;
  ULONG DataBackFillSize;
  ULONG ContextBackFillSize;
  PNDIS_OID SupportedOidList;
  ULONG SupportedOidListLength; /* bytes */
#if NDIS_SUPPORT_NDIS620
  ULONG MaxLookaheadSizeAccessed; /* revision 2 */
#endif
} NDIS_RESTART_GENERAL_ATTRIBUTES, *PNDIS_RESTART_GENERAL_ATTRIBUTES;
#define NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_1 1
#define NDIS_SIZEOF_NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_RESTART_GENERAL_ATTRIBUTES, SupportedOidListLength)
#if NDIS_SUPPORT_NDIS620
#define NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2 2
#define NDIS_SIZEOF_NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_RESTART_GENERAL_ATTRIBUTES, MaxLookaheadSizeAccessed)
#endif

/* What a protocol learns of an adapter before it opens it. The offloads that there are no structures for are NULL. */
typedef struct _NDIS_BIND_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  PNDIS_STRING ProtocolSection;
  PNDIS_STRING AdapterName;
  PDEVICE_OBJECT PhysicalDeviceObject;
  NDIS_MEDIUM MediaType;
  ULONG MtuSize;
  ULONG64 MaxXmitLinkSpeed;
  ULONG64 XmitLinkSpeed;
  ULONG64 MaxRcvLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NDIS_MEDIA_CONNECT_STATE MediaConnectState;
  NDIS_MEDIA_DUPLEX_STATE MediaDuplexState;
  ULONG LookaheadSize;
  PNDIS_PNP_CAPABILITIES PowerManagementCapabilities;
  ULONG SupportedPacketFilters;
  ULONG MaxMulticastListSize;
  USHORT MacAddressLength;
  UCHAR CurrentMacAddress[NDIS_MAX_PHYS_ADDRESS_LENGTH];
  NDIS_PHYSICAL_MEDIUM PhysicalMediumType;
  PNDIS_RECEIVE_SCALE_CAPABILITIES RcvScaleCapabilities;
  NET_LUID BoundIfNetluid;
  NET_IFINDEX BoundIfIndex;
  NET_LUID LowestIfNetluid;
  NET_IFINDEX LowestIfIndex;
  NET_IF_ACCESS_TYPE AccessType;
  NET_IF_DIRECTION_TYPE DirectionType;
  NET_IF_CONNECTION_TYPE ConnectionType;
  NET_IFTYPE IfType;
  BOOLEAN IfConnectorPresent;
  PNDIS_PORT_ARRAY ActivePorts; /* NULL: the default port alone */
  ULONG DataBackFillSize;
  ULONG ContextBackFillSize;
  ULONG MacOptions;
  NET_IF_COMPARTMENT_ID CompartmentId;
  PVOID DefaultOffloadConfiguration;
  PVOID TcpConnectionOffloadCapabilities;
  PNDIS_STRING BoundAdapterName;
#if NDIS_SUPPORT_NDIS61
  PVOID HDSplitCurrentConfig; /* revision 2 */
#endif
#if NDIS_SUPPORT_NDIS620
  PVOID ReceiveFilterCapabilities; /* revision 3 */
  PVOID PowerManagementCapabilitiesEx;
  PVOID NicSwitchCapabilities;
#endif
#if NDIS_SUPPORT_NDIS630
  BOOLEAN NDKEnabled; /* revision 4 */
  PVOID NDKCapabilities;
  PVOID SriovCapabilities;
  PVOID NicSwitchArray;
#endif
} NDIS_BIND_PARAMETERS, *PNDIS_BIND_PARAMETERS;
#define NDIS_BIND_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_BIND_PARAMETERS, BoundAdapterName)
#if NDIS_SUPPORT_NDIS61
#define NDIS_BIND_PARAMETERS_REVISION_2 2
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_2 RTL_SIZEOF_THROUGH_FIELD(NDIS_BIND_PARAMETERS, HDSplitCurrentConfig)
#endif
#if NDIS_SUPPORT_NDIS620
#define NDIS_BIND_PARAMETERS_REVISION_3 3
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_3 RTL_SIZEOF_THROUGH_FIELD(NDIS_BIND_PARAMETERS, NicSwitchCapabilities)
#endif
#if NDIS_SUPPORT_NDIS630
#define NDIS_BIND_PARAMETERS_REVISION_4 4
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4 RTL_SIZEOF_THROUGH_FIELD(NDIS_BIND_PARAMETERS, NicSwitchArray)
#endif

typedef struct _NDIS_OPEN_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  PNDIS_STRING AdapterName;
  PNDIS_MEDIUM MediumArray;
  UINT MediumArraySize;
  PUINT SelectedMediumIndex;
  PNET_FRAME_TYPE FrameTypeArray; /* EtherTypes in host order; a hint */
  UINT FrameTypeArraySize;
} NDIS_OPEN_PARAMETERS, *PNDIS_OPEN_PARAMETERS;
#define NDIS_OPEN_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_OPEN_PARAMETERS, FrameTypeArraySize)
#define NDIS_MAX_FRAME_TYPES_PER_OPEN 8

typedef NDIS_STATUS(NDISAPI SET_OPTIONS)(NDIS_HANDLE NdisDriverHandle, NDIS_HANDLE DriverContext);
typedef SET_OPTIONS(*SET_OPTIONS_HANDLER);
typedef NDIS_STATUS(NDISAPI PROTOCOL_BIND_ADAPTER_EX)(NDIS_HANDLE ProtocolDriverContext, NDIS_HANDLE BindContext,
                                                      PNDIS_BIND_PARAMETERS BindParameters);
typedef PROTOCOL_BIND_ADAPTER_EX(*BIND_HANDLER_EX);
typedef NDIS_STATUS(NDISAPI PROTOCOL_UNBIND_ADAPTER_EX)(NDIS_HANDLE UnbindContext, NDIS_HANDLE ProtocolBindingContext);
typedef PROTOCOL_UNBIND_ADAPTER_EX(*UNBIND_HANDLER_EX);
typedef VOID(NDISAPI PROTOCOL_OPEN_ADAPTER_COMPLETE_EX)(NDIS_HANDLE ProtocolBindingContext, NDIS_STATUS Status);
typedef PROTOCOL_OPEN_ADAPTER_COMPLETE_EX(*OPEN_ADAPTER_COMPLETE_HANDLER_EX);
typedef VOID(NDISAPI PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX)(NDIS_HANDLE ProtocolBindingContext);
typedef PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX(*CLOSE_ADAPTER_COMPLETE_HANDLER_EX);
typedef NDIS_STATUS(NDISAPI PROTOCOL_NET_PNP_EVENT)(NDIS_HANDLE ProtocolBindingContext,
                                                    PNET_PNP_EVENT_NOTIFICATION NetPnPEvent);
typedef PROTOCOL_NET_PNP_EVENT(*NET_PNP_EVENT_HANDLER);
typedef VOID(NDISAPI PROTOCOL_UNINSTALL)(VOID);
typedef PROTOCOL_UNINSTALL(*UNINSTALL_PROTOCOL_HANDLER);
typedef VOID(NDISAPI PROTOCOL_OID_REQUEST_COMPLETE)(NDIS_HANDLE ProtocolBindingContext, PNDIS_OID_REQUEST OidRequest,
                                                    NDIS_STATUS Status);
typedef PROTOCOL_OID_REQUEST_COMPLETE(*OID_REQUEST_COMPLETE_HANDLER);
typedef VOID(NDISAPI PROTOCOL_STATUS_EX)(NDIS_HANDLE ProtocolBindingContext, PNDIS_STATUS_INDICATION StatusIndication);
typedef PROTOCOL_STATUS_EX(*STATUS_HANDLER_EX);
typedef VOID(NDISAPI PROTOCOL_RECEIVE_NET_BUFFER_LISTS)(NDIS_HANDLE ProtocolBindingContext,
                                                        PNET_BUFFER_LIST NetBufferLists, NDIS_PORT_NUMBER PortNumber,
                                                        ULONG NumberOfNetBufferLists, ULONG ReceiveFlags);
typedef PROTOCOL_RECEIVE_NET_BUFFER_LISTS(*RECEIVE_NET_BUFFER_LISTS_HANDLER);
typedef VOID(NDISAPI PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE)(NDIS_HANDLE ProtocolBindingContext,
                                                              PNET_BUFFER_LIST NetBufferList, ULONG SendCompleteFlags);
typedef PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE(*SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER);
typedef VOID(NDISAPI PROTOCOL_DIRECT_OID_REQUEST_COMPLETE)(NDIS_HANDLE ProtocolBindingContext,
                                                           PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status);
typedef PROTOCOL_DIRECT_OID_REQUEST_COMPLETE(*DIRECT_OID_REQUEST_COMPLETE_HANDLER);

typedef struct _NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  UCHAR MajorNdisVersion;
  UCHAR MinorNdisVersion;
  UCHAR MajorDriverVersion;
  UCHAR MinorDriverVersion;
  ULONG Flags;
  NDIS_STRING Name;
  SET_OPTIONS_HANDLER SetOptionsHandler;
  BIND_HANDLER_EX BindAdapterHandlerEx;
  UNBIND_HANDLER_EX UnbindAdapterHandlerEx;
  OPEN_ADAPTER_COMPLETE_HANDLER_EX OpenAdapterCompleteHandlerEx;
  CLOSE_ADAPTER_COMPLETE_HANDLER_EX CloseAdapterCompleteHandlerEx;
  NET_PNP_EVENT_HANDLER NetPnPEventHandler;
  UNINSTALL_PROTOCOL_HANDLER UninstallHandler;
  OID_REQUEST_COMPLETE_HANDLER OidRequestCompleteHandler;
  STATUS_HANDLER_EX StatusHandlerEx;
  RECEIVE_NET_BUFFER_LISTS_HANDLER ReceiveNetBufferListsHandler;
  SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER SendNetBufferListsCompleteHandler;
#if NDIS_SUPPORT_NDIS61
  DIRECT_OID_REQUEST_COMPLETE_HANDLER DirectOidRequestCompleteHandler; /* revision 2 */
#endif
} NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, *PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
#define NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, SendNetBufferListsCompleteHandler)
#if NDIS_SUPPORT_NDIS61
#define NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 2
#define NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, DirectOidRequestCompleteHandler)
#endif
#define NDIS_PROTOCOL_DRIVER_SUPPORTS_CURRENT_MAC_ADDRESS_CHANGE 0x00000002u
#define NDIS_PROTOCOL_DRIVER_SUPPORTS_L2_MTU_SIZE_CHANGE 0x00000004u

TP_BEGIN

TP_API NDIS_STATUS NdisRegisterProtocolDriver(NDIS_HANDLE ProtocolDriverContext,
                                              PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS ProtocolCharacteristics,
                                              PNDIS_HANDLE NdisProtocolHandle);
TP_API VOID NdisDeregisterProtocolDriver(NDIS_HANDLE NdisProtocolHandle);
TP_API NDIS_STATUS NdisSetOptionalHandlers(NDIS_HANDLE NdisHandle, PNDIS_OBJECT_HEADER OptionalHandlers);
TP_API NDIS_STATUS NdisOpenAdapterEx(NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext,
                                     PNDIS_OPEN_PARAMETERS OpenParameters, NDIS_HANDLE BindContext,
                                     PNDIS_HANDLE NdisBindingHandle);
TP_API NDIS_STATUS NdisCloseAdapterEx(NDIS_HANDLE NdisBindingHandle);
TP_API NDIS_STATUS NdisUnbindAdapter(NDIS_HANDLE NdisBindingHandle);
TP_API VOID NdisCompleteBindAdapterEx(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status);
TP_API VOID NdisCompleteUnbindAdapterEx(NDIS_HANDLE UnbindContext);
TP_API VOID NdisCompleteNetPnPEvent(NDIS_HANDLE NdisBindingHandle, PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification,
                                    NDIS_STATUS Status);
TP_API VOID NdisSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists,
                                   NDIS_PORT_NUMBER PortNumber, ULONG SendFlags);
TP_API VOID NdisReturnNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists, ULONG ReturnFlags);
TP_API VOID NdisCancelSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PVOID CancelId);
TP_API NDIS_STATUS NdisOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest);
TP_API VOID NdisCancelOidRequest(NDIS_HANDLE NdisBindingHandle, PVOID RequestId);
TP_API NDIS_STATUS NdisDirectOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest);
TP_API VOID NdisCancelDirectOidRequest(NDIS_HANDLE NdisBindingHandle, PVOID RequestId);
TP_API NDIS_STATUS NdisSynchronousOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest);
TP_API NDIS_STATUS NdisIfQueryBindingIfIndex(NDIS_HANDLE NdisBindingHandle, PNET_IFINDEX pBoundIfIndex,
                                             PNET_LUID pBoundIfNetluid, PNET_IFINDEX pLowestIfIndex,
                                             PNET_LUID pLowestIfNetluid);
TP_API NDIS_STATUS NdisEnumerateFilterModules(NDIS_HANDLE NdisHandle, PVOID InterfaceBuffer,
                                              ULONG InterfaceBufferLength, PULONG BytesNeeded, PULONG BytesWritten);

TP_API NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle, PNET_BUFFER_LIST_POOL_PARAMETERS Parameters);
TP_API VOID NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle);
TP_API NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle, PNET_BUFFER_POOL_PARAMETERS Parameters);
TP_API VOID NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle);
TP_API PNET_BUFFER_LIST NdisAllocateNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize, USHORT ContextBackFill);
TP_API PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                              USHORT ContextBackFill, PMDL MdlChain, ULONG DataOffset,
                                                              SIZE_T DataLength);
TP_API VOID NdisFreeNetBufferList(PNET_BUFFER_LIST NetBufferList);
TP_API PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, PMDL MdlChain, ULONG DataOffset, SIZE_T DataLength);
TP_API PNET_BUFFER NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle);
TP_API VOID NdisFreeNetBuffer(PNET_BUFFER NetBuffer);
TP_API NDIS_STATUS NdisAllocateNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize,
                                                    USHORT ContextBackFill, ULONG PoolTag);
TP_API VOID NdisFreeNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize);
TP_API PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                       NDIS_HANDLE NetBufferListPoolHandle,
                                                       NDIS_HANDLE NetBufferPoolHandle, ULONG AllocateCloneFlags);
TP_API VOID NdisFreeCloneNetBufferList(PNET_BUFFER_LIST CloneNetBufferList, ULONG FreeCloneFlags);
TP_API PNET_BUFFER_LIST NdisAllocateFragmentNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                          NDIS_HANDLE NetBufferListPool, NDIS_HANDLE NetBufferPool,
                                                          ULONG StartOffset, ULONG MaximumLength, ULONG DataOffsetDelta,
                                                          ULONG DataBackFill, ULONG AllocateFragmentFlags);
TP_API VOID NdisFreeFragmentNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList, ULONG DataOffsetDelta,
                                          ULONG FreeFragmentFlags);
TP_API PNET_BUFFER_LIST NdisAllocateReassembledNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList,
                                                             NDIS_HANDLE NetBufferAndNetBufferListPoolHandle,
                                                             ULONG StartOffset, ULONG DataOffsetDelta,
                                                             ULONG DataBackFill, ULONG AllocateReassembleFlags);
TP_API VOID NdisFreeReassembledNetBufferList(PNET_BUFFER_LIST ReassembledNetBufferList, ULONG DataOffsetDelta,
                                             ULONG FreeReassembleFlags);
TP_API NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, ULONG DataBackFill,
                                                 NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler);
TP_API VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                          NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);
TP_API NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta,
                                                     ULONG DataBackFill,
                                                     NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
                                                     NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);
TP_API VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                              NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler);
TP_API VOID NdisAdjustNetBufferCurrentMdl(PNET_BUFFER NetBuffer);
TP_API PVOID NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage, UINT AlignMultiple,
                               UINT AlignOffset);
TP_API NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(PNET_BUFFER Destination, ULONG DestinationOffset, ULONG BytesToCopy,
                                                    const NET_BUFFER* Source, ULONG SourceOffset, PULONG BytesCopied);
TP_API VOID NdisCopySendNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList);
TP_API VOID NdisCopyReceiveNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList);
TP_API VOID NdisGetNblTimestampInfo(const NET_BUFFER_LIST* NetBufferList, PNET_BUFFER_LIST_TIMESTAMP Timestamp);
TP_API VOID NdisSetNblTimestampInfo(PNET_BUFFER_LIST NetBufferList, const NET_BUFFER_LIST_TIMESTAMP* Timestamp);
TP_API VOID NdisCopyNblTimestampInfo(PNET_BUFFER_LIST DestNetBufferList, const NET_BUFFER_LIST* SrcNetBufferList);
TP_API NDIS_HANDLE NdisGetPoolFromNetBufferList(PNET_BUFFER_LIST NetBufferList);
TP_API NDIS_HANDLE NdisGetPoolFromNetBuffer(PNET_BUFFER NetBuffer);
TP_API ULONG NdisQueryNetBufferPhysicalCount(PNET_BUFFER NetBuffer);
TP_API PMDL NdisAllocateMdl(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, UINT Length);
TP_API VOID NdisFreeMdl(PMDL Mdl);
TP_API VOID NdisAdjustMdlLength(PMDL Mdl, UINT Length);

TP_END

#endif
