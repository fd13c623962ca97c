// World: what this process has of the routing tables, and of multicast (multicast.h), behind the C faces. The only
// global object of the library, but for the log.
//
// It holds the tables (one for each configured instance and family, made when somebody first registers there), the
// clock that they go by, the threads on which clients are called back and on which time passes, and the configuration,
// which is injected: without one, the defaults.
//
// ## Threads
//
// None, until they are needed: a notifier thread with the first event for a client (notifier.h), a timer thread with
// the first time to live, hold-down, or callback (which it watches: one that hangs is named in the log). When the last
// client of all tables has left, they are stopped and joined before RtmDeregisterEntity returns (but for the one that
// this very call runs on, if it is made inside a callback). What is left at the end of the process, or when the library
// is unloaded, is stopped by a static destructor: no thread runs code that is about to be unmapped, but for a client's
// callback that hangs.
//
// ## Locks
//
// `mutex_` guards the list of tables, the configuration and the change of clocks, and is taken before a table's lock,
// never within. What a table asks of its port under its own lock (work for the notifier, a timer) takes only the locks
// of those two, which call nobody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/result.h"
#include "base/timer_thread.h"
#include "base/timers.h"
#include "rtm/port.h"
#include "rtm/table.h"
#include "runtime/multicast.h"
#include "runtime/notifier.h"
#include "runtime/snapshots.h"

namespace turnpike::runtime {

class World final : public rtm::Port {
 public:
  // Made at the first use and never destroyed: clients may still call while the process ends.
  static World& instance();

  // The table that a handle speaks of; null for a handle of none.
  [[nodiscard]] rtm::Table* table_of(rtm::Handle handle) const {
    return tables_[rtm::table_of(handle)].load(std::memory_order_acquire);
  }
  // For a registration. A family that RTMv2 does not serve: kInvalidArgument. No such instance or family configured:
  // kNotFound. Its configuration is out of its limits: kUnsupported. kExhausted: no memory.
  Result<rtm::Table*> table_for(std::uint16_t instance, std::uint16_t family);
  template <class F>
  void for_each_table(F&& visit) const {
    for (const auto& slot : tables_) {
      if (rtm::Table* table = slot.load(std::memory_order_acquire); table != nullptr) {
        visit(*table);
      }
    }
  }

  // The same for RTMv1, which has a family of its own, IPX; and for its readers, who need not be registered: null where
  // nobody has registered yet. kNotFound: no such family configured.
  Result<rtm::Handle> register_v1_client(std::uint16_t family, std::uint32_t protocol, bool single_route,
                                         std::function<void(bool)> signal);
  Result<rtm::Table*> v1_table(std::uint16_t family);

  // Registers with the table, so that nobody changes clock or configuration meanwhile.
  Result<rtm::Handle> register_entity(std::uint16_t instance, std::uint16_t family, rtm::Registration registration,
                                      rtm::Table*& table);
  Result<void> deregister_entity(rtm::Table& table, rtm::Handle self);
  // For a client inside the process that registers with the table itself (the forwarder); afterwards it says that it
  // has left: the threads end if it was the last.
  Result<rtm::Table*> table_of_instance(std::uint16_t instance, std::uint16_t family);
  void rest_if_unused();

  // For tests (include/turnpike/testing.h). False: a client is registered.
  bool use_test_clock();
  bool use_system_clock();
  bool configure(std::vector<rtm::Config> configuration);
  // Turns the test clock from one deadline to the next, until so many milliseconds have passed; what one deadline
  // causes is over before the next one comes, so a test sees one order of things. False: the clock is the system's, or
  // this is a callback.
  bool advance(std::uint32_t milliseconds);
  bool drain() { return notifier_.drain(); }

  // What an administrator says of protocols' preferences, over the usual ones, in the table that is there or will be.
  // kInvalidArgument, kNotFound: as of table_for.
  Result<void> set_preferences(std::uint16_t instance, std::uint16_t family, rtm::Preferences preferences);
  Result<std::uint32_t> preference_of(std::uint16_t instance, std::uint16_t family, std::uint32_t protocol) const;

  static std::vector<rtm::Config> default_configuration();
  static rtm::Config default_config(std::uint16_t instance, std::uint16_t family);

  // rtm::Port
  std::uint64_t nanoseconds() noexcept override;
  std::uint64_t file_time() noexcept override;
  void events_waiting(rtm::Table& table, rtm::ClientIndex client) noexcept override;
  void deadline_moved(rtm::Table& table, std::uint64_t at) noexcept override;

  void stop_threads();

  Snapshots& snapshots() { return snapshots_; }

  Multicast& multicast(net::Family family = net::Family::kIpv4) {
    return family == net::Family::kIpv4 ? *multicast_ : *multicast6_;
  }
  [[nodiscard]] Clock& clock() const { return *clock_.load(std::memory_order_acquire); }
  void multicast_deadline_moved(net::Family family, MonotonicTime at) noexcept;
  // The process ends: no client is called any more.
  void end();

 private:
  // Time: a wheel with one timer a table, one for multicast of each family, and the thread that drives it.
  struct Alarm {
    std::mutex mutex;
    std::unique_ptr<Timers> timers;
    std::unique_ptr<TimerThread> thread;
    std::array<TimerId, 257> armed{};
  };

  World();
  template <class F>
  void for_each_manager(F&& visit) const {
    for (const Multicast* each : {multicast_.get(), multicast6_.get()}) {
      if (mgm::Manager* manager = each->manager_if_made(); manager != nullptr) {
        visit(*manager);
      }
    }
  }
  rtm::Table* find_table(std::uint16_t instance, std::uint16_t family) const;
  const rtm::Config* find_config(std::uint16_t instance, std::uint16_t family) const;
  Result<const rtm::Config*> config_for(std::uint16_t instance, std::uint16_t family) const;
  Result<rtm::Table*> find_or_make_table(std::uint16_t instance, std::uint16_t family);
  bool has_clients() const;
  bool set_clock(Clock& clock);
  bool start_alarm();
  void arm(std::size_t slot, MonotonicTime deadline, const Timers::Callback& run);
  void run_multicast_deadlines(net::Family family);
  void run_deadlines(rtm::Table& table);

  std::unique_ptr<Epoch> epoch_;
  std::array<std::atomic<rtm::Table*>, 256> tables_{};
  std::atomic<Clock*> clock_;
  std::unique_ptr<TestClock> test_clock_;

  mutable std::mutex mutex_;
  std::vector<rtm::Config> configuration_;
  std::vector<std::unique_ptr<rtm::Table>>
      owned_;  // those of former configurations too: who calls them late is refused
  std::uint8_t next_id_ = 1;

  Alarm alarm_;
  Notifier notifier_;
  Snapshots snapshots_;
  std::unique_ptr<Multicast> multicast_;
  std::unique_ptr<Multicast> multicast6_;
};

}  // namespace turnpike::runtime
