#include "rtm/slab.h"

#include <utility>

namespace turnpike::rtm {
namespace {

// Memory is opened in steps that double up to a huge page: a table of ten routes stays small, one of a million makes
// few system calls.
constexpr std::size_t kFirstStep = 64UL << 10;
constexpr std::size_t kLastStep = 2UL << 20;

}  // namespace

Result<Slab> Slab::make(std::size_t stride, std::size_t capacity) {
  Slab slab;
  auto memory = Reservation::make(stride * capacity + kLastStep);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  slab.memory_ = std::move(*memory);
  const auto begin = reinterpret_cast<std::uintptr_t>(slab.memory_.data());
  slab.skipped_ = (kLastStep - begin % kLastStep) % kLastStep;
  slab.size_ = stride * capacity;
  slab.base_ = static_cast<std::byte*>(slab.memory_.data()) + slab.skipped_;
  slab.stride_ = stride;
  return slab;
}

Slab& Slab::operator=(Slab&& other) noexcept {
  memory_ = std::move(other.memory_);
  base_ = std::exchange(other.base_, nullptr);
  stride_ = other.stride_;
  skipped_ = other.skipped_;
  size_ = other.size_;
  opened_ = std::exchange(other.opened_, 0);
  used_ = std::exchange(other.used_, 0);
  limit_.store(other.limit_.exchange(1));
  first_free_ = std::exchange(other.first_free_, 0);
  return *this;
}

std::uint32_t& Slab::next_free(std::uint32_t index) const {
  return *reinterpret_cast<std::uint32_t*>(at(index) + sizeof(std::uint64_t));
}

std::uint32_t Slab::take() noexcept {
  if (first_free_ != 0) {
    ++used_;
    return std::exchange(first_free_, next_free(first_free_));
  }
  const std::uint32_t index = limit_.load(std::memory_order_relaxed);
  if ((std::size_t{index} + 1) * stride_ > opened_ && !open_more()) {
    return 0;
  }
  ++used_;
  limit_.store(index + 1, std::memory_order_release);
  return index;
}

void Slab::give_back(std::uint32_t index) noexcept { next_free(index) = std::exchange(first_free_, index); }

bool Slab::open_more() noexcept {
  const std::size_t left = size_ - std::min(size_, opened_);
  const std::size_t step = std::clamp(opened_, kFirstStep, kLastStep);
  if (left == 0 || !memory_.commit(skipped_ + opened_, step)) {
    return false;
  }
  if (step == kLastStep) {
    memory_.prefer_huge_pages(skipped_ + opened_, step);
  }
  opened_ += step;
  return true;
}

}  // namespace turnpike::rtm
