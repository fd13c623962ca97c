// The ways in which a program can take frames from an interface and give it frames, each as plain as it can be written:
// what the packet backends of src/kernel, and NDIS over them, are measured against, in the same run.
//
// A way is one open interface. `take` hands over what is there without waiting; `wait` sleeps until there is something,
// the way that users of this interface sleep. Where a way has several ways to wait, each is a way of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace turnpike::bench {

using Frame = std::span<const std::uint8_t>;

class Way {
 public:
  Way() = default;
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  virtual ~Way() = default;

  // Sends `frame` `count` times; returns when the kernel has all of them.
  virtual void send(Frame frame, std::size_t count) = 0;
  // What has arrived, up to `most` frames; `sum` of their bytes keeps the compiler from leaving out the reading.
  virtual std::size_t take(std::size_t most, std::uint64_t& sum) = 0;
  virtual void wait() = 0;
  // When the last frame was seen by whoever is to see it; after wait().
  [[nodiscard]] virtual std::int64_t arrival() const {
    return std::chrono::steady_clock::now().time_since_epoch().count();
  }
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Way>(const std::string& link)> open;  // null: not here (the reason has been printed)
};

// Plain sockets, rings of AF_PACKET, and where this build has them libpcap and AF_XDP.
std::vector<Kind> bare_ways();
std::vector<Kind> pcap_ways();
std::vector<Kind> xdp_ways();
// The adapters of src/kernel.
std::vector<Kind> our_ways();

// What a reader does with a frame in these benchmarks.
inline std::uint64_t look_at(const std::uint8_t* frame, std::size_t size) {
  return size > 15 ? std::uint64_t{frame[12]} + frame[14] : 0;
}

}  // namespace turnpike::bench
