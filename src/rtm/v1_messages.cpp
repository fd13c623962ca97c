#include "rtm/v1_messages.h"

#include <utility>

namespace turnpike::rtm {
namespace {

constexpr std::size_t kKept = 8192;  // places, also when none is in use

}  // namespace

bool V1Snapshots::reserve(std::size_t count) noexcept {
  return free_count_ >= count || places_.grow(used_ + count - free_count_);
}

V1Snapshot* V1Snapshots::make(const V1Route& route) noexcept {
  if (!reserve(1)) {
    return nullptr;
  }
  V1Snapshot* snapshot = free_;
  if (snapshot != nullptr) {
    free_ = snapshot->next_free;
    --free_count_;
  } else {
    snapshot = &places_[used_++];
  }
  snapshot->route = route;
  snapshot->holders = 0;
  return snapshot;
}

void V1Snapshots::drop(V1Snapshot* snapshot) noexcept {
  if (snapshot == nullptr || --snapshot->holders != 0) {
    return;
  }
  snapshot->next_free = std::exchange(free_, snapshot);
  ++free_count_;
}

Paged<V1Snapshot> V1Snapshots::shed() noexcept {
  if (free_count_ != used_ || places_.size() <= kKept) {
    return {};
  }
  free_ = nullptr;
  used_ = free_count_ = 0;
  return std::exchange(places_, {});
}

bool V1Queue::reserve(std::uint32_t destinations) noexcept {
  return ends_.grow(destinations) && (free_ != 0 || nodes_.grow(std::size_t{used_} + 1));
}

void V1Queue::append(const Message& message) noexcept {
  std::uint32_t place = free_;
  if (place != 0) {
    free_ = nodes_[place].next;
  } else {
    place = used_++;
  }
  nodes_[place] = {message, last_, 0, 0};
  (last_ != 0 ? nodes_[last_].next : first_) = place;
  last_ = place;
  Ends& ends = ends_[message.destination];
  (ends.first != 0 ? nodes_[ends.last].next_same : ends.first) = place;
  ends.last = place;
  ++size_;
}

V1Queue::Message V1Queue::take_first_of(std::uint32_t destination) noexcept {
  Ends& ends = ends_[destination];
  const std::uint32_t place = ends.first;
  Node& node = nodes_[place];
  ends.first = node.next_same;
  ends.last = ends.first != 0 ? ends.last : 0;
  (node.before != 0 ? nodes_[node.before].next : first_) = node.next;
  (node.next != 0 ? nodes_[node.next].before : last_) = node.before;
  node.next = std::exchange(free_, place);
  --size_;
  return node.message;
}

int V1Queue::push(const Message& message, V1Snapshots& snapshots) noexcept {
  for (V1Snapshot* each : {message.previous, message.current}) {
    if (each != nullptr) {
      ++each->holders;
    }
  }
  append(message);
  return 1 - (size_ > limit_ ? merge_oldest(message.destination, snapshots) : 0);
}

// How many messages that took away.
int V1Queue::merge_oldest(std::uint32_t destination, V1Snapshots& snapshots) noexcept {
  if (ends_[destination].first == ends_[destination].last) {
    return 0;
  }
  const Message older = take_first_of(destination);
  Message& merged = nodes_[ends_[destination].first].message;
  snapshots.drop(older.current);
  snapshots.drop(std::exchange(merged.previous, older.previous));
  ++merged_;
  if (merged.previous != nullptr || merged.current != nullptr) {
    return 1;
  }
  take_first_of(destination);  // it came and went
  return 2;
}

V1Queue::Message V1Queue::pop() noexcept { return take_first_of(nodes_[first_].message.destination); }

V1Queue::Memory V1Queue::shed() noexcept {
  if (size_ != 0 || nodes_.size() <= limit_) {
    return {};
  }
  used_ = 1;
  free_ = 0;
  return {std::exchange(nodes_, {}), std::exchange(ends_, {})};
}

}  // namespace turnpike::rtm
