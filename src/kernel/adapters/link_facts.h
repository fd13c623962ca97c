// What NDIS wants to know of an interface, made of what netlink and ethtool say of it.
#pragma once

#include <optional>

#include "kernel/net_namespace.h"
#include "kernel/objects.h"
#include "ndis/port.h"

namespace turnpike::kernel {

// Nothing for an interface whose kind of link no protocol driver is offered (F.2 of the contract).
std::optional<ndis::AdapterFacts> facts_of(const Link& link, const NetNamespace& where);

}  // namespace turnpike::kernel
