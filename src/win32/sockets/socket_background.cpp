// What happens to a socket while nobody is in a call on it: selected events and overlapped transfers.
//
// An overlapped call first tries; what would have to wait is queued, and goes on when the reactor tells of an edge.
// Both happen under the socket's lock, so no edge falls between the try and the queue. Receives are served in the order
// in which they were begun, and sends likewise. A socket that was watched once stays so until it is closed, or until
// its selection is ended and nothing is pending.
#include <winerror.h>

#include "win32/sockets/reactor.h"

namespace turnpike::win32 {

bool Socket::watch() {
  watched_ = watched_ || begin_watching(*this);
  return watched_;
}

bool Socket::set_blocking(bool on) {
  const std::lock_guard guard(lock_);
  if (on && events_.is_selected()) {
    return false;
  }
  blocking = on;
  return true;
}

std::uint32_t Socket::select_events(Ref<Event> event, long wanted) {
  const std::lock_guard guard(lock_);
  if (closed_) {
    return WSAENOTSOCK;
  }
  if (wanted != 0 && !watch()) {
    return WSAENOBUFS;
  }
  blocking = false;
  events_.select(std::move(event), wanted);
  events_.look(*this);
  if (wanted == 0 && watched_ && receives_.empty() && sends_.empty()) {
    end_watching(*this);
    watched_ = false;
  }
  return 0;
}

std::uint32_t Socket::inherit_events(Socket& listener) {
  NetworkEvents inherited;
  {
    const std::lock_guard guard(listener.lock_);
    inherited.inherit(listener.events_);
  }
  return inherited.is_selected() ? select_events(inherited.event(), inherited.wanted()) : 0;
}

long Socket::take_events(Event* to_reset, NetworkEvents::Errors& errors) {
  const std::lock_guard guard(lock_);
  if (to_reset != nullptr) {
    to_reset->reset();  // under the lock: what is recorded next sets it again
  }
  return events_.take(errors);
}

void Socket::enable_events(long events) {
  const std::lock_guard guard(lock_);
  if (!closed_ && events_.is_selected()) {
    events_.enable(events);
    events_.look(*this);
  }
}

void Socket::on_edge() {
  const std::lock_guard guard(lock_);
  if (!closed_) {
    advance(receives_);
    advance(sends_);
    events_.look(*this);
  }
}

void Socket::advance(Operations& operations) {
  while (!operations.empty() && attempt(operations.front()->transfer)) {
    std::unique_ptr<Operation> done = std::move(operations.front());
    operations.pop_front();
    finish(std::move(done));
  }
}

void Socket::finish(std::unique_ptr<Operation> operation) {
  operation->callback = operation->routine == nullptr ? callback_ : nullptr;
  Operation::complete(std::move(operation));
  finished_.notify_all();
}

std::uint32_t Socket::begin(std::unique_ptr<Operation> operation, Transfer& outcome) {
  const std::lock_guard guard(lock_);
  Transfer& transfer = operation->transfer;
  Operations& queue = transfer.receives ? receives_ : sends_;
  const std::uint32_t error = closed_ ? WSAENOTSOCK : why_not(transfer);
  if (error != 0) {
    return error;
  }
  if (callback_ != nullptr && !thread_pool().ensure_worker()) {
    return WSAENOBUFS;
  }
  OverlappedResult& result = *operation->result;
  if (operation->event) {
    operation->event->reset();
  }
  if (queue.empty() && attempt(transfer)) {
    if (transfer.error != 0 && transfer.error != WSAEMSGSIZE) {
      result.set_status(transfer.error);
      return transfer.error;
    }
    outcome = transfer;
    finish(std::move(operation));
    return outcome.error == 0 ? 0 : WSA_IO_PENDING;
  }
  if (!watch()) {
    result.set_status(WSAENOBUFS);
    return WSAENOBUFS;
  }
  queue.push_back(std::move(operation));
  result.set_status(OverlappedResult::kPending);
  return WSA_IO_PENDING;
}

bool Socket::cancel(const Thread* thread, const OverlappedResult* which) {
  const std::lock_guard guard(lock_);
  bool any = false;
  for (Operations* queue : {&receives_, &sends_}) {
    Operations kept;
    for (std::unique_ptr<Operation>& operation : *queue) {
      if ((thread != nullptr && operation->thread.get() != thread) ||
          (which != nullptr && operation->result != which)) {
        kept.push_back(std::move(operation));
        continue;
      }
      any = true;
      operation->transfer.error = WSA_OPERATION_ABORTED;
      finish(std::move(operation));
    }
    *queue = std::move(kept);
  }
  return any;
}

void Socket::await_result(const OverlappedResult& result) {
  std::unique_lock guard(lock_);
  finished_.wait(guard, [&result] { return !result.is_pending(); });
}

bool Socket::bind_completions(CompletionCallback callback) {
  const std::lock_guard guard(lock_);
  if (callback_ != nullptr) {
    return false;
  }
  callback_ = callback;
  return true;
}

void Socket::put_off(Connection connection) {
  const std::lock_guard guard(lock_);
  put_off_.push_back(std::move(connection));
  has_put_off_ = true;
}

bool Socket::take_put_off(Connection& connection) {
  const std::lock_guard guard(lock_);
  if (put_off_.empty()) {
    return false;
  }
  connection = std::move(put_off_.front());
  put_off_.pop_front();
  has_put_off_ = !put_off_.empty();
  return true;
}

void Socket::close() {
  bool was_watched = false;
  {
    const std::lock_guard guard(lock_);
    closed_ = true;
    events_.select({}, 0);
    was_watched = std::exchange(watched_, false);
    if (was_watched) {
      end_watching(*this);
    }
  }
  if (was_watched) {
    await_delivery();  // without the lock, which the delivery may want
  }
  if (waiting_ != 0) {
    ::shutdown(descriptor(), SHUT_RDWR);  // wakes them, on unconnected sockets too
  }
  cancel(nullptr, nullptr);
}

}  // namespace turnpike::win32
