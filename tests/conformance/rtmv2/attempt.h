// Threads of a test: a signal that one raises and another waits for, and a call that may have to wait.
//
// That something waits cannot be seen, only that it has not ended; so each such test also checks, when the call does
// end, that what it had to wait for had happened by then. The patience below only decides how soon a library that does
// not wait is caught; it can fail no library that does.
#ifndef TURNPIKE_TESTS_CONFORMANCE_ATTEMPT_H
#define TURNPIKE_TESTS_CONFORMANCE_ATTEMPT_H

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace turnpike::conformance {

constexpr std::chrono::seconds kDeadline{60};       // for what must happen
constexpr std::chrono::milliseconds kPatience{30};  // for what must not

class Signal {
 public:
  void raise() {
    const std::scoped_lock guard(lock_);
    raised_ = true;
    changed_.notify_all();
  }
  /// Whether it was raised before the time was up.
  bool wait(std::chrono::milliseconds longest = kDeadline) {
    std::unique_lock guard(lock_);
    return changed_.wait_for(guard, longest, [this] { return raised_; });
  }
  bool raised() {
    const std::scoped_lock guard(lock_);
    return raised_;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  bool raised_ = false;
};

/// A call on a thread of its own.
class Attempt {
 public:
  explicit Attempt(std::function<void()> call)
      : thread_([this, call = std::move(call)] {
          call();
          ended_.raise();
        }) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { thread_.join(); }

  bool ends() { return ended_.wait(); }
  bool ends_at_once() { return ended_.wait(kPatience); }

 private:
  Signal ended_;
  std::thread thread_;
};

}  // namespace turnpike::conformance

#endif
