// Sockets: Winsock's face on Linux's.
//
// A SOCKET is a handle of the shim's table and not a descriptor. A descriptor that was closed is soon another socket's,
// and a thread that is late by one call would read from it; a stale handle is refused, and a call in flight pins the
// socket, so the descriptor is closed when the last such call has left. closesocket ends those that wait, by shutting
// the socket down under them, but only then: a socket that nobody waits on is just closed, with what is still to be
// sent.
//
// Every descriptor is in non-blocking mode from the beginning, and whoever has to wait does so in poll(). So the mode
// of a Winsock socket (FIONBIO, WSAEventSelect) is a flag of ours that changes at any moment, the timeouts work for all
// calls alike, and overlapped calls share the socket with blocking ones.
//
// Where Linux and Winsock differ in what a socket does, the differences are made up for where the call is made; see
// winsock_*.cpp.
#include "win32/sockets/socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <winerror.h>

#include <cerrno>
#include <cstring>

#include "base/futex.h"
#include "win32/sockets/socket_errors.h"

namespace turnpike::win32 {
namespace {

void drop_sent(std::span<iovec>& buffers, std::size_t bytes) {
  while (!buffers.empty() && bytes >= buffers.front().iov_len) {
    bytes -= buffers.front().iov_len;
    buffers = buffers.subspan(1);
  }
  if (!buffers.empty()) {
    buffers.front().iov_base = static_cast<char*>(buffers.front().iov_base) + bytes;
    buffers.front().iov_len -= bytes;
  }
}

// What a message tells about itself. That it was sent to many is known where the client has asked for IP_PKTINFO.
std::uint32_t message_flags(const msghdr& message) {
  auto flags = static_cast<std::uint32_t>(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
  auto* all = const_cast<msghdr*>(&message);
  for (cmsghdr* each = CMSG_FIRSTHDR(all); each != nullptr; each = CMSG_NXTHDR(all, each)) {
    if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(each), sizeof(info));
      const std::uint32_t to = ntohl(info.ipi_addr.s_addr);
      flags |= IN_MULTICAST(to) ? kToGroup : to == INADDR_BROADCAST ? kToAll : 0;
    } else if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
      flags |= *CMSG_DATA(each) == 0xFF ? kToGroup : 0;
    }
  }
  return flags;
}

std::int64_t now_in_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

std::uint32_t Socket::error_of(const Transfer& transfer, int system_error) const {
  if (system_error == EPIPE) {
    return no_more_sends ? WSAESHUTDOWN : connected ? WSAECONNABORTED : WSAENOTCONN;
  }
  if (system_error == EDESTADDRREQ) {
    return WSAENOTCONN;
  }
  if (system_error == ECONNREFUSED && transfer.receives) {
    return WSAECONNRESET;  // an answer to an earlier datagram: nobody is there
  }
  return socket_error(system_error);
}

void Socket::note_receive(Transfer& transfer, const msghdr& message) const {
  transfer.result_flags = message.msg_flags;
  if (transfer.name_length != nullptr && transfer.name != nullptr && !is_stream()) {
    *transfer.name_length = static_cast<std::int32_t>(message.msg_namelen);
  }
  if (transfer.control_length != nullptr) {
    *transfer.control_length = static_cast<std::uint32_t>(message.msg_controllen);
  }
  if (transfer.message_flags != nullptr) {
    *transfer.message_flags = message_flags(message);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 && !is_stream()) {
    transfer.error = WSAEMSGSIZE;
  }
}

bool Socket::attempt(Transfer& transfer) {
  transfer.error = kept_error.load(std::memory_order_relaxed) != 0 ? kept_error.exchange(0) : 0;
  if (transfer.error != 0) {
    return true;
  }
  for (;;) {
    msghdr message{};
    message.msg_name = transfer.name;
    message.msg_namelen = transfer.name_length != nullptr ? static_cast<socklen_t>(*transfer.name_length) : 0;
    message.msg_iov = transfer.buffers.data();
    message.msg_iovlen = transfer.buffers.size();
    message.msg_control = transfer.control;
    message.msg_controllen = transfer.control_length != nullptr ? *transfer.control_length : 0;
    const ssize_t done = transfer.receives ? ::recvmsg(descriptor(), &message, transfer.flags | MSG_CMSG_CLOEXEC)
                                           : ::sendmsg(descriptor(), &message, transfer.flags | MSG_NOSIGNAL);
    if (done < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN) {
        return false;
      }
      transfer.error = transfer.bytes == 0 ? error_of(transfer, errno) : 0;
      return true;
    }
    transfer.bytes += static_cast<std::uint32_t>(done);
    if (transfer.receives) {
      note_receive(transfer, message);
    } else {
      bound = true;  // Linux has given it a port now
    }
    note_connected();
    if (!transfer.whole || done == 0) {
      return true;
    }
    drop_sent(transfer.buffers, static_cast<std::size_t>(done));
    if (transfer.buffers.empty()) {
      return true;
    }
  }
}

// What Winsock refuses and Linux would not, or with another word.
std::uint32_t Socket::why_not(const Transfer& transfer) const {
  if (transfer.receives) {
    return no_more_receives ? WSAESHUTDOWN : type == SOCK_DGRAM && !bound ? WSAEINVAL : 0;
  }
  return no_more_sends ? WSAESHUTDOWN : 0;
}

void Socket::perform(Transfer& transfer) {
  transfer.error = why_not(transfer);
  if (transfer.error == 0) {
    perform_allowed(transfer);
  }
  if (transfer.receives) {
    enable_events(kReadEvent | kOutOfBandEvent);
  } else if (transfer.error == WSAEWOULDBLOCK) {
    enable_events(kWriteEvent);
  }
}

void Socket::perform_allowed(Transfer& transfer) {
  const bool waits = blocking;
  transfer.whole = transfer.whole && waits;
  const std::uint32_t timeout = transfer.receives ? receive_timeout : send_timeout;
  while (!attempt(transfer)) {
    const std::uint32_t error =
        waits ? await(transfer.receives ? POLLIN : POLLOUT, timeout == 0 ? kForEver : timeout) : WSAEWOULDBLOCK;
    if (error != 0) {
      transfer.error = transfer.bytes == 0 ? error : 0;
      return;
    }
  }
}

bool Socket::begin_waiting() {
  waiting_.fetch_add(1);  // before it looks, as close() looks after it has said so: one of the two sees the other
  if (!closed_) {
    return true;
  }
  waiting_.fetch_sub(1);
  return false;
}

std::uint32_t Socket::await(short events, std::uint32_t milliseconds) {
  if (!begin_waiting()) {
    return WSAEINTR;
  }
  const std::int64_t end = now_in_milliseconds() + milliseconds;
  int ready = 0;
  do {
    pollfd wanted{descriptor(), events, 0};
    const std::int64_t left = std::max<std::int64_t>(0, end - now_in_milliseconds());
    ready =
        ::poll(&wanted, 1, milliseconds == kForEver ? -1 : static_cast<int>(std::min<std::int64_t>(left, INT32_MAX)));
  } while (ready < 0 && errno == EINTR);
  end_waiting();
  return closed_ ? WSAEINTR : ready == 0 ? WSAETIMEDOUT : 0;
}

}  // namespace turnpike::win32
