// Work that other threads have for the loop: what touches the router is done there, and whoever asked waits for it, but
// not for ever.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>

#include "base/descriptor.h"
#include "base/value.h"

namespace turnpike::daemon {

class LoopQueue {
 public:
  LoopQueue();

  // Has the loop do it; nothing: it did not within that time (a module may hang), or the loop has ended. The work may
  // still run later, so it holds what it needs by value.
  std::optional<Value> ask(std::function<Value()> work, std::chrono::milliseconds within);
  // Makes the loop turn once more; from any thread.
  void wake();

  // --- of the loop ---
  [[nodiscard]] int descriptor() const { return wake_.number(); }
  void run();
  // From now on nothing is taken; who waits is told.
  void close();

 private:
  using Task = std::packaged_task<Value()>;
  std::deque<Task> take();

  Descriptor wake_;
  std::mutex mutex_;
  std::deque<Task> tasks_;
  bool is_open_ = true;
};

}  // namespace turnpike::daemon
