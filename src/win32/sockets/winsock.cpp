// Making sockets, and giving them addresses and peers.
#include <winsock2.h>
#include <ws2ipdef.h>

#include <utility>

#include "win32/sockets/system_sockets.h"
#include "win32/sockets/winsock_addresses.h"
#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

std::uint32_t check_kind(int family, int type, DWORD flags) {
  if (family != AF_INET && family != AF_INET6) {
    return WSAEAFNOSUPPORT;
  }
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_RAW) {
    return WSAESOCKTNOSUPPORT;
  }
  return (flags & ~(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)) != 0 ? WSAEINVAL : 0;
}

// Where Winsock's sockets begin otherwise than Linux's: a listener may follow another on the port at once, a socket of
// IPv6 takes no IPv4, and a group is heard by those who have joined it, on the interface where they did.
void set_defaults(const Socket& socket) {
  const int descriptor = socket.descriptor();
  if (socket.is_stream()) {
    system_sockets::set_number(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  } else if (socket.family == AF_INET) {
    system_sockets::set_number(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  } else {
    system_sockets::set_number(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  }
  if (socket.family == AF_INET6) {
    system_sockets::set_number(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
}

SOCKET open_socket(int family, int type, int protocol, DWORD flags) {
  Descriptor descriptor;
  std::uint32_t error = check_kind(family, type, flags);
  error = error != 0 ? error : system_sockets::open(family, type, protocol, descriptor);
  if (error != 0) {
    return fail_with(error, INVALID_SOCKET);
  }
  Ref<Socket> socket = make_object<Socket>(std::move(descriptor), family, type);
  socket->overlapped = (flags & WSA_FLAG_OVERLAPPED) != 0;
  set_defaults(*socket);
  const SocketHandle handle = publish_socket(std::move(socket));
  return handle != 0 ? handle : INVALID_SOCKET;
}

SOCKET open_if_started(int family, int type, int protocol, DWORD flags) {
  return !winsock_is_started()
             ? INVALID_SOCKET
             : unless_memory_is_out(
                   INVALID_SOCKET, [=] { return open_socket(family, type, protocol, flags); }, WSAENOBUFS);
}

using AddressOf = std::uint32_t (*)(int, sockaddr_storage&, std::uint32_t&);

int tell_address(SOCKET s, AddressOf which, sockaddr* name, int* length, bool must_be_bound) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  sockaddr_storage address{};
  std::uint32_t got = 0;
  std::uint32_t error = which(socket->descriptor(), address, got);
  if (error == 0 && must_be_bound && !has_address(*socket)) {
    error = WSAEINVAL;
  }
  return socket_result(error != 0 ? error : hand_out(address, got, name, length));
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::check_address;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::open_if_started;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;
using turnpike::win32::tell_address;

namespace system_sockets = turnpike::win32::system_sockets;

SOCKET WSAAPI socket(int af, int type, int protocol) {
  return open_if_started(af, type, protocol, WSA_FLAG_OVERLAPPED);
}

SOCKET WSAAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP, DWORD dwFlags) {
  return lpProtocolInfo == nullptr ? open_if_started(af, type, protocol, dwFlags)
                                   : fail_with(WSAEINVAL, INVALID_SOCKET);
}

SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP, DWORD dwFlags) {
  return lpProtocolInfo == nullptr ? open_if_started(af, type, protocol, dwFlags)
                                   : fail_with(WSAEINVAL, INVALID_SOCKET);
}

int WSAAPI bind(SOCKET s, const struct sockaddr* name, int namelen) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  std::uint32_t error = check_address(*socket, name, namelen);
  error = error != 0 ? error : system_sockets::bind_to(socket->descriptor(), name, static_cast<unsigned>(namelen));
  socket->bound = socket->bound || error == 0;
  return socket_result(error);
}

int WSAAPI getsockname(SOCKET s, struct sockaddr* name, int* namelen) {
  return tell_address(s, system_sockets::own_address, name, namelen, true);
}

int WSAAPI getpeername(SOCKET s, struct sockaddr* name, int* namelen) {
  return tell_address(s, system_sockets::peer_address, name, namelen, false);
}
