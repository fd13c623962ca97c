/* Winsock. Every function answers SOCKET_ERROR (INVALID_SOCKET, FALSE, WSA_INVALID_EVENT where it returns such) and
 * says why by WSAGetLastError(): WSANOTINITIALISED before WSAStartup, WSAENOTSOCK for a socket that is null, closed or
 * none, WSAEFAULT for a null or short buffer, WSAEINVAL for what makes no sense now. errno is not for the client.
 *
 * How these names live beside those of <sys/socket.h>: turnpike_sockets.h. */
#ifndef _WINSOCK2API_
#define _WINSOCK2API_
#define _WINSOCKAPI_

#include "guiddef.h"
#include "turnpike_sockets.h"
#include "windows.h"
#include "ws2def.h"

#ifndef WINSOCK_VERSION
#define WINSOCK_VERSION MAKEWORD(2, 2)
#endif
#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128

typedef struct WSAData {
  WORD wVersion;
  WORD wHighVersion;
  unsigned short iMaxSockets;
  unsigned short iMaxUdpDg;
  char* lpVendorInfo;
  char szDescription[WSADESCRIPTION_LEN + 1];
  char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

typedef struct hostent HOSTENT, *PHOSTENT, *LPHOSTENT;
typedef struct servent SERVENT, *PSERVENT, *LPSERVENT;
typedef struct protoent PROTOENT, *PPROTOENT, *LPPROTOENT;
typedef struct linger LINGER, *PLINGER, *LPLINGER;
typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;
typedef unsigned int GROUP;

#define CF_ACCEPT 0
#define CF_REJECT 1
#define CF_DEFER 2

#define SD_RECEIVE 0x00
#define SD_SEND 0x01
#define SD_BOTH 0x02

#ifndef TCP_NODELAY
#define TCP_NODELAY 1
#endif

#define WSA_FLAG_OVERLAPPED 0x01u
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80u

/* Of a protocol; there is no list of them here, and WSASocket wants a null. */
#define MAX_PROTOCOL_CHAIN 7
#define WSAPROTOCOL_LEN 255
typedef struct _WSAPROTOCOLCHAIN {
  int ChainLen;
  DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

#define TP_PROTOCOL_MEMBERS       \
  DWORD dwServiceFlags1;          \
  DWORD dwServiceFlags2;          \
  DWORD dwServiceFlags3;          \
  DWORD dwServiceFlags4;          \
  DWORD dwProviderFlags;          \
  GUID ProviderId;                \
  DWORD dwCatalogEntryId;         \
  WSAPROTOCOLCHAIN ProtocolChain; \
  int iVersion;                   \
  int iAddressFamily;             \
  int iMaxSockAddr;               \
  int iMinSockAddr;               \
  int iSocketType;                \
  int iProtocol;                  \
  int iProtocolMaxOffset;         \
  int iNetworkByteOrder;          \
  int iSecurityScheme;            \
  DWORD dwMessageSize;            \
  DWORD dwProviderReserved;
typedef struct _WSAPROTOCOL_INFOA {
  TP_PROTOCOL_MEMBERS
  CHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;
typedef struct _WSAPROTOCOL_INFOW {
  TP_PROTOCOL_MEMBERS
  WCHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;
#undef TP_PROTOCOL_MEMBERS

/* A set of sockets: an array of them, not a map of bits. FD_SETSIZE (64) may be defined larger before this header is
 * included; each set has the size that it was compiled with. */
typedef struct tp_fd_set {
  u_int fd_count;
  SOCKET fd_array[FD_SETSIZE];
} tp_fd_set, FD_SET, *PFD_SET, *LPFD_SET;

static __inline int tp_fd_isset(SOCKET socket_, const tp_fd_set* set) {
  u_int i;
  for (i = 0; i < set->fd_count; ++i) {
    if (set->fd_array[i] == socket_) {
      return 1;
    }
  }
  return 0;
}

static __inline void tp_fd_add(SOCKET socket_, tp_fd_set* set) {
  if (set->fd_count < FD_SETSIZE && !tp_fd_isset(socket_, set)) {
    set->fd_array[set->fd_count++] = socket_;
  }
}

static __inline void tp_fd_remove(SOCKET socket_, tp_fd_set* set) {
  u_int i;
  for (i = 0; i < set->fd_count; ++i) {
    if (set->fd_array[i] == socket_) {
      for (--set->fd_count; i < set->fd_count; ++i) {
        set->fd_array[i] = set->fd_array[i + 1];
      }
      return;
    }
  }
}

#undef FD_SET
#undef FD_CLR
#undef FD_ISSET
#undef FD_ZERO
#define FD_SET(socket_, set) tp_fd_add((socket_), (set))
#define FD_CLR(socket_, set) tp_fd_remove((socket_), (set))
#define FD_ISSET(socket_, set) tp_fd_isset((socket_), (set))
#define FD_ZERO(set) ((void)((set)->fd_count = 0))
#define fd_set tp_fd_set

#include <poll.h>

/* Linux's structure has an int in front; the flags POLLIN, POLLOUT … are Linux's. */
typedef struct tp_pollfd {
  SOCKET fd;
  SHORT events;
  SHORT revents;
} WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;

typedef HANDLE WSAEVENT, *LPWSAEVENT;
#define WSA_INVALID_EVENT TP_POINTER(WSAEVENT, TP_CAST(ULONG_PTR, 0))
#define WSA_MAXIMUM_WAIT_EVENTS 64
#define WSA_WAIT_FAILED WAIT_FAILED
#define WSA_WAIT_EVENT_0 WAIT_OBJECT_0
#define WSA_WAIT_IO_COMPLETION WAIT_IO_COMPLETION
#define WSA_WAIT_TIMEOUT WAIT_TIMEOUT
#define WSA_INFINITE INFINITE

#define FD_READ_BIT 0
#define FD_WRITE_BIT 1
#define FD_OOB_BIT 2
#define FD_ACCEPT_BIT 3
#define FD_CONNECT_BIT 4
#define FD_CLOSE_BIT 5
#define FD_QOS_BIT 6
#define FD_GROUP_QOS_BIT 7
#define FD_ROUTING_INTERFACE_CHANGE_BIT 8
#define FD_ADDRESS_LIST_CHANGE_BIT 9
#define FD_MAX_EVENTS 10
#define FD_READ (1 << FD_READ_BIT)
#define FD_WRITE (1 << FD_WRITE_BIT)
#define FD_OOB (1 << FD_OOB_BIT)
#define FD_ACCEPT (1 << FD_ACCEPT_BIT)
#define FD_CONNECT (1 << FD_CONNECT_BIT)
#define FD_CLOSE (1 << FD_CLOSE_BIT)
#define FD_QOS (1 << FD_QOS_BIT)
#define FD_GROUP_QOS (1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE (1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE (1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_ALL_EVENTS ((1 << FD_MAX_EVENTS) - 1)

typedef struct _WSANETWORKEVENTS {
  int lNetworkEvents; /* a LONG, as everywhere 32 bits */
  int iErrorCode[FD_MAX_EVENTS];
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;

/* Qualities of service are taken by WSAConnect and not looked at. */
typedef ULONG SERVICETYPE;
typedef struct _flowspec {
  ULONG TokenRate;
  ULONG TokenBucketSize;
  ULONG PeakBandwidth;
  ULONG Latency;
  ULONG DelayVariation;
  SERVICETYPE ServiceType;
  ULONG MaxSduSize;
  ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

typedef struct _QualityOfService {
  FLOWSPEC SendingFlowspec;
  FLOWSPEC ReceivingFlowspec;
  WSABUF ProviderSpecific;
} QOS, *LPQOS;

/* What WSAAccept asks: CF_ACCEPT, CF_REJECT, CF_DEFER. No protocol here has callers' data or qualities: those are null,
 * and there is no room for the callee's. */
typedef int(CALLBACK* LPCONDITIONPROC)(LPWSABUF lpCallerId, LPWSABUF lpCallerData, LPQOS lpSQOS, LPQOS lpGQOS,
                                       LPWSABUF lpCalleeId, LPWSABUF lpCalleeData, GROUP* g, DWORD_PTR dwCallbackData);

typedef OVERLAPPED WSAOVERLAPPED, *LPWSAOVERLAPPED;
typedef void(CALLBACK* LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwError, DWORD cbTransferred,
                                                           LPWSAOVERLAPPED lpOverlapped, DWORD dwFlags);

#include "turnpike_winsock.h"

#endif
