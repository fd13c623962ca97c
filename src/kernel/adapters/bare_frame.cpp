#include "kernel/adapters/bare_frame.h"

#include <linux/if_ether.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"

namespace turnpike::kernel {

ndis::VlanTag take_tag(std::span<std::byte>& frame) {
  constexpr std::size_t kAddresses = 12;
  constexpr std::size_t kTag = 4;
  if (frame.size() < ETH_HLEN + kTag) return {};
  const auto u16 = [&frame](std::size_t at) {
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(frame[at]) << 8 |
                                      std::to_integer<unsigned>(frame[at + 1]));
  };
  if (u16(kAddresses) != ETH_P_8021Q && u16(kAddresses) != ETH_P_8021AD) return {};
  const ndis::VlanTag tag{u16(kAddresses + 2), u16(kAddresses)};
  std::memmove(frame.data() + kTag, frame.data(), kAddresses);
  frame = frame.subspan(kTag);
  return tag;
}

ndis::Direction direction_of(std::span<const std::byte> frame) {
  if ((frame[0] & std::byte{1}) == std::byte{0}) return ndis::Direction::kHost;
  const bool all = std::ranges::all_of(frame.first(6), [](std::byte each) { return each == std::byte{0xff}; });
  return all ? ndis::Direction::kBroadcast : ndis::Direction::kMulticast;
}

std::span<const ndis::InFrame> stamped(std::span<ndis::InFrame> batch) {
  const WallTime now = system_clock().wall();
  for (ndis::InFrame& each : batch) each.received = now;
  return batch;
}

}  // namespace turnpike::kernel
