#include "ground/multicast.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace turnpike::ground {
namespace {

constexpr std::uint16_t kPort = 5004;

bool is_ipv6(const std::string& address) { return address.find(':') != std::string::npos; }

sockaddr_storage address_of(const std::string& text, std::uint16_t port, int index = 0) {
  sockaddr_storage result{};
  if (is_ipv6(text)) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_scope_id = static_cast<std::uint32_t>(index);
    if (::inet_pton(AF_INET6, text.c_str(), &address.sin6_addr) != 1) throw GroundError(text + " is no address");
    std::memcpy(&result, &address, sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) throw GroundError(text + " is no address");
    std::memcpy(&result, &address, sizeof address);
  }
  return result;
}

socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

const sockaddr* plain(const sockaddr_storage& address) { return reinterpret_cast<const sockaddr*>(&address); }

template <class Value>
void set(const Descriptor& socket, int level, int option, const Value& value, const char* what) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof value) != 0) fail_with_errno(what);
}

}  // namespace

Fork::Fork(Ground& ground)
    : source(ground.host("source")),
      router(ground.host("router")),
      left(ground.host("left")),
      right(ground.host("right")) {
  ground.wire({source, "eth0", {"10.0.0.2/24", "fd00::2/64"}}, {router, "in", {"10.0.0.1/24", "fd00::1/64"}});
  ground.wire({router, "west", {"10.0.1.1/24", "fd00:1::1/64"}}, {left, "eth0", {"10.0.1.2/24", "fd00:1::2/64"}});
  ground.wire({router, "east", {"10.0.2.1/24", "fd00:2::1/64"}}, {right, "eth0", {"10.0.2.2/24", "fd00:2::2/64"}});
  router.forward();
  router.inside([&] {
    in = ::if_nametoindex("in");
    west = ::if_nametoindex("west");
    east = ::if_nametoindex("east");
  });
}

GroupReceiver::GroupReceiver(const Host& host, const std::string& link, const std::string& group,
                             const std::string& source) {
  host.inside([&] {
    const int level = is_ipv6(group) ? IPPROTO_IPV6 : IPPROTO_IP;
    socket_ = own(::socket(is_ipv6(group) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "a receiver");
    set(socket_, SOL_SOCKET, SO_REUSEADDR, 1, "a shared port");
    const int room = 32 << 20;
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
      set(socket_, SOL_SOCKET, SO_RCVBUF, room, "a receiver's buffer");
    const auto address = address_of(group, kPort);
    if (::bind(socket_.get(), plain(address), size_of(address)) != 0) fail_with_errno("a receiver's port");
    if (source.empty()) {
      group_req request{};
      request.gr_interface = ::if_nametoindex(link.c_str());
      request.gr_group = address;
      set(socket_, level, MCAST_JOIN_GROUP, request, "to join a group");
    } else {
      group_source_req request{};
      request.gsr_interface = ::if_nametoindex(link.c_str());
      request.gsr_group = address;
      request.gsr_source = address_of(source, 0);
      set(socket_, level, MCAST_JOIN_SOURCE_GROUP, request, "to join a source and group");
    }
  });
}

std::vector<std::uint32_t> GroupReceiver::await(std::size_t count, milliseconds within) {
  const Deadline deadline(within);
  std::vector<std::uint32_t> numbers;
  for (;;) {
    std::uint32_t number = 0;
    const auto got = ::recv(socket_.get(), &number, sizeof number, MSG_DONTWAIT);
    if (got == sizeof number) {
      numbers.push_back(number);
    } else if (got >= 0) {
      throw GroundError("a datagram of another kind");
    } else if (errno != EAGAIN) {
      fail_with_errno("a receiver");
    } else if (numbers.size() >= count || !deadline.await_readable(socket_.get())) {
      return numbers;
    }
  }
}

GroupSender::GroupSender(const Host& host, const std::string& link, bool ipv6) {
  host.inside([&] {
    index_ = static_cast<int>(::if_nametoindex(link.c_str()));
    socket_ = own(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "a sender");
    if (ipv6) {
      set(socket_, IPPROTO_IPV6, IPV6_MULTICAST_IF, index_, "a sender's link");
      return;
    }
    raw_ = own(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "a sender of its own headers");
    ip_mreqn request{};
    request.imr_ifindex = index_;
    set(socket_, IPPROTO_IP, IP_MULTICAST_IF, request, "a sender's link");
    set(raw_, IPPROTO_IP, IP_MULTICAST_IF, request, "a sender's link");
  });
}

void GroupSender::send(const std::string& group, std::uint32_t number, int ttl) const {
  const auto to = address_of(group, kPort, index_);
  if (is_ipv6(group)) {
    set(socket_, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl, "a hop limit");
  } else {
    set(socket_, IPPROTO_IP, IP_MULTICAST_TTL, ttl, "a time to live");
  }
  if (::sendto(socket_.get(), &number, sizeof number, 0, plain(to), size_of(to)) != sizeof number)
    fail_with_errno("to send to a group");
}

void GroupSender::send_as(std::uint32_t source, std::uint32_t group, std::uint32_t number, int ttl,
                          unsigned options) const {
  std::array<std::uint8_t, 60 + sizeof(udphdr) + sizeof number> packet{};
  const std::size_t front = sizeof(iphdr) + options * 4;
  iphdr header{};
  header.version = 4;
  header.ihl = static_cast<unsigned>(front / 4) & 0xf;
  header.ttl = static_cast<std::uint8_t>(ttl);
  header.protocol = IPPROTO_UDP;
  header.saddr = htonl(source);
  header.daddr = htonl(group);
  std::memcpy(packet.data(), &header, sizeof header);
  std::memset(packet.data() + sizeof header, IPOPT_NOP, options * 4);
  udphdr datagram{};
  datagram.source = htons(kPort);
  datagram.dest = htons(kPort);
  datagram.len = htons(sizeof datagram + sizeof number);
  std::memcpy(packet.data() + front, &datagram, sizeof datagram);
  std::memcpy(packet.data() + front + sizeof datagram, &number, sizeof number);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = header.daddr;
  const std::size_t size = front + sizeof datagram + sizeof number;
  while (::sendto(raw_.get(), packet.data(), size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
    if (errno != ENOBUFS) fail_with_errno("to send to a group");
  }
}

void ask_for_groups(const Host& host, const std::string& link) {
  host.inside([&] {
    const Descriptor raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_IGMP));
    ip_mreqn where{};
    where.imr_ifindex = static_cast<int>(::if_nametoindex(link.c_str()));
    set(raw, IPPROTO_IP, IP_MULTICAST_IF, where, "a link to send to groups on");
    constexpr std::array<std::uint8_t, 8> kQuery{0x11, 100, 0xee, 0x9b, 0, 0, 0, 0};
    const auto to = address_of("224.0.0.1", 0);
    if (::sendto(raw.get(), kQuery.data(), kQuery.size(), 0, plain(to), size_of(to)) != ssize_t{kQuery.size()})
      fail_with_errno("to ask for groups");
  });
}

}  // namespace turnpike::ground
