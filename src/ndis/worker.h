// Worker: a thread that does what it is given, in order. The engine has two: one for what the driver is told where it
// must not block (elements that come back, requests, status), one for what it may block in (open and close complete).
#pragma once

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
  void give_back(std::span<const Completed> elements);
  // Waits until there is nothing to do; at once on the thread itself.
  void drain();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::vector<std::function<void()>> jobs_, taken_jobs_;  // taken: by the thread, which keeps the memory
  std::vector<Completed> elements_, taken_;
  Returns returns_;
  std::uint64_t posted_ = 0, finished_ = 0;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace turnpike::ndis
