// BackgroundThread: the second thread of a forwarder, which waits in the kernel while the first goes on.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "kernel/background.h"

namespace turnpike::runtime {

class BackgroundThread final : public kernel::Background {
 public:
  // Null where there are no more threads.
  static std::unique_ptr<BackgroundThread> start();
  // Does what was begun, and ends.
  ~BackgroundThread() override;

  Ticket begin(std::function<void()> job) override;
  void await(Ticket ticket) override;

 private:
  BackgroundThread() = default;
  void run();

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::function<void()>> jobs_;
  Ticket given_ = 0;     // the last ticket
  Ticket finished_ = 0;  // that of the last job that is done
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace turnpike::runtime
