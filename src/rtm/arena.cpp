#include "rtm/arena.h"

#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(piece, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(piece, size) static_cast<void>(0)
#endif

namespace turnpike::rtm {
namespace {

// 128 bytes a key is more than any table of 2^26 keys takes.
constexpr std::size_t kMostBytes = 128UL << 26;

constexpr std::size_t lines_of(std::size_t size) { return (size + Arena::kLine - 1) / Arena::kLine; }

}  // namespace

// AddressSanitizer remembers of addresses, not of mappings, what may not be touched.
Arena::~Arena() { ASAN_UNPOISON_MEMORY_REGION(region_.data(), region_.opened()); }

void* Arena::take(std::size_t size) noexcept {
  const std::size_t lines = lines_of(size);
  if (lines >= free_.size()) {
    return nullptr;
  }
  if (Free* piece = free_[lines]; piece != nullptr) {
    ASAN_UNPOISON_MEMORY_REGION(piece, lines * kLine);
    free_[lines] = piece->next;
    return piece;
  }
  if (region_.opened() == 0) {
    auto region = Region::make(kMostBytes);
    if (!region) {
      return nullptr;
    }
    region_ = std::move(*region);
    base_ = region_.data();
  }
  if (!region_.reach(used_ + lines * kLine)) {
    return nullptr;
  }
  return base_ + std::exchange(used_, used_ + lines * kLine);
}

void Arena::give_back(void* piece, std::size_t size) noexcept {
  const std::size_t lines = lines_of(size);
  free_[lines] = new (piece) Free{free_[lines]};
  ASAN_POISON_MEMORY_REGION(piece, lines * kLine);
}

}  // namespace turnpike::rtm
