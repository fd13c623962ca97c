// Protocols come and go.
//
// ## Deregistration
//
// The heart of the contract (D.6, D.15). `leaving` is set first: from then on nothing new begins. Then the caller takes
// the control thread's place and works off what is left to do, on its own thread: binds that are pending end, bindings
// that they made are unbound like the others, one after the other; closes and unbinds that pend are waited for. What
// another thread had begun (a link that went) is waited for, too, and not done twice.
//
// Inside one of the protocol's own callbacks this would be a wait for oneself. There the control thread inherits the
// work, and the call returns: the handle is dead, the rest follows when the callback has returned.
#include <algorithm>

#include "base/log.h"
#include "ndis/calling.h"

namespace turnpike::ndis {

thread_local const CallbackScope* CallbackScope::innermost = nullptr;

Engine::Engine(AdapterSource& source, Clock& clock, EngineOptions options)
    : source_(source), clock_(clock), options_(options) {}

Result<void> Engine::start() {
  auto table = HandleTable::create();
  if (!table) {
    return Failure(table.error());
  }
  handles_ = std::move(*table);
  const auto let_go = [](auto& object) { auto last = std::move(object.self); };
  for (const Result<void>& registered :
       {handles_->register_kind<Protocol>(let_go), handles_->register_kind<Binding>(let_go),
        handles_->register_kind<Bind>(let_go), handles_->register_kind<Unbind>(let_go)}) {
    if (!registered) {
      return registered;
    }
  }
  if (auto begun = data_.start([this](std::span<const Completed> elements) { return_elements(elements); }); !begun) {
    return begun;
  }
  if (auto begun = passive_.start({}); !begun) {
    data_.stop();
    return begun;
  }
  started_ = true;
  auto listening = source_.start(*this);
  if (!listening) {
    passive_.stop();
    data_.stop();
    started_ = false;
  }
  return listening;
}

Engine::~Engine() {
  if (!started_) {
    return;
  }
  source_.stop();
  timer_thread_.reset();
  passive_.stop();
  data_.stop();
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_threads_);
  }
  for (std::thread& thread : ended) {
    thread.join();
  }
}

Status Engine::register_protocol(Registration registration, Handle& out) {
  if (const auto failing = knobs_.fail_now(Failing::kRegister)) {
    return *failing;
  }
  auto protocol = make_shared<Protocol>();
  protocol->driver = std::move(registration.driver);
  protocol->registration = std::move(registration);
  const std::string& name = protocol->registration.name;
  const std::lock_guard lock(mutex_);
  if (std::ranges::any_of(protocols_, [&](const auto& other) { return other->registration.name == name; })) {
    return Status::kFailure;
  }
  if (const auto at = open_anywhere_.find(name); at != open_anywhere_.end()) {
    protocol->registration.open_anywhere = at->second;
  }
  const auto own = policies_.find(name);
  protocol->policy = own != policies_.end() ? own->second : policies_[""];
  try {
    protocol->control = std::thread([this, protocol] { run_control(protocol); });
  } catch (const std::system_error&) {
    return Status::kResources;
  }
  protocol->self = protocol;
  const auto handle = handles_->add(*protocol, OwnerId::kNobody);
  if (!handle) {
    protocol->self.reset();
    protocol->gone = true;
    changed_.notify_all();
    ended_threads_.push_back(std::move(protocol->control));
    return Status::kResources;
  }
  protocol->handle = *handle;
  protocols_.push_back(protocol);
  out = *handle;
  verifier_.note(*handle, "registered as", name);
  return Status::kSuccess;
}

void Engine::begin(Handle handle) {
  const Pin<Protocol> protocol = handles_->pin<Protocol>(handle);
  if (!protocol) {
    return;
  }
  const std::lock_guard lock(mutex_);
  protocol->begun = true;
  protocol->binds_complete_due = true;
  add_seats(*protocol);
  poke(*protocol);
}

Status Engine::begin_with(Handle handle, const std::function<Status()>& options) {
  Shared<Protocol> protocol;
  if (const Pin<Protocol> pin = handles_->pin<Protocol>(handle); pin) {
    const std::lock_guard lock(mutex_);
    protocol = pin->self;
  }
  if (protocol == nullptr) {
    return Status::kFailure;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !protocol->working; });  // somebody else already takes it back
  if (protocol->leaving) {
    changed_.wait(lock, [&] { return protocol->gone; });
    return Status::kFailure;
  }
  protocol->working = true;  // who deregisters it meanwhile waits for this callback, too
  lock.unlock();
  Status status{};
  {
    const CallbackScope inside(*protocol, nullptr, Inside::kPassive);
    const Calling calling(*this, *protocol, "options", {});
    status = options();
  }
  lock.lock();
  protocol->working = false;
  changed_.notify_all();
  if (protocol->leaving) {
    changed_.wait(lock, [&] { return protocol->gone; });
    return status != Status::kSuccess ? status : Status::kFailure;
  }
  lock.unlock();
  if (status != Status::kSuccess) {
    (void)deregister(handle, protocol->registration.generation, "ProtocolSetOptions");
  } else {
    begin(handle);
  }
  return status;
}

bool Engine::deregister(Handle handle, Generation generation, const char* function) {
  Shared<Protocol> protocol;
  if (const Pin<Protocol> pin = handles_->pin<Protocol>(handle); pin) {
    const std::lock_guard lock(mutex_);
    protocol = pin->self;
  }
  if (protocol == nullptr || protocol->registration.generation != generation) {
    violation(function, "the handle names no protocol of this interface", handle);
    return false;
  }
  verifier_.note(handle, "deregister");
  const CallbackScope* const inside = CallbackScope::of(*protocol);
  std::unique_lock lock(mutex_);
  if (protocol->leaving) {
    lock.unlock();
    violation(function, "the protocol is being deregistered already", handle);
    lock.lock();
    if (inside == nullptr) {
      changed_.wait(lock, [&] { return protocol->gone; });
    }
    return true;
  }
  protocol->leaving = true;
  protocol->notes.clear();
  protocol->binds_complete_due = false;
  poke(*protocol);
  if (inside != nullptr) {
    protocol->handed_over = true;
    lock.unlock();
    if (generation == Generation::k6 || inside->kind() != Inside::kUnbind) {
      violation(function, "called from inside a callback of the protocol", handle);
    }
    return true;
  }
  watch(*protocol, lock, "deregistration", [&] { return !protocol->working; });
  protocol->working = true;
  work_off(*protocol, lock);
  protocol->worked_off = true;
  changed_.notify_all();
  lock.unlock();
  protocol->control.join();
  finish_deregistration(protocol);
  return true;
}

void Engine::evict(Handle handle, const char* function) {
  Generation generation{};
  {
    const Pin<Protocol> protocol = handles_->pin<Protocol>(handle);
    if (!protocol) {
      return;
    }
    generation = protocol->registration.generation;
  }
  (void)deregister(handle, generation, function);
}

// Makes the protocol's callbacks until nothing of it is left; under the lock but for those.
void Engine::work_off(Protocol& protocol, std::unique_lock<std::mutex>& lock) {
  for (;;) {
    protocol.dirty = false;
    if (const auto step = next_step(protocol)) {
      lock.unlock();
      perform(protocol, *step);
      lock.lock();
      protocol.dirty = true;
    } else if (is_empty(protocol)) {
      return;
    } else if (protocol.handed_over) {
      watch(protocol, lock, "deregistration", [&] { return protocol.dirty; });
    } else {
      changed_.wait(lock, [&] { return protocol.dirty; });  // the control thread watches, also while a callback runs
    }
  }
}

namespace {

// "31.2 s"
std::string text_of(Duration lasting) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(lasting).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

// Waits; every so often the log says who waits, since when, and for what.
void Engine::watch(const Protocol& protocol, std::unique_lock<std::mutex>& lock, const char* waiter,
                   const std::function<bool()>& done) {
  const MonotonicTime since = clock_.now();
  while (!changed_.wait_for(lock, options_.watchdog, done)) {
    complain(protocol, lock, waiter, since);
  }
}

// Not under the lock, which it gives up meanwhile.
void Engine::complain(const Protocol& protocol, std::unique_lock<std::mutex>& lock, const char* waiter,
                      MonotonicTime since) {
  const std::string what = outstanding(protocol), inside = callbacks_of(protocol);
  const std::string waited = text_of(clock_.now() - since);
  lock.unlock();
  constexpr LogLimit kAsOftenAsItComes{.lines = 0, .interval_ms = 0};  // the watchdog is the limit
  TURNPIKE_LOG_LIMITED(process_log(), kAsOftenAsItComes, LogLevel::kWarning, "ndis", "a driver keeps somebody waiting",
                       {"waiting", waiter}, {"protocol", std::string_view(protocol.registration.name)},
                       {"for", std::string_view(waited)}, {"callback", std::string_view(inside)},
                       {"outstanding", std::string_view(what)});
  lock.lock();
}

// "unbind of eth0 for 31.2 s": what the driver is inside of.
std::string Engine::callbacks_of(const Protocol& protocol) const {
  std::string text;
  for (const Callback& callback : protocol.callbacks) {
    text += (text.empty() ? "" : ", ") + std::string(callback.name) +
            (callback.adapter.empty() ? "" : " of " + callback.adapter) + " for " +
            text_of(clock_.now() - callback.since);
  }
  return text.empty() ? "none" : text;
}

void Engine::call_for_host(Handle handle, const char* name, const std::function<void(Driver&)>& callback) {
  Shared<Protocol> protocol;
  if (const Pin<Protocol> pin = handles_->pin<Protocol>(handle); pin) {
    const std::lock_guard lock(mutex_);
    protocol = pin->self;
    protocol->watched = true;
    changed_.notify_all();
  }
  if (protocol == nullptr) {
    return;
  }
  {
    const Calling calling(*this, *protocol, name, {});
    callback(*protocol->driver);
  }
  const std::lock_guard lock(mutex_);
  protocol->watched = false;
  changed_.notify_all();
}

bool Engine::is_empty(const Protocol& protocol) {
  return !protocol.event_out && std::ranges::all_of(protocol.seats, [](const auto& seat) {
    return seat->bind == nullptr && seat->bindings.empty();
  });
}

void Engine::finish_deregistration(const Shared<Protocol>& protocol) {
  (void)handles_->remove<Protocol>(protocol->handle);
  verifier_.note(protocol->handle, "deregistered");
  const std::lock_guard lock(mutex_);
  std::erase(protocols_, protocol);
  protocol->seats.clear();
  protocol->working = false;
  protocol->gone = true;
  changed_.notify_all();
}

std::string Engine::outstanding(const Protocol& protocol) const {
  static constexpr std::array<const char*, kHeldKinds> kNames{"sends",  "requests",        "transfers", "resets",
                                                              "events", "retained frames", "callbacks"};
  std::string text;
  const auto say = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  for (const auto& seat : protocol.seats) {
    if (seat->bind != nullptr) {
      say("bind of " + seat->nic->facts.name + " for " + text_of(clock_.now() - seat->bind->since));
    }
    for (const auto& binding : seat->bindings) {
      for (std::size_t kind = 0; kind < kHeldKinds; ++kind) {
        if (const std::uint32_t n = binding->held(Held(kind)); n != 0) {
          say(std::to_string(n) + " " + kNames[kind] + " on " + seat->nic->facts.name);
        }
      }
      if (binding->unbind != nullptr) {
        say("unbind of " + seat->nic->facts.name + " for " + text_of(clock_.now() - binding->unbind->since));
      } else if (binding->now() == BindingState::kOpening) {
        say("open of " + seat->nic->facts.name);
      }
    }
  }
  for (const auto& event : events_) {
    if (event->protocol.get() == &protocol) {
      say(std::string(name_of(event->note.event)) + " event for " + text_of(clock_.now() - event->since));
    }
  }
  return text;
}

bool Engine::reenumerate(Handle handle) {
  const Pin<Protocol> protocol = handles_->pin<Protocol>(handle);
  const char* const function = "NdisReEnumerateProtocolBindings";
  if (!protocol) {
    violation(function, "the handle names no protocol", handle);
    return false;
  }
  if (const CallbackScope* inside = CallbackScope::of(*protocol);
      inside != nullptr && (inside->kind() == Inside::kBind || inside->kind() == Inside::kUnbind ||
                            (inside->kind() == Inside::kEvent && inside->binding() != nullptr))) {
    violation(function, "called from a bind, unbind or PnP callback", handle);
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (protocol->leaving || !protocol->begun) {
    return false;
  }
  for (const auto& seat : protocol->seats) {
    if (seat->bindings.empty() && seat->bind == nullptr) {
      seat->offered = false;
      seat->let_go = false;
    }
  }
  poke(*protocol);
  return true;
}

void Engine::set_policy(const std::string& name, BindPolicy policy) {
  const std::lock_guard lock(mutex_);
  policies_[name] = policy;
  for (const auto& protocol : protocols_) {
    const std::string& own = protocol->registration.name;
    if (own != name && !(name.empty() && !policies_.contains(own))) {
      continue;
    }
    const bool new_order = protocol->policy.order != policy.order;
    protocol->policy = policy;
    if (protocol->begun && !protocol->leaving) {
      protocol->notes.push_back({.event = NetEvent::kReconfigure});
      if (new_order) {
        protocol->notes.push_back({.event = NetEvent::kBindList});
      }
      poke(*protocol);
    }
  }
}

void Engine::reconfigured() {
  const std::lock_guard lock(mutex_);
  for (const auto& protocol : protocols_) {
    if (protocol->begun && !protocol->leaving) {
      protocol->notes.push_back({.event = NetEvent::kReconfigure});
      poke(*protocol);
    }
  }
}

void Engine::allow_open_anywhere(const std::string& name, bool allow) {
  const std::lock_guard lock(mutex_);
  open_anywhere_[name] = allow;
  for (const auto& protocol : protocols_) {
    if (protocol->registration.name == name) {
      protocol->registration.open_anywhere = allow;
    }
  }
}

Handle Engine::protocol_named(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find_if(protocols_, [&](const auto& p) { return p->registration.name == name; });
  return at != protocols_.end() ? (*at)->handle : Handle::kNone;
}

Result<void> Engine::retire(Handle handle) {
  const Pin<Protocol> protocol = handles_->pin<Protocol>(handle);
  if (!protocol) {
    return fail(ErrorKind::kInvalidHandle, "the handle names no protocol");
  }
  if (CallbackScope::of(*protocol) != nullptr) {
    return fail(ErrorKind::kBusy, "called from inside a callback of the protocol");
  }
  std::unique_lock lock(mutex_);
  protocol->retired = true;
  for (const auto& seat : protocol->seats) {
    seat->leaving = true;
  }
  poke(*protocol);
  watch(*protocol, lock, "unloading", [&] { return protocol->gone || is_empty(*protocol); });
  return {};
}

std::vector<Handle> Engine::protocols_of(std::uint64_t owner) const {
  std::vector<Handle> handles;
  const std::lock_guard lock(mutex_);
  for (const auto& protocol : protocols_) {
    if (protocol->registration.owner == owner) {
      handles.push_back(protocol->handle);
    }
  }
  return handles;
}

std::optional<Generation> Engine::generation_of(Handle handle) const {
  if (const Pin<Protocol> protocol = handles_->pin<Protocol>(handle); protocol) {
    return protocol->registration.generation;
  }
  const Pin<Binding> binding = handles_->pin<Binding>(handle);
  return binding ? std::optional(binding->generation()) : std::nullopt;
}

EngineCounts Engine::counts() const {
  const Census census = handles_->census();
  EngineCounts counts{.protocols = census.of(HandleKind<Protocol>::tag),
                      .bindings = census.of(HandleKind<Binding>::tag),
                      .binds = census.of(HandleKind<Bind>::tag),
                      .unbinds = census.of(HandleKind<Unbind>::tag),
                      .open_adapters = open_adapters_.load(),
                      .violations = verifier_.count()};
  const std::lock_guard lock(mutex_);
  counts.adapters = nics_.size();
  for (const auto& protocol : protocols_) {
    for (const auto& seat : protocol->seats) {
      for (const auto& binding : seat->bindings) {
        counts.sends += binding->held(Held::kSend);
        counts.requests += binding->held(Held::kRequest);
        counts.retained += binding->held(Held::kRetained);
        counts.callbacks += binding->held(Held::kCallback);
      }
    }
  }
  return counts;
}

void Engine::quiesce() {
  // What the control threads do gives the workers work, and the other way round: until neither has.
  const auto quiet = [&] {
    return listed_ && std::ranges::none_of(protocols_, [](const auto& p) {
             return !p->leaving && p->begun && (p->dirty || p->working);
           });
  };
  for (bool again = true; again;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, quiet);
    }
    settle_timeouts();
    data_.drain();
    passive_.drain();
    const std::lock_guard lock(mutex_);
    again = !quiet();
  }
}

}  // namespace turnpike::ndis
