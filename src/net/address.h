// Address: one IPv4 or IPv6 address, as a value of 17 bytes.
//
// The bits stand left-aligned in 16 bytes, in network order, and whatever an IPv4 address does not use is zero. So a
// mask, a bit test, a common prefix and the order of two addresses are the same few instructions on two 64-bit halves
// for both families, and a table that holds both needs no second copy of its code. The family is part of the value:
// 0.0.0.0 and :: differ, and every IPv4 address comes before every IPv6 address.
//
// Left out on purpose: ports, zone ids (the interface is a separate argument wherever one is needed) and the AF_
// numbers, which belong to those who include a socket header. An IPv4-mapped IPv6 address stays IPv6 until `unmapped`
// is asked for; nothing here guesses.
//
// Every function is total: what it answers to an argument out of range or of the other family stands beside it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace turnpike::net {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

// The number of bits in an address: 32 or 128.
[[nodiscard]] constexpr unsigned width_of(Family family) { return family == Family::kIpv4 ? 32 : 128; }

namespace detail {

[[nodiscard]] constexpr std::uint64_t big_endian(std::uint64_t word) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

[[nodiscard]] constexpr std::uint32_t big_endian(std::uint32_t word) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
}

// A word whose `length` highest bits are set; all of them from 64 on.
[[nodiscard]] constexpr std::uint64_t high_bits(unsigned length) {
  return length == 0 ? 0 : ~std::uint64_t{0} << (length < 64 ? 64 - length : 0);
}

// Spreads every bit of two words over the result: the finaliser of SplitMix64, twice.
[[nodiscard]] constexpr std::size_t mix(std::uint64_t a, std::uint64_t b) {
  for (const std::uint64_t word : {b, std::uint64_t{0x9e3779b97f4a7c15}}) {
    a ^= a >> 30;
    a *= 0xbf58476d1ce4e5b9;
    a ^= a >> 27;
    a *= 0x94d049bb133111eb;
    a ^= (a >> 31) ^ word;
  }
  return a;
}

// What holds an address the way the kernel and the wire do: in_addr, in6_addr, an array of bytes, a DWORD of the API.
template <class T>
concept NetworkForm = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && (sizeof(T) == 4 || sizeof(T) == 16);

}  // namespace detail

class Address {
 public:
  constexpr Address() = default;  // 0.0.0.0

  // From a number in host order: ipv4(0x7f000001) is 127.0.0.1.
  [[nodiscard]] static constexpr Address ipv4(std::uint32_t host_order) {
    return from_halves(Family::kIpv4, std::uint64_t{host_order} << 32, 0);
  }

  // From the bits, left-aligned: `high` holds the first 64. Bits that the family does not have are dropped.
  [[nodiscard]] static constexpr Address from_halves(Family family, std::uint64_t high, std::uint64_t low) {
    const bool narrow = family == Family::kIpv4;
    return {family, std::bit_cast<Bytes>(std::array{detail::big_endian(narrow ? high & detail::high_bits(32) : high),
                                                    detail::big_endian(narrow ? 0 : low)})};
  }

  // From what the kernel and the wire hold, in network order; its size tells the family: in_addr and a DWORD of the API
  // have four bytes, in6_addr has sixteen.
  template <detail::NetworkForm T>
  [[nodiscard]] static constexpr Address from_network(const T& form) {
    Bytes bytes{};
    const auto given = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(form);
    std::copy(given.begin(), given.end(), bytes.begin());
    return {sizeof(T) == 4 ? Family::kIpv4 : Family::kIpv6, bytes};
  }

  // From a netlink attribute or a packet: 4 or 16 bytes in network order; kInvalidArgument for any other number.
  [[nodiscard]] static constexpr Result<Address> from_bytes(std::span<const std::uint8_t> given) {
    if (given.size() != 4 && given.size() != 16)
      return fail(ErrorKind::kInvalidArgument, "an address has 4 or 16 bytes");
    Bytes bytes{};
    std::copy(given.begin(), given.end(), bytes.begin());
    return Address(given.size() == 4 ? Family::kIpv4 : Family::kIpv6, bytes);
  }

  // The mask of `length` ones; a length beyond the width is the width.
  [[nodiscard]] static constexpr Address netmask(Family family, unsigned length) {
    return from_halves(family, detail::high_bits(length), length > 64 ? detail::high_bits(length - 64) : 0);
  }

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_ipv4() const { return family_ == Family::kIpv4; }
  [[nodiscard]] constexpr bool is_ipv6() const { return family_ == Family::kIpv6; }
  [[nodiscard]] constexpr unsigned width() const { return width_of(family_); }

  // The first and the last 64 bits, as numbers; the bits that an IPv4 address does not have are zero.
  [[nodiscard]] constexpr std::uint64_t high() const {
    return detail::big_endian(std::bit_cast<std::array<std::uint64_t, 2>>(bytes_)[0]);
  }
  [[nodiscard]] constexpr std::uint64_t low() const {
    return detail::big_endian(std::bit_cast<std::array<std::uint64_t, 2>>(bytes_)[1]);
  }

  // The four or sixteen bytes in network order; they live as long as this value.
  [[nodiscard]] constexpr std::span<const std::uint8_t> bytes() const& { return {bytes_.data(), width() / 8}; }
  std::span<const std::uint8_t> bytes() && = delete;

  // An IPv4 address as a number in host order; 0 for IPv6.
  [[nodiscard]] constexpr std::uint32_t ipv4_host() const {
    return is_ipv4() ? static_cast<std::uint32_t>(high() >> 32) : 0;
  }
  // An IPv4 address as in_addr.s_addr and the API's DWORDs hold it; 0 for IPv6.
  [[nodiscard]] constexpr std::uint32_t ipv4_network() const { return detail::big_endian(ipv4_host()); }

  // to_network<in6_addr>(): the same in the kernel's type. All zero where the size of T is not this family's.
  template <detail::NetworkForm T>
  [[nodiscard]] constexpr T to_network() const {
    std::array<std::uint8_t, sizeof(T)> form{};
    if (sizeof(T) * 8 == width()) std::copy_n(bytes_.begin(), sizeof(T), form.begin());
    return std::bit_cast<T>(form);
  }

  // Bit 0 is the highest. False beyond the width.
  [[nodiscard]] constexpr bool bit(unsigned index) const {
    return index < width() && ((bytes_[index / 8] >> (7 - index % 8)) & 1) != 0;
  }

  // The address with every bit after the first `length` cleared; itself from the width on.
  [[nodiscard]] constexpr Address masked(unsigned length) const {
    const Address mask = netmask(family_, length);
    return from_halves(family_, high() & mask.high(), low() & mask.low());
  }

  // The next address in the table's order; nothing after the family's last.
  [[nodiscard]] constexpr std::optional<Address> successor() const {
    if (*this == netmask(family_, width())) return std::nullopt;
    if (is_ipv4()) return ipv4(ipv4_host() + 1);
    const std::uint64_t next = low() + 1;
    return from_halves(family_, high() + (next == 0 ? 1 : 0), next);
  }

  // How many leading ones a contiguous mask has: 255.255.240.0 → 20; kInvalidArgument for a mask with a hole.
  [[nodiscard]] constexpr Result<unsigned> netmask_length() const {
    const unsigned first = static_cast<unsigned>(std::countl_one(high()));
    const unsigned length = first < 64 ? first : 64 + static_cast<unsigned>(std::countl_one(low()));
    if (*this != netmask(family_, length)) return fail(ErrorKind::kInvalidArgument, "the mask is not contiguous");
    return length;
  }

  // Classes of addresses. An IPv4-mapped address is looked at as the IPv6 address that it is.
  [[nodiscard]] constexpr bool is_unspecified() const { return high() == 0 && low() == 0; }  // 0.0.0.0, ::
  [[nodiscard]] constexpr bool is_loopback() const {                                         // 127/8, ::1
    return is_ipv4() ? bytes_[0] == 127 : high() == 0 && low() == 1;
  }
  [[nodiscard]] constexpr bool is_multicast() const {  // 224/4, ff00::/8
    return is_ipv4() ? bytes_[0] >> 4 == 0xe : bytes_[0] == 0xff;
  }
  [[nodiscard]] constexpr bool is_link_local() const {  // 169.254/16, fe80::/10
    return is_ipv4() ? high() >> 48 == 0xa9fe : high() >> 54 == 0xfe80 >> 6;
  }
  [[nodiscard]] constexpr bool is_broadcast() const {  // 255.255.255.255; no IPv6 address is one
    return is_ipv4() && ipv4_host() == 0xffffffff;
  }
  [[nodiscard]] constexpr bool is_ipv4_mapped() const {  // ::ffff:0:0/96
    return is_ipv6() && high() == 0 && low() >> 32 == 0xffff;
  }

  // The length that the address's class gives it: A 8, B 16, C 24. Classes D and E and IPv6 have none: the whole width.
  [[nodiscard]] constexpr unsigned natural_length() const {
    if (!is_ipv4() || bytes_[0] >= 0xe0) return width();
    return bytes_[0] < 0x80 ? 8 : bytes_[0] < 0xc0 ? 16 : 24;
  }

  // 192.0.2.1 ↔ ::ffff:192.0.2.1. An address that is in the wanted form already, or has none, stays as it is.
  [[nodiscard]] constexpr Address mapped() const {
    return is_ipv4() ? from_halves(Family::kIpv6, 0, 0xffff'0000'0000 | ipv4_host()) : *this;
  }
  [[nodiscard]] constexpr Address unmapped() const {
    return is_ipv4_mapped() ? ipv4(static_cast<std::uint32_t>(low())) : *this;
  }

  [[nodiscard]] constexpr std::size_t hash() const {
    return detail::mix(high(), low() ^ static_cast<std::uint64_t>(family_));
  }

  friend constexpr bool operator==(const Address&, const Address&) = default;

  // The table's order: IPv4 first, then by the bits.
  friend constexpr std::strong_ordering operator<=>(const Address& a, const Address& b) {
    if (const auto families = a.family_ <=> b.family_; families != 0) return families;
    if (const auto halves = a.high() <=> b.high(); halves != 0) return halves;
    return a.low() <=> b.low();
  }

 private:
  using Bytes = std::array<std::uint8_t, 16>;

  constexpr Address(Family family, const Bytes& bytes) : bytes_(bytes), family_(family) {}

  Bytes bytes_{};
  Family family_ = Family::kIpv4;
};

static_assert(sizeof(Address) == 17 && std::is_trivially_copyable_v<Address>);

// How many leading bits two addresses share, at most their width; 0 if their families differ.
[[nodiscard]] constexpr unsigned common_length(const Address& a, const Address& b) {
  if (a.family() != b.family()) return 0;
  const auto high = static_cast<unsigned>(std::countl_zero(a.high() ^ b.high()));
  const unsigned bits = high < 64 ? high : 64 + static_cast<unsigned>(std::countl_zero(a.low() ^ b.low()));
  return std::min(bits, a.width());
}

}  // namespace turnpike::net

template <>
struct std::hash<turnpike::net::Address> {
  std::size_t operator()(const turnpike::net::Address& address) const noexcept { return address.hash(); }
};
