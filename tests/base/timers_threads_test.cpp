// Timers between threads, and the thread that drives them.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/timer_thread.h"
#include "base/timers.h"
#include "on_threads.h"

namespace turnpike {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TimersThreads : public testing::Test {
 protected:
  TestClock clock_;
  std::unique_ptr<Timers> timers_ = std::move(Timers::create(clock_.now()).value());
};

// Each timer runs once or is cancelled in time, never both: whatever threads do.
TEST_F(TimersThreads, EachTimerEndsOnce) {
  constexpr int kPerThread = 3000;
  std::vector<std::atomic<int>> ends(3 * kPerThread);
  std::atomic<int> busy{3};
  on_threads(4, [&](int n) {
    if (n == 3) {
      while (busy > 0) {
        ASSERT_TRUE(clock_.advance(milliseconds(1)));
        ASSERT_TRUE(timers_->advance(clock_.now()));
      }
      return;
    }
    std::mt19937 random(static_cast<unsigned>(n));
    for (int i = 0; i < kPerThread; ++i) {
      std::atomic<int>& end = ends[static_cast<std::size_t>(n * kPerThread + i)];
      const MonotonicTime deadline = clock_.now() + milliseconds(random() % 5);
      const TimerId id = timers_->arm(deadline, [&end] { ++end; }).value();
      if (i % 3 == 0) {
        timers_->rearm(id, deadline + milliseconds(random() % 3));
      }
      if (i % 2 == 0) {
        const Cancelled result = i % 4 == 0 ? timers_->cancel(id) : timers_->cancel_and_wait(id);
        end += result == Cancelled::kInTime ? 1 : 0;
        ASSERT_FALSE(result != Cancelled::kInTime && i % 4 == 2 && end != 1) << "waited, and it has not run";
      }
    }
    --busy;
  });
  ASSERT_TRUE(timers_->advance(MonotonicTime::max()));
  for (const auto& end : ends) {
    ASSERT_EQ(end, 1);
  }
}

TEST_F(TimersThreads, CancelAndWaitWaitsForTheCallback) {
  for (int round = 0; round < 100; ++round) {
    std::latch running(2);
    std::atomic<bool> returned{false};
    const TimerId id = timers_
                           ->arm(clock_.now(),
                                 [&] {
                                   running.arrive_and_wait();
                                   std::this_thread::yield();
                                   returned = true;
                                 })
                           .value();
    on_threads(2, [&](int n) {
      if (n == 0) {
        ASSERT_EQ(timers_->advance(clock_.now()), 1U);
      } else {
        running.arrive_and_wait();
        ASSERT_NE(timers_->cancel_and_wait(id), Cancelled::kInTime);
        ASSERT_TRUE(returned);
      }
    });
  }
}

TEST_F(TimersThreads, OneDrivesAtATime) {
  std::atomic<int> inside{0};
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(timers_->arm(clock_.now(), [&] {
      ASSERT_EQ(++inside, 1);
      --inside;
    }));
  }
  on_threads(3, [&](int) {
    while (timers_->armed() > 0) {
      ASSERT_TRUE(timers_->advance(clock_.now(), 10));
    }
  });
}

TEST_F(TimersThreads, ThreadRunsWhatIsDueWhenTheClockIsTurned) {
  const auto thread = TimerThread::start(*timers_, clock_).value();
  std::atomic<int> runs{0};
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(timers_->arm(clock_.now() + seconds(i), [&] { ++runs; }));
  }
  EXPECT_TRUE(thread->settle());
  EXPECT_EQ(runs, 0);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(clock_.advance(seconds(1)));
    ASSERT_TRUE(thread->settle());
    ASSERT_EQ(runs, i);
  }
}

TEST_F(TimersThreads, ThreadRunsWhatIsArmedForThePast) {
  const auto thread = TimerThread::start(*timers_, clock_).value();
  std::latch ran(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(timers_->arm(clock_.now() - seconds(i), [&] { ran.count_down(); }));
  }
  ran.wait();
}

// Armed after a far one made the thread sleep.
TEST_F(TimersThreads, ThreadSleepsOnTheSystemClockUntilTheEarliest) {
  Clock& clock = system_clock();
  const auto timers = Timers::create(clock.now()).value();
  const auto thread = TimerThread::start(*timers, clock).value();
  ASSERT_TRUE(timers->arm(clock.now() + std::chrono::hours(100), [] { FAIL(); }));
  for (int round = 0; round < 5; ++round) {
    std::latch ran(1);
    const MonotonicTime deadline = clock.now() + milliseconds(2);
    MonotonicTime at{};
    ASSERT_TRUE(timers->arm(deadline, [&] {
      at = clock.now();
      ran.count_down();
    }));
    ran.wait();
    ASSERT_GE(at, deadline);
  }
}

TEST_F(TimersThreads, NothingRunsAfterStop) {
  for (int round = 0; round < 50; ++round) {
    const auto thread = TimerThread::start(*timers_, clock_).value();
    std::atomic<bool> stopped{false};
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(timers_->arm(clock_.now(), [&] { ASSERT_FALSE(stopped); }));
    }
    ASSERT_TRUE(thread->stop());
    stopped = true;
    ASSERT_TRUE(thread->stop());
    EXPECT_EQ(thread->settle().error().kind, ErrorKind::kBusy);
    ASSERT_TRUE(clock_.advance(seconds(1)));
    stopped = false;
    ASSERT_TRUE(timers_->advance(clock_.now()));
    ASSERT_EQ(timers_->armed(), 0U);
  }
}

TEST_F(TimersThreads, ACallbackCannotStopItsThreadNorSettle) {
  const auto thread = TimerThread::start(*timers_, clock_).value();
  std::latch ran(1);
  ASSERT_TRUE(timers_->arm(clock_.now(), [&] {
    EXPECT_EQ(thread->stop().error().kind, ErrorKind::kBusy);
    EXPECT_EQ(thread->settle().error().kind, ErrorKind::kBusy);
    ran.count_down();
  }));
  ran.wait();
}

// Something is due for ever, so nobody who waits for it to settle would come back but for the stop.
TEST_F(TimersThreads, StopReleasesWhoWaitsForItAndMayBeCalledAtOnce) {
  for (int round = 0; round < 50; ++round) {
    const auto timers = Timers::create(clock_.now()).value();
    const auto thread = TimerThread::start(*timers, clock_).value();
    std::function<void()> again = [&] { ASSERT_TRUE(timers->arm(clock_.now(), again)); };
    again();
    on_threads(4, [&](int n) {
      if (n < 2) {
        ASSERT_TRUE(thread->stop());
      } else {
        ASSERT_EQ(thread->settle().error().kind, ErrorKind::kBusy);
      }
    });
  }
}

// One that is armed for the past for ever neither hangs stop() nor keeps others from running.
TEST_F(TimersThreads, ARestlessTimerCanBeStopped) {
  const auto thread = TimerThread::start(*timers_, clock_).value();
  std::function<void()> again = [&] { ASSERT_TRUE(timers_->arm(clock_.now(), again)); };
  again();
  std::latch ran(1);
  ASSERT_TRUE(timers_->arm(clock_.now(), [&] { ran.count_down(); }));
  ran.wait();
  ASSERT_TRUE(thread->stop());
}

TEST_F(TimersThreads, ThreadHasANameAndNoSignals) {
  EXPECT_EQ(TimerThread::start(*timers_, clock_, nullptr).error().kind, ErrorKind::kInvalidArgument);
  const auto thread = TimerThread::start(*timers_, clock_, "a-name-longer-than-fits").value();
  std::latch ran(1);
  ASSERT_TRUE(clock_.advance(seconds(1)));
  ASSERT_TRUE(timers_->arm(clock_.now(), [&] {
    char name[32] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    EXPECT_EQ(std::string(name), "a-name-longer-t");
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_EQ(sigismember(&mask, SIGTERM), 1);
    ran.count_down();
  }));
  ran.wait();
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

}  // namespace
}  // namespace turnpike
