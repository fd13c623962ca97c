// The values of this room as text: parse_…(text) and to_text(value), both usable at compile time, neither allocating.
//
// What is accepted is what inet_pton accepts, no less and no more, because operators' files and peers' output were
// checked by it: four decimal octets without leading zeros; RFC 4291 groups in either case, one "::" that stands for at
// least one group, a dotted quad as the last 32 bits. What is printed is RFC 5952: lower case, the longest run of two
// or more zero groups shortened (the first of equals), and IPv4-mapped addresses with a dotted quad, which the reserved
// prefix ::ffff:0:0/96 alone makes certain; the deprecated IPv4-compatible ::/96 is printed in groups, where inet_ntop
// still writes dots. For every value, parse(to_text(value)) == value.
//
// A failed parse says what is wrong and where. The position is the only thing that the house's Error lacks, so
// ParseError is an Error that has one: a Parsed<T> becomes a Result<T>, without the position, wherever one is wanted.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "net/address.h"
#include "net/interface_index.h"
#include "net/mac_address.h"
#include "net/prefix.h"

namespace turnpike::net {

// `position` counts characters from the start of the text; it is the text's size where something is missing at the end.
struct ParseError : Error {
  std::size_t position = 0;
};

template <class T>
using Parsed = tl::expected<T, ParseError>;

// A short text in place, always closed by a NUL. What does not fit is dropped; the types below fit their longest value.
template <std::size_t Capacity>
class FixedText {
  static_assert(Capacity <= 255, "the size is kept in a byte");

 public:
  [[nodiscard]] constexpr std::string_view view() const { return {chars_.data(), size_}; }
  [[nodiscard]] constexpr const char* c_str() const { return chars_.data(); }

  constexpr void put(char character) {
    if (size_ < Capacity) chars_[size_++] = character;
  }
  constexpr void put(std::string_view text) {
    for (const char character : text) put(character);
  }
  // With leading zeros up to `least_digits`, of which 32 are enough for anybody.
  template <std::uint32_t Radix>
    requires(Radix >= 2 && Radix <= 16)
  constexpr void put_number(std::uint32_t value, std::size_t least_digits = 1) {
    std::array<char, 32> digits{};
    std::size_t count = 0;
    for (; value != 0 || count < std::min(least_digits, digits.size()); value /= Radix) {
      digits[count++] = "0123456789abcdef"[value % Radix];
    }
    while (count > 0) put(digits[--count]);
  }

 private:
  std::array<char, Capacity + 1> chars_{};
  std::uint8_t size_ = 0;
};

using AddressText = FixedText<39>;  // eight groups of four digits
using PrefixText = FixedText<43>;   // and "/128"
using MacAddressText = FixedText<17>;
using InterfaceIndexText = FixedText<10>;

namespace detail {

class Cursor {
 public:
  constexpr explicit Cursor(std::string_view text, std::size_t position = 0) : text_(text), position_(position) {}

  [[nodiscard]] constexpr std::size_t position() const { return position_; }
  [[nodiscard]] constexpr bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] constexpr std::string_view rest() const { return text_.substr(position_); }

  constexpr bool take(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    position_ += token.size();
    return true;
  }

  // The next character as a digit, taken; nothing if it is none of that radix (10 or 16).
  constexpr std::optional<std::uint32_t> take_digit(std::uint32_t radix) {
    if (at_end()) return std::nullopt;
    const char next = text_[position_];
    const char letter = static_cast<char>(next | 0x20);
    std::uint32_t value = radix;
    if (next >= '0' && next <= '9') value = static_cast<std::uint32_t>(next - '0');
    if (letter >= 'a' && letter <= 'f') value = static_cast<std::uint32_t>(letter - 'a' + 10);
    if (value >= radix) return std::nullopt;
    ++position_;
    return value;
  }

 private:
  std::string_view text_;
  std::size_t position_;
};

[[nodiscard]] constexpr tl::unexpected<ParseError> wrong(std::size_t position, const char* what) {
  return tl::unexpected(ParseError{{ErrorKind::kInvalidArgument, 0, what}, position});
}

// What stands at the cursor fits nowhere; `expected` says what would have.
[[nodiscard]] constexpr tl::unexpected<ParseError> unexpected_here(const Cursor& in, const char* expected) {
  if (in.rest().starts_with('%')) return wrong(in.position(), "a zone id is no part of an address: name the interface");
  return wrong(in.position(), in.at_end() ? expected : "unexpected character");
}

// Decimal, without sign or leading zeros (010 is eight to some readers and ten to others), at most `highest`.
constexpr Parsed<std::uint32_t> read_decimal(Cursor& in, std::uint32_t highest) {
  const std::size_t begin = in.position();
  std::uint64_t value = 0;
  while (const auto digit = in.take_digit(10)) {
    if (in.position() - begin > 1 && value == 0) return wrong(begin, "a number has a leading zero");
    value = value * 10 + *digit;
    if (value > highest) return wrong(begin, "a number is too large");
  }
  if (in.position() == begin) return unexpected_here(in, "a number is missing");
  return static_cast<std::uint32_t>(value);
}

// Four octets; leaves the cursor after the last.
constexpr Parsed<std::uint32_t> read_dotted_quad(Cursor& in) {
  std::uint32_t bits = 0;
  for (int index = 0; index < 4; ++index) {
    if (index > 0 && !in.take(".")) return unexpected_here(in, "an IPv4 address has four numbers");
    const auto octet = read_decimal(in, 255);
    if (!octet) return tl::unexpected(octet.error());
    bits = bits << 8 | *octet;
  }
  return bits;
}

// One to four hexadecimal digits.
constexpr Parsed<std::uint16_t> read_group(Cursor& in) {
  const std::size_t begin = in.position();
  std::uint32_t value = 0;
  while (const auto digit = in.take_digit(16)) {
    if (in.position() - begin > 4) return wrong(begin, "a group has more than four digits");
    value = value << 4 | *digit;
  }
  if (in.position() == begin) return unexpected_here(in, "a group is missing");
  return static_cast<std::uint16_t>(value);
}

// The groups of an IPv6 address while they are read, and where "::" stood among them.
struct Groups {
  std::array<std::uint16_t, 8> group{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;

  [[nodiscard]] constexpr Address address() const {
    const std::size_t tail = gap ? count - *gap : 0;
    std::array<std::uint64_t, 2> half{};
    for (std::size_t index = 0; index < count; ++index) {
      const std::size_t place = index < count - tail ? index : 8 - count + index;
      half[place / 4] |= std::uint64_t{group[index]} << (48 - place % 4 * 16);
    }
    return Address::from_halves(Family::kIpv6, half[0], half[1]);
  }
};

// One group, or the dotted quad that stands for the last two.
constexpr Parsed<Groups> read_next_group(Cursor& in, Groups groups) {
  if (groups.count == 8) return wrong(in.position(), "an IPv6 address has at most eight groups");
  const Cursor begin = in;
  const auto group = read_group(in);
  if (in.rest().starts_with('.') && in.position() > begin.position()) {
    in = begin;
    if (groups.count > 6) return wrong(in.position(), "no room is left for an IPv4 address");
    const auto quad = read_dotted_quad(in);
    if (!quad) return tl::unexpected(quad.error());
    if (!in.at_end()) return unexpected_here(in, "");
    groups.group[groups.count++] = static_cast<std::uint16_t>(*quad >> 16);
    groups.group[groups.count++] = static_cast<std::uint16_t>(*quad);
    return groups;
  }
  if (!group) return tl::unexpected(group.error());
  groups.group[groups.count++] = *group;
  return groups;
}

// The run of zero groups that "::" replaces: the longest of at least two, the first of equals; {8, 0} if there is none.
struct Run {
  std::size_t begin = 8;
  std::size_t size = 0;
};

[[nodiscard]] constexpr std::uint16_t group_of(const Address& address, std::size_t index) {
  return static_cast<std::uint16_t>((index < 4 ? address.high() : address.low()) >> (48 - index % 4 * 16));
}

[[nodiscard]] constexpr Run longest_zero_run(const Address& address) {
  Run best;
  for (std::size_t begin = 0; begin < 8; ++begin) {
    std::size_t end = begin;
    while (end < 8 && group_of(address, end) == 0) ++end;
    if (end - begin >= 2 && end - begin > best.size) best = {begin, end - begin};
  }
  return best;
}

template <std::size_t Capacity>
constexpr void put_dotted_quad(FixedText<Capacity>& out, std::uint32_t bits) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.template put_number<10>(bits >> shift & 0xff);
    if (shift > 0) out.put('.');
  }
}

template <std::size_t Capacity>
constexpr void put_groups(FixedText<Capacity>& out, const Address& address) {
  const Run run = longest_zero_run(address);
  for (std::size_t index = 0; index < 8;) {
    if (index == run.begin) {
      out.put("::");
      index += run.size;
      continue;
    }
    if (index > 0 && index != run.begin + run.size) out.put(':');
    out.template put_number<16>(group_of(address, index++));
  }
}

template <std::size_t Capacity>
constexpr void put_address(FixedText<Capacity>& out, const Address& address) {
  if (address.is_ipv4()) return put_dotted_quad(out, address.ipv4_host());
  if (!address.is_ipv4_mapped()) return put_groups(out, address);
  out.put("::ffff:");
  put_dotted_quad(out, address.unmapped().ipv4_host());
}

}  // namespace detail

[[nodiscard]] constexpr Parsed<Address> parse_ipv4(std::string_view text) {
  detail::Cursor in(text);
  const auto bits = detail::read_dotted_quad(in);
  if (!bits) return tl::unexpected(bits.error());
  if (!in.at_end()) return detail::unexpected_here(in, "");
  return Address::ipv4(*bits);
}

[[nodiscard]] constexpr Parsed<Address> parse_ipv6(std::string_view text) {
  detail::Cursor in(text);
  detail::Groups groups;
  if (text.empty()) return detail::wrong(0, "the address is empty");
  if (in.take("::")) groups.gap = 0;
  while (!in.at_end()) {
    const auto more = detail::read_next_group(in, groups);
    if (!more) return tl::unexpected(more.error());
    groups = *more;
    if (in.at_end()) break;
    const std::size_t here = in.position();
    if (in.take("::")) {
      if (groups.gap) return detail::wrong(here, "an IPv6 address has one '::' at most");
      groups.gap = groups.count;
    } else if (!in.take(":")) {
      return detail::unexpected_here(in, "");
    } else if (in.at_end()) {
      return detail::wrong(in.position(), "a group is missing");
    }
  }
  if (groups.count < 8 && !groups.gap) return detail::wrong(text.size(), "an IPv6 address has eight groups, or a '::'");
  if (groups.count == 8 && groups.gap) return detail::wrong(text.find("::"), "the '::' stands for no group");
  return groups.address();
}

// Either family: text with a colon is IPv6.
[[nodiscard]] constexpr Parsed<Address> parse_address(std::string_view text) {
  if (text.empty()) return detail::wrong(0, "the address is empty");
  return text.find(':') == std::string_view::npos ? parse_ipv4(text) : parse_ipv6(text);
}

// What to do with 10.0.0.1/8: refuse what is most likely a slip, or take it as 10.0.0.0/8.
enum class HostBits : std::uint8_t { kRefuse, kClear };

// "192.0.2.0/24", "2001:db8::/32". The length is never left out: a host's prefix says /32 or /128.
[[nodiscard]] constexpr Parsed<Prefix> parse_prefix(std::string_view text, HostBits host_bits = HostBits::kRefuse) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return tl::unexpected(address.error());
  if (slash == std::string_view::npos) return detail::wrong(text.size(), "a prefix has a '/' and its length");
  detail::Cursor in(text, slash + 1);
  const auto length = detail::read_decimal(in, (*address).width());
  if (!length) return tl::unexpected(length.error());
  if (!in.at_end()) return detail::unexpected_here(in, "");
  const Prefix prefix(*address, *length);
  if (host_bits == HostBits::kRefuse && prefix.address() != *address) {
    return detail::wrong(slash + 1, "the address has bits set beyond this length");
  }
  return prefix;
}

// Six pairs of digits, all parted by ':' or all by '-'.
[[nodiscard]] constexpr Parsed<MacAddress> parse_mac_address(std::string_view text) {
  detail::Cursor in(text);
  const std::string_view mark = text.size() > 2 && text[2] == '-' ? "-" : ":";
  MacAddress::Bytes bytes{};
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    if (index > 0 && !in.take(mark)) return detail::unexpected_here(in, "a MAC address has six pairs of digits");
    const auto first = in.take_digit(16);
    const auto second = first ? in.take_digit(16) : std::nullopt;
    if (!second) return detail::unexpected_here(in, "a digit is missing");
    bytes[index] = static_cast<std::uint8_t>(*first << 4 | *second);
  }
  if (!in.at_end()) return detail::unexpected_here(in, "");
  return MacAddress(bytes);
}

// Decimal, 0 to 4294967295.
[[nodiscard]] constexpr Parsed<InterfaceIndex> parse_interface_index(std::string_view text) {
  detail::Cursor in(text);
  const auto value = detail::read_decimal(in, 0xffffffff);
  if (!value) return tl::unexpected(value.error());
  if (!in.at_end()) return detail::unexpected_here(in, "");
  return InterfaceIndex(*value);
}

[[nodiscard]] constexpr AddressText to_text(const Address& address) {
  AddressText out;
  detail::put_address(out, address);
  return out;
}

[[nodiscard]] constexpr PrefixText to_text(const Prefix& prefix) {
  PrefixText out;
  detail::put_address(out, prefix.address());
  out.put('/');
  out.put_number<10>(prefix.length());
  return out;
}

// Lower case, parted by colons, as Linux shows it.
[[nodiscard]] constexpr MacAddressText to_text(const MacAddress& address) {
  MacAddressText out;
  for (const std::uint8_t byte : address.bytes()) {
    if (!out.view().empty()) out.put(':');
    out.put_number<16>(byte, 2);
  }
  return out;
}

[[nodiscard]] constexpr InterfaceIndexText to_text(InterfaceIndex index) {
  InterfaceIndexText out;
  out.put_number<10>(index.value());
  return out;
}

// For logs and the messages of tests.
template <class Traits, class T>
  requires requires(const T& value) { to_text(value).view(); }
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const T& value) {
  return out << to_text(value).view();
}

// Constants that the compiler checks: "192.0.2.1"_address, "2001:db8::/32"_prefix. What does not parse does not
// compile.
namespace literals {

consteval Address operator""_address(const char* text, std::size_t size) { return parse_address({text, size}).value(); }
consteval Prefix operator""_prefix(const char* text, std::size_t size) { return parse_prefix({text, size}).value(); }
consteval MacAddress operator""_mac(const char* text, std::size_t size) {
  return parse_mac_address({text, size}).value();
}

}  // namespace literals

}  // namespace turnpike::net
