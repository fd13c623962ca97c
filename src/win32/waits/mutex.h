// A mutex: owned by one thread, any number of times over.
#pragma once

#include "win32/threads/thread.h"

namespace turnpike::win32 {

class Mutex final : public Waitable {
 public:
  static constexpr Kind kKind = Kind::kMutex;

  Mutex() : Waitable(kKind, true) {}

  // For its making: the calling thread owns it from the start.
  void own_initially(Thread& thread);

  // Gives one taking back. False where `thread` does not own it.
  bool give_back(Thread& thread);

  std::uint32_t signal(Thread& thread) override;

  // Its owner ends.
  void abandon(Thread& owner);

  // Links in the owner's list, which the owner guards.
  Mutex* next_owned = nullptr;
  Mutex* previous_owned = nullptr;

 private:
  ~Mutex() override;

  bool is_signalled_for(const Thread* thread) const override { return owner_ == nullptr || owner_ == thread; }
  bool take(Thread& thread) override;

  Thread* owner_ = nullptr;  // guarded by the waitable's lock; alive, because it abandons all mutexes before it dies
  std::uint32_t times_ = 0;
  bool abandoned_ = false;  // by its last owner; the next one is told
};

}  // namespace turnpike::win32
