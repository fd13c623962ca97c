// What the kernel itself says of an address and of a link's number, asked and not remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/address.h"
#include "net/prefix.h"

namespace turnpike::daemon {

struct KernelAnswer {
  std::string text;         // which way it would send a packet now, or why it would not
  bool is_dropped = false;  // it would not
  std::optional<net::Address> via;
  std::uint32_t interface = 0;
  std::optional<net::Prefix> route;  // by which one; nothing: it does not say
  std::uint8_t protocol = 0;         // of that: RTPROT_…
  std::uint32_t table = 0;

  [[nodiscard]] std::string owner() const;  // "protocol 220, table 254"
};

[[nodiscard]] KernelAnswer ask_kernel(const net::Address& address);

// "eth0", or the number where no link has it.
[[nodiscard]] std::string interface_name(std::uint32_t index);

}  // namespace turnpike::daemon
