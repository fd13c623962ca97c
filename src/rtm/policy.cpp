// Policy: the preference of routes that come without one.
//
// An administrator prefers protocols to each other (decision 10 of the contract). A route that its owner adds without a
// preference, and every IP route of RTMv1, has the one of its owner's protocol, and a bit that says so; when the
// administrator changes his mind, those routes are ranked anew, each as if its owner had updated it. A route that came
// with a preference keeps that.
//
// It is done in short holds of the table's lock, by the slab in the order of memory, as a departure is. A route that
// comes meanwhile has the new preference already, so the walk may meet it or not; and two walks at a time are none too
// many, since each goes by what holds at that moment.
//
// An object lock does not keep it away: like expiry, it is the table's own doing. But what the owner edits in an image
// under an exclusive lock stays as he left it, and a preference that he did not touch goes on following
// (update_and_unlock_route).
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {

std::uint32_t Table::policy_of(const Entity& owner) const {
  return preference_in(preferences_, owner.info.protocol, config_.default_preference);
}

void Table::set_preferences(Preferences preferences) {
  const std::lock_guard lock(mutex_);
  preferences_ = std::move(preferences);
}

void Table::apply_preferences() {
  std::uint32_t index = 1;
  in_steps([&](auto&& enough) {
    for (const std::uint32_t limit = routes_.limit(); index < limit; ++index) {
      const Route& its = route(index);
      if (its.references.is_rooted() && its.state == route_state::kCreated && its.by_policy) {
        follow_policy(index);
      }
      if (enough()) {
        ++index;
        return true;
      }
    }
    return false;
  });
}

void Table::follow_policy(std::uint32_t index) {
  Route& its = route(index);
  const std::uint32_t wanted = policy_of(*entity_at(its.owner));
  if (its.preference == wanted) {
    return;
  }
  Destination& dest = destination(its.destination);
  BestRoutes before;
  begin_change(dest, before);
  unlink(dest, index);
  its.preference = wanted;
  link(dest, index);
  const std::uint32_t was_best =
      end_change(its.destination, before, index, its.views, its.views, change::kBestRoute | change::kForwarding);
  if ((dest.marks & Destination::kLockedExclusively) == 0) {
    refresh_image(index);
  }
  if (!journal_.empty()) {
    note_in_journal(JournalEntry::What::kUpdated, index, was_best);
  }
}

}  // namespace turnpike::rtm
