#include "../place.h"
#include "bench_driver.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

class OfADriver final : public WayOfAThread {
 public:
  explicit OfADriver(const std::string& link)
      : driver_("bench-" + link, link, [this](std::size_t frames) { frames_.note(frames, 0); }) {
    must(driver_.bindings().size() == 1, "the binding");
    bound_ = driver_.bindings().front();
  }
  void send(Frame frame, std::size_t count) override { driver_.send(*bound_, frame, count); }

 private:
  BenchDriver driver_;
  BenchDriver::Bound* bound_ = nullptr;
};

}  // namespace

std::vector<Kind> driver_ways() {
  return {{"turnpike_ndis6", [](const std::string& link) { return std::make_unique<OfADriver>(link); }}};
}

}  // namespace turnpike::bench
