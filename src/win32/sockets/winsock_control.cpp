// ioctlsocket and WSAIoctl, and what a client asks about the host.
#include <ifaddrs.h>
#include <mswsock.h>
#include <winsock2.h>
#include <ws2ipdef.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "win32/sockets/socket_errors.h"
#include "win32/sockets/system_sockets.h"
#include "win32/sockets/winsock_addresses.h"
#include "win32/sockets/winsock_session.h"
#include "win32/sockets/winsock_transfer.h"

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
  if (length != 0) {
    std::memcpy(question.out.data(), data, length);
  }
  return 0;
}

// The host's addresses of one family.
class OwnAddresses {
 public:
  explicit OwnAddresses(int family) : all_(nullptr, ::freeifaddrs) {
    ifaddrs* found = nullptr;
    is_known_ = ::getifaddrs(&found) == 0;
    all_.reset(found);
    for (const ifaddrs* each = found; each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr != nullptr && each->ifa_addr->sa_family == family) {
        wanted_.push_back(each);
      }
    }
  }
  bool is_known() const { return is_known_; }
  const std::vector<const ifaddrs*>& list() const { return wanted_; }

 private:
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all_;
  std::vector<const ifaddrs*> wanted_;
  bool is_known_ = false;
};

// The list lies in the client's buffer, its addresses behind it.
std::uint32_t address_list(const Socket& socket, const Question& question) {
  const OwnAddresses own(socket.family);
  if (!own.is_known()) {
    return WSAENOBUFS;
  }
  const std::vector<const ifaddrs*>& addresses = own.list();
  const std::size_t size = length_of_address(socket.family);
  const std::size_t head = std::max(sizeof(SOCKET_ADDRESS_LIST), SIZEOF_SOCKET_ADDRESS_LIST(addresses.size()));
  question.length = static_cast<DWORD>(head + addresses.size() * size);
  if (question.out.size() < question.length) {
    return WSAEFAULT;
  }
  auto* list = reinterpret_cast<SOCKET_ADDRESS_LIST*>(question.out.data());
  list->iAddressCount = static_cast<INT>(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    std::byte* place = question.out.data() + head + i * size;
    std::memcpy(place, addresses[i]->ifa_addr, size);
    list->Address[i] = {reinterpret_cast<sockaddr*>(place), static_cast<INT>(size)};
  }
  return 0;
}

void put_address(sockaddr_gen& place, const sockaddr* address) {
  if (address != nullptr) {
    std::memcpy(&place, address, sizeof(sockaddr_in));
  }
}

INTERFACE_INFO describe(const ifaddrs& own) {
  INTERFACE_INFO info{};
  info.iiFlags = own.ifa_flags & (IFF_UP | IFF_BROADCAST | IFF_LOOPBACK | IFF_POINTTOPOINT | IFF_MULTICAST);
  put_address(info.iiAddress, own.ifa_addr);
  put_address(info.iiNetmask, own.ifa_netmask);
  if ((own.ifa_flags & IFF_BROADCAST) != 0) {
    put_address(info.iiBroadcastAddress, own.ifa_broadaddr);
  }
  return info;
}

// An element for each address, so that an interface without one does not show.
std::uint32_t interface_list(const Socket& socket, const Question& question) {
  if (socket.family != AF_INET) {
    return WSAEOPNOTSUPP;
  }
  const OwnAddresses own(AF_INET);
  if (!own.is_known()) {
    return WSAENOBUFS;
  }
  std::vector<INTERFACE_INFO> list;
  for (const ifaddrs* each : own.list()) {
    list.push_back(describe(*each));
  }
  return answer(question, list.data(), list.size() * sizeof(INTERFACE_INFO));
}

std::uint32_t extension_function(const Question& question) {
  constexpr GUID kReceiveMessage = WSAID_WSARECVMSG;
  constexpr GUID kSendMessage = WSAID_WSASENDMSG;
  if (question.in.size() < sizeof(GUID)) {
    return WSAEFAULT;
  }
  const auto is_asked = [&question](const GUID& id) { return std::memcmp(question.in.data(), &id, sizeof(id)) == 0; };
  void* function = is_asked(kReceiveMessage) ? reinterpret_cast<void*>(receive_message)
                   : is_asked(kSendMessage)  ? reinterpret_cast<void*>(WSASendMsg)
                                             : nullptr;
  return function == nullptr ? std::uint32_t{WSAEINVAL} : answer(question, &function, sizeof(function));
}

// The own address from which a datagram would go to the one in question.
std::uint32_t routing_interface(const Socket& socket, const Question& question) {
  if (question.in.size() < length_of_address(socket.family)) {
    return WSAEFAULT;
  }
  sockaddr_storage to{};
  std::memcpy(&to, question.in.data(), length_of_address(socket.family));
  if (to.ss_family != socket.family) {
    return WSAEAFNOSUPPORT;
  }
  auto& port = reinterpret_cast<sockaddr_in&>(to).sin_port;
  port = port != 0 ? port : htons(9);
  Descriptor probe;
  std::uint32_t error = system_sockets::open(socket.family, SOCK_DGRAM, 0, probe);
  if (error != 0) {
    return error;
  }
  sockaddr_storage from{};
  std::uint32_t length = 0;
  error =
      system_sockets::connect_to(probe.number(), reinterpret_cast<sockaddr*>(&to), length_of_address(socket.family));
  error = error != 0 ? error : system_sockets::own_address(probe.number(), from, length);
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
    case SIO_GET_EXTENSION_FUNCTION_POINTER:
      return extension_function(question);
    case SIO_GET_INTERFACE_LIST:
      return interface_list(socket, question);
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
using turnpike::win32::Question;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;
using turnpike::win32::unless_memory_is_out;
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
  const Question question{
      {in, in != nullptr ? cbInBuffer : 0}, {out, out != nullptr ? cbOutBuffer : 0}, *lpcbBytesReturned};
  return socket_result(unless_memory_is_out(
      std::uint32_t{WSAENOBUFS}, [&] { return control_widely(*socket, dwIoControlCode, question); }, WSAENOBUFS));
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
