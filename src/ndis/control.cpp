// What is to be done next for a protocol, and doing it: the one place that decides when a driver is asked to bind,
// pause, restart or unbind (the top of engine.h says who calls it).
//
// A step is chosen and marked as begun under the lock, and made without it. What ends it, the callback's return or a
// completion from any thread, marks what has come of it and pokes the protocol.
#include <algorithm>

#include "ndis/calling.h"

namespace turnpike::ndis {

const char* name_of(NetEvent event) {
  switch (event) {
    case NetEvent::kQueryRemove:
      return "query remove";
    case NetEvent::kCancelRemove:
      return "cancel remove";
    case NetEvent::kReconfigure:
      return "reconfigure";
    case NetEvent::kBindList:
      return "bind list";
    case NetEvent::kBindsComplete:
      return "binds complete";
    case NetEvent::kPause:
      return "pause";
    case NetEvent::kRestart:
      return "restart";
  }
  return "";
}

void Engine::poke(Protocol& protocol) {
  protocol.dirty = true;
  changed_.notify_all();
}

void Engine::poke_everybody() {
  for (const auto& protocol : protocols_) {
    protocol->dirty = true;
  }
  changed_.notify_all();
}

void Engine::run_control(const Shared<Protocol>& protocol) {
  const auto has_work = [&] { return protocol->begun && protocol->dirty && !protocol->working; };
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      const bool ends = protocol->leaving && !(protocol->handed_over && protocol->working);
      return protocol->gone || protocol->watched || ends || has_work();
    });
    if (protocol->gone) {
      return;
    }
    if (protocol->leaving && !protocol->handed_over) {  // somebody else does what is left: he may be kept waiting
      watch(*protocol, lock, "deregistration", [&] { return protocol->worked_off; });
      return;
    }
    if (protocol->watched && !protocol->leaving) {
      const auto over = [&] { return !protocol->watched || protocol->leaving || protocol->gone || has_work(); };
      watch(*protocol, lock, "unloading", over);
      if (protocol->leaving || protocol->gone || !has_work()) {
        continue;
      }
    }
    protocol->working = true;
    if (protocol->handed_over) {
      break;
    }
    protocol->dirty = false;
    if (const auto step = next_step(*protocol)) {
      lock.unlock();
      perform(*protocol, *step);
      lock.lock();
      protocol->dirty = true;
    }
    protocol->working = false;
    changed_.notify_all();
  }
  work_off(*protocol, lock);
  ended_threads_.push_back(std::move(protocol->control));
  lock.unlock();
  finish_deregistration(protocol);
}

// What has ended leaves; what was drained is paused.
void Engine::tidy(Protocol& protocol) {
  for (const auto& seat : protocol.seats) {
    std::erase_if(seat->bindings, [&](const Shared<Binding>& binding) {
      if (binding->now() == BindingState::kPausing && binding->pause_said && binding->drained()) {
        binding->pause_said = false;
        binding->pause_due = false;
        binding->restart_due = true;
        binding->state.store(BindingState::kPaused, std::memory_order_seq_cst);
      }
      if (!binding->close_done || binding->unbind != nullptr) {
        return false;
      }
      if (binding->release_op != nullptr) {
        binding->release_op->waiting -= 1;
        binding->release_op.reset();
        changed_.notify_all();
      }
      // Closed by the driver, of its own accord: not to be offered again until somebody asks for it.
      seat->let_go |= !binding->unbind_called && seat->bind == nullptr;
      return true;
    });
  }
  std::erase_if(protocol.seats, [](const auto& seat) {
    return !seat->nic->present && seat->bind == nullptr && seat->bindings.empty();
  });
}

std::optional<Engine::Step> Engine::next_step(Protocol& protocol) {
  tidy(protocol);
  for (const auto& seat : protocol.seats) {
    if (auto step = step_of(protocol, *seat)) {
      return step;
    }
  }
  return note_step(protocol);
}

std::optional<Engine::Step> Engine::step_of(Protocol& protocol, Seat& seat) {
  const bool wanted = wants(protocol, *seat.nic);
  if (protocol.leaving || !seat.nic->present || seat.nic->is_broken || seat.leaving || (seat.offered && !wanted)) {
    if (seat.bind != nullptr) {
      return std::nullopt;  // it is allowed to finish
    }
    for (auto at = seat.bindings.rbegin(); at != seat.bindings.rend(); ++at) {
      if (auto step = unbind_step(*at)) {
        if (step->unbind != nullptr && !seat.leaving) {
          seat.leaving = seat.again = true;  // to the end, also if the policy wants it again meanwhile: then anew
        }
        return step;
      }
    }
    if (!seat.bindings.empty() || protocol.leaving || !seat.nic->present || seat.nic->is_broken) {
      return std::nullopt;
    }
    seat.offered = seat.leaving && !seat.again;
    seat.let_go = seat.offered;
    seat.leaving = seat.again = false;
  }
  if (!seat.offered && !seat.let_go && seat.bind == nullptr && seat.bindings.empty() && wanted && listed_) {
    auto bind = make_shared<Bind>();
    bind->protocol = protocol.self;
    bind->nic = seat.nic;
    bind->offer.facts = seat.nic->facts;
    bind->offer.adapter_name = seat.nic->adapter_name;
    bind->since = clock_.now();
    const auto handle = handles_->add(*bind, OwnerId::kNobody);
    if (!handle) {
      return std::nullopt;
    }
    bind->self = bind;
    bind->offer.context = *handle;
    seat.bind = bind;
    seat.offered = true;
    return Step{.bind = std::move(bind)};
  }
  for (const auto& binding : seat.bindings) {
    if (auto step = running_step(seat, binding)) {
      return step;
    }
  }
  return std::nullopt;
}

std::optional<Engine::Step> Engine::unbind_step(const Shared<Binding>& binding) {
  const BindingState state = binding->now();
  if (state == BindingState::kRunning && binding->generation() == Generation::k6) {
    binding->state.store(BindingState::kPausing, std::memory_order_seq_cst);
    return event_step(*binding->protocol, binding, NetEvent::kPause);
  }
  if (binding->unbind_called || (state != BindingState::kRunning && state != BindingState::kPaused)) {
    return std::nullopt;
  }
  auto unbind = make_shared<Unbind>();
  const auto handle = handles_->add(*unbind, OwnerId::kNobody);
  if (!handle) {
    return std::nullopt;
  }
  unbind->binding = binding;
  unbind->self = unbind;
  unbind->handle = *handle;
  unbind->since = clock_.now();
  binding->unbind = unbind;
  binding->unbind_called = true;
  return Step{.unbind = std::move(unbind)};
}

std::optional<Engine::Step> Engine::running_step(const Seat& seat, const Shared<Binding>& binding) {
  const BindingState state = binding->now();
  if (binding->generation() == Generation::k6) {
    if (state == BindingState::kPaused && binding->restart_due && seat.bind == nullptr) {
      binding->restart_due = false;
      binding->state.store(BindingState::kRestarting, std::memory_order_seq_cst);
      return event_step(*binding->protocol, binding, NetEvent::kRestart);
    }
    if (state == BindingState::kRunning && binding->pause_due) {
      binding->state.store(BindingState::kPausing, std::memory_order_seq_cst);
      return event_step(*binding->protocol, binding, NetEvent::kPause);
    }
  }
  if (!binding->notes.empty() && !binding->event_out && state != BindingState::kOpening &&
      state < BindingState::kClosing) {
    const NetEvent event = binding->notes.front();
    binding->notes.pop_front();
    return event_step(*binding->protocol, binding, event);
  }
  return std::nullopt;
}

std::optional<Engine::Step> Engine::note_step(Protocol& protocol) {
  if (protocol.leaving || protocol.event_out) {
    return std::nullopt;
  }
  auto out = make_shared<EventOut>();
  if (!protocol.notes.empty()) {
    out->note = std::move(protocol.notes.front());
    protocol.notes.pop_front();
    if (out->note.event == NetEvent::kBindList) {
      out->note.order = bind_order(protocol);
    }
  } else if (protocol.binds_complete_due && listed_) {
    protocol.binds_complete_due = false;
    out->note.event = NetEvent::kBindsComplete;
  } else {
    return std::nullopt;
  }
  out->protocol = protocol.self;
  out->since = clock_.now();
  protocol.event_out = true;
  events_.push_back(out);
  return Step{.event = std::move(out)};
}

Engine::Step Engine::event_step(Protocol& protocol, const Shared<Binding>& binding, NetEvent event) {
  auto out = make_shared<EventOut>();
  out->protocol = protocol.self;
  out->binding = binding;
  out->note.event = event;
  out->note.facts = binding->nic->facts;
  out->since = clock_.now();
  if (event == NetEvent::kRestart) {
    out->note.attributes = std::exchange(binding->attributes_due, false);
  }
  binding->event_out = true;
  binding->hold(Held::kEvent);
  events_.push_back(out);
  return {.event = std::move(out)};
}

void Engine::perform(Protocol& protocol, const Step& step) {
  if (step.bind != nullptr) {
    do_bind(protocol, step.bind);
  } else if (step.unbind != nullptr) {
    do_unbind(protocol, step.unbind);
  } else {
    do_event(step.event);
  }
}

// --- bind
// ---------------------------------------------------------------------------------------------------------------

void Engine::do_bind(Protocol& protocol, const Shared<Bind>& bind) {
  verifier_.note(bind->offer.context, "bind callback for", bind->offer.facts.name);
  Status status{};
  {
    const CallbackScope inside(protocol, nullptr, Inside::kBind);
    const Calling calling(*this, protocol, "bind", bind->offer.facts.name);
    status = protocol.driver->bind(bind->offer);
  }
  bool completed_though_final = false;
  {
    const std::lock_guard lock(mutex_);
    if (status == Status::kPending) {
      if (!bind->completed) {
        bind->pended = true;
        return;
      }
      status = bind->completed_with;
    } else {
      completed_though_final = bind->completed;
    }
  }
  if (completed_though_final) {
    violation("NdisCompleteBindAdapter", "the bind callback did not return pending", bind->offer.context);
  }
  end_bind(bind, status);
}

void Engine::complete_bind(Handle handle, Status status) {
  const char* const function = "NdisCompleteBindAdapter";
  Shared<Bind> bind;
  bool twice = false, end = false;
  if (const Pin<Bind> pin = handles_->pin<Bind>(handle); pin) {
    const std::lock_guard lock(mutex_);
    bind = pin->self;
    twice = pin->completed;
    end = pin->pended && !twice;
    pin->completed = true;
    pin->completed_with = twice ? pin->completed_with : status == Status::kPending ? Status::kFailure : status;
  }
  if (bind == nullptr || twice) {
    violation(function, bind == nullptr ? "there is no such bind operation" : "completed twice", handle);
  } else if (end) {
    end_bind(bind, bind->completed_with);
  }
}

void Engine::end_bind(const Shared<Bind>& bind, Status status) {
  verifier_.note(bind->offer.context, status == Status::kSuccess ? "bound" : "bind failed");
  (void)handles_->remove<Bind>(bind->offer.context);
  std::vector<Shared<Binding>> left_open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& binding : bind->opened) {
      if (status == Status::kSuccess) {
        binding->restart_due = binding->generation() == Generation::k6;
      } else if (binding->now() == BindingState::kOpening) {
        binding->engine_closes = true;  // as soon as it is open
      } else if (binding->now() < BindingState::kClosing) {
        left_open.push_back(binding);
      }
    }
  }
  for (const auto& binding : left_open) {
    violation("ProtocolBindAdapter", "failed and left a binding open", binding->handle);
    {
      const std::lock_guard lock(mutex_);
      binding->engine_closes = true;
    }
    (void)close_of(binding);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& seat : bind->protocol->seats) {
    if (seat->bind == bind) {
      seat->bind.reset();
    }
  }
  bind->opened.clear();
  poke(*bind->protocol);
}

// --- unbind
// -------------------------------------------------------------------------------------------------------------

void Engine::do_unbind(Protocol& protocol, const Shared<Unbind>& unbind) {
  Binding& binding = *unbind->binding;
  verifier_.note(binding.handle, "unbind callback");
  if (verifier_.notes()) {
    verifier_.note(unbind->handle, "unbind callback for", facts_of(binding).name);
  }
  Status status{};
  {
    const CallbackScope inside(protocol, &binding, Inside::kUnbind);
    const Calling calling(*this, protocol, "unbind", facts_of(binding).name);
    status = protocol.driver->unbind(binding, unbind->handle);
  }
  bool completed = false;
  {
    const std::lock_guard lock(mutex_);
    completed = unbind->completed;
    unbind->returned = status == Status::kPending;
    if (unbind->returned && !completed) {
      return;
    }
  }
  if (status != Status::kPending && (completed || status != Status::kSuccess)) {
    violation("ProtocolUnbindAdapter",
              completed ? "completed, but did not return pending" : "an unbind cannot fail: taken as done",
              binding.handle);
  }
  end_unbind(unbind);
}

void Engine::complete_unbind(Handle handle) {
  const char* const function = "NdisCompleteUnbindAdapter";
  Shared<Unbind> unbind;
  bool twice = false, end = false;
  if (const Pin<Unbind> pin = handles_->pin<Unbind>(handle); pin) {
    const std::lock_guard lock(mutex_);
    unbind = pin->self;
    twice = pin->completed;
    pin->completed = true;
    end = pin->returned && !twice;
  }
  if (unbind == nullptr || twice) {
    violation(function, unbind == nullptr ? "there is no such unbind operation" : "completed twice", handle);
  } else if (end) {
    end_unbind(unbind);
  }
}

// The driver says that the binding is gone. If it is not, the engine sees to it, and the driver hears no more of it.
void Engine::end_unbind(const Shared<Unbind>& unbind) {
  const Shared<Binding> binding = unbind->binding;
  verifier_.note(unbind->handle, "unbound");
  (void)handles_->remove<Unbind>(unbind->handle);
  const BindingState state = binding->now();
  if (state < BindingState::kClosing) {
    violation("ProtocolUnbindAdapter", "returned without closing the binding", binding->handle);
    {
      const std::lock_guard lock(mutex_);
      binding->engine_closes = true;
    }
    (void)close_of(binding);
  } else if (state == BindingState::kClosing) {
    violation("ProtocolUnbindAdapter", "returned before the close was complete", binding->handle);
  }
  const std::lock_guard lock(mutex_);
  binding->unbind.reset();
  poke(*binding->protocol);
}

Status Engine::unbind_adapter(Handle handle) {
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  if (!binding) {
    violation("NdisUnbindAdapter", "the handle names no binding", handle);
    return Status::kAdapterNotOpen;
  }
  verifier_.note(handle, "unbind asked for");
  const std::lock_guard lock(mutex_);
  for (const auto& seat : binding->protocol->seats) {
    seat->leaving |= seat->nic == binding->nic;
  }
  poke(*binding->protocol);
  return Status::kSuccess;
}

// --- events
// -------------------------------------------------------------------------------------------------------------

void Engine::do_event(const Shared<EventOut>& out) {
  Binding* const binding = out->binding.get();
  if (binding != nullptr) {
    verifier_.note(binding->handle, name_of(out->note.event));
  }
  out->note.shown = &out->shown;
  if (out->note.attributes) {
    tell_what_can_be_asked(*binding, out->note);
  }
  Status status{};
  {
    const CallbackScope inside(*out->protocol, binding, Inside::kEvent);
    const Calling calling(*this, *out->protocol, name_of(out->note.event), out->note.facts.name);
    status = out->protocol->driver->net_event(binding, out->note);
  }
  {
    const std::lock_guard lock(mutex_);
    if (status == Status::kPending && !out->completed) {
      out->returned = true;
      return;
    }
    out->status = status == Status::kPending ? out->status : status;
  }
  end_event(out);
}

void Engine::complete_event(Handle handle, const void* shown, Status status) {
  Shared<EventOut> out;
  bool end = false;
  {
    const std::lock_guard lock(mutex_);
    const auto at = std::ranges::find_if(events_, [&](const auto& event) {
      return !event->completed && shown != nullptr && event->shown.load() == shown &&
             (event->binding != nullptr ? event->binding->handle : Handle::kNone) == handle;
    });
    if (at != events_.end()) {
      out = *at;
      out->completed = true;
      out->status = status == Status::kPending ? Status::kFailure : status;
      end = out->returned;
    }
  }
  if (out == nullptr) {
    violation("NdisCompletePnPEvent", "there is no such event", handle);
  } else if (end) {
    end_event(out);
  }
}

void Engine::end_event(const Shared<EventOut>& out) {
  const NetEvent event = out->note.event;
  const bool failed = out->status != Status::kSuccess;
  if (failed && event != NetEvent::kQueryRemove && event != NetEvent::kRestart) {
    violation("ProtocolPnPEvent", "failed an event that cannot be failed",
              out->binding != nullptr ? out->binding->handle : out->protocol->handle);
  }
  {
    const std::lock_guard lock(mutex_);
    events_.remove(out);
    if (out->binding == nullptr) {
      out->protocol->event_out = false;
    } else {
      Binding& binding = *out->binding;
      binding.event_out = false;
      if (event == NetEvent::kPause) {
        binding.pause_said = true;
      } else if (event == NetEvent::kRestart) {
        BindingState restarting = BindingState::kRestarting;
        binding.state.compare_exchange_strong(restarting, failed ? BindingState::kPaused : BindingState::kRunning);
      } else if (event == NetEvent::kQueryRemove && binding.release_op != nullptr) {
        binding.release_op->waiting -= 1;
        binding.release_op->refused |= failed;
        binding.release_op.reset();
      }
    }
    poke(*out->protocol);
  }
  if (out->binding != nullptr) {
    out->binding->release(Held::kEvent);
  }
}

// --- counts
// -------------------------------------------------------------------------------------------------------------

// The last thing let go of may be what kept the binding alive.
void Binding::release(Held kind, std::uint32_t n) noexcept {
  const Shared<Binding> keep = shared_from_this();
  counts[static_cast<std::size_t>(kind)].fetch_sub(n, std::memory_order_seq_cst);
  if (const BindingState is = now(); is == BindingState::kPausing || is == BindingState::kClosing) {
    engine.settled(*this);
  }
}

// Somebody let go of something on a binding that waits for that.
void Engine::settled(Binding& binding) noexcept {
  const BindingState state = binding.now();  // once: a pause may be over by now, and a close is not begun by that
  if (state == BindingState::kPausing && binding.drained()) {
    const std::lock_guard lock(mutex_);
    poke(*binding.protocol);
  } else if (state == BindingState::kClosing && binding.take_on_finishing()) {
    // Never here, whatever the knob says: this may be inside a callback of the very adapter that is to be closed.
    passive_.post([this, self = binding.shared_from_this()] { finish_close(self); });
  }
}

}  // namespace turnpike::ndis
