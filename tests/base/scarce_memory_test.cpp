// What base does when there is no memory.
#include "scarce_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <utility>

#include "base/epoch.h"

namespace turnpike {
namespace {

TEST(ScarceMemory, AnEpochFreesWithoutAllocating) {
  const auto epoch = std::move(Epoch::create().value());
  for (int i = 0; i < 1000; ++i) {
    epoch->retire(std::make_unique<int>(i));
  }
  const NoMemory now;
  EXPECT_EQ(epoch->collect(), 1000U);
}

TEST(ScarceMemory, WhatAnEpochCannotTakeStaysTheCallers) {
  const auto epoch = std::move(Epoch::create().value());
  int taken = 0;
  bool refused = false;
  for (; !refused && taken < 10000; ++taken) {
    auto object = std::make_unique<int>(taken);  // the sanitizer would tell of a leak
    const NoMemory now;
    try {
      epoch->retire(std::move(object));
    } catch (const std::bad_alloc&) {
      refused = true;
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(epoch->synchronize());
  EXPECT_EQ(epoch->waiting(), 0U);
}

}  // namespace
}  // namespace turnpike
