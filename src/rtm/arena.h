// Arena: the memory of the trie's nodes. Pieces of whole cache lines, one list of free ones for each size.
//
// Why not the heap's: its pieces lie on small pages, which cost a look-up in a million routes a third of its time in
// misses of the translation buffer; and aligned memory of many sizes is dear there. A node that grows leaves pieces of
// every size behind, and other nodes grow through the same sizes, so the lists stay short.
//
// Under the table's lock. Memory is given back to the kernel with the arena.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "rtm/region.h"

namespace turnpike::rtm {

class Arena {
 public:
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kLargest = 4224;  // bytes of a piece

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Null: no memory, or more than kLargest.
  [[nodiscard]] void* take(std::size_t size) noexcept;
  // A piece of that size, which nobody looks at any more.
  void give_back(void* piece, std::size_t size) noexcept;

  // The memory, if it should be made ready for more. Its make_ready wants no lock.
  [[nodiscard]] Region* low() { return region_.is_low(used_) ? &region_ : nullptr; }

  // A piece by a number of 32 bits, which is never 0; and back. The second from any thread.
  [[nodiscard]] std::uint32_t number_of(const void* piece) const {
    return static_cast<std::uint32_t>((static_cast<const std::byte*>(piece) - base_) / kLine) + 1;
  }
  [[nodiscard]] void* piece_at(std::uint32_t number) const { return base_ + std::size_t{number - 1} * kLine; }

 private:
  struct Free {
    Free* next;
  };

  std::array<Free*, kLargest / kLine + 1> free_{};
  Region region_;              // reserved by the first piece
  std::byte* base_ = nullptr;  // of region_
  std::size_t used_ = 0;
};

}  // namespace turnpike::rtm
