// Routes: the multicast view of a routing table, as the room wants it: which way is it to a source?
#pragma once

#include <cstdint>
#include <functional>

#include "net/address.h"
#include "net/interface_index.h"
#include "net/prefix.h"

namespace turnpike::mgm {

struct Route {
  net::InterfaceIndex device;
  net::Address neighbour;  // unspecified: the source is on the device's own network
  std::uint32_t protocol = 0;
  net::Prefix network;
};

class Routes {
 public:
  Routes() = default;
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;
  virtual ~Routes() = default;

  // `details` is what the port knows of the route beyond it, for the callback of a client that knows the port's table.
  using Found = std::function<void(const Route& route, void* details)>;

  // Calls `found` with the best route towards the source, if there is one, and returns when that has returned: what the
  // port holds of its table meanwhile, it holds. Called from any thread, under no lock of the room.
  virtual void look_up(const net::Address& source, const Found& found) = 0;
};

}  // namespace turnpike::mgm
