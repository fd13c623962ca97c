// Pools: descriptors of one size, taken and given back by any thread.
//
// In steady state nothing is allocated: a pool takes slabs (slabs.h) as it grows and keeps them until it dies. Taking
// and giving back are a short lock and a stack of free descriptors, last in first out, because what was used last lies
// in the cache. A pool that was made for verifying does the opposite: each descriptor has pages of its own, freeing
// takes them away from the process, and it is long until they come back.
//
// ## How a pool ends
//
// Its handle dies when the driver frees it. Descriptors that are still out are a mistake of the driver's; they stay
// good, and the pool ends with the last of them (contract, D.9). Pools themselves are never destroyed but used again:
// so a stale descriptor, freed late, meets a pool, asks it under its lock, and is refused.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/handle_table.h"
#include "base/short_lock.h"
#include "ndis/pools/slabs.h"

namespace turnpike::ndis {

enum class PoolKind : std::uint8_t { kNone, kPacket, kBuffer, kNetBufferList, kNetBuffer, kMdl, kBytes };
inline constexpr std::size_t kPoolKinds = 7;
const char* name_of(PoolKind kind);

struct PoolShape {
  PoolKind kind = PoolKind::kNone;
  std::uint32_t size = 0;     // bytes of a descriptor
  std::uint32_t limit = ~0U;  // descriptors at one time
  bool verify = false;
  std::uint64_t owner = 0;  // the NdisHandle it was allocated with
  std::uint32_t tag = 0;
  // What the kinds need to know of themselves.
  std::uint32_t data_size = 0;
  std::uint16_t context_size = 0;
  std::uint16_t out_of_band = 0;  // of a packet: where its out-of-band block begins
  bool with_net_buffer = false;
  std::uint8_t protocol_id = 0;
};

class Pool {
 public:
  // A descriptor whose bytes are anything; null where the limit is reached or there is no memory.
  void* take() noexcept;

  // False, and nothing happens: the address is no descriptor of this pool's that is in use.
  bool give(void* descriptor) noexcept;

  [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
  [[nodiscard]] const PoolShape& shape() const noexcept { return shape_; }
  [[nodiscard]] Handle handle() const noexcept { return handle_; }

 private:
  friend class Pools;
  struct Free {
    std::byte* memory;
    DescriptorState* state;
  };

  bool grow() noexcept;
  void end() noexcept;  // the handle is dead and no descriptor is out

  ShortLock lock_;
  PoolShape shape_;
  std::uint32_t stride_ = 0;
  std::uint32_t per_slab_ = 0;
  std::atomic<std::uint32_t> in_use_{0};
  std::uint32_t made_ = 0;
  bool closing_ = false;
  std::vector<Free> free_;     // room for everything that was made
  std::deque<Free> verified_;  // of a verifying pool, oldest first
  std::vector<Slab> slabs_;
  Handle handle_{};
};

// What is alive of each kind.
struct PoolCensus {
  std::array<std::uint32_t, kPoolKinds> pools{};
  std::array<std::uint64_t, kPoolKinds> descriptors{};
};

// All pools of the process.
class Pools {
 public:
  static Pools& instance();

  // kExhausted: no memory.
  Result<Handle> create(const PoolShape& shape) noexcept;

  // The handle dies. False: it names no pool of that kind. `left` is how many descriptors were still out.
  bool close(Handle handle, PoolKind kind, std::uint32_t& left) noexcept;

  // Empty where the handle names no pool of that kind.
  Pin<Pool> pin(Handle handle, PoolKind kind) noexcept;

  // The pool of a descriptor that is in use and begins there; null for any other address.
  Pool* owner_of(const void* descriptor) const noexcept;
  Pool* owner_of(const void* descriptor, PoolKind kind) const noexcept {
    Pool* const pool = owner_of(descriptor);
    return pool != nullptr && pool->shape().kind == kind ? pool : nullptr;
  }

  // Pools that no driver made, and that stay: of pieces of at least so many bytes (null: there is none so large), and
  // one of each kind of descriptor, in the shape that is asked for first.
  Pool* of_bytes(std::size_t bytes) noexcept;
  Pool* own(PoolKind kind, const PoolShape& shape) noexcept;

  [[nodiscard]] PoolCensus census() const;
  // "2 packet pools with 7 packets, 1 net buffer pool": what was allocated with that NdisHandle and not freed; empty if
  // nothing. For the report of what a driver leaves behind.
  [[nodiscard]] std::string left_by(std::uint64_t owner) const;

 private:
  friend class Pool;
  Pools();
  Pool* make(const PoolShape& shape) noexcept;
  Pool* made_once(std::atomic<Pool*>& place, const PoolShape& shape) noexcept;
  void recycle(Pool& pool) noexcept;

  static constexpr std::size_t kSmallest = 64, kClasses = 12;  // 64 bytes to 128 KiB

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Pool>> all_;
  std::vector<Pool*> unused_;
  std::unique_ptr<HandleTable> handles_;
  std::array<std::atomic<Pool*>, kClasses> bytes_{};
  std::array<std::atomic<Pool*>, kPoolKinds> own_{};
};

}  // namespace turnpike::ndis
