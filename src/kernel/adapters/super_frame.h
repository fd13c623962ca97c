// What a tap inside of a host sees and no wire ever carried: frames that are longer than the MTU, because the device or
// the stack has glued what came in (GRO, LRO) or not yet cut what goes out (TSO, GSO), and checksums that nobody has
// computed yet. A protocol driver must see neither, so they are made here into what a wire would have carried.
//
// The kernel says what it did in a header of its own before each frame (PACKET_VNET_HDR). It is believed about sizes
// and kinds only as far as the frame itself says the same: a frame inside a tunnel, for instance, is announced like one
// without, and cannot be cut. Pure: bytes in, bytes out; fuzz/kernel_frame_fuzz.cpp tries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "base/result.h"

namespace turnpike::kernel {

// The kernel's struct virtio_net_hdr, byte for byte (its own header is not for C++). In host order.
struct Offload {
  std::uint8_t flags = 0;
  std::uint8_t kind = 0;  // 1 TCP over IPv4, 4 TCP over IPv6, 5 UDP datagrams; with 0x80: congestion is told
  std::uint16_t header_length = 0;
  std::uint16_t segment_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;

  [[nodiscard]] bool is_super_frame() const { return kind != 0; }
  [[nodiscard]] bool lacks_checksum() const { return (flags & 1) != 0; }  // VIRTIO_NET_HDR_F_NEEDS_CSUM
  [[nodiscard]] bool is_verified() const { return (flags & 2) != 0; }     // VIRTIO_NET_HDR_F_DATA_VALID
};
static_assert(sizeof(Offload) == 10 && std::is_trivially_copyable_v<Offload>);

// Computes the checksum that `offload` says is missing. kInvalidArgument: it would lie outside of the frame.
Result<void> complete_checksum(std::span<std::byte> frame, const Offload& offload);

// A frame to be cut: of TCP, or of UDP where each piece is a datagram; over IPv4 or IPv6, with VLAN tags or without.
class SuperFrame {
 public:
  // Takes no copy. `header` is the link's: 14, or 0 where packets go bare. kInvalidArgument: it contradicts itself;
  // kUnsupported: of a kind that we do not cut.
  static Result<SuperFrame> read(std::span<const std::byte> frame, std::size_t header, const Offload& offload);

  [[nodiscard]] std::size_t pieces() const;  // at least 1
  [[nodiscard]] std::size_t longest() const;
  // Writes piece `index` to `out`, which has room for the longest; gives its size.
  std::size_t write(std::size_t index, std::span<std::byte> out) const;

 private:
  void write_network_header(std::size_t index, std::span<std::byte> piece) const;
  void write_transport_header(std::size_t index, std::span<std::byte> piece) const;

  std::span<const std::byte> frame_;
  std::size_t network_ = 0;    // where the IP header begins
  std::size_t transport_ = 0;  // where the TCP or UDP header begins
  std::size_t data_ = 0;       // and what is cut
  std::size_t segment_ = 0;
  bool ipv6_ = false;
  bool tcp_ = false;
};

}  // namespace turnpike::kernel
