// PacketSocket: a packet socket of one interface, and what it asks of the device: which frames are to pass, and which
// the device is to hand up beyond those that it hands up anyway (memberships; they end with the socket).
#pragma once

#include <set>

#include "base/descriptor.h"
#include "kernel/adapters/adapter_opening.h"

namespace turnpike::kernel {

// What the device itself is asked for.
struct Memberships {
  bool promiscuous = false;
  bool all_groups = false;
  std::set<net::MacAddress> groups;

  static Memberships of(const ndis::Reception& wanted);
};

class PacketSocket {
 public:
  // kDenied: CAP_NET_RAW is missing; kKernel. Belongs to no interface yet.
  static Result<PacketSocket> open(const AdapterOpening& opening);

  [[nodiscard]] int number() const { return descriptor_.number(); }
  Descriptor take() { return std::move(descriptor_); }

  // What receive() of the port says; on failure it is as before, as far as the kernel takes things back. `sifted`: the
  // kernel throws away what is not wanted; else who reads does.
  Result<void> want(const ndis::Reception& wanted, bool sifted);
  // Has the kernel do so from now on, or no longer.
  Result<void> sift(const ndis::Reception& wanted, bool sifted);
  // The same for what the device itself is asked for, where another socket receives.
  Result<void> want_of_device(const ndis::Reception& wanted);
  // No frame reaches the ring from now on, and the device is asked for nothing.
  void want_nothing() noexcept;
  // Whether it still belongs to the device.
  [[nodiscard]] bool is_bound() const;
  Result<void> set(int option, int value);  // of SOL_PACKET
  // To the interface, for frames of `type`; 0: to send alone.
  Result<void> bind(std::uint16_t type);

 private:
  PacketSocket(Descriptor descriptor, net::InterfaceIndex index)
      : descriptor_(std::move(descriptor)), index_(static_cast<int>(index.value())) {}

  Result<void> membership(bool add, unsigned short kind, const net::MacAddress& group = {});
  Result<void> change(const Memberships& to, bool add, const Memberships& from);

  Descriptor descriptor_;
  int index_;
  std::uint16_t bound_ = 0;
  Memberships memberships_;
};

}  // namespace turnpike::kernel
