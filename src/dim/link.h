// What the room is told of a link: a device of the kernel with its addresses, in no words of Linux.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/interface_index.h"

namespace turnpike::dim {

using net::Address;
using net::InterfaceIndex;

struct LinkAddress {
  Address local;
  std::uint8_t prefix_length = 0;
  std::optional<Address> remote;  // the far end of a point-to-point link

  friend bool operator==(const LinkAddress&, const LinkAddress&) = default;
};

struct Link {
  InterfaceIndex index;
  std::string name;
  bool up = false;       // by the administrator of the machine
  bool carrier = false;  // means something only while up
  bool loopback = false;
  bool dial = false;  // exists while a call lasts: ppp
  std::uint32_t mtu = 0;
  std::uint64_t bits_per_second = 0;  // 0: not known
  std::vector<LinkAddress> addresses;

  friend bool operator==(const Link&, const Link&) = default;
};

}  // namespace turnpike::dim
