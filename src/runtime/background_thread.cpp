#include "runtime/background_thread.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "base/signals_blocked.h"

namespace turnpike::runtime {

std::unique_ptr<BackgroundThread> BackgroundThread::start() {
  std::unique_ptr<BackgroundThread> made(new BackgroundThread);  // allow naked-new: the constructor is private
  try {
    const SignalsBlocked blocked;
    made->thread_ = std::thread([its = made.get()] { its->run(); });
  } catch (const std::exception&) {
    return nullptr;
  }
  pthread_setname_np(made->thread_.native_handle(), "tp-forward-send");
  return made;
}

BackgroundThread::~BackgroundThread() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

kernel::Background::Ticket BackgroundThread::begin(std::function<void()> job) {
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    ticket = ++given_;
  }
  work_.notify_one();
  return ticket;
}

void BackgroundThread::await(Ticket ticket) {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return finished_ >= ticket; });
}

void BackgroundThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
    ++finished_;
    done_.notify_all();
  }
}

}  // namespace turnpike::runtime
