#include "runtime/multicast.h"

#include <net/if.h>

#include "base/log.h"
#include "runtime/world.h"

namespace turnpike::runtime {
namespace {

bool is_device(net::InterfaceIndex index) {
  char name[IF_NAMESIZE];
  return if_indextoname(index.value(), name) != nullptr;
}

}  // namespace

Multicast::Multicast(World& world)
    : world_(world), forwarder_(is_device), view_(world, net::Family::kIpv4, [this](const net::Prefix& prefix) {
        manager_if_made()->routes_changed(prefix);
      }) {}

Result<mgm::Manager*> Multicast::manager() {
  if (mgm::Manager* made = manager_if_made(); made != nullptr) {
    return made;
  }
  const std::lock_guard lock(mutex_);
  if (owned_ == nullptr) {
    auto made = mgm::Manager::make({}, {forwarder_, view_, *this, *this});
    if (!made) {
      return tl::unexpected(made.error());
    }
    owned_ = std::move(*made);
    TURNPIKE_LOG(LogLevel::kNotice, "runtime",
                 "no multicast forwarder: entries are computed, and the kernel does not get them");
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

void Multicast::use_system_devices() { forwarder_.set_devices(is_device); }

void Multicast::deadline_moved(MonotonicTime at) noexcept { world_.multicast_deadline_moved(at); }

MonotonicTime Multicast::now() const noexcept { return world_.clock().now(); }
WallTime Multicast::wall() const noexcept { return world_.clock().wall(); }
Duration Multicast::real_delay_until(MonotonicTime deadline) const noexcept {
  return world_.clock().real_delay_until(deadline);
}
void Multicast::observe(ClockObserver& observer) { world_.clock().observe(observer); }
void Multicast::unobserve(ClockObserver& observer) noexcept { world_.clock().unobserve(observer); }

}  // namespace turnpike::runtime
