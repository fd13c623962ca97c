// Fifo: first in, first out, in one piece of memory that grows when it must and then stays. A std::deque allocates and
// frees as its ends move along, which is once every few frames; this does so never again once it was long enough.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace turnpike::ndis {

template <class T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  T& front() { return slots_[first_]; }
  // The oldest is 0.
  T& operator[](std::size_t i) { return slots_[(first_ + i) & (slots_.size() - 1)]; }

  void push_back(T value) {
    if (size_ == slots_.size()) {
      grow();
    }
    (*this)[size_++] = std::move(value);
  }
  void pop_front() {
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
  }
  // Asks of each, the oldest first.
  template <class Which>
  void erase_if(Which&& which) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!which(std::as_const((*this)[i]))) {
        if (kept != i) {
          (*this)[kept] = std::move((*this)[i]);
        }
        ++kept;
      }
    }
    size_ = kept;
  }

 private:
  static constexpr std::size_t kFirst = 64;

  void grow() {
    std::vector<T> more(std::max(kFirst, slots_.size() * 2));
    for (std::size_t i = 0; i < size_; ++i) {
      more[i] = std::move((*this)[i]);
    }
    slots_ = std::move(more);
    first_ = 0;
  }

  std::vector<T> slots_;  // a power of two of them, or none
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace turnpike::ndis
