// The notifier: nobody waits for a piece of work that hangs, and nothing runs when nobody needs it.
#include "runtime/notifier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>

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
  Notifier notifier;
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

}  // namespace
}  // namespace turnpike::runtime
