// Plan: what the router is to be, as plain values. Whoever holds the configuration (a file, a store, a test) makes one;
// the router makes it so, and knows of no file format.
//
//   Router router(surroundings);         // router.h
//   router.start(plan);                  // once
//   router.apply(another_plan);          // any number of times: all of it or nothing
//   router.stop();
//
// `apply` takes the whole of what is wanted and finds out itself what that changes (`differences`); whoever wants to
// show a reload before it is made asks the same function. Where nothing differs, nothing is touched.
//
// Configuration itself travels in information headers (dim/info_header.h): a table of contents with blocks, of which
// each belongs to the router manager (types from IP_GENERAL_INFO_BASE on, ipinfoid.h) or to the module whose protocol
// number the type is. The router reads its manager's blocks and hands every other block through, byte for byte:
//
//   * A transport with no global information (no bytes) is not started, and none of its modules is loaded.
//   * A module is loaded when the global information of its transport has a block of its protocol, and is on an
//   interface
//     when the interface's header for that transport has one. A block without a byte means the same as none, as it does
//     when an administrator sets it: a module without settings of its own is given a block of four zero bytes.
//   * A module is told of one item (Count 1) whose size is the whole block's, and of the header's version, 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dim/terms.h"
#include "net/address.h"

namespace turnpike::router {

using dim::Bytes;
using dim::InterfaceType;
using dim::TransportId;

// Where a protocol's code is: the catalogue. That it is listed does not start it, its global block does.
struct ModulePlan {
  std::string name;  // what logs, the command line and statuses call it; unique ignoring case
  std::string path;  // the shared object; one that serves two protocols is listed twice
  TransportId transport = TransportId::kIp;
  std::uint32_t protocol = 0;  // PROTOCOL_ID(type, vendor, number); unique in a transport

  friend bool operator==(const ModulePlan&, const ModulePlan&) = default;
};

struct TransportPlan {
  TransportId id = TransportId::kIp;
  Bytes global_info;  // an information header; empty: this transport is not routed
  Bytes client_info;  // an information header for the interfaces of clients that dial in; may be empty

  friend bool operator==(const TransportPlan&, const TransportPlan&) = default;
};

// One transport on one interface.
struct BindingPlan {
  TransportId transport = TransportId::kIp;
  Bytes info;  // an information header; empty: the transport is there, and no module

  friend bool operator==(const BindingPlan&, const BindingPlan&) = default;
};

struct InterfacePlan {
  std::string name;  // unique ignoring case; of a dedicated interface the name of its device, which may come later
  InterfaceType type = InterfaceType::kDedicated;
  bool enabled = true;
  std::vector<BindingPlan> transports;  // at most one of each

  friend bool operator==(const InterfacePlan&, const InterfacePlan&) = default;
};

// Order means nothing but for the modules, which are loaded and started as they are listed.
struct Plan {
  std::optional<net::Address> router_id;  // IPv4; none: the highest address of loopback, else of any interface
  std::vector<ModulePlan> modules;
  std::vector<TransportPlan> transports;
  std::vector<InterfacePlan> interfaces;

  friend bool operator==(const Plan&, const Plan&) = default;
};

// Somebody's no, in full: what an administrator reads. `code` is the module's own where a module said it, else 0.
struct Refusal {
  std::string subject;  // "module static", "interface eth0, transport 0x21"
  std::string reason;
  std::uint32_t code = 0;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// What can never be right, whatever the machine is like: names that are there twice, headers that are none, two modules
// of one protocol, a binding of a transport that is not planned. Nothing: the plan is sound.
[[nodiscard]] std::vector<Refusal> flaws(const Plan& plan);

enum class Change : std::uint8_t { kAdded, kRemoved, kChanged };

enum class Part : std::uint8_t {
  kRouterId,
  kModule,          // name: the module's; changed: its path, transport or protocol, thus loaded anew
  kTransport,       // added: has global information now and had none
  kGlobalBlock,     // name: the module's, or empty for a block of the router manager
  kClientInfo,      // the template for clients that dial in
  kInterface,       // name: the interface's, and what is bound to it; changed: its type, thus made anew
  kEnabled,         // name: the interface's; added: enabled now, removed: disabled now
  kBinding,         // name: the interface's; a transport of it
  kInterfaceBlock,  // name: the interface's
};

// One thing that differs between two plans.
struct Difference {
  Part part = Part::kModule;
  Change change = Change::kChanged;
  std::string name;
  TransportId transport = TransportId::kIp;  // where the part has one
  std::uint32_t block = 0;                   // the type, where the part is a block

  friend bool operator==(const Difference&, const Difference&) = default;
};

// What leads from one sound plan to the other; empty: they mean the same (order and padding do not count).
[[nodiscard]] std::vector<Difference> differences(const Plan& from, const Plan& to);

// "transport 0x21: global settings of module rip changed", "interface eth0: disabled".
[[nodiscard]] std::string to_text(const Difference& difference, const Plan& from, const Plan& to);

}  // namespace turnpike::router
