// What a forwarder is told at its start. All of it has defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kernel/objects.h"

namespace turnpike::forwarder {

// What a route says in the kernel besides where it leads.
struct RouteSettings {
  std::uint32_t priority = 20;  // the kernel's metric. Below what DHCP clients and router advertisements take
  std::uint32_t mtu = 0;        // 0: the link's
  std::optional<kernel::Address> preferred_source;

  friend bool operator==(const RouteSettings&, const RouteSettings&) = default;
};

// An instance's table of one family, and the kernel's table that it is kept the same with.
struct TableSettings {
  kernel::Family family = kernel::Family::kIpv4;
  std::uint32_t kernel_table = kernel::kMainTable;
  RouteSettings routes;
  std::map<std::uint32_t, RouteSettings> by_protocol;  // of clients that registered with that protocol id
};

struct Settings {
  std::uint8_t protocol = kernel::kOurProtocol;
  // What a former process left is swept when nobody has claimed it for so long, or when told that all have.
  Duration sweep_after = std::chrono::minutes(3);
  // How often the kernel is read and compared although nothing went wrong. 0: never.
  Duration audit_every = std::chrono::minutes(15);
  bool import_routes = true;
  // Sets net.ipv4.nexthop_compat_mode to 0: then a change of a next hop that many routes name is told as one.
  // Concerns the whole network namespace; whoever shares it with others may not want that.
  bool own_namespace = false;
  // What the kernel says and has not been read yet, in bytes as the kernel counts them. Without CAP_NET_ADMIN in the
  // first user namespace it is net.core.rmem_max at most.
  std::size_t receive_buffer = std::size_t{64} << 20;
};

// Of a routing daemon's feed (fpm.h).
struct FpmSettings {
  bool table_only = false;     // the sender writes this machine's kernel itself
  bool gateways_only = false;  // its interface numbers are another machine's
  Duration sweep_after = std::chrono::minutes(3);
};

}  // namespace turnpike::forwarder
