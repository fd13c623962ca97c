// What a configuration file says, checked and typed: the last form before the router is told (router/plan.h).
//
//   [router]                          about all of it
//   [log]
//   [forwarder]
//   [multicast]
//   [preferences]                     whose routes are used
//   [protocol.static]                 a protocol that runs, and its settings
//   [[protocol.static.route]]
//   [interface.eth0]                  an interface that the router has
//   [interface.eth0.rip]              that protocol on it, and its settings there
//
// Sections are described by the same tables as a module's settings (settings.h), so each key has its check and its line
// in the manual. A protocol without a description has its block as bytes: raw (hexadecimal), base64, or a file.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/block.h"
#include "config/settings.h"
#include "config/source.h"
#include "dim/terms.h"

namespace turnpike::config {

struct Protocol {
  std::string name;
  std::string path;  // of the shared object
  dim::TransportId transport = dim::TransportId::kIp;
  std::uint32_t id = 0;
  Bytes global;                           // its block
  const TpModule* description = nullptr;  // lives as long as who described it
  const TpModuleMib* mib = nullptr;       // the same

  // A description is known by what it makes of the file; that it was read again changes nothing.
  friend bool operator==(const Protocol& a, const Protocol& b) {
    return a.name == b.name && a.path == b.path && a.transport == b.transport && a.id == b.id && a.global == b.global;
  }
};

// What routes of a protocol are worth that come without a preference of their own; the lowest is used.
struct Preference {
  std::string name;
  std::uint32_t protocol = 0;
  std::optional<dim::TransportId> transport;  // of a protocol that is configured
  std::uint32_t value = 0;
  friend bool operator==(const Preference&, const Preference&) = default;
};

struct ProtocolBlock {
  std::string protocol;  // its name
  Bytes bytes;
  friend bool operator==(const ProtocolBlock&, const ProtocolBlock&) = default;
};

struct Interface {
  std::string name;
  dim::InterfaceType type = dim::InterfaceType::kDedicated;
  bool enabled = true;
  bool ip = true;
  bool ipv6 = true;
  std::vector<ProtocolBlock> blocks;
  friend bool operator==(const Interface&, const Interface&) = default;
};

struct Model {
  RouterSettings router;
  LogSettings log;
  ForwarderSettings forwarder;
  MulticastSettings multicast;
  std::vector<Protocol> protocols;      // in the order of the file
  std::vector<Interface> interfaces;    // the same
  std::vector<Preference> preferences;  // whatever the file says; of one protocol at most one in a transport
  friend bool operator==(const Model&, const Model&) = default;
};

// What a configuration asks of the world.
struct Surroundings {
  // The protocols that a library describes; nothing: it cannot be used, for the reason.
  std::function<std::optional<std::span<const TpModule>>(const std::string& path, std::string& reason)> describe;
  // The bytes of a file that the configuration names; nothing: it cannot be read.
  std::function<std::optional<Bytes>(const std::string& path)> read_file;
  // What a library that was described says of a protocol's MIB; null: nothing. May be left out.
  std::function<const TpModuleMib*(const std::string& path, const TpModule& protocol)> mib = {};
};

// With the loader and the file system. Libraries stay loaded as long as it lives.
[[nodiscard]] Surroundings real_surroundings();

// The model that the text describes. It is worth something only if nothing was found wrong.
[[nodiscard]] Model read_model(const Source& source, const Surroundings& surroundings, Findings& findings);

// What leads from one model to the other, a line each: "protocol.static.route: added {…}", "log.level: notice, was
// info". Nothing: they are equal.
[[nodiscard]] std::vector<std::string> differences(const Model& from, const Model& to);

// The whole model as values, for JSON and for people.
[[nodiscard]] Value describe(const Model& model);

}  // namespace turnpike::config
