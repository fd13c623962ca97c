// The table's lock: a mutex that knows whether somebody waits, so that a long piece of work done in steps can let
// others in.
//
// A plain mutex does not do: who unlocks and locks again at once wins against a thread that has yet to be woken, so
// others would wait for the whole work, however short its steps are.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

namespace turnpike::rtm {

class TableMutex {
 public:
  void lock() {
    if (!mutex_.try_lock()) {
      arrivals_.fetch_add(1, std::memory_order_relaxed);
      mutex_.lock();
      admitted_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

  // To be called without it, between two steps: returns when those who wait now have had it, or soon after in any case.
  void let_others_in() {
    const std::uint64_t target = arrivals_.load(std::memory_order_relaxed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (admitted_.load(std::memory_order_relaxed) < target && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
  }

 private:
  std::mutex mutex_;
  std::atomic<std::uint64_t> arrivals_{0};
  std::atomic<std::uint64_t> admitted_{0};
};

}  // namespace turnpike::rtm
