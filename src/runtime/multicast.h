// Multicast: this process's multicast group manager of one family, and what it hangs on: a view of the routing table,
// the world's clock and timer, and a forwarder.
//
// Which forwarder, is the program's choice. Without one, entries are computed, shown and kept in step, and go to one in
// memory (mgm/memory_forwarder.h): no packet is forwarded, and the log and TpMgmGetStatus say so. `start` puts the
// kernel in its place, `stop` takes it away again; either while no client is registered, so that nobody's interfaces
// have to change places. A kernel that refuses is a refused start, never a silent return to memory.
//
// With its first client the manager becomes a client of the routing table, with its last it leaves it.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "kernel/multicast/multicast_port.h"
#include "mgm/manager.h"
#include "mgm/memory_forwarder.h"
#include "runtime/multicast_host.h"
#include "runtime/multicast_view.h"

namespace turnpike::runtime {

class World;

struct MulticastSettings {
  kernel::MulticastOptions kernel;
  std::chrono::milliseconds settle{30'000};  // after a take-over, until every client has to have said what it has
  bool unicast_view = false;                 // the way to a source is that of unicast packets
};

class Multicast final : mgm::Alarm, Clock {
 public:
  Multicast(World& world, net::Family family);

  // Made at the first call. kExhausted: no memory.
  Result<mgm::Manager*> manager();
  // Null: it was never needed.
  [[nodiscard]] mgm::Manager* manager_if_made() const { return manager_.load(std::memory_order_acquire); }
  [[nodiscard]] bool has_clients() const;

  Result<Handle> register_client(mgm::Registration registration);
  Result<void> deregister_client(Handle self);

  // From now on the kernel forwards. kAlreadyExists: it does already. kUnsupported, kDenied, kKernel, kInvalidArgument,
  // and kBusy with `holder` filled in: as kernel::open_multicast_port has it. kBusy without: clients are registered.
  Result<void> start(MulticastSettings settings, std::string& holder);
  // After a take-over: every client has said what it has. kNotFound: the kernel does not forward.
  Result<void> all_claimed();
  // Nothing of ours is in the kernel afterwards. kNotFound: it does not forward. kBusy: clients are registered.
  Result<void> stop();
  // The process ends: nobody is called any more, and the kernel stays as it is.
  void end();
  // Nothing: the kernel does not forward.
  [[nodiscard]] std::optional<kernel::MulticastStatus> kernel_status();
  // kNotFound: the kernel does not forward, or nobody holds the device.
  Result<kernel::VifCounters> device_counters(net::InterfaceIndex device);

  MulticastView& view() { return view_; }
  mgm::MemoryForwarder& forwarder() { return memory_; }
  void use_system_devices();

 private:
  // What the manager knows as its forwarder for good: it leads to one or the other.
  class Chosen final : public mgm::Forwarder {
   public:
    explicit Chosen(mgm::Forwarder& first) : now_(&first) {}
    void choose(mgm::Forwarder& other) { now_.store(&other, std::memory_order_release); }
    [[nodiscard]] mgm::Vif vif_limit() const noexcept override { return now()->vif_limit(); }
    Result<void> add_vif(mgm::Vif vif, net::InterfaceIndex device) noexcept override {
      return now()->add_vif(vif, device);
    }
    Result<void> remove_vif(mgm::Vif vif) noexcept override { return now()->remove_vif(vif); }
    Result<void> put(const mgm::ForwarderEntry& entry) noexcept override { return now()->put(entry); }
    Result<void> remove(const mgm::Flow& flow) noexcept override { return now()->remove(flow); }
    Result<mgm::FlowCounters> counters(const mgm::Flow& flow) noexcept override { return now()->counters(flow); }

   private:
    [[nodiscard]] mgm::Forwarder* now() const { return now_.load(std::memory_order_acquire); }
    std::atomic<mgm::Forwarder*> now_;
  };

  Result<mgm::Manager*> manager_locked();
  void deadline_moved(MonotonicTime at) noexcept override;

  // Clock: whichever the world has now.
  [[nodiscard]] MonotonicTime now() const noexcept override;
  [[nodiscard]] WallTime wall() const noexcept override;
  [[nodiscard]] Duration real_delay_until(MonotonicTime deadline) const noexcept override;
  void observe(ClockObserver& observer) override;
  void unobserve(ClockObserver& observer) noexcept override;

  World& world_;
  const net::Family family_;
  mgm::MemoryForwarder memory_;
  Chosen chosen_;
  MulticastView view_;
  std::mutex mutex_;  // of making, opening and closing, starting and stopping; no client is waited for under it
  bool is_open_ = false;
  bool has_warned_ = false;
  std::unique_ptr<mgm::Manager> owned_;
  std::atomic<mgm::Manager*> manager_{nullptr};
  std::unique_ptr<MulticastHost> host_;
};

}  // namespace turnpike::runtime
