#include "ndis/pools/packets.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "ndis/pools/misuse.h"

namespace turnpike::ndis {
namespace {

constexpr std::size_t kReservedOffset = offsetof(NDIS_PACKET, ProtocolReserved);

// Where the out-of-band block lies in a packet with so much of the protocol's own.
constexpr std::uint64_t out_of_band_offset(std::uint32_t reserved) {
  return (kReservedOffset + std::uint64_t{reserved} + alignof(void*) - 1) & ~std::uint64_t{alignof(void*) - 1};
}

PNDIS_BUFFER last_of(PNDIS_BUFFER buffers) noexcept {
  std::uint32_t walked = 0;
  while (buffers->Next != nullptr && ++walked < kLongestChain) {
    buffers = buffers->Next;
  }
  return buffers;
}

}  // namespace

void describe(MDL& mdl, void* memory, std::uint32_t length) noexcept {
  MmInitializeMdl(&mdl, memory, length);
  mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
}

std::size_t copy_chain(const MDL* to, std::size_t to_offset, const MDL* from, std::size_t from_offset,
                       std::size_t most) noexcept {
  std::size_t copied = 0;
  std::uint32_t walked = 0;
  while (copied < most && to != nullptr && from != nullptr && walked < 2 * kLongestChain) {
    if (to_offset >= to->ByteCount) {
      to_offset -= to->ByteCount;
      to = to->Next;
      ++walked;
    } else if (from_offset >= from->ByteCount) {
      from_offset -= from->ByteCount;
      from = from->Next;
      ++walked;
    } else {
      const std::span<std::byte> target = bytes_of(*to).subspan(to_offset);
      const std::span<std::byte> source = bytes_of(*from).subspan(from_offset);
      const std::size_t now = std::min({target.size(), source.size(), most - copied});
      std::memmove(target.data(), source.data(), now);
      copied += now;
      to_offset += now;
      from_offset += now;
    }
  }
  return copied;
}

// --- packets ---------------------------------------------------------------------------------------------------------

NDIS_STATUS create_packet_pool(std::uint32_t count, std::uint32_t overflow, std::uint32_t reserved,
                               NDIS_HANDLE& pool) noexcept {
  const std::uint64_t out_of_band = out_of_band_offset(reserved);
  if (count > kMostPackets || out_of_band > std::numeric_limits<USHORT>::max()) {
    return NDIS_STATUS_RESOURCES;
  }
  PoolShape shape;
  shape.kind = PoolKind::kPacket;
  shape.out_of_band = static_cast<std::uint16_t>(out_of_band);
  shape.size = static_cast<std::uint32_t>(out_of_band + sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION));
  shape.limit = count + std::min(overflow, kMostPackets - count);
  const auto handle = Pools::instance().create(shape);
  if (!handle) {
    return NDIS_STATUS_RESOURCES;
  }
  pool = to_ndis_handle(*handle);
  return NDIS_STATUS_SUCCESS;
}

PNDIS_PACKET allocate_packet(NDIS_HANDLE pool, const char* function) noexcept {
  const Pin<Pool> from = Pools::instance().pin(to_handle(pool), PoolKind::kPacket);
  if (!from) {
    report_misuse(function, "the handle names no packet pool", pool);
    return nullptr;
  }
  void* const memory = from->take();
  if (memory == nullptr) {
    return nullptr;
  }
  std::memset(memory, 0, from->shape().size);
  auto* const packet = static_cast<PNDIS_PACKET>(memory);
  packet->Private.Pool = static_cast<PNDIS_PACKET_POOL>(pool);
  packet->Private.NdisPacketFlags = fPACKET_ALLOCATED_BY_NDIS;
  packet->Private.NdisPacketOobOffset = from->shape().out_of_band;
  return packet;
}

void free_packet(PNDIS_PACKET packet, const char* function) noexcept {
  Pool* const pool = Pools::instance().owner_of(packet, PoolKind::kPacket);
  if (pool != nullptr && is_in_flight(*packet)) {
    report_misuse(function, "the packet is being sent: not freed", packet);
    return;
  }
  if (pool == nullptr || !pool->give(packet)) {
    report_misuse(function, "this is no packet that is in use", packet);
  }
}

void count_packet(NDIS_PACKET& packet) noexcept {
  NDIS_PACKET_PRIVATE& totals = packet.Private;
  if (totals.ValidCounts != FALSE) {
    return;
  }
  totals.Count = totals.PhysicalCount = totals.TotalLength = 0;
  for (PNDIS_BUFFER buffer = totals.Head; buffer != nullptr && totals.Count < kLongestChain; buffer = buffer->Next) {
    totals.Tail = buffer;
    totals.TotalLength += buffer->ByteCount;
    totals.PhysicalCount += pages_of(*buffer);
    ++totals.Count;
  }
  totals.ValidCounts = TRUE;
}

void chain_at_front(NDIS_PACKET& packet, PNDIS_BUFFER buffers) noexcept {
  PNDIS_BUFFER const last = last_of(buffers);
  if (packet.Private.Head == nullptr) {
    packet.Private.Tail = last;
  }
  last->Next = packet.Private.Head;
  packet.Private.Head = buffers;
  packet.Private.ValidCounts = FALSE;
}

void chain_at_back(NDIS_PACKET& packet, PNDIS_BUFFER buffers) noexcept {
  PNDIS_BUFFER const last = last_of(buffers);
  if (packet.Private.Head == nullptr) {
    packet.Private.Head = buffers;
  } else {
    packet.Private.Tail->Next = buffers;
  }
  packet.Private.Tail = last;
  packet.Private.ValidCounts = FALSE;
}

PNDIS_BUFFER unchain_at_front(NDIS_PACKET& packet) noexcept {
  PNDIS_BUFFER const buffer = packet.Private.Head;
  if (buffer != nullptr) {
    packet.Private.Head = buffer->Next;
    if (packet.Private.Head == nullptr) {
      packet.Private.Tail = nullptr;
    }
    buffer->Next = nullptr;
    packet.Private.ValidCounts = FALSE;
  }
  return buffer;
}

PNDIS_BUFFER unchain_at_back(NDIS_PACKET& packet) noexcept {
  PNDIS_BUFFER const tail = packet.Private.Head != nullptr ? packet.Private.Tail : nullptr;
  if (tail == nullptr || tail == packet.Private.Head) {
    return unchain_at_front(packet);
  }
  PNDIS_BUFFER before = packet.Private.Head;
  for (std::uint32_t walked = 0; before->Next != tail; before = before->Next) {
    if (before->Next == nullptr || ++walked == kLongestChain) {
      return nullptr;  // a tail that is not in the chain: there is nothing that could be taken off
    }
  }
  before->Next = nullptr;
  packet.Private.Tail = before;
  packet.Private.ValidCounts = FALSE;
  return tail;
}

// --- buffers ---------------------------------------------------------------------------------------------------------

NDIS_STATUS create_buffer_pool(NDIS_HANDLE& pool) noexcept {
  PoolShape shape;
  shape.kind = PoolKind::kBuffer;
  shape.size = sizeof(MDL);
  const auto handle = Pools::instance().create(shape);
  if (!handle) {
    return NDIS_STATUS_RESOURCES;
  }
  pool = to_ndis_handle(*handle);
  return NDIS_STATUS_SUCCESS;
}

PNDIS_BUFFER allocate_buffer(NDIS_HANDLE pool, void* memory, std::uint32_t length, const char* function) noexcept {
  const Pin<Pool> from = Pools::instance().pin(to_handle(pool), PoolKind::kBuffer);
  if (!from) {
    report_misuse(function, "the handle names no buffer pool", pool);
    return nullptr;
  }
  auto* const buffer = static_cast<PNDIS_BUFFER>(from->take());
  if (buffer != nullptr) {
    describe(*buffer, memory, length);
  }
  return buffer;
}

void free_buffer(PMDL buffer, const char* function) noexcept {
  Pool* const pool = Pools::instance().owner_of(buffer);
  const bool ours =
      pool != nullptr && (pool->shape().kind == PoolKind::kBuffer || pool->shape().kind == PoolKind::kMdl);
  if (!ours || !pool->give(buffer)) {
    report_misuse(function, "this is no descriptor of memory that is in use", buffer);
  }
}

void free_pool(NDIS_HANDLE pool, PoolKind kind, const char* function) noexcept {
  std::uint32_t left = 0;
  if (!Pools::instance().close(to_handle(pool), kind, left)) {
    report_misuse(function, "the handle names no pool of that kind", pool);
  } else if (left != 0) {
    report_misuse(function, "the pool is freed while descriptors of it are in use", pool);
  }
}

PMDL allocate_mdl(void* memory, std::uint32_t length) noexcept {
  PoolShape shape;
  shape.kind = PoolKind::kMdl;
  shape.size = sizeof(MDL);
  Pool* const pool = Pools::instance().own(PoolKind::kMdl, shape);
  auto* const mdl = pool != nullptr ? static_cast<PMDL>(pool->take()) : nullptr;
  if (mdl != nullptr) {
    describe(*mdl, memory, length);
  }
  return mdl;
}

}  // namespace turnpike::ndis
