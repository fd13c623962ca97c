#include "rules.h"

#include <sys/socket.h>

#include <algorithm>

namespace turnpike::modules {

TpModuleAddress any_address(std::uint16_t family) {
  TpModuleAddress any{};
  any.family = family;
  any.bits = family == AF_INET ? 32 : 128;
  return any;
}

bool is_any(const TpModuleAddress& address) {
  return std::all_of(std::begin(address.address), std::end(address.address), [](auto byte) { return byte == 0; });
}

bool covers(const Flow& wide, const Flow& flow) {
  const auto is_same = [](const TpModuleAddress& a, const TpModuleAddress& b) {
    return is_any(a) || std::memcmp(a.address, b.address, sizeof a.address) == 0;
  };
  return is_same(wide.group, flow.group) && is_same(wide.source, flow.source);
}

// The rule that says most of the flow decides, unless some rule has the flow come in where the view leads anyway.
std::uint32_t RuleSet::incoming(const Flow& flow, std::uint32_t view) const {
  const Rule* best = nullptr;
  const auto weight = [](const Rule& rule) {
    return (is_any(rule.flow.source) ? 0 : 2) + (is_any(rule.flow.group) ? 0 : 1);
  };
  for (const Rule& rule : rules_) {
    if (!covers(rule.flow, flow)) continue;
    if (rule.from == view) return view;
    if (rule.from != 0 && (best == nullptr || weight(rule) > weight(*best))) best = &rule;
  }
  return best != nullptr ? best->from : view;
}

bool RuleSet::leaves(const Flow& flow, std::uint32_t in, std::uint32_t out) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return covers(rule.flow, flow) && (rule.from == 0 || rule.from == in) &&
           std::find(rule.to.begin(), rule.to.end(), out) != rule.to.end();
  });
}

bool RuleSet::has_member(const Flow& flow, std::uint32_t out) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return covers(rule.flow, flow) && std::find(rule.to.begin(), rule.to.end(), out) != rule.to.end();
  });
}

bool RuleSet::is_incoming(const Flow& flow, std::uint32_t index) const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [&](const Rule& rule) { return rule.from == index && covers(rule.flow, flow); });
}

bool RuleSet::leaves_anywhere(const Flow& flow) const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [&](const Rule& rule) { return covers(rule.flow, flow) && !rule.to.empty(); });
}

bool RuleSet::agrees(const RuleSet& before, const Flow& flow, std::uint32_t in) const {
  std::set<std::uint32_t> came, come, outputs;
  for (const Rule& rule : before.rules_) {
    if (covers(rule.flow, flow)) came.insert(rule.from);
  }
  for (const Rule& rule : rules_) {
    if (!covers(rule.flow, flow)) continue;
    come.insert(rule.from);
    outputs.insert(rule.to.begin(), rule.to.end());
  }
  came.erase(0);
  come.erase(0);
  if (came != come) return false;
  // A new membership is in the entry already, and an old one as it was decided then.
  return std::all_of(outputs.begin(), outputs.end(), [&](std::uint32_t out) {
    const bool is_there = out != in && (!before.has_member(flow, out) || before.leaves(flow, in, out));
    return out == in || is_there == leaves(flow, in, out);
  });
}

}  // namespace turnpike::modules
