// What every kind of adapter is opened with.
#pragma once

#include <atomic>
#include <memory>

#include "base/descriptor.h"
#include "kernel/adapters/adapters_port.h"
#include "kernel/adapters/background_closer.h"
#include "kernel/net_namespace.h"
#include "ndis/port.h"

namespace turnpike::kernel {

// An adapter may outlive the source that opened it, and needs these of it.
using SharedNamespace = std::shared_ptr<const NetNamespace>;          // allow shared-owner: either goes first
using SharedCloser = std::shared_ptr<BackgroundCloser>;               // allow shared-owner: either goes first
using SharedMtu = std::shared_ptr<const std::atomic<std::uint32_t>>;  // allow shared-owner: either goes first

struct AdapterOpening {
  SharedNamespace where;
  ndis::FrameSink& sink;
  net::InterfaceIndex index;
  std::string name;        // of the interface, now
  std::size_t header = 0;  // bytes before the payload
  ndis::Medium medium = ndis::Medium::k802_3;
  SharedMtu mtu;  // the source sets it when the link changes
  SharedCloser closer;
  bool hardware = false;  // there is a device behind it

  // Of a frame's bytes, its header counted.
  [[nodiscard]] std::size_t limit() const { return mtu->load(std::memory_order_relaxed) + header; }
};

// The errors that say "you may not" become kDenied, with a line in the log that names the capability.
Error denied_or_kernel(int error, const char* what, const char* capability, const AdapterOpening& opening);

// The device's counters, by netlink.
Result<ndis::AdapterStatistics> read_statistics(const NetNamespace& where, net::InterfaceIndex index);

Result<std::unique_ptr<ndis::Adapter>> open_packet_adapter(const AdapterOpening& opening);
// kUnsupported where libxdp was not there when this was built.
Result<std::unique_ptr<ndis::Adapter>> open_xdp_adapter(const AdapterOpening& opening, Steal steal);
// `own`: of /dev/net/tun, where the interface is one of ours. Else as attach_tap() of tap_device.h.
Result<std::unique_ptr<ndis::Adapter>> open_tap_adapter(const AdapterOpening& opening, Descriptor own);

}  // namespace turnpike::kernel
