// The handle table between threads: what one does while another does the opposite.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "handle_table_fixture.h"
#include "on_threads.h"

namespace turnpike {
namespace {

// Threads pin whatever stands in a few cells while others replace it: a pinned object is whole, and dies once.
TEST(HandleTableThreads, PinsAgainstRemovals) {
  constexpr int kCells = 4;
  constexpr int kRounds = 4000;
  Orchard orchard;
  std::array<std::atomic<Handle>, kCells> cells{};
  for (auto& cell : cells) {
    cell = orchard.add<Apple>(kAnn, 1);
  }
  std::atomic<int> writers{2};
  std::atomic<int> added{kCells};
  on_threads(4, [&](int n) {
    std::mt19937 random(static_cast<unsigned>(n));
    if (n < 2) {
      for (int i = 0; i < kRounds; ++i) {
        const Handle old = cells[random() % kCells].exchange(orchard.add<Apple>(kAnn, 1));
        ++added;
        Pin<Apple> own = i % 3 == 0 ? orchard->pin<Apple>(old) : Pin<Apple>{};
        ASSERT_TRUE(i % 2 == 0 ? orchard->remove(old) : orchard->remove_and_wait(old, own ? 1 : 0));
        ASSERT_FALSE(orchard->check(old));
      }
      --writers;
    } else {
      while (writers > 0) {
        const Handle handle = cells[random() % kCells];
        const Pin<Apple> outer = orchard->pin<Apple>(handle);
        const Pin<Apple> inner = orchard->pin<Apple>(handle);
        if (outer) {
          ASSERT_EQ(outer->weight, 1);
        }
      }
    }
  });
  EXPECT_EQ(orchard.destroyed(), added - kCells);
  EXPECT_EQ(orchard->counts().in_use, static_cast<std::uint64_t>(kCells));
}

// A handle is a number that may reach a thread by any way, so it is the table that has to order what its look-ups show
// after what add() was given, and a destroyer after every use. (The test above cannot tell: its cells do that too.)
TEST(HandleTableThreads, ALookUpOrdersByItself) {
  constexpr auto kUnordered = std::memory_order_relaxed;
  Orchard orchard;
  std::atomic<Handle> cell{orchard.add<Apple>(kAnn, 1)};
  std::atomic<bool> done{false};
  on_threads(3, [&](int n) {
    if (n == 0) {
      for (int i = 0; i < 4000; ++i) {
        const Handle old = cell.load(kUnordered);
        cell.store(orchard.add<Apple>(kAnn, 1), kUnordered);
        ASSERT_TRUE(orchard->remove(old));
      }
      done.store(true, kUnordered);
      return;
    }
    while (!done.load(kUnordered)) {
      if (const Pin<Apple> pin = orchard->pin<Apple>(cell.load(kUnordered))) {
        ASSERT_EQ(pin->weight, 1);
      }
    }
  });
}

// A thread that is put to sleep in the middle of a look-up or a listing finds, when it wakes, the slot in another life:
// it must not be given that life's object or owner. More readers than CPUs, so that some are.
TEST(HandleTableThreads, LookUpsDoNotMixTwoLives) {
  constexpr auto kUnordered = std::memory_order_relaxed;
  const auto table = HandleTable::create({.capacity = 1, .shards = 1}).value();
  ASSERT_TRUE(table->register_kind<Apple>([](Apple&) {}));
  std::array<Apple, 2> objects{Apple{0}, Apple{1}};  // for even and for odd generations, as are the owners
  const auto parity = [](Handle handle) { return static_cast<std::size_t>(handle) >> 28 & 1; };
  std::atomic<Handle> cell{table->add(objects[1], kBob).value()};
  std::atomic<bool> done{false};
  on_threads(5, [&](int n) {
    if (n == 0) {
      for (std::size_t i = 0; i < 300; ++i) {
        ASSERT_TRUE(table->remove(cell.load(kUnordered)));
        cell.store(table->add(objects[i % 2], i % 2 == 0 ? kAnn : kBob).value(), kUnordered);
        std::this_thread::yield();
      }
      done = true;
    }
    while (!done) {
      if (n % 2 == 0) {
        const Handle handle = cell.load(kUnordered);
        const Apple* const apple = table->peek<Apple>(handle);
        ASSERT_TRUE(apple == nullptr || apple == &objects[parity(handle)]);
      } else {
        table->for_each_owned(kAnn, [&](Handle handle) { ASSERT_EQ(parity(handle), 0U); });
      }
    }
  });
}

TEST(HandleTableThreads, OneOfManyRemovalsSucceeds) {
  Orchard orchard;
  for (int round = 0; round < 300; ++round) {
    const Handle handle = orchard.add();
    std::atomic<int> successes{0};
    on_threads(
        3, [&](int n) { successes += (n == 0 ? orchard->remove_and_wait(handle) : orchard->remove(handle)) ? 1 : 0; });
    ASSERT_EQ(successes, 1);
    ASSERT_EQ(orchard.destroyed(), round + 1);
  }
}

TEST(HandleTableThreads, RemoveAndWaitWaitsForTheDestroyer) {
  for (int round = 0; round < 200; ++round) {
    Orchard orchard;
    const Handle handle = orchard.add();
    std::latch pinned(2);
    std::atomic<bool> letting_go{false};
    on_threads(3, [&](int n) {
      if (n == 2) {
        pinned.wait();
        ASSERT_TRUE(orchard->remove_and_wait(handle));
        ASSERT_TRUE(letting_go);
        ASSERT_EQ(orchard.destroyed(), 1);
      } else {
        Pin<Apple> pin = orchard->pin<Apple>(handle);
        ASSERT_TRUE(pin);
        pinned.count_down();
        while (orchard->check(handle)) {
          std::this_thread::yield();
        }
        letting_go = true;
      }
    });
  }
}

TEST(HandleTableThreads, RemoveAndWaitLeavesTheCallersOwnPins) {
  for (int round = 0; round < 200; ++round) {
    Orchard orchard;
    const Handle handle = orchard.add();
    std::latch pinned(2);
    std::atomic<bool> let_go{false};
    on_threads(2, [&](int n) {
      Pin<Apple> pin = orchard->pin<Apple>(handle);
      ASSERT_TRUE(pin);
      pinned.arrive_and_wait();
      if (n == 0) {
        ASSERT_TRUE(orchard->remove_and_wait(handle, 1));
        ASSERT_TRUE(let_go);
        ASSERT_EQ(orchard.destroyed(), 0);
      } else {
        while (orchard->check(handle)) {
          std::this_thread::yield();
        }
        let_go = true;
      }
    });
    ASSERT_EQ(orchard.destroyed(), 1);
  }
}

// Slots change lives, and chunks their memory, under readers that hold nothing but stale handles.
TEST(HandleTableThreads, StaleHandlesAreRefusedWhileSlotsAreReused) {
  constexpr std::uint32_t kChunk = 8192;
  Orchard orchard({.capacity = 3 * kChunk, .shards = 1});
  std::vector<Handle> stale;
  for (std::uint32_t i = 0; i < 2 * kChunk; ++i) {
    stale.push_back(orchard.add());
  }
  for (const Handle handle : stale) {
    ASSERT_TRUE(orchard->remove(handle));
  }
  std::atomic<bool> done{false};
  on_threads(3, [&](int n) {
    if (n == 0) {
      for (int round = 0; round < 3; ++round) {
        std::vector<Handle> fresh;
        for (std::uint32_t i = 0; i < 2 * kChunk + 100; ++i) {
          fresh.push_back(orchard.add());
        }
        for (const Handle handle : fresh) {
          ASSERT_TRUE(orchard->remove(handle));
        }
      }
      done = true;
    } else {
      std::mt19937 random(static_cast<unsigned>(n));
      while (!done) {
        const Handle handle = stale[random() % stale.size()];
        ASSERT_FALSE(orchard->check(handle));
        ASSERT_EQ(orchard->peek<Apple>(handle), nullptr);
        ASSERT_FALSE(orchard->pin<Apple>(handle));
        ASSERT_FALSE(orchard->remove(handle));
      }
    }
  });
  EXPECT_EQ(orchard->counts().in_use, 0U);
}

// What others do does not make a listing miss what stays, show what is somebody else's, or name a handle twice.
TEST(HandleTableThreads, ListsAnOwnersHandlesUnderChurn) {
  Orchard orchard;
  std::set<Handle> stays;
  for (int i = 0; i < 200; ++i) {
    stays.insert(orchard.add<Apple>(kAnn));
    orchard.add<Pear>(kBob);
  }
  std::atomic<bool> done{false};
  on_threads(3, [&](int n) {
    if (n == 0) {
      for (int i = 0; i < 200; ++i) {
        std::set<Handle> listed;
        orchard->for_each_owned(kAnn, [&](Handle handle) { ASSERT_TRUE(listed.insert(handle).second); });
        ASSERT_TRUE(std::includes(listed.begin(), listed.end(), stays.begin(), stays.end()));
        for (const Handle handle : listed) {
          ASSERT_EQ(tag_of(handle), HandleKind<Apple>::tag);
        }
      }
      done = true;
    } else {
      while (!done) {
        const Handle apple = orchard.add<Apple>(kAnn);
        const Handle pear = orchard.add<Pear>(kBob);
        ASSERT_TRUE(orchard->remove(apple));
        ASSERT_TRUE(orchard->remove(pear));
      }
    }
  });
  EXPECT_EQ(orchard->census(kAnn).total(), 200U);
}

// Several threads at the bound: never more handles than it, and each slot can be had again.
TEST(HandleTableThreads, ExhaustionHoldsBetweenShards) {
  constexpr std::uint32_t kCapacity = 100;
  Orchard orchard({.capacity = kCapacity});
  std::atomic<int> refused{0};
  on_threads(4, [&](int) {
    std::vector<Handle> own;
    for (int round = 0; round < 100; ++round) {
      for (int i = 0; i < 40; ++i) {
        if (const Result<Handle> handle = orchard.try_add()) {
          own.push_back(*handle);
        } else {
          ASSERT_EQ(handle.error().kind, ErrorKind::kExhausted);
          ++refused;
        }
      }
      ASSERT_LE(orchard->counts().in_use, kCapacity);
      for (const Handle handle : own) {
        ASSERT_TRUE(orchard->remove(handle));
      }
      own.clear();
    }
  });
  std::vector<Handle> all;
  for (std::uint32_t i = 0; i < kCapacity; ++i) {
    all.push_back(orchard.add());
  }
  EXPECT_FALSE(orchard.try_add());
}

}  // namespace
}  // namespace turnpike
