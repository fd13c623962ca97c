// The protocol while it runs: settings, interfaces, and the routes that follow from both.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "links.h"
#include "table.h"

namespace turnpike::modules {

// What MibGet answers, for an input of no bytes.
struct StaticCounts {
  std::uint32_t configured = 0;
  std::uint32_t active = 0;  // in the routing table
};

// What MibGetFirst and MibGetNext answer, one route each. The input of MibGetNext is the number of the last one.
struct StaticRow {
  std::uint32_t number = 0;
  std::uint32_t active = 0;
  StaticRoute route{};
};

class Protocol {
 public:
  Protocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block);

  // The router manager calls these one at a time, but the reading ones from any thread.
  DWORD start_complete();
  DWORD add_interface(std::uint32_t index, Links::Link link);
  DWORD delete_interface(std::uint32_t index);
  DWORD interface_status(std::uint32_t index, DWORD type, const void* info);
  DWORD set_global(std::vector<std::uint8_t> block);
  DWORD set_interface(std::uint32_t index, std::vector<std::uint8_t> block);
  DWORD has_interface(std::uint32_t index);
  [[nodiscard]] std::vector<std::uint8_t> global_block();
  DWORD interface_block(std::uint32_t index, std::vector<std::uint8_t>& block);

  StaticCounts counts();
  // NO_ERROR, or ERROR_NO_MORE_ITEMS.
  DWORD row(std::uint32_t number, StaticRow& row);

 private:
  [[nodiscard]] static std::vector<StaticRoute> routes_in(const std::vector<std::uint8_t>& block);
  // The hop of a route if it is to be in the table now.
  [[nodiscard]] bool is_active(const StaticRoute& route, Hop& hop) const;
  DWORD settle();

  std::mutex lock_;  // the routing table calls nobody back here, so it is held over calls to it
  SUPPORT_FUNCTIONS support_;
  std::vector<std::uint8_t> block_;
  std::vector<StaticRoute> routes_;
  Links links_;
  Table ipv4_;
  Table ipv6_;
  bool complete_ = false;  // all first interfaces are there: before, a route would come and go
};

}  // namespace turnpike::modules
