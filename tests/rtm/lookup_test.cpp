// Lookup against a slow, obvious search, over tables of every shape; and what its builder refuses.
#include "rtm/lookup.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace turnpike::rtm {
namespace {

using Values = std::vector<std::uint32_t>;
using Routes = std::map<Key, std::uint32_t>;  // in the table's order

std::unique_ptr<const Lookup> build(const Routes& routes, unsigned width, std::size_t expected) {
  Lookup::Builder builder(width, expected);
  for (const auto& [key, value] : routes) {
    EXPECT_TRUE(builder.add(key, value));
  }
  auto made = builder.finish();
  EXPECT_TRUE(made);
  return made ? std::move(*made) : nullptr;
}

std::uint32_t slow_find(const Routes& routes, const Key& address) {
  std::uint32_t value = 0;
  for (const auto& [key, its] : routes) {  // what covers the address comes in the order of length
    value = covers(key, address) ? its : value;
  }
  return value;
}

Lookup::Wide wide(const Key& address) {
  Lookup::Wide bytes{};
  for (unsigned i = 0; i < 16; ++i) {
    bytes[i] = static_cast<std::uint8_t>(address.byte(i));
  }
  return bytes;
}

Lookup::Narrow narrow(const Key& address) {
  return std::bit_cast<Lookup::Narrow>(
      std::array{static_cast<std::uint8_t>(address.byte(0)), static_cast<std::uint8_t>(address.byte(1)),
                 static_cast<std::uint8_t>(address.byte(2)), static_cast<std::uint8_t>(address.byte(3))});
}

Key v4(std::uint32_t address, unsigned length = 32) { return masked({std::uint64_t{address} << 32, 0, 0}, length); }
Key v6(std::uint64_t high, std::uint64_t low, unsigned length = 128) { return masked({high, low, 0}, length); }

Values find(const Lookup& lookup, const std::vector<Key>& addresses, unsigned width) {
  Values values(addresses.size(), 4711);
  if (width <= 32) {
    std::vector<Lookup::Narrow> asked;
    for (const Key& key : addresses) {
      asked.push_back(narrow(key));
    }
    lookup.find(asked, values);
  } else {
    std::vector<Lookup::Wide> asked;
    for (const Key& key : addresses) {
      asked.push_back(wide(key));
    }
    lookup.find(asked, values);
  }
  return values;
}

void expect_same(const Routes& routes, const std::vector<Key>& addresses, unsigned width, std::size_t expected) {
  const auto lookup = build(routes, width, expected);
  ASSERT_NE(lookup, nullptr);
  EXPECT_EQ(lookup->keys(), routes.size());
  const Values found = find(*lookup, addresses, width);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    ASSERT_EQ(found[i], slow_find(routes, addresses[i]))
        << std::hex << addresses[i].high << ':' << addresses[i].low << std::dec << ", " << routes.size() << " routes";
  }
}

// Addresses just outside, at the ends and inside of each key.
std::vector<Key> edges_of(const Routes& routes, unsigned width) {
  std::vector<Key> edges{masked({}, width), masked({~0ULL, ~0ULL, 0}, width)};
  for (const auto& [key, value] : routes) {
    const std::uint64_t high = key.high | ~leading_ones(key.length);
    const std::uint64_t low = key.length <= 64 ? ~0ULL : key.low | ~leading_ones(key.length - 64U);
    edges.push_back(masked(key, width));
    edges.push_back(masked({high, low, 0}, width));
    if (width <= 32) {
      edges.push_back(masked({key.high - (1ULL << 32), 0, 0}, width));
      edges.push_back(masked({high + 1, 0, 0}, width));
    } else {
      edges.push_back(masked({key.high - (key.low == 0), key.low - 1, 0}, width));
      edges.push_back(masked({high + (low == ~0ULL), low + 1, 0}, width));
    }
  }
  return edges;
}

// Keys that crowd: few different bytes, every length, many within each other.
Routes random_routes(std::mt19937_64& random, unsigned width, std::size_t count) {
  const std::array<std::uint64_t, 4> bytes{0x00, 0x0a, 0x80, 0xff};
  Routes routes;
  for (std::size_t i = 0; i < count; ++i) {
    Key key;
    for (unsigned byte = 0; byte < 16; ++byte) {
      const std::uint64_t value = random() % 8 == 0 ? random() & 0xff : bytes[random() % bytes.size()];
      (byte < 8 ? key.high : key.low) |= value << (56 - 8 * (byte % 8));
    }
    routes[masked(key, static_cast<unsigned>(random() % (width + 1)))] = static_cast<std::uint32_t>(random() % 40 + 1);
  }
  return routes;
}

TEST(Lookup, AgreesWithASlowSearch) {
  std::mt19937_64 random(4);
  for (const unsigned width : {32U, 128U, 80U, 1U, 25U}) {
    for (const std::size_t count : {2U, 5U, 40U, 250U}) {
      for (const std::size_t expected : {std::size_t{0}, std::size_t{1000}, std::size_t{1'000'000}}) {
        const Routes routes = random_routes(random, width, count);
        std::vector<Key> addresses = edges_of(routes, width);
        for (int i = 0; i < 200; ++i) {
          addresses.push_back(masked({random(), random(), 0}, width));
        }
        expect_same(routes, addresses, width, expected);
      }
    }
  }
}

TEST(Lookup, OfNothingFindsNothing) {
  for (const unsigned width : {32U, 128U}) {
    const auto lookup = build({}, width, 0);
    EXPECT_EQ(lookup->keys(), 0U);
    EXPECT_EQ(find(*lookup, {v6(0, 0), v6(~0ULL, ~0ULL)}, width), (Values{0, 0}));
  }
}

TEST(Lookup, OfADefaultRouteFindsItEverywhere) {
  for (const unsigned width : {32U, 128U}) {
    expect_same({{Key{}, 7}}, {v6(0, 0), v6(~0ULL, ~0ULL), v6(0x0a00000100000000, 1)}, width, 1);
  }
}

TEST(Lookup, FindsSingleAddressesAtTheEndsOfTheSpace) {
  const Routes narrow_ones{{v4(0), 1}, {v4(0xffffffff), 2}, {v4(0x0a000001), 3}};
  expect_same(narrow_ones, edges_of(narrow_ones, 32), 32, 3);
  const Routes wide_ones{{v6(0, 0), 1}, {v6(0x20010db800000000, 1), 2}, {v6(~0ULL, ~0ULL), Lookup::kMaxValue}};
  expect_same(wide_ones, edges_of(wide_ones, 128), 128, 3);
}

TEST(Lookup, HoldsEveryLengthNestedInEachOther) {
  for (const unsigned width : {32U, 128U}) {
    Routes left;
    Routes right;
    for (unsigned length = 0; length <= width; ++length) {
      left[v6(0, 0, length)] = length + 1;
      right[v6(~0ULL, ~0ULL, length)] = length + 1;
    }
    expect_same(left, edges_of(left, width), width, left.size());
    expect_same(right, edges_of(right, width), width, right.size());
  }
}

TEST(Lookup, TakesNeighboursWithOneValueForOne) {
  Routes routes;
  for (std::uint32_t i = 0; i < 256; ++i) {
    routes[v4(0x0a000000 + i)] = 5;
  }
  expect_same(routes, edges_of(routes, 32), 32, routes.size());
  expect_same({{v4(0x0a000000, 8), 5}, {v4(0x0a010000, 16), 5}}, {v4(0x0a010203), v4(0x0a020304), v4(0x0b000000)}, 32,
              2);
}

TEST(Lookup, OfLongAndShortAddressesCountsWhatItHas) {
  const auto of_v4 = build({{v4(0xc0000200, 24), 9}}, 32, 1);
  const auto of_v6 = build({{v6(0xc000020000000000, 0, 64), 9}}, 128, 1);
  EXPECT_EQ(find(*of_v4, {v6(0xc0000201ffffffff, 1)}, 128), Values{9});
  EXPECT_EQ(find(*of_v6, {v4(0xc0000200), v4(0xc0000201)}, 32), (Values{9, 0}));
}

TEST(Lookup, AnswersAsManyAsBothSpansHold) {
  const auto lookup = build({{Key{}, 3}}, 32, 1);
  for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 200U}) {
    const std::vector<Lookup::Narrow> asked(count);
    Values values(count + 3, 8);
    lookup->find(asked, values);
    EXPECT_EQ(std::count(values.begin(), values.end(), 3U), static_cast<std::ptrdiff_t>(count));
    EXPECT_EQ(values.back(), 8U);
    Values few(count / 2);
    lookup->find(asked, few);
    EXPECT_EQ(few, Values(count / 2, 3));
  }
}

TEST(LookupBuilder, RefusesWhatCannotBeAndGoesOn) {
  Lookup::Builder builder(32, 2);
  const auto refuses = [&](const Key& key, std::uint32_t value) {
    const auto added = builder.add(key, value);
    return !added && added.error().kind == ErrorKind::kInvalidArgument;
  };
  EXPECT_TRUE(refuses(v4(0x0a000000, 8), 0));
  EXPECT_TRUE(refuses(v4(0x0a000000, 8), Lookup::kMaxValue + 1));
  EXPECT_TRUE(refuses(v6(0, 0, 33), 1));
  EXPECT_TRUE(refuses(Key{0x0a00000100000000, 0, 8}, 1));
  EXPECT_TRUE(refuses(Key{0, 1, 8}, 1));
  ASSERT_TRUE(builder.add(v4(0x0a000000, 8), 1));
  EXPECT_TRUE(refuses(v4(0x0a000000, 8), 2)) << "twice";
  EXPECT_TRUE(refuses(v4(0x0a000000, 7), 2)) << "what covers comes first";
  EXPECT_TRUE(refuses(v4(0x09000000, 8), 2)) << "backwards";
  ASSERT_TRUE(builder.add(v4(0x0a800000, 9), 2));
  const auto lookup = builder.finish();
  ASSERT_TRUE(lookup);
  EXPECT_EQ((*lookup)->keys(), 2U);
  EXPECT_EQ(find(**lookup, {v4(0x0a000000), v4(0x0a800000), v4(0x0b000000)}, 32), (Values{1, 2, 0}));
}

TEST(LookupBuilder, RefusesEveryKeyOfAWidthThatCannotBe) {
  for (const unsigned width : {0U, 129U}) {
    Lookup::Builder builder(width, 0);
    EXPECT_FALSE(builder.add(Key{}, 1));
    EXPECT_TRUE(builder.finish());
  }
}

TEST(Lookup, StaysSmallWithFewRoutes) {
  EXPECT_LT(build({{v6(0x20010db800000000, 0, 48), 1}}, 128, 1)->bytes(), 2048U);
}

}  // namespace
}  // namespace turnpike::rtm
