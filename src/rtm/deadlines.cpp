#include "rtm/deadlines.h"

#include <algorithm>
#include <new>

namespace turnpike::rtm {

// The children of place p are 4p - 2 … 4p + 1, the parent is (p + 2) / 4: place 1 is the root.

void Deadlines::put(std::size_t at, const Entry& entry) noexcept {
  heap_[at] = entry;
  *entry.place = static_cast<std::uint32_t>(at);
}

void Deadlines::rise(std::size_t at, const Entry& entry) noexcept {
  for (std::size_t parent = (at + 2) / kChildren; at > 1 && entry.is_before(heap_[parent]);
       parent = (at + 2) / kChildren) {
    put(at, heap_[parent]);
    at = parent;
  }
  put(at, entry);
}

void Deadlines::sink(std::size_t at, const Entry& entry) noexcept {
  while (true) {
    const std::size_t begin = kChildren * at - 2;
    const std::size_t end = std::min(begin + kChildren, heap_.size());
    if (begin >= end) {
      break;
    }
    std::size_t least = begin;
    for (std::size_t child = begin + 1; child < end; ++child) {
      least = heap_[child].is_before(heap_[least]) ? child : least;
    }
    if (!heap_[least].is_before(entry)) {
      break;
    }
    put(at, heap_[least]);
    at = least;
  }
  put(at, entry);
}

bool Deadlines::reserve_one() noexcept {
  try {
    if (heap_.size() == heap_.capacity()) {
      heap_.reserve(2 * heap_.size());
    }
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Deadlines::set(const Entry& entry) noexcept {
  if (*entry.place == 0) {
    heap_.push_back(entry);
    rise(heap_.size() - 1, entry);
  } else if (const std::size_t at = *entry.place; entry.is_before(heap_[at])) {
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
  const Entry last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) {
    return;
  }
  if (at > 1 && last.is_before(heap_[(at + 2) / kChildren])) {
    rise(at, last);
  } else {
    sink(at, last);
  }
}

}  // namespace turnpike::rtm
