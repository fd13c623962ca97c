// select and WSAPoll, over poll().
#include <winsock2.h>

#include <cerrno>
#include <span>
#include <vector>

#include "win32/sockets/system_sockets.h"
#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

constexpr short kReadable = POLLIN | POLLHUP | POLLRDHUP | POLLERR;

// Several sockets, waited for together; a closing wakes the waiter.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (const Held<Socket>& socket : sockets_) {
      socket->end_waiting();
    }
  }

  bool add(SOCKET handle, short events) {
    Held<Socket> socket = pin_socket(handle);
    if (!socket || !socket->begin_waiting()) {
      return false;
    }
    polled_.push_back({socket->descriptor(), events, 0});
    sockets_.push_back(std::move(socket));
    return true;
  }

  // How many have something to say; a signal is no reason to come back earlier, but time is then counted anew.
  int wait(const timespec* timeout) {
    const timespec at_once{};
    bool is_ready = false;
    for (std::size_t i = 0; i < size(); ++i) {
      is_ready = is_ready || can_accept(i);
    }
    int ready = 0;
    do {
      ready = ::ppoll(polled_.data(), polled_.size(), is_ready ? &at_once : timeout, nullptr);
    } while (ready < 0 && errno == EINTR);
    return ready;
  }

  short events(std::size_t index) const {
    return static_cast<short>(polled_[index].revents | (can_accept(index) ? POLLIN : 0));
  }
  Socket& socket(std::size_t index) const { return *sockets_[index]; }
  std::size_t size() const { return polled_.size(); }

 private:
  // A connection that was put off, of which Linux knows nothing any more.
  bool can_accept(std::size_t index) const {
    return (polled_[index].events & POLLIN) != 0 && sockets_[index]->has_put_off();
  }

  std::vector<pollfd> polled_;
  std::vector<Held<Socket>> sockets_;
};

std::span<SOCKET> members(tp_fd_set* set) {
  return set != nullptr ? std::span<SOCKET>(set->fd_array, set->fd_count) : std::span<SOCKET>();
}

// Keeps of a set what `holds` for; the set's first member is number `first` of the watch.
template <class Holds>
int keep(tp_fd_set* set, const Watch& watch, std::size_t first, Holds holds) {
  const std::span<SOCKET> all = members(set);
  u_int kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (holds(watch.socket(first + i), watch.events(first + i))) {
      all[kept++] = all[i];
    }
  }
  if (set != nullptr) {
    set->fd_count = kept;
  }
  return static_cast<int>(kept);
}

// A connection that failed shows among the exceptions, not among those that can write.
bool has_failed_to_connect(const Socket& socket, short events) { return socket.connecting && (events & POLLERR) != 0; }

int select_among(tp_fd_set* readable, tp_fd_set* writable, tp_fd_set* exceptional, const timespec* timeout) {
  Watch watch;
  const auto add_all = [&watch](tp_fd_set* set, short events) {
    for (const SOCKET handle : members(set)) {
      if (!watch.add(handle, events)) {
        return false;
      }
    }
    return true;
  };
  if (!add_all(readable, POLLIN | POLLRDHUP) || !add_all(writable, POLLOUT) || !add_all(exceptional, POLLPRI)) {
    return fail_with(WSAENOTSOCK, SOCKET_ERROR);
  }
  watch.wait(timeout);
  for (std::size_t i = 0; i < watch.size(); ++i) {
    if (watch.socket(i).is_closed()) {
      return fail_with(WSAENOTSOCK, SOCKET_ERROR);
    }
    if ((watch.events(i) & (POLLOUT | POLLERR | POLLHUP)) == POLLOUT) {
      watch.socket(i).note_connected();
    }
  }
  const std::size_t readers = members(readable).size();
  const std::size_t writers = members(writable).size();
  int total = keep(readable, watch, 0, [](const Socket& socket, short events) {
    return (events & kReadable) != 0 && !has_failed_to_connect(socket, events);
  });
  total += keep(writable, watch, readers, [](const Socket& socket, short events) {
    return (events & POLLOUT) != 0 && !has_failed_to_connect(socket, events);
  });
  return total + keep(exceptional, watch, readers + writers, [](const Socket& socket, short events) {
           return (events & POLLPRI) != 0 || has_failed_to_connect(socket, events);
         });
}

int poll_all(std::span<WSAPOLLFD> all, const timespec* timeout) {
  Watch watch;
  std::vector<bool> bad(all.size());
  bool any_bad = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<INT_PTR>(all[i].fd) == -1) {
      continue;
    }
    bad[i] = !watch.add(all[i].fd, all[i].events);
    any_bad = any_bad || bad[i];
  }
  const timespec at_once{};
  watch.wait(any_bad ? &at_once : timeout);
  int ready = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].revents = 0;
    if (bad[i]) {
      all[i].revents = POLLNVAL;
    } else if (static_cast<INT_PTR>(all[i].fd) != -1) {
      all[i].revents = watch.socket(next).is_closed() ? POLLNVAL : watch.events(next);
      ++next;
    }
    ready += all[i].revents != 0 ? 1 : 0;
  }
  return ready;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::poll_all;
using turnpike::win32::select_among;
using turnpike::win32::unless_memory_is_out;
using turnpike::win32::winsock_is_started;

int WSAAPI select(int, tp_fd_set* readfds, tp_fd_set* writefds, tp_fd_set* exceptfds, const struct timeval* timeout) {
  if (!winsock_is_started()) {
    return SOCKET_ERROR;
  }
  const auto is_empty = [](const tp_fd_set* set) { return set == nullptr || set->fd_count == 0; };
  if (is_empty(readfds) && is_empty(writefds) && is_empty(exceptfds)) {
    return fail_with(WSAEINVAL, SOCKET_ERROR);
  }
  timespec patience{};
  if (timeout != nullptr) {
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
      return fail_with(WSAEINVAL, SOCKET_ERROR);
    }
    patience = {timeout->tv_sec + timeout->tv_usec / 1'000'000, timeout->tv_usec % 1'000'000 * 1000};
  }
  return unless_memory_is_out(
      SOCKET_ERROR,
      [&] { return select_among(readfds, writefds, exceptfds, timeout != nullptr ? &patience : nullptr); }, WSAENOBUFS);
}

int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout) {
  if (!winsock_is_started()) {
    return SOCKET_ERROR;
  }
  if (fdArray == nullptr || fds == 0) {
    return fail_with(fdArray == nullptr ? WSAEFAULT : WSAEINVAL, SOCKET_ERROR);
  }
  const timespec patience{timeout / 1000, timeout % 1000 * 1'000'000L};
  return unless_memory_is_out(
      SOCKET_ERROR, [&] { return poll_all({fdArray, fds}, timeout >= 0 ? &patience : nullptr); }, WSAENOBUFS);
}
