#include "rtm/region.h"

#include <algorithm>
#include <utility>

namespace turnpike::rtm {
namespace {

// Steps double up to a huge page: a table of ten routes stays small, one of a million makes few system calls.
constexpr std::size_t kFirstStep = 64UL << 10;
constexpr std::size_t kLastStep = 2UL << 20;

}  // namespace

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

bool Region::open_to(std::size_t size) noexcept {
  while (opened_ < size) {
    const std::size_t step = std::clamp(opened_, kFirstStep, kLastStep);
    if (size > size_ || !memory_.commit(skipped_ + opened_, step)) {
      return false;
    }
    if (step == kLastStep) {
      memory_.prefer_huge_pages(skipped_ + opened_, step);
    }
    opened_ += step;
  }
  return true;
}

}  // namespace turnpike::rtm
