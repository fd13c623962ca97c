// The small parts: deadlines, the set of changes, regions, limbo, the slab, the arena.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "base/epoch.h"
#include "rtm/arena.h"
#include "rtm/deadlines.h"
#include "rtm/limbo.h"
#include "rtm/notify.h"
#include "rtm/region.h"
#include "rtm/slab.h"

namespace turnpike::rtm {
namespace {

bool is_resident(const std::byte* at) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  unsigned char there = 0;
  EXPECT_EQ(mincore(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(at) / page * page), page, &there), 0);
  return (there & 1) != 0;
}

TEST(Deadlines, TheFirstIsTheSoonest) {
  Deadlines deadlines;
  std::vector<std::uint32_t> places(200, 0);
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint32_t> model;
  std::vector<std::uint64_t> times(200, 0);
  std::mt19937 random(3);
  for (int step = 0; step < 20000; ++step) {
    const auto index = static_cast<std::uint32_t>(random() % places.size());
    if (places[index] != 0) {
      model.erase({times[index], index});
    }
    if (random() % 3 == 0) {
      deadlines.remove(places[index]);
    } else {
      times[index] = random() % 1000;
      ASSERT_TRUE(deadlines.reserve_one());
      deadlines.set({times[index], index, Deadlines::What::kRoute, index, &places[index]});
      model[{times[index], index}] = index;
    }
    ASSERT_EQ(deadlines.size(), model.size());
    ASSERT_EQ(deadlines.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(deadlines.first().index, model.begin()->second);
    }
  }
}

TEST(Deadlines, ARouteEndsBeforeTheHoldThatEndsWithIt) {
  Deadlines deadlines;
  std::uint32_t hold = 0;
  std::uint32_t route = 0;
  ASSERT_TRUE(deadlines.reserve_one());
  deadlines.set({5, 1, Deadlines::What::kHold, 0, &hold});
  ASSERT_TRUE(deadlines.reserve_one());
  deadlines.set({5, 2, Deadlines::What::kRoute, 9, &route});
  EXPECT_EQ(deadlines.first().what, Deadlines::What::kRoute);
}

TEST(ChangeRegistration, KeepsTheOrderOfComingAndNothingTwice) {
  ChangeRegistration registration;
  std::vector<std::uint32_t> model;
  std::mt19937 random(4);
  for (int step = 0; step < 50000; ++step) {
    const auto dest = static_cast<std::uint32_t>(1 + random() % 300);
    const auto found = std::find(model.begin(), model.end(), dest);
    switch (random() % 4) {
      case 0:
      case 1:
        ASSERT_EQ(registration.push(dest), found == model.end());
        if (found == model.end()) {
          model.push_back(dest);
        }
        break;
      case 2:
        ASSERT_EQ(registration.withdraw(dest), found != model.end());
        if (found != model.end()) {
          model.erase(found);
        }
        break;
      default:
        ASSERT_EQ(registration.pop(), model.empty() ? 0 : model.front());
        if (!model.empty()) {
          model.erase(model.begin());
        }
    }
    ASSERT_EQ(registration.waiting.size(), model.size());
  }
}

TEST(ChangeRegistration, ChurnDoesNotMakeItGrow) {
  ChangeRegistration registration;
  registration.push(1);
  for (int i = 0; i < 100000; ++i) {
    registration.push(2);
    registration.withdraw(2);
  }
  EXPECT_LT(registration.bytes(), 4096U);
  EXPECT_EQ(registration.pop(), 1U);
  EXPECT_EQ(registration.pop(), 0U);
}

// The first two megabytes are opened by halves; from then on a step is made ready when half of the last one is used.
TEST(Region, IsMadeReadyAheadOfItsUse) {
  constexpr std::size_t kStep = 2UL << 20;
  Region region = Region::make(16 * kStep).value();
  EXPECT_FALSE(region.is_low(0));
  ASSERT_TRUE(region.reach(kStep / 4));
  EXPECT_FALSE(region.is_low(kStep / 4)) << "a small table takes nothing ahead";
  ASSERT_TRUE(region.reach(kStep));
  ASSERT_EQ(region.opened(), kStep);
  EXPECT_FALSE(region.is_low(kStep / 2));
  EXPECT_TRUE(region.is_low(kStep / 2 + 1));

  region.data()[kStep - 1] = std::byte{7};
  region.make_ready();
  EXPECT_EQ(region.opened(), kStep) << "it is its owner who opens it";
  EXPECT_FALSE(region.is_low(kStep)) << "once is enough";
  std::byte* next = region.data() + kStep;
  EXPECT_TRUE(is_resident(next) && is_resident(next + kStep - 1));
  EXPECT_FALSE(is_resident(next + kStep));
  region.make_ready();
  EXPECT_FALSE(is_resident(next + kStep)) << "and no more than one step";

  ASSERT_TRUE(region.reach(kStep + 1));
  EXPECT_EQ(region.opened(), 2 * kStep);
  EXPECT_EQ(region.data()[kStep - 1], std::byte{7});
  EXPECT_EQ(next[0], std::byte{0});
  EXPECT_TRUE(region.is_low(2 * kStep));
  ASSERT_TRUE(region.reach(3 * kStep)) << "nobody made it ready";
  region.data()[3 * kStep - 1] = std::byte{7};
  EXPECT_TRUE(region.is_low(3 * kStep));
  const Region moved = std::move(region);
  EXPECT_EQ(moved.data() + kStep, next);
  EXPECT_TRUE(moved.is_low(3 * kStep));
}

TEST(Region, EndsWhereItWasSaidTo) {
  constexpr std::size_t kStep = 2UL << 20;
  Region region = Region::make(kStep).value();
  ASSERT_TRUE(region.reach(kStep));
  ASSERT_TRUE(region.is_low(kStep));
  region.make_ready();
  EXPECT_FALSE(region.is_low(kStep)) << "tried once";
  EXPECT_FALSE(region.reach(kStep + 1));
  EXPECT_EQ(region.opened(), kStep);
}

// The kernel's barrier is not asked for by who closes a bag, but for one bag in many when nobody else did.
TEST(Limbo, WhoHasLetGoOfTheLockCollects) {
  std::size_t gone = 0;
  const std::unique_ptr<Epoch> epoch = std::move(*Epoch::create());
  Limbo limbo(*epoch);
  const auto retire = [&](std::size_t count) {
    while (count-- != 0) {
      limbo.retire([](void* counter, std::uintptr_t) noexcept { ++*static_cast<std::size_t*>(counter); }, &gone, 0);
    }
  };
  retire(3 * 256);
  EXPECT_FALSE(limbo.take_turn());
  retire(256);
  EXPECT_TRUE(limbo.take_turn());
  EXPECT_FALSE(limbo.take_turn()) << "one is enough";
  EXPECT_EQ(gone, 0U);
  limbo.collect();
  EXPECT_EQ(gone, 0U) << "what is disposed of is so under the lock";
  retire(256);
  EXPECT_EQ(gone, 2 * 256U);
  retire(256);
  EXPECT_EQ(gone, 4 * 256U);

  retire(100 * 256);
  EXPECT_GT(gone, 4 * 256U) << "nobody took the turn, and they do not wait for ever";
}

TEST(BitSet, TakesEveryMemberOnce) {
  BitSet set;
  const std::set<std::uint32_t> members{1, 2, 63, 64, 65, 127, 128, 5000, 5001};
  for (const std::uint32_t member : members) {
    EXPECT_TRUE(set.insert(member));
    EXPECT_FALSE(set.insert(member));
  }
  std::set<std::uint32_t> taken;
  for (std::uint32_t from = 1; from != 0;) {
    from = set.take(from, 2, [&](std::uint32_t member) { EXPECT_TRUE(taken.insert(member).second); });
  }
  EXPECT_EQ(taken, members);
  EXPECT_EQ(set.size(), 0U);
}

TEST(Slab, GivesEachIndexOnceAndOldOnesAgain) {
  auto slab = Slab::make(64, 1000);
  ASSERT_TRUE(slab);
  std::set<std::uint32_t> indices;
  while (const std::uint32_t index = slab->take()) {
    EXPECT_TRUE(indices.insert(index).second);
  }
  EXPECT_GE(indices.size(), 999U);
  EXPECT_EQ(indices.count(0), 0U) << "the index that means nobody";
  slab->count_out();
  slab->give_back(17);
  EXPECT_EQ(slab->take(), 17U);
  EXPECT_EQ(slab->take(), 0U) << "full";
}

TEST(Arena, GivesPiecesThatDoNotMeetAndTakesThemAgain) {
  Arena arena;
  std::map<std::uintptr_t, std::size_t> pieces;  // begin, size
  for (std::size_t size = 1; size <= Arena::kLargest; size += 61) {
    void* piece = arena.take(size);
    ASSERT_NE(piece, nullptr);
    std::memset(piece, 0xff, size);
    pieces.emplace(reinterpret_cast<std::uintptr_t>(piece), size);
  }
  std::uintptr_t end = 0;
  for (const auto& [begin, size] : pieces) {
    EXPECT_EQ(begin % Arena::kLine, 0U);
    EXPECT_GE(begin, end);
    end = begin + size;
  }
  void* piece = arena.take(200);
  arena.give_back(piece, 200);
  EXPECT_NE(arena.take(100), piece) << "of another size";
  EXPECT_EQ(arena.take(256), piece) << "as many lines";
  EXPECT_EQ(arena.take(Arena::kLargest + 1), nullptr);
}

}  // namespace
}  // namespace turnpike::rtm
