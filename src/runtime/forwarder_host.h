// ForwarderHost: the forwarder of this process, and its threads: one that drives it, and one that sends what it writes
// under load, so that the kernel's work and its own are done side by side.
//
// The first belongs to the network namespace of whoever starts it. It sleeps in poll() until a table wakes it (an
// eventfd, written under the table's lock: one wake-up from a client's call to the kernel), the kernel says something,
// or a time has come; then it steps until there is nothing to do. `mutex_` is held for a step at a time, and others who
// want the forwarder go first.
//
// Starting takes the guard of each kernel table, so that two processes never fight for one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "forwarder/forwarder.h"
#include "kernel/port.h"
#include "net/address.h"
#include "runtime/background_thread.h"
#include "runtime/forwarder_guard.h"
#include "runtime/world.h"

namespace turnpike::runtime {

struct ForwarderTable {
  std::uint16_t instance = 0;
  std::uint16_t family = 0;  // as clients see it
  forwarder::TableSettings settings;
};

class ForwarderHost {
 public:
  static ForwarderHost& instance();

  // kAlreadyExists: this process has one. kBusy: another process does, and `holder` says which. kNotFound: an instance
  // that is not configured. kDenied: the kernel lets this process write no routes. kKernel, kExhausted.
  Result<void> start(const std::vector<ForwarderTable>& tables, const forwarder::Settings& settings,
                     std::string& holder);
  // kNotFound: none runs. kBusy: from the forwarder's own thread.
  Result<void> stop(bool remove_routes);
  Result<void> all_claimed();
  Result<void> audit();
  Result<forwarder::Forwarder::Status> status();
  Result<forwarder::Unicast::Explained> explain(rtm::Handle dest);

  // A routing daemon's feed, in the calling thread's network namespace. kNotFound: no forwarder runs, or there is no
  // feed; kAlreadyExists; and what listen_for_fpm answers.
  Result<void> start_fpm(const net::Address& address, std::uint16_t port, const forwarder::FpmSettings& settings);
  Result<void> stop_fpm();
  Result<void> fpm_all_sent();
  Result<forwarder::Fpm::Status> fpm_status();

  [[nodiscard]] bool is_running() const { return running_.load(std::memory_order_acquire); }

  // Somebody has added routes. Where no forwarder runs they are in no kernel, and that is said once in the log, as soon
  // as anybody listens to it: the first question of who finds his routes missing in `ip route`.
  void routes_added() {
    if (!told_.load(std::memory_order_relaxed) && !is_running()) tell_that_none_runs();
  }

 private:
  ForwarderHost() = default;
  void run();
  // What it waits for, as of its last step.
  struct Rest {
    std::optional<MonotonicTime> until;
    int kernel = -1;
    int feed = -1;
  };
  void sleep(const Rest& rest) const;
  void wake() const;
  template <class F>
  auto with_forwarder(F&& act) -> Result<decltype(act(std::declval<forwarder::Forwarder&>()))>;
  template <class F>
  Result<void> change_feed(F&& act);
  void forget();
  void tell_that_none_runs();

  std::mutex life_;  // start and stop, one at a time
  std::mutex mutex_;
  std::atomic<unsigned> others_{0};  // who want mutex_
  std::atomic<bool> running_{false};
  std::atomic<bool> told_{false};  // that none runs
  std::atomic<bool> stopping_{false};
  Descriptor wake_;
  std::vector<ForwarderGuard> guards_;
  std::unique_ptr<kernel::Port> port_;
  std::unique_ptr<BackgroundThread> background_;
  std::unique_ptr<forwarder::Forwarder> forwarder_;
  std::thread thread_;
};

}  // namespace turnpike::runtime
