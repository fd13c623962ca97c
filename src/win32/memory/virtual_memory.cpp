// VirtualAlloc and VirtualFree over mmap. A table knows the regions, so that nothing but a region of ours can be
// released or changed. Reserved pages are mapped without access; to decommit is to map them so again, which gives the
// memory back.
#include <memoryapi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>

#include "win32/last_error.h"

namespace turnpike::win32 {
namespace {

constexpr std::uintptr_t kGranularity = 0x10000;  // regions begin at multiples of it
constexpr int kReserved = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

std::uintptr_t page_size() {
  static const auto size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  return size;
}

constexpr std::uintptr_t round_up(std::uintptr_t value, std::uintptr_t unit) {
  return (value + unit - 1) & ~(unit - 1);
}
constexpr std::uintptr_t round_down(std::uintptr_t value, std::uintptr_t unit) { return value & ~(unit - 1); }
void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

std::optional<int> access_of(DWORD protection) {
  switch (protection) {
    case PAGE_NOACCESS:
      return PROT_NONE;
    case PAGE_READONLY:
      return PROT_READ;
    case PAGE_READWRITE:
    case PAGE_WRITECOPY:
      return PROT_READ | PROT_WRITE;
    case PAGE_EXECUTE:
      return PROT_EXEC;
    case PAGE_EXECUTE_READ:
      return PROT_READ | PROT_EXEC;
    case PAGE_EXECUTE_READWRITE:
      return PROT_READ | PROT_WRITE | PROT_EXEC;
    default:
      return std::nullopt;
  }
}

// Whole pages: from the one that holds the first byte to the one that holds the last.
struct Pages {
  std::uintptr_t begin;
  std::uintptr_t end;

  static Pages around(std::uintptr_t address, std::size_t size) {
    return {round_down(address, page_size()), round_up(address + size, page_size())};
  }
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

class Regions {
 public:
  // Never destroyed: other threads may use it to the end.
  static Regions& instance() {
    static Regions& made = *std::make_unique<Regions>().release();
    return made;
  }

  // The error, or 0 and where the region begins.
  DWORD reserve(std::uintptr_t wanted, std::size_t size, std::uintptr_t& begin) {
    const Pages pages = Pages::around(round_down(wanted, kGranularity), size + wanted % kGranularity);
    const std::lock_guard lock(lock_);
    const auto entry = regions_.emplace(0, pages.size()).first;  // what could fail for want of memory comes first
    begin = wanted == 0 ? map_anywhere(pages.size()) : map_at(pages);
    if (begin == 0) {
      regions_.erase(entry);
      return wanted == 0 ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_ADDRESS;
    }
    auto node = regions_.extract(entry);
    node.key() = begin;
    regions_.insert(std::move(node));
    return 0;
  }

  DWORD commit(std::uintptr_t address, std::size_t size, int access) {
    const Pages pages = Pages::around(address, size);
    const std::lock_guard lock(lock_);
    if (!region_around(pages)) return ERROR_INVALID_ADDRESS;
    return mprotect(pointer(pages.begin), pages.size(), access) == 0 ? 0 : ERROR_NOT_ENOUGH_MEMORY;
  }

  DWORD decommit(std::uintptr_t address, std::size_t size) {
    const std::lock_guard lock(lock_);
    if (size == 0) {
      const auto whole = regions_.find(address);
      if (whole == regions_.end()) return ERROR_INVALID_ADDRESS;
      size = whole->second;
    }
    const Pages pages = Pages::around(address, size);
    if (!region_around(pages)) return ERROR_INVALID_ADDRESS;
    const void* const mapped = mmap(pointer(pages.begin), pages.size(), PROT_NONE, kReserved | MAP_FIXED, -1, 0);
    return mapped != MAP_FAILED ? 0 : ERROR_NOT_ENOUGH_MEMORY;
  }

  DWORD release(std::uintptr_t address) {
    const std::lock_guard lock(lock_);
    const auto region = regions_.find(address);
    if (region == regions_.end()) return ERROR_INVALID_ADDRESS;
    munmap(pointer(address), region->second);
    regions_.erase(region);
    return 0;
  }

 private:
  // 0: there is no room. Maps more than needed and gives back what lies before and behind an aligned beginning.
  static std::uintptr_t map_anywhere(std::size_t size) {
    const std::size_t more = size + kGranularity;
    void* const mapped = mmap(nullptr, more, PROT_NONE, kReserved, -1, 0);
    if (mapped == MAP_FAILED) return 0;
    const auto found = reinterpret_cast<std::uintptr_t>(mapped);
    const std::uintptr_t begin = round_up(found, kGranularity);
    if (begin != found) munmap(mapped, begin - found);
    munmap(pointer(begin + size), found + more - (begin + size));
    return begin;
  }

  // 0: something is there already.
  static std::uintptr_t map_at(const Pages& pages) {
    void* const mapped = mmap(pointer(pages.begin), pages.size(), PROT_NONE, kReserved | MAP_FIXED_NOREPLACE, -1, 0);
    return mapped == MAP_FAILED ? 0 : pages.begin;
  }

  [[nodiscard]] bool region_around(const Pages& pages) const {
    auto behind = regions_.upper_bound(pages.begin);
    if (behind == regions_.begin()) return false;
    const auto& [begin, size] = *--behind;
    return pages.end > pages.begin && pages.end <= begin + size;
  }

  std::mutex lock_;
  std::map<std::uintptr_t, std::size_t> regions_;
};

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::access_of;
using turnpike::win32::fail_with;
using turnpike::win32::Regions;

LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType, DWORD flProtect) {
  const DWORD kind = flAllocationType & ~MEM_TOP_DOWN;
  const auto access = access_of(flProtect);
  if (kind == 0 || (kind & ~(MEM_COMMIT | MEM_RESERVE)) != 0 || !access || dwSize == 0 || dwSize > PTRDIFF_MAX) {
    return fail_with(ERROR_INVALID_PARAMETER, LPVOID{nullptr});
  }
  auto address = reinterpret_cast<std::uintptr_t>(lpAddress);
  if (address > PTRDIFF_MAX) return fail_with(ERROR_INVALID_ADDRESS, LPVOID{nullptr});
  const bool reserves = (kind & MEM_RESERVE) != 0 || lpAddress == nullptr;
  std::uintptr_t region = turnpike::win32::round_down(address, turnpike::win32::page_size());
  DWORD error = 0;
  try {
    if (reserves) error = Regions::instance().reserve(address, dwSize, region);
    if (lpAddress == nullptr) address = region;
    if (error == 0 && (kind & MEM_COMMIT) != 0) {
      error = Regions::instance().commit(address, dwSize, *access);
      if (error != 0 && reserves) Regions::instance().release(region);
    }
  } catch (const std::bad_alloc&) {
    error = ERROR_NOT_ENOUGH_MEMORY;
  }
  return error == 0 ? turnpike::win32::pointer(region) : fail_with(error, LPVOID{nullptr});
}

BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType) {
  const auto address = reinterpret_cast<std::uintptr_t>(lpAddress);
  DWORD error = ERROR_INVALID_PARAMETER;
  if (address > PTRDIFF_MAX || dwSize > PTRDIFF_MAX) {
    error = ERROR_INVALID_ADDRESS;
  } else if (dwFreeType == MEM_RELEASE && dwSize == 0) {
    error = Regions::instance().release(address);
  } else if (dwFreeType == MEM_DECOMMIT) {
    error = Regions::instance().decommit(address, dwSize);
  }
  return error == 0 ? TRUE : fail_with(error, FALSE);
}
