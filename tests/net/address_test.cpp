#include "net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <unordered_set>
#include <vector>

#include "net/text.h"

namespace turnpike::net {
namespace {

using namespace literals;

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// Some of each kind, in the table's order.
const std::vector<Address> kOrdered{
    "0.0.0.0"_address,     "0.0.0.1"_address,    "10.0.0.0"_address,        "10.0.1.0"_address,
    "127.0.0.1"_address,   "128.0.0.0"_address,  "255.255.255.255"_address, "::"_address,
    "::1"_address,         "::ffff:0:0"_address, "0:0:0:1::"_address,       "2001:db8::"_address,
    "2001:db8::1"_address, "8000::"_address,     "ff02::1"_address,         "ffff::ffff"_address};

static_assert(Address() == "0.0.0.0"_address);
static_assert(Address() != "::"_address, "the family is part of the value");
static_assert(sizeof(Address) <= 20);
static_assert("10.0.0.0"_address < "10.0.0.1"_address && "255.255.255.255"_address < "::"_address);
static_assert("192.0.2.200"_address.masked(25) == "192.0.2.128"_address);

TEST(Address, OrderIsTotalAndByFamilyThenBits) {
  for (std::size_t i = 0; i < kOrdered.size(); ++i) {
    for (std::size_t j = 0; j < kOrdered.size(); ++j) {
      EXPECT_EQ(kOrdered[i] <=> kOrdered[j], i <=> j) << kOrdered[i] << ' ' << kOrdered[j];
      EXPECT_EQ(kOrdered[i] == kOrdered[j], i == j);
    }
  }
}

TEST(Address, IsTheSameInEveryForm) {
  const in_addr four{.s_addr = htonl(0xc0000201)};
  const Address address = Address::from_network(four);
  EXPECT_EQ(address, "192.0.2.1"_address);
  EXPECT_EQ(address, Address::from_network(four.s_addr));
  EXPECT_EQ(address, Address::ipv4(0xc0000201));
  EXPECT_EQ(address.ipv4_host(), 0xc0000201);
  EXPECT_EQ(address.ipv4_network(), four.s_addr);
  EXPECT_EQ(address.to_network<in_addr>().s_addr, four.s_addr);

  const Address loopback = Address::from_network(in6addr_loopback);
  EXPECT_EQ(loopback, "::1"_address);
  const auto back = loopback.to_network<in6_addr>();
  EXPECT_TRUE(IN6_ARE_ADDR_EQUAL(&back, &in6addr_loopback));
}

TEST(Address, WrongFormIsZero) {
  EXPECT_EQ("::1"_address.ipv4_host(), 0);
  EXPECT_EQ("2001:db8::1"_address.ipv4_network(), 0);
  EXPECT_EQ("2001:db8::1"_address.to_network<in_addr>().s_addr, 0);
  const auto zero = "192.0.2.1"_address.to_network<in6_addr>();
  EXPECT_TRUE(IN6_IS_ADDR_UNSPECIFIED(&zero));
}

TEST(Address, BytesHaveOneOfTwoSizes) {
  const std::vector<std::uint8_t> bytes(20, 0xab);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto address = Address::from_bytes(std::span(bytes).first(size));
    ASSERT_EQ(address.has_value(), size == 4 || size == 16);
    if (address) {
      EXPECT_TRUE(std::ranges::equal((*address).bytes(), std::span(bytes).first(size)));
    } else {
      EXPECT_EQ(address.error().kind, ErrorKind::kInvalidArgument);
    }
  }
}

TEST(Address, HalvesRoundTripAndDropWhatTheFamilyLacks) {
  for (const Address& address : kOrdered) {
    EXPECT_EQ(Address::from_halves(address.family(), address.high(), address.low()), address);
  }
  EXPECT_EQ(Address::from_halves(Family::kIpv4, ~0ULL, ~0ULL), "255.255.255.255"_address);
}

TEST(Address, BitsAreCountedFromTheHighest) {
  for (const Family family : kFamilies) {
    for (unsigned set = 0; set < width_of(family); ++set) {
      const auto one = set < 64 ? Address::from_halves(family, 1ULL << (63 - set), 0)
                                : Address::from_halves(family, 0, 1ULL << (127 - set));
      for (unsigned index = 0; index < 140; ++index) EXPECT_EQ(one.bit(index), index == set);
    }
    EXPECT_FALSE(Address::netmask(family, 128).bit(width_of(family))) << "beyond the width";
    EXPECT_FALSE(Address::netmask(family, 128).bit(~0U));
  }
}

TEST(Address, NetmaskAndLengthAreInverse) {
  for (const Family family : kFamilies) {
    for (unsigned length = 0; length <= width_of(family); ++length) {
      const Address mask = Address::netmask(family, length);
      for (unsigned index = 0; index < width_of(family); ++index) ASSERT_EQ(mask.bit(index), index < length);
      EXPECT_EQ(mask.netmask_length().value(), length);
    }
    EXPECT_EQ(Address::netmask(family, width_of(family) + 1), Address::netmask(family, width_of(family)));
    EXPECT_EQ(Address::netmask(family, ~0U), Address::netmask(family, width_of(family)));
  }
  EXPECT_EQ(Address::netmask(Family::kIpv4, 24).ipv4_host(), 0xffffff00);
  EXPECT_EQ(Address::netmask(Family::kIpv4, 24).ipv4_network(), htonl(0xffffff00));
}

TEST(Address, MaskWithAHoleHasNoLength) {
  for (const Family family : kFamilies) {
    for (unsigned length = 0; length <= width_of(family); ++length) {
      for (unsigned flipped = 0; flipped < width_of(family); ++flipped) {
        const Address mask = Address::netmask(family, length);
        const Address bit = flipped < 64 ? Address::from_halves(family, 1ULL << (63 - flipped), 0)
                                         : Address::from_halves(family, 0, 1ULL << (127 - flipped));
        const auto broken = Address::from_halves(family, mask.high() ^ bit.high(), mask.low() ^ bit.low());
        const bool contiguous = flipped == length || flipped + 1 == length;
        ASSERT_EQ(broken.netmask_length().has_value(), contiguous) << broken;
      }
    }
  }
  EXPECT_EQ("255.0.255.0"_address.netmask_length().error().kind, ErrorKind::kInvalidArgument);
}

TEST(Address, MaskKeepsTheFirstBitsAlone) {
  for (const Address& address : kOrdered) {
    for (unsigned length = 0; length <= address.width(); ++length) {
      const Address masked = address.masked(length);
      for (unsigned index = 0; index < address.width(); ++index) {
        ASSERT_EQ(masked.bit(index), index < length && address.bit(index));
      }
    }
    EXPECT_EQ(address.masked(address.width() + 1), address);
    EXPECT_EQ(address.masked(~0U), address);
  }
}

TEST(Address, CommonLengthCountsEqualLeadingBits) {
  for (const Address& a : kOrdered) {
    for (const Address& b : kOrdered) {
      unsigned expected = 0;
      while (a.family() == b.family() && expected < a.width() && a.bit(expected) == b.bit(expected)) ++expected;
      EXPECT_EQ(common_length(a, b), expected) << a << ' ' << b;
    }
  }
}

TEST(Address, SuccessorCarriesAndEnds) {
  EXPECT_EQ("10.0.0.255"_address.successor(), "10.0.1.0"_address);
  EXPECT_EQ("127.255.255.255"_address.successor(), "128.0.0.0"_address);
  EXPECT_EQ("::ffff:ffff:ffff:ffff"_address.successor(), "0:0:0:1::"_address);
  EXPECT_EQ("::"_address.successor(), "::1"_address);
  EXPECT_EQ("255.255.255.255"_address.successor(), std::nullopt);
  EXPECT_EQ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"_address.successor(), std::nullopt);
}

TEST(Address, ClassesEndWhereTheRfcsSay) {
  struct Case {
    Address address;
    std::string_view classes;  // u l m k b p: unspecified, loopback, multicast, link-local, broadcast, mapped
  };
  const Case cases[] = {{"0.0.0.0"_address, "u"},
                        {"0.0.0.1"_address, ""},
                        {"126.255.255.255"_address, ""},
                        {"127.0.0.0"_address, "l"},
                        {"127.255.255.255"_address, "l"},
                        {"128.0.0.0"_address, ""},
                        {"169.253.255.255"_address, ""},
                        {"169.254.0.0"_address, "k"},
                        {"169.254.255.255"_address, "k"},
                        {"169.255.0.0"_address, ""},
                        {"223.255.255.255"_address, ""},
                        {"224.0.0.0"_address, "m"},
                        {"239.255.255.255"_address, "m"},
                        {"240.0.0.0"_address, ""},
                        {"255.255.255.254"_address, ""},
                        {"255.255.255.255"_address, "b"},
                        {"::"_address, "u"},
                        {"::1"_address, "l"},
                        {"::2"_address, ""},
                        {"1::1"_address, ""},
                        {"fe7f:ffff::"_address, ""},
                        {"fe80::"_address, "k"},
                        {"febf:ffff::"_address, "k"},
                        {"fec0::"_address, ""},
                        {"feff::"_address, ""},
                        {"ff00::"_address, "m"},
                        {"ff02::1"_address, "m"},
                        {"::ffff:0.0.0.0"_address, "p"},
                        {"::ffff:127.0.0.1"_address, "p"},
                        {"::fffe:0:0"_address, ""},
                        {"0:0:0:1:0:ffff::"_address, ""},
                        {"::127.0.0.1"_address, ""}};
  for (const Case& one : cases) {
    const auto expected = [&](char letter) { return one.classes.find(letter) != std::string_view::npos; };
    EXPECT_EQ(one.address.is_unspecified(), expected('u')) << one.address;
    EXPECT_EQ(one.address.is_loopback(), expected('l')) << one.address;
    EXPECT_EQ(one.address.is_multicast(), expected('m')) << one.address;
    EXPECT_EQ(one.address.is_link_local(), expected('k')) << one.address;
    EXPECT_EQ(one.address.is_broadcast(), expected('b')) << one.address;
    EXPECT_EQ(one.address.is_ipv4_mapped(), expected('p')) << one.address;
  }
}

TEST(Address, NaturalLengthIsTheClass) {
  EXPECT_EQ("0.0.0.0"_address.natural_length(), 8);
  EXPECT_EQ("127.255.0.0"_address.natural_length(), 8);
  EXPECT_EQ("128.0.0.0"_address.natural_length(), 16);
  EXPECT_EQ("191.255.0.0"_address.natural_length(), 16);
  EXPECT_EQ("192.0.0.0"_address.natural_length(), 24);
  EXPECT_EQ("223.255.255.0"_address.natural_length(), 24);
  EXPECT_EQ("224.0.0.0"_address.natural_length(), 32);
  EXPECT_EQ("255.255.255.255"_address.natural_length(), 32);
  EXPECT_EQ("2001:db8::"_address.natural_length(), 128);
}

TEST(Address, MappedFormAndBack) {
  EXPECT_EQ("192.0.2.1"_address.mapped(), "::ffff:192.0.2.1"_address);
  EXPECT_EQ("::ffff:192.0.2.1"_address.unmapped(), "192.0.2.1"_address);
  EXPECT_EQ("2001:db8::1"_address.mapped(), "2001:db8::1"_address);
  EXPECT_EQ("2001:db8::1"_address.unmapped(), "2001:db8::1"_address);
  EXPECT_EQ("192.0.2.1"_address.unmapped(), "192.0.2.1"_address);
}

TEST(Address, HashTellsThemApart) {
  const std::unordered_set<Address> set(kOrdered.begin(), kOrdered.end());
  EXPECT_EQ(set.size(), kOrdered.size());
  std::unordered_set<std::size_t> low_bits;  // neighbours must not share a bucket of a small table
  for (std::uint32_t host = 0; host < 256; ++host) low_bits.insert(Address::ipv4(0x0a000000 + host).hash() % 65536);
  EXPECT_GT(low_bits.size(), 250U);
}

}  // namespace
}  // namespace turnpike::net
