// Keeps the calling thread, and those that it begins meanwhile, on the first processor it may use. What a thread sends
// then keeps its order: what a veth is given waits at its other end in a queue of the processor that gave it, and on a
// busy machine that may be long.
#pragma once

#include <sched.h>

namespace turnpike::ground {

class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t first;
    CPU_ZERO(&first);
    for (int processor = 0; processor < CPU_SETSIZE && CPU_COUNT(&first) == 0; ++processor) {
      if (CPU_ISSET(processor, &before_)) CPU_SET(processor, &first);
    }
    ::sched_setaffinity(0, sizeof first, &first);
  }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

}  // namespace turnpike::ground
