// The error numbers that the C faces return, those of winerror.h. Constants of our own, so that a face needs no Windows
// header to return one.
#pragma once

#include <cstdint>

namespace turnpike::capi {

inline constexpr std::uint32_t kSuccess = 0;
inline constexpr std::uint32_t kInvalidHandle = 6;
inline constexpr std::uint32_t kNotEnoughMemory = 8;
inline constexpr std::uint32_t kNotSupported = 50;
inline constexpr std::uint32_t kInvalidParameter = 87;
inline constexpr std::uint32_t kBusy = 170;

}  // namespace turnpike::capi
