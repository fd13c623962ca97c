// Memberships: who has receivers for what, behind which interface.
//
// A membership is (flow, interface), with a bit for each of the two who may hold it there: the owner and IGMP. It
// stands in two lists: that of its flow, from which alerts and outgoing interfaces are computed, and that of its
// interface, with which it goes. Records are 32 bytes in one pool, named by index; a flow with members is a node of an
// ordered tree, 80 bytes. So one membership of its own group costs 113 to 132 bytes with what malloc adds (the pool
// doubles), and a further interface of the same group 32 to 64.
//
// The tree is ordered, not hashed: groups are chosen by hosts, and a hash that strangers can choose the keys of needs a
// secret; and (*,g) lies next to its (s,g).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "mgm/interface.h"

namespace turnpike::mgm {

enum class Holder : std::uint8_t { kOwner = 1, kIgmp = 2 };

class Memberships {
 public:
  struct Group {
    std::uint32_t first = 0;
  };
  using Groups = std::map<Flow, Group>;

  // False: it is there already. Throws bad_alloc, and then nothing has changed.
  bool add(const Flow& flow, Interface& interface, Holder holder);
  // False: it was not there.
  bool remove(const Flow& flow, Interface& interface, Holder holder);

  // Calls visit(Interface&) for each interface with receivers for exactly this flow.
  template <class F>
  void for_each_interface(const Flow& flow, F&& visit) const {
    if (const auto group = groups_.find(flow); group != groups_.end()) {
      visit_group(group->second, visit);
    }
  }
  // The same for every flow that covers (s,g): itself, (*,g) and (*,*). An interface may come several times.
  template <class F>
  void for_each_covering(const Flow& flow, F&& visit) const {
    if (groups_.empty()) {
      return;
    }
    if (groups_.begin()->first.any_group()) {
      visit_group(groups_.begin()->second, visit);
    }
    auto at = groups_.lower_bound(any_source_of(flow));
    if (at != groups_.end() && at->first.group == flow.group && at->first.any_source()) {
      visit_group(at->second, visit);
      ++at;
    }
    if (at != groups_.end() && at->first.group == flow.group) {
      for_each_interface(flow, visit);
    }
  }
  [[nodiscard]] bool covers(const Flow& flow, const Interface& interface) const;

  // The flows that an interface has receivers for, in their order, with who holds them (bits of Holder).
  struct Held {
    Flow flow;
    std::uint8_t holders = 0;
  };
  [[nodiscard]] std::vector<Held> of(const Interface& interface) const;

  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] std::size_t size() const { return used_; }

 private:
  struct Membership {
    Groups::value_type* group = nullptr;
    Interface* interface = nullptr;
    std::uint32_t next_of_group = 0;
    std::uint32_t previous_of_interface = 0;
    std::uint32_t next_of_interface = 0;
    std::uint8_t holders = 0;  // bits of Holder
  };
  static_assert(sizeof(Membership) == 32);

  static Flow any_source_of(const Flow& flow) { return {flow.group, net::Address::netmask(flow.group.family(), 0)}; }
  template <class F>
  void visit_group(const Group& group, F& visit) const {
    for (std::uint32_t at = group.first; at != 0; at = pool_[at].next_of_group) {
      visit(*pool_[at].interface);
    }
  }
  std::uint32_t find(const Group& group, const Interface& interface) const;
  std::uint32_t take();
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);

  Groups groups_;
  std::vector<Membership> pool_{1};  // index 0 is none
  std::uint32_t first_free_ = 0;
  std::size_t used_ = 0;
};

}  // namespace turnpike::mgm
