// A packet socket that is bound to nothing receives nothing; the memberships that it has are what counts. The kernel
// counts them a device and ends them with the socket, so a process that dies leaves no device promiscuous.
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <utility>

#include "base/descriptor.h"
#include "kernel/reception_port.h"

namespace turnpike::kernel {
namespace {

class RealReception final : public ReceptionPort {
 public:
  explicit RealReception(Descriptor socket) : socket_(std::move(socket)) {}

  Result<void> set(net::InterfaceIndex device, Reception reception, bool on) override {
    const std::pair key(device, reception);
    if (wishes_.contains(key) == on) return {};
    packet_mreq request{};
    request.mr_ifindex = static_cast<int>(device.value());
    request.mr_type = reception == Reception::kAll ? PACKET_MR_PROMISC : PACKET_MR_ALLMULTI;
    const int option = on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
    const bool done = ::setsockopt(socket_.number(), SOL_PACKET, option, &request, sizeof(request)) == 0;
    if (!done && on) return fail_errno(errno, "the device takes no wish for more packets");
    // A wish that cannot be taken back went with its device.
    if (on) {
      wishes_.insert(key);
    } else {
      wishes_.erase(key);
    }
    return {};
  }

 private:
  Descriptor socket_;
  std::set<std::pair<net::InterfaceIndex, Reception>> wishes_;
};

}  // namespace

Result<std::unique_ptr<ReceptionPort>> open_reception_port() {
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail_errno(errno, "no packet socket");
  return std::make_unique<RealReception>(std::move(socket));
}

}  // namespace turnpike::kernel
