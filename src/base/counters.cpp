#include "base/counters.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace turnpike {

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return "bytes";
    case Unit::kPackets:
      return "packets";
    case Unit::kNanoseconds:
      return "nanoseconds";
    case Unit::kNone:
      break;
  }
  return "";
}

HistogramSnapshot Histogram::read() const {
  HistogramSnapshot snapshot;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::uint64_t count = counts_[i].load(std::memory_order_relaxed);
    if (count == 0) continue;
    snapshot.buckets.push_back({HistogramScale::lowest_in(i), HistogramScale::highest_in(i), count});
    snapshot.count += count;
  }
  return snapshot;
}

std::uint64_t HistogramSnapshot::quantile(double q) const {
  if (buckets.empty()) return 0;
  if (!(q < 1)) return buckets.back().highest;
  // The rank of the value asked for, from 1. A double holds it exactly up to 2^53 values.
  const double rank = std::max(1.0, std::ceil(q * static_cast<double>(count)));
  std::uint64_t passed = 0;
  for (const Bucket& bucket : buckets) {
    passed += bucket.count;
    if (static_cast<double>(passed) >= rank) return bucket.highest;
  }
  return buckets.back().highest;
}

double HistogramSnapshot::sum() const {
  double sum = 0;
  for (const Bucket& bucket : buckets) {
    const double middle = (static_cast<double>(bucket.lowest) + static_cast<double>(bucket.highest)) / 2;
    sum += middle * static_cast<double>(bucket.count);
  }
  return sum;
}

void Metric::enter(MetricRegistry& registry) noexcept {
  const std::lock_guard lock(registry.mutex_);
  registry_ = &registry;
  previous_ = registry.last_;
  (previous_ != nullptr ? previous_->next_ : registry.first_) = this;
  registry.last_ = this;
}

void Metric::leave() noexcept {
  if (registry_ == nullptr) return;
  const std::lock_guard lock(registry_->mutex_);
  (previous_ != nullptr ? previous_->next_ : registry_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : registry_->last_) = previous_;
}

MetricRegistry::~MetricRegistry() {
  for (Metric* metric = first_; metric != nullptr; metric = metric->next_) metric->registry_ = nullptr;
}

std::vector<MetricSample> MetricRegistry::snapshot() const {
  std::vector<MetricSample> samples;
  {
    const std::lock_guard lock(mutex_);
    for (const Metric* metric = first_; metric != nullptr; metric = metric->next_) {
      const MetricInfo& info = metric->info_;
      const std::string_view help = info.help != nullptr ? info.help : std::string_view();
      samples.push_back({info.name.text(), help, info.unit, metric->instance_, metric->value()});
    }
  }
  std::ranges::sort(samples, {}, [](const MetricSample& sample) {
    return std::tuple<std::string_view, std::string_view>(sample.name, sample.instance);
  });
  return samples;
}

}  // namespace turnpike
