// Background: where what waits in the kernel is done, while whoever gave it goes on.
//
// The kernel works in the thread that calls it: on what is written, and on what is read of a dump. This room has no
// thread and asks for none; who has one to spare lends it so (`Port::read_ahead`, and the forwarder's batches).
#pragma once

#include <cstdint>
#include <functional>

namespace turnpike::kernel {

// Does jobs one after the other, somewhere else. src/runtime has one with a thread.
class Background {
 public:
  using Ticket = std::uint64_t;  // rises by one with each job

  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  virtual ~Background() = default;

  virtual Ticket begin(std::function<void()> job) = 0;
  // Returns when it and those before it are done.
  virtual void await(Ticket ticket) = 0;
};

}  // namespace turnpike::kernel
