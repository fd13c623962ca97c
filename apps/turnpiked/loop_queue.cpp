#include "loop_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace turnpike::daemon {

LoopQueue::LoopQueue() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

std::optional<Value> LoopQueue::ask(std::function<Value()> work, std::chrono::milliseconds within) {
  Task task(std::move(work));
  std::future<Value> result = task.get_future();
  {
    const std::lock_guard guard(mutex_);
    if (!is_open_) return std::nullopt;
    tasks_.push_back(std::move(task));
  }
  wake();
  if (result.wait_for(within) != std::future_status::ready) return std::nullopt;
  try {
    return result.get();
  } catch (const std::future_error&) {
    return std::nullopt;  // dropped by `close`
  }
}

void LoopQueue::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.number(), &one, sizeof one) == sizeof one);  // full is awake already
}

std::deque<LoopQueue::Task> LoopQueue::take() {
  const std::lock_guard guard(mutex_);
  return std::exchange(tasks_, {});
}

void LoopQueue::run() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_.number(), &count, sizeof count) == sizeof count);
  for (Task& task : take()) task();
}

void LoopQueue::close() {
  {
    const std::lock_guard guard(mutex_);
    is_open_ = false;
  }
  take();
}

}  // namespace turnpike::daemon
