// Groups that we ask for as a host does: sockets that have joined them. The kernel reports them by IGMP or MLD where
// they were joined, answers queries, and says when they are left. Nothing arrives at the sockets: they have no port.
#pragma once

#include <map>
#include <set>

#include "rules.h"

namespace turnpike::modules {

class Reports {
 public:
  Reports() = default;
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;
  ~Reports() { become({}); }

  // Asks for these and no others, and touches nothing that stays. What was refused is tried at the next call.
  void become(const Members& wanted);

  // 0: asked for; else the errno with which it was refused; ENODEV: not wanted, for want of an interface.
  [[nodiscard]] int state_of(const Member& member) const;
  [[nodiscard]] std::size_t size() const { return sockets_.size(); }
  [[nodiscard]] bool has_wishes() const { return !refused_.empty(); }

 private:
  std::map<Member, int> sockets_;
  std::map<Member, int> refused_;
};

}  // namespace turnpike::modules
