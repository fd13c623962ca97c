// Protocol: what a routing protocol does whatever it routes: it knows its settings and the interfaces that the router
// told it of, and brings the world in line with both whenever one of them changes. A module derives its own from it
// and says two things: what its settings mean (`use`), and what follows (`settle`).
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "links.h"

namespace turnpike::modules {

class Protocol {
 public:
  Protocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block)
      : support_(support), block_(std::move(block)) {}
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  virtual ~Protocol() = default;

  // The router manager calls these one at a time, but the reading ones from any thread.
  DWORD start_complete();
  DWORD add_interface(std::uint32_t index, Links::Link link);
  DWORD delete_interface(std::uint32_t index);
  DWORD interface_status(std::uint32_t index, DWORD type, const void* info);
  DWORD set_global(std::vector<std::uint8_t> block);
  DWORD set_interface(std::uint32_t index, std::vector<std::uint8_t> block);
  DWORD has_interface(std::uint32_t index);
  [[nodiscard]] std::vector<std::uint8_t> global_block();
  DWORD interface_block(std::uint32_t index, std::vector<std::uint8_t>& block);

 protected:
  // All under lock_, which no callback of the protocol takes.

  // From now on `block_` holds. Without memory it throws, and nothing has changed.
  virtual void use() = 0;
  // Makes it so. An error: something was refused; what could be done is done.
  virtual DWORD settle() = 0;

  std::mutex lock_;
  SUPPORT_FUNCTIONS support_;
  std::vector<std::uint8_t> block_;
  Links links_;
  bool complete_ = false;  // all first interfaces are there: before, things would come and go

 private:
  DWORD settle_if_complete() { return !complete_ || settle() == NO_ERROR ? NO_ERROR : ERROR_CAN_NOT_COMPLETE; }
};

}  // namespace turnpike::modules
