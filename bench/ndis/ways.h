// The ways in which a program can take frames from an interface and give it frames, each as plain as it can be written:
// what the packet backends of src/kernel, and NDIS over them, are measured against, in the same run.
//
// A way is one open interface. `take` hands over what is there without waiting; `wait` sleeps until there is something,
// the way that users of this interface sleep. Where a way has several ways to wait, each is a way of its own. `listen`
// is receiving as a program does it that waits for frames: on a thread that sleeps until there is one, the way's own
// where it has one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
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

  // From now on `seen` counts what arrives and `at` says when the last one did; nothing else is asked of it any more.
  struct Arrivals {
    std::atomic<std::int64_t> at = 0;
    std::atomic<std::uint32_t> seen = 0;
    void note(std::size_t frames);
  };
  virtual void listen(Arrivals& arrivals);
  // When this returns, nobody listens. `from` sends one more frame, which wakes who sleeps.
  virtual void end_listening(Way& from, Frame last);
  // How many frames the sender lets be on their way. Who sends and receives on one thread is quickest with few, which
  // stay in the cache; with a receiver on a thread of its own it is half of what the rings hold, the same for all.
  static constexpr std::size_t kWindow = 1024;
  [[nodiscard]] virtual std::size_t window() const { return 64; }

 private:
  std::thread listener_;
  std::atomic<bool> ends_ = false;
};

// For a way whose frames come on a thread of its own: `take` sleeps until that has seen what was asked for.
class Handover {
 public:
  void note(std::size_t frames, std::uint64_t bytes);
  std::size_t take(std::size_t most, std::uint64_t& sum);
  void listen(Way::Arrivals* arrivals) { listening_.store(arrivals, std::memory_order_release); }

 private:
  std::atomic<Way::Arrivals*> listening_ = nullptr;
  std::atomic<std::uint64_t> seen_ = 0, sum_ = 0, target_ = ~std::uint64_t{0};
  std::atomic<std::uint32_t> reached_ = 0;
  std::uint64_t taken_ = 0;
};

// Such a way.
class WayOfAThread : public Way {
 public:
  std::size_t take(std::size_t most, std::uint64_t& sum) override { return frames_.take(most, sum); }
  void wait() override {}
  void listen(Arrivals& arrivals) override { frames_.listen(&arrivals); }
  void end_listening(Way&, Frame) override { frames_.listen(nullptr); }
  [[nodiscard]] std::size_t window() const override { return kWindow; }

 protected:
  Handover frames_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Way>(const std::string& link)> open;  // null: not here (the reason has been printed)
};

// To all, from nobody in particular, of a type for experiments, so that no stack answers.
std::array<std::uint8_t, 60> sample_frame();
// So many, or what there is where some were lost.
void take(Way& way, std::uint64_t most, std::uint64_t& received, std::uint64_t& sum);

// The same way with a thread of its own that receives: it sleeps until there is something, and takes all of it.
Kind threaded(const Kind& kind);

// One more veth pair, up and silent: left1 and right1, left2 and right2 … Its number.
std::string add_link();

// Plain sockets, rings of AF_PACKET, and where this build has them libpcap and AF_XDP.
std::vector<Kind> bare_ways();
std::vector<Kind> pcap_ways();
std::vector<Kind> xdp_ways();
// The adapters of src/kernel.
std::vector<Kind> our_ways();
// NDIS over them: a driver of NDIS 6 at either end.
std::vector<Kind> driver_ways();

// What a reader does with a frame in these benchmarks.
inline std::uint64_t look_at(const std::uint8_t* frame, std::size_t size) {
  return size > 15 ? std::uint64_t{frame[12]} + frame[14] : 0;
}

}  // namespace turnpike::bench
