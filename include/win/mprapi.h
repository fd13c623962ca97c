/* Router management: MprAdmin calls act on the running router, MprConfig calls on the stored configuration, MprInfo
 * calls on information headers in memory. The contract is docs/contract/mprapi.md, which says for each function what it
 * answers and who frees what it returns.
 *
 * WCHAR is wchar_t, so every structure with text is larger than on Windows; addresses are in network byte order. */
#ifndef __ROUTING_MPRADMIN_H__
#define __ROUTING_MPRADMIN_H__

#include "in6addr.h"
#include "lmcons.h"
#include "mprerror.h"
#include "ras.h"
#include "wincrypt.h"
#include "windef.h"
#include "winerror.h"

TP_BEGIN

#define RRAS_SERVICE_NAME TEXT("RemoteAccess")

/* Transports. */
#define PID_IP 0x00000021
#define PID_ATALK 0x00000029
#define PID_IPX 0x0000002B
#define PID_NBF 0x0000003F
#define PID_IPV6 0x00000057

#ifndef MAX_INTERFACE_NAME_LEN
#define MAX_INTERFACE_NAME_LEN 256
#endif
#define MAX_TRANSPORT_NAME_LEN 40
#define MAX_MEDIA_NAME 16
#define MAX_PORT_NAME 16
#define MAX_DEVICE_NAME 128
#define MAX_PHONE_NUMBER_LEN 128
#define MAX_DEVICETYPE_NAME 16

typedef HANDLE RAS_SERVER_HANDLE;
typedef HANDLE MPR_SERVER_HANDLE;
typedef HANDLE MIB_SERVER_HANDLE;

typedef enum _ROUTER_INTERFACE_TYPE {
  ROUTER_IF_TYPE_CLIENT,
  ROUTER_IF_TYPE_HOME_ROUTER,
  ROUTER_IF_TYPE_FULL_ROUTER,
  ROUTER_IF_TYPE_DEDICATED,
  ROUTER_IF_TYPE_INTERNAL,
  ROUTER_IF_TYPE_LOOPBACK,
  ROUTER_IF_TYPE_TUNNEL1,
  ROUTER_IF_TYPE_DIALOUT,
  ROUTER_IF_TYPE_MAX
} ROUTER_INTERFACE_TYPE;

typedef enum _ROUTER_CONNECTION_STATE {
  ROUTER_IF_STATE_UNREACHABLE,
  ROUTER_IF_STATE_DISCONNECTED,
  ROUTER_IF_STATE_CONNECTING,
  ROUTER_IF_STATE_CONNECTED
} ROUTER_CONNECTION_STATE;

/* Why an interface is unreachable. */
#define MPR_INTERFACE_OUT_OF_RESOURCES 0x00000001
#define MPR_INTERFACE_ADMIN_DISABLED 0x00000002
#define MPR_INTERFACE_CONNECTION_FAILURE 0x00000004
#define MPR_INTERFACE_SERVICE_PAUSED 0x00000008
#define MPR_INTERFACE_DIALOUT_HOURS_RESTRICTION 0x00000010
#define MPR_INTERFACE_NO_MEDIA_SENSE 0x00000020
#define MPR_INTERFACE_NO_DEVICE 0x00000040

/* An interface. Levels 1 and 2 extend level 0, level 3 extends level 2. */
#define TP_MPR_INTERFACE                              \
  WCHAR wszInterfaceName[MAX_INTERFACE_NAME_LEN + 1]; \
  HANDLE hInterface;                                  \
  BOOL fEnabled;                                      \
  ROUTER_INTERFACE_TYPE dwIfType;                     \
  ROUTER_CONNECTION_STATE dwConnectionState;          \
  DWORD fUnReachabilityReasons;                       \
  DWORD dwLastError;

typedef struct _MPR_INTERFACE_0 {
  TP_MPR_INTERFACE
} MPR_INTERFACE_0, *PMPR_INTERFACE_0;

typedef struct _MPR_INTERFACE_1 {
  TP_MPR_INTERFACE
  LPWSTR lpwsDialoutHoursRestriction;
} MPR_INTERFACE_1, *PMPR_INTERFACE_1;

#define MPR_MaxDeviceType RAS_MaxDeviceType
#define MPR_MaxPhoneNumber RAS_MaxPhoneNumber
#define MPR_MaxIpAddress RAS_MaxIpAddress
#define MPR_MaxIpxAddress RAS_MaxIpxAddress
#define MPR_MaxEntryName RAS_MaxEntryName
#define MPR_MaxDeviceName RAS_MaxDeviceName
#define MPR_MaxCallbackNumber RAS_MaxCallbackNumber
#define MPR_MaxAreaCode RAS_MaxAreaCode
#define MPR_MaxPadType RAS_MaxPadType
#define MPR_MaxX25Address RAS_MaxX25Address
#define MPR_MaxFacilities RAS_MaxFacilities
#define MPR_MaxUserData RAS_MaxUserData

/* Options of a demand-dial interface. */
#define MPRIO_SpecificIpAddr RASEO_SpecificIpAddr
#define MPRIO_SpecificNameServers RASEO_SpecificNameServers
#define MPRIO_IpHeaderCompression RASEO_IpHeaderCompression
#define MPRIO_RemoteDefaultGateway RASEO_RemoteDefaultGateway
#define MPRIO_DisableLcpExtensions RASEO_DisableLcpExtensions
#define MPRIO_SwCompression RASEO_SwCompression
#define MPRIO_RequireEncryptedPw RASEO_RequireEncryptedPw
#define MPRIO_RequireMsEncryptedPw RASEO_RequireMsEncryptedPw
#define MPRIO_RequireDataEncryption RASEO_RequireDataEncryption
#define MPRIO_NetworkLogon RASEO_NetworkLogon
#define MPRIO_UseLogonCredentials RASEO_UseLogonCredentials
#define MPRIO_PromoteAlternates RASEO_PromoteAlternates
#define MPRIO_SecureLocalFiles RASEO_SecureLocalFiles
#define MPRIO_RequireEAP RASEO_RequireEAP
#define MPRIO_RequirePAP RASEO_RequirePAP
#define MPRIO_RequireSPAP RASEO_RequireSPAP
#define MPRIO_SharedPhoneNumbers RASEO_SharedPhoneNumbers
#define MPRIO_RequireCHAP RASEO_RequireCHAP
#define MPRIO_RequireMsCHAP RASEO_RequireMsCHAP
#define MPRIO_RequireMsCHAP2 RASEO_RequireMsCHAP2
#define MPRIO_IpSecPreSharedKey 0x80000000

#define MPRNP_Ipx RASNP_Ipx
#define MPRNP_Ip RASNP_Ip

#define MPRDT_Modem RASDT_Modem
#define MPRDT_Isdn RASDT_Isdn
#define MPRDT_X25 RASDT_X25
#define MPRDT_Vpn RASDT_Vpn
#define MPRDT_Pad RASDT_Pad
#define MPRDT_Generic RASDT_Generic
#define MPRDT_Serial RASDT_Serial
#define MPRDT_FrameRelay RASDT_FrameRelay
#define MPRDT_Atm RASDT_Atm
#define MPRDT_Sonet RASDT_Sonet
#define MPRDT_SW56 RASDT_SW56
#define MPRDT_Irda RASDT_Irda
#define MPRDT_Parallel RASDT_Parallel

#define MPRET_Phone RASET_Phone
#define MPRET_Vpn RASET_Vpn
#define MPRET_Direct RASET_Direct

#define MPRDM_DialFirst 0
#define MPRDM_DialAll RASEDM_DialAll
#define MPRDM_DialAsNeeded RASEDM_DialAsNeeded

#define MPRIDS_Disabled RASIDS_Disabled
#define MPRIDS_UseGlobalValue RASIDS_UseGlobalValue

#define MPR_ET_None ET_None
#define MPR_ET_Require ET_Require
#define MPR_ET_RequireMax ET_RequireMax
#define MPR_ET_Optional ET_Optional

#define MPR_VS_Default VS_Default
#define MPR_VS_PptpOnly VS_PptpOnly
#define MPR_VS_PptpFirst VS_PptpFirst
#define MPR_VS_L2tpOnly VS_L2tpOnly
#define MPR_VS_L2tpFirst VS_L2tpFirst

#define TP_MPR_DIAL                                 \
  DWORD dwfOptions;                                 \
  WCHAR szLocalPhoneNumber[RAS_MaxPhoneNumber + 1]; \
  PWCHAR szAlternates;                              \
  DWORD ipaddr;                                     \
  DWORD ipaddrDns;                                  \
  DWORD ipaddrDnsAlt;                               \
  DWORD ipaddrWins;                                 \
  DWORD ipaddrWinsAlt;                              \
  DWORD dwfNetProtocols;                            \
  WCHAR szDeviceType[MPR_MaxDeviceType + 1];        \
  WCHAR szDeviceName[MPR_MaxDeviceName + 1];        \
  WCHAR szX25PadType[MPR_MaxPadType + 1];           \
  WCHAR szX25Address[MPR_MaxX25Address + 1];        \
  WCHAR szX25Facilities[MPR_MaxFacilities + 1];     \
  WCHAR szX25UserData[MPR_MaxUserData + 1];         \
  DWORD dwChannels;                                 \
  DWORD dwSubEntries;                               \
  DWORD dwDialMode;                                 \
  DWORD dwDialExtraPercent;                         \
  DWORD dwDialExtraSampleSeconds;                   \
  DWORD dwHangUpExtraPercent;                       \
  DWORD dwHangUpExtraSampleSeconds;                 \
  DWORD dwIdleDisconnectSeconds;                    \
  DWORD dwType;                                     \
  DWORD dwEncryptionType;                           \
  DWORD dwCustomAuthKey;                            \
  DWORD dwCustomAuthDataSize;                       \
  LPBYTE lpbCustomAuthData;                         \
  GUID guidId;                                      \
  DWORD dwVpnStrategy;

typedef struct _MPR_INTERFACE_2 {
  TP_MPR_INTERFACE
  TP_MPR_DIAL
} MPR_INTERFACE_2, *PMPR_INTERFACE_2;

typedef struct _MPR_INTERFACE_3 {
  TP_MPR_INTERFACE
  TP_MPR_DIAL
  ULONG AddressCount;
  IN6_ADDR ipv6addrDns;
  IN6_ADDR ipv6addrDnsAlt;
  IN6_ADDR* ipv6addr;
} MPR_INTERFACE_3, *PMPR_INTERFACE_3;

typedef struct _MPR_IPINIP_INTERFACE_0 {
  WCHAR wszFriendlyName[MAX_INTERFACE_NAME_LEN + 1];
  GUID Guid;
} MPR_IPINIP_INTERFACE_0, *PMPR_IPINIP_INTERFACE_0;

typedef struct _MPR_DEVICE_0 {
  WCHAR szDeviceType[MPR_MaxDeviceType + 1];
  WCHAR szDeviceName[MPR_MaxDeviceName + 1];
} MPR_DEVICE_0, *PMPR_DEVICE_0;

typedef struct _MPR_DEVICE_1 {
  WCHAR szDeviceType[MPR_MaxDeviceType + 1];
  WCHAR szDeviceName[MPR_MaxDeviceName + 1];
  WCHAR szLocalPhoneNumber[MPR_MaxPhoneNumber + 1];
  PWCHAR szAlternates;
} MPR_DEVICE_1, *PMPR_DEVICE_1;

typedef struct _MPR_CREDENTIALSEX_0 {
  DWORD dwSize;
  LPBYTE lpbCredentialsInfo; /* EAP data */
} MPR_CREDENTIALSEX_0, *PMPR_CREDENTIALSEX_0;

typedef struct _MPR_CREDENTIALSEX_1 {
  DWORD dwSize;
  LPBYTE lpbCredentialsInfo; /* pre-shared key; size 0 deletes it */
} MPR_CREDENTIALSEX_1, *PMPR_CREDENTIALSEX_1;

typedef struct _MPR_TRANSPORT_0 {
  DWORD dwTransportId;
  HANDLE hTransport;
  WCHAR wszTransportName[MAX_TRANSPORT_NAME_LEN + 1];
} MPR_TRANSPORT_0, *PMPR_TRANSPORT_0;

typedef struct _MPR_IFTRANSPORT_0 {
  DWORD dwTransportId;
  HANDLE hIfTransport;
  WCHAR wszIfTransportName[MAX_TRANSPORT_NAME_LEN + 1];
} MPR_IFTRANSPORT_0, *PMPR_IFTRANSPORT_0;

/* Newer headers spell the member fEnable. */
typedef struct _MPR_FILTER_0 {
  __extension__ union {
    BOOL fEnabled;
    BOOL fEnable;
  };
} MPR_FILTER_0, *PMPR_FILTER_0;

/* The router as a whole. */
typedef struct _MPR_SERVER_0 {
  BOOL fLanOnlyMode;
  DWORD dwUpTime;
  DWORD dwTotalPorts;
  DWORD dwPortsInUse;
} MPR_SERVER_0, *PMPR_SERVER_0;

#define MPR_ENABLE_RAS_ON_DEVICE 0x00000001
#define MPR_ENABLE_ROUTING_ON_DEVICE 0x00000002

typedef struct _MPR_SERVER_1 {
  DWORD dwNumPptpPorts;
  DWORD dwPptpPortFlags;
  DWORD dwNumL2tpPorts;
  DWORD dwL2tpPortFlags;
} MPR_SERVER_1, *PMPR_SERVER_1;

typedef struct _MPR_SERVER_2 {
  DWORD dwNumPptpPorts;
  DWORD dwPptpPortFlags;
  DWORD dwNumL2tpPorts;
  DWORD dwL2tpPortFlags;
  DWORD dwNumSstpPorts;
  DWORD dwSstpPortFlags;
} MPR_SERVER_2, *PMPR_SERVER_2;

/* Ports. Byte counts are of compressed data. */
typedef enum _RAS_PORT_CONDITION {
  RAS_PORT_NON_OPERATIONAL,
  RAS_PORT_DISCONNECTED,
  RAS_PORT_CALLING_BACK,
  RAS_PORT_LISTENING,
  RAS_PORT_AUTHENTICATING,
  RAS_PORT_AUTHENTICATED,
  RAS_PORT_INITIALIZING
} RAS_PORT_CONDITION;

typedef enum _RAS_HARDWARE_CONDITION { RAS_HARDWARE_OPERATIONAL, RAS_HARDWARE_FAILURE } RAS_HARDWARE_CONDITION;

typedef struct _RAS_PORT_0 {
  HANDLE hPort;
  HANDLE hConnection;
  RAS_PORT_CONDITION dwPortCondition;
  DWORD dwTotalNumberOfCalls;
  DWORD dwConnectDuration;
  WCHAR wszPortName[MAX_PORT_NAME + 1];
  WCHAR wszMediaName[MAX_MEDIA_NAME + 1];
  WCHAR wszDeviceName[MAX_DEVICE_NAME + 1];
  WCHAR wszDeviceType[MAX_DEVICETYPE_NAME + 1];
} RAS_PORT_0, *PRAS_PORT_0;

#define TP_RAS_COUNTERS       \
  DWORD dwBytesXmited;        \
  DWORD dwBytesRcved;         \
  DWORD dwFramesXmited;       \
  DWORD dwFramesRcved;        \
  DWORD dwCrcErr;             \
  DWORD dwTimeoutErr;         \
  DWORD dwAlignmentErr;       \
  DWORD dwHardwareOverrunErr; \
  DWORD dwFramingErr;         \
  DWORD dwBufferOverrunErr;   \
  DWORD dwCompressionRatioIn; \
  DWORD dwCompressionRatioOut;

typedef struct _RAS_PORT_1 {
  HANDLE hPort;
  HANDLE hConnection;
  RAS_HARDWARE_CONDITION dwHardwareCondition;
  DWORD dwLineSpeed;
  TP_RAS_COUNTERS
} RAS_PORT_1, *PRAS_PORT_1;

/* What two ends of a PPP link agreed on. */
#define IPADDRESSLEN 15
#define IPXADDRESSLEN 22
#define ATADDRESSLEN 32
#define MAXIPADRESSLEN 64 /* spelt so */

typedef struct _PPP_NBFCP_INFO {
  DWORD dwError;
  WCHAR wszWksta[NETBIOS_NAME_LEN + 1];
} PPP_NBFCP_INFO;

typedef struct _PPP_IPCP_INFO {
  DWORD dwError;
  WCHAR wszAddress[IPADDRESSLEN + 1];
  WCHAR wszRemoteAddress[IPADDRESSLEN + 1];
} PPP_IPCP_INFO;

#define PPP_IPCP_VJ 0x00000001

typedef struct _PPP_IPCP_INFO2 {
  DWORD dwError;
  WCHAR wszAddress[IPADDRESSLEN + 1];
  WCHAR wszRemoteAddress[IPADDRESSLEN + 1];
  DWORD dwOptions;
  DWORD dwRemoteOptions;
} PPP_IPCP_INFO2;

typedef struct _PPP_IPXCP_INFO {
  DWORD dwError;
  WCHAR wszAddress[IPXADDRESSLEN + 1];
} PPP_IPXCP_INFO;

typedef struct _PPP_ATCP_INFO {
  DWORD dwError;
  WCHAR wszAddress[ATADDRESSLEN + 1];
} PPP_ATCP_INFO;

typedef struct _PPP_IPV6CP_INFO {
  DWORD dwVersion;
  DWORD dwSize;
  DWORD dwError;
  BYTE bInterfaceIdentifier[8];
  BYTE bRemoteInterfaceIdentifier[8];
  DWORD dwOptions;
  DWORD dwRemoteOptions;
  BYTE bPrefix[8];
  DWORD dwPrefixLength;
} PPP_IPV6_CP_INFO, *PPPP_IPV6_CP_INFO;

#define RASCCPCA_STAC 0x00000005
#define RASCCPCA_MPPC 0x00000006

#define PPP_CCP_COMPRESSION 0x00000001
#define PPP_CCP_ENCRYPTION40BITOLD 0x00000010
#define PPP_CCP_ENCRYPTION40BIT 0x00000020
#define PPP_CCP_ENCRYPTION128BIT 0x00000040
#define PPP_CCP_ENCRYPTION56BIT 0x00000080
#define PPP_CCP_HISTORYLESS 0x01000000

typedef struct _PPP_CCP_INFO {
  DWORD dwError;
  DWORD dwCompressionAlgorithm;
  DWORD dwOptions;
  DWORD dwRemoteCompressionAlgorithm;
  DWORD dwRemoteOptions;
} PPP_CCP_INFO;

#define PPP_LCP_PAP 0xC023
#define PPP_LCP_SPAP 0xC027
#define PPP_LCP_CHAP 0xC223
#define PPP_LCP_EAP 0xC227

#define PPP_LCP_CHAP_MD5 0x05
#define PPP_LCP_CHAP_MS 0x80
#define PPP_LCP_CHAP_MSV2 0x81

#define PPP_LCP_MULTILINK_FRAMING 0x00000001
#define PPP_LCP_PFC 0x00000002
#define PPP_LCP_ACFC 0x00000004
#define PPP_LCP_SSHF 0x00000008
#define PPP_LCP_DES_56 0x00000010
#define PPP_LCP_3_DES 0x00000020

typedef struct _PPP_LCP_INFO {
  DWORD dwError;
  DWORD dwAuthenticationProtocol;
  DWORD dwAuthenticationData;
  DWORD dwRemoteAuthenticationProtocol;
  DWORD dwRemoteAuthenticationData;
  DWORD dwTerminateReason;
  DWORD dwRemoteTerminateReason;
  DWORD dwOptions;
  DWORD dwRemoteOptions;
  DWORD dwEapTypeId;
  DWORD dwRemoteEapTypeId;
} PPP_LCP_INFO;

typedef struct _PPP_INFO {
  PPP_NBFCP_INFO nbf;
  PPP_IPCP_INFO ip;
  PPP_IPXCP_INFO ipx;
  PPP_ATCP_INFO at;
} PPP_INFO;

typedef struct _PPP_INFO_2 {
  PPP_NBFCP_INFO nbf;
  PPP_IPCP_INFO2 ip;
  PPP_IPXCP_INFO ipx;
  PPP_ATCP_INFO at;
  PPP_CCP_INFO ccp;
  PPP_LCP_INFO lcp;
} PPP_INFO_2;

typedef struct _PPP_INFO_3 {
  PPP_NBFCP_INFO nbf;
  PPP_IPCP_INFO2 ip;
  PPP_IPV6_CP_INFO ipv6;
  PPP_CCP_INFO ccp;
  PPP_LCP_INFO lcp;
} PPP_INFO_3;

/* Connections. */
#define RAS_FLAGS_PPP_CONNECTION 0x00000001
#define RAS_FLAGS_MESSENGER_PRESENT 0x00000002
#define RAS_FLAGS_QUARANTINE_PRESENT 0x00000008
#define RAS_FLAGS_ARAP_CONNECTION 0x00000010
#define RAS_FLAGS_IKEV2_CONNECTION 0x00000010 /* the same bit, documented twice */
#define RAS_FLAGS_DORMANT 0x00000020

typedef enum _RAS_QUARANTINE_STATE {
  RAS_QUAR_STATE_NORMAL,
  RAS_QUAR_STATE_QUARANTINE,
  RAS_QUAR_STATE_PROBATION,
  RAS_QUAR_STATE_NOT_CAPABLE
} RAS_QUARANTINE_STATE;

typedef struct _RAS_CONNECTION_0 {
  HANDLE hConnection;
  HANDLE hInterface;
  DWORD dwConnectDuration;
  ROUTER_INTERFACE_TYPE dwInterfaceType;
  DWORD dwConnectionFlags;
  WCHAR wszInterfaceName[MAX_INTERFACE_NAME_LEN + 1];
  WCHAR wszUserName[UNLEN + 1];
  WCHAR wszLogonDomain[DNLEN + 1];
  WCHAR wszRemoteComputer[NETBIOS_NAME_LEN + 1];
} RAS_CONNECTION_0, *PRAS_CONNECTION_0;

typedef struct _RAS_CONNECTION_1 {
  HANDLE hConnection;
  HANDLE hInterface;
  PPP_INFO PppInfo;
  TP_RAS_COUNTERS
} RAS_CONNECTION_1, *PRAS_CONNECTION_1;

typedef struct _RAS_CONNECTION_2 {
  HANDLE hConnection;
  WCHAR wszUserName[UNLEN + 1];
  ROUTER_INTERFACE_TYPE dwInterfaceType;
  GUID guid;
  PPP_INFO_2 PppInfo2;
} RAS_CONNECTION_2, *PRAS_CONNECTION_2;

typedef struct _RAS_CONNECTION_3 {
  DWORD dwVersion;
  DWORD dwSize;
  HANDLE hConnection;
  WCHAR wszUserName[UNLEN + 1];
  ROUTER_INTERFACE_TYPE dwInterfaceType;
  GUID guid;
  PPP_INFO_3 PppInfo3;
  RAS_QUARANTINE_STATE rasQuarState;
  FILETIME timer;
} RAS_CONNECTION_3, *PRAS_CONNECTION_3;

/* Users. */
#define RASPRIV_NoCallback 0x01
#define RASPRIV_AdminSetCallback 0x02
#define RASPRIV_CallerSetCallback 0x04
#define RASPRIV_DialinPrivilege 0x08
#define RASPRIV_CallbackType (RASPRIV_AdminSetCallback | RASPRIV_CallerSetCallback | RASPRIV_NoCallback)
#define RASPRIV2_DialinPolicy 0x1

typedef struct _RAS_USER_0 {
  BYTE bfPrivilege;
  WCHAR wszPhoneNumber[MAX_PHONE_NUMBER_LEN + 1];
} RAS_USER_0, *PRAS_USER_0;

typedef struct _RAS_USER_1 {
  BYTE bfPrivilege;
  WCHAR wszPhoneNumber[MAX_PHONE_NUMBER_LEN + 1];
  BYTE bfPrivilege2;
} RAS_USER_1, *PRAS_USER_1;

/* The newer structures begin with a header: revision, type and the structure's own size, all set by the caller. */
#define MPRAPI_RAS_CONNECTION_OBJECT_REVISION_1 0x01
#define MPRAPI_MPR_SERVER_OBJECT_REVISION_1 0x01
#define MPRAPI_MPR_SERVER_SET_CONFIG_OBJECT_REVISION_1 0x01
#define MPRAPI_MPR_IF_CUSTOM_CONFIG_OBJECT_REVISION_1 0x01

typedef enum _MPRAPI_OBJECT_TYPE {
  MPRAPI_OBJECT_TYPE_RAS_CONNECTION_OBJECT = 0x1,
  MPRAPI_OBJECT_TYPE_MPR_SERVER_OBJECT = 0x2,
  MPRAPI_OBJECT_TYPE_MPR_SERVER_SET_CONFIG_OBJECT = 0x3,
  MPRAPI_OBJECT_TYPE_AUTH_VALIDATION_OBJECT = 0x4,
  MPRAPI_OBJECT_TYPE_UPDATE_CONNECTION_OBJECT = 0x5,
  MPRAPI_OBJECT_TYPE_IF_CUSTOM_CONFIG_OBJECT = 0x6
} MPRAPI_OBJECT_TYPE;

typedef struct _MPRAPI_OBJECT_HEADER {
  UCHAR revision;
  UCHAR type;
  USHORT size;
} MPRAPI_OBJECT_HEADER, *PMPRAPI_OBJECT_HEADER;

typedef struct _AUTH_VALIDATION_EX {
  MPRAPI_OBJECT_HEADER Header;
  HANDLE hRasConnection;
  WCHAR wszUserName[UNLEN + 1];
  WCHAR wszLogonDomain[DNLEN + 1];
  DWORD AuthInfoSize;
  BYTE AuthInfo[1];
} AUTH_VALIDATION_EX, *PAUTH_VALIDATION_EX;

typedef struct _PPP_PROJECTION_INFO {
  DWORD dwIPv4NegotiationError;
  WCHAR wszAddress[IPADDRESSLEN + 1];
  WCHAR wszRemoteAddress[IPADDRESSLEN + 1];
  DWORD dwIPv4Options;
  DWORD dwIPv4RemoteOptions;
  ULONG64 IPv4SubInterfaceIndex;
  DWORD dwIPv6NegotiationError;
  BYTE bInterfaceIdentifier[8];
  BYTE bRemoteInterfaceIdentifier[8];
  BYTE bPrefix[8];
  DWORD dwPrefixLength;
  ULONG64 IPv6SubInterfaceIndex;
  DWORD dwLcpError;
  DWORD dwAuthenticationProtocol;
  DWORD dwAuthenticationData;
  DWORD dwRemoteAuthenticationProtocol;
  DWORD dwRemoteAuthenticationData;
  DWORD dwLcpTerminateReason;
  DWORD dwLcpRemoteTerminateReason;
  DWORD dwLcpOptions;
  DWORD dwLcpRemoteOptions;
  DWORD dwEapTypeId;
  DWORD dwRemoteEapTypeId;
  DWORD dwCcpError;
  DWORD dwCompressionAlgorithm;
  DWORD dwCcpOptions;
  DWORD dwRemoteCompressionAlgorithm;
  DWORD dwCcpRemoteOptions;
} PPP_PROJECTION_INFO, *PPPP_PROJECTION_INFO;

typedef struct _IKEV2_PROJECTION_INFO {
  DWORD dwIPv4NegotiationError;
  WCHAR wszAddress[IPADDRESSLEN + 1];
  WCHAR wszRemoteAddress[IPADDRESSLEN + 1];
  ULONG64 IPv4SubInterfaceIndex;
  DWORD dwIPv6NegotiationError;
  BYTE bInterfaceIdentifier[8];
  BYTE bRemoteInterfaceIdentifier[8];
  BYTE bPrefix[8];
  DWORD dwPrefixLength;
  ULONG64 IPv6SubInterfaceIndex;
  DWORD dwOptions;
  DWORD dwAuthenticationProtocol;
  DWORD dwEapTypeId;
  DWORD dwCompressionAlgorithm;
  DWORD dwEncryptionMethod;
} IKEV2_PROJECTION_INFO, *PIKEV2_PROJECTION_INFO;

#define MPRAPI_PPP_PROJECTION_INFO_TYPE 0x01
#define MPRAPI_IKEV2_PROJECTION_INFO_TYPE 0x02

typedef struct _PROJECTION_INFO {
  UCHAR projectionInfoType;
  __extension__ union {
    IKEV2_PROJECTION_INFO Ikev2ProjectionInfo;
    PPP_PROJECTION_INFO PppProjectionInfo;
  };
} PROJECTION_INFO, *PPROJECTION_INFO;

typedef struct _RAS_CONNECTION_EX {
  MPRAPI_OBJECT_HEADER Header;
  DWORD dwConnectDuration;
  ROUTER_INTERFACE_TYPE dwInterfaceType;
  DWORD dwConnectionFlags;
  WCHAR wszInterfaceName[MAX_INTERFACE_NAME_LEN + 1];
  WCHAR wszUserName[UNLEN + 1];
  WCHAR wszLogonDomain[DNLEN + 1];
  WCHAR wszRemoteComputer[NETBIOS_NAME_LEN + 1];
  GUID guid;
  RAS_QUARANTINE_STATE rasQuarState;
  FILETIME probationTime;
  TP_RAS_COUNTERS
  DWORD dwNumSwitchOvers;
  WCHAR wszRemoteEndpointAddress[MAXIPADRESSLEN + 1];
  WCHAR wszLocalEndpointAddress[MAXIPADRESSLEN + 1];
  PROJECTION_INFO ProjectionInfo;
  HANDLE hConnection;
  HANDLE hInterface;
} RAS_CONNECTION_EX, *PRAS_CONNECTION_EX;

typedef struct _RAS_UPDATE_CONNECTION {
  MPRAPI_OBJECT_HEADER Header;
  DWORD dwIfIndex;
  WCHAR wszLocalEndpointAddress[MAXIPADRESSLEN + 1];
  WCHAR wszRemoteEndpointAddress[MAXIPADRESSLEN + 1];
} RAS_UPDATE_CONNECTION, *PRAS_UPDATE_CONNECTION;

/* Tunnels. The first group says which part of a configuration is to be set. */
#define MPRAPI_SET_CONFIG_PROTOCOL_FOR_PPTP 0x00000001
#define MPRAPI_SET_CONFIG_PROTOCOL_FOR_L2TP 0x00000002
#define MPRAPI_SET_CONFIG_PROTOCOL_FOR_SSTP 0x00000004
#define MPRAPI_SET_CONFIG_PROTOCOL_FOR_IKEV2 0x00000008
#define MPRAPI_SET_CONFIG_PROTOCOL_FOR_GRE 0x00000010

#define MPRAPI_IKEV2_SET_TUNNEL_CONFIG_PARAMS 0x01

typedef struct _IKEV2_TUNNEL_CONFIG_PARAMS {
  DWORD dwIdleTimeout;
  DWORD dwNetworkBlackoutTime;
  DWORD dwSaLifeTime;
  DWORD dwSaDataSizeForRenegotiation;
  DWORD dwConfigOptions;
  DWORD dwTotalCertificates;
  CERT_NAME_BLOB* certificateNames;
} IKEV2_TUNNEL_CONFIG_PARAMS, *PIKEV2_TUNNEL_CONFIG_PARAMS;

typedef struct _IKEV2_CONFIG_PARAMS {
  DWORD dwNumPorts;
  DWORD dwPortFlags;
  DWORD dwTunnelConfigParamFlags;
  IKEV2_TUNNEL_CONFIG_PARAMS TunnelConfigParams;
} IKEV2_CONFIG_PARAMS, *PIKEV2_CONFIG_PARAMS;

typedef struct _PPTP_CONFIG_PARAMS {
  DWORD dwNumPorts;
  DWORD dwPortFlags;
} PPTP_CONFIG_PARAMS, *PPPTP_CONFIG_PARAMS;

typedef struct _L2TP_CONFIG_PARAMS {
  DWORD dwNumPorts;
  DWORD dwPortFlags;
} L2TP_CONFIG_PARAMS, *PL2TP_CONFIG_PARAMS;

typedef struct _SSTP_CERT_INFO {
  BOOL isDefault;
  CRYPT_HASH_BLOB certBlob;
} SSTP_CERT_INFO, *PSSTP_CERT_INFO;

typedef struct _SSTP_CONFIG_PARAMS {
  DWORD dwNumPorts;
  DWORD dwPortFlags;
  BOOL isUseHttps;
  DWORD certAlgorithm;
  SSTP_CERT_INFO sstpCertDetails;
} SSTP_CONFIG_PARAMS, *PSSTP_CONFIG_PARAMS;

typedef struct _MPRAPI_TUNNEL_CONFIG_PARAMS {
  IKEV2_CONFIG_PARAMS IkeConfigParams;
  PPTP_CONFIG_PARAMS PptpConfigParams;
  L2TP_CONFIG_PARAMS L2tpConfigParams;
  SSTP_CONFIG_PARAMS SstpConfigParams;
} MPRAPI_TUNNEL_CONFIG_PARAMS, *PMPRAPI_TUNNEL_CONFIG_PARAMS;

typedef struct _MPR_SERVER_SET_CONFIG_EX {
  MPRAPI_OBJECT_HEADER Header;
  DWORD setConfigForProtocols;
  MPRAPI_TUNNEL_CONFIG_PARAMS ConfigParams;
} MPR_SERVER_SET_CONFIG_EX, *PMPR_SERVER_SET_CONFIG_EX;

typedef struct _MPR_SERVER_EX {
  MPRAPI_OBJECT_HEADER Header;
  DWORD fLanOnlyMode;
  DWORD dwUpTime;
  DWORD dwTotalPorts;
  DWORD dwPortsInUse;
  DWORD Reserved;
  MPRAPI_TUNNEL_CONFIG_PARAMS ConfigParams;
} MPR_SERVER_EX, *PMPR_SERVER_EX;

/* Custom configuration of one IKEv2 interface; documented, absent from older public headers. */
#define MPRAPI_IF_CUSTOM_CONFIG_FOR_IKEV2 0x00000001

typedef struct _ROUTER_CUSTOM_IKEv2_POLICY_0 {
  DWORD dwIntegrityMethod;
  DWORD dwEncryptionMethod;
  DWORD dwCipherTransformConstant;
  DWORD dwAuthTransformConstant;
  DWORD dwPfsGroup;
  DWORD dwDhGroup;
} ROUTER_CUSTOM_IKEv2_POLICY0, *PROUTER_CUSTOM_IKEv2_POLICY0;

typedef struct _ROUTER_IKEv2_IF_CUSTOM_CONFIG_0 {
  DWORD dwSaLifeTime;
  DWORD dwSaDataSize;
  CERT_NAME_BLOB certificateName;
  PROUTER_CUSTOM_IKEv2_POLICY0 customPolicy;
} ROUTER_IKEv2_IF_CUSTOM_CONFIG0, *PROUTER_IKEv2_IF_CUSTOM_CONFIG0;

typedef struct _MPR_IF_CUSTOMINFOEX_0 {
  MPRAPI_OBJECT_HEADER Header;
  DWORD dwFlags;
  ROUTER_IKEv2_IF_CUSTOM_CONFIG0 customIkev2Config;
} MPR_IF_CUSTOMINFOEX0, *PMPR_IF_CUSTOMINFOEX0;
typedef MPR_IF_CUSTOMINFOEX0 MPR_IF_CUSTOMINFOEX, *PMPR_IF_CUSTOMINFOEX;

/* The functions of an administration plug-in, as MprAdminInitializeDllEx fills them in. */
typedef DWORD(APIENTRY* PMPRADMINGETIPADDRESSFORUSER)(WCHAR*, WCHAR*, DWORD*, BOOL*);
typedef VOID(APIENTRY* PMPRADMINRELEASEIPADRESS)(WCHAR*, WCHAR*, DWORD*);
typedef DWORD(APIENTRY* PMPRADMINGETIPV6ADDRESSFORUSER)(WCHAR*, WCHAR*, IN6_ADDR*, BOOL*);
typedef VOID(APIENTRY* PMPRADMINRELEASEIPV6ADDRESSFORUSER)(WCHAR*, WCHAR*, IN6_ADDR*);
typedef BOOL(APIENTRY* PMPRADMINACCEPTNEWLINK)(RAS_PORT_0*, RAS_PORT_1*);
typedef VOID(APIENTRY* PMPRADMINLINKHANGUPNOTIFICATION)(RAS_PORT_0*, RAS_PORT_1*);
typedef DWORD(APIENTRY* PMPRADMINTERMINATEDLL)(VOID);
typedef BOOL(APIENTRY* PMPRADMINACCEPTNEWCONNECTIONEX)(RAS_CONNECTION_EX*);
typedef BOOL(APIENTRY* PMPRADMINACCEPTREAUTHENTICATIONEX)(RAS_CONNECTION_EX*);
typedef VOID(APIENTRY* PMPRADMINCONNECTIONHANGUPNOTIFICATIONEX)(RAS_CONNECTION_EX*);

typedef struct _MPRAPI_ADMIN_DLL_CALLBACKS {
  UCHAR revision;
  PMPRADMINGETIPADDRESSFORUSER lpfnMprAdminGetIpAddressForUser;
  PMPRADMINRELEASEIPADRESS lpfnMprAdminReleaseIpAddress;
  PMPRADMINGETIPV6ADDRESSFORUSER lpfnMprAdminGetIpv6AddressForUser;
  PMPRADMINRELEASEIPV6ADDRESSFORUSER lpfnMprAdminReleaseIpV6AddressForUser;
  PMPRADMINACCEPTNEWLINK lpfnRasAdminAcceptNewLink;
  PMPRADMINLINKHANGUPNOTIFICATION lpfnRasAdminLinkHangupNotification;
  PMPRADMINTERMINATEDLL lpfnRasAdminTerminateDll;
  PMPRADMINACCEPTNEWCONNECTIONEX lpfnRasAdminAcceptNewConnectionEx;
  PMPRADMINACCEPTREAUTHENTICATIONEX lpfnRasAdminAcceptReauthenticationEx;
  PMPRADMINCONNECTIONHANGUPNOTIFICATIONEX lpfnRasAdminConnectionHangupNotificationEx;
} MPRAPI_ADMIN_DLL_CALLBACKS, *PMPRAPI_ADMIN_DLL_CALLBACKS;

/* The running router: connect to it, ask about it. */
TP_API DWORD APIENTRY MprAdminServerConnect(LPWSTR lpwsServerName, MPR_SERVER_HANDLE* phMprServer);
TP_API VOID APIENTRY MprAdminServerDisconnect(MPR_SERVER_HANDLE hMprServer);
TP_API DWORD APIENTRY MprAdminServerGetCredentials(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminServerGetInfo(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminServerGetInfoEx(MPR_SERVER_HANDLE hMprServer, MPR_SERVER_EX* pServerInfo);
TP_API DWORD APIENTRY MprAdminServerSetCredentials(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprAdminServerSetInfo(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprAdminServerSetInfoEx(MPR_SERVER_HANDLE hMprServer, MPR_SERVER_SET_CONFIG_EX* pServerInfo);
TP_API DWORD APIENTRY MprAdminIsServiceInitialized(LPWSTR lpwsServerName, BOOL* fIsServiceInitialized);
TP_API BOOL APIENTRY MprAdminIsServiceRunning(LPWSTR lpwsServerName);
TP_API DWORD APIENTRY MprAdminBufferFree(LPVOID pBuffer);
TP_API DWORD APIENTRY MprAdminGetErrorString(DWORD dwError, LPWSTR* lpwsErrorString);

/* Interfaces of the running router. */
TP_API DWORD APIENTRY MprAdminInterfaceConnect(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, HANDLE hEvent,
                                               BOOL fSynchronous);
TP_API DWORD APIENTRY MprAdminInterfaceCreate(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE lpbBuffer,
                                              HANDLE* phInterface);
TP_API DWORD APIENTRY MprAdminInterfaceDelete(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface);
TP_API DWORD APIENTRY MprAdminInterfaceDeviceGetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwIndex,
                                                     DWORD dwLevel, LPBYTE* lplpBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceDeviceSetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwIndex,
                                                     DWORD dwLevel, LPBYTE lplpBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceDisconnect(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface);
TP_API DWORD APIENTRY MprAdminInterfaceEnum(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE* lplpbBuffer,
                                            DWORD dwPrefMaxLen, LPDWORD lpdwEntriesRead, LPDWORD lpdwTotalEntries,
                                            LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprAdminInterfaceGetCredentials(LPWSTR lpwsServer, LPWSTR lpwsInterfaceName, LPWSTR lpwsUserName,
                                                      LPWSTR lpwsPassword, LPWSTR lpwsDomainName);
TP_API DWORD APIENTRY MprAdminInterfaceGetCredentialsEx(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwLevel,
                                                        LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceGetHandle(MPR_SERVER_HANDLE hMprServer, LPWSTR lpwsInterfaceName,
                                                 HANDLE* phInterface, BOOL fIncludeClientInterfaces);
TP_API DWORD APIENTRY MprAdminInterfaceGetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwLevel,
                                               LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceQueryUpdateResult(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                         DWORD dwProtocolId, LPDWORD lpdwUpdateResult);
TP_API DWORD APIENTRY MprAdminInterfaceSetCredentials(LPWSTR lpwsServer, LPWSTR lpwsInterfaceName, LPWSTR lpwsUserName,
                                                      LPWSTR lpwsDomainName, LPWSTR lpwsPassword);
TP_API DWORD APIENTRY MprAdminInterfaceSetCredentialsEx(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwLevel,
                                                        LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceSetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwLevel,
                                               LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprAdminInterfaceTransportAdd(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                    DWORD dwTransportId, LPBYTE pInterfaceInfo,
                                                    DWORD dwInterfaceInfoSize);
TP_API DWORD APIENTRY MprAdminInterfaceTransportGetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                        DWORD dwTransportId, LPBYTE* ppInterfaceInfo,
                                                        LPDWORD lpdwpInterfaceInfoSize);
TP_API DWORD APIENTRY MprAdminInterfaceTransportRemove(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                       DWORD dwTransportId);
TP_API DWORD APIENTRY MprAdminInterfaceTransportSetInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                        DWORD dwTransportId, LPBYTE pInterfaceInfo,
                                                        DWORD dwInterfaceInfoSize);
TP_API DWORD APIENTRY MprAdminInterfaceUpdatePhonebookInfo(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface);
TP_API DWORD APIENTRY MprAdminInterfaceUpdateRoutes(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface, DWORD dwProtocolId,
                                                    HANDLE hEvent);
TP_API DWORD APIENTRY MprAdminDeviceEnum(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE* lplpbBuffer,
                                         LPDWORD lpdwTotalEntries);
TP_API DWORD APIENTRY MprAdminInterfaceSetCustomInfoEx(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                       PMPR_IF_CUSTOMINFOEX pCustomInfo);
TP_API DWORD APIENTRY MprAdminInterfaceGetCustomInfoEx(MPR_SERVER_HANDLE hMprServer, HANDLE hInterface,
                                                       PMPR_IF_CUSTOMINFOEX pCustomInfo);

/* Transports of the running router. */
TP_API DWORD APIENTRY MprAdminTransportCreate(MPR_SERVER_HANDLE hMprServer, DWORD dwTransportId,
                                              LPWSTR lpwsTransportName, LPBYTE pGlobalInfo, DWORD dwGlobalInfoSize,
                                              LPBYTE pClientInterfaceInfo, DWORD dwClientInterfaceInfoSize,
                                              LPWSTR lpwsDLLPath);
TP_API DWORD APIENTRY MprAdminTransportGetInfo(MPR_SERVER_HANDLE hMprServer, DWORD dwTransportId, LPBYTE* ppGlobalInfo,
                                               LPDWORD lpdwGlobalInfoSize, LPBYTE* ppClientInterfaceInfo,
                                               LPDWORD lpdwClientInterfaceInfoSize);
TP_API DWORD APIENTRY MprAdminTransportSetInfo(MPR_SERVER_HANDLE hMprServer, DWORD dwTransportId, LPBYTE pGlobalInfo,
                                               DWORD dwGlobalInfoSize, LPBYTE pClientInterfaceInfo,
                                               DWORD dwClientInterfaceInfoSize);

/* An event is set when a connection comes or goes. */
TP_API DWORD APIENTRY MprAdminRegisterConnectionNotification(MPR_SERVER_HANDLE hMprServer, HANDLE hEventNotification);
TP_API DWORD APIENTRY MprAdminDeregisterConnectionNotification(MPR_SERVER_HANDLE hMprServer, HANDLE hEventNotification);

/* Variables of the router managers and their protocols. */
TP_API DWORD APIENTRY MprAdminMIBBufferFree(LPVOID pBuffer);
TP_API DWORD APIENTRY MprAdminMIBEntryCreate(MIB_SERVER_HANDLE hMibServer, DWORD dwPid, DWORD dwRoutingPid,
                                             LPVOID lpEntry, DWORD dwEntrySize);
TP_API DWORD APIENTRY MprAdminMIBEntryDelete(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                             LPVOID lpEntry, DWORD dwEntrySize);
TP_API DWORD APIENTRY MprAdminMIBEntryGet(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                          LPVOID lpInEntry, DWORD dwInEntrySize, LPVOID* lplpOutEntry,
                                          LPDWORD lpOutEntrySize);
TP_API DWORD APIENTRY MprAdminMIBEntryGetFirst(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                               LPVOID lpInEntry, DWORD dwInEntrySize, LPVOID* lplpOutEntry,
                                               LPDWORD lpOutEntrySize);
TP_API DWORD APIENTRY MprAdminMIBEntryGetNext(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                              LPVOID lpInEntry, DWORD dwInEntrySize, LPVOID* lplpOutEntry,
                                              LPDWORD lpOutEntrySize);
TP_API DWORD APIENTRY MprAdminMIBEntrySet(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                          LPVOID lpEntry, DWORD dwEntrySize);
TP_API DWORD APIENTRY MprAdminMIBGetTrapInfo(MIB_SERVER_HANDLE hMibServer, DWORD dwProtocolId, DWORD dwRoutingPid,
                                             LPVOID lpInData, DWORD dwInDataSize, LPVOID* lplpOutData,
                                             LPDWORD lpOutDataSize);
TP_API DWORD APIENTRY MprAdminMIBServerConnect(LPWSTR lpwsServerName, MIB_SERVER_HANDLE* phMibServer);
TP_API VOID APIENTRY MprAdminMIBServerDisconnect(MIB_SERVER_HANDLE hMibServer);
TP_API DWORD APIENTRY MprAdminMIBSetTrapInfo(DWORD dwProtocolId, DWORD dwRoutingPid, HANDLE hEvent, LPVOID lpInData,
                                             DWORD dwInDataSize, LPVOID* lplpOutData, LPDWORD lpOutDataSize);

/* Connections and ports. */
TP_API DWORD APIENTRY MprAdminConnectionEnum(RAS_SERVER_HANDLE hRasServer, DWORD dwLevel, LPBYTE* lplpbBuffer,
                                             DWORD dwPrefMaxLen, LPDWORD lpdwEntriesRead, LPDWORD lpdwTotalEntries,
                                             LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprAdminConnectionEnumEx(RAS_SERVER_HANDLE hRasServer, PMPRAPI_OBJECT_HEADER pObjectHeader,
                                               DWORD dwPreferedMaxLen, LPDWORD lpdwEntriesRead,
                                               LPDWORD lpdwTotalEntries, PRAS_CONNECTION_EX* ppRasConn,
                                               LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprAdminConnectionGetInfo(RAS_SERVER_HANDLE hRasServer, DWORD dwLevel, HANDLE hConnection,
                                                LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminConnectionGetInfoEx(RAS_SERVER_HANDLE hRasServer, HANDLE hConnection,
                                                  PRAS_CONNECTION_EX pRasConnection);
TP_API DWORD APIENTRY MprAdminConnectionClearStats(RAS_SERVER_HANDLE hRasServer, HANDLE hConnection);
TP_API DWORD APIENTRY MprAdminConnectionRemoveQuarantine(HANDLE hRasServer, HANDLE hRasConnection, BOOL fIsIpAddress);
TP_API DWORD APIENTRY MprAdminPortClearStats(RAS_SERVER_HANDLE hRasServer, HANDLE hPort);
TP_API DWORD APIENTRY MprAdminPortDisconnect(RAS_SERVER_HANDLE hRasServer, HANDLE hPort);
TP_API DWORD APIENTRY MprAdminPortEnum(RAS_SERVER_HANDLE hRasServer, DWORD dwLevel, HANDLE hConnection,
                                       LPBYTE* lplpbBuffer, DWORD dwPrefMaxLen, LPDWORD lpdwEntriesRead,
                                       LPDWORD lpdwTotalEntries, LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprAdminPortGetInfo(RAS_SERVER_HANDLE hRasServer, DWORD dwLevel, HANDLE hPort,
                                          LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprAdminPortReset(RAS_SERVER_HANDLE hRasServer, HANDLE hPort);
TP_API DWORD APIENTRY MprAdminSendUserMessage(MPR_SERVER_HANDLE hMprServer, HANDLE hConnection, LPWSTR lpwszMessage);
TP_API DWORD APIENTRY MprAdminUpdateConnection(RAS_SERVER_HANDLE hRasServer, HANDLE hRasConnection,
                                               RAS_UPDATE_CONNECTION* pRasUpdateConnection);

/* Users and domains. */
TP_API DWORD APIENTRY MprAdminEstablishDomainRasServer(PWCHAR pszDomain, PWCHAR pszMachine, BOOL bEnable);
TP_API DWORD APIENTRY MprAdminGetPDCServer(const WCHAR* lpszDomain, const WCHAR* lpszServer, LPWSTR lpszPDCServer);
TP_API DWORD APIENTRY MprAdminIsDomainRasServer(PWCHAR pszDomain, PWCHAR pszMachine, PBOOL pbIsRasServer);
TP_API DWORD APIENTRY MprAdminUserGetInfo(const WCHAR* lpszServer, const WCHAR* lpszUser, DWORD dwLevel,
                                          LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprAdminUserSetInfo(const WCHAR* lpszServer, const WCHAR* lpszUser, DWORD dwLevel,
                                          const LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprSetupIpInIpInterfaceFriendlyNameCreate(PWCHAR pwszMachineName,
                                                                PMPR_IPINIP_INTERFACE_0 pNameInformation);
TP_API DWORD APIENTRY MprSetupIpInIpInterfaceFriendlyNameDelete(PWCHAR pwszMachineName, GUID* pGuid);
TP_API DWORD APIENTRY MprSetupIpInIpInterfaceFriendlyNameEnum(PWCHAR pwszMachineName, LPBYTE* lplpBuffer,
                                                              LPDWORD lpdwEntriesRead);
TP_API DWORD APIENTRY MprSetupIpInIpInterfaceFriendlyNameFree(LPVOID lpBuffer);

/* The stored configuration: takes effect when the router starts next. */
TP_API DWORD APIENTRY MprConfigBufferFree(LPVOID pBuffer);
TP_API DWORD APIENTRY MprConfigFilterGetInfo(HANDLE hMprConfig, DWORD dwLevel, DWORD dwTransportId, LPBYTE lpBuffer);
TP_API DWORD APIENTRY MprConfigFilterSetInfo(HANDLE hMprConfig, DWORD dwLevel, DWORD dwTransportId, LPBYTE lpBuffer);
TP_API DWORD APIENTRY MprConfigGetFriendlyName(HANDLE hMprConfig, PWCHAR pszGuidName, PWCHAR pszBuffer,
                                               DWORD dwBufferSize);
TP_API DWORD APIENTRY MprConfigGetGuidName(HANDLE hMprConfig, PWCHAR pszFriendlyName, PWCHAR pszBuffer,
                                           DWORD dwBufferSize);
TP_API DWORD APIENTRY MprConfigInterfaceCreate(HANDLE hMprConfig, DWORD dwLevel, LPBYTE lpbBuffer,
                                               HANDLE* phRouterInterface);
TP_API DWORD APIENTRY MprConfigInterfaceDelete(HANDLE hMprConfig, HANDLE hRouterInterface);
TP_API DWORD APIENTRY MprConfigInterfaceEnum(HANDLE hMprConfig, DWORD dwLevel, LPBYTE* lplpBuffer, DWORD dwPrefMaxLen,
                                             LPDWORD lpdwEntriesRead, LPDWORD lpdwTotalEntries,
                                             LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprConfigInterfaceGetHandle(HANDLE hMprConfig, LPWSTR lpwsInterfaceName,
                                                  HANDLE* phRouterInterface);
TP_API DWORD APIENTRY MprConfigInterfaceGetInfo(HANDLE hMprConfig, HANDLE hRouterInterface, DWORD dwLevel,
                                                LPBYTE* lplpBuffer, LPDWORD lpdwBufferSize);
TP_API DWORD APIENTRY MprConfigInterfaceSetInfo(HANDLE hMprConfig, HANDLE hRouterInterface, DWORD dwLevel,
                                                LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprConfigInterfaceTransportAdd(HANDLE hMprConfig, HANDLE hRouterInterface, DWORD dwTransportId,
                                                     LPWSTR lpwsTransportName, LPBYTE pInterfaceInfo,
                                                     DWORD dwInterfaceInfoSize, HANDLE* phRouterIfTransport);
TP_API DWORD APIENTRY MprConfigInterfaceTransportEnum(HANDLE hMprConfig, HANDLE hRouterInterface, DWORD dwLevel,
                                                      LPBYTE* lplpBuffer, DWORD dwPrefMaxLen, LPDWORD lpdwEntriesRead,
                                                      LPDWORD lpdwTotalEntries, LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprConfigInterfaceTransportGetHandle(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                           DWORD dwTransportId, HANDLE* phRouterIfTransport);
TP_API DWORD APIENTRY MprConfigInterfaceTransportGetInfo(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                         HANDLE hRouterIfTransport, LPBYTE* ppInterfaceInfo,
                                                         LPDWORD lpdwInterfaceInfoSize);
TP_API DWORD APIENTRY MprConfigInterfaceTransportRemove(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                        HANDLE hRouterIfTransport);
TP_API DWORD APIENTRY MprConfigInterfaceTransportSetInfo(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                         HANDLE hRouterIfTransport, LPBYTE pInterfaceInfo,
                                                         DWORD dwInterfaceInfoSize);
TP_API DWORD APIENTRY MprConfigServerBackup(HANDLE hMprConfig, LPWSTR lpwsPath);
TP_API DWORD APIENTRY MprConfigServerConnect(LPWSTR lpwsServerName, HANDLE* phMprConfig);
TP_API VOID APIENTRY MprConfigServerDisconnect(HANDLE hMprConfig);
TP_API DWORD APIENTRY MprConfigServerGetInfo(HANDLE hMprConfig, DWORD dwLevel, LPBYTE* lplpbBuffer);
TP_API DWORD APIENTRY MprConfigServerGetInfoEx(HANDLE hMprConfig, MPR_SERVER_EX* pServerInfo);
TP_API DWORD APIENTRY MprConfigServerInstall(DWORD dwLevel, PVOID pBuffer);
TP_API DWORD APIENTRY MprConfigServerRefresh(HANDLE hMprConfig);
TP_API DWORD APIENTRY MprConfigServerRestore(HANDLE hMprConfig, LPWSTR lpwsPath);
TP_API DWORD APIENTRY MprConfigServerSetInfo(MPR_SERVER_HANDLE hMprServer, DWORD dwLevel, LPBYTE lpbBuffer);
TP_API DWORD APIENTRY MprConfigServerSetInfoEx(HANDLE hMprConfig, MPR_SERVER_SET_CONFIG_EX* pSetServerConfig);
TP_API DWORD APIENTRY MprConfigTransportCreate(HANDLE hMprConfig, DWORD dwTransportId, LPWSTR lpwsTransportName,
                                               LPBYTE pGlobalInfo, DWORD dwGlobalInfoSize, LPBYTE pClientInterfaceInfo,
                                               DWORD dwClientInterfaceInfoSize, LPWSTR lpwsDLLPath,
                                               HANDLE* phRouterTransport);
TP_API DWORD APIENTRY MprConfigTransportDelete(HANDLE hMprConfig, HANDLE hRouterTransport);
TP_API DWORD APIENTRY MprConfigTransportEnum(HANDLE hMprConfig, DWORD dwLevel, LPBYTE* lplpBuffer, DWORD dwPrefMaxLen,
                                             LPDWORD lpdwEntriesRead, LPDWORD lpdwTotalEntries,
                                             LPDWORD lpdwResumeHandle);
TP_API DWORD APIENTRY MprConfigTransportGetHandle(HANDLE hMprConfig, DWORD dwTransportId, HANDLE* phRouterTransport);
TP_API DWORD APIENTRY MprConfigTransportGetInfo(HANDLE hMprConfig, HANDLE hRouterTransport, LPBYTE* ppGlobalInfo,
                                                LPDWORD lpdwGlobalInfoSize, LPBYTE* ppClientInterfaceInfo,
                                                LPDWORD lpdwClientInterfaceInfoSize, LPWSTR* lplpwsDLLPath);
TP_API DWORD APIENTRY MprConfigTransportSetInfo(HANDLE hMprConfig, HANDLE hRouterTransport, LPBYTE pGlobalInfo,
                                                DWORD dwGlobalInfoSize, LPBYTE pClientInterfaceInfo,
                                                DWORD dwClientInterfaceInfoSize, LPWSTR lpwsDLLPath);
TP_API DWORD APIENTRY MprConfigInterfaceSetCustomInfoEx(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                        PMPR_IF_CUSTOMINFOEX pCustomInfo);
TP_API DWORD APIENTRY MprConfigInterfaceGetCustomInfoEx(HANDLE hMprConfig, HANDLE hRouterInterface,
                                                        PMPR_IF_CUSTOMINFOEX pCustomInfo);

/* Information headers in memory, see <rtinfo.h>; each call makes a new header, none changes the old one. */
TP_API DWORD APIENTRY MprInfoBlockAdd(LPVOID lpHeader, DWORD dwInfoType, DWORD dwItemSize, DWORD dwItemCount,
                                      LPBYTE lpItemData, LPVOID* lplpNewHeader);
TP_API DWORD APIENTRY MprInfoBlockFind(LPVOID lpHeader, DWORD dwInfoType, LPDWORD lpdwItemSize, LPDWORD lpdwItemCount,
                                       LPBYTE* lplpItemData);
TP_API DWORD APIENTRY MprInfoBlockQuerySize(LPVOID lpHeader);
TP_API DWORD APIENTRY MprInfoBlockRemove(LPVOID lpHeader, DWORD dwInfoType, LPVOID* lplpNewHeader);
TP_API DWORD APIENTRY MprInfoBlockSet(LPVOID lpHeader, DWORD dwInfoType, DWORD dwItemSize, DWORD dwItemCount,
                                      LPBYTE lpItemData, LPVOID* lplpNewHeader);
TP_API DWORD APIENTRY MprInfoCreate(DWORD dwVersion, LPVOID* lplpNewHeader);
TP_API DWORD APIENTRY MprInfoDelete(LPVOID lpHeader);
TP_API DWORD APIENTRY MprInfoDuplicate(LPVOID lpHeader, LPVOID* lplpNewHeader);
TP_API DWORD APIENTRY MprInfoRemoveAll(LPVOID lpHeader, LPVOID* lplpNewHeader);
#define MprInfoBlockExists(h, t) (MprInfoBlockFind((h), (t), NULL, NULL, NULL) == NO_ERROR)

/* Functions that an administration plug-in defines and the router calls: declared here, not in any library of ours. */
BOOL CALLBACK MprAdminAcceptNewConnection(RAS_CONNECTION_0* pRasConnection0, RAS_CONNECTION_1* pRasConnection1);
BOOL CALLBACK MprAdminAcceptNewConnection2(RAS_CONNECTION_0* pRasConnection0, RAS_CONNECTION_1* pRasConnection1,
                                           RAS_CONNECTION_2* pRasConnection2);
BOOL CALLBACK MprAdminAcceptNewConnection3(RAS_CONNECTION_0* pRasConnection0, RAS_CONNECTION_1* pRasConnection1,
                                           RAS_CONNECTION_2* pRasConnection2, RAS_CONNECTION_3* pRasConnection3);
BOOL CALLBACK MprAdminAcceptNewLink(RAS_PORT_0* pRasPort0, RAS_PORT_1* pRasPort1);
BOOL CALLBACK MprAdminAcceptReauthentication(RAS_CONNECTION_0* pRasConnection0, RAS_CONNECTION_1* pRasConnection1,
                                             RAS_CONNECTION_2* pRasConnection2, RAS_CONNECTION_3* pRasConnection3);
VOID CALLBACK MprAdminConnectionHangupNotification(RAS_CONNECTION_0* pRasConnection0,
                                                   RAS_CONNECTION_1* pRasConnection1);
VOID CALLBACK MprAdminConnectionHangupNotification2(RAS_CONNECTION_0* pRasConnection0,
                                                    RAS_CONNECTION_1* pRasConnection1,
                                                    RAS_CONNECTION_2* pRasConnection2);
VOID CALLBACK MprAdminConnectionHangupNotification3(RAS_CONNECTION_0* pRasConnection0,
                                                    RAS_CONNECTION_1* pRasConnection1,
                                                    RAS_CONNECTION_2* pRasConnection2,
                                                    RAS_CONNECTION_3* pRasConnection3);
DWORD CALLBACK MprAdminGetIpAddressForUser(WCHAR* lpwszUserName, WCHAR* lpwszPortName, DWORD* lpdwIpAddress,
                                           BOOL* bNotifyRelease);
DWORD CALLBACK MprAdminGetIpv6AddressForUser(WCHAR* lpwszUserName, WCHAR* lpwszPortName, IN6_ADDR* lpdwIpv6Address,
                                             BOOL* bNotifyRelease);
DWORD CALLBACK MprAdminInitializeDll(VOID);
DWORD CALLBACK MprAdminInitializeDllEx(PMPRAPI_ADMIN_DLL_CALLBACKS pAdminCallbacks);
VOID CALLBACK MprAdminLinkHangupNotification(RAS_PORT_0* pRasPort0, RAS_PORT_1* pRasPort1);
VOID CALLBACK MprAdminReleaseIpAddress(WCHAR* lpszUserName, WCHAR* lpszPortName, DWORD* lpdwIpAddress);
DWORD CALLBACK MprAdminReleaseIpv6AddressForUser(WCHAR* lpwszUserName, WCHAR* lpwszPortName, IN6_ADDR* lpdwIpv6Address);
DWORD CALLBACK MprAdminTerminateDll(VOID);
BOOL CALLBACK MprAdminAcceptNewConnectionEx(RAS_CONNECTION_EX* pRasConnection);
BOOL CALLBACK MprAdminAcceptReauthenticationEx(RAS_CONNECTION_EX* pRasConnection);
VOID CALLBACK MprAdminConnectionHangupNotificationEx(RAS_CONNECTION_EX* pRasConnection);

TP_END

#endif
