// Manager: one multicast group manager, for one address family and one forwarder. The engine behind the C face of MGM.
//
// Several multicast protocols share a router. Each registers, takes interfaces, and says behind which of them there are
// receivers; the manager tells each what the others need, makes a forwarding entry for each flow that arrives, asks the
// protocols that are concerned, keeps the entries in step with the memberships, and mirrors them into the forwarder.
// IGMP is the special one: it may stand on an interface beside one other client, and speaks for the hosts there.
//
// Every operation is a member function that names its caller by handle, answers a Result, and may be called from any
// thread. An error means that nothing has changed. The kinds:
//   kInvalidHandle    a handle that is null, stale, of another kind, or of another manager
//   kInvalidArgument  what can never be right, or an interface that the caller does not hold
//   kNotFound         no such interface, entry
//   kAlreadyExists    the same client, or a holder of the interface
//   kBusy             not now: in this callback, while this interface changes hands, while this client owns interfaces
//   kExhausted        memory, or a configured bound
//   kKernel           the forwarder said no, or has no virtual interface left
//
// ## Who is called when, and in which order
//
// What is to be said is computed under the lock, queued on the receivers, and said without the lock by the thread that
// caused it, before its call returns: that is what the documentation promises. Two threads may cause things at the same
// time; if each just called, a client could see a PRUNE before the JOIN that came first. So each client has a queue, in
// the order of the lock, and a thread waits until its alert is at the front and nobody is in that client's callback.
//
// Waiting is safe because of one rule: *a thread that is itself inside a callback never waits*. A callback may call the
// manager, and that call may cause alerts. Where others are to be said to the receiver first, it says them too; where
// somebody is in the receiver's callback, the alert is left in the queue, and that thread says it when it comes back.
// So whoever waits, waits for threads that have begun before and wait for nobody younger, or for a callback. A callback
// that does not return is waited for `Config::patience`; then the waiting thread goes on in the same way.
//
// RPF and creation callbacks are questions, not alerts: the forwarder's thread asks them directly.
//
// README.md beside this file tells how the parts hang together. The parts: memberships.h, entry.h, registration.cpp
// (clients), deliver.cpp (alerts), hold.cpp (interfaces), join.cpp (memberships, and who is told of them), resolve.cpp
// (new entries), follow.cpp (entries that change and end), mirror.cpp (the forwarder), read.cpp (what is shown).
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/handle_table.h"
#include "base/result.h"
#include "mgm/client.h"
#include "mgm/config.h"
#include "mgm/entry.h"
#include "mgm/forwarder_port.h"
#include "mgm/interface.h"
#include "mgm/memberships.h"
#include "mgm/route_port.h"

namespace turnpike::mgm {

// What a membership call is about: bits.
using States = std::uint32_t;
inline constexpr States kJoinState = 1;
inline constexpr States kForwardState = 2;

struct EntryImage {
  struct Out {
    InterfaceId id;
    std::uint64_t packets = 0;
  };
  Flow flow;
  InterfaceId incoming;
  std::uint32_t incoming_protocol = 0;
  net::Address upstream;
  Route route;
  Duration age{};
  std::uint32_t timeout = 0;  // seconds
  std::vector<Out> out;
  // Only where they are asked for:
  FlowCounters counters;
  std::uint64_t out_packets = 0;
  std::uint64_t negative_packets = 0;
};

struct Status {
  std::uint64_t clients = 0;
  std::uint64_t interfaces = 0;
  std::uint64_t memberships = 0;
  std::uint64_t entries = 0;
  std::uint64_t enumerations = 0;
  std::uint64_t unknown_flows = 0;        // that the forwarder told of
  std::uint64_t merged = 0;               // of them, about an entry that was there or being made
  std::uint64_t dropped = 0;              // of them, for want of room or because the interface went
  std::uint64_t forwarder_refusals = 0;   // calls of the port that failed
  std::uint64_t alerts = 0;               // callbacks made
  std::uint64_t alerts_left = 0;          // alerts that another thread than the one that caused them had to say
  std::uint64_t alerts_lost = 0;          // for want of memory
  std::uint64_t memberships_refused = 0;  // beyond the bound
};

// Where the view of routes leads for a source; nothing: nowhere.
using Way = std::optional<InterfaceId>;

// Wakes whoever runs deadlines. Called under the manager's lock: it only takes note.
class Alarm {
 public:
  Alarm() = default;
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  virtual ~Alarm() = default;
  virtual void deadline_moved(MonotonicTime at) noexcept = 0;
};

struct Ports {
  Forwarder& forwarder;
  Routes& routes;
  Clock& clock;
  Alarm& alarm;
};

class Manager {
 public:
  static Result<std::unique_ptr<Manager>> make(const Config& config, const Ports& ports);
  // No call may be running. What clients have left is taken out of the forwarder.
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] Status status() const;
  [[nodiscard]] bool has_clients() const;

  // Whether this thread is inside a DISABLE_IGMP or ENABLE_IGMP callback, where little is allowed; or inside any.
  static bool in_igmp_switch();
  static bool in_callback();

  // ---- clients -----------------------------------------------------------------------------------------------------

  // kAlreadyExists: the same protocol and component. kExhausted.
  Result<Handle> register_client(Registration registration);
  // When it has returned, no callback of the client is running or will run, and all its handles are refused. kBusy: it
  // owns interfaces, or this is one of its callbacks, or (in another's callback) one of its callbacks is running.
  Result<void> deregister_client(Handle self);

  // ---- interfaces --------------------------------------------------------------------------------------------------

  // kAlreadyExists: somebody holds it whom the caller cannot join. kExhausted. kKernel: no virtual interface. kBusy: in
  // a DISABLE or ENABLE callback; or in another callback, and the interface changes hands.
  Result<void> take(Handle self, const InterfaceId& id);
  // kInvalidArgument: the caller does not hold it. kBusy: as above.
  Result<void> release(Handle self, const InterfaceId& id);
  // Who speaks for it: the owner, else IGMP. kNotFound.
  [[nodiscard]] Result<ClientInfo> protocol_on(const InterfaceId& id) const;

  // What the administrator sets for a device, taken or not: the TTL that a packet must exceed to leave, and groups that
  // do not leave at all. Takes effect on the entries that exist.
  void set_scope(net::InterfaceIndex device, Scope scope);

  // Whether clients hear of packets on a wrong interface; at first as the configuration has it.
  void set_wrong_interface_alerts(bool on);

  // ---- memberships -------------------------------------------------------------------------------------------------

  // `states`: kJoinState records the membership, kForwardState puts the interface into the entries that exist, and
  // nothing else. kInvalidArgument: the flow, the states, or an interface that the caller does not hold. kBusy: in a
  // DISABLE or ENABLE callback, or while the interface changes hands. kExhausted.
  Result<void> add(Handle self, const Flow& flow, const InterfaceId& id, States states);
  // The reverse. kNotFound: nobody holds the interface.
  Result<void> remove(Handle self, const Flow& flow, const InterfaceId& id, States states);

  // A snapshot of the flows that have members: all of them, or one for each group with a specific source, which is its
  // lowest. kInvalidHandle, kExhausted.
  Result<Handle> start_groups(Handle self, bool all_sources);
  // Visits the next flows, at most `room` of them, under the manager's lock, and says whether more are left. Without
  // room for one, and one is left: kBufferTooSmall, and nothing moves. kInvalidHandle.
  Result<bool> next_groups(Handle enumeration, std::size_t room, const std::function<void(const Flow&)>& visit);
  Result<void> end_groups(Handle enumeration);

  // ---- entries -----------------------------------------------------------------------------------------------------

  // False: there is none. Throws bad_alloc.
  bool entry(const Flow& flow, bool with_counters, EntryImage& image);
  // The first entry after that flow, in their order; the first of all for nullptr.
  bool next_entry(const Flow* after, bool with_counters, EntryImage& image);
  // kNotFound.
  Result<void> set_upstream(Handle self, const Flow& flow, const net::Address& upstream);
  // The entry goes, and the next packet of the flow asks every client again.
  Result<void> forget(Handle self, const Flow& flow);

  // ---- what the forwarder, the table of routes and the clock have to say -------------------------------------------

  // A packet that no entry matches came in on that virtual interface. Asks the clients, on this thread, and makes the
  // entry. `header`: as much of the packet as there is.
  void unknown_flow(const Flow& flow, Vif arrival, std::span<const std::byte> header) noexcept;
  // A packet came in on another interface than its entry's.
  void wrong_interface(const Flow& flow, Vif arrival, std::span<const std::byte> header) noexcept;
  // Routes within that prefix have changed: entries whose source is elsewhere now go, and the next packet makes others.
  void routes_changed(const net::Prefix& prefix) noexcept;

  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;
  // Ends what has lived its time; tries again what the forwarder refused.
  void run_deadlines();

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Entries = std::map<Flow, std::unique_ptr<Entry>>;

  struct Enumeration {
    std::vector<Flow> flows;
    std::size_t next = 0;
  };

  // One call, and what it causes: alerts in the order in which they are said.
  struct Round {
    const Client* caller = nullptr;
    std::vector<Alert> alerts = {};
  };

  // A client that is asked about a new entry, and one of its outgoing interfaces.
  struct Asked {
    std::uint32_t client;
    OutInterface out;
  };
  // Lists that a new entry needs for a moment, with the room that the last one needed. Whoever comes while they are in
  // use makes others.
  struct Spare {
    std::vector<Asked> asked;
    std::vector<OutInterface> shown;
    std::vector<Alert> alerts;
  };

  enum class VifState : std::uint8_t { kFree, kUsed, kLeaving };

  struct Deadline {
    MonotonicTime at;
    std::uint64_t number = 0;
    Flow flow;
    friend bool operator>(const Deadline& a, const Deadline& b) {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };

  // The memberships of an interface, each with the way to its source.
  using Inventory = std::vector<std::pair<Memberships::Held, Way>>;

  // What the alerts need to know of the clients that are joined to a flow.
  struct Joined {
    Client* first = nullptr;
    bool several = false;
    bool has_a = false;
    bool has_other_than_w = false;
  };

  Manager(const Config& config, const Ports& ports);
  Result<void> make_handles();

  // registration.cpp
  HandleTag client_tag() const;
  HandleTag enumeration_tag() const;
  Client* find_client(Handle self);
  Client* client_numbered(std::uint32_t number) const;
  Enumeration* find_enumeration(Handle handle);
  void close_enumerations(const Client& client);

  // deliver.cpp: all with the lock, which they give up while a callback runs
  void say(Round& round, Client* to, CallbackKind kind, const Flow& flow, const InterfaceId& interface,
           bool by_member = false, std::uint64_t entry = 0);
  void enqueue(Round& round);
  void deliver(Round& round, Lock& lock);
  bool await_turn(const Alert& alert, Lock& lock);
  void leave(const Alert& alert);
  void tell_front(Client& client, Lock& lock);
  template <class F>
  void call_out(Client& client, CallbackKind kind, Lock& lock, F&& call);
  void wake();
  // Queues the alerts, lets the mirror work, and says them.
  void conclude(Round& round, Lock& lock);

  // hold.cpp
  Interface* find_interface(const InterfaceId& id) const;
  Interface* interface_towards(const Route& route) const;
  Interface* interface_on(Vif vif) const;
  Result<Client*> begin_change(Handle self, const InterfaceId& id, Lock& lock);
  Result<void> take_new(Client& client, const InterfaceId& id, Lock& lock);
  Result<void> take_over(Client& client, Interface& interface, Lock& lock);
  Result<Vif> add_vif(net::InterfaceIndex device);
  void give_up(Client& client, Interface& interface, const Inventory& inventory, Lock& lock);
  void vacate(Interface& interface, Round& round);
  void forget_negative_entries();
  Result<Inventory> take_inventory(const Interface& interface, Lock& lock);

  // join.cpp
  bool is_flow(const Flow& flow) const;
  Result<Interface*> check_membership_call(const Client* client, const Flow& flow, const InterfaceId& id, States states,
                                           ErrorKind unknown) const;
  Way way_to(const net::Address& source);
  Client* client_on(const Way& way) const;
  Joined joined_besides(const Flow& flow, const Client* a, const Client* w) const;
  void say_change(Round& round, CallbackKind kind, const Flow& flow, const Interface& interface, Client* w,
                  const Joined& others);
  Result<void> change_membership(Handle self, const Flow& flow, const InterfaceId& id, States states, bool adds);
  Result<void> join(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way);
  void part(Round& round, const Flow& flow, Interface& interface, Holder holder, const Way& way);
  void drop_memberships(Round& round, Interface& interface, Holder holder, const Inventory& inventory);

  // resolve.cpp
  Entry* begin_entry(const Flow& flow, Vif arrival);
  void resolve_or_forget(Entry& entry, Vif arrival, std::span<const std::byte> header, const Route* route,
                         void* details) noexcept;
  void resolve(Entry& entry, Vif arrival, std::span<const std::byte> header, const Route* route, void* details);
  void ask_rpf(Entry& entry, std::span<const std::byte> header, void* details, Lock& lock);
  void ask_creation(Entry& entry, Lock& lock);
  void finish(Entry& entry, Lock& lock);

  // follow.cpp
  template <class F>
  void for_each_entry(const Flow& flow, F&& visit);
  bool shall_forward(const Entry& entry, const Interface& interface, bool is_covered) const;
  void refresh(Entry& entry, Interface& interface, Round& round);
  void set_forwarding(Entry& entry, Interface& interface, bool on, Round& round);
  void order_forwarding(Entry& entry, Interface& interface, bool on, Round& round);
  void say_by_entry(Round& round, const Entry& entry, CallbackKind kind);
  void set_life(const Alert& alert, std::uint32_t seconds);
  void arm(const Entry& entry);
  Entries::iterator bury(Entries::iterator at);

  // mirror.cpp: those with a lock have forwarder_mutex_ besides, and give the lock up while the forwarder works
  void mark(Entry& entry) noexcept;
  void give_up_vif(net::InterfaceIndex device);
  bool has_orders() const { return first_order_ != nullptr || has_leaving_vif_; }
  void mirror();
  void carry_out_orders();
  void put(Entry& entry, Lock& lock);
  void prepare(Entry& entry, ForwarderEntry& wanted);
  void retire(std::unique_ptr<Entry> dead, Lock& lock);
  Vif next_leaving_vif();
  void retry_later();

  // read.cpp
  bool show(const Entry& entry, EntryImage& image) const;
  void count(const Flow& flow);

  const Config config_;
  const Ports ports_;

  // Locks: forwarder_mutex_ before mutex_. Under mutex_ nothing waits and nothing calls out; forwarder_mutex_ is held
  // while the forwarder's port is called, and by nobody who waits for a client.
  mutable std::mutex mutex_;
  std::mutex forwarder_mutex_;
  std::condition_variable changed_;
  std::uint32_t waiting_ = 0;  // threads that wait for changed_

  std::unique_ptr<HandleTable> handles_;
  std::map<std::uint32_t, std::unique_ptr<Client>> clients_;  // by number: in the order of registration
  std::uint32_t next_number_ = 1;
  std::map<InterfaceId, std::unique_ptr<Interface>> interfaces_;
  std::map<net::InterfaceIndex, Device> devices_;
  std::map<net::InterfaceIndex, Scope> scopes_;
  bool wrong_interface_alerts_;
  std::vector<VifState> vifs_;
  bool has_leaving_vif_ = false;
  Memberships memberships_;
  bool is_full_ = false;  // one was refused, and the log has it; until an eighth of the room is free again
  Entries entries_;
  std::uint64_t next_entry_number_ = 1;
  std::uint64_t negative_ = 0;       // entries without a way to their source
  std::vector<Deadline> deadlines_;  // a heap; what no longer holds is left in it, and swept out when it is half
  Spare spare_;
  Entry* first_order_ = nullptr;
  Entry* last_order_ = nullptr;
  std::optional<MonotonicTime> retry_at_;
  std::vector<OutVif> out_vifs_;  // the mirror's, under forwarder_mutex_
  Status counts_;                 // what only rises
};

}  // namespace turnpike::mgm
