// PrefixMap: a number for each of very many prefixes, in one block of memory.
//
// What a former life left in the kernel is a million prefixes that nobody has claimed yet. 24 bytes each and a fifth to
// a half of free places, instead of the hundred that a map of nodes takes; the block grows by half, shrinks, and goes
// when the map is empty. Open addressing, one place after the other; what is taken out is closed up at once, so there
// are no marks of the dead to walk over. 0 is no number: it stands for a free place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "net/prefix.h"

namespace turnpike::forwarder {

class PrefixMap {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return places_.capacity() * sizeof(Place); }

  // 0: it is not there.
  [[nodiscard]] std::uint32_t find(const net::Prefix& prefix) const {
    return size_ != 0 ? places_[place_of(prefix)].number : 0;
  }
  // False: it is there already, and stays as it is.
  bool insert(const net::Prefix& prefix, std::uint32_t number) {
    if ((size_ + 1) * 5 > places_.size() * 4) make_places(places_.size() + places_.size() / 2 + 16);
    Place& place = places_[place_of(prefix)];
    if (place.number != 0) return false;
    place = {prefix, number};
    ++size_;
    return true;
  }
  // What it had; 0: nothing.
  std::uint32_t take(const net::Prefix& prefix) {
    if (size_ == 0) return 0;
    const std::size_t at = place_of(prefix);
    const std::uint32_t number = places_[at].number;
    if (number != 0) close_up(at);
    return number;
  }
  // Any one; there has to be one. In the order of the places from where it last was, so that taking all is one walk.
  std::pair<net::Prefix, std::uint32_t> take_any() {
    while (places_[hand_ %= places_.size()].number == 0) ++hand_;
    const Place taken = places_[hand_];
    close_up(hand_);
    return {taken.prefix, taken.number};
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Place& place : places_) {
      if (place.number != 0) visit(place.prefix, place.number);
    }
  }
  void clear() {
    std::vector<Place>().swap(places_);
    size_ = hand_ = 0;
  }

 private:
  struct Place {
    net::Prefix prefix;
    std::uint32_t number = 0;
  };
  static_assert(sizeof(Place) == 24);

  [[nodiscard]] std::size_t home_of(const net::Prefix& prefix) const {
    return static_cast<std::size_t>((prefix.hash() >> 32) * places_.size() >> 32);
  }
  // Where it is, or would be.
  [[nodiscard]] std::size_t place_of(const net::Prefix& prefix) const {
    std::size_t at = home_of(prefix);
    while (places_[at].number != 0 && places_[at].prefix != prefix) at = next(at);
    return at;
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 < places_.size() ? at + 1 : 0; }

  // Moves up what would not be found any more with a free place before it.
  void close_up(std::size_t free) {
    for (std::size_t at = next(free); places_[at].number != 0; at = next(at)) {
      const std::size_t home = home_of(places_[at].prefix);
      const bool reaches_over = free <= at ? home <= free || home > at : home <= free && home > at;
      if (!reaches_over) continue;
      places_[free] = places_[at];
      free = at;
    }
    places_[free] = Place{};
    if (--size_ == 0) return clear();
    if (size_ * 4 < places_.size() && places_.size() > 1024) make_places(size_ * 2);
  }

  void make_places(std::size_t count) {
    std::vector<Place> former(count);
    former.swap(places_);
    for (const Place& place : former) {
      if (place.number != 0) places_[place_of(place.prefix)] = place;
    }
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
  std::size_t hand_ = 0;
};

}  // namespace turnpike::forwarder
