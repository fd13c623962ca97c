// Config: what is set for one multicast group manager.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "net/address.h"

namespace turnpike::mgm {

struct Config {
  net::Family family = net::Family::kIpv4;
  std::vector<std::uint32_t> igmp_protocols = {0x4137000A, 10};  // MS_IP_IGMP, PROTO_IP_IGMP
  std::uint32_t timeout = 900;                                   // seconds that an entry lives
  std::uint32_t max_clients = 256;
  std::uint32_t max_memberships = 1U << 20;
  std::uint32_t max_entries = 1U << 20;
  bool wrong_interface_alerts = false;
  // How long a thread waits until a client has returned from a callback and can be told the next thing. After that the
  // alert is left to the thread that is in there.
  std::chrono::milliseconds patience{2000};
  std::chrono::seconds retry{10};  // what the forwarder refused is tried again after this

  [[nodiscard]] bool is_igmp(std::uint32_t protocol) const {
    return std::find(igmp_protocols.begin(), igmp_protocols.end(), protocol) != igmp_protocols.end();
  }
};

}  // namespace turnpike::mgm
