#include "ndis/transport.h"

namespace turnpike::ndis {
namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kTcpHeader = 20;

unsigned u8(std::span<const std::byte> bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }
unsigned u16(std::span<const std::byte> bytes, std::size_t at) { return u8(bytes, at) << 8 | u8(bytes, at + 1); }

// 4 or 6, if it says so itself.
unsigned version_of(std::span<const std::byte> packet) { return packet.empty() ? 0 : u8(packet, 0) >> 4; }

// The packet of a frame; empty where it is none of IP.
std::span<const std::byte> packet_of(std::span<const std::byte> frame, std::size_t header) {
  if (header == 0) {
    return frame;
  }
  for (int tags = 0; tags <= 2; ++tags, header += 4) {
    if (frame.size() < header) {
      return {};
    }
    const unsigned type = u16(frame, header - 2);
    if (type == 0x0800 || type == 0x86DD) {
      const std::span<const std::byte> packet = frame.subspan(header);
      return version_of(packet) == (type == 0x0800 ? 4 : 6) ? packet : std::span<const std::byte>();
    }
    if (type != 0x8100 && type != 0x88A8) {
      return {};
    }
  }
  return {};
}

}  // namespace

Transport transport_of(std::span<const std::byte> frame, std::size_t header) noexcept {
  const std::span<const std::byte> packet = packet_of(frame, header);
  std::size_t network = 0;
  unsigned protocol = 0;
  if (packet.size() >= 20 && version_of(packet) == 4) {
    constexpr unsigned kMoreOrOffset = 0x3fff;
    network = std::size_t{u8(packet, 0) & 15} * 4;
    protocol = network >= 20 && (u16(packet, 6) & kMoreOrOffset) == 0 ? u8(packet, 9) : 0;
  } else if (packet.size() >= 40 && version_of(packet) == 6) {
    network = 40;
    protocol = u8(packet, 6);
  }
  if (protocol == 6 && packet.size() >= network + kTcpHeader) {
    return Transport::kTcp;
  }
  if (protocol == 17 && packet.size() >= network + kUdpHeader && u16(packet, network + 6) != 0) {
    return Transport::kUdp;
  }
  return Transport::kNone;
}

}  // namespace turnpike::ndis
