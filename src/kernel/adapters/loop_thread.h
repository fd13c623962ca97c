// LoopThread: a thread of an adapter or of their source. It calls one function over and over, which waits by
// itself for `wake` and for whatever else it waits for.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/descriptor.h"
#include "base/result.h"

namespace turnpike::kernel {

class LoopThread {
 public:
  LoopThread() = default;
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() { stop(); }

  // kExhausted: no thread, or no descriptor.
  Result<void> start(const char* name, std::function<void()> turn);  // `name`: 15 letters at most
  // When it returns, the function is not running and will not run.
  void stop() noexcept;

  // Has `waker` readable until the next `woken`. Any thread.
  void wake() noexcept;
  void woken() noexcept;
  [[nodiscard]] int waker() const { return waker_.number(); }
  // Of the thread itself: sleeps so long, or until `wake`.
  void nap(std::chrono::nanoseconds time) noexcept;

 private:
  Descriptor waker_;
  std::atomic<bool> stops_ = false;
  std::thread thread_;
};

}  // namespace turnpike::kernel
