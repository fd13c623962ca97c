#include "ndis/pools/pools.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "ndis/pools/misuse.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TURNPIKE_TELL_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(TURNPIKE_TELL_SANITIZER)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(piece, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(piece, size) static_cast<void>(0)
#endif

namespace turnpike::ndis {
namespace {

constexpr std::uint8_t kTaken = 1;
constexpr std::uint32_t kAlignment = 16;      // MEMORY_ALLOCATION_ALIGNMENT
constexpr std::size_t kVerifiedAtRest = 64;   // of a verifying pool, before one is used again
constexpr std::uint32_t kLargest = 1U << 30;  // of a descriptor

// One tag for each kind: a handle of another kind is refused by the table.
constexpr HandleTag tag_of_kind(PoolKind kind) {
  return HandleTag(static_cast<std::uint8_t>(0x60 + static_cast<int>(kind)));
}

}  // namespace

const char* name_of(PoolKind kind) {
  switch (kind) {
    case PoolKind::kPacket:
      return "packet";
    case PoolKind::kBuffer:
      return "buffer";
    case PoolKind::kNetBufferList:
      return "net buffer list";
    case PoolKind::kNetBuffer:
      return "net buffer";
    case PoolKind::kMdl:
      return "memory descriptor";
    case PoolKind::kBytes:
      return "piece of memory";
    case PoolKind::kNone:
      break;
  }
  return "nothing";
}

// --- one pool --------------------------------------------------------------------------------------------------------

void* Pool::take() noexcept {
  const std::lock_guard lock(lock_);
  if (in_use_.load(std::memory_order_relaxed) >= shape_.limit) {
    return nullptr;
  }
  const bool at_hand = shape_.verify ? verified_.size() > kVerifiedAtRest || made_ >= shape_.limit : !free_.empty();
  if (!at_hand && !grow()) {
    return nullptr;
  }
  Free next{};
  if (shape_.verify) {
    next = verified_.front();
    verified_.pop_front();
    if (::mprotect(next.memory, stride_, PROT_READ | PROT_WRITE) != 0) {
      verified_.push_back(next);
      return nullptr;
    }
  } else {
    next = free_.back();
    free_.pop_back();
  }
  next.state->store(kTaken, std::memory_order_relaxed);
  in_use_.store(in_use_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  ASAN_UNPOISON_MEMORY_REGION(next.memory, stride_);
  note_use(next.memory, "allocated");
  return next.memory;
}

bool Pool::give(void* descriptor) noexcept {
  const SlabSpace::Place place = SlabSpace::instance().find(descriptor);
  if (place.owner != this || place.state == nullptr) {
    return false;
  }
  std::unique_lock lock(lock_);
  // The owner again, for the slab may have been another pool's before the lock was ours, or this one's in another life.
  if (SlabSpace::instance().find(descriptor).state != place.state ||
      place.state->load(std::memory_order_relaxed) != kTaken) {
    return false;
  }
  place.state->store(0, std::memory_order_relaxed);
  note_use(descriptor, "freed");
  auto* const memory = static_cast<std::byte*>(descriptor);
  if (shape_.verify) {
    // It can only fail for want of memory to split mappings: then the descriptor stays readable, and nothing worse.
    static_cast<void>(::mprotect(memory, stride_, PROT_NONE));
    verified_.push_back({memory, place.state});
  } else {
    ASAN_POISON_MEMORY_REGION(memory, stride_);
    free_.push_back({memory, place.state});
  }
  const std::uint32_t left = in_use_.load(std::memory_order_relaxed) - 1;
  in_use_.store(left, std::memory_order_relaxed);
  if (left == 0 && closing_) {
    end();
    lock.unlock();
    Pools::instance().recycle(*this);
  }
  return true;
}

// Under the lock: one slab more.
bool Pool::grow() noexcept try {
  const std::uint32_t count = std::min(per_slab_, shape_.limit - made_);
  if (count == 0) {
    return false;
  }
  slabs_.reserve(slabs_.size() + 1);
  free_.reserve(std::size_t{made_} + count);
  const Slab slab = SlabSpace::instance().take(*this, stride_, count);
  if (slab.memory == nullptr) {
    return false;
  }
  slabs_.push_back(slab);
  made_ += count;
  // The first one last: it is taken first.
  for (std::uint32_t at = count; at-- > 0;) {
    const Free one{slab.memory + std::size_t{at} * stride_, slab.states + at};
    if (shape_.verify) {
      verified_.push_front(one);  // one that was never used goes before those that rest
    } else {
      free_.push_back(one);
      ASAN_POISON_MEMORY_REGION(one.memory, stride_);
    }
  }
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void Pool::end() noexcept {
  for (const Slab& slab : slabs_) {
    if (shape_.verify) {
      static_cast<void>(::mprotect(slab.memory, slab.units * kUnit, PROT_READ | PROT_WRITE));
    }
    ASAN_UNPOISON_MEMORY_REGION(slab.memory, slab.units * kUnit);
    SlabSpace::instance().give_back(slab);
  }
  slabs_.clear();
  free_.clear();
  verified_.clear();
  made_ = 0;
  closing_ = false;
  handle_ = Handle::kNone;
  shape_ = {};
}

// --- all of them -----------------------------------------------------------------------------------------------------

Pools& Pools::instance() {
  // Never destroyed: drivers free what they have while the process ends.
  static Pools* const pools = std::unique_ptr<Pools>(new Pools).release();
  return *pools;
}

Pools::Pools() {
  HandleTableOptions options;
  options.capacity = 1U << 20;
  options.shards = 1;
  if (auto table = HandleTable::create(options)) {
    handles_ = std::move(*table);
  }
  for (std::size_t kind = 1; handles_ != nullptr && kind < kPoolKinds; ++kind) {
    // A handle that dies says so to its pool, which ends now or with its last descriptor.
    static_cast<void>(handles_->register_tag(tag_of_kind(PoolKind(kind)), "pool", [this](void* object) {
      Pool& pool = *static_cast<Pool*>(object);
      bool ended = false;
      {
        const std::lock_guard lock(pool.lock_);
        ended = pool.in_use() == 0;
        if (ended) {
          pool.end();
        } else {
          pool.closing_ = true;
        }
      }
      if (ended) {
        recycle(pool);
      }
    }));
  }
}

Pool* Pools::make(const PoolShape& shape) noexcept try {
  if (shape.size == 0 || shape.size > kLargest) {
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  if (unused_.empty()) {
    unused_.reserve(all_.size() + 1);  // recycle() never allocates
    all_.push_back(std::make_unique<Pool>());
    unused_.push_back(all_.back().get());
  }
  Pool* const pool = unused_.back();
  unused_.pop_back();
  const std::lock_guard pool_lock(pool->lock_);
  pool->shape_ = shape;
  pool->stride_ = (shape.size + kAlignment - 1) & ~(kAlignment - 1);
  if (shape.verify) {
    pool->stride_ = (pool->stride_ + kUnit - 1) & ~static_cast<std::uint32_t>(kUnit - 1);
  }
  pool->per_slab_ = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(kUnit) / pool->stride_);
  return pool;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void Pools::recycle(Pool& pool) noexcept {
  const std::lock_guard lock(mutex_);
  unused_.push_back(&pool);
}

Result<Handle> Pools::create(const PoolShape& shape) noexcept {
  Pool* const pool = handles_ != nullptr ? make(shape) : nullptr;
  if (pool == nullptr) {
    return fail(ErrorKind::kExhausted, "there is no memory for another pool");
  }
  auto handle = handles_->add(tag_of_kind(shape.kind), pool, OwnerId::kNobody);
  if (!handle) {
    {
      const std::lock_guard lock(pool->lock_);
      pool->end();
    }
    recycle(*pool);
    return handle;
  }
  const std::lock_guard lock(pool->lock_);
  pool->handle_ = *handle;
  note_use(*handle, "allocated");
  return handle;
}

bool Pools::close(Handle handle, PoolKind kind, std::uint32_t& left) noexcept {
  Pin<Pool> pool = pin(handle, kind);
  if (!pool) {
    return false;
  }
  left = pool->in_use();
  note_use(handle, "freed");
  return handles_->remove(handle).has_value();
}

Pin<Pool> Pools::pin(Handle handle, PoolKind kind) noexcept {
  if (handles_ == nullptr) {
    return {};
  }
  return handles_->pin_tagged<Pool>(handle, tag_of_kind(kind));
}

Pool* Pools::owner_of(const void* descriptor) const noexcept {
  const SlabSpace::Place place = SlabSpace::instance().find(descriptor);
  return place.state != nullptr && place.state->load(std::memory_order_relaxed) == kTaken ? place.owner : nullptr;
}

Pool* Pools::made_once(std::atomic<Pool*>& place, const PoolShape& shape) noexcept {
  Pool* pool = place.load(std::memory_order_acquire);
  if (pool != nullptr) {
    return pool;
  }
  Pool* const made = make(shape);
  if (made == nullptr || place.compare_exchange_strong(pool, made, std::memory_order_acq_rel)) {
    return made;
  }
  {
    const std::lock_guard lock(made->lock_);
    made->end();
  }
  recycle(*made);
  return pool;
}

Pool* Pools::of_bytes(std::size_t bytes) noexcept {
  const std::size_t size = std::max(kSmallest, std::bit_ceil(bytes));
  const auto at = static_cast<std::size_t>(std::countr_zero(size) - std::countr_zero(kSmallest));
  if (at >= kClasses) {
    return nullptr;
  }
  PoolShape shape;
  shape.kind = PoolKind::kBytes;
  shape.size = static_cast<std::uint32_t>(size);
  return made_once(bytes_[at], shape);
}

Pool* Pools::own(PoolKind kind, const PoolShape& shape) noexcept {
  return made_once(own_[static_cast<std::size_t>(kind)], shape);
}

PoolCensus Pools::census() const {
  PoolCensus census;
  const std::lock_guard lock(mutex_);
  for (const auto& pool : all_) {
    const std::lock_guard pool_lock(pool->lock_);
    const auto kind = static_cast<std::size_t>(pool->shape_.kind);
    if (pool->shape_.kind != PoolKind::kNone) {
      census.pools[kind] += pool->handle_ != Handle::kNone ? 1 : 0;
      census.descriptors[kind] += pool->in_use();
    }
  }
  return census;
}

std::string Pools::left_by(std::uint64_t owner) const {
  std::string text;
  const std::lock_guard lock(mutex_);
  for (std::size_t kind = 1; kind < kPoolKinds; ++kind) {
    std::uint32_t pools = 0;
    std::uint64_t descriptors = 0;
    for (const auto& pool : all_) {
      const std::lock_guard pool_lock(pool->lock_);
      if (pool->shape_.owner == owner && pool->shape_.kind == PoolKind(kind) && pool->handle_ != Handle::kNone) {
        ++pools;
        descriptors += pool->in_use();
      }
    }
    if (pools != 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(pools) + " " + name_of(PoolKind(kind)) +
              (pools == 1 ? " pool" : " pools");
      if (descriptors != 0) {
        text += " with " + std::to_string(descriptors) + " in use";
      }
    }
  }
  return text;
}

}  // namespace turnpike::ndis
