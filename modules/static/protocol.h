// The protocol while it runs: settings, interfaces, and the routes that follow from both. The routing table calls
// nobody back here, so the protocol's lock is held over calls to it.
#pragma once

#include <cstdint>
#include <vector>

#include "../entry/protocol.h"
#include "settings.h"

namespace turnpike::modules {

class StaticProtocol final : public Protocol {
 public:
  using Counts = StaticCounts;
  using Row = StaticRow;
  static constexpr const TpModule* kModule = &kStaticModule;
  static constexpr DWORD kFunctions = RF_ROUTING | RF_ADD_ALL_INTERFACES;
  static bool is_right(const void* block, std::uint32_t size) {
    return modules::is_right(block, size, nullptr, nullptr);
  }

  StaticProtocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block);

  StaticCounts counts();
  // NO_ERROR, or ERROR_NO_MORE_ITEMS.
  DWORD row(std::uint32_t number, StaticRow& row);

 private:
  void use() override;
  DWORD settle() override;
  // The hop of a route if it is to be in the table now.
  [[nodiscard]] bool is_active(const StaticRoute& route, Hop& hop) const;

  std::vector<StaticRoute> routes_;
  Table ipv4_;
  Table ipv6_;
};

}  // namespace turnpike::modules
