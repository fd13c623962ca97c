// What a device hands to us beside what is meant for it: all packets, or all multicast. A port of its own, because it
// is not routing, and whoever wants it (a multicast protocol) wants nothing else.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "net/interface_index.h"

namespace turnpike::kernel {

enum class Reception : std::uint8_t { kAll = 0, kAllMulticast = 1 };

class ReceptionPort {
 public:
  ReceptionPort() = default;
  ReceptionPort(const ReceptionPort&) = delete;
  ReceptionPort& operator=(const ReceptionPort&) = delete;
  virtual ~ReceptionPort() = default;

  // One's own wish, whatever others wish of the same device; it ends with the port, and with the process. To wish twice
  // is to wish once. kKernel with the errno: there is no such device, or no permission.
  virtual Result<void> set(net::InterfaceIndex device, Reception reception, bool on) = 0;
};

// For the network namespace of the calling thread. kKernel where there is no packet socket.
Result<std::unique_ptr<ReceptionPort>> open_reception_port();

}  // namespace turnpike::kernel
