// Heaps: memory with an owner, and what they answer to memory and handles that are not theirs.
#include <gtest/gtest.h>
#include <windows.h>

#include <atomic>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

namespace {

constexpr SIZE_T kNoSize = static_cast<SIZE_T>(-1);

DWORD handles() {
  DWORD count = 0;
  EXPECT_TRUE(GetProcessHandleCount(GetCurrentProcess(), &count));
  return count;
}

TEST(Heap, TheProcessHasOne) {
  const HANDLE heap = GetProcessHeap();
  ASSERT_NE(heap, nullptr);
  EXPECT_EQ(heap, GetProcessHeap());
  void* const block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(static_cast<char*>(block)[99], 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
  EXPECT_EQ(HeapSize(heap, 0, block), 100U);
  EXPECT_TRUE(HeapValidate(heap, 0, block));
  EXPECT_TRUE(HeapFree(heap, 0, block));
  SetLastError(0);
  EXPECT_FALSE(HeapFree(heap, 0, block));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(HeapDestroy(heap));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(heap, GetProcessHeap());
}

TEST(Heap, DestroyFreesWhatIsLeft) {     // LeakSanitizer looks
  ASSERT_NE(GetProcessHeap(), nullptr);  // which is made when it is first asked for
  const DWORD before = handles();
  const HANDLE heap = HeapCreate(0, 4096, 0);
  ASSERT_NE(heap, nullptr);
  EXPECT_EQ(handles(), before + 1);
  for (SIZE_T size = 0; size < 1000; size += 7) ASSERT_NE(HeapAlloc(heap, 0, size), nullptr);
  EXPECT_TRUE(HeapDestroy(heap));
  EXPECT_EQ(handles(), before);
  SetLastError(0);
  EXPECT_FALSE(HeapDestroy(heap));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(HeapAlloc(heap, 0, 1), nullptr);
}

TEST(Heap, SizeOfNothingIsMemoryToo) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  void* const block = HeapAlloc(heap, 0, 0);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(HeapSize(heap, 0, block), 0U);
  EXPECT_TRUE(HeapFree(heap, 0, block));
  EXPECT_TRUE(HeapDestroy(heap));
}

TEST(Heap, RefusesMemoryThatIsNotItsOwn) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  const HANDLE other = HeapCreate(0, 0, 0);
  char* const block = static_cast<char*>(HeapAlloc(heap, 0, 16));
  char on_stack[16];
  for (void* const foreign : {static_cast<void*>(block), static_cast<void*>(on_stack), reinterpret_cast<void*>(8)}) {
    SetLastError(0);
    EXPECT_FALSE(HeapFree(other, 0, foreign));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(HeapSize(other, 0, foreign), kNoSize);
    EXPECT_FALSE(HeapValidate(other, 0, foreign));
    EXPECT_EQ(HeapReAlloc(other, 0, foreign, 8), nullptr);
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  }
  EXPECT_FALSE(HeapFree(heap, 0, block + 1));
  EXPECT_EQ(HeapReAlloc(heap, 0, nullptr, 8), nullptr);
  EXPECT_EQ(HeapSize(heap, 0, nullptr), kNoSize);
  EXPECT_TRUE(HeapFree(heap, 0, nullptr));
  EXPECT_TRUE(HeapValidate(heap, 0, nullptr));
  EXPECT_TRUE(HeapDestroy(heap));
  EXPECT_TRUE(HeapDestroy(other));
}

TEST(Heap, BadHandlesAndFlags) {
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  char byte = 0;
  for (const HANDLE bad : {HANDLE{nullptr}, INVALID_HANDLE_VALUE, event, reinterpret_cast<HANDLE>(&byte)}) {
    SetLastError(0);
    EXPECT_EQ(HeapAlloc(bad, 0, 8), nullptr);
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(HeapReAlloc(bad, 0, &byte, 8), nullptr);
    EXPECT_FALSE(HeapFree(bad, 0, nullptr));
    EXPECT_EQ(HeapSize(bad, 0, &byte), kNoSize);
    EXPECT_FALSE(HeapValidate(bad, 0, nullptr));
    EXPECT_FALSE(HeapDestroy(bad));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    SetLastError(0);
    ULONG kind = 7;
    PROCESS_HEAP_ENTRY entry{};
    EXPECT_FALSE(HeapLock(bad));
    EXPECT_FALSE(HeapUnlock(bad));
    EXPECT_FALSE(HeapWalk(bad, &entry));
    EXPECT_EQ(HeapCompact(bad, 0), 0U);
    EXPECT_FALSE(HeapQueryInformation(bad, HeapCompatibilityInformation, &kind, sizeof kind, nullptr));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(kind, 7U);
    EXPECT_EQ(entry.lpData, nullptr);
  }
  EXPECT_TRUE(CloseHandle(event));

  const HANDLE heap = HeapCreate(0, 0, 0);
  EXPECT_FALSE(CloseHandle(heap));
  EXPECT_EQ(WaitForSingleObject(heap, 0), WAIT_FAILED);
  SetLastError(0);
  EXPECT_EQ(HeapCompact(heap, 0x80000000), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(HeapAlloc(heap, 0x80000000, 8), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(HeapCreate(0x80000000, 0, 0), nullptr);
  EXPECT_EQ(HeapCreate(0, 2, 1), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_TRUE(HeapDestroy(heap));
}

TEST(Heap, ReAllocKeepsWhatWasThere) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  char* block = static_cast<char*>(HeapAlloc(heap, 0, 4));
  std::memcpy(block, "abcd", 4);
  for (const SIZE_T size : {100UL, 5UL, 4000UL, 4UL}) {
    block = static_cast<char*>(HeapReAlloc(heap, 0, block, size));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(HeapSize(heap, 0, block), size);
    EXPECT_EQ(std::memcmp(block, "abcd", 4), 0);
  }
  block = static_cast<char*>(HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 64));
  EXPECT_EQ(std::string(block, 64), std::string("abcd") + std::string(60, 0));
  EXPECT_EQ(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 1 << 20), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
  EXPECT_EQ(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 8), block);
  EXPECT_EQ(HeapSize(heap, 0, block), 8U);
  EXPECT_EQ(HeapReAlloc(heap, 0, block, SIZE_MAX), nullptr);
  EXPECT_EQ(HeapSize(heap, 0, block), 8U);
  EXPECT_TRUE(HeapDestroy(heap));
}

TEST(Heap, AMaximumIsKept) {
  const HANDLE heap = HeapCreate(0, 0, 1000);
  void* block = HeapAlloc(heap, 0, 600);
  ASSERT_NE(block, nullptr);
  SetLastError(0);
  EXPECT_EQ(HeapAlloc(heap, 0, 401), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
  void* const second = HeapAlloc(heap, 0, 400);
  EXPECT_NE(second, nullptr);
  EXPECT_TRUE(HeapFree(heap, 0, block));
  EXPECT_NE(block = HeapAlloc(heap, 0, 600), nullptr);
  EXPECT_EQ(HeapAlloc(heap, 0, SIZE_MAX), nullptr);
  EXPECT_TRUE(HeapDestroy(heap));
}

TEST(Heap, SetInformationAcceptsWhatProgramsSet) {
  ULONG low_fragmentation = 2;
  EXPECT_TRUE(HeapSetInformation(nullptr, HeapEnableTerminationOnCorruption, nullptr, 0));
  EXPECT_TRUE(HeapSetInformation(GetProcessHeap(), HeapCompatibilityInformation, &low_fragmentation, sizeof(ULONG)));
  EXPECT_FALSE(HeapSetInformation(nullptr, HeapCompatibilityInformation, &low_fragmentation, sizeof(ULONG)));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(Heap, QueryInformationTellsOfAStandardHeap) {
  ULONG kind = 7;
  SIZE_T size = 0;
  EXPECT_TRUE(HeapQueryInformation(GetProcessHeap(), HeapCompatibilityInformation, &kind, sizeof kind, &size));
  EXPECT_EQ(kind, 0U);
  EXPECT_EQ(size, sizeof kind);
  EXPECT_FALSE(HeapQueryInformation(GetProcessHeap(), HeapCompatibilityInformation, &kind, 1, nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_FALSE(HeapQueryInformation(GetProcessHeap(), HeapEnableTerminationOnCorruption, &kind, 4, nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(HeapQueryInformation(nullptr, HeapCompatibilityInformation, &kind, 4, nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(Heap, WalkShowsEachBlockOnce) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  std::map<void*, SIZE_T> blocks;
  for (SIZE_T size = 0; size < 300; ++size) blocks[HeapAlloc(heap, 0, size)] = size;
  EXPECT_TRUE(HeapLock(heap));
  PROCESS_HEAP_ENTRY entry{};
  std::map<void*, SIZE_T> shown;
  while (HeapWalk(heap, &entry)) {
    EXPECT_EQ(entry.wFlags, PROCESS_HEAP_ENTRY_BUSY);
    EXPECT_TRUE(shown.emplace(entry.lpData, entry.cbData).second);
  }
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_MORE_ITEMS});
  EXPECT_EQ(shown, blocks);
  entry.lpData = &entry;
  EXPECT_FALSE(HeapWalk(heap, &entry));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(HeapWalk(heap, nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_TRUE(HeapUnlock(heap));
  EXPECT_TRUE(HeapDestroy(heap));
  EXPECT_FALSE(HeapWalk(heap, &entry));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(Heap, LockKeepsOthersOut) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  std::atomic<bool> trying = false, done = false;
  EXPECT_TRUE(HeapLock(heap));
  EXPECT_TRUE(HeapLock(heap));
  void* const block = HeapAlloc(heap, 0, 10);  // the owner goes on
  std::thread other([&] {
    SetLastError(0);
    EXPECT_FALSE(HeapUnlock(heap));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_LOCKED});
    trying = true;
    EXPECT_TRUE(HeapFree(heap, 0, block));
    done = true;
  });
  while (!trying) SwitchToThread();
  EXPECT_TRUE(HeapUnlock(heap));
  for (int i = 0; i < 100; ++i) SwitchToThread();
  EXPECT_FALSE(done);
  EXPECT_EQ(HeapSize(heap, 0, block), 10U);
  EXPECT_TRUE(HeapUnlock(heap));
  other.join();
  EXPECT_FALSE(HeapUnlock(heap));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_LOCKED});
  EXPECT_TRUE(HeapDestroy(heap));
  EXPECT_FALSE(HeapLock(heap));
  EXPECT_FALSE(HeapUnlock(nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(Heap, CompactTellsWhatIsLeftOfAMaximum) {
  const HANDLE heap = HeapCreate(0, 0, 1000);
  void* const block = HeapAlloc(heap, 0, 600);
  EXPECT_EQ(HeapCompact(heap, 0), 400U);
  EXPECT_TRUE(HeapFree(heap, 0, block));
  EXPECT_TRUE(HeapDestroy(heap));
  SetLastError(7);
  EXPECT_EQ(HeapCompact(GetProcessHeap(), 0), 0U);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  EXPECT_EQ(HeapCompact(heap, 0), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(Heap, ManyThreadsShareOne) {
  const HANDLE heap = HeapCreate(0, 0, 0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([heap] {
      std::vector<void*> blocks;
      for (SIZE_T step = 0; step < 2000; ++step) {
        blocks.push_back(HeapAlloc(heap, 0, step % 100));
        if (step % 3 == 0) {
          EXPECT_TRUE(HeapFree(heap, 0, blocks[step / 3]));
          blocks[step / 3] = nullptr;
        }
      }
      for (void*& block : blocks) {
        if (block != nullptr) block = HeapReAlloc(heap, 0, block, 40);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(HeapDestroy(heap));
}

}  // namespace
