// ioctlsocket and WSAIoctl, and what a client asks about the host.
#include <ifaddrs.h>
#include <winsock2.h>
#include <ws2ipdef.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "win32/socket_errors.h"
#include "win32/system_sockets.h"
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

// What WSAIoctl is asked, and where the answer goes.
struct Question {
  std::span<const std::byte> in;
  std::span<std::byte> out;
  DWORD& length;
};

std::uint32_t answer(const Question& question, const void* data, std::size_t length) {
  question.length = static_cast<DWORD>(length);
  if (question.out.size() < length) {
    return WSAEFAULT;
  }
  std::memcpy(question.out.data(), data, length);
  return 0;
}

std::uint32_t size_of_address(int family) { return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

// The list lies in the client's buffer, its addresses behind it.
std::uint32_t address_list(const Socket& socket, const Question& question) {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) {
    return WSAENOBUFS;
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(found, ::freeifaddrs);
  std::vector<const sockaddr*> addresses;
  for (const ifaddrs* each = found; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr != nullptr && each->ifa_addr->sa_family == socket.family) {
      addresses.push_back(each->ifa_addr);
    }
  }
  const std::size_t size = size_of_address(socket.family);
  const std::size_t head = std::max(sizeof(SOCKET_ADDRESS_LIST), SIZEOF_SOCKET_ADDRESS_LIST(addresses.size()));
  question.length = static_cast<DWORD>(head + addresses.size() * size);
  if (question.out.size() < question.length) {
    return WSAEFAULT;
  }
  auto* list = reinterpret_cast<SOCKET_ADDRESS_LIST*>(question.out.data());
  list->iAddressCount = static_cast<INT>(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    std::byte* place = question.out.data() + head + i * size;
    std::memcpy(place, addresses[i], size);
    list->Address[i] = {reinterpret_cast<sockaddr*>(place), static_cast<INT>(size)};
  }
  return 0;
}

// The own address from which a datagram would go to the one in question.
std::uint32_t routing_interface(const Socket& socket, const Question& question) {
  if (question.in.size() < size_of_address(socket.family)) {
    return WSAEFAULT;
  }
  sockaddr_storage to{};
  std::memcpy(&to, question.in.data(), size_of_address(socket.family));
  if (to.ss_family != socket.family) {
    return WSAEAFNOSUPPORT;
  }
  auto& port = reinterpret_cast<sockaddr_in&>(to).sin_port;
  port = port != 0 ? port : htons(9);
  int descriptor = -1;
  std::uint32_t error = system_sockets::open(socket.family, SOCK_DGRAM, 0, descriptor);
  if (error != 0) {
    return error;
  }
  sockaddr_storage from{};
  std::uint32_t length = 0;
  error = system_sockets::connect_to(descriptor, reinterpret_cast<sockaddr*>(&to), size_of_address(socket.family));
  error = error != 0 ? error : system_sockets::own_address(descriptor, from, length);
  ::close(descriptor);
  reinterpret_cast<sockaddr_in&>(from).sin_port = 0;
  return error != 0 ? error : answer(question, &from, length);
}

std::uint32_t control_plainly(Socket& socket, DWORD code, const Question& question) {
  ULONG number = 0;
  if (code == FIONBIO) {
    if (question.in.size() < sizeof(number)) {
      return WSAEFAULT;
    }
    std::memcpy(&number, question.in.data(), sizeof(number));
    return control(socket, FIONBIO, &number);
  }
  const std::uint32_t error = control(socket, static_cast<long>(code), &number);
  return error != 0 ? error : answer(question, &number, sizeof(number));
}

std::uint32_t control_widely(Socket& socket, DWORD code, const Question& question) {
  switch (code) {
    case FIONBIO:
    case FIONREAD:
    case SIOCATMARK:
      return control_plainly(socket, code, question);
    case SIO_ADDRESS_LIST_QUERY:
      return address_list(socket, question);
    case SIO_ROUTING_INTERFACE_QUERY:
      return routing_interface(socket, question);
    case SIO_UDP_CONNRESET:
      return 0;  // an unconnected socket of Linux is never told
    default:
      return WSAEOPNOTSUPP;
  }
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::control;
using turnpike::win32::control_widely;
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

int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer, LPVOID lpvOutBuffer,
                    DWORD cbOutBuffer, LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED lpOverlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  if (lpOverlapped != nullptr || lpcbBytesReturned == nullptr) {
    return fail_with(lpOverlapped != nullptr ? WSAEOPNOTSUPP : WSAEFAULT, SOCKET_ERROR);
  }
  const auto* in = static_cast<const std::byte*>(lpvInBuffer);
  auto* out = static_cast<std::byte*>(lpvOutBuffer);
  *lpcbBytesReturned = 0;
  return socket_result(control_widely(
      *socket, dwIoControlCode,
      {{in, in != nullptr ? cbInBuffer : 0}, {out, out != nullptr ? cbOutBuffer : 0}, *lpcbBytesReturned}));
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
