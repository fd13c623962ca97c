// The real port: the kernel's routing by netlink, in one network namespace.
#pragma once

#include <memory>

#include "kernel/port.h"

namespace turnpike::kernel {

// For the network namespace that the calling thread is in; all that it opens belongs there, whatever thread asks.
// kKernel with the errno where there is no netlink or no /proc.
Result<std::unique_ptr<Port>> open_real_port();

}  // namespace turnpike::kernel
