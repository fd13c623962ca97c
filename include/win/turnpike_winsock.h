/* The functions of <winsock2.h>. In C++ they have C++ linkage (and their own symbols all the same), because functions
 * of C linkage cannot overload those of <sys/socket.h>. */
#ifndef TURNPIKE_WINSOCK_H
#define TURNPIKE_WINSOCK_H

#include "winsock2.h"

#if defined(TP_BESIDE_SOCKETS) && !defined(__cplusplus)
#define accept tp_accept
#define bind tp_bind
#define connect tp_connect
#define getpeername tp_getpeername
#define getsockname tp_getsockname
#define getsockopt tp_getsockopt
#define listen tp_listen
#define recv tp_recv
#define recvfrom tp_recvfrom
#define send tp_send
#define sendto tp_sendto
#define setsockopt tp_setsockopt
#define shutdown tp_shutdown
#define socket tp_socket
#endif
#ifndef __cplusplus
#define select tp_select
#endif
#define gethostname tp_gethostname

#ifdef __cplusplus
extern "C++" {
#ifdef TP_BESIDE_SOCKETS
namespace turnpike_abi {
#endif
#endif

SOCKET WSAAPI socket(int af, int type, int protocol) TP_SHIM(socket);
SOCKET WSAAPI accept(SOCKET s, struct sockaddr* addr, int* addrlen) TP_SHIM(accept);
int WSAAPI bind(SOCKET s, const struct sockaddr* name, int namelen) TP_SHIM(bind);
int WSAAPI connect(SOCKET s, const struct sockaddr* name, int namelen) TP_SHIM(connect);
int WSAAPI getpeername(SOCKET s, struct sockaddr* name, int* namelen) TP_SHIM(getpeername);
int WSAAPI getsockname(SOCKET s, struct sockaddr* name, int* namelen) TP_SHIM(getsockname);
int WSAAPI getsockopt(SOCKET s, int level, int optname, char* optval, int* optlen) TP_SHIM(getsockopt);
int WSAAPI listen(SOCKET s, int backlog) TP_SHIM(listen);
int WSAAPI recv(SOCKET s, char* buf, int len, int flags) TP_SHIM(recv);
int WSAAPI recvfrom(SOCKET s, char* buf, int len, int flags, struct sockaddr* from, int* fromlen) TP_SHIM(recvfrom);
int WSAAPI send(SOCKET s, const char* buf, int len, int flags) TP_SHIM(send);
int WSAAPI sendto(SOCKET s, const char* buf, int len, int flags, const struct sockaddr* to, int tolen) TP_SHIM(sendto);
int WSAAPI setsockopt(SOCKET s, int level, int optname, const char* optval, int optlen) TP_SHIM(setsockopt);
int WSAAPI shutdown(SOCKET s, int how) TP_SHIM(shutdown);

#ifdef __cplusplus
#ifdef TP_BESIDE_SOCKETS
}  // namespace turnpike_abi

// Overloads of what <sys/socket.h> declares. Lengths are of whatever type they come in: were they converted here, a
// call with a size_t would be as near to Linux's function as to this one.
#define socket(...) turnpike_abi::socket(__VA_ARGS__)
inline SOCKET accept(SOCKET s, struct sockaddr* addr, int* addrlen) { return turnpike_abi::accept(s, addr, addrlen); }
template <class Length>
inline int bind(SOCKET s, const struct sockaddr* name, Length namelen) {
  return turnpike_abi::bind(s, name, static_cast<int>(namelen));
}
template <class Length>
inline int connect(SOCKET s, const struct sockaddr* name, Length namelen) {
  return turnpike_abi::connect(s, name, static_cast<int>(namelen));
}
inline int getpeername(SOCKET s, struct sockaddr* name, int* namelen) {
  return turnpike_abi::getpeername(s, name, namelen);
}
inline int getsockname(SOCKET s, struct sockaddr* name, int* namelen) {
  return turnpike_abi::getsockname(s, name, namelen);
}
inline int getsockopt(SOCKET s, int level, int optname, char* optval, int* optlen) {
  return turnpike_abi::getsockopt(s, level, optname, optval, optlen);
}
inline int listen(SOCKET s, int backlog) { return turnpike_abi::listen(s, backlog); }
template <class Length>
inline int recv(SOCKET s, char* buf, Length len, int flags) {
  return turnpike_abi::recv(s, buf, static_cast<int>(len), flags);
}
template <class Length>
inline int recvfrom(SOCKET s, char* buf, Length len, int flags, struct sockaddr* from, int* fromlen) {
  return turnpike_abi::recvfrom(s, buf, static_cast<int>(len), flags, from, fromlen);
}
template <class Length>
inline int send(SOCKET s, const char* buf, Length len, int flags) {
  return turnpike_abi::send(s, buf, static_cast<int>(len), flags);
}
template <class Length, class OtherLength>
inline int sendto(SOCKET s, const char* buf, Length len, int flags, const struct sockaddr* to, OtherLength tolen) {
  return turnpike_abi::sendto(s, buf, static_cast<int>(len), flags, to, static_cast<int>(tolen));
}
template <class Length>
inline int setsockopt(SOCKET s, int level, int optname, const char* optval, Length optlen) {
  return turnpike_abi::setsockopt(s, level, optname, optval, static_cast<int>(optlen));
}
inline int shutdown(SOCKET s, int how) { return turnpike_abi::shutdown(s, how); }
#endif

/* With null for every set, a call means Linux's function, which sleeps; Winsock's would answer WSAEINVAL. */
int WSAAPI select(int nfds, tp_fd_set* readfds, tp_fd_set* writefds, tp_fd_set* exceptfds,
                  const struct timeval* timeout) TP_SHIM(select);
}
#else
int WSAAPI select(int nfds, tp_fd_set* readfds, tp_fd_set* writefds, tp_fd_set* exceptfds,
                  const struct timeval* timeout) TP_SHIM(select);
#endif

TP_BEGIN

/* Each WSAStartup wants its WSACleanup; the last of these closes the sockets that are left. */
int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData) TP_SHIM(WSAStartup);
int WSAAPI WSACleanup(void) TP_SHIM(WSACleanup);

/* GetLastError and SetLastError by another name. */
int WSAAPI WSAGetLastError(void) TP_SHIM(WSAGetLastError);
void WSAAPI WSASetLastError(int iError) TP_SHIM(WSASetLastError);

/* A protocol information must be null; the group is not looked at. */
SOCKET WSAAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP g, DWORD dwFlags)
    TP_SHIM(WSASocketA);
SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags)
    TP_SHIM(WSASocketW);

/* connect with more to say. Data for the callee: WSAEPROTONOSUPPORT, as no protocol here brings it there; the callee's
 * has length 0; qualities of service are not looked at. */
int WSAAPI WSAConnect(SOCKET s, const struct sockaddr* name, int namelen, LPWSABUF lpCallerData, LPWSABUF lpCalleeData,
                      LPQOS lpSQOS, LPQOS lpGQOS) TP_SHIM(WSAConnect);

/* accept, if the client's function says so: WSAECONNREFUSED where it rejects, WSATRY_AGAIN where it defers, and then
 * the next call that accepts asks about the same connection again. To the peer the connection is made before: what is
 * rejected is reset. */
SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr* addr, LPINT addrlen, LPCONDITIONPROC lpfnCondition,
                        DWORD_PTR dwCallbackData) TP_SHIM(WSAAccept);

/* shutdown of one direction of a connection. Data beside it: WSAENOPROTOOPT; on anything but a stream: WSAENOTCONN. */
int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData) TP_SHIM(WSASendDisconnect);
int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData) TP_SHIM(WSARecvDisconnect);

/* Blocking calls of other threads on the socket end with WSAEINTR. */
int WSAAPI closesocket(SOCKET s) TP_SHIM(closesocket);
int WSAAPI ioctlsocket(SOCKET s, long cmd, u_long* argp) TP_SHIM(ioctlsocket);
/* A socket in several sets counts several times. WSAPoll: a negative or ~0 socket is passed over, a bad one has
 * POLLNVAL. */
int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout) TP_SHIM(WSAPoll);
int WSAAPI gethostname(char* name, int namelen) TP_SHIM(gethostname);

#ifdef TP_KERNEL_SOCKETS
/* What <arpa/inet.h> and <netinet/in.h> would have brought. */
unsigned int inet_addr(const char* cp);
char* inet_ntoa(struct in_addr in);
unsigned int htonl(unsigned int hostlong);
unsigned int ntohl(unsigned int netlong);
unsigned short htons(unsigned short hostshort);
unsigned short ntohs(unsigned short netshort);
#endif

/* Signals the event when one of lNetworkEvents happens, and makes the socket non-blocking for good. 0 ends it. The
 * quality of service and the changes of routes and addresses may be asked for, and never happen. */
int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, long lNetworkEvents) TP_SHIM(WSAEventSelect);
int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject, LPWSANETWORKEVENTS lpNetworkEvents)
    TP_SHIM(WSAEnumNetworkEvents);

/* A manual-reset event of the shim by another name. */
WSAEVENT WSAAPI WSACreateEvent(void) TP_SHIM(WSACreateEvent);
BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent) TP_SHIM(WSACloseEvent);
BOOL WSAAPI WSASetEvent(WSAEVENT hEvent) TP_SHIM(WSASetEvent);
BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent) TP_SHIM(WSAResetEvent);
DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT* lphEvents, BOOL fWaitAll, DWORD dwTimeout,
                                      BOOL fAlertable) TP_SHIM(WSAWaitForMultipleEvents);

/* With an OVERLAPPED, on a socket that was made for it: 0 where it was done at once, else SOCKET_ERROR with
 * WSA_IO_PENDING. In both cases the event is signalled, and the completion routine called in an alertable wait of this
 * thread, or the function of BindIoCompletionCallback, exactly once. Any other error: nothing follows. */
int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
    TP_SHIM(WSARecv);
int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                       struct sockaddr* lpFrom, LPINT lpFromlen, LPWSAOVERLAPPED lpOverlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) TP_SHIM(WSARecvFrom);
int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
    TP_SHIM(WSASend);
int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                     const struct sockaddr* lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) TP_SHIM(WSASendTo);
int WSAAPI WSASendMsg(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent,
                      LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
    TP_SHIM(WSASendMsg);
BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer, BOOL fWait,
                                   LPDWORD lpdwFlags) TP_SHIM(WSAGetOverlappedResult);

/* FIONBIO, FIONREAD, SIOCATMARK; SIO_ADDRESS_LIST_QUERY, SIO_GET_EXTENSION_FUNCTION_POINTER, SIO_GET_INTERFACE_LIST,
 * SIO_ROUTING_INTERFACE_QUERY, SIO_UDP_CONNRESET. Others, and any with an OVERLAPPED: WSAEOPNOTSUPP. A buffer that is
 * too short: WSAEFAULT, and lpcbBytesReturned says what is needed. */
int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer, LPVOID lpvOutBuffer,
                    DWORD cbOutBuffer, LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED lpOverlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) TP_SHIM(WSAIoctl);

TP_END

#ifdef UNICODE
#define WSASocket WSASocketW
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#else
#define WSASocket WSASocketA
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#endif

#endif
