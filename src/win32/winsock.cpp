// Making sockets, and giving them addresses and peers.
#include <winsock2.h>
#include <ws2ipdef.h>

#include <cstring>

#include "win32/system_sockets.h"
#include "win32/winsock_session.h"

namespace turnpike::win32 {
namespace {

std::uint32_t length_of(int family) { return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

// An address that a client passes.
std::uint32_t check_address(const Socket& socket, const sockaddr* address, int length) {
  if (address == nullptr || length < static_cast<int>(sizeof(address->sa_family))) {
    return WSAEFAULT;
  }
  if (address->sa_family != socket.family) {
    return WSAEAFNOSUPPORT;
  }
  return static_cast<std::uint32_t>(length) < length_of(socket.family) ? WSAEFAULT : 0;
}

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

SOCKET published(Ref<Socket> socket) {
  const SocketHandle handle = publish_socket(std::move(socket));
  return handle != 0 ? handle : INVALID_SOCKET;
}

SOCKET open_socket(int family, int type, int protocol, DWORD flags) {
  if (!winsock_is_started()) {
    return INVALID_SOCKET;
  }
  int descriptor = -1;
  std::uint32_t error = check_kind(family, type, flags);
  error = error != 0 ? error : system_sockets::open(family, type, protocol, descriptor);
  if (error != 0) {
    return fail_with(error, INVALID_SOCKET);
  }
  Ref<Socket> socket = make_object<Socket>(descriptor, family, type);
  socket->overlapped = (flags & WSA_FLAG_OVERLAPPED) != 0;
  set_defaults(*socket);
  return published(std::move(socket));
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in&>(address).sin_port;  // at the same place in IPv6's
}

bool has_address(const Socket& socket) {
  sockaddr_storage address{};
  std::uint32_t length = 0;
  return socket.bound ||
         (system_sockets::own_address(socket.descriptor(), address, length) == 0 && port_of(address) != 0);
}

std::uint32_t begin_connect(Socket& socket, const sockaddr* name, int length) {
  std::uint32_t error = check_address(socket, name, length);
  if (error != 0) {
    return error;
  }
  error = system_sockets::connect_to(socket.descriptor(), name, static_cast<std::uint32_t>(length));
  const bool begun = error == 0 || error == WSAEWOULDBLOCK;
  socket.bound = socket.bound || begun;
  socket.connecting = error == WSAEWOULDBLOCK || (socket.connecting && error == WSAEALREADY);
  socket.connected = socket.connected || error == 0;
  return error;
}

std::uint32_t connect_socket(Socket& socket, const sockaddr* name, int length) {
  std::uint32_t error = begin_connect(socket, name, length);
  if (error != WSAEWOULDBLOCK || !socket.blocking) {
    return error;
  }
  error = socket.await(POLLOUT, kForEver);
  error = error != 0 ? error : system_sockets::take_error(socket.descriptor());
  socket.connecting = false;
  socket.connected = error == 0;
  return error;
}

// Copies an address out into a buffer that may be absent.
std::uint32_t hand_out(const sockaddr_storage& address, std::uint32_t length, sockaddr* to, int* to_length) {
  if (to_length == nullptr || to == nullptr || *to_length < static_cast<int>(length)) {
    return WSAEFAULT;
  }
  std::memcpy(to, &address, length);
  *to_length = static_cast<int>(length);
  return 0;
}

std::uint32_t accept_on(Socket& socket, sockaddr_storage& from, std::uint32_t& length, int& accepted) {
  for (;;) {
    std::uint32_t error = system_sockets::accept_one(socket.descriptor(), from, length, accepted);
    if (error != WSAEWOULDBLOCK || !socket.blocking) {
      return error;
    }
    error = socket.await(POLLIN, kForEver);
    if (error != 0) {
      return error;
    }
  }
}

SOCKET accept_socket(Socket& listener, sockaddr* address, int* address_length) {
  if (address != nullptr &&
      (address_length == nullptr || *address_length < static_cast<int>(length_of(listener.family)))) {
    return fail_with(WSAEFAULT, INVALID_SOCKET);
  }
  sockaddr_storage from{};
  std::uint32_t length = 0;
  int accepted = -1;
  const std::uint32_t error = accept_on(listener, from, length, accepted);
  listener.enable_events(kAcceptEvent);
  if (error != 0) {
    return fail_with(error, INVALID_SOCKET);
  }
  Ref<Socket> socket = make_object<Socket>(accepted, listener.family, listener.type);
  socket->blocking = listener.blocking.load();
  socket->receive_timeout = listener.receive_timeout.load();
  socket->send_timeout = listener.send_timeout.load();
  socket->overlapped = listener.overlapped;
  socket->bound = true;
  socket->connected = true;
  if (address != nullptr) {
    hand_out(from, length, address, address_length);
  }
  const SOCKET handle = published(socket);
  if (handle != INVALID_SOCKET) {
    socket->inherit_events(listener);
  }
  return handle;
}

std::uint32_t listen_on(Socket& socket, int backlog) {
  if (!socket.is_stream()) {
    return WSAEOPNOTSUPP;
  }
  const std::uint32_t error = has_address(socket) ? system_sockets::listen_on(socket.descriptor(), backlog) : WSAEINVAL;
  socket.listening = socket.listening || error == 0;
  return error;
}

std::uint32_t shut_down(Socket& socket, int how) {
  if (how != SD_RECEIVE && how != SD_SEND && how != SD_BOTH) {
    return WSAEINVAL;
  }
  const std::uint32_t error = system_sockets::shut(socket.descriptor(), how);
  if (error == 0 || (error == WSAENOTCONN && !socket.is_stream())) {
    socket.no_more_receives = socket.no_more_receives || how != SD_SEND;
    socket.no_more_sends = socket.no_more_sends || how != SD_RECEIVE;
    return 0;
  }
  return error;
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

using turnpike::win32::accept_socket;
using turnpike::win32::check_address;
using turnpike::win32::connect_socket;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::listen_on;
using turnpike::win32::open_socket;
using turnpike::win32::shut_down;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;
using turnpike::win32::tell_address;

namespace system_sockets = turnpike::win32::system_sockets;

SOCKET WSAAPI socket(int af, int type, int protocol) { return open_socket(af, type, protocol, WSA_FLAG_OVERLAPPED); }

SOCKET WSAAPI WSASocketA(int af, int type, int protocol, void* lpProtocolInfo, GROUP, DWORD dwFlags) {
  return lpProtocolInfo == nullptr ? open_socket(af, type, protocol, dwFlags) : fail_with(WSAEINVAL, INVALID_SOCKET);
}

SOCKET WSAAPI WSASocketW(int af, int type, int protocol, void* lpProtocolInfo, GROUP g, DWORD dwFlags) {
  return WSASocketA(af, type, protocol, lpProtocolInfo, g, dwFlags);
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

int WSAAPI connect(SOCKET s, const struct sockaddr* name, int namelen) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  const std::uint32_t error = connect_socket(*socket, name, namelen);
  socket->enable_events(turnpike::win32::kConnectEvent);
  return socket_result(error);
}

int WSAAPI listen(SOCKET s, int backlog) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(listen_on(*socket, backlog)) : SOCKET_ERROR;
}

SOCKET WSAAPI accept(SOCKET s, struct sockaddr* addr, int* addrlen) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? accept_socket(*socket, addr, addrlen) : INVALID_SOCKET;
}

int WSAAPI shutdown(SOCKET s, int how) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(shut_down(*socket, how)) : SOCKET_ERROR;
}

int WSAAPI getsockname(SOCKET s, struct sockaddr* name, int* namelen) {
  return tell_address(s, system_sockets::own_address, name, namelen, true);
}

int WSAAPI getpeername(SOCKET s, struct sockaddr* name, int* namelen) {
  return tell_address(s, system_sockets::peer_address, name, namelen, false);
}
