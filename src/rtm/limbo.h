// Limbo: where a table puts what it has unlinked, until nobody who reads without a lock can still hold it.
//
// A reader holds an Epoch::Reader (base/epoch.h) and follows the table's pointers and indices as it finds them. A
// writer first makes a thing unreachable, then retires it here. Things are gathered in bags, and a full bag is retired
// to the Epoch as one object: so the epoch's lock, and the barrier that the kernel runs on every CPU, are paid once for
// 256 things. When its readers have gone the epoch hands the bag back, and the table's next writer disposes of what is
// in it, under the table's lock: records go back to their slabs, nodes of the trie to the arena.
//
// That barrier waits for a processor that may be anywhere: a virtual one that its host has put to sleep took six
// milliseconds to answer. So nobody asks for it under the table's lock but in need: when a few bags are full, one who
// has just let go of the lock does (`take_turn`, `collect`). Each bag at once would be too often: who waits for the
// lock sleeps and needs no barrier on his CPU, awake he does.
//
// No writer disposes of more than two bags at a time: they come by the dozen when a reader was put to sleep in the
// middle of his reading, and whoever is next would hold the table's lock for all of them. Two are more than a writer
// makes meanwhile, so the rest is caught up with.
//
// A reader never blocks while it reads: a call that must wait (for an object lock, for blocked methods) stops reading
// first and resolves its handles anew. So a grace period is as long as the longest batch: microseconds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/epoch.h"

namespace turnpike::rtm {

class Limbo {
 public:
  using Dispose = void (*)(void* context, std::uintptr_t what) noexcept;

  explicit Limbo(Epoch& epoch) : epoch_(epoch) {
    fresh_.reserve(kRoom);
    spare_.reserve(4);
  }
  ~Limbo() { drain(); }
  Limbo(const Limbo&) = delete;
  Limbo& operator=(const Limbo&) = delete;

  // Under the table's lock, like all of these. Where there is no memory to remember a thing, it is never disposed of:
  // leaking is then the only safe answer.
  void retire(Dispose dispose, void* context, std::uintptr_t what) noexcept;

  template <class T>
  void retire(std::unique_ptr<T> object) noexcept {
    if (object != nullptr) {
      retire([](void*, std::uintptr_t old) noexcept { std::unique_ptr<T>(reinterpret_cast<T*>(old)).reset(); }, nullptr,
             reinterpret_cast<std::uintptr_t>(object.release()));
    }
  }

  // Whether the caller is to call `collect` when he has let go of the lock; from any thread.
  [[nodiscard]] bool take_turn() noexcept {
    const bool is_time = sealed_ >= kBagsForTurn;
    sealed_ = is_time ? 0 : sealed_;
    return is_time;
  }
  void collect() noexcept { epoch_.collect(); }

  // Disposes of everything, waiting for those who read now. Not to be called by a reader.
  void drain() noexcept;

  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Item {
    Dispose dispose;
    void* context;
    std::uintptr_t what;
  };
  struct Bag {
    Limbo* limbo = nullptr;
    Bag* next = nullptr;
    std::vector<Item> items;
  };
  static constexpr std::size_t kBagSize = 256;
  static constexpr std::size_t kBagsAtOnce = 2;
  static constexpr unsigned kBagsForTurn = 4;
  static constexpr unsigned kBagsInNeed = 32;         // when nobody took the turn
  static constexpr std::size_t kRoom = 2 * kBagSize;  // so that a bag which cannot be closed now has room for some time

  void seal();
  void dispose_of(std::vector<Item>& items) noexcept;
  void dispose_of_ready(std::size_t most) noexcept;

  Epoch& epoch_;
  std::vector<Item> fresh_;
  std::atomic<Bag*> ready_{nullptr};  // pushed by whoever runs the epoch's collection
  Bag* taken_ = nullptr;              // of those that were ready, and have yet to be disposed of
  std::vector<std::vector<Item>> spare_;
  unsigned sealed_ = 0;  // bags, since somebody last collected
  std::size_t waiting_ = 0;
};

}  // namespace turnpike::rtm
