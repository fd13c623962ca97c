#include "ndis/pools/net_buffers.h"

#include <cstring>

#include "ndis/pools/misuse.h"

namespace turnpike::ndis {
namespace {

constexpr std::uint32_t kMostData = 1U << 20;  // of a descriptor of a pool

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + kNetAlignment - 1) & ~std::size_t{kNetAlignment - 1};
}

// How a list lies in memory: itself, its context, its net buffer, the descriptor of its data, the data.
struct Piece {
  std::size_t context, buffer, mdl, data, end;
};
Piece pieces_of(const PoolShape& shape) {
  Piece at{};
  at.context = aligned(sizeof(NET_BUFFER_LIST));
  at.buffer = at.context + (shape.context_size != 0 ? aligned(kContextHeader + shape.context_size) : 0);
  at.mdl = at.buffer + (shape.with_net_buffer ? aligned(sizeof(NET_BUFFER)) : 0);
  at.data = at.mdl + (shape.data_size != 0 ? aligned(sizeof(MDL)) : 0);
  at.end = at.data + shape.data_size;
  return at;
}

// A header that states a revision and is as large as that one (contract, C.1).
bool is_good(const NDIS_OBJECT_HEADER& header, std::size_t first, std::size_t second) {
  const std::size_t least = header.Revision >= 2 ? second : first;
  return header.Type == NDIS_OBJECT_TYPE_DEFAULT && header.Revision >= 1 && header.Size >= least;
}

void set_up(NET_BUFFER& buffer, NDIS_HANDLE pool, const Shown& shown) noexcept {
  std::memset(&buffer, 0, sizeof(buffer));
  buffer.NdisPoolHandle = pool;
  buffer.MdlChain = shown.mdl;
  buffer.DataOffset = shown.offset;
  buffer.stDataLength = shown.length;
  find_current(buffer);
}

// Data that came with its descriptor: room for headers, all of it; a retreat makes it data.
Shown with_data(std::byte* mdl, std::byte* data, std::uint32_t size) noexcept {
  auto* const descriptor = reinterpret_cast<PMDL>(mdl);
  describe(*descriptor, data, size);
  return {descriptor, size, 0};
}

PNET_BUFFER_LIST_CONTEXT make_context(void* memory, std::uint16_t size, std::uint16_t unused) noexcept {
  auto* const context = static_cast<PNET_BUFFER_LIST_CONTEXT>(memory);
  context->Next = nullptr;
  context->Size = size;
  context->Offset = unused;
  return context;
}

bool is_shown(const Shown& shown, const char* function) noexcept {
  if (shown.mdl == nullptr && (shown.offset != 0 || shown.length != 0)) {
    report_misuse(function, "without memory the offset and the length are 0", std::uint64_t{shown.offset});
    return false;
  }
  return true;
}

}  // namespace

NDIS_HANDLE create_net_buffer_list_pool(NDIS_HANDLE owner, const NET_BUFFER_LIST_POOL_PARAMETERS* parameters) noexcept {
  constexpr const char* kFunction = "NdisAllocateNetBufferListPool";
  if (owner == nullptr || parameters == nullptr ||
      !is_good(parameters->Header, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
               NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2)) {
    report_misuse(kFunction, "the handle or the parameters are no good", parameters);
    return nullptr;
  }
  PoolShape shape;
  shape.kind = PoolKind::kNetBufferList;
  shape.with_net_buffer = parameters->fAllocateNetBuffer != FALSE;
  shape.context_size = parameters->ContextSize;
  shape.data_size = parameters->DataSize;
  shape.protocol_id = parameters->ProtocolId;
  shape.tag = parameters->PoolTag;
  shape.owner = reinterpret_cast<std::uintptr_t>(owner);
  shape.verify = parameters->Header.Revision >= 2 && (parameters->Flags & NET_BUFFER_LIST_POOL_FLAG_VERIFY) != 0;
  if ((shape.data_size != 0 && !shape.with_net_buffer) || shape.data_size > kMostData ||
      shape.context_size % kNetAlignment != 0) {
    report_misuse(kFunction, "data without a net buffer, too much of it, or an odd size of the context", parameters);
    return nullptr;
  }
  shape.size = static_cast<std::uint32_t>(pieces_of(shape).end);
  const auto handle = Pools::instance().create(shape);
  return handle ? to_ndis_handle(*handle) : nullptr;
}

NDIS_HANDLE create_net_buffer_pool(NDIS_HANDLE owner, const NET_BUFFER_POOL_PARAMETERS* parameters) noexcept {
  constexpr std::size_t kSize = NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1;
  if (owner == nullptr || parameters == nullptr || !is_good(parameters->Header, kSize, kSize) ||
      parameters->DataSize > kMostData) {
    report_misuse("NdisAllocateNetBufferPool", "the handle or the parameters are no good", parameters);
    return nullptr;
  }
  PoolShape shape;
  shape.kind = PoolKind::kNetBuffer;
  shape.data_size = parameters->DataSize;
  shape.tag = parameters->PoolTag;
  shape.owner = reinterpret_cast<std::uintptr_t>(owner);
  shape.size = static_cast<std::uint32_t>(aligned(sizeof(NET_BUFFER)) +
                                          (shape.data_size != 0 ? aligned(sizeof(MDL)) + shape.data_size : 0));
  const auto handle = Pools::instance().create(shape);
  return handle ? to_ndis_handle(*handle) : nullptr;
}

// --- lists -----------------------------------------------------------------------------------------------------------

PNET_BUFFER_LIST allocate_list(NDIS_HANDLE pool, std::uint16_t context, std::uint16_t back_fill, Wanted wanted,
                               const Shown& shown, const char* function) noexcept {
  const Pin<Pool> from = Pools::instance().pin(to_handle(pool), PoolKind::kNetBufferList);
  if (!from) {
    report_misuse(function, "the handle names no pool of net buffer lists", pool);
    return nullptr;
  }
  const PoolShape& shape = from->shape();
  if (wanted == Wanted::kOverMemory && (!shape.with_net_buffer || shape.data_size != 0)) {
    report_misuse(function, "the pool has no net buffers, or has data of its own", pool);
    return nullptr;
  }
  if (context % kNetAlignment != 0 || back_fill % kNetAlignment != 0 || context + back_fill > 0xFFF0) {
    report_misuse(function, "a context's size is a multiple of 16", pool);
    return nullptr;
  }
  if (!is_shown(shown, function)) {
    return nullptr;
  }
  auto* const memory = static_cast<std::byte*>(from->take());
  if (memory == nullptr) {
    return nullptr;
  }
  const Piece at = pieces_of(shape);
  auto* const list = reinterpret_cast<PNET_BUFFER_LIST>(memory);
  std::memset(memory, 0, sizeof(NET_BUFFER_LIST));
  list->NdisPoolHandle = pool;
  if (shape.context_size != 0) {
    list->Context = make_context(memory + at.context, shape.context_size, shape.context_size);
    list->NdisReserved[0] = list->Context;
  }
  if (shape.with_net_buffer) {
    list->FirstNetBuffer = reinterpret_cast<PNET_BUFFER>(memory + at.buffer);
    set_up(*list->FirstNetBuffer, pool,
           shape.data_size != 0 ? with_data(memory + at.mdl, memory + at.data, shape.data_size) : shown);
  }
  if (context + back_fill != 0 && allocate_context(*list, context, back_fill, function) != NDIS_STATUS_SUCCESS) {
    from->give(list);
    return nullptr;
  }
  return list;
}

void free_list(PNET_BUFFER_LIST list, const char* function) noexcept {
  Pool* const pool = Pools::instance().owner_of(list, PoolKind::kNetBufferList);
  if (pool == nullptr) {
    report_misuse(function, "this is no net buffer list that is in use", list);
    return;
  }
  if (is_in_flight(*list)) {
    report_misuse(function, "the list is being sent: not freed", list);
    return;
  }
  if (list->NdisReserved[1] != nullptr) {
    report_misuse(function, "a clone has a free function of its own", list);
    return;
  }
  if (pool->shape().with_net_buffer) {
    give_back_headers(
        *reinterpret_cast<PNET_BUFFER>(reinterpret_cast<std::byte*>(list) + pieces_of(pool->shape()).buffer));
  }
  bool more = false;
  while (list->Context != nullptr && list->Context != list->NdisReserved[0]) {
    PNET_BUFFER_LIST_CONTEXT const next = list->Context->Next;
    // The one that NdisAllocateNetBufferList made, if it did, is not the driver's to free.
    more |= next != list->NdisReserved[0];
    Pool* const owner = Pools::instance().owner_of(list->Context, PoolKind::kBytes);
    if (owner == nullptr || !owner->give(list->Context)) {
      break;
    }
    list->Context = next;
  }
  if (!pool->give(list)) {
    report_misuse(function, "this net buffer list was freed meanwhile", list);
  } else if (more) {
    report_misuse(function, "contexts that were allocated are to be freed first", list);
  }
}

// --- net buffers -----------------------------------------------------------------------------------------------------

PNET_BUFFER allocate_net_buffer(NDIS_HANDLE pool, const Shown& shown, const char* function) noexcept {
  const Pin<Pool> from = Pools::instance().pin(to_handle(pool), PoolKind::kNetBuffer);
  if (!from || from->shape().data_size != 0 || !is_shown(shown, function)) {
    report_misuse(function, "the handle names no pool of net buffers without data", pool);
    return nullptr;
  }
  auto* const buffer = static_cast<PNET_BUFFER>(from->take());
  if (buffer != nullptr) {
    set_up(*buffer, pool, shown);
  }
  return buffer;
}

PNET_BUFFER allocate_net_buffer_with_data(NDIS_HANDLE pool, const char* function) noexcept {
  const Pin<Pool> from = Pools::instance().pin(to_handle(pool), PoolKind::kNetBuffer);
  if (!from || from->shape().data_size == 0) {
    report_misuse(function, "the handle names no pool of net buffers with data", pool);
    return nullptr;
  }
  auto* const memory = static_cast<std::byte*>(from->take());
  if (memory == nullptr) {
    return nullptr;
  }
  auto* const buffer = reinterpret_cast<PNET_BUFFER>(memory);
  std::byte* const mdl = memory + aligned(sizeof(NET_BUFFER));
  set_up(*buffer, pool, with_data(mdl, mdl + aligned(sizeof(MDL)), from->shape().data_size));
  return buffer;
}

void free_net_buffer(PNET_BUFFER buffer, const char* function) noexcept {
  Pool* const pool = Pools::instance().owner_of(buffer, PoolKind::kNetBuffer);
  if (pool != nullptr) {
    give_back_headers(*buffer);
  }
  if (pool == nullptr || !pool->give(buffer)) {
    report_misuse(function, "this is no net buffer that is in use and was allocated by itself", buffer);
  }
}

// --- contexts --------------------------------------------------------------------------------------------------------

NDIS_STATUS allocate_context(NET_BUFFER_LIST& list, std::uint16_t size, std::uint16_t back_fill,
                             const char* function) noexcept {
  if (size % sizeof(void*) != 0 || back_fill % sizeof(void*) != 0 || size + back_fill > 0xFFF8) {
    report_misuse(function, "a context's size is a multiple of a pointer's", &list);
    return NDIS_STATUS_FAILURE;
  }
  if (list.Context != nullptr && list.Context->Offset >= size) {
    list.Context->Offset = static_cast<USHORT>(list.Context->Offset - size);
    return NDIS_STATUS_SUCCESS;
  }
  const auto whole = static_cast<std::uint16_t>(size + back_fill);
  Pool* const pool = Pools::instance().of_bytes(kContextHeader + whole);
  void* const memory = pool != nullptr ? pool->take() : nullptr;
  if (memory == nullptr) {
    return NDIS_STATUS_RESOURCES;
  }
  PNET_BUFFER_LIST_CONTEXT const context = make_context(memory, whole, back_fill);
  context->Next = list.Context;
  list.Context = context;
  return NDIS_STATUS_SUCCESS;
}

void free_context(NET_BUFFER_LIST& list, std::uint16_t size, const char* function) noexcept {
  PNET_BUFFER_LIST_CONTEXT const context = list.Context;
  if (context == nullptr || size > context->Size - context->Offset) {
    report_misuse(function, "there is no context of that size to free", &list);
    return;
  }
  context->Offset = static_cast<USHORT>(context->Offset + size);
  if (context->Offset == context->Size && context != list.NdisReserved[0]) {
    PNET_BUFFER_LIST_CONTEXT const next = context->Next;
    Pool* const pool = Pools::instance().owner_of(context, PoolKind::kBytes);
    if (pool != nullptr && pool->give(context)) {
      list.Context = next;
    }
  }
}

}  // namespace turnpike::ndis
