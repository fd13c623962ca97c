#include "ways.h"

#include <algorithm>
#include <chrono>

#include "../place.h"

namespace turnpike::bench {
namespace {

class Threaded final : public Way {
 public:
  explicit Threaded(std::unique_ptr<Way> way) : way_(std::move(way)), thread_([this] { run(); }) {}
  ~Threaded() override { thread_.join(); }

  void send(Frame frame, std::size_t count) override { way_->send(frame, count); }
  std::size_t take(std::size_t most, std::uint64_t& sum) override { return frames_.take(most, sum); }
  void wait() override {}
  void end_listening(Way& from, Frame last) override {
    ends_ = true;
    from.send(last, 1);
  }
  [[nodiscard]] std::size_t window() const override { return kWindow; }

 private:
  void run() {
    while (!ends_.load()) {
      way_->wait();
      std::uint64_t sum = 0;
      for (std::size_t took = 1; took > 0;) {
        took = way_->take(64, sum);
        if (took > 0) frames_.note(took, sum);
      }
    }
  }

  std::unique_ptr<Way> way_;
  Handover frames_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace

Kind threaded(const Kind& kind) {
  return {kind.name + "_thread", [open = kind.open](const std::string& link) -> std::unique_ptr<Way> {
            return std::make_unique<Threaded>(open(link));
          }};
}

void Way::Arrivals::note(std::size_t frames) {
  at.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  seen.fetch_add(static_cast<std::uint32_t>(frames));
  seen.notify_one();
}

void Way::listen(Arrivals& arrivals) {
  listener_ = std::thread([this, &arrivals] {
    for (std::uint64_t sum = 0;;) {
      wait();
      if (ends_.load()) return;
      arrivals.note(1);
      take(1, sum);
    }
  });
}

void Way::end_listening(Way& from, Frame last) {
  ends_ = true;
  from.send(last, 1);
  listener_.join();
}

std::array<std::uint8_t, 60> sample_frame() {
  std::array<std::uint8_t, 60> made{};
  std::fill_n(made.begin(), 6, std::uint8_t{0xff});
  made[6] = 2;
  made[11] = 1;
  made[12] = 0x88;
  made[13] = 0xb5;
  return made;
}

void take(Way& way, std::uint64_t most, std::uint64_t& received, std::uint64_t& sum) {
  for (std::size_t got = 1; got > 0 && most > 0; received += got, most -= got) got = way.take(most, sum);
}

std::string add_link() {
  static int links = 0;
  place();
  const std::string number = std::to_string(++links);
  run({"ip", "link", "add", "left" + number, "type", "veth", "peer", "name", "right" + number});
  for (const char* each : {"left", "right"})
    run({"ip", "link", "set", each + number, "up", "addrgenmode", "none"});  // else IPv6 says hello
  return number;
}

void Handover::note(std::size_t frames, std::uint64_t bytes) {
  if (Way::Arrivals* const arrivals = listening_.load(std::memory_order_acquire)) arrivals->note(frames);
  sum_.fetch_add(bytes, std::memory_order_relaxed);
  const std::uint64_t seen = seen_.fetch_add(frames) + frames;
  if (seen < target_.load()) return;
  reached_.fetch_add(1);
  reached_.notify_one();
}

std::size_t Handover::take(std::size_t most, std::uint64_t& sum) {
  const std::uint64_t until = taken_ + most;
  target_.store(until);
  for (std::uint32_t reached = reached_.load(); seen_.load() < until; reached = reached_.load()) {
    if (seen_.load() < until) reached_.wait(reached);
  }
  target_.store(~std::uint64_t{0});
  taken_ = until;
  sum += sum_.load(std::memory_order_relaxed);
  return most;
}

}  // namespace turnpike::bench
