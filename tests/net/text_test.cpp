#include "net/text.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace turnpike::net {
namespace {

using namespace literals;

static_assert(to_text("192.0.2.1"_address).view() == "192.0.2.1");
static_assert(to_text("2001:DB8::1"_address).view() == "2001:db8::1");
static_assert(to_text("2001:db8::/32"_prefix).view() == "2001:db8::/32");
static_assert(parse_address("1.2.3").error().position == 5);
static_assert(std::is_trivially_copyable_v<AddressText> && sizeof(AddressText) <= 48);

struct Wrong {
  std::string_view text;
  std::size_t position;
  std::string_view what;  // a part of the message
};

void expect_wrong(const auto& parsed, const Wrong& wrong) {
  ASSERT_FALSE(parsed.has_value()) << wrong.text;
  EXPECT_EQ(parsed.error().position, wrong.position) << wrong.text << ": " << parsed.error().what;
  EXPECT_NE(std::string_view(parsed.error().what).find(wrong.what), std::string_view::npos)
      << wrong.text << ": " << parsed.error().what;
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidArgument);
}

TEST(AddressText, RefusesWhatIsNoIpv4AddressAndSaysWhere) {
  const Wrong cases[] = {{"", 0, "empty"},
                         {"1", 1, "four numbers"},
                         {"1.2.3", 5, "four numbers"},
                         {"1.2.3.", 6, "number is missing"},
                         {".1.2.3", 0, "unexpected"},
                         {"1..2.3", 2, "unexpected"},
                         {"1.2.3.4.", 7, "unexpected"},
                         {"1.2.3.4.5", 7, "unexpected"},
                         {"1.2.3.256", 6, "too large"},
                         {"1.2.3.4294967296", 6, "too large"},
                         {"1.2.3.99999999999999999999999999", 6, "too large"},
                         {"01.2.3.4", 0, "leading zero"},
                         {"1.2.3.00", 6, "leading zero"},
                         {"1.2.3.04", 6, "leading zero"},
                         {"0x1.2.3.4", 1, "unexpected"},
                         {"1.2.3.a", 6, "unexpected"},
                         {"1.2.3.-4", 6, "unexpected"},
                         {"1.2.3.+4", 6, "unexpected"},
                         {" 1.2.3.4", 0, "unexpected"},
                         {"1.2.3.4 ", 7, "unexpected"},
                         {"1.2.3.4/24", 7, "unexpected"},
                         {"1.2.3.4%eth0", 7, "zone id"},
                         {"16909060", 0, "too large"},
                         {std::string_view("1.2.3.4\0", 8), 7, "unexpected"},
                         {std::string_view("1.2\0.3.4", 8), 3, "unexpected"},
                         {"\xff", 0, "unexpected"}};
  for (const Wrong& wrong : cases) expect_wrong(parse_address(wrong.text), wrong);
}

TEST(AddressText, RefusesWhatIsNoIpv6AddressAndSaysWhere) {
  const Wrong cases[] = {{":", 0, "unexpected"},
                         {":::", 2, "unexpected"},
                         {"1:", 2, "missing"},
                         {":1", 0, "unexpected"},
                         {"1:2:3:4:5:6:7", 13, "eight groups"},
                         {"1:2:3:4:5:6:7:", 14, "missing"},
                         {"1:2:3:4:5:6:7:8:", 16, "missing"},
                         {"1:2:3:4:5:6:7:8:9", 16, "at most eight"},
                         {"1:2:3:4:5:6:7:8::", 15, "no group"},
                         {"::1:2:3:4:5:6:7:8", 0, "no group"},
                         {"1:2:3::4:5:6:7:8", 5, "no group"},
                         {"1::2::3", 4, "one '::'"},
                         {"::1::", 3, "one '::'"},
                         {"12345::", 0, "four digits"},
                         {"::00001", 2, "four digits"},
                         {"::g", 2, "unexpected"},
                         {"1:::2", 3, "unexpected"},
                         {"fe80::1%eth0", 7, "zone id"},
                         {"fe80::%2", 6, "zone id"},
                         {"fe80::1%", 7, "zone id"},
                         {"[::1]", 0, "unexpected"},
                         {"::1 ", 3, "unexpected"},
                         {"::1/64", 3, "unexpected"},
                         {"::1.2.3", 7, "four numbers"},
                         {"::1.2.3.04", 8, "leading zero"},
                         {"::1.2.3.256", 8, "too large"},
                         {"::1.2.3.4:5", 9, "unexpected"},
                         {"::1.2.3.4.5", 9, "unexpected"},
                         {"1:2:3:4:5:6:7:1.2.3.4", 14, "no room"},
                         {"1:2:3:4:5:6:7:8:1.2.3.4", 16, "at most eight"},
                         {"::ffff:0x7f.0.0.1", 8, "unexpected"},
                         {std::string_view("::1\0", 4), 3, "unexpected"}};
  for (const Wrong& wrong : cases) expect_wrong(parse_address(wrong.text), wrong);
  expect_wrong(parse_ipv6(""), {"", 0, "empty"});
  expect_wrong(parse_ipv6("1.2.3.4"), {"1.2.3.4", 7, "eight groups"});
  expect_wrong(parse_ipv4("::1"), {"::1", 0, "unexpected"});
}

// RFC 5952, sections 4 and 5.
TEST(AddressText, PrintsTheRecommendedForm) {
  struct Case {
    std::string_view given;
    std::string_view printed;
  };
  const Case cases[] = {{"0.0.0.0", "0.0.0.0"},
                        {"255.255.255.255", "255.255.255.255"},
                        {"0:0:0:0:0:0:0:0", "::"},
                        {"0:0:0:0:0:0:0:1", "::1"},
                        {"1:0:0:0:0:0:0:0", "1::"},
                        {"2001:0db8::0001", "2001:db8::1"},
                        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
                        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
                        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
                        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                        {"2001:DB8:AAAA:Bbbb:cCcc:dddD:eeee:0aaa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaa"},
                        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
                        {"0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"},
                        {"1:2:3:4:5:6::", "1:2:3:4:5:6::"},
                        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
                        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
                        {"::ffff:c000:201", "::ffff:192.0.2.1"},
                        {"::FFFF:192.0.2.1", "::ffff:192.0.2.1"},
                        {"::ffff:0:0", "::ffff:0.0.0.0"},
                        {"::192.0.2.1", "::c000:201"},
                        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
                        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}};
  for (const auto& [given, printed] : cases) {
    const auto address = parse_address(given);
    ASSERT_TRUE(address) << given;
    EXPECT_EQ(to_text(*address).view(), printed);
    EXPECT_EQ(parse_address(printed).value(), *address);
    EXPECT_EQ(std::string(to_text(*address).c_str()), printed);
  }
}

TEST(PrefixText, RefusesAndSaysWhere) {
  const Wrong cases[] = {{"", 0, "empty"},
                         {"/", 0, "empty"},
                         {"/8", 0, "empty"},
                         {"10.0.0.0", 8, "'/'"},
                         {"10.0.0.0/", 9, "missing"},
                         {"10.0.0/8", 6, "four numbers"},
                         {"10.0.0.0/33", 9, "too large"},
                         {"10.0.0.0/4294967304", 9, "too large"},
                         {"10.0.0.0/08", 9, "leading zero"},
                         {"10.0.0.0/+8", 9, "unexpected"},
                         {"10.0.0.0/-8", 9, "unexpected"},
                         {"10.0.0.0/8 ", 10, "unexpected"},
                         {"10.0.0.0/8/8", 10, "unexpected"},
                         {"10.0.0.0/255.0.0.0", 9, "too large"},
                         {"10.0.0.1/8", 9, "beyond this length"},
                         {"::1/0", 4, "beyond this length"},
                         {"::/129", 3, "too large"},
                         {"fe80::%eth0/64", 6, "zone id"},
                         {std::string_view("::/0\0", 5), 4, "unexpected"}};
  for (const Wrong& wrong : cases) expect_wrong(parse_prefix(wrong.text), wrong);
}

TEST(PrefixText, RoundTripsEveryLength) {
  for (const Address& address : {"255.255.255.255"_address, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"_address,
                                 "170.170.170.170"_address, "::ffff:192.0.2.1"_address}) {
    for (unsigned length = 0; length <= address.width(); ++length) {
      const Prefix prefix(address, length);
      EXPECT_EQ(parse_prefix(to_text(prefix).view()).value(), prefix);
    }
  }
}

TEST(PrefixText, HostBitsAreClearedOnRequest) {
  EXPECT_EQ(parse_prefix("10.0.0.1/8", HostBits::kClear).value(), "10.0.0.0/8"_prefix);
  EXPECT_EQ(parse_prefix("::1/128").value(), "::1/128"_prefix);
  EXPECT_FALSE(parse_prefix("10.0.0.1/33", HostBits::kClear));
}

TEST(Text, ParsedBecomesAResult) {
  const Result<Address> good = parse_address("192.0.2.1");
  const Result<Address> bad = parse_address("192.0.2");
  EXPECT_EQ(good.value(), "192.0.2.1"_address);
  EXPECT_EQ(bad.error().kind, ErrorKind::kInvalidArgument);
}

TEST(Text, StreamsForLogs) {
  std::ostringstream out;
  out << "192.0.2.1"_address << ' ' << "::/0"_prefix << ' ' << "00:11:22:33:44:55"_mac << ' ' << InterfaceIndex(7);
  EXPECT_EQ(out.str(), "192.0.2.1 ::/0 00:11:22:33:44:55 7");
}

TEST(Text, WhatDoesNotFitIsDropped) {
  FixedText<4> text;
  text.put("ab");
  text.put_number<16>(255, 4);
  EXPECT_EQ(text.view(), "ab00");
  EXPECT_STREQ(text.c_str(), "ab00");
}

TEST(Text, NumbersHaveAtLeastTheDigitsAskedForAndAtMostThirtyTwo) {
  FixedText<255> text;
  text.put_number<10>(0, 0);
  EXPECT_EQ(text.view(), "");
  text.put_number<2>(~0U);
  EXPECT_EQ(text.view(), std::string(32, '1'));
  text.put_number<10>(7, 100000);
  EXPECT_EQ(text.view(), std::string(32, '1') + std::string(31, '0') + "7");
}

}  // namespace
}  // namespace turnpike::net
