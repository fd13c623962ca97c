// LocalAlloc and GlobalAlloc, which are one and the same since there is one address space: fixed memory, whose handle
// is its address, and moveable memory, whose handle stands for it while it is grown or discarded. A table knows both,
// so that a foreign or stale handle is refused.
#include <malloc.h>
#include <winbase.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>

#include "win32/last_error.h"

namespace turnpike::win32 {
namespace {

constexpr UINT kKnownFlags = GMEM_VALID_FLAGS | LMEM_VALID_FLAGS;
constexpr UINT kMostLocks = GMEM_LOCKCOUNT;

struct Released {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Released>;

// Memory that can always be addressed: a size of 0 has an address too.
Memory allocate(std::size_t size, bool zeroed) {
  if (size > PTRDIFF_MAX) return nullptr;
  return Memory(zeroed ? std::calloc(1, std::max<std::size_t>(size, 1)) : std::malloc(std::max<std::size_t>(size, 1)));
}

struct Block {
  Memory memory;  // null: discarded
  std::size_t size = 0;
  UINT locks = 0;
  UINT flags = 0;  // LMEM_MOVEABLE, LMEM_DISCARDABLE

  [[nodiscard]] bool is_moveable() const { return (flags & LMEM_MOVEABLE) != 0; }
};

class LocalMemory {
 public:
  // Never destroyed: other threads may free to the end.
  static LocalMemory& instance() {
    static LocalMemory& made = *std::make_unique<LocalMemory>().release();
    return made;
  }

  // Null: no memory.
  HLOCAL allocate_block(UINT flags, std::size_t size) {
    auto block = std::make_unique<Block>();
    block->flags = flags & (LMEM_MOVEABLE | LMEM_DISCARDABLE);
    block->size = size;
    if (size != 0 || !block->is_moveable()) {
      block->memory = allocate(size, (flags & LMEM_ZEROINIT) != 0);
      if (block->memory == nullptr) return nullptr;
    }
    void* const memory = block->memory.get();
    const HLOCAL handle = block->is_moveable() ? block.get() : memory;
    const std::lock_guard lock(lock_);
    if (block->is_moveable() && memory != nullptr) handles_.emplace(memory, handle);
    try {
      blocks_.emplace(handle, std::move(block));
    } catch (const std::bad_alloc&) {
      handles_.erase(memory);
      throw;
    }
    return handle;
  }

  // Calls `use` with the block of a handle, under the lock; `failure` where there is none.
  template <class Result, class Use>
  Result with(HLOCAL handle, Result failure, Use use) {
    const std::lock_guard lock(lock_);
    const auto found = blocks_.find(handle);
    return found == blocks_.end() ? fail_with(ERROR_INVALID_HANDLE, failure) : use(*found->second);
  }

  bool free(HLOCAL handle) {
    std::unique_ptr<Block> block;
    const std::lock_guard lock(lock_);
    const auto found = blocks_.find(handle);
    if (found == blocks_.end()) return false;
    block = std::move(found->second);
    handles_.erase(block->memory.get());
    blocks_.erase(found);
    return true;
  }

  HLOCAL handle_of(const void* memory) {
    const std::lock_guard lock(lock_);
    const auto moveable = handles_.find(const_cast<void*>(memory));
    if (moveable != handles_.end()) return moveable->second;
    const auto fixed = blocks_.find(const_cast<void*>(memory));
    if (fixed != blocks_.end() && !fixed->second->is_moveable()) return fixed->first;
    return fail_with(ERROR_INVALID_HANDLE, HLOCAL{nullptr});
  }

  // As LocalReAlloc describes; the answer is the handle from now on.
  HLOCAL reallocate(HLOCAL handle, std::size_t size, UINT flags) {
    const std::lock_guard lock(lock_);
    const auto found = blocks_.find(handle);
    if (found == blocks_.end()) return fail_with(ERROR_INVALID_HANDLE, HLOCAL{nullptr});
    Block& block = *found->second;
    if ((flags & LMEM_MODIFY) != 0) return modify(handle, block, flags);
    if (size == 0 && block.is_moveable() && (flags & LMEM_MOVEABLE) != 0) return discard(handle, block);

    const bool may_move = (flags & LMEM_MOVEABLE) != 0 || (block.is_moveable() && block.locks == 0);
    if (block.memory == nullptr || size > malloc_usable_size(block.memory.get())) {
      Memory moved = may_move ? allocate(size, (flags & LMEM_ZEROINIT) != 0) : nullptr;
      if (moved == nullptr) return fail_with(ERROR_NOT_ENOUGH_MEMORY, HLOCAL{nullptr});
      if (block.memory != nullptr) std::memcpy(moved.get(), block.memory.get(), std::min(size, block.size));
      handle = replace(handle, block, std::move(moved));
    } else if ((flags & LMEM_ZEROINIT) != 0 && size > block.size) {
      std::memset(static_cast<char*>(block.memory.get()) + block.size, 0, size - block.size);
    }
    block.size = size;
    return handle;
  }

 private:
  static HLOCAL modify(HLOCAL handle, Block& block, UINT flags) {
    if (!block.is_moveable()) return fail_with(ERROR_INVALID_PARAMETER, HLOCAL{nullptr});
    block.flags = (flags & LMEM_DISCARDABLE) | LMEM_MOVEABLE;
    return handle;
  }

  HLOCAL discard(HLOCAL handle, Block& block) {
    if (block.locks != 0) return fail_with(ERROR_INVALID_HANDLE, HLOCAL{nullptr});
    handles_.erase(block.memory.get());
    block.memory.reset();
    block.size = 0;
    return handle;
  }

  // Other memory for the same block. What could fail comes first.
  HLOCAL replace(HLOCAL handle, Block& block, Memory moved) {
    void* const from = block.memory.get();
    void* const to = moved.get();
    if (block.is_moveable()) {
      handles_.emplace(to, handle);
      handles_.erase(from);
      block.memory = std::move(moved);
      return handle;
    }
    auto node = blocks_.extract(handle);
    block.memory = std::move(moved);
    node.key() = to;
    blocks_.insert(std::move(node));
    return to;
  }

  std::mutex lock_;
  std::unordered_map<void*, std::unique_ptr<Block>> blocks_;  // by handle
  std::unordered_map<void*, HLOCAL> handles_;                 // of moveable memory, by its address
};

// `make`'s handle; null, with ERROR_NOT_ENOUGH_MEMORY, also where the tables have no memory.
template <class Make>
HLOCAL handle_or_no_memory(Make make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return fail_with(ERROR_NOT_ENOUGH_MEMORY, HLOCAL{nullptr});
  }
}

HLOCAL allocate_block(UINT flags, std::size_t size) {
  if ((flags & ~kKnownFlags) != 0) return fail_with(ERROR_INVALID_PARAMETER, HLOCAL{nullptr});
  return handle_or_no_memory([=] {
    const HLOCAL handle = LocalMemory::instance().allocate_block(flags, size);
    return handle != nullptr ? handle : fail_with(ERROR_NOT_ENOUGH_MEMORY, HLOCAL{nullptr});
  });
}

HLOCAL reallocate(HLOCAL handle, std::size_t size, UINT flags) {
  if ((flags & ~(kKnownFlags | LMEM_MODIFY)) != 0) return fail_with(ERROR_INVALID_PARAMETER, HLOCAL{nullptr});
  return handle_or_no_memory([=] { return LocalMemory::instance().reallocate(handle, size, flags); });
}

HLOCAL free_block(HLOCAL handle) {
  if (handle == nullptr || LocalMemory::instance().free(handle)) return nullptr;
  return fail_with(ERROR_INVALID_HANDLE, handle);
}

LPVOID lock_block(HLOCAL handle) {
  return LocalMemory::instance().with(handle, LPVOID{nullptr}, [](Block& block) {
    if (block.memory == nullptr) return fail_with(ERROR_DISCARDED, LPVOID{nullptr});
    if (block.is_moveable() && block.locks < kMostLocks) ++block.locks;
    return block.memory.get();
  });
}

// FALSE where no lock is left, with NO_ERROR; so it is documented.
BOOL unlock_block(HLOCAL handle) {
  return LocalMemory::instance().with(handle, FALSE, [](Block& block) {
    if (!block.is_moveable()) return TRUE;
    if (block.locks == 0) return fail_with(ERROR_NOT_LOCKED, FALSE);
    return --block.locks != 0 ? TRUE : fail_with(NO_ERROR, FALSE);
  });
}

SIZE_T size_of_block(HLOCAL handle) {
  return LocalMemory::instance().with(handle, SIZE_T{0}, [](const Block& block) { return block.size; });
}

UINT flags_of_block(HLOCAL handle) {
  return LocalMemory::instance().with(handle, UINT{LMEM_INVALID_HANDLE}, [](const Block& block) {
    return block.locks | (block.flags & LMEM_DISCARDABLE) | (block.memory == nullptr ? UINT{LMEM_DISCARDED} : 0);
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::allocate_block;
using turnpike::win32::flags_of_block;
using turnpike::win32::free_block;
using turnpike::win32::lock_block;
using turnpike::win32::reallocate;
using turnpike::win32::size_of_block;
using turnpike::win32::unlock_block;

HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes) { return allocate_block(uFlags, uBytes); }
HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags) { return reallocate(hMem, uBytes, uFlags); }
HLOCAL WINAPI LocalFree(HLOCAL hMem) { return free_block(hMem); }
LPVOID WINAPI LocalLock(HLOCAL hMem) { return lock_block(hMem); }
BOOL WINAPI LocalUnlock(HLOCAL hMem) { return unlock_block(hMem); }
SIZE_T WINAPI LocalSize(HLOCAL hMem) { return size_of_block(hMem); }
UINT WINAPI LocalFlags(HLOCAL hMem) { return flags_of_block(hMem); }
HLOCAL WINAPI LocalHandle(LPCVOID pMem) { return turnpike::win32::LocalMemory::instance().handle_of(pMem); }

HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes) { return allocate_block(uFlags, dwBytes); }
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags) { return reallocate(hMem, dwBytes, uFlags); }
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem) { return free_block(hMem); }
LPVOID WINAPI GlobalLock(HGLOBAL hMem) { return lock_block(hMem); }
BOOL WINAPI GlobalUnlock(HGLOBAL hMem) { return unlock_block(hMem); }
SIZE_T WINAPI GlobalSize(HGLOBAL hMem) { return size_of_block(hMem); }
UINT WINAPI GlobalFlags(HGLOBAL hMem) { return flags_of_block(hMem); }
HGLOBAL WINAPI GlobalHandle(LPCVOID pMem) { return turnpike::win32::LocalMemory::instance().handle_of(pMem); }
