#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "base/epoch.h"
#include "handle_table_fixture.h"
#include "on_threads.h"

namespace turnpike {
namespace {

struct Pair {
  int first = 0;
  int second = 0;
  ~Pair() { first = -1; }
};

class EpochThreads : public testing::TestWithParam<EpochOptions> {
 protected:
  std::unique_ptr<Epoch> epoch_ = std::move(Epoch::create(GetParam()).value());
};

INSTANTIATE_TEST_SUITE_P(Ways, EpochThreads,
                         testing::Values(EpochOptions{}, EpochOptions{.use_membarrier = false},
                                         EpochOptions{.max_threads = 2}),
                         [](const auto& test) {
                           return test.param.max_threads == 2 ? "Crowd"
                                  : test.param.use_membarrier ? "Membarrier"
                                                              : "Fence";
                         });

// Readers follow a pointer that writers replace, retire and free: what they see is always whole.
TEST_P(EpochThreads, ReadersSeeWholeObjects) {
  std::atomic<Pair*> current{std::make_unique<Pair>().release()};
  std::atomic<int> writers{2};
  on_threads(4, [&](int n) {
    if (n < 2) {
      for (int i = 1; i <= 2000; ++i) {
        epoch_->retire(std::unique_ptr<Pair>(current.exchange(std::make_unique<Pair>(Pair{i, i}).release())));
        if (n == 0) {
          epoch_->collect(16);
        } else if (i % 64 == 0) {
          ASSERT_TRUE(epoch_->synchronize());
        }
      }
      --writers;
    } else {
      while (writers > 0) {
        const Epoch::Reader reader(*epoch_);
        const Pair* pair = current.load(std::memory_order_acquire);
        const int first = pair->first;
        {
          const Epoch::Reader nested(*epoch_);
          const Pair* newer = current.load(std::memory_order_acquire);
          ASSERT_EQ(newer->first, newer->second);
        }
        ASSERT_EQ(pair->second, first);
      }
    }
  });
  epoch_->retire(std::unique_ptr<Pair>(current.exchange(nullptr)));
}

TEST_P(EpochThreads, SynchronizeWaitsForTheReader) {
  for (const int turns : {0, 0, 1, 10, 50, 90, 110, 200}) {  // from shorter to longer than the collector cares to look
    std::atomic<bool> reading{false};
    std::atomic<bool> left{false};
    on_threads(2, [&](int n) {
      if (n == 0) {
        const Epoch::Reader reader(*epoch_);
        reading = true;
        for (int i = 0; i < turns; ++i) {
          std::this_thread::yield();
        }
        left = true;
      } else {
        while (!reading) {
          std::this_thread::yield();
        }
        ASSERT_TRUE(epoch_->synchronize());
        ASSERT_TRUE(left);
      }
    });
  }
}

// When synchronize() returns, what this thread retired has run, also where another thread collects.
TEST_P(EpochThreads, SynchronizeLeavesNothingUnfinished) {
  on_threads(3, [&](int) {
    for (int i = 0; i < 300; ++i) {
      int freed = 0;
      epoch_->retire(&freed, [](void* object, void*) {
        std::this_thread::yield();  // so that another thread's synchronize() comes while this one is being run
        ++*static_cast<int*>(object);
      });
      epoch_->collect();
      ASSERT_TRUE(epoch_->synchronize());
      ASSERT_EQ(freed, 1);
    }
  });
}

TEST_P(EpochThreads, ThreadsComeAndGo) {
  std::atomic<Pair*> current{std::make_unique<Pair>().release()};
  for (int round = 0; round < 30; ++round) {
    on_threads(4, [&](int n) {
      const Epoch::Reader reader(*epoch_);
      if (n == 0) {
        epoch_->retire(std::unique_ptr<Pair>(current.exchange(std::make_unique<Pair>(Pair{n, n}).release())));
        epoch_->collect();
      }
      const Pair* pair = current.load(std::memory_order_acquire);
      ASSERT_EQ(pair->first, pair->second);
    });
  }
  epoch_->retire(std::unique_ptr<Pair>(current.exchange(nullptr)));
}

// Look-ups by handle that write nothing shared, against removals.
TEST_P(EpochThreads, PeekAgainstRemoval) {
  const auto table = HandleTable::create().value();
  ASSERT_TRUE(table->register_kind<Apple>([&](Apple& apple) { epoch_->retire(std::unique_ptr<Apple>(&apple)); }));
  const auto plant = [&] { return table->add(*std::make_unique<Apple>(Apple{7}).release(), kAnn).value(); };
  constexpr auto kUnordered = std::memory_order_relaxed;  // so that it is peek() that orders
  std::atomic<Handle> current{plant()};
  std::atomic<bool> done{false};
  on_threads(3, [&](int n) {
    if (n == 0) {
      for (int i = 0; i < 3000; ++i) {
        ASSERT_TRUE(table->remove(current.exchange(plant(), kUnordered)));
        epoch_->collect(8);
      }
      done.store(true, kUnordered);
    } else {
      while (!done.load(kUnordered)) {
        const Epoch::Reader reader(*epoch_);
        if (const Apple* apple = table->peek<Apple>(current.load(kUnordered))) {
          ASSERT_EQ(apple->weight, 7);
        }
      }
    }
  });
  ASSERT_TRUE(table->remove(current));
}

}  // namespace
}  // namespace turnpike
