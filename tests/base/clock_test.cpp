#include "base/clock.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace turnpike {
namespace {

using std::chrono::seconds;

class Counter final : public ClockObserver {
 public:
  int turns = 0;
  void clock_turned() noexcept override { ++turns; }
};

TEST(Clock, LaterStopsAtTheEndOfTime) {
  const MonotonicTime time{seconds(10)};
  EXPECT_EQ(later(time, seconds(5)), MonotonicTime{seconds(15)});
  EXPECT_EQ(later(time, seconds(-5)), time);
  EXPECT_EQ(later(time, Duration::max()), MonotonicTime::max());
  EXPECT_EQ(later(MonotonicTime::max(), Duration(1)), MonotonicTime::max());
  EXPECT_EQ(later(MonotonicTime::min(), Duration::max()), MonotonicTime{Duration(-1)});
  static_assert(later(MonotonicTime{}, Duration::max()) == MonotonicTime::max());
}

TEST(Clock, SystemClockMovesForward) {
  Clock& clock = system_clock();
  const MonotonicTime begun = clock.now();
  EXPECT_LE(begun, clock.now());
  EXPECT_GT(clock.wall(), TestClock::kStartOfWall - std::chrono::hours(24 * 366 * 3));
  EXPECT_EQ(clock.real_delay_until(begun), Duration::zero());
  const Duration delay = clock.real_delay_until(begun + seconds(1000));
  EXPECT_GT(delay, Duration::zero());
  EXPECT_LE(delay, seconds(1000));
}

// Threads of the library may still ask it while the program's static objects end.
TEST(ClockDeathTest, TheSystemClockIsNeverDestroyed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process where nobody has asked for it yet
  const auto ask_late = [] {
    std::atexit([] { _exit(system_clock().now() > MonotonicTime{} ? 7 : 8); });
    std::exit(system_clock().now() > MonotonicTime{} ? 9 : 10);
  };
  EXPECT_EXIT(ask_late(), testing::ExitedWithCode(7), "");
}

TEST(Clock, NobodyTurnsTheSystemClock) {
  Counter counter;
  system_clock().observe(counter);
  system_clock().unobserve(counter);
  EXPECT_EQ(counter.turns, 0);
}

TEST(Clock, TestClockStandsUntilItIsTurned) {
  TestClock clock;
  const MonotonicTime start = clock.now();
  const WallTime wall = clock.wall();
  EXPECT_EQ(clock.now(), start);
  EXPECT_TRUE(clock.advance(seconds(3)));
  EXPECT_EQ(clock.now(), start + seconds(3));
  EXPECT_EQ(clock.wall(), wall + seconds(3));
  EXPECT_EQ(clock.real_delay_until(start + seconds(3)), Duration::zero());
  EXPECT_EQ(clock.real_delay_until(start + seconds(4)), Duration::max());
}

TEST(Clock, TimeDoesNotGoBackNorBeyondItsEnd) {
  TestClock clock;
  const MonotonicTime start = clock.now();
  EXPECT_EQ(clock.advance(Duration(-1)).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(clock.advance(Duration::max()).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(clock.now(), start);
  clock.set_wall(WallTime::min());
  EXPECT_TRUE(clock.advance(seconds(1)));
}

TEST(Clock, TheWallMayJump) {
  TestClock clock;
  const MonotonicTime start = clock.now();
  clock.set_wall(WallTime{seconds(5)});
  EXPECT_EQ(clock.wall(), WallTime{seconds(5)});
  EXPECT_EQ(clock.now(), start);
}

TEST(Clock, ObserversAreToldUntilTheyLeave) {
  TestClock clock;
  Counter counter;
  clock.unobserve(counter);
  clock.observe(counter);
  clock.observe(counter);
  EXPECT_TRUE(clock.advance(seconds(1)));
  EXPECT_TRUE(clock.advance(Duration::zero()));
  clock.set_wall(WallTime{});
  EXPECT_FALSE(clock.advance(Duration(-1)));
  EXPECT_EQ(counter.turns, 3);
  clock.unobserve(counter);
  EXPECT_TRUE(clock.advance(seconds(1)));
  EXPECT_EQ(counter.turns, 3);
}

}  // namespace
}  // namespace turnpike
