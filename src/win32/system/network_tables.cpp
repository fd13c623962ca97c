#include "win32/system/network_tables.h"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <span>

#include "base/descriptor.h"

namespace turnpike::win32 {
namespace {

constexpr int kTries = 10;
constexpr std::size_t kBufferSize = 1 << 16;  // more than the kernel puts into one message of a dump

using Bytes = std::span<const std::uint8_t>;

// A request under construction: a header of rtnetlink, the message's own, attributes.
class Request {
 public:
  template <class Message>
  Request(std::uint16_t type, std::uint16_t flags, const Message& message) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = 1;
    append(header);
    append(message);
  }

  void add(std::uint16_t type, Bytes value) {
    const rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(value.size())), type};
    append(attribute);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  Bytes finished() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);  // nlmsg_len is the first field
    return bytes_;
  }

 private:
  template <class T>
  void append(const T& value) {
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof value);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  std::vector<std::uint8_t> bytes_;
};

const void* payload_of(const nlmsghdr* message) { return reinterpret_cast<const char*>(message) + NLMSG_HDRLEN; }

// What one message says: its header, and its attributes by type. It lives as long as the buffer.
template <class Header>
class Message {
 public:
  explicit Message(const nlmsghdr* message) : header_(static_cast<const Header*>(payload_of(message))) {
    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(Header))) return;
    good_ = true;
    auto left = static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof(Header)));
    const auto* at =
        reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(header_) + NLMSG_ALIGN(sizeof(Header)));
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
      const unsigned type = at->rta_type & NLA_TYPE_MASK;
      if (type < attributes_.size()) {
        attributes_[type] = {static_cast<const std::uint8_t*>(RTA_DATA(at)), RTA_PAYLOAD(at)};
      }
    }
  }

  [[nodiscard]] bool is_good() const { return good_; }
  const Header* operator->() const { return header_; }
  [[nodiscard]] Bytes operator[](unsigned type) const { return attributes_[type]; }

  // The kernel's structures grow over time: what an older kernel does not send is zero.
  template <class T>
  [[nodiscard]] T number(unsigned type) const {
    T value{};
    const Bytes bytes = attributes_[type];
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
    return value;
  }
  [[nodiscard]] std::string text(unsigned type) const {
    const Bytes bytes = attributes_[type];
    return {bytes.begin(), std::ranges::find(bytes, 0)};
  }
  // Nothing where it is absent, or of a family that does not fit.
  [[nodiscard]] std::optional<net::Address> address(unsigned type) const {
    const auto parsed = net::Address::from_bytes(attributes_[type]);
    return parsed && parsed->is_ipv4() ? std::optional(*parsed) : std::nullopt;
  }

 private:
  const Header* header_;
  bool good_ = false;
  std::array<Bytes, 64> attributes_{};
};

Result<Descriptor> ask(Bytes request) {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.is_open()) return fail_errno(errno, "netlink socket");
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* const address = reinterpret_cast<const sockaddr*>(&kernel);
  if (::sendto(socket.number(), request.data(), request.size(), 0, address, sizeof kernel) < 0) {
    return fail_errno(errno, "netlink send");
  }
  return socket;
}

Result<Bytes> receive(const Descriptor& socket, std::vector<std::uint8_t>& buffer) {
  for (;;) {
    const ssize_t length = ::recv(socket.number(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return fail_errno(errno, "netlink receive");
    if (static_cast<std::size_t>(length) > buffer.size()) return fail(ErrorKind::kInternal, "netlink message too long");
    return Bytes(buffer.data(), static_cast<std::size_t>(length));
  }
}

enum class Answer : std::uint8_t { kMore, kDone, kDisturbed };

// What an error, or the end of a dump, begins with: a negative errno, or 0.
int code_of(const nlmsghdr* message) {
  int code = 0;
  if (message->nlmsg_len >= NLMSG_LENGTH(sizeof code)) std::memcpy(&code, payload_of(message), sizeof code);
  return code;
}

// Hands each message of a datagram to `take`.
Result<Answer> read_messages(Bytes datagram, const std::function<void(const nlmsghdr*)>& take) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto* at = reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (at->nlmsg_len < sizeof(nlmsghdr) || at->nlmsg_len > datagram.size()) break;
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(at->nlmsg_len), datagram.size()));
    const bool ends = at->nlmsg_type == NLMSG_ERROR || at->nlmsg_type == NLMSG_DONE;
    if (const int code = ends ? code_of(at) : 0; code != 0) return fail_errno(-code, "netlink request");
    if ((at->nlmsg_flags & NLM_F_DUMP_INTR) != 0) return Answer::kDisturbed;
    if (ends) return Answer::kDone;
    take(at);
    if ((at->nlmsg_flags & NLM_F_MULTI) == 0) return Answer::kDone;
  }
  return Answer::kMore;
}

Result<Answer> read_answer(Bytes request, const std::function<void(const nlmsghdr*)>& take) {
  const Result<Descriptor> socket = ask(request);
  if (!socket) return tl::unexpected(socket.error());
  std::vector<std::uint8_t> buffer(kBufferSize);
  for (;;) {
    const Result<Bytes> datagram = receive(*socket, buffer);
    if (!datagram) return tl::unexpected(datagram.error());
    const Result<Answer> answer = read_messages(*datagram, take);
    if (!answer || *answer != Answer::kMore) return answer;
  }
}

// All that a dump shows, each message turned by `convert` into none, one or several T.
template <class T, class Convert>
Result<std::vector<T>> dump(Request request, Convert convert) {
  const Bytes bytes = request.finished();
  for (int i = 0; i < kTries; ++i) {
    std::vector<T> found;
    const Result<Answer> answer = read_answer(bytes, [&](const nlmsghdr* message) { convert(message, found); });
    if (!answer) return tl::unexpected(answer.error());
    if (*answer == Answer::kDone) return found;
  }
  return fail(ErrorKind::kBusy, "the kernel's table changed while it was read");
}

LinkCounters counters_of(const Message<ifinfomsg>& message) {
  const auto kernel = message.number<rtnl_link_stats64>(IFLA_STATS64);
  return {kernel.rx_bytes,     kernel.rx_packets, kernel.rx_errors,  kernel.rx_dropped, kernel.multicast,
          kernel.rx_nohandler, kernel.tx_bytes,   kernel.tx_packets, kernel.tx_errors,  kernel.tx_dropped};
}

Link link_of(const Message<ifinfomsg>& message) {
  Link link;
  link.index = static_cast<std::uint32_t>(message->ifi_index);
  link.name = message.text(IFLA_IFNAME);
  link.alias = message.text(IFLA_IFALIAS);
  link.hardware_type = message->ifi_type;
  link.flags = message->ifi_flags;
  link.operational_state = message.number<std::uint8_t>(IFLA_OPERSTATE);
  link.mtu = message.number<std::uint32_t>(IFLA_MTU);
  link.address.assign(message[IFLA_ADDRESS].begin(), message[IFLA_ADDRESS].end());
  link.counters = counters_of(message);
  return link;
}

std::optional<LinkAddress> address_of(const Message<ifaddrmsg>& message) {
  const auto address = message.address(IFA_LOCAL) ? message.address(IFA_LOCAL) : message.address(IFA_ADDRESS);
  if (!address) return std::nullopt;
  const net::Address peer = message.address(IFA_ADDRESS).value_or(*address);
  const std::uint32_t flags =
      message[IFA_FLAGS].empty() ? message->ifa_flags : message.number<std::uint32_t>(IFA_FLAGS);
  return LinkAddress{message->ifa_index, *address, net::Prefix(peer, message->ifa_prefixlen),
                     (flags & IFA_F_SECONDARY) != 0, (flags & IFA_F_PERMANENT) != 0};
}

// The next hops of a route: its own, or those of its list.
void append_routes(const Message<rtmsg>& message, std::vector<KernelRoute>& out) {
  KernelRoute route;
  route.destination = net::Prefix(message.address(RTA_DST).value_or(net::Address{}), message->rtm_dst_len);
  route.gateway = message.address(RTA_GATEWAY);
  route.source = message.address(RTA_PREFSRC).value_or(net::Address{});
  route.index = message.number<std::uint32_t>(RTA_OIF);
  route.metric = message.number<std::uint32_t>(RTA_PRIORITY);
  route.protocol = message->rtm_protocol;
  route.type = message->rtm_type;
  const Bytes hops = message[RTA_MULTIPATH];
  if (hops.empty()) return out.push_back(route);

  auto left = hops.size();
  const auto* hop = reinterpret_cast<const rtnexthop*>(hops.data());
  for (; left >= sizeof *hop && RTNH_OK(hop, static_cast<int>(left)); hop = RTNH_NEXT(hop)) {
    route.index = static_cast<std::uint32_t>(hop->rtnh_ifindex);
    route.gateway.reset();
    auto rest = static_cast<int>(hop->rtnh_len - RTNH_LENGTH(0));
    for (const auto* at = RTNH_DATA(hop); RTA_OK(at, rest); at = RTA_NEXT(at, rest)) {
      const auto gateway = net::Address::from_bytes({static_cast<const std::uint8_t*>(RTA_DATA(at)), RTA_PAYLOAD(at)});
      if (at->rta_type == RTA_GATEWAY && gateway) route.gateway = *gateway;
    }
    out.push_back(route);
    const std::size_t step = std::min<std::size_t>(RTNH_ALIGN(hop->rtnh_len), left);
    left -= step;
  }
}

Result<KernelRoute> look_up(const net::Address& destination, std::optional<net::Address> source, unsigned flags) {
  rtmsg header{};
  header.rtm_family = destination.is_ipv4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = static_cast<std::uint8_t>(destination.width());
  header.rtm_src_len = static_cast<std::uint8_t>(source ? source->width() : 0);
  header.rtm_flags = flags;
  Request request(RTM_GETROUTE, 0, header);
  request.add(RTA_DST, destination.bytes());
  if (source) request.add(RTA_SRC, source->bytes());
  const Result<std::vector<KernelRoute>> found =
      dump<KernelRoute>(std::move(request), [](const nlmsghdr* message, std::vector<KernelRoute>& out) {
        const Message<rtmsg> route(message);
        if (route.is_good()) append_routes(route, out);
      });
  if (!found) return tl::unexpected(found.error());
  if (found->empty()) return fail(ErrorKind::kNotFound, "no route");
  return found->front();
}

}  // namespace

Result<std::vector<Link>> read_links() {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  Result<std::vector<Link>> links =
      dump<Link>(Request(RTM_GETLINK, NLM_F_DUMP, header), [](const nlmsghdr* message, std::vector<Link>& out) {
        const Message<ifinfomsg> link(message);
        if (link.is_good() && message->nlmsg_type == RTM_NEWLINK) out.push_back(link_of(link));
      });
  if (links) sort_by(*links, &Link::index);
  return links;
}

Result<std::vector<LinkAddress>> read_addresses() {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  Result<std::vector<LinkAddress>> addresses = dump<LinkAddress>(
      Request(RTM_GETADDR, NLM_F_DUMP, header), [](const nlmsghdr* message, std::vector<LinkAddress>& out) {
        const Message<ifaddrmsg> address(message);
        if (!address.is_good() || message->nlmsg_type != RTM_NEWADDR) return;
        if (const auto found = address_of(address)) out.push_back(*found);
      });
  if (addresses) sort_by(*addresses, &LinkAddress::index);
  return addresses;
}

Result<std::vector<KernelRoute>> read_routes() {
  rtmsg header{};
  header.rtm_family = AF_INET;
  return dump<KernelRoute>(Request(RTM_GETROUTE, NLM_F_DUMP, header), [](const nlmsghdr* message,
                                                                         std::vector<KernelRoute>& out) {
    const Message<rtmsg> route(message);
    if (!route.is_good() || message->nlmsg_type != RTM_NEWROUTE) return;
    const std::uint32_t table = route[RTA_TABLE].empty() ? route->rtm_table : route.number<std::uint32_t>(RTA_TABLE);
    const bool cloned = (route->rtm_flags & RTM_F_CLONED) != 0;
    if (table == RT_TABLE_MAIN && route->rtm_type == RTN_UNICAST && !cloned) append_routes(route, out);
  });
}

// Asked twice: which way a packet goes (of several next hops the one that is chosen), and by which route.
Result<KernelRoute> find_route(const net::Address& destination, std::optional<net::Address> source) {
  const Result<KernelRoute> way = look_up(destination, source, 0);
  if (!way) return way;
  Result<KernelRoute> route = look_up(destination, source, RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE);
  if (!route) return route;
  route->gateway = way->gateway;
  route->index = way->index;
  route->source = way->source;
  return route;
}

Result<std::uint32_t> find_interface(const net::Address& destination) {
  return look_up(destination, std::nullopt, 0).map([](const KernelRoute& way) { return way.index; });
}

std::uint64_t speed_of(const std::string& link_name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_cmd command{};
  command.cmd = ETHTOOL_GSET;
  ifreq request{};
  link_name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&command);
  if (!socket.is_open() || ::ioctl(socket.number(), SIOCETHTOOL, &request) != 0) return 0;
  const std::uint32_t megabits = ethtool_cmd_speed(&command);
  return megabits == static_cast<std::uint32_t>(SPEED_UNKNOWN) ? 0 : std::uint64_t{megabits} * 1'000'000;
}

}  // namespace turnpike::win32
