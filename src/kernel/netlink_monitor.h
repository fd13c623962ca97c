// NetlinkMonitor: what the kernel tells of its own accord.
//
// Each notification is a datagram. A burst larger than the socket's buffer is lost from then on, and the kernel says
// so once (ENOBUFS): that is a Loss. It goes on losing, without another word, until the socket has been read empty. So
// what still waits is thrown away before the Loss is told: a dump made then is not out of date without anybody's
// knowing, and no old news is taken for what happened after it. What can be kept out of the buffer keeps it from
// overrunning, so the writers that are left out are dropped by a filter in the kernel, before they cost memory.
#pragma once

#include <vector>

#include "kernel/codec.h"
#include "kernel/netlink_socket.h"
#include "kernel/port.h"

namespace turnpike::kernel {

class NetlinkMonitor final : public Monitor {
 public:
  static Result<std::unique_ptr<Monitor>> open(const NetNamespace& where, const MonitorOptions& options);

  explicit NetlinkMonitor(NetlinkSocket socket);

  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  Result<std::size_t> read(Listener& listener, std::size_t most) override;
  Result<void> leave_out(Identity writer) override;

 private:
  void tell(Listener& listener, const Message& message);
  void discard();

  NetlinkSocket socket_;
  std::vector<std::uint8_t> buffer_;
  std::vector<Identity> left_out_;
  Decoder decoder_;
  bool lost_ = false;  // and not yet read empty
};

}  // namespace turnpike::kernel
