// What a table keeps of one registration for change notification: a set of destinations that wait, a set that is
// marked, and the order in which they came.
//
// Both sets are bitmaps by destination index. A destination that waits is pinned, so its index stays its own. The queue
// holds indices in the order of their coming; one that was ignored or unmarked leaves the set, and its place in the
// queue is only counted as void. When more than half of them are void the queue is cleaned, so it is bounded by the
// table and not by the churn. All of it under the table's lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <vector>

#include "rtm/image.h"
#include "rtm/reference.h"

namespace turnpike::rtm {

class BitSet {
 public:
  [[nodiscard]] bool has(std::uint32_t index) const {
    return index / 64 < words_.size() && (words_[index / 64] >> (index % 64) & 1) != 0;
  }
  // True if it was not there. May throw bad_alloc, and then has changed nothing.
  bool insert(std::uint32_t index) {
    if (index / 64 >= words_.size()) {
      words_.resize(std::max<std::size_t>(index / 64 + 1, words_.size() * 2));
    }
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    const bool is_new = (words_[index / 64] & bit) == 0;
    words_[index / 64] |= bit;
    count_ += is_new ? 1 : 0;
    return is_new;
  }
  // True if it was there.
  bool erase(std::uint32_t index) {
    if (!has(index)) {
      return false;
    }
    words_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    --count_;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

  // Up to `limit` members from `from` on are taken out and shown; the place to go on from, 0 at the end.
  template <class F>
  std::uint32_t take(std::uint32_t from, std::size_t limit, F&& visit) {
    for (std::uint32_t index = from; index / 64 < words_.size(); ++index) {
      if (words_[index / 64] >> (index % 64) == 0) {
        index |= 63;
      } else if (erase(index)) {
        visit(index);
        if (--limit == 0) {
          return index + 1;
        }
      }
    }
    return 0;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

// What a client polls for changes, and the number by which he knows it.
struct ChangeSignal {
  std::function<void(bool)> raise;
  int token = -1;
};

struct ChangeRegistration {
  ClientIndex owner = 0;
  ViewSet views = kAnyView;     // as asked for: what the records show
  ViewSet watched = kAllViews;  // the changes of which count
  std::uint32_t types = 0;      // change::kAll | …
  bool only_marked = false;
  bool scheduled = false;  // an event for it waits at its owner
  void* context = nullptr;
  ChangeSignal signal;  // raised and lowered; empty: nobody polls
  bool raised = false;

  BitSet waiting;
  BitSet marked;

  // Whether a change in these views, of these kinds, is one that was registered for.
  [[nodiscard]] bool wants(ViewSet all, ViewSet best, ViewSet forwarding) const {
    return ((types & change::kAll) != 0 && (all & watched) != 0) ||
           ((types & change::kBestRoute) != 0 && (best & watched) != 0) ||
           ((types & change::kForwarding) != 0 && (forwarding & watched) != 0);
  }

  // Adds to the end; nothing if it waits already. May throw bad_alloc, and then has done nothing.
  bool push(std::uint32_t dest);
  // Takes the first one out; 0: none waits.
  std::uint32_t pop();
  // Takes one out of the middle. True if it waited.
  bool withdraw(std::uint32_t dest);
  [[nodiscard]] std::size_t bytes() const {
    return waiting.bytes() + marked.bytes() + queue_.size() * sizeof(std::uint32_t) + void_.size() * 32;
  }
  void raise(bool up) {
    if (up != raised && signal.raise) {
      signal.raise(up);
    }
    raised = up;
  }

 private:
  void clean();

  std::deque<std::uint32_t> queue_;
  std::unordered_map<std::uint32_t, std::uint32_t>
      void_;  // how many of its places in the queue, the first ones, count for nothing
  std::size_t void_count_ = 0;
};

}  // namespace turnpike::rtm
