#include "admin/client/router_client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

#include "admin/wire/frame.h"

namespace turnpike::admin {

Result<RouterClient> RouterClient::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalidArgument, "a socket's path has 1 to 107 bytes");
  }
  path.copy(address.sun_path, path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail_errno(errno, "no socket");
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EACCES || errno == EPERM) return fail(ErrorKind::kDenied, "the router's socket is not for this user");
    return fail(ErrorKind::kNotFound, "no router answers there");
  }
  return RouterClient(std::move(socket));
}

Result<void> RouterClient::send(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t now = ::send(socket_.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return fail_errno(errno, "the connection to the router broke");
    sent += static_cast<std::size_t>(now);
  }
  return {};
}

Result<Value> RouterClient::receive() {
  std::array<char, 65536> part;
  for (;;) {
    auto frame = take_frame(in_, kLargestAnswer);
    if (!frame) return tl::unexpected(frame.error());
    if (*frame) return std::move(**frame);
    const ssize_t got = ::recv(socket_.number(), part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail_errno(got == 0 ? ECONNRESET : errno, "the connection to the router broke");
    in_.append(part.data(), static_cast<std::size_t>(got));
  }
}

Result<void> RouterClient::ask(const std::vector<std::string>& words, const std::function<bool(const Value&)>& take) {
  std::string out;
  put_frame(out, Value::List(words.begin(), words.end()));
  if (auto sent = send(out); !sent) return sent;
  for (;;) {
    const auto answer = receive();
    if (!answer) return tl::unexpected(answer.error());
    // A part is {value, more}; the end is {}.
    const Value* value = answer->find("value");
    if (value == nullptr) return {};
    if (!take(*value)) return {};
  }
}

}  // namespace turnpike::admin
