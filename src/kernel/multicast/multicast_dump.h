// The entries of a multicast table, as the kernel tells them. For the moment in which a table is taken over, and no
// other: the kernel walks its table anew for each piece, so that what a million entries take is a hundred seconds.
#pragma once

#include <functional>

#include "base/result.h"
#include "kernel/net_namespace.h"
#include "mgm/forwarder_port.h"

namespace turnpike::kernel {

struct StandingEntry {
  mgm::Flow flow;
  net::InterfaceIndex parent;  // none: its device has gone
};

// Entries that the owner of the table made; not those that others added to it, nor flows that wait for an entry.
Result<void> dump_multicast(const NetNamespace& where, net::Family family, std::uint32_t table,
                            const std::function<void(const StandingEntry&)>& take);

}  // namespace turnpike::kernel
