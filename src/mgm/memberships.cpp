#include "mgm/memberships.h"

#include <algorithm>
#include <utility>

namespace turnpike::mgm {

std::uint32_t Memberships::find(const Group& group, const Interface& interface) const {
  std::uint32_t at = group.first;
  while (at != 0 && pool_[at].interface != &interface) {
    at = pool_[at].next_of_group;
  }
  return at;
}

std::uint32_t Memberships::take() {
  if (first_free_ == 0) {
    pool_.emplace_back();
    return static_cast<std::uint32_t>(pool_.size() - 1);
  }
  return std::exchange(first_free_, pool_[first_free_].next_of_group);
}

void Memberships::link(std::uint32_t index) {
  Membership& membership = pool_[index];
  membership.next_of_group = std::exchange(membership.group->second.first, index);
  membership.previous_of_interface = 0;
  membership.next_of_interface = std::exchange(membership.interface->first_membership, index);
  if (membership.next_of_interface != 0) {
    pool_[membership.next_of_interface].previous_of_interface = index;
  }
  ++used_;
}

void Memberships::unlink(std::uint32_t index) {
  const Membership& membership = pool_[index];
  std::uint32_t* link = &membership.group->second.first;
  while (*link != index) {
    link = &pool_[*link].next_of_group;
  }
  *link = membership.next_of_group;
  const std::uint32_t before = membership.previous_of_interface;
  (before != 0 ? pool_[before].next_of_interface : membership.interface->first_membership) =
      membership.next_of_interface;
  if (membership.next_of_interface != 0) {
    pool_[membership.next_of_interface].previous_of_interface = before;
  }
  --used_;
}

bool Memberships::add(const Flow& flow, Interface& interface, Holder holder) {
  const auto bit = static_cast<std::uint8_t>(holder);
  const auto [group, is_new] = groups_.try_emplace(flow);
  std::uint32_t index = is_new ? 0 : find(group->second, interface);
  if (index == 0) {
    try {
      index = take();
    } catch (...) {
      if (is_new) {
        groups_.erase(group);
      }
      throw;
    }
    pool_[index] = {.group = &*group, .interface = &interface};
    link(index);
  }
  Membership& membership = pool_[index];
  const bool is_change = (membership.holders & bit) == 0;
  membership.holders |= bit;
  return is_change;
}

bool Memberships::remove(const Flow& flow, Interface& interface, Holder holder) {
  const auto bit = static_cast<std::uint8_t>(holder);
  const auto group = groups_.find(flow);
  const std::uint32_t index = group != groups_.end() ? find(group->second, interface) : 0;
  if (index == 0 || (pool_[index].holders & bit) == 0) {
    return false;
  }
  pool_[index].holders = static_cast<std::uint8_t>(pool_[index].holders & ~bit);
  if (pool_[index].holders == 0) {
    unlink(index);
    pool_[index] = {.next_of_group = std::exchange(first_free_, index)};
    if (group->second.first == 0) {
      groups_.erase(group);
    }
    if (used_ == 0) {  // what a storm of joins took goes back when the last has left
      pool_.resize(1);
      pool_.shrink_to_fit();
      first_free_ = 0;
    }
  }
  return true;
}

bool Memberships::covers(const Flow& flow, const Interface& interface) const {
  bool covered = false;
  for_each_covering(flow, [&](const Interface& each) { covered = covered || &each == &interface; });
  return covered;
}

std::vector<Memberships::Held> Memberships::of(const Interface& interface) const {
  std::vector<Held> held;
  for (std::uint32_t at = interface.first_membership; at != 0; at = pool_[at].next_of_interface) {
    held.push_back({pool_[at].group->first, pool_[at].holders});
  }
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.flow < b.flow; });
  return held;
}

}  // namespace turnpike::mgm
