// Where the benchmarks of the kernel run: a network namespace of the process's own, made by the first who asks (as
// root, or in a user namespace), with a link that is up and leads to 10.0.0.0/24 and fd00::/64.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/real_port.h"

namespace turnpike::bench {

struct Place {
  std::unique_ptr<kernel::Port> port;
  kernel::InterfaceIndex link;
};

// Must be asked for before there is a second thread: a namespace is entered by a thread, and inherited.
Place& place();

// A command that has to go.
void run(std::vector<std::string> words);

// Ends the program, saying what did not go.
void must(bool good, const char* what);

}  // namespace turnpike::bench
