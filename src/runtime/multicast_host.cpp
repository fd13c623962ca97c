#include "runtime/multicast_host.h"

#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
                                                           mgm::Manager& manager, std::string& holder) {
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
  std::unique_ptr<MulticastHost> host(new MulticastHost(std::move(*port), manager));
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

void MulticastHost::ask_to_end() {
  stopping_ = true;
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
    if (::poll(watched, std::size(watched), -1) < 0) continue;  // a signal that cannot be blocked
    read_what_waits(watched[1].revents != 0, watched[2].revents != 0);
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
}

void MulticastHost::read_what_waits(bool upcalls, bool news) {
  if (upcalls) {
    if (const auto read = port_->read(*this, kUpcalls); !read) {
      TURNPIKE_LOG(LogLevel::kError, "runtime", "upcalls cannot be read", {"errno", read.error().system_code});
    }
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
