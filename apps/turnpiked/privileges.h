// What the process may do: what a router needs, and no more.
#pragma once

#include "base/result.h"

namespace turnpike::daemon {

// Keeps CAP_NET_ADMIN and CAP_NET_RAW, gives every other capability away for good, and lets no program that it starts
// have more. Before the first thread. kDenied: CAP_NET_ADMIN is not there to be kept. kKernel.
Result<void> keep_only_the_network();

}  // namespace turnpike::daemon
