// PacketRing: the ring in which the kernel lays down what a packet socket receives (TPACKET_V2).
//
// Why version 2 and not 3: 2 says of each frame at once that it is there, 3 hands over whole blocks, when they are full
// or a timer of at least a millisecond has run out; a frame on an idle link waits for that timer (bench/ndis: 7 µs
// against 860). Under load both carry the same. Slots hold a frame of the MTU that the link had when the ring was made,
// and at least kLeastSlot; what is longer (a super-frame, a larger MTU) the kernel leaves in the slot cut off, and
// whole in the socket's queue, in the same order (PACKET_COPY_THRESH): so memory is not laid out for frames of 64 KiB
// that nearly never come.
#pragma once

#include <linux/if_packet.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "kernel/adapters/super_frame.h"

namespace turnpike::kernel {

class PacketRing {
 public:
  PacketRing() = default;
  PacketRing(PacketRing&& other) noexcept { *this = std::move(other); }
  PacketRing& operator=(PacketRing&& other) noexcept;
  ~PacketRing();

  static constexpr std::uint32_t kSlots = 2048;
  static constexpr std::uint32_t kLeastSlot = 1728;
  static constexpr std::uint32_t kMostSlot = 16320;

  // Lays the ring out for the socket, which speaks PACKET_VNET_HDR and is bound to nothing yet. kExhausted: no memory;
  // kKernel.
  static Result<PacketRing> lay_out(int socket, std::uint32_t mtu);

  // The slot `ahead` of the next one; null while the kernel has it.
  [[nodiscard]] tpacket2_hdr* ready(std::uint32_t ahead) const;
  // Gives the next `count` slots back.
  void release(std::uint32_t count);

  // Of a slot that is ready.
  [[nodiscard]] static std::span<std::byte> bytes(tpacket2_hdr& slot);
  [[nodiscard]] static Offload offload(const tpacket2_hdr& slot);
  [[nodiscard]] static bool is_cut_off(const tpacket2_hdr& slot) { return slot.tp_snaplen < slot.tp_len; }
  [[nodiscard]] static const sockaddr_ll& sender(const tpacket2_hdr& slot);

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::uint32_t slot_size_ = 0;
  std::uint32_t next_ = 0;
};

}  // namespace turnpike::kernel
