// What people call the adapter that a driver is offered: eth0.
#pragma once

#include <ndis.h>

#include <string>

namespace drivers {

inline constexpr const char* kUnknown = "unknown";

// Of the adapter of a bind operation or a binding, as UTF-8; kUnknown where there is none any more.
std::string instance_name(NDIS_HANDLE bind_context_or_binding);

}  // namespace drivers
