// CallWatch: which functions of modules run now, on which threads, since when. It is how a module that hangs gets a
// name: a thread that looks (the daemon's watchdog, a status call) asks for what has run for too long, while the thread
// that called is stuck.
//
// A mark is a node on the caller's own stack, in a list under a mutex that is held for as long as it takes to link it.
// The innermost mark of a thread can be read without the mutex by that thread, in the middle of a crash.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace turnpike::router {

class CallWatch {
 public:
  explicit CallWatch(Clock& clock) : clock_(clock) {}
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  class [[nodiscard]] Mark {
   public:
    // Both outlive the mark.
    Mark(CallWatch& watch, const char* module, const char* function);
    ~Mark();
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;

    [[nodiscard]] const char* module() const { return module_; }
    [[nodiscard]] const char* function() const { return function_; }

   private:
    friend class CallWatch;
    CallWatch& watch_;
    const char* module_;
    const char* function_;
    MonotonicTime since_;
    Mark* outer_;  // of this thread
    Mark* next_ = nullptr;
    Mark* previous_ = nullptr;
  };

  struct Running {
    std::string module;
    std::string function;
    Duration lasts{};
  };
  // The calls that have lasted so long or longer.
  [[nodiscard]] std::vector<Running> running(Duration at_least) const;

  // Of the calling thread; null: it is in no module. Safe in a signal handler.
  [[nodiscard]] static const Mark* innermost();

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  Mark* first_ = nullptr;
};

}  // namespace turnpike::router
