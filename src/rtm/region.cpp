#include "rtm/region.h"

#include <algorithm>
#include <utility>

namespace turnpike::rtm {

Result<Region> Region::make(std::size_t size) {
  Region region;
  auto memory = Reservation::make(size + kLastStep);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  region.memory_ = std::move(*memory);
  const auto begin = reinterpret_cast<std::uintptr_t>(region.memory_.data());
  region.skipped_ = (kLastStep - begin % kLastStep) % kLastStep;
  region.size_ = size;
  return region;
}

Region& Region::operator=(Region&& other) noexcept {
  memory_ = std::move(other.memory_);
  skipped_ = other.skipped_;
  size_ = other.size_;
  opened_ = other.opened_.load();
  ready_ = other.ready_.load();
  tried_ = other.tried_.load();
  return *this;
}

bool Region::commit(std::size_t from, std::size_t step) noexcept {
  if (from >= size_ || !memory_.commit(skipped_ + from, step)) {
    return false;
  }
  if (step == kLastStep) {
    memory_.prefer_huge_pages(skipped_ + from, step);
  }
  return true;
}

bool Region::open_to(std::size_t size) noexcept {
  while (opened() < size) {
    const std::size_t step = std::clamp(opened(), kFirstStep, kLastStep);
    const bool is_ready = opened() + step <= ready_.load(std::memory_order_acquire);
    if (size > size_ || (!is_ready && !commit(opened(), step))) {
      return false;
    }
    opened_.store(opened() + step, std::memory_order_relaxed);
  }
  return true;
}

// Should its owner open the same step meanwhile, it is opened twice, which does no harm.
void Region::make_ready() noexcept {
  const std::size_t from = opened();
  std::size_t tried = tried_.load();
  if (tried > from || !tried_.compare_exchange_strong(tried, from + kLastStep)) {
    return;
  }
  if (commit(from, kLastStep)) {
    memory_.take_pages(skipped_ + from, kLastStep);
    ready_.store(from + kLastStep, std::memory_order_release);
  }
}

}  // namespace turnpike::rtm
