/* What network drivers and those who question them share: object identifiers, media, packet filters, link states.
 *
 * Every structure that begins with an NDIS_OBJECT_HEADER says its own type, revision and size there; the sizes that
 * belong to a revision are the macros NDIS_SIZEOF_... . */
#ifndef _NTDDNDIS_
#define _NTDDNDIS_

#include "ifdef.h"
#include "windef.h"

typedef ULONG NDIS_OID, *PNDIS_OID;

typedef struct _NDIS_OBJECT_HEADER {
  UCHAR Type;
  UCHAR Revision;
  USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

// clang-format off: tables
#define NDIS_OBJECT_TYPE_DEFAULT                                       0x80
#define NDIS_OBJECT_TYPE_BIND_PARAMETERS                               0x86
#define NDIS_OBJECT_TYPE_OPEN_PARAMETERS                               0x87
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS 0x8E
#define NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS                   0x90
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_CHARACTERISTICS        0x93
#define NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS               0x95
#define NDIS_OBJECT_TYPE_OID_REQUEST                                   0x96
#define NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS                         0x97
#define NDIS_OBJECT_TYPE_STATUS_INDICATION                             0x98
#define NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES                    0xA2
#define NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS                   0xA3
#define NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS             0xA5
#define NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS                   0xA6
#define NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT                          0xA9
#define NDIS_OBJECT_TYPE_SHARED_MEMORY_PROVIDER_CHARACTERISTICS        0xB0

#define NDIS_OBJECT_REVISION_1 1

/* Which objects an adapter answers. */
#define OID_GEN_SUPPORTED_LIST              0x00010101u
#define OID_GEN_HARDWARE_STATUS             0x00010102u
#define OID_GEN_MEDIA_SUPPORTED             0x00010103u
#define OID_GEN_MEDIA_IN_USE                0x00010104u
#define OID_GEN_MAXIMUM_LOOKAHEAD           0x00010105u
#define OID_GEN_MAXIMUM_FRAME_SIZE          0x00010106u
#define OID_GEN_LINK_SPEED                  0x00010107u
#define OID_GEN_TRANSMIT_BUFFER_SPACE       0x00010108u
#define OID_GEN_RECEIVE_BUFFER_SPACE        0x00010109u
#define OID_GEN_TRANSMIT_BLOCK_SIZE         0x0001010Au
#define OID_GEN_RECEIVE_BLOCK_SIZE          0x0001010Bu
#define OID_GEN_VENDOR_ID                   0x0001010Cu
#define OID_GEN_VENDOR_DESCRIPTION          0x0001010Du
#define OID_GEN_CURRENT_PACKET_FILTER       0x0001010Eu
#define OID_GEN_CURRENT_LOOKAHEAD           0x0001010Fu
#define OID_GEN_DRIVER_VERSION              0x00010110u
#define OID_GEN_MAXIMUM_TOTAL_SIZE          0x00010111u
#define OID_GEN_PROTOCOL_OPTIONS            0x00010112u
#define OID_GEN_MAC_OPTIONS                 0x00010113u
#define OID_GEN_MEDIA_CONNECT_STATUS        0x00010114u
#define OID_GEN_MAXIMUM_SEND_PACKETS        0x00010115u
#define OID_GEN_VENDOR_DRIVER_VERSION       0x00010116u
#define OID_GEN_SUPPORTED_GUIDS             0x00010117u
#define OID_GEN_NETWORK_LAYER_ADDRESSES     0x00010118u
#define OID_GEN_TRANSPORT_HEADER_OFFSET     0x00010119u
#define OID_GEN_MEDIA_CAPABILITIES          0x00010201u
#define OID_GEN_PHYSICAL_MEDIUM             0x00010202u
#define OID_GEN_RECEIVE_SCALE_CAPABILITIES  0x00010203u
#define OID_GEN_RECEIVE_SCALE_PARAMETERS    0x00010204u
#define OID_GEN_MAC_ADDRESS                 0x00010205u
#define OID_GEN_MAX_LINK_SPEED              0x00010206u
#define OID_GEN_LINK_STATE                  0x00010207u
#define OID_GEN_LINK_PARAMETERS             0x00010208u
#define OID_GEN_INTERRUPT_MODERATION        0x00010209u
#define OID_GEN_NDIS_RESERVED_3             0x0001020Au
#define OID_GEN_NDIS_RESERVED_4             0x0001020Bu
#define OID_GEN_NDIS_RESERVED_5             0x0001020Cu
#define OID_GEN_ENUMERATE_PORTS             0x0001020Du
#define OID_GEN_PORT_STATE                  0x0001020Eu
#define OID_GEN_PORT_AUTHENTICATION_PARAMETERS 0x0001020Fu
#define OID_GEN_TIMEOUT_DPC_REQUEST_CAPABILITIES 0x00010210u
#define OID_GEN_PCI_DEVICE_CUSTOM_PROPERTIES 0x00010211u
#define OID_GEN_PHYSICAL_MEDIUM_EX          0x00010213u
#define OID_GEN_MACHINE_NAME                0x0001021Au
#define OID_GEN_RNDIS_CONFIG_PARAMETER      0x0001021Bu
#define OID_GEN_VLAN_ID                     0x0001021Cu
#define OID_GEN_MINIPORT_RESTART_ATTRIBUTES 0x0001021Du
#define OID_GEN_HD_SPLIT_PARAMETERS         0x0001021Eu
#define OID_GEN_HD_SPLIT_CURRENT_CONFIG     0x00010220u

#define OID_GEN_PROMISCUOUS_MODE            0x00010280u
#define OID_GEN_LAST_CHANGE                 0x00010281u
#define OID_GEN_DISCONTINUITY_TIME          0x00010282u
#define OID_GEN_OPERATIONAL_STATUS          0x00010283u
#define OID_GEN_XMIT_LINK_SPEED             0x00010284u
#define OID_GEN_RCV_LINK_SPEED              0x00010285u
#define OID_GEN_UNKNOWN_PROTOS              0x00010286u
#define OID_GEN_INTERFACE_INFO              0x00010287u
#define OID_GEN_ADMIN_STATUS                0x00010288u
#define OID_GEN_ALIAS                       0x00010289u
#define OID_GEN_MEDIA_CONNECT_STATUS_EX     0x0001028Au
#define OID_GEN_LINK_SPEED_EX               0x0001028Bu
#define OID_GEN_MEDIA_DUPLEX_STATE          0x0001028Cu
#define OID_GEN_IP_OPER_STATUS              0x0001028Du

#define OID_GEN_XMIT_OK                     0x00020101u
#define OID_GEN_RCV_OK                      0x00020102u
#define OID_GEN_XMIT_ERROR                  0x00020103u
#define OID_GEN_RCV_ERROR                   0x00020104u
#define OID_GEN_RCV_NO_BUFFER               0x00020105u
#define OID_GEN_STATISTICS                  0x00020106u
#define OID_GEN_DIRECTED_BYTES_XMIT         0x00020201u
#define OID_GEN_DIRECTED_FRAMES_XMIT        0x00020202u
#define OID_GEN_MULTICAST_BYTES_XMIT        0x00020203u
#define OID_GEN_MULTICAST_FRAMES_XMIT       0x00020204u
#define OID_GEN_BROADCAST_BYTES_XMIT        0x00020205u
#define OID_GEN_BROADCAST_FRAMES_XMIT       0x00020206u
#define OID_GEN_DIRECTED_BYTES_RCV          0x00020207u
#define OID_GEN_DIRECTED_FRAMES_RCV         0x00020208u
#define OID_GEN_MULTICAST_BYTES_RCV         0x00020209u
#define OID_GEN_MULTICAST_FRAMES_RCV        0x0002020Au
#define OID_GEN_BROADCAST_BYTES_RCV         0x0002020Bu
#define OID_GEN_BROADCAST_FRAMES_RCV        0x0002020Cu
#define OID_GEN_RCV_CRC_ERROR               0x0002020Du
#define OID_GEN_TRANSMIT_QUEUE_LENGTH       0x0002020Eu
#define OID_GEN_GET_TIME_CAPS               0x0002020Fu
#define OID_GEN_GET_NETCARD_TIME            0x00020210u
#define OID_GEN_NETCARD_LOAD                0x00020211u
#define OID_GEN_DEVICE_PROFILE              0x00020212u
#define OID_GEN_INIT_TIME_MS                0x00020213u
#define OID_GEN_RESET_COUNTS                0x00020214u
#define OID_GEN_MEDIA_SENSE_COUNTS          0x00020215u
#define OID_GEN_FRIENDLY_NAME               0x00020216u
#define OID_GEN_BYTES_RCV                   0x00020219u
#define OID_GEN_BYTES_XMIT                  0x0002021Au
#define OID_GEN_RCV_DISCARDS                0x0002021Bu
#define OID_GEN_XMIT_DISCARDS               0x0002021Cu

#define OID_802_3_PERMANENT_ADDRESS         0x01010101u
#define OID_802_3_CURRENT_ADDRESS           0x01010102u
#define OID_802_3_MULTICAST_LIST            0x01010103u
#define OID_802_3_MAXIMUM_LIST_SIZE         0x01010104u
#define OID_802_3_MAC_OPTIONS               0x01010105u
#define OID_802_3_ADD_MULTICAST_ADDRESS     0x01010208u
#define OID_802_3_DELETE_MULTICAST_ADDRESS  0x01010209u
#define OID_802_3_RCV_ERROR_ALIGNMENT       0x01020101u
#define OID_802_3_XMIT_ONE_COLLISION        0x01020102u
#define OID_802_3_XMIT_MORE_COLLISIONS      0x01020103u
#define OID_802_3_XMIT_DEFERRED             0x01020201u
#define OID_802_3_XMIT_MAX_COLLISIONS       0x01020202u
#define OID_802_3_RCV_OVERRUN               0x01020203u
#define OID_802_3_XMIT_UNDERRUN             0x01020204u
#define OID_802_3_XMIT_HEARTBEAT_FAILURE    0x01020205u
#define OID_802_3_XMIT_TIMES_CRS_LOST       0x01020206u
#define OID_802_3_XMIT_LATE_COLLISIONS      0x01020207u
#define NDIS_802_3_MAC_OPTION_PRIORITY      0x00000001u

#define OID_802_5_PERMANENT_ADDRESS         0x02010101u
#define OID_802_5_CURRENT_ADDRESS           0x02010102u

#define OID_PNP_CAPABILITIES                0xFD010100u
#define OID_PNP_SET_POWER                   0xFD010101u
#define OID_PNP_QUERY_POWER                 0xFD010102u
#define OID_PNP_ADD_WAKE_UP_PATTERN         0xFD010103u
#define OID_PNP_REMOVE_WAKE_UP_PATTERN      0xFD010104u
#define OID_PNP_WAKE_UP_PATTERN_LIST        0xFD010105u
#define OID_PNP_ENABLE_WAKE_UP              0xFD010106u
#define OID_TCP_TASK_OFFLOAD                0xFC010201u

/* Which frames a binding gets. */
#define NDIS_PACKET_TYPE_DIRECTED           0x00000001u
#define NDIS_PACKET_TYPE_MULTICAST          0x00000002u
#define NDIS_PACKET_TYPE_ALL_MULTICAST      0x00000004u
#define NDIS_PACKET_TYPE_BROADCAST          0x00000008u
#define NDIS_PACKET_TYPE_SOURCE_ROUTING     0x00000010u
#define NDIS_PACKET_TYPE_PROMISCUOUS        0x00000020u
#define NDIS_PACKET_TYPE_SMT                0x00000040u
#define NDIS_PACKET_TYPE_ALL_LOCAL          0x00000080u
#define NDIS_PACKET_TYPE_GROUP              0x00001000u
#define NDIS_PACKET_TYPE_ALL_FUNCTIONAL     0x00002000u
#define NDIS_PACKET_TYPE_FUNCTIONAL         0x00004000u
#define NDIS_PACKET_TYPE_MAC_FRAME          0x00008000u
#define NDIS_PACKET_TYPE_NO_LOCAL           0x00010000u

#define NDIS_PROT_OPTION_ESTIMATED_LENGTH   0x00000001u
#define NDIS_PROT_OPTION_NO_LOOPBACK        0x00000002u
#define NDIS_PROT_OPTION_NO_RSVD_ON_RCVPKT  0x00000004u
#define NDIS_PROT_OPTION_SEND_RESTRICTED    0x00000008u

#define NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA 0x00000001u
#define NDIS_MAC_OPTION_RECEIVE_SERIALIZED  0x00000002u
#define NDIS_MAC_OPTION_TRANSFERS_NOT_PEND  0x00000004u
#define NDIS_MAC_OPTION_NO_LOOPBACK         0x00000008u
#define NDIS_MAC_OPTION_FULL_DUPLEX         0x00000010u
#define NDIS_MAC_OPTION_EOTX_INDICATION     0x00000020u
#define NDIS_MAC_OPTION_8021P_PRIORITY      0x00000040u
#define NDIS_MAC_OPTION_SUPPORTS_MAC_ADDRESS_OVERWRITE 0x00000080u
#define NDIS_MAC_OPTION_RECEIVE_AT_DPC      0x00000100u
#define NDIS_MAC_OPTION_8021Q_VLAN          0x00000200u
#define NDIS_MAC_OPTION_RESERVED            0x80000000u

#define NDIS_MEDIA_CAP_TRANSMIT             0x00000001u
#define NDIS_MEDIA_CAP_RECEIVE              0x00000002u

#define NDIS_LINK_STATE_XMIT_LINK_SPEED_AUTO_NEGOTIATED 0x00000001u
#define NDIS_LINK_STATE_RCV_LINK_SPEED_AUTO_NEGOTIATED  0x00000002u
#define NDIS_LINK_STATE_DUPLEX_AUTO_NEGOTIATED          0x00000004u
#define NDIS_LINK_STATE_PAUSE_FUNCTIONS_AUTO_NEGOTIATED 0x00000008u
#define NDIS_LINK_STATE_REVISION_1      1
#define NDIS_LINK_PARAMETERS_REVISION_1 1
#define NDIS_OPER_STATE_REVISION_1      1
#define NDIS_STATISTICS_INFO_REVISION_1 1
#define NDIS_LINK_SPEED_UNKNOWN TP_CAST(ULONG64, -1)

#define NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV   0x00000001u
#define NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV  0x00000002u
#define NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV  0x00000004u
#define NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV             0x00000008u
#define NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS          0x00000010u
#define NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR             0x00000020u
#define NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT  0x00000040u
#define NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT 0x00000080u
#define NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT 0x00000100u
#define NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT            0x00000200u
#define NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR            0x00000400u
#define NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS         0x00008000u
#define NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV    0x00010000u
#define NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV   0x00020000u
#define NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV   0x00040000u
#define NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT   0x00080000u
#define NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT  0x00100000u
#define NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT  0x00200000u
// clang-format on

typedef enum _NDIS_REQUEST_TYPE {
  NdisRequestQueryInformation = 0,
  NdisRequestSetInformation = 1,
  NdisRequestQueryStatistics = 2,
  NdisRequestOpen = 3,
  NdisRequestClose = 4,
  NdisRequestSend = 5,
  NdisRequestTransferData = 6,
  NdisRequestReset = 7,
  NdisRequestGeneric1 = 8,
  NdisRequestGeneric2 = 9,
  NdisRequestGeneric3 = 10,
  NdisRequestGeneric4 = 11,
  NdisRequestMethod = 12
} NDIS_REQUEST_TYPE,
    *PNDIS_REQUEST_TYPE;

typedef enum _NDIS_MEDIUM {
  NdisMedium802_3 = 0,
  NdisMedium802_5 = 1,
  NdisMediumFddi = 2,
  NdisMediumWan = 3,
  NdisMediumLocalTalk = 4,
  NdisMediumDix = 5,
  NdisMediumArcnetRaw = 6,
  NdisMediumArcnet878_2 = 7,
  NdisMediumAtm = 8,
  NdisMediumWirelessWan = 9,
  NdisMediumIrda = 10,
  NdisMediumBpc = 11,
  NdisMediumCoWan = 12,
  NdisMedium1394 = 13,
  NdisMediumInfiniBand = 14,
  NdisMediumTunnel = 15,
  NdisMediumNative802_11 = 16,
  NdisMediumLoopback = 17,
  NdisMediumWiMAX = 18,
  NdisMediumIP = 19,
  NdisMediumMax = 20
} NDIS_MEDIUM,
    *PNDIS_MEDIUM;

typedef enum _NDIS_PHYSICAL_MEDIUM {
  NdisPhysicalMediumUnspecified = 0,
  NdisPhysicalMediumWirelessLan = 1,
  NdisPhysicalMediumCableModem = 2,
  NdisPhysicalMediumPhoneLine = 3,
  NdisPhysicalMediumPowerLine = 4,
  NdisPhysicalMediumDSL = 5,
  NdisPhysicalMediumFibreChannel = 6,
  NdisPhysicalMedium1394 = 7,
  NdisPhysicalMediumWirelessWan = 8,
  NdisPhysicalMediumNative802_11 = 9,
  NdisPhysicalMediumBluetooth = 10,
  NdisPhysicalMediumInfiniband = 11,
  NdisPhysicalMediumWiMax = 12,
  NdisPhysicalMediumUWB = 13,
  NdisPhysicalMedium802_3 = 14,
  NdisPhysicalMedium802_5 = 15,
  NdisPhysicalMediumIrda = 16,
  NdisPhysicalMediumWiredWAN = 17,
  NdisPhysicalMediumWiredCoWan = 18,
  NdisPhysicalMediumOther = 19,
  NdisPhysicalMediumMax = 20
} NDIS_PHYSICAL_MEDIUM,
    *PNDIS_PHYSICAL_MEDIUM;

typedef enum _NDIS_MEDIA_STATE {
  NdisMediaStateConnected = 0,
  NdisMediaStateDisconnected = 1
} NDIS_MEDIA_STATE,
    *PNDIS_MEDIA_STATE;

typedef enum _NDIS_HARDWARE_STATUS {
  NdisHardwareStatusReady = 0,
  NdisHardwareStatusInitializing = 1,
  NdisHardwareStatusReset = 2,
  NdisHardwareStatusClosing = 3,
  NdisHardwareStatusNotReady = 4
} NDIS_HARDWARE_STATUS,
    *PNDIS_HARDWARE_STATUS;

typedef enum _NDIS_DEVICE_POWER_STATE {
  NdisDeviceStateUnspecified = 0,
  NdisDeviceStateD0 = 1,
  NdisDeviceStateD1 = 2,
  NdisDeviceStateD2 = 3,
  NdisDeviceStateD3 = 4,
  NdisDeviceStateMaximum = 5
} NDIS_DEVICE_POWER_STATE,
    *PNDIS_DEVICE_POWER_STATE;

typedef enum _NDIS_NETWORK_CHANGE_TYPE {
  NdisPossibleNetworkChange = 1,
  NdisDefinitelyNetworkChange = 2,
  NdisNetworkChangeFromMediaConnect = 3,
  NdisNetworkChangeMax = 4
} NDIS_NETWORK_CHANGE_TYPE,
    *PNDIS_NETWORK_CHANGE_TYPE;

typedef enum _NDIS_SUPPORTED_PAUSE_FUNCTIONS {
  NdisPauseFunctionsUnsupported = 0,
  NdisPauseFunctionsSendOnly = 1,
  NdisPauseFunctionsReceiveOnly = 2,
  NdisPauseFunctionsSendAndReceive = 3,
  NdisPauseFunctionsUnknown = 4
} NDIS_SUPPORTED_PAUSE_FUNCTIONS,
    *PNDIS_SUPPORTED_PAUSE_FUNCTIONS;

typedef enum _NDIS_INTERRUPT_MODERATION {
  NdisInterruptModerationUnknown = 0,
  NdisInterruptModerationNotSupported = 1,
  NdisInterruptModerationEnabled = 2,
  NdisInterruptModerationDisabled = 3
} NDIS_INTERRUPT_MODERATION,
    *PNDIS_INTERRUPT_MODERATION;

typedef struct _NDIS_INTERRUPT_MODERATION_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG Flags;
  NDIS_INTERRUPT_MODERATION InterruptModeration;
} NDIS_INTERRUPT_MODERATION_PARAMETERS, *PNDIS_INTERRUPT_MODERATION_PARAMETERS;
#define NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_INTERRUPT_MODERATION_PARAMETERS, InterruptModeration)

typedef NET_IF_MEDIA_CONNECT_STATE NDIS_MEDIA_CONNECT_STATE, *PNDIS_MEDIA_CONNECT_STATE;
typedef NET_IF_MEDIA_DUPLEX_STATE NDIS_MEDIA_DUPLEX_STATE, *PNDIS_MEDIA_DUPLEX_STATE;
typedef ULONG NDIS_PORT_NUMBER, *PNDIS_PORT_NUMBER;
#define NDIS_DEFAULT_PORT_NUMBER TP_CAST(NDIS_PORT_NUMBER, 0)
#define NDIS_MAX_PHYS_ADDRESS_LENGTH IF_MAX_PHYS_ADDRESS_LENGTH

typedef struct _NDIS_LINK_STATE {
  NDIS_OBJECT_HEADER Header;
  NDIS_MEDIA_CONNECT_STATE MediaConnectState;
  NDIS_MEDIA_DUPLEX_STATE MediaDuplexState;
  ULONG64 XmitLinkSpeed; /* bits a second; NDIS_LINK_SPEED_UNKNOWN */
  ULONG64 RcvLinkSpeed;
  NDIS_SUPPORTED_PAUSE_FUNCTIONS PauseFunctions;
  ULONG AutoNegotiationFlags;
} NDIS_LINK_STATE, *PNDIS_LINK_STATE;
#define NDIS_SIZEOF_LINK_STATE_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_LINK_STATE, AutoNegotiationFlags)

typedef struct _NDIS_LINK_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  NDIS_MEDIA_DUPLEX_STATE MediaDuplexState;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NDIS_SUPPORTED_PAUSE_FUNCTIONS PauseFunctions;
  ULONG AutoNegotiationFlags;
} NDIS_LINK_PARAMETERS, *PNDIS_LINK_PARAMETERS;
#define NDIS_SIZEOF_LINK_PARAMETERS_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_LINK_PARAMETERS, AutoNegotiationFlags)

typedef struct _NDIS_LINK_SPEED {
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
} NDIS_LINK_SPEED, *PNDIS_LINK_SPEED;

typedef struct _NDIS_OPER_STATE {
  NDIS_OBJECT_HEADER Header;
  NET_IF_OPER_STATUS OperationalStatus;
  ULONG OperationalStatusFlags;
} NDIS_OPER_STATE, *PNDIS_OPER_STATE;
#define NDIS_SIZEOF_OPER_STATE_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_OPER_STATE, OperationalStatusFlags)

typedef struct _NDIS_STATISTICS_INFO {
  NDIS_OBJECT_HEADER Header;
  ULONG SupportedStatistics; /* NDIS_STATISTICS_FLAGS_... of what below is known */
  ULONG64 ifInDiscards;
  ULONG64 ifInErrors;
  ULONG64 ifHCInOctets;
  ULONG64 ifHCInUcastPkts;
  ULONG64 ifHCInMulticastPkts;
  ULONG64 ifHCInBroadcastPkts;
  ULONG64 ifHCOutOctets;
  ULONG64 ifHCOutUcastPkts;
  ULONG64 ifHCOutMulticastPkts;
  ULONG64 ifHCOutBroadcastPkts;
  ULONG64 ifOutErrors;
  ULONG64 ifOutDiscards;
  ULONG64 ifHCInUcastOctets;
  ULONG64 ifHCInMulticastOctets;
  ULONG64 ifHCInBroadcastOctets;
  ULONG64 ifHCOutUcastOctets;
  ULONG64 ifHCOutMulticastOctets;
  ULONG64 ifHCOutBroadcastOctets;
} NDIS_STATISTICS_INFO, *PNDIS_STATISTICS_INFO;
#define NDIS_SIZEOF_STATISTICS_INFO_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_STATISTICS_INFO, ifHCOutBroadcastOctets)

/* Members of 6.30 are there unless a driver has chosen an older version. */
#if defined(NDIS_SUPPORT_NDIS630)
#define TP_NDIS_HAS_630 NDIS_SUPPORT_NDIS630
#else
#define TP_NDIS_HAS_630 1
#endif

typedef struct _NDIS_RECEIVE_SCALE_CAPABILITIES {
  NDIS_OBJECT_HEADER Header;
  ULONG CapabilitiesFlags;
  ULONG NumberOfInterruptMessages;
  ULONG NumberOfReceiveQueues;
#if TP_NDIS_HAS_630
  USHORT NumberOfIndirectionTableEntries; /* revision 2 */
#endif
} NDIS_RECEIVE_SCALE_CAPABILITIES, *PNDIS_RECEIVE_SCALE_CAPABILITIES;
#define NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_1 1
#define NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_RECEIVE_SCALE_CAPABILITIES, NumberOfReceiveQueues)
#if TP_NDIS_HAS_630
#define NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2 2
#define NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_RECEIVE_SCALE_CAPABILITIES, NumberOfIndirectionTableEntries)
#endif

/* What a frame's hash is of, and how it was computed: both in one number. */
// clang-format off: tables
#define NDIS_HASH_FUNCTION_MASK  0x000000FFu
#define NDIS_HASH_TYPE_MASK      0x00FFFF00u
#define NdisHashFunctionToeplitz  0x00000001u
#define NdisHashFunctionReserved1 0x00000002u
#define NdisHashFunctionReserved2 0x00000004u
#define NdisHashFunctionReserved3 0x00000008u
#define NDIS_HASH_IPV4           0x00000100u
#define NDIS_HASH_TCP_IPV4       0x00000200u
#define NDIS_HASH_IPV6           0x00000400u
#define NDIS_HASH_IPV6_EX        0x00000800u
#define NDIS_HASH_TCP_IPV6       0x00001000u
#define NDIS_HASH_TCP_IPV6_EX    0x00002000u
// clang-format on
#define NDIS_RSS_HASH_FUNC_FROM_HASH_INFO(info) ((info) & NDIS_HASH_FUNCTION_MASK)
#define NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(info) ((info) & NDIS_HASH_TYPE_MASK)
#define NDIS_RSS_HASH_INFO_FROM_TYPE_AND_FUNC(type, function) ((type) | (function))

/* Ports of an adapter. Here each has the default port alone, which is always active. */
typedef enum _NDIS_PORT_TYPE {
  NdisPortTypeUndefined,
  NdisPortTypeBridge,
  NdisPortTypeRasConnection,
  NdisPortType8021xSupplicant,
#if TP_NDIS_HAS_630
  NdisPortTypeNdisImPlatform,
#endif
  NdisPortTypeMax
} NDIS_PORT_TYPE,
    *PNDIS_PORT_TYPE;

typedef enum _NDIS_PORT_AUTHORIZATION_STATE {
  NdisPortAuthorizationUnknown,
  NdisPortAuthorized,
  NdisPortUnauthorized,
  NdisPortReauthorizing
} NDIS_PORT_AUTHORIZATION_STATE,
    *PNDIS_PORT_AUTHORIZATION_STATE;

typedef enum _NDIS_PORT_CONTROL_STATE {
  NdisPortControlStateUnknown,
  NdisPortControlStateControlled,
  NdisPortControlStateUncontrolled
} NDIS_PORT_CONTROL_STATE,
    *PNDIS_PORT_CONTROL_STATE;

typedef struct _NDIS_PORT_AUTHENTICATION_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
} NDIS_PORT_AUTHENTICATION_PARAMETERS, *PNDIS_PORT_AUTHENTICATION_PARAMETERS;
#define NDIS_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_AUTHENTICATION_PARAMETERS, RcvAuthorizationState)

typedef struct _NDIS_PORT_STATE {
  NDIS_OBJECT_HEADER Header;
  NDIS_MEDIA_CONNECT_STATE MediaConnectState;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NET_IF_DIRECTION_TYPE Direction;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
  ULONG Flags;
} NDIS_PORT_STATE, *PNDIS_PORT_STATE;
#define NDIS_PORT_STATE_REVISION_1 1
#define NDIS_SIZEOF_PORT_STATE_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_STATE, Flags)

typedef struct _NDIS_PORT_CHARACTERISTICS {
  NDIS_OBJECT_HEADER Header;
  NDIS_PORT_NUMBER PortNumber;
  ULONG Flags;
  NDIS_PORT_TYPE Type;
  NDIS_MEDIA_CONNECT_STATE MediaConnectState;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  NET_IF_DIRECTION_TYPE Direction;
  NDIS_PORT_CONTROL_STATE SendControlState;
  NDIS_PORT_CONTROL_STATE RcvControlState;
  NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
  NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
} NDIS_PORT_CHARACTERISTICS, *PNDIS_PORT_CHARACTERISTICS;
#define NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS 0x00000001u
#define NDIS_PORT_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1 \
  RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_CHARACTERISTICS, RcvAuthorizationState)

typedef struct _NDIS_PORT NDIS_PORT, *PNDIS_PORT;
struct _NDIS_PORT {
  PNDIS_PORT Next;
  PVOID NdisReserved;
  PVOID MiniportReserved;
  PVOID ProtocolReserved;
  NDIS_PORT_CHARACTERISTICS PortCharacteristics;
};

typedef struct _NDIS_PORT_ARRAY {
  NDIS_OBJECT_HEADER Header;
  ULONG NumberOfPorts;
  ULONG OffsetFirstPort; /* bytes, from the beginning of the structure */
  ULONG ElementSize;
  NDIS_PORT_CHARACTERISTICS Ports[1];
} NDIS_PORT_ARRAY, *PNDIS_PORT_ARRAY;
#define NDIS_PORT_ARRAY_REVISION_1 1
#define NDIS_SIZEOF_PORT_ARRAY_REVISION_1 RTL_SIZEOF_THROUGH_FIELD(NDIS_PORT_ARRAY, Ports)

typedef struct _NDIS_INTERFACE_INFORMATION {
  NET_IF_OPER_STATUS ifOperStatus;
  ULONG ifOperStatusFlags;
  NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
  NET_IF_MEDIA_DUPLEX_STATE MediaDuplexState;
  ULONG ifMtu;
  BOOLEAN ifPromiscuousMode;
  BOOLEAN ifDeviceWakeUpEnable;
  ULONG64 XmitLinkSpeed;
  ULONG64 RcvLinkSpeed;
  ULONG64 ifLastChange;
  ULONG64 ifCounterDiscontinuityTime;
  ULONG64 ifInUnknownProtos;
  ULONG64 ifInDiscards;
  ULONG64 ifInErrors;
  ULONG64 ifHCInOctets;
  ULONG64 ifHCInUcastPkts;
  ULONG64 ifHCInMulticastPkts;
  ULONG64 ifHCInBroadcastPkts;
  ULONG64 ifHCOutOctets;
  ULONG64 ifHCOutUcastPkts;
  ULONG64 ifHCOutMulticastPkts;
  ULONG64 ifHCOutBroadcastPkts;
  ULONG64 ifOutErrors;
  ULONG64 ifOutDiscards;
  ULONG64 ifHCInUcastOctets;
  ULONG64 ifHCInMulticastOctets;
  ULONG64 ifHCInBroadcastOctets;
  ULONG64 ifHCOutUcastOctets;
  ULONG64 ifHCOutMulticastOctets;
  ULONG64 ifHCOutBroadcastOctets;
  NET_IF_COMPARTMENT_ID CompartmentId;
  ULONG SupportedStatistics;
} NDIS_INTERFACE_INFORMATION, *PNDIS_INTERFACE_INFORMATION;

typedef struct _NDIS_PNP_CAPABILITIES {
  ULONG Flags;
  struct {
    NDIS_DEVICE_POWER_STATE MinMagicPacketWakeUp;
    NDIS_DEVICE_POWER_STATE MinPatternWakeUp;
    NDIS_DEVICE_POWER_STATE MinLinkChangeWakeUp;
  } WakeUpCapabilities;
} NDIS_PNP_CAPABILITIES, *PNDIS_PNP_CAPABILITIES;

#endif
