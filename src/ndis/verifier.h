// Verifier: what a driver does wrong, and what led to it. In free mode a violation is a line in the log and a count; in
// checked mode the host's callback hears of it too, with what was last done through that handle. The history outlives
// the handle, for the calls that come too late are the ones to be explained.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/handle_table.h"
#include "ndis/knobs.h"

namespace turnpike::ndis {

struct Violation {
  const char* function;  // the driver's call, or the callback that answered wrongly
  const char* what;
  Handle handle;
  std::string history;  // "opened, send, close"; empty in free mode, or where nothing is known of the handle
};

class Verifier {
 public:
  using Callback = std::function<void(const Violation&)>;

  explicit Verifier(const Knobs& knobs) : knobs_(knobs) {}

  // Called on the thread of the violation, with no lock held.
  void set_callback(Callback callback);
  void report(const char* function, const char* what, Handle handle);
  // In checked mode: that was done. `what` is a literal.
  void note(Handle handle, const char* what) {
    if (knobs_.checked.load(std::memory_order_relaxed)) {
      keep(handle, what);
    }
  }
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kNotes = 12;      // of a handle
  static constexpr std::size_t kHandles = 4096;  // the oldest are forgotten

  struct History {
    std::array<const char*, kNotes> notes{};
    std::uint64_t noted = 0;
  };
  void keep(Handle handle, const char* what);
  std::string history_of(Handle handle) const;

  const Knobs& knobs_;
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  Callback callback_;
  std::map<Handle, History> histories_;
  std::deque<Handle> by_age_;
};

}  // namespace turnpike::ndis
