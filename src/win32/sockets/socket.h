// A socket of Winsock. The essay is in socket.cpp.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "base/descriptor.h"
#include "win32/sockets/network_events.h"
#include "win32/sockets/operation.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {

inline constexpr std::uint32_t kForEver = UINT32_MAX;

using SocketHandle = std::uintptr_t;

// One that was accepted from a listener's queue and has no socket yet.
struct Connection {
  Descriptor descriptor;
  sockaddr_storage from{};
  std::uint32_t from_length = 0;
};

class Socket final : public Object {
 public:
  static constexpr Kind kKind = Kind::kSocket;

  // The descriptor is one that never blocks.
  Socket(Descriptor descriptor, int of_family, int of_type)
      : Object(kKind), family(of_family), type(of_type), descriptor_(std::move(descriptor)) {}

  const int family;
  const int type;

  int descriptor() const { return descriptor_.number(); }
  bool is_stream() const { return type == SOCK_STREAM; }

  // Whether calls wait, and for how long at most: FIONBIO, SO_RCVTIMEO, SO_SNDTIMEO.
  std::atomic<bool> blocking{true};
  std::atomic<std::uint32_t> receive_timeout{0};  // milliseconds; 0: none
  std::atomic<std::uint32_t> send_timeout{0};

  // A connection that was begun has come about.
  void note_connected() {
    if (connecting) {
      connecting = false;
      connected = true;
    }
  }

  // What Linux does not tell.
  std::atomic<bool> bound{false};       // has an address of its own, by bind or by the first use
  std::atomic<bool> connecting{false};  // begun, and its outcome not told yet
  std::atomic<bool> connected{false};
  std::atomic<bool> no_more_receives{false};  // shutdown()
  std::atomic<bool> no_more_sends{false};
  std::atomic<bool> may_share{false};  // SO_REUSEADDR and SO_EXCLUSIVEADDRUSE as the client has set them
  std::atomic<bool> exclusive{false};
  std::atomic<bool> listening{false};
  std::atomic<bool> urgent_is_inline{false};  // SO_OOBINLINE
  std::atomic<std::uint32_t> kept_error{0};   // was told by FD_CLOSE; the next call meets it too

  // Set before anybody sees the socket.
  bool overlapped = true;
  SocketHandle handle = 0;

  // FIONBIO. False: an event is selected for the socket, and so it cannot block.
  bool set_blocking(bool on);

  // WSAEventSelect: 0, WSAENOTSOCK where it was closed, WSAENOBUFS. And what has happened since.
  std::uint32_t select_events(Ref<Event> event, long wanted);
  std::uint32_t inherit_events(Socket& listener);
  long take_events(Event* to_reset, NetworkEvents::Errors& errors);
  void enable_events(long events);

  // Connections that WSAAccept's client has put off, for the next calls that accept.
  void put_off(Connection connection);
  bool take_put_off(Connection& connection);
  bool has_put_off() const { return has_put_off_; }

  // The reactor: something has changed.
  void on_edge();

  // Begins an overlapped transfer. 0: it is done as `outcome` tells, and its completion on the way, with which the
  // client's OVERLAPPED may be gone; WSA_IO_PENDING; or an error, and then
  // no completion follows.
  std::uint32_t begin(std::unique_ptr<Operation> operation, Transfer& outcome);

  // Ends what is pending: of one thread or of all, one call or all. Says whether there was any.
  bool cancel(const Thread* thread, const OverlappedResult* which);

  // Waits until a result is there.
  void await_result(const OverlappedResult& result);

  // BindIoCompletionCallback. False: it has one already.
  bool bind_completions(CompletionCallback callback);

  // Goes on with a transfer without waiting. False: it would have to.
  bool attempt(Transfer& transfer);

  // Performs it as the socket's mode says.
  void perform(Transfer& transfer);

  // Waits until poll() has something to say about these events. 0, WSAETIMEDOUT, or WSAEINTR where it was closed.
  std::uint32_t await(short events, std::uint32_t milliseconds);

  // For somebody who waits with poll() by himself: between the two a closing wakes him.
  bool begin_waiting();
  void end_waiting() { waiting_.fetch_sub(1); }

  bool is_closed() const { return closed_.load(); }

  // Ends what goes on with it. Its handle is closed already.
  void close();

 private:
  ~Socket() override = default;

  void perform_allowed(Transfer& transfer);
  std::uint32_t why_not(const Transfer& transfer) const;
  void note_receive(Transfer& transfer, const msghdr& message) const;
  std::uint32_t error_of(const Transfer& transfer, int system_error) const;

  using Operations = std::deque<std::unique_ptr<Operation>>;
  bool watch();
  void advance(Operations& operations);
  void finish(std::unique_ptr<Operation> operation);

  std::mutex lock_;  // before the locks of the reactor, of an event, of a thread's calls
  std::condition_variable finished_;
  NetworkEvents events_;
  Operations receives_;
  Operations sends_;
  CompletionCallback callback_ = nullptr;
  bool watched_ = false;
  std::deque<Connection> put_off_;
  std::atomic<bool> has_put_off_{false};

  const Descriptor descriptor_;
  std::atomic<bool> closed_{false};
  std::atomic<std::uint32_t> waiting_{0};
};

inline RawHandle raw_of(SocketHandle handle) { return reinterpret_cast<RawHandle>(handle); }
inline Held<Socket> pin_socket(SocketHandle handle) { return pin<Socket>(raw_of(handle)); }

}  // namespace turnpike::win32
