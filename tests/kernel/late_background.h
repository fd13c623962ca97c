// Does nothing until it is waited for: as late as any thread could be.
#ifndef TURNPIKE_TESTS_KERNEL_LATE_BACKGROUND_H
#define TURNPIKE_TESTS_KERNEL_LATE_BACKGROUND_H

#include <deque>
#include <functional>
#include <utility>

#include "kernel/background.h"

namespace turnpike::kernel {

class LateBackground final : public Background {
 public:
  Ticket begin(std::function<void()> job) override {
    jobs_.push_back(std::move(job));
    return done_ + jobs_.size();
  }
  void await(Ticket ticket) override {
    while (done_ < ticket) {
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      ++done_;
      job();
    }
  }
  [[nodiscard]] Ticket done_here() const { return done_; }

 private:
  std::deque<std::function<void()>> jobs_;
  Ticket done_ = 0;
};

}  // namespace turnpike::kernel

#endif
