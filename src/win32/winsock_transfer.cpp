// Sending and receiving.
#include <winsock2.h>

#include <array>

#include "win32/winsock_session.h"

namespace turnpike::win32 {
namespace {

constexpr int kReceiveFlags = MSG_OOB | MSG_PEEK | MSG_WAITALL;
constexpr int kSendFlags = MSG_OOB | MSG_DONTROUTE;

// A plain buffer as the one of a transfer. 0, or what is wrong with it.
std::uint32_t check_buffer(const void* buffer, int length, int flags, int allowed) {
  if (length < 0 || (buffer == nullptr && length > 0)) {
    return WSAEFAULT;
  }
  return (flags & ~allowed) != 0 ? WSAEOPNOTSUPP : 0;
}

// Bytes moved, or SOCKET_ERROR.
int perform(SOCKET s, Transfer& transfer, std::uint32_t error) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  if (error != 0) {
    return fail_with(error, SOCKET_ERROR);
  }
  const bool whole = !transfer.receives || (transfer.flags & MSG_WAITALL) != 0;
  transfer.whole = whole && socket->is_stream() && (transfer.flags & MSG_PEEK) == 0;
  socket->perform(transfer);
  return transfer.error == 0 ? static_cast<int>(transfer.bytes) : fail_with(transfer.error, SOCKET_ERROR);
}

int receive(SOCKET s, char* buffer, int length, int flags, sockaddr* from, int* from_length) {
  std::uint32_t error = check_buffer(buffer, length, flags, kReceiveFlags);
  if (from != nullptr && (from_length == nullptr || *from_length < static_cast<int>(sizeof(sockaddr_in)))) {
    error = WSAEFAULT;
  }
  std::array<iovec, 1> buffers{{{buffer, static_cast<std::size_t>(length)}}};
  Transfer transfer{.receives = true,
                    .flags = flags,
                    .buffers = buffers,
                    .name = from,
                    .name_length = from != nullptr ? from_length : nullptr};
  return perform(s, transfer, error);
}

int transmit(SOCKET s, const char* buffer, int length, int flags, const sockaddr* to, int to_length) {
  std::uint32_t error = check_buffer(buffer, length, flags, kSendFlags);
  if (to != nullptr && to_length < static_cast<int>(sizeof(sockaddr_in))) {
    error = WSAEFAULT;
  }
  std::array<iovec, 1> buffers{{{const_cast<char*>(buffer), static_cast<std::size_t>(length)}}};
  Transfer transfer{.flags = flags,
                    .buffers = buffers,
                    .name = const_cast<sockaddr*>(to),
                    .name_length = to != nullptr ? &to_length : nullptr};
  return perform(s, transfer, error);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::receive;
using turnpike::win32::transmit;

int WSAAPI recv(SOCKET s, char* buf, int len, int flags) { return receive(s, buf, len, flags, nullptr, nullptr); }

int WSAAPI recvfrom(SOCKET s, char* buf, int len, int flags, struct sockaddr* from, int* fromlen) {
  return receive(s, buf, len, flags, from, fromlen);
}

int WSAAPI send(SOCKET s, const char* buf, int len, int flags) { return transmit(s, buf, len, flags, nullptr, 0); }

int WSAAPI sendto(SOCKET s, const char* buf, int len, int flags, const struct sockaddr* to, int tolen) {
  return transmit(s, buf, len, flags, to, tolen);
}
