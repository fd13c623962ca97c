// The rules of WSAEventSelect.
//
// An event is recorded when it is selected, is true, and was not told since it was last enabled. Recording sets the
// event object; nothing else does, so a client that takes no notice is not told again. What enables it again:
//
//   FD_READ, FD_OOB   a receive, whatever came of it; if more is there, it is recorded at once
//   FD_ACCEPT         accept, and WSAAccept unless its client has put the connection off
//   FD_WRITE          a send that failed with WSAEWOULDBLOCK
//   FD_CONNECT        connect
//   FD_CLOSE          nothing
//
// and for all of them a new WSAEventSelect. Whether something is true is looked up when it matters (on an edge that the
// reactor tells, on enabling, on selecting) and never remembered, so edges may be late, early, or spurious.
//
// FD_CLOSE comes when nothing is left to be read. To know whether a connection was reset one has to take the socket's
// error, which Linux gives out once; so it is kept for the next call that would have met it.
#include "win32/sockets/network_events.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <winerror.h>

#include <bit>

#include "win32/sockets/socket.h"
#include "win32/sockets/system_sockets.h"

namespace turnpike::win32 {
namespace {

short readiness(const Socket& socket) {
  pollfd polled{socket.descriptor(), POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) > 0 ? polled.revents : short{0};
}

bool has_bytes(const Socket& socket) {
  int bytes = 0;
  return ::ioctl(socket.descriptor(), FIONREAD, &bytes) == 0 && bytes > 0;
}

std::size_t place_of(long event) {
  return static_cast<std::size_t>(std::countr_zero(static_cast<unsigned long>(event)));
}

}  // namespace

void NetworkEvents::select(Ref<Event> event, long wanted) {
  event_ = std::move(event);
  wanted_ = wanted;
  recorded_ = 0;
  told_ = 0;
  errors_ = {};
}

long NetworkEvents::happening(Socket& socket) {
  const short ready = readiness(socket);
  const bool failed = (ready & (POLLERR | POLLHUP)) != 0;
  if (socket.listening) {
    return (ready & POLLIN) != 0 || socket.has_put_off() ? kAcceptEvent : 0;
  }
  long events = 0;
  if (socket.connecting) {
    if ((ready & POLLOUT) == 0 && !failed) {
      return 0;
    }
    if (failed && (wanted_ & ~told_ & kConnectEvent) == 0) {
      return 0;  // the reason stays with the socket: getsockopt or the next call will tell
    }
    socket.connecting = false;
    errors_[place_of(kConnectEvent)] = system_sockets::take_error(socket.descriptor());
    socket.connected = errors_[place_of(kConnectEvent)] == 0;
    events = kConnectEvent;
  }
  events |= (ready & POLLPRI) != 0 && !socket.urgent_is_inline ? kOutOfBandEvent : 0;
  if (!socket.is_stream()) {
    return events | ((ready & (POLLIN | POLLERR)) != 0 ? kReadEvent : 0) | ((ready & POLLOUT) != 0 ? kWriteEvent : 0);
  }
  if (!socket.connected) {
    return events;
  }
  if (!failed && (ready & POLLOUT) != 0) {
    events |= kWriteEvent;
  }
  const bool ended = failed || (ready & POLLRDHUP) != 0;
  if ((ready & POLLIN) != 0 && (!ended || has_bytes(socket))) {
    return events | kReadEvent;
  }
  return events | (ended ? kCloseEvent : 0);
}

void NetworkEvents::look(Socket& socket) {
  if (wanted_ == 0) {
    return;
  }
  const long news = happening(socket) & wanted_ & ~told_;
  if (news == 0) {
    return;
  }
  if ((news & kCloseEvent) != 0) {
    const std::uint32_t error = system_sockets::take_error(socket.descriptor());
    errors_[place_of(kCloseEvent)] = error;
    socket.kept_error = error;
  }
  recorded_ |= news;
  told_ |= news;
  event_->set();
}

long NetworkEvents::take(Errors& errors) {
  errors = std::exchange(errors_, {});
  return std::exchange(recorded_, 0);
}

}  // namespace turnpike::win32
