// When a port announces itself (IEEE 802.1AB, 9.2.5): every interval; four times in a row, a second apart, to a
// neighbour that has just been heard, who is not to wait half a minute to know us; at once where there is something new
// to say. And, whatever the reasons and however many strangers bring them, not more often than a credit of five that
// grows by one a second. Time is given by the caller, in seconds.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lldp {

class Schedule {
 public:
  static constexpr std::uint32_t kFast = 4, kCredit = 5;

  // Whether to announce now; then it is taken for done.
  bool take(std::uint64_t now, std::uint32_t interval) {
    credit_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(kCredit, credit_ + (now - credited_)));
    credited_ = now;
    if (now < next_ || credit_ == 0) return false;
    --credit_;
    fast_ -= fast_ != 0 ? 1 : 0;
    next_ = now + (fast_ != 0 ? 1 : interval);
    return true;
  }
  void at_once() { next_ = 0; }
  void heard_somebody_new() {
    if (fast_ != 0) return;
    fast_ = kFast;
    at_once();
  }

 private:
  std::uint64_t next_ = 0, credited_ = 0;
  std::uint32_t fast_ = 0, credit_ = kCredit;
};

}  // namespace lldp
