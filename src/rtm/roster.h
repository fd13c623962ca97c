// Roster: the few objects of a kind that a client makes by a call (enumerations, route lists, change registrations), by
// handle. Under the table's lock, all of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "rtm/handle.h"

namespace turnpike::rtm {

template <class T>
class Roster {
 public:
  Roster(Kind kind, std::uint8_t table, std::uint32_t first_generation)
      : kind_(kind), table_(table), first_generation_(first_generation), slots_(1) {}

  // The object's handle, and its index, which begins with 1. May throw bad_alloc, and then the object is gone.
  std::pair<Handle, std::uint32_t> add(std::unique_ptr<T> object) {
    if (free_.empty()) {
      slots_.emplace_back().generation = first_generation_;
      free_.reserve(slots_.size());
      free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    slots_[index].object = std::move(object);
    ++used_;
    return {make_handle(kind_, table_, slots_[index].generation, index), index};
  }

  [[nodiscard]] T* find(Handle handle) const {
    const std::uint32_t index = index_of(handle);
    return kind_of(handle) == kind_ && table_of(handle) == table_ && index < slots_.size() &&
                   slots_[index].generation == generation_of(handle)
               ? slots_[index].object.get()
               : nullptr;
  }
  [[nodiscard]] T* at(std::uint32_t index) const {
    return index < slots_.size() ? slots_[index].object.get() : nullptr;
  }
  [[nodiscard]] Handle handle_at(std::uint32_t index) const {
    return make_handle(kind_, table_, slots_[index].generation, index);
  }

  // Its handle is refused from now on. A slot that has used its last generation is not used again.
  std::unique_ptr<T> remove(std::uint32_t index) noexcept {
    --used_;
    if (slots_[index].generation++ != kMaxGeneration) {
      free_.push_back(index);  // there is room: reserved when the slot was made
    }
    return std::move(slots_[index].object);
  }

  template <class F>
  void for_each(F&& visit) const {
    for (std::uint32_t index = 1; index < slots_.size(); ++index) {
      if (slots_[index].object != nullptr) {
        visit(index, *slots_[index].object);
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return used_; }
  // Every index is below it.
  [[nodiscard]] std::uint32_t limit() const { return static_cast<std::uint32_t>(slots_.size()); }
  [[nodiscard]] std::uint32_t highest_generation() const {
    std::uint32_t highest = 0;
    for (const Slot& slot : slots_) {
      highest = std::max(highest, slot.generation);
    }
    return highest;
  }

 private:
  struct Slot {
    std::unique_ptr<T> object;
    std::uint32_t generation = 1;
  };

  Kind kind_;
  std::uint8_t table_;
  std::uint32_t first_generation_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;
};

}  // namespace turnpike::rtm
