#include "runtime/world.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "rtm/preferences.h"

namespace turnpike::runtime {
namespace {

constexpr std::uint64_t kTicksTo1970 = 116444736000000000;  // of 100 ns, from 1601

// Of the armed timers: no table has these ids.
constexpr std::size_t slot_of(net::Family family) { return family == net::Family::kIpv4 ? 0 : 256; }

constexpr unsigned kIpxWidth = 48;  // of a hardware address, a next hop's; a network's number has 32

// Stops the threads when the process ends or the library is unloaded.
struct AtEnd {
  ~AtEnd() { World::instance().end(); }
};

}  // namespace

World& World::instance() {
  static World& world = *new World;  // allow naked-new: never destroyed, clients may call while the process ends
  static const AtEnd at_end;
  return world;
}

World::World()
    : epoch_(std::move(*Epoch::create())),
      clock_(&system_clock()),
      configuration_(default_configuration()),
      multicast_(std::make_unique<Multicast>(*this, net::Family::kIpv4)),
      multicast6_(std::make_unique<Multicast>(*this, net::Family::kIpv6)) {}

rtm::Config World::default_config(std::uint16_t instance, std::uint16_t family) {
  rtm::Config config;
  config.instance = instance;
  config.family = family;
  config.width = family == AF_INET6 ? 128 : family == AF_IPX ? kIpxWidth : 32;
  config.gateway_family = family == AF_INET ? AF_INET6 : 0;
  config.classful = family == AF_INET;
  config.preferences.assign(std::begin(rtm::kUsualPreferences), std::end(rtm::kUsualPreferences));
  return config;
}

std::vector<rtm::Config> World::default_configuration() {
  return {default_config(0, AF_INET), default_config(0, AF_INET6), default_config(0, AF_IPX)};
}

// --- tables
// --------------------------------------------------------------------------------------------------------------

Result<rtm::Table*> World::table_for(std::uint16_t instance, std::uint16_t family) {
  if (family != AF_INET && family != AF_INET6) {
    return fail(ErrorKind::kInvalidArgument, "an address family without a routing table");
  }
  return find_or_make_table(instance, family);
}

rtm::Table* World::find_table(std::uint16_t instance, std::uint16_t family) const {
  rtm::Table* found = nullptr;
  for_each_table([&](rtm::Table& table) {
    if (table.config().instance == instance && table.config().family == family) {
      found = &table;
    }
  });
  return found;
}

const rtm::Config* World::find_config(std::uint16_t instance, std::uint16_t family) const {
  const auto config = std::find_if(configuration_.begin(), configuration_.end(), [&](const rtm::Config& each) {
    return each.instance == instance && each.family == family;
  });
  return config != configuration_.end() ? &*config : nullptr;
}

Result<rtm::Table*> World::find_or_make_table(std::uint16_t instance, std::uint16_t family) {
  if (rtm::Table* found = find_table(instance, family); found != nullptr) {
    return found;
  }
  const rtm::Config* config = find_config(instance, family);
  if (config == nullptr) {
    return fail(ErrorKind::kNotFound, "no such instance or family is configured");
  }
  if (!config->check()) {
    return fail(ErrorKind::kUnsupported, "the table's configuration is out of its limits");
  }
  // The last table of a former configuration comes back if it was of the same one (it is empty, and its handles stay
  // refused); else the new table takes its place, and goes on with its run of generations.
  const auto former = std::find_if(owned_.rbegin(), owned_.rend(), [&](const auto& each) {
    return each->config().instance == instance && each->config().family == family;
  });
  const bool has_former = former != owned_.rend();
  if (has_former && (*former)->config() == *config) {
    (*former)->set_preferences(config->preferences);
    tables_[(*former)->id()].store(former->get(), std::memory_order_release);
    return former->get();
  }
  if (!has_former && next_id_ == 0) {
    return fail(ErrorKind::kExhausted, "as many routing tables as there can be");
  }
  const std::uint8_t id = has_former ? (*former)->id() : next_id_;
  const std::uint32_t first_generation = has_former ? (*former)->next_generation() : 1;
  auto made = rtm::Table::make(id, *config, *this, *epoch_, first_generation);
  if (!made) {
    return tl::unexpected(made.error());
  }
  next_id_ = static_cast<std::uint8_t>(next_id_ + (has_former ? 0 : 1));
  rtm::Table* table = owned_.emplace_back(std::move(*made)).get();
  tables_[table->id()].store(table, std::memory_order_release);
  return table;
}

Result<rtm::Handle> World::register_v1_client(std::uint16_t family, std::uint32_t protocol, bool single_route,
                                              std::function<void(bool)> signal) {
  const std::lock_guard lock(mutex_);
  return find_or_make_table(0, family).and_then(
      [&](rtm::Table* table) { return table->v1().register_client(protocol, single_route, std::move(signal)); });
}

Result<rtm::Table*> World::v1_table(std::uint16_t family) {
  const std::lock_guard lock(mutex_);
  if (find_config(0, family) == nullptr) {
    return fail(ErrorKind::kNotFound, "no such family is configured");
  }
  return find_table(0, family);
}

bool World::has_clients() const {
  bool any = multicast_->has_clients() || multicast6_->has_clients();
  for_each_table([&](const rtm::Table& table) { any = any || table.has_clients(); });
  return any;
}

Result<rtm::Handle> World::register_entity(std::uint16_t instance, std::uint16_t family, rtm::Registration registration,
                                           rtm::Table*& table) {
  const std::lock_guard lock(mutex_);
  return table_for(instance, family).and_then([&](rtm::Table* found) {
    table = found;
    return found->register_entity(std::move(registration));
  });
}

Result<void> World::deregister_entity(rtm::Table& table, rtm::Handle self) {
  auto done = table.deregister_entity(self);
  if (done) {
    const std::lock_guard lock(mutex_);
    if (!has_clients()) {
      stop_threads();
    }
  }
  return done;
}

Result<rtm::Table*> World::table_of_instance(std::uint16_t instance, std::uint16_t family) {
  const std::lock_guard lock(mutex_);
  return table_for(instance, family);
}

void World::rest_if_unused() {
  const std::lock_guard lock(mutex_);
  if (!has_clients()) {
    stop_threads();
  }
}

bool World::configure(std::vector<rtm::Config> configuration) {
  const std::lock_guard lock(mutex_);
  if (has_clients()) {
    return false;
  }
  stop_threads();
  configuration_ = std::move(configuration);
  for (auto& slot : tables_) {
    slot.store(nullptr, std::memory_order_release);
  }
  return true;
}

// --- preferences
// ---------------------------------------------------------------------------------------------------------

Result<const rtm::Config*> World::config_for(std::uint16_t instance, std::uint16_t family) const {
  if (family != AF_INET && family != AF_INET6) {
    return fail(ErrorKind::kInvalidArgument, "an address family without a routing table");
  }
  const rtm::Config* config = find_config(instance, family);
  return config != nullptr ? Result<const rtm::Config*>(config)
                           : fail(ErrorKind::kNotFound, "no such instance or family is configured");
}

Result<void> World::set_preferences(std::uint16_t instance, std::uint16_t family, rtm::Preferences preferences) {
  preferences = rtm::over_the_usual(std::move(preferences));
  rtm::Table* table = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto config = config_for(instance, family);
    if (!config) {
      return tl::unexpected(config.error());
    }
    if ((*config)->preferences == preferences) {
      return {};
    }
    configuration_[static_cast<std::size_t>(*config - configuration_.data())].preferences = preferences;
    table = find_table(instance, family);
    if (table != nullptr) {
      table->set_preferences(std::move(preferences));
    }
  }
  if (table != nullptr) {
    table->apply_preferences();  // without the lock: it may take long, and whoever registers meanwhile does not wait
  }
  return {};
}

Result<std::uint32_t> World::preference_of(std::uint16_t instance, std::uint16_t family, std::uint32_t protocol) const {
  const std::lock_guard lock(mutex_);
  return config_for(instance, family).map([&](const rtm::Config* config) {
    return rtm::preference_in(config->preferences, protocol, config->default_preference);
  });
}

// --- clocks
// --------------------------------------------------------------------------------------------------------------

bool World::set_clock(Clock& clock) {
  if (has_clients()) {
    return false;
  }
  stop_threads();
  clock_.store(&clock, std::memory_order_release);
  return true;
}

bool World::use_test_clock() {
  const std::lock_guard lock(mutex_);
  if (test_clock_ == nullptr) {
    test_clock_ = std::make_unique<TestClock>();
  }
  return set_clock(*test_clock_);
}

bool World::use_system_clock() {
  const std::lock_guard lock(mutex_);
  return set_clock(system_clock());
}

std::uint64_t World::nanoseconds() noexcept {
  return static_cast<std::uint64_t>(clock_.load(std::memory_order_acquire)->now().time_since_epoch().count());
}

std::uint64_t World::file_time() noexcept {
  const auto since_1970 = clock_.load(std::memory_order_acquire)->wall().time_since_epoch().count();
  return static_cast<std::uint64_t>(since_1970) / 100 + kTicksTo1970;
}

bool World::advance(std::uint32_t milliseconds) {
  if (notifier_.is_own_thread() || clock_.load() == &system_clock() || test_clock_ == nullptr) {
    return false;
  }
  const MonotonicTime end = test_clock_->now() + std::chrono::milliseconds(milliseconds);
  while (true) {
    notifier_.drain();
    std::uint64_t next = static_cast<std::uint64_t>(end.time_since_epoch().count());
    for_each_table([&](rtm::Table& table) { next = std::min(next, table.next_deadline().value_or(next)); });
    for_each_manager([&](const mgm::Manager& manager) {
      if (const auto due = manager.next_deadline()) {
        next = std::min(next, static_cast<std::uint64_t>(due->time_since_epoch().count()));
      }
    });
    const auto now = static_cast<std::uint64_t>(test_clock_->now().time_since_epoch().count());
    if (next > now) {
      static_cast<void>(test_clock_->advance(Duration(next - now)));
    }
    for_each_table([&](rtm::Table& table) {
      while (table.run_deadlines(1) != 0) {
        notifier_.drain();
      }
    });
    for_each_manager([](mgm::Manager& manager) { manager.run_deadlines(); });
    if (test_clock_->now() >= end) {
      return true;
    }
  }
}

// --- what a table asks for
// -----------------------------------------------------------------------------------------------

void World::events_waiting(rtm::Table& table, rtm::ClientIndex client) noexcept {
  notifier_.submit([&table, client] { table.deliver(client); });
}

bool World::start_alarm() {
  if (alarm_.timers == nullptr) {
    auto timers = Timers::create(clock_.load()->now(), 1);
    if (!timers) {
      return false;
    }
    alarm_.timers = std::move(*timers);
  }
  if (alarm_.thread == nullptr) {
    auto thread = TimerThread::start(*alarm_.timers, *clock_.load(), "tp-rtm-timers");
    if (!thread) {
      return false;
    }
    alarm_.thread = std::move(*thread);
  }
  return true;
}

void World::deadline_moved(rtm::Table& table, std::uint64_t at) noexcept {
  arm(table.id(), MonotonicTime(Duration(static_cast<Duration::rep>(at))), [this, &table] { run_deadlines(table); });
}

void World::multicast_deadline_moved(net::Family family, MonotonicTime at) noexcept {
  arm(slot_of(family), at, [this, family] { run_multicast_deadlines(family); });
}

void World::arm(std::size_t slot, MonotonicTime deadline, const Timers::Callback& run) {
  const std::lock_guard lock(alarm_.mutex);
  if (clock_.load() != &system_clock()) {
    return;  // who turns the clock runs what is due
  }
  if (!start_alarm()) {
    TURNPIKE_LOG(LogLevel::kError, "runtime", "no timer thread: routes and multicast entries do not expire");
    return;
  }
  TimerId& armed = alarm_.armed[slot];
  if (armed == TimerId::kNone || !alarm_.timers->rearm(armed, deadline)) {
    const auto timer = alarm_.timers->arm(deadline, run);
    armed = timer ? *timer : TimerId::kNone;
  }
}

// On the timer thread. The table tells of sooner deadlines by itself; here the next of the present ones is armed.
void World::run_deadlines(rtm::Table& table) {
  table.run_deadlines();
  if (const auto next = table.next_deadline()) {
    deadline_moved(table, *next);
  }
}

void World::run_multicast_deadlines(net::Family family) {
  mgm::Manager& manager = *multicast(family).manager_if_made();
  manager.run_deadlines();
  if (const auto next = manager.next_deadline()) {
    multicast_deadline_moved(family, *next);
  }
}

void World::end() {
  multicast_->end();
  multicast6_->end();
  stop_threads();
}

void World::stop_threads() {
  std::unique_ptr<TimerThread> timer_thread;
  {
    const std::lock_guard lock(alarm_.mutex);
    timer_thread = std::move(alarm_.thread);
  }
  timer_thread.reset();
  {
    const std::lock_guard lock(alarm_.mutex);
    if (alarm_.thread == nullptr) {
      alarm_.timers.reset();
      alarm_.armed.fill(TimerId::kNone);
    }
  }
  notifier_.stop();
}

}  // namespace turnpike::runtime
