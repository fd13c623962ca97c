// What the kernel tells by a multicast routing socket, byte by byte.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernel/multicast/multicast_port.h"
#include "net/text.h"

namespace turnpike::kernel {
namespace {

using Datagram = std::vector<std::byte>;

net::Address address(const char* text) { return net::parse_address(text).value(); }

void put(Datagram& datagram, std::size_t at, const net::Address& address) {
  for (const std::uint8_t byte : address.bytes()) datagram[at++] = std::byte{byte};
}

// An IP header of so many words, made an upcall as the kernel does it, and the eight bytes behind it.
Datagram ipv4(unsigned type, unsigned vif, unsigned words = 5) {
  Datagram datagram(words * 4 + 8);
  datagram[0] = static_cast<std::byte>(0x40 | words);
  datagram[8] = static_cast<std::byte>(type);
  datagram[10] = static_cast<std::byte>(vif & 0xff);
  datagram[11] = static_cast<std::byte>(vif >> 8);
  put(datagram, 12, address("10.0.0.1"));
  put(datagram, 16, address("239.1.2.3"));
  return datagram;
}

Datagram ipv6(unsigned type, std::uint8_t mif) {
  Datagram datagram(40);
  datagram[1] = static_cast<std::byte>(type);
  const std::uint16_t number = mif;
  std::memcpy(&datagram[2], &number, sizeof number);
  put(datagram, 8, address("fd00::1"));
  put(datagram, 24, address("ff3e::8000:1"));
  return datagram;
}

TEST(Upcall, OfEachKindIsRead) {
  for (unsigned type = 1; type <= 4; ++type) {
    for (const unsigned words : {5U, 6U, 15U}) {
      const Datagram datagram = ipv4(type, 0x0107, words);
      const auto read = decode_upcall(net::Family::kIpv4, datagram);
      ASSERT_TRUE(read);
      EXPECT_EQ(static_cast<unsigned>(read->kind) + 1, type);
      EXPECT_EQ(read->vif, 0x0107);
      EXPECT_EQ(read->flow, (mgm::Flow{address("239.1.2.3"), address("10.0.0.1")}));
      EXPECT_EQ(read->header.data(), datagram.data());
      EXPECT_EQ(read->header.size(), words * 4);
    }
    const Datagram datagram = ipv6(type, 9);
    const auto read = decode_upcall(net::Family::kIpv6, datagram);
    ASSERT_TRUE(read);
    EXPECT_EQ(static_cast<unsigned>(read->kind) + 1, type);
    EXPECT_EQ(read->vif, 9);
    EXPECT_EQ(read->flow, (mgm::Flow{address("ff3e::8000:1"), address("fd00::1")}));
    EXPECT_TRUE(read->header.empty());
  }
}

TEST(Upcall, PacketsOfTheProtocolAreTold) {
  Datagram report = ipv4(1, 0);
  report[9] = std::byte{2};
  EXPECT_EQ(decode_upcall(net::Family::kIpv4, report).error().kind, ErrorKind::kUnsupported);
  Datagram other = ipv6(1, 0);
  other[0] = std::byte{143};
  EXPECT_EQ(decode_upcall(net::Family::kIpv6, other).error().kind, ErrorKind::kUnsupported);
}

TEST(Upcall, WhatIsNoneIsRefused) {
  const auto refused = [](net::Family family, const Datagram& datagram) {
    const auto read = decode_upcall(family, datagram);
    return !read && read.error().kind == ErrorKind::kInvalidArgument;
  };
  for (std::size_t size = 0; size < 20; ++size) {
    Datagram front = ipv4(1, 0);
    front.resize(size);
    EXPECT_TRUE(refused(net::Family::kIpv4, front)) << size;
  }
  for (std::size_t size = 0; size < 40; ++size) {
    Datagram front = ipv6(1, 0);
    front.resize(size);
    EXPECT_TRUE(refused(net::Family::kIpv6, front)) << size;
  }
  for (const unsigned type : {0U, 5U, 255U}) {
    EXPECT_TRUE(refused(net::Family::kIpv4, ipv4(type, 0)));
    EXPECT_TRUE(refused(net::Family::kIpv6, ipv6(type, 0)));
  }
  Datagram wrong = ipv4(1, 0);
  wrong[0] = std::byte{0x65};
  EXPECT_TRUE(refused(net::Family::kIpv4, wrong)) << "version 6";
  wrong[0] = std::byte{0x44};
  EXPECT_TRUE(refused(net::Family::kIpv4, wrong)) << "four words";
  wrong[0] = std::byte{0x48};
  EXPECT_TRUE(refused(net::Family::kIpv4, wrong)) << "longer than what came";
  wrong = ipv4(1, 0);
  put(wrong, 16, address("10.0.0.2"));
  EXPECT_TRUE(refused(net::Family::kIpv4, wrong)) << "no group";
  wrong = ipv6(1, 0);
  put(wrong, 24, address("fd00::2"));
  EXPECT_TRUE(refused(net::Family::kIpv6, wrong)) << "no group";
}

}  // namespace
}  // namespace turnpike::kernel
