// The trie against a sorted map that is searched by trying every length.
#include "rtm/trie.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
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

}  // namespace
}  // namespace turnpike::rtm
