// The adapter of whoever is alone at the far end of a virtual wire: a TUN or TAP interface, whose near end the host
// has. What the host sends out of the interface comes here, and nothing else does; what is sent here arrives at the
// host.
//
// So nothing is shared, and much of what the other adapters are careful about does not arise. There is no copy of the
// host's traffic, no promiscuous mode and no membership to ask a device for: all that is on this wire comes by, and the
// room tests it for each binding. The host is the other station, so its frames are ordinary frames, and there are no
// local sends (A.7) to be shown: nobody else is at this end. The address of this station is not the host's, and the
// counters of the interface are told from this end, where what the host sent was received (tap_device.h).
//
// Receiving costs a call for each frame, there is no ring: up to 64 frames become one batch, and while there is nothing
// the thread sleeps, or naps under load (pace.h). Frames that come while nothing is wanted are read, too, and
// forgotten: a station that listens to nothing loses nothing, and later finds no frames from before.
//
// An interface that is down gives no frames and takes none (EIO, which others call ENETDOWN, and so do we); this end
// needs no arming when it is up again. One that is deleted lets go of us: POLLERR, EBADFD. That is broken().
#include <poll.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/bare_frame.h"
#include "kernel/adapters/frame_sender.h"
#include "kernel/adapters/loop_thread.h"
#include "kernel/adapters/pace.h"
#include "kernel/adapters/reception_program.h"
#include "kernel/adapters/super_frame.h"
#include "kernel/adapters/tap_device.h"

namespace turnpike::kernel {
namespace {

using ndis::InFrame;

constexpr std::size_t kBatch = 64;
constexpr std::size_t kLongest = sizeof(Offload) + 65536 + 64;  // of a read: the largest MTU, a header, tags
constexpr std::size_t kMemory = std::size_t{256} << 10;  // 64 frames of 1500 bytes, and room to read a longest one
constexpr std::size_t kMostPieces = 1024;                // UIO_MAXIOV
constexpr std::array<std::byte, sizeof(Offload)> kNothingLeftToDo{};

class TapAdapter final : public ndis::Adapter {
 public:
  TapAdapter(const AdapterOpening& opening, Descriptor device) : opening_(opening), device_(std::move(device)) {}
  ~TapAdapter() override;

  Result<void> start();

  [[nodiscard]] const ndis::BackendFacts& facts() const noexcept override { return facts_; }
  Result<void> receive(const ndis::Reception& wanted) noexcept override;
  ndis::SendAnswer send(std::span<const ndis::OutFrame> frames) noexcept override;
  Result<ndis::AdapterStatistics> statistics() noexcept override;
  [[nodiscard]] ndis::AdapterLosses losses() const noexcept override;
  // There is no ring to make anew; what waits to be read is forgotten.
  Result<void> reset() noexcept override;

 private:
  void turn();
  std::size_t take_batch();
  std::optional<InFrame> look(std::span<std::byte> read);
  void forget_waiting();
  void sleep();
  void break_off();
  std::optional<Error> write(const ndis::OutFrame& frame);

  AdapterOpening opening_;
  Descriptor device_;
  ndis::BackendFacts facts_;
  std::uint64_t dropped_before_ = 0;  // by the kernel, before this was opened
  std::mutex reading_;                // so that receive() knows what was read before it, and what after
  bool wants_ = false;                // under reading_
  bool broken_ = false;               // of the thread, as is:
  Pace pace_;
  std::size_t taken_ = 0;  // frames, since the last wait
  std::vector<InFrame> batch_;
  std::unique_ptr<std::byte[]> memory_ = std::make_unique_for_overwrite<std::byte[]>(kMemory);
  std::atomic<bool> wants_room_ = false;
  mutable std::atomic<std::uint64_t> dropped_ = 0;  // as last heard
  std::atomic<std::uint64_t> oversized_ = 0, malformed_ = 0, groups_ = 0, broadcasts_ = 0;
  std::vector<iovec> pieces_;  // of send()
  LoopThread thread_;          // last: the first to end
};

Result<void> TapAdapter::start() {
  facts_.name = "tap";
  facts_.receive_ring_frames = facts_.transmit_ring_frames = queue_length_of_tap(opening_);
  facts_.receive_ring_bytes = facts_.transmit_ring_bytes =
      facts_.receive_ring_frames * static_cast<std::uint32_t>(opening_.limit());
  if (const auto before = read_statistics(*opening_.where, opening_.index)) dropped_before_ = before->tx_dropped;
  batch_.reserve(kBatch);
  return thread_.start("turnpike-frames", [this] { turn(); });
}

// To leave the far end takes the kernel a grace period.
TapAdapter::~TapAdapter() {
  thread_.stop();
  auto device = std::make_shared<Descriptor>(std::move(device_));  // allow shared-owner: std::function copies
  opening_.closer->later([device = std::move(device)]() mutable { device.reset(); });
}

Result<void> TapAdapter::receive(const ndis::Reception& wanted) noexcept {
  const std::lock_guard lock(reading_);
  const bool wants = wants_frames(wanted);
  if (wants && !wants_) forget_waiting();
  wants_ = wants;
  return {};
}

Result<void> TapAdapter::reset() noexcept {
  const std::lock_guard lock(reading_);
  forget_waiting();
  return {};
}

// No more than can have been waiting: the host may be sending all the while.
void TapAdapter::forget_waiting() {
  std::array<std::byte, 64> some{};  // of a frame: the rest goes with it
  for (std::uint32_t most = facts_.receive_ring_frames; most > 0; --most) {
    if (::read(device_.number(), some.data(), some.size()) < 0) return;
  }
}

void TapAdapter::turn() {
  const std::size_t took = broken_ ? 0 : take_batch();
  taken_ += took;
  if (took != 0) return;
  const bool naps = pace_.naps(std::exchange(taken_, 0));
  if (naps && !broken_ && !wants_room_.load(std::memory_order_acquire)) return thread_.nap(Pace::kNap);
  sleep();
}

// Hands over what waits; gives the number of frames read.
std::size_t TapAdapter::take_batch() {
  batch_.clear();
  std::size_t took = 0;
  {
    const std::lock_guard lock(reading_);
    for (std::span<std::byte> room(memory_.get(), kMemory); took < kBatch && room.size() >= kLongest; ++took) {
      const ssize_t size = ::read(device_.number(), room.data(), kLongest);
      if (size < 0) break;  // nothing there, or it has gone: then poll says so
      const auto read = room.first(static_cast<std::size_t>(size));
      room = room.subspan(read.size());
      const auto frame = look(read);
      if (frame && wants_) batch_.push_back(*frame);
    }
  }
  if (!batch_.empty()) opening_.sink.received(stamped(batch_));
  return took;
}

// What is before the frame says what the host left to the device, which is nothing (tap_device.cpp), but for frames
// that were on their way when somebody less modest was here.
std::optional<InFrame> TapAdapter::look(std::span<std::byte> read) {
  Offload offload;
  if (read.size() < sizeof offload + opening_.header) {
    ++malformed_;
    return std::nullopt;
  }
  std::memcpy(&offload, read.data(), sizeof offload);
  auto bytes = read.subspan(sizeof offload);
  if (offload.lacks_checksum() && !complete_checksum(bytes, offload)) {
    ++malformed_;
    return std::nullopt;
  }
  InFrame frame;
  if (opening_.header != 0) {
    frame.vlan = take_tag(bytes);
    frame.direction = direction_of(bytes);
    groups_ += frame.direction == ndis::Direction::kMulticast ? 1 : 0;
    broadcasts_ += frame.direction == ndis::Direction::kBroadcast ? 1 : 0;
  }
  if (bytes.size() > opening_.limit() || offload.is_super_frame()) {
    ++oversized_;
    return std::nullopt;
  }
  frame.bytes = bytes;
  frame.checksum_good = offload.is_verified() || offload.lacks_checksum();
  return frame;
}

void TapAdapter::sleep() {
  const bool room = wants_room_.load(std::memory_order_acquire);
  const auto events = static_cast<short>(POLLIN | (room ? POLLOUT : 0));
  std::array<pollfd, 2> wait{pollfd{broken_ ? -1 : device_.number(), events, 0}, pollfd{thread_.waker(), POLLIN, 0}};
  if (::poll(wait.data(), wait.size(), -1) <= 0) return;
  if ((wait[1].revents & POLLIN) != 0) thread_.woken();
  if ((wait[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return break_off();
  if (room && (wait[0].revents & POLLOUT) != 0) {
    wants_room_.store(false, std::memory_order_release);
    opening_.sink.room();
  }
}

void TapAdapter::break_off() {
  broken_ = true;
  opening_.sink.broken(Error{ErrorKind::kKernel, ENODEV, "the interface has gone"});
}

// --- sending ---------------------------------------------------------------------------------------------------------

// The host's stack has it when the call returns. What is longer than the link's frames the kernel would take all the
// same, and the host would wonder.
std::optional<Error> TapAdapter::write(const ndis::OutFrame& frame) {
  std::array<std::byte, 4> tag{};
  pieces_.clear();
  pieces_.push_back({const_cast<std::byte*>(kNothingLeftToDo.data()), kNothingLeftToDo.size()});
  if (!lay_out(frame, opening_.header, tag, pieces_) || pieces_.size() > kMostPieces)
    return Error{ErrorKind::kInvalidArgument, 0, "a frame is not one that can be sent"};
  if (frame.length > opening_.limit())
    return Error{ErrorKind::kKernel, EMSGSIZE, "a frame is longer than the interface's"};
  if (::writev(device_.number(), pieces_.data(), static_cast<int>(pieces_.size())) >= 0) return std::nullopt;
  switch (errno) {
    case EAGAIN:
      return Error{ErrorKind::kBusy, 0, "the interface takes no more frames now"};
    case EIO:
      return Error{ErrorKind::kKernel, ENETDOWN, "the interface is down"};
    case EBADFD:
      return Error{ErrorKind::kKernel, ENODEV, "the interface has gone"};
    default:
      return Error{ErrorKind::kKernel, errno, "the interface refused a frame"};
  }
}

ndis::SendAnswer TapAdapter::send(std::span<const ndis::OutFrame> frames) noexcept {
  ndis::SendAnswer answer;
  try {
    for (const ndis::OutFrame& frame : frames) {
      answer.error = write(frame);
      if (answer.error) break;
      ++answer.taken;
    }
  } catch (const std::bad_alloc&) {
    answer.error = Error{ErrorKind::kExhausted, 0, "no memory to send a frame"};
  }
  if (answer.error && answer.error->kind == ErrorKind::kBusy) {
    wants_room_.store(true, std::memory_order_release);
    thread_.wake();
  }
  return answer;
}

// --- counters --------------------------------------------------------------------------------------------------------

// Those of the interface from this end. The kernel does not tell groups apart, so we count them.
Result<ndis::AdapterStatistics> TapAdapter::statistics() noexcept {
  return read_statistics(*opening_.where, opening_.index).map([this](const ndis::AdapterStatistics& host) {
    ndis::AdapterStatistics ours;
    ours.tx_packets = host.rx_packets;
    ours.tx_bytes = host.rx_bytes;
    ours.tx_errors = host.rx_errors;
    ours.tx_dropped = host.rx_dropped;
    ours.rx_packets = host.tx_packets;
    ours.rx_bytes = host.tx_bytes;
    ours.rx_errors = host.tx_errors;
    ours.rx_dropped = host.tx_dropped;
    ours.multicast = groups_;
    ours.rx_multicast_frames = groups_;
    ours.rx_broadcast_frames = broadcasts_;
    return ours;
  });
}

// What the kernel dropped because nobody read it in time.
ndis::AdapterLosses TapAdapter::losses() const noexcept {
  if (const auto now = read_statistics(*opening_.where, opening_.index)) dropped_ = now->tx_dropped - dropped_before_;
  ndis::AdapterLosses lost;
  lost.ring_full = dropped_;
  lost.oversized = oversized_;
  lost.malformed = malformed_;
  return lost;
}

}  // namespace

Result<std::unique_ptr<ndis::Adapter>> open_tap_adapter(const AdapterOpening& opening, Descriptor own) {
  if (!own.is_open()) {
    auto device = attach_tap(opening);
    if (!device && device.error().kind == ErrorKind::kBusy) {
      opening.closer->drain();  // perhaps it is an adapter of ours that has not quite left
      device = attach_tap(opening);
    }
    if (!device) return tl::unexpected(device.error());
    own = std::move(*device);
  }
  auto made = std::make_unique<TapAdapter>(opening, std::move(own));
  if (const auto started = made->start(); !started) return tl::unexpected(started.error());
  return made;
}

}  // namespace turnpike::kernel
