// The trie against a sorted map that is searched by trying every length.
#include "rtm/trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

namespace turnpike::rtm {
namespace {

// Keys by index, as a table keeps them.
class Fixture {
 public:
  explicit Fixture(bool narrow)
      : epoch_(std::move(*Epoch::create())),
        limbo_(*epoch_),
        stride_(24),
        records_(stride_ * 20000),
        keys_{records_.data(), stride_, 0, 8, narrow},
        trie_(keys_, limbo_) {}

  std::uint32_t add(const Key& key) {
    const std::uint32_t index = next_++;
    std::byte* record = records_.data() + stride_ * index;
    record[0] = std::byte{key.length};
    if (keys_.narrow) {
      const auto bits = static_cast<std::uint32_t>(key.high >> 32);
      std::memcpy(record + 8, &bits, sizeof bits);
    } else {
      std::memcpy(record + 8, &key.high, 8);
      std::memcpy(record + 16, &key.low, 8);
    }
    EXPECT_TRUE(trie_.insert(key, index));
    model_[key] = index;
    return index;
  }
  void remove(const Key& key) {
    EXPECT_TRUE(trie_.erase(key));
    model_.erase(key);
  }

  [[nodiscard]] std::uint32_t find_in_model(const Key& key) const {
    const auto found = model_.find(key);
    return found != model_.end() ? found->second : 0;
  }
  [[nodiscard]] std::uint32_t longest_in_model(const Key& key) const {
    for (int length = key.length; length >= 0; --length) {
      if (const std::uint32_t found = find_in_model(masked(key, static_cast<unsigned>(length))); found != 0) {
        return found;
      }
    }
    return 0;
  }

  void expect_walk_from(const Key& key) const {
    Walk walk(trie_);
    walk.seek(key);
    for (auto at = model_.lower_bound(key); at != model_.end(); ++at) {
      ASSERT_EQ(walk.next(), at->second);
    }
    EXPECT_EQ(walk.next(), 0U);
    EXPECT_EQ(walk.next(), 0U);
  }

  std::unique_ptr<Epoch> epoch_;
  Limbo limbo_;
  std::size_t stride_;
  std::vector<std::byte> records_;
  KeyArray keys_;
  Trie trie_;
  std::map<Key, std::uint32_t> model_;
  std::uint32_t next_ = 1;
};

// Few bits vary, so that keys meet, cover each other, and part at every place of a node.
Key random_key(std::mt19937_64& random, unsigned width) {
  const std::uint64_t sparse = random() & random() & random();
  const Key full{sparse, random() & random() & random(), 0};
  return masked(full, static_cast<unsigned>(random() % (width + 1)));
}

class TrieOf : public testing::TestWithParam<unsigned> {};

TEST_P(TrieOf, EveryAnswerIsTheModels) {
  const unsigned width = GetParam();
  Fixture fixture(width <= 32);
  std::mt19937_64 random(width);
  for (int step = 0; step < 6000; ++step) {
    const Key key = random_key(random, width);
    if (fixture.find_in_model(key) == 0 && random() % 3 != 0) {
      fixture.add(key);
    } else if (fixture.find_in_model(key) != 0) {
      fixture.remove(key);
    }
    const Key probe = random_key(random, width);
    ASSERT_EQ(fixture.trie_.find(probe), fixture.find_in_model(probe));
    ASSERT_EQ(fixture.trie_.longest(probe, [](std::uint32_t) { return true; }), fixture.longest_in_model(probe));
    if (step % 500 == 0) {
      fixture.expect_walk_from({});
      for (int i = 0; i < 20; ++i) {
        fixture.expect_walk_from(random_key(random, width));
      }
    }
  }
  for (const auto& [key, index] : std::map(fixture.model_)) {
    fixture.remove(key);
    if (fixture.model_.size() % 100 == 0) {
      fixture.expect_walk_from({});
    }
  }
  EXPECT_EQ(fixture.trie_.nodes(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Widths, TrieOf, testing::Values(1, 7, 8, 9, 16, 24, 32, 48, 64, 80, 127, 128));

TEST(Trie, KeysThatAreNotAcceptedArePassedOver) {
  Fixture fixture(true);
  const auto key = [](std::uint32_t bits, unsigned length) {
    return masked({std::uint64_t{bits} << 32, 0, 0}, length);
  };
  const std::uint32_t all = fixture.add(key(0, 0));
  const std::uint32_t eight = fixture.add(key(0x0a000000, 8));
  const std::uint32_t twelve = fixture.add(key(0x0a100000, 12));
  const std::uint32_t host = fixture.add(key(0x0a101112, 32));
  const auto longest_but = [&](std::uint32_t refused) {
    return fixture.trie_.longest(key(0x0a101112, 32), [&](std::uint32_t found) { return found < refused; });
  };
  EXPECT_EQ(longest_but(host + 1), host);
  EXPECT_EQ(longest_but(host), twelve);
  EXPECT_EQ(longest_but(twelve), eight);
  EXPECT_EQ(longest_but(eight), all);
  EXPECT_EQ(longest_but(all), 0U);
}

TEST(Trie, AnEmptyOneAnswersNothing) {
  Fixture fixture(true);
  EXPECT_EQ(fixture.trie_.find({}), 0U);
  EXPECT_EQ(fixture.trie_.longest({}, [](std::uint32_t) { return true; }), 0U);
  fixture.expect_walk_from({});
}

// As in an Internet table: below each of a few thousand values of the first 16 bits some keys of every length, so that
// there are shortcuts. Each step makes or ends a node, a leaf or a part that is covered.
class TrieWithShortcuts : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr unsigned kHeads = 2600;
  static constexpr std::size_t kShortcutBytes = sizeof(std::uint64_t) << 16;

  Key random_key_below(unsigned head) {
    const std::uint64_t tail = (random_() & random_()) >> 16;
    const unsigned most = std::min(GetParam(), 40U);
    return masked({std::uint64_t{head} << 48 | tail, 0, 0}, 9 + static_cast<unsigned>(random_() % (most - 8)));
  }
  void expect_the_models_answers(const Key& key) {
    const Key address = masked({key.high | (random_() & random_()) >> key.length, 0, 0}, std::min(GetParam(), 64U));
    for (const Key& probe : {key, address, random_key_below(static_cast<unsigned>(key.high >> 48))}) {
      ASSERT_EQ(fixture_.trie_.find(probe), fixture_.find_in_model(probe));
      ASSERT_EQ(fixture_.trie_.longest(probe, [](std::uint32_t) { return true; }), fixture_.longest_in_model(probe));
    }
  }
  void toggle(const Key& key) {
    fixture_.find_in_model(key) == 0 ? static_cast<void>(fixture_.add(key)) : fixture_.remove(key);
    expect_the_models_answers(key);
  }

  std::mt19937_64 random_{GetParam()};
  Fixture fixture_{GetParam() <= 32};
};

TEST_P(TrieWithShortcuts, EveryAnswerIsTheModels) {
  for (unsigned i = 0; i < 4 * kHeads; ++i) {
    toggle(random_key_below(i % kHeads));
  }
  EXPECT_GT(fixture_.trie_.bytes(), kShortcutBytes);
  for (unsigned i = 0; i < kHeads; ++i) {  // in a few nodes, so that they are emptied and made again
    toggle(random_key_below(i % 20));
  }
  for (const auto& [key, index] : std::map(fixture_.model_)) {
    toggle(key);
  }
  EXPECT_EQ(fixture_.trie_.nodes(), 1U);
  expect_the_models_answers(random_key_below(1));
  EXPECT_LT(fixture_.trie_.bytes(), kShortcutBytes + 4096);
}

INSTANTIATE_TEST_SUITE_P(Widths, TrieWithShortcuts, testing::Values(32, 128));

// One writes, two read: a key that stays is found, or a longer one that comes and goes.
TEST(Trie, ShortcutsHoldWhileAWriterIsAtWork) {
  constexpr unsigned kHeads = 2200;
  constexpr unsigned kBusyHeads = 8;
  Fixture fixture(true);
  std::mt19937_64 random(1);
  const auto key = [](std::uint64_t bits, unsigned length) { return masked({bits << 32, 0, 0}, length); };
  for (std::uint64_t head = 0; head < kHeads; ++head) {
    fixture.add(key(head << 16, 18));
    fixture.add(key(head << 16 | 0x4100, 24));
  }
  std::atomic<bool> done{false};
  const auto read = [&](unsigned seed) {
    std::mt19937_64 own(seed);
    while (!done) {
      const Key address = key((own() % kBusyHeads) << 16 | (own() & 0x3fff), 32);
      const Epoch::Reader reading(*fixture.epoch_);
      const std::uint32_t found = fixture.trie_.longest(address, [](std::uint32_t) { return true; });
      ASSERT_TRUE(found != 0 && covers(fixture.keys_[found], address) && fixture.keys_[found].length >= 18);
    }
  };
  std::thread one(read, 1);
  std::thread other(read, 2);
  for (int i = 0; i < 6000; ++i) {
    const Key changed =
        key((random() % kBusyHeads) << 16 | (random() & 0x7fff), 19 + static_cast<unsigned>(random() % 12));
    fixture.find_in_model(changed) == 0 ? static_cast<void>(fixture.add(changed)) : fixture.remove(changed);
  }
  done = true;
  one.join();
  other.join();
}

}  // namespace
}  // namespace turnpike::rtm
