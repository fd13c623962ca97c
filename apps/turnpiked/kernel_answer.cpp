#include "kernel_answer.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

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

// `flags`: 0, or RTM_F_FIB_MATCH for the route that it goes by instead of the way that comes of it.
Question question_of(const net::Address& address, std::uint32_t flags) {
  Question made{};
  const std::size_t size = address.bytes().size();
  made.head.nlmsg_len = static_cast<std::uint32_t>(offsetof(Question, address) + size);
  made.head.nlmsg_type = RTM_GETROUTE;
  made.head.nlmsg_flags = NLM_F_REQUEST;
  made.route.rtm_family = address.is_ipv4() ? AF_INET : AF_INET6;
  made.route.rtm_flags = flags;
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

std::string refusal(int error) {
  if (error == ENETUNREACH || error == EHOSTUNREACH) return "no way there";
  if (error == EINVAL) return "dropped by a blackhole route";
  if (error == EACCES) return "prohibited by a route";
  return std::string("refused: ") + strerrorname_np(error);
}

// Calls `take` with each attribute's type and bytes.
template <class Take>
void each_attribute(std::string_view bytes, Take&& take) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > bytes.size()) return;
    take(attribute.rta_type, bytes.substr(sizeof attribute, attribute.rta_len - sizeof attribute));
    bytes.remove_prefix(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
}

std::optional<net::Address> address_in(std::string_view bytes) {
  const auto value = net::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return value ? std::optional(*value) : std::nullopt;
}

std::uint32_t number_in(std::string_view bytes) {
  std::uint32_t number = 0;
  if (bytes.size() == sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// The answer to a question: a route's header and its attributes, or an errno.
struct Message {
  int error = 0;
  rtmsg route{};
  std::string attributes;
};

Message ask(const net::Address& address, std::uint32_t flags) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const timeval limit{2, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const Question question = question_of(address, flags);
  if (::send(socket.number(), &question, question.head.nlmsg_len, 0) < 0) return {errno, {}, {}};
  std::array<char, 8192> answer{};
  const ssize_t got = ::recv(socket.number(), answer.data(), answer.size(), 0);
  nlmsghdr head{};
  if (got < static_cast<ssize_t>(sizeof head)) return {got < 0 ? errno : EIO, {}, {}};
  std::memcpy(&head, answer.data(), sizeof head);
  const std::string_view body(answer.data() + sizeof head, static_cast<std::size_t>(got) - sizeof head);
  if (head.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr error{};
    std::memcpy(&error, body.data(), std::min(sizeof error, body.size()));
    return {-error.error, {}, {}};
  }
  Message message;
  if (body.size() < sizeof message.route) return {EIO, {}, {}};
  std::memcpy(&message.route, body.data(), sizeof message.route);
  message.attributes = body.substr(std::min<std::size_t>(NLMSG_ALIGN(sizeof message.route), body.size()));
  return message;
}

}  // namespace

std::string KernelAnswer::owner() const {
  return "protocol " + std::to_string(protocol) + ", table " + std::to_string(table);
}

KernelAnswer ask_kernel(const net::Address& address) {
  KernelAnswer out;
  const Message way = ask(address, 0);
  if (way.error != 0) {
    out.text = refusal(way.error);
    out.is_dropped = true;
    return out;
  }
  std::string from;
  each_attribute(way.attributes, [&](unsigned type, std::string_view data) {
    if (type == RTA_GATEWAY) out.via = address_in(data);
    if (type == RTA_OIF) out.interface = number_in(data);
    if (const auto source = address_in(data); type == RTA_PREFSRC && source) from = to_text(*source).view();
  });
  out.text = type_name(way.route.rtm_type);
  if (out.via) out.text += " via " + std::string(to_text(*out.via).view());
  if (out.interface != 0) out.text += " dev " + interface_name(out.interface);
  if (!from.empty()) out.text += " from " + from;
  const Message match = ask(address, RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE);
  if (match.error != 0) return out;
  out.protocol = match.route.rtm_protocol;
  out.table = match.route.rtm_table;
  out.route = net::Prefix(address, match.route.rtm_dst_len);
  each_attribute(match.attributes, [&](unsigned type, std::string_view data) {
    if (type == RTA_TABLE) out.table = number_in(data);
  });
  return out;
}

std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) != nullptr ? std::string(name.data()) : std::to_string(index);
}

}  // namespace turnpike::daemon
