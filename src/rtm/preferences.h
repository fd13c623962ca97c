// The preferences that routes get by their protocol unless an administrator says otherwise: decision 10 of the
// contract, for the routing tables and for ValidateRoute alike. Lower is better.
#pragma once

#include <cstdint>
#include <utility>

namespace turnpike::rtm {

inline constexpr std::uint32_t kUsualPreference = 100;

inline constexpr std::pair<std::uint32_t, std::uint32_t> kUsualPreferences[] = {
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

}  // namespace turnpike::rtm
