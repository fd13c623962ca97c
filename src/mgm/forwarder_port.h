// Forwarder: the multicast forwarder, as the room wants it: virtual interfaces, entries, counters. src/kernel has the
// real one (the multicast routing socket of one kernel table), memory_forwarder.h one that tests and embedders turn by
// hand. What the forwarder has to say comes in as calls: Manager::unknown_flow and its neighbours.
#pragma once

#include <compare>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "net/address.h"
#include "net/interface_index.h"

namespace turnpike::mgm {

// What memberships and entries are about. An unspecified address is the wildcard. In the order of enumerations: by
// group, then by source; so (*,*) comes first of all, and (*,g) before every (s,g).
struct Flow {
  net::Address group;
  net::Address source;

  [[nodiscard]] bool any_group() const { return group.is_unspecified(); }
  [[nodiscard]] bool any_source() const { return source.is_unspecified(); }
  friend bool operator==(const Flow&, const Flow&) = default;
  friend std::strong_ordering operator<=>(const Flow&, const Flow&) = default;
};

// A virtual interface of the forwarder: one for each device that somebody took.
using Vif = std::uint16_t;
inline constexpr Vif kNoVif = 0xffff;

struct OutVif {
  Vif vif = kNoVif;
  std::uint8_t threshold = 1;  // a packet leaves if its TTL is greater
};

// No outgoing interface: packets are swallowed and counted.
struct ForwarderEntry {
  Flow flow;
  Vif parent = kNoVif;
  std::span<const OutVif> out;
};

struct FlowCounters {
  std::uint64_t packets = 0;          // that came in on the right interface
  std::uint64_t octets = 0;           // all of them
  std::uint64_t wrong_interface = 0;  // packets that did not
};

// Called by one thread at a time, without a lock that clients' calls need.
class Forwarder {
 public:
  Forwarder() = default;
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;
  virtual ~Forwarder() = default;

  // How many virtual interfaces there can be; they are numbered from 0.
  [[nodiscard]] virtual Vif vif_limit() const noexcept = 0;
  virtual Result<void> add_vif(Vif vif, net::InterfaceIndex device) noexcept = 0;
  virtual Result<void> remove_vif(Vif vif) noexcept = 0;

  // Adds the entry, or replaces it and keeps its counters.
  virtual Result<void> put(const ForwarderEntry& entry) noexcept = 0;
  virtual Result<void> remove(const Flow& flow) noexcept = 0;
  virtual Result<FlowCounters> counters(const Flow& flow) noexcept = 0;
};

}  // namespace turnpike::mgm
