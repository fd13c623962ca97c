// Sockets in small networks of their own: what needs a kernel with interfaces, groups, IPv6, raw packets.
#include <mswsock.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ground/ground.h"
#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

using ground::Ground;
constexpr DWORD kSoon = 60'000;  // milliseconds: for what comes at once, if it comes

// Two hosts on a wire, and Winsock.
class SocketNetworks : public testing::Test {
 protected:
  // False: played elsewhere, or skipped.
  bool begin(const std::vector<std::string>& left_addresses, const std::vector<std::string>& right_addresses) {
    ground_ = Ground::unprivileged({"veth"});
    if (!ground_) return false;
    left_ = &ground_->host("left");
    right_ = &ground_->host("right");
    ground_->wire({*left_, "eth0", left_addresses}, {*right_, "eth0", right_addresses});
    EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), &data_), 0);
    return true;
  }
  ~SocketNetworks() override {
    if (ground_) {
      EXPECT_EQ(WSACleanup(), 0);
      EXPECT_EQ(open_handles(), 0U);
    }
  }

  static SOCKET made(ground::Host& host, int family, int type = SOCK_DGRAM, int protocol = 0) {
    const SOCKET s = host.inside([=] { return socket(family, type, protocol); });
    EXPECT_NE(s, INVALID_SOCKET);
    set_option(s, SOL_SOCKET, SO_RCVTIMEO, kSoon);
    return s;
  }

  static bool is_deaf(SOCKET s) {
    u_long one = 1;
    u_long zero = 0;
    char byte;
    ioctlsocket(s, FIONBIO, &one);
    const bool deaf = recv(s, &byte, 1, 0) == SOCKET_ERROR && WSAGetLastError() == WSAEWOULDBLOCK;
    ioctlsocket(s, FIONBIO, &zero);
    return deaf;
  }

  std::optional<Ground> ground_;
  ground::Host* left_ = nullptr;
  ground::Host* right_ = nullptr;
  WSADATA data_{};
};

sockaddr_in at(const char* address, int port) {
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(static_cast<u_short>(port));
  there.sin_addr.s_addr = inet_addr(address);
  return there;
}

sockaddr_in6 at6(const char* address, int port, unsigned scope = 0) {
  sockaddr_in6 there{};
  there.sin6_family = AF_INET6;
  there.sin6_port = htons(static_cast<u_short>(port));
  there.sin6_scope_id = scope;
  EXPECT_EQ(inet_pton(AF_INET6, address, &there.sin6_addr), 1);
  return there;
}

template <class Address>
int bind_to(SOCKET s, const Address& address) {
  return bind(s, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

template <class Address>
int say_to(SOCKET s, const Address& address, const char* text) {
  return sendto(s, text, static_cast<int>(std::strlen(text)), 0, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address));
}

std::string heard(SOCKET s) {
  std::array<char, 256> data;
  const int length = recv(s, data.data(), data.size(), 0);
  return length < 0 ? "error " + std::to_string(WSAGetLastError())
                    : std::string(data.data(), static_cast<std::size_t>(length));
}

template <class Option>
int set_structure(SOCKET s, int level, int name, const Option& option) {
  return setsockopt(s, level, name, reinterpret_cast<const char*>(&option), sizeof(option));
}

constexpr int kPort = 5217;

TEST_F(SocketNetworks, AGroupIsHeardByWhoJoinedOnThatInterface) {
  if (!begin({"10.0.0.1/24"}, {"10.0.0.2/24"})) return;
  const SOCKET hears = made(*right_, AF_INET);
  const SOCKET deaf = made(*right_, AF_INET);
  const SOCKET speaker = made(*left_, AF_INET);
  for (const SOCKET s : {hears, deaf}) {
    EXPECT_EQ(set_option(s, SOL_SOCKET, SO_REUSEADDR, TRUE), 0);
    ASSERT_EQ(bind_to(s, at("0.0.0.0", kPort)), 0);
  }
  IP_MREQ group{{inet_addr("239.255.52.17")}, {inet_addr("10.0.0.2")}};
  ASSERT_EQ(set_structure(hears, IPPROTO_IP, IP_ADD_MEMBERSHIP, group), 0);
  EXPECT_EQ(set_structure(speaker, IPPROTO_IP, IP_MULTICAST_IF, IN_ADDR{inet_addr("10.0.0.1")}), 0);
  EXPECT_EQ(say_to(speaker, at("239.255.52.17", kPort), "hi"), 2);
  EXPECT_EQ(heard(hears), "hi");
  EXPECT_TRUE(is_deaf(deaf));
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_DROP_MEMBERSHIP, group), 0);
  EXPECT_SOCKET_FAILS(set_structure(hears, IPPROTO_IP, IP_DROP_MEMBERSHIP, group), SOCKET_ERROR, WSAEADDRNOTAVAIL);
  // An interface may be named by its index: 0.0.x.y.
  group.imr_interface.s_addr = htonl(right_->inside([] { return if_nametoindex("eth0"); }));
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_ADD_MEMBERSHIP, group), 0);
  group.imr_interface.s_addr = htonl(9999);
  EXPECT_SOCKET_FAILS(set_structure(hears, IPPROTO_IP, IP_ADD_MEMBERSHIP, group), SOCKET_ERROR, WSAEADDRNOTAVAIL);
}

TEST_F(SocketNetworks, AGroupIsHeardFromTheSourcesThatWereNamed) {
  if (!begin({"10.0.0.1/24", "10.0.0.3/24"}, {"10.0.0.2/24"})) return;
  const SOCKET hears = made(*right_, AF_INET);
  const SOCKET first = made(*left_, AF_INET);
  const SOCKET other = made(*left_, AF_INET);
  ASSERT_EQ(bind_to(hears, at("0.0.0.0", kPort)), 0);
  ASSERT_EQ(bind_to(first, at("10.0.0.1", 0)), 0);
  ASSERT_EQ(bind_to(other, at("10.0.0.3", 0)), 0);
  for (const SOCKET s : {first, other}) {
    EXPECT_EQ(set_structure(s, IPPROTO_IP, IP_MULTICAST_IF, IN_ADDR{inet_addr("10.0.0.1")}), 0);
  }
  const auto hears_only = [&](const char* source) {
    for (const SOCKET s : {other, first}) {
      EXPECT_EQ(say_to(s, at("232.1.2.3", kPort), s == first ? "10.0.0.1" : "10.0.0.3"), 8);
    }
    EXPECT_EQ(heard(hears), source);
    EXPECT_TRUE(is_deaf(hears));
  };
  const ULONG index = right_->inside([] { return if_nametoindex("eth0"); });
  IP_MREQ_SOURCE asked{};
  asked.imr_multiaddr.s_addr = inet_addr("232.1.2.3");
  asked.imr_interface.s_addr = inet_addr("10.0.0.2");
  asked.imr_sourceaddr.s_addr = inet_addr("10.0.0.1");
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, asked), 0);
  hears_only("10.0.0.1");
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, asked), 0);

  asked.imr_interface.s_addr = htonl(index);
  asked.imr_sourceaddr.s_addr = inet_addr("10.0.0.3");
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, asked), 0);
  hears_only("10.0.0.3");
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, asked), 0);

  GROUP_SOURCE_REQ wanted{};
  wanted.gsr_interface = index;
  const sockaddr_in group = at("232.1.2.3", 0);
  const sockaddr_in source = at("10.0.0.1", 0);
  std::memcpy(&wanted.gsr_group, &group, sizeof(group));
  std::memcpy(&wanted.gsr_source, &source, sizeof(source));
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, wanted), 0);
  hears_only("10.0.0.1");
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, wanted), 0);

  GROUP_REQ any{};
  any.gr_interface = index;
  std::memcpy(&any.gr_group, &group, sizeof(group));
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, MCAST_JOIN_GROUP, any), 0);
  EXPECT_EQ(set_structure(hears, IPPROTO_IP, MCAST_BLOCK_SOURCE, wanted), 0);
  hears_only("10.0.0.3");

  for (const int name : {IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, MCAST_JOIN_GROUP,
                         MCAST_JOIN_SOURCE_GROUP, IP_MULTICAST_IF}) {
    EXPECT_SOCKET_FAILS(setsockopt(hears, IPPROTO_IP, name, reinterpret_cast<const char*>(&any), 3), SOCKET_ERROR,
                        WSAEFAULT);
  }
}

TEST_F(SocketNetworks, InterfacesAreListedWithTheirAddresses) {
  if (!begin({"10.0.0.1/24"}, {"10.0.0.2/24", "10.0.1.2/16"})) return;
  right_->inside([] {
    const SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    std::array<INTERFACE_INFO, 8> list{};
    DWORD length = 0;
    ASSERT_EQ(WSAIoctl(s, SIO_GET_INTERFACE_LIST, nullptr, 0, list.data(), sizeof(list), &length, nullptr, nullptr), 0);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < length / sizeof(INTERFACE_INFO); ++i) {
      const INTERFACE_INFO& each = list[i];
      std::string text = inet_ntoa(each.iiAddress.AddressIn.sin_addr);
      text += "/" + std::string(inet_ntoa(each.iiNetmask.AddressIn.sin_addr));
      EXPECT_EQ(each.iiAddress.Address.sa_family, AF_INET);
      EXPECT_NE(each.iiFlags & IFF_UP, 0U);
      text += (each.iiFlags & IFF_LOOPBACK) != 0 ? " loopback" : "";
      text += (each.iiFlags & IFF_MULTICAST) != 0 ? " multicast" : "";
      seen.insert(text);
    }
    EXPECT_TRUE(seen.contains("10.0.0.2/255.255.255.0 multicast"));
    EXPECT_TRUE(seen.contains("10.0.1.2/255.255.0.0 multicast"));
    EXPECT_SOCKET_FAILS(WSAIoctl(s, SIO_GET_INTERFACE_LIST, nullptr, 0, list.data(), 8, &length, nullptr, nullptr),
                        SOCKET_ERROR, WSAEFAULT);
    EXPECT_GE(length, 2 * sizeof(INTERFACE_INFO));
    closesocket(s);
    const SOCKET six = socket(AF_INET6, SOCK_DGRAM, 0);
    EXPECT_SOCKET_FAILS(
        WSAIoctl(six, SIO_GET_INTERFACE_LIST, nullptr, 0, list.data(), sizeof(list), &length, nullptr, nullptr),
        SOCKET_ERROR, WSAEOPNOTSUPP);
    closesocket(six);
  });
}

TEST_F(SocketNetworks, Ipv6IsAWorldOfItsOwnUnlessAskedOtherwise) {
  if (!begin({"10.0.0.1/24", "fd00::1/64"}, {"10.0.0.2/24", "fd00::2/64"})) return;
  const SOCKET six = made(*right_, AF_INET6);
  const SOCKET both = made(*right_, AF_INET6);
  EXPECT_EQ(get_option(six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  EXPECT_EQ(set_option(both, IPPROTO_IPV6, IPV6_V6ONLY, FALSE), 0);
  ASSERT_EQ(bind_to(six, at6("::", kPort)), 0);
  ASSERT_EQ(bind_to(both, at6("::", kPort + 1)), 0);
  const SOCKET speaker4 = made(*left_, AF_INET);
  const SOCKET speaker6 = made(*left_, AF_INET6);
  EXPECT_EQ(say_to(speaker4, at("10.0.0.2", kPort), "four"), 4);
  EXPECT_EQ(say_to(speaker6, at6("fd00::2", kPort), "six"), 3);
  EXPECT_EQ(heard(six), "six");
  EXPECT_EQ(say_to(speaker4, at("10.0.0.2", kPort + 1), "four"), 4);
  sockaddr_in6 from{};
  int size = sizeof(from);
  char data[8];
  EXPECT_EQ(recvfrom(both, data, sizeof(data), 0, reinterpret_cast<sockaddr*>(&from), &size), 4);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
  size = sizeof(sockaddr_in);  // an IPv6 address has no room there
  EXPECT_SOCKET_FAILS(recvfrom(six, data, sizeof(data), 0, reinterpret_cast<sockaddr*>(&from), &size), SOCKET_ERROR,
                      WSAEFAULT);
  EXPECT_SOCKET_FAILS(say_to(six, at("10.0.0.1", kPort), "x"), SOCKET_ERROR, WSAEAFNOSUPPORT);
  EXPECT_SOCKET_FAILS(bind_to(six, at("10.0.0.2", kPort)), SOCKET_ERROR, WSAEAFNOSUPPORT);
}

TEST_F(SocketNetworks, MessagesTellGroupsFromHosts) {
  if (!begin({"10.0.0.1/24", "fd00::1/64"}, {"10.0.0.2/24", "fd00::2/64"})) return;
  const auto flags_and_index = [](SOCKET s) {
    GUID id = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG receive = nullptr;
    DWORD bytes = 0;
    EXPECT_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &receive, sizeof(receive), &bytes,
                       nullptr, nullptr),
              0);
    char data[8];
    alignas(8) char control[128];
    WSABUF buffer{sizeof(data), data};
    WSAMSG message{nullptr, 0, &buffer, 1, {sizeof(control), control}, 0};
    EXPECT_EQ(receive(s, &message, &bytes, nullptr, nullptr), 0);
    const WSACMSGHDR* beside = WSA_CMSG_FIRSTHDR(&message);
    unsigned index = 0;
    if (beside != nullptr) {
      const auto* info = WSA_CMSG_DATA(beside);
      index = beside->cmsg_level == IPPROTO_IP
                  ? static_cast<unsigned>(reinterpret_cast<const IN_PKTINFO*>(info)->ipi_ifindex)
                  : reinterpret_cast<const IN6_PKTINFO*>(info)->ipi6_ifindex;
    }
    return std::pair(message.dwFlags, index);
  };
  const unsigned index = right_->inside([] { return if_nametoindex("eth0"); });
  const unsigned left_index = left_->inside([] { return if_nametoindex("eth0"); });
  const SOCKET four = made(*right_, AF_INET);
  const SOCKET six = made(*right_, AF_INET6);
  const SOCKET speaker4 = made(*left_, AF_INET);
  const SOCKET speaker6 = made(*left_, AF_INET6);
  ASSERT_EQ(bind_to(four, at("0.0.0.0", kPort)), 0);
  ASSERT_EQ(bind_to(six, at6("::", kPort)), 0);
  EXPECT_EQ(set_option(four, IPPROTO_IP, IP_PKTINFO, TRUE), 0);
  EXPECT_EQ(set_option(six, IPPROTO_IPV6, IPV6_PKTINFO, TRUE), 0);
  EXPECT_EQ(get_option(six, IPPROTO_IPV6, IPV6_PKTINFO), TRUE);
  EXPECT_EQ(
      set_structure(four, IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_MREQ{{inet_addr("239.1.2.3")}, {inet_addr("10.0.0.2")}}),
      0);
  IPV6_MREQ group{at6("ff15::5217", 0).sin6_addr, index};
  EXPECT_EQ(set_structure(six, IPPROTO_IPV6, IPV6_JOIN_GROUP, group), 0);
  EXPECT_EQ(set_option(speaker6, IPPROTO_IPV6, IPV6_UNICAST_IF, static_cast<int>(left_index)), 0);
  EXPECT_EQ(get_option(speaker6, IPPROTO_IPV6, IPV6_UNICAST_IF), static_cast<int>(left_index));
  EXPECT_EQ(set_option(speaker6, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(left_index)), 0);
  EXPECT_EQ(set_structure(speaker4, IPPROTO_IP, IP_MULTICAST_IF, IN_ADDR{htonl(left_index)}), 0);
  EXPECT_EQ(set_option(speaker4, SOL_SOCKET, SO_BROADCAST, TRUE), 0);

  EXPECT_EQ(say_to(speaker4, at("10.0.0.2", kPort), "a"), 1);
  EXPECT_EQ(flags_and_index(four), std::pair(DWORD{0}, index));
  EXPECT_EQ(say_to(speaker4, at("239.1.2.3", kPort), "a"), 1);
  EXPECT_EQ(flags_and_index(four), std::pair(DWORD{MSG_MCAST}, index));
  EXPECT_EQ(set_option(speaker4, IPPROTO_IP, IP_UNICAST_IF, static_cast<int>(htonl(left_index))), 0);
  EXPECT_EQ(say_to(speaker4, at("255.255.255.255", kPort), "a"), 1);
  EXPECT_EQ(flags_and_index(four), std::pair(DWORD{MSG_BCAST}, index));
  EXPECT_EQ(say_to(speaker6, at6("fd00::2", kPort), "a"), 1);
  EXPECT_EQ(flags_and_index(six), std::pair(DWORD{0}, index));
  EXPECT_EQ(say_to(speaker6, at6("ff15::5217", kPort), "a"), 1);
  EXPECT_EQ(flags_and_index(six), std::pair(DWORD{MSG_MCAST}, index));
}

TEST_F(SocketNetworks, RawSocketsHaveTheirProtocol) {
  if (!begin({"10.0.0.1/24"}, {"10.0.0.2/24"})) return;
  constexpr int kOspf = 89;
  const SOCKET left = made(*left_, AF_INET, SOCK_RAW, kOspf);
  const SOCKET right = made(*right_, AF_INET, SOCK_RAW, kOspf);
  const SOCKET other = made(*right_, AF_INET, SOCK_RAW, kOspf + 1);
  EXPECT_EQ(get_option(left, SOL_SOCKET, SO_TYPE), SOCK_RAW);
  ASSERT_EQ(bind_to(right, at("10.0.0.2", 0)), 0);
  EXPECT_EQ(say_to(left, at("10.0.0.2", 0), "hello"), 5);
  const std::string packet = heard(right);
  ASSERT_EQ(packet.size(), 25U);  // with the IP header in front
  EXPECT_EQ(packet[9], kOspf);
  EXPECT_EQ(packet.substr(20), "hello");
  EXPECT_TRUE(is_deaf(other));
  // With a header of one's own: another source, a TTL of 3.
  EXPECT_EQ(set_option(left, IPPROTO_IP, IP_HDRINCL, TRUE), 0);
  std::string own = packet;
  own[8] = 3;
  const IN_ADDR source{inet_addr("10.0.0.77")};
  std::memcpy(&own[12], &source, sizeof(source));
  const sockaddr_in to = at("10.0.0.2", 0);
  EXPECT_EQ(sendto(left, own.data(), 25, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 25);
  const std::string forged = heard(right);
  EXPECT_EQ(forged[8], 3);
  EXPECT_EQ(forged.substr(12, 4), own.substr(12, 4));
  // Groups are joined here too, and an event tells of packets.
  EXPECT_EQ(
      set_structure(right, IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_MREQ{{inet_addr("224.0.0.5")}, {inet_addr("10.0.0.2")}}),
      0);
  const SOCKET any = made(*right_, AF_INET, SOCK_RAW, kOspf);
  EXPECT_EQ(
      set_structure(any, IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_MREQ{{inet_addr("224.0.0.5")}, {inet_addr("10.0.0.2")}}), 0);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(any, event, FD_READ), 0);
  EXPECT_EQ(set_option(left, IPPROTO_IP, IP_HDRINCL, FALSE), 0);
  EXPECT_EQ(set_structure(left, IPPROTO_IP, IP_MULTICAST_IF, IN_ADDR{inet_addr("10.0.0.1")}), 0);
  EXPECT_EQ(say_to(left, at("224.0.0.5", 0), "all"), 3);
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  EXPECT_EQ(heard(any).substr(20), "all");
}

}  // namespace
}  // namespace turnpike::win32
