// The parsers and printers against the C library's, over random input that is made to lie close to the edge of the
// grammar: pieces of addresses glued together, and good addresses with one character changed.

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "net/text.h"

namespace turnpike::net {
namespace {

constexpr int kRounds = 40'000;

class Differential : public ::testing::Test {
 protected:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  // Groups are zero often, so that runs of zeros of every length and place come up.
  Address any_ipv6() {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t at = 0; at < bytes.size(); at += 2) {
      const std::uint32_t kind = below(4);
      const auto group = kind < 2 ? 0 : kind == 2 ? 0xffff : random_();
      bytes[at] = static_cast<std::uint8_t>(group >> 8);
      bytes[at + 1] = static_cast<std::uint8_t>(group);
    }
    return Address::from_network(bytes);
  }

  Address any_address() { return below(2) == 0 ? Address::ipv4(static_cast<std::uint32_t>(random_())) : any_ipv6(); }

  std::string glued() {
    static constexpr std::string_view kPieces[] = {"0", "1", "00",      "01", "255", "256",   "ffff", "FfFf", "12345",
                                                   ".", ".", ".",       ":",  ":",   ":",     "::",   "::",   "%",
                                                   "/", " ", "1.2.3.4", "a",  "g",   "99999", "-",    "0x"};
    std::string text;
    for (std::uint32_t count = below(18); count > 0; --count) text += kPieces[below(std::size(kPieces))];
    return text;
  }

  std::string mutated() {
    static constexpr std::string_view kCharacters = "0123456789abcdefABCDEF.::%/ g";
    std::string text(to_text(any_address()).view());
    const std::size_t at = below(static_cast<std::uint32_t>(text.size()));
    switch (below(3)) {
      case 0:
        text[at] = kCharacters[below(kCharacters.size())];
        break;
      case 1:
        text.insert(at, 1, kCharacters[below(kCharacters.size())]);
        break;
      default:
        text.erase(at, 1 + below(3));
        break;
    }
    return text;
  }

 private:
  std::mt19937_64 random_{20260101};
};

Result<Address> parse_as_libc(const std::string& text) {
  in_addr four{};
  in6_addr six{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return Address::from_network(four);
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1) return Address::from_network(six);
  return fail(ErrorKind::kInvalidArgument, "inet_pton");
}

TEST_F(Differential, AcceptsWhatLibcAccepts) {
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = round % 2 == 0 ? glued() : mutated();
    const auto ours = parse_address(text);
    const auto libc = parse_as_libc(text);
    ASSERT_EQ(ours.has_value(), libc.has_value()) << '"' << text << "\" " << (ours ? "" : ours.error().what);
    if (ours) {
      ASSERT_EQ(*ours, *libc) << text;
      ++accepted;
    } else {
      ASSERT_LE(ours.error().position, text.size());
      ASSERT_STRNE(ours.error().what, "") << text;
    }
  }
  EXPECT_GT(accepted, kRounds / 20) << "the input no longer reaches the inside of the grammar";
  EXPECT_LT(accepted, kRounds - kRounds / 20);
}

TEST_F(Differential, PrintsWhatLibcPrints) {
  int dotted_by_libc_alone = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Address address = any_address();
    char text[INET6_ADDRSTRLEN] = "";
    ASSERT_NE(inet_ntop(address.is_ipv4() ? AF_INET : AF_INET6, address.bytes().data(), text, sizeof(text)), nullptr);
    const bool compatible = address.is_ipv6() && address.high() == 0 && address.low() >> 32 == 0;
    if (compatible && std::string_view(text).find('.') != std::string_view::npos) {
      ++dotted_by_libc_alone;  // the difference that text.h states
    } else {
      ASSERT_EQ(to_text(address).view(), text);
    }
    ASSERT_EQ(parse_address(to_text(address).view()).value(), address);
  }
  EXPECT_GT(dotted_by_libc_alone, 0);
  EXPECT_LT(dotted_by_libc_alone, kRounds / 20);
}

}  // namespace
}  // namespace turnpike::net
