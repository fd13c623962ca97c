#include "base/reservation.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace turnpike {

Result<Reservation> Reservation::make(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t size = (bytes + page - 1) / page * page;
  if (size == 0 || size < bytes) {
    return fail(ErrorKind::kInvalidArgument, "a reservation of no bytes, or of too many");
  }
  // PROT_NONE is not counted against the commit limit: only what commit() opens is, also where overcommit is forbidden.
  void* data = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return fail(ErrorKind::kExhausted, "no address space left");
  }
  return Reservation(data, size);
}

Reservation::Reservation(Reservation&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Reservation::~Reservation() {
  if (data_ != nullptr) {
    munmap(data_, size_);
  }
}

Result<void> Reservation::commit(std::size_t offset, std::size_t bytes) noexcept {
  if (!holds(offset, bytes)) {
    return fail(ErrorKind::kInvalidArgument, "outside the reservation");
  }
  if (mprotect(static_cast<char*>(data_) + offset, bytes, PROT_READ | PROT_WRITE) != 0) {
    return fail(ErrorKind::kExhausted, "the kernel promises no more memory");
  }
  return {};
}

void Reservation::prefer_huge_pages(std::size_t offset, std::size_t bytes) noexcept {
  if (holds(offset, bytes)) {
    madvise(static_cast<char*>(data_) + offset, bytes, MADV_HUGEPAGE);
  }
}

void Reservation::take_pages(std::size_t offset, std::size_t bytes) noexcept {
  if (holds(offset, bytes)) {
    madvise(static_cast<char*>(data_) + offset, bytes, MADV_POPULATE_WRITE);
  }
}

void Reservation::discard(std::size_t offset, std::size_t bytes) noexcept {
  if (holds(offset, bytes)) {
    madvise(static_cast<char*>(data_) + offset, bytes, MADV_DONTNEED);
  }
}

}  // namespace turnpike
