// Slabs: where descriptors lie. A slab is one or more units of 64 KiB in a stretch of address space that is reserved
// once for the process and never given back.
//
// So any address can be asked whether it is a descriptor, whose, and whether it is in use, without looking at the
// memory behind it: a foreign pointer, one into the middle of a descriptor, one that was freed already are told apart
// from good ones by the table of units alone. This is how a driver's wrong free stays harmless (contract, A.2).
//
// A unit's entry may be read by anybody at any time; it is written by the pool that owns the slab, under its lock, and
// its owner changes under that lock too. Who finds an owner therefore locks it and looks again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/reservation.h"

namespace turnpike::ndis {

class Pool;

inline constexpr std::size_t kUnit = std::size_t{64} << 10;
inline constexpr std::size_t kSlabSpace = std::size_t{64} << 30;

using DescriptorState = std::atomic<std::uint8_t>;  // 0: free

struct Slab {
  std::byte* memory = nullptr;
  std::uint32_t units = 0;
  std::uint32_t count = 0;            // of descriptors
  DescriptorState* states = nullptr;  // of each
};

class SlabSpace {
 public:
  static SlabSpace& instance();

  // Memory for `count` descriptors of `stride` bytes, all free. Null memory: there is none.
  Slab take(Pool& owner, std::uint32_t stride, std::uint32_t count) noexcept;
  // Under the owner's lock.
  void give_back(const Slab& slab) noexcept;

  struct Place {
    Pool* owner = nullptr;             // null: no descriptor of anybody
    DescriptorState* state = nullptr;  // null: not where a descriptor begins
  };
  Place find(const void* address) const noexcept;

 private:
  struct Entry {
    std::atomic<Pool*> owner{nullptr};
    std::atomic<std::uint32_t> behind{0};  // units from the slab's first to this one
    std::atomic<std::uint32_t> stride{0};
    std::atomic<std::uint32_t> count{0};
    std::atomic<DescriptorState*> states{nullptr};
  };

  SlabSpace();
  bool open_up_to(std::size_t units) noexcept;
  Entry* entries() const noexcept { return static_cast<Entry*>(entry_memory_.data()); }
  std::byte* base() const noexcept { return static_cast<std::byte*>(memory_.data()); }

  Reservation memory_;
  Reservation entry_memory_;
  std::atomic<std::size_t> open_{0};  // units that were ever used; entries below it may be read
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::size_t>> free_;              // units of a slab → first units
  std::vector<std::unique_ptr<DescriptorState[]>> state_memory_;      // for good: find() may still look
  std::map<std::size_t, std::vector<DescriptorState*>> free_states_;  // by number
};

}  // namespace turnpike::ndis
