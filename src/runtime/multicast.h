// Multicast: this process's multicast group manager, and what it hangs on: the multicast view of the routing table, the
// world's clock and timer, and a forwarder.
//
// The forwarder is one in memory (mgm/memory_forwarder.h): entries are computed, shown and kept in step, and the kernel
// does not get them. The log says so when the manager is made, TpMgmGetStatus at any time.
//
// With its first client the manager becomes a client of the routing table, with its last it leaves it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "mgm/manager.h"
#include "mgm/memory_forwarder.h"
#include "runtime/multicast_view.h"

namespace turnpike::runtime {

class World;

class Multicast final : mgm::Alarm, Clock {
 public:
  explicit Multicast(World& world);

  // Made at the first call. kExhausted: no memory.
  Result<mgm::Manager*> manager();
  // Null: it was never needed.
  [[nodiscard]] mgm::Manager* manager_if_made() const { return manager_.load(std::memory_order_acquire); }
  [[nodiscard]] bool has_clients() const;

  Result<Handle> register_client(mgm::Registration registration);
  Result<void> deregister_client(Handle self);

  MulticastView& view() { return view_; }
  mgm::MemoryForwarder& forwarder() { return forwarder_; }
  void use_system_devices();

 private:
  void deadline_moved(MonotonicTime at) noexcept override;

  // Clock: whichever the world has now.
  [[nodiscard]] MonotonicTime now() const noexcept override;
  [[nodiscard]] WallTime wall() const noexcept override;
  [[nodiscard]] Duration real_delay_until(MonotonicTime deadline) const noexcept override;
  void observe(ClockObserver& observer) override;
  void unobserve(ClockObserver& observer) noexcept override;

  World& world_;
  mgm::MemoryForwarder forwarder_;
  MulticastView view_;
  std::mutex mutex_;  // of making, opening and closing; no client is waited for under it
  bool is_open_ = false;
  std::unique_ptr<mgm::Manager> owned_;
  std::atomic<mgm::Manager*> manager_{nullptr};
};

}  // namespace turnpike::runtime
