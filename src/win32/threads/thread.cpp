// The life of a thread's record.
//
// It hangs on a pthread key and not on a C++ thread_local object: keys are destroyed after those, so a destructor of
// the client's that still sets an event or leaves a mutex finds the record alive. If a later key's destructor uses the
// shim once more it gets a fresh record, which the C library destroys in its next round.
//
// A thread counts as ended (its handle is signalled, its mutexes are abandoned) when that key is destroyed: after the
// client's own clean-up, and for threads that the shim did not make as well.
#include "win32/threads/thread.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "win32/waits/mutex.h"

namespace turnpike::win32 {

void end_of_thread(void* record);

namespace {

constinit thread_local Thread* this_thread = nullptr;

pthread_key_t record_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    ::pthread_key_create(&made, end_of_thread);
    return made;
  }();
  return key;
}

}  // namespace

void end_of_thread(void* record) {
  auto* thread = static_cast<Thread*>(record);
  thread->end();
  this_thread = nullptr;
  thread->release();
}

Thread::Thread() : Waitable(kKind, false), parker_(Parker::take_one()) {}

Thread::~Thread() { parker_.give_back(); }

Thread& Thread::current() {
  if (this_thread == nullptr) {
    make_unstarted().detach()->begin_on_this_thread();
  }
  return *this_thread;
}

Thread& Thread::nobody() {
  static Thread& record = *make_unstarted().detach();
  return record;
}

Ref<Thread> Thread::make_unstarted() { return Ref<Thread>::adopt(new Thread); }

void Thread::begin_on_this_thread() {
  id_.store(static_cast<std::uint32_t>(::gettid()), std::memory_order_release);
  futex_wake_all(id_);
  this_thread = this;
  ::pthread_setspecific(record_key(), this);
}

std::uint32_t Thread::id() const {
  std::uint32_t id = 0;
  while ((id = id_.load(std::memory_order_acquire)) == 0) {
    futex_wait(id_, 0);
  }
  return id;
}

void Thread::wait_for_start() {
  while (suspended_.load(std::memory_order_acquire) != 0) {
    futex_wait(suspended_, 1);
  }
}

std::uint32_t Thread::start() {
  const std::uint32_t before = suspended_.exchange(0, std::memory_order_acq_rel);
  futex_wake_all(suspended_);
  return before;
}

void* Thread::variable(std::uint32_t index, std::uint32_t life) const {
  return index < variables_.size() && variables_[index].life == life ? variables_[index].value : nullptr;
}

void Thread::set_variable(std::uint32_t index, std::uint32_t life, void* value) {
  if (index >= variables_.size()) {
    variables_.resize(index + 1);
  }
  variables_[index] = {value, life};
}

void Thread::end() {
  {
    const std::lock_guard guard(apc_lock_);
    takes_apcs_ = false;
    apcs_.clear();
  }
  abandon_mutexes();
  exit_code_.store(exit_code_to_be_, std::memory_order_release);
  update([this] { return ended_ = true; });
}

void Thread::make_room(std::size_t more) {
  const std::size_t needed = apcs_.size() + rooms_ + more;
  if (needed > apcs_.capacity()) {
    apcs_.reserve(std::max(needed, 2 * apcs_.capacity()));
  }
}

bool Thread::append(const Apc& apc) {
  apcs_.push_back(apc);
  return alertable_wait_ != nullptr && alertable_wait_->end_without_object(kInterrupted);
}

bool Thread::queue_apc(const Apc& apc) {
  bool wake = false;
  {
    const std::lock_guard guard(apc_lock_);
    if (!takes_apcs_) {
      return false;
    }
    make_room(1);
    wake = append(apc);
  }
  if (wake) {
    parker_.unpark();
  }
  return true;
}

void Thread::keep_room_for_apc() {
  const std::lock_guard guard(apc_lock_);
  make_room(1);
  ++rooms_;
}

void Thread::give_up_room_for_apc() {
  const std::lock_guard guard(apc_lock_);
  --rooms_;
}

void Thread::queue_apc_into_room(const Apc& apc) {
  bool wake = false;
  {
    const std::lock_guard guard(apc_lock_);
    --rooms_;
    wake = takes_apcs_ && append(apc);
  }
  if (wake) {
    parker_.unpark();
  }
}

bool Thread::drop_apcs(const void* origin) {
  const std::lock_guard guard(apc_lock_);
  return std::erase_if(apcs_, [origin](const Apc& apc) { return apc.origin == origin; }) != 0;
}

std::optional<Apc> Thread::next_apc() {
  const std::lock_guard guard(apc_lock_);
  if (apcs_.empty()) {
    return std::nullopt;
  }
  const Apc apc = apcs_.front();
  apcs_.erase(apcs_.begin());
  return apc;
}

bool Thread::run_apcs() {
  bool ran = false;
  while (const std::optional<Apc> apc = next_apc()) {
    ran = true;
    apc->run(*apc);
  }
  return ran;
}

void Thread::begin_alertable(Wait& wait) {
  const std::lock_guard guard(apc_lock_);
  alertable_wait_ = &wait;
  if (!apcs_.empty()) {
    wait.end_without_object(kInterrupted);
  }
}

void Thread::end_alertable() {
  const std::lock_guard guard(apc_lock_);
  alertable_wait_ = nullptr;
}

void Thread::now_owns(Mutex& mutex) {
  const std::lock_guard guard(mutexes_lock_);
  mutex.next_owned = first_mutex_;
  mutex.previous_owned = nullptr;
  if (first_mutex_ != nullptr) {
    first_mutex_->previous_owned = &mutex;
  }
  first_mutex_ = &mutex;
}

void Thread::owns_no_more(Mutex& mutex) {
  const std::lock_guard guard(mutexes_lock_);
  (mutex.previous_owned != nullptr ? mutex.previous_owned->next_owned : first_mutex_) = mutex.next_owned;
  if (mutex.next_owned != nullptr) {
    mutex.next_owned->previous_owned = mutex.previous_owned;
  }
}

// A mutex whose last reference goes just now is about to take itself off the list; it must have done so before this
// record may go. One that lives is kept alive for its abandoning.
void Thread::abandon_mutexes() {
  for (;;) {
    Mutex* mutex = nullptr;
    {
      const std::lock_guard guard(mutexes_lock_);
      if (first_mutex_ == nullptr) {
        return;
      }
      if (first_mutex_->add_reference_if_alive()) {
        mutex = first_mutex_;
      }
    }
    if (mutex == nullptr) {
      ::sched_yield();
      continue;
    }
    Ref<Mutex>::adopt(mutex)->abandon(*this);
  }
}

}  // namespace turnpike::win32
