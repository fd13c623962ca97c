// MulticastSocket: the routing socket of one multicast table, with the kernel's own numbers: each function is one
// option or ioctl, for either family. What it is good for is told in multicast_port.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/descriptor.h"
#include "base/result.h"
#include "kernel/multicast/multicast_port.h"

namespace turnpike::kernel {

inline constexpr mgm::Vif kMostVifs = 32;  // MAXVIFS, MAXMIFS

class MulticastSocket {
 public:
  // A socket that may become a table's owner, and is not yet: claim.
  static Result<MulticastSocket> open(net::Family family, std::size_t receive_buffer);

  // One that has a table already, from an earlier life.
  static Result<MulticastSocket> adopt(net::Family family, Descriptor descriptor, std::size_t receive_buffer);

  // kKernel with EADDRINUSE: another socket has the table.
  Result<void> claim(std::uint32_t table);
  Result<void> tell_wrong_interfaces(bool on);
  // Gives the table back, with all that is in it.
  void give_back();

  Result<void> add_vif(mgm::Vif number, net::InterfaceIndex device);
  Result<void> remove_vif(mgm::Vif number);
  Result<VifCounters> vif_counters(mgm::Vif number);

  // `thresholds` has a place for each virtual interface; 0: nothing leaves there.
  using Thresholds = std::array<std::uint8_t, kMostVifs>;
  Result<void> put(const mgm::Flow& flow, mgm::Vif parent, const Thresholds& thresholds);
  Result<void> remove(const mgm::Flow& flow);
  Result<mgm::FlowCounters> counters(const mgm::Flow& flow);

  [[nodiscard]] int number() const { return descriptor_.number(); }
  [[nodiscard]] net::Family family() const { return family_; }
  [[nodiscard]] std::size_t receive_buffer() const;

 private:
  MulticastSocket(net::Family family, Descriptor descriptor) : family_(family), descriptor_(std::move(descriptor)) {}

  Result<void> prepare(std::size_t receive_buffer);
  Result<void> set(int option, const void* value, std::size_t size, const char* what);
  Result<void> set_number(int option, int value, const char* what) { return set(option, &value, sizeof value, what); }

  net::Family family_;
  Descriptor descriptor_;
};

}  // namespace turnpike::kernel
