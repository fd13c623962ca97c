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
    hurry_ = true;
  }
  work_.notify_one();
}

void Worker::give_back(std::span<const Completed> elements, When when) {
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    elements_.insert(elements_.end(), elements.begin(), elements.end());
    ++posted_;
    wakes = !hurry_ && (asleep_ || when == When::kAtOnce);
    hurry_ |= wakes;
  }
  if (wakes) {
    work_.notify_one();
  }
}

void Worker::drain() {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return;
  }
  std::unique_lock lock(mutex_);
  hurry_ |= finished_ != posted_;
  work_.notify_one();
  done_.wait(lock, [&] { return finished_ == posted_; });
}

void Worker::wait(std::unique_lock<std::mutex>& lock, bool may_rest) {
  if (may_rest) {
    work_.wait_for(lock, kRest, [&] { return ends_ || hurry_; });
  }
  asleep_ = true;
  hurry_ = false;  // drain() may have hurried what is done already, and nobody is woken twice
  work_.wait(lock, [&] { return ends_ || !jobs_.empty() || !elements_.empty(); });
  asleep_ = hurry_ = false;
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (bool may_rest = false;;) {
    wait(lock, may_rest);
    if (jobs_.empty() && elements_.empty()) {
      return;
    }
    const std::uint64_t reached = posted_;
    taken_jobs_.swap(jobs_);
    taken_.swap(elements_);
    may_rest = taken_.size() >= kRun;
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
