// What the routes say of a flow, once interfaces have numbers: where its packets may come in, and where they leave.
//
// MGM makes an entry of the memberships that cover a flow, whoever announced them and wherever the packets come from.
// So `to` becomes memberships; and `from`, which memberships do not know, becomes answers to two questions that MGM
// asks when it makes an entry: RPF (the interface, if the view of routes leads to one of ours) and CREATION (not out of
// those interfaces that only routes from elsewhere name). Both come on MGM's thread, at any time, also while we call
// MGM: therefore these rules have a lock of their own, which is held for no call.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "turnpike/module.h"

namespace turnpike::modules {

// Compared as bytes: there are no holes in it. All zero bits of an address: any.
struct Flow {
  TpModuleAddress group{};
  TpModuleAddress source{};
  friend bool operator==(const Flow& a, const Flow& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
  friend bool operator<(const Flow& a, const Flow& b) { return std::memcmp(&a, &b, sizeof a) < 0; }
};
static_assert(sizeof(Flow) == 40);

// An address of nothing, of that family.
TpModuleAddress any_address(std::uint16_t family);
bool is_any(const TpModuleAddress& address);

// A membership, or a host's wish.
struct Member {
  Flow flow;
  std::uint32_t index = 0;
  friend bool operator==(const Member&, const Member&) = default;
  friend bool operator<(const Member& a, const Member& b) {
    return a.index != b.index ? a.index < b.index : a.flow < b.flow;
  }
};
using Members = std::set<Member>;

struct Rule {
  Flow flow;
  std::uint32_t from = 0;  // 0: wherever the view leads
  std::vector<std::uint32_t> to;
  friend bool operator==(const Rule&, const Rule&) = default;
};

// Whether a rule or a membership for `wide` is about the flow too.
bool covers(const Flow& wide, const Flow& flow);

class RuleSet {
 public:
  RuleSet() = default;
  explicit RuleSet(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  // Where the flow comes in, if the view leads to `view`.
  [[nodiscard]] std::uint32_t incoming(const Flow& flow, std::uint32_t view) const;
  // Whether it leaves there when it comes in by `in`, membership or not.
  [[nodiscard]] bool leaves(const Flow& flow, std::uint32_t in, std::uint32_t out) const;
  // Whether an interface has a membership that covers it.
  [[nodiscard]] bool has_member(const Flow& flow, std::uint32_t out) const;
  [[nodiscard]] bool is_incoming(const Flow& flow, std::uint32_t index) const;
  [[nodiscard]] bool leaves_anywhere(const Flow& flow) const;

  // Whether an entry that was made by `before`, and has followed the memberships since, is what one made now would be.
  [[nodiscard]] bool agrees(const RuleSet& before, const Flow& flow, std::uint32_t in) const;

  friend bool operator==(const RuleSet&, const RuleSet&) = default;

 private:
  std::vector<Rule> rules_;
};

// The rules of one family that hold now.
class Rules {
 public:
  // What held before.
  RuleSet set(RuleSet rules) {
    const std::lock_guard guard(lock_);
    std::swap(rules_, rules);
    return rules;
  }
  template <class Ask>
  auto ask(Ask&& ask) const {
    const std::lock_guard guard(lock_);
    return ask(rules_);
  }

 private:
  mutable std::mutex lock_;
  RuleSet rules_;
};

}  // namespace turnpike::modules
