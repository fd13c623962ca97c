// Region: memory that grows and never moves. A run of addresses is reserved at once and opened step by step; from two
// megabytes on the kernel is asked for huge pages, because a table is read at random, and a miss of the translation
// buffer costs as much as one of the cache (in a virtual machine more).
//
// A huge page is zeroed when it is first written to, which takes a tenth of a millisecond, and five in a virtual
// machine whose host has yet to find the memory. A table writes under its lock. So a step is made ready ahead of its
// use, by a thread that has just let go of the lock: half of the last step is left when `is_low` asks for the next.
#pragma once

#include <atomic>
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
  Region(Region&& other) noexcept { *this = std::move(other); }
  Region& operator=(Region&& other) noexcept;

  // At the beginning of a huge page. What was never written is zero.
  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(memory_.data()) + skipped_; }
  [[nodiscard]] std::size_t opened() const { return opened_.load(std::memory_order_relaxed); }
  // Whether the first so many bytes can be used; opens them if not. False: no memory.
  [[nodiscard]] bool reach(std::size_t size) noexcept { return size <= opened() || open_to(size); }

  // Whether somebody should make the next step ready: so many bytes are in use.
  [[nodiscard]] bool is_low(std::size_t used) const {
    return opened() >= kLastStep && opened() - used < kLastStep / 2 &&
           tried_.load(std::memory_order_relaxed) <= opened();
  }
  // From any thread, at any time.
  void make_ready() noexcept;

 private:
  // Steps double up to a huge page: a table of ten routes stays small, one of a million makes few system calls.
  static constexpr std::size_t kFirstStep = 64UL << 10;
  static constexpr std::size_t kLastStep = 2UL << 20;

  bool open_to(std::size_t size) noexcept;
  bool commit(std::size_t from, std::size_t step) noexcept;

  Reservation memory_;
  std::size_t skipped_ = 0;  // bytes before the first huge page
  std::size_t size_ = 0;
  std::atomic<std::size_t> opened_{0};  // changes under its owner's lock
  std::atomic<std::size_t> ready_{0};   // the end of a step that need only be called open; no more than `opened_`: none
  std::atomic<std::size_t> tried_{0};   // the same of one that was, or is being, made ready
};

}  // namespace turnpike::rtm
