// What the kernel itself says of an address and of a link's number, asked and not remembered.
#pragma once

#include <cstdint>
#include <string>

#include "base/value.h"
#include "net/address.h"

namespace turnpike::daemon {

// Which way the kernel would send a packet to it now: {route, dev, via, …}, or {error}.
[[nodiscard]] Value kernel_answer(const net::Address& address);

// "eth0", or the number where no link has it.
[[nodiscard]] std::string interface_name(std::uint32_t index);

}  // namespace turnpike::daemon
