// The preferences that routes get by their protocol unless an administrator says otherwise: decision 10 of the
// contract, for the routing tables and for ValidateRoute alike. Lower is better.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace turnpike::rtm {

inline constexpr std::uint32_t kUsualPreference = 100;

using Preferences = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // protocol id, preference

inline constexpr Preferences::value_type kUsualPreferences[] = {
    {2, 1},      // local
    {10006, 3},  // static
    {10007, 5},  // static, without dial on demand
    {10002, 7},  // autostatic
    {3, 10},     // network management
    {14, 20},    // BGP
    {13, 110},   // OSPF
    {9, 115},    // IS-IS
    {8, 120},    // RIP
};

// Of several entries for a protocol the first counts.
constexpr std::uint32_t preference_in(std::span<const Preferences::value_type> preferences, std::uint32_t protocol,
                                      std::uint32_t otherwise = kUsualPreference) {
  for (const auto& [id, preference] : preferences) {
    if (id == protocol) return preference;
  }
  return otherwise;
}

// What an administrator says of some, over the usual ones.
inline Preferences over_the_usual(Preferences some) {
  some.insert(some.end(), std::begin(kUsualPreferences), std::end(kUsualPreferences));
  return some;
}

}  // namespace turnpike::rtm
