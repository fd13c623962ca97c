#include "net/mac_address.h"

#include <gtest/gtest.h>

#include <unordered_set>
#include <vector>

#include "net/text.h"

namespace turnpike::net {
namespace {

using namespace literals;

static_assert("02:00:5e:10:00:01"_mac == "02-00-5E-10-00-01"_mac);
static_assert(to_text("0A:0b:00:00:00:ff"_mac).view() == "0a:0b:00:00:00:ff");
static_assert("00:00:00:00:00:01"_mac < "00:00:00:00:01:00"_mac && "7f:00:00:00:00:00"_mac < "80:00:00:00:00:00"_mac);

TEST(MacAddress, ClassesAreInTheFirstByte) {
  EXPECT_TRUE(MacAddress().is_zero());
  EXPECT_FALSE("00:00:00:00:00:01"_mac.is_zero());
  EXPECT_TRUE("ff:ff:ff:ff:ff:ff"_mac.is_broadcast() && MacAddress::broadcast().is_multicast());
  EXPECT_FALSE("ff:ff:ff:ff:ff:fe"_mac.is_broadcast());
  EXPECT_TRUE("01:00:5e:00:00:01"_mac.is_multicast());
  EXPECT_FALSE("02:00:5e:00:00:01"_mac.is_multicast());
  EXPECT_TRUE("02:00:5e:00:00:01"_mac.is_locally_administered());
  EXPECT_FALSE("01:00:5e:00:00:01"_mac.is_locally_administered());
}

TEST(MacAddress, HasSixBytes) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto address = MacAddress::from_bytes(std::span(bytes).first(size));
    ASSERT_EQ(address.has_value(), size == 6);
    if (!address) {
      EXPECT_EQ(address.error().kind, ErrorKind::kInvalidArgument);
    }
  }
  EXPECT_EQ(MacAddress::from_bytes(std::span(bytes).first(6)).value(), "01:02:03:04:05:06"_mac);
}

TEST(MacAddress, Text) {
  struct Case {
    std::string_view text;
    std::size_t position;
  };
  const Case wrong[] = {{"", 0},
                        {"1:2:3:4:5:6", 1},
                        {"00:11:22:33:44", 14},
                        {"00:11:22:33:44:", 15},
                        {"00:11:22:33:44:5", 16},
                        {"00:11:22:33:44:55:66", 17},
                        {"00:11:22:33:44:55 ", 17},
                        {" 00:11:22:33:44:55", 0},
                        {"00:11-22:33:44:55", 5},
                        {"00-11:22-33-44-55", 5},
                        {"0g:11:22:33:44:55", 1},
                        {"001122334455", 2},
                        {"0011.2233.4455", 2},
                        {std::string_view("00:11:22:33:44:5\0", 17), 16}};
  for (const auto& [text, position] : wrong) {
    const auto parsed = parse_mac_address(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().position, position) << text << ": " << parsed.error().what;
  }
  EXPECT_EQ(to_text(MacAddress()).view(), "00:00:00:00:00:00");
  EXPECT_EQ(to_text(parse_mac_address("aA-Bb-cC-dD-Ee-fF").value()).view(), "aa:bb:cc:dd:ee:ff");
}

TEST(MacAddress, HashTellsThemApart) {
  std::unordered_set<MacAddress> set;
  for (std::uint8_t byte = 0; byte < 100; ++byte) set.insert(MacAddress({byte, 0, 0, 0, 0, byte}));
  EXPECT_EQ(set.size(), 100U);
}

}  // namespace
}  // namespace turnpike::net
