#include "rtm/deadlines.h"

#include <algorithm>
#include <utility>

namespace turnpike::rtm {
namespace {

// Of each of 2^26 routes and destinations one.
constexpr std::size_t kMost = 2UL << 26;

}  // namespace

// The children of place p are 4p - 2 … 4p + 1, the parent is (p + 2) / 4: place 1 is the root.

void Deadlines::put(std::size_t at, const Entry& entry) noexcept {
  heap()[at] = entry;
  *entry.place = static_cast<std::uint32_t>(at);
}

void Deadlines::rise(std::size_t at, const Entry& entry) noexcept {
  for (std::size_t parent = (at + 2) / kChildren; at > 1 && entry.is_before(heap()[parent]);
       parent = (at + 2) / kChildren) {
    put(at, heap()[parent]);
    at = parent;
  }
  put(at, entry);
}

void Deadlines::sink(std::size_t at, const Entry& entry) noexcept {
  while (true) {
    const std::size_t begin = kChildren * at - 2;
    const std::size_t end = std::min(begin + kChildren, count_ + 1);
    if (begin >= end) {
      break;
    }
    std::size_t least = begin;
    for (std::size_t child = begin + 1; child < end; ++child) {
      least = heap()[child].is_before(heap()[least]) ? child : least;
    }
    if (!heap()[least].is_before(entry)) {
      break;
    }
    put(at, heap()[least]);
    at = least;
  }
  put(at, entry);
}

bool Deadlines::reserve_one() noexcept {
  if (memory_.opened() == 0) {
    auto memory = Region::make(kMost * sizeof(Entry));
    if (!memory) {
      return false;
    }
    memory_ = std::move(*memory);
  }
  return memory_.reach((count_ + 2) * sizeof(Entry));
}

void Deadlines::set(const Entry& entry) noexcept {
  if (*entry.place == 0) {
    rise(++count_, entry);
  } else if (const std::size_t at = *entry.place; entry.is_before(heap()[at])) {
    rise(at, entry);
  } else {
    sink(at, entry);
  }
}

void Deadlines::remove(std::uint32_t& place) noexcept {
  const std::size_t at = place;
  if (at == 0) {
    return;
  }
  place = 0;
  const Entry last = heap()[count_--];
  if (at == count_ + 1) {
    return;
  }
  if (at > 1 && last.is_before(heap()[(at + 2) / kChildren])) {
    rise(at, last);
  } else {
    sink(at, last);
  }
}

}  // namespace turnpike::rtm
