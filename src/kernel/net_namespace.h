// NetNamespace: a network namespace, to come back to from whatever thread and wherever that thread is.
#pragma once

#include <cstdint>
#include <functional>

#include "base/descriptor.h"
#include "base/result.h"

namespace turnpike::kernel {

class NetNamespace {
 public:
  // Of the calling thread. kKernel with the errno where /proc is not there.
  static Result<NetNamespace> current();

  // Tells it from every other that is there at the same time.
  [[nodiscard]] std::uint64_t id() const;

  // Does `work` with the calling thread in this namespace. Sockets made there stay there. kKernel where the thread is
  // elsewhere and may not move (CAP_SYS_ADMIN), then nothing is done. A thread that could not come back ends the
  // process: it would go on in a foreign network.
  Result<void> inside(const std::function<void()>& work) const;

 private:
  explicit NetNamespace(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

}  // namespace turnpike::kernel
