// Key: the name of a destination inside a table: up to 128 bits, left-aligned, and how many of them count.
//
// A table serves one address family, so its keys carry none: IPv4 uses the first 32 bits, IPv6 all, IPX the first 80
// (network, then node). Bits beyond the length are zero in every key that a table holds; `masked` makes them so. The
// order is the table's: the bits as one number, then the shorter key first. So a key comes directly before everything
// it covers.
#pragma once

#include <algorithm>
#include <bit>
#include <compare>
#include <cstdint>

namespace turnpike::rtm {

struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint8_t length = 0;

  friend constexpr bool operator==(const Key&, const Key&) = default;
  friend constexpr auto operator<=>(const Key&, const Key&) = default;

  // The byte that begins at bit 8 * index.
  [[nodiscard]] constexpr unsigned byte(unsigned index) const {
    return static_cast<unsigned>((index < 8 ? high >> (56 - 8 * index) : low >> (120 - 8 * index)) & 0xff);
  }
};

// The number of set bits. Where the compiler may not use the machine's instruction (x86-64 has had it since 2008, not
// from the beginning), std::popcount is a call of libgcc.
[[nodiscard]] constexpr unsigned count_ones(std::uint64_t word) {
#if defined(__x86_64__) && !defined(__POPCNT__)
  word -= word >> 1 & 0x5555555555555555;
  word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<unsigned>(word * 0x0101010101010101 >> 56);
#else
  return static_cast<unsigned>(std::popcount(word));
#endif
}

// A word whose first `bits` bits (0 to 64, more is all) are set.
[[nodiscard]] constexpr std::uint64_t leading_ones(unsigned bits) {
  return bits == 0 ? 0 : ~std::uint64_t{0} << (bits < 64 ? 64 - bits : 0);
}

[[nodiscard]] constexpr Key masked(const Key& key, unsigned length) {
  return {key.high & leading_ones(length), length > 64 ? key.low & leading_ones(length - 64) : 0,
          static_cast<std::uint8_t>(length)};
}

// How many leading bits the two have in common, whatever their lengths: 0 to 128.
[[nodiscard]] constexpr unsigned common_bits(const Key& a, const Key& b) {
  const std::uint64_t high = a.high ^ b.high;
  return high != 0 ? static_cast<unsigned>(std::countl_zero(high))
                   : 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

// Whether `inner` lies within `outer`; every key lies within itself.
[[nodiscard]] constexpr bool covers(const Key& outer, const Key& inner) {
  return inner.length >= outer.length && common_bits(outer, inner) >= outer.length;
}

}  // namespace turnpike::rtm
