// Waiting: one object, any of many, all of many.
//
// Each waitable object has a short lock, a state that its kind understands (is it signalled? what does taking it
// change?) and a queue of those who wait for it, in the order of arrival. Whoever makes an object signalled serves the
// queue before he leaves the lock: he takes the object *for* the waiter (resets the auto-reset event, counts the
// semaphore down, writes the new owner into the mutex) and then wakes it. So a signal is handed over, never thrown into
// the air for woken threads to fight about, and nobody who comes later can steal it.
//
// A wait ends exactly once. Its verdict is one word that begins as "waiting"; who ends the wait moves it on with a
// compare-and-swap: an object's server, the thread itself when its time is over, the sender of an APC. A server does it
// in two steps: "being served", which nobody else can take from him any more, then the result when the object is taken
// and the wait out of its queue. A thread that finds "being served" sleeps on: its waker is on the way.
//
// Waiting for any needs no more than one lock at a time. First a pass that takes the first object that is ready: so the
// lowest index wins, and a poll of 64 objects looks at 64 flags (maybe_signalled_) without a lock. Then the wait is put
// into each queue, one after the other; from the first queue on it can be served, and the verdict tells.
//
// Waiting for all must take nothing until everything is signalled, and then everything at one instant, so somebody must
// hold all the locks. One lock of the process comes first (all_lock), and only he who has it may hold more than one
// object's lock. That makes any order of the object locks safe: who holds a single one never asks for a second, so he
// leaves it soon; and two who hold many do not exist. Who signals an object finds out under its lock whether anybody
// waits for all with it; if so he starts over with all_lock first. Such a wait is judged by who signals, at that
// moment, and not by the waiter after waking: so SetEvent(a); SetEvent(b); WaitForSingleObject(a, 0) fails for certain
// if a thread waits for both, as it must.
//
// Rejected: one lock for all waiting, as the dispatcher lock of old: each SetEvent would meet each other. Locks in the
// order of addresses for waits for all: a sort in each such wait and no profit where waits for all are rare, which they
// are; and the object's server, who comes in by one object's lock, would have to leave and retake it in any case.
//
// Figures (bench/win32_wait_bench.cpp) stand in README.md beside this file.
#include "win32/waits/waitable.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <winerror.h>

#include <mutex>

namespace turnpike::win32 {
namespace {

// See above: whoever holds it may hold the locks of several objects.
ShortLock& all_lock() {
  static ShortLock lock;
  return lock;
}

}  // namespace

Waitable::Locked::Locked(Waitable& object) : object_(object) {
  object_.lock_.lock();
  if (object_.waits_for_all_ == 0) {
    return;
  }
  object_.lock_.unlock();
  all_lock().lock();
  object_.lock_.lock();
  with_all_ = true;
}

Waitable::Locked::~Locked() {
  object_.lock_.unlock();
  if (with_all_) {
    all_lock().unlock();
  }
}

Waitable::~Waitable() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

std::uint32_t Waitable::signal(Thread&) { return ERROR_INVALID_HANDLE; }

bool Waitable::try_take(Thread& thread, bool& abandoned) {
  if (!maybe_signalled_.load(std::memory_order_acquire)) {
    return false;
  }
  const std::lock_guard guard(lock_);
  if (!is_signalled_for(&thread)) {
    return false;
  }
  abandoned = take(thread);
  note_state();
  return true;
}

bool Waitable::enqueue(WaitBlock& block) {
  WakeList wakes;
  const std::lock_guard guard(lock_);
  if (!is_signalled_for(&block.wait->thread())) {
    link(block);
    return true;
  }
  if (block.wait->begin_serving()) {
    const bool abandoned = take(block.wait->thread());
    note_state();
    block.wait->served(block.index + (abandoned ? kAbandoned : 0), wakes);
  }
  return false;
}

void Waitable::remove(WaitBlock& block) {
  const std::lock_guard guard(lock_);
  if (block.queued) {
    unlink(block);
  }
}

void Waitable::serve(WakeList& wakes) {
  WaitBlock* next = nullptr;
  for (WaitBlock* block = first_; block != nullptr && is_signalled_for(nullptr); block = next) {
    next = block->next;
    if (block->wait->for_all()) {
      serve_all(*block->wait, wakes);
    } else {
      serve_one(*block, wakes);
    }
  }
}

void Waitable::serve_one(WaitBlock& block, WakeList& wakes) {
  if (!block.wait->begin_serving()) {
    return;  // it has ended otherwise, and will leave the queue by itself
  }
  const bool abandoned = take(block.wait->thread());
  unlink(block);
  block.wait->served(block.index + (abandoned ? kAbandoned : 0), wakes);
}

// Holds all_lock and this object's lock; the others' locks are taken here.
void Waitable::serve_all(Wait& wait, WakeList& wakes) {
  const std::span<WaitBlock> blocks = wait.all_blocks();
  for (const WaitBlock& block : blocks) {
    if (block.object != this) {
      block.object->lock_.lock();
    }
  }
  bool served = false;
  bool abandoned = false;
  if (all_signalled(blocks, wait.thread()) && wait.begin_serving()) {
    served = true;
    abandoned = take_each(blocks, wait.thread());
    for (WaitBlock& block : blocks) {
      block.object->unlink(block);
    }
  }
  for (const WaitBlock& block : blocks) {
    if (block.object != this) {
      block.object->lock_.unlock();
    }
  }
  if (served) {  // last, because the blocks may be gone with it
    wait.served(abandoned ? kAbandoned : 0, wakes);
  }
}

bool Waitable::all_signalled(std::span<WaitBlock> blocks, const Thread& thread) {
  for (const WaitBlock& block : blocks) {
    if (!block.object->is_signalled_for(&thread)) {
      return false;
    }
  }
  return true;
}

bool Waitable::take_each(std::span<WaitBlock> blocks, Thread& thread) {
  bool abandoned = false;
  for (const WaitBlock& block : blocks) {
    abandoned |= block.object->take(thread);
    block.object->note_state();
  }
  return abandoned;
}

bool Waitable::try_take_all(std::span<WaitBlock> blocks, Thread& thread, bool& abandoned) {
  const std::lock_guard guard(all_lock());
  for (const WaitBlock& block : blocks) {
    block.object->lock_.lock();
  }
  const bool taken = all_signalled(blocks, thread);
  if (taken) {
    abandoned = take_each(blocks, thread);
  }
  for (const WaitBlock& block : blocks) {
    block.object->lock_.unlock();
  }
  return taken;
}

bool Waitable::enqueue_all(std::span<WaitBlock> blocks) {
  Wait& wait = *blocks.front().wait;
  WakeList wakes;
  const std::lock_guard guard(all_lock());
  for (const WaitBlock& block : blocks) {
    block.object->lock_.lock();
  }
  const bool ready = all_signalled(blocks, wait.thread());
  if (!ready) {
    for (WaitBlock& block : blocks) {
      block.object->link(block);
    }
  } else if (wait.begin_serving()) {
    wait.served(take_each(blocks, wait.thread()) ? kAbandoned : 0, wakes);
  }
  for (const WaitBlock& block : blocks) {
    block.object->lock_.unlock();
  }
  return !ready;
}

void Waitable::remove_all(std::span<WaitBlock> blocks) {
  const std::lock_guard guard(all_lock());
  for (WaitBlock& block : blocks) {
    block.object->remove(block);
  }
}

bool Waitable::has_twins(std::span<Waitable* const> objects) {
  static std::uint64_t visit = 0;
  const std::lock_guard guard(all_lock());
  ++visit;
  for (Waitable* object : objects) {
    if (std::exchange(object->visit_, visit) == visit) {
      return true;
    }
  }
  return false;
}

void Waitable::link(WaitBlock& block) {
  block.queued = true;
  block.next = nullptr;
  block.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &block;
  last_ = &block;
  waits_for_all_ += block.wait->for_all() ? 1 : 0;
}

void Waitable::unlink(WaitBlock& block) {
  block.queued = false;
  (block.previous != nullptr ? block.previous->next : first_) = block.next;
  (block.next != nullptr ? block.next->previous : last_) = block.previous;
  waits_for_all_ -= block.wait->for_all() ? 1 : 0;
}

void Waitable::note_state() {
  const bool signalled = is_signalled_for(nullptr);
  maybe_signalled_.store(signalled || kind() == Kind::kMutex, std::memory_order_release);
  if (descriptor_ >= 0 && signalled != readable_) {
    show_in_descriptor(signalled);
  }
}

void Waitable::show_in_descriptor(bool signalled) {
  eventfd_t count = 0;
  readable_ = signalled;
  if (signalled) {
    ::eventfd_write(descriptor_, 1);
  } else {
    ::eventfd_read(descriptor_, &count);
  }
}

std::size_t Waitable::queue_length() {
  return inspect([this] {
    std::size_t length = 0;
    for (const WaitBlock* block = first_; block != nullptr; block = block->next) {
      ++length;
    }
    return length;
  });
}

int Waitable::descriptor() {
  const std::lock_guard guard(lock_);
  if (descriptor_ < 0) {
    descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    readable_ = false;
    if (descriptor_ >= 0 && is_signalled_for(nullptr)) {
      show_in_descriptor(true);
    }
  }
  return descriptor_;
}

}  // namespace turnpike::win32
