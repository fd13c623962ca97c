// Options of sockets. Levels and numbers are Linux's, so most options pass straight through; here is what differs: the
// width of a number (Winsock takes a BOOL, a DWORD or a BYTE alike), what means something else, and what Linux has not.
#include <winsock2.h>
#include <ws2ipdef.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "win32/sockets/system_sockets.h"
#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

constexpr int kLargestDatagram = 65507;

// A number that came in one byte, two, or four.
int number_in(const char* value, int length) {
  std::int32_t four = 0;
  std::int16_t two = 0;
  if (length >= 4) {
    std::memcpy(&four, value, sizeof(four));
    return four;
  }
  if (length >= 2) {
    std::memcpy(&two, value, sizeof(two));
    return two;
  }
  return static_cast<unsigned char>(*value);
}

std::uint32_t number_out(int number, char* value, int* length) {
  const auto room = static_cast<std::size_t>(*length);
  if (room < 1) {
    return WSAEFAULT;
  }
  const std::size_t bytes = room >= 4 ? 4 : 1;  // little end first: a BOOLEAN gets its byte
  std::memcpy(value, &number, bytes);
  *length = static_cast<int>(bytes);
  return 0;
}

// Options that Linux wants as a structure, or of which Winsock's client passes one; the rest are numbers.
bool is_structure(int level, int name) {
  switch (level) {
    case SOL_SOCKET:
      return name == SO_LINGER;
    case IPPROTO_IP:
      return name == IP_MULTICAST_IF || name == IP_OPTIONS || (name >= IP_ADD_MEMBERSHIP && name <= MCAST_MSFILTER);
    case IPPROTO_IPV6:
      return name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP ||
             (name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER);
    case IPPROTO_ICMPV6:
      return true;
    default:
      return false;
  }
}

// On Windows one option asks for the information and names it when it comes; Linux has two.
int system_name(int level, int name) {
  if (level == IPPROTO_IPV6 && name == IPV6_PKTINFO) {
    return IPV6_RECVPKTINFO;
  }
  return level == IPPROTO_IPV6 && name == IPV6_HOPLIMIT ? IPV6_RECVHOPLIMIT : name;
}

// Both take an IPv4 interface's index in the network's order, and only Linux an IPv6 one's.
bool is_in_network_order(int level, int name) { return level == IPPROTO_IPV6 && name == IPV6_UNICAST_IF; }

// Where an address of an interface is asked for, 0.x.y.z stands for the interface with that index.
int interface_index(in_addr address) {
  const std::uint32_t number = ntohl(address.s_addr);
  return number != 0 && number < 0x01000000 ? static_cast<int>(number) : 0;
}

std::uint32_t set_multicast_interface(const Socket& socket, const char* value, int length) {
  ip_mreqn wanted{};
  if (length < static_cast<int>(sizeof(wanted.imr_address))) {
    return WSAEFAULT;
  }
  std::memcpy(&wanted.imr_address, value, sizeof(wanted.imr_address));
  wanted.imr_ifindex = interface_index(wanted.imr_address);
  if (wanted.imr_ifindex != 0) {
    wanted.imr_address.s_addr = INADDR_ANY;
  }
  return system_sockets::set_option(socket.descriptor(), IPPROTO_IP, IP_MULTICAST_IF, &wanted, sizeof(wanted));
}

std::uint32_t change_membership(const Socket& socket, int name, const char* value) {
  ip_mreq asked{};
  std::memcpy(&asked, value, sizeof(asked));
  ip_mreqn wanted{asked.imr_multiaddr, asked.imr_interface, interface_index(asked.imr_interface)};
  if (wanted.imr_ifindex != 0) {
    wanted.imr_address.s_addr = INADDR_ANY;
  }
  return system_sockets::set_option(socket.descriptor(), IPPROTO_IP, name, &wanted, sizeof(wanted));
}

void put_address(sockaddr_storage& place, in_addr address) {
  auto& plain = reinterpret_cast<sockaddr_in&>(place);
  plain.sin_family = AF_INET;
  plain.sin_addr = address;
}

int by_index(int name) {
  switch (name) {
    case IP_ADD_SOURCE_MEMBERSHIP:
      return MCAST_JOIN_SOURCE_GROUP;
    case IP_DROP_SOURCE_MEMBERSHIP:
      return MCAST_LEAVE_SOURCE_GROUP;
    case IP_BLOCK_SOURCE:
      return MCAST_BLOCK_SOURCE;
    default:
      return MCAST_UNBLOCK_SOURCE;
  }
}

// Linux takes no index in an ip_mreq_source; but there is another option for each of these that does.
std::uint32_t change_source(const Socket& socket, int name, const char* value) {
  ip_mreq_source asked{};
  std::memcpy(&asked, value, sizeof(asked));
  const int index = interface_index(asked.imr_interface);
  if (index == 0) {
    return system_sockets::set_option(socket.descriptor(), IPPROTO_IP, name, &asked, sizeof(asked));
  }
  group_source_req wanted{};
  wanted.gsr_interface = static_cast<std::uint32_t>(index);
  put_address(wanted.gsr_group, asked.imr_multiaddr);
  put_address(wanted.gsr_source, asked.imr_sourceaddr);
  return system_sockets::set_option(socket.descriptor(), IPPROTO_IP, by_index(name), &wanted, sizeof(wanted));
}

// What such an option has at least.
std::size_t size_of_structure(int level, int name) {
  if (level == SOL_SOCKET) {
    return sizeof(linger);
  }
  switch (name) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
      return level == IPPROTO_IP ? sizeof(ip_mreq) : 1;
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
    case IP_BLOCK_SOURCE:
    case IP_UNBLOCK_SOURCE:
      return sizeof(ip_mreq_source);
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
      return level == IPPROTO_IPV6 ? sizeof(ipv6_mreq) : 1;
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
      return sizeof(group_req);
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
      return sizeof(group_source_req);
    default:
      return 1;  // of many lengths: Linux says
  }
}

// A stream's address may always be taken over from connections that linger, as on Windows; and never from a listener,
// which Windows would allow to SO_REUSEADDR and nobody should.
std::uint32_t set_sharing(Socket& socket, bool share) {
  if (share && socket.exclusive) {
    return WSAEINVAL;
  }
  socket.may_share = share;
  return socket.is_stream() ? 0
                            : system_sockets::set_number(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, share ? 1 : 0);
}

std::uint32_t set_exclusive(Socket& socket, bool exclusive) {
  if (exclusive && (socket.may_share || socket.bound)) {
    return WSAEINVAL;
  }
  socket.exclusive = exclusive;
  return 0;
}

std::uint32_t set_linger(const Socket& socket, const linger& wanted) {
  return system_sockets::set_option(socket.descriptor(), SOL_SOCKET, SO_LINGER, &wanted, sizeof(wanted));
}

std::uint32_t set_number_option(Socket& socket, int level, int name, int number) {
  const bool on = number != 0;
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_RCVTIMEO:
        socket.receive_timeout = static_cast<std::uint32_t>(number);
        return 0;
      case SO_SNDTIMEO:
        socket.send_timeout = static_cast<std::uint32_t>(number);
        return 0;
      case SO_REUSEADDR:
        return set_sharing(socket, on);
      case SO_EXCLUSIVEADDRUSE:
        return set_exclusive(socket, on);
      case SO_DONTLINGER:
        return set_linger(socket, linger{on ? 0 : 1, 0});
      case SO_UPDATE_ACCEPT_CONTEXT:
      case SO_UPDATE_CONNECT_CONTEXT:
        return 0;
      case SO_BROADCAST:
      case SO_DEBUG:
      case SO_DONTROUTE:
      case SO_KEEPALIVE:
      case SO_RCVBUF:
      case SO_RCVLOWAT:
      case SO_SNDBUF:
        break;
      case SO_OOBINLINE:
        socket.urgent_is_inline = on;
        break;
      default:
        return WSAENOPROTOOPT;
    }
  }
  if (level == IPPROTO_IP && name == IP_DONTFRAGMENT) {
    return system_sockets::set_number(socket.descriptor(), IPPROTO_IP, IP_MTU_DISCOVER,
                                      on ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
  }
  if ((level == IPPROTO_IP && name == IP_RECEIVE_BROADCAST) ||
      (level == IPPROTO_IPV6 && name == IPV6_PROTECTION_LEVEL)) {
    return 0;  // Linux always receives them, and has no such levels
  }
  return system_sockets::set_number(
      socket.descriptor(), level, system_name(level, name),
      is_in_network_order(level, name) ? static_cast<int>(htonl(static_cast<std::uint32_t>(number))) : number);
}

std::uint32_t set_structure(const Socket& socket, int level, int name, const char* value, int length) {
  if (static_cast<std::size_t>(length) < size_of_structure(level, name)) {
    return WSAEFAULT;
  }
  if (level == IPPROTO_IP && name == IP_MULTICAST_IF) {
    return set_multicast_interface(socket, value, length);
  }
  if (level == IPPROTO_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)) {
    return change_membership(socket, name, value);
  }
  if (level == IPPROTO_IP && name >= IP_UNBLOCK_SOURCE && name <= IP_DROP_SOURCE_MEMBERSHIP) {
    return change_source(socket, name, value);
  }
  return system_sockets::set_option(socket.descriptor(), level, name, value, static_cast<std::uint32_t>(length));
}

std::uint32_t get_system_number(const Socket& socket, int level, int name, int& number) {
  std::uint32_t length = sizeof(number);
  number = 0;
  const std::uint32_t error =
      system_sockets::get_option(socket.descriptor(), level, system_name(level, name), &number, length);
  number = is_in_network_order(level, name) ? static_cast<int>(ntohl(static_cast<std::uint32_t>(number))) : number;
  return error;
}

std::uint32_t get_socket_number(Socket& socket, int name, int& number) {
  std::uint32_t error = 0;
  switch (name) {
    case SO_RCVTIMEO:
      number = static_cast<int>(socket.receive_timeout);
      return 0;
    case SO_SNDTIMEO:
      number = static_cast<int>(socket.send_timeout);
      return 0;
    case SO_REUSEADDR:
      number = socket.may_share ? 1 : 0;
      return 0;
    case SO_EXCLUSIVEADDRUSE:
      number = socket.exclusive ? 1 : 0;
      return 0;
    case SO_MAX_MSG_SIZE:
      number = socket.type == SOCK_DGRAM ? kLargestDatagram : 0;
      return socket.is_stream() ? WSAENOPROTOOPT : 0;
    case SO_DONTLINGER: {
      linger set{};
      std::uint32_t length = sizeof(set);
      error = system_sockets::get_option(socket.descriptor(), SOL_SOCKET, SO_LINGER, &set, length);
      number = set.l_onoff == 0 ? 1 : 0;
      return error;
    }
    case SO_ERROR:
      number = static_cast<int>(system_sockets::take_error(socket.descriptor()));
      return 0;
    case SO_RCVBUF:
    case SO_SNDBUF:
      error = get_system_number(socket, SOL_SOCKET, name, number);
      number /= 2;  // Linux doubles what was set, for its own needs
      return error;
    default:
      return get_system_number(socket, SOL_SOCKET, name, number);
  }
}

std::uint32_t get_number_option(Socket& socket, int level, int name, int& number) {
  if (level == SOL_SOCKET) {
    return get_socket_number(socket, name, number);
  }
  if (level == IPPROTO_IP && name == IP_DONTFRAGMENT) {
    const std::uint32_t error = get_system_number(socket, IPPROTO_IP, IP_MTU_DISCOVER, number);
    number = number == IP_PMTUDISC_DO || number == IP_PMTUDISC_PROBE ? 1 : 0;
    return error;
  }
  return get_system_number(socket, level, name, number);
}

std::uint32_t set_option_of(Socket& socket, int level, int name, const char* value, int length) {
  if (value == nullptr || length < 1) {
    return WSAEFAULT;
  }
  return is_structure(level, name) ? set_structure(socket, level, name, value, length)
                                   : set_number_option(socket, level, name, number_in(value, length));
}

std::uint32_t get_option_of(Socket& socket, int level, int name, char* value, int* length) {
  if (value == nullptr || length == nullptr || *length < 1) {
    return WSAEFAULT;
  }
  if (is_structure(level, name)) {
    auto got = static_cast<std::uint32_t>(*length);
    if (level == SOL_SOCKET && got < sizeof(linger)) {
      return WSAEFAULT;
    }
    const std::uint32_t error = system_sockets::get_option(socket.descriptor(), level, name, value, got);
    *length = error == 0 ? static_cast<int>(got) : *length;
    return error;
  }
  int number = 0;
  const std::uint32_t error = get_number_option(socket, level, name, number);
  return error != 0 ? error : number_out(number, value, length);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::get_option_of;
using turnpike::win32::Held;
using turnpike::win32::set_option_of;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;

int WSAAPI setsockopt(SOCKET s, int level, int optname, const char* optval, int optlen) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(set_option_of(*socket, level, optname, optval, optlen)) : SOCKET_ERROR;
}

int WSAAPI getsockopt(SOCKET s, int level, int optname, char* optval, int* optlen) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(get_option_of(*socket, level, optname, optval, optlen)) : SOCKET_ERROR;
}
