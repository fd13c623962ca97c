#include "base/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "counted.h"

namespace turnpike {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart = TestClock::kStart;

class TimersTest : public testing::Test {
 protected:
  TimerId arm(Duration after, int number) {
    return timers_->arm(kStart + after, [this, number] { ran_.push_back(number); }).value();
  }
  std::size_t advance(Duration after) { return timers_->advance(kStart + after).value(); }

  std::unique_ptr<Timers> timers_ = std::move(Timers::create(kStart).value());
  std::vector<int> ran_;
};

TEST_F(TimersTest, CapacityOutOfRange) {
  EXPECT_EQ(Timers::create(kStart, 0).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Timers::create(kStart, ~0U).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(TimersTest, ACallbackIsWanted) {
  EXPECT_EQ(timers_->arm(kStart, nullptr).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(timers_->armed(), 0U);
}

TEST_F(TimersTest, NeverEarlyNotEvenByANanosecond) {
  for (const Duration delay :
       {Duration(1), Duration(microseconds(300)), Duration(milliseconds(64)), Duration(seconds(5)),
        Duration(seconds(300)), Duration(hours(20)), Duration(hours(24 * 365 * 4))}) {
    const auto timers = Timers::create(kStart).value();
    int runs = 0;
    ASSERT_TRUE(timers->arm(kStart + delay, [&] { ++runs; }));
    EXPECT_EQ(timers->next_deadline(), kStart + delay);
    EXPECT_EQ(timers->advance(kStart + delay - Duration(1)), 0U);
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(timers->next_deadline(), kStart + delay);
    EXPECT_EQ(timers->advance(kStart + delay), 1U);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(timers->advance(MonotonicTime::max()), 0U);
    EXPECT_EQ(timers->next_deadline(), std::nullopt);
  }
}

TEST_F(TimersTest, RunsInOrderOfDeadlinesThenOfArming) {
  arm(seconds(70), 5);
  arm(seconds(2), 2);
  arm(Duration(1), 1);
  arm(seconds(2), 3);
  arm(seconds(2) + Duration(1), 4);
  arm(-seconds(5), 0);
  arm(seconds(1000), 6);
  EXPECT_EQ(timers_->armed(), 7U);
  EXPECT_EQ(advance(seconds(100)), 6U);
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(timers_->armed(), 1U);
}

// Equal deadlines that were armed while they were near and while they were far, and so met on different levels of the
// wheel.
TEST_F(TimersTest, ArmingOrderSurvivesTheWheel) {
  arm(seconds(100), 0);
  advance(seconds(50));
  arm(seconds(100), 1);
  advance(seconds(99));
  arm(seconds(100), 2);
  advance(seconds(100) - Duration(1));
  arm(seconds(100), 3);
  advance(seconds(100));
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(TimersTest, TheEndsOfTime) {
  ASSERT_TRUE(timers_->arm(MonotonicTime::min(), [this] { ran_.push_back(1); }));
  ASSERT_TRUE(timers_->arm(MonotonicTime::max(), [this] { ran_.push_back(2); }));
  EXPECT_EQ(timers_->advance(MonotonicTime::min()), 1U);
  EXPECT_EQ(timers_->advance(MonotonicTime::max() - Duration(1)), 0U);
  EXPECT_EQ(timers_->advance(MonotonicTime::max()), 1U);
  EXPECT_EQ(ran_, (std::vector<int>{1, 2}));
}

TEST_F(TimersTest, AnEarlierNowTurnsNothingBack) {
  advance(seconds(10));
  arm(seconds(5), 1);
  EXPECT_EQ(advance(seconds(4)), 0U);
  EXPECT_EQ(advance(seconds(5)), 1U);
}

TEST_F(TimersTest, CancelSaysWhetherItWasInTime) {
  for (const Duration delay : {Duration(0), Duration(milliseconds(20)), Duration(seconds(20))}) {
    const TimerId id = arm(delay, 1);
    EXPECT_EQ(timers_->cancel(id), Cancelled::kInTime);
    EXPECT_EQ(timers_->cancel(id), Cancelled::kTooLate);
    EXPECT_EQ(timers_->cancel_and_wait(id), Cancelled::kTooLate);
  }
  const TimerId id = arm(seconds(1), 2);
  advance(seconds(30));
  EXPECT_EQ(timers_->cancel(id), Cancelled::kTooLate);
  EXPECT_EQ(ran_, std::vector<int>{2});
}

TEST_F(TimersTest, BadIdsNameNothing) {
  const TimerId stale = arm(seconds(1), 1);
  timers_->cancel(stale);
  const TimerId live = arm(seconds(1), 2);
  const auto value = static_cast<std::uint64_t>(live);
  for (const TimerId bad : {TimerId::kNone, stale, TimerId{value + 1}, TimerId{value + (1ULL << 32)},
                            TimerId{std::numeric_limits<std::uint64_t>::max()}}) {
    EXPECT_EQ(timers_->cancel(bad), Cancelled::kTooLate);
    EXPECT_EQ(timers_->cancel_and_wait(bad), Cancelled::kTooLate);
    EXPECT_FALSE(timers_->rearm(bad, kStart));
  }
  EXPECT_EQ(timers_->armed(), 1U);
}

TEST_F(TimersTest, CancelsFromTheMiddleOfABucket) {
  std::vector<TimerId> ids;
  for (int i = 0; i < 9; ++i) {
    ids.push_back(arm(seconds(5), i));
  }
  for (const int i : {4, 0, 8, 3}) {
    EXPECT_EQ(timers_->cancel(ids[static_cast<std::size_t>(i)]), Cancelled::kInTime);
  }
  advance(seconds(5));
  EXPECT_EQ(ran_, (std::vector<int>{1, 2, 5, 6, 7}));
}

TEST_F(TimersTest, RearmMovesBehindEqualDeadlines) {
  const TimerId id = arm(seconds(1), 1);
  arm(seconds(2), 2);
  EXPECT_TRUE(timers_->rearm(id, kStart + seconds(2)));
  EXPECT_EQ(advance(seconds(1)), 0U);
  EXPECT_EQ(advance(seconds(2)), 2U);
  EXPECT_EQ(ran_, (std::vector<int>{2, 1}));
  EXPECT_FALSE(timers_->rearm(id, kStart + seconds(3)));
}

TEST_F(TimersTest, RearmsAndCancelsWhatIsAlmostDue) {
  const TimerId first = arm(microseconds(10), 1);
  const TimerId second = arm(microseconds(20), 2);
  arm(microseconds(30), 3);
  EXPECT_TRUE(timers_->rearm(first, kStart + microseconds(25)));
  EXPECT_TRUE(timers_->rearm(first, kStart + seconds(1)));
  EXPECT_TRUE(timers_->rearm(first, kStart + microseconds(30)));
  EXPECT_EQ(timers_->cancel(second), Cancelled::kInTime);
  EXPECT_EQ(timers_->next_deadline(), kStart + microseconds(30));
  EXPECT_EQ(advance(microseconds(30)), 2U);
  EXPECT_EQ(ran_, (std::vector<int>{3, 1}));
}

TEST_F(TimersTest, RunsTheOneLeftAmongManyCancelledNearTimers) {
  arm(microseconds(50), 1);
  for (int i = 0; i < 100000; ++i) {
    timers_->cancel(arm(microseconds(100), 2));
  }
  EXPECT_EQ(advance(seconds(1)), 1U);
}

TEST_F(TimersTest, NextDeadlineIsNeverTooLate) {
  EXPECT_EQ(timers_->next_deadline(), std::nullopt);
  const TimerId first = arm(seconds(10), 1);
  arm(seconds(11), 2);
  EXPECT_EQ(timers_->next_deadline(), kStart + seconds(10));
  timers_->cancel(first);
  EXPECT_LE(*timers_->next_deadline(), kStart + seconds(11));
  EXPECT_EQ(advance(seconds(10)), 0U);
  EXPECT_EQ(timers_->next_deadline(), kStart + seconds(11));
}

TEST_F(TimersTest, CallbacksMayArmAndCancel) {
  TimerId victim = TimerId::kNone;
  TimerId self = TimerId::kNone;
  self = timers_
             ->arm(kStart + seconds(1),
                   [&] {
                     EXPECT_EQ(timers_->cancel(victim), Cancelled::kInTime);
                     EXPECT_EQ(timers_->cancel(self), Cancelled::kRunning);
                     EXPECT_EQ(timers_->cancel_and_wait(self), Cancelled::kRunning);
                     EXPECT_FALSE(timers_->rearm(self, kStart + seconds(9)));
                     EXPECT_EQ(timers_->advance(kStart).error().kind, ErrorKind::kBusy);
                     EXPECT_EQ(timers_->settle(TestClock{}).error().kind, ErrorKind::kBusy);
                     arm(milliseconds(1500), 1);  // between this one and the next
                     arm(seconds(5), 3);
                     ran_.push_back(0);
                   })
             .value();
  victim = arm(milliseconds(1200), 99);
  arm(seconds(2), 2);
  EXPECT_EQ(advance(seconds(2)), 3U);
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(timers_->armed(), 1U);
}

TEST_F(TimersTest, RunsNoMoreThanIsWanted) {
  for (int i = 0; i < 5; ++i) {
    arm(seconds(1), i);
  }
  EXPECT_EQ(timers_->advance(kStart + seconds(1), 2), 2U);
  EXPECT_EQ(timers_->advance(kStart + seconds(1), 0), 0U);
  EXPECT_EQ(timers_->advance(kStart + seconds(1), 100), 3U);
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2, 3, 4}));
}

// A callback that is armed anew, always for the past, takes only what it is given.
TEST_F(TimersTest, ABoundedAdvanceEnds) {
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    ASSERT_TRUE(timers_->arm(kStart, again));
  };
  again();
  EXPECT_EQ(timers_->advance(kStart + seconds(1), 100), 100U);
  EXPECT_EQ(runs, 101);
}

TEST_F(TimersTest, ExhaustionPasses) {
  const auto timers = Timers::create(kStart, 1).value();
  std::vector<TimerId> ids;
  for (;;) {
    const Result<TimerId> id = timers->arm(kStart + seconds(1), [] {});
    if (!id) {
      EXPECT_EQ(id.error().kind, ErrorKind::kExhausted);
      break;
    }
    ids.push_back(*id);
  }
  EXPECT_EQ(timers->armed(), ids.size());
  EXPECT_EQ(timers->cancel(ids[7]), Cancelled::kInTime);
  EXPECT_TRUE(timers->arm(kStart + seconds(1), [] {}));
}

// What a callback holds goes when it has run, was cancelled, or the wheel ends, and never with the lock held.
TEST_F(TimersTest, CapturesAreReleased) {
  int living = 0;
  struct CallsBack {
    Timers* timers;
    Counted counted;
    CallsBack(Timers* which, int& how_many) : timers(which), counted(how_many) {}
    CallsBack(const CallsBack&) = default;
    CallsBack& operator=(const CallsBack&) = delete;
    ~CallsBack() { EXPECT_LE(timers->armed(), 1U); }  // would wait for ever with the lock held
    void operator()() const {}
  };
  const TimerId cancelled = timers_->arm(kStart + seconds(1), CallsBack(timers_.get(), living)).value();
  EXPECT_EQ(living, 1);
  timers_->cancel(cancelled);
  EXPECT_EQ(living, 0);
  ASSERT_TRUE(timers_->arm(kStart + seconds(1), CallsBack(timers_.get(), living)));
  advance(seconds(1));
  EXPECT_EQ(living, 0);
  ASSERT_TRUE(timers_->arm(kStart + seconds(5), [counted = Counted(living)] {}));
  EXPECT_EQ(living, 1);
  timers_.reset();
  EXPECT_EQ(living, 0);
}

// The wheel against a sorted map: deadlines of every size, near ticks and bucket borders, with cancels and re-arms
// between.
class TimersModel : public TimersTest {
 protected:
  using Key = std::pair<MonotonicTime, int>;  // the deadline, and the turn in which it was set

  Duration any_delay() {
    const std::uint64_t size = std::uint64_t{1} << random_() % 50;
    return Duration(static_cast<std::int64_t>(random_() % size) - 3) / 64 * 64;
  }
  auto any_live() {
    const Key about{now_ + any_delay(), 0};
    const auto near = live_.lower_bound(about);
    return near == live_.end() ? live_.begin() : near;
  }

  void arm_one() {
    const Key key{now_ + any_delay(), ++turn_};
    const int number = turn_;
    live_[key] = {number, timers_->arm(key.first, [this, number] { ran_.push_back(number); }).value()};
  }
  void cancel_one() {
    const auto victim = any_live();
    ASSERT_EQ(timers_->cancel(victim->second.second), Cancelled::kInTime);
    dead_.push_back(victim->second.second);
    live_.erase(victim);
  }
  void rearm_one() {
    auto moved = live_.extract(any_live());
    moved.key() = {now_ + any_delay(), ++turn_};
    ASSERT_TRUE(timers_->rearm(moved.mapped().second, moved.key().first));
    live_.insert(std::move(moved));
  }
  void cancel_a_dead_one() { ASSERT_EQ(timers_->cancel(dead_[random_() % dead_.size()]), Cancelled::kTooLate); }

  void turn_the_clock() {
    now_ += std::max(any_delay(), Duration(0)) / 8;
    std::vector<int> expected;
    while (!live_.empty() && live_.begin()->first.first <= now_) {
      expected.push_back(live_.begin()->second.first);
      dead_.push_back(live_.begin()->second.second);
      live_.erase(live_.begin());
    }
    ran_.clear();
    ASSERT_EQ(timers_->advance(now_), expected.size());
    ASSERT_EQ(ran_, expected);
    const MonotonicTime first = live_.empty() ? MonotonicTime::max() : live_.begin()->first.first;
    ASSERT_LE(timers_->next_deadline().value_or(MonotonicTime::max()), first);
  }

  std::mt19937_64 random_{4711};
  MonotonicTime now_ = kStart;
  int turn_ = 0;
  std::map<Key, std::pair<int, TimerId>> live_;
  std::vector<TimerId> dead_;
};

TEST_F(TimersModel, Agrees) {
  for (int step = 0; step < 40000; ++step) {
    const auto choice = random_() % 100;
    if (choice < 45 || live_.empty() || dead_.empty()) {
      choice < 90 ? arm_one() : turn_the_clock();
    } else if (choice < 53) {
      cancel_one();
    } else if (choice < 60) {
      rearm_one();
    } else if (choice < 62) {
      cancel_a_dead_one();
    } else {
      turn_the_clock();
    }
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(timers_->armed(), live_.size());
  }
  EXPECT_GT(dead_.size(), 10000U);
}

}  // namespace
}  // namespace turnpike
