// The interfaces of Linux as NDIS adapters: those of the calling thread's network namespace.
#pragma once

#include <functional>
#include <memory>

#include "ndis/port.h"

namespace turnpike::kernel {

enum class AdapterKind : std::uint8_t {
  kPacket,  // a packet socket with a ring: any interface, beside the host's stack
  kXdp,     // AF_XDP: faster, and what is received is taken from the host's stack
  kTap,     // the other end of a TUN or TAP interface that nobody holds
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
  // How an interface is opened, asked each time, on the thread that opens it. Absent: by a packet socket. AF_XDP is
  // nobody's default, however much faster: it takes frames from the host.
  std::function<AdapterChoice(const ndis::AdapterFacts&)> choose = {};
  std::size_t monitor_buffer = std::size_t{4} << 20;
};

// Whether this build has AF_XDP: it has where libxdp and libbpf were there.
[[nodiscard]] bool has_xdp() noexcept;

// kKernel where there is no netlink. Opens no interface, so it needs no capability.
Result<std::unique_ptr<ndis::AdapterSource>> open_real_adapters(AdapterOptions options = {});

// Waits until what this source's closed adapters left behind has gone from the kernel. For tests, and before the
// library is unloaded.
void drain(ndis::AdapterSource& source);

}  // namespace turnpike::kernel
