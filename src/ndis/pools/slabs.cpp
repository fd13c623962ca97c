#include "ndis/pools/slabs.h"

#include <algorithm>
#include <new>

namespace turnpike::ndis {
namespace {

constexpr std::size_t kUnits = kSlabSpace / kUnit;

std::size_t pages(std::size_t bytes) { return (bytes + 0xFFFF) & ~std::size_t{0xFFFF}; }

}  // namespace

SlabSpace& SlabSpace::instance() {
  // Never destroyed: drivers free what they have while the process ends.
  static SlabSpace* const space = std::unique_ptr<SlabSpace>(new SlabSpace).release();
  return *space;
}

SlabSpace::SlabSpace() {
  auto memory = Reservation::make(kSlabSpace + kUnit);
  auto entries = Reservation::make(pages(kUnits * sizeof(Entry)));
  if (memory && entries) {
    memory_ = std::move(*memory);
    entry_memory_ = std::move(*entries);
  }
}

bool SlabSpace::open_up_to(std::size_t units) noexcept {
  const std::size_t open = open_.load(std::memory_order_relaxed);
  if (memory_.data() == nullptr || units > kUnits) {
    return false;
  }
  const std::size_t from = pages(open * sizeof(Entry));
  const std::size_t to = pages(units * sizeof(Entry));
  if (to > from && !entry_memory_.commit(from, to - from)) {
    return false;
  }
  if (!memory_.commit(open * kUnit, (units - open) * kUnit)) {
    return false;
  }
  for (std::size_t unit = open; unit < units; ++unit) {
    ::new (entries() + unit) Entry;
  }
  open_.store(units, std::memory_order_release);
  return true;
}

Slab SlabSpace::take(Pool& owner, std::uint32_t stride, std::uint32_t count) noexcept try {
  const std::size_t units = (std::size_t{stride} * count + kUnit - 1) / kUnit;
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t>& free = free_[units];
  std::vector<DescriptorState*>& states = free_states_[count];
  if (states.empty()) {
    state_memory_.push_back(std::make_unique<DescriptorState[]>(count));
    states.push_back(state_memory_.back().get());
  }
  std::size_t first = open_.load(std::memory_order_relaxed);
  if (!free.empty()) {
    first = free.back();
    free.pop_back();
  } else if (!open_up_to(first + units)) {
    return {};
  }
  const Slab slab{base() + first * kUnit, static_cast<std::uint32_t>(units), count, states.back()};
  states.pop_back();
  for (std::uint32_t at = 0; at < count; ++at) {
    slab.states[at].store(0, std::memory_order_relaxed);
  }
  for (std::size_t unit = 0; unit < units; ++unit) {
    Entry& entry = entries()[first + unit];
    entry.behind.store(static_cast<std::uint32_t>(unit), std::memory_order_relaxed);
    entry.stride.store(stride, std::memory_order_relaxed);
    entry.count.store(count, std::memory_order_relaxed);
    entry.states.store(slab.states, std::memory_order_relaxed);
    entry.owner.store(&owner, std::memory_order_release);
  }
  return slab;
} catch (const std::bad_alloc&) {
  return {};
}

void SlabSpace::give_back(const Slab& slab) noexcept {
  const auto first = static_cast<std::size_t>(slab.memory - base()) / kUnit;
  for (std::size_t unit = 0; unit < slab.units; ++unit) {
    entries()[first + unit].owner.store(nullptr, std::memory_order_relaxed);
  }
  memory_.discard(first * kUnit, slab.units * kUnit);
  const std::lock_guard lock(mutex_);
  try {
    free_[slab.units].push_back(first);
    free_states_[slab.count].push_back(slab.states);
  } catch (const std::bad_alloc&) {
    // The slab is not used again. Its pages are the system's already.
  }
}

SlabSpace::Place SlabSpace::find(const void* address) const noexcept {
  const auto offset = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base());
  const std::size_t unit = offset / kUnit;
  if (unit >= open_.load(std::memory_order_acquire)) {
    return {};
  }
  const Entry& entry = entries()[unit];
  Pool* const owner = entry.owner.load(std::memory_order_acquire);
  if (owner == nullptr) {
    return {};
  }
  const std::size_t inside = offset - (unit - entry.behind.load(std::memory_order_relaxed)) * kUnit;
  const std::uint32_t stride = entry.stride.load(std::memory_order_relaxed);
  const std::size_t number = inside / stride;
  if (number * stride != inside || number >= entry.count.load(std::memory_order_relaxed)) {
    return {owner, nullptr};
  }
  return {owner, entry.states.load(std::memory_order_relaxed) + number};
}

}  // namespace turnpike::ndis
