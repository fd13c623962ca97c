// A socket of Winsock. The essay is in socket.cpp.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "win32/handles.h"

namespace turnpike::win32 {

inline constexpr std::uint32_t kForEver = UINT32_MAX;

// One receiving or sending of data: what is asked, how far it has come, and what came of it.
struct Transfer {
  bool receives = false;
  bool whole = false;  // a stream's: done when all buffers are full, or sent
  int flags = 0;
  std::span<iovec> buffers;  // shortened as it goes on
  sockaddr* name = nullptr;  // whence it came, or where it is to go
  std::int32_t* name_length = nullptr;
  void* control = nullptr;
  std::uint32_t* control_length = nullptr;

  std::uint32_t bytes = 0;
  std::uint32_t error = 0;  // a message that was cut short has bytes and WSAEMSGSIZE
  int result_flags = 0;     // as recvmsg tells them
};

class Socket final : public Object {
 public:
  static constexpr Kind kKind = Kind::kSocket;

  // Takes the descriptor over, which never blocks.
  Socket(int descriptor, int of_family, int of_type)
      : Object(kKind), family(of_family), type(of_type), descriptor_(descriptor) {}

  const int family;
  const int type;

  int descriptor() const { return descriptor_; }
  bool is_stream() const { return type == SOCK_STREAM; }

  // Whether calls wait, and for how long at most: FIONBIO, SO_RCVTIMEO, SO_SNDTIMEO.
  std::atomic<bool> blocking{true};
  std::atomic<std::uint32_t> receive_timeout{0};  // milliseconds; 0: none
  std::atomic<std::uint32_t> send_timeout{0};

  // What Linux does not tell.
  std::atomic<bool> bound{false};       // has an address of its own, by bind or by the first use
  std::atomic<bool> connecting{false};  // begun, and its outcome not told yet
  std::atomic<bool> connected{false};
  std::atomic<bool> no_more_receives{false};  // shutdown()
  std::atomic<bool> no_more_sends{false};
  std::atomic<bool> may_share{false};  // SO_REUSEADDR and SO_EXCLUSIVEADDRUSE as the client has set them
  std::atomic<bool> exclusive{false};
  bool overlapped = true;  // before anybody sees it

  // FIONBIO. False: an event was selected for the socket, and so it cannot block.
  bool set_blocking(bool on) {
    blocking = on;
    return true;
  }

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
  ~Socket() override;

  std::uint32_t why_not(const Transfer& transfer) const;
  void note_receive(Transfer& transfer, const msghdr& message) const;
  std::uint32_t error_of(const Transfer& transfer, int system_error) const;

  const int descriptor_;
  std::atomic<bool> closed_{false};
  std::atomic<std::uint32_t> waiting_{0};
};

using SocketHandle = std::uintptr_t;

inline RawHandle raw_of(SocketHandle handle) { return reinterpret_cast<RawHandle>(handle); }
inline Held<Socket> pin_socket(SocketHandle handle) { return pin<Socket>(raw_of(handle)); }

}  // namespace turnpike::win32
