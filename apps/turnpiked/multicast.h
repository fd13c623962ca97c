// The kernel's multicast forwarding, as [multicast] says, and what administration is shown of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "config/model.h"

namespace turnpike::daemon {

// Both families as they are wanted, or neither; nothing: it is so, or a reason for people.
std::optional<std::string> start_multicast(const config::MulticastSettings& settings);
// Takes everything out of the kernel. A reason: multicast protocols run.
std::optional<std::string> stop_multicast();

// A line for `show status`.
[[nodiscard]] std::string multicast_text();
// Every forwarding entry of both families, with its counters; `named` are protocols with a name of their own.
[[nodiscard]] Value multicast_entries(const std::vector<config::Protocol>& named);

}  // namespace turnpike::daemon
