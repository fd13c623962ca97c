// One pool for the process, as documented: QueueUserWorkItem, registered waits, timer queues and completed I/O share
// it.
//
// A worker that has nothing to do sleeps on a stack; whoever queues a task calls the one on top. Where none sleeps, a
// new worker is started, as long as fewer than `eager_workers_` are busy with tasks that were not announced as long
// ones.
//
// Beyond that a client that blocks in its callbacks would make a thread for each task, so the pool grows slowly: while
// tasks wait and nobody has taken one for 10 ms, a watcher starts one more worker, up to kMostWorkers. That also ends
// the deadlock of callbacks that all wait for something a queued one would do. The watcher is a thread that is there
// only while there is something to watch; it goes by real time, also where a test holds the clock.
//
// A worker that has slept for 20 s ends. The persistent worker never does. It alone waits alertably between tasks: work
// items with WT_EXECUTEINIOTHREAD or WT_EXECUTEINPERSISTENTTHREAD may leave APCs and pending I/O behind. It sleeps on a
// semaphore of the shim, because it is the engine that knows alertable waits.
#include "win32/threads/thread_pool.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "win32/threads/service_thread.h"
#include "win32/threads/thread.h"
#include "win32/waits/semaphore.h"
#include "win32/waits/wait.h"

namespace turnpike::win32 {
namespace {

constexpr std::uint32_t kStallMilliseconds = 10;
constexpr std::uint32_t kIdleMilliseconds = 20'000;

constinit thread_local bool running_a_task = false;

std::uint32_t processors() { return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))); }

}  // namespace

void TaskList::push(Task& task) {
  task.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &task;
  last_ = &task;
  ++size_;
}

Task* TaskList::pop() {
  Task* task = first_;
  if (task != nullptr) {
    first_ = task->next_;
    last_ = first_ != nullptr ? last_ : nullptr;
    --size_;
  }
  return task;
}

ThreadPool& thread_pool() {
  static ThreadPool& pool = *std::make_unique<ThreadPool>().release();  // never destroyed: its threads are never joined
  return pool;
}

ThreadPool::ThreadPool() : eager_workers_(std::max(8U, 2 * processors())) {}

bool ThreadPool::is_running_a_task() { return running_a_task; }

std::uint32_t ThreadPool::workers() {
  const std::lock_guard guard(lock_);
  return workers_;
}

// ---- queueing -------------------------------------------------------------------------------------------------------

void ThreadPool::queue(Task& task, Where where) {
  task.where_ = where;
  if (where != Where::kLong) {
    busy_.fetch_add(1, std::memory_order_relaxed);
  }
  const std::lock_guard guard(lock_);
  (where == Where::kPersistent ? persistent_tasks_ : tasks_).push(task);
  long_queued_ += where == Where::kLong ? 1 : 0;
}

void ThreadPool::find_workers() {
  announce_persistent_tasks();
  for (;;) {
    Parker* sleeper = nullptr;
    {
      const std::lock_guard guard(lock_);
      if (tasks_.size() <= on_their_way_) {
        return;
      }
      if (sleepers_ != nullptr) {
        sleeper = &sleepers_->parker;
        sleepers_->called = true;
        sleepers_ = sleepers_->next;
      } else if (workers_ < kMostWorkers && (workers_ - long_running_ < eager_workers_ || long_queued_ != 0)) {
        ++workers_;
      } else {
        if (watched_) {
          return;
        }
        watched_ = true;
        break;
      }
      ++on_their_way_;
    }
    if (sleeper != nullptr) {
      sleeper->unpark();
    } else if (!start_worker()) {
      return;  // those who are there will come to it
    }
  }
  if (!start_service_thread("tp-win32-watch", watch_for_stall, this)) {
    const std::lock_guard guard(lock_);
    watched_ = false;
  }
}

// For a worker that is counted already, in workers_ and on_their_way_.
bool ThreadPool::start_worker() {
  if (start_service_thread("tp-win32-worker", work, this)) {
    return true;
  }
  const std::lock_guard guard(lock_);
  --workers_;
  --on_their_way_;
  return false;
}

bool ThreadPool::ensure_worker() {
  {
    const std::lock_guard guard(lock_);
    if (workers_ != 0) {
      return true;
    }
    ++workers_;
    ++on_their_way_;
  }
  return start_worker();
}

void ThreadPool::watch_for_stall(void* self) {
  auto& pool = *static_cast<ThreadPool*>(self);
  Parker& parker = Parker::take_one();
  std::uint64_t taken = 0;
  for (bool first = true;; first = false) {
    parker.park(deadline_in(kStallMilliseconds));
    bool start = false;
    {
      const std::lock_guard guard(pool.lock_);
      if (pool.tasks_.size() == 0) {
        pool.watched_ = false;
        break;
      }
      if (!first && pool.taken_ == taken && pool.workers_ < kMostWorkers) {
        ++pool.workers_;
        ++pool.on_their_way_;
        start = true;
      }
      taken = pool.taken_;
    }
    if (start) {
      pool.start_worker();
    }
  }
  parker.give_back();
}

// ---- a worker -------------------------------------------------------------------------------------------------------

// Counts a worker out however it ends: a client may have ended the thread.
class ThreadPool::Worker {
 public:
  explicit Worker(ThreadPool& pool) : pool_(pool) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    running_a_task = false;
    {
      const std::lock_guard guard(pool_.lock_);
      --pool_.workers_;
    }
    pool_.find_workers();
    parker_.give_back();
  }
  Parker& parker() { return parker_; }

 private:
  ThreadPool& pool_;
  Parker& parker_ = Parker::take_one();
};

void ThreadPool::work(void* self) {
  auto& pool = *static_cast<ThreadPool*>(self);
  Worker worker(pool);
  {
    const std::lock_guard guard(pool.lock_);
    --pool.on_their_way_;
  }
  while (Task* task = pool.next_task(worker.parker())) {
    pool.run(*task);
  }
}

// Null: the worker has slept long enough and is to end.
Task* ThreadPool::next_task(Parker& parker) {
  for (;;) {
    Sleeper self{parker};
    {
      const std::lock_guard guard(lock_);
      if (Task* task = take_task(); task != nullptr) {
        return task;
      }
      self.next = sleepers_;
      sleepers_ = &self;
    }
    if (!sleep(self)) {
      return nullptr;
    }
  }
}

Task* ThreadPool::take_task() {
  Task* task = tasks_.pop();
  if (task != nullptr) {
    ++taken_;
    const std::uint32_t is_long = task->where_ == Where::kLong ? 1 : 0;
    long_queued_ -= is_long;
    long_running_ += is_long;
  }
  return task;
}

// Says whether the sleeper was called.
bool ThreadPool::sleep(Sleeper& self) {
  const Deadline deadline = deadline_in(kIdleMilliseconds);
  for (;;) {
    const bool token = self.parker.park(deadline);
    const std::lock_guard guard(lock_);
    if (self.called) {
      --on_their_way_;
      return true;
    }
    if (!token) {
      forget(self);
      return false;
    }
  }
}

void ThreadPool::forget(Sleeper& self) {
  Sleeper** link = &sleepers_;
  while (*link != &self) {
    link = &(*link)->next;
  }
  *link = self.next;
}

void ThreadPool::run(Task& task) {
  // Counts the task out, also where a client ends the thread in it. The task itself may be gone by then.
  struct Running {
    ThreadPool& pool;
    const Where where;
    ~Running() {
      running_a_task = false;
      pool.finished(where);
    }
  } running{*this, task.where_};
  running_a_task = true;
  task.run();
}

void ThreadPool::finished(Where where) {
  if (where == Where::kLong) {
    const std::lock_guard guard(lock_);
    --long_running_;
  } else if (busy_.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
             waiting_for_idle_.load(std::memory_order_seq_cst) != 0) {
    futex_wake_all(busy_);
  }
}

bool ThreadPool::wait_until_idle() {
  bool waited = false;
  waiting_for_idle_.fetch_add(1, std::memory_order_seq_cst);
  while (const std::uint32_t busy = busy_.load(std::memory_order_seq_cst)) {
    waited = true;
    futex_wait(busy_, busy);
  }
  waiting_for_idle_.fetch_sub(1, std::memory_order_relaxed);
  return waited;
}

// ---- the persistent worker ------------------------------------------------------------------------------------------

// Where a client ends the persistent worker too, another takes its place.
class ThreadPool::PersistentWorker {
 public:
  explicit PersistentWorker(ThreadPool& pool) : pool_(pool) {
    Thread& thread = Thread::current();
    const std::lock_guard guard(pool_.lock_);
    pool_.persistent_threads_.emplace_back(&thread);
    pool_.persistent_thread_.store(&thread, std::memory_order_release);
  }
  PersistentWorker(const PersistentWorker&) = delete;
  PersistentWorker& operator=(const PersistentWorker&) = delete;
  ~PersistentWorker() { start_service_thread("tp-win32-always", work_persistently, &pool_); }

 private:
  ThreadPool& pool_;
};

void ThreadPool::work_persistently(void* self) {
  auto& pool = *static_cast<ThreadPool*>(self);
  const PersistentWorker worker(pool);
  Semaphore& work = *pool.persistent_work_.load(std::memory_order_acquire);
  for (;;) {
    if (wait_for_one(work, Patience::endless(), true) != 0) {
      continue;  // it has run APCs
    }
    Task* task = nullptr;
    {
      const std::lock_guard guard(pool.lock_);
      task = pool.persistent_tasks_.pop();
      --pool.announced_;
    }
    pool.run(*task);
  }
}

bool ThreadPool::ensure_persistent_worker() {
  static std::mutex starting;
  const std::lock_guard guard(starting);
  if (persistent_work_.load(std::memory_order_acquire) == nullptr) {
    persistent_work_.store(make_object<Semaphore>(0, INT32_MAX).detach(), std::memory_order_release);
  }
  if (persistent_thread_.load(std::memory_order_acquire) != nullptr) {
    return true;
  }
  if (!start_service_thread("tp-win32-always", work_persistently, this)) {
    return false;
  }
  while (persistent_thread_.load(std::memory_order_acquire) == nullptr) {
    ::sched_yield();
  }
  return true;
}

void ThreadPool::announce_persistent_tasks() {
  std::uint32_t fresh = 0;
  {
    const std::lock_guard guard(lock_);
    fresh = persistent_tasks_.size() - announced_;
    announced_ += fresh;
  }
  if (fresh != 0) {
    persistent_work_.load(std::memory_order_acquire)->give(static_cast<std::int32_t>(fresh));
  }
}

}  // namespace turnpike::win32
