// Timers: a million of them, armed, cancelled and fired for about fifty nanoseconds each.
//
// ## What is promised
//
// * A callback never runs before its deadline, and runs in the first advance() at or after it.
// * advance() runs callbacks in the order of their deadlines, to the nanosecond, and equal deadlines in the order of
//   arming. A timer that a callback arms, and that is due already, runs in the same advance().
// * Each timer runs once, or is cancelled, or still waits when the wheel ends, and then is dropped. A callback is
//   destroyed, with what it holds, on the thread that ran or cancelled it and without the lock.
// * Ids are never given twice; a stale one cancels nothing.
// * Any thread arms, re-arms and cancels, also from inside a callback. One thread at a time drives. Callbacks run on
//   it without the lock held, one after the other, and must not throw.
//
// How late a callback may be is up to the driver alone: the wheel adds nothing. A TimerThread on the system clock is
// late by the kernel's timer slack (50 µs), by its waking up, and by the callbacks before it.
//
// ## How it works
//
// Time is cut into ticks of 2^20 ns, about a millisecond, and ticks are numbered in base 64. A timer waits on the level
// of the highest digit in which its tick differs from the current one, in the bucket of that digit: eight levels of 64
// buckets reach to the end of time. When time comes to a bucket of a higher level, its timers move to lower ones: each
// at most seven times, usually two. When it comes to one of the lowest, they are sorted: ticks bound how many are
// ordered at a time, not how finely. Who is armed for a tick that has come waits in a heap beside them. A word of 64
// bits a level says which buckets hold timers, so empty time is skipped.
//
//   level     0       1       2         3       4         5           6           7
//   reaches   67 ms   4.3 s   4.6 min   4.9 h   13 days   2.3 years   146 years   the end of time, 292 years
//
// A bucket is a list that goes through the timers, by index, in arming order: arming touches the timer and the bucket's
// last one, cancelling touches the timer and its neighbours, and neither can fail. Each bucket keeps its earliest
// deadline, which a cancellation leaves as it is: next_deadline() may be too early, never too late, and costs nothing.
//
// ## What bounds the speed
//
// The lock, 5 to 10 ns three times in a timer's life; moving the callback; and memory. A million timers, 64 bytes each,
// are more than most caches hold, and to follow a list there means to wait for each next one. So each timer also knows
// one that stands 16 places ahead, and when a bucket is opened that one is fetched while those before it are looked at:
// a fire costs 60 ns instead of 250. The hint need not be right, so nobody has to keep it true.
//
// Rejected: a heap over all timers (a fire costs twenty levels of cache misses at a million); ticks as resolution (a
// test that turns the clock by 10 ms wants what is due at 10 ms, and not what is due a microsecond later); cancelled
// timers that stay until their time comes (a protocol re-arms a 180 s timer each second); arrays as buckets (they read
// faster, but each cancellation leaves a hole, and to close holes is to touch every timer behind them).
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/slot_pool.h"

namespace turnpike {

enum class TimerId : std::uint64_t { kNone = 0 };

// What became of a cancellation.
enum class Cancelled : std::uint8_t {
  kInTime,   // the callback will not run
  kRunning,  // the callback had begun
  kTooLate,  // it has run, or was cancelled before, or there never was such a timer
};

class Timers {
 public:
  using Callback = std::function<void()>;
  static constexpr std::uint32_t kDefaultCapacity = 1U << 24;

  // `start` is the time that the first advance() goes on from. `capacity` is rounded up to whole chunks of the pool
  // (8192). Out of range: kInvalidArgument. No address space: kExhausted.
  static Result<std::unique_ptr<Timers>> create(MonotonicTime start, std::uint32_t capacity = kDefaultCapacity);

  // Nobody may drive or wait any more.
  ~Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // A deadline in the past is due at once. No callback: kInvalidArgument. Too many timers, or no memory: kExhausted.
  Result<TimerId> arm(MonotonicTime deadline, Callback callback);

  // Moves a waiting timer to another deadline, behind those that have it already. False, and nothing changes: it has
  // run, runs, was cancelled, or never was.
  bool rearm(TimerId id, MonotonicTime deadline);

  // Does not wait for a callback that runs.
  Cancelled cancel(TimerId id);

  // The same, but for kRunning waits until the callback has returned and is destroyed, unless it is called from inside
  // that callback (or another on the driving thread).
  Cancelled cancel_and_wait(TimerId id);

  // Timers that wait for their time.
  std::size_t armed() const;

  // ---- for the thread that drives ----------------------------------------------------------------------------------

  // When advance() has something to do again: no timer is due before. Earlier than the first deadline only if that one
  // was cancelled.
  std::optional<MonotonicTime> next_deadline();

  // Runs what is due at `now`, at most so many callbacks, and says how many. A `now` before an earlier one turns
  // nothing back. Waits while another thread drives. From inside a callback: kBusy.
  Result<std::size_t> advance(MonotonicTime now, std::size_t most = std::numeric_limits<std::size_t>::max());

  // Sleeps until a timer is due by the clock, or somebody calls wake(). A wake() before counts. settle() looks again
  // too.
  void sleep(const Clock& clock);
  void wake() noexcept;

  // Waits until another thread has run everything that is due by the clock. From inside a callback, or when whoever
  // drives has given up (`stop`, seen at the next wake()): kBusy.
  Result<void> settle(const Clock& clock, const std::stop_token& stop = {});

 private:
  static constexpr int kTickBits = 20;
  static constexpr int kDigitBits = 6;
  static constexpr std::size_t kDigits = 1U << kDigitBits;
  static constexpr std::size_t kLevels = 8;
  static constexpr std::uint32_t kNone = SlotPool<int>::kNone;
  static constexpr std::uint16_t kDue = kLevels * kDigits;  // where a timer is that is in no bucket
  static constexpr std::uint16_t kRunning = kDue + 1;
  static constexpr std::uint32_t kLead = 16;  // how far ahead timers are fetched into the cache
  static constexpr std::size_t kKeptEntries = 1 << 16;
  static constexpr std::size_t kKeptDead = 64;

  struct Links {
    std::uint32_t previous;
    std::uint32_t next;
  };
  struct Timer {
    Callback callback;
    MonotonicTime deadline;
    union {
      Links links{};        // in a bucket
      std::uint64_t order;  // of those whose tick has come
    };
    std::uint16_t where = kRunning;
    std::uint32_t ahead = kNone;  // one that stands some places further on in the bucket, or stood there once
  };
  struct Bucket {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::uint32_t behind = kNone;  // the timer that will be told of the next one as its `ahead`
    std::uint32_t lead = 0;        // how many were appended since `behind`, up to kLead
    MonotonicTime earliest;        // or earlier; means nothing in an empty bucket
  };
  // Stands for a timer whose tick has come, while that one is due and has this order: else the entry is dead.
  struct Entry {
    MonotonicTime deadline;
    std::uint64_t order;
    std::uint32_t index;

    bool operator<(const Entry& other) const noexcept {
      return deadline != other.deadline ? deadline < other.deadline : order < other.order;
    }
    bool operator>(const Entry& other) const noexcept { return other < *this; }
  };

  Timers(MonotonicTime start, SlotPool<Timer>&& pool) : pool_(std::move(pool)), tick_(tick_of(start)) {}

  static std::uint64_t tick_of(MonotonicTime time) noexcept;

  void place(std::uint32_t index) noexcept;
  bool put_into_bucket(std::uint32_t index) noexcept;
  void displace(std::uint32_t index) noexcept;
  void append(std::size_t place, std::uint32_t index) noexcept;
  void unlink(std::uint32_t index) noexcept;
  void prefetch(std::uint32_t index) noexcept;

  Entry make_due(std::uint32_t index) noexcept;
  bool is_dead(const Entry& entry) noexcept;
  void drop_dead() noexcept;
  void sweep_dead() noexcept;
  const Entry* first_due() const noexcept;
  std::uint32_t pop_due() noexcept;

  Cancelled take_out(std::uint64_t id, Callback& callback) noexcept;
  std::uint32_t take_due(MonotonicTime now) noexcept;
  std::optional<std::size_t> first_bucket() const noexcept;
  bool open_bucket(std::uint64_t until) noexcept;
  void run(std::uint32_t index, std::unique_lock<std::mutex>& lock) noexcept;
  std::optional<MonotonicTime> first_deadline() noexcept;
  void tell_sleeper(MonotonicTime deadline, std::unique_lock<std::mutex>& lock) noexcept;
  bool on_driver() const noexcept { return driving_ && driver_ == std::this_thread::get_id(); }

  mutable std::mutex mutex_;
  SlotPool<Timer> pool_;
  std::uint64_t tick_;  // the wheel stands here: every timer in a bucket has a later tick
  std::array<std::uint64_t, kLevels> filled_{};
  std::array<Bucket, kLevels * kDigits> buckets_;
  std::vector<Entry> due_;    // from the bucket that was opened last, in order
  std::size_t next_due_ = 0;  // of them, the first that has not run
  std::vector<Entry> late_;   // armed since: a heap
  std::size_t dead_ = 0;      // entries of both
  std::uint64_t orders_ = 0;

  bool driving_ = false;
  std::thread::id driver_;
  std::uint64_t running_ = 0;         // the id of the timer whose callback runs
  std::condition_variable progress_;  // a callback has returned, or advance()
  std::size_t waiting_for_progress_ = 0;

  std::condition_variable earlier_;  // a new first deadline, or wake()
  MonotonicTime sleeping_until_ = MonotonicTime::min();
  bool woken_ = false;
};

}  // namespace turnpike
