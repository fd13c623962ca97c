// The module's global block, as the operator's file fills it (settings.cpp has the table), and what is right in one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../entry/table.h"
#include "turnpike/module.h"

namespace turnpike::modules {

struct StaticRoute {
  TpModuleAddress to;
  TpModuleAddress via;  // family 0: none
  char interface[16];   // empty: none
  Kind kind;
  std::uint32_t recursive;
  std::uint32_t metric;
  std::uint32_t preference;  // 0: what the router has for static routes
};

struct StaticSettings {
  TpModuleList routes;
};

// What MibGet answers, for an input of no bytes.
struct StaticCounts {
  std::uint32_t configured = 0;
  std::uint32_t active = 0;  // in the routing table
};

// What MibGetFirst and MibGetNext answer, one route each. The input of MibGetNext is the number of the last one.
struct StaticRow {
  std::uint32_t number = 0;
  std::uint32_t active = 0;
  StaticRoute route{};
};

extern const TpModule kStaticModule;
extern const TpModuleMib kStaticMib;

// Also of bytes that no table has seen. `complain` may be null; true: there is nothing to complain of.
bool is_right(const void* block, std::uint32_t size, TpModuleComplain complain, void* context);

}  // namespace turnpike::modules
