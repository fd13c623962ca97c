// Client: a multicast protocol that is registered, and what it is told.
//
// Everything here is under the manager's lock, but the callbacks themselves, which run without it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/handle_table.h"
#include "mgm/forwarder_port.h"
#include "mgm/route_port.h"

namespace turnpike::mgm {

// An interface as clients name it. The next hop is unspecified but for one link of many on one device (NBMA).
struct InterfaceId {
  net::InterfaceIndex device;
  net::Address next_hop;
  friend bool operator==(const InterfaceId&, const InterfaceId&) = default;
  friend auto operator<=>(const InterfaceId&, const InterfaceId&) = default;
};

struct ClientInfo {
  std::uint32_t protocol = 0;
  std::uint32_t component = 0;
  friend bool operator==(const ClientInfo&, const ClientInfo&) = default;
};

// An outgoing interface of a new entry, as its client is shown it.
struct OutInterface {
  InterfaceId id;
  bool has_igmp = false;
  bool enabled = true;  // the client may clear it
};

// What an RPF callback is shown and may change.
struct Rpf {
  InterfaceId incoming;
  net::Address upstream;
  Route route;
  void* details = nullptr;  // the route port's
};

// The nine callbacks. Each is called on the thread that the contract names, with no lock held, and may throw.
class Callbacks {
 public:
  Callbacks() = default;
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
  virtual ~Callbacks() = default;

  virtual void rpf(const Flow& /*flow*/, std::span<const std::byte> /*header*/, Rpf& /*rpf*/) {}
  virtual void created(const Flow& /*flow*/, const InterfaceId& /*incoming*/, std::span<OutInterface> /*out*/) {}
  virtual void joined(const Flow& /*flow*/, bool /*by_member*/) {}
  virtual void pruned(const Flow& /*flow*/, const InterfaceId& /*interface*/, bool /*by_member*/,
                      std::uint32_t& /*seconds*/) {}
  virtual void wrong_interface(const Flow& /*flow*/, const InterfaceId& /*interface*/,
                               std::span<const std::byte> /*header*/) {}
  virtual void local_join(const Flow& /*flow*/, const InterfaceId& /*interface*/) {}
  virtual void local_leave(const Flow& /*flow*/, const InterfaceId& /*interface*/) {}
  virtual void disable_igmp(const InterfaceId& /*interface*/) {}
  virtual void enable_igmp(const InterfaceId& /*interface*/) {}
};

enum class CallbackKind : std::uint8_t {
  kRpf,
  kCreated,
  kJoined,
  kPruned,
  kWrongInterface,
  kLocalJoin,
  kLocalLeave,
  kDisableIgmp,
  kEnableIgmp,
};
using CallbackSet = std::uint16_t;
constexpr CallbackSet set_of(CallbackKind kind) { return static_cast<CallbackSet>(1U << static_cast<unsigned>(kind)); }
inline constexpr CallbackSet kAllCallbacks = 0x1ff;

struct Registration {
  ClientInfo info;
  std::unique_ptr<Callbacks> callbacks;  // null: none
  CallbackSet wanted = kAllCallbacks;    // the others are never called
};

struct Client;

// Something to be told to one client, in its turn.
struct Alert {
  Client* client = nullptr;  // null: the client has left, or has been told
  CallbackKind kind = CallbackKind::kJoined;
  bool by_member = false;
  Flow flow;
  InterfaceId interface;
  std::uint64_t entry = 0;  // of a prune by an entry: the entry's number, whose life the callback may change
};

struct Client {
  // An alert in its turn. It belongs to the thread that caused it, which waits for its turn; or to the queue, if that
  // thread could not wait.
  struct Waiting {
    Alert* alert = nullptr;
    std::unique_ptr<Alert> left;
  };

  Client(Registration&& registration, std::uint32_t its_number)
      : info(registration.info),
        number(its_number),
        wanted(registration.callbacks != nullptr ? registration.wanted : CallbackSet{0}),
        callbacks(std::move(registration.callbacks)) {}

  [[nodiscard]] bool wants(CallbackKind kind) const { return (wanted & set_of(kind)) != 0; }

  const ClientInfo info;
  const std::uint32_t number;  // rises with every registration, and is the owner's id of its handles
  const CallbackSet wanted;
  const std::unique_ptr<Callbacks> callbacks;
  bool is_igmp = false;
  bool leaving = false;

  std::uint32_t interfaces = 0;  // that it holds, or is about to
  std::deque<Waiting> queue;     // its alerts, in the order in which it is told
  bool being_told = false;       // one of them is running
  std::uint32_t running = 0;     // all of its callbacks that are
};

}  // namespace turnpike::mgm
