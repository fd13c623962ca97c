#include "base/thread_index.h"

#include <atomic>
#include <bitset>
#include <mutex>

#include "base/immortal.h"

namespace turnpike {
namespace {

struct Registry {
  std::mutex mutex;
  std::bitset<kMaxThreadIndex> taken;
  std::uint32_t first_free = 0;  // no number below it is free
  std::atomic<std::uint32_t> limit{0};
};

constinit Immortal<Registry> registry_storage;

Registry& registry() noexcept { return registry_storage.value; }

void give_back(std::uint32_t index) noexcept {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.taken.reset(index);
  if (index < all.first_free) {
    all.first_free = index;
  }
}

// Its destructor runs when the thread ends.
struct AtThreadEnd {
  std::uint32_t index = kNoThreadIndex;
  AtThreadEnd() = default;
  AtThreadEnd(const AtThreadEnd&) = delete;
  AtThreadEnd& operator=(const AtThreadEnd&) = delete;
  ~AtThreadEnd() {
    detail::this_thread_index = kNoThreadIndex;
    if (index != kNoThreadIndex) {
      give_back(index);
    }
  }
};

}  // namespace

namespace detail {

constinit thread_local std::uint32_t this_thread_index __attribute__((tls_model("initial-exec"))) = kThreadIndexUnasked;

std::uint32_t assign_thread_index() noexcept {
  static thread_local AtThreadEnd at_end;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::uint32_t index = all.first_free;
  while (index < kMaxThreadIndex && all.taken.test(index)) {
    ++index;
  }
  all.first_free = index;
  if (index == kMaxThreadIndex) {
    return this_thread_index = kNoThreadIndex;
  }
  all.taken.set(index);
  if (index >= all.limit.load(std::memory_order_relaxed)) {
    all.limit.store(index + 1, std::memory_order_release);
  }
  at_end.index = index;
  return this_thread_index = index;
}

}  // namespace detail

std::uint32_t thread_index_limit() noexcept { return registry().limit.load(std::memory_order_acquire); }

}  // namespace turnpike
