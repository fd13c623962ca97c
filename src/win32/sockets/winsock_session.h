// Whether Winsock is started, and which sockets are open: the last WSACleanup closes them.
#pragma once

#include "win32/last_error.h"
#include "win32/sockets/socket.h"

namespace turnpike::win32 {

// A new handle for the socket; null with WSAENOBUFS, or WSANOTINITIALISED where it was too late.
SocketHandle publish_socket(Ref<Socket> socket);

// False: WSANOTINITIALISED, in the last error.
bool winsock_is_started();

// The socket of a call; empty with WSANOTINITIALISED or WSAENOTSOCK in the last error.
Held<Socket> socket_of_call(SocketHandle handle);

// 0, or SOCKET_ERROR with the last error.
inline int socket_result(std::uint32_t error) { return error == 0 ? 0 : fail_with(error, -1); }

}  // namespace turnpike::win32
