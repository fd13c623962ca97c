// VirtualAlloc and VirtualFree: regions, pages, and addresses that are not ours.
#include <gtest/gtest.h>
#include <windows.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

constexpr DWORD kBoth = MEM_COMMIT | MEM_RESERVE;

// How the kernel says the page may be used: "rw-p"; empty: not mapped.
std::string access_of(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream in(line);
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string access;
    in >> std::hex >> begin >> dash >> end >> access;
    if (begin <= wanted && wanted < end) return access;
  }
  return "";
}

TEST(VirtualAlloc, ReservesAndCommitsAtOnce) {
  char* const memory = static_cast<char*>(VirtualAlloc(nullptr, 10000, kBoth, PAGE_READWRITE));
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 0x10000, 0U);
  EXPECT_EQ(memory[9999], 0);
  memory[9999] = 'x';
  EXPECT_EQ(access_of(memory), "rw-p");
  EXPECT_TRUE(VirtualFree(memory, 0, MEM_RELEASE));
  EXPECT_EQ(access_of(memory), "");
  SetLastError(0);
  EXPECT_FALSE(VirtualFree(memory, 0, MEM_RELEASE));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_ADDRESS});
}

TEST(VirtualAlloc, CommitsPagesOfARegion) {
  char* const region = static_cast<char*>(VirtualAlloc(nullptr, 1 << 20, MEM_RESERVE, PAGE_NOACCESS));
  ASSERT_NE(region, nullptr);
  EXPECT_EQ(access_of(region), "---p");
  EXPECT_EQ(VirtualAlloc(region + 8200, 10, MEM_COMMIT, PAGE_READWRITE), region + 8192);
  region[8192] = 'x';
  EXPECT_EQ(access_of(region + 8192), "rw-p");
  EXPECT_EQ(access_of(region + 12288), "---p");
  EXPECT_EQ(VirtualAlloc(region + 8192, 1, MEM_COMMIT, PAGE_READONLY), region + 8192);
  EXPECT_EQ(region[8192], 'x');
  EXPECT_TRUE(VirtualFree(region + 8192, 1, MEM_DECOMMIT));
  EXPECT_EQ(access_of(region + 8192), "---p");
  EXPECT_EQ(VirtualAlloc(region + 8192, 1, MEM_COMMIT, PAGE_READWRITE), region + 8192);
  EXPECT_EQ(region[8192], 0);
  EXPECT_TRUE(VirtualFree(region, 0, MEM_DECOMMIT));
  EXPECT_EQ(access_of(region + 8192), "---p");
  EXPECT_FALSE(VirtualFree(region + 4096, 0, MEM_RELEASE));
  EXPECT_TRUE(VirtualFree(region, 0, MEM_RELEASE));
}

TEST(VirtualAlloc, AtAnAddress) {
  char* const region = static_cast<char*>(VirtualAlloc(nullptr, 1 << 20, MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS));
  SetLastError(0);
  EXPECT_EQ(VirtualAlloc(region, 4096, MEM_RESERVE, PAGE_NOACCESS), nullptr);  // taken
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_ADDRESS});
  EXPECT_TRUE(VirtualFree(region, 0, MEM_RELEASE));
  EXPECT_EQ(VirtualAlloc(region + 5000, 100000, kBoth, PAGE_READWRITE), region);
  region[104999] = 'x';
  EXPECT_TRUE(VirtualFree(region, 0, MEM_RELEASE));
}

TEST(VirtualAlloc, BadInput) {
  const struct {
    void* address;
    SIZE_T size;
    DWORD type, protection, error;
  } cases[] = {
      {nullptr, 0, kBoth, PAGE_READWRITE, ERROR_INVALID_PARAMETER},
      {nullptr, SIZE_MAX, kBoth, PAGE_READWRITE, ERROR_INVALID_PARAMETER},
      {nullptr, 4096, 0, PAGE_READWRITE, ERROR_INVALID_PARAMETER},
      {nullptr, 4096, MEM_RELEASE, PAGE_READWRITE, ERROR_INVALID_PARAMETER},
      {nullptr, 4096, kBoth, 0, ERROR_INVALID_PARAMETER},
      {nullptr, 4096, kBoth, PAGE_READWRITE | PAGE_GUARD, ERROR_INVALID_PARAMETER},
      {nullptr, SIZE_T{1} << 60, MEM_RESERVE, PAGE_NOACCESS, ERROR_NOT_ENOUGH_MEMORY},
      {reinterpret_cast<void*>(0x10000), 4096, MEM_COMMIT, PAGE_READWRITE, ERROR_INVALID_ADDRESS},
      {reinterpret_cast<void*>(~std::uintptr_t{0xFFFF}), 4096, kBoth, PAGE_READWRITE, ERROR_INVALID_ADDRESS},
  };
  for (const auto& bad : cases) {
    SetLastError(0);
    EXPECT_EQ(VirtualAlloc(bad.address, bad.size, bad.type, bad.protection), nullptr);
    EXPECT_EQ(GetLastError(), bad.error) << &bad - cases;
  }
}

TEST(VirtualFree, BadInput) {
  char* const region = static_cast<char*>(VirtualAlloc(nullptr, 8192, kBoth, PAGE_READWRITE));
  const struct {
    void* address;
    SIZE_T size;
    DWORD type, error;
  } cases[] = {
      {region, 8192, MEM_RELEASE, ERROR_INVALID_PARAMETER},
      {region, 0, 0, ERROR_INVALID_PARAMETER},
      {region, 0, MEM_RELEASE | MEM_DECOMMIT, ERROR_INVALID_PARAMETER},
      {region, 8193, MEM_DECOMMIT, ERROR_INVALID_ADDRESS},
      {region, SIZE_MAX, MEM_DECOMMIT, ERROR_INVALID_ADDRESS},
      {region + 1, 0, MEM_DECOMMIT, ERROR_INVALID_ADDRESS},
      {nullptr, 0, MEM_RELEASE, ERROR_INVALID_ADDRESS},
      {nullptr, 4096, MEM_DECOMMIT, ERROR_INVALID_ADDRESS},
      {reinterpret_cast<void*>(-1L), 0, MEM_RELEASE, ERROR_INVALID_ADDRESS},
  };
  for (const auto& bad : cases) {
    SetLastError(0);
    EXPECT_FALSE(VirtualFree(bad.address, bad.size, bad.type));
    EXPECT_EQ(GetLastError(), bad.error) << &bad - cases;
  }
  region[0] = 'x';
  EXPECT_TRUE(VirtualFree(region, 0, MEM_RELEASE));
}

}  // namespace
