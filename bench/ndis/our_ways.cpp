#include <array>
#include <atomic>

#include "../place.h"
#include "kernel/adapters/adapters_port.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

// An adapter of src/kernel, whose frames come on its own thread.
class Ours final : public WayOfAThread, private ndis::FrameSink, private ndis::AdapterListener {
 public:
  Ours(const std::string& link, kernel::AdapterKind kind) : link_(link) {
    kernel::AdapterOptions options;
    options.choose = [kind](const ndis::AdapterFacts&) {
      return kernel::AdapterChoice{kind, kernel::Steal::kEverything};
    };
    source_ = kernel::open_real_adapters(std::move(options)).value();
    must(source_->start(*this).has_value(), "the source");
    listed_.wait(false);
    auto opened = source_->open(index_, *this);
    must(opened.has_value(), "the adapter");
    adapter_ = std::move(*opened);
    ndis::Reception wanted;
    wanted.filter = ndis::packet_type::kBroadcast | ndis::packet_type::kDirected;
    must(adapter_->receive(wanted).has_value(), "what is to be received");
  }
  ~Ours() override {
    adapter_.reset();
    source_->stop();
  }

  void send(Frame frame, std::size_t count) override {
    const std::array pieces{std::as_bytes(frame)};
    std::array<ndis::OutFrame, 64> batch{};
    batch.fill({pieces, frame.size(), 0, {}});
    while (count > 0) {
      const auto answer = adapter_->send(std::span(batch).first(std::min(count, batch.size())));
      count -= answer.taken;
      must(!answer.error || answer.error->kind == ErrorKind::kBusy, "send");
    }
  }

 private:
  void received(std::span<const ndis::InFrame> batch) noexcept override {
    std::uint64_t sum = 0;
    for (const ndis::InFrame& each : batch)
      sum += look_at(reinterpret_cast<const std::uint8_t*>(each.bytes.data()), each.bytes.size());
    frames_.note(batch.size(), sum);
  }
  void room() noexcept override {}
  void broken(const Error&) noexcept override {}
  void adapter_event(const ndis::AdapterEvent& event) noexcept override {
    if (event.kind == ndis::AdapterEvent::Kind::kSeen && event.facts.name == link_) index_ = event.facts.index;
    if (event.kind != ndis::AdapterEvent::Kind::kListed) return;
    listed_ = true;
    listed_.notify_one();
  }

  std::string link_;
  net::InterfaceIndex index_;
  std::atomic<bool> listed_ = false;
  std::unique_ptr<ndis::AdapterSource> source_;
  std::unique_ptr<ndis::Adapter> adapter_;
};

}  // namespace

std::vector<Kind> our_ways() {
  const auto of = [](kernel::AdapterKind kind) {
    return [kind](const std::string& link) { return std::make_unique<Ours>(link, kind); };
  };
  return {{"turnpike_packet", of(kernel::AdapterKind::kPacket)}, {"turnpike_xdp", of(kernel::AdapterKind::kXdp)}};
}

}  // namespace turnpike::bench
