#include "../place.h"
#include "bench_driver.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

class OfADriver final : public Way {
 public:
  explicit OfADriver(const std::string& link)
      : driver_("bench-" + link, link, [this](std::size_t frames) { frames_.note(frames, 0); }) {
    must(driver_.bindings().size() == 1, "the binding");
    bound_ = driver_.bindings().front();
  }
  void send(Frame frame, std::size_t count) override { driver_.send(*bound_, frame, count); }
  std::size_t take(std::size_t most, std::uint64_t& sum) override { return frames_.take(most, sum); }
  void wait() override {}
  void listen(Arrivals& arrivals) override { frames_.listen(&arrivals); }
  void end_listening(Way&, Frame) override { frames_.listen(nullptr); }
  [[nodiscard]] std::size_t window() const override { return 512; }

 private:
  Handover frames_;
  BenchDriver driver_;
  BenchDriver::Bound* bound_ = nullptr;
};

}  // namespace

std::vector<Kind> driver_ways() {
  return {{"turnpike_ndis6", [](const std::string& link) { return std::make_unique<OfADriver>(link); }}};
}

}  // namespace turnpike::bench
