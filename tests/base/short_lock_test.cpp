// The lock of one word: who sleeps for it is woken, whoever else takes it meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/short_lock.h"

namespace turnpike {
namespace {

// Takes the lock once in each round, as soon as it has begun; spins until then.
class Taker {
 public:
  explicit Taker(ShortLock& lock, int rounds)
      : thread_([this, &lock, rounds] {
          for (int round = 1; round <= rounds; ++round) {
            while (begun_.load(std::memory_order_acquire) < round) std::this_thread::yield();
            const std::lock_guard held(lock);
            done_.store(round, std::memory_order_release);
          }
        }) {}
  void begin(int round) { begun_.store(round, std::memory_order_release); }
  [[nodiscard]] int done() const { return done_.load(std::memory_order_acquire); }
  void join() { thread_.join(); }

 private:
  std::atomic<int> begun_{0}, done_{0};
  std::thread thread_;
};

// One sleeps, one comes while the lock is let go of: had he made it forget the sleeper, nobody would be left who wakes
// him, and this test would not end.
TEST(ShortLock, WakesWhoeverSleepsForIt) {
  constexpr int kRounds = 2000;
  ShortLock lock;
  Taker sleeper(lock, kRounds), comer(lock, kRounds);
  for (int round = 1; round <= kRounds; ++round) {
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
