#include "base/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace turnpike {
namespace {

bool call_membarrier(int command) noexcept { return syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

// ---- making and ending
// -------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Epoch>> Epoch::create(const EpochOptions& options) {
  if (options.max_threads > kMaxThreadIndex) {
    return fail(ErrorKind::kInvalidArgument, "more threads than have numbers");
  }
  const std::size_t bytes = std::max<std::size_t>(options.max_threads, 1) * sizeof(Slot);
  Result<Reservation> memory = Reservation::make(bytes);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  if (const Result<void> committed = memory->commit(0, bytes); !committed) {
    return tl::unexpected(committed.error());
  }
  std::unique_ptr<Epoch> epoch(new Epoch(options));
  epoch->memory_ = std::move(*memory);
  epoch->slots_ = static_cast<Slot*>(epoch->memory_.data());
  epoch->membarrier_ = options.use_membarrier && call_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  return epoch;
}

Epoch::~Epoch() {
  static_cast<void>(begin_turn());
  run_before(~std::uint64_t{0});
}

// False: the kernel refuses.
bool Epoch::heavy_barrier() const noexcept {
  if (!membarrier_) {
    full_fence();
    return true;
  }
  // A child of fork() is another process to the kernel, and has to register anew.
  return call_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
         (call_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
          call_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}

// ThreadSanitizer does not see fences, and need not: what it checks is ordered by the readers' stores and our loads of
// `entered`. The fence orders a reader's entry before his reads.
void Epoch::full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

// ---- readers without a slot
// --------------------------------------------------------------------------------------------

void Epoch::enter_crowd() noexcept {
  crowd_.lock();
  ++crowd_depth_;
}

void Epoch::leave_crowd() noexcept {
  --crowd_depth_;
  crowd_.unlock();
}

// ---- retiring
// ----------------------------------------------------------------------------------------------------------

void Epoch::retire(void* object, Reclaim reclaim, void* context) {
  if (reclaim == nullptr) {
    return;
  }
  const std::lock_guard lock(mutex_);
  retired_.push_back({object, reclaim, context, epoch_.load(std::memory_order_relaxed)});
  waiting_.store(retired_.size(), std::memory_order_relaxed);
}

// Under mutex_. Makes this thread the collector; the epoch that begins.
std::uint64_t Epoch::begin_turn() noexcept {
  collecting_ = true;
  collector_ = std::this_thread::get_id();
  return epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
}

std::size_t Epoch::collect(std::size_t at_least) {
  if (waiting() < std::max<std::size_t>(at_least, 1)) {
    return 0;
  }
  std::uint64_t now = 0;
  {
    const std::lock_guard lock(mutex_);
    if (collecting_) {
      return 0;
    }
    now = begin_turn();
  }
  return run_before(heavy_barrier() ? oldest_reader(now) : 0);
}

Result<void> Epoch::synchronize() {
  if (is_reading()) {
    return fail(ErrorKind::kBusy, "a reader would wait for itself");
  }
  std::uint64_t now = 0;
  {
    std::unique_lock lock(mutex_);
    if (collecting_ && collector_ == std::this_thread::get_id()) {
      return fail(ErrorKind::kBusy, "a callback would wait for itself");
    }
    turn_.wait(lock, [this] { return !collecting_; });
    now = begin_turn();
  }
  if (!heavy_barrier()) {
    const int code = errno;
    run_before(0);
    return fail_errno(code, "membarrier is refused: nothing can be freed");
  }
  wait_for_readers(now);
  run_before(now);
  return {};
}

// Takes the oldest of those stamped before `limit`, as many as fit.
std::size_t Epoch::take_before(std::uint64_t limit, std::span<Retired> out) noexcept {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  while (count < out.size() && !retired_.empty() && retired_.front().epoch < limit) {
    out[count++] = retired_.front();
    retired_.pop_front();
  }
  waiting_.store(retired_.size(), std::memory_order_relaxed);
  return count;
}

// Ends this thread's turn as the collector. By the handful and on the stack: where memory is short, freeing shall not
// need any.
std::size_t Epoch::run_before(std::uint64_t limit) noexcept {
  std::array<Retired, 64> ready{};
  std::size_t total = 0;
  while (const std::size_t count = take_before(limit, ready)) {
    for (const Retired& one : std::span(ready).first(count)) {
      one.reclaim(one.object, one.context);
    }
    total += count;
  }
  {
    const std::lock_guard lock(mutex_);
    collecting_ = false;
  }
  turn_.notify_all();
  return total;
}

// ---- looking at the readers
// --------------------------------------------------------------------------------------------

bool Epoch::is_reading() noexcept {
  const std::uint32_t index = thread_index();
  if (index < slot_count_) {
    return slots_[index].depth != 0;
  }
  const std::lock_guard lock(crowd_);
  return crowd_depth_ != 0;  // then it is this thread that holds the lock twice
}

// The epoch that the oldest reader entered at, or `now`.
std::uint64_t Epoch::oldest_reader(std::uint64_t now) noexcept {
  const std::uint32_t end = std::min(thread_index_limit(), slot_count_);
  for (std::uint32_t index = 0; index < end; ++index) {
    const std::uint64_t entered = slots_[index].entered.load(std::memory_order_acquire);
    now = entered != 0 ? std::min(now, entered) : now;
  }
  const std::unique_lock lock(crowd_, std::try_to_lock);
  return lock && crowd_depth_ == 0 ? now : 0;
}

void Epoch::wait_for_readers(std::uint64_t now) noexcept {
  const std::uint32_t end = std::min(thread_index_limit(), slot_count_);
  for (std::uint32_t index = 0; index < end; ++index) {
    wait_for(slots_[index], now);
  }
  const std::lock_guard lock(crowd_);
}

// Most readers leave while we look a few times; for one that was put to sleep we sleep too.
void Epoch::wait_for(Slot& slot, std::uint64_t now) noexcept {
  const auto has_left = [&] {
    const std::uint64_t entered = slot.entered.load(std::memory_order_acquire);
    return entered == 0 || entered >= now;
  };
  for (int looks = 0; looks < 100; ++looks) {
    if (has_left()) {
      return;
    }
    std::this_thread::yield();
  }
  slot.awaited.store(true, std::memory_order_relaxed);
  while (!heavy_barrier() && !has_left()) {
    std::this_thread::yield();
  }
  std::unique_lock lock(wait_mutex_);  // the reader either sees that he is awaited, or has left already
  reader_left_.wait(lock, has_left);
  slot.awaited.store(false, std::memory_order_relaxed);
}

void Epoch::wake() noexcept {
  {
    const std::lock_guard lock(wait_mutex_);
  }  // the collector has either not looked yet, or sleeps
  reader_left_.notify_all();
}

}  // namespace turnpike
