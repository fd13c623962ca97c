#include "win32/sockets/system_sockets.h"

#include <cerrno>

#include "win32/sockets/socket_errors.h"

namespace turnpike::win32::system_sockets {
namespace {

std::uint32_t outcome(int result) { return result < 0 ? socket_error(errno) : 0; }

sockaddr* plain(sockaddr_storage& address) { return reinterpret_cast<sockaddr*>(&address); }

}  // namespace

std::uint32_t open(int family, int type, int protocol, Descriptor& descriptor) {
  descriptor.reset(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  return outcome(descriptor.number());
}

std::uint32_t bind_to(int descriptor, const sockaddr* address, std::uint32_t length) {
  return outcome(::bind(descriptor, address, length));
}

std::uint32_t connect_to(int descriptor, const sockaddr* address, std::uint32_t length) {
  return outcome(::connect(descriptor, address, length));
}

std::uint32_t listen_on(int descriptor, int backlog) { return outcome(::listen(descriptor, backlog)); }

std::uint32_t accept_one(int descriptor, sockaddr_storage& address, std::uint32_t& length, Descriptor& accepted) {
  int number = -1;
  do {
    length = sizeof(address);
    number = ::accept4(descriptor, plain(address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (number < 0 && (errno == EINTR || errno == ECONNABORTED));
  accepted.reset(number);
  return outcome(number);
}

std::uint32_t shut(int descriptor, int how) { return outcome(::shutdown(descriptor, how)); }

std::uint32_t own_address(int descriptor, sockaddr_storage& address, std::uint32_t& length) {
  length = sizeof(address);
  return outcome(::getsockname(descriptor, plain(address), &length));
}

std::uint32_t peer_address(int descriptor, sockaddr_storage& address, std::uint32_t& length) {
  length = sizeof(address);
  return outcome(::getpeername(descriptor, plain(address), &length));
}

std::uint32_t set_option(int descriptor, int level, int name, const void* value, std::uint32_t length) {
  return outcome(::setsockopt(descriptor, level, name, value, length));
}

std::uint32_t get_option(int descriptor, int level, int name, void* value, std::uint32_t& length) {
  return outcome(::getsockopt(descriptor, level, name, value, &length));
}

std::uint32_t take_error(int descriptor) {
  int error = 0;
  std::uint32_t length = sizeof(error);
  const std::uint32_t failure = get_option(descriptor, SOL_SOCKET, SO_ERROR, &error, length);
  return failure != 0 ? failure : socket_error(error);
}

}  // namespace turnpike::win32::system_sockets
