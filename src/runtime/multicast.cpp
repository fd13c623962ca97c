#include "runtime/multicast.h"

#include <net/if.h>

#include <utility>

#include "base/log.h"
#include "runtime/world.h"

namespace turnpike::runtime {
namespace {

bool is_device(net::InterfaceIndex index) {
  char name[IF_NAMESIZE];
  return if_indextoname(index.value(), name) != nullptr;
}

}  // namespace

Multicast::Multicast(World& world, net::Family family)
    : world_(world),
      family_(family),
      memory_(is_device),
      chosen_(memory_),
      view_(world, family, [this](const net::Prefix& prefix) { manager_if_made()->routes_changed(prefix); }) {}

Result<mgm::Manager*> Multicast::manager() {
  if (mgm::Manager* made = manager_if_made(); made != nullptr) {
    return made;
  }
  const std::lock_guard lock(mutex_);
  return manager_locked();
}

Result<mgm::Manager*> Multicast::manager_locked() {
  if (owned_ == nullptr) {
    mgm::Config config;
    config.family = family_;
    auto made = mgm::Manager::make(config, {chosen_, view_, *this, *this});
    if (!made) {
      return tl::unexpected(made.error());
    }
    owned_ = std::move(*made);
    manager_.store(owned_.get(), std::memory_order_release);
  }
  return owned_.get();
}

bool Multicast::has_clients() const {
  const mgm::Manager* manager = manager_if_made();
  return manager != nullptr && manager->has_clients();
}

Result<Handle> Multicast::register_client(mgm::Registration registration) {
  const auto made = manager();
  if (!made) {
    return tl::unexpected(made.error());
  }
  const std::lock_guard lock(mutex_);
  if (!is_open_) {
    if (host_ == nullptr && !std::exchange(has_warned_, true)) {
      TURNPIKE_LOG(LogLevel::kNotice, "runtime",
                   "no multicast forwarder: entries are computed, and the kernel does not get them");
    }
    view_.open();
    is_open_ = true;
  }
  return (*made)->register_client(std::move(registration));
}

Result<void> Multicast::deregister_client(Handle self) {
  const auto made = manager();
  if (!made) {
    return tl::unexpected(made.error());
  }
  const auto done = (*made)->deregister_client(self);
  const std::lock_guard lock(mutex_);
  if (done && is_open_ && !(*made)->has_clients()) {
    is_open_ = false;
    view_.close();
  }
  return done;
}

// --- the kernel ------------------------------------------------------------------------------------------------------

Result<void> Multicast::start(MulticastSettings settings, std::string& holder) {
  const std::lock_guard lock(mutex_);
  if (host_ != nullptr)
    return fail(ErrorKind::kAlreadyExists, "the kernel forwards multicast for this process already");
  if (has_clients()) return fail(ErrorKind::kBusy, "multicast clients are registered");
  const auto manager = manager_locked();
  if (!manager) return tl::unexpected(manager.error());
  settings.kernel.family = family_;
  auto host = MulticastHost::open(settings.kernel, settings.settle, **manager, holder);
  if (!host) return tl::unexpected(host.error());
  chosen_.choose((*host)->port());
  if (auto running = (*host)->run(); !running) {
    chosen_.choose(memory_);
    (*host)->stop();
    return running;
  }
  (*manager)->set_wrong_interface_alerts(settings.kernel.wrong_interface);
  view_.look_into(settings.unicast_view ? MulticastView::Kind::kUnicast : MulticastView::Kind::kMulticast);
  host_ = std::move(*host);
  return {};
}

Result<void> Multicast::all_claimed() {
  const std::lock_guard lock(mutex_);
  if (host_ == nullptr) return fail(ErrorKind::kNotFound, "the kernel forwards no multicast for this process");
  host_->all_claimed();
  return {};
}

Result<void> Multicast::stop() {
  const std::lock_guard lock(mutex_);
  if (host_ == nullptr) return fail(ErrorKind::kNotFound, "the kernel forwards no multicast for this process");
  if (has_clients()) return fail(ErrorKind::kBusy, "multicast clients are registered");
  host_->stop();
  chosen_.choose(memory_);
  host_.reset();
  owned_->set_wrong_interface_alerts(false);
  view_.look_into(MulticastView::Kind::kMulticast);
  return {};
}

// A client that is still registered goes on, over a port without a thread. A callback that runs may want the lock.
void Multicast::end() {
  MulticastHost* host = nullptr;
  {
    const std::lock_guard lock(mutex_);
    host = host_.get();
  }
  if (host != nullptr) host->end();
}

std::optional<kernel::MulticastStatus> Multicast::kernel_status() {
  const std::lock_guard lock(mutex_);
  return host_ != nullptr ? std::optional(host_->port().status()) : std::nullopt;
}

Result<kernel::VifCounters> Multicast::device_counters(net::InterfaceIndex device) {
  const std::lock_guard lock(mutex_);
  if (host_ == nullptr) return fail(ErrorKind::kNotFound, "the kernel forwards no multicast for this process");
  return host_->port().device_counters(device);
}

void Multicast::use_system_devices() { memory_.set_devices(is_device); }

void Multicast::deadline_moved(MonotonicTime at) noexcept { world_.multicast_deadline_moved(family_, at); }

MonotonicTime Multicast::now() const noexcept { return world_.clock().now(); }
WallTime Multicast::wall() const noexcept { return world_.clock().wall(); }
Duration Multicast::real_delay_until(MonotonicTime deadline) const noexcept {
  return world_.clock().real_delay_until(deadline);
}
void Multicast::observe(ClockObserver& observer) { world_.clock().observe(observer); }
void Multicast::unobserve(ClockObserver& observer) noexcept { world_.clock().unobserve(observer); }

}  // namespace turnpike::runtime
