#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace turnpike {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

long futex(const std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* deadline) {
  return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

std::int64_t monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

Deadline deadline_in(std::uint32_t milliseconds) {
  return milliseconds == UINT32_MAX ? kNever : monotonic_now() + std::int64_t{milliseconds} * 1'000'000;
}

FutexOutcome futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t while_equal, Deadline deadline) {
  // The bitset form, because it alone takes a moment instead of a span: a wait that starts over does not grow longer.
  const timespec until{deadline / kNanosecondsPerSecond, deadline % kNanosecondsPerSecond};
  const long result = futex(word, FUTEX_WAIT_BITSET, while_equal, deadline == kNever ? nullptr : &until);
  return result != 0 && errno == ETIMEDOUT ? FutexOutcome::kTimedOut : FutexOutcome::kWoken;
}

bool futex_wake_one(const std::atomic<std::uint32_t>& word) { return futex(word, FUTEX_WAKE, 1, nullptr) > 0; }
void futex_wake_all(const std::atomic<std::uint32_t>& word) { futex(word, FUTEX_WAKE, INT_MAX, nullptr); }

}  // namespace turnpike
