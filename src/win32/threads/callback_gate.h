// What stands between the shim and a client's callback: it counts those that run, and once it is closed lets none in,
// so that ending a registration can say, or wait until, it was the last.
#pragma once

#include <atomic>
#include <cstdint>

#include "win32/waits/event.h"

namespace turnpike::win32 {

class CallbackGate {
 public:
  // For the time of one callback. False: the gate is closed, and the callback must not be called.
  class Inside {
   public:
    explicit Inside(CallbackGate& gate);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class CallbackGate;
    CallbackGate* gate_;
    Inside* outer_ = nullptr;  // callbacks that this thread is in, innermost first
  };

  // Closes the gate, once. `when_left` is set when the last callback has left, now if none is inside.
  void close(Ref<Event> when_left);

  // Callbacks that have not left; those that the calling thread is in itself are not counted where it could only wait
  // for itself.
  std::uint32_t inside() const { return state_.load(std::memory_order_acquire) & ~kClosed; }
  void wait_until_left() const;

 private:
  static constexpr std::uint32_t kClosed = 1U << 31;

  std::uint32_t inside_on_this_thread() const;

  std::atomic<std::uint32_t> state_{0};
  Ref<Event> when_left_;
};

// How a client wants a registration ended: the last argument of UnregisterWaitEx, DeleteTimerQueueTimer,
// DeleteTimerQueueEx.
class Ending {
 public:
  // Null: do not wait. INVALID_HANDLE_VALUE: wait. An event: set it. Anything else is not valid.
  explicit Ending(void* completion_event);

  bool is_valid() const { return valid_; }

  // Closes the gate in that way. Returns what the function returns: TRUE when nothing runs any more, else FALSE with
  // ERROR_IO_PENDING, which is not a failure.
  int finish(CallbackGate& gate);

 private:
  bool valid_ = true;
  bool wait_ = false;
  Ref<Event> event_;
};

}  // namespace turnpike::win32
