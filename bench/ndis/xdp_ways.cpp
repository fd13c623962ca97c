#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <xdp/xsk.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "../place.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

constexpr unsigned kSlot = 2048;
constexpr unsigned kSlots = 2048;  // as many to receive as to send

class Xdp final : public Way {
 public:
  Xdp(const std::string& link, unsigned attach_flags) : flags_(attach_flags) {
    memory_ =
        ::mmap(nullptr, std::size_t{2} * kSlots * kSlot, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory_ != MAP_FAILED, "mmap");
    const xsk_umem_config shape{kSlots, kSlots, kSlot, 0, 0};
    must(xsk_umem__create(&umem_, memory_, std::uint64_t{2} * kSlots * kSlot, &fill_, &completion_, &shape) == 0,
         "xsk_umem__create");
    xsk_socket_config config{};
    config.rx_size = config.tx_size = kSlots;
    config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
    config.bind_flags = XDP_COPY;
    int answer = -EBUSY;  // for a while after another socket of the queue was closed
    for (int tries = 0; answer == -EBUSY && tries < 1000; ++tries) {
      answer = xsk_socket__create(&socket_, link.c_str(), 0, umem_, &rx_, &tx_, &config);
      if (answer == -EBUSY) ::usleep(1000);
    }
    must(answer == 0, "xsk_socket__create");
    load_program(link);
    fill(kSlots, 0);
    for (unsigned at = 0; at < kSlots; ++at) free_.push_back(std::uint64_t{kSlots + at} * kSlot);
  }
  Xdp(const Xdp&) = delete;
  Xdp& operator=(const Xdp&) = delete;
  ~Xdp() override {
    bpf_xdp_detach(link_, flags_, nullptr);
    xsk_socket__delete(socket_);
    xsk_umem__delete(umem_);
    ::munmap(memory_, std::size_t{2} * kSlots * kSlot);
  }

  void send(Frame frame, std::size_t count) override {
    while (count > 0) {
      reclaim();
      const unsigned now = static_cast<unsigned>(std::min(count, free_.size()));
      unsigned at = 0;
      if (now > 0 && xsk_ring_prod__reserve(&tx_, now, &at) == now) {
        for (unsigned i = 0; i < now; ++i) {
          std::memcpy(static_cast<std::uint8_t*>(memory_) + free_.back(), frame.data(), frame.size());
          *xsk_ring_prod__tx_desc(&tx_, at + i) = xdp_desc{free_.back(), static_cast<unsigned>(frame.size()), 0};
          free_.pop_back();
        }
        xsk_ring_prod__submit(&tx_, now);
        count -= now;
      }
      kick();
    }
    while (free_.size() < kSlots) {
      reclaim();
      if (free_.size() < kSlots) kick();
    }
  }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    unsigned at = 0;
    const unsigned got = xsk_ring_cons__peek(&rx_, static_cast<unsigned>(most), &at);
    unsigned back = 0;
    while (got > 0 && xsk_ring_prod__reserve(&fill_, got, &back) == 0) {
      // the kernel shows a frame a moment before it makes room for its slot
    }
    for (unsigned i = 0; i < got; ++i) {
      const xdp_desc& each = *xsk_ring_cons__rx_desc(&rx_, at + i);
      sum += look_at(static_cast<std::uint8_t*>(memory_) + each.addr, each.len);
      *xsk_ring_prod__fill_addr(&fill_, back + i) = each.addr;
    }
    xsk_ring_cons__release(&rx_, got);
    if (got > 0) xsk_ring_prod__submit(&fill_, got);
    return got;
  }
  void wait() override {
    pollfd one{xsk_socket__fd(socket_), POLLIN, 0};
    must(::poll(&one, 1, -1) == 1, "poll");
  }

 private:
  void kick() { ::sendto(xsk_socket__fd(socket_), nullptr, 0, MSG_DONTWAIT, nullptr, 0); }
  void reclaim() {
    unsigned at = 0;
    const unsigned done = xsk_ring_cons__peek(&completion_, kSlots, &at);
    for (unsigned i = 0; i < done; ++i) free_.push_back(*xsk_ring_cons__comp_addr(&completion_, at + i));
    xsk_ring_cons__release(&completion_, done);
  }
  void fill(unsigned count, unsigned first) {
    unsigned at = 0;
    must(xsk_ring_prod__reserve(&fill_, count, &at) == count, "fill");
    for (unsigned i = 0; i < count; ++i) *xsk_ring_prod__fill_addr(&fill_, at + i) = std::uint64_t{first + i} * kSlot;
    xsk_ring_prod__submit(&fill_, count);
  }
  // r0 = bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS)
  void load_program(const std::string& link) {
    const int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", 4, 4, 1, nullptr);
    must(map >= 0, "bpf_map_create");
    const std::array<bpf_insn, 6> program{bpf_insn{BPF_LDX | BPF_MEM | BPF_W, 2, 1, 16, 0},
                                          bpf_insn{BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map},
                                          bpf_insn{0, 0, 0, 0, 0},
                                          bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS},
                                          bpf_insn{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map},
                                          bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const int loaded = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench", "GPL", program.data(), program.size(), nullptr);
    must(loaded >= 0, "bpf_prog_load");
    link_ = static_cast<int>(::if_nametoindex(link.c_str()));
    must(bpf_xdp_attach(link_, loaded, flags_, nullptr) == 0, "bpf_xdp_attach");
    must(xsk_socket__update_xskmap(socket_, map) == 0, "xsk_socket__update_xskmap");
    ::close(map);
    ::close(loaded);
  }

  unsigned flags_;
  void* memory_ = nullptr;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_prod fill_{}, tx_{};
  xsk_ring_cons completion_{}, rx_{};
  std::vector<std::uint64_t> free_;
  int link_ = 0;
};

}  // namespace

std::vector<Kind> xdp_ways() {
  return {{"af_xdp_generic",
           [](const std::string& link) { return std::make_unique<Xdp>(link, std::uint32_t{XDP_FLAGS_SKB_MODE}); }},
          {"af_xdp_native",
           [](const std::string& link) { return std::make_unique<Xdp>(link, std::uint32_t{XDP_FLAGS_DRV_MODE}); }}};
}

}  // namespace turnpike::bench
