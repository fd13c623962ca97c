// Interfaces: the list that the dynamic interface manager keeps, and the one place that says in which state each is.
//
// An interface is a logical connection to a network. It is there because the kernel has a device (dedicated, loopback),
// because somebody planned it (demand-dial, tunnels, and dedicated ones whose device may come later), or because a
// client dialled in. Facts come in from two sides, from links and from administration; what follows from them
// (connection state, reasons, whether modules may use it) is never stored by hand but computed from the facts after
// each change, and told as the difference to before. So no order of facts leads to a state of its own.
//
// Numbers. An `InterfaceId` names the entry and is never used again. The `index` is what modules and routes call it by:
//   * an interface of a device has the device's number, and none while there is no device;
//   * a demand-dial, client or internal interface has one from 0x40000001 on, which stays with its *name* for the life
//     of the process: across connections, and across being removed and created again. (Names of clients may be shared;
//     a client gets a number of its own, which comes back to nobody.)
//
// A dedicated interface that is planned by name (loopback cannot be) takes over the entry of the device of that name;
// when the plan goes and the device stays, the entry stays too, as if nobody had planned it: enabled, without
// transports. A device that is renamed is another interface. Devices that exist while a call lasts are no interfaces by
// themselves: the demand-dial interface that the call is for gets them by `connected`.
//
// Order of events, for each interface: kAttached begins, kDetached ends what modules see of it. In between, addresses
// come before kMediaPresent before kEnabled; kDisabled comes before anything else that changes, and before kDetached.
//
// Rejected: an interface that follows its device by hardware address. Modules know interfaces by their index, and the
// index is the device's, so a device that comes back under another number is a new interface to them whatever we say.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "dim/link.h"
#include "dim/terms.h"

namespace turnpike::dim {

enum class InterfaceId : std::uint32_t {};  // from 1 on

// The first index is one more. Numbers of devices are far below.
inline constexpr std::uint32_t kOwnIndexBase = 0x40000000;
inline constexpr std::size_t kLongestName = 256;  // characters

struct Interface {
  InterfaceId id{};
  std::string name;
  InterfaceType type = InterfaceType::kDedicated;
  bool planned = false;  // somebody created it; else it is there with its device alone
  bool enabled = true;
  InterfaceIndex index;      // none: no device
  std::optional<Link> link;  // the device that it is connected by now
  ConnectionState state = ConnectionState::kUnreachable;
  Reasons reasons = 0;  // empty but in state kUnreachable
  std::uint32_t last_error = 0;
  std::map<TransportId, Bytes> transports;  // with each its information header, which is opaque here

  // What a module may rely on: enabled here, up on the machine, and connected where connections are made.
  [[nodiscard]] bool is_usable() const { return enabled && (type == InterfaceType::kInternal || (link && link->up)); }
  [[nodiscard]] bool has_media() const { return link && link->up && link->carrier; }
};

[[nodiscard]] constexpr bool is_dialled(InterfaceType type) {
  return type == InterfaceType::kHomeRouter || type == InterfaceType::kFullRouter || type == InterfaceType::kDialOut ||
         type == InterfaceType::kClient;
}
// Stands and falls with the device of its name.
[[nodiscard]] constexpr bool is_of_device(InterfaceType type) {
  return type == InterfaceType::kDedicated || type == InterfaceType::kLoopback || type == InterfaceType::kTunnel;
}

enum class EventKind : std::uint8_t {
  kCreated,  // the entry, for administration
  kDeleted,
  kState,     // connection state or reasons
  kAttached,  // has an index now: modules may be told of it
  kAddresses,
  kMediaPresent,
  kMediaAbsent,
  kEnabled,
  kDisabled,
  kDetached,
  kTransportAdded,
  kTransportChanged,
  kTransportRemoved,
  kDialWanted,  // somebody is to make a connection, and to say `connected` or `failed`
  kHangUpWanted,
};

std::string_view name_of(EventKind kind);

struct Event {
  EventKind kind = EventKind::kState;
  InterfaceId id{};
  InterfaceIndex index;  // as it was then
  TransportId transport{};

  friend bool operator==(const Event&, const Event&) = default;
};

// One thread at a time. Errors leave everything as it was.
class Interfaces {
 public:
  // --- administration -----------------------------------------------------------------------------------------------

  // kInvalidArgument: an empty name, one longer than kLongestName, control characters; no type, or loopback, which
  // comes with its device alone. kAlreadyExists: the name, ignoring the case of ASCII letters, is planned, or is that
  // of a device and this is none. Clients may share a name among themselves. kExhausted: no index is left.
  Result<InterfaceId> create(std::string_view name, InterfaceType type, bool enabled);
  // kNotFound. kBusy: connected or connecting. kInvalidArgument: nobody planned it.
  Result<void> remove(InterfaceId id);
  Result<void> set_enabled(InterfaceId id, bool enabled);  // kNotFound
  // Adds or replaces. kNotFound: no such interface, or (removing) no such transport there.
  Result<void> set_transport(InterfaceId id, TransportId transport, Bytes info);
  Result<void> remove_transport(InterfaceId id, TransportId transport);

  // --- connections, of the dialled kinds
  // ------------------------------------------------------------------------------

  // Each: kNotFound; kUnsupported: not of a dialled kind.
  // Asks for one, by an event. kAlreadyExists: there is one. kBusy: one is being made. kDenied: disabled, or one of the
  // reasons for which it is not to be tried.
  Result<void> connect(InterfaceId id);
  // Made, over that device. kNotFound also: no such device. kBusy: the device is another interface's.
  Result<void> connected(InterfaceId id, InterfaceIndex device);
  Result<void> failed(InterfaceId id, std::uint32_t error);
  // The end of one, or of the attempt, whoever wants it; kNotFound also where there is none. `error` is kept as the
  // last one. Whoever makes connections is told to clear away what is left of this one, by an event.
  Result<void> disconnect(InterfaceId id, std::uint32_t error);
  // A failed one may be tried again. Nothing happens where it has not failed.
  Result<void> forgive(InterfaceId id);
  // Of kOutOfResources, kServicePaused, kDialOutHours; kInvalidArgument for others.
  Result<void> set_reason(InterfaceId id, Reasons reason, bool holds);

  // --- links --------------------------------------------------------------------------------------------------------

  // A device is there, or has changed. Its addresses are not looked at: they come one by one.
  void see_link(const Link& link);
  void lose_link(InterfaceIndex device);
  // Of a device that was not seen: nothing happens.
  void see_address(InterfaceIndex device, const LinkAddress& address);
  void lose_address(InterfaceIndex device, const LinkAddress& address);
  // All devices with all their addresses: what is not named is gone. After that, nothing was ever missed.
  void see_all(std::span<const Link> links);

  // --- reading ------------------------------------------------------------------------------------------------------

  // Null: no such one. Until the next call that changes something.
  [[nodiscard]] const Interface* find(InterfaceId id) const;
  [[nodiscard]] const Interface* find(std::string_view name) const;  // of a client: any of that name
  [[nodiscard]] const Interface* find(InterfaceIndex index) const;
  [[nodiscard]] const std::map<InterfaceId, Interface>& all() const { return entries_; }

  // What has happened since the last call, in order.
  std::vector<Event> take_events();

 private:
  // What is known of a dialled interface beside what it shows.
  struct Dialled {
    bool connecting = false;
    bool has_failed = false;
    Reasons others = 0;
  };
  // What events are computed from: taken before and after a change.
  struct Shown {
    ConnectionState state{};
    Reasons reasons = 0;
    InterfaceIndex index;
    bool usable = false;
    bool media = false;
    std::vector<LinkAddress> addresses;
  };

  static Shown shown(const Interface& interface);
  template <class Mutate>
  void change(Interface& interface, Mutate&& mutate);
  void settle(Interface& interface) const;
  void settle_dialled(Interface& interface) const;
  void tell(const Interface& interface, EventKind kind, TransportId transport = {});
  void tell_visible(const Interface& interface, const Shown& before, const Shown& now);

  Interface& make(std::string_view name, InterfaceType type, bool planned, bool enabled, InterfaceIndex index);
  void erase(Interface& interface);
  void adopt(const Link& link);
  void adopt_named(std::string_view name);
  void attach(Interface& interface, const Link& link);
  void detach(Interface& interface);
  void end_connection(Interface& interface, std::uint32_t error);
  void update(const Link& link);
  Result<InterfaceIndex> own_index(std::string_view name, InterfaceType type);

  Interface* entry(InterfaceId id);
  Interface* entry_named(std::string_view name);
  Interface* entry_of_device(InterfaceIndex device);
  Result<Interface*> dialled(InterfaceId id);

  std::map<InterfaceId, Interface> entries_;  // in the order of their making
  std::unordered_map<InterfaceId, Dialled> dialled_;
  std::unordered_multimap<std::string, InterfaceId> by_name_;  // folded
  std::unordered_map<InterfaceIndex, InterfaceId> by_index_;
  std::unordered_map<InterfaceIndex, InterfaceId> by_device_;
  std::map<InterfaceIndex, Link> links_;                        // every device, also those that are no interface
  std::unordered_map<std::string, InterfaceIndex> remembered_;  // own indexes, by folded name
  std::vector<Event> events_;
  std::uint32_t next_id_ = 1;
  std::uint32_t next_index_ = kOwnIndexBase + 1;
};

}  // namespace turnpike::dim
