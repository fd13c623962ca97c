#include "runtime/multicast_host.h"

#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>

#include "base/log.h"
#include "base/signals_blocked.h"
#include "kernel/real_port.h"

namespace turnpike::runtime {
namespace {

constexpr std::size_t kUpcalls = 64;                 // that are worked off before news of links are looked at
constexpr auto kPatience = std::chrono::seconds(2);  // with a client's callback, when the process ends

}  // namespace

Result<std::unique_ptr<MulticastHost>> MulticastHost::open(const kernel::MulticastOptions& options,
                                                           std::chrono::milliseconds settle, mgm::Manager& manager,
                                                           std::string& holder) {
  auto netlink = kernel::open_real_port();
  if (!netlink) return tl::unexpected(netlink.error());
  kernel::MonitorOptions about_links;
  about_links.topics.links = true;
  auto links = (*netlink)->open_monitor(about_links);
  if (!links) return tl::unexpected(links.error());
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return fail_errno(errno, "no eventfd for the multicast forwarder");
  auto port = kernel::open_multicast_port(options, holder);
  if (!port) return tl::unexpected(port.error());
  std::unique_ptr<MulticastHost> host(new MulticastHost(std::move(*port), manager, options.keep));
  if (host->port_->status().unclaimed != 0) host->settles_at_ = std::chrono::steady_clock::now() + settle;
  host->links_ = std::move(*links);
  host->wake_ = std::move(wake);
  return host;
}

Result<void> MulticastHost::run() {
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { loop(); });
  } catch (const std::exception&) {
    return fail(ErrorKind::kExhausted, "no more threads");
  }
  pthread_setname_np(thread_.native_handle(), "tp-multicast");
  return {};
}

MulticastHost::~MulticastHost() { end_thread(); }

void MulticastHost::stop() {
  end_thread();
  port_->stop();
}

void MulticastHost::all_claimed() {
  all_claimed_ = true;
  wake();
}

void MulticastHost::ask_to_end() {
  stopping_ = true;
  wake();
}

// A failed write means that the counter is full, and so the thread is awake.
void MulticastHost::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.number(), &one, sizeof one);
}

void MulticastHost::end_thread() {
  if (!thread_.joinable()) return;
  ask_to_end();
  thread_.join();
}

void MulticastHost::end() {
  if (!thread_.joinable()) return;
  ask_to_end();
  std::unique_lock lock(mutex_);
  if (thread_.get_id() != std::this_thread::get_id() && ended_.wait_for(lock, kPatience, [&] { return has_ended_; })) {
    lock.unlock();
    thread_.join();
    return;
  }
  TURNPIKE_LOG(LogLevel::kError, "runtime", "a client does not return from its callback");
  thread_.detach();
}

// --- the thread ------------------------------------------------------------------------------------------------------

void MulticastHost::loop() {
  pollfd watched[] = {{wake_.number(), POLLIN, 0}, {port_->descriptor(), POLLIN, 0}, {links_->descriptor(), POLLIN, 0}};
  while (!stopping_) {
    const int ready = ::poll(watched, std::size(watched), wait_time());
    if (ready < 0) continue;  // a signal that cannot be blocked
    if (watched[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto taken = ::read(wake_.number(), &count, sizeof count);
    }
    read_what_waits(watched[1].revents != 0, watched[2].revents != 0);
    seek_keeper();
    settle();
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
}

int MulticastHost::wait_time() const {
  std::optional<std::chrono::steady_clock::time_point> until = settles_at_;
  if (is_to_be_kept_) until = until ? std::min(*until, seeks_at_) : seeks_at_;
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

// By the clock, not where nothing else is to be done: a keeper is wanted most while flows come.
void MulticastHost::seek_keeper() {
  constexpr auto kPause = std::chrono::seconds(1);
  if (!is_to_be_kept_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < seeks_at_) return;
  seeks_at_ = now + kPause;
  port_->seek_keeper();
}

void MulticastHost::settle() {
  const bool is_due = settles_at_ && std::chrono::steady_clock::now() >= *settles_at_;
  if (!all_claimed_.exchange(false) && !is_due) return;
  settles_at_.reset();
  const auto standing = port_->unclaimed();
  for (const auto& each : standing) {
    if (each.parent != mgm::kNoVif && !stopping_) manager_.unknown_flow(each.flow, each.parent, {});
  }
  if (stopping_) return;
  const auto left = port_->status().unclaimed;
  port_->sweep();
  TURNPIKE_LOG(LogLevel::kNotice, "runtime", "multicast forwarding of an earlier life is taken over",
               {"entries", standing.size() - left}, {"removed", left});
}

// Read until none waits: while flows come, more of them have come meanwhile, and asking for one that is not there costs
// less than poll().
void MulticastHost::read_what_waits(bool upcalls, bool news) {
  for (std::size_t left = upcalls ? kUpcalls : 0; left != 0 && !stopping_;) {
    const auto read = port_->read(*this, left);
    if (!read) {
      TURNPIKE_LOG(LogLevel::kError, "runtime", "upcalls cannot be read", {"errno", read.error().system_code});
    }
    if (!read || *read == 0) break;
    left -= std::min(left, *read);
  }
  if (news && !links_->read(*this)) on_loss(kernel::Loss::kUnreadable);
}

void MulticastHost::on_upcall(const kernel::Upcall& upcall) {
  switch (upcall.kind) {
    case kernel::UpcallKind::kUnknownFlow:
      return manager_.unknown_flow(upcall.flow, upcall.vif, upcall.header);
    case kernel::UpcallKind::kWrongInterface:
    case kernel::UpcallKind::kWholeWrong:
      return manager_.wrong_interface(upcall.flow, upcall.vif, upcall.header);
    case kernel::UpcallKind::kWholePacket:  // for a tunnel to a rendezvous point, which nobody can ask for by mgm.h
      return;
  }
}

void MulticastHost::on_link(const kernel::Notice& notice, const kernel::Link& link) {
  if (notice.gone) return port_->device_gone(link.index);
  if (const auto there = port_->device_there(link.index); !there) {
    TURNPIKE_LOG(LogLevel::kWarning, "runtime", "multicast is not yet forwarded on a device that has come back",
                 {"interface", link.index.value()}, {"errno", there.error().system_code});
  }
}

// Then each device that matters is asked for.
void MulticastHost::on_loss(kernel::Loss) {
  for (const net::InterfaceIndex device : port_->devices()) {
    char name[IF_NAMESIZE];
    port_->device_gone(device);
    if (if_indextoname(device.value(), name) != nullptr) (void)port_->device_there(device);
  }
}

}  // namespace turnpike::runtime
