// MulticastHost: the kernel's multicast forwarding in this process: one kernel table, and one thread.
//
// The thread sleeps in poll() until upcalls wait, the kernel has news of links, or somebody stops it. Upcalls become
// calls of the multicast group manager, on this thread; so RPF and creation callbacks of clients run here, and one that
// hangs keeps every new flow waiting. Flows that stand are forwarded by the kernel alone.
//
// A table that is taken over from an earlier life forwards on as it stands, until every client has said what it has:
// the host's owner calls `all_claimed`, or the time for that is over. Then each standing flow is asked for as if its
// first packet had come: the entry that clients make of it takes the place of the standing one in one step, and what
// nobody makes an entry of is removed. (To ask at once was rejected: a flow whose receivers have not come back yet
// would stop.)
//
// The thread belongs to the network namespace of whoever starts it, and so do its sockets.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/descriptor.h"
#include "base/result.h"
#include "kernel/multicast/multicast_port.h"
#include "kernel/port.h"
#include "mgm/manager.h"

namespace turnpike::runtime {

class MulticastHost final : kernel::UpcallListener, kernel::Listener {
 public:
  // As kernel::open_multicast_port; and kExhausted: no more threads. The manager's forwarder has to lead to `port` when
  // `run` is called.
  static Result<std::unique_ptr<MulticastHost>> open(const kernel::MulticastOptions& options,
                                                     std::chrono::milliseconds settle, mgm::Manager& manager,
                                                     std::string& holder);
  Result<void> run();
  // Ends the thread, and leaves the kernel as it is.
  ~MulticastHost() override;
  MulticastHost(const MulticastHost&) = delete;
  MulticastHost& operator=(const MulticastHost&) = delete;

  // No callback runs any more, but for one that hangs, which is not waited for for ever; the kernel stays as it is.
  void end();
  // Ends the thread, and takes everything out of the kernel. No client may be registered.
  void stop();

  // Every client has said what it has.
  void all_claimed();

  kernel::MulticastPort& port() { return *port_; }

 private:
  MulticastHost(std::unique_ptr<kernel::MulticastPort> port, mgm::Manager& manager, bool is_to_be_kept)
      : port_(std::move(port)), manager_(manager), is_to_be_kept_(is_to_be_kept) {}

  void on_upcall(const kernel::Upcall& upcall) override;
  void on_link(const kernel::Notice& notice, const kernel::Link& link) override;
  void on_loss(kernel::Loss why) override;

  void loop();
  void read_what_waits(bool upcalls, bool news);
  void seek_keeper();
  void settle();
  [[nodiscard]] int wait_time() const;
  void wake();
  void ask_to_end();
  void end_thread();

  const std::unique_ptr<kernel::MulticastPort> port_;
  mgm::Manager& manager_;
  std::unique_ptr<kernel::Monitor> links_;
  Descriptor wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> all_claimed_{false};
  std::optional<std::chrono::steady_clock::time_point> settles_at_;  // the thread's, as is the next
  std::chrono::steady_clock::time_point seeks_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  const bool is_to_be_kept_;
  std::mutex mutex_;  // of has_ended_
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace turnpike::runtime
