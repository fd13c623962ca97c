// MacAddress: the six bytes by which an Ethernet-like link names a station, in the order of the wire.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace turnpike::net {

class MacAddress {
 public:
  using Bytes = std::array<std::uint8_t, 6>;

  constexpr MacAddress() = default;  // 00:00:00:00:00:00
  explicit constexpr MacAddress(const Bytes& bytes) : bytes_(bytes) {}

  // From a netlink attribute or a frame: kInvalidArgument for any other number of bytes (InfiniBand has 20).
  [[nodiscard]] static constexpr Result<MacAddress> from_bytes(std::span<const std::uint8_t> given) {
    if (given.size() != 6) return fail(ErrorKind::kInvalidArgument, "a MAC address has 6 bytes");
    MacAddress address;
    std::copy(given.begin(), given.end(), address.bytes_.begin());
    return address;
  }

  [[nodiscard]] static constexpr MacAddress broadcast() {
    return MacAddress(Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  }

  [[nodiscard]] constexpr const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] constexpr bool is_zero() const { return bytes_ == Bytes{}; }
  [[nodiscard]] constexpr bool is_broadcast() const { return *this == broadcast(); }
  [[nodiscard]] constexpr bool is_multicast() const { return (bytes_[0] & 1) != 0; }  // broadcast is one of them
  [[nodiscard]] constexpr bool is_locally_administered() const { return (bytes_[0] & 2) != 0; }

  [[nodiscard]] constexpr std::size_t hash() const {
    std::uint64_t word = 0;
    for (const std::uint8_t byte : bytes_) word = word << 8 | byte;
    return detail::mix(word, bytes_.size());
  }

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
  friend constexpr std::strong_ordering operator<=>(const MacAddress&, const MacAddress&) = default;  // as the bytes

 private:
  Bytes bytes_{};
};

static_assert(sizeof(MacAddress) == 6 && std::is_trivially_copyable_v<MacAddress>);

}  // namespace turnpike::net

template <>
struct std::hash<turnpike::net::MacAddress> {
  std::size_t operator()(const turnpike::net::MacAddress& address) const noexcept { return address.hash(); }
};
