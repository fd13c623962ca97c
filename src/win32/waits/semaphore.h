// A semaphore: signalled while its count is above zero, and each wait that it ends counts it down.
#pragma once

#include <optional>

#include "win32/waits/waitable.h"

namespace turnpike::win32 {

class Semaphore final : public Waitable {
 public:
  static constexpr Kind kKind = Kind::kSemaphore;

  // 0 ≤ initial ≤ maximum, 1 ≤ maximum.
  Semaphore(std::int32_t initial, std::int32_t maximum)
      : Waitable(kKind, initial > 0), count_(initial), maximum_(maximum) {}

  // Adds `count` > 0 and returns what the count was; nothing, and no change, where that would go beyond the maximum.
  std::optional<std::int32_t> give(std::int32_t count);

  std::uint32_t signal(Thread&) override;

 private:
  bool is_signalled_for(const Thread*) const override { return count_ > 0; }
  bool take(Thread&) override;

  std::int32_t count_;
  const std::int32_t maximum_;
};

}  // namespace turnpike::win32
