// Which entries a membership call is about: all, those of a group, or one.
#pragma once

#include "mgm/manager.h"

namespace turnpike::mgm {

// Visits the live ones in their order. The visitor must not end any.
template <class F>
void Manager::for_each_entry(const Flow& flow, F&& visit) {
  auto at = entries_.lower_bound(flow);
  while (at != entries_.end() && (flow.any_group() || at->first.group == flow.group) &&
         (flow.any_source() || at->first.source == flow.source)) {
    if (at->second->state == Entry::State::kLive) {
      visit(*at->second);
    }
    ++at;
  }
}

}  // namespace turnpike::mgm
