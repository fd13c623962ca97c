// LocalAlloc and GlobalAlloc: fixed and moveable memory, locks, and handles that are no good.
#include <gtest/gtest.h>
#include <windows.h>

#include <cstring>

namespace {

TEST(LocalMemory, FixedMemoryIsItsOwnHandle) {
  const HLOCAL handle = LocalAlloc(LPTR, 100);
  ASSERT_NE(handle, nullptr);
  EXPECT_EQ(static_cast<char*>(handle)[99], 0);
  EXPECT_EQ(LocalSize(handle), 100U);
  EXPECT_EQ(LocalLock(handle), handle);
  EXPECT_TRUE(LocalUnlock(handle));
  EXPECT_EQ(LocalFlags(handle), 0U);
  EXPECT_EQ(LocalHandle(handle), handle);
  EXPECT_EQ(LocalFree(handle), nullptr);
  SetLastError(0);
  EXPECT_EQ(LocalFree(handle), handle);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(LocalMemory, GlobalIsTheSame) {
  const HGLOBAL handle = GlobalAlloc(GPTR, 8);
  EXPECT_EQ(LocalSize(handle), 8U);
  EXPECT_EQ(GlobalSize(handle), 8U);
  const HGLOBAL larger = GlobalReAlloc(handle, 800, GMEM_MOVEABLE | GMEM_ZEROINIT);
  EXPECT_EQ(GlobalSize(larger), 800U);
  EXPECT_EQ(GlobalReAlloc(nullptr, 8, 0), nullptr);
  EXPECT_EQ(GlobalSize(nullptr), 0U);
  EXPECT_EQ(GlobalFree(larger), nullptr);
  EXPECT_EQ(GlobalFree(nullptr), nullptr);
  EXPECT_EQ(LocalFree(nullptr), nullptr);
}

TEST(LocalMemory, MoveableMemoryIsLockedToGetAtIt) {
  const HGLOBAL handle = GlobalAlloc(GHND, 16);
  ASSERT_NE(handle, nullptr);
  char* const memory = static_cast<char*>(GlobalLock(handle));
  ASSERT_NE(memory, nullptr);
  EXPECT_NE(static_cast<void*>(memory), handle);
  EXPECT_EQ(memory[15], 0);
  EXPECT_EQ(GlobalHandle(memory), handle);
  EXPECT_EQ(GlobalLock(handle), memory);
  EXPECT_EQ(GlobalFlags(handle) & GMEM_LOCKCOUNT, 2U);
  EXPECT_TRUE(GlobalUnlock(handle));
  SetLastError(7);
  EXPECT_FALSE(GlobalUnlock(handle));
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  EXPECT_FALSE(GlobalUnlock(handle));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_LOCKED});
  EXPECT_EQ(GlobalFree(handle), nullptr);
  EXPECT_EQ(GlobalLock(handle), nullptr);
  EXPECT_EQ(GlobalHandle(memory), nullptr);
}

TEST(LocalMemory, MoveableMemoryKeepsItsHandleWhenItGrows) {
  const HLOCAL handle = LocalAlloc(LHND, 4);
  std::memcpy(LocalLock(handle), "abcd", 4);
  EXPECT_EQ(LocalReAlloc(handle, 1 << 20, 0), nullptr);  // locked: not in its place
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
  LocalUnlock(handle);
  EXPECT_EQ(LocalReAlloc(handle, 1 << 20, LMEM_ZEROINIT), handle);
  const char* const memory = static_cast<const char*>(LocalLock(handle));
  EXPECT_EQ(std::memcmp(memory, "abcd\0", 6), 0);
  EXPECT_EQ(memory[(1 << 20) - 1], 0);
  EXPECT_EQ(LocalHandle(memory), handle);
  EXPECT_EQ(LocalSize(handle), 1U << 20);
  EXPECT_EQ(LocalFree(handle), nullptr);
}

TEST(LocalMemory, FixedMemoryMovesOnlyIfItMay) {
  HLOCAL handle = LocalAlloc(LMEM_FIXED, 4);
  std::memcpy(handle, "abcd", 4);
  SetLastError(0);
  EXPECT_EQ(LocalReAlloc(handle, 1 << 20, 0), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
  EXPECT_EQ(LocalSize(handle), 4U);
  EXPECT_EQ(LocalReAlloc(handle, 2, 0), handle);
  EXPECT_EQ(LocalSize(handle), 2U);
  const HLOCAL moved = LocalReAlloc(handle, 1 << 20, LMEM_MOVEABLE | LMEM_ZEROINIT);
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(std::memcmp(moved, "ab\0\0", 5), 0);
  EXPECT_NE(moved, handle);
  EXPECT_EQ(LocalSize(handle), 0U);
  EXPECT_EQ(LocalReAlloc(moved, SIZE_MAX, LMEM_MOVEABLE), nullptr);
  EXPECT_EQ(LocalSize(moved), 1U << 20);
  EXPECT_EQ(LocalFree(moved), nullptr);
}

TEST(LocalMemory, DiscardedMemory) {
  const HLOCAL handle = LocalAlloc(LMEM_MOVEABLE | LMEM_DISCARDABLE, 8);
  LocalLock(handle);
  EXPECT_EQ(LocalDiscard(handle), nullptr);
  LocalUnlock(handle);
  EXPECT_EQ(LocalDiscard(handle), handle);
  EXPECT_EQ(LocalFlags(handle) & LMEM_DISCARDED, LMEM_DISCARDED);
  EXPECT_EQ(LocalSize(handle), 0U);
  EXPECT_EQ(LocalLock(handle), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_DISCARDED});
  EXPECT_EQ(LocalReAlloc(handle, 8, LMEM_MOVEABLE), handle);
  EXPECT_NE(LocalLock(handle), nullptr);
  EXPECT_EQ(LocalFree(handle), nullptr);

  const HLOCAL nothing = LocalAlloc(LMEM_MOVEABLE, 0);
  ASSERT_NE(nothing, nullptr);
  EXPECT_EQ(LocalLock(nothing), nullptr);
  EXPECT_EQ(LocalFree(nothing), nullptr);
  const HLOCAL empty = LocalAlloc(LMEM_FIXED, 0);
  ASSERT_NE(empty, nullptr);
  EXPECT_EQ(LocalSize(empty), 0U);
  EXPECT_EQ(LocalFree(empty), nullptr);
}

TEST(LocalMemory, ModifyChangesFlagsAlone) {
  const HLOCAL moveable = LocalAlloc(LMEM_MOVEABLE, 8);
  EXPECT_EQ(LocalReAlloc(moveable, 0, LMEM_MODIFY | LMEM_DISCARDABLE), moveable);
  EXPECT_EQ(LocalFlags(moveable), LMEM_DISCARDABLE);
  EXPECT_EQ(LocalSize(moveable), 8U);
  const HLOCAL fixed = LocalAlloc(LMEM_FIXED, 8);
  SetLastError(0);
  EXPECT_EQ(LocalReAlloc(fixed, 0, LMEM_MODIFY | LMEM_MOVEABLE), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  LocalFree(moveable);
  LocalFree(fixed);
}

TEST(LocalMemory, BadInput) {
  char byte = 0;
  for (const HLOCAL bad : {HLOCAL{nullptr}, HLOCAL{INVALID_HANDLE_VALUE}, HLOCAL{&byte}, HLOCAL{GetProcessHeap()}}) {
    SetLastError(0);
    EXPECT_EQ(LocalLock(bad), nullptr);
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    SetLastError(0);
    EXPECT_FALSE(LocalUnlock(bad));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(LocalSize(bad), 0U);
    EXPECT_EQ(LocalFlags(bad), LMEM_INVALID_HANDLE);
    EXPECT_EQ(LocalReAlloc(bad, 8, LMEM_MOVEABLE), nullptr);
    EXPECT_EQ(LocalHandle(bad), nullptr);
    EXPECT_EQ(LocalFree(bad), bad);
  }
  SetLastError(0);
  EXPECT_EQ(LocalAlloc(0x80000000, 8), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(LocalAlloc(LPTR, SIZE_MAX), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
}

TEST(SecureZeroMemory, Zeroes) {
  char secret[] = "secret";
  EXPECT_EQ(SecureZeroMemory(secret, sizeof secret), static_cast<void*>(secret));
  EXPECT_EQ(secret[0] | secret[5], 0);
}

}  // namespace
