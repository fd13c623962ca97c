// Deadlines: what the table has to do at a time: end a route's life, end a hold, look after a callback. A heap of four
// children a node, under the table's lock.
//
// Each thing keeps its place in the heap itself (`timer`, 0: not in it), so a refresh moves one entry instead of
// leaving a stale one behind: the heap is as large as the number of things with a time, whatever the churn. Its memory
// grows in place: to copy a million entries to a larger one would take the lock for tens of milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "rtm/region.h"

namespace turnpike::rtm {

class Deadlines {
 public:
  enum class What : std::uint8_t { kRoute, kHold, kCallback };

  struct Entry {
    std::uint64_t at = 0;  // nanoseconds of the table's clock
    std::uint32_t index = 0;
    What what = What::kRoute;
    std::uint32_t order = 0;  // among those of one time and kind
    std::uint32_t* place = nullptr;

    // At one time the routes come before the holds, so that what ends a route is seen by the hold that ends with it.
    [[nodiscard]] bool is_before(const Entry& other) const {
      return std::tie(at, what, order) < std::tie(other.at, other.what, other.order);
    }
  };

  // Makes room for one more, so that the next `set` cannot fail. False: no memory.
  bool reserve_one() noexcept;
  // Adds the entry, or moves it if its place says that it is there.
  void set(const Entry& entry) noexcept;
  void remove(std::uint32_t& place) noexcept;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] const Entry& first() const { return heap()[1]; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return memory_.opened(); }
  // The memory, if it should be made ready for more. Its make_ready wants no lock.
  [[nodiscard]] Region* low() { return memory_.is_low((count_ + 1) * sizeof(Entry)) ? &memory_ : nullptr; }

 private:
  static constexpr std::size_t kChildren = 4;
  void put(std::size_t at, const Entry& entry) noexcept;
  void rise(std::size_t at, const Entry& entry) noexcept;
  void sink(std::size_t at, const Entry& entry) noexcept;

  [[nodiscard]] Entry* heap() const { return reinterpret_cast<Entry*>(memory_.data()); }

  Region memory_;          // reserved by the first
  std::size_t count_ = 0;  // they begin at place 1: place 0 is nobody's
};

}  // namespace turnpike::rtm
