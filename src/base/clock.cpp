#include "base/clock.h"

#include <ctime>

#include <algorithm>

#include "base/immortal.h"

namespace turnpike {
namespace {

Duration read_clock(clockid_t which) noexcept {
  timespec time{};
  clock_gettime(which, &time);
  return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

class SystemClock final : public Clock {
 public:
  constexpr SystemClock() = default;
  MonotonicTime now() const noexcept override { return MonotonicTime(read_clock(CLOCK_MONOTONIC)); }
  WallTime wall() const noexcept override { return WallTime(read_clock(CLOCK_REALTIME)); }
  Duration real_delay_until(MonotonicTime deadline) const noexcept override {
    const MonotonicTime time = now();
    return deadline > time ? deadline - time : Duration::zero();
  }
  void observe(ClockObserver&) override {}
  void unobserve(ClockObserver&) noexcept override {}
};

constinit Immortal<SystemClock> the_system_clock;

}  // namespace

Clock& system_clock() noexcept { return the_system_clock.value; }

MonotonicTime TestClock::now() const noexcept { return MonotonicTime(Duration(now_.load(std::memory_order_acquire))); }
WallTime TestClock::wall() const noexcept { return WallTime(Duration(wall_.load(std::memory_order_acquire))); }

Duration TestClock::real_delay_until(MonotonicTime deadline) const noexcept {
  return deadline > now() ? Duration::max() : Duration::zero();
}

void TestClock::observe(ClockObserver& observer) {
  const std::lock_guard lock(observers_mutex_);
  if (std::find(observers_.begin(), observers_.end(), &observer) == observers_.end()) {
    observers_.push_back(&observer);
  }
}

void TestClock::unobserve(ClockObserver& observer) noexcept {
  const std::lock_guard lock(observers_mutex_);
  std::erase(observers_, &observer);
}

Result<void> TestClock::advance(Duration by) {
  {
    const std::lock_guard lock(turn_mutex_);
    const Duration left = std::min(MonotonicTime::max() - now(), WallTime::max() - std::max(wall(), WallTime{}));
    if (by < Duration::zero() || by > left) {
      return fail(ErrorKind::kInvalidArgument, "time does not go back, nor beyond its end");
    }
    now_.fetch_add(by.count(), std::memory_order_release);
    wall_.fetch_add(by.count(), std::memory_order_release);
  }
  tell_observers();
  return {};
}

void TestClock::set_wall(WallTime wall) {
  {
    const std::lock_guard lock(turn_mutex_);
    wall_.store(wall.time_since_epoch().count(), std::memory_order_release);
  }
  tell_observers();
}

void TestClock::tell_observers() {
  const std::lock_guard lock(observers_mutex_);
  for (ClockObserver* observer : observers_) {
    observer->clock_turned();
  }
}

}  // namespace turnpike
