// BackgroundCloser: lets go of things that take the kernel long. To close a packet socket with its ring takes 24 to
// 44 ms (grace periods), and whoever unbinds from sixty interfaces is not to wait for all of them.
//
// Shared by a source and its adapters, since an adapter may outlive the source: the last that goes waits until all is
// closed, so no thread of ours is left in a library that is being unloaded.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace turnpike::kernel {

class BackgroundCloser {
 public:
  BackgroundCloser() = default;
  BackgroundCloser(const BackgroundCloser&) = delete;
  BackgroundCloser& operator=(const BackgroundCloser&) = delete;
  ~BackgroundCloser();

  // Calls `close` later, on a thread of its own; or now where there is no memory for that.
  void later(std::function<void()> close) noexcept;
  // Waits until all that was given so far is closed.
  void drain() noexcept;

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> waiting_;
  bool busy_ = false;
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace turnpike::kernel
