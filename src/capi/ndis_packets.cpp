// Packets and buffers of NDIS 4 and 5: the functions of turnpike_ndis5.h that need no binding, over ndis/packets.h.
// Each answers null pointers; what it stores, it stores through pointers that are there.
#include <ndis.h>

#include <algorithm>

#include "ndis/pools/misuse.h"
#include "ndis/pools/packets.h"

namespace ndis = turnpike::ndis;

namespace {

template <class T>
void store(T* place, T value) {
  if (place != nullptr) {
    *place = value;
  }
}

}  // namespace

VOID NdisAllocatePacketPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                            UINT ProtocolReservedLength) {
  NdisAllocatePacketPoolEx(Status, PoolHandle, NumberOfDescriptors, 0, ProtocolReservedLength);
}

VOID NdisAllocatePacketPoolEx(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT NumberOfDescriptors,
                              UINT NumberOfOverflowDescriptors, UINT ProtocolReservedLength) {
  if (PoolHandle == nullptr) {
    store(Status, NDIS_STATUS_FAILURE);
    return;
  }
  NDIS_HANDLE pool = nullptr;
  const NDIS_STATUS status =
      ndis::create_packet_pool(NumberOfDescriptors, NumberOfOverflowDescriptors, ProtocolReservedLength, pool);
  *PoolHandle = pool;
  store(Status, status);
}

VOID NdisFreePacketPool(NDIS_HANDLE PoolHandle) { ndis::free_pool(PoolHandle, ndis::PoolKind::kPacket, __func__); }

UINT NdisPacketPoolUsage(NDIS_HANDLE PoolHandle) {
  const auto pool = ndis::Pools::instance().pin(ndis::to_handle(PoolHandle), ndis::PoolKind::kPacket);
  if (!pool) {
    ndis::report_misuse(__func__, "the handle names no packet pool", PoolHandle);
    return 0;
  }
  return pool->in_use();
}

// The identifier tells a debugger whose pool it is; nothing depends on it.
VOID NdisSetPacketPoolProtocolId(NDIS_HANDLE PacketPoolHandle, UINT) { NdisPacketPoolUsage(PacketPoolHandle); }

NDIS_HANDLE NdisGetPoolFromPacket(PNDIS_PACKET Packet) {
  const ndis::Pool* const pool = ndis::Pools::instance().owner_of(Packet, ndis::PoolKind::kPacket);
  return pool != nullptr ? Packet->Private.Pool : nullptr;
}

UINT NdisPacketSize(UINT ProtocolReservedLength) {
  constexpr UINT kMost = 0xFFFF;  // no pool has packets with more
  const UINT own = std::min(ProtocolReservedLength, kMost) + static_cast<UINT>(sizeof(PVOID) - 1);
  return static_cast<UINT>(FIELD_OFFSET(NDIS_PACKET, ProtocolReserved) + own / sizeof(PVOID) * sizeof(PVOID) +
                           sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION));
}

VOID NdisAllocatePacket(PNDIS_STATUS Status, PNDIS_PACKET* Packet, NDIS_HANDLE PoolHandle) {
  if (Packet == nullptr) {
    store(Status, NDIS_STATUS_FAILURE);
    return;
  }
  const bool known =
      static_cast<bool>(ndis::Pools::instance().pin(ndis::to_handle(PoolHandle), ndis::PoolKind::kPacket));
  *Packet = ndis::allocate_packet(PoolHandle, __func__);
  store(Status, *Packet != nullptr ? NDIS_STATUS_SUCCESS : known ? NDIS_STATUS_RESOURCES : NDIS_STATUS_FAILURE);
}

VOID NdisFreePacket(PNDIS_PACKET Packet) { ndis::free_packet(Packet, __func__); }

VOID NdisQueryPacket(PNDIS_PACKET Packet, PUINT PhysicalBufferCount, PUINT BufferCount, PNDIS_BUFFER* FirstBuffer,
                     PUINT TotalPacketLength) {
  NDIS_PACKET_PRIVATE totals{};
  if (Packet != nullptr) {
    if (PhysicalBufferCount != nullptr || BufferCount != nullptr || TotalPacketLength != nullptr) {
      ndis::count_packet(*Packet);
    }
    totals = Packet->Private;
  }
  store(PhysicalBufferCount, totals.PhysicalCount);
  store(BufferCount, totals.Count);
  store(FirstBuffer, totals.Head);
  store(TotalPacketLength, totals.TotalLength);
}

VOID NdisQueryPacketLength(PNDIS_PACKET Packet, PUINT TotalPacketLength) {
  NdisQueryPacket(Packet, nullptr, nullptr, nullptr, TotalPacketLength);
}

VOID NdisRecalculatePacketCounts(PNDIS_PACKET Packet) {
  if (Packet != nullptr) {
    Packet->Private.ValidCounts = FALSE;
    ndis::count_packet(*Packet);
  }
}

VOID NdisGetFirstBufferFromPacket(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                  PUINT FirstBufferLength, PUINT TotalBufferLength) {
  UINT total = 0;
  NdisQueryPacketLength(Packet, &total);
  const PNDIS_BUFFER first = Packet != nullptr ? Packet->Private.Head : nullptr;
  store(FirstBuffer, first);
  store(FirstBufferVA, NdisBufferVirtualAddress(first));
  store(FirstBufferLength, NdisBufferLength(first));
  store(TotalBufferLength, total);
}

VOID NdisGetFirstBufferFromPacketSafe(PNDIS_PACKET Packet, PNDIS_BUFFER* FirstBuffer, PVOID* FirstBufferVA,
                                      PUINT FirstBufferLength, PUINT TotalBufferLength, MM_PAGE_PRIORITY) {
  NdisGetFirstBufferFromPacket(Packet, FirstBuffer, FirstBufferVA, FirstBufferLength, TotalBufferLength);
}

VOID NdisChainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer) {
  if (Packet != nullptr && Buffer != nullptr) {
    ndis::chain_at_front(*Packet, Buffer);
  }
}

VOID NdisChainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER Buffer) {
  if (Packet != nullptr && Buffer != nullptr) {
    ndis::chain_at_back(*Packet, Buffer);
  }
}

VOID NdisUnchainBufferAtFront(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer) {
  store(Buffer, Packet != nullptr && Buffer != nullptr ? ndis::unchain_at_front(*Packet) : nullptr);
}

VOID NdisUnchainBufferAtBack(PNDIS_PACKET Packet, PNDIS_BUFFER* Buffer) {
  store(Buffer, Packet != nullptr && Buffer != nullptr ? ndis::unchain_at_back(*Packet) : nullptr);
}

VOID NdisCopyFromPacketToPacket(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy, PNDIS_PACKET Source,
                                UINT SourceOffset, PUINT BytesCopied) {
  std::size_t copied = 0;
  if (Destination != nullptr && Source != nullptr) {
    copied =
        ndis::copy_chain(Destination->Private.Head, DestinationOffset, Source->Private.Head, SourceOffset, BytesToCopy);
  }
  store(BytesCopied, static_cast<UINT>(copied));
}

VOID NdisCopyFromPacketToPacketSafe(PNDIS_PACKET Destination, UINT DestinationOffset, UINT BytesToCopy,
                                    PNDIS_PACKET Source, UINT SourceOffset, PUINT BytesCopied, MM_PAGE_PRIORITY) {
  NdisCopyFromPacketToPacket(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset, BytesCopied);
}

// Always SUCCESS, as documented, but where there is nowhere to put the handle; without memory the handle is null, and
// allocations from it fail.
VOID NdisAllocateBufferPool(PNDIS_STATUS Status, PNDIS_HANDLE PoolHandle, UINT) {
  if (PoolHandle == nullptr) {
    store(Status, NDIS_STATUS_FAILURE);
    return;
  }
  *PoolHandle = nullptr;
  static_cast<void>(ndis::create_buffer_pool(*PoolHandle));
  store(Status, NDIS_STATUS_SUCCESS);
}

VOID NdisFreeBufferPool(NDIS_HANDLE PoolHandle) { ndis::free_pool(PoolHandle, ndis::PoolKind::kBuffer, __func__); }

VOID NdisAllocateBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle, PVOID VirtualAddress,
                        UINT Length) {
  if (Buffer == nullptr) {
    store(Status, NDIS_STATUS_FAILURE);
    return;
  }
  *Buffer = VirtualAddress != nullptr || Length == 0
                ? ndis::allocate_buffer(PoolHandle, VirtualAddress, Length, __func__)
                : nullptr;
  store(Status, *Buffer != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
}

VOID NdisFreeBuffer(PNDIS_BUFFER Buffer) { ndis::free_buffer(Buffer, __func__); }

VOID NdisCopyBuffer(PNDIS_STATUS Status, PNDIS_BUFFER* Buffer, NDIS_HANDLE PoolHandle, PVOID MemoryDescriptor,
                    UINT Offset, UINT Length) {
  const auto* const mdl = static_cast<const MDL*>(MemoryDescriptor);
  if (Buffer == nullptr || mdl == nullptr || Offset > mdl->ByteCount || Length > mdl->ByteCount - Offset) {
    store(Buffer, PNDIS_BUFFER{nullptr});
    store(Status, NDIS_STATUS_FAILURE);
    return;
  }
  NdisAllocateBuffer(Status, Buffer, PoolHandle, ndis::bytes_of(*mdl).data() + Offset, Length);
}

VOID NdisQueryBuffer(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length) {
  store(VirtualAddress, NdisBufferVirtualAddress(Buffer));
  store(Length, NdisBufferLength(Buffer));
}

VOID NdisQueryBufferSafe(PNDIS_BUFFER Buffer, PVOID* VirtualAddress, PUINT Length, MM_PAGE_PRIORITY) {
  NdisQueryBuffer(Buffer, VirtualAddress, Length);
}

VOID NdisQueryBufferOffset(PNDIS_BUFFER Buffer, PUINT Offset, PUINT Length) {
  store(Offset, Buffer != nullptr ? Buffer->ByteOffset : 0U);
  store(Length, NdisBufferLength(Buffer));
}

VOID NdisAdjustBufferLength(PNDIS_BUFFER Buffer, UINT Length) {
  if (Buffer != nullptr) {
    Buffer->ByteCount = Length;
  }
}

ULONG NdisBufferLength(PNDIS_BUFFER Buffer) { return Buffer != nullptr ? Buffer->ByteCount : 0; }
PVOID NdisBufferVirtualAddress(PNDIS_BUFFER Buffer) {
  return Buffer != nullptr ? ndis::bytes_of(*Buffer).data() : nullptr;
}
VOID NdisGetBufferPhysicalArraySize(PNDIS_BUFFER Buffer, PUINT ArraySize) {
  store(ArraySize, UINT{NDIS_BUFFER_TO_SPAN_PAGES(Buffer)});
}
// An empty buffer lies in a page all the same.
ULONG NDIS_BUFFER_TO_SPAN_PAGES(PNDIS_BUFFER Buffer) {
  return Buffer != nullptr ? std::max(1U, ndis::pages_of(*Buffer)) : 0;
}

// Stacks are for intermediate drivers; there are none.
PNDIS_PACKET_STACK NdisIMGetCurrentPacketStack(PNDIS_PACKET, BOOLEAN* StacksRemaining) {
  store(StacksRemaining, BOOLEAN{FALSE});
  return nullptr;
}
