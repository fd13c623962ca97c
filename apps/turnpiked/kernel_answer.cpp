#include "kernel_answer.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "net/text.h"

namespace turnpike::daemon {
namespace {

struct Question {
  nlmsghdr head;
  rtmsg route;
  rtattr destination;
  std::array<std::uint8_t, 16> address;
};

Question question_of(const net::Address& address) {
  Question made{};
  const std::size_t size = address.bytes().size();
  made.head.nlmsg_len = static_cast<std::uint32_t>(offsetof(Question, address) + size);
  made.head.nlmsg_type = RTM_GETROUTE;
  made.head.nlmsg_flags = NLM_F_REQUEST;
  made.route.rtm_family = address.is_ipv4() ? AF_INET : AF_INET6;
  made.route.rtm_dst_len = static_cast<std::uint8_t>(size * 8);
  made.destination.rta_type = RTA_DST;
  made.destination.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + size);
  std::copy(address.bytes().begin(), address.bytes().end(), made.address.begin());
  return made;
}

std::string type_name(unsigned type) {
  switch (type) {
    case RTN_UNICAST:
      return "unicast";
    case RTN_LOCAL:
      return "local";
    case RTN_BROADCAST:
      return "broadcast";
    case RTN_MULTICAST:
      return "multicast";
    case RTN_BLACKHOLE:
      return "blackhole";
    case RTN_UNREACHABLE:
      return "unreachable";
    case RTN_PROHIBIT:
      return "prohibit";
    default:
      return "other";
  }
}

Value refused(int error) {
  if (error == ENETUNREACH || error == EHOSTUNREACH) return Value("no way there");
  if (error == EINVAL) return Value("dropped by a blackhole route");
  if (error == EACCES) return Value("prohibited by a route");
  return Value(std::string("refused: ") + strerrorname_np(error));
}

// What the answer says, from its attributes.
Value read_answer(const char* bytes, std::size_t size) {
  rtmsg route{};
  if (size < sizeof route) return Value("no answer that could be read");
  std::memcpy(&route, bytes, sizeof route);
  std::string via, dev, from;
  for (std::size_t at = NLMSG_ALIGN(sizeof route); at + sizeof(rtattr) <= size;) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > size - at) break;
    const char* data = bytes + at + sizeof attribute;
    const std::size_t length = attribute.rta_len - sizeof attribute;
    if (attribute.rta_type == RTA_GATEWAY || attribute.rta_type == RTA_PREFSRC) {
      const auto value = net::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(data), length});
      if (value && attribute.rta_type == RTA_GATEWAY) via = " via " + std::string(to_text(*value).view());
      if (value && attribute.rta_type == RTA_PREFSRC) from = " from " + std::string(to_text(*value).view());
    } else if (attribute.rta_type == RTA_OIF && length == sizeof(std::uint32_t)) {
      std::uint32_t index = 0;
      std::memcpy(&index, data, sizeof index);
      dev = " dev " + interface_name(index);
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return Value(type_name(route.rtm_type) + via + dev + from);
}

}  // namespace

Value kernel_answer(const net::Address& address) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const timeval limit{2, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const Question question = question_of(address);
  if (::send(socket.number(), &question, question.head.nlmsg_len, 0) < 0) return refused(errno);
  std::array<char, 8192> answer{};
  const ssize_t got = ::recv(socket.number(), answer.data(), answer.size(), 0);
  nlmsghdr head{};
  if (got < static_cast<ssize_t>(sizeof head)) return refused(got < 0 ? errno : EIO);
  std::memcpy(&head, answer.data(), sizeof head);
  const std::size_t size = static_cast<std::size_t>(got) - sizeof head;
  if (head.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr error{};
    std::memcpy(&error, answer.data() + sizeof head, std::min(sizeof error, size));
    return refused(-error.error);
  }
  return read_answer(answer.data() + sizeof head, size);
}

std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) != nullptr ? std::string(name.data()) : std::to_string(index);
}

}  // namespace turnpike::daemon
