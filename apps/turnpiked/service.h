// What a service manager is told: a few lines of datagram at the socket that it named, and nothing where there is none.
// The protocol is sd_notify(3)'s, which is public; no library is needed for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace turnpike::daemon {

class Service {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which are taken out of the environment: they are for this
  // process and not for one that it starts.
  static Service from_environment();

  void ready(std::string_view status) const { tell(std::string("READY=1\nSTATUS=") + std::string(status)); }
  // `ready` says that it is over.
  void reloading() const;
  void stopping() const { tell("STOPPING=1"); }
  void alive() const { tell("WATCHDOG=1"); }

  // How often `alive` is to be said; nothing: nobody asks.
  [[nodiscard]] std::optional<std::chrono::milliseconds> watchdog() const { return watchdog_; }

 private:
  void tell(const std::string& message) const;

  std::string socket_;
  std::optional<std::chrono::milliseconds> watchdog_;
};

}  // namespace turnpike::daemon
