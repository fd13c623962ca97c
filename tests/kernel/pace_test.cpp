// When the thread of an adapter naps, and when it waits to be woken.
#include "kernel/adapters/pace.h"

#include <gtest/gtest.h>

namespace turnpike::kernel {
namespace {

// Waits of a thread that finds so many frames each time, until it naps once.
int waits_until_a_nap(Pace& pace, std::size_t frames) {
  int waits = 0;
  while (!pace.naps(frames)) ++waits;
  return waits;
}

TEST(Pace, NapsSoonUnderLoadAndGoesOnAsLongAsThereAreBatches) {
  Pace pace;
  EXPECT_LT(waits_until_a_nap(pace, 1), 10);  // each frame wakes: quick enough to look like a rare one
  for (int round = 0; round < 1000; ++round) EXPECT_TRUE(pace.naps(40));
  EXPECT_FALSE(pace.naps(0));  // the load is over: wakes at once again
}

TEST(Pace, NapsAtOnceAfterABatchThatNobodyExpected) {
  Pace pace;
  EXPECT_FALSE(pace.naps(1));
  EXPECT_TRUE(pace.naps(64));
}

// A peer that sends its next frame when it has our answer: a nap gathers nothing, and costs it the time.
TEST(Pace, NapsEverLessWhereThatBringsNothing) {
  Pace pace;
  int naps = 0;
  for (int frame = 0; frame < 100'000; ++frame) naps += pace.naps(1) ? 1 : 0;
  EXPECT_LT(naps, 120);
  EXPECT_GT(naps, 50);  // and yet it goes on trying: load may come
}

TEST(Pace, ComesBackToItsNapsAfterAPauseOfTheSender) {
  Pace pace;
  waits_until_a_nap(pace, 1);
  for (int round = 0; round < 100; ++round) {
    EXPECT_TRUE(pace.naps(40));
    EXPECT_FALSE(pace.naps(0));
    EXPECT_LE(waits_until_a_nap(pace, 1), 2);
  }
}

}  // namespace
}  // namespace turnpike::kernel
