#include "forwarder/prefix_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace turnpike::forwarder {
namespace {

net::Prefix prefix(std::uint32_t number) { return {net::Address::ipv4(number << 12), 20}; }

TEST(PrefixMapTest, KeepsWhatItWasGivenFirst) {
  PrefixMap map;
  EXPECT_EQ(map.find(prefix(1)), 0U);
  EXPECT_EQ(map.take(prefix(1)), 0U);
  EXPECT_TRUE(map.insert(prefix(1), 7));
  EXPECT_FALSE(map.insert(prefix(1), 8));
  EXPECT_EQ(map.find(prefix(1)), 7U);
  EXPECT_EQ(map.take(prefix(1)), 7U);
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.bytes(), 0U) << "an empty map takes nothing";
}

// Against a map of nodes: every kind of gap, closed up in every way.
TEST(PrefixMapTest, IsAMapWhateverComesAndGoes) {
  PrefixMap map;
  std::map<net::Prefix, std::uint32_t> model;
  std::minstd_rand random(5);
  for (std::uint32_t round = 1; round <= 60'000; ++round) {
    const net::Prefix any = prefix(static_cast<std::uint32_t>(random() % 400));
    if (random() % 2 == 0) {
      EXPECT_EQ(map.insert(any, round), model.emplace(any, round).second);
    } else {
      const auto there = model.find(any);
      EXPECT_EQ(map.take(any), there != model.end() ? there->second : 0);
      model.erase(any);
    }
    ASSERT_EQ(map.size(), model.size());
  }
  std::size_t seen = 0;
  map.for_each([&](const net::Prefix& each, std::uint32_t number) {
    ++seen;
    EXPECT_EQ(model.at(each), number);
  });
  EXPECT_EQ(seen, model.size());
  for (; !map.empty(); --seen) {
    const auto [taken, number] = map.take_any();
    EXPECT_EQ(model.at(taken), number);
    EXPECT_EQ(model.erase(taken), 1U);
  }
  EXPECT_EQ(seen, 0U);
}

TEST(PrefixMapTest, TakesLessThan48BytesEachOfMany) {
  PrefixMap map;
  for (std::uint32_t i = 0; i < 300'000; ++i) ASSERT_TRUE(map.insert(prefix(i), 1));
  EXPECT_LT(map.bytes() / map.size(), 48U);
}

}  // namespace
}  // namespace turnpike::forwarder
