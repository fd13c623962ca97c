// The module's global block, as the operator's file fills it (settings.cpp has the table), what is right in one, and
// what the MIB answers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "turnpike/module.h"

namespace turnpike::modules {

struct MulticastRoute {
  TpModuleAddress group;   // all zero bits: any
  TpModuleAddress source;  // family 0: any
  char from[16];           // empty: where the multicast view of the routing table leads
  TpModuleList to;         // InterfaceName each
  std::uint32_t join;
};

struct InterfaceName {
  char name[16];
};

struct MulticastJoin {
  TpModuleAddress group;
  TpModuleAddress source;
  char interface[16];
};

struct MulticastWay {
  TpModuleAddress to;
  char interface[16];
};

struct MstaticSettings {
  TpModuleList routes;
  TpModuleList joins;
  TpModuleList ways;
};

// What MibGet answers, for an input of no bytes.
struct MstaticCounts {
  std::uint32_t interfaces = 0;  // that we own
  std::uint32_t outputs = 0;     // of routes: each `to`
  std::uint32_t active = 0;      // of them
  std::uint32_t joins = 0;
  std::uint32_t joined = 0;  // of them
};

enum class RowKind : std::uint32_t { kRoute, kJoin };
enum class RowState : std::uint32_t { kActive, kNoInterface, kNotOurs, kRefused };

// What MibGetFirst and MibGetNext answer: one `to` of a route each, then one join each. The input of MibGetNext is the
// number of the last one.
struct MstaticRow {
  std::uint32_t number = 0;
  RowKind kind = RowKind::kRoute;
  RowState state = RowState::kActive;
  TpModuleAddress group{};
  TpModuleAddress source{};
  char from[16] = {};
  char interface[16] = {};
};

extern const TpModule kMstaticModule;
extern const TpModuleMib kMstaticMib;

// Also of bytes that no table has seen. `complain` may be null; true: there is nothing to complain of.
bool is_right_multicast(const void* block, std::uint32_t size, TpModuleComplain complain, void* context);

}  // namespace turnpike::modules
