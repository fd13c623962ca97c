// Pool memory, lookaside lists and memory descriptors of drivers.
//
// Each piece of pool is written down with its size and its tag: so a pointer that was never given out, or was freed
// already, is told from a good one without looking behind it, and what a driver forgot can be named. That costs some
// tens of nanoseconds; who allocates for each frame takes a pool of packets or a lookaside list.
#include <wdm.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>

#include "base/log.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kMdlTag = 0x206C644D;  // 'Mdl '
constexpr ULONG kNoTag = 0x656E6F4E;   // 'None'
constexpr SIZE_T kMost = SIZE_T{1} << 40;

struct Piece {
  SIZE_T size;
  ULONG tag;
};

struct Shard {
  std::mutex mutex;
  std::unordered_map<void*, Piece> pieces;
};

Shard& shard_of(void* memory) {
  // Never destroyed: drivers free what they have while the process ends.
  static auto* const shards = std::make_unique<std::array<Shard, 16>>().release();
  return (*shards)[reinterpret_cast<std::uintptr_t>(memory) / 64 % shards->size()];
}

void* allocate(SIZE_T size, ULONG tag, bool zeroed) noexcept {
  if (size > kMost) {
    return nullptr;
  }
  void* const memory = zeroed ? std::calloc(1, size != 0 ? size : 1) : std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) {
    return nullptr;
  }
  Shard& shard = shard_of(memory);
  try {
    const std::lock_guard lock(shard.mutex);
    shard.pieces.emplace(memory, Piece{size, tag});
    return memory;
  } catch (const std::bad_alloc&) {
    std::free(memory);
    return nullptr;
  }
}

void release(void* memory, const char* function) noexcept {
  Shard& shard = shard_of(memory);
  bool known = false;
  {
    const std::lock_guard lock(shard.mutex);
    known = shard.pieces.erase(memory) != 0;
  }
  if (known) {
    std::free(memory);
  } else {
    TURNPIKE_LOG(LogLevel::kWarning, "driver", "memory is freed that is not in use", {"function", function},
                 {"address", reinterpret_cast<std::uintptr_t>(memory)});
  }
}

PVOID NTAPI allocate_entry(POOL_TYPE type, SIZE_T size, ULONG tag) { return ExAllocatePoolWithTag(type, size, tag); }

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::allocate;
using turnpike::win32::release;

PVOID ExAllocatePool(POOL_TYPE, SIZE_T NumberOfBytes) {
  return allocate(NumberOfBytes, turnpike::win32::kNoTag, false);
}
PVOID ExAllocatePoolWithTag(POOL_TYPE, SIZE_T NumberOfBytes, ULONG Tag) { return allocate(NumberOfBytes, Tag, false); }
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) {
  return NumberOfBytes != 0 ? allocate(NumberOfBytes, Tag, (Flags & POOL_FLAG_UNINITIALIZED) == 0) : nullptr;
}
VOID ExFreePool(PVOID P) { release(P, __func__); }
VOID ExFreePoolWithTag(PVOID P, ULONG) { release(P, __func__); }

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                     ULONG, SIZE_T Size, ULONG Tag, USHORT Depth) {
  if (Lookaside == nullptr) {
    return;
  }
  *Lookaside = {};
  InitializeSListHead(&Lookaside->Free);
  Lookaside->Allocate =
      reinterpret_cast<PVOID>(Allocate != nullptr ? Allocate : PALLOCATE_FUNCTION{turnpike::win32::allocate_entry});
  Lookaside->Release = reinterpret_cast<PVOID>(Free != nullptr ? Free : PFREE_FUNCTION{ExFreePool});
  Lookaside->Size = Size < sizeof(SLIST_ENTRY) ? sizeof(SLIST_ENTRY) : Size;
  Lookaside->Tag = Tag;
  Lookaside->Depth = Depth != 0 ? Depth : 256;
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  if (Lookaside == nullptr || Lookaside->Release == nullptr) {
    return;
  }
  const auto free = reinterpret_cast<PFREE_FUNCTION>(Lookaside->Release);
  for (PSLIST_ENTRY entry = InterlockedFlushSList(&Lookaside->Free); entry != nullptr;) {
    PSLIST_ENTRY const next = entry->Next;
    free(entry);
    entry = next;
  }
  Lookaside->Allocate = Lookaside->Release = nullptr;
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  if (Lookaside == nullptr || Lookaside->Allocate == nullptr) {
    return nullptr;
  }
  PVOID const entry = InterlockedPopEntrySList(&Lookaside->Free);
  return entry != nullptr
             ? entry
             : reinterpret_cast<PALLOCATE_FUNCTION>(Lookaside->Allocate)(NonPagedPool, Lookaside->Size, Lookaside->Tag);
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  if (Lookaside == nullptr || Entry == nullptr || Lookaside->Release == nullptr) {
    return;
  }
  if (QueryDepthSList(&Lookaside->Free) < Lookaside->Depth) {
    InterlockedPushEntrySList(&Lookaside->Free, static_cast<PSLIST_ENTRY>(Entry));
  } else {
    reinterpret_cast<PFREE_FUNCTION>(Lookaside->Release)(Entry);
  }
}

// --- lists that threads share, each under the lock that the caller names; without one, under none

namespace {

class Locked {
 public:
  explicit Locked(PKSPIN_LOCK lock) : lock_(lock), level_(KeAcquireSpinLockRaiseToDpc(lock)) {}
  ~Locked() { KeReleaseSpinLock(lock_, level_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  PKSPIN_LOCK lock_;
  KIRQL level_;
};

}  // namespace

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  if (ListHead == nullptr || ListEntry == nullptr) {
    return nullptr;
  }
  const Locked locked(Lock);
  PLIST_ENTRY const first = IsListEmpty(ListHead) ? nullptr : ListHead->Flink;
  InsertHeadList(ListHead, ListEntry);
  return first;
}

PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  if (ListHead == nullptr || ListEntry == nullptr) {
    return nullptr;
  }
  const Locked locked(Lock);
  PLIST_ENTRY const last = IsListEmpty(ListHead) ? nullptr : ListHead->Blink;
  InsertTailList(ListHead, ListEntry);
  return last;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  if (ListHead == nullptr) {
    return nullptr;
  }
  const Locked locked(Lock);
  return IsListEmpty(ListHead) ? nullptr : RemoveHeadList(ListHead);
}

ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK) {
  return Addend != nullptr ? __atomic_fetch_add(Addend, Increment, __ATOMIC_ACQ_REL) : 0;
}

// --- memory descriptors

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN, BOOLEAN, PIRP) {
  auto* const mdl = static_cast<PMDL>(allocate(sizeof(MDL), turnpike::win32::kMdlTag, true));
  if (mdl != nullptr) {
    MmInitializeMdl(mdl, VirtualAddress, Length);
  }
  return mdl;
}

VOID IoFreeMdl(PMDL Mdl) { release(Mdl, __func__); }

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length) {
  if (SourceMdl == nullptr || TargetMdl == nullptr) {
    return;
  }
  const ULONG_PTR begin = TP_BITS(MmGetMdlVirtualAddress(SourceMdl));
  const ULONG_PTR at = TP_BITS(VirtualAddress);
  if (at < begin || at - begin > SourceMdl->ByteCount) {
    return;
  }
  const ULONG rest = SourceMdl->ByteCount - static_cast<ULONG>(at - begin);
  MmInitializeMdl(TargetMdl, VirtualAddress, Length == 0 || Length > rest ? rest : Length);
  TargetMdl->MdlFlags = MDL_PARTIAL;
}

VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList) {
  if (MemoryDescriptorList != nullptr) {
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
    MemoryDescriptorList->MdlFlags = static_cast<CSHORT>(MemoryDescriptorList->MdlFlags | MDL_SOURCE_IS_NONPAGED_POOL);
  }
}

VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE, LOCK_OPERATION) {
  if (MemoryDescriptorList != nullptr) {
    MemoryDescriptorList->MdlFlags = static_cast<CSHORT>(MemoryDescriptorList->MdlFlags | MDL_PAGES_LOCKED);
  }
}

VOID MmUnlockPages(PMDL MemoryDescriptorList) {
  if (MemoryDescriptorList != nullptr) {
    MemoryDescriptorList->MdlFlags = static_cast<CSHORT>(MemoryDescriptorList->MdlFlags & ~MDL_PAGES_LOCKED);
  }
}

SIZE_T MmSizeOfMdl(PVOID, SIZE_T) { return sizeof(MDL); }
