// The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), spoken without libsystemd.
//
// One datagram for each entry, sent to the journal's address rather than over a connected socket, so that a journal
// that has been restarted is found again. An entry that is too large for a datagram travels as a sealed memory file.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "base/log_sinks.h"

namespace turnpike {
namespace {

class JournalSink : public LogSink {
 public:
  JournalSink(Descriptor socket, const sockaddr_un& address, std::string_view identifier)
      : socket_(std::move(socket)), address_(address), identifier_(identifier) {}

  bool write(const LogRecord& record) override {
    entry_.clear();
    append_journal(entry_, record, identifier_);
    iovec part{entry_.data(), entry_.size()};
    msghdr message = addressed();
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    bool sent = send(message);
    if (!sent && (errno == EMSGSIZE || errno == ENOBUFS)) sent = send_as_file();
    detail::trim(entry_);
    return sent;
  }

 private:
  msghdr addressed() {
    msghdr message{};
    message.msg_name = &address_;
    message.msg_namelen = sizeof address_;
    return message;
  }

  bool send(const msghdr& message) const {
    ssize_t sent = -1;
    do {
      sent = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
  }

  // journald takes a memory file only if it is sealed: nobody can change it while the journal reads.
  bool send_as_file() {
    const Descriptor file(::memfd_create("turnpike-log", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file.is_open()) return false;
    std::string_view rest = entry_;
    while (!rest.empty()) {
      const ssize_t written = ::write(file.number(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fcntl(file.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
      return false;

    const int number = file.number();
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof number)> control{};
    msghdr message = addressed();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof number);
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    return send(message);
  }

  Descriptor socket_;
  sockaddr_un address_;
  std::string identifier_;
  std::string entry_;
};

bool is_socket(const char* path) {
  struct stat found{};
  return ::stat(path, &found) == 0 && S_ISSOCK(found.st_mode);
}

}  // namespace

Result<std::unique_ptr<LogSink>> make_journal_sink(std::string_view identifier, const char* path) noexcept {
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalidArgument, "no path for a socket");
  }
  if (!is_socket(path)) return fail(ErrorKind::kUnsupported, "no journal listens here");
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail(ErrorKind::kExhausted, "no descriptor is left");
  if (identifier.empty()) identifier = program_invocation_short_name;
  return detail::in_memory([&] { return std::make_unique<JournalSink>(std::move(socket), address, identifier); });
}

}  // namespace turnpike
