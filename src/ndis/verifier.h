// Verifier: what a driver does wrong, and what led to it. In free mode a violation is a line in the log and a count; in
// checked mode the host's callback hears of it too, with what was last done through the handle, and with the packet,
// list or request that it is about. Histories outlive what they are of, for the calls that come too late are the ones
// to be explained.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/handle_table.h"
#include "ndis/knobs.h"

namespace turnpike::ndis {

struct Violation {
  const char* function;  // the driver's call, or the callback that answered wrongly
  const char* what;
  Handle handle;
  // "opened on eth0, send x3, close"; behind it, where the violation is about an element, "; 7f3a…: allocated, sent
  // through 5200…, freed". Empty in free mode, or where nothing is known.
  std::string history;
};

class Verifier {
 public:
  using Callback = std::function<void(const Violation&)>;

  explicit Verifier(const Knobs& knobs) : knobs_(knobs) {}

  // Called on the thread of the violation, with no lock held.
  void set_callback(Callback callback);
  void report(const char* function, const char* what, Handle handle, const void* element = nullptr);

  // Whether histories are kept: what a note costs, free mode does not pay.
  [[nodiscard]] bool notes() const { return knobs_.checked.load(std::memory_order_relaxed); }
  // In checked mode: that was done.
  void note(Handle handle, const char* what, std::string_view with = {}) {
    if (notes()) {
      keep(of_handles_, static_cast<std::uint64_t>(handle), what, with);
    }
  }
  // The same of a packet, a list or a request; `number` is a handle or a status.
  void note_element(const void* element, const char* what) {
    if (notes()) {
      keep(of_elements_, key_of(element), what, {});
    }
  }
  void note_element(const void* element, const char* what, std::uint64_t number);
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kNotes = 12;       // of one
  static constexpr std::size_t kSubjects = 4096;  // the oldest are forgotten

  struct Note {
    std::string text;
    std::uint32_t times = 1;
  };
  struct Histories {
    std::map<std::uint64_t, std::deque<Note>> notes;
    std::deque<std::uint64_t> by_age;
  };
  static std::uint64_t key_of(const void* element) { return reinterpret_cast<std::uintptr_t>(element); }
  void keep(Histories& histories, std::uint64_t subject, const char* what, std::string_view with);
  static std::string text_of(const Histories& histories, std::uint64_t subject);
  std::string history_of(Handle handle, const void* element) const;

  const Knobs& knobs_;
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  Callback callback_;
  Histories of_handles_, of_elements_;
};

}  // namespace turnpike::ndis
