#include "ndis/verifier.h"

#include <array>
#include <charconv>

#include "base/log.h"

namespace turnpike::ndis {
namespace {

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

}  // namespace

void Verifier::set_callback(Callback callback) {
  const std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Verifier::report(const char* function, const char* what, Handle handle, const void* element) {
  count_.fetch_add(1, std::memory_order_relaxed);
  const std::string history = history_of(handle, element);
  TURNPIKE_LOG(LogLevel::kWarning, "ndis", "a protocol driver broke a rule", {"function", function}, {"rule", what},
               {"handle", static_cast<std::uint64_t>(handle)}, {"history", std::string_view(history)});
  if (!notes()) {
    return;
  }
  Callback callback;
  {
    const std::lock_guard lock(mutex_);
    callback = callback_;
  }
  if (callback) {
    callback({function, what, handle, history});
  }
}

void Verifier::note_element(const void* element, const char* what, std::uint64_t number) {
  if (notes()) {
    keep(of_elements_, key_of(element), what, hex(number));
  }
}

void Verifier::keep(Histories& histories, std::uint64_t subject, const char* what, std::string_view with) {
  std::string text(what);
  if (!with.empty()) {
    text.append(" ").append(with);
  }
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = histories.notes.try_emplace(subject);
  if (fresh) {
    histories.by_age.push_back(subject);
    if (histories.by_age.size() > kSubjects) {
      histories.notes.erase(histories.by_age.front());
      histories.by_age.pop_front();
    }
  }
  std::deque<Note>& notes = at->second;
  if (!notes.empty() && notes.back().text == text) {
    notes.back().times += 1;
    return;
  }
  if (notes.size() == kNotes) {
    notes.pop_front();
  }
  notes.push_back({std::move(text)});
}

std::string Verifier::text_of(const Histories& histories, std::uint64_t subject) {
  const auto at = histories.notes.find(subject);
  std::string text;
  if (at == histories.notes.end()) {
    return text;
  }
  for (const Note& note : at->second) {
    text += text.empty() ? "" : ", ";
    text += note.text;
    text += note.times > 1 ? " x" + std::to_string(note.times) : "";
  }
  return text;
}

// A violation may be about an element alone: then its address stands for the handle.
std::string Verifier::history_of(Handle handle, const void* element) const {
  const std::lock_guard lock(mutex_);
  std::string text = text_of(of_handles_, static_cast<std::uint64_t>(handle));
  const std::uint64_t subject = element != nullptr ? key_of(element) : static_cast<std::uint64_t>(handle);
  if (const std::string of_element = text_of(of_elements_, subject); !of_element.empty()) {
    text += text.empty() ? "" : "; ";
    text += element != nullptr ? hex(subject) + ": " + of_element : of_element;
  }
  return text;
}

}  // namespace turnpike::ndis
