// ForwarderGuard: at most one forwarder for each (network namespace, kernel table, protocol number).
//
// The lock is a listening Unix socket with an abstract name. Such names live in the network namespace itself, so two
// namespaces do not disturb each other and no path has to be agreed upon; the kernel gives the name back with the last
// descriptor, so a process that dies holds nothing; and whoever connects is told by the kernel who listens. (A file
// below /run needs a folder with the right owner, and a second name for the namespace.) Any program of the namespace
// can take a name: one that should not have it is named by the refusal, too.
#pragma once

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace turnpike::runtime {

class ForwarderGuard {
 public:
  // kBusy: somebody holds it; `holder` then says who: "process 4711 (turnpiked)". kKernel: no socket.
  static Result<ForwarderGuard> take(std::uint32_t kernel_table, std::uint8_t protocol, std::string& holder);

 private:
  explicit ForwarderGuard(Descriptor listener) : listener_(std::move(listener)) {}
  Descriptor listener_;
};

}  // namespace turnpike::runtime
