#include "base/thread_index.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace turnpike {
namespace {

TEST(ThreadIndex, IsTheSameForTheThreadsWholeLife) {
  const std::uint32_t mine = thread_index();
  EXPECT_EQ(thread_index(), mine);
  EXPECT_LT(mine, thread_index_limit());
}

TEST(ThreadIndex, DiffersBetweenLiveThreadsAndIsRecycled) {
  constexpr int kThreads = 20;
  for (int round = 0; round < 5; ++round) {
    std::set<std::uint32_t> seen{thread_index()};
    std::mutex mutex;
    std::latch all_asked(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        const std::uint32_t index = thread_index();
        all_asked.arrive_and_wait();
        const std::lock_guard lock(mutex);
        seen.insert(index);
      });
    }
    threads.clear();
    EXPECT_EQ(seen.size(), kThreads + 1U);
    EXPECT_LE(thread_index_limit(), kThreads + 1U);
  }
}

// A thread-local object that was made before the thread asked for its number ends after the number was given back.
struct AsksLate {
  std::uint32_t* answer = nullptr;
  AsksLate() = default;
  AsksLate(const AsksLate&) = delete;
  AsksLate& operator=(const AsksLate&) = delete;
  ~AsksLate() {
    if (answer != nullptr) {
      *answer = thread_index();
    }
  }
};

TEST(ThreadIndex, IsNoneOnceTheThreadHasGivenItBack) {
  std::uint32_t late = 0;
  std::uint32_t early = kNoThreadIndex;
  std::thread([&] {
    static thread_local AsksLate asks;
    asks.answer = &late;
    early = thread_index();
  }).join();
  EXPECT_NE(early, kNoThreadIndex);
  EXPECT_EQ(late, kNoThreadIndex);
}

}  // namespace
}  // namespace turnpike
