// What the kernel is to throw away before it costs a copy: a program for its packet filter, made of what the bindings
// of an adapter want together.
//
// It goes by how the device took the frame (SKF_AD_PKTTYPE: for us, for all, for a group, for another, on its way out),
// so it needs no address of ours, which may change, and is right where a device has several. The room tests each frame
// for each binding anyway: this may let too much pass, never too little. Beyond kMostGroups groups or kMostTypes types
// it lets all of them pass.
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "ndis/port.h"

namespace turnpike::kernel {

inline constexpr std::size_t kMostGroups = 512;  // five instructions each, of 4096
inline constexpr std::size_t kMostTypes = 64;

// Whether anything is wanted at all.
[[nodiscard]] bool wants_frames(const ndis::Reception& wanted);

[[nodiscard]] std::vector<sock_filter> reception_program(const ndis::Reception& wanted);

// The same of one frame that the kernel was not asked to throw away; it does not go by types.
[[nodiscard]] bool takes(const ndis::Reception& wanted, ndis::Direction how, std::span<const std::byte> frame);

}  // namespace turnpike::kernel
