#include "kernel/adapters/packet_ring.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace turnpike::kernel {
namespace {

// A slot is an odd number of cache lines long: at a power of two the headers of all slots would compete for the same
// few places of the cache. As many slots as a page has lines fill whole pages, which is what the kernel wants of a
// block, and leaves no gap between blocks.
constexpr std::uint32_t kLine = 64;
// The kernel's header and address, the alignment, the VNET header, Ethernet with two tags.
constexpr std::uint32_t kAroundPayload = 128;

std::atomic_ref<std::uint32_t> status_of(tpacket2_hdr& slot) { return std::atomic_ref(slot.tp_status); }

}  // namespace

PacketRing& PacketRing::operator=(PacketRing&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  std::swap(slot_size_, other.slot_size_);
  std::swap(next_, other.next_);
  return *this;
}

PacketRing::~PacketRing() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

Result<PacketRing> PacketRing::lay_out(int socket, std::uint32_t mtu) {
  PacketRing ring;
  const std::uint32_t lines = (std::clamp(mtu + kAroundPayload, kLeastSlot, kMostSlot) + kLine - 1) / kLine | 1;
  ring.slot_size_ = lines * kLine;
  const std::uint32_t per_block = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)) / kLine;
  const tpacket_req request{per_block * ring.slot_size_, kSlots / per_block, ring.slot_size_, kSlots};
  if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) {
    if (errno == ENOMEM) return fail(ErrorKind::kExhausted, "no memory for a packet ring");
    return fail_errno(errno, "the kernel lays out no packet ring");
  }
  ring.size_ = std::size_t{kSlots} * ring.slot_size_;
  void* const at = ::mmap(nullptr, ring.size_, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
  if (at == MAP_FAILED) return fail(ErrorKind::kExhausted, "a packet ring cannot be mapped");
  ring.memory_ = static_cast<std::byte*>(at);
  return ring;
}

tpacket2_hdr* PacketRing::ready(std::uint32_t ahead) const {
  if (ahead >= kSlots) return nullptr;
  auto* const slot =
      reinterpret_cast<tpacket2_hdr*>(memory_ + std::size_t{(next_ + ahead) % kSlots} * std::size_t{slot_size_});
  return (status_of(*slot).load(std::memory_order_acquire) & TP_STATUS_USER) != 0 ? slot : nullptr;
}

void PacketRing::release(std::uint32_t count) {
  for (; count > 0; --count, next_ = (next_ + 1) % kSlots) {
    auto* const slot = reinterpret_cast<tpacket2_hdr*>(memory_ + std::size_t{next_} * std::size_t{slot_size_});
    status_of(*slot).store(TP_STATUS_KERNEL, std::memory_order_release);
  }
}

std::span<std::byte> PacketRing::bytes(tpacket2_hdr& slot) {
  return {reinterpret_cast<std::byte*>(&slot) + slot.tp_mac, slot.tp_snaplen};
}

// It stands right before the frame.
Offload PacketRing::offload(const tpacket2_hdr& slot) {
  Offload offload;
  std::memcpy(&offload, reinterpret_cast<const std::byte*>(&slot) + slot.tp_mac - sizeof offload, sizeof offload);
  return offload;
}

const sockaddr_ll& PacketRing::sender(const tpacket2_hdr& slot) {
  return *reinterpret_cast<const sockaddr_ll*>(reinterpret_cast<const std::byte*>(&slot) +
                                               TPACKET_ALIGN(sizeof(tpacket2_hdr)));
}

}  // namespace turnpike::kernel
