// The socket of an FPM feed. One connection at a time: a second sender would have its routes mixed with the first's,
// so it is turned away for as long as the first is there; that one is known to be gone by the keepalive at the latest.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/log.h"
#include "kernel/fpm/fpm_port.h"
#include "kernel/fpm/fpm_stream.h"

namespace turnpike::kernel {
namespace {

constexpr std::size_t kSlice = std::size_t{256} << 10;
constexpr int kReceiveBuffer = 4 << 20;  // zebra sends a full table as fast as it can

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
sockaddr* as_socket_address(SocketAddress& address) { return reinterpret_cast<sockaddr*>(&address.storage); }

SocketAddress socket_address(const Address& address, std::uint16_t port) {
  SocketAddress result;
  if (address.is_ipv4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::ranges::copy(address.bytes(), reinterpret_cast<std::uint8_t*>(&in.sin_addr));
    result.size = sizeof in;
    std::memcpy(&result.storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::ranges::copy(address.bytes(), in.sin6_addr.s6_addr);
    result.size = sizeof in;
    std::memcpy(&result.storage, &in, sizeof in);
  }
  return result;
}

std::uint16_t port_of(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, as_socket_address(address), &address.size) != 0) return 0;
  in_port_t port = 0;  // at the same place in both families
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  std::memcpy(&port, reinterpret_cast<const char*>(&address.storage) + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

tl::unexpected<Error> refusal(int code) {
  switch (code) {
    case EADDRINUSE:
      return fail(ErrorKind::kBusy, "somebody listens at the FPM's address already");
    case EADDRNOTAVAIL:
      return fail(ErrorKind::kInvalidArgument, "the FPM's address is none of this machine's");
    case EACCES:
    case EPERM:
      return fail(ErrorKind::kDenied, "the FPM's port may not be taken");
    default:
      return fail_errno(code, "the FPM's socket cannot be had");
  }
}

void set(int socket, int level, int option, int value) {
  static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));  // it works without, only less well
}

class FpmServer final : public FpmFeed {
 public:
  static Result<std::unique_ptr<FpmFeed>> open(const Address& address, std::uint16_t port) {
    SocketAddress where = socket_address(address, port);
    Descriptor listening(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listening.is_open()) return refusal(errno);
    set(listening.number(), SOL_SOCKET, SO_REUSEADDR, 1);
    set(listening.number(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    if (::bind(listening.number(), as_socket_address(where), where.size) != 0 || ::listen(listening.number(), 8) != 0)
      return refusal(errno);
    Descriptor both(::epoll_create1(EPOLL_CLOEXEC));
    if (!both.is_open() || !watch(both, listening)) return refusal(errno);
    return std::make_unique<FpmServer>(std::move(listening), std::move(both));
  }

  FpmServer(Descriptor listening, Descriptor both)
      : listening_(std::move(listening)), both_(std::move(both)), stream_(std::in_place), buffer_(kSlice) {
    counts_.port = port_of(listening_.number());
  }

  [[nodiscard]] int descriptor() const override { return both_.number(); }

  // What the connection that is there has to say comes before the next one: an end is heard before a new beginning.
  bool read(FpmListener& listener) override {
    const bool more = connection_.is_open() && receive(listener);
    return accept(listener) || more;
  }

  [[nodiscard]] Counts counts() const override {
    Counts now = counts_;
    now.frames += stream_->frames();
    now.messages += stream_->messages();
    now.skipped += stream_->skipped();
    now.connected = connection_.is_open();
    return now;
  }

 private:
  static bool watch(const Descriptor& both, const Descriptor& one) {
    epoll_event event{};
    event.events = EPOLLIN;
    return ::epoll_ctl(both.number(), EPOLL_CTL_ADD, one.number(), &event) == 0;
  }

  bool accept(FpmListener& listener) {
    Descriptor made(::accept4(listening_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!made.is_open()) return false;
    if (connection_.is_open()) {
      ++counts_.turned_away;
      if (!std::exchange(told_of_second_, true)) {
        TURNPIKE_LOG(LogLevel::kWarning, "fpm", "a second sender of routes is turned away; one is connected");
      }
      return true;
    }
    if (!watch(both_, made)) return true;
    set(made.number(), SOL_SOCKET, SO_KEEPALIVE, 1);
    set(made.number(), IPPROTO_TCP, TCP_KEEPIDLE, 10);
    set(made.number(), IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(made.number(), IPPROTO_TCP, TCP_KEEPCNT, 3);
    connection_ = std::move(made);
    ++counts_.connections;
    TURNPIKE_LOG(LogLevel::kNotice, "fpm", "a sender of routes has connected");
    listener.on_open();
    return true;
  }

  bool receive(FpmListener& listener) {
    const auto got = ::recv(connection_.number(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got > 0) {
      const auto taken = stream_->take(Bytes(buffer_).first(static_cast<std::size_t>(got)), listener);
      if (taken) return true;
      ++counts_.faults;
      TURNPIKE_LOG(LogLevel::kError, "fpm", "what came is no FPM's: the connection is closed",
                   {"why", taken.error().what}, {"good_frames", stream_->frames()});
    } else if (got == 0 && stream_->is_between_frames()) {
      TURNPIKE_LOG(LogLevel::kNotice, "fpm", "the sender of routes has closed its connection",
                   {"frames", stream_->frames()});
    } else {
      TURNPIKE_LOG(LogLevel::kWarning, "fpm", "the connection of the sender of routes broke",
                   {"frames", stream_->frames()});
    }
    close(listener);
    return false;
  }

  void close(FpmListener& listener) {
    connection_.reset();
    counts_ = counts();
    stream_.emplace();
    told_of_second_ = false;
    listener.on_close();
  }

  Descriptor listening_, both_, connection_;
  std::optional<FpmStream> stream_;  // always there; of this connection
  Counts counts_;                    // of the connections before it
  bool told_of_second_ = false;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace

Result<std::unique_ptr<FpmFeed>> listen_for_fpm(const Address& address, std::uint16_t port) {
  return FpmServer::open(address, port);
}

}  // namespace turnpike::kernel
