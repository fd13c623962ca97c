// Addresses that clients pass, and are handed.
#pragma once

#include <winsock2.h>
#include <ws2ipdef.h>

#include <cstdint>

#include "win32/sockets/socket.h"

namespace turnpike::win32 {

inline std::uint32_t length_of_address(int family) {
  return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

// An address that a client passes: 0, WSAEFAULT or WSAEAFNOSUPPORT.
std::uint32_t check_address(const Socket& socket, const sockaddr* address, int length);

// A buffer that a client has for one: WSAEFAULT where it is there and too short. Null for both: it wants none.
std::uint32_t check_room(const Socket& socket, const sockaddr* address, const int* length);

// Copies an address out. WSAEFAULT where it has no room.
std::uint32_t hand_out(const sockaddr_storage& address, std::uint32_t length, sockaddr* to, int* to_length);

// Whether it has been bound, by the client or by its first use.
bool has_address(const Socket& socket);

}  // namespace turnpike::win32
