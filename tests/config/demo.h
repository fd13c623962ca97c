// A protocol with every type of setting, as the tests of the configuration know it.
#pragma once

#include <cstdint>

#include "turnpike/module.h"

namespace turnpike::config {

struct DemoNeighbour {
  std::uint32_t address;
};

struct DemoHop {
  TpModuleAddress via;
  std::uint32_t weight;
};

struct DemoRoute {
  TpModuleAddress to;
  char interface[16];
  TpModuleList hops;
};

struct DemoGlobal {
  std::uint32_t on;
  std::int16_t offset;
  std::uint8_t small;
  std::uint32_t mode;
  std::uint32_t interval;
  std::uint64_t large;
  char name[8];
  wchar_t title[6];
  std::uint32_t address4;
  std::uint8_t address6[16];
  TpModuleAddress address;
  char secret[16];
  TpModuleList neighbours;
  TpModuleList routes;
};

struct DemoInterface {
  std::uint32_t cost;
};

// Complains of an interval below 2 s where `on` is set, and of a route without a hop.
extern const TpModule kDemo;

}  // namespace turnpike::config
