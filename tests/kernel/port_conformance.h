// One suite for every port: what port.h and the kernel model promise, each promise a case, run over the kernel itself
// in a fresh network namespace and over the kernel in memory. A case that one of them fails shows which is wrong.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/port.h"

namespace turnpike::kernel {

// A port and the machine around it, empty: no link but loopback, no route.
class World {
 public:
  virtual ~World() = default;
  virtual Port& port() = 0;
  // A link that is up and has a carrier.
  virtual InterfaceIndex add_link(const std::string& name) = 0;
  virtual void remove_link(const std::string& name) = 0;
};

struct Case {
  std::string name;
  void (*run)(World& world);
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

const std::vector<Case>& conformance_cases();

}  // namespace turnpike::kernel
