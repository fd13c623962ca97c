// The forwarder as [forwarder] says, and how a reload changes it: what the kernel forwards by stands all the while.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/model.h"
#include "kernel/port.h"

namespace turnpike::daemon {

// Where none is wanted, none is started. Nothing: it is as wanted; else a reason for people.
[[nodiscard]] std::optional<std::string> start_forwarder(const config::ForwarderSettings& settings);

// From one to the other, in two steps with a plan of the router between them. The library has one forwarder at a time,
// so the former ends without taking its routes along, and the next one takes them over as they stand. Where that writes
// another table, the routes of the former table go when those of the new one are there.
class ForwarderChange {
 public:
  // Both outlive it, as the port does.
  ForwarderChange(kernel::Port& kernel, const config::ForwarderSettings& from, const config::ForwarderSettings& to)
      : kernel_(kernel), from_(from), to_(to) {}

  // Nothing: the new one runs, or none is wanted yet to end; else a reason, and all is as it was.
  [[nodiscard]] std::optional<std::string> begin();
  // The plan is refused.
  void undo();
  // It is made.
  void finish();

 private:
  [[nodiscard]] bool is_none() const { return from_ == to_; }
  [[nodiscard]] bool has_moved() const { return from_.enabled != 0 && to_.enabled != 0 && from_.table != to_.table; }
  bool await_all() const;
  void remove_from_former_table();

  kernel::Port& kernel_;
  const config::ForwarderSettings& from_;
  const config::ForwarderSettings& to_;
  std::uint64_t installed_ = 0;  // before
};

}  // namespace turnpike::daemon
