#include "win32/waits/parker.h"

#include <memory>
#include <mutex>

#include "base/short_lock.h"

namespace turnpike::win32 {
namespace {

struct FreeParkers {
  ShortLock lock;
  Parker* first = nullptr;
};

FreeParkers& free_parkers() {
  static FreeParkers list;
  return list;
}

}  // namespace

Parker& Parker::take_one() {
  FreeParkers& list = free_parkers();
  const std::lock_guard guard(list.lock);
  if (list.first == nullptr) {
    return *std::unique_ptr<Parker>(new Parker).release();
  }
  Parker& parker = *list.first;
  list.first = parker.next_free_;
  return parker;
}

void Parker::give_back() {
  FreeParkers& list = free_parkers();
  const std::lock_guard guard(list.lock);
  next_free_ = list.first;
  list.first = this;
}

bool Parker::park(Deadline deadline) {
  std::uint32_t word = kEmpty;
  if (!word_.compare_exchange_strong(word, kAsleep, std::memory_order_acquire)) {
    word_.exchange(kEmpty, std::memory_order_acquire);  // not a store: it must see what the giver of the token wrote
    return true;
  }
  FutexOutcome outcome = FutexOutcome::kWoken;
  do {
    outcome = futex_wait(word_, kAsleep, deadline);
  } while (outcome == FutexOutcome::kWoken && word_.load(std::memory_order_relaxed) == kAsleep);
  return word_.exchange(kEmpty, std::memory_order_acquire) == kToken;
}

void Parker::unpark() {
  if (word_.exchange(kToken, std::memory_order_release) == kAsleep) {
    futex_wake_one(word_);
  }
}

}  // namespace turnpike::win32
