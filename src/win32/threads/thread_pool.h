// The threads that run work items, callbacks of registered waits and of timers, completions of I/O. The essay is in
// thread_pool.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/short_lock.h"
#include "win32/waits/object.h"
#include "win32/waits/parker.h"

namespace turnpike::win32 {

class Semaphore;
class Thread;

enum class Where : std::uint8_t {
  kWorker,      // any worker
  kLong,        // any worker, and the task will keep it for long
  kPersistent,  // the one worker that never ends and waits alertably
};

// Something to be run once. It may be queued again as soon as it runs.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  // On a worker, without locks. Not noexcept: a client may end its thread in it.
  virtual void run() = 0;

 private:
  friend class TaskList;
  friend class ThreadPool;
  Task* next_ = nullptr;
  Where where_ = Where::kWorker;
};

// First in, first out.
class TaskList {
 public:
  std::uint32_t size() const { return size_; }
  void push(Task& task);
  Task* pop();  // null: empty

 private:
  Task* first_ = nullptr;
  Task* last_ = nullptr;
  std::uint32_t size_ = 0;
};

class ThreadPool {
 public:
  static constexpr std::uint32_t kMostWorkers = 512;

  ThreadPool();

  // Queues a task. May be called under a short lock, but then finds nobody to run it: afterwards, without the lock, the
  // caller calls find_workers().
  void queue(Task& task, Where where);
  void find_workers();

  // Both.
  void submit(Task& task, Where where) {
    queue(task, where);
    find_workers();
  }

  // Makes sure that somebody is there to run a task. False where the system has no more threads.
  bool ensure_worker();
  bool ensure_persistent_worker();

  // The persistent worker as a thread, which must have been ensured.
  Thread& persistent_thread() { return *persistent_thread_.load(std::memory_order_acquire); }

  // Waits until nothing is queued or runs but long tasks. Says whether it had to wait. Not from inside a task.
  bool wait_until_idle();

  static bool is_running_a_task();
  std::uint32_t workers();

 private:
  struct Sleeper {
    Parker& parker;
    Sleeper* next = nullptr;
    bool called = false;
  };
  class Worker;
  class PersistentWorker;

  static void work(void* pool);
  static void work_persistently(void* pool);
  static void watch_for_stall(void* pool);

  Task* next_task(Parker& parker);
  Task* take_task();
  bool sleep(Sleeper& self);
  void forget(Sleeper& self);
  void run(Task& task);
  void finished(Where where);
  bool start_worker();
  void announce_persistent_tasks();

  ShortLock lock_;
  TaskList tasks_;
  std::uint32_t long_queued_ = 0;
  std::uint32_t on_their_way_ = 0;  // workers that were called or started for a task, and have not looked for it yet
  Sleeper* sleepers_ = nullptr;     // the last to fall asleep is the first to be called: its cache is warm
  std::uint32_t workers_ = 0;
  std::uint32_t long_running_ = 0;  // workers that are busy with a long task
  std::uint64_t taken_ = 0;         // tasks, ever: by it a stall is known
  bool watched_ = false;
  const std::uint32_t eager_workers_;

  TaskList persistent_tasks_;
  std::uint32_t announced_ = 0;  // of them
  std::atomic<Semaphore*> persistent_work_{nullptr};
  std::atomic<Thread*> persistent_thread_{nullptr};
  std::vector<Ref<Thread>> persistent_threads_;  // that one, and those that a client has ended: waits may name them

  std::atomic<std::uint32_t> busy_{0};  // tasks that are queued or run, long ones apart
  std::atomic<std::uint32_t> waiting_for_idle_{0};
};

ThreadPool& thread_pool();

}  // namespace turnpike::win32
