// Connections: how they come about, are accepted, and are ended in one direction.
//
// Linux has no accepting on a condition: when WSAAccept asks its client, the connection is made already, and refusing
// it means resetting it. One that the client puts off (CF_DEFER) is kept with the listener, and is what the next call
// that accepts gets.
#include <winsock2.h>

#include <utility>

#include "win32/sockets/system_sockets.h"
#include "win32/sockets/winsock_addresses.h"
#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

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
  if (error == WSAEWOULDBLOCK && socket.blocking) {
    error = socket.await(POLLOUT, kForEver);
    error = error != 0 ? error : system_sockets::take_error(socket.descriptor());
    socket.connecting = false;
    socket.connected = error == 0;
  }
  socket.enable_events(kConnectEvent);
  return error;
}

std::uint32_t next_connection(Socket& listener, Connection& next) {
  if (listener.take_put_off(next)) {
    return 0;
  }
  for (;;) {
    std::uint32_t error =
        system_sockets::accept_one(listener.descriptor(), next.from, next.from_length, next.descriptor);
    if (error != WSAEWOULDBLOCK || !listener.blocking) {
      return error;
    }
    error = listener.await(POLLIN, kForEver);
    if (error != 0) {
      return error;
    }
  }
}

struct Condition {
  LPCONDITIONPROC ask;
  DWORD_PTR data;
};

int ask_client(const Condition& condition, const Connection& connection) {
  if (condition.ask == nullptr) {
    return CF_ACCEPT;
  }
  sockaddr_storage caller = connection.from;  // copies: he may write into them
  sockaddr_storage own{};
  std::uint32_t own_length = 0;
  system_sockets::own_address(connection.descriptor.number(), own, own_length);
  WSABUF caller_id{connection.from_length, reinterpret_cast<CHAR*>(&caller)};
  WSABUF callee_id{own_length, reinterpret_cast<CHAR*>(&own)};
  WSABUF callee_data{0, nullptr};
  GROUP group = 0;
  return condition.ask(&caller_id, nullptr, nullptr, nullptr, &callee_id, &callee_data, &group, condition.data);
}

void reset(Connection connection) {
  const linger at_once{1, 0};
  system_sockets::set_option(connection.descriptor.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

// 0, and the connection is to be had; or it was refused or put off.
std::uint32_t apply(Socket& listener, const Condition& condition, Connection& connection) {
  switch (ask_client(condition, connection)) {
    case CF_ACCEPT:
      return 0;
    case CF_DEFER:
      listener.put_off(std::move(connection));
      return WSATRY_AGAIN;
    default:
      reset(std::move(connection));
      return WSAECONNREFUSED;
  }
}

SOCKET adopt(Socket& listener, Connection& connection) {
  Ref<Socket> socket = make_object<Socket>(std::move(connection.descriptor), listener.family, listener.type);
  socket->blocking = listener.blocking.load();
  socket->receive_timeout = listener.receive_timeout.load();
  socket->send_timeout = listener.send_timeout.load();
  socket->urgent_is_inline = listener.urgent_is_inline.load();
  socket->overlapped = listener.overlapped;
  socket->bound = true;
  socket->connected = true;
  const SocketHandle handle = publish_socket(socket);
  if (handle == 0) {
    return INVALID_SOCKET;
  }
  socket->inherit_events(listener);
  return handle;
}

SOCKET accept_socket(Socket& listener, sockaddr* address, int* address_length, const Condition& condition) {
  std::uint32_t error = check_room(listener, address, address_length);
  error = error != 0 ? error : listener.listening ? 0 : listener.is_stream() ? WSAEINVAL : WSAEOPNOTSUPP;
  if (error != 0) {
    return fail_with(error, INVALID_SOCKET);
  }
  Connection connection;
  error = next_connection(listener, connection);
  error = error != 0 ? error : apply(listener, condition, connection);
  if (error != WSATRY_AGAIN) {
    listener.enable_events(kAcceptEvent);
  }
  if (error != 0) {
    return fail_with(error, INVALID_SOCKET);
  }
  const SOCKET handle = adopt(listener, connection);
  if (handle != INVALID_SOCKET && address != nullptr) {
    hand_out(connection.from, connection.from_length, address, address_length);
  }
  return handle;
}

SOCKET accept_on(SOCKET s, sockaddr* address, int* address_length, const Condition& condition) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? unless_memory_is_out(
                      INVALID_SOCKET, [&] { return accept_socket(*socket, address, address_length, condition); },
                      WSAENOBUFS)
                : INVALID_SOCKET;
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

// WSASendDisconnect and WSARecvDisconnect: no protocol here sends data beside the end of a connection.
int disconnect(SOCKET s, const WSABUF* data, int how) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  const bool has_data = data != nullptr && data->len != 0;
  return socket_result(has_data ? WSAENOPROTOOPT : !socket->is_stream() ? WSAENOTCONN : shut_down(*socket, how));
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::accept_on;
using turnpike::win32::connect_socket;
using turnpike::win32::disconnect;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::listen_on;
using turnpike::win32::shut_down;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;

int WSAAPI connect(SOCKET s, const struct sockaddr* name, int namelen) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(connect_socket(*socket, name, namelen)) : SOCKET_ERROR;
}

int WSAAPI WSAConnect(SOCKET s, const struct sockaddr* name, int namelen, LPWSABUF lpCallerData, LPWSABUF lpCalleeData,
                      LPQOS, LPQOS) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  if (lpCallerData != nullptr && lpCallerData->len != 0) {
    return fail_with(WSAEPROTONOSUPPORT, SOCKET_ERROR);
  }
  const std::uint32_t error = connect_socket(*socket, name, namelen);
  if (error == 0 && lpCalleeData != nullptr) {
    lpCalleeData->len = 0;
  }
  return socket_result(error);
}

int WSAAPI listen(SOCKET s, int backlog) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(listen_on(*socket, backlog)) : SOCKET_ERROR;
}

SOCKET WSAAPI accept(SOCKET s, struct sockaddr* addr, int* addrlen) {
  return accept_on(s, addr, addrlen, {nullptr, 0});
}

SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr* addr, LPINT addrlen, LPCONDITIONPROC lpfnCondition,
                        DWORD_PTR dwCallbackData) {
  return accept_on(s, addr, addrlen, {lpfnCondition, dwCallbackData});
}

int WSAAPI shutdown(SOCKET s, int how) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(shut_down(*socket, how)) : SOCKET_ERROR;
}

int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData) {
  return disconnect(s, lpOutboundDisconnectData, SD_SEND);
}

int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData) {
  return disconnect(s, lpInboundDisconnectData, SD_RECEIVE);
}
