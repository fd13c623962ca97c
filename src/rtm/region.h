// Region: memory that grows and never moves. A run of addresses is reserved at once and opened step by step; from two
// megabytes on the kernel is asked for huge pages, because a table is read at random, and a miss of the translation
// buffer costs as much as one of the cache (in a virtual machine more).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/reservation.h"
#include "base/result.h"

namespace turnpike::rtm {

class Region {
 public:
  Region() = default;
  // Address space for so many bytes. kExhausted: there is none left.
  static Result<Region> make(std::size_t size);

  // At the beginning of a huge page. What was never written is zero.
  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(memory_.data()) + skipped_; }
  [[nodiscard]] std::size_t opened() const { return opened_; }
  // Whether the first so many bytes can be used; opens them if not. False: no memory.
  [[nodiscard]] bool reach(std::size_t size) noexcept { return size <= opened_ || open_to(size); }

 private:
  bool open_to(std::size_t size) noexcept;

  Reservation memory_;
  std::size_t skipped_ = 0;  // bytes before the first huge page
  std::size_t size_ = 0;
  std::size_t opened_ = 0;
};

}  // namespace turnpike::rtm
