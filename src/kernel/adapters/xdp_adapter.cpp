// AF_XDP: frames go from the device's queue into memory that we share with the kernel, past the host's stack. Faster
// than a packet socket, and a theft: what the program redirects to us, the host does not get. So it is chosen by name,
// and takes no more than the types that bindings have named, unless the host's owner said otherwise.
//
// Two libraries, each for what it is good at: libxdp for the rings, libbpf to load and attach. The program itself is
// made here, of what is wanted (a few instructions by type and destination, as in reception_program.cpp), and replaced
// whole on each change: libxdp's own takes everything. It is attached natively where there is hardware whose driver
// can, else generically: what comes over a veth is an sk_buff already, and native XDP would copy it into a page first
// (a tenth slower, bench/ndis). A queue that somebody just left stays busy for a moment, which is waited for.
//
// Copy mode: every driver has it, and over veth it is what there is. One queue, the first: devices with several have to
// be told by their owner (ethtool -L … combined 1) to bring everything there; we say so once where there are more.
//
// The kernel has no word for "the interface has gone" either: the source of adapters has.
//
// One socket receives and one sends, from the same memory: for each frame that has been sent the kernel walks through
// those who sleep on the socket that it went out by, whatever they wait for, and who receives sleeps there nearly
// always (a frame took a twentieth longer).
//
// Memory: kSlots to receive, as many to send. A slot that was received goes back to the kernel when the call that shows
// it returns; one that was sent when the kernel says so, which we ask for before each send.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/bare_frame.h"
#include "kernel/adapters/frame_sender.h"
#include "kernel/adapters/loop_thread.h"
#include "kernel/adapters/pace.h"
#include "kernel/adapters/packet_socket.h"
#include "kernel/adapters/xdp_program.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using ndis::InFrame;

constexpr std::uint32_t kSlot = 2048;  // a power of two, or a page: as UMEM wants it
constexpr std::uint32_t kSlots = 2048;
constexpr std::size_t kMemory = std::size_t{2} * kSlots * kSlot;
constexpr std::uint32_t kBatch = 64;
constexpr int kPatienceMs = 1000;  // with a queue that is busy still

// XDP sees the frame alone: what does not fit into a page it is not shown, so no super-frames come here.
class Memory {
 public:
  Memory() : at_(::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    if (is_there()) ::munmap(at_, kMemory);
  }
  [[nodiscard]] bool is_there() const { return at_ != MAP_FAILED; }
  [[nodiscard]] void* all() const { return at_; }
  [[nodiscard]] std::byte* at(std::uint64_t offset) const { return static_cast<std::byte*>(at_) + offset; }

 private:
  void* at_;
};

// The sockets with their memory and rings: what takes long to let go of.
struct Rings {
  Rings() = default;
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;
  ~Rings() {
    for (xsk_socket* const each : {out, in}) {
      if (each != nullptr) xsk_socket__delete(each);
    }
    if (umem != nullptr) xsk_umem__delete(umem);
  }

  Memory memory;
  xsk_umem* umem = nullptr;
  xsk_socket *in = nullptr, *out = nullptr;
  xsk_ring_prod fill{}, transmit{};
  xsk_ring_cons completion{}, receive{};
};

Result<void> make(Rings& rings, const std::string& link) {
  if (!rings.memory.is_there()) return fail(ErrorKind::kExhausted, "no memory for AF_XDP");
  const xsk_umem_config shape{kSlots, kSlots, kSlot, 0, 0};
  int answer = xsk_umem__create(&rings.umem, rings.memory.all(), kMemory, &rings.fill, &rings.completion, &shape);
  if (answer != 0) return fail_errno(-answer, "the kernel takes no memory for AF_XDP");
  xsk_socket_config config{};
  config.rx_size = config.tx_size = kSlots;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  config.bind_flags = XDP_COPY;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  for (;;) {
    answer = xsk_socket__create(&rings.in, link.c_str(), 0, rings.umem, &rings.receive, nullptr, &config);
    if (answer != -EBUSY || std::chrono::steady_clock::now() > until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (answer == -EBUSY) return fail(ErrorKind::kBusy, "somebody else has the queue for AF_XDP");
  if (answer == 0)
    answer = xsk_socket__create(&rings.out, link.c_str(), 0, rings.umem, nullptr, &rings.transmit, &config);
  if (answer != 0) return fail_errno(-answer, "the interface takes no AF_XDP socket");
  return {};
}

// A program that is attached to the interface. The attachment is a descriptor: it ends with this, with the process, and
// with the interface, whatever namespace that is in by then.
class Attached {
 public:
  Attached(int index, bool natively) : index_(index), natively_(natively) {}

  Result<void> replace(const Descriptor& program) {
    if (link_.is_open()) {
      const int answer = bpf_link_update(link_.number(), program.number(), nullptr);
      return answer == 0 ? Result<void>{} : Result<void>(fail_errno(-answer, "the XDP program cannot be replaced"));
    }
    int answer = 0;
    for (const std::uint32_t flags : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
      if (flags == XDP_FLAGS_DRV_MODE && !natively_) continue;
      bpf_link_create_opts options{};
      options.sz = sizeof options;
      options.flags = flags;
      answer = bpf_link_create(program.number(), index_, BPF_XDP, &options);
      if (answer == -EBUSY || answer == -EEXIST) return fail(ErrorKind::kBusy, "the interface has an XDP program");
      link_.reset(answer);
      if (link_.is_open()) return {};
    }
    return fail_errno(-answer, "the interface takes no XDP program");
  }
  void detach() { link_.reset(); }

 private:
  int index_;
  bool natively_;
  Descriptor link_;
};

class XdpAdapter final : public ndis::Adapter {
 public:
  XdpAdapter(const AdapterOpening& opening, Steal steal)
      : opening_(opening), steal_(steal), attached_(static_cast<int>(opening.index.value()), opening.hardware) {}
  ~XdpAdapter() override;

  Result<void> start();

  [[nodiscard]] const ndis::BackendFacts& facts() const noexcept override { return facts_; }
  Result<void> receive(const ndis::Reception& wanted) noexcept override;
  ndis::SendAnswer send(std::span<const ndis::OutFrame> frames) noexcept override;
  Result<ndis::AdapterStatistics> statistics() noexcept override {
    return read_statistics(*opening_.where, opening_.index);
  }
  [[nodiscard]] ndis::AdapterLosses losses() const noexcept override;
  Result<void> reset() noexcept override { return fail(ErrorKind::kUnsupported, "AF_XDP is not made anew"); }

 private:
  Result<void> make_all();
  Result<void> redirect(const ndis::Reception& wanted);
  void turn();
  std::size_t take_batch();
  void give_back_slots();
  void sleep();
  std::optional<InFrame> read(const xdp_desc& slot);
  std::optional<std::uint32_t> write(const ndis::OutFrame& frame, std::uint64_t slot);
  void reclaim();
  void flush();

  AdapterOpening opening_;
  Steal steal_;
  ndis::BackendFacts facts_;
  std::unique_ptr<Rings> rings_ = std::make_unique<Rings>();
  Descriptor sockets_;  // the map in which the program finds the socket
  Attached attached_;
  std::optional<PacketSocket> device_;  // for memberships, which AF_XDP has not
  std::vector<std::uint64_t> free_;     // slots to send from; of send()
  std::atomic<bool> wants_room_ = false;
  std::atomic<std::uint64_t> oversized_ = 0, malformed_ = 0;
  std::vector<InFrame> batch_;
  std::vector<std::uint64_t> owed_;  // slots to receive into that are to go back to the kernel
  Pace pace_;
  std::size_t taken_ = 0;      // slots, since the last wait
  std::vector<iovec> pieces_;  // of send()
  LoopThread thread_;          // last: the first to end
};

Result<void> XdpAdapter::start() {
  Result<void> made;
  const auto entered = opening_.where->inside([&] { made = make_all(); });
  if (!entered) return entered;
  if (!made) {
    const int error = made.error().system_code;
    if (made.error().kind == ErrorKind::kKernel && (error == EPERM || error == EACCES))
      return tl::unexpected(
          denied_or_kernel(error, made.error().what, "CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF", opening_));
    return made;
  }
  auto device = PacketSocket::open(opening_);
  if (!device) return tl::unexpected(device.error());
  device_.emplace(std::move(*device));
  facts_.name = "xdp";
  facts_.receive_ring_frames = facts_.transmit_ring_frames = kSlots;
  facts_.receive_ring_bytes = facts_.transmit_ring_bytes = kSlots * kSlot;
  if (steal_ != Steal::kEverything) facts_.refused_filter = type::kPromiscuous | type::kAllLocal;
  batch_.reserve(kBatch);
  owed_.reserve(kSlots);
  return thread_.start("turnpike-frames", [this] { turn(); });
}

Result<void> XdpAdapter::make_all() {
  if (const auto made = make(*rings_, opening_.name); !made) return made;
  sockets_.reset(bpf_map_create(BPF_MAP_TYPE_XSKMAP, "turnpike", 4, 4, 1, nullptr));
  if (!sockets_.is_open()) return fail_errno(errno, "the kernel makes no map for AF_XDP");
  std::uint32_t first = 0;
  if (xsk_ring_prod__reserve(&rings_->fill, kSlots, &first) != kSlots)
    return fail(ErrorKind::kInternal, "a new ring of AF_XDP is not empty");
  for (std::uint32_t at = 0; at < kSlots; ++at)
    *xsk_ring_prod__fill_addr(&rings_->fill, first + at) = std::uint64_t{at} * kSlot;
  xsk_ring_prod__submit(&rings_->fill, kSlots);
  for (std::uint32_t at = 0; at < kSlots; ++at) free_.push_back(std::uint64_t{kSlots + at} * kSlot);
  const int answer = xsk_socket__update_xskmap(rings_->in, sockets_.number());
  return answer == 0 ? Result<void>{} : Result<void>(fail_errno(-answer, "the map takes no AF_XDP socket"));
}

XdpAdapter::~XdpAdapter() {
  attached_.detach();
  thread_.stop();
  auto rest = std::shared_ptr<Rings>(std::move(rings_));  // allow shared-owner: std::function copies
  opening_.closer->later([rest = std::move(rest)]() mutable { rest.reset(); });
}

Result<void> XdpAdapter::receive(const ndis::Reception& wanted) noexcept {
  if ((wanted.filter & facts_.refused_filter) != 0 || wanted.local_sends)
    return fail(ErrorKind::kUnsupported, "AF_XDP shows no frames of the host");
  const bool wants = wanted.everything || (wanted.filter & ~type::kNoLocal) != 0;
  if (!wants) {
    attached_.detach();
    return device_->want_of_device(wanted);
  }
  if (steal_ != Steal::kEverything && wanted.frame_types.empty())
    return fail(ErrorKind::kUnsupported, "AF_XDP would take every frame from the host: name the types of frames");
  try {
    if (const auto asked = device_->want_of_device(wanted); !asked) return asked;
    return redirect(wanted);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for an XDP program");
  }
}

Result<void> XdpAdapter::redirect(const ndis::Reception& wanted) {
  const auto instructions = xdp_program(wanted, sockets_.number());
  const Descriptor program(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "turnpike", "GPL", instructions.data(), instructions.size(), nullptr));
  if (!program.is_open()) return fail_errno(errno, "the kernel takes no XDP program");
  Result<void> done;
  const auto entered = opening_.where->inside([&] { done = attached_.replace(program); });
  return entered ? done : entered;
}

std::optional<InFrame> XdpAdapter::read(const xdp_desc& slot) {
  std::span<std::byte> bytes(rings_->memory.at(slot.addr), slot.len);
  if (bytes.size() < opening_.header) {
    ++malformed_;
    return std::nullopt;
  }
  InFrame frame;
  frame.vlan = take_tag(bytes);
  if (bytes.size() > opening_.limit()) {
    ++oversized_;
    return std::nullopt;
  }
  frame.direction = direction_of(bytes);
  frame.bytes = bytes;
  return frame;
}

void XdpAdapter::turn() {
  const std::size_t took = take_batch();
  taken_ += took;
  if (took != 0) return;
  const bool naps = pace_.naps(std::exchange(taken_, 0));
  if (naps && !wants_room_.load(std::memory_order_acquire)) return thread_.nap(Pace::kNap);
  sleep();
}

// Hands over what the ring holds; gives the number of slots.
std::size_t XdpAdapter::take_batch() {
  std::uint32_t first = 0;
  const std::uint32_t got = xsk_ring_cons__peek(&rings_->receive, kBatch, &first);
  if (got == 0) return 0;
  batch_.clear();
  for (std::uint32_t at = 0; at < got; ++at) {
    if (const auto frame = read(*xsk_ring_cons__rx_desc(&rings_->receive, first + at))) batch_.push_back(*frame);
  }
  if (!batch_.empty()) opening_.sink.received(stamped(batch_));
  for (std::uint32_t at = 0; at < got; ++at)
    owed_.push_back(xsk_ring_cons__rx_desc(&rings_->receive, first + at)->addr & ~std::uint64_t{kSlot - 1});
  xsk_ring_cons__release(&rings_->receive, got);
  give_back_slots();
  return got;
}

// The kernel shows a frame a moment before it makes room in the ring that its slot came from. What finds no room goes
// with the next: of a batch of the kernel's at most, so it is never left without slots.
void XdpAdapter::give_back_slots() {
  const auto most = static_cast<std::uint32_t>(owed_.size());
  const std::uint32_t back = std::min(most, xsk_prod_nb_free(&rings_->fill, most));
  std::uint32_t first = 0;
  xsk_ring_prod__reserve(&rings_->fill, back, &first);
  for (std::uint32_t at = 0; at < back; ++at) {
    *xsk_ring_prod__fill_addr(&rings_->fill, first + at) = owed_.back();
    owed_.pop_back();
  }
  xsk_ring_prod__submit(&rings_->fill, back);
}

void XdpAdapter::sleep() {
  const bool room = wants_room_.load(std::memory_order_acquire);
  std::array<pollfd, 2> wait{pollfd{xsk_socket__fd(rings_->in), POLLIN, 0}, pollfd{thread_.waker(), POLLIN, 0}};
  if (::poll(wait.data(), wait.size(), room ? 1 : -1) < 0) return;
  if ((wait[1].revents & POLLIN) != 0) thread_.woken();
  // The kernel has no word for "a slot was sent": whoever waits for one asks again.
  if (room && wants_room_.exchange(false)) opening_.sink.room();
}

void XdpAdapter::reclaim() {
  std::uint32_t first = 0;
  const std::uint32_t done = xsk_ring_cons__peek(&rings_->completion, kSlots, &first);
  for (std::uint32_t at = 0; at < done; ++at)
    free_.push_back(*xsk_ring_cons__comp_addr(&rings_->completion, first + at));
  xsk_ring_cons__release(&rings_->completion, done);
}

// Has the kernel send what is in the ring; it stops after a few (EAGAIN) and wants to be asked again.
void XdpAdapter::flush() {
  for (std::uint32_t tries = 0; tries < kSlots; ++tries) {
    const bool sent = ::sendto(xsk_socket__fd(rings_->out), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0;
    if (!sent && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) return;
    if (xsk_prod_nb_free(&rings_->transmit, kSlots) == kSlots) return;
  }
}

// Gathers a frame into a slot; gives its length, or nothing where it cannot be sent.
std::optional<std::uint32_t> XdpAdapter::write(const ndis::OutFrame& frame, std::uint64_t slot) {
  std::array<std::byte, 4> tag{};
  pieces_.clear();
  if (!lay_out(frame, opening_.header, tag, pieces_)) return std::nullopt;
  std::size_t size = 0;
  for (const iovec& piece : pieces_) {
    if (size + piece.iov_len > std::min<std::size_t>(kSlot, opening_.limit() + tag.size())) return std::nullopt;
    std::memcpy(rings_->memory.at(slot) + size, piece.iov_base, piece.iov_len);
    size += piece.iov_len;
  }
  return static_cast<std::uint32_t>(size);
}

ndis::SendAnswer XdpAdapter::send(std::span<const ndis::OutFrame> frames) noexcept {
  reclaim();  // each time: what was sent last is sent from first, and is in the cache still
  const auto most = static_cast<std::uint32_t>(std::min(frames.size(), free_.size()));
  std::uint32_t first = 0;
  xsk_ring_prod__reserve(&rings_->transmit, most, &first);  // the ring has a place for each slot
  ndis::SendAnswer answer;
  std::uint32_t taken = 0;
  try {
    for (; taken < most; ++taken) {
      const auto size = write(frames[taken], free_.back());
      if (!size) {
        answer.error = Error{ErrorKind::kKernel, EMSGSIZE, "a frame is not one that can be sent"};
        break;
      }
      *xsk_ring_prod__tx_desc(&rings_->transmit, first + taken) = xdp_desc{free_.back(), *size, 0};
      free_.pop_back();
    }
    if (taken == most && most < frames.size())
      answer.error = Error{ErrorKind::kBusy, 0, "the interface takes no more frames now"};
  } catch (const std::bad_alloc&) {
    answer.error = Error{ErrorKind::kExhausted, 0, "no memory to send a frame"};
  }
  rings_->transmit.cached_prod -= most - taken;  // what libxdp has a function for where one reads, but not here
  xsk_ring_prod__submit(&rings_->transmit, taken);
  answer.taken = taken;
  if (answer.taken != 0) flush();
  if (answer.error && answer.error->kind == ErrorKind::kBusy) {
    wants_room_.store(true, std::memory_order_release);
    thread_.wake();
  }
  return answer;
}

ndis::AdapterLosses XdpAdapter::losses() const noexcept {
  ndis::AdapterLosses lost;
  xdp_statistics counted{};
  socklen_t size = sizeof counted;
  if (::getsockopt(xsk_socket__fd(rings_->in), SOL_XDP, XDP_STATISTICS, &counted, &size) == 0)
    lost.ring_full = counted.rx_dropped + counted.rx_ring_full;
  lost.oversized = oversized_;
  lost.malformed = malformed_;
  return lost;
}

}  // namespace

bool has_xdp() noexcept { return true; }

Result<std::unique_ptr<ndis::Adapter>> open_xdp_adapter(const AdapterOpening& opening, Steal steal) {
  if (opening.header == 0) return fail(ErrorKind::kUnsupported, "AF_XDP is for Ethernet");
  auto made = std::make_unique<XdpAdapter>(opening, steal);
  if (const auto started = made->start(); !started) return tl::unexpected(started.error());
  return made;
}

}  // namespace turnpike::kernel
