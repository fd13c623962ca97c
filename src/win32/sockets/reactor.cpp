// The reactor: one epoll set, one thread, from the first socket that is watched to the last.
//
// Sockets are watched edge-triggered and for everything, so nothing has to be changed while they are: whoever is told
// of an edge looks at what is true now. An event carries the socket's handle, so one that comes late, for a socket that
// was closed, finds nobody.
#include "win32/sockets/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>
#include <new>

#include "win32/threads/service_thread.h"

namespace turnpike::win32 {
namespace {

constexpr std::uint64_t kLeave = 0;  // no handle
constexpr std::uint32_t kEverything = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;

// Belongs to its thread, which ends when it is told to.
class Reactor {
 public:
  static Reactor* start();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor() {
    ::close(epoll_);
    ::close(bell_);
  }

  bool add(int descriptor, std::uint32_t what, std::uint64_t whose) {
    epoll_event event{what, {.u64 = whose}};
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
  }
  void remove(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }
  void leave() { ::eventfd_write(bell_, 1); }

 private:
  Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  static void run(void* self);

  const int epoll_;
  const int bell_;
};

Reactor* Reactor::start() {
  std::unique_ptr<Reactor> reactor(new Reactor);
  const bool good = reactor->epoll_ >= 0 && reactor->bell_ >= 0 && reactor->add(reactor->bell_, EPOLLIN, kLeave) &&
                    start_service_thread("tp-win32-socket", run, reactor.get());
  return good ? reactor.release() : nullptr;
}

struct Watching {
  std::mutex delivering;  // held while a socket is told; before the socket's lock
  std::mutex lock;        // after it
  Reactor* reactor = nullptr;
  std::size_t sockets = 0;
};

Watching& watching() {
  static Watching& made = *std::make_unique<Watching>().release();  // never destroyed: see handles.cpp
  return made;
}

void leave_if_idle(Watching& all) {
  if (all.sockets == 0) {
    std::exchange(all.reactor, nullptr)->leave();
  }
}

void Reactor::run(void* self) {
  const std::unique_ptr<Reactor> reactor(static_cast<Reactor*>(self));
  std::array<epoll_event, 64> events;
  for (bool leave = false; !leave;) {
    const int count = ::epoll_wait(reactor->epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t whose = events[static_cast<std::size_t>(i)].data.u64;
      leave = leave || whose == kLeave;
      const std::lock_guard guard(watching().delivering);
      if (const Held<Socket> socket = pin_socket(whose); socket) {
        socket->on_edge();
      }
    }
  }
  const std::lock_guard guard(watching().lock);  // whoever sent it away has left too, and nobody knows it any more
}

}  // namespace

bool begin_watching(const Socket& socket) try {
  Watching& all = watching();
  const std::lock_guard guard(all.lock);
  if (all.reactor == nullptr && (all.reactor = Reactor::start()) == nullptr) {
    return false;
  }
  const bool good = all.reactor->add(socket.descriptor(), kEverything, socket.handle);
  all.sockets += good ? 1 : 0;
  leave_if_idle(all);
  return good;
} catch (const std::bad_alloc&) {
  return false;
}

void end_watching(const Socket& socket) {
  Watching& all = watching();
  const std::lock_guard guard(all.lock);
  all.reactor->remove(socket.descriptor());
  --all.sockets;
  leave_if_idle(all);
}

void await_delivery() { const std::lock_guard guard(watching().delivering); }

}  // namespace turnpike::win32
