// The notifier: nobody waits for a piece of work that hangs, and nothing runs when nobody needs it.
#include "runtime/notifier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>

#include "base/log.h"

namespace turnpike::runtime {
namespace {

TEST(Notifier, RunsWhatItIsGiven) {
  Notifier notifier;
  std::atomic<int> runs{0};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(notifier.submit([&] { ++runs; }));
  }
  EXPECT_TRUE(notifier.drain());
  EXPECT_EQ(runs, 100);
}

TEST(Notifier, HasNoThreadBeforeItIsNeededNorAfterItWasStopped) {
  Notifier notifier(std::chrono::hours(1));
  EXPECT_EQ(notifier.threads(), 0U);
  EXPECT_TRUE(notifier.drain());
  EXPECT_TRUE(notifier.submit([] {}));
  EXPECT_TRUE(notifier.drain());
  EXPECT_GE(notifier.threads(), 1U);
  notifier.stop();
  EXPECT_EQ(notifier.threads(), 0U);
  std::atomic<bool> ran{false};
  EXPECT_TRUE(notifier.submit([&] { ran = true; }));
  EXPECT_TRUE(notifier.drain());
  EXPECT_TRUE(ran) << "it begins anew";
}

TEST(Notifier, WorkThatHangsDelaysNobody) {
  Notifier notifier;
  std::latch release(1);
  for (int i = 0; i < 5; ++i) {
    notifier.submit([&] { release.wait(); });
  }
  std::latch done(20);
  for (int i = 0; i < 20; ++i) {
    notifier.submit([&] { done.count_down(); });
  }
  done.wait();
  release.count_down();
  EXPECT_TRUE(notifier.drain());
}

TEST(Notifier, WhatAThreadOfItsOwnAsksDoesNotWaitForItself) {
  Notifier notifier;
  std::atomic<bool> drained{true};
  notifier.submit([&] { drained = notifier.drain(); });
  EXPECT_TRUE(notifier.drain());
  EXPECT_FALSE(drained);
  notifier.submit([&] { notifier.stop(); });
  EXPECT_TRUE(notifier.drain());
}

TEST(Notifier, WaitingWorkIsDoneBeforeItStops) {
  std::atomic<int> runs{0};
  {
    Notifier notifier;
    for (int i = 0; i < 50; ++i) {
      notifier.submit([&] { ++runs; });
    }
  }
  EXPECT_EQ(runs, 50);
}

// Lets go of the client as soon as the log says that it is not waited for any longer.
class LettingGo final : public LogSink {
 public:
  explicit LettingGo(std::latch& release) : release_(release) {}
  bool write(const LogRecord& record) override {
    if (record.message == "a client does not return from its callback") release_.count_down();
    return true;
  }

 private:
  std::latch& release_;
};

TEST(Notifier, StopLeavesAThreadThatHangsAndItsEndAwaitsIt) {
  std::latch release(2);
  const auto sink = process_log().open(std::make_unique<LettingGo>(release), LogLevel::kError);
  ASSERT_TRUE(sink);
  std::atomic<bool> came_back{false};
  {
    Notifier notifier(std::chrono::milliseconds(1));
    notifier.submit([&] {
      release.wait();
      came_back = true;
    });
    notifier.stop();
    EXPECT_EQ(notifier.threads(), 1U);
    EXPECT_FALSE(came_back);
  }
  EXPECT_TRUE(came_back);
  EXPECT_TRUE(process_log().close(*sink));
}

}  // namespace
}  // namespace turnpike::runtime
