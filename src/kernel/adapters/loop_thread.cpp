#include "kernel/adapters/loop_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <system_error>

#include "base/signals_blocked.h"

namespace turnpike::kernel {

Result<void> LoopThread::start(const char* name, std::function<void()> turn) {
  if (!waker_.is_open()) waker_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!waker_.is_open()) return fail(ErrorKind::kExhausted, "no descriptor to wake a thread with");
  stops_ = false;
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this, name, turn = std::move(turn)] {
      ::pthread_setname_np(::pthread_self(), name);
      ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // a nap is as long as it says, and not 50 µs longer
      while (!stops_.load(std::memory_order_acquire)) turn();
    });
  } catch (const std::system_error&) {
    return fail(ErrorKind::kExhausted, "no thread for an adapter");
  }
  return {};
}

void LoopThread::stop() noexcept {
  if (!thread_.joinable()) return;
  stops_.store(true, std::memory_order_release);
  wake();
  thread_.join();
  woken();
}

void LoopThread::wake() noexcept { ::eventfd_write(waker_.number(), 1); }

void LoopThread::nap(std::chrono::nanoseconds time) noexcept {
  const timespec limit{0, time.count()};
  pollfd waker{waker_.number(), POLLIN, 0};
  if (::ppoll(&waker, 1, &limit, nullptr) > 0) woken();
}

void LoopThread::woken() noexcept {
  eventfd_t count = 0;
  ::eventfd_read(waker_.number(), &count);
}

}  // namespace turnpike::kernel
