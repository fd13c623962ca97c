// Bad input to the driver tier (wdm.h): null pointers, and what was never initialised. Nothing crashes.
#include <gtest/gtest.h>
#include <wdm.h>

namespace {

TEST(BadDriver, TimeGoesToNowhereIfThereIsNoPlace) {
  const LARGE_INTEGER before = KeQueryPerformanceCounter(nullptr);
  LARGE_INTEGER frequency;
  EXPECT_GE(KeQueryPerformanceCounter(&frequency).QuadPart, before.QuadPart);
  EXPECT_EQ(frequency.QuadPart, 10'000'000);
}

TEST(BadDriver, NoTextIsNotPrinted) { EXPECT_EQ(DbgPrint(nullptr), 0U); }

}  // namespace
