// Memory that runs out when a test says so. To be included once in a program, and only there: it replaces operator new.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace turnpike {

// While one lives, operator new succeeds so many times more in this process, and then no more.
class NoMemory {
 public:
  explicit NoMemory(int after = 0) { left = after; }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
  ~NoMemory() { left = kPlenty; }

  static bool take() { return left.load() >= kPlenty || left.fetch_sub(1) > 0; }

 private:
  static constexpr int kPlenty = 1 << 30;
  static inline std::atomic<int> left{kPlenty};
};

}  // namespace turnpike

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return turnpike::NoMemory::take() ? std::malloc(size) : nullptr;
}
void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
