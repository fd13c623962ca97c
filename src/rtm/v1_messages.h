// What waits for an RTMv1 client: messages about best routes that changed, in order, each with the routes as they were
// then.
//
// A client that does not read must not cost memory without end, and a client that reads must miss nothing. So every
// message is kept up to a limit. Beyond it a new message merges the two oldest of the same network into one, which has
// the previous route of the first and the current one of the second: what a client is told stays a true history, with
// steps left out. A network that came and went while nobody looked leaves no message at all. So there are never more
// messages than the limit and one for each network.
//
//   nodes_   the messages, linked in order, and those of one network linked among themselves; places are used again
//   ends_    by destination index: the first and the last message of the network
//
// Both grow by pages that never move (a vector of a million would be copied under the table's lock). A destination of
// which a message waits is pinned by the owner of the queue, so its index stays its own. The routes of a message are
// shared by all clients' queues and counted. Everything here is under the table's lock.
//
// Rejected: a hash from network to message, which must be rebuilt as it grows, again under the lock; messages without
// routes, as RTMv2 has them: a reader would see the present twice and the past never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "rtm/v1_route.h"

namespace turnpike::rtm {

// An array by index that grows by pages.
template <class T>
class Paged {
 public:
  // So that [0, count) is there. False: no memory.
  bool grow(std::size_t count) noexcept;
  [[nodiscard]] std::size_t size() const { return pages_.size() * kPage; }
  T& operator[](std::size_t index) { return pages_[index / kPage][index % kPage]; }

 private:
  static constexpr std::size_t kPage = 1024;
  std::vector<std::unique_ptr<T[]>> pages_;
};

// A route of a message, shared.
struct V1Snapshot {
  V1Route route;
  std::uint32_t holders = 0;
  V1Snapshot* next_free = nullptr;
};

// Where they live: places that are used again.
class V1Snapshots {
 public:
  // So that the next `count` can be made. False: no memory.
  bool reserve(std::size_t count) noexcept;
  V1Snapshot* make(const V1Route& route) noexcept;  // null: no memory; held by nobody yet
  void drop(V1Snapshot* snapshot) noexcept;         // one holder less; null is fine
  // After a long absence: what is not needed any more, to be freed without the lock.
  Paged<V1Snapshot> shed() noexcept;
  [[nodiscard]] std::size_t bytes() const { return places_.size() * sizeof(V1Snapshot); }

 private:
  Paged<V1Snapshot> places_;
  std::size_t used_ = 0;  // places that were ever used
  std::size_t free_count_ = 0;
  V1Snapshot* free_ = nullptr;
};

class V1Queue {
  struct Node;
  struct Ends;

 public:
  struct Message {
    V1Snapshot* previous = nullptr;
    V1Snapshot* current = nullptr;
    std::uint32_t destination = 0;
  };
  using Memory = std::pair<Paged<Node>, Paged<Ends>>;

  explicit V1Queue(std::size_t limit) : limit_(limit) {}

  // Room for one more message, whatever destination below `destinations` it is about. False: no memory.
  bool reserve(std::uint32_t destinations) noexcept;
  // There is room. Becomes a holder of the routes. By how many messages of that destination there are more now: 1, 0
  // (merged) or -1 (merged into nothing).
  int push(const Message& message, V1Snapshots& snapshots) noexcept;
  // There is one. The caller holds its routes then.
  Message pop() noexcept;
  // After a long absence: what is not needed any more, to be freed without the lock.
  Memory shed() noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t merged() const { return merged_; }
  [[nodiscard]] std::size_t bytes() const { return nodes_.size() * sizeof(Node) + ends_.size() * sizeof(Ends); }

 private:
  struct Node {
    Message message;
    std::uint32_t before = 0;     // in order; 0: none
    std::uint32_t next = 0;       // also of the list of the free
    std::uint32_t next_same = 0;  // the next one of the same destination
  };
  struct Ends {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  void append(const Message& message) noexcept;
  Message take_first_of(std::uint32_t destination) noexcept;
  int merge_oldest(std::uint32_t destination, V1Snapshots& snapshots) noexcept;

  const std::size_t limit_;
  Paged<Node> nodes_;
  Paged<Ends> ends_;
  std::uint32_t used_ = 1;  // places of nodes_ that were ever used; 0 is nobody's
  std::uint32_t free_ = 0;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::size_t size_ = 0;
  std::uint64_t merged_ = 0;
};

// What makes an entity an RTMv1 client.
struct V1Client {
  V1Client(bool single, std::function<void(bool)> its_signal, std::size_t limit)
      : single_route(single), signal(std::move(its_signal)), queue(limit) {}

  const bool single_route;
  // Sets or resets the client's event: it is to be set while messages wait. Empty: it wants none.
  const std::function<void(bool)> signal;
  V1Queue queue;
};

template <class T>
bool Paged<T>::grow(std::size_t count) noexcept try {
  while (size() < count) {
    pages_.push_back(std::make_unique<T[]>(kPage));
  }
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

}  // namespace turnpike::rtm
