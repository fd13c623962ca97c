#include "ndis/match.h"

#include <algorithm>

#include "ndis/engine.h"

namespace turnpike::ndis {
namespace {

std::uint16_t type_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

bool passes_filter(const FanOut& fan_out, const Outlet& outlet, const Seen& seen, bool local) {
  const std::uint32_t filter = outlet.filter;
  if ((filter & packet_type::kPromiscuous) != 0 || ((filter & packet_type::kAllLocal) != 0)) {
    return true;
  }
  if (local && filter == 0) {
    return false;
  }
  if (!outlet.frame_types.empty() && std::ranges::find(outlet.frame_types, seen.type) == outlet.frame_types.end()) {
    return false;
  }
  if (seen.to.is_broadcast()) {
    return (filter & packet_type::kBroadcast) != 0;
  }
  if (seen.to.is_multicast()) {
    return (filter & packet_type::kAllMulticast) != 0 ||
           ((filter & packet_type::kMulticast) != 0 && std::ranges::binary_search(outlet.groups, seen.to));
  }
  return (filter & packet_type::kDirected) != 0 && seen.to == fan_out.mac;
}

// Whether frames that somebody else on this machine sends may be shown to it (A.7).
bool sees_local(const FanOut& fan_out, const Outlet& outlet) {
  if (!fan_out.filtered || (outlet.filter & packet_type::kNoLocal) != 0) {
    return false;
  }
  return outlet.binding->generation() == Generation::k5 ? (outlet.options & option::kNoLoopback) == 0
                                                        : fan_out.v6_local;
}

}  // namespace

Seen look_at(const FanOut& fan_out, std::span<const std::byte> bytes) noexcept {
  Seen seen;
  if (!fan_out.filtered) {
    seen.valid = !bytes.empty();
    return seen;
  }
  if (bytes.size() < fan_out.header) {
    return seen;
  }
  net::MacAddress::Bytes to{};
  std::ranges::transform(bytes.first<6>(), to.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  seen.to = net::MacAddress(to);
  seen.type = type_at(bytes, 12);
  seen.tagged_inline = seen.type == 0x8100 || seen.type == 0x88A8;
  if (seen.tagged_inline && bytes.size() >= kLookedAt) {
    seen.type = type_at(bytes, 16);
  }
  seen.valid = true;
  return seen;
}

bool is_for(const FanOut& fan_out, const Outlet& outlet, const Seen& seen, const Origin& origin) noexcept {
  if (origin.local) {
    const bool own = origin.sender == outlet.binding.get();
    if (own ? !origin.to_self || (outlet.options & option::kNoLoopback) != 0 : !sees_local(fan_out, outlet)) {
      return false;
    }
  }
  return !fan_out.filtered || passes_filter(fan_out, outlet, seen, origin.local);
}

}  // namespace turnpike::ndis
