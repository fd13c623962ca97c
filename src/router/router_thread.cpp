#include "router/router_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

#include "base/log.h"
#include "base/signals_blocked.h"

namespace turnpike::router {
namespace {

constexpr std::chrono::seconds kLookEvery{1};
constexpr std::chrono::milliseconds kLookWhileWaiting{100};

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
    const std::lock_guard lock(mutex_);
    thread_ = std::thread([this] { loop(); });
    runs_ = true;
    looker_ = std::thread([this] { look_for_hangs(); });
  } catch (const std::system_error&) {
    stop();
    return fail(ErrorKind::kExhausted, "no thread for the router");
  }
  return {};
}

bool RouterThread::stop(Duration limit) {
  stopping_ = true;
  wake();
  {
    std::unique_lock lock(mutex_);
    if (!wait(lock, limit, [this] { return !runs_; })) return false;
  }
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(look_mutex_);
    look_.notify_all();
  }
  if (looker_.joinable()) looker_.join();
  return true;
}

// A failed write means that the counter is full, and so the thread is awake.
void RouterThread::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.number(), &one, sizeof one);
}

// Until it is so; false where it is not at the end of the time.
template <class Condition>
bool RouterThread::wait(std::unique_lock<std::mutex>& lock, Duration limit, Condition&& is_so) {
  if (limit != Duration::max()) return changed_.wait_for(lock, limit, is_so);
  changed_.wait(lock, is_so);
  return true;
}

bool RouterThread::wait_for(const SharedWish& wish, Duration limit) {
  std::unique_lock lock(mutex_);
  if (!runs_) {
    wish->act(router_);
    return true;
  }
  wishes_.push_back(wish);
  wake();
  const auto is_done = [&] { return wish->state == Wish::State::kDone; };
  if (limit == Duration::max()) return wait(lock, limit, is_done);
  // The clock also goes while the whole process does not: it was stopped, or others had the machine. A module that was
  // about to return then seems to have hung, so it has until the next look to show that it does not.
  bool is_suspected = false;
  for (Duration left = limit; left > Duration::zero(); left -= kLookWhileWaiting) {
    if (wait(lock, std::min<Duration>(left, kLookWhileWaiting), is_done)) return true;
    if (hanging(kSuspect).empty()) {
      is_suspected = false;
    } else if (std::exchange(is_suspected, true)) {
      break;
    }
  }
  if (wish->state == Wish::State::kWaiting) wish->state = Wish::State::kWithdrawn;
  return is_done();
}

void RouterThread::post(std::function<void(Router&)> act) {
  const auto wish = std::make_shared<Wish>();  // shared with the thread
  wish->act = std::move(act);
  const std::lock_guard lock(mutex_);
  if (!runs_) return wish->act(router_);
  wishes_.push_back(wish);
  wake();
}

bool RouterThread::is_stuck(Duration limit) {
  const Duration::rep began = began_;
  if (began == 0 || clock_.now().time_since_epoch() - Duration(began) < limit) return false;
  return hanging(Duration::zero()).empty();
}

std::vector<ModuleStatus> RouterThread::last_modules() {
  const std::lock_guard lock(mutex_);
  return last_modules_;
}

void RouterThread::loop() {
  bool is_told = false;  // that the modules are to stop
  for (;;) {
    began_ = clock_.now().time_since_epoch().count();
    {
      std::unique_lock lock(mutex_);
      carry_out_wishes(lock);
    }
    if (stopping_ && !std::exchange(is_told, stopping_.load())) router_.stop();
    const bool more = router_.step();
    if (is_told && router_.is_idle()) break;
    if (!more) rest();
  }
  std::unique_lock lock(mutex_);
  carry_out_wishes(lock);
  began_ = 0;
  runs_ = false;
  changed_.notify_all();
}

// There is none left when it returns.
void RouterThread::carry_out_wishes(std::unique_lock<std::mutex>& lock) {
  while (!wishes_.empty()) {
    const SharedWish wish = std::move(wishes_.front());
    wishes_.pop_front();
    if (wish->state == Wish::State::kWithdrawn) continue;
    wish->state = Wish::State::kBegun;
    lock.unlock();
    wish->act(router_);
    lock.lock();
    wish->state = Wish::State::kDone;
    changed_.notify_all();
  }
}

void RouterThread::rest() {
  std::vector<ModuleStatus> modules = router_.modules();
  {
    const std::lock_guard lock(mutex_);
    last_modules_ = std::move(modules);
  }
  began_ = 0;
  sleep(router_.descriptors(), router_.deadline());
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
