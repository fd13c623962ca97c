// What no sanitizer sees: whether a reader's note is visible before his first look.
//
// The note may still stand in the store buffer of the reader's CPU when he has looked already; a collector who misses
// it frees what the reader sees. The barriers of epoch.h are there for that and for nothing else, and ThreadSanitizer
// does not model it. So this program is built without sanitizers and optimised, and brings the case about: both threads
// store to the same few lines, so that the note, which has to queue behind those stores, comes late. With the barriers
// taken out four runs of six failed on a busy machine, some with thousands of objects taken from under the reader.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/epoch.h"
#include "on_threads.h"

namespace turnpike {
namespace {

constexpr std::size_t kObjects = 1'000'000;
constexpr auto kUnordered = std::memory_order_relaxed;

struct alignas(64) Line {
  std::atomic<int> value{0};
};

class EpochLitmus : public testing::TestWithParam<EpochOptions> {
 protected:
  void delay_my_stores(int value) {
    for (Line& line : lines_) {
      line.value.store(value, kUnordered);
    }
  }
  void replace_and_collect() {
    for (int i = 1; i < static_cast<int>(kObjects); ++i) {
      delay_my_stores(i);
      const int old = current_.exchange(i);
      epoch_->retire(&taken_[static_cast<std::size_t>(old)],
                     [](void* flag, void*) { static_cast<std::atomic<bool>*>(flag)->store(true, kUnordered); });
      epoch_->collect();
    }
    current_ = -1;
  }
  void look() {
    for (bool more = true; more;) {
      delay_my_stores(0);
      const Epoch::Reader reader(*epoch_);
      const int seen = current_.load(std::memory_order_acquire);
      more = seen >= 0;
      for (int looks = 0; more && looks < 20; ++looks) {
        taken_from_under_ += taken_[static_cast<std::size_t>(seen)].load(kUnordered) ? 1 : 0;
      }
    }
  }

  std::array<Line, 8> lines_{};
  std::vector<std::atomic<bool>> taken_ = std::vector<std::atomic<bool>>(kObjects);
  std::atomic<int> current_{0};
  int taken_from_under_ = 0;
  std::unique_ptr<Epoch> epoch_ = std::move(Epoch::create(GetParam()).value());
};

INSTANTIATE_TEST_SUITE_P(Ways, EpochLitmus, testing::Values(EpochOptions{}, EpochOptions{.use_membarrier = false}),
                         [](const auto& test) { return test.param.use_membarrier ? "Membarrier" : "Fence"; });

TEST_P(EpochLitmus, ANoteIsSeenBeforeTheFirstLook) {
  on_threads(2, [this](int n) { n == 0 ? replace_and_collect() : look(); });
  EXPECT_EQ(taken_from_under_, 0);
}

}  // namespace
}  // namespace turnpike
