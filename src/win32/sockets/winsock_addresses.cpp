#include <winsock2.h>

#include "win32/sockets/winsock_addresses.h"

#include <cstring>

#include "win32/sockets/system_sockets.h"

namespace turnpike::win32 {
namespace {

std::uint16_t port_of(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in&>(address).sin_port;  // at the same place in IPv6's
}

}  // namespace

std::uint32_t check_address(const Socket& socket, const sockaddr* address, int length) {
  if (address == nullptr || length < static_cast<int>(sizeof(address->sa_family))) {
    return WSAEFAULT;
  }
  if (address->sa_family != socket.family) {
    return WSAEAFNOSUPPORT;
  }
  return static_cast<std::uint32_t>(length) < length_of_address(socket.family) ? WSAEFAULT : 0;
}

std::uint32_t check_room(const Socket& socket, const sockaddr* address, const int* length) {
  const auto needed = static_cast<int>(length_of_address(socket.family));
  return address != nullptr && (length == nullptr || *length < needed) ? WSAEFAULT : 0;
}

std::uint32_t hand_out(const sockaddr_storage& address, std::uint32_t length, sockaddr* to, int* to_length) {
  if (to_length == nullptr || to == nullptr || *to_length < static_cast<int>(length)) {
    return WSAEFAULT;
  }
  std::memcpy(to, &address, length);
  *to_length = static_cast<int>(length);
  return 0;
}

bool has_address(const Socket& socket) {
  sockaddr_storage address{};
  std::uint32_t length = 0;
  return socket.bound ||
         (system_sockets::own_address(socket.descriptor(), address, length) == 0 && port_of(address) != 0);
}

}  // namespace turnpike::win32
