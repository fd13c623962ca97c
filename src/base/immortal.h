// Immortal<T>: a static object that is made at compile time and never destroyed, so it may be used before main() begins
// and after it has ended (threads outlive static objects), and no first use allocates.
#pragma once

namespace turnpike {

template <class T>
union Immortal {
  constexpr Immortal() : value() {}
  ~Immortal() {}  // NOLINT(modernize-use-equals-default): it is the point that `value` is not destroyed
  T value;
};

}  // namespace turnpike
