// Requests: whether one may be made now, and when it is answered. What each object identifier means is oids.cpp.
//
// An answer never takes long, so it is given at once, on the caller's thread. Pending is what a test asks for with a
// knob; a request that pends so does not keep those behind it waiting.
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
  binding->hold(Held::kRequest);
  Status status = request_refusal(*binding);
  if (status == Status::kSuccess && force(pend::kRequest)) {
    const std::lock_guard lock(requests_mutex_);
    status = request_refusal(*binding);  // under the lock: who ends a binding then takes back what is held
    if (status == Status::kSuccess) {
      requests_.push_back({binding->shared_from_this(), &request, token, cancel_id});
      status = Status::kPending;
    }
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
  std::vector<HeldRequest> chosen;
  {
    const std::lock_guard lock(requests_mutex_);
    std::erase_if(requests_, [&](const HeldRequest& held) {
      const bool meant = which(held);
      if (meant) {
        chosen.push_back(held);
      }
      return meant;
    });
  }
  for (const HeldRequest& held : chosen) {
    later([this, held, status] {
      Binding& binding = *held.binding;
      const Status final = status ? *status : answer(binding, *held.request);
      binding.hold(Held::kCallback);  // as with sends: outstanding no longer
      binding.release(Held::kRequest);
      {
        const CallbackScope inside(*binding.protocol, &binding, Inside::kData);
        binding.protocol->driver->request_complete(binding, held.token, final);
      }
      binding.release(Held::kCallback);
    });
  }
}

}  // namespace turnpike::ndis
