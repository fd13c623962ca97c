// How long to wait before what was refused is tried again: 1, 2, 4 … 64 s, until it is done.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace turnpike::forwarder {

class Backoff {
 public:
  Duration next() {
    return delay_ = std::clamp<Duration>(delay_ * 2, std::chrono::seconds(1), std::chrono::seconds(64));
  }
  void reset() { delay_ = Duration{0}; }

 private:
  Duration delay_{0};
};

}  // namespace turnpike::forwarder
