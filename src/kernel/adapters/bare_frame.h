// A frame of which nobody says more than its own bytes do: what comes by AF_XDP or out of a TAP device, where no kernel
// has taken the tag out of it, nor noted whom it was for and when it came.
#pragma once

#include <cstddef>
#include <span>

#include "ndis/port.h"

namespace turnpike::kernel {

// Takes the outermost VLAN tag out of an Ethernet frame: the addresses move up to what is behind it, and `frame` begins
// four bytes later.
ndis::VlanTag take_tag(std::span<std::byte>& frame);

// By the destination of an Ethernet frame of at least 6 bytes. Which single station it is for it does not say: kHost.
[[nodiscard]] ndis::Direction direction_of(std::span<const std::byte> frame);

// The same frames, which came just now.
std::span<const ndis::InFrame> stamped(std::span<ndis::InFrame> batch);

}  // namespace turnpike::kernel
