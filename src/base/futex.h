// The kernel's futex in four calls: sleep while a word holds a value, until a moment if need be; wake one sleeper, or
// all.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnpike {

// A moment on CLOCK_MONOTONIC in nanoseconds, or never.
using Deadline = std::int64_t;
inline constexpr Deadline kNever = INT64_MAX;

// The deadline that lies `milliseconds` ahead; 0xFFFFFFFF (INFINITE) is never.
Deadline deadline_in(std::uint32_t milliseconds);

// Nanoseconds of CLOCK_MONOTONIC now.
std::int64_t monotonic_now();

enum class FutexOutcome { kWoken, kTimedOut };  // kWoken also where the word had changed, or for no reason at all

FutexOutcome futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t while_equal, Deadline deadline = kNever);
// Says whether anybody slept.
bool futex_wake_one(const std::atomic<std::uint32_t>& word);
void futex_wake_all(const std::atomic<std::uint32_t>& word);

}  // namespace turnpike
