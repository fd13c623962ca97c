// Our place in the multicast group manager, for one family: interfaces that we own, memberships that we announce on
// them; what is there, and how it becomes what should be. The manager's two faces, mgm.h and turnpike/mgm6.h, are under
// it (arbiter4.cpp, arbiter6.cpp).
//
// An interface belongs to one protocol beside IGMP. One that another has is his: it is kept in mind and asked for again
// whenever `become` is called, as is what the kernel refused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "rules.h"

#include <windows.h>

namespace turnpike::modules {

class Arbiter {
 public:
  explicit Arbiter(const Rules& rules) : rules_(rules) {}
  Arbiter(const Arbiter&) = delete;
  Arbiter& operator=(const Arbiter&) = delete;
  virtual ~Arbiter() = default;

  // Announces `members` and owns `interfaces`, no others, and touches nothing that stays. What is refused is told by
  // `state_of`. False: we are no client, for the reason in the log.
  bool become(const std::set<std::uint32_t>& interfaces, const Members& members);
  // Gives everything back.
  void leave();

  // After the rules have changed from `before` to what they are: entries that were made by other answers go, and their
  // next packet asks again.
  void review(const RuleSet& before);

  // NO_ERROR: ours; ERROR_ALREADY_EXISTS: another protocol's; else what the kernel or the manager says.
  [[nodiscard]] DWORD state_of(std::uint32_t interface) const;
  [[nodiscard]] DWORD state_of(const Member& member) const;
  [[nodiscard]] std::size_t owned() const { return owned_.size(); }
  // Something was refused that may be granted another time.
  [[nodiscard]] bool has_wishes() const { return !refused_.empty() || !refused_members_.empty(); }

 protected:
  using Visit = std::function<void(const Flow& flow, std::uint32_t in)>;

  // The face. Codes as there.
  virtual DWORD enter() = 0;
  virtual DWORD quit() = 0;
  virtual DWORD take(std::uint32_t index) = 0;
  virtual DWORD release(std::uint32_t index) = 0;
  virtual DWORD add(const Member& member) = 0;
  virtual DWORD remove(const Member& member) = 0;
  virtual DWORD forget(const Flow& flow) = 0;
  virtual void each_entry(const Visit& visit) = 0;

  const Rules& rules_;

 private:
  void own(std::uint32_t index);
  void announce(const Member& member);

  bool is_client_ = false;
  std::set<std::uint32_t> owned_;
  Members members_;
  std::map<std::uint32_t, DWORD> refused_;  // interfaces
  std::map<Member, DWORD> refused_members_;
};

// One for each family in a process: callbacks of mgm.h have no context.
std::unique_ptr<Arbiter> make_arbiter4(const Rules& rules);
std::unique_ptr<Arbiter> make_arbiter6(const Rules& rules);

}  // namespace turnpike::modules
