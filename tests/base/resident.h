// How much memory of its own the kernel gives this process, exactly: smaps_rollup walks the page tables. (statm reads
// counters that lag behind by some dozens of pages a processor, and counts the pages of program files that come and
// go.)
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace turnpike {

inline std::size_t resident_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::size_t kibibytes = 0;
  for (std::string word; file >> word;) {
    if (word == "Anonymous:" && file >> kibibytes) break;
  }
  return kibibytes * 1024;
}

}  // namespace turnpike
