// The router's own sections, as structures, with the tables that describe them. They hold texts of a bound length in
// place, as blocks of modules do, because the same code fills them.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "turnpike/module.h"

namespace turnpike::config {

struct RouterSettings {
  std::array<std::uint8_t, 4> id{};  // all zero: chosen by the router
  std::array<char, 256> modules{};
  std::array<char, 108> control{};
  std::array<char, 256> state{};
  friend bool operator==(const RouterSettings&, const RouterSettings&) = default;
};

struct LogSettings {
  std::uint32_t level = 0;  // TP_LOG_…
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct ForwarderSettings {
  std::uint32_t enabled = 0;
  std::uint32_t import_routes = 0;
  std::uint32_t table = 0;
  std::uint32_t metric = 0;
  std::uint32_t sweep_after_ms = 0;
  std::uint32_t audit_every_ms = 0;
  friend bool operator==(const ForwarderSettings&, const ForwarderSettings&) = default;
};

struct MulticastSettings {
  std::uint32_t enabled = 0;
  std::uint32_t ipv4 = 0;
  std::uint32_t ipv6 = 0;
  std::uint32_t table = 0;
  std::uint32_t view = 0;  // TP_MGM_UNICAST_VIEW, or 0
  std::uint32_t wrong_interface = 0;
  std::uint32_t keep = 0;
  std::uint32_t receive_buffer = 0;
  std::uint32_t settle_ms = 0;
  friend bool operator==(const MulticastSettings&, const MulticastSettings&) = default;
};

// Of [preferences]: the protocols that have a name there without a section of their own, in the order of its table.
extern const std::array<std::uint32_t, 9> kPreferenceProtocols;

// Keys of [protocol.NAME] that are the router's, and of [interface.NAME]; settings of protocols stand beside them.
struct ProtocolSettings {
  std::array<char, 256> library{};
  std::uint32_t id = 0;
  std::uint32_t transport = 0;
  std::uint32_t enabled = 0;
};

struct InterfaceSettings {
  std::uint32_t enabled = 0;
  std::uint32_t type = 0;
  TpModuleList transports{};
};

// A section for the manual: "[router]", what it is, its keys.
struct Section {
  const char* title;
  const char* help;
  const TpSettings* settings;
};

extern const TpSettings kRouterSettings, kLogSettings, kForwarderSettings, kMulticastSettings, kPreferenceSettings,
    kProtocolSettings, kInterfaceSettings;
[[nodiscard]] std::span<const Section> sections();

}  // namespace turnpike::config
