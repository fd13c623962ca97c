// Packets and buffers of NDIS 4 and 5: pools of them, and what is done with a chain of buffers (contract, D.9).
//
// Every function takes what a driver passes, null and stale pointers included, and answers as the contract says. A
// buffer is a memory descriptor: its chain is the driver's, and walked with a bound, for a chain that bites its tail
// would otherwise hold a thread for ever.
#pragma once

#include <ndis.h>

#include <atomic>
#include <cstddef>
#include <span>

#include "ndis/pools/pools.h"

namespace turnpike::ndis {

inline constexpr std::uint32_t kMostPackets = 0xFFFF;    // of a pool
inline constexpr std::uint32_t kLongestChain = 0x10000;  // more buffers than a frame has bytes

inline Handle to_handle(NDIS_HANDLE handle) { return Handle(reinterpret_cast<std::uintptr_t>(handle)); }
inline NDIS_HANDLE to_ndis_handle(Handle handle) {
  return reinterpret_cast<NDIS_HANDLE>(static_cast<std::uintptr_t>(handle));
}

// The memory that a descriptor describes.
inline std::span<std::byte> bytes_of(const MDL& mdl) {
  return {static_cast<std::byte*>(mdl.StartVa) + mdl.ByteOffset, mdl.ByteCount};
}
// Makes an MDL describe that memory.
void describe(MDL& mdl, void* memory, std::uint32_t length) noexcept;
inline std::uint32_t pages_of(const MDL& mdl) {
  return ADDRESS_AND_SIZE_TO_SPAN_PAGES(bytes_of(mdl).data(), mdl.ByteCount);
}

// Copies from one chain of descriptors into another; offsets count from the beginning of each. Says how many bytes.
std::size_t copy_chain(const MDL* to, std::size_t to_offset, const MDL* from, std::size_t from_offset,
                       std::size_t most) noexcept;

// --- packets
// While a packet is being sent it is ours: a bit of those that its driver leaves to NDIS says so.
inline constexpr UCHAR kPacketInFlight = 0x01;
inline bool is_in_flight(NDIS_PACKET& packet) noexcept {
  return (std::atomic_ref(packet.Private.NdisPacketFlags).load(std::memory_order_relaxed) & kPacketInFlight) != 0;
}
// False: it is in flight already. Who sends and who completes never do so at the same time, so it takes no lock.
inline bool take_flight(NDIS_PACKET& packet) noexcept {
  const std::atomic_ref flags(packet.Private.NdisPacketFlags);
  const UCHAR before = flags.load(std::memory_order_relaxed);
  flags.store(before | kPacketInFlight, std::memory_order_relaxed);
  return (before & kPacketInFlight) == 0;
}
inline void land(NDIS_PACKET& packet) noexcept {
  const std::atomic_ref flags(packet.Private.NdisPacketFlags);
  flags.store(flags.load(std::memory_order_relaxed) & static_cast<UCHAR>(~kPacketInFlight), std::memory_order_relaxed);
}

NDIS_STATUS create_packet_pool(std::uint32_t count, std::uint32_t overflow, std::uint32_t reserved,
                               NDIS_HANDLE& pool) noexcept;
PNDIS_PACKET allocate_packet(NDIS_HANDLE pool, const char* function) noexcept;
void free_packet(PNDIS_PACKET packet, const char* function) noexcept;

// Totals of the chain, from the packet where they are valid there; the packet then has them.
void count_packet(NDIS_PACKET& packet) noexcept;
void chain_at_front(NDIS_PACKET& packet, PNDIS_BUFFER buffers) noexcept;
void chain_at_back(NDIS_PACKET& packet, PNDIS_BUFFER buffers) noexcept;
PNDIS_BUFFER unchain_at_front(NDIS_PACKET& packet) noexcept;
PNDIS_BUFFER unchain_at_back(NDIS_PACKET& packet) noexcept;

// --- buffers
NDIS_STATUS create_buffer_pool(NDIS_HANDLE& pool) noexcept;
// Null: no pool of buffers, or no memory.
PNDIS_BUFFER allocate_buffer(NDIS_HANDLE pool, void* memory, std::uint32_t length, const char* function) noexcept;
void free_buffer(PMDL buffer, const char* function) noexcept;

// A pool's end, of any kind.
void free_pool(NDIS_HANDLE pool, PoolKind kind, const char* function) noexcept;

// Descriptors of memory that belong to no pool of a driver's (NdisAllocateMdl). Null: no memory.
PMDL allocate_mdl(void* memory, std::uint32_t length) noexcept;

}  // namespace turnpike::ndis
