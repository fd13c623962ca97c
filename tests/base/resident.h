// What of this process lies in memory, as the kernel counts it.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace turnpike {

inline std::size_t resident_bytes() {
  std::size_t virtual_pages = 0;
  std::size_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace turnpike
