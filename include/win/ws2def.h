/* Addresses and buffers of Winsock. The structures are Linux's, so they pass between both kinds of call; the numbers of
 * families, levels and options are Linux's too, and a client uses their names. */
#ifndef _WS2DEF_
#define _WS2DEF_

#include "inaddr.h"
#include "turnpike_sockets.h"

typedef USHORT ADDRESS_FAMILY;

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;

typedef struct _SOCKET_ADDRESS {
  LPSOCKADDR lpSockaddr;
  INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

typedef struct _SOCKET_ADDRESS_LIST {
  INT iAddressCount;
  SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

#define SIZEOF_SOCKET_ADDRESS_LIST(AddressCount) \
  (offsetof(SOCKET_ADDRESS_LIST, Address) + (AddressCount) * sizeof(SOCKET_ADDRESS))

typedef struct _WSABUF {
  ULONG len;
  CHAR* buf;
} WSABUF, *LPWSABUF;

typedef struct _WSAMSG {
  LPSOCKADDR name;
  INT namelen;
  LPWSABUF lpBuffers;
  ULONG dwBufferCount;
  WSABUF Control;
  ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;

typedef struct cmsghdr WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;
#define WSA_CMSG_DATA(cmsg) CMSG_DATA(cmsg)
#define WSA_CMSG_SPACE(length) CMSG_SPACE(length)
#define WSA_CMSG_LEN(length) CMSG_LEN(length)
#define WSA_CMSG_FIRSTHDR(msg)                                                                             \
  ((msg)->Control.len >= sizeof(WSACMSGHDR) ? TP_POINTER(LPWSACMSGHDR, TP_CAST(void*, (msg)->Control.buf)) \
                                            : TP_POINTER(LPWSACMSGHDR, TP_CAST(ULONG_PTR, 0)))
#define WSA_CMSG_NXTHDR(msg, cmsg) tp_next_control((msg), (cmsg))

static __inline LPWSACMSGHDR tp_next_control(const WSAMSG* message, LPWSACMSGHDR control) {
  const ULONG_PTR end = TP_BITS(message->Control.buf) + message->Control.len;
  const ULONG_PTR next = TP_BITS(control) + CMSG_ALIGN(control->cmsg_len);
  const int is_there = control->cmsg_len >= sizeof(WSACMSGHDR) && next + sizeof(WSACMSGHDR) <= end;
  return TP_POINTER(LPWSACMSGHDR, is_there ? next : TP_CAST(ULONG_PTR, 0));
}

/* Windows' own, for which Linux has no number. */
#define SO_EXCLUSIVEADDRUSE (~SO_REUSEADDR)
#define SO_DONTLINGER (~SO_LINGER)
#define SO_MAX_MSG_SIZE 0x2003
#define SO_CONNECT_TIME 0x700C
#define SO_UPDATE_ACCEPT_CONTEXT 0x700B
#define SO_UPDATE_CONNECT_CONTEXT 0x7010
#define MSG_BCAST 0x0400   /* told by WSARecvMsg, beside MSG_TRUNC and MSG_CTRUNC, where IP_PKTINFO or IPV6_PKTINFO */
#define MSG_MCAST 0x0800   /* is asked for: the datagram was sent to all, to a group */
#define MSG_PARTIAL 0x8000 /* told by WSARecv: more of the message is to come; taken by no function */

#define IOC_UNIX 0x00000000u
#define IOC_WS2 0x08000000u
#define IOC_PROTOCOL 0x10000000u
#define IOC_VENDOR 0x18000000u
#define IOC_VOID 0x20000000u
#ifndef IOC_OUT
#define IOC_OUT 0x40000000u
#define IOC_IN 0x80000000u
#define IOC_INOUT (IOC_IN | IOC_OUT)
#endif
#define _WSAIO(x, y) (0x20000000u | (x) | (y))
#define _WSAIOR(x, y) (0x40000000u | (x) | (y))
#define _WSAIOW(x, y) (0x80000000u | (x) | (y))
#define _WSAIORW(x, y) (0xC0000000u | (x) | (y))

#define SIO_ADDRESS_LIST_QUERY _WSAIOR(IOC_WS2, 22)
#define SIO_GET_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 6)
#define SIO_ROUTING_INTERFACE_QUERY _WSAIORW(IOC_WS2, 20)
#define SIO_GET_INTERFACE_LIST 0x4004747Fu /* IPv4's; an INTERFACE_INFO for each address */
#define SIO_KEEPALIVE_VALS _WSAIOW(IOC_VENDOR, 4)
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#define SIO_RCVALL _WSAIOW(IOC_VENDOR, 1)
#define SIO_RCVALL_MCAST _WSAIOW(IOC_VENDOR, 2)
#define SIO_RCVALL_IGMPMCAST _WSAIOW(IOC_VENDOR, 3)

#endif
