#include "service.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/descriptor.h"

namespace turnpike::daemon {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value != nullptr ? value : "";
  ::unsetenv(name);
  return out;
}

std::optional<std::uint64_t> number_in(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Service Service::from_environment() {
  Service service;
  service.socket_ = take_variable("NOTIFY_SOCKET");
  const auto limit = number_in(take_variable("WATCHDOG_USEC"));
  const auto who = number_in(take_variable("WATCHDOG_PID"));
  const bool is_ours = !who || *who == static_cast<std::uint64_t>(::getpid());
  if (limit && *limit >= 2000 && is_ours) service.watchdog_ = std::chrono::milliseconds(*limit / 2000);
  return service;
}

void Service::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void Service::tell(const std::string& message) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // "@name" is a socket without a file.
  if (socket_.size() < 2 || socket_.size() > sizeof address.sun_path || (socket_[0] != '/' && socket_[0] != '@'))
    return;
  socket_.copy(address.sun_path, socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A service manager that does not listen, or not in time, is no reason to do anything else.
  const timeval patience{1, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  static_cast<void>(::sendto(socket.number(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size));
}

}  // namespace turnpike::daemon
