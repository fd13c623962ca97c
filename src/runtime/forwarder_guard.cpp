#include "runtime/forwarder_guard.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <utility>

namespace turnpike::runtime {
namespace {

struct Name {
  sockaddr_un address{};
  socklen_t size = 0;
};

Name name_of(std::uint32_t kernel_table, std::uint8_t protocol) {
  const std::string text =
      "turnpike-forwarder/" + std::to_string(kernel_table) + "/" + std::to_string(unsigned{protocol});
  Name name;
  name.address.sun_family = AF_UNIX;
  std::ranges::copy(text, name.address.sun_path + 1);  // the first byte stays zero: an abstract name
  name.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

const sockaddr* as_address(const Name& name) { return reinterpret_cast<const sockaddr*>(&name.address); }

// The kernel notes who called listen().
std::string who_holds(const Name& name) {
  const Descriptor asks(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ucred holder{};
  socklen_t size = sizeof holder;
  if (!asks.is_open() || ::connect(asks.number(), as_address(name), name.size) != 0 ||
      ::getsockopt(asks.number(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0) {
    return "a process that does not say who it is";
  }
  std::string command;
  std::getline(std::ifstream("/proc/" + std::to_string(holder.pid) + "/comm"), command);
  return "process " + std::to_string(holder.pid) + (command.empty() ? "" : " (" + command + ")");
}

}  // namespace

Result<ForwarderGuard> ForwarderGuard::take(std::uint32_t kernel_table, std::uint8_t protocol, std::string& holder) {
  const Name name = name_of(kernel_table, protocol);
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.is_open()) return fail_errno(errno, "no socket for the forwarder's guard");
  if (::bind(listener.number(), as_address(name), name.size) != 0) {
    if (errno != EADDRINUSE) return fail_errno(errno, "the forwarder's guard cannot be taken");
    holder = who_holds(name);
    return fail(ErrorKind::kBusy, "a forwarder of this kernel table runs already");
  }
  if (::listen(listener.number(), 8) != 0) return fail_errno(errno, "the forwarder's guard cannot be taken");
  return ForwarderGuard(std::move(listener));
}

}  // namespace turnpike::runtime
