// NextHops: the kernel's next hop objects that are ours, shared and counted.
//
// A route of ours never carries its gateway: it names an object. So what a million routes have in common is changed by
// one message, and the kernel takes routes at half the cost. There are three kinds:
//
//   leaf     one gateway on one link, or a link alone. One for each (family, link, gateway), whoever uses it.
//   group    several leaves, one for each combination: what routes with several next hops of their own name.
//   movable  a group, be it of one leaf, whose members its user changes: what routes with a recursive next hop name.
//            It is always a group because the kernel replaces a group by a group and a leaf by a leaf, and nothing
//            else.
//
// State of an object, which is what the kernel is thought to have:
//
//   kAbsent    nobody needs it, and the kernel has it not
//   kPending   needed, and to be written (or written anew, where it `exists`: then replaced in place)
//   kPresent   as the kernel has it
//   kFailed    the kernel refused it (`error`), or took it away with its link (ENETDOWN); tried again by `retry`
//
// Order. `flush` writes leaves, then groups; it runs before the routes that name them are put. `sweep` deletes what
// nobody uses, groups before leaves; it runs after the routes that left them have been written.
//
// The kernel deletes leaves with their link, takes them out of groups, deletes groups that become empty and the routes
// that name them, and tells next to nothing of it. `link_lost` does the same here. A group that some of its leaves
// failed is written with the others.
//
// Adopted objects (what a former process left, number 220) are taken over by content: a leaf by what it is, a group
// when a route that named it turns out to want its content. What nobody has taken over goes with `sweep(true)`.
//
// Rejected: an object for each next hop of each client (clients share gateways, and a leaf costs the kernel 512 bytes);
// deleting at once what is not used (a flapping route would make and delete its object each time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "kernel/port.h"

namespace turnpike::forwarder {

using kernel::Address;
using kernel::Family;
using kernel::InterfaceIndex;
using kernel::Prefix;

// Where packets go: over a link, to a gateway or to whom they are addressed.
struct Way {
  Family family = Family::kIpv4;  // of the gateway; without one of the routes
  InterfaceIndex link;
  std::optional<Address> gateway = {};

  friend bool operator==(const Way&, const Way&) = default;
  friend auto operator<=>(const Way& a, const Way& b) {
    if (const auto links = a.link <=> b.link; links != 0) return links;
    if (const auto families = a.family <=> b.family; families != 0) return families;
    return a.gateway.value_or(Address()) <=> b.gateway.value_or(Address());
  }
};

class NextHops {
 public:
  using Index = std::uint32_t;  // 0: none
  // Ids of ours, in turn. FRRouting's zebra counts on from the ids below about 100 million that it sees, and would take
  // our next one; from about 250 million on (2^32 by half the number of its protocols) they mean something else to it,
  // and it ignores every route that names one. Between them it reads ours and keeps away.
  static constexpr std::uint32_t kFirstId = 0x0a000000;
  static constexpr std::uint32_t kLastId = 0x0dffffff;
  static constexpr std::size_t kMostMembers = 256;

  enum class State : std::uint8_t { kAbsent, kPending, kPresent, kFailed };

  explicit NextHops(std::uint8_t protocol) : protocol_(protocol), objects_(1) {}

  // One more user of the object that leads along these ways: a leaf for one, else a group. 0: there are none, or too
  // many. `hint`: the id of an adopted group that a route had, 0: none.
  Index share(std::span<const Way> ways, std::uint32_t hint);
  // One more user of an object of his own, without members yet.
  Index make_movable();
  // Where a movable leads from now on. Where the hint names an adopted group of just this content, it becomes that one.
  // No ways: it leads nowhere (kFailed), but stays as it is in the kernel until the routes that name it have left.
  void move(Index movable, std::span<const Way> ways, std::uint32_t hint);
  void use(Index index) { ++objects_[index].uses; }
  void release(Index index);

  // The id by which routes name it; 0: none yet.
  [[nodiscard]] std::uint32_t id_of(Index index) const { return objects_[index].id; }
  // Whether it is the id of one of ours, or of a former life's.
  [[nodiscard]] bool has(std::uint32_t id) const { return find(id) != 0; }
  [[nodiscard]] State state_of(Index index) const { return objects_[index].state; }
  [[nodiscard]] int error_of(Index index) const { return objects_[index].error; }

  // Writes what is to be written. Whatever is not present afterwards has failed.
  void flush(kernel::Writer& writer);
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  // Deletes what nobody uses; the adopted too, if so.
  void sweep(kernel::Writer& writer, bool adopted);
  [[nodiscard]] bool has_unused() const { return !unused_.empty(); }
  // Everything, in use or not: after it the kernel has none of ours.
  void remove_all(kernel::Writer& writer);

  // What changed under our hands. True: routes that name something that `lost` says are gone with it.
  bool link_lost(InterfaceIndex link);
  // What failed is tried again: on that link, or all. Somebody has to, as long as something is refused.
  bool retry(std::optional<InterfaceIndex> link);
  [[nodiscard]] bool has_refused() const { return has_refused_; }
  // Somebody else took it away, or changed it. True: it was one of ours.
  bool taken_away(std::uint32_t id);
  bool changed(const kernel::NextHop& by_others);
  // Objects that were found gone with the routes that named them, until they are forgotten.
  [[nodiscard]] bool is_lost(Index index) const { return objects_[index].lost; }
  [[nodiscard]] bool has_losses() const { return has_losses_; }
  void forget_losses();

  // A dump: begin, one call for each object of the protocol, end. What is ours and was not there is lost; what was not
  // ours before is adopted.
  void begin_audit();
  void audit(const kernel::NextHop& seen);
  // Whether it is asked for: answers were lost, or a group was refused that has all its members, as we thought.
  [[nodiscard]] bool wants_audit() const { return wants_audit_; }
  // Gives how many of ours were missing or other than they should be.
  std::size_t end_audit();
  // What the last audit has found of which we thought that the kernel had it not.
  [[nodiscard]] std::size_t unexpected() const { return unexpected_; }
  // Foreign ids, so that none of ours meets one.
  void avoid(std::uint32_t id) { ids_.emplace(id, 0); }

  struct Counts {
    std::size_t leaves = 0, groups = 0, pending = 0, failed = 0, adopted = 0;
    std::uint64_t written = 0, removed = 0, repaired = 0, refused = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  enum class Shape : std::uint8_t { kFree, kLeaf, kGroup, kMovable };
  // Leaves and how often each, in order: {index here, weight}.
  using Members = std::vector<std::pair<Index, std::uint16_t>>;
  struct Object {
    Shape shape = Shape::kFree;
    State state = State::kAbsent;
    bool exists = false;   // the kernel has something under this id: replace, do not add
    bool adopted = false;  // from a former life, and nobody has wanted it yet
    bool lost = false;     // the kernel dropped it, and the routes that named it
    bool queued = false;   // is in unused_
    bool seen = false;     // by the audit
    bool resolved = true;  // a movable that leads somewhere
    int error = 0;
    std::uint32_t id = 0;
    std::uint32_t uses = 0;
    Way way;          // of a leaf
    Members members;  // of the others
  };
  [[nodiscard]] bool is_group(const Object& object) const {
    return object.shape == Shape::kGroup || object.shape == Shape::kMovable;
  }

  Index make(Shape shape);
  Index leaf(const Way& way);
  void want(Index index);
  Members members_of(std::span<const Way> ways);
  void drop(const Members& members);
  void fail(Object& object, int error);
  void pend(Index index);
  void lose(Index index, int error);
  void rewrite_groups_of(Index leaf);
  void give_id(Index index);
  Index adopted_group(std::uint32_t id, const Members& members) const;
  void take_over(Index movable, Index adopted);
  void write(kernel::Writer& writer, std::span<const Index> which);
  bool put(kernel::Writer& writer, Index index);
  void collect(kernel::Writer& writer);
  std::vector<kernel::GroupMember> present_members(const Object& group) const;
  bool matches(const Object& object, const kernel::NextHop& seen) const;
  void adopt_leaf(const kernel::NextHop& seen);
  void adopt_group(const kernel::NextHop& seen);
  void remove(kernel::Writer& writer, std::span<const Index> which);
  void free(Index index);
  [[nodiscard]] Index find(std::uint32_t id) const;

  const std::uint8_t protocol_;
  std::vector<Object> objects_;
  std::vector<Index> free_;
  std::vector<Index> pending_;  // perhaps no longer
  std::vector<Index> unused_;   // perhaps no longer
  std::map<Way, Index> leaves_;
  std::map<Members, Index> groups_;                   // not the movable ones
  std::unordered_map<std::uint32_t, Index> ids_;      // 0: somebody else's
  std::vector<kernel::NextHopCopy> groups_to_adopt_;  // until the leaves of a dump are known
  std::uint32_t next_id_ = kFirstId;
  bool has_refused_ = false, has_losses_ = false, wants_audit_ = false;
  std::size_t unexpected_ = 0;  // of this audit
  std::uint64_t written_ = 0, removed_ = 0, repaired_ = 0, refused_ = 0;
};

}  // namespace turnpike::forwarder
