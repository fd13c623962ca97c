// FILETIME: units of 100 ns since 1601-01-01 UTC.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace turnpike::win32 {

inline constexpr std::int64_t kFileTimeOfUnixEpoch = 116'444'736'000'000'000;

constexpr std::int64_t to_file_time(WallTime wall) {
  return std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>>(wall.time_since_epoch())
             .count() +
         kFileTimeOfUnixEpoch;
}

}  // namespace turnpike::win32
