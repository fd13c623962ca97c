// Where the data of a net buffer begins, and what lies there.
#include <algorithm>
#include <cstring>

#include "ndis/pools/misuse.h"
#include "ndis/pools/net_buffers.h"

namespace turnpike::ndis {
namespace {

// Memory for headers with its descriptor in front of it, one piece of a pool of the library.
constexpr std::size_t kMdlRoom = (sizeof(MDL) + kNetAlignment - 1) & ~std::size_t{kNetAlignment - 1};

PMDL allocate_headers(std::uint32_t bytes) noexcept {
  Pool* const pool = Pools::instance().of_bytes(kMdlRoom + bytes);
  auto* const memory = pool != nullptr ? static_cast<std::byte*>(pool->take()) : nullptr;
  if (memory == nullptr) {
    return nullptr;
  }
  auto* const mdl = reinterpret_cast<PMDL>(memory);
  describe(*mdl, memory + kMdlRoom, bytes);
  return mdl;
}

void free_headers(PMDL mdl, NET_BUFFER_FREE_MDL_HANDLER free, const char* function) noexcept {
  if (Pool* const pool = Pools::instance().owner_of(mdl, PoolKind::kBytes); pool != nullptr) {
    pool->give(mdl);
  } else if (free != nullptr) {
    free(mdl);
  } else {
    free_buffer(mdl, function);
  }
}

std::uintptr_t retreats(const NET_BUFFER& buffer) { return reinterpret_cast<std::uintptr_t>(buffer.NdisReserved[0]); }
void set_retreats(NET_BUFFER& buffer, std::uintptr_t count) { buffer.NdisReserved[0] = reinterpret_cast<PVOID>(count); }

}  // namespace

void find_current(NET_BUFFER& buffer) noexcept {
  PMDL mdl = buffer.MdlChain;
  std::uint32_t offset = buffer.DataOffset;
  while (mdl != nullptr && offset >= mdl->ByteCount && mdl->Next != nullptr) {
    offset -= mdl->ByteCount;
    mdl = mdl->Next;
  }
  buffer.CurrentMdl = mdl;
  buffer.CurrentMdlOffset = offset;
}

NDIS_STATUS retreat(NET_BUFFER& buffer, std::uint32_t delta, std::uint32_t back_fill,
                    NET_BUFFER_ALLOCATE_MDL_HANDLER allocate) noexcept {
  if (buffer.DataLength > ~std::uint32_t{0} - delta) {
    return NDIS_STATUS_FAILURE;
  }
  if (buffer.DataOffset < delta) {
    const std::uint64_t wanted = std::uint64_t{delta} + back_fill;
    if (wanted + buffer.DataOffset > ~std::uint32_t{0}) {
      return NDIS_STATUS_FAILURE;
    }
    auto size = static_cast<ULONG>(wanted);
    PMDL const mdl = allocate != nullptr ? allocate(&size) : allocate_headers(size);
    if (mdl == nullptr || mdl->ByteCount < wanted) {
      return NDIS_STATUS_RESOURCES;
    }
    mdl->Next = buffer.MdlChain;
    buffer.MdlChain = mdl;
    buffer.DataOffset += mdl->ByteCount;
    set_retreats(buffer, retreats(buffer) + 1);
  }
  buffer.DataOffset -= delta;
  buffer.DataLength += delta;
  find_current(buffer);
  return NDIS_STATUS_SUCCESS;
}

void advance(NET_BUFFER& buffer, std::uint32_t delta, bool free_mdl, NET_BUFFER_FREE_MDL_HANDLER free,
             const char* function) noexcept {
  if (delta > buffer.DataLength) {
    report_misuse(function, "the data is shorter than that", &buffer);
    return;
  }
  buffer.DataOffset += delta;
  buffer.DataLength -= delta;
  while (free_mdl && retreats(buffer) != 0 && buffer.MdlChain != nullptr &&
         buffer.DataOffset >= buffer.MdlChain->ByteCount) {
    PMDL const front = buffer.MdlChain;
    buffer.MdlChain = front->Next;
    buffer.DataOffset -= front->ByteCount;
    front->Next = nullptr;
    set_retreats(buffer, retreats(buffer) - 1);
    free_headers(front, free, function);
  }
  find_current(buffer);
}

void give_back_headers(NET_BUFFER& buffer) noexcept {
  for (; retreats(buffer) != 0; set_retreats(buffer, retreats(buffer) - 1)) {
    PMDL const front = buffer.MdlChain;
    Pool* const pool = Pools::instance().owner_of(front, PoolKind::kBytes);
    if (pool == nullptr) {
      return;  // the driver's own, and perhaps gone already: not looked at
    }
    buffer.MdlChain = front->Next;
    pool->give(front);
  }
}

NDIS_STATUS retreat_all(NET_BUFFER_LIST& list, std::uint32_t delta, std::uint32_t back_fill,
                        NET_BUFFER_ALLOCATE_MDL_HANDLER allocate, NET_BUFFER_FREE_MDL_HANDLER free,
                        const char* function) noexcept {
  for (PNET_BUFFER buffer = list.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    const NDIS_STATUS status = retreat(*buffer, delta, back_fill, allocate);
    if (status != NDIS_STATUS_SUCCESS) {
      for (PNET_BUFFER undone = list.FirstNetBuffer; undone != buffer; undone = undone->Next) {
        advance(*undone, delta, true, free, function);
      }
      return status;
    }
  }
  return NDIS_STATUS_SUCCESS;
}

void advance_all(NET_BUFFER_LIST& list, std::uint32_t delta, bool free_mdl, NET_BUFFER_FREE_MDL_HANDLER free,
                 const char* function) noexcept {
  for (PNET_BUFFER buffer = list.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    advance(*buffer, delta, free_mdl, free, function);
  }
}

void* data_buffer(const NET_BUFFER& buffer, std::uint32_t needed, void* storage, std::uint32_t multiple,
                  std::uint32_t offset) noexcept {
  const MDL* const mdl = buffer.CurrentMdl;
  if (needed > buffer.DataLength || mdl == nullptr || buffer.CurrentMdlOffset > mdl->ByteCount) {
    return nullptr;
  }
  const std::span<std::byte> here = bytes_of(*mdl).subspan(buffer.CurrentMdlOffset);
  const bool aligned = multiple < 2 || reinterpret_cast<std::uintptr_t>(here.data()) % multiple == offset % multiple;
  if (here.size() >= needed && aligned) {
    return here.data();
  }
  if (storage == nullptr) {
    return nullptr;
  }
  MDL target;
  describe(target, storage, needed);
  return copy_chain(&target, 0, mdl, buffer.CurrentMdlOffset, needed) == needed ? storage : nullptr;
}

std::uint32_t copy_between(NET_BUFFER& to, std::uint32_t to_offset, std::uint32_t most, const NET_BUFFER& from,
                           std::uint32_t from_offset) noexcept {
  const std::uint32_t there = from.DataLength > from_offset ? from.DataLength - from_offset : 0;
  return static_cast<std::uint32_t>(copy_chain(to.CurrentMdl, std::size_t{to.CurrentMdlOffset} + to_offset,
                                               from.CurrentMdl, std::size_t{from.CurrentMdlOffset} + from_offset,
                                               std::min(most, there)));
}

std::uint32_t physical_count(const NET_BUFFER& buffer) noexcept {
  std::uint32_t count = 0;
  std::size_t left = buffer.DataLength;
  std::size_t offset = buffer.CurrentMdlOffset;
  for (const MDL* mdl = buffer.CurrentMdl; mdl != nullptr && left != 0; mdl = mdl->Next) {
    const std::span<std::byte> whole = bytes_of(*mdl);
    const std::span<std::byte> used = whole.subspan(std::min(offset, whole.size()));
    const std::size_t here = std::min(used.size(), left);
    count += here != 0 ? ADDRESS_AND_SIZE_TO_SPAN_PAGES(used.data(), here) : 0;
    left -= here;
    offset = 0;
  }
  return count;
}

}  // namespace turnpike::ndis
