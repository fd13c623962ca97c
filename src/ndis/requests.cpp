// Requests: whether one may be made now, and when it is answered. What each object identifier means is oids.cpp.
//
// An answer never takes long, so it is given at once, on the caller's thread. Pending is what a test asks for with a
// knob; a request that pends so does not keep those behind it waiting. One with a timeout is aborted when that is over;
// there is a thread for that as soon as there is such a request.
#include <algorithm>

#include "ndis/engine.h"

namespace turnpike::ndis {

// Why no request may be made now; kSuccess: one may.
Status Engine::request_refusal(const Binding& binding) {
  const BindingState state = binding.now();
  return state == BindingState::kOpening   ? Status::kAdapterNotReady
         : state >= BindingState::kClosing ? Status::kClosing
         : binding.nic->removed.load()     ? Status::kAdapterRemoved
         : binding.nic->resetting.load()   ? Status::kResetInProgress
                                           : Status::kSuccess;
}

Status Engine::request(Handle handle, OidRequest& request, void* token, void* cancel_id) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisRequest", "the handle names no binding", handle);
    return Status::kAdapterNotOpen;
  }
  verifier_.note(handle, "request");
  if (is_pending(request)) {
    violation("NdisRequest", "the request is pending already", handle, request.shown);
    return Status::kFailure;
  }
  verifier_.note_element(request.shown, "asked through", static_cast<std::uint64_t>(handle));
  binding->hold(Held::kRequest);
  Status status = request_refusal(*binding);
  if (status == Status::kSuccess && force(pend::kRequest)) {
    status = hold_request(*binding, request, token, cancel_id);
  }
  if (status == Status::kPending) {
    if (!knobs_.hold_requests.load(std::memory_order_relaxed)) {
      later([this] { let_requests_go(); });
    }
    return Status::kPending;
  }
  if (status == Status::kSuccess) {
    status = answer(*binding, request);
  }
  binding->release(Held::kRequest);
  return status;
}

// Whether the driver has handed in the same structure before, and not heard of it since.
bool Engine::is_pending(const OidRequest& request) {
  const std::lock_guard lock(requests_mutex_);
  return request.shown != nullptr &&
         std::ranges::any_of(requests_, [&](const HeldRequest& held) { return held.request->shown == request.shown; });
}

Status Engine::hold_request(Binding& binding, OidRequest& request, void* token, void* cancel_id) {
  const std::lock_guard lock(requests_mutex_);
  const Status refused = request_refusal(binding);  // under the lock: who ends a binding then takes back what is held
  if (refused != Status::kSuccess) {
    return refused;
  }
  HeldRequest held{binding.shared_from_this(), &request, token, cancel_id, ++last_request_};
  if (request.timeout != Duration::zero()) {
    const auto armed = arm_timeout(held.number, request.timeout);
    if (!armed) {
      return Status::kResources;
    }
    held.timeout = *armed;
  }
  requests_.push_back(std::move(held));
  return Status::kPending;
}

Result<TimerId> Engine::arm_timeout(std::uint64_t number, Duration timeout) {
  constexpr std::uint32_t kMost = 1U << 16;
  if (timer_thread_ == nullptr) {
    auto timers = Timers::create(clock_.now(), kMost);
    if (!timers) {
      return Failure(timers.error());
    }
    auto thread = TimerThread::start(**timers, clock_, "tp-ndis-timers");
    if (!thread) {
      return Failure(thread.error());
    }
    timers_ = std::move(*timers);
    timer_thread_ = std::move(*thread);
  }
  return timers_->arm(turnpike::later(clock_.now(), timeout), [this, number] {
    complete_held([number](const HeldRequest& held) { return held.number == number; }, Status::kRequestAborted);
  });
}

// What is over by the clock has been aborted.
void Engine::settle_timeouts() {
  TimerThread* thread = nullptr;
  {
    const std::lock_guard lock(requests_mutex_);
    thread = timer_thread_.get();
  }
  if (thread != nullptr) {
    (void)thread->settle();
  }
}

void Engine::let_requests_go() {
  complete_held([](const HeldRequest&) { return true; }, std::nullopt);
}

void Engine::cancel_requests(Handle handle, void* cancel_id) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisCancelOidRequest", "the handle names no binding", handle);
    return;
  }
  complete_held(
      [&](const HeldRequest& held) { return held.binding.get() == binding.get() && held.cancel_id == cancel_id; },
      Status::kRequestAborted);
}

void Engine::complete_held(const std::function<bool(const HeldRequest&)>& which, std::optional<Status> status) {
  std::vector<std::uint64_t> chosen;
  {
    const std::lock_guard lock(requests_mutex_);
    for (HeldRequest& held : requests_) {
      if (!held.ending && which(held)) {
        held.ending = true;
        chosen.push_back(held.number);
        if (held.timeout != TimerId::kNone) {
          (void)timers_->cancel(held.timeout);
        }
      }
    }
  }
  for (const std::uint64_t number : chosen) {
    later([this, number, status] { end_request(number, status); });
  }
}

// It is no longer pending when the driver hears of it: it may ask with the same structure again.
void Engine::end_request(std::uint64_t number, std::optional<Status> status) {
  std::list<HeldRequest> ended;
  {
    const std::lock_guard lock(requests_mutex_);
    const auto at = std::ranges::find(requests_, number, &HeldRequest::number);
    ended.splice(ended.end(), requests_, at);
  }
  const HeldRequest& held = ended.front();
  Binding& binding = *held.binding;
  const Status final = status ? *status : answer(binding, *held.request);
  verifier_.note_element(held.request->shown, "completed with", static_cast<std::uint64_t>(final));
  binding.hold(Held::kCallback);  // as with sends: outstanding no longer
  binding.release(Held::kRequest);
  {
    const CallbackScope inside(*binding.protocol, &binding, Inside::kData);
    binding.protocol->driver->request_complete(binding, held.token, final);
  }
  binding.release(Held::kCallback);
}

}  // namespace turnpike::ndis
