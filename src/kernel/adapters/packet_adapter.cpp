// The default adapter: a packet socket with a ring. Any interface, beside the host's own stack, which notices nothing.
//
// One socket receives and one sends. The kernel wants a header of its own before each frame of a socket that receives
// such headers, and takes a fortieth longer for it; so frames go out by the second, which is for sending alone. Only
// while the host's own frames are to be heard do they go out by the first: the kernel leaves out who sent a frame, so
// it never hands back what this adapter sent. (The room loops frames where the contract says so.)
//
// Receiving: a thread takes what the ring holds, up to 64 frames, as
// one batch, and sleeps when there is nothing; the kernel wakes it for the first frame. So a frame on an idle link is a
// batch of one, at once; under load it naps instead, and batches grow (pace.h).
//
// Two states. Without a wish the socket is bound to no type: the kernel does not touch it. With one it hears every type
// (ETH_P_ALL), widened by memberships of the device. What is not wanted is thrown away by a filter in the kernel where
// bindings have named types, or where much of what comes is not wanted; else by us, for the filter costs every frame
// what a few unwanted ones cost us. Memberships end with their socket, so a
// process that dies leaves no device promiscuous.
//
// When the device goes down the kernel says ENETDOWN once and unhooks the socket, and hooks it again by itself when the
// device is up. A device that goes for good goes down first, and then lets go of the socket without a word: so after
// ENETDOWN we ask a few times, ever less often, whether the socket still belongs to it. If not, that is broken().
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/frame_sender.h"
#include "kernel/adapters/loop_thread.h"
#include "kernel/adapters/pace.h"
#include "kernel/adapters/packet_ring.h"
#include "kernel/adapters/packet_socket.h"
#include "kernel/adapters/reception_program.h"

namespace turnpike::kernel {
namespace {

using ndis::InFrame;
using net::MacAddress;

constexpr std::size_t kBatch = 64;
constexpr int kLooks = 10;
constexpr int kLookMs = 20;       // until the second, and twice as long until each further one: ten seconds in all
constexpr int kQueueLookMs = 20;  // whether a queue of the device has become empty
constexpr std::size_t kLongest = std::size_t{1} << 17;  // of a super-frame that we cut

ndis::VlanTag tag_of(std::uint32_t status, std::uint16_t tci, std::uint16_t protocol) {
  if ((status & TP_STATUS_VLAN_VALID) == 0) return {};
  return {tci, (status & TP_STATUS_VLAN_TPID_VALID) != 0 ? protocol : std::uint16_t{ETH_P_8021Q}};
}

// Of the host's own frames nobody has verified any, whatever the kernel notes of them: it need not. Those that lack one
// have it computed by us.
bool has_good_checksum(const Offload& offload, ndis::Direction direction) {
  return offload.lacks_checksum() || (offload.is_verified() && direction != ndis::Direction::kOutgoing);
}

// --- the adapter -----------------------------------------------------------------------------------------------------

constexpr int kQueueBytes = 8 << 20;  // for frames that no slot holds

// What a ring wants of its socket before it is laid out.
Result<void> prepare(PacketSocket& socket) {
  for (const auto& [option, value] : {std::pair{PACKET_VERSION, int{TPACKET_V2}}, std::pair{PACKET_VNET_HDR, 1},
                                      std::pair{PACKET_COPY_THRESH, 1}, std::pair{PACKET_IGNORE_OUTGOING, 1}}) {
    if (const auto done = socket.set(option, value); !done) return done;
  }
  // Beyond the system's limit where that is permitted.
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof kQueueBytes) != 0)
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  return {};
}

// What the receiving thread counts; others read.
struct Counted {
  std::atomic<std::uint64_t> oversized = 0, malformed = 0, split = 0, rearmed = 0, ring_full = 0;
};

void add(std::atomic<std::uint64_t>& counter, std::uint64_t count = 1) {
  counter.fetch_add(count, std::memory_order_relaxed);
}

class PacketAdapter final : public ndis::Adapter {
 public:
  explicit PacketAdapter(const AdapterOpening& opening) : opening_(opening) {}
  ~PacketAdapter() override;

  Result<void> start();

  [[nodiscard]] const ndis::BackendFacts& facts() const noexcept override { return facts_; }
  Result<void> receive(const ndis::Reception& wanted) noexcept override;
  ndis::SendAnswer send(std::span<const ndis::OutFrame> frames) noexcept override;
  Result<ndis::AdapterStatistics> statistics() noexcept override {
    return read_statistics(*opening_.where, opening_.index);
  }
  [[nodiscard]] ndis::AdapterLosses losses() const noexcept override;
  Result<void> reset() noexcept override;

 private:
  void send_by(const PacketSocket& socket);
  // By the kernel.
  [[nodiscard]] bool is_sifted(const ndis::Reception& wanted) const {
    return crowded_.load(std::memory_order_relaxed) || !wanted.frame_types.empty();
  }
  void turn();
  std::size_t take_batch();
  void take_super_frame(tpacket2_hdr& slot);
  void sleep();
  bool is_wanted(const tpacket2_hdr& slot, std::span<const std::byte> bytes);
  void after_error();
  void look();
  void cut(std::span<const std::byte> frame, const Offload& offload, InFrame like);
  void deliver(std::span<const InFrame> batch) { opening_.sink.received(batch); }
  std::optional<InFrame> read(tpacket2_hdr& slot);
  static InFrame describe(const tpacket2_hdr& slot);

  AdapterOpening opening_;
  ndis::BackendFacts facts_;
  std::optional<PacketSocket> socket_, out_;
  PacketRing ring_;
  FrameSender sender_{opening_.header, 0}, sender_by_receiver_{opening_.header, sizeof(Offload)};
  std::mutex sending_;          // held while frames are given to the kernel
  std::atomic<int> exit_ = -1;  // the descriptor that they go out by; changes under sending_
  std::atomic<bool> wants_room_ = false;
  bool broken_ = false;  // of the receiving thread, as is:
  int looks_ = 0;        // still to be taken, whether the device has gone
  Pace pace_;
  std::size_t taken_ = 0;  // slots, since the last wait
  mutable Counted counted_;

  std::size_t seen_ = 0, unwanted_ = 0;  // slots that we sifted

  std::mutex asking_;                  // while the kernel is told what is wanted
  std::atomic<bool> crowded_ = false;  // much of what comes is not: the kernel sifts
  std::mutex wish_;                    // of what follows, for a moment
  ndis::Reception wanted_;             // with its lists below
  std::vector<MacAddress> groups_;
  std::vector<std::uint16_t> types_;

  std::vector<InFrame> batch_;
  std::vector<std::byte> whole_;   // a frame that no slot holds
  std::vector<std::byte> pieces_;  // of a super-frame
  LoopThread thread_;              // last: the first to end
};

Result<void> PacketAdapter::start() {
  auto socket = PacketSocket::open(opening_);
  if (!socket) return tl::unexpected(socket.error());
  socket_.emplace(std::move(*socket));
  if (const auto prepared = prepare(*socket_); !prepared) return prepared;
  auto ring = PacketRing::lay_out(socket_->number(), opening_.mtu->load());
  if (!ring) return tl::unexpected(ring.error());
  ring_ = std::move(*ring);
  if (const auto bound = socket_->bind(0); !bound) return bound;
  auto out = PacketSocket::open(opening_);
  if (!out) return tl::unexpected(out.error());
  out_.emplace(std::move(*out));
  if (const auto bound = out_->bind(0); !bound) return bound;
  exit_ = out_->number();
  facts_.name = "packet";
  facts_.receive_ring_frames = PacketRing::kSlots;
  facts_.receive_ring_bytes = static_cast<std::uint32_t>(ring_.size());
  int buffer = 0;
  socklen_t size = sizeof buffer;
  ::getsockopt(out_->number(), SOL_SOCKET, SO_SNDBUF, &buffer, &size);
  facts_.transmit_ring_bytes = static_cast<std::uint32_t>(buffer);
  facts_.transmit_ring_frames = std::max(1U, facts_.transmit_ring_bytes / PacketRing::kLeastSlot);
  if (const auto wanted = socket_->want(wanted_, false); !wanted) return wanted;
  batch_.reserve(kBatch);
  whole_.resize(sizeof(Offload) + kLongest);
  pieces_.resize(kLongest);
  return thread_.start("turnpike-frames", [this] { turn(); });
}

// The sockets and the ring go in the background; nothing reaches them any more.
PacketAdapter::~PacketAdapter() {
  thread_.stop();
  if (!socket_) return;
  socket_->want_nothing();
  struct Rest {
    PacketRing ring;
    Descriptor socket, out;
  };
  auto rest = std::make_shared<Rest>(  // allow shared-owner: std::function copies
      Rest{std::move(ring_), socket_->take(), out_ ? out_->take() : Descriptor()});
  opening_.closer->later([rest = std::move(rest)]() mutable { rest.reset(); });
}

Result<void> PacketAdapter::receive(const ndis::Reception& wanted) noexcept {
  try {
    const std::lock_guard asking(asking_);
    if (wanted.local_sends) send_by(*socket_);
    const auto done = socket_->want(wanted, is_sifted(wanted));
    if (!done) static_cast<void>(socket_->want(wanted_, is_sifted(wanted_)));
    if (!(done ? wanted : wanted_).local_sends) send_by(*out_);
    if (!done) return done;
    std::vector<MacAddress> groups(wanted.groups.begin(), wanted.groups.end());
    std::vector<std::uint16_t> types(wanted.frame_types.begin(), wanted.frame_types.end());
    const std::lock_guard wish(wish_);
    wanted_ = wanted;
    groups_.swap(groups);
    types_.swap(types);
    wanted_.groups = groups_;
    wanted_.frame_types = types_;
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for what is to be received");
  }
}

// From now on. What went out by the other and is still in a queue of the device would be shown as the host's.
void PacketAdapter::send_by(const PacketSocket& socket) {
  const int before = exit_;
  if (before == socket.number()) return;
  {
    const std::lock_guard lock(sending_);
    exit_ = socket.number();
  }
  if (&socket != &*socket_) return;
  int waiting = 1;  // bytes
  for (int looks = 0; looks < kLooks && ::ioctl(before, SIOCOUTQ, &waiting) == 0 && waiting > 0; ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(kQueueLookMs));
}

// The socket and its ring stay: send() may be using them.
Result<void> PacketAdapter::reset() noexcept {
  const std::lock_guard asking(asking_);
  socket_->want_nothing();
  return socket_->want(wanted_, is_sifted(wanted_));
}

ndis::SendAnswer PacketAdapter::send(std::span<const ndis::OutFrame> frames) noexcept {
  const auto answer = [&] {
    const std::lock_guard lock(sending_);
    return exit_ == out_->number() ? sender_.send(exit_, frames) : sender_by_receiver_.send(exit_, frames);
  }();
  if (answer.error && answer.error->kind == ErrorKind::kBusy) {
    wants_room_.store(true, std::memory_order_release);
    thread_.wake();
  }
  return answer;
}

// The kernel forgets what it has told.
ndis::AdapterLosses PacketAdapter::losses() const noexcept {
  tpacket_stats since{};
  socklen_t size = sizeof since;
  if (socket_ && ::getsockopt(socket_->number(), SOL_PACKET, PACKET_STATISTICS, &since, &size) == 0)
    add(counted_.ring_full, since.tp_drops);
  return {counted_.ring_full.load(), counted_.oversized.load(), counted_.malformed.load(), counted_.split.load(),
          counted_.rearmed.load()};
}

// --- receiving -------------------------------------------------------------------------------------------------------

void PacketAdapter::turn() {
  const std::size_t took = broken_ ? 0 : take_batch();
  taken_ += took;
  if (took != 0) return;
  const bool naps = pace_.naps(std::exchange(taken_, 0));
  if (naps && !wants_room_.load(std::memory_order_acquire)) return thread_.nap(Pace::kNap);
  sleep();
}

InFrame PacketAdapter::describe(const tpacket2_hdr& slot) {
  InFrame frame;
  frame.vlan = tag_of(slot.tp_status, slot.tp_vlan_tci, slot.tp_vlan_tpid);
  frame.direction = static_cast<ndis::Direction>(PacketRing::sender(slot).sll_pkttype);
  frame.received = WallTime(std::chrono::seconds(slot.tp_sec) + std::chrono::nanoseconds(slot.tp_nsec));
  return frame;
}

// Under wish_. Where a quarter of what comes is not wanted, the kernel is to sift from now on: the link is one where
// many talk.
bool PacketAdapter::is_wanted(const tpacket2_hdr& slot, std::span<const std::byte> bytes) {
  constexpr std::size_t kSample = 64;
  ++seen_;
  if (takes(wanted_, static_cast<ndis::Direction>(PacketRing::sender(slot).sll_pkttype), bytes)) return true;
  if (++unwanted_ % kSample != 0 || unwanted_ < seen_ / 4 || crowded_) return false;
  // Who asks for something else just now has it told to the kernel, and we meet more.
  if (const std::unique_lock asking(asking_, std::try_to_lock); asking.owns_lock())
    crowded_ = socket_->sift(wanted_, true).has_value();
  return false;
}

// A frame that needs no more than a look, and perhaps its checksum; none if it is to be dropped.
std::optional<InFrame> PacketAdapter::read(tpacket2_hdr& slot) {
  InFrame frame = describe(slot);
  const auto bytes = PacketRing::bytes(slot);
  const Offload offload = PacketRing::offload(slot);
  if (bytes.size() > opening_.limit()) {
    add(counted_.oversized);
    return std::nullopt;
  }
  if (bytes.size() < opening_.header || (offload.lacks_checksum() && !complete_checksum(bytes, offload))) {
    add(counted_.malformed);
    return std::nullopt;
  }
  frame.bytes = bytes;
  frame.checksum_good = has_good_checksum(offload, frame.direction);
  return frame;
}

// Hands over what the ring holds; gives the number of slots.
std::size_t PacketAdapter::take_batch() {
  batch_.clear();
  std::uint32_t slots = 0;
  std::unique_lock wish(wish_);
  for (; slots < kBatch; ++slots) {
    tpacket2_hdr* const slot = ring_.ready(slots);
    if (slot == nullptr) break;
    if (!is_wanted(*slot, PacketRing::bytes(*slot))) {
      // What no slot held waits in the socket's queue, and goes with its slot.
      if ((slot->tp_status & TP_STATUS_COPY) != 0) ::recv(socket_->number(), nullptr, 0, MSG_DONTWAIT | MSG_TRUNC);
      continue;
    }
    if (PacketRing::is_cut_off(*slot) || PacketRing::offload(*slot).is_super_frame()) {
      if (batch_.empty()) {
        wish.unlock();
        take_super_frame(*slot);
        ++slots;
      }
      break;
    }
    if (const auto frame = read(*slot)) batch_.push_back(*frame);
  }
  if (wish.owns_lock()) wish.unlock();
  if (!batch_.empty()) deliver(batch_);
  ring_.release(slots);
  return slots;
}

// One that no slot holds, or that is to be cut.
void PacketAdapter::take_super_frame(tpacket2_hdr& slot) {
  const InFrame like = describe(slot);
  if (!PacketRing::is_cut_off(slot)) return cut(PacketRing::bytes(slot), PacketRing::offload(slot), like);
  if ((slot.tp_status & TP_STATUS_COPY) == 0) return add(counted_.oversized);
  const ssize_t size = ::recv(socket_->number(), whole_.data(), whole_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (size < static_cast<ssize_t>(sizeof(Offload))) return add(counted_.malformed);
  if (static_cast<std::size_t>(size) > whole_.size()) return add(counted_.oversized);
  Offload offload;
  std::memcpy(&offload, whole_.data(), sizeof offload);
  const auto frame = std::span(whole_).first(static_cast<std::size_t>(size)).subspan(sizeof offload);
  if (offload.is_super_frame()) return cut(frame, offload, like);
  if (frame.size() > opening_.limit()) return add(counted_.oversized);
  if (offload.lacks_checksum() && !complete_checksum(frame, offload)) return add(counted_.malformed);
  InFrame one = like;
  one.bytes = frame;
  one.checksum_good = has_good_checksum(offload, one.direction);
  deliver({&one, 1});
}

void PacketAdapter::cut(std::span<const std::byte> frame, const Offload& offload, InFrame like) {
  const auto super_frame = SuperFrame::read(frame, opening_.header, offload);
  if (!super_frame)
    return add(super_frame.error().kind == ErrorKind::kUnsupported ? counted_.oversized : counted_.malformed);
  if (super_frame->longest() > opening_.limit()) return add(counted_.oversized);
  add(counted_.split);
  like.checksum_good = true;
  std::size_t used = 0;
  batch_.clear();
  for (std::size_t index = 0; index < super_frame->pieces(); ++index) {
    if (batch_.size() == kBatch || pieces_.size() - used < super_frame->longest()) {
      deliver(batch_);
      batch_.clear();
      used = 0;
    }
    const std::size_t size = super_frame->write(index, std::span(pieces_).subspan(used));
    batch_.push_back(like);
    batch_.back().bytes = std::span(pieces_).subspan(used, size);
    used += size;
  }
  deliver(batch_);
  batch_.clear();
}

void PacketAdapter::sleep() {
  const bool room = wants_room_.load(std::memory_order_acquire);
  std::array<pollfd, 3> wait{pollfd{broken_ ? -1 : socket_->number(), POLLIN, 0}, pollfd{thread_.waker(), POLLIN, 0},
                             pollfd{room && !broken_ ? exit_.load() : -1, POLLOUT, 0}};
  const int ready = ::poll(wait.data(), wait.size(), looks_ > 0 ? kLookMs << (kLooks - 1 - looks_) : -1);
  if (ready < 0) return;
  if (ready == 0) return look();
  if ((wait[1].revents & POLLIN) != 0) thread_.woken();
  if ((wait[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) after_error();
  if (room && wait[2].revents != 0) {
    wants_room_.store(false, std::memory_order_release);
    opening_.sink.room();
  }
}

void PacketAdapter::after_error() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_->number(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ENETDOWN) {
    add(counted_.rearmed);
    looks_ = kLooks;
  }
  look();
}

void PacketAdapter::look() {
  if (looks_ > 0) --looks_;
  if (broken_ || socket_->is_bound()) return;
  looks_ = 0;
  broken_ = true;
  opening_.sink.broken(Error{ErrorKind::kKernel, ENODEV, "the interface has gone"});
}

}  // namespace

Result<std::unique_ptr<ndis::Adapter>> open_packet_adapter(const AdapterOpening& opening) {
  auto made = std::make_unique<PacketAdapter>(opening);
  if (const auto started = made->start(); !started) return tl::unexpected(started.error());
  return made;
}

}  // namespace turnpike::kernel
