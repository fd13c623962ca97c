// The IP router manager's own variables of the MIB (iprtrmib.h; mprapi.md 2.11), as far as the kernel's tables answer
// them: interfaces, addresses, routes, and which way a packet would go. What is read is what holds at that moment; it
// is asked for by the documented calls of iphlpapi, as any program would.
//
// A route that is the routing table's has that table's protocol, age and metric; of others the kernel says who made
// them.
//
// An index has the columns of the RFCs' tables, in their order. "First" and "next" go by it, addresses as numbers. A
// whole table is one row: there is no next one.
#pragma once

#include <span>

#include "router/support.h"

namespace turnpike::router {

// Gives `data` behind the variable's number, as MIB_OPAQUE_INFO has it.
DWORD give(const MibRequest& request, DWORD variable, std::span<const std::byte> data);

// For a request that reads (MibCall::kGet…). ERROR_NOT_SUPPORTED: no variable of these, or one without an order that is
// asked for the next. ERROR_INVALID_PARAMETER: shorter than its index. ERROR_NOT_FOUND, ERROR_NO_MORE_ITEMS: no such
// row, no more rows.
DWORD read_ip_variable(const MibRequest& request);

}  // namespace turnpike::router
