// The protocol while it runs: settings and interfaces; and interfaces owned, memberships, host joins and ways to
// sources that follow from both.
//
//   route (g or s,g; from; to)  ─▶ a membership on each `to` (Arbiter), the answers to RPF and CREATION (Rules),
//                                  and with `from` a way to the source (Table, in the multicast view alone)
//   join                        ─▶ a socket that has joined (Reports)
//   way                         ─▶ a route in the multicast view
//
// Locks: the protocol's own is held over calls to MGM; callbacks take that of Rules alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../entry/protocol.h"
#include "../entry/table.h"
#include "arbiter.h"
#include "ear.h"
#include "reports.h"
#include "rules.h"
#include "settings.h"

namespace turnpike::modules {

class MstaticProtocol final : public Protocol {
 public:
  using Counts = MstaticCounts;
  using Row = MstaticRow;
  static constexpr const TpModule* kModule = &kMstaticModule;
  static constexpr DWORD kFunctions = RF_ROUTING | RF_ADD_ALL_INTERFACES | RF_MULTICAST;
  static bool is_right(const void* block, std::uint32_t size) {
    return is_right_multicast(block, size, nullptr, nullptr);
  }

  MstaticProtocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block);
  ~MstaticProtocol() override;

  MstaticCounts counts();
  // NO_ERROR, or ERROR_NO_MORE_ITEMS.
  DWORD row(std::uint32_t number, MstaticRow& row);

  // Who asks for groups there; `list` has room for `*size` bytes.
  DWORD neighbours(std::uint32_t index, DWORD* list, DWORD* size, BYTE* flags);
  // Why a flow is, or is not, forwarded there.
  DWORD status_of(std::uint32_t index, DWORD group, DWORD source, BYTE& code);

 private:
  struct Route {
    Flow flow;
    std::string from;
    std::vector<std::string> to;
    bool join = false;
  };
  struct Wish {
    Flow flow;
    std::string interface;
  };
  struct Way {
    TpModuleAddress to{};
    std::string interface;
  };
  // Of one family.
  struct Family {
    Family(std::uint16_t which, const SUPPORT_FUNCTIONS& support);
    std::uint16_t number;
    Rules rules;
    std::unique_ptr<Arbiter> arbiter;
    Table ways;
    Reports reports;
  };

  void use() override;
  DWORD settle() override;
  bool settle(Family& family);
  [[nodiscard]] RuleSet rules_of(const Family& family, std::set<std::uint32_t>& interfaces, Members& members) const;
  [[nodiscard]] RouteSet ways_of(const Family& family) const;
  [[nodiscard]] Members joins_of(const Family& family) const;
  [[nodiscard]] std::uint32_t index_of(const std::string& name) const { return links_.enabled_by_name(name); }
  Family& family_of(const Flow& flow) { return flow.group.family == AF_INET ? ipv4_ : ipv6_; }
  RowState state_of(const Route& route, const std::string& to);
  RowState state_of(const Wish& wish);
  bool try_again();

  std::vector<Route> routes_;
  std::vector<Wish> wishes_;  // also those that routes have
  std::vector<Way> ways_;
  Family ipv4_;
  Family ipv6_;
  std::optional<Ear> ear_;  // last: its thread enters the rest
};

}  // namespace turnpike::modules
