// The snapshots that are open in this process, by number. A number is never used twice.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "rtm/bulk.h"

namespace turnpike::runtime {

class Snapshots {
 public:
  // Shared: one thread may close it while another one reads it, and nobody is to wait.
  using Shown = std::shared_ptr<const rtm::Snapshot>;

  std::uint64_t open(rtm::Snapshot snapshot) {
    // Shared from here on, see above.
    auto shown = std::make_shared<const rtm::Snapshot>(std::move(snapshot));
    const std::lock_guard lock(mutex_);
    open_.emplace(last_ + 1, std::move(shown));
    return ++last_;
  }
  // Null: not open.
  Shown find(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(number);
    return found != open_.end() ? found->second : nullptr;
  }
  bool close(std::uint64_t number) {
    Shown gone = find(number);  // dies outside of the lock
    const std::lock_guard lock(mutex_);
    return open_.erase(number) != 0;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Shown> open_;
  std::uint64_t last_ = 0;
};

}  // namespace turnpike::runtime
