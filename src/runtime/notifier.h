// Notifier: the threads on which clients' callbacks run.
//
// A piece of work is "deliver the events of one client". There are as many threads as clients that are in a callback at
// the same time, and one: whoever takes a piece of work while more is waiting and nobody is idle makes the next thread.
// So a client that hangs in its callback keeps a thread, and delays nobody. Threads that find nothing to do for some
// seconds end, but for one.
//
// The first work starts the first thread; `stop` ends them all. A thread that calls `stop` itself (a client that leaves
// from inside its own callback, as the last one) is left to end by itself when its callback returns, and so is one
// whose client does not return for some seconds: the process may want to end. All of them work with what is here: so
// who destroys a notifier waits for the last of them, however long that takes. (The process's own is never destroyed.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace turnpike::runtime {

class Notifier {
 public:
  using Work = std::function<void()>;

  // `patience`: how long `stop` waits for a client that does not return.
  explicit Notifier(std::chrono::milliseconds patience = std::chrono::seconds(2)) : patience_(patience) {}
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // May be called under any lock that the work does not need to begin with. Without memory, or without a first thread,
  // it is lost: false.
  bool submit(Work work) noexcept;

  // Returns when nothing waits and nobody works. From inside a piece of work: at once, false.
  bool drain();

  // Ends the threads, after the work that they are in and that is waiting; past its patience it leaves them, and says
  // so.
  void stop();

  [[nodiscard]] std::size_t threads() const;
  [[nodiscard]] bool is_own_thread() const;

 private:
  struct Worker {
    std::thread thread;
    bool has_ended = false;
  };

  void run(Worker& self);
  bool start_thread() noexcept;
  void join_ended();

  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable work_waits_;
  std::condition_variable thread_ended_;
  std::condition_variable quiet_;
  std::deque<Work> waiting_;
  std::list<Worker> workers_;
  std::size_t running_ = 0;  // threads
  std::size_t idle_ = 0;     // of them without work
  bool stopping_ = false;
};

}  // namespace turnpike::runtime
