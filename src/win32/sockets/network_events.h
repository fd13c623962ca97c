// What WSAEventSelect asks of a socket, and what has happened since. The socket's lock guards it.
#pragma once

#include <array>

#include "win32/waits/event.h"

namespace turnpike::win32 {

class Socket;

// Bits as documented.
inline constexpr long kReadEvent = 0x01, kWriteEvent = 0x02, kOutOfBandEvent = 0x04, kAcceptEvent = 0x08,
                      kConnectEvent = 0x10, kCloseEvent = 0x20;
inline constexpr long kAllEvents = 0x3F;

class NetworkEvents {
 public:
  using Errors = std::array<std::uint32_t, 6>;

  bool is_selected() const { return wanted_ != 0; }
  const Ref<Event>& event() const { return event_; }
  long wanted() const { return wanted_; }

  // A new selection ends the one before, with what it has recorded. 0: none.
  void select(Ref<Event> event, long wanted);
  void inherit(const NetworkEvents& other) { select(other.event_, other.wanted_); }

  // Records what is true now and was not told yet, and sets the event if there was anything.
  void look(Socket& socket);

  // Something was called after which an event may be recorded again.
  void enable(long events) { told_ &= ~events; }

  // What was recorded; forgets it.
  long take(Errors& errors);

 private:
  long happening(Socket& socket);

  Ref<Event> event_;
  long wanted_ = 0;
  long recorded_ = 0;
  long told_ = 0;  // recorded, and not enabled again since
  Errors errors_{};
};

}  // namespace turnpike::win32
