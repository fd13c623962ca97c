#include "base/handle_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "handle_table_fixture.h"
#include "resident.h"

namespace turnpike {
namespace {

constexpr std::uint32_t kChunk = 8192;

Handle number(std::uint64_t value) { return Handle{value}; }
std::uint64_t value(Handle handle) { return static_cast<std::uint64_t>(handle); }

// What no table ever gave out, or no longer stands for.
std::vector<Handle> bad_handles(Handle stale, Handle live) {
  return {Handle::kNone,
          number(std::numeric_limits<std::uint64_t>::max()),  // INVALID_HANDLE_VALUE
          number(reinterpret_cast<std::uintptr_t>(&stale)),   // a pointer
          stale,
          number(value(live) + 1),                                      // a slot never used
          number(value(live) | ((1U << 28) - 1)),                       // an index out of range
          number(value(live) + (1ULL << 28)),                           // the next generation
          number(value(live) - (1ULL << 28)),                           // the one before
          number(value(live) & ((1ULL << 56) - 1)),                     // no tag
          number((value(live) & ((1ULL << 56) - 1)) | (99ULL << 56))};  // a tag that nobody registered
}

TEST(HandleTable, HandleIsNeverAPointerNorNullNorMinusOne) {
  Orchard orchard;
  for (int i = 0; i < 100; ++i) {
    for (const Handle handle : {orchard.add<Apple>(), orchard.add<Pear>()}) {
      EXPECT_NE(value(handle) >> 56, 0U);
      EXPECT_NE(value(handle) >> 56, 255U);
    }
  }
}

TEST(HandleTable, LooksUpWhatWasAdded) {
  Orchard orchard;
  const Handle handle = orchard.add<Apple>(kAnn, 12);
  EXPECT_TRUE(orchard->check(handle));
  EXPECT_TRUE(orchard->check<Apple>(handle));
  EXPECT_EQ(orchard->peek<Apple>(handle)->weight, 12);
  const Pin<Apple> pin = orchard->pin<Apple>(handle);
  ASSERT_TRUE(pin);
  EXPECT_EQ(pin->weight, 12);
  EXPECT_EQ((*pin).weight, 12);
  EXPECT_EQ(pin.get(), orchard->peek<Apple>(handle));
}

TEST(HandleTable, RefusesBadHandles) {
  Orchard orchard;
  const Handle stale = orchard.add();
  ASSERT_TRUE(orchard->remove(stale));
  const Handle live = orchard.add();
  for (const Handle bad : bad_handles(stale, live)) {
    SCOPED_TRACE(value(bad));
    EXPECT_FALSE(orchard->check(bad));
    EXPECT_FALSE(orchard->check<Apple>(bad));
    EXPECT_EQ(orchard->peek<Apple>(bad), nullptr);
    EXPECT_FALSE(orchard->pin<Apple>(bad));
    EXPECT_EQ(kind_of(orchard->remove(bad)), ErrorKind::kInvalidHandle);
    EXPECT_EQ(kind_of(orchard->remove<Apple>(bad)), ErrorKind::kInvalidHandle);
    EXPECT_EQ(kind_of(orchard->remove_and_wait(bad)), ErrorKind::kInvalidHandle);
  }
  EXPECT_TRUE(orchard->check(live));
  EXPECT_EQ(orchard.destroyed(), 1);
}

TEST(HandleTable, RefusesEveryHandleWhileEmpty) {
  Orchard orchard;
  EXPECT_FALSE(orchard->check(number(1ULL << 56 | 1ULL << 28)));
  EXPECT_FALSE(orchard->pin<Apple>(number(1ULL << 56)));
}

TEST(HandleTable, RefusesAHandleOfAnotherKind) {
  Orchard orchard;
  const Handle pear = orchard.add<Pear>();
  EXPECT_TRUE(orchard->check(pear));
  EXPECT_FALSE(orchard->check<Apple>(pear));
  EXPECT_EQ(orchard->peek<Apple>(pear), nullptr);
  EXPECT_FALSE(orchard->pin<Apple>(pear));
  EXPECT_EQ(kind_of(orchard->remove<Apple>(pear)), ErrorKind::kInvalidHandle);
  EXPECT_TRUE(orchard->remove<Pear>(pear));
}

TEST(HandleTable, ATagChosenAtRunTimeIsCheckedLikeAKind) {
  Orchard orchard;
  const Handle apple = orchard.add<Apple>(kAnn, 3);
  EXPECT_EQ(orchard->pin_tagged<Apple>(apple, HandleKind<Apple>::tag)->weight, 3);
  EXPECT_FALSE(orchard->pin_tagged<Apple>(apple, HandleKind<Pear>::tag));
  EXPECT_FALSE(orchard->pin_tagged<Apple>(apple, HandleTag{0}));
  ASSERT_TRUE(orchard->remove(apple));
  EXPECT_FALSE(orchard->pin_tagged<Apple>(apple, HandleKind<Apple>::tag));
}

// A free slot's state is no tag and its next generation: a handle that says the same names nothing all the same.
TEST(HandleTable, AFreeSlotHasNoHandle) {
  Orchard orchard;
  ASSERT_TRUE(orchard->remove(orchard.add()));
  for (std::uint64_t generation = 0; generation < 4; ++generation) {
    const Handle free = number(generation << 28);
    EXPECT_FALSE(orchard->check(free)) << generation;
    EXPECT_FALSE(orchard->pin_tagged<Apple>(free, HandleTag{0})) << generation;
    EXPECT_EQ(kind_of(orchard->remove(free)), ErrorKind::kInvalidHandle) << generation;
    EXPECT_EQ(kind_of(orchard->remove_and_wait(free)), ErrorKind::kInvalidHandle) << generation;
  }
}

TEST(HandleTable, OptionsOutOfRange) {
  for (const HandleTableOptions& bad :
       {HandleTableOptions{.capacity = 0}, HandleTableOptions{.capacity = (1U << 28) + 1},
        HandleTableOptions{.first_generation = 0}, HandleTableOptions{.first_generation = 1U << 28},
        HandleTableOptions{.shards = 0}, HandleTableOptions{.shards = 257}}) {
    EXPECT_EQ(HandleTable::create(bad).error().kind, ErrorKind::kInvalidArgument);
  }
}

TEST(HandleTable, RegistersTagsOnce) {
  const auto table = HandleTable::create().value();
  const auto ignore = [](void*) {};
  for (const HandleTag bad : {HandleTag{0}, HandleTag{255}}) {
    EXPECT_EQ(kind_of(table->register_tag(bad, "bad", ignore)), ErrorKind::kInvalidArgument);
  }
  EXPECT_EQ(kind_of(table->register_tag(HandleTag{9}, nullptr, ignore)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(table->register_tag(HandleTag{9}, "nine", nullptr)), ErrorKind::kInvalidArgument);
  EXPECT_STREQ(table->name_of(HandleTag{9}), "unknown");
  EXPECT_TRUE(table->register_tag(HandleTag{9}, "nine", ignore));
  EXPECT_EQ(kind_of(table->register_tag(HandleTag{9}, "ten", ignore)), ErrorKind::kAlreadyExists);
  EXPECT_STREQ(table->name_of(HandleTag{9}), "nine");
}

TEST(HandleTable, AddRefusesNoObjectAndUnregisteredTags) {
  Orchard orchard;
  int object = 0;
  EXPECT_EQ(orchard->add(HandleTag{1}, nullptr, kAnn).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(orchard->add(HandleTag{0}, &object, kAnn).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(orchard->add(HandleTag{50}, &object, kAnn).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(orchard->counts().created, 0U);
}

TEST(HandleTable, PinOutlivesRemoval) {
  Orchard orchard;
  const Handle handle = orchard.add<Apple>(kAnn, 5);
  Pin<Apple> first = orchard->pin<Apple>(handle);
  Pin<Apple> second = orchard->pin<Apple>(handle);
  ASSERT_TRUE(orchard->remove(handle));
  EXPECT_FALSE(orchard->check(handle));
  EXPECT_FALSE(orchard->pin<Apple>(handle));
  EXPECT_EQ(kind_of(orchard->remove(handle)), ErrorKind::kInvalidHandle);
  EXPECT_EQ(first->weight, 5);
  EXPECT_EQ(orchard->counts().in_use, 1U);
  EXPECT_EQ(orchard->census().total(), 0U);
  first.release();
  EXPECT_EQ(second->weight, 5);
  EXPECT_EQ(orchard.destroyed(), 0);
  second.release();
  EXPECT_EQ(orchard.destroyed(), 1);
  EXPECT_EQ(orchard->counts().in_use, 0U);
}

TEST(HandleTable, PinMoves) {
  Orchard orchard;
  const Handle handle = orchard.add();
  Pin<Apple> pin = orchard->pin<Apple>(handle);
  Pin<Apple> moved = std::move(pin);
  EXPECT_FALSE(pin);  // NOLINT(bugprone-use-after-move): what it is afterwards is documented
  pin.release();
  ASSERT_TRUE(orchard->remove(handle));
  EXPECT_EQ(orchard.destroyed(), 0);
  Pin<Apple>& same = moved;
  moved = std::move(same);
  EXPECT_TRUE(moved);
  moved = Pin<Apple>{};
  EXPECT_EQ(orchard.destroyed(), 1);
}

TEST(HandleTable, RemoveAndWaitReturnsAtOnceWithoutOtherPins) {
  Orchard orchard;
  const Handle lonely = orchard.add();
  EXPECT_TRUE(orchard->remove_and_wait(lonely));
  EXPECT_EQ(orchard.destroyed(), 1);
  const Handle mine = orchard.add();
  Pin<Apple> one = orchard->pin<Apple>(mine);
  Pin<Apple> two = orchard->pin<Apple>(mine);
  EXPECT_TRUE(orchard->remove_and_wait(mine, 2));
  EXPECT_EQ(orchard.destroyed(), 1);
  one.release();
  two.release();
  EXPECT_EQ(orchard.destroyed(), 2);
  EXPECT_TRUE(orchard->remove_and_wait(orchard.add(), 5));  // more than there are
}

TEST(HandleTable, DestroyerMayUseTheTable) {
  const auto table = HandleTable::create().value();
  Handle apple = Handle::kNone;
  Handle pear = Handle::kNone;
  std::vector<std::string> deaths;
  ASSERT_TRUE(table->register_kind<Apple>([&](Apple&) {
    EXPECT_EQ(kind_of(table->remove(apple)), ErrorKind::kInvalidHandle);
    EXPECT_TRUE(table->remove(pear));
    deaths.emplace_back("apple");
  }));
  ASSERT_TRUE(table->register_kind<Pear>([&](Pear&) { deaths.emplace_back("pear"); }));
  Apple fruit;
  Pear other;
  apple = table->add(fruit, kAnn).value();
  pear = table->add(other, kAnn).value();
  ASSERT_TRUE(table->remove(apple));
  EXPECT_EQ(deaths, (std::vector<std::string>{"pear", "apple"}));
}

TEST(HandleTable, TableDestroysWhatIsLeft) {
  int destroyed = 0;
  std::vector<Apple> apples(3);
  {
    const auto table = HandleTable::create().value();
    ASSERT_TRUE(table->register_kind<Apple>([&](Apple&) { ++destroyed; }));
    for (Apple& apple : apples) {
      ASSERT_TRUE(table->add(apple, kAnn));
    }
  }
  EXPECT_EQ(destroyed, 3);
}

TEST(HandleTable, ExhaustionIsExactAndPasses) {
  Orchard orchard({.capacity = kChunk + 3});
  std::vector<Handle> handles;
  for (std::uint32_t i = 0; i < kChunk + 3; ++i) {
    handles.push_back(orchard.add());
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(orchard.try_add().error().kind, ErrorKind::kExhausted);
  }
  EXPECT_EQ(orchard->counts().created, kChunk + 3U);
  ASSERT_TRUE(orchard->remove(handles[5]));
  const Handle again = orchard.add();
  EXPECT_NE(again, handles[5]);
  EXPECT_EQ(orchard.try_add().error().kind, ErrorKind::kExhausted);
}

TEST(HandleTable, UsedUpGenerationsAreRetiredForEver) {
  Orchard orchard({.capacity = 4, .first_generation = HandleTable::kLastGeneration - 1});
  std::set<Handle> seen;
  for (int i = 0; i < 8; ++i) {
    const Handle handle = orchard.add();
    EXPECT_TRUE(seen.insert(handle).second);
    ASSERT_TRUE(orchard->remove(handle));
  }
  EXPECT_EQ(orchard->counts().retired, 4U);
  EXPECT_EQ(orchard->counts().chunks, 0U);
  EXPECT_EQ(orchard.try_add().error().kind, ErrorKind::kExhausted);
  for (const Handle handle : seen) {
    EXPECT_FALSE(orchard->check(handle));
    EXPECT_FALSE(orchard->pin<Apple>(handle));
  }
}

TEST(HandleTable, AChunkWithARetiredSlotIsUsedOnUntilItEmpties) {
  Orchard orchard({.capacity = 2, .first_generation = HandleTable::kLastGeneration});
  const Handle keeper = orchard.add();
  ASSERT_TRUE(orchard->remove(orchard.add()));
  EXPECT_EQ(orchard->counts().retired, 1U);
  EXPECT_EQ(orchard.try_add().error().kind, ErrorKind::kExhausted);
  EXPECT_TRUE(orchard->check(keeper));
  ASSERT_TRUE(orchard->remove(keeper));
  EXPECT_EQ(orchard->counts().retired, 2U);
}

TEST(HandleTable, GivesMemoryBackAndStillRefusesStaleHandles) {
  Orchard orchard({.capacity = 4 * kChunk});
  std::set<Handle> seen;
  for (int round = 0; round < 3; ++round) {
    std::vector<Handle> handles;
    for (std::uint32_t i = 0; i < 4 * kChunk; ++i) {
      handles.push_back(orchard.add());
      EXPECT_TRUE(seen.insert(handles.back()).second);
    }
    EXPECT_EQ(orchard->counts().chunks, 4U);
    for (const Handle handle : handles) {
      ASSERT_TRUE(orchard->remove(handle));
    }
    EXPECT_LE(orchard->counts().chunks, 1U);
  }
  const Handle live = orchard.add();
  for (const Handle handle : seen) {
    ASSERT_FALSE(orchard->check(handle));
  }
  EXPECT_TRUE(orchard->check(live));
  EXPECT_EQ(orchard->counts().in_use, 1U);
  EXPECT_EQ(orchard->counts().created, 3U * 4 * kChunk + 1);
  EXPECT_GE(orchard->counts().peak, 4U * kChunk);
}

// The counts say what the table believes; this is what the kernel says.
TEST(HandleTable, TheKernelGetsItsPagesBack) {
  constexpr std::uint32_t kHandles = 64 * kChunk;
  constexpr std::size_t kBytes = std::size_t{kHandles} * 20;
  const auto table = HandleTable::create({.capacity = kHandles}).value();
  ASSERT_TRUE(table->register_kind<Apple>([](Apple&) {}));
  Apple apple;
  std::vector<Handle> handles(kHandles);
  const std::size_t before = resident_bytes();
  std::ranges::generate(handles, [&] { return table->add(apple, kAnn).value(); });
  const std::size_t full = resident_bytes();
  EXPECT_GT(full, before + kBytes * 9 / 10);
  std::ranges::for_each(handles, [&](Handle handle) { ASSERT_TRUE(table->remove(handle)); });
  EXPECT_LT(resident_bytes(),
            full - kBytes * 3 / 4);  // AddressSanitizer's shadow of them, an eighth, may come and stay
}

TEST(HandleTable, SlotsAreReusedFirstInFirstOut) {
  Orchard orchard({.capacity = 3});
  for (int i = 0; i < 3 * 1000; ++i) {
    ASSERT_TRUE(orchard->remove(orchard.add()));
  }
  const std::uint64_t generation = value(orchard.add()) >> 28 & HandleTable::kLastGeneration;
  EXPECT_EQ(generation, 1001U);
}

TEST(HandleTable, ListsWhatAnOwnerHas) {
  Orchard orchard;
  const Census before = orchard->census();
  std::set<Handle> of_ann;
  for (int i = 0; i < 10; ++i) {
    of_ann.insert(orchard.add<Apple>(kAnn));
    orchard.add<Pear>(kBob);
  }
  of_ann.insert(orchard.add<Pear>(kAnn));
  std::set<Handle> listed;
  orchard->for_each_owned(kAnn, [&](Handle handle) { EXPECT_TRUE(listed.insert(handle).second); });
  EXPECT_EQ(listed, of_ann);
  EXPECT_EQ(orchard->describe(orchard->census(kAnn)), "10 apple, 1 pear");
  EXPECT_EQ(orchard->census(kBob).of(HandleKind<Pear>::tag), 10U);
  EXPECT_EQ(orchard->census().total(), 21U);
  EXPECT_EQ(orchard->describe(orchard->census(OwnerId{99})), "nothing");
  for (const OwnerId owner : {kAnn, kBob}) {
    orchard->for_each_owned(owner, [&](Handle handle) { EXPECT_TRUE(orchard->remove(handle)); });
  }
  EXPECT_EQ(orchard->census(), before);
  EXPECT_EQ(orchard.destroyed(), 21);
}

// The table against maps: random calls, each answered alike.
TEST(HandleTable, AgreesWithAModel) {
  struct Model {
    OwnerId owner;
    int weight;
  };
  std::mt19937 random(20240611);
  Orchard orchard({.capacity = 300, .first_generation = HandleTable::kLastGeneration - 30});
  std::map<Handle, Model> live;
  std::vector<Handle> ever;
  std::vector<std::pair<Pin<Apple>, int>> pins;
  const auto any = [&]() {  // live or dead, about even
    const Handle old = ever.empty() ? Handle::kNone : ever[random() % ever.size()];
    const auto near = live.lower_bound(old);
    return random() % 2 == 0 || near == live.end() ? old : near->first;
  };
  for (int step = 0; step < 60000; ++step) {
    const auto choice = random() % 100;
    if (choice < 40) {
      const Model model{OwnerId{static_cast<std::uint32_t>(random() % 5)}, static_cast<int>(random() % 1000)};
      if (const Result<Handle> handle = orchard.try_add<Apple>(model.owner, model.weight)) {
        ASSERT_TRUE(live.emplace(*handle, model).second);
        ever.push_back(*handle);
      } else {
        ASSERT_EQ(orchard->counts().in_use + orchard->counts().retired, 300U);
      }
    } else if (choice < 75) {
      const Handle handle = any();
      ASSERT_EQ(orchard->remove(handle).has_value(), live.erase(handle) == 1);
    } else if (choice < 85) {
      const Handle handle = any();
      Pin<Apple> pin = orchard->pin<Apple>(handle);
      ASSERT_EQ(static_cast<bool>(pin), live.contains(handle));
      if (pin && pins.size() < 50) {
        pins.emplace_back(std::move(pin), live.at(handle).weight);
      }
    } else if (choice < 99 && !pins.empty()) {
      std::swap(pins.back(), pins[random() % pins.size()]);
      ASSERT_EQ(pins.back().first->weight, pins.back().second);
      pins.pop_back();
    } else if (choice == 99) {
      const OwnerId owner{static_cast<std::uint32_t>(random() % 5)};
      std::set<Handle> listed;
      orchard->for_each_owned(owner, [&](Handle handle) { listed.insert(handle); });
      std::set<Handle> expected;
      for (const auto& [handle, model] : live) {
        if (model.owner == owner) {
          expected.insert(handle);
        }
      }
      ASSERT_EQ(listed, expected);
    }
  }
  EXPECT_GT(ever.size(), 8000U);
  EXPECT_GT(orchard->counts().retired, 0U);
  pins.clear();
  EXPECT_EQ(orchard->counts().in_use, live.size());
  EXPECT_EQ(orchard.destroyed(), static_cast<int>(ever.size() - live.size()));
}

}  // namespace
}  // namespace turnpike
