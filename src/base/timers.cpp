#include "base/timers.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace turnpike {

Result<std::unique_ptr<Timers>> Timers::create(MonotonicTime start, std::uint32_t capacity) {
  Result<SlotPool<Timer>> pool = SlotPool<Timer>::make(capacity);
  if (!pool) {
    return tl::unexpected(pool.error());
  }
  return std::unique_ptr<Timers>(new Timers(start, std::move(*pool)));
}

// Only a hint: any index will do. Inlined by force, since GCC takes a function that does no more for one without
// effect.
[[gnu::always_inline]] inline void Timers::prefetch(std::uint32_t index) noexcept {
  if (index != kNone) {
    __builtin_prefetch(&pool_[index], 1);
  }
}

std::uint64_t Timers::tick_of(MonotonicTime time) noexcept {
  return static_cast<std::uint64_t>(std::max(time, MonotonicTime{}).time_since_epoch().count()) >> kTickBits;
}

// ---- any thread
// --------------------------------------------------------------------------------------------------------

Result<TimerId> Timers::arm(MonotonicTime deadline, Callback callback) {
  if (!callback) {
    return fail(ErrorKind::kInvalidArgument, "a timer without a callback");
  }
  std::unique_lock lock(mutex_);
  const std::uint32_t index = pool_.take();
  if (index == kNone) {
    return fail(ErrorKind::kExhausted, "too many timers");
  }
  pool_[index].callback = std::move(callback);
  pool_[index].deadline = deadline;
  place(index);
  const TimerId id{pool_.id_of(index)};
  tell_sleeper(deadline, lock);
  return id;
}

bool Timers::rearm(TimerId id, MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  const std::uint32_t index = pool_.index_of(static_cast<std::uint64_t>(id));
  if (index == kNone || pool_[index].where == kRunning) {
    return false;
  }
  displace(index);
  pool_[index].deadline = deadline;
  place(index);
  tell_sleeper(deadline, lock);
  return true;
}

Cancelled Timers::cancel(TimerId id) {
  Callback callback;  // destroyed after the lock is gone
  const std::lock_guard lock(mutex_);
  return take_out(static_cast<std::uint64_t>(id), callback);
}

Cancelled Timers::cancel_and_wait(TimerId id) {
  Callback callback;
  std::unique_lock lock(mutex_);
  const Cancelled result = take_out(static_cast<std::uint64_t>(id), callback);
  if (result == Cancelled::kRunning && !on_driver()) {
    ++waiting_for_progress_;
    progress_.wait(lock, [&] { return running_ != static_cast<std::uint64_t>(id); });
    --waiting_for_progress_;
  }
  return result;
}

Cancelled Timers::take_out(std::uint64_t id, Callback& callback) noexcept {
  const std::uint32_t index = pool_.index_of(id);
  if (index == kNone) {
    return Cancelled::kTooLate;
  }
  if (pool_[index].where == kRunning) {
    return Cancelled::kRunning;
  }
  displace(index);
  callback.swap(pool_[index].callback);
  pool_.release(index);
  return Cancelled::kInTime;
}

std::size_t Timers::armed() const {
  const std::lock_guard lock(mutex_);
  return pool_.size() - (running_ != 0 ? 1 : 0);
}

// ---- the thread that drives
// --------------------------------------------------------------------------------------------

Result<std::size_t> Timers::advance(MonotonicTime now, std::size_t most) {
  std::unique_lock lock(mutex_);
  if (on_driver()) {
    return fail(ErrorKind::kBusy, "a callback drives the timers that called it");
  }
  ++waiting_for_progress_;
  progress_.wait(lock, [this] { return !driving_; });
  --waiting_for_progress_;
  driving_ = true;
  driver_ = std::this_thread::get_id();
  std::size_t count = 0;
  for (std::uint32_t index = 0; count < most && (index = take_due(now)) != kNone; ++count) {
    run(index, lock);
  }
  driving_ = false;
  if (waiting_for_progress_ != 0) {
    progress_.notify_all();
  }
  return count;
}

// In place: a timer that runs is touched by nobody else, and its slot does not move.
void Timers::run(std::uint32_t index, std::unique_lock<std::mutex>& lock) noexcept {
  Timer& timer = pool_[index];
  timer.where = kRunning;
  running_ = pool_.id_of(index);
  lock.unlock();
  timer.callback();
  timer.callback = nullptr;
  lock.lock();
  running_ = 0;
  pool_.release(index);
  if (waiting_for_progress_ != 0) {
    progress_.notify_all();
  }
}

std::optional<MonotonicTime> Timers::next_deadline() {
  const std::lock_guard lock(mutex_);
  return first_deadline();
}

void Timers::sleep(const Clock& clock) {
  constexpr Duration kNap = std::chrono::hours(1);  // longer ones would overflow the arithmetic of wait_for
  std::unique_lock lock(mutex_);
  while (!woken_) {
    const MonotonicTime first = first_deadline().value_or(MonotonicTime::max());
    const Duration delay = clock.real_delay_until(first);
    if (delay <= Duration::zero()) {
      break;
    }
    sleeping_until_ = first;
    if (delay == Duration::max()) {
      earlier_.wait(lock);
    } else {
      earlier_.wait_for(lock, std::min(delay, kNap));
    }
  }
  sleeping_until_ = MonotonicTime::min();
  woken_ = false;
}

void Timers::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  earlier_.notify_all();
  progress_.notify_all();
}

void Timers::tell_sleeper(MonotonicTime deadline, std::unique_lock<std::mutex>& lock) noexcept {
  if (deadline < sleeping_until_) {
    sleeping_until_ = deadline;
    lock.unlock();
    earlier_.notify_all();
  }
}

Result<void> Timers::settle(const Clock& clock, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (on_driver()) {
    return fail(ErrorKind::kBusy, "a callback would wait for itself");
  }
  ++waiting_for_progress_;
  progress_.wait(lock, [&] {
    const std::optional<MonotonicTime> first = first_deadline();
    return stop.stop_requested() || (!driving_ && (!first || *first > clock.now()));
  });
  --waiting_for_progress_;
  if (stop.stop_requested()) {
    return fail(ErrorKind::kBusy, "nobody drives the timers any more");
  }
  return {};
}

// ---- the wheel
// ---------------------------------------------------------------------------------------------------------

void Timers::place(std::uint32_t index) noexcept {
  if (!put_into_bucket(index)) {
    late_.push_back(make_due(index));
    std::push_heap(late_.begin(), late_.end(), std::greater<>());
  }
}

// False: the timer's tick has come.
bool Timers::put_into_bucket(std::uint32_t index) noexcept {
  const std::uint64_t tick = tick_of(pool_[index].deadline);
  if (tick <= tick_) {
    return false;
  }
  const std::size_t level = static_cast<std::size_t>(std::bit_width(tick ^ tick_) - 1) / kDigitBits;
  append(level * kDigits + (tick >> level * kDigitBits) % kDigits, index);
  return true;
}

void Timers::displace(std::uint32_t index) noexcept {
  Timer& timer = pool_[index];
  if (timer.where != kDue) {
    unlink(index);
  } else {
    timer.where = kRunning;  // in no place: its entry is dead
    ++dead_;
    sweep_dead();
  }
}

void Timers::append(std::size_t place, std::uint32_t index) noexcept {
  Bucket& bucket = buckets_[place];
  Timer& timer = pool_[index];
  timer.where = static_cast<std::uint16_t>(place);
  timer.links = {.previous = bucket.last, .next = kNone};
  if (bucket.first == kNone) {
    filled_[place / kDigits] |= std::uint64_t{1} << place % kDigits;
    bucket = {.first = index, .last = index, .behind = index, .lead = 0, .earliest = timer.deadline};
    return;
  }
  pool_[bucket.last].links.next = index;
  bucket.last = index;
  bucket.earliest = std::min(bucket.earliest, timer.deadline);
  if (++bucket.lead == kLead) {
    --bucket.lead;
    pool_[bucket.behind].ahead = index;
    bucket.behind = pool_[bucket.behind].links.next;
  }
}

void Timers::unlink(std::uint32_t index) noexcept {
  const Timer& timer = pool_[index];
  Bucket& bucket = buckets_[timer.where];
  (timer.links.previous == kNone ? bucket.first : pool_[timer.links.previous].links.next) = timer.links.next;
  (timer.links.next == kNone ? bucket.last : pool_[timer.links.next].links.previous) = timer.links.previous;
  if (bucket.behind == index) {
    bucket.behind = timer.links.next != kNone ? timer.links.next : timer.links.previous;
    bucket.lead = 0;
  }
  if (bucket.first == kNone) {
    bucket = {};
    filled_[timer.where / kDigits] &= ~(std::uint64_t{1} << timer.where % kDigits);
  }
}

// The bucket whose time comes first: on the lowest level that has one, since those of higher levels differ in a higher
// digit.
std::optional<std::size_t> Timers::first_bucket() const noexcept {
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (filled_[level] != 0) {
      return level * kDigits + static_cast<std::size_t>(std::countr_zero(filled_[level]));
    }
  }
  return std::nullopt;
}

// Moves the wheel to the first bucket that begins at `until` or before, and distributes what is in it; or just to
// `until`. Comes when nothing is due any more.
bool Timers::open_bucket(std::uint64_t until) noexcept {
  const std::size_t place_of_first = first_bucket().value_or(kLevels * kDigits);
  const std::size_t level = place_of_first / kDigits;
  const std::size_t shift = level * kDigitBits;
  const std::uint64_t begin = (tick_ >> shift >> kDigitBits << kDigitBits | place_of_first % kDigits) << shift;
  if (level == kLevels || begin > until) {
    tick_ = std::max(tick_, until);
    return false;
  }
  tick_ = begin;
  filled_[level] &= filled_[level] - 1;
  std::uint32_t index = std::exchange(buckets_[place_of_first], Bucket{}).first;
  while (index != kNone) {
    const std::uint32_t next = pool_[index].links.next;
    prefetch(pool_[index].ahead);
    if (!put_into_bucket(index)) {
      due_.push_back(make_due(index));
    }
    index = next;
  }
  if (!std::is_sorted(due_.begin(), due_.end())) {
    std::sort(due_.begin(), due_.end());
  }
  return true;
}

// The next timer that is due at `now`, taken out of the wheel, or kNone.
std::uint32_t Timers::take_due(MonotonicTime now) noexcept {
  do {
    drop_dead();
    if (const Entry* first = first_due()) {
      return first->deadline <= now ? pop_due() : kNone;
    }
  } while (open_bucket(tick_of(now)));
  return kNone;
}

std::optional<MonotonicTime> Timers::first_deadline() noexcept {
  drop_dead();
  if (const Entry* first = first_due()) {
    return first->deadline;
  }
  const std::optional<std::size_t> bucket = first_bucket();
  return bucket ? std::optional(buckets_[*bucket].earliest) : std::nullopt;
}

// ---- those whose tick has come
// -----------------------------------------------------------------------------------------

Timers::Entry Timers::make_due(std::uint32_t index) noexcept {
  Timer& timer = pool_[index];
  timer.where = kDue;
  timer.order = ++orders_;
  return {timer.deadline, timer.order, index};
}

const Timers::Entry* Timers::first_due() const noexcept {
  const Entry* ready = next_due_ < due_.size() ? &due_[next_due_] : nullptr;
  const Entry* late = late_.empty() ? nullptr : &late_.front();
  return late == nullptr || (ready != nullptr && *ready < *late) ? ready : late;
}

std::uint32_t Timers::pop_due() noexcept {
  const Entry first = *first_due();
  if (next_due_ == due_.size() || first.order != due_[next_due_].order) {
    std::pop_heap(late_.begin(), late_.end(), std::greater<>());
    late_.pop_back();
  } else if (++next_due_ == due_.size()) {
    next_due_ = 0;
    due_.clear();
    if (due_.capacity() > kKeptEntries) {
      due_.shrink_to_fit();
    }
  } else {
    prefetch(due_[std::min(next_due_ + kLead, due_.size() - 1)].index);
  }
  return first.index;
}

bool Timers::is_dead(const Entry& entry) noexcept {
  return !pool_.is_taken(entry.index) || pool_[entry.index].where != kDue || pool_[entry.index].order != entry.order;
}

void Timers::drop_dead() noexcept {
  while (dead_ != 0 && is_dead(*first_due())) {
    pop_due();
    --dead_;
  }
}

// When more than half of the entries are dead; fewer are dropped when their time comes.
void Timers::sweep_dead() noexcept {
  if (dead_ <= kKeptDead || dead_ <= (due_.size() - next_due_ + late_.size()) / 2) {
    return;
  }
  const auto dead = [this](const Entry& entry) { return is_dead(entry); };
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(next_due_));
  next_due_ = 0;
  std::erase_if(due_, dead);
  std::erase_if(late_, dead);
  std::make_heap(late_.begin(), late_.end(), std::greater<>());
  dead_ = 0;
}

}  // namespace turnpike
