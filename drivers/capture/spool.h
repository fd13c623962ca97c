// Frames on their way from the threads that receive them to the one that writes: as blocks of pcapng, in memory that is
// bounded.
//
// The receiving side never waits: what does not fit is dropped and counted, and the counts are written with the
// capture. The writing side takes all that there is, giving the memory of what it took last in exchange, so a capture
// that keeps up allocates nothing.
#pragma once

#include <mutex>

#include "pcapng.h"

namespace capture {

struct Batch {
  std::vector<Interface> interfaces;  // that are new, to be described before the blocks
  Bytes blocks;
};

class Spool {
 public:
  struct Limits {
    std::size_t bytes = std::size_t{16} << 20;  // that wait to be written
    std::uint32_t snap_length = 262'144;
    std::uint64_t frames = 0;  // that are taken at all; 0: any number
  };
  struct Counts {
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;
  };

  explicit Spool(const Limits& limits);

  // Interfaces are numbered from 0 as they come, and stay though they go.
  std::uint32_t add_interface(Interface interface);
  void add(const Packet& packet);

  // False: there is nothing. What `into` held is overwritten.
  bool take(Batch& into);
  [[nodiscard]] bool is_complete() const;  // as many frames as were wanted have come
  [[nodiscard]] Counts counts(std::uint32_t interface) const;

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  Batch waiting_;
  std::vector<Counts> counts_;
  std::uint64_t frames_ = 0;
};

}  // namespace capture
