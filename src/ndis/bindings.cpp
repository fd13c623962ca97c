// Bindings are opened and closed.
#include <algorithm>

#include "base/log.h"
#include "ndis/calling.h"

namespace turnpike::ndis {
namespace {

Status status_of_open(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
      return Status::kAdapterNotFound;
    case ErrorKind::kExhausted:
      return Status::kResources;
    default:
      return Status::kOpenFailed;
  }
}

constexpr int kNotPermitted = 1;  // EPERM

// NDIS 5 knows no loopback medium: to its drivers that is Ethernet.
std::uint32_t medium_for(Generation generation, Medium medium) {
  return generation == Generation::k5 && medium == Medium::kLoopback ? 0 : static_cast<std::uint32_t>(medium);
}

}  // namespace

// --- opening
// ------------------------------------------------------------------------------------------------------------

// The bind operation within which a driver may open. NDIS 5 names none: any of the protocol's will do.
Shared<Bind> Engine::bind_for(const OpenRequest& request, const Protocol& protocol) const {
  for (const auto& seat : protocol.seats) {
    if (seat->bind != nullptr && !seat->bind->completed &&
        (request.bind == Handle::kNone ? protocol.registration.generation == Generation::k5
                                       : seat->bind->offer.context == request.bind)) {
      return seat->bind;
    }
  }
  return nullptr;
}

// Whether the open may be tried; then there is a binding that is opening. Under mutex_.
Status Engine::admit(const OpenRequest& request, const Shared<Protocol>& protocol, Shared<Binding>& made,
                     std::uint32_t& medium) {
  if (protocol->leaving) {
    return Status::kClosing;
  }
  const Shared<Bind> bind = bind_for(request, *protocol);
  const bool anywhere = protocol->registration.open_anywhere;
  if (bind == nullptr && !anywhere) {
    return Status::kOpenFailed;
  }
  const Shared<Nic> nic = nic_named(request.adapter_name, protocol->registration.generation);
  if (nic == nullptr) {
    return Status::kAdapterNotFound;
  }
  const std::uint32_t wanted = medium_for(protocol->registration.generation, nic->facts.medium);
  const auto found = std::ranges::find(request.media, wanted);
  if (found == request.media.end()) {
    return Status::kUnsupportedMedia;
  }
  medium = static_cast<std::uint32_t>(found - request.media.begin());
  const auto seat = std::ranges::find_if(protocol->seats, [&](const auto& s) { return s->nic == nic; });
  if (seat == protocol->seats.end() || nic->is_broken || (*seat)->leaving) {
    return Status::kClosing;
  }
  if (!anywhere && !(*seat)->bindings.empty()) {
    return Status::kOpenFailed;
  }
  auto binding = make_shared<Binding>(*this, protocol, nic);
  binding->context = request.context;
  binding->frame_types = request.frame_types;
  binding->wishes.lookahead = nic->facts.mtu;
  const auto handle = handles_->add(*binding, OwnerId::kNobody);
  if (!handle) {
    return Status::kResources;
  }
  binding->handle = *handle;
  binding->self = binding;
  binding->restart_due = bind == nullptr && protocol->registration.generation == Generation::k6;
  (*seat)->bindings.push_back(binding);
  if (bind != nullptr) {
    bind->opened.push_back(binding);
  }
  made = std::move(binding);
  return Status::kSuccess;
}

Status Engine::open(const OpenRequest& request, int& system_code) {
  system_code = 0;
  Shared<Binding> binding;
  std::uint32_t medium = 0;
  {
    const Pin<Protocol> pin = handles_->pin<Protocol>(request.protocol);
    if (!pin) {
      violation("NdisOpenAdapter", "the handle names no protocol", request.protocol);
      return Status::kFailure;
    }
    const std::lock_guard lock(mutex_);
    if (const Status refused = admit(request, pin->self, binding, medium); refused != Status::kSuccess) {
      return refused;
    }
  }
  if (force(pend::kOpen)) {
    OpenRequest kept = request;
    kept.media = {};
    passive([this, binding, medium, kept = std::move(kept)] {
      int code = 0;
      const Status opened = open_now(binding, kept, medium, code);
      binding->hold(Held::kCallback);  // the driver may complete its bind, and close, before it comes back
      {
        const CallbackScope inside(*binding->protocol, binding.get(), Inside::kPassive);
        const Calling calling(*this, *binding->protocol, "open complete", facts_of(*binding).name);
        binding->protocol->driver->open_complete(*binding, opened, code);
      }
      binding->release(Held::kCallback);
      if (opened != Status::kSuccess) {
        forget(binding);
        return;
      }
      bool given_up = false;
      {
        const std::lock_guard lock(mutex_);
        given_up = binding->engine_closes;
        poke(*binding->protocol);
      }
      if (given_up) {
        (void)close_of(binding);
      }
    });
    return Status::kPending;
  }
  const Status opened = open_now(binding, request, medium, system_code);
  if (opened != Status::kSuccess) {
    forget(binding);
  }
  return opened;
}

// The variables of the driver are written before the binding is of any use, so before anything is indicated.
Status Engine::open_now(const Shared<Binding>& binding, const OpenRequest& request, std::uint32_t medium,
                        int& system_code) {
  if (const auto failing = knobs_.fail_now(Failing::kOpen)) {
    return *failing;
  }
  binding->part = binding->protocol->driver->make_part(*binding);
  if (auto attached = attach(binding); !attached) {
    TURNPIKE_LOG(LogLevel::kWarning, "ndis", "an adapter cannot be opened",
                 {"adapter", std::string_view(binding->nic->adapter_name)}, {"reason", attached.error().what},
                 {"errno", attached.error().system_code});
    system_code = attached.error().kind == ErrorKind::kDenied ? kNotPermitted : attached.error().system_code;
    return status_of_open(attached.error());
  }
  request.store(binding->handle, medium);
  if (verifier_.notes()) {
    verifier_.note(binding->handle, "opened on", facts_of(*binding).name);
  }
  {
    const std::lock_guard lock(mutex_);
    binding->state.store(binding->generation() == Generation::k5 ? BindingState::kRunning : BindingState::kPaused,
                         std::memory_order_seq_cst);
    poke(*binding->protocol);
  }
  const std::lock_guard setup(binding->nic->setup_mutex);
  publish(*binding->nic);
  return Status::kSuccess;
}

// A binding that never came to be.
void Engine::forget(const Shared<Binding>& binding) {
  (void)handles_->remove<Binding>(binding->handle);
  const std::lock_guard lock(mutex_);
  binding->state.store(BindingState::kClosed, std::memory_order_seq_cst);
  binding->close_done = true;
  for (const auto& seat : binding->protocol->seats) {
    std::erase(seat->bindings, binding);
    if (seat->bind != nullptr) {
      std::erase(seat->bind->opened, binding);
    }
  }
  poke(*binding->protocol);
}

// --- closing
// ------------------------------------------------------------------------------------------------------------

// Where NDIS 6 allows a close: while the driver binds, or unbinds this binding.
bool Engine::may_close(const Binding& binding) const {
  const std::lock_guard lock(mutex_);
  return binding.unbind != nullptr || std::ranges::any_of(binding.protocol->seats, [&](const auto& seat) {
           return seat->nic == binding.nic && seat->bind != nullptr;
         });
}

Status Engine::close(Handle handle) {
  Shared<Binding> binding;
  if (const Pin<Binding> pin = handles_->pin<Binding>(handle); pin) {
    binding = pin->shared_from_this();
  }
  if (binding == nullptr) {
    violation("NdisCloseAdapter", "the handle names no binding", handle);
    return Status::kAdapterNotOpen;
  }
  if (binding->generation() == Generation::k6 &&
      (binding->held(Held::kSend) != 0 || binding->held(Held::kRequest) != 0 || binding->held(Held::kRetained) != 0)) {
    violation("NdisCloseAdapterEx", "sends, requests or received frames are outstanding", handle);
  }
  if (binding->generation() == Generation::k6 && !may_close(*binding)) {
    violation("NdisCloseAdapterEx", "called outside a bind or unbind operation", handle);
  }
  return close_of(binding);
}

// The callback that is counted here keeps the close from being finished before it has been begun.
Status Engine::close_of(const Shared<Binding>& binding) {
  binding->hold(Held::kCallback);
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    const BindingState state = binding->now();
    refused = state >= BindingState::kClosing || state == BindingState::kOpening;
    if (!refused) {
      binding->close_pends = true;
      binding->notes.clear();
      binding->state.store(BindingState::kClosing, std::memory_order_seq_cst);
    }
  }
  if (refused) {
    binding->release(Held::kCallback);
    violation("NdisCloseAdapter", "the binding is not open, or is being closed", binding->handle);
    return Status::kAdapterNotOpen;
  }
  verifier_.note(binding->handle, "close");
  begin_close(binding);
  binding->counts[static_cast<std::size_t>(Held::kCallback)].fetch_sub(1, std::memory_order_seq_cst);
  if (!binding->take_on_finishing()) {
    return Status::kPending;
  }
  if (force(pend::kClose)) {
    finish_later(binding);
    return Status::kPending;
  }
  {
    const std::lock_guard lock(mutex_);
    binding->close_pends = false;
  }
  finish_close(binding);
  return Status::kSuccess;
}

// No more frames; what waits is given back. Where the adapter has gone, a request says so, whoever is the first to end
// it.
void Engine::begin_close(const Shared<Binding>& binding) {
  {
    const std::lock_guard setup(binding->nic->setup_mutex);
    publish(*binding->nic);
  }
  abort_sends(*binding->nic, binding.get());
  complete_held([&](const HeldRequest& held) { return held.binding == binding; },
                binding->nic->removed.load() ? Status::kAdapterRemoved : Status::kRequestAborted);
}

void Engine::finish_later(Shared<Binding> binding) {
  passive([this, binding = std::move(binding)] { finish_close(binding); });
}

void Engine::finish_close(const Shared<Binding>& binding) {
  detach(*binding);
  (void)handles_->remove<Binding>(binding->handle);
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    binding->state.store(BindingState::kClosed, std::memory_order_seq_cst);
    tell = binding->close_pends && !binding->engine_closes;
  }
  if (tell) {
    const CallbackScope inside(*binding->protocol, binding.get(), Inside::kPassive);
    const Calling calling(*this, *binding->protocol, "close complete", facts_of(*binding).name);
    binding->protocol->driver->close_complete(*binding);
  }
  verifier_.note(binding->handle, "closed");
  const std::lock_guard lock(mutex_);
  binding->close_done = true;
  poke(*binding->protocol);
}

void Engine::passive(std::function<void()> job) {
  if (knobs_.inline_completion.load(std::memory_order_relaxed)) {
    job();
  } else {
    passive_.post(std::move(job));
  }
}

void Engine::later(std::function<void()> job) {
  if (knobs_.inline_completion.load(std::memory_order_relaxed)) {
    job();
  } else {
    data_.post(std::move(job));
  }
}

// --- names
// --------------------------------------------------------------------------------------------------------------

std::string Engine::instance_name(Handle handle) const {
  const std::lock_guard lock(mutex_);
  const Nic* nic = nullptr;
  if (const Pin<Binding> binding = handles_->pin<Binding>(handle); binding) {
    nic = binding->nic.get();
  } else if (const Pin<Bind> bind = handles_->pin<Bind>(handle); bind) {
    nic = bind->nic.get();
  }
  if (nic == nullptr) {
    return {};
  }
  return nic->facts.alias.empty() ? nic->facts.name : nic->facts.alias;
}

AdapterFacts Engine::facts_of(const Binding& binding) const {
  const std::lock_guard lock(mutex_);
  return binding.nic->facts;
}

Result<void> Engine::request_release(net::InterfaceIndex adapter) {
  auto release = make_shared<Release>();
  std::vector<Shared<Binding>> asked;
  std::unique_lock lock(mutex_);
  const auto at = nics_.find(adapter);
  if (at == nics_.end()) {
    return fail(ErrorKind::kNotFound, "there is no such adapter");
  }
  const Shared<Nic> nic = at->second;
  const auto each_seat = [&](auto&& visit) {
    for (const auto& protocol : protocols_) {
      for (const auto& seat : protocol->seats) {
        if (seat->nic == nic) {
          visit(*seat);
          poke(*protocol);
        }
      }
    }
  };
  each_seat([&](Seat& seat) {
    for (const auto& binding : seat.bindings) {
      if (binding->now() < BindingState::kClosing && binding->release_op == nullptr) {
        binding->release_op = release;
        binding->notes.push_back(NetEvent::kQueryRemove);
        release->waiting += 1;
        asked.push_back(binding);
      }
    }
  });
  const MonotonicTime since = clock_.now();
  while (!changed_.wait_for(lock, options_.watchdog, [&] { return release->waiting == 0; })) {
    const auto silent = std::ranges::find(asked, release, [](const auto& binding) { return binding->release_op; });
    if (silent != asked.end()) {
      complain(*(*silent)->protocol, lock, "release of an adapter", since);
    }
  }
  if (release->refused) {
    for (const auto& binding : asked) {
      binding->notes.push_back(NetEvent::kCancelRemove);
      poke(*binding->protocol);
    }
    return fail(ErrorKind::kBusy, "a driver keeps the adapter");
  }
  each_seat([](Seat& seat) { seat.leaving = true; });
  return {};
}

}  // namespace turnpike::ndis
