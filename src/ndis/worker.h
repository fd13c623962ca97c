// Worker: a thread that does what it is given, in order. The engine has two: one for what the driver is told where it
// must not block (elements that come back, requests, status), one for what it may block in (open and close complete).
//
// To wake a thread costs who wakes it some microseconds, as much as a few frames. So after a run of elements the thread
// rests for kRest before it sleeps, and what may come back `soon` waits until then; whoever gives it says when somebody
// may be waiting for it. Who sends without a pause, 64 frames at a time, is to find the thread at rest: kRest is a
// little more than these take on their way to a packet socket.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ndis/driver.h"

namespace turnpike::ndis {

class Worker {
 public:
  using Returns = std::function<void(std::span<const Completed>)>;

  // `returns` is given the elements that were posted with give_back(), in order. kExhausted: no more threads.
  Result<void> start(Returns returns);
  // Does what is left, and ends. Not from the thread itself.
  void stop();

  void post(std::function<void()> job);
  // The same without allocating, once the queue has grown.
  enum class When : std::uint8_t { kAtOnce, kSoon };
  void give_back(std::span<const Completed> elements, When when);
  // Waits until there is nothing to do; at once on the thread itself.
  void drain();

 private:
  static constexpr std::chrono::microseconds kRest{150};
  static constexpr std::size_t kRun = 8;  // elements after which it rests

  void run();
  void wait(std::unique_lock<std::mutex>& lock, bool may_rest);

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::vector<std::function<void()>> jobs_, taken_jobs_;  // taken: by the thread, which keeps the memory
  std::vector<Completed> elements_, taken_;
  Returns returns_;
  std::uint64_t posted_ = 0, finished_ = 0;
  bool ends_ = false;
  bool asleep_ = false;  // and not resting: to be woken for anything
  bool hurry_ = false;   // something is to be done at once
  std::thread thread_;
};

}  // namespace turnpike::ndis
