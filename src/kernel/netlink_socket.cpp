#include "kernel/netlink_socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace turnpike::kernel {

Result<NetlinkSocket> NetlinkSocket::open(const NetNamespace& where, std::size_t receive_buffer) {
  Descriptor made;
  int error = 0;
  const auto entered = where.inside([&] {
    made.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    error = errno;
  });
  if (!entered) return tl::unexpected(entered.error());
  if (!made.is_open()) return fail_errno(error, "no netlink socket");
  NetlinkSocket socket(std::move(made));
  if (const auto prepared = socket.prepare(receive_buffer); !prepared) return tl::unexpected(prepared.error());
  return socket;
}

Result<void> NetlinkSocket::prepare(std::size_t receive_buffer) {
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  socklen_t size = sizeof name;
  if (::bind(number(), reinterpret_cast<const sockaddr*>(&name), size) != 0 ||
      ::getsockname(number(), reinterpret_cast<sockaddr*>(&name), &size) != 0)
    return fail_errno(errno, "a netlink socket got no name");
  port_ = name.nl_pid;
  granted_.words_in_answers = set(NETLINK_EXT_ACK, 1).has_value();
  granted_.strict_dumps = set(NETLINK_GET_STRICT_CHK, 1).has_value();
  (void)set(NETLINK_CAP_ACK, 1);  // answers do not repeat the request; older kernels do, and decode_answer copes
  if (receive_buffer != 0) {
    const int wanted = static_cast<int>(std::min<std::size_t>(receive_buffer, std::numeric_limits<int>::max() / 2));
    granted_.buffer_forced = set(SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted).has_value();
    if (!granted_.buffer_forced) (void)set(SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
  int buffer = 0;
  socklen_t buffer_size = sizeof buffer;
  if (::getsockopt(number(), SOL_SOCKET, SO_RCVBUF, &buffer, &buffer_size) != 0)
    return fail_errno(errno, "a socket does not tell its buffer");
  granted_.receive_buffer = static_cast<std::size_t>(buffer);
  return {};
}

Result<void> NetlinkSocket::set(int level, int option, const void* value, std::size_t size) {
  if (::setsockopt(number(), level, option, value, static_cast<socklen_t>(size)) != 0)
    return fail_errno(errno, "an option of a netlink socket was refused");
  return {};
}

Result<void> NetlinkSocket::set(int option, int value) { return set(SOL_NETLINK, option, &value, sizeof value); }

Result<void> NetlinkSocket::send(Bytes bytes) {
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = ::sendto(number(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno(errno, "the kernel did not take a netlink message");
  return {};
}

Result<Bytes> NetlinkSocket::receive(std::span<std::uint8_t> buffer) {
  for (;;) {
    sockaddr_nl from{};
    iovec part{buffer.data(), buffer.size()};
    msghdr whole{};
    whole.msg_name = &from;
    whole.msg_namelen = sizeof from;
    whole.msg_iov = &part;
    whole.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(number(), &whole, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return fail(ErrorKind::kNoMoreItems, "nothing waits");
    if (size < 0 && errno == ENOBUFS) return fail(ErrorKind::kExhausted, "the socket's buffer overran");
    if (size < 0) return fail_errno(errno, "a netlink socket cannot be read");
    if (from.nl_pid != 0) continue;  // another process that plays the kernel
    if ((whole.msg_flags & MSG_TRUNC) != 0) return fail(ErrorKind::kBufferTooSmall, "a netlink message is too long");
    return Bytes(buffer).first(static_cast<std::size_t>(size));
  }
}

}  // namespace turnpike::kernel
