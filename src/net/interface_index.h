// InterfaceIndex: the number of an interface, as a type of its own so that no count or handle passes for one.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "net/address.h"

namespace turnpike::net {

class InterfaceIndex {
 public:
  constexpr InterfaceIndex() = default;  // 0: no interface, or any, as the callee says
  explicit constexpr InterfaceIndex(std::uint32_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_none() const { return value_ == 0; }
  [[nodiscard]] constexpr std::size_t hash() const { return detail::mix(value_, sizeof(value_)); }

  friend constexpr bool operator==(InterfaceIndex, InterfaceIndex) = default;
  friend constexpr std::strong_ordering operator<=>(InterfaceIndex, InterfaceIndex) = default;

 private:
  std::uint32_t value_ = 0;
};

static_assert(sizeof(InterfaceIndex) == 4 && std::is_trivially_copyable_v<InterfaceIndex>);

}  // namespace turnpike::net

template <>
struct std::hash<turnpike::net::InterfaceIndex> {
  std::size_t operator()(turnpike::net::InterfaceIndex index) const noexcept { return index.hash(); }
};
