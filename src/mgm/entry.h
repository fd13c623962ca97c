// Entry: what becomes of one (source, group): a multicast forwarding entry (MFE).
//
//   resolving   a packet came, clients are being asked; nobody can read it, the forwarder does not have it
//   live        read, kept in step with memberships, mirrored into the forwarder
//   dead        gone for everybody; freed by whoever still works on it: the thread that asks clients, or the mirror
//
// An outgoing interface is there because of a membership that covers the flow, or because a client put it there
// (forced); and is not there because a client took it out (vetoed). Both are kept for each entry and interface.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "mgm/interface.h"

namespace turnpike::mgm {

struct Out {
  Interface* interface = nullptr;
  bool installed = false;     // the forwarder has it
  std::uint64_t packets = 0;  // that left there, as far as counted
};

struct Override {
  Interface* interface = nullptr;
  bool forced = false;  // else vetoed
};

struct Entry {
  enum class State : std::uint8_t { kResolving, kLive, kDead };

  explicit Entry(const Flow& its_flow, std::uint64_t its_number) : flow(its_flow), number(its_number) {}

  const Flow flow;
  const std::uint64_t number;  // no other entry ever has it
  State state = State::kResolving;
  bool negative = false;    // no way to the source is known: nothing is forwarded, nobody is asked
  bool installed = false;   // the forwarder has it, in this or an earlier form
  int refused = 0;          // the errno with which it refused the present form
  Interface* in = nullptr;  // null only while it resolves
  InterfaceId in_view;      // where the view of routes says the source is
  Route route;
  net::Address upstream;
  MonotonicTime created{};
  MonotonicTime deadline{};
  std::uint32_t timeout = 0;  // seconds
  MonotonicTime last_wrong{};

  std::vector<Out> out;  // by interface
  std::vector<Override> overrides;

  FlowCounters seen;    // as they were when the interfaces' packets were counted
  bool queued = false;  // the mirror has an order for it
  Entry* next_order = nullptr;
  std::unique_ptr<Entry> own;  // of a dead one in the mirror's queue: itself, until the mirror is done with it

  std::uint32_t installed_out = 0;  // interfaces that the forwarder has
  std::uint64_t out_packets = 0;    // of all interfaces, also those that are no longer there
  std::uint64_t negative_packets = 0;

  [[nodiscard]] std::uint32_t age(MonotonicTime now) const {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now - created).count());
  }
  [[nodiscard]] const Override* override_of(const Interface& interface) const {
    const auto at = std::find_if(overrides.begin(), overrides.end(),
                                 [&](const Override& each) { return each.interface == &interface; });
    return at != overrides.end() ? &*at : nullptr;
  }
  void end_override(const Interface& interface) {
    std::erase_if(overrides, [&](const Override& each) { return each.interface == &interface; });
  }

  // What has come through since the last count left by the interfaces that the forwarder had meanwhile.
  void count(const FlowCounters& now) {
    const std::uint64_t more = now.packets >= seen.packets ? now.packets - seen.packets : now.packets;
    for (Out& each : out) {
      each.packets += each.installed ? more : 0;
    }
    out_packets += more * installed_out;
    negative_packets += installed_out == 0 ? more : 0;
    seen = now;
  }
};

}  // namespace turnpike::mgm
