// Net buffers and lists of them (NDIS 6): pools, contexts, the moving of the data's beginning, copies, clones
// (contract, D.16).
//
// A list comes out of its pool in one piece with what belongs to it from the start: the context that the pool promises,
// and, where the pool says so, one net buffer, its memory descriptor and its data. What is added later (a larger
// context, memory for headers in front) comes from pools of the library, in sizes of powers of two, so that nothing is
// allocated in steady state.
//
// What we must remember of an object lies in its NdisReserved:
//   list     [0] the context that came with it   [1] how a clone was made, plus one; 0: it is none
//   buffer   [0] how many descriptors retreats have put in front
#pragma once

#include <ndis.h>

#include "ndis/pools/packets.h"
#include "ndis/pools/pools.h"

namespace turnpike::ndis {

// Alignment of contexts and of data (MEMORY_ALLOCATION_ALIGNMENT).
inline constexpr std::uint32_t kNetAlignment = 16;
inline constexpr std::size_t kContextHeader = offsetof(NET_BUFFER_LIST_CONTEXT, ContextData);

// While a list is being sent it is ours: a bit of its Flags that belong to NDIS says so, as with packets.
inline constexpr ULONG kListInFlight = 0x00000400;
inline bool is_in_flight(NET_BUFFER_LIST& list) noexcept {
  return (std::atomic_ref(list.Flags).load(std::memory_order_relaxed) & kListInFlight) != 0;
}
inline bool take_flight(NET_BUFFER_LIST& list) noexcept {
  const std::atomic_ref flags(list.Flags);
  const ULONG before = flags.load(std::memory_order_relaxed);
  flags.store(before | kListInFlight, std::memory_order_relaxed);
  return (before & kListInFlight) == 0;
}
inline void land(NET_BUFFER_LIST& list) noexcept {
  const std::atomic_ref flags(list.Flags);
  flags.store(flags.load(std::memory_order_relaxed) & ~kListInFlight, std::memory_order_relaxed);
}

// Null: no memory, or parameters that are refused.
NDIS_HANDLE create_net_buffer_list_pool(NDIS_HANDLE owner, const NET_BUFFER_LIST_POOL_PARAMETERS* parameters) noexcept;
NDIS_HANDLE create_net_buffer_pool(NDIS_HANDLE owner, const NET_BUFFER_POOL_PARAMETERS* parameters) noexcept;

// Memory that a net buffer is to show; `offset` bytes of it are not in use yet.
struct Shown {
  PMDL mdl = nullptr;
  std::uint32_t offset = 0;
  std::size_t length = 0;
};

enum class Wanted : std::uint8_t { kAsThePoolSays, kOverMemory };
PNET_BUFFER_LIST allocate_list(NDIS_HANDLE pool, std::uint16_t context, std::uint16_t back_fill, Wanted wanted,
                               const Shown& shown, const char* function) noexcept;
void free_list(PNET_BUFFER_LIST list, const char* function) noexcept;
PNET_BUFFER allocate_net_buffer(NDIS_HANDLE pool, const Shown& shown, const char* function) noexcept;
PNET_BUFFER allocate_net_buffer_with_data(NDIS_HANDLE pool, const char* function) noexcept;
void free_net_buffer(PNET_BUFFER buffer, const char* function) noexcept;

NDIS_STATUS allocate_context(NET_BUFFER_LIST& list, std::uint16_t size, std::uint16_t back_fill,
                             const char* function) noexcept;
void free_context(NET_BUFFER_LIST& list, std::uint16_t size, const char* function) noexcept;

// --- where the data begins (net_buffer_data.cpp)
// Sets CurrentMdl and CurrentMdlOffset after DataOffset.
void find_current(NET_BUFFER& buffer) noexcept;
NDIS_STATUS retreat(NET_BUFFER& buffer, std::uint32_t delta, std::uint32_t back_fill,
                    NET_BUFFER_ALLOCATE_MDL_HANDLER allocate) noexcept;
void advance(NET_BUFFER& buffer, std::uint32_t delta, bool free_mdl, NET_BUFFER_FREE_MDL_HANDLER free,
             const char* function) noexcept;
// What retreats have put in front from our own memory, for a net buffer that ends with its data not advanced.
void give_back_headers(NET_BUFFER& buffer) noexcept;
NDIS_STATUS retreat_all(NET_BUFFER_LIST& list, std::uint32_t delta, std::uint32_t back_fill,
                        NET_BUFFER_ALLOCATE_MDL_HANDLER allocate, NET_BUFFER_FREE_MDL_HANDLER free,
                        const char* function) noexcept;
void advance_all(NET_BUFFER_LIST& list, std::uint32_t delta, bool free_mdl, NET_BUFFER_FREE_MDL_HANDLER free,
                 const char* function) noexcept;
void* data_buffer(const NET_BUFFER& buffer, std::uint32_t needed, void* storage, std::uint32_t multiple,
                  std::uint32_t offset) noexcept;
std::uint32_t copy_between(NET_BUFFER& to, std::uint32_t to_offset, std::uint32_t most, const NET_BUFFER& from,
                           std::uint32_t from_offset) noexcept;
std::uint32_t physical_count(const NET_BUFFER& buffer) noexcept;

// --- lists that describe the data of others (clones.cpp)
PNET_BUFFER_LIST allocate_clone(NET_BUFFER_LIST& original, NDIS_HANDLE list_pool, NDIS_HANDLE buffer_pool,
                                std::uint32_t flags, const char* function) noexcept;
void free_clone(PNET_BUFFER_LIST clone, std::uint32_t flags, const char* function) noexcept;

struct Fragmenting {
  std::uint32_t start = 0;  // bytes of each net buffer that are left out
  std::uint32_t most = 0;   // of data in one fragment
  std::uint32_t delta = 0;  // to be retreated in each
  std::uint32_t back_fill = 0;
};
PNET_BUFFER_LIST allocate_fragments(NET_BUFFER_LIST& original, NDIS_HANDLE list_pool, NDIS_HANDLE buffer_pool,
                                    const Fragmenting& how, const char* function) noexcept;
PNET_BUFFER_LIST allocate_reassembled(NET_BUFFER_LIST& fragments, NDIS_HANDLE pool, const Fragmenting& how,
                                      const char* function) noexcept;
// Of fragments and of what was put together again.
void free_derived(PNET_BUFFER_LIST list, std::uint32_t delta, const char* function) noexcept;

}  // namespace turnpike::ndis
