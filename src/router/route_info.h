// The routes in an interface's header: the block IP_ROUTE_INFO, or IPV6_ROUTE_INFO (ipinfoid.h; mprapi.md 2.10). Here
// it is where autostatic routes are stored: those whose protocol is PROTO_IP_NT_AUTOSTATIC. Others in it are handed on.
#pragma once

#include <ipinfoid.h>

#include <optional>
#include <vector>

#include "dim/info_header.h"
#include "dim/terms.h"

namespace turnpike::router {

using RouteItems = std::vector<INTERFACE_ROUTE_INFO>;

// Whatever routes the header has for that transport, in the present form or the older one of 56 bytes. Nothing: items
// of another size.
[[nodiscard]] std::optional<RouteItems> routes_in(const dim::Bytes& header, dim::TransportId transport);
[[nodiscard]] RouteItems autostatic_routes_in(const dim::Bytes& header, dim::TransportId transport);
// The header with these autostatic routes in place of those that it has.
[[nodiscard]] dim::Bytes with_autostatic_routes(const dim::Bytes& header, dim::TransportId transport,
                                                const RouteItems& routes);

}  // namespace turnpike::router
