#include "base/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace turnpike {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::vector<std::string> names_in(const MetricRegistry& registry) {
  std::vector<std::string> names;
  for (const MetricSample& sample : registry.snapshot()) {
    names.push_back(std::string(sample.name) + (sample.instance.empty() ? "" : "@" + sample.instance));
  }
  return names;
}

TEST(Counter, CountsAndWrapsAround) {
  Counter counter;
  EXPECT_EQ(counter.read(), 0U);
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.read(), 42U);
  counter.add(kMost);
  EXPECT_EQ(counter.read(), 41U);
}

TEST(Gauge, GoesUpAndDown) {
  Gauge gauge;
  gauge.subtract();
  EXPECT_EQ(gauge.read(), -1);
  gauge.set(10);
  gauge.add(5);
  gauge.subtract(20);
  EXPECT_EQ(gauge.read(), -5);
}

template <class Count>
void count_on_four_threads() {
  Count counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int n = 0; n < 10'000; ++n) counter.add();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(static_cast<std::uint64_t>(counter.read()), 40'000U);
}

TEST(CounterThreads, NoAddIsLost) { count_on_four_threads<Counter>(); }
TEST(CounterThreads, NoAddToAShardIsLost) { count_on_four_threads<ShardedCounter>(); }
TEST(CounterThreads, NoAddToAGaugeIsLost) { count_on_four_threads<Gauge>(); }

TEST(CounterThreads, AReaderNeverSeesAShardedCounterGoBack) {
  ShardedCounter counter;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) counter.add();
    });
  }
  std::uint64_t last = 0;
  for (int n = 0; n < 10'000; ++n) {
    const std::uint64_t now = counter.read();
    ASSERT_GE(now, last);
    last = now;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

TEST(HistogramScale, BucketsCoverEveryValueWithoutGapOrOverlap) {
  EXPECT_EQ(HistogramScale::lowest_in(0), 0U);
  for (std::size_t i = 0; i < HistogramScale::kBuckets; ++i) {
    const std::uint64_t low = HistogramScale::lowest_in(i);
    const std::uint64_t high = HistogramScale::highest_in(i);
    ASSERT_LE(low, high) << i;
    ASSERT_EQ(HistogramScale::bucket_of(low), i);
    ASSERT_EQ(HistogramScale::bucket_of(high), i);
    ASSERT_LE(high - low, low / 16) << i;
    const std::uint64_t next = i + 1 < HistogramScale::kBuckets ? HistogramScale::lowest_in(i + 1) : 0;
    ASSERT_EQ(next, high + 1) << i;
  }
  EXPECT_EQ(HistogramScale::bucket_of(kMost), HistogramScale::kBuckets - 1);
  EXPECT_EQ(HistogramScale::highest_in(HistogramScale::kBuckets - 1), kMost);
}

TEST(Histogram, AnEmptyOneAnswersNought) {
  const HistogramSnapshot empty = Histogram().read();
  EXPECT_EQ(empty.count, 0U);
  EXPECT_THAT(empty.buckets, IsEmpty());
  EXPECT_EQ(empty.quantile(0.5), 0U);
  EXPECT_EQ(empty.sum(), 0.0);
}

TEST(Histogram, HoldsTheEndsOfItsRange) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(kMost);
  const HistogramSnapshot snapshot = histogram.read();
  EXPECT_THAT(snapshot.buckets, ElementsAre(HistogramSnapshot::Bucket{0, 0, 1},
                                            HistogramSnapshot::Bucket{0xF800'0000'0000'0000, kMost, 1}));
  EXPECT_EQ(snapshot.quantile(0.5), 0U);
  EXPECT_EQ(snapshot.quantile(0.51), kMost);
}

TEST(Histogram, QuantilesAreAtMostASixteenthTooHigh) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100'000; ++value) histogram.record(value);
  const HistogramSnapshot snapshot = histogram.read();
  EXPECT_EQ(snapshot.count, 100'000U);
  for (const double q : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = std::ceil(q * 100'000);
    EXPECT_GE(static_cast<double>(snapshot.quantile(q)), exact) << q;
    EXPECT_LE(static_cast<double>(snapshot.quantile(q)), exact * 17 / 16) << q;
  }
  EXPECT_NEAR(snapshot.sum(), 5'000'050'000.0, 5'000'050'000.0 / 32);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 32; ++value) histogram.record(value);
  const HistogramSnapshot snapshot = histogram.read();
  EXPECT_EQ(snapshot.quantile(0.5), 15U);
  EXPECT_EQ(snapshot.quantile(1.0), 31U);
  EXPECT_EQ(snapshot.sum(), 31.0 * 32 / 2);
}

TEST(Histogram, QuantilesOutsideTheirRangeAreTheNearerEnd) {
  Histogram histogram;
  histogram.record(3);
  histogram.record(7);
  const HistogramSnapshot snapshot = histogram.read();
  EXPECT_EQ(snapshot.quantile(-1), 3U);
  EXPECT_EQ(snapshot.quantile(0), 3U);
  EXPECT_EQ(snapshot.quantile(2), 7U);
  EXPECT_EQ(snapshot.quantile(std::nan("")), 7U);
}

TEST(MetricRegistry, ListsWhatIsThereWithNameHelpUnitInstanceAndValue) {
  MetricRegistry registry;
  EXPECT_THAT(registry.snapshot(), IsEmpty());
  Listed<Counter> octets(registry, {"port.octets", "Octets received.", Unit::kBytes, "eth0"});
  Listed<Gauge> routes(registry, {"rtm.routes", "Routes in the table."});
  Listed<Histogram> delay(registry, {"kernel.delay", "From request to answer.", Unit::kNanoseconds});
  Listed<ShardedCounter> calls(registry, {"capi.calls", "Calls."});
  octets.add(7);
  routes.set(-2);
  delay.record(5);
  calls.add(3);

  const std::vector<MetricSample> samples = registry.snapshot();
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(std::get<std::uint64_t>(samples[0].value), 3U);
  EXPECT_EQ(std::get<HistogramSnapshot>(samples[1].value).quantile(1), 5U);
  EXPECT_EQ(samples[2].name, "port.octets");
  EXPECT_EQ(samples[2].help, "Octets received.");
  EXPECT_EQ(name_of(samples[2].unit), "bytes");
  EXPECT_EQ(samples[2].instance, "eth0");
  EXPECT_EQ(std::get<std::uint64_t>(samples[2].value), 7U);
  EXPECT_EQ(std::get<std::int64_t>(samples[3].value), -2);
  EXPECT_EQ(name_of(samples[3].unit), "");
}

TEST(MetricRegistry, NoHelpIsHarmless) {
  MetricRegistry registry;
  const Listed<Counter> counter(registry, {"a", nullptr});
  EXPECT_EQ(registry.snapshot().at(0).help, "");
}

TEST(MetricRegistry, AnInstanceIsCopied) {
  MetricRegistry registry;
  std::string name = "eth0";
  const Listed<Counter> counter(registry, {"port.octets", "Octets.", Unit::kBytes, name});
  name = "gone";
  EXPECT_THAT(names_in(registry), ElementsAre("port.octets@eth0"));
}

TEST(MetricRegistry, WhatIsDestroyedLeavesWhateverItsPlace) {
  MetricRegistry registry;
  std::array<std::optional<Listed<Counter>>, 3> counters;
  const auto fill = [&] {
    counters[0].emplace(registry, MetricInfo{"a", "A."});
    counters[1].emplace(registry, MetricInfo{"b", "B."});
    counters[2].emplace(registry, MetricInfo{"c", "C."});
  };
  fill();
  counters[1].reset();
  EXPECT_THAT(names_in(registry), ElementsAre("a", "c"));
  counters[0].reset();
  EXPECT_THAT(names_in(registry), ElementsAre("c"));
  counters[2].reset();
  EXPECT_THAT(names_in(registry), IsEmpty());
  fill();
  counters[2].reset();
  EXPECT_THAT(names_in(registry), ElementsAre("a", "b"));
}

TEST(MetricRegistry, SortsByNameThenInstanceAndListsNamesakesBoth) {
  MetricRegistry registry;
  const Listed<Counter> one(registry, {"b", "B.", Unit::kNone, "2"});
  const Listed<Counter> namesake(registry, {"b", "B.", Unit::kNone, "2"});
  const Listed<Counter> lower(registry, {"b", "B.", Unit::kNone, "1"});
  const Listed<Counter> lowest(registry, {"a", "A."});
  EXPECT_THAT(names_in(registry), ElementsAre("a", "b@1", "b@2", "b@2"));
}

TEST(MetricRegistry, MayGoBeforeItsMetrics) {
  auto registry = std::make_unique<MetricRegistry>();
  Listed<Counter> counter(*registry, {"a", "A."});
  const Listed<Counter> other(*registry, {"b", "B."});
  registry.reset();
  counter.add();
  EXPECT_EQ(counter.read(), 1U);
}

TEST(MetricRegistryThreads, IsReadWhileMetricsComeCountAndGo) {
  MetricRegistry registry;
  std::atomic<bool> stop{false};
  Listed<Counter> always(registry, {"always", "Counts all the time."});
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        Listed<Counter> one(registry, {"one", "Comes and goes."});
        Listed<Histogram> two(registry, {"two", "Comes and goes."});
        one.add();
        two.record(1);
        always.add();
      }
    });
  }
  std::uint64_t last = 0;
  for (int n = 0; n < 300; ++n) {
    const std::vector<MetricSample> samples = registry.snapshot();
    ASSERT_GE(samples.size(), 1U);
    ASSERT_EQ(samples[0].name, "always");
    const auto now = std::get<std::uint64_t>(samples[0].value);
    ASSERT_GE(now, last);
    last = now;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(names_in(registry), ElementsAre("always"));
}

}  // namespace
}  // namespace turnpike
