// Sending and receiving.
#include <winsock2.h>
#include <ws2ipdef.h>

#include "win32/sockets/winsock_transfer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "win32/sockets/winsock_addresses.h"
#include "win32/sockets/winsock_session.h"

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

// Room for the address whence something comes, or the address where it is to go; a stream looks at neither.
std::uint32_t check_name(const Socket& socket, bool receives, const sockaddr* name, const int* length) {
  if (name == nullptr || socket.is_stream()) {
    return 0;
  }
  return receives ? check_room(socket, name, length) : check_address(socket, name, *length);
}

// Bytes moved, or SOCKET_ERROR.
int perform(SOCKET s, Transfer& transfer, std::uint32_t error) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  error = error != 0 ? error : check_name(*socket, transfer.receives, transfer.name, transfer.name_length);
  if (error != 0) {
    return fail_with(error, SOCKET_ERROR);
  }
  const bool whole = !transfer.receives || (transfer.flags & MSG_WAITALL) != 0;
  transfer.whole = whole && socket->is_stream() && (transfer.flags & MSG_PEEK) == 0;
  socket->perform(transfer);
  return transfer.error == 0 ? static_cast<int>(transfer.bytes) : fail_with(transfer.error, SOCKET_ERROR);
}

int receive(SOCKET s, char* buffer, int length, int flags, sockaddr* from, int* from_length) {
  const std::uint32_t error = check_buffer(buffer, length, flags, kReceiveFlags);
  std::array<iovec, 1> buffers{{{buffer, static_cast<std::size_t>(length)}}};
  Transfer transfer{.receives = true,
                    .flags = flags,
                    .buffers = buffers,
                    .name = from,
                    .name_length = from != nullptr ? from_length : nullptr};
  return perform(s, transfer, error);
}

int transmit(SOCKET s, const char* buffer, int length, int flags, const sockaddr* to, int to_length) {
  const std::uint32_t error = check_buffer(buffer, length, flags, kSendFlags);
  std::array<iovec, 1> buffers{{{const_cast<char*>(buffer), static_cast<std::size_t>(length)}}};
  Transfer transfer{.flags = flags,
                    .buffers = buffers,
                    .name = const_cast<sockaddr*>(to),
                    .name_length = to != nullptr ? &to_length : nullptr};
  return perform(s, transfer, error);
}

std::uint32_t check(const Socket& socket, const Request& request) {
  if (request.buffers == nullptr && request.count != 0) {
    return WSAEFAULT;
  }
  for (DWORD i = 0; i < request.count; ++i) {
    if (request.buffers[i].buf == nullptr && request.buffers[i].len != 0) {
      return WSAEFAULT;
    }
  }
  const auto flags = static_cast<int>(request.flags);
  const int allowed = request.receives ? kReceiveFlags : kSendFlags;
  if ((flags & ~(allowed | MSG_PARTIAL)) != 0) {
    return WSAEOPNOTSUPP;
  }
  if (request.control != nullptr && request.control->buf == nullptr && request.control->len != 0) {
    return WSAEFAULT;
  }
  if (const std::uint32_t error = check_name(socket, request.receives, request.name, request.name_length); error != 0) {
    return error;
  }
  return request.overlapped == nullptr && request.bytes == nullptr ? WSAEFAULT : 0;
}

// Windows' IN_PKTINFO of a message that is sent has one address, and that is whence it goes.
void name_the_source(cmsghdr& header) {
  if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO &&
      header.cmsg_len >= CMSG_LEN(sizeof(in_pktinfo))) {
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&header), sizeof(info));
    info.ipi_spec_dst = info.ipi_addr;
    std::memcpy(CMSG_DATA(&header), &info, sizeof(info));
  }
}

// The client's are his to take back when the call returns, and are not to be written to.
void copy_control(Operation& operation, const WSABUF& control) {
  const auto* bytes = reinterpret_cast<const std::byte*>(control.buf);
  operation.control.assign(bytes, bytes + control.len);
  operation.control_length = control.len;
  msghdr message{};
  message.msg_control = operation.control.data();
  message.msg_controllen = operation.control.size();
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    name_the_source(*each);
  }
}

void aim(Operation& operation, const Request& request) {
  Transfer& transfer = operation.transfer;
  if (request.name == nullptr) {
    return;
  }
  if (request.receives) {
    transfer.name = request.name;
    transfer.name_length = request.name_length;
    return;
  }
  operation.to_length = std::min<int>(*request.name_length, sizeof(operation.to));
  std::memcpy(&operation.to, request.name, static_cast<std::size_t>(operation.to_length));
  transfer.name = reinterpret_cast<sockaddr*>(&operation.to);
  transfer.name_length = &operation.to_length;
}

void add_control(Operation& operation, const Request& request) {
  Transfer& transfer = operation.transfer;
  transfer.message_flags = request.message_flags;
  if (request.control == nullptr || request.control->len == 0) {
    return;
  }
  if (!request.receives) {
    copy_control(operation, *request.control);
  }
  transfer.control = request.receives ? request.control->buf : static_cast<void*>(operation.control.data());
  transfer.control_length = request.receives ? &request.control->len : &operation.control_length;
}

void prepare(Operation& operation, const Socket& socket, const Request& request) {
  operation.buffers.resize(request.count);
  for (DWORD i = 0; i < request.count; ++i) {
    operation.buffers[i] = {request.buffers[i].buf, request.buffers[i].len};
  }
  Transfer& transfer = operation.transfer;
  transfer.receives = request.receives;
  transfer.flags = static_cast<int>(request.flags) & ~MSG_PARTIAL;
  transfer.buffers = operation.buffers;
  const bool whole = !request.receives || (transfer.flags & MSG_WAITALL) != 0;
  transfer.whole = whole && socket.is_stream() && (transfer.flags & MSG_PEEK) == 0;
  aim(operation, request);
  add_control(operation, request);
}

std::uint32_t perform_now(Socket& socket, const Request& request) {
  Operation operation;
  prepare(operation, socket, request);
  const Transfer& transfer = operation.transfer;
  socket.perform(operation.transfer);
  if ((transfer.error == 0 || transfer.error == WSAEMSGSIZE) && request.bytes != nullptr) {
    *request.bytes = transfer.bytes;
    if (request.result_flags != nullptr) {
      *request.result_flags = told_flags(transfer);
    }
  }
  return transfer.error;
}

std::uint32_t begin_overlapped(Socket& socket, const Request& request) {
  auto operation = std::make_unique<Operation>();
  operation->result = reinterpret_cast<OverlappedResult*>(request.overlapped);
  operation->routine = reinterpret_cast<void*>(request.routine);
  operation->thread = Ref<Thread>(&Thread::current());
  if (request.routine != nullptr) {
    operation->promise.emplace(operation->thread);
  }
  if (request.overlapped->hEvent != nullptr && request.routine == nullptr) {
    const Held<Event> event = pin<Event>(request.overlapped->hEvent);
    if (!event) {
      return WSA_INVALID_HANDLE;
    }
    operation->event = Ref<Event>(event.get());
  }
  prepare(*operation, socket, request);
  Transfer outcome;
  const std::uint32_t error = socket.begin(std::move(operation), outcome);
  if (request.receives) {
    socket.enable_events(kReadEvent | kOutOfBandEvent);
  }
  if (error == 0 && request.bytes != nullptr) {
    *request.bytes = outcome.bytes;
  }
  if (error == 0 && request.result_flags != nullptr) {
    *request.result_flags = told_flags(outcome);
  }
  return error;
}

int submit_on(SOCKET s, const Request& request) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(unless_memory_is_out(
                      std::uint32_t{WSAENOBUFS}, [&] { return submit(*socket, request); }, WSAENOBUFS))
                : SOCKET_ERROR;
}

}  // namespace

std::uint32_t submit(Socket& socket, const Request& request) {
  const std::uint32_t error = check(socket, request);
  return error != 0                                           ? error
         : request.overlapped != nullptr && socket.overlapped ? begin_overlapped(socket, request)
                                                              : perform_now(socket, request);
}
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::receive;
using turnpike::win32::submit_on;
using turnpike::win32::transmit;

int WSAAPI recv(SOCKET s, char* buf, int len, int flags) { return receive(s, buf, len, flags, nullptr, nullptr); }

int WSAAPI recvfrom(SOCKET s, char* buf, int len, int flags, struct sockaddr* from, int* fromlen) {
  return receive(s, buf, len, flags, from, fromlen);
}

int WSAAPI send(SOCKET s, const char* buf, int len, int flags) { return transmit(s, buf, len, flags, nullptr, 0); }

int WSAAPI sendto(SOCKET s, const char* buf, int len, int flags, const struct sockaddr* to, int tolen) {
  return transmit(s, buf, len, flags, to, tolen);
}

int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  return WSARecvFrom(s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags, nullptr, nullptr, lpOverlapped,
                     lpCompletionRoutine);
}

int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                       struct sockaddr* lpFrom, LPINT lpFromlen, LPWSAOVERLAPPED lpOverlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  const bool is_socket = static_cast<bool>(turnpike::win32::pin_socket(s));
  if (lpFlags == nullptr && is_socket) {
    return fail_with(WSAEFAULT, SOCKET_ERROR);
  }
  return submit_on(s, {true, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags != nullptr ? *lpFlags : 0, lpFrom,
                       lpFromlen, lpOverlapped, lpCompletionRoutine, lpFlags});
}

int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  return WSASendTo(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags, nullptr, 0, lpOverlapped,
                   lpCompletionRoutine);
}

int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                     const struct sockaddr* lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  return submit_on(s, {false, lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags, const_cast<sockaddr*>(lpTo),
                       &iTolen, lpOverlapped, lpCompletionRoutine, nullptr});
}
