// The interfaces of Linux as NDIS adapters: those of the calling thread's network namespace.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ndis/port.h"

namespace turnpike::kernel {

enum class AdapterKind : std::uint8_t {
  kPacket,  // a packet socket with a ring: any interface, beside the host's stack
  kXdp,     // AF_XDP: faster, and what is received is taken from the host's stack
  kTap,     // the far end of a TUN or TAP interface, where nobody else is: the host is the other station
};

// What an AF_XDP adapter may take from the host.
enum class Steal : std::uint8_t {
  kNamedTypes,  // frames of the types that bindings have named; to receive without naming any is refused
  kEverything,
};

struct AdapterChoice {
  AdapterKind kind = AdapterKind::kPacket;
  Steal steal = Steal::kNamedTypes;
};

struct AdapterOptions {
  // How an interface is opened, asked each time, on the thread that opens it, and on the source's own whenever an
  // interface is told of: at the far end of a TAP the address and the state of the link are not the host's. Absent: by
  // a packet socket. AF_XDP is nobody's default, however much faster: it takes frames from the host.
  std::function<AdapterChoice(const ndis::AdapterFacts&)> choose = {};
  std::size_t monitor_buffer = std::size_t{4} << 20;
};

// Whether this build has AF_XDP: it has where libxdp and libbpf were there.
[[nodiscard]] bool has_xdp() noexcept;

// kKernel where there is no netlink. Opens no interface, so it needs no capability.
Result<std::unique_ptr<ndis::AdapterSource>> open_real_adapters(AdapterOptions options = {});

// What `choose` answers is another now: the source asks again, and tells of every interface.
void choice_changed(ndis::AdapterSource& source);

// A TUN (kIp) or TAP (k802_3) interface of the source's own, in its namespace, down and without addresses. It is opened
// as kTap whatever `choose` says, and is there until it is removed or the source ends; a process that dies leaves none.
// When this returns the listener has been told of it; not from within an event.
// kUnsupported: no real source; kAlreadyExists, kInvalidArgument: of the name; kDenied: the log says why; kKernel.
Result<net::InterfaceIndex> add_tap(ndis::AdapterSource& source, const std::string& name, ndis::Medium medium);
// At once, also while adapters are open on it. kNotFound: it is none of the source's own; kDenied, kKernel: it stays.
Result<void> remove_tap(ndis::AdapterSource& source, net::InterfaceIndex index);

// Waits until what this source's closed adapters left behind has gone from the kernel. For tests, and before the
// library is unloaded.
void drain(ndis::AdapterSource& source);

}  // namespace turnpike::kernel
