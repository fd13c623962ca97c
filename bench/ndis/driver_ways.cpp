#include <chrono>
#include <thread>

#include "../place.h"
#include "bench_driver.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

class OfADriver final : public WayOfAThread {
 public:
  explicit OfADriver(const std::string& link)
      : driver_("bench-" + link, link, [this](PNET_BUFFER_LIST lists, std::size_t frames) { heard(lists, frames); }) {
    // The link may be so new that it has not been told of yet.
    for (int looks = 0; driver_.bindings().empty() && looks < 1000; ++looks)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    must(driver_.bindings().size() == 1, "the binding");
    bound_ = driver_.bindings().front();
  }
  void send(Frame frame, std::size_t count) override { driver_.send(*bound_, frame, count); }

 private:
  void heard(PNET_BUFFER_LIST lists, std::size_t frames) {
    std::uint64_t sum = 0;
    for (; lists != nullptr; lists = lists->Next) {
      const MDL* const bytes = lists->FirstNetBuffer->CurrentMdl;
      sum += look_at(static_cast<const std::uint8_t*>(bytes->MappedSystemVa), bytes->ByteCount);
    }
    frames_.note(frames, sum);
  }

  BenchDriver driver_;
  BenchDriver::Bound* bound_ = nullptr;
};

}  // namespace

std::vector<Kind> driver_ways() {
  const auto by_packets = [](const std::string& link) { return std::make_unique<OfADriver>(link); };
  const auto by_xdp = [](const std::string& link) {
    static std::string all;  // an adapter is asked for its kind when it is opened
    all += link + ",";
    must(TpNdisUseXdp(all.c_str(), TP_NDIS_XDP_TAKE_ALL) == 0, "AF_XDP");
    return std::make_unique<OfADriver>(link);
  };
  return {{"turnpike_ndis6", by_packets}, {"turnpike_ndis6_xdp", by_xdp}};
}

}  // namespace turnpike::bench
