#include "forwarder/next_hops.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"

namespace turnpike::forwarder {
namespace {

constexpr std::uint16_t kMostWeight = 256;
constexpr unsigned kTriesForAnId = 16;  // ids that others may have taken, in one flush

}  // namespace

// --- users
// -------------------------------------------------------------------------------------------------------------------

NextHops::Index NextHops::make(Shape shape) {
  if (free_.empty()) {
    objects_.emplace_back();
    free_.push_back(static_cast<Index>(objects_.size() - 1));
  }
  const Index index = free_.back();
  free_.pop_back();
  objects_[index] = Object{};
  objects_[index].shape = shape;
  return index;
}

NextHops::Index NextHops::leaf(const Way& way) {
  const auto [place, is_new] = leaves_.try_emplace(way, 0);
  if (is_new) {
    place->second = make(Shape::kLeaf);
    objects_[place->second].way = way;
  }
  objects_[place->second].adopted = false;
  want(place->second);
  return place->second;
}

// Somebody is about to use it: what was given up while nobody did is to be written again.
void NextHops::want(Index index) {
  const Object& its = objects_[index];
  if (its.state == State::kAbsent || (its.state == State::kFailed && its.uses == 0)) pend(index);
}

// One more user of each leaf. Ways that are the same count as one of more weight.
NextHops::Members NextHops::members_of(std::span<const Way> ways) {
  Members members;
  for (const Way& way : ways) {
    const Index index = leaf(way);
    const auto place = std::ranges::lower_bound(members, index, {}, [](const auto& member) { return member.first; });
    if (place == members.end() || place->first != index) {
      members.insert(place, {index, std::uint16_t{1}});
      use(index);
    } else {
      place->second = std::min<std::uint16_t>(kMostWeight, static_cast<std::uint16_t>(place->second + 1));
    }
  }
  return members;
}

void NextHops::drop(const Members& members) {
  for (const auto& [index, weight] : members) release(index);
}

NextHops::Index NextHops::share(std::span<const Way> ways, std::uint32_t hint) {
  if (ways.empty() || ways.size() > kMostMembers) return 0;
  Members members = members_of(ways);
  if (members.size() == 1) return members.front().first;  // with the use that it was given
  if (const auto there = groups_.find(members); there != groups_.end()) {
    drop(members);
    want(there->second);
    use(there->second);
    return there->second;
  }
  Index index = adopted_group(hint, members);
  if (index != 0) {
    drop(members);
    objects_[index].adopted = false;
  } else {
    index = make(Shape::kGroup);
    objects_[index].members = members;
    pend(index);
  }
  groups_.emplace(objects_[index].members, index);
  use(index);
  return index;
}

NextHops::Index NextHops::make_movable() {
  const Index index = make(Shape::kMovable);
  objects_[index].resolved = false;
  fail(objects_[index], ENETUNREACH);
  use(index);
  return index;
}

void NextHops::move(Index index, std::span<const Way> ways, std::uint32_t hint) {
  if (ways.empty() || ways.size() > kMostMembers) {
    objects_[index].resolved = false;
    fail(objects_[index], ENETUNREACH);
    return;
  }
  Members members = members_of(ways);
  if (const Index adopted = objects_[index].id == 0 ? adopted_group(hint, members) : 0; adopted != 0) {
    take_over(index, adopted);
  }
  Object& its = objects_[index];
  const bool was_resolved = std::exchange(its.resolved, true);
  const bool same = its.members == members;
  drop(std::exchange(its.members, std::move(members)));
  if (!same || (!was_resolved && its.state != State::kPresent)) pend(index);
}

void NextHops::take_over(Index movable, Index adopted) {
  Object& its = objects_[movable];
  Object& former = objects_[adopted];
  its.id = std::exchange(former.id, 0);
  ids_[its.id] = movable;
  its.exists = former.exists;
  its.state = former.state;
  its.error = 0;
  its.resolved = true;
  its.members = std::exchange(former.members, {});
  free(adopted);
}

void NextHops::release(Index index) {
  Object& its = objects_[index];
  if (--its.uses == 0 && !std::exchange(its.queued, true)) unused_.push_back(index);
}

NextHops::Index NextHops::find(std::uint32_t id) const {
  const auto there = ids_.find(id);
  return there != ids_.end() ? there->second : 0;
}

NextHops::Index NextHops::adopted_group(std::uint32_t id, const Members& members) const {
  const Index index = id != 0 ? find(id) : 0;
  const bool fits = index != 0 && objects_[index].adopted && objects_[index].shape == Shape::kGroup &&
                    objects_[index].members == members;
  return fits ? index : 0;
}

// --- states
// ------------------------------------------------------------------------------------------------------------------

void NextHops::fail(Object& object, int error) {
  object.state = State::kFailed;
  object.error = error;
}

void NextHops::pend(Index index) {
  if (objects_[index].state != State::kPending) {
    objects_[index].state = State::kPending;
    pending_.push_back(index);
  }
}

// The kernel has it no more, nor the routes that named it. No error: it is wanted back.
void NextHops::lose(Index index, int error) {
  Object& its = objects_[index];
  its.lost = its.lost || its.exists;
  has_losses_ = has_losses_ || its.lost;
  its.exists = false;
  if (error != 0) {
    fail(its, error);
  } else if (its.uses != 0 && its.resolved) {
    pend(index);
  } else {
    its.state = State::kAbsent;
  }
}

// The leaf came or went. A group of which nothing is left is gone too.
void NextHops::rewrite_groups_of(Index leaf) {
  for (Index index = 1; index < objects_.size(); ++index) {
    Object& its = objects_[index];
    const bool has = is_group(its) && its.resolved &&
                     std::ranges::any_of(its.members, [&](const auto& member) { return member.first == leaf; });
    if (!has) continue;
    const bool empty = std::ranges::none_of(its.members, [&](const auto& member) {
      return objects_[member.first].state == State::kPresent || objects_[member.first].state == State::kPending;
    });
    const bool gone =
        std::ranges::none_of(its.members, [&](const auto& member) { return objects_[member.first].exists; });
    if (gone || empty) lose(index, empty ? objects_[leaf].error : 0);
    if (!empty) pend(index);
  }
}

bool NextHops::link_lost(InterfaceIndex link) {
  bool any = false;
  for (Index index = 1; index < objects_.size(); ++index) {
    Object& its = objects_[index];
    if (its.shape != Shape::kLeaf || its.way.link != link || (!its.exists && its.state != State::kPending)) continue;
    lose(index, ENETDOWN);
    any = true;
  }
  for (Index index = 1; any && index < objects_.size(); ++index) {
    if (objects_[index].shape == Shape::kLeaf && objects_[index].way.link == link) rewrite_groups_of(index);
  }
  return any;
}

bool NextHops::retry(std::optional<InterfaceIndex> link) {
  bool any = false;
  has_refused_ = has_refused_ && link;
  for (Index index = 1; index < objects_.size(); ++index) {
    Object& its = objects_[index];
    if (its.state != State::kFailed || !its.resolved || its.uses == 0) continue;
    if (its.shape == Shape::kLeaf && link && its.way.link != *link) continue;
    any = true;
    pend(index);
    if (its.shape == Shape::kLeaf) rewrite_groups_of(index);
  }
  return any;
}

bool NextHops::taken_away(std::uint32_t id) {
  const Index index = find(id);
  if (index == 0 || !objects_[index].exists) return false;
  ++repaired_;
  lose(index, 0);
  if (objects_[index].shape == Shape::kLeaf) rewrite_groups_of(index);
  return true;
}

bool NextHops::changed(const kernel::NextHop& by_others) {
  const Index index = find(by_others.id);
  if (index == 0) return false;
  if (objects_[index].state == State::kPresent && !matches(objects_[index], by_others)) {
    ++repaired_;
    pend(index);
  }
  return true;
}

void NextHops::forget_losses() {
  has_losses_ = false;
  for (Object& each : objects_) each.lost = false;
}

// --- writing
// -----------------------------------------------------------------------------------------------------------------

void NextHops::give_id(Index index) {
  const auto after = [](std::uint32_t id) { return id < kLastId ? id + 1 : kFirstId; };
  while (ids_.contains(next_id_)) next_id_ = after(next_id_);
  objects_[index].id = next_id_;
  ids_.emplace(next_id_, index);
  next_id_ = after(next_id_);
}

std::vector<kernel::GroupMember> NextHops::present_members(const Object& group) const {
  std::vector<kernel::GroupMember> members;
  for (const auto& [index, weight] : group.members) {
    if (objects_[index].state == State::kPresent) members.push_back({objects_[index].id, weight});
  }
  return members;
}

// False: the writer is full.
bool NextHops::put(kernel::Writer& writer, Index index) {
  Object& its = objects_[index];
  kernel::NextHop object;
  object.id = its.id;
  object.protocol = protocol_;
  std::vector<kernel::GroupMember> members;
  if (its.shape == Shape::kLeaf) {
    object.family = its.way.family;
    object.link = its.way.link;
    object.gateway = its.way.gateway;
  } else {
    members = present_members(its);
    object.kind = kernel::NextHopKind::kGroup;
    object.members = members;
  }
  return writer.put(its.exists ? kernel::Change::kUpdate : kernel::Change::kAdd, object, index);
}

// Submits, and sorts out what was refused. What was put is taken for present until then.
void NextHops::collect(kernel::Writer& writer) {
  const kernel::Report report = writer.submit();
  wants_audit_ = wants_audit_ || report.answers_lost;
  std::vector<Index> anew;
  for (const kernel::Refusal& refusal : report.refused) {
    const auto index = static_cast<Index>(refusal.cookie);
    Object& its = objects_[index];
    if (refusal.error == EEXIST && !its.exists) {
      ids_[its.id] = 0;  // somebody else's
      its.id = 0;
      anew.push_back(index);
      continue;
    }
    if (refusal.error == ENOENT && its.exists) {  // with its routes; the news of it are still to come
      ++repaired_;
      lose(index, 0);
      if (its.shape == Shape::kLeaf) rewrite_groups_of(index);
      continue;
    }
    ++refused_;
    has_refused_ = true;
    wants_audit_ = wants_audit_ || (is_group(its) && refusal.error == EINVAL);
    fail(its, refusal.error);
    TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "the kernel refused a next hop", {"id", its.id},
                 {"reason", kernel::describe(refusal)});
  }
  for (std::uint64_t i = 0; i < objects_.size(); ++i) {
    Object& its = objects_[i];
    if (its.state == State::kPresent && !its.exists) its.exists = true;
  }
  for (const Index index : anew) {
    objects_[index].exists = false;
    pend(index);
  }
}

void NextHops::write(kernel::Writer& writer, std::span<const Index> which) {
  for (const Index index : which) {
    Object& its = objects_[index];
    if (its.state != State::kPending) continue;
    if (its.uses == 0) {
      its.state = its.exists ? State::kPresent : State::kAbsent;
      continue;
    }
    if (is_group(its) && present_members(its).empty()) {
      fail(its, objects_[its.members.front().first].error);
      continue;
    }
    if (its.id == 0) give_id(index);
    while (!put(writer, index)) collect(writer);
    its.state = State::kPresent;
    ++written_;
  }
  collect(writer);
}

void NextHops::flush(kernel::Writer& writer) {
  for (unsigned tries = 0; tries < kTriesForAnId && !pending_.empty(); ++tries) {
    std::vector<Index> leaves;
    std::vector<Index> groups;
    for (const Index index : std::exchange(pending_, {})) {
      (objects_[index].shape == Shape::kLeaf ? leaves : groups).push_back(index);
    }
    if (!leaves.empty()) write(writer, leaves);
    if (!pending_.empty()) {  // a leaf needs another id: its groups wait
      for (const Index group : groups) pending_.push_back(group);
    } else if (!groups.empty()) {
      write(writer, groups);
    }
  }
  for (const Index index : std::exchange(pending_, {})) {
    if (objects_[index].state == State::kPending) fail(objects_[index], EEXIST);
  }
}

// --- removing
// ----------------------------------------------------------------------------------------------------------------

void NextHops::free(Index index) {
  Object& its = objects_[index];
  if (its.shape == Shape::kLeaf) {
    if (const auto there = leaves_.find(its.way); there != leaves_.end() && there->second == index)
      leaves_.erase(there);
  } else if (its.shape == Shape::kGroup) {
    if (const auto there = groups_.find(its.members); there != groups_.end() && there->second == index) {
      groups_.erase(there);
    }
  }
  if (its.id != 0) ids_.erase(its.id);
  drop(std::exchange(its.members, {}));
  const bool queued = its.queued;
  its = Object{};
  its.queued = queued;  // sweep looks at its place once more
  if (!queued) free_.push_back(index);
}

void NextHops::remove(kernel::Writer& writer, std::span<const Index> which) {
  for (const Index index : which) {
    const Object& its = objects_[index];
    if (!its.exists) continue;
    kernel::NextHop object;
    object.id = its.id;
    while (!writer.put(kernel::Change::kRemove, object, index)) static_cast<void>(writer.submit());
    ++removed_;
  }
  static_cast<void>(writer.submit());  // what is gone already is as good; the audit finds what stayed
  for (const Index index : which) free(index);
}

void NextHops::sweep(kernel::Writer& writer, bool adopted) {
  for (Index index = 1; adopted && index < objects_.size(); ++index) {
    Object& its = objects_[index];
    if (its.adopted && its.uses == 0 && !std::exchange(its.queued, true)) unused_.push_back(index);
    its.adopted = false;
  }
  while (!unused_.empty()) {  // groups, then the leaves that they let go
    std::vector<Index> groups;
    std::vector<Index> leaves;
    for (const Index index : std::exchange(unused_, {})) {
      Object& its = objects_[index];
      its.queued = false;
      if (its.shape == Shape::kFree) {
        free_.push_back(index);
      } else if (its.uses == 0 && !its.adopted) {
        (is_group(its) ? groups : leaves).push_back(index);
      }
    }
    remove(writer, groups);
    remove(writer, leaves);
  }
}

void NextHops::remove_all(kernel::Writer& writer) {
  std::vector<Index> all;
  for (const bool groups : {true, false}) {
    for (Index index = 1; index < objects_.size(); ++index) {
      if (objects_[index].shape != Shape::kFree && is_group(objects_[index]) == groups) all.push_back(index);
    }
  }
  for (const Index index : all) {
    kernel::NextHop object;
    object.id = objects_[index].id;
    if (!objects_[index].exists) continue;
    while (!writer.put(kernel::Change::kRemove, object, index)) static_cast<void>(writer.submit());
    objects_[index].exists = false;
    objects_[index].state = State::kAbsent;
  }
  static_cast<void>(writer.submit());
}

// --- what the kernel has
// -----------------------------------------------------------------------------------------------------

bool NextHops::matches(const Object& object, const kernel::NextHop& seen) const {
  if (object.shape == Shape::kLeaf) {
    return seen.kind == kernel::NextHopKind::kGateway && seen.link == object.way.link &&
           seen.gateway == object.way.gateway && seen.family == object.way.family;
  }
  auto ours = present_members(object);
  std::vector<kernel::GroupMember> theirs(seen.members.begin(), seen.members.end());
  for (auto* members : {&ours, &theirs}) std::ranges::sort(*members, {}, &kernel::GroupMember::id);
  return seen.kind == kernel::NextHopKind::kGroup && ours == theirs;
}

void NextHops::begin_audit() {
  groups_to_adopt_.clear();
  wants_audit_ = false;
  unexpected_ = 0;
  for (Object& each : objects_) each.seen = false;
}

void NextHops::audit(const kernel::NextHop& seen) {
  const Index index = find(seen.id);
  unexpected_ += objects_[index].exists ? 0 : 1;
  if (index == 0) {
    if (ids_.contains(seen.id)) ids_.erase(seen.id);  // it was thought to be somebody else's
    if (seen.kind == kernel::NextHopKind::kGateway) {
      adopt_leaf(seen);
    } else {
      groups_to_adopt_.emplace_back(seen);
    }
    return;
  }
  Object& its = objects_[index];
  its.seen = true;
  its.exists = true;
  static_cast<void>(changed(seen));
}

void NextHops::adopt_leaf(const kernel::NextHop& seen) {
  const Way way{seen.family, seen.link, seen.gateway};
  const auto there = leaves_.find(way);
  if (there != leaves_.end() && !objects_[there->second].exists) {  // wanted already: this is it
    Object& its = objects_[there->second];
    if (its.id != 0) ids_.erase(its.id);
    its.id = seen.id;
    its.exists = its.seen = true;
    its.state = State::kPresent;
    ids_[seen.id] = there->second;
    return;
  }
  const Index index = make(Shape::kLeaf);
  Object& its = objects_[index];
  its.way = way;
  its.id = seen.id;
  its.exists = its.seen = its.adopted = true;
  its.state = State::kPresent;
  ids_[seen.id] = index;
  if (there == leaves_.end()) leaves_.emplace(way, index);
}

// A group of what is not ours, and what is no group at all, gets no members: nobody will want it, and it is swept.
void NextHops::adopt_group(const kernel::NextHop& seen) {
  Members members;
  for (const kernel::GroupMember& member : seen.members) {
    const Index leaf = find(member.id);
    if (leaf == 0 || objects_[leaf].shape != Shape::kLeaf) {
      members.clear();
      break;
    }
    members.emplace_back(leaf, member.weight);
  }
  std::ranges::sort(members);
  for (const auto& [leaf, weight] : members) use(leaf);
  const Index index = make(Shape::kGroup);
  Object& its = objects_[index];
  its.members = std::move(members);
  its.id = seen.id;
  its.exists = its.seen = its.adopted = true;
  its.state = State::kPresent;
  ids_[seen.id] = index;
}

std::size_t NextHops::end_audit() {
  for (const kernel::NextHopCopy& group : std::exchange(groups_to_adopt_, {})) adopt_group(group.view());
  std::size_t missing = 0;
  for (Index index = 1; index < objects_.size(); ++index) {
    Object& its = objects_[index];
    if (its.shape == Shape::kFree || !its.exists || its.seen) continue;
    ++missing;
    lose(index, 0);
    if (its.shape == Shape::kLeaf) rewrite_groups_of(index);
  }
  repaired_ += missing;
  return missing;
}

NextHops::Counts NextHops::counts() const {
  Counts counts;
  for (const Object& each : objects_) {
    if (each.shape == Shape::kFree) continue;
    ++(is_group(each) ? counts.groups : counts.leaves);
    counts.pending += each.state == State::kPending ? 1 : 0;
    counts.failed += each.state == State::kFailed ? 1 : 0;
    counts.adopted += each.adopted ? 1 : 0;
    counts.bytes += each.members.capacity() * sizeof(Members::value_type);
  }
  counts.bytes += objects_.capacity() * sizeof(Object) + (leaves_.size() + groups_.size()) * 96 + ids_.size() * 32;
  counts.written = written_;
  counts.removed = removed_;
  counts.repaired = repaired_;
  counts.refused = refused_;
  return counts;
}

}  // namespace turnpike::forwarder
