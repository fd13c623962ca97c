// Counters, gauges and histograms: what the rooms count, readable by name while they count.
//
//   Listed<Counter> overruns(registry, {"kernel.overruns", "Receive queues that overran."});
//   overruns.add();
//
// An update is one relaxed atomic add: no lock, no allocation, from any thread. Whoever reads sees each value by
// itself; no moment is frozen across them.
//
// The values know nothing of names. `Listed` gives one a name in a registry: it enters when it is made and leaves when
// it is destroyed, so neither can be forgotten. The registry's mutex is held for that and while a snapshot copies
// values, never by an update. A registry may go before what it lists, which then counts on unlisted; but not at the
// same moment. Two may have the same name and instance (two routing tables in one process): both are listed, and
// whoever exports them adds them up.
//
// Which counter? Measured (bench/base_log_bench.cpp, two cores): an add to a Counter takes 4.7 ns, 13 to 15 ns while
// another thread does nothing but add to the same one; to a ShardedCounter 4.7 ns either way, for 512 bytes instead of
// 8. So the sharded one is for what several threads count for each packet or route, and nothing else. Histograms are
// not sharded: two threads that did nothing but record like values would pay 16 to 70 ns each, but what is measured
// takes time of its own between two records, and a shard would cost 8 KB.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/thread_index.h"

namespace turnpike {

class Counter {
 public:
  void add(std::uint64_t more = 1) noexcept { value_.fetch_add(more, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// The same for what many threads count at once: each adds to a cache line that it shares with few others. 512 bytes.
class ShardedCounter {
 public:
  void add(std::uint64_t more = 1) noexcept {
    shards_[thread_index() % kShards].value.fetch_add(more, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kShards = 8;
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Shard, kShards> shards_{};
};

// A value that goes up and down, or that is simply so.
class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t more = 1) noexcept { value_.fetch_add(more, std::memory_order_relaxed); }
  void subtract(std::int64_t less = 1) noexcept { value_.fetch_sub(less, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Buckets whose width grows with the value: 16 to each power of two, from 0 to 2^64-1. The values of one bucket differ
// by less than a sixteenth; those below 32 have a bucket each.
struct HistogramScale {
  static constexpr unsigned kLinearBits = 4;
  static constexpr std::size_t kBuckets = (64 - kLinearBits + 1) << kLinearBits;

  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kLinearBits) return value;
    const unsigned shift = width - kLinearBits - 1;
    return (std::size_t{shift} << kLinearBits) + (value >> shift);
  }
  // The lowest and the highest value that fall into a bucket.
  [[nodiscard]] static constexpr std::uint64_t lowest_in(std::size_t bucket) {
    const std::size_t group = bucket >> kLinearBits;
    if (group == 0) return bucket;
    const std::uint64_t mantissa = (bucket & ((1U << kLinearBits) - 1)) | 1U << kLinearBits;
    return mantissa << (group - 1);
  }
  [[nodiscard]] static constexpr std::uint64_t highest_in(std::size_t bucket) {
    return bucket + 1 < kBuckets ? lowest_in(bucket + 1) - 1 : ~std::uint64_t{0};
  }
};

// What a histogram held at one moment.
struct HistogramSnapshot {
  struct Bucket {
    std::uint64_t lowest;
    std::uint64_t highest;
    std::uint64_t count;

    friend bool operator==(const Bucket&, const Bucket&) = default;
  };
  std::vector<Bucket> buckets;  // those that are not empty, in order
  std::uint64_t count = 0;

  // The value below or at which a share `q` of the values lies, as the highest value of its bucket: at most 1/16 too
  // high, never too low. 0 if there is none; a `q` outside 0…1 is taken as the nearer end, one that is no number as 1.
  [[nodiscard]] std::uint64_t quantile(double q) const;

  // The sum of the values, each taken as the middle of its bucket: at most 1/32 off.
  [[nodiscard]] double sum() const;
};

// How values are distributed, in 8 KB whatever they are.
class Histogram {
 public:
  void record(std::uint64_t value) noexcept {
    counts_[HistogramScale::bucket_of(value)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] HistogramSnapshot read() const;

 private:
  std::array<std::atomic<std::uint64_t>, HistogramScale::kBuckets> counts_{};
};

enum class Unit : std::uint8_t { kNone, kBytes, kPackets, kNanoseconds };

// "" "bytes" "packets" "nanoseconds".
[[nodiscard]] std::string_view name_of(Unit unit);

// What a metric is called. A name is dotted lower-case words, the room first: "rtm.routes". Wrong names do not compile.
class MetricName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): written as a plain literal
  consteval MetricName(const char* name) : text_(name) {
    bool begins_word = true;
    for (const char c : text_) {
      const bool letter = c >= 'a' && c <= 'z';
      if (!letter && (begins_word || (c != '.' && c != '_' && !(c >= '0' && c <= '9'))))
        throw "words begin with a letter";
      begins_word = c == '.';
    }
    if (begins_word) throw "a metric's name is [a-z][a-z0-9_]* words with dots between them";
  }
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

struct MetricInfo {
  MetricName name;
  const char* help;  // a literal: one sentence for who reads the metric; null is none
  Unit unit = Unit::kNone;
  std::string_view instance = "";  // whose value it is where there are several, an interface's name say; copied
};

using MetricValue = std::variant<std::uint64_t, std::int64_t, HistogramSnapshot>;  // counter, gauge, histogram

struct MetricSample {
  std::string_view name;  // a literal, as is help
  std::string_view help;
  Unit unit;
  std::string instance;
  MetricValue value;
};

class Metric;

class MetricRegistry {
 public:
  MetricRegistry() = default;
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  // Every metric that is listed now, by name, then instance. Others may enter and leave meanwhile.
  [[nodiscard]] std::vector<MetricSample> snapshot() const;

 private:
  friend class Metric;

  mutable std::mutex mutex_;
  Metric* first_ = nullptr;
  Metric* last_ = nullptr;
};

// A place in a registry's list: what `Listed` adds to a value.
class Metric {
 public:
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;

 protected:
  explicit Metric(const MetricInfo& info) : info_(info), instance_(info.instance) {}
  virtual ~Metric() = default;
  void enter(MetricRegistry& registry) noexcept;
  void leave() noexcept;

 private:
  friend class MetricRegistry;
  [[nodiscard]] virtual MetricValue value() const = 0;

  MetricInfo info_;
  std::string instance_;
  MetricRegistry* registry_ = nullptr;
  Metric* previous_ = nullptr;  // under the registry's mutex, as is next_
  Metric* next_ = nullptr;
};

template <class Value>
class Listed final : public Value, private Metric {
 public:
  Listed(MetricRegistry& registry, const MetricInfo& info) : Metric(info) { enter(registry); }
  ~Listed() override { leave(); }

 private:
  [[nodiscard]] MetricValue value() const override { return Value::read(); }
};

}  // namespace turnpike
