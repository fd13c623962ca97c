// The module's global block, as the operator's file fills it (settings.cpp has the table), and what is right in one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "turnpike/module.h"

namespace turnpike::modules {

enum class Kind : std::uint32_t { kUnicast, kBlackhole, kUnreachable, kProhibit };

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

extern const TpModule kStaticModule;

// Also of bytes that no table has seen. `complain` may be null; true: there is nothing to complain of.
bool is_right(const void* block, std::uint32_t size, TpModuleComplain complain, void* context);

}  // namespace turnpike::modules
