#include "arbiter.h"

#include <utility>
#include <vector>

#include "turnpike/log.h"

namespace turnpike::modules {
namespace {

void warn(const char* what, DWORD code, std::uint32_t index) {
  const TpLogField fields[] = {TpLogUnsigned("interface", index), TpLogUnsigned("error", code)};
  TpLogWrite(TP_LOG_WARNING, "mstatic", what, fields, 2);
}

}  // namespace

bool Arbiter::become(const std::set<std::uint32_t>& interfaces, const Members& members) {
  if (interfaces.empty()) {
    leave();
    return true;
  }
  if (!is_client_) {
    if (const DWORD status = enter(); status != NO_ERROR) {
      warn("the multicast group manager does not take us", status, 0);
      return false;
    }
    is_client_ = true;
  }
  // What goes, goes first; with an interface its memberships go.
  for (auto it = members_.begin(); it != members_.end();) {
    const bool stays = members.contains(*it);
    if (!stays && interfaces.contains(it->index)) static_cast<void>(remove(*it));
    it = stays ? std::next(it) : members_.erase(it);
  }
  for (auto it = owned_.begin(); it != owned_.end();) {
    const bool stays = interfaces.contains(*it);
    if (!stays) static_cast<void>(release(*it));
    it = stays ? std::next(it) : owned_.erase(it);
  }
  std::erase_if(refused_, [&](const auto& each) { return !interfaces.contains(each.first); });
  std::erase_if(refused_members_, [&](const auto& each) { return !members.contains(each.first); });
  for (const std::uint32_t index : interfaces) own(index);
  for (const Member& member : members) announce(member);
  return true;
}

void Arbiter::own(std::uint32_t index) {
  if (owned_.contains(index)) return;
  const DWORD status = take(index);
  if (status == NO_ERROR) {
    owned_.insert(index);
    refused_.erase(index);
    return;
  }
  const auto [at, is_new] = refused_.insert_or_assign(index, status);
  if (is_new && status == ERROR_ALREADY_EXISTS)
    warn("the interface belongs to another multicast protocol", status, index);
  if (is_new && status != ERROR_ALREADY_EXISTS) warn("the interface cannot be used for multicast", status, index);
}

void Arbiter::announce(const Member& member) {
  if (members_.contains(member) || !owned_.contains(member.index)) return;
  const DWORD status = add(member);
  if (status == NO_ERROR) {
    members_.insert(member);
    refused_members_.erase(member);
    return;
  }
  if (refused_members_.insert_or_assign(member, status).second) {
    warn("the multicast group manager refuses a membership", status, member.index);
  }
}

void Arbiter::leave() {
  if (!is_client_) return;
  for (const std::uint32_t index : std::exchange(owned_, {})) static_cast<void>(release(index));
  members_.clear();
  refused_.clear();
  refused_members_.clear();
  static_cast<void>(quit());
  is_client_ = false;
}

void Arbiter::review(const RuleSet& before) {
  if (!is_client_) return;
  std::vector<Member> entries;
  each_entry([&](const Flow& flow, std::uint32_t in) { entries.push_back({flow, in}); });
  rules_.ask([&](const RuleSet& now) {
    std::erase_if(entries, [&](const Member& each) { return now.agrees(before, each.flow, each.index); });
    return 0;
  });
  for (const Member& wrong : entries) static_cast<void>(forget(wrong.flow));
}

DWORD Arbiter::state_of(std::uint32_t interface) const {
  if (owned_.contains(interface)) return NO_ERROR;
  const auto at = refused_.find(interface);
  return at != refused_.end() ? at->second : ERROR_NOT_FOUND;
}

DWORD Arbiter::state_of(const Member& member) const {
  if (members_.contains(member)) return NO_ERROR;
  const auto at = refused_members_.find(member);
  return at != refused_members_.end() ? at->second : state_of(member.index);
}

}  // namespace turnpike::modules
