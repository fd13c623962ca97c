// One question to netlink about one interface, on a socket of its own: for what is asked now and then, by whoever.
#pragma once

#include <array>

#include "kernel/net_namespace.h"
#include "kernel/wire.h"
#include "net/interface_index.h"

namespace turnpike::kernel {

class LinkQuestion {
 public:
  // What the kernel says of the interface (the attributes of RTM_NEWLINK); lasts as long as this. kNotFound: it has
  // gone; kKernel.
  Result<Bytes> attributes(const NetNamespace& where, net::InterfaceIndex index);

  // Deletes it. kNotFound; kDenied: CAP_NET_ADMIN is missing; kKernel.
  Result<void> remove(const NetNamespace& where, net::InterfaceIndex index);

 private:
  Result<Message> ask(const NetNamespace& where, net::InterfaceIndex index, std::uint16_t type, std::uint16_t flags);

  std::array<std::uint8_t, std::size_t{32} << 10> buffer_;
};

}  // namespace turnpike::kernel
