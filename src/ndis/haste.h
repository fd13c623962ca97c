// Haste: whether what a driver has sent is to come back to it at once, or may wait for a worker that rests (worker.h).
//
// What a driver still has to send is not known. But who waits for something to come back waits at the same height each
// time: with as many out as when something came back last. Who went on beyond that did not wait there. And who has a
// whole batch out does not run dry while the worker rests, and to wake the worker for each batch would cost it more.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnpike::ndis {

class Haste {
 public:
  static constexpr std::uint32_t kBatch = 64;

  // The driver has just sent, and so many are out.
  [[nodiscard]] bool wanted(std::uint32_t out) const {
    return out < kBatch && out >= height_.load(std::memory_order_relaxed);
  }
  // Some come back; so many were out.
  void come_back(std::uint32_t out) {
    const bool went_on = out > height_.load(std::memory_order_relaxed);
    height_.store(went_on ? 2 * out : out, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> height_ = 0;
};

}  // namespace turnpike::ndis
