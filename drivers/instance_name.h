// What people call the adapter that a driver is offered: eth0.
#pragma once

#include <ndis.h>

#include <string>

namespace drivers {

// Of the adapter of a bind operation, as UTF-8.
std::string instance_name(NDIS_HANDLE bind_context);

}  // namespace drivers
