// A callback that ends its own registration, and asks to wait for all callbacks, would wait for itself, as it does on
// Windows. Here a thread does not wait for the callbacks that it is in: it waits for the others, and is told
// ERROR_IO_PENDING, which is the truth.
#include "win32/threads/callback_gate.h"

#include <minwinbase.h>

#include "win32/last_error.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

constinit thread_local CallbackGate::Inside* innermost = nullptr;

}  // namespace

CallbackGate::Inside::Inside(CallbackGate& gate) : gate_(&gate) {
  std::uint32_t state = gate.state_.load(std::memory_order_relaxed);
  do {
    if ((state & kClosed) != 0) {
      gate_ = nullptr;
      return;
    }
  } while (!gate.state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
  outer_ = innermost;
  innermost = this;
}

CallbackGate::Inside::~Inside() {
  if (gate_ == nullptr) {
    return;
  }
  innermost = outer_;
  const std::uint32_t before = gate_->state_.fetch_sub(1, std::memory_order_acq_rel);
  if ((before & kClosed) == 0) {
    return;
  }
  futex_wake_all(gate_->state_);
  if (before == kClosed + 1 && gate_->when_left_) {
    gate_->when_left_->set();
  }
}

void CallbackGate::close(Ref<Event> when_left) {
  when_left_ = std::move(when_left);
  if (state_.fetch_or(kClosed, std::memory_order_acq_rel) == 0 && when_left_) {
    when_left_->set();
  }
}

std::uint32_t CallbackGate::inside_on_this_thread() const {
  std::uint32_t count = 0;
  for (const Inside* frame = innermost; frame != nullptr; frame = frame->outer_) {
    count += frame->gate_ == this ? 1 : 0;
  }
  return count;
}

void CallbackGate::wait_until_left() const {
  const std::uint32_t mine = inside_on_this_thread();
  std::uint32_t state = state_.load(std::memory_order_acquire);
  while ((state & ~kClosed) > mine) {
    futex_wait(state_, state);
    state = state_.load(std::memory_order_acquire);
  }
}

Ending::Ending(void* completion_event) {
  if (completion_event == INVALID_HANDLE_VALUE) {
    wait_ = true;
  } else if (completion_event != nullptr) {
    const Held<Event> event = pin<Event>(completion_event);
    valid_ = static_cast<bool>(event);
    event_ = Ref<Event>(event.get());
  }
}

int Ending::finish(CallbackGate& gate) {
  gate.close(std::move(event_));
  if (wait_) {
    gate.wait_until_left();
  }
  return gate.inside() == 0 ? TRUE : fail_with(ERROR_IO_PENDING, FALSE);
}

}  // namespace turnpike::win32
