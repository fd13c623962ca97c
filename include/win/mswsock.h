/* Extensions of Winsock: functions of which SIO_GET_EXTENSION_FUNCTION_POINTER tells the address. Of any other
 * identifier it says WSAEINVAL.
 *
 * A WSAMSG brings its data with what is known beside it, in control messages of the kinds that the client has asked for
 * (setsockopt: IP_PKTINFO, IP_RECVTTL, IPV6_PKTINFO …) and reads with the macros WSA_CMSG_…. Both functions are for
 * datagrams and raw sockets; for streams they answer WSAEOPNOTSUPP. In a message that is sent, the address of an
 * IN_PKTINFO is the one that it comes from, its index the interface that it leaves by; 0 leaves either open. */
#ifndef _MSWSOCK_
#define _MSWSOCK_

#include "guiddef.h"
#include "winsock2.h"

typedef INT(WSAAPI* LPFN_WSARECVMSG)(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
                                     LPWSAOVERLAPPED lpOverlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
#define WSAID_WSARECVMSG {0xf689d7c8, 0x6f1f, 0x436b, {0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22}}

typedef INT(WSAAPI* LPFN_WSASENDMSG)(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent,
                                     LPWSAOVERLAPPED lpOverlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
#define WSAID_WSASENDMSG {0xa441e712, 0x754f, 0x43ca, {0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d}}

#endif
