// What there is: protocols, their bindings, the adapters, and where the two meet.
//
//   Protocol ──< Seat >── Nic          a seat: what one protocol has to do with one adapter
//                 │
//                 ├── Bind   (at most one: ProtocolBindAdapter is not over yet)
//                 └─< Binding (opened by the driver; one, or several where it may open anywhere)
//
// ## Who owns, who reads
//
// Seats, states and whatever else says what is to happen next are under Engine::mutex_; nothing blocks under it and
// nothing calls out. Counts and `state` of a binding are atomic, for frames that come and go meanwhile: who wants to
// use a binding raises a count, then looks at the state; who ends it sets the state, then looks at the counts. So one
// of the two sees the other.
//
// Bindings, protocols and adapters are shared: a fan-out that a receive still walks, a queue and the handle table
// hold them at the same time, and the last one to let go is any of them.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ndis/driver.h"
#include "ndis/fifo.h"
#include "ndis/haste.h"

namespace turnpike::ndis {

// Several own an object at the same time, and the last one to let go is any of them (the top of this file).
template <class T>
using Shared = std::shared_ptr<T>;  // allow shared-owner: see above
using std::make_shared;             // allow shared-owner: the same

class Engine;
struct Nic;
struct Protocol;
struct Release;
struct Seat;
struct Unbind;

// What a binding can be waiting for.
enum class Held : std::uint8_t { kSend, kRequest, kTransfer, kReset, kEvent, kRetained, kCallback };
inline constexpr std::size_t kHeldKinds = 7;

enum class BindingState : std::uint8_t {
  kOpening,
  kPaused,
  kRestarting,
  kRunning,  // of NDIS 5, which knows no pause: open
  kPausing,
  kClosing,
  kClosed,
};

// A multicast address that a binding asked for, and how often.
struct Group {
  net::MacAddress address;
  std::uint32_t times = 1;
};

// What a binding has set by requests: under its adapter's setup_mutex.
struct Wishes {
  std::uint32_t filter = 0;
  std::vector<Group> groups;  // ascending
  std::uint32_t lookahead = 0;
  std::uint32_t options = 0;  // NDIS_PROT_OPTION_…
};

class Binding : public std::enable_shared_from_this<Binding> {
 public:
  Binding(Engine& its_engine, Shared<Protocol> its_protocol, Shared<Nic> its_nic)
      : engine(its_engine), protocol(std::move(its_protocol)), nic(std::move(its_nic)) {}

  // One more thing that the binding has to wait for; or not, where it neither receives nor sends any more.
  void hold(Held kind, std::uint32_t n = 1) noexcept {
    counts[static_cast<std::size_t>(kind)].fetch_add(n, std::memory_order_seq_cst);
  }
  void release(Held kind, std::uint32_t n = 1) noexcept;
  [[nodiscard]] std::uint32_t held(Held kind) const noexcept {
    return counts[static_cast<std::size_t>(kind)].load(std::memory_order_seq_cst);
  }
  // Nothing is outstanding but requests, which a paused binding may make: what a pause waits for.
  [[nodiscard]] bool drained() const noexcept;
  // Nothing is outstanding: what a close waits for.
  [[nodiscard]] bool idle() const noexcept { return drained() && held(Held::kRequest) == 0; }
  // Whether the caller is to finish the close: nothing is outstanding, and it is the first to see that. Who has begun
  // to send meanwhile has raised a count before it looked at `finishing`, so one of the two sees the other.
  [[nodiscard]] bool take_on_finishing() noexcept {
    while (idle() && !finishing.exchange(true, std::memory_order_seq_cst)) {
      if (idle()) {
        return true;
      }
      finishing.store(false, std::memory_order_seq_cst);
    }
    return false;
  }
  [[nodiscard]] BindingState now() const noexcept { return state.load(std::memory_order_seq_cst); }
  [[nodiscard]] Generation generation() const noexcept;

  Engine& engine;
  const Shared<Protocol> protocol;
  const Shared<Nic> nic;
  Handle handle{};
  void* context = nullptr;  // ProtocolBindingContext
  std::unique_ptr<Part> part;
  std::vector<std::uint16_t> frame_types;
  Wishes wishes;

  std::atomic<BindingState> state{BindingState::kOpening};
  std::array<std::atomic<std::uint32_t>, kHeldKinds> counts{};
  std::atomic<bool> finishing{false};  // somebody has taken on to finish the close: who holds something now is too late
  Haste haste;                         // of what it sends to come back

  // Under Engine::mutex_.
  bool close_pends = false;  // ProtocolCloseAdapterComplete will be called
  bool restart_due = false;
  bool pause_due = false;
  bool pause_said = false;  // the driver has agreed to pause
  bool attributes_due = false;
  bool event_out = false;      // an event that the driver has not finished with
  bool engine_closes = false;  // the driver has not, so we do
  Shared<Unbind> unbind;       // while the driver is to unbind
  bool unbind_called = false;
  bool close_done = false;     // and the driver has been told so
  std::deque<NetEvent> notes;  // to be told
  Shared<Release> release_op;  // that it has a say in

  Shared<Binding> self;  // what the handle table holds
};

// A host wants an adapter to be released: who is still to be asked.
struct Release {
  std::uint32_t waiting = 0;
  bool refused = false;
};

// An event that a driver has been told, until it is over.
struct EventOut {
  Shared<Protocol> protocol;
  Shared<Binding> binding;  // null: of all
  NetEventNote note;
  std::atomic<const void*> shown{nullptr};
  bool returned = false;   // the callback has, with kPending
  bool completed = false;  // complete_event() was called
  Status status{};
  MonotonicTime since{};
};

// A callback that a driver may take its time in, while it runs.
struct Callback {
  const char* name = "";
  std::string adapter{};  // empty: of all
  MonotonicTime since{};
};

// A bind operation.
struct Bind {
  Shared<Protocol> protocol;
  Offer offer;
  Shared<Nic> nic;
  std::thread::id thread;  // of the callback, while it runs
  bool pended = false;     // the callback has returned kPending
  bool completed = false;  // before it returned
  Status completed_with{};
  MonotonicTime since{};
  std::vector<Shared<Binding>> opened;
  Shared<Bind> self;
};

// What an UnbindContext names.
struct Unbind {
  Shared<Binding> binding;
  Handle handle{};
  bool returned = false;   // the callback has, with kPending
  bool completed = false;  // complete_unbind() was called
  MonotonicTime since{};
  Shared<Unbind> self;
};

struct Seat {
  Shared<Nic> nic;
  bool offered = false;  // ProtocolBindAdapter was called in this life of the adapter
  bool leaving = false;  // unbind what there is
  bool again = false;    // and then offer it anew
  bool let_go = false;   // unbound by request: not to be offered until re-enumeration
  Shared<Bind> bind;
  std::vector<Shared<Binding>> bindings;
};

struct BindPolicy {
  enum class Mode : std::uint8_t { kAllEthernet, kNone, kList };
  Mode mode = Mode::kAllEthernet;
  std::vector<std::string> globs;    // of names, of kinds ("kind:veth"), or permanent addresses
  std::vector<std::string> exclude;  // globs
  std::vector<std::string> order;    // globs: what comes first in kBindList
  bool when_up = false;
};

struct Registration {
  std::string name;  // upper-cased
  Generation generation = Generation::k6;
  std::uint16_t version = 0x0600;  // major, minor
  bool takes_mac_changes = false;  // by pause and restart
  bool open_anywhere = false;
  std::uint64_t owner = 0;  // what a host loaded, whose protocol it is; 0: the program's own
  std::unique_ptr<Driver> driver;
};

struct Protocol {
  Registration registration;
  Handle handle{};
  std::unique_ptr<Driver> driver;

  // Under Engine::mutex_.
  std::vector<std::unique_ptr<Seat>> seats;
  BindPolicy policy;
  std::deque<NetEventNote> notes;  // for all bindings
  bool begun = false;              // callbacks may be made
  bool leaving = false;            // deregistration has begun
  bool retired = false;            // the host takes it away: nothing is offered any more
  bool gone = false;
  bool working = false;      // somebody makes this protocol's control callbacks
  bool handed_over = false;  // deregistration is finished by the control thread
  bool worked_off = false;   // nothing of it is left but what the handle names
  bool binds_complete_due = false;
  bool dirty = false;
  bool event_out = false;         // a note for all that the driver has pended
  bool watched = false;           // a host is inside one of its callbacks: the control thread looks after it
  std::list<Callback> callbacks;  // that run, but for those of data
  std::thread control;
  Shared<Protocol> self;
};

// How one binding receives: what a frame is tested against. Immutable.
struct Outlet {
  Shared<Binding> binding;
  std::uint32_t filter = 0;
  std::uint32_t options = 0;
  std::vector<net::MacAddress> groups{};  // ascending
  std::vector<std::uint16_t> frame_types{};
};

struct FanOut {
  bool filtered = true;  // the medium has a filter
  net::MacAddress mac;
  std::size_t header = 14;
  std::size_t longest = 1514;
  bool v6_local = false;  // an NDIS 6 binding sees local sends
  bool local = false;     // any binding may
  std::vector<Outlet> outlets;
};

// A send that waits for room.
struct Queued {
  Binding* binding = nullptr;  // its count of sends keeps it alive
  void* element = nullptr;
  void* cancel_id = nullptr;
  std::uint32_t flags = 0;
  std::size_t frames_gone = 0;  // of several
};

struct NicCounters {
  std::atomic<std::uint64_t> received{0};   // frames that came from the adapter
  std::atomic<std::uint64_t> delivered{0};  // to bindings
  std::atomic<std::uint64_t> oversized{0};
  std::atomic<std::uint64_t> loopback_waits{0};  // bytes
  std::atomic<std::uint64_t> loopback_lost{0};   // frames
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> resets{0};
  std::atomic<std::uint64_t> media_changes{0};
};

// Frames that go round: one behind the other in `bytes`.
struct LoopedFrame {
  std::size_t at = 0, length = 0;
  VlanTag vlan;
  const Binding* sender = nullptr;
  bool to_self = false;
};
struct LoopQueue {
  std::vector<std::byte> bytes;
  std::vector<LoopedFrame> frames;
};

// An adapter as the engine knows it.
struct Nic final : FrameSink, std::enable_shared_from_this<Nic> {
  Nic(Engine& engine, AdapterFacts facts);
  void received(std::span<const InFrame> batch) noexcept override;
  void room() noexcept override;
  void broken(const Error& why) noexcept override;

  Shared<const FanOut> fan_out() const {
    const std::lock_guard lock(fan_out_mutex);
    return current_fan_out;
  }

  Engine& engine;
  std::string adapter_name;  // constant
  const net::InterfaceIndex index;
  const std::size_t header;  // bytes before the payload

  // Under Engine::mutex_.
  AdapterFacts facts;
  bool present = true;
  bool seen = true;  // since the listing began
  bool is_broken = false;

  std::atomic<bool> connected{false};
  std::atomic<bool> removed{false};
  std::atomic<bool> resetting{false};
  std::atomic<bool> shows_local{false};  // FanOut::local, for those who send
  std::atomic<std::uint32_t> mtu{1500};
  std::atomic<std::uint64_t> last_change{0};  // of the operational status, in 10 ms

  // Opening, closing and what is received: before tx_mutex and Engine::mutex_.
  std::mutex setup_mutex;
  std::vector<Shared<Binding>> bindings;  // that are open
  BackendFacts backend;

  mutable std::mutex fan_out_mutex;
  Shared<const FanOut> current_fan_out;

  // Sending: the adapter's own order.
  std::mutex tx_mutex;
  std::unique_ptr<Adapter> adapter;  // written under setup_mutex and tx_mutex
  Fifo<Queued> queue;
  bool stalled = false;
  FrameList scratch;

  std::mutex loop_mutex;  // after tx_mutex
  LoopQueue looping;
  Shared<Nic> looping_self;  // while there is something in it: the data thread will come
  LoopQueue looped;          // the data thread's

  NicCounters counters;
};

inline bool Binding::drained() const noexcept {
  for (std::size_t kind = 0; kind < kHeldKinds; ++kind) {
    if (Held(kind) != Held::kRequest && held(Held(kind)) != 0) {
      return false;
    }
  }
  return true;
}

inline Generation Binding::generation() const noexcept { return protocol->registration.generation; }

// The callbacks that the calling thread is inside, innermost first.
enum class Inside : std::uint8_t { kBind, kUnbind, kEvent, kData, kPassive };
class CallbackScope {
 public:
  CallbackScope(const Protocol& protocol, const Binding* binding, Inside kind) noexcept
      : protocol_(protocol), binding_(binding), kind_(kind), outer_(innermost) {
    innermost = this;
  }
  ~CallbackScope() { innermost = outer_; }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  // The innermost callback of that protocol on this thread; null where there is none.
  static const CallbackScope* of(const Protocol& protocol) noexcept {
    const CallbackScope* at = innermost;
    while (at != nullptr && &at->protocol_ != &protocol) {
      at = at->outer_;
    }
    return at;
  }
  [[nodiscard]] Inside kind() const noexcept { return kind_; }
  [[nodiscard]] const Binding* binding() const noexcept { return binding_; }

 private:
  static thread_local const CallbackScope* innermost;
  const Protocol& protocol_;
  const Binding* binding_;
  const Inside kind_;
  const CallbackScope* const outer_;
};

}  // namespace turnpike::ndis

template <>
struct turnpike::HandleKind<turnpike::ndis::Protocol> {
  static constexpr HandleTag tag{0x51};
  static constexpr const char* name = "protocol";
};
template <>
struct turnpike::HandleKind<turnpike::ndis::Binding> {
  static constexpr HandleTag tag{0x52};
  static constexpr const char* name = "binding";
};
template <>
struct turnpike::HandleKind<turnpike::ndis::Bind> {
  static constexpr HandleTag tag{0x53};
  static constexpr const char* name = "bind operation";
};
template <>
struct turnpike::HandleKind<turnpike::ndis::Unbind> {
  static constexpr HandleTag tag{0x54};
  static constexpr const char* name = "unbind operation";
};
