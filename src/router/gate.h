// Gate: how many threads are inside something that is to go away. It lets in until it is closed; what is behind it may
// go once it is closed and empty. Nobody waits here: whoever wants it to go looks again.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnpike::router {

class Gate {
 public:
  [[nodiscard]] bool enter() {
    std::uint32_t now = state_.load(std::memory_order_relaxed);
    do {
      if ((now & kClosed) != 0) return false;
    } while (!state_.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed));
    return true;
  }
  void leave() { state_.fetch_sub(1, std::memory_order_release); }

  void close() { state_.fetch_or(kClosed, std::memory_order_acq_rel); }
  void open() { state_.fetch_and(~kClosed, std::memory_order_acq_rel); }
  [[nodiscard]] bool is_empty() const { return (state_.load(std::memory_order_acquire) & ~kClosed) == 0; }

 private:
  static constexpr std::uint32_t kClosed = 0x80000000U;

  std::atomic<std::uint32_t> state_{kClosed};
};

// Inside, for a scope; false where the gate is closed.
class [[nodiscard]] Inside {
 public:
  explicit Inside(Gate& gate) : gate_(gate.enter() ? &gate : nullptr) {}
  ~Inside() {
    if (gate_ != nullptr) gate_->leave();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  explicit operator bool() const { return gate_ != nullptr; }

 private:
  Gate* gate_;
};

}  // namespace turnpike::router
