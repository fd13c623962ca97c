// MemoryForwarder: a multicast forwarder that forwards nothing: it keeps what it is given, counts what it is told came
// in, and asks the manager where it has no entry, as the kernel does. For tests, for embedding, and for a process
// without a multicast routing socket.
//
// It behaves as the kernel was seen to (docs/contract/mgm.md, 7.2): an unknown flow is asked for once until its entry
// comes (K6), an entry without outgoing interface swallows and counts (K10), replacing keeps the counters (K11).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "mgm/forwarder_port.h"

namespace turnpike::mgm {

class Manager;

class MemoryForwarder final : public Forwarder {
 public:
  // Which devices there are; none given: as `is_device` says.
  using IsDevice = std::function<bool(net::InterfaceIndex)>;
  explicit MemoryForwarder(IsDevice is_device = {}, Vif vifs = 32);

  [[nodiscard]] Vif vif_limit() const noexcept override { return static_cast<Vif>(vifs_.size()); }
  Result<void> add_vif(Vif vif, net::InterfaceIndex device) noexcept override;
  Result<void> remove_vif(Vif vif) noexcept override;
  Result<void> put(const ForwarderEntry& entry) noexcept override;
  Result<void> remove(const Flow& flow) noexcept override;
  Result<FlowCounters> counters(const Flow& flow) noexcept override;

  // A packet comes in. True: an entry took it, perhaps one that this very packet led to; the devices where it left are
  // then in `left`. A packet of a flow that is being asked for waits, up to four, and is counted when the entry comes.
  bool packet(Manager& manager, const Flow& flow, net::InterfaceIndex arrival, std::span<const std::byte> header,
              std::vector<net::InterfaceIndex>* left = nullptr, std::uint8_t ttl = 64);

  // What it has.
  struct Held {
    net::InterfaceIndex parent;
    std::vector<net::InterfaceIndex> out;
  };
  [[nodiscard]] std::optional<Held> entry(const Flow& flow) const;
  [[nodiscard]] std::vector<net::InterfaceIndex> devices() const;
  [[nodiscard]] std::size_t entries() const;

  void set_devices(IsDevice is_device);
  // From now on that many calls that add something succeed, and then all fail with the errno. Negative: all succeed.
  void fail_after(int calls, int system_code);

 private:
  struct Kept {
    Vif parent = kNoVif;
    std::vector<OutVif> out;
    FlowCounters counters;
  };
  static constexpr unsigned kWaiting = 4;

  bool refuses();
  net::InterfaceIndex device_of(Vif vif) const;
  Vif vif_of(net::InterfaceIndex device) const;
  void take(Kept& kept, Vif arrival, std::uint8_t ttl, std::vector<net::InterfaceIndex>* left);

  mutable std::mutex mutex_;
  IsDevice is_device_;
  std::vector<net::InterfaceIndex> vifs_;
  std::map<Flow, Kept> entries_;
  std::map<Flow, std::vector<Vif>> unresolved_;  // where their packets came in
  int calls_left_ = -1;
  int system_code_ = 0;
};

}  // namespace turnpike::mgm
