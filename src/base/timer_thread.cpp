#include "base/timer_thread.h"

#include <pthread.h>

#include <array>
#include <exception>
#include <string_view>

#include "base/signals_blocked.h"

namespace turnpike {

Result<std::unique_ptr<TimerThread>> TimerThread::start(Timers& timers, Clock& clock, const char* name) {
  if (name == nullptr) {
    return fail(ErrorKind::kInvalidArgument, "a thread without a name");
  }
  std::unique_ptr<TimerThread> made(new TimerThread(timers, clock));
  clock.observe(*made);
  try {
    const SignalsBlocked blocked;
    made->thread_ = std::thread([thread = made.get()] { thread->run(); });
  } catch (const std::exception&) {  // std::system_error or std::bad_alloc
    return fail(ErrorKind::kExhausted, "no more threads");
  }
  made->id_ = made->thread_.get_id();
  std::array<char, 16> shown{};
  std::string_view(name).copy(shown.data(), shown.size() - 1);
  pthread_setname_np(made->thread_.native_handle(), shown.data());
  return made;
}

TimerThread::~TimerThread() {
  static_cast<void>(stop());
  clock_.unobserve(*this);
}

Result<void> TimerThread::stop() {
  if (id_ == std::this_thread::get_id()) {
    return fail(ErrorKind::kBusy, "a callback would wait for itself");
  }
  stop_.request_stop();
  timers_.wake();
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) {
    thread_.join();
  }
  return {};
}

Result<void> TimerThread::settle() { return timers_.settle(clock_, stop_.get_token()); }

// In slices, so that a callback that keeps arming timers for the past cannot keep the thread from stopping.
void TimerThread::run() {
  constexpr std::size_t kSlice = 256;
  while (!stop_.stop_requested()) {
    static_cast<void>(timers_.advance(clock_.now(), kSlice));
    if (!stop_.stop_requested()) {
      timers_.sleep(clock_);
    }
  }
}

}  // namespace turnpike
