// The module's thread. It hears who asks hosts for their groups (IGMP queries), which is all that this protocol knows
// of its neighbours; and while something was refused, it has it tried again every few seconds.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace turnpike::modules {

class Ear {
 public:
  // `try_again` is called on the thread; true: something is still to be tried. No socket for want of the right: nobody
  // is heard. No thread: the same, and nothing is tried again.
  explicit Ear(std::function<bool()> try_again);
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;
  ~Ear();

  // From now on `try_again` is called. From any thread.
  void wake();

  // Who asks on that interface, network order; nothing: nobody has for as long as it takes to be sure.
  [[nodiscard]] std::optional<std::uint32_t> querier(std::uint32_t interface) const;

 private:
  struct Heard {
    std::uint32_t address = 0;
    std::chrono::steady_clock::time_point until;
  };

  void loop();
  void hear();

  const std::function<bool()> try_again_;
  int socket_ = -1;
  int wake_ = -1;
  std::atomic<bool> has_wishes_{false};
  std::atomic<bool> done_{false};
  mutable std::mutex lock_;  // of heard_
  std::map<std::uint32_t, Heard> heard_;
  std::thread thread_;
};

}  // namespace turnpike::modules
