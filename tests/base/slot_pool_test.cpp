#include "base/slot_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "counted.h"
#include "resident.h"

namespace turnpike {
namespace {

struct Item {
  std::unique_ptr<Counted> owned;
  std::uint64_t number = 0;
};
using Pool = SlotPool<Item>;
constexpr std::uint32_t kChunk = Pool::kChunkSlots;

TEST(SlotPool, OptionsOutOfRange) {
  EXPECT_EQ(Pool::make(0).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Pool::make((1U << 31) + 1).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Pool::make(1, 2).error().kind, ErrorKind::kInvalidArgument);
}

TEST(SlotPool, NamesWhatIsTaken) {
  Pool pool = Pool::make(10).value();
  const std::uint32_t index = pool.take();
  const std::uint64_t id = pool.id_of(index);
  pool[index].number = 7;
  EXPECT_EQ(pool.index_of(id), index);
  EXPECT_EQ(pool.size(), 1U);
  pool.release(index);
  EXPECT_EQ(pool.size(), 0U);
  for (const std::uint64_t bad :
       {id, id + (std::uint64_t{1} << 32), id + 1, std::uint64_t{0}, ~std::uint64_t{0}, id | 0xFFFFFFFF}) {
    EXPECT_EQ(pool.index_of(bad), Pool::kNone) << bad;
  }
  EXPECT_EQ(pool[pool.take()].number, 0U);
}

TEST(SlotPool, EndsWhatItHolds) {
  int living = 0;
  {
    Pool pool = Pool::make(10).value();
    const std::uint32_t released = pool.take();
    pool[released].owned = std::make_unique<Counted>(living);
    pool[pool.take()].owned = std::make_unique<Counted>(living);
    EXPECT_EQ(living, 2);
    pool.release(released);
    EXPECT_EQ(living, 1);
    const Pool moved = std::move(pool);
    EXPECT_EQ(moved.size(), 1U);
  }
  EXPECT_EQ(living, 0);
}

TEST(SlotPool, ExhaustionPasses) {
  Pool pool = Pool::make(1).value();
  for (std::uint32_t i = 0; i < kChunk; ++i) {
    ASSERT_NE(pool.take(), Pool::kNone);
  }
  EXPECT_EQ(pool.take(), Pool::kNone);
  EXPECT_EQ(pool.size(), kChunk);
  pool.release(5);
  EXPECT_EQ(pool.take(), 5U);
  EXPECT_EQ(pool.take(), Pool::kNone);
}

TEST(SlotPool, GivesChunksBackAndStillRefusesStaleIds) {
  Pool pool = Pool::make(4 * kChunk).value();
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint32_t> taken;
    for (std::uint32_t i = 0; i < 4 * kChunk; ++i) {
      taken.push_back(pool.take());
      ASSERT_TRUE(seen.insert(pool.id_of(taken.back())).second);
    }
    EXPECT_EQ(pool.chunks_in_use(), 4U);
    for (const std::uint32_t index : taken) {
      pool.release(index);
    }
    EXPECT_EQ(pool.chunks_in_use(), 1U);
  }
  for (const std::uint64_t id : seen) {
    ASSERT_EQ(pool.index_of(id), Pool::kNone);
  }
}

TEST(SlotPool, TheKernelGetsItsPagesBack) {
  struct Line {
    char bytes[60];  // 64 with the generation
  };
  constexpr std::uint32_t kTaken = 16 * kChunk;
  SlotPool<Line> pool = SlotPool<Line>::make(kTaken).value();
  for (std::uint32_t i = 0; i < kTaken; ++i) {
    ASSERT_EQ(pool.take(), i);
  }
  const std::size_t full = resident_bytes();
  for (std::uint32_t i = 0; i < kTaken; ++i) {
    pool.release(i);
  }
  EXPECT_LT(resident_bytes(), full - std::size_t{kTaken} * 64 * 8 / 10) << "one chunk of sixteen is kept";
}

TEST(SlotPool, UsedUpGenerationsAreLostForEver) {
  Pool pool = Pool::make(1, Pool::kLastGeneration - 2).value();
  for (std::uint32_t i = 0; i < 2 * kChunk; ++i) {
    const std::uint32_t index = pool.take();
    ASSERT_NE(index, Pool::kNone);
    const std::uint64_t id = pool.id_of(index);
    ASSERT_EQ(pool.index_of(id), index);
    pool.release(index);
    ASSERT_EQ(pool.index_of(id), Pool::kNone);
  }
  EXPECT_EQ(pool.take(), Pool::kNone);
  EXPECT_EQ(pool.chunks_in_use(), 0U);
}

TEST(SlotPool, AgreesWithAModel) {
  std::mt19937 random(77);
  Pool pool = Pool::make(3 * kChunk).value();
  std::map<std::uint64_t, std::uint64_t> live;
  std::vector<std::uint64_t> ever;
  for (int step = 0; step < 150000; ++step) {
    const bool growing = step / 30000 % 2 == 0;
    if (random() % 100 < (growing ? 70U : 30U)) {
      const std::uint32_t index = pool.take();
      ASSERT_EQ(index == Pool::kNone, live.size() == 3 * kChunk);
      if (index != Pool::kNone) {
        pool[index].number = static_cast<std::uint64_t>(step);
        ASSERT_TRUE(live.emplace(pool.id_of(index), step).second);
        ever.push_back(pool.id_of(index));
      }
    } else if (!ever.empty()) {
      const std::uint64_t old = ever[random() % ever.size()];
      const auto near = live.lower_bound(old);
      const std::uint64_t id = random() % 4 == 0 || near == live.end() ? old : near->first;
      const std::uint32_t index = pool.index_of(id);
      ASSERT_EQ(index != Pool::kNone, live.contains(id));
      if (index != Pool::kNone) {
        ASSERT_EQ(pool[index].number, live.at(id));
        pool.release(index);
        live.erase(id);
      }
    }
    ASSERT_EQ(pool.size(), live.size());
  }
  EXPECT_GT(ever.size(), 50000U);
}

}  // namespace
}  // namespace turnpike
