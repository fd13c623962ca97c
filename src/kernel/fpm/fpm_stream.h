// FpmStream: the bytes of an FPM connection, cut into frames and decoded. It has no socket.
//
//   frame:  version (1)  type (1: netlink)  length, big-endian, these four bytes included  netlink messages
//
// A frame is told whole or not at all: where anything in it is not as it should be, the answer is an error that says
// what, nothing of the frame has been told, and the stream is at its end; frames before it stand. Messages that are
// well formed and about something else are counted and passed over, as zebra sends labels and bridge entries too.
//
// zebra announces a route's change as its removal and its addition in one frame. Told like that, a router would stop
// forwarding for a moment at each change; so such a removal is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/codec.h"
#include "kernel/fpm/fpm_port.h"

namespace turnpike::kernel {

class FpmStream {
 public:
  // Takes what came, cut anywhere. kInvalidArgument: no FPM speaks like that; close the connection.
  Result<void> take(Bytes bytes, FpmListener& listener);

  // False: a frame has begun and not ended, so a connection that ends now was cut.
  [[nodiscard]] bool is_between_frames() const { return begun_.empty(); }

  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  Result<std::size_t> take_frames(Bytes bytes, FpmListener& listener);
  Result<void> check(Bytes messages);
  void tell(Bytes messages, FpmListener& listener);
  void skip() { ++skipped_; }
  void tell_route(bool gone, const Route& route, FpmListener& listener);

  std::vector<std::uint8_t> begun_;  // less than a frame
  Decoder decoder_;
  std::optional<Route> gone_;  // a removal that waits for what follows it; without its hops
  std::uint64_t frames_ = 0, messages_ = 0, skipped_ = 0;
};

}  // namespace turnpike::kernel
