// Whose checksum an adapter means when it says that a frame's is right (InFrame::checksum_good).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace turnpike::ndis {

enum class Transport : std::uint8_t { kNone, kTcp, kUdp };

// TCP or UDP right behind the header of IPv4 or IPv6, behind at most two VLAN tags; kNone for everything of which one
// checksum cannot be right or wrong: fragments, UDP that was sent without, what is cut short. `header`: bytes before
// the payload, 14 or 0.
Transport transport_of(std::span<const std::byte> frame, std::size_t header) noexcept;

}  // namespace turnpike::ndis
