#include "router/router_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.h"
#include "base/signals_blocked.h"

namespace turnpike::router {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

RouterThread::RouterThread(Router::Surroundings surroundings)
    : clock_(surroundings.clock), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), router_([&] {
        surroundings.wake = [this] { wake(); };
        return std::move(surroundings);
      }()) {}

RouterThread::~RouterThread() { stop(); }

Result<void> RouterThread::run() {
  if (!wake_.is_open()) return fail(ErrorKind::kKernel, "no eventfd for the router's thread");
  if (thread_.joinable()) return {};
  stopping_ = false;
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { loop(); });
    looker_ = std::thread([this] { look_for_hangs(); });
  } catch (const std::system_error&) {
    stop();
    return fail(ErrorKind::kExhausted, "no thread for the router");
  }
  return {};
}

void RouterThread::stop() {
  with([](Router& router) { router.stop(); });
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(look_mutex_);
    look_.notify_all();
  }
  if (looker_.joinable()) looker_.join();
}

// A failed write means that the counter is full, and so the thread is awake.
void RouterThread::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.number(), &one, sizeof one);
}

void RouterThread::loop() {
  for (;;) {
    bool more = false;
    std::optional<MonotonicTime> until;
    std::vector<int> descriptors;
    {
      const std::lock_guard turn(mutex_);
      if (stopping_ && router_.is_idle()) return;
      more = router_.step();
      if (stopping_ && router_.is_idle()) return;
      until = router_.deadline();
      descriptors = router_.descriptors();
    }
    while (waiting_.load() != 0) std::this_thread::yield();
    if (!more) sleep(descriptors, until);
  }
}

void RouterThread::sleep(const std::vector<int>& descriptors, std::optional<MonotonicTime> until) const {
  std::vector<pollfd> watched = {{wake_.number(), POLLIN, 0}};
  for (const int descriptor : descriptors) watched.push_back({descriptor, POLLIN, 0});
  timespec timeout{};
  if (until) {
    const auto left = std::max(*until - clock_.now(), Duration{0});
    timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
  }
  if (::ppoll(watched.data(), watched.size(), until ? &timeout : nullptr, nullptr) > 0 && watched[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_.number(), &count, sizeof count);
  }
}

void RouterThread::look_for_hangs() {
  std::set<std::pair<std::string, std::string>> known;
  std::unique_lock lock(look_mutex_);
  while (!stopping_) {
    look_.wait_for(lock, kLookEvery);
    std::set<std::pair<std::string, std::string>> now;
    for (const CallWatch::Running& call : router_.watch().running(kHangs)) {
      if (!now.emplace(call.module, call.function).second || known.contains({call.module, call.function})) continue;
      TURNPIKE_LOG_LIMITED(process_log(), (LogLimit{0, 0}), LogLevel::kError, "router",
                           "a module does not return from a call", {"module", call.module}, {"function", call.function},
                           {"seconds", std::chrono::duration_cast<std::chrono::seconds>(call.lasts).count()});
    }
    known = std::move(now);
  }
}

}  // namespace turnpike::router
