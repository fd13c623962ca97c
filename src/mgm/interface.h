// Interface: what somebody has taken, and who.
#pragma once

#include <cstdint>
#include <vector>

#include "mgm/client.h"
#include "net/prefix.h"

namespace turnpike::mgm {

// A device that the forwarder has a virtual interface for: shared by all interfaces on it.
struct Device {
  Vif vif = kNoVif;
  std::uint32_t users = 0;
};

// What the administrator set for a device, taken or not.
struct Scope {
  std::uint8_t threshold = 1;
  std::vector<net::Prefix> boundaries;  // groups that do not leave there

  [[nodiscard]] bool bars(const net::Address& group) const {
    for (const net::Prefix& boundary : boundaries) {
      if (boundary.contains(group)) {
        return true;
      }
    }
    return false;
  }
};

struct Interface {
  InterfaceId id;
  Client* owner = nullptr;
  Client* igmp = nullptr;
  Vif vif = kNoVif;
  bool changing = false;               // somebody is taking or releasing it, and has called out meanwhile
  std::uint32_t first_membership = 0;  // of Memberships

  // Who speaks for the interface: IGMP only where nobody owns it.
  [[nodiscard]] Client* responsible() const { return owner != nullptr ? owner : igmp; }
  [[nodiscard]] bool is_held_by(const Client& client) const { return owner == &client || igmp == &client; }
};

}  // namespace turnpike::mgm
