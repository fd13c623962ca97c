// Batches: changes of routes on their way to the kernel, while the next ones are made ready.
//
// The kernel works in the thread that sends, 2 µs and more for a route; to find out what is to be sent, and to note
// what has become of it, takes a sixth of that and more. So where a Background is given, a batch is sent there, and its
// sender goes on with the next: what the forwarder does itself then costs a second processor, and no time. A batch is
// one system call's worth. Three of them: one that the kernel works on, one that waits, so that the kernel need not,
// and one that is being filled.
//
// Each has a writer of its own, so none is touched by two threads: it is handed over with its batch and comes back with
// it. Without a background there is one batch, and `send` returns when it is done.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernel/background.h"
#include "kernel/port.h"

namespace turnpike::forwarder {

using kernel::Background;

enum class RouteState : std::uint8_t {
  kIdle,
  kPending,
  kInstalled,
  kFailed,
  kConflict,
  kForeign,
  kContested,
  kShadowed
};
inline constexpr std::size_t kRouteStates = 8;
const char* name_of(RouteState state);

// What is to become of a destination in the kernel.
struct Work {
  std::uint32_t index;
  std::uint32_t target;  // 0: to be removed
  kernel::Prefix prefix;
  RouteState otherwise = RouteState::kIdle;  // where there is no target
  bool submitted = false;
  bool refused = false;
};

class Batches {
 public:
  struct Batch {
    std::unique_ptr<kernel::Writer> writer;
    std::vector<Work> work;
    kernel::Report report;  // once it is back
    Background::Ticket ticket = 0;
  };

  explicit Batches(Background* background) : background_(background) {}

  // As many as there can be; the first use comes after.
  [[nodiscard]] std::size_t most() const { return background_ != nullptr ? kMost : 1; }
  void add(std::unique_ptr<kernel::Writer> writer) { batches_.emplace_back().writer = std::move(writer); }

  // All are under way: one has to come back first.
  [[nodiscard]] bool is_full() const { return under_way_ == batches_.size(); }
  [[nodiscard]] bool is_empty() const { return under_way_ == 0; }
  // The next to be filled and sent; not while it is full.
  Batch& next() { return batches_[next_]; }

  // `at_once`: here, without a detour; for what nothing else is to be done beside.
  void send(bool at_once) {
    Batch& batch = next();
    next_ = (next_ + 1) % batches_.size();
    ++under_way_;
    const auto submit = [&batch] { batch.report = batch.writer->submit(); };
    if (background_ != nullptr && !at_once) {
      batch.ticket = background_->begin(submit);
    } else {
      submit();
      batch.ticket = 0;
    }
  }
  // The one that was sent first, when it is done. There has to be one; what it holds is good until it is `next` again.
  Batch& take_back() {
    Batch& batch = batches_[(next_ + batches_.size() - under_way_) % batches_.size()];
    if (batch.ticket != 0) background_->await(batch.ticket);
    --under_way_;
    return batch;
  }
  [[nodiscard]] bool has_written(kernel::Identity writer) const {
    return std::ranges::any_of(batches_, [&](const Batch& each) { return each.writer->identity() == writer; });
  }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Batch& each : batches_) sum += each.work.capacity() * sizeof(Work);
    return sum;
  }

 private:
  static constexpr std::size_t kMost = 3;

  Background* const background_;
  std::vector<Batch> batches_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace turnpike::forwarder
