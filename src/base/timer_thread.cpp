#include "base/timer_thread.h"

#include <pthread.h>

#include <csignal>
#include <string>
#include <system_error>

namespace turnpike {
namespace {

// A thread inherits the mask of the one that makes it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<std::unique_ptr<TimerThread>> TimerThread::start(Timers& timers, Clock& clock, const char* name) {
  if (name == nullptr) {
    return fail(ErrorKind::kInvalidArgument, "a thread without a name");
  }
  std::unique_ptr<TimerThread> made(new TimerThread(timers, clock));
  clock.observe(*made);
  try {
    const SignalsBlocked blocked;
    made->thread_ = std::thread([thread = made.get()] { thread->run(); });
  } catch (const std::system_error&) {
    clock.unobserve(*made);
    return fail(ErrorKind::kExhausted, "no more threads");
  }
  pthread_setname_np(made->thread_.native_handle(), std::string(name).substr(0, 15).c_str());
  return made;
}

TimerThread::~TimerThread() { static_cast<void>(stop()); }

Result<void> TimerThread::stop() {
  if (thread_.get_id() == std::this_thread::get_id()) {
    return fail(ErrorKind::kBusy, "a callback would wait for itself");
  }
  if (thread_.joinable()) {
    stopping_ = true;
    timers_.wake();
    thread_.join();
    clock_.unobserve(*this);
  }
  return {};
}

Result<void> TimerThread::settle() {
  return thread_.joinable() ? timers_.settle(clock_) : fail(ErrorKind::kBusy, "nobody drives the timers any more");
}

// In slices, so that a callback that keeps arming timers for the past cannot keep the thread from stopping.
void TimerThread::run() {
  constexpr std::size_t kSlice = 256;
  while (!stopping_) {
    static_cast<void>(timers_.advance(clock_.now(), kSlice));
    if (!stopping_) {
      timers_.sleep(clock_);
    }
  }
}

}  // namespace turnpike
