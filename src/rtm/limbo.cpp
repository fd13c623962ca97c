#include "rtm/limbo.h"

#include <limits>
#include <new>
#include <utility>

namespace turnpike::rtm {

void Limbo::retire(Dispose dispose, void* context, std::uintptr_t what) noexcept {
  try {
    fresh_.push_back({dispose, context, what});
    ++waiting_;
    if (fresh_.size() >= kBagSize) {
      seal();
    }
  } catch (const std::bad_alloc&) {  // the bag stays open, and is closed with a later thing
  }
}

// Closes the bag and opens another, then disposes of those whose readers have gone. What may fail comes first: a bag
// that is closed must not be lost.
void Limbo::seal() {
  auto bag = std::make_unique<Bag>();
  if (spare_.empty()) {
    bag->items.reserve(kRoom);
  } else {
    bag->items.swap(spare_.back());
    spare_.pop_back();
  }
  bag->limbo = this;
  bag->items.swap(fresh_);
  const auto hand_back = [](void* object, void*) {
    auto* back = static_cast<Bag*>(object);
    std::atomic<Bag*>& ready = back->limbo->ready_;
    back->next = ready.load(std::memory_order_relaxed);
    while (!ready.compare_exchange_weak(back->next, back, std::memory_order_release, std::memory_order_relaxed)) {
    }
  };
  epoch_.retire(bag.release(), hand_back);
  if (++sealed_ >= kBagsInNeed) {
    sealed_ = 0;
    collect();
  }
  dispose_of_ready(kBagsAtOnce);
}

void Limbo::dispose_of_ready(std::size_t most) noexcept {
  for (; most != 0; --most) {
    if (taken_ == nullptr) {
      taken_ = ready_.exchange(nullptr, std::memory_order_acquire);
    }
    if (taken_ == nullptr) {
      return;
    }
    const std::unique_ptr<Bag> owned(taken_);
    taken_ = owned->next;
    dispose_of(owned->items);
    if (spare_.size() < spare_.capacity()) {
      spare_.push_back(std::move(owned->items));
    }
  }
}

void Limbo::dispose_of(std::vector<Item>& items) noexcept {
  for (const Item& item : items) {
    item.dispose(item.context, item.what);
  }
  waiting_ -= items.size();
  items.clear();
}

void Limbo::drain() noexcept {
  static_cast<void>(epoch_.synchronize());
  dispose_of_ready(std::numeric_limits<std::size_t>::max());
  dispose_of(fresh_);
}

}  // namespace turnpike::rtm
