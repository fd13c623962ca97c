#include <pcap/pcap.h>
#include <poll.h>

#include "../place.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

class Pcap final : public Way {
 public:
  explicit Pcap(const std::string& link) : handle_(pcap_create(link.c_str(), error_)) {
    must(handle_ != nullptr, error_);
    pcap_set_snaplen(handle_, 2048);
    pcap_set_immediate_mode(handle_, 1);
    pcap_set_buffer_size(handle_, 8 << 20);  // as many frames as the other rings hold
    must(pcap_activate(handle_) >= 0, "pcap_activate");
    pcap_setdirection(handle_, PCAP_D_IN);
    pcap_setnonblock(handle_, 1, error_);
  }
  Pcap(const Pcap&) = delete;
  Pcap& operator=(const Pcap&) = delete;
  ~Pcap() override { pcap_close(handle_); }

  void send(Frame frame, std::size_t count) override {
    for (; count > 0; --count) must(pcap_inject(handle_, frame.data(), frame.size()) > 0, "pcap_inject");
  }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    const auto look = [](std::uint8_t* user, const pcap_pkthdr* header, const std::uint8_t* frame) {
      *reinterpret_cast<std::uint64_t*>(user) += look_at(frame, header->caplen);
    };
    const int taken = pcap_dispatch(handle_, static_cast<int>(most), look, reinterpret_cast<std::uint8_t*>(&sum));
    return taken > 0 ? static_cast<std::size_t>(taken) : 0;
  }
  void wait() override {
    pollfd one{pcap_get_selectable_fd(handle_), POLLIN, 0};
    must(::poll(&one, 1, -1) == 1, "poll");
  }

 private:
  char error_[PCAP_ERRBUF_SIZE] = {};
  pcap_t* handle_;
};

}  // namespace

std::vector<Kind> pcap_ways() {
  return {{"libpcap_immediate", [](const std::string& link) { return std::make_unique<Pcap>(link); }}};
}

}  // namespace turnpike::bench
