#include "kernel/adapters/background_closer.h"

#include <utility>

#include "base/signals_blocked.h"

namespace turnpike::kernel {

BackgroundCloser::~BackgroundCloser() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BackgroundCloser::later(std::function<void()> close) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(close);
    if (!thread_.joinable()) {
      const SignalsBlocked blocked;
      thread_ = std::thread([this] { run(); });
    }
  } catch (...) {
    // No memory, or no thread: the caller waits instead. What was queued is not closed twice.
    {
      const std::lock_guard lock(mutex_);
      if (!waiting_.empty() && !thread_.joinable()) waiting_.pop_back();
    }
    close();
    return;
  }
  changed_.notify_all();
}

void BackgroundCloser::drain() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void BackgroundCloser::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stops_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto now = std::exchange(waiting_, {});
    busy_ = true;
    lock.unlock();
    for (auto& close : now) close();
    now.clear();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace turnpike::kernel
