// Memory that runs out when a test says so. To be included once in a program, and only there: it replaces operator new.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace turnpike {

// While one lives, every operator new of this process fails, and is counted.
class NoMemory {
 public:
  NoMemory() { refusing() = true; }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
  ~NoMemory() { refusing() = false; }

  static std::atomic<bool>& refusing() {
    static std::atomic<bool> is_refusing{false};
    return is_refusing;
  }
  static std::atomic<int>& refused() {
    static std::atomic<int> count{0};
    return count;
  }
};

}  // namespace turnpike

void* operator new(std::size_t size) {
  void* const memory = turnpike::NoMemory::refusing() ? nullptr : std::malloc(size);
  if (memory == nullptr) {
    ++turnpike::NoMemory::refused();
    throw std::bad_alloc();
  }
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
