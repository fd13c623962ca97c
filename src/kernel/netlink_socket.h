// NetlinkSocket: one socket of NETLINK_ROUTE, as every part of the real port uses it.
//
// It never waits: the kernel works off a request while it is sent, so the answer is there when `send` returns, and a
// dump's next piece is made when the last one is read. Only a monitor waits, and that its user does with `poll`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/descriptor.h"
#include "base/result.h"
#include "kernel/net_namespace.h"
#include "kernel/wire.h"

namespace turnpike::kernel {

// What the kernel granted of what every socket asks for.
struct Granted {
  bool words_in_answers = false;
  bool strict_dumps = false;
  bool buffer_forced = false;
  std::size_t receive_buffer = 0;  // as the kernel counts it: with its own bookkeeping, so about twice what it holds
};

class NetlinkSocket {
 public:
  // `receive_buffer` 0: as the system has it. Buffers are forced beyond the system's limit where that is permitted.
  static Result<NetlinkSocket> open(const NetNamespace& where, std::size_t receive_buffer);

  [[nodiscard]] int number() const { return descriptor_.number(); }
  [[nodiscard]] std::uint32_t port() const { return port_; }
  [[nodiscard]] const Granted& granted() const { return granted_; }

  // kKernel with the errno.
  Result<void> set(int level, int option, const void* value, std::size_t size);
  Result<void> set(int option, int value);  // of SOL_NETLINK

  // One datagram to the kernel, whole or not at all.
  Result<void> send(Bytes bytes);

  // The next datagram, in `buffer`. kNoMoreItems: there is none now. kExhausted: the kernel had more to say than the
  // socket could hold, and something is lost; go on reading. kBufferTooSmall: one was longer than `buffer` and is lost.
  Result<Bytes> receive(std::span<std::uint8_t> buffer);

 private:
  explicit NetlinkSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Result<void> prepare(std::size_t receive_buffer);

  Descriptor descriptor_;
  std::uint32_t port_ = 0;
  Granted granted_;
};

}  // namespace turnpike::kernel
