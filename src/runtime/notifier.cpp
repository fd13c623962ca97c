#include "runtime/notifier.h"

#include <pthread.h>

#include <chrono>
#include <new>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/signals_blocked.h"

namespace turnpike::runtime {
namespace {

constexpr auto kIdleTime = std::chrono::seconds(5);

thread_local const Notifier* own_notifier = nullptr;

}  // namespace

Notifier::~Notifier() {
  stop();
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_waits_.notify_all();
  thread_ended_.wait(lock, [&] { return running_ == 0; });
  join_ended();
}

bool Notifier::is_own_thread() const { return own_notifier == this; }

std::size_t Notifier::threads() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool Notifier::submit(Work work) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    if (idle_ < waiting_.size() && !start_thread() && running_ == 0) {
      waiting_.pop_back();
      return false;
    }
    work_waits_.notify_one();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool Notifier::start_thread() noexcept {
  try {
    const SignalsBlocked blocked;
    join_ended();
    Worker& worker = workers_.emplace_back();
    try {
      worker.thread = std::thread([this, &worker] { run(worker); });
    } catch (...) {
      workers_.pop_back();
      throw;
    }
    ++running_;
    ++idle_;  // it will take the work that it was made for
    return true;
  } catch (const std::exception&) {
    TURNPIKE_LOG(LogLevel::kWarning, "runtime", "no further thread for clients' callbacks", {"threads", running_});
    return false;
  }
}

void Notifier::run(Worker& self) {
  pthread_setname_np(pthread_self(), "tp-notify");
  own_notifier = this;
  std::unique_lock lock(mutex_);
  while (true) {
    const bool has_work = work_waits_.wait_for(lock, kIdleTime, [&] { return !waiting_.empty() || stopping_; });
    if (waiting_.empty()) {
      if (stopping_ || (!has_work && running_ > 1)) {
        break;
      }
      continue;
    }
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    --idle_;
    if (idle_ < waiting_.size()) {
      start_thread();
    }
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
    ++idle_;
    quiet_.notify_all();
  }
  --idle_;
  --running_;
  self.has_ended = true;
  thread_ended_.notify_all();
  quiet_.notify_all();
}

bool Notifier::drain() {
  if (is_own_thread()) {
    return false;
  }
  std::unique_lock lock(mutex_);
  quiet_.wait(lock, [&] { return waiting_.empty() && idle_ == running_; });
  return true;
}

// They have left the lock for good, so joining them under it takes no time.
void Notifier::join_ended() {
  for (auto at = workers_.begin(); at != workers_.end();) {
    if (at->has_ended) {
      at->thread.join();
      at = workers_.erase(at);
    } else {
      ++at;
    }
  }
}

void Notifier::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_waits_.notify_all();
  const std::size_t own = is_own_thread() ? 1 : 0;
  if (!thread_ended_.wait_for(lock, patience_, [&] { return running_ <= own; })) {
    TURNPIKE_LOG(LogLevel::kError, "runtime", "a client does not return from its callback",
                 {"threads", running_ - own});
  }
  join_ended();
  stopping_ = false;  // a thread that is left ends when it has been idle, or with the next stop
}

}  // namespace turnpike::runtime
