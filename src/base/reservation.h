// A run of address space that costs nothing until it is used, and whose used parts can be given back without being
// unmapped.
//
// What that buys: an array that grows to millions without ever moving, and memory that a thread may still read after it
// was given back (it reads as zeros), so that lock-free readers need no protection against its going away.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace turnpike {

class Reservation {
 public:
  // `bytes` is rounded up to whole pages. 0 bytes: kInvalidArgument. No address space left: kExhausted.
  static Result<Reservation> make(std::size_t bytes);

  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation();

  void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  // Makes a part readable and writable; what was never written reads as zeros. The part must begin at a page. Out of
  // range: kInvalidArgument. The kernel will not promise the memory: kExhausted, and nothing has changed.
  Result<void> commit(std::size_t offset, std::size_t bytes) noexcept;

  // Asks for huge pages in a part: fewer misses of the translation buffer where it is read at random. A wish, nothing
  // depends on it.
  void prefer_huge_pages(std::size_t offset, std::size_t bytes) noexcept;

  // Takes the pages of a committed part from the kernel now, so that whoever first writes there need not. What is there
  // stays. A wish: before Linux 5.14, or where memory is short, the first write takes them as ever.
  void take_pages(std::size_t offset, std::size_t bytes) noexcept;

  // Gives the pages of a committed part back. It stays readable and writable, and reads as zeros, or unchanged where
  // the process has locked its memory (mlockall): callers must be content with either.
  void discard(std::size_t offset, std::size_t bytes) noexcept;

 private:
  Reservation(void* data, std::size_t size) : data_(data), size_(size) {}
  bool holds(std::size_t offset, std::size_t bytes) const noexcept {
    return offset <= size_ && bytes <= size_ - offset;
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace turnpike
