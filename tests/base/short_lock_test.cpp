// The lock of one word: who sleeps for it is woken, whoever else takes it meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <thread>

#include "base/short_lock.h"

namespace turnpike {
namespace {

// Takes the lock once in each round, as soon as it has begun; spins until then.
class Taker {
 public:
  explicit Taker(ShortLock& lock)
      : thread_([this, &lock] {
          for (int round = 1;; ++round) {
            int begun = 0;
            while ((begun = begun_.load(std::memory_order_acquire)) < round) std::this_thread::yield();
            if (begun == kNoMore) return;
            const std::lock_guard held(lock);
            done_.store(round, std::memory_order_release);
          }
        }) {}
  void begin(int round) { begun_.store(round, std::memory_order_release); }
  [[nodiscard]] int done() const { return done_.load(std::memory_order_acquire); }
  void join() {
    begin(kNoMore);
    thread_.join();
  }

 private:
  static constexpr int kNoMore = std::numeric_limits<int>::max();

  std::atomic<int> begun_{0}, done_{0};
  std::thread thread_;
};

// One sleeps, one comes while the lock is let go of: had he made it forget the sleeper, nobody would be left who wakes
// him, and this test would not end. A round takes a dozen turns of the scheduler: where others are busy, too, there are
// only as many rounds as go into half a minute.
TEST(ShortLock, WakesWhoeverSleepsForIt) {
  constexpr int kRounds = 2000;
  ShortLock lock;
  Taker sleeper(lock), comer(lock);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (int round = 1; round <= kRounds && std::chrono::steady_clock::now() < end; ++round) {
    lock.lock();
    sleeper.begin(round);
    for (int turn = 0; turn < 10; ++turn) std::this_thread::yield();
    comer.begin(round);
    for (std::atomic<int> moment = round % 100; moment > 0;) --moment;
    lock.unlock();
    while (sleeper.done() < round || comer.done() < round) std::this_thread::yield();
  }
  sleeper.join();
  comer.join();
}

}  // namespace
}  // namespace turnpike
