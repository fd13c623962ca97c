// Engine: NDIS and miniport to protocol drivers, over adapters that an AdapterSource brings. Pure: no socket, no kernel
// header; frames and events come in through port.h, callbacks go out through driver.h.
//
// ## How a binding comes and goes
//
// Nobody drives a binding step by step. What should be (this adapter is there, this protocol's policy wants it,
// somebody asked to unbind it, its MTU has changed) is written down in the seat of protocol and adapter; one function,
// next_step in control.cpp, looks at a protocol's seats and makes the one callback that brings what is nearer to what
// should be. The control thread of the protocol calls it until there is nothing to do; so does, on its own thread, who
// deregisters the protocol, after it has taken the control thread's place. So bind, unbind and PnP callbacks of one
// protocol never overlap, deregistration unbinds on the caller's thread, and a link that goes while the protocol leaves
// is unbound once: there is one place that could do it.
//
// A driver that answers "pending" ends the step; its completion marks the protocol dirty, and the next step goes on.
// Nothing waits for one driver but its own control thread.
//
// ## Threads
//
//   control    one for each protocol: bind, unbind, pause, restart, PnP
//   data       one: elements, requests and transfers that complete, status, reset, frames looped back
//   passive    one: open and close complete, which a driver may wait for inside its bind and unbind callbacks
//   receive    the adapters' own
//   callers    everything that the driver asks for. Completions never run on them, unless the knob says so
//
// ## Locks
//
// setup_mutex of an adapter (opening it, closing it, what it receives) before its tx_mutex before mutex_ (what should
// be, and what is) before a fan_out_mutex. No callback of a driver is made under any of them.
//
// ## Closing
//
// A close sets the state, takes the binding out of the fan-out and looks at its counts (objects.h). If something is
// still held, the one who lets go of the last thing hands the rest to the passive thread: the filter leaves the
// adapter's union, the handle dies, the completion is called. So a close never waits, and completes exactly once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/handle_table.h"
#include "base/timer_thread.h"
#include "ndis/driver.h"
#include "ndis/knobs.h"
#include "ndis/objects.h"
#include "ndis/verifier.h"
#include "ndis/worker.h"

namespace turnpike::ndis {

struct EngineOptions {
  Duration watchdog = std::chrono::seconds(30);  // how long a deregistration waits before it says what for; then again
};

struct OpenRequest {
  Handle protocol{};
  Handle bind{};            // BindContext; kNone in NDIS 5, which has none
  void* context = nullptr;  // ProtocolBindingContext
  std::string adapter_name;
  std::span<const std::uint32_t> media;
  std::vector<std::uint16_t> frame_types;
  // Called before the driver hears that the open has succeeded, with what its variables are to hold.
  std::function<void(Handle binding, std::uint32_t medium_index)> store;
};

struct SendItem {
  void* element = nullptr;
  void* cancel_id = nullptr;
  std::uint32_t flags = 0;           // send_flag::…
  Status preset = Status::kSuccess;  // anything else: it is not sent, and comes back with that
};
namespace send_flag {
inline constexpr std::uint32_t kLoopToSelf = 0x1;    // if the sender's own filter matches
inline constexpr std::uint32_t kLoopbackOnly = 0x2;  // do not send
}  // namespace send_flag

// NDIS_PROT_OPTION_…
namespace option {
inline constexpr std::uint32_t kEstimatedLength = 1;
inline constexpr std::uint32_t kNoLoopback = 2;
inline constexpr std::uint32_t kNoReserved = 4;
inline constexpr std::uint32_t kSendRestricted = 8;
inline constexpr std::uint32_t kAll = 15;
}  // namespace option

struct OidRequest {
  enum class Type : std::uint32_t { kQuery = 0, kSet = 1, kQueryStatistics = 2, kMethod = 12 };
  Type type = Type::kQuery;
  std::uint32_t oid = 0;
  void* buffer = nullptr;
  std::uint32_t length = 0;
  std::uint32_t done = 0;       // BytesWritten or BytesRead
  std::uint32_t needed = 0;     // BytesNeeded
  Duration timeout{};           // after which it is aborted, if it still pends; zero: never
  const void* shown = nullptr;  // the driver's own structure, which it may hand in only once at a time
};

// What is alive, and what has happened.
struct EngineCounts {
  std::uint64_t protocols = 0, bindings = 0, binds = 0, unbinds = 0, adapters = 0, open_adapters = 0;
  std::uint64_t sends = 0, requests = 0, retained = 0, callbacks = 0;  // outstanding
  std::uint64_t violations = 0;
};

// A binding, for who looks on.
struct BindingReport {
  std::string protocol{}, interface_name{};
  Generation generation = Generation::k6;
  net::InterfaceIndex adapter{};
  BindingState state{};
  std::uint32_t filter = 0;
  std::uint64_t sends = 0, requests = 0, retained = 0, callbacks = 0;  // outstanding
  // Frames of the adapter, for all that are bound to it, since it came.
  std::uint64_t received = 0, delivered = 0, sent = 0, lost = 0;
};

class Engine final : public AdapterListener {
 public:
  Engine(AdapterSource& source, Clock& clock, EngineOptions options = {});
  ~Engine();  // no protocol may be registered
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // kExhausted: no more threads; else what the source says.
  Result<void> start();

  // --- protocols (registration.cpp)
  // kFailure: the name is taken; kResources. Nothing is called before begin().
  Status register_protocol(Registration registration, Handle& out);
  void begin(Handle protocol);
  // `options` first, as a callback of the protocol. Its failure takes the protocol back, and is the answer; kFailure
  // where somebody has deregistered it meanwhile. It has gone then.
  Status begin_with(Handle protocol, const std::function<Status()>& options);
  // Everything of section D.6 and D.15. False: the handle names no protocol of that generation; nothing happens.
  bool deregister(Handle protocol, Generation generation, const char* function);
  // The same for a host, whichever generation the protocol is of.
  void evict(Handle protocol, const char* function);
  bool reenumerate(Handle protocol);
  // Of every protocol that has none of its own, or of the one with that name (upper case), also one that registers
  // later.
  void set_policy(const std::string& name, BindPolicy policy);
  void allow_open_anywhere(const std::string& name, bool allow);
  // A driver whose protocol has that name, by any case; kNone.
  Handle protocol_named(const std::string& name) const;
  // Unbinds the protocol from everything, offers it nothing any more, and returns when that is done. Not from inside
  // one of its callbacks: kBusy. kInvalidHandle.
  Result<void> retire(Handle protocol);
  std::vector<Handle> protocols_of(std::uint64_t owner) const;
  // A callback of the driver that a host makes, which may deregister the protocol. Where it takes long the log says so.
  // Nothing is called where there is no such protocol any more.
  void call_for_host(Handle protocol, const char* name, const std::function<void(Driver&)>& callback);
  // Tells every protocol NetEventReconfigure.
  void reconfigured();

  // --- bindings (bindings.cpp)
  // `system_code`: the errno behind a failure, else 0.
  Status open(const OpenRequest& request, int& system_code);
  Status close(Handle binding);
  Status unbind_adapter(Handle binding);
  void complete_bind(Handle bind, Status status);
  void complete_unbind(Handle unbind);
  void complete_event(Handle binding, const void* shown, Status status);
  // Asks every binding of the adapter (QueryRemoveDevice) and unbinds them all, or, where one refuses, tells those that
  // were asked (CancelRemoveDevice). kNotFound: no such adapter; kBusy: refused.
  Result<void> request_release(net::InterfaceIndex adapter);

  // --- data (send.cpp, receive.cpp)
  // Of a call that completes every element by callback. Elements of a dead handle cannot come back: false.
  bool send(Handle binding, std::span<const SendItem> items);
  // Of one that may answer at once: anything but kPending is final.
  Status send_one(Handle binding, const SendItem& item);
  void cancel_sends(Handle binding, void* cancel_id);
  void returned(Binding& binding, std::uint32_t n) { binding.release(Held::kRetained, n); }
  Status reset(Handle binding);

  // --- requests (requests.cpp, oids.cpp)
  // `token` names the request when it completes later. kPending: request_complete() will be called.
  Status request(Handle binding, OidRequest& request, void* token, void* cancel_id);
  void cancel_requests(Handle binding, void* cancel_id);
  // Those that the knob hold_requests kept are done now.
  void let_requests_go();

  // --- what faces need
  // Of a protocol or a binding.
  std::optional<Generation> generation_of(Handle protocol_or_binding) const;
  Pin<Binding> pin(Handle binding) { return handles_->pin<Binding>(binding); }
  // Names of the adapter of a binding or of a bind operation; empty where the handle is neither.
  std::string instance_name(Handle binding_or_bind) const;
  AdapterFacts facts_of(const Binding& binding) const;
  std::uint32_t longest_frame(const Binding& binding) const;
  Knobs& knobs() { return knobs_; }
  Verifier& verifier() { return verifier_; }
  void violation(const char* function, const char* what, Handle handle, const void* element = nullptr) {
    verifier_.report(function, what, handle, element);
  }
  // What comes back or is called later, on the data thread, or here where the knob says so.
  void later(std::function<void()> job);
  [[nodiscard]] bool force(std::uint32_t pend_bit) const {
    return (knobs_.force_pend.load(std::memory_order_relaxed) & pend_bit) != 0;
  }

  // --- for hosts and tests
  EngineCounts counts() const;
  std::vector<BindingReport> bindings() const;  // (state.cpp)
  // Waits until the source has said what there is, no control, data or passive callback is running, and none is due.
  // Not from inside a callback.
  void quiesce();
  std::optional<AdapterFacts> adapter_named(const std::string& name) const;

  // --- AdapterListener
  void adapter_event(const AdapterEvent& event) noexcept override;

 private:
  friend class turnpike::ndis::Binding;
  struct HeldRequest {
    Shared<Binding> binding;
    OidRequest* request;
    void* token;
    void* cancel_id;
    std::uint64_t number;              // which of all it is
    TimerId timeout = TimerId::kNone;  // if it has one
    bool ending = false;               // its completion is on its way
  };
  friend struct Nic;
  // What is to be done next: one of these.
  struct Step {
    Shared<Bind> bind{};
    Shared<Unbind> unbind{};
    Shared<EventOut> event{};
  };

  // adapters.cpp
  // Under mutex_; what they return is to be done without it.
  using After = std::vector<std::function<void()>>;
  void note_seen(const AdapterFacts& facts, After& after);
  void note_changed(const Shared<Nic>& nic, const AdapterFacts& before, After& after);
  void note_gone(const Shared<Nic>& nic, After& after);
  void broken(Nic& nic);
  void end_what_waits(Nic& nic);  // sends and requests, of an adapter that has gone; not under mutex_
  bool wants(const Protocol& protocol, const Nic& nic) const;
  Shared<Nic> nic_named(const std::string& name, Generation generation) const;
  void add_seats(Protocol& protocol);
  std::vector<std::string> bind_order(const Protocol& protocol) const;

  // filters.cpp
  Result<void> attach(const Shared<Binding>& binding);
  void detach(Binding& binding);
  Result<void> ask(Nic& nic);  // under setup_mutex
  void publish(Nic& nic);      // under setup_mutex
  template <class Change>
  Status change_wishes(Binding& binding, Change&& change);

  // control.cpp
  void run_control(const Shared<Protocol>& protocol);
  void work_off(Protocol& protocol, std::unique_lock<std::mutex>& lock);
  static bool is_empty(const Protocol& protocol);
  void watch(const Protocol& protocol, std::unique_lock<std::mutex>& lock, const char* waiter,
             const std::function<bool()>& done);
  void complain(const Protocol& protocol, std::unique_lock<std::mutex>& lock, const char* waiter, MonotonicTime since);
  std::optional<Step> next_step(Protocol& protocol);
  std::optional<Step> step_of(Protocol& protocol, Seat& seat);
  std::optional<Step> unbind_step(const Shared<Binding>& binding);
  std::optional<Step> running_step(const Seat& seat, const Shared<Binding>& binding);
  Step event_step(Protocol& protocol, const Shared<Binding>& binding, NetEvent event);
  std::optional<Step> note_step(Protocol& protocol);
  void tidy(Protocol& protocol);
  void perform(Protocol& protocol, const Step& step);
  void do_bind(Protocol& protocol, const Shared<Bind>& bind);
  void end_bind(const Shared<Bind>& bind, Status status);
  void do_unbind(Protocol& protocol, const Shared<Unbind>& unbind);
  void end_unbind(const Shared<Unbind>& unbind);
  void do_event(const Shared<EventOut>& event);
  void end_event(const Shared<EventOut>& event);
  void poke(Protocol& protocol);  // under mutex_
  void poke_everybody();          // under mutex_
  void settled(Binding& binding) noexcept;
  std::string outstanding(const Protocol& protocol) const;
  std::string callbacks_of(const Protocol& protocol) const;
  class Calling;
  void finish_deregistration(const Shared<Protocol>& protocol);

  // bindings.cpp
  Status open_now(const Shared<Binding>& binding, const OpenRequest& request, std::uint32_t medium, int& system_code);
  void forget(const Shared<Binding>& binding);
  Shared<Bind> bind_for(const OpenRequest& request, const Protocol& protocol) const;
  Status admit(const OpenRequest& request, const Shared<Protocol>& protocol, Shared<Binding>& made,
               std::uint32_t& medium);
  bool may_close(const Binding& binding) const;
  void begin_close(const Shared<Binding>& binding);
  Status close_of(const Shared<Binding>& binding);
  void finish_later(Shared<Binding> binding);
  void finish_close(const Shared<Binding>& binding);
  void passive(std::function<void()> job);

  // send.cpp
  Status refusal(const Binding& binding) const;
  bool hold_sends(Binding& binding, std::uint32_t n);
  void transmit(Binding& binding, std::span<const SendItem> items, std::vector<Completed>& done);
  void push(Nic& nic, std::vector<Completed>& done);
  void push_described(Nic& nic, std::span<const std::size_t> ends, std::vector<Completed>& done);
  void give_back(std::span<const Completed> done, Worker::When when = Worker::When::kAtOnce);
  void return_elements(std::span<const Completed> done);
  template <class Which>
  std::vector<Completed> take_back(Nic& nic, Which&& which, const Status* status);
  void abort_sends(Nic& nic, const Binding* binding);
  void run_reset(const Shared<Binding>& binding);
  void tell_all(Nic& nic, const StatusNote& note);

  // loopback.cpp
  void loop_back(Nic& nic, const FanOut& fan_out, const Queued& item, std::span<const OutFrame> frames);
  void show_looped(Nic& nic);

  // receive.cpp
  void deliver(Nic& nic, std::span<const InFrame> batch, const Binding* sender, bool to_self);
  void indicate(Binding& binding, std::span<const Indicated> frames);

  // requests.cpp
  static Status request_refusal(const Binding& binding);
  Status hold_request(Binding& binding, OidRequest& request, void* token, void* cancel_id);
  Result<TimerId> arm_timeout(std::uint64_t number, Duration timeout);
  bool is_pending(const OidRequest& request);
  void settle_timeouts();
  void end_request(std::uint64_t number, std::optional<Status> status);
  Status answer(Binding& binding, OidRequest& request);
  void tell_what_can_be_asked(Binding& binding, NetEventNote& note);
  void complete_held(const std::function<bool(const HeldRequest&)>& which, std::optional<Status> status);
  friend struct Asking;

  AdapterSource& source_;
  Clock& clock_;
  const EngineOptions options_;
  Knobs knobs_;
  Verifier verifier_{knobs_};
  std::unique_ptr<HandleTable> handles_;
  Worker data_, passive_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Shared<Protocol>> protocols_;
  std::map<net::InterfaceIndex, Shared<Nic>> nics_;
  std::map<std::string, BindPolicy> policies_;  // "" is the default
  std::map<std::string, bool> open_anywhere_;
  bool listed_ = false;  // the source has said at least once what there is
  bool started_ = false;
  std::list<Shared<EventOut>> events_;
  std::vector<std::thread> ended_threads_;  // of protocols that were finished by their control thread

  std::atomic<std::uint64_t> open_adapters_{0};

  std::mutex requests_mutex_;  // before that of the timers
  std::list<HeldRequest> requests_;
  std::uint64_t last_request_ = 0;
  std::unique_ptr<Timers> timers_;  // both made for the first request that has a timeout and pends
  std::unique_ptr<TimerThread> timer_thread_;
};

}  // namespace turnpike::ndis
