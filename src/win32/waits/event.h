// An event: signalled until it is reset, or until it has released one wait.
#pragma once

#include "win32/waits/waitable.h"

namespace turnpike::win32 {

class Event final : public Waitable {
 public:
  static constexpr Kind kKind = Kind::kEvent;

  Event(bool manual_reset, bool signalled) : Waitable(kKind, signalled), manual_(manual_reset), signalled_(signalled) {}

  void set();
  void reset();
  void pulse();

  bool stays_signalled() const override { return manual_; }
  std::uint32_t signal(Thread&) override {
    set();
    return 0;
  }

 private:
  bool is_signalled_for(const Thread*) const override { return signalled_; }
  bool take(Thread&) override;

  const bool manual_;
  bool signalled_;
};

}  // namespace turnpike::win32
