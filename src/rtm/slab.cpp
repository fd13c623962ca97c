#include "rtm/slab.h"

#include <utility>

namespace turnpike::rtm {
Result<Slab> Slab::make(std::size_t stride, std::size_t capacity) {
  Slab slab;
  auto memory = Region::make(stride * capacity);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  slab.memory_ = std::move(*memory);
  slab.base_ = slab.memory_.data();
  slab.stride_ = stride;
  return slab;
}

Slab& Slab::operator=(Slab&& other) noexcept {
  memory_ = std::move(other.memory_);
  base_ = std::exchange(other.base_, nullptr);
  stride_ = other.stride_;
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
  if (!memory_.reach((std::size_t{index} + 1) * stride_)) {
    return 0;
  }
  ++used_;
  limit_.store(index + 1, std::memory_order_release);
  return index;
}

void Slab::give_back(std::uint32_t index) noexcept { next_free(index) = std::exchange(first_free_, index); }

}  // namespace turnpike::rtm
