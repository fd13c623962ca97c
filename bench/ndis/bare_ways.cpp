#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <atomic>

#include "../place.h"
#include "base/descriptor.h"
#include "ways.h"

namespace turnpike::bench {
namespace {

constexpr std::uint16_t kAll = 0x0300;  // ETH_P_ALL in network order

sockaddr_ll place_of(const std::string& link) {
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = kAll;
  where.sll_ifindex = static_cast<int>(::if_nametoindex(link.c_str()));
  return where;
}

Descriptor packet_socket() {
  Descriptor made(::socket(AF_PACKET, SOCK_RAW, 0));
  must(made.is_open(), "AF_PACKET");
  return made;
}

template <class T>
void set(const Descriptor& socket, int option, const T& value) {
  must(::setsockopt(socket.number(), SOL_PACKET, option, &value, sizeof value) == 0, "setsockopt");
}

void attach(const Descriptor& socket, const std::string& link) {
  const sockaddr_ll where = place_of(link);
  must(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0, "bind");
}

void wait_readable(const Descriptor& socket) {
  pollfd one{socket.number(), POLLIN, 0};
  must(::poll(&one, 1, -1) == 1, "poll");
}

class Plain : public Way {
 public:
  explicit Plain(const std::string& link) : socket_(packet_socket()) {
    set(socket_, PACKET_IGNORE_OUTGOING, 1);
    const int large = 32 << 20;
    must(::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large) == 0, "SO_RCVBUFFORCE");
    attach(socket_, link);
  }
  void send(Frame frame, std::size_t count) override {
    for (; count > 0; --count) {
      must(::send(socket_.number(), frame.data(), frame.size(), 0) > 0, "send");
    }
  }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    std::size_t taken = 0;
    for (; taken < most; ++taken) {
      const ssize_t size = ::recv(socket_.number(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size < 0) break;
      sum += look_at(buffer_.data(), static_cast<std::size_t>(size));
    }
    return taken;
  }
  // recvfrom that blocks is the plain way: the frame that it brings is the one that `take` would have given.
  void wait() override { must(::recv(socket_.number(), buffer_.data(), buffer_.size(), 0) >= 0, "recv"); }

 protected:
  Descriptor socket_;
  std::array<std::uint8_t, 2048> buffer_{};
};

constexpr std::size_t kBatch = 64;

void send_batches(const Descriptor& socket, Frame frame, std::size_t count) {
  std::array<mmsghdr, kBatch> out{};
  iovec piece{const_cast<std::uint8_t*>(frame.data()), frame.size()};
  for (mmsghdr& each : out) {
    each.msg_hdr.msg_iov = &piece;
    each.msg_hdr.msg_iovlen = 1;
  }
  while (count > 0) {
    const int sent = ::sendmmsg(socket.number(), out.data(), static_cast<unsigned>(std::min(count, kBatch)), 0);
    must(sent > 0, "sendmmsg");
    count -= static_cast<std::size_t>(sent);
  }
}

class Batched : public Plain {
 public:
  explicit Batched(const std::string& link) : Plain(link) {
    for (std::size_t at = 0; at < kBatch; ++at) {
      pieces_[at] = {buffers_[at].data(), buffers_[at].size()};
      messages_[at].msg_hdr.msg_iov = &pieces_[at];
      messages_[at].msg_hdr.msg_iovlen = 1;
    }
  }
  void send(Frame frame, std::size_t count) override { send_batches(socket_, frame, count); }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    const int got = ::recvmmsg(socket_.number(), messages_.data(), static_cast<unsigned>(std::min(most, kBatch)),
                               MSG_DONTWAIT, nullptr);
    if (got <= 0) return 0;
    for (int at = 0; at < got; ++at) sum += look_at(buffers_[at].data(), messages_[at].msg_len);
    return static_cast<std::size_t>(got);
  }
  void wait() override { wait_readable(socket_); }

 private:
  std::array<std::array<std::uint8_t, 2048>, kBatch> buffers_{};
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

// A mapping with an owner.
class Mapping {
 public:
  Mapping(const Descriptor& socket, std::size_t size) : size_(size) {
    at_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket.number(), 0);
    must(at_ != MAP_FAILED, "mmap");
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(at_, size_); }
  [[nodiscard]] std::uint8_t* at(std::size_t offset) const { return static_cast<std::uint8_t*>(at_) + offset; }

 private:
  void* at_;
  std::size_t size_;
};

enum class Sending { kSendto, kSendmmsg, kRing };
enum class Waking { kPoll, kPollOfTwo, kEpoll };

struct Shape {
  Sending sending = Sending::kSendto;
  Waking waking = Waking::kPoll;
  unsigned slots = 2048;
  unsigned slot = 2048;  // a multiple of 64: as many as fill whole pages are a block
};

// TPACKET_V2, to receive and (a ring of its own behind it, as the kernel lays them out) to send.
class Ring2 : public Way {
 public:
  Ring2(const std::string& link, const Shape& shape) : shape_(shape), socket_(packet_socket()) {
    constexpr unsigned kInBlock = 64;
    set(socket_, PACKET_VERSION, int{TPACKET_V2});
    set(socket_, PACKET_IGNORE_OUTGOING, 1);
    const tpacket_req request{shape.slot * kInBlock, shape.slots / kInBlock, shape.slot, shape.slots};
    set(socket_, PACKET_RX_RING, request);
    const bool sends_by_ring = shape.sending == Sending::kRing;
    if (sends_by_ring) set(socket_, PACKET_TX_RING, request);
    memory_ = std::make_unique<Mapping>(socket_, std::size_t{shape.slots} * shape.slot * (sends_by_ring ? 2 : 1));
    attach(socket_, link);
    epoll_.reset(::epoll_create1(0));
    epoll_event event{};
    event.events = EPOLLIN;
    must(::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket_.number(), &event) == 0, "epoll");
  }
  void send(Frame frame, std::size_t count) override {
    if (shape_.sending == Sending::kSendmmsg) return send_batches(socket_, frame, count);
    if (shape_.sending == Sending::kSendto) {
      for (; count > 0; --count) must(::send(socket_.number(), frame.data(), frame.size(), 0) > 0, "send");
      return;
    }
    for (; count > 0; --count) {
      tpacket2_hdr& slot = at(shape_.slots + to_send_);
      while (status(slot).load(std::memory_order_acquire) != TP_STATUS_AVAILABLE) flush();
      std::copy(frame.begin(), frame.end(),
                reinterpret_cast<std::uint8_t*>(&slot) + TPACKET2_HDRLEN - sizeof(sockaddr_ll));
      slot.tp_len = static_cast<unsigned>(frame.size());
      status(slot).store(TP_STATUS_SEND_REQUEST, std::memory_order_release);
      to_send_ = (to_send_ + 1) % shape_.slots;
    }
    flush();
  }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    std::size_t taken = 0;
    for (; taken < most; ++taken) {
      tpacket2_hdr& slot = at(next_);
      if ((status(slot).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) break;
      sum += look_at(reinterpret_cast<std::uint8_t*>(&slot) + slot.tp_mac, slot.tp_snaplen);
      status(slot).store(TP_STATUS_KERNEL, std::memory_order_release);
      next_ = (next_ + 1) % shape_.slots;
    }
    return taken;
  }
  void wait() override {
    if ((status(at(next_)).load(std::memory_order_acquire) & TP_STATUS_USER) != 0) return;
    if (shape_.waking == Waking::kEpoll) {
      epoll_event event{};
      must(::epoll_wait(epoll_.number(), &event, 1, -1) == 1, "epoll_wait");
    } else {
      std::array<pollfd, 2> two{pollfd{socket_.number(), POLLIN, 0}, pollfd{epoll_.number(), POLLPRI, 0}};
      must(::poll(two.data(), shape_.waking == Waking::kPollOfTwo ? 2 : 1, -1) >= 1, "poll");
    }
  }

 private:
  tpacket2_hdr& at(unsigned slot) {
    return *reinterpret_cast<tpacket2_hdr*>(memory_->at(std::size_t{slot} * shape_.slot));
  }
  static std::atomic_ref<std::uint32_t> status(tpacket2_hdr& slot) { return std::atomic_ref(slot.tp_status); }
  void flush() { must(::send(socket_.number(), nullptr, 0, 0) >= 0, "send"); }

  Shape shape_;
  Descriptor socket_;
  Descriptor epoll_;
  std::unique_ptr<Mapping> memory_;
  unsigned next_ = 0;
  unsigned to_send_ = 0;
};

// TPACKET_V3: blocks that the kernel hands over when they are full or `retire_ms` have passed.
constexpr unsigned kBlock = 1U << 14;  // some hundred of the frames that are sent here

class Ring3 : public Plain {
 public:
  Ring3(const std::string& link, unsigned retire_ms) : Plain(link), ring_(packet_socket()) {
    set(ring_, PACKET_VERSION, int{TPACKET_V3});
    set(ring_, PACKET_IGNORE_OUTGOING, 1);
    tpacket_req3 request{kBlock, kBlocks, 2048, kBlocks * kBlock / 2048, retire_ms, 0, 0};
    set(ring_, PACKET_RX_RING, request);
    memory_ = std::make_unique<Mapping>(ring_, std::size_t{kBlocks} * kBlock);
    socket_ = packet_socket();  // the one of Plain: for sending alone
    const sockaddr_ll where = [&] {
      sockaddr_ll there = place_of(link);
      there.sll_protocol = 0;
      return there;
    }();
    must(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0, "bind");
    attach(ring_, link);
  }
  std::size_t take(std::size_t most, std::uint64_t& sum) override {
    std::size_t taken = 0;
    while (taken < most) {
      tpacket_block_desc& block = *reinterpret_cast<tpacket_block_desc*>(memory_->at(std::size_t{block_} * kBlock));
      std::atomic_ref<std::uint32_t> status(block.hdr.bh1.block_status);
      if (left_ == 0) {
        if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) break;
        left_ = block.hdr.bh1.num_pkts;
        offset_ = block.hdr.bh1.offset_to_first_pkt;
      }
      for (; left_ > 0 && taken < most; --left_, ++taken) {
        auto& frame = *reinterpret_cast<tpacket3_hdr*>(reinterpret_cast<std::uint8_t*>(&block) + offset_);
        sum += look_at(reinterpret_cast<std::uint8_t*>(&frame) + frame.tp_mac, frame.tp_snaplen);
        offset_ += frame.tp_next_offset;
      }
      if (left_ == 0) {
        status.store(TP_STATUS_KERNEL, std::memory_order_release);
        block_ = (block_ + 1) % kBlocks;
      }
    }
    return taken;
  }
  void send(Frame frame, std::size_t count) override { send_batches(socket_, frame, count); }
  void wait() override { wait_readable(ring_); }

 private:
  static constexpr unsigned kBlocks = 256;
  Descriptor ring_;
  std::unique_ptr<Mapping> memory_;
  unsigned block_ = 0;
  unsigned left_ = 0;
  unsigned offset_ = 0;
};

}  // namespace

std::vector<Kind> bare_ways() {
  const auto ring2 = [](const Shape& shape) {
    return [=](const std::string& link) { return std::make_unique<Ring2>(link, shape); };
  };
  return {{"recvfrom_sendto", [](const std::string& link) { return std::make_unique<Plain>(link); }},
          {"recvmmsg_sendmmsg", [](const std::string& link) { return std::make_unique<Batched>(link); }},
          {"v2_sendto", ring2({})},
          {"v2_poll_of_two", ring2({.waking = Waking::kPollOfTwo})},
          {"v2_epoll", ring2({.waking = Waking::kEpoll})},
          {"v2_txring", ring2({.sending = Sending::kRing})},
          {"v2_txring_512", ring2({.sending = Sending::kRing, .slots = 512})},
          {"v2_txring_8192", ring2({.sending = Sending::kRing, .slots = 8192})},
          // The best that can be done by hand: slots of an odd number of cache lines, and batches.
          {"v2_sendmmsg", ring2({.sending = Sending::kSendmmsg, .slot = 29 * 64})},
          {"v3_retire_1ms", [](const std::string& link) { return std::make_unique<Ring3>(link, 1); }}};
}

}  // namespace turnpike::bench
