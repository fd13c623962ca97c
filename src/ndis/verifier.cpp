#include "ndis/verifier.h"

#include <algorithm>

#include "base/log.h"

namespace turnpike::ndis {

void Verifier::set_callback(Callback callback) {
  const std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Verifier::report(const char* function, const char* what, Handle handle) {
  count_.fetch_add(1, std::memory_order_relaxed);
  const std::string history = history_of(handle);
  TURNPIKE_LOG(LogLevel::kWarning, "ndis", "a protocol driver broke a rule", {"function", function}, {"rule", what},
               {"handle", static_cast<std::uint64_t>(handle)}, {"history", std::string_view(history)});
  if (!knobs_.checked.load(std::memory_order_relaxed)) {
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

void Verifier::keep(Handle handle, const char* what) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = histories_.try_emplace(handle);
  if (fresh) {
    by_age_.push_back(handle);
    if (by_age_.size() > kHandles) {
      histories_.erase(by_age_.front());
      by_age_.pop_front();
    }
  }
  at->second.notes[at->second.noted++ % kNotes] = what;
}

std::string Verifier::history_of(Handle handle) const {
  const std::lock_guard lock(mutex_);
  const auto at = histories_.find(handle);
  std::string text;
  if (at == histories_.end()) {
    return text;
  }
  const History& history = at->second;
  for (std::uint64_t i = history.noted - std::min<std::uint64_t>(history.noted, kNotes); i < history.noted; ++i) {
    text += text.empty() ? "" : ", ";
    text += history.notes[i % kNotes];
  }
  return text;
}

}  // namespace turnpike::ndis
