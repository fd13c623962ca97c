#include "win32/memory/heap.h"

#include <heapapi.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "win32/last_error.h"

namespace turnpike::win32 {
namespace {

constexpr DWORD kKnownFlags = 0x000700FF;

struct ProcessHeap {
  Heap* heap;
  RawHandle handle;
};

const ProcessHeap& process_heap() {
  static const ProcessHeap made = [] {
    Ref<Heap> heap = make_object<Heap>(Heap::kNoLimit);
    return ProcessHeap{heap.get(), open_handle(heap)};
  }();
  return made;
}

}  // namespace

Heap& Heap::of_process() { return *process_heap().heap; }
RawHandle Heap::handle_of_process() { return process_heap().handle; }

Heap::~Heap() {
  for (const Shard& shard : shards_) {
    for (const auto& [key, size] : shard.sizes) std::free(reinterpret_cast<void*>(~key));
  }
}

bool Heap::reserve(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX) return false;
  const std::size_t before = in_use_.fetch_add(bytes, std::memory_order_relaxed);
  if (limit_ == kNoLimit || before + bytes <= limit_) return true;
  give_back(bytes);
  return false;
}

bool Heap::enter(void* block, std::size_t size) {
  Shard& shard = shard_of(block);
  const std::lock_guard lock(shard.lock);
  try {
    return shard.sizes.emplace(key_of(block), size).second;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

std::optional<std::size_t> Heap::take_out(void* block) {
  Shard& shard = shard_of(block);
  const std::lock_guard lock(shard.lock);
  const auto found = shard.sizes.find(key_of(block));
  if (found == shard.sizes.end()) return std::nullopt;
  const std::size_t size = found->second;
  shard.sizes.erase(found);
  return size;
}

void* Heap::allocate(std::size_t size, bool zeroed) {
  if (!reserve(size)) return nullptr;
  void* const block = zeroed ? std::calloc(1, size) : std::malloc(size);
  if (block != nullptr && enter(block, size)) return block;
  std::free(block);
  give_back(size);
  return nullptr;
}

// What must move is copied rather than given to realloc: the new block is in the table before the old one leaves it, so
// that a failure at any point leaves the old one whole.
Heap::Moved Heap::reallocate(void* block, std::size_t size, Change change) {
  const auto old_size = size_of(block);
  if (!old_size) return {Outcome::kNotOurs, nullptr};
  void* moved = block;
  if (size <= malloc_usable_size(block) && (change.in_place || size > *old_size / 2)) {
    if (!resize(block, *old_size, size)) return {Outcome::kNoMemory, nullptr};
  } else {
    moved = change.in_place ? nullptr : allocate(size, false);
    if (moved == nullptr) return {Outcome::kNoMemory, nullptr};
    std::memcpy(moved, block, std::min(size, *old_size));
    free(block);
  }
  if (change.zeroed && size > *old_size) std::memset(static_cast<char*>(moved) + *old_size, 0, size - *old_size);
  return {Outcome::kDone, moved};
}

// In its place: only what is known about it changes.
bool Heap::resize(void* block, std::size_t old_size, std::size_t size) {
  if (!reserve(size)) return false;
  give_back(old_size);
  Shard& shard = shard_of(block);
  const std::lock_guard lock(shard.lock);
  if (const auto found = shard.sizes.find(key_of(block)); found != shard.sizes.end()) found->second = size;
  return true;
}

bool Heap::free(void* block) {
  const auto size = take_out(block);
  if (!size) return false;
  std::free(block);
  give_back(*size);
  return true;
}

std::optional<std::size_t> Heap::size_of(const void* block) const {
  const Shard& shard = shard_of(block);
  const std::lock_guard lock(shard.lock);
  const auto found = shard.sizes.find(key_of(block));
  return found == shard.sizes.end() ? std::nullopt : std::optional(found->second);
}

void Heap::lock() {
  for (const Shard& shard : shards_) shard.lock.lock();
  if (depth_++ > 0) return;
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  kept_ = Ref<Heap>(this);
}

bool Heap::unlock() {
  if (owner_.load(std::memory_order_relaxed) != std::this_thread::get_id()) return false;
  Ref<Heap> kept;
  if (--depth_ == 0) {
    owner_.store(std::thread::id(), std::memory_order_relaxed);
    kept = std::move(kept_);
  }
  for (const Shard& shard : shards_) shard.lock.unlock();
  return true;
}

std::optional<Heap::Entry> Heap::next(const void* block) const {
  std::size_t index = 0;
  if (block != nullptr) {
    index = index_of(block);
    const std::lock_guard lock(shards_[index].lock);
    auto at = shards_[index].sizes.find(key_of(block));
    if (at == shards_[index].sizes.end()) return std::nullopt;
    if (++at != shards_[index].sizes.end()) return Entry{reinterpret_cast<void*>(~at->first), at->second};
    ++index;
  }
  for (; index < shards_.size(); ++index) {
    const std::lock_guard lock(shards_[index].lock);
    const auto first = shards_[index].sizes.begin();
    if (first != shards_[index].sizes.end()) return Entry{reinterpret_cast<void*>(~first->first), first->second};
  }
  return Entry{};
}

namespace {

// Calls `use` with the heap, or fails. The process heap is used most, so its handle is known by sight.
template <class Result, class Use>
Result with_heap(HANDLE handle, DWORD flags, Result failure, Use use) {
  if ((flags & ~kKnownFlags) != 0) return fail_with(ERROR_INVALID_PARAMETER, failure);
  if (handle != nullptr && handle == Heap::handle_of_process()) return use(Heap::of_process());
  const Held<Heap> heap = pin<Heap>(handle);
  return heap ? use(*heap) : fail_with(ERROR_INVALID_HANDLE, failure);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::close_handle;
using turnpike::win32::fail_with;
using turnpike::win32::Heap;
using turnpike::win32::Kind;
using turnpike::win32::kKnownFlags;
using turnpike::win32::make_object;
using turnpike::win32::open_handle;
using turnpike::win32::with_heap;

HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize) {
  if ((flOptions & ~kKnownFlags) != 0 || (dwMaximumSize != 0 && dwInitialSize > dwMaximumSize)) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return open_handle(make_object<Heap>(dwMaximumSize));
}

BOOL WINAPI HeapDestroy(HANDLE hHeap) {
  if (hHeap == Heap::handle_of_process() || !close_handle(hHeap, Kind::kHeap)) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return TRUE;
}

HANDLE WINAPI GetProcessHeap(VOID) { return Heap::handle_of_process(); }

LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes) {
  return with_heap(hHeap, dwFlags, LPVOID{nullptr}, [=](Heap& heap) {
    void* const block = heap.allocate(dwBytes, (dwFlags & HEAP_ZERO_MEMORY) != 0);
    return block != nullptr ? block : fail_with(ERROR_NOT_ENOUGH_MEMORY, LPVOID{nullptr});
  });
}

LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes) {
  return with_heap(hHeap, dwFlags, LPVOID{nullptr}, [=](Heap& heap) {
    const auto [outcome, block] = heap.reallocate(
        lpMem, dwBytes, {(dwFlags & HEAP_ZERO_MEMORY) != 0, (dwFlags & HEAP_REALLOC_IN_PLACE_ONLY) != 0});
    if (outcome == Heap::Outcome::kNotOurs) return fail_with(ERROR_INVALID_PARAMETER, LPVOID{nullptr});
    return outcome == Heap::Outcome::kDone ? block : fail_with(ERROR_NOT_ENOUGH_MEMORY, LPVOID{nullptr});
  });
}

BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem) {
  return with_heap(hHeap, dwFlags, FALSE, [=](Heap& heap) {
    return lpMem == nullptr || heap.free(lpMem) ? TRUE : fail_with(ERROR_INVALID_PARAMETER, FALSE);
  });
}

SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem) {
  constexpr auto kFailure = static_cast<SIZE_T>(-1);
  return with_heap(hHeap, dwFlags, kFailure, [=](Heap& heap) {
    const auto size = heap.size_of(lpMem);
    return size ? *size : fail_with(ERROR_INVALID_PARAMETER, kFailure);
  });
}

BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem) {
  return with_heap(hHeap, dwFlags, FALSE, [=](Heap& heap) {
    return lpMem == nullptr || heap.size_of(lpMem) ? TRUE : fail_with(ERROR_INVALID_PARAMETER, FALSE);
  });
}

BOOL WINAPI HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID, SIZE_T) {
  switch (HeapInformationClass) {
    case HeapEnableTerminationOnCorruption:
      return TRUE;
    case HeapCompatibilityInformation:
      return with_heap(HeapHandle, 0, FALSE, [](Heap&) { return TRUE; });
  }
  return fail_with(ERROR_INVALID_PARAMETER, FALSE);
}

BOOL WINAPI HeapQueryInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
                                 SIZE_T HeapInformationLength, PSIZE_T ReturnLength) {
  if (HeapInformationClass != HeapCompatibilityInformation) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  return with_heap(HeapHandle, 0, FALSE, [=](Heap&) {
    constexpr ULONG kStandard = 0;
    if (ReturnLength != nullptr) *ReturnLength = sizeof kStandard;
    if (HeapInformation == nullptr || HeapInformationLength < sizeof kStandard) {
      return fail_with(ERROR_INSUFFICIENT_BUFFER, FALSE);
    }
    std::memcpy(HeapInformation, &kStandard, sizeof kStandard);
    return TRUE;
  });
}

BOOL WINAPI HeapLock(HANDLE hHeap) {
  return with_heap(hHeap, 0, FALSE, [](Heap& heap) {
    heap.lock();
    return TRUE;
  });
}

BOOL WINAPI HeapUnlock(HANDLE hHeap) {
  return with_heap(hHeap, 0, FALSE,
                   [](Heap& heap) { return heap.unlock() ? TRUE : fail_with(ERROR_NOT_LOCKED, FALSE); });
}

BOOL WINAPI HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry) {
  if (lpEntry == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  return with_heap(hHeap, 0, FALSE, [=](Heap& heap) {
    const auto next = heap.next(lpEntry->lpData);
    if (!next) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
    if (next->block == nullptr) return fail_with(ERROR_NO_MORE_ITEMS, FALSE);
    *lpEntry = {};
    lpEntry->lpData = next->block;
    lpEntry->cbData = static_cast<DWORD>(std::min<std::size_t>(next->size, MAXDWORD));
    lpEntry->wFlags = PROCESS_HEAP_ENTRY_BUSY;
    return TRUE;
  });
}

SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags) {
  return with_heap(hHeap, dwFlags, SIZE_T{0}, [](Heap& heap) { return fail_with(NO_ERROR, heap.room()); });
}
