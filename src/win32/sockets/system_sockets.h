// Linux's socket calls under names of their own, for files that include <winsock2.h>, where the usual names are
// Winsock's. Each answers 0 or the error in Winsock's words.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "base/descriptor.h"

namespace turnpike::win32::system_sockets {

std::uint32_t open(int family, int type, int protocol, Descriptor& descriptor);  // one that never blocks
std::uint32_t bind_to(int descriptor, const sockaddr* address, std::uint32_t length);
std::uint32_t connect_to(int descriptor, const sockaddr* address, std::uint32_t length);
std::uint32_t listen_on(int descriptor, int backlog);
std::uint32_t accept_one(int descriptor, sockaddr_storage& address, std::uint32_t& length, Descriptor& accepted);
std::uint32_t shut(int descriptor, int how);
std::uint32_t own_address(int descriptor, sockaddr_storage& address, std::uint32_t& length);
std::uint32_t peer_address(int descriptor, sockaddr_storage& address, std::uint32_t& length);
std::uint32_t set_option(int descriptor, int level, int name, const void* value, std::uint32_t length);
std::uint32_t get_option(int descriptor, int level, int name, void* value, std::uint32_t& length);

inline std::uint32_t set_number(int descriptor, int level, int name, int value) {
  return set_option(descriptor, level, name, &value, sizeof(value));
}

// SO_ERROR, which is cleared by being asked for.
std::uint32_t take_error(int descriptor);

}  // namespace turnpike::win32::system_sockets
