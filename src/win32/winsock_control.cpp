// ioctlsocket, and what a client asks about the host.
#include <winsock2.h>

#include <cerrno>

#include "win32/socket_errors.h"
#include "win32/winsock_session.h"

namespace turnpike::win32 {
namespace {

std::uint32_t ask_number(const Socket& socket, unsigned long question, ULONG& answer) {
  int number = 0;
  if (::ioctl(socket.descriptor(), question, &number) != 0) {
    return socket_error(errno);
  }
  answer = static_cast<ULONG>(number);
  return 0;
}

std::uint32_t control(Socket& socket, long command, ULONG* argument) {
  if (argument == nullptr) {
    return WSAEFAULT;
  }
  switch (command) {
    case FIONBIO:
      return socket.set_blocking(*argument == 0) ? 0 : WSAEINVAL;
    case FIONREAD:
      return ask_number(socket, FIONREAD, *argument);
    case SIOCATMARK:
      return socket.is_stream() ? ask_number(socket, SIOCATMARK, *argument) : WSAEINVAL;
    default:
      return WSAEOPNOTSUPP;
  }
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::control;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;
using turnpike::win32::winsock_is_started;

int WSAAPI ioctlsocket(SOCKET s, long cmd, u_long* argp) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(control(*socket, cmd, argp)) : SOCKET_ERROR;
}

#undef gethostname
int WSAAPI tp_gethostname(char* name, int namelen) {
  if (!winsock_is_started()) {
    return SOCKET_ERROR;
  }
  if (name == nullptr || namelen <= 0 || ::gethostname(name, static_cast<size_t>(namelen)) != 0) {
    return fail_with(WSAEFAULT, SOCKET_ERROR);
  }
  return 0;
}
