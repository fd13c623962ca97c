// RouterThread: the router in a daemon, on a thread of its own.
//
// The thread belongs to the network namespace of whoever makes it. It sleeps until the kernel, a module, somebody's
// wish or a time wakes it, and steps until there is nothing to do. Whoever wants something of the router takes its turn
// by `with`, on his own thread; turns are short, but for those in which a module is called and does not return.
//
// A second thread looks, once a second, for calls of modules that last: it is the one that can still say which module
// hangs. It says so once for each call, in the log; `hanging` tells it to whoever asks (a status call, the service
// manager's watchdog), without a turn.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "router/router.h"

namespace turnpike::router {

class RouterThread {
 public:
  static constexpr Duration kHangs = std::chrono::seconds(5);

  // `wake` of the surroundings is this object's to set. The clock is the system's.
  explicit RouterThread(Router::Surroundings surroundings);
  RouterThread(const RouterThread&) = delete;
  RouterThread& operator=(const RouterThread&) = delete;
  ~RouterThread();  // as `stop`

  // Begins the threads. kKernel: no descriptor. kExhausted: no thread.
  Result<void> run();

  // act(Router&) in the router's turn, on the caller's thread. Not from a module's call.
  template <class Act>
  auto with(Act&& act) {
    waiting_.fetch_add(1);
    std::unique_lock turn(mutex_);
    waiting_.fetch_sub(1);
    struct Wake {
      ~Wake() { thread.wake(); }  // what was done may have changed what to wait for
      RouterThread& thread;
    } afterwards{*this};
    return act(router_);
  }

  // Stops the modules, waits until they have stopped or are given up, and ends the threads. Then `with` still works.
  void stop();

  // Calls of modules that have lasted so long. From any thread, whatever hangs.
  [[nodiscard]] std::vector<CallWatch::Running> hanging(Duration at_least = kHangs) {
    return router_.watch().running(at_least);
  }
  Answers& answers() { return router_.answers(); }  // MIB requests need no turn

 private:
  void wake() const;
  void loop();
  void sleep(const std::vector<int>& descriptors, std::optional<MonotonicTime> until) const;
  void look_for_hangs();

  Clock& clock_;
  Descriptor wake_;
  std::mutex mutex_;
  std::atomic<unsigned> waiting_{0};
  std::atomic<bool> stopping_{false};
  Router router_;
  std::thread thread_;

  std::mutex look_mutex_;
  std::condition_variable look_;
  std::thread looker_;
};

}  // namespace turnpike::router
