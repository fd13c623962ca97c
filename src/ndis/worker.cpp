#include "ndis/worker.h"

#include <system_error>

#include "base/signals_blocked.h"

namespace turnpike::ndis {

Result<void> Worker::start(Returns returns) {
  returns_ = std::move(returns);
  ends_ = false;
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return fail(ErrorKind::kExhausted, "no more threads");
  }
  return {};
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Worker::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    ++posted_;
  }
  work_.notify_one();
}

void Worker::give_back(std::span<const Completed> elements) {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = elements_.empty();
    elements_.insert(elements_.end(), elements.begin(), elements.end());
    ++posted_;
  }
  if (idle) {
    work_.notify_one();
  }
}

void Worker::drain() {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return;
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return finished_ == posted_; });
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return ends_ || !jobs_.empty() || !elements_.empty(); });
    if (jobs_.empty() && elements_.empty()) {
      return;
    }
    const std::uint64_t reached = posted_;
    taken_jobs_.swap(jobs_);
    taken_.swap(elements_);
    lock.unlock();
    if (!taken_.empty()) {
      returns_(taken_);
      taken_.clear();
    }
    for (const std::function<void()>& job : taken_jobs_) {
      job();
    }
    taken_jobs_.clear();
    lock.lock();
    finished_ = reached;
    done_.notify_all();
  }
}

}  // namespace turnpike::ndis
