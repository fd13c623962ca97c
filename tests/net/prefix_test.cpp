#include "net/prefix.h"

#include <gtest/gtest.h>

#include <unordered_set>
#include <vector>

#include "net/text.h"

namespace turnpike::net {
namespace {

using namespace literals;

// In the table's order: each directly before what it contains.
const std::vector<Prefix> kOrdered{"0.0.0.0/0"_prefix,
                                   "0.0.0.0/1"_prefix,
                                   "0.0.0.0/32"_prefix,
                                   "10.0.0.0/8"_prefix,
                                   "10.0.0.0/9"_prefix,
                                   "10.0.0.0/32"_prefix,
                                   "10.0.0.1/32"_prefix,
                                   "10.128.0.0/9"_prefix,
                                   "128.0.0.0/1"_prefix,
                                   "255.255.255.255/32"_prefix,
                                   "::/0"_prefix,
                                   "::/128"_prefix,
                                   "::1/128"_prefix,
                                   "2001:db8::/32"_prefix,
                                   "2001:db8::/64"_prefix,
                                   "2001:db8::/65"_prefix,
                                   "2001:db8:0:0:8000::/65"_prefix,
                                   "2001:db8:0:1::/64"_prefix,
                                   "8000::/1"_prefix};

static_assert(sizeof(Prefix) <= 20);
static_assert(Prefix() == "0.0.0.0/0"_prefix);
static_assert(Prefix("192.0.2.77"_address, 24) == "192.0.2.0/24"_prefix);
static_assert("10.0.0.0/8"_prefix < "10.0.0.0/9"_prefix && "10.0.0.0/9"_prefix < "10.0.0.1/32"_prefix);
static_assert("10.0.0.0/8"_prefix.contains("10.255.0.1"_address) && !"10.0.0.0/8"_prefix.contains("11.0.0.0"_address));
static_assert("192.0.2.0/24"_prefix.last() == "192.0.2.255"_address);
static_assert(Prefix::make("::"_address, 128) && !Prefix::make("::"_address, 129));
static_assert(Prefix::from_netmask("10.1.2.3"_address, "255.255.0.0"_address).value() == "10.1.0.0/16"_prefix);

TEST(Prefix, OrderIsTotalAddressFirstThenShorter) {
  for (std::size_t i = 0; i < kOrdered.size(); ++i) {
    for (std::size_t j = 0; j < kOrdered.size(); ++j) {
      EXPECT_EQ(kOrdered[i] <=> kOrdered[j], i <=> j) << kOrdered[i] << ' ' << kOrdered[j];
      EXPECT_EQ(kOrdered[i] == kOrdered[j], i == j);
    }
  }
}

// Over every prefix of a small corner of both families: the order is strict and weak, and what a prefix contains is one
// unbroken run that begins with itself.
TEST(Prefix, OrderIsStrictWeakAndKeepsContentsTogether) {
  std::vector<Prefix> all;
  for (const auto& [base, first] : {std::pair("10.0.0.0"_address, 29U), std::pair("2001:db8::"_address, 125U)}) {
    for (unsigned length = first; length <= base.width(); ++length) {
      for (Address at = base; Prefix(base, first).contains(at);
           at = Prefix(at, length).last().successor().value_or(Address())) {
        all.emplace_back(at, length);
      }
    }
  }
  ASSERT_EQ(all.size(), 30U);
  for (const Prefix& a : all) {
    EXPECT_FALSE(a < a);
    for (const Prefix& b : all) {
      EXPECT_EQ((a < b) + (b < a) + (a == b), 1);
      for (const Prefix& c : all) {
        EXPECT_TRUE(!(a < b && b < c) || a < c);
        EXPECT_TRUE(!(a < b && b < c && a.contains(c)) || a.contains(b)) << a << ' ' << b << ' ' << c;
      }
      EXPECT_TRUE(!a.contains(b) || a <= b);
    }
  }
}

TEST(Prefix, LengthBeyondTheWidthIsRefusedOrTheWidth) {
  EXPECT_EQ(Prefix::make("10.0.0.0"_address, 32).value(), "10.0.0.0/32"_prefix);
  EXPECT_EQ(Prefix::make("10.0.0.0"_address, 33).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Prefix::make("10.0.0.0"_address, ~0U).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Prefix("10.0.0.1"_address, 33), "10.0.0.1/32"_prefix);
  EXPECT_EQ(Prefix("10.0.0.1"_address, 256), "10.0.0.1/32"_prefix) << "not a length of 0";
  EXPECT_EQ(Prefix("::1"_address, ~0U), "::1/128"_prefix);
}

TEST(Prefix, NetmaskMustBeOne) {
  EXPECT_EQ(Prefix::from_netmask("10.1.2.3"_address, "0.0.0.0"_address).value(), "0.0.0.0/0"_prefix);
  EXPECT_EQ(Prefix::from_netmask("10.1.2.3"_address, "255.255.255.255"_address).value(), "10.1.2.3/32"_prefix);
  EXPECT_FALSE(Prefix::from_netmask("10.1.2.3"_address, "255.0.255.0"_address));
  EXPECT_FALSE(Prefix::from_netmask("10.1.2.3"_address, "0.255.255.255"_address));
  EXPECT_FALSE(Prefix::from_netmask("10.1.2.3"_address, "ffff::"_address));
  for (const Prefix& prefix : kOrdered) {
    EXPECT_EQ(Prefix::from_netmask(prefix.address(), prefix.netmask()).value(), prefix);
  }
}

TEST(Prefix, EdgesOfLength) {
  const Prefix all4 = Prefix::everything(Family::kIpv4);
  const Prefix all6 = Prefix::everything(Family::kIpv6);
  EXPECT_EQ(all4, "0.0.0.0/0"_prefix);
  EXPECT_EQ(all6, "::/0"_prefix);
  EXPECT_TRUE(all4.is_default() && !all4.is_host() && all6.is_default());
  EXPECT_EQ(all4.last(), "255.255.255.255"_address);
  EXPECT_EQ(all6.last(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"_address);
  EXPECT_EQ(all4.netmask(), "0.0.0.0"_address);
  EXPECT_TRUE(all4.contains("255.255.255.255"_address) && !all4.contains("::"_address)) << "families never mix";
  EXPECT_FALSE(all6.contains(all4));

  const Prefix host = Prefix::host("192.0.2.1"_address);
  EXPECT_EQ(host, "192.0.2.1/32"_prefix);
  EXPECT_TRUE(host.is_host() && !host.is_default());
  EXPECT_EQ(host.last(), host.address());
  EXPECT_TRUE(host.contains(host) && host.contains("192.0.2.1"_address) && !host.contains("192.0.2.0"_address));
  EXPECT_EQ(Prefix::host("::1"_address).length(), 128U);
  EXPECT_EQ("2001:db8::/64"_prefix.last(), "2001:db8::ffff:ffff:ffff:ffff"_address);
  EXPECT_EQ("2001:db8::/63"_prefix.last(), "2001:db8:0:1:ffff:ffff:ffff:ffff"_address);
}

TEST(Prefix, ContainsAgreesWithFirstAndLast) {
  for (const Prefix& outer : kOrdered) {
    for (const Prefix& inner : kOrdered) {
      const bool within = outer.family() == inner.family() && outer.length() <= inner.length() &&
                          outer.address() <= inner.address() && inner.last() <= outer.last();
      EXPECT_EQ(outer.contains(inner), within) << outer << ' ' << inner;
      EXPECT_EQ(outer.contains(inner.address()), outer.address() <= inner.address() && inner.address() <= outer.last());
    }
  }
}

TEST(Prefix, CommonPrefixIsTheLongestThatContainsBoth) {
  for (const Prefix& a : kOrdered) {
    for (const Prefix& b : kOrdered) {
      const auto common = common_prefix(a, b);
      ASSERT_EQ(common.has_value(), a.family() == b.family());
      if (!common) continue;
      EXPECT_TRUE(common->contains(a) && common->contains(b));
      const Prefix longer(a.address(), common->length() + 1);
      EXPECT_FALSE(longer.length() > common->length() && longer.contains(a) && longer.contains(b)) << a << ' ' << b;
    }
  }
}

TEST(Prefix, HashTellsThemApart) {
  std::unordered_set<std::size_t> hashes;
  for (const Prefix& prefix : kOrdered) hashes.insert(std::hash<Prefix>()(prefix));
  EXPECT_EQ(hashes.size(), kOrdered.size());
}

}  // namespace
}  // namespace turnpike::net
