// Prefix: a network, as an address whose host bits are clear and the number of its network bits.
//
// The order is the table's: family, then the address's bits, then the shorter prefix first. So a prefix comes directly
// before everything that it contains, and what it contains is one unbroken run: from itself to its last host.
#pragma once

#include "net/address.h"

namespace turnpike::net {

class Prefix {
 public:
  constexpr Prefix() = default;  // 0.0.0.0/0

  // For callers that know the length to be right: a length beyond the width is the width. Host bits are cleared.
  constexpr Prefix(const Address& address, unsigned length)
      : address_(address.masked(length)), length_(static_cast<std::uint8_t>(std::min(length, address.width()))) {}

  // For a length that a caller gave: kInvalidArgument beyond the width. Host bits are cleared.
  [[nodiscard]] static constexpr Result<Prefix> make(const Address& address, unsigned length) {
    if (length > address.width()) return fail(ErrorKind::kInvalidArgument, "the prefix is longer than the address");
    return Prefix(address, length);
  }

  // For an address and a mask that a caller gave: kInvalidArgument for mixed families or a mask with a hole.
  [[nodiscard]] static constexpr Result<Prefix> from_netmask(const Address& address, const Address& mask) {
    if (address.family() != mask.family())
      return fail(ErrorKind::kInvalidArgument, "address and mask differ in family");
    return mask.netmask_length().map([&](unsigned length) { return Prefix(address, length); });
  }

  // The prefix that holds this one address: /32 or /128.
  [[nodiscard]] static constexpr Prefix host(const Address& address) { return {address, address.width()}; }

  // The default route's prefix: 0.0.0.0/0 or ::/0.
  [[nodiscard]] static constexpr Prefix everything(Family family) { return {Address::netmask(family, 0), 0}; }

  [[nodiscard]] constexpr const Address& address() const { return address_; }  // also the first address within
  [[nodiscard]] constexpr unsigned length() const { return length_; }
  [[nodiscard]] constexpr Family family() const { return address_.family(); }
  [[nodiscard]] constexpr bool is_default() const { return length_ == 0; }
  [[nodiscard]] constexpr bool is_host() const { return length_ == address_.width(); }
  [[nodiscard]] constexpr Address netmask() const { return Address::netmask(family(), length_); }

  // The last address within: a subnet's broadcast address in IPv4.
  [[nodiscard]] constexpr Address last() const {
    const Address mask = netmask();
    return Address::from_halves(family(), address_.high() | ~mask.high(), address_.low() | ~mask.low());
  }

  // Whether the address, or the whole other prefix, lies within; itself does. Nothing of the other family does.
  [[nodiscard]] constexpr bool contains(const Address& address) const {
    return address.family() == family() && common_length(address_, address) >= length_;
  }
  [[nodiscard]] constexpr bool contains(const Prefix& other) const {
    return other.length_ >= length_ && contains(other.address_);
  }

  [[nodiscard]] constexpr std::size_t hash() const { return detail::mix(address_.hash(), length_); }

  friend constexpr bool operator==(const Prefix&, const Prefix&) = default;
  friend constexpr std::strong_ordering operator<=>(const Prefix&, const Prefix&) = default;  // address, then length

 private:
  Address address_;
  std::uint8_t length_ = 0;
};

static_assert(sizeof(Prefix) == 18 && std::is_trivially_copyable_v<Prefix>);

// The longest prefix that contains both; nothing if their families differ.
[[nodiscard]] constexpr std::optional<Prefix> common_prefix(const Prefix& a, const Prefix& b) {
  if (a.family() != b.family()) return std::nullopt;
  return Prefix(a.address(), std::min({a.length(), b.length(), common_length(a.address(), b.address())}));
}

}  // namespace turnpike::net

template <>
struct std::hash<turnpike::net::Prefix> {
  std::size_t operator()(const turnpike::net::Prefix& prefix) const noexcept { return prefix.hash(); }
};
