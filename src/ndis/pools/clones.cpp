// Lists that describe the data of others: clones, fragments, and what is put together from fragments.
//
// All three are a list whose net buffers show ranges of memory that somebody else's descriptors show already. A clone
// may share those descriptors (its own chain then begins in the middle of the original's, and nothing of it is written
// to); else it has descriptors of its own, one for each that the range touches. Who frees it need not say which: it was
// noted when it was made, and what the driver says is compared with that.
#include <algorithm>
#include <atomic>

#include "ndis/pools/misuse.h"
#include "ndis/pools/net_buffers.h"

namespace turnpike::ndis {
namespace {

// NdisReserved[1]: how a derived list was made. Never 0.
constexpr std::uintptr_t kMade = 1, kDerived = 0x100;
std::uintptr_t made_of(const NET_BUFFER_LIST& list) { return reinterpret_cast<std::uintptr_t>(list.NdisReserved[1]); }
void set_made(NET_BUFFER_LIST& list, std::uintptr_t made) { list.NdisReserved[1] = reinterpret_cast<PVOID>(made); }

// A chain of descriptors that is being built.
struct Chain {
  PMDL first = nullptr;
  PMDL last = nullptr;
  std::uint32_t length = 0;

  bool append(void* memory, std::uint32_t bytes) noexcept {
    PMDL const mdl = allocate_mdl(memory, bytes);
    if (mdl == nullptr) {
      return false;
    }
    (last != nullptr ? last->Next : first) = mdl;
    last = mdl;
    length += bytes;
    return true;
  }
};

// Of our own descriptors, those that a retreat has put in front among them.
void free_chain(PMDL mdl) noexcept {
  while (Pool* const pool = Pools::instance().owner_of(mdl)) {
    PMDL const next = mdl->Next;
    if (!pool->give(mdl)) {
      return;
    }
    mdl = next;
  }
}

// Descriptors of `length` bytes of a buffer's data from `offset` on; false: no memory, and what was appended stays.
bool describe_range(Chain& chain, const NET_BUFFER& buffer, std::size_t offset, std::size_t length) noexcept {
  std::size_t skip = buffer.CurrentMdlOffset + offset;
  std::size_t left =
      std::min<std::size_t>(length, buffer.DataLength - std::min<std::size_t>(offset, buffer.DataLength));
  for (const MDL* mdl = buffer.CurrentMdl; mdl != nullptr && left != 0; mdl = mdl->Next) {
    if (skip >= mdl->ByteCount) {
      skip -= mdl->ByteCount;
      continue;
    }
    const std::span<std::byte> here = bytes_of(*mdl).subspan(skip);
    const auto bytes = static_cast<std::uint32_t>(std::min(here.size(), left));
    if (!chain.append(here.data(), bytes)) {
      return false;
    }
    left -= bytes;
    skip = 0;
  }
  return true;
}

// Where the parts of a derived list come from: the driver's pools, or where it names none, the library's.
class Source {
 public:
  Source(NDIS_HANDLE list_pool, NDIS_HANDLE buffer_pool, const char* function)
      : list_pool_(list_pool), buffer_pool_(buffer_pool), function_(function) {}

  // An empty list, with its own net buffer put aside.
  PNET_BUFFER_LIST list() noexcept {
    PNET_BUFFER_LIST const made = allocate_list(list_pool_ != nullptr ? list_pool_ : own_list_pool(), 0, 0,
                                                Wanted::kAsThePoolSays, {}, function_);
    if (made != nullptr) {
      aside_ = made->FirstNetBuffer;
      made->FirstNetBuffer = nullptr;
    }
    return made;
  }

  PNET_BUFFER buffer(const Shown& shown) noexcept {
    if (aside_ != nullptr && aside_->MdlChain == nullptr) {
      PNET_BUFFER const made = aside_;
      aside_ = nullptr;
      made->MdlChain = shown.mdl;
      made->DataOffset = shown.offset;
      made->stDataLength = shown.length;
      find_current(*made);
      return made;
    }
    return allocate_net_buffer(buffer_pool_ != nullptr ? buffer_pool_ : own_buffer_pool(), shown, function_);
  }

 private:
  static NDIS_HANDLE own_list_pool() noexcept {
    static const NDIS_HANDLE pool = [] {
      NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
      parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                           NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
      parameters.fAllocateNetBuffer = TRUE;
      return create_net_buffer_list_pool(&own_list_pool_mark, &parameters);
    }();
    return pool;
  }
  static NDIS_HANDLE own_buffer_pool() noexcept {
    static const NDIS_HANDLE pool = [] {
      NET_BUFFER_POOL_PARAMETERS parameters{};
      parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                           NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
      return create_net_buffer_pool(&own_list_pool_mark, &parameters);
    }();
    return pool;
  }

  static inline char own_list_pool_mark = 0;  // the owner of the library's own pools: nobody's handle
  NDIS_HANDLE list_pool_;
  NDIS_HANDLE buffer_pool_;
  const char* function_;
  PNET_BUFFER aside_ = nullptr;
};

// Gives a derived list back with its net buffers and, where it has its own, their descriptors.
void dispose(PNET_BUFFER_LIST list, bool own_descriptors, const char* function) noexcept {
  PNET_BUFFER buffer = list->FirstNetBuffer;
  list->FirstNetBuffer = nullptr;
  while (buffer != nullptr) {
    PNET_BUFFER const next = buffer->Next;
    if (own_descriptors) {
      free_chain(buffer->MdlChain);
      buffer->MdlChain = nullptr;
      buffer->NdisReserved[0] = nullptr;
    }
    if (Pools::instance().owner_of(buffer, PoolKind::kNetBuffer) != nullptr) {
      free_net_buffer(buffer, function);  // else it came with the list
    }
    buffer = next;
  }
  set_made(*list, 0);
  free_list(list, function);
}

void count_child(NET_BUFFER_LIST& parent, LONG more) noexcept {
  std::atomic_ref(parent.ChildRefCount).fetch_add(more, std::memory_order_acq_rel);
}

// Adds one net buffer over `chain` to the end of a list and retreats it; false: no memory.
bool add_buffer(Source& source, PNET_BUFFER*& end, const Chain& chain, const Fragmenting& how) noexcept {
  PNET_BUFFER const buffer = source.buffer({chain.first, 0, chain.length});
  if (buffer == nullptr) {
    free_chain(chain.first);
    return false;
  }
  *end = buffer;
  end = &buffer->Next;
  return how.delta == 0 || retreat(*buffer, how.delta, how.back_fill, nullptr) == NDIS_STATUS_SUCCESS;
}

bool is_derived(PNET_BUFFER_LIST list, bool clone) noexcept {
  return Pools::instance().owner_of(list, PoolKind::kNetBufferList) != nullptr && made_of(*list) != 0 &&
         (made_of(*list) < kDerived) == clone;
}

// Undoes what retreats have put before the data of each buffer, and gives the list back.
void dispose_derived(PNET_BUFFER_LIST list, std::uint32_t delta, const char* function) noexcept {
  for (PNET_BUFFER buffer = list->FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    advance(*buffer, std::min<std::uint32_t>(delta, buffer->DataLength), true, nullptr, function);
  }
  dispose(list, true, function);
}

}  // namespace

PNET_BUFFER_LIST allocate_clone(NET_BUFFER_LIST& original, NDIS_HANDLE list_pool, NDIS_HANDLE buffer_pool,
                                std::uint32_t flags, const char* function) noexcept {
  const bool shared = (flags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) != 0;
  Source source(list_pool, buffer_pool, function);
  PNET_BUFFER_LIST const clone = source.list();
  if (clone == nullptr) {
    return nullptr;
  }
  PNET_BUFFER* end = &clone->FirstNetBuffer;
  for (const NET_BUFFER* buffer = original.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    Chain chain;
    Shown shown{buffer->CurrentMdl, buffer->CurrentMdlOffset, buffer->DataLength};
    bool good = true;
    if (!shared) {
      good = describe_range(chain, *buffer, 0, buffer->DataLength);
      shown = {chain.first, 0, chain.length};
    }
    PNET_BUFFER const made = good ? source.buffer(shown) : nullptr;
    if (made == nullptr) {
      free_chain(chain.first);
      dispose(clone, !shared, function);
      return nullptr;
    }
    *end = made;
    end = &made->Next;
  }
  clone->ParentNetBufferList = &original;
  set_made(*clone, kMade + flags);
  count_child(original, 1);
  return clone;
}

void free_clone(PNET_BUFFER_LIST clone, std::uint32_t flags, const char* function) noexcept {
  if (!is_derived(clone, true)) {
    report_misuse(function, "this is no clone that is in use", clone);
    return;
  }
  if (is_in_flight(*clone)) {
    report_misuse(function, "the list is being sent: not freed", clone);
    return;
  }
  const std::uintptr_t made_with = made_of(*clone) - kMade;
  if (made_with != flags) {
    report_misuse(function, "a clone is freed with the flags that it was allocated with", clone);
  }
  if (clone->ParentNetBufferList != nullptr) {
    count_child(*clone->ParentNetBufferList, -1);
  }
  dispose(clone, (made_with & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) == 0, function);
}

PNET_BUFFER_LIST allocate_fragments(NET_BUFFER_LIST& original, NDIS_HANDLE list_pool, NDIS_HANDLE buffer_pool,
                                    const Fragmenting& how, const char* function) noexcept {
  if (how.most == 0) {
    report_misuse(function, "a fragment has at least one byte", &original);
    return nullptr;
  }
  Source source(list_pool, buffer_pool, function);
  PNET_BUFFER_LIST const list = source.list();
  if (list == nullptr) {
    return nullptr;
  }
  PNET_BUFFER* end = &list->FirstNetBuffer;
  for (const NET_BUFFER* buffer = original.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    for (std::size_t at = how.start; at < buffer->DataLength; at += how.most) {
      Chain chain;
      if (!describe_range(chain, *buffer, at, how.most)) {
        free_chain(chain.first);
        dispose_derived(list, how.delta, function);
        return nullptr;
      }
      if (chain.length == 0) {
        break;  // the buffer says that it has more than its descriptors show
      }
      if (!add_buffer(source, end, chain, how)) {
        dispose_derived(list, how.delta, function);
        return nullptr;
      }
    }
  }
  list->ParentNetBufferList = &original;
  set_made(*list, kDerived);
  count_child(original, 1);
  return list;
}

PNET_BUFFER_LIST allocate_reassembled(NET_BUFFER_LIST& fragments, NDIS_HANDLE pool, const Fragmenting& how,
                                      const char* function) noexcept {
  Source source(pool, nullptr, function);
  PNET_BUFFER_LIST const list = source.list();
  if (list == nullptr) {
    return nullptr;
  }
  Chain chain;
  for (const NET_BUFFER* buffer = fragments.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    const std::uint32_t start = std::min<std::uint32_t>(how.start, buffer->DataLength);
    if (buffer->DataLength - start > ~std::uint32_t{0} - chain.length ||
        !describe_range(chain, *buffer, start, buffer->DataLength - start)) {
      free_chain(chain.first);
      dispose(list, true, function);
      return nullptr;
    }
  }
  PNET_BUFFER* end = &list->FirstNetBuffer;
  if (!add_buffer(source, end, chain, how)) {
    dispose_derived(list, how.delta, function);
    return nullptr;
  }
  list->ParentNetBufferList = &fragments;
  set_made(*list, kDerived);
  count_child(fragments, 1);
  return list;
}

void free_derived(PNET_BUFFER_LIST list, std::uint32_t delta, const char* function) noexcept {
  if (!is_derived(list, false)) {
    report_misuse(function, "this is no list of fragments, or put together from some, that is in use", list);
    return;
  }
  if (is_in_flight(*list)) {
    report_misuse(function, "the list is being sent: not freed", list);
    return;
  }
  if (list->ParentNetBufferList != nullptr) {
    count_child(*list->ParentNetBufferList, -1);
  }
  dispose_derived(list, delta, function);
}

}  // namespace turnpike::ndis
