// Slab: records of one kind and size, by index, that never move and whose memory stays theirs.
//
// Index 0 is nobody. A freed record waits in the table's Limbo until its readers have gone and then heads the list of
// free ones; the list is kept in the records themselves. Memory is a Region, so an index becomes an address by one
// multiplication, and a stale handle can always be looked at: it finds another generation there.
//
// Used under the table's lock, but for `at` and `limit`, which anybody may call at any time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "rtm/handle.h"
#include "rtm/region.h"

namespace turnpike::rtm {

class Slab {
 public:
  // `stride` is a multiple of 8; the first 8 bytes of a record are the owner's and survive its death (the
  // ReferenceWord), the next 4 hold the list of the free while it is dead.
  static Result<Slab> make(std::size_t stride, std::size_t capacity = std::size_t{kMaxIndex} + 1);

  Slab() = default;
  Slab(Slab&& other) noexcept { *this = std::move(other); }
  Slab& operator=(Slab&& other) noexcept;

  // The record of that index: what is there is zero where nobody ever lived. The index is below limit().
  [[nodiscard]] std::byte* at(std::uint32_t index) const { return base_ + std::size_t{index} * stride_; }
  [[nodiscard]] std::uint32_t limit() const { return limit_.load(std::memory_order_acquire); }

  // An index that is nobody's; 0 when there is no memory.
  [[nodiscard]] std::uint32_t take() noexcept;
  // A record has died: first it is counted out, then, when it can be used again, it is given back.
  void count_out() noexcept { --used_; }
  void give_back(std::uint32_t index) noexcept;

  // The memory, if it should be made ready for more. Its make_ready wants no lock.
  [[nodiscard]] Region* low() { return memory_.is_low(limit() * stride_) ? &memory_ : nullptr; }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t bytes() const { return memory_.opened(); }
  [[nodiscard]] std::size_t stride() const { return stride_; }

 private:
  std::uint32_t& next_free(std::uint32_t index) const;

  Region memory_;
  std::byte* base_ = nullptr;  // of memory_
  std::size_t stride_ = 0;
  std::size_t used_ = 0;
  std::atomic<std::uint32_t> limit_{1};
  std::uint32_t first_free_ = 0;
};

}  // namespace turnpike::rtm
