// RouterThread: the router in a daemon, on a thread of its own.
//
// The thread belongs to the network namespace of whoever makes it. It sleeps until the kernel, a module, somebody's
// wish or a time wakes it, and steps until there is nothing to do. It alone is inside of the router, and so it alone is
// stuck when a module does not return: whoever wishes something of the router hands the wish over and waits for as long
// as he likes. A wish that was given up before its turn came is not carried out any more.
//
// A second thread looks, once a second, for calls of modules that last: it is the one that can still say which module
// hangs. It says so once for each call, in the log; `hanging` tells it to whoever asks (a status call), and `is_stuck`
// tells the service manager's watchdog whether the fault is ours.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "router/router.h"

namespace turnpike::router {

class RouterThread {
 public:
  static constexpr Duration kHangs = std::chrono::seconds(5);    // then it is told
  static constexpr Duration kSuspect = std::chrono::seconds(2);  // then nobody waits any longer

  // `wake` of the surroundings is this object's to set. The clock is the system's.
  explicit RouterThread(Router::Surroundings surroundings);
  RouterThread(const RouterThread&) = delete;
  RouterThread& operator=(const RouterThread&) = delete;
  ~RouterThread();  // as `stop`

  // Begins the threads. kKernel: no descriptor. kExhausted: no thread.
  Result<void> run();

  // act(Router&), which answers something, on the router's thread; on the caller's where that does not run. Waits for
  // it. Not from a module's call.
  template <class Act>
  auto with(Act act) {
    return *within(Duration::max(), std::move(act));
  }

  // The same for who does not wait for ever. Nothing: `limit` is over, or a module that the router is inside of has not
  // returned for kSuspect, at two looks one after the other. What had not begun by then never does; what had goes on,
  // so it holds what it needs by value.
  template <class Act>
  auto within(Duration limit, Act act) -> std::optional<std::invoke_result_t<Act&, Router&>> {
    using Answered = std::optional<std::invoke_result_t<Act&, Router&>>;
    // Shared with the thread, which may come to it when we have left.
    const auto answer = std::make_shared<Answered>();
    const auto wish = std::make_shared<Wish>();  // shared likewise
    wish->act = [answer, act = std::move(act)](Router& router) mutable { answer->emplace(act(router)); };
    return wait_for(wish, limit) ? std::move(*answer) : Answered();
  }

  // The same for who does not wait at all.
  void post(std::function<void(Router&)> act);

  // Stops the modules, waits until they have stopped or are given up, and ends the threads. Then `with` still works.
  // False: the time is over, and all goes on; somebody may be stuck in a module.
  bool stop(Duration limit = Duration::max());

  // Calls of modules that have lasted so long. From any thread, whatever hangs.
  [[nodiscard]] std::vector<CallWatch::Running> hanging(Duration at_least = kHangs) {
    return router_.watch().running(at_least);
  }
  // It has been at work for so long, and inside of no module: that is nobody's fault but ours.
  [[nodiscard]] bool is_stuck(Duration limit);
  // As they were when the router last had nothing to do. From any thread, whatever hangs.
  [[nodiscard]] std::vector<ModuleStatus> last_modules();
  Answers& answers() { return router_.answers(); }  // MIB requests need no turn

 private:
  struct Wish {
    enum class State : std::uint8_t { kWaiting, kBegun, kDone, kWithdrawn };
    std::function<void(Router&)> act;
    State state = State::kWaiting;
  };
  // Between who wishes and the thread, of which either may be done with it first.
  using SharedWish = std::shared_ptr<Wish>;

  bool wait_for(const SharedWish& wish, Duration limit);
  template <class Condition>
  bool wait(std::unique_lock<std::mutex>& lock, Duration limit, Condition&& is_so);
  void wake() const;
  void loop();
  void carry_out_wishes(std::unique_lock<std::mutex>& lock);
  void rest();
  void sleep(const std::vector<int>& descriptors, std::optional<MonotonicTime> until) const;
  void look_for_hangs();

  Clock& clock_;
  Descriptor wake_;
  Router router_;
  std::atomic<bool> stopping_{false};
  std::atomic<Duration::rep> began_{0};  // to be at work, as the clock has it; 0: it rests

  std::mutex mutex_;
  std::condition_variable changed_;  // a wish's state, or whether it runs
  std::deque<SharedWish> wishes_;
  std::vector<ModuleStatus> last_modules_;
  bool runs_ = false;
  std::thread thread_;

  std::mutex look_mutex_;
  std::condition_variable look_;
  std::thread looker_;
};

}  // namespace turnpike::router
