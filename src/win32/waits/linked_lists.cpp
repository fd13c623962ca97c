#include <interlockedapi.h>

#include <mutex>
#include <utility>

#include "base/short_lock.h"
#include "win32/last_error.h"

using turnpike::ShortLock;
using turnpike::win32::is_null;

namespace {

static_assert(sizeof(ShortLock) == sizeof(DWORD));

// The header's own lock: a zeroed one is free.
ShortLock& lock_of(PSLIST_HEADER list) { return *reinterpret_cast<ShortLock*>(&list->Lock); }

}  // namespace

VOID WINAPI InitializeSListHead(PSLIST_HEADER ListHead) {
  if (!is_null(ListHead)) {
    *ListHead = {};
  }
}

PSLIST_ENTRY WINAPI InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry) {
  if (is_null(ListHead) || is_null(ListEntry)) {
    return nullptr;
  }
  const std::lock_guard guard(lock_of(ListHead));
  ++ListHead->Depth;
  ListEntry->Next = ListHead->First;
  return std::exchange(ListHead->First, ListEntry);
}

PSLIST_ENTRY WINAPI InterlockedPopEntrySList(PSLIST_HEADER ListHead) {
  if (is_null(ListHead)) {
    return nullptr;
  }
  const std::lock_guard guard(lock_of(ListHead));
  PSLIST_ENTRY first = ListHead->First;
  if (first != nullptr) {
    --ListHead->Depth;
    ListHead->First = first->Next;
  }
  return first;
}

PSLIST_ENTRY WINAPI InterlockedFlushSList(PSLIST_HEADER ListHead) {
  if (is_null(ListHead)) {
    return nullptr;
  }
  const std::lock_guard guard(lock_of(ListHead));
  ListHead->Depth = 0;
  return std::exchange(ListHead->First, nullptr);
}

USHORT WINAPI QueryDepthSList(PSLIST_HEADER ListHead) {
  if (is_null(ListHead)) {
    return 0;
  }
  const std::lock_guard guard(lock_of(ListHead));
  return static_cast<USHORT>(ListHead->Depth);
}
