#include "router/call_watch.h"

namespace turnpike::router {
namespace {

constinit thread_local const CallWatch::Mark* innermost_mark = nullptr;

}  // namespace

CallWatch::Mark::Mark(CallWatch& watch, const char* module, const char* function)
    : watch_(watch),
      module_(module),
      function_(function),
      since_(watch.clock_.now()),
      outer_(const_cast<Mark*>(innermost_mark)) {
  const std::lock_guard lock(watch_.mutex_);
  next_ = watch_.first_;
  if (next_ != nullptr) next_->previous_ = this;
  watch_.first_ = this;
  innermost_mark = this;
}

CallWatch::Mark::~Mark() {
  innermost_mark = outer_;
  const std::lock_guard lock(watch_.mutex_);
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : watch_.first_) = next_;
}

std::vector<CallWatch::Running> CallWatch::running(Duration at_least) const {
  const MonotonicTime now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::vector<Running> result;
  for (const Mark* mark = first_; mark != nullptr; mark = mark->next_) {
    if (now - mark->since_ >= at_least) result.push_back({mark->module_, mark->function_, now - mark->since_});
  }
  return result;
}

const CallWatch::Mark* CallWatch::innermost() { return innermost_mark; }

}  // namespace turnpike::router
