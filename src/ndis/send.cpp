// Frames that go out, in the order of the calls, one queue for each adapter (sections D.5, D.13).
//
// Usually the queue is empty: a call puts its elements in, gives them to the adapter in one flush, and takes them out
// again, done. Where the adapter has no room they stay; it says when there is some (Nic::room). Elements come back on
// the data thread, but for the one of a call that may answer at once.
//
// An adapter never shows us what we sent: frames that somebody of us is to see go round by themselves (loopback.cpp).
#include <algorithm>

#include "base/log.h"
#include "ndis/engine.h"

namespace turnpike::ndis {
namespace {

constexpr std::size_t kFramesAtOnce = 64;
constexpr int kNetworkIsDown = 100;  // ENETDOWN

Status aborted(const Binding& binding) {
  return binding.generation() == Generation::k5 ? Status::kRequestAborted : Status::kSendAborted;
}

Status disconnected(const Binding& binding) {
  return binding.generation() == Generation::k5 ? Status::kNoCable : Status::kMediaDisconnected;
}

Status status_of_send(const Binding& binding, const Error& error) {
  if (error.kind == ErrorKind::kKernel && error.system_code == kNetworkIsDown) {
    return disconnected(binding);
  }
  return error.kind == ErrorKind::kExhausted ? Status::kResources : Status::kFailure;
}

// What a call has done with its elements, in memory that the thread keeps: taken from it meanwhile, for a completion
// may send again.
class DoneList {
 public:
  DoneList() : list_(std::move(kept)) { list_.clear(); }
  ~DoneList() { kept = std::move(list_); }
  DoneList(const DoneList&) = delete;
  DoneList& operator=(const DoneList&) = delete;
  std::vector<Completed>& operator*() { return list_; }

 private:
  static thread_local std::vector<Completed> kept;
  std::vector<Completed> list_;
};
thread_local std::vector<Completed> DoneList::kept;

}  // namespace

// Why the binding may not send now; kSuccess: it may.
Status Engine::refusal(const Binding& binding) const {
  switch (binding.now()) {
    case BindingState::kRunning:
      break;
    case BindingState::kOpening:
      return Status::kAdapterNotReady;
    case BindingState::kClosing:
    case BindingState::kClosed:
      return binding.generation() == Generation::k5 ? Status::kClosing : Status::kSendAborted;
    default:
      return Status::kPaused;
  }
  if (binding.nic->removed.load(std::memory_order_relaxed)) {
    return aborted(binding);
  }
  if (binding.nic->resetting.load(std::memory_order_relaxed)) {
    return Status::kResetInProgress;
  }
  return binding.nic->connected.load(std::memory_order_relaxed) ? Status::kSuccess : disconnected(binding);
}

// Elements come back through the binding, so it must not end before they have. False: it is ending now.
bool Engine::hold_sends(Binding& binding, std::uint32_t n) {
  binding.hold(Held::kSend, n);
  if (!binding.finishing.load(std::memory_order_seq_cst)) {
    return true;
  }
  binding.release(Held::kSend, n);
  violation("NdisSend", "the binding is closed", binding.handle);
  return false;
}

bool Engine::send(Handle handle, std::span<const SendItem> items) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisSend", "the handle names no binding", handle);
    return false;
  }
  verifier_.note(handle, "send");
  if (!hold_sends(*binding, static_cast<std::uint32_t>(items.size()))) {
    return false;
  }
  DoneList done;
  transmit(*binding, items, *done);
  const bool haste = binding->haste.wanted(binding->held(Held::kSend));
  give_back(*done, haste ? Worker::When::kAtOnce : Worker::When::kSoon);
  return true;
}

Status Engine::send_one(Handle handle, const SendItem& item) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisSend", "the handle names no binding", handle);
    return Status::kAdapterNotOpen;
  }
  verifier_.note(handle, "send");
  if (!hold_sends(*binding, 1)) {
    return Status::kAdapterNotOpen;
  }
  DoneList list;
  std::vector<Completed>& done = *list;
  transmit(*binding, std::span(&item, 1), done);
  Status status = Status::kPending;
  const auto mine = std::ranges::find_if(done, [&](const Completed& completed) {
    return completed.binding == binding.get() && completed.element == item.element;
  });
  if (mine != done.end() && !force(pend::kSend)) {
    status = mine->status;
    done.erase(mine);
    binding->release(Held::kSend);
  }
  give_back(done);
  return status;
}

void Engine::transmit(Binding& binding, std::span<const SendItem> items, std::vector<Completed>& done) {
  Nic& nic = *binding.nic;
  const std::lock_guard sending(nic.tx_mutex);
  const Status refused = refusal(binding);  // under the lock: who ends a binding then takes back what is queued
  std::optional<Status> failing = knobs_.fail_now(Failing::kSend);
  for (const SendItem& item : items) {
    const Status status = failing ? *std::exchange(failing, {}) : refused != Status::kSuccess ? refused : item.preset;
    if (status != Status::kSuccess) {
      done.push_back({&binding, item.element, status});
    } else {
      nic.queue.push_back({&binding, item.element, item.cancel_id, item.flags, 0});
    }
  }
  push(nic, done);
}

// As much of the queue as the adapter takes. Under tx_mutex.
void Engine::push(Nic& nic, std::vector<Completed>& done) {
  while (!nic.queue.empty() && !nic.stalled && nic.adapter != nullptr) {
    nic.scratch.clear();
    std::array<std::size_t, kFramesAtOnce> ends{};
    std::size_t n = 0;
    while (n < std::min(nic.queue.size(), kFramesAtOnce) && nic.scratch.size() < kFramesAtOnce) {
      const Queued& item = nic.queue[n];
      if ((item.flags & send_flag::kLoopbackOnly) != 0 && n != 0) {
        break;  // by itself: nothing of it goes to the adapter
      }
      item.binding->protocol->driver->describe(*item.binding, item.element, nic.scratch);
      ends[n++] = nic.scratch.size();
      if ((item.flags & send_flag::kLoopbackOnly) != 0) {
        break;
      }
    }
    push_described(nic, std::span(ends).first(n), done);
  }
}

// Of the first elements of the queue, described in `scratch`: element i ends where ends[i] says.
void Engine::push_described(Nic& nic, std::span<const std::size_t> ends, std::vector<Completed>& done) {
  const std::span<const OutFrame> frames = nic.scratch.frames();
  std::size_t at = nic.queue.front().frames_gone;  // the next frame to go
  std::size_t element = 0, begin = 0;
  Shared<const FanOut> fan_out;  // asked for once, and only if some frame may be seen here
  const auto finish = [&](Status status) {
    const Queued& item = nic.queue.front();
    if (status == Status::kSuccess &&
        ((item.flags & send_flag::kLoopToSelf) != 0 || nic.shows_local.load(std::memory_order_relaxed))) {
      if (fan_out == nullptr) {
        fan_out = nic.fan_out();
      }
      loop_back(nic, *fan_out, item, frames.subspan(begin, ends[element] - begin));
    }
    done.push_back({item.binding, item.element, status});
    begin = ends[element++];
    at = std::max(at, begin);
    nic.queue.pop_front();
  };
  if ((nic.queue.front().flags & send_flag::kLoopbackOnly) != 0) {
    finish(Status::kSuccess);
    return;
  }
  while (element < ends.size()) {
    const SendAnswer answer = nic.adapter->send(frames.subspan(at));
    nic.counters.sent.fetch_add(answer.taken, std::memory_order_relaxed);
    at += answer.taken;
    while (element < ends.size() && at >= ends[element]) {
      finish(Status::kSuccess);
    }
    if (element == ends.size()) {
      return;
    }
    if (!answer.error || answer.error->kind == ErrorKind::kBusy) {
      nic.queue.front().frames_gone = at - begin;
      nic.stalled = true;
      return;
    }
    finish(status_of_send(*nic.queue.front().binding, *answer.error));
  }
}

void Nic::room() noexcept {
  DoneList done;
  {
    const std::lock_guard sending(tx_mutex);
    stalled = false;
    engine.push(*this, *done);
  }
  engine.give_back(*done);
}

// --- coming back
// --------------------------------------------------------------------------------------------------------

void Engine::give_back(std::span<const Completed> done, Worker::When when) {
  if (done.empty()) {
    return;
  }
  if (knobs_.inline_completion.load(std::memory_order_relaxed)) {
    return_elements(done);
  } else {
    data_.give_back(done, when);
  }
}

// In runs of one binding, which is let go of when the driver has heard.
void Engine::return_elements(std::span<const Completed> done) {
  while (!done.empty()) {
    Binding& binding = *done.front().binding;
    const auto end = std::ranges::find_if(done, [&](const Completed& other) { return other.binding != &binding; });
    const auto run = done.first(static_cast<std::size_t>(end - done.begin()));
    // Counted as a callback from now on: what the driver has heard of is outstanding no longer.
    binding.hold(Held::kCallback);
    binding.haste.come_back(binding.held(Held::kSend));
    binding.release(Held::kSend, static_cast<std::uint32_t>(run.size()));
    {
      const CallbackScope inside(*binding.protocol, &binding, Inside::kData);
      binding.protocol->driver->send_complete(binding, run);
    }
    binding.release(Held::kCallback);
    done = done.subspan(run.size());
  }
}

// Takes what `which` says out of the queue, to come back with that status, or, without one, as each generation calls an
// abort.
template <class Which>
std::vector<Completed> Engine::take_back(Nic& nic, Which&& which, const Status* status) {
  std::vector<Completed> done;
  const std::lock_guard sending(nic.tx_mutex);
  nic.queue.erase_if([&](const Queued& item) {
    if (!which(item)) {
      return false;
    }
    done.push_back({item.binding, item.element, status ? *status : aborted(*item.binding)});
    return true;
  });
  return done;
}

// Of one binding, or of all.
void Engine::abort_sends(Nic& nic, const Binding* binding) {
  give_back(take_back(nic, [&](const Queued& item) { return binding == nullptr || item.binding == binding; }, nullptr));
}

void Engine::cancel_sends(Handle handle, void* cancel_id) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisCancelSendPackets", "the handle names no binding", handle);
    return;
  }
  const auto is_meant = [&](const Queued& item) {
    return item.binding == binding.get() && item.cancel_id == cancel_id && item.frames_gone == 0;
  };
  give_back(take_back(*binding->nic, is_meant, nullptr));
}

// --- status and reset
// ---------------------------------------------------------------------------------------------------

void Engine::tell_all(Nic& nic, const StatusNote& note) {
  const Shared<const FanOut> fan_out = nic.fan_out();
  for (const Outlet& outlet : fan_out->outlets) {
    Binding& binding = *outlet.binding;
    binding.hold(Held::kCallback);
    if (binding.now() < BindingState::kClosing) {
      const CallbackScope inside(*binding.protocol, &binding, Inside::kData);
      binding.protocol->driver->status(binding, note);
    }
    binding.release(Held::kCallback);
  }
}

Status Engine::reset(Handle handle) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding || binding->generation() != Generation::k5) {
    violation("NdisReset", "the handle names no binding of NDIS 5", handle);
    return Status::kAdapterNotOpen;
  }
  verifier_.note(handle, "reset");
  binding->hold(Held::kReset);
  const BindingState state = binding->now();
  const Status refused = state == BindingState::kOpening          ? Status::kAdapterNotReady
                         : state >= BindingState::kClosing        ? Status::kClosing
                         : binding->nic->removed.load()           ? Status::kAdapterRemoved
                         : binding->nic->resetting.exchange(true) ? Status::kResetInProgress
                                                                  : Status::kPending;
  if (refused != Status::kPending) {
    binding->release(Held::kReset);
    return refused;
  }
  later([this, self = binding->shared_from_this()] { run_reset(self); });
  return Status::kPending;
}

void Engine::run_reset(const Shared<Binding>& binding) {
  Nic& nic = *binding->nic;
  tell_all(nic, {.code = Status::kResetStart});
  const Status in_progress = Status::kResetInProgress;
  return_elements(take_back(nic, [](const Queued&) { return true; }, &in_progress));
  complete_held([&](const HeldRequest& held) { return held.binding->nic.get() == &nic; }, Status::kResetInProgress);
  const std::optional<Status> failing = knobs_.fail_now(Failing::kReset);
  Status status = failing.value_or(Status::kFailure);
  {
    const std::lock_guard setup(nic.setup_mutex);
    if (nic.adapter != nullptr && !failing) {
      {
        const std::lock_guard sending(nic.tx_mutex);
        nic.stalled = false;
      }
      const Result<void> reset = nic.adapter->reset();
      status = reset                                           ? Status::kSuccess
               : reset.error().kind == ErrorKind::kUnsupported ? Status::kNotResettable
                                                               : Status::kFailure;
    }
  }
  nic.counters.resets += 1;
  nic.resetting.store(false);
  tell_all(nic, {.code = Status::kResetEnd});
  {
    const CallbackScope inside(*binding->protocol, binding.get(), Inside::kData);
    binding->protocol->driver->reset_complete(*binding, status);
  }
  binding->release(Held::kReset);
}

}  // namespace turnpike::ndis
