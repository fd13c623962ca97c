#include "runtime/forwarder_host.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/signals_blocked.h"
#include "kernel/real_port.h"

namespace turnpike::runtime {

ForwarderHost& ForwarderHost::instance() {
  static ForwarderHost& host = *new ForwarderHost;  // allow naked-new: never destroyed, as World
  return host;
}

// --- life
// --------------------------------------------------------------------------------------------------------------------

Result<void> ForwarderHost::start(const std::vector<ForwarderTable>& tables, const forwarder::Settings& settings,
                                  std::string& holder) {
  const std::lock_guard life(life_);
  if (is_running()) return fail(ErrorKind::kAlreadyExists, "a forwarder runs in this process");
  auto port = kernel::open_real_port();
  if (!port) return tl::unexpected(port.error());
  const auto probed = (*port)->probe();
  if (!probed) return tl::unexpected(probed.error());
  if (!probed->may_write) return fail(ErrorKind::kDenied, "the kernel lets this process write no routes");
  if (!probed->next_hop_objects) return fail(ErrorKind::kUnsupported, "the kernel has no next hop objects (Linux 5.3)");
  std::set<std::uint32_t> guarded;
  std::vector<forwarder::Binding> bindings;
  const auto prepare = [&]() -> Result<void> {
    for (const ForwarderTable& each : tables) {
      auto table = World::instance().table_of_instance(each.instance, each.family);
      if (!table) return tl::unexpected(table.error());
      bindings.push_back({*table, each.settings});
      if (!guarded.insert(each.settings.kernel_table).second) continue;
      auto guard = ForwarderGuard::take(each.settings.kernel_table, settings.protocol, holder);
      if (!guard) return tl::unexpected(guard.error());
      guards_.push_back(std::move(*guard));
    }
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_.is_open()) return fail_errno(errno, "no eventfd for the forwarder");
    port_ = std::move(*port);
    background_ = BackgroundThread::start();
    auto made =
        forwarder::Forwarder::start(*port_, bindings, settings, system_clock(), [this] { wake(); }, background_.get());
    if (!made) return tl::unexpected(made.error());
    forwarder_ = std::move(*made);
    stopping_ = false;
    try {
      const SignalsBlocked blocked;
      thread_ = std::thread([this] { run(); });
    } catch (const std::exception&) {
      return fail(ErrorKind::kExhausted, "no more threads");
    }
    return {};
  };
  const auto prepared = prepare();
  if (!prepared) {
    forget();
    return prepared;
  }
  pthread_setname_np(thread_.native_handle(), "tp-forwarder");
  running_ = true;
  return {};
}

void ForwarderHost::forget() {
  forwarder_.reset();
  background_.reset();
  port_.reset();
  guards_.clear();
  wake_.reset();
  World::instance().rest_if_unused();
}

Result<void> ForwarderHost::stop(bool remove_routes) {
  if (thread_.get_id() == std::this_thread::get_id()) return fail(ErrorKind::kBusy, "the forwarder's own thread");
  const std::lock_guard life(life_);
  if (!is_running()) return fail(ErrorKind::kNotFound, "no forwarder runs in this process");
  stopping_ = true;
  wake();
  thread_.join();
  const std::lock_guard lock(mutex_);
  running_ = false;
  forwarder_->stop(remove_routes);
  forget();
  return {};
}

void ForwarderHost::tell_that_none_runs() {
  if (!process_log().enabled(LogLevel::kNotice) || told_.exchange(true)) return;
  TURNPIKE_LOG(LogLevel::kNotice, "forwarder",
               "routes are added, and no forwarder runs in this process: they are in its table, and in no kernel "
               "(TpForwarderStart)");
}

// --- the thread
// ----------------------------------------------------------------------------------------------------------------

// A failed write means that the counter is full, and so the thread is awake.
void ForwarderHost::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.number(), &one, sizeof one);
}

void ForwarderHost::run() {
  while (!stopping_) {
    bool more = false;
    Rest rest;
    {
      const std::lock_guard lock(mutex_);
      more = forwarder_->step();
      const forwarder::Fpm* const fpm = forwarder_->fpm();
      rest = {forwarder_->next_deadline(), forwarder_->descriptor(), fpm != nullptr ? fpm->descriptor() : -1};
    }
    while (others_.load() != 0) std::this_thread::yield();
    if (!more && !stopping_) sleep(rest);
  }
}

void ForwarderHost::sleep(const Rest& rest) const {
  pollfd watched[3] = {{wake_.number(), POLLIN, 0}, {rest.kernel, POLLIN, 0}, {rest.feed, POLLIN, 0}};
  timespec timeout{};
  if (rest.until) {
    const auto left = std::max(*rest.until - system_clock().now(), Duration{0});
    timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
  }
  if (::ppoll(watched, 3, rest.until ? &timeout : nullptr, nullptr) > 0 && watched[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_.number(), &count, sizeof count);
  }
}

// --- what others ask
// -----------------------------------------------------------------------------------------------------------

template <class F>
auto ForwarderHost::with_forwarder(F&& act) -> Result<decltype(act(std::declval<forwarder::Forwarder&>()))> {
  others_.fetch_add(1);
  const std::lock_guard lock(mutex_);
  others_.fetch_sub(1);
  if (!is_running() || forwarder_ == nullptr) return fail(ErrorKind::kNotFound, "no forwarder runs in this process");
  return act(*forwarder_);
}

Result<void> ForwarderHost::all_claimed() {
  return with_forwarder([this](forwarder::Forwarder& its) {
           its.all_claimed();
           wake();
           return true;
         })
      .map([](bool) {});
}

Result<void> ForwarderHost::audit() {
  return with_forwarder([this](forwarder::Forwarder& its) {
           its.audit_now();
           wake();
           return true;
         })
      .map([](bool) {});
}

Result<forwarder::Forwarder::Status> ForwarderHost::status() {
  return with_forwarder([](forwarder::Forwarder& its) { return its.status(); });
}

Result<forwarder::Unicast::Explained> ForwarderHost::explain(rtm::Handle dest) {
  return with_forwarder([&](forwarder::Forwarder& its) { return its.explain(dest); });
}

// --- a routing daemon's feed
// ----------------------------------------------------------------------------------------------------

// What was asked of the forwarder, and the thread learns that there is something else to wait for.
template <class F>
Result<void> ForwarderHost::change_feed(F&& act) {
  const auto asked = with_forwarder([&](forwarder::Forwarder& its) { return act(its); });
  wake();
  return asked ? *asked : tl::unexpected(asked.error());
}

Result<void> ForwarderHost::start_fpm(const net::Address& address, std::uint16_t port,
                                      const forwarder::FpmSettings& settings) {
  const std::lock_guard life(life_);
  if (!is_running()) return fail(ErrorKind::kNotFound, "no forwarder runs in this process");
  if (fpm_status()) return fail(ErrorKind::kAlreadyExists, "a routing daemon's feed is taken already");
  auto feed = kernel::listen_for_fpm(address, port);
  if (!feed) return tl::unexpected(feed.error());
  return change_feed([&](forwarder::Forwarder& its) { return its.start_fpm(std::move(*feed), settings); });
}

Result<void> ForwarderHost::stop_fpm() {
  const std::lock_guard life(life_);
  return change_feed([](forwarder::Forwarder& its) { return its.stop_fpm(); });
}

Result<void> ForwarderHost::fpm_all_sent() {
  const std::lock_guard life(life_);
  return change_feed([](forwarder::Forwarder& its) -> Result<void> {
    if (its.fpm() == nullptr) return fail(ErrorKind::kNotFound, "no routing daemon's feed is taken");
    return its.fpm()->all_sent();
  });
}

Result<forwarder::Fpm::Status> ForwarderHost::fpm_status() {
  const auto asked = with_forwarder([](forwarder::Forwarder& its) -> Result<forwarder::Fpm::Status> {
    if (its.fpm() == nullptr) return fail(ErrorKind::kNotFound, "no routing daemon's feed is taken");
    return its.fpm()->status();
  });
  return asked ? *asked : tl::unexpected(asked.error());
}

}  // namespace turnpike::runtime
