// FpmFeed: routes that a routing daemon sends us itself, by FRRouting's forwarding plane protocol (FPM).
//
// zebra's module dplane_fpm_nl connects by TCP and sends what it would write to the kernel, in the kernel's own words:
// netlink messages about routes and next hop objects, in frames of four bytes more. Nothing is ever answered. At each
// connection it sends all that it has, and then what changes; it does not say when it has sent all.
//
// It stands in this room because the messages are netlink's, and in a header of its own because those who use it
// (src/forwarder/fpm.h) need no codec and no socket. What is sent has no signature and nobody logs in: whoever can
// connect can route. So it listens on this machine alone unless told otherwise.
//
// No thread, no wait: `read` when `descriptor` is readable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "kernel/objects.h"

namespace turnpike::kernel {

inline constexpr std::uint16_t kFpmPort = 2620;

// What is sent, in the order in which it was sent. Values live as long as the call.
class FpmListener {
 public:
  FpmListener() = default;
  FpmListener(const FpmListener&) = delete;
  FpmListener& operator=(const FpmListener&) = delete;
  virtual ~FpmListener() = default;

  // A connection: all that there is will be said anew.
  virtual void on_open() = 0;
  // It ended; what it said may be out of date.
  virtual void on_close() = 0;
  // `gone`: removed. A route that is removed and added in one frame is told once, as added.
  virtual void on_route(bool gone, const Route& route) = 0;
  virtual void on_next_hop(bool gone, const NextHop& next_hop) = 0;
};

class FpmFeed {
 public:
  FpmFeed() = default;
  FpmFeed(const FpmFeed&) = delete;
  FpmFeed& operator=(const FpmFeed&) = delete;
  virtual ~FpmFeed() = default;

  [[nodiscard]] virtual int descriptor() const = 0;
  // Takes what has come, a slice of it at most. True: there may be more at once.
  virtual bool read(FpmListener& listener) = 0;

  struct Counts {
    std::uint64_t connections = 0;
    std::uint64_t turned_away = 0;  // a second one while there is a first
    std::uint64_t faults = 0;       // connections closed by us for what they sent
    std::uint64_t frames = 0, messages = 0;
    std::uint64_t skipped = 0;  // messages about what is not ours to know: labels, bridge entries
    bool connected = false;
    std::uint16_t port = 0;
  };
  [[nodiscard]] virtual Counts counts() const = 0;
};

// Listens. Port 0: the kernel chooses one. kBusy: somebody listens there; kDenied; kInvalidArgument: no address of this
// machine; kKernel. In the network namespace of the calling thread.
Result<std::unique_ptr<FpmFeed>> listen_for_fpm(const Address& address, std::uint16_t port);

}  // namespace turnpike::kernel
