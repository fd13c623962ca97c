// The real multicast port: a routing socket, and which virtual interface is which.
//
// `mutex_` guards the table of virtual interfaces, and is not held while the kernel is asked to write an entry: that
// is the hot path, and the kernel has a lock of its own. So a device may go between the look-up of its number and the
// entry that names it; then the entry names a number that nobody has, which is what the kernel makes of older entries
// in the same case.
#include "kernel/multicast_port.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/log.h"
#include "kernel/multicast_holder.h"
#include "kernel/multicast_socket.h"

namespace turnpike::kernel {
namespace {

constexpr std::uint32_t kTables = 1'000'000'000;  // the kernel makes a device's name of the number
constexpr std::size_t kBatch = 64;                // upcalls that are read at once
constexpr std::size_t kUpcallSize = 256;  // the longest IP header has 60 bytes; of whole packets the front is enough

class RealMulticastPort final : public MulticastPort {
 public:
  explicit RealMulticastPort(MulticastSocket socket) : socket_(std::move(socket)) { prepare_to_read(); }

  // mgm::Forwarder
  [[nodiscard]] mgm::Vif vif_limit() const noexcept override { return kMostVifs; }
  Result<void> add_vif(mgm::Vif vif, net::InterfaceIndex device) noexcept override;
  Result<void> remove_vif(mgm::Vif vif) noexcept override;
  Result<void> put(const mgm::ForwarderEntry& entry) noexcept override;
  Result<void> remove(const mgm::Flow& flow) noexcept override { return socket_.remove(flow); }
  Result<mgm::FlowCounters> counters(const mgm::Flow& flow) noexcept override { return socket_.counters(flow); }

  // MulticastPort
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  Result<std::size_t> read(UpcallListener& listener, std::size_t most) override;
  void device_gone(net::InterfaceIndex device) override;
  Result<void> device_there(net::InterfaceIndex device) override;
  [[nodiscard]] std::vector<net::InterfaceIndex> devices() const override;
  Result<VifCounters> device_counters(net::InterfaceIndex device) override;
  [[nodiscard]] MulticastStatus status() const override;
  void stop() override { socket_.give_back(); }

 private:
  // A virtual interface of the kernel's, by its number there.
  struct Vif {
    net::InterfaceIndex device;         // none: the number is free
    mgm::Vif of_manager = mgm::kNoVif;  // its number for the manager
    bool is_made = false;               // else its device has gone
  };
  using Place = std::array<Vif, kMostVifs>::iterator;

  Place find(net::InterfaceIndex device) {
    return std::find_if(vifs_.begin(), vifs_.end(), [&](const Vif& each) { return each.device == device; });
  }
  [[nodiscard]] mgm::Vif number_of(Place place) const { return static_cast<mgm::Vif>(place - vifs_.begin()); }
  [[nodiscard]] mgm::Vif kernels(mgm::Vif of_manager) const {
    return of_manager < kMostVifs ? kernels_[of_manager] : mgm::kNoVif;
  }

  void prepare_to_read();
  void hand_over(UpcallListener& listener, std::size_t index);
  void note_losses(const msghdr& header);

  MulticastSocket socket_;

  mutable std::mutex mutex_;
  std::array<Vif, kMostVifs> vifs_{};
  std::array<mgm::Vif, kMostVifs> kernels_ = [] {
    std::array<mgm::Vif, kMostVifs> none{};
    none.fill(mgm::kNoVif);
    return none;
  }();
  MulticastStatus counts_;

  // The reader's.
  struct Slot {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    std::array<std::byte, kUpcallSize> bytes{};
    iovec part{};
  };
  std::array<Slot, kBatch> slots_{};
  std::array<mmsghdr, kBatch> messages_{};
  std::uint32_t losses_seen_ = 0;
};

// --- virtual interfaces ----------------------------------------------------------------------------------------------

Result<void> RealMulticastPort::add_vif(mgm::Vif vif, net::InterfaceIndex device) noexcept {
  const std::lock_guard lock(mutex_);
  if (vif >= kMostVifs || device.is_none()) return fail_errno(ENFILE, "no such virtual interface");
  if (kernels_[vif] != mgm::kNoVif) return fail_errno(EADDRINUSE, "the virtual interface is in use");
  if (find(device) != vifs_.end()) return fail_errno(EADDRINUSE, "the device has a virtual interface");
  // The manager's number where it is free; else, in a table that was taken over, another one.
  auto place = vifs_.begin() + vif;
  if (!place->device.is_none()) place = find(net::InterfaceIndex());
  if (place == vifs_.end()) return fail_errno(ENFILE, "the kernel has no virtual interface left");
  const mgm::Vif number = number_of(place);
  if (auto added = socket_.add_vif(number, device); !added) return added;
  *place = {device, vif, true};
  kernels_[vif] = number;
  return {};
}

Result<void> RealMulticastPort::remove_vif(mgm::Vif vif) noexcept {
  const std::lock_guard lock(mutex_);
  const mgm::Vif number = kernels(vif);
  if (number == mgm::kNoVif) return fail_errno(EADDRNOTAVAIL, "no such virtual interface");
  const bool was_made = vifs_[number].is_made;
  counts_.vifs_lost -= was_made ? 0 : 1;
  vifs_[number] = {};
  kernels_[vif] = mgm::kNoVif;
  const auto removed = was_made ? socket_.remove_vif(number) : Result<void>();
  // Its device has gone, and the news of that are on their way.
  return !removed && removed.error().system_code == EADDRNOTAVAIL ? Result<void>() : removed;
}

void RealMulticastPort::device_gone(net::InterfaceIndex device) {
  const std::lock_guard lock(mutex_);
  const auto place = find(device);
  if (device.is_none() || place == vifs_.end() || !place->is_made) return;
  // What goes may have come back since: then the kernel has the virtual interface no more, or a caller's new one.
  if (socket_.vif_counters(number_of(place))) return;
  place->is_made = false;
  ++counts_.vifs_lost;
  TURNPIKE_LOG(LogLevel::kNotice, "kernel", "a device has gone that multicast was forwarded on",
               {"interface", device.value()});
}

Result<void> RealMulticastPort::device_there(net::InterfaceIndex device) {
  const std::lock_guard lock(mutex_);
  const auto place = find(device);
  if (device.is_none() || place == vifs_.end()) return {};
  const mgm::Vif number = number_of(place);
  if (place->is_made && socket_.vif_counters(number)) return {};
  counts_.vifs_lost += place->is_made ? 1 : 0;
  place->is_made = false;
  if (auto added = socket_.add_vif(number, device); !added) return added;
  place->is_made = true;
  --counts_.vifs_lost;
  return {};
}

std::vector<net::InterfaceIndex> RealMulticastPort::devices() const {
  const std::lock_guard lock(mutex_);
  std::vector<net::InterfaceIndex> result;
  for (const Vif& each : vifs_) {
    if (!each.device.is_none()) result.push_back(each.device);
  }
  return result;
}

Result<VifCounters> RealMulticastPort::device_counters(net::InterfaceIndex device) {
  const std::lock_guard lock(mutex_);
  const auto place = find(device);
  if (device.is_none() || place == vifs_.end()) return fail(ErrorKind::kNotFound, "no virtual interface there");
  return socket_.vif_counters(number_of(place));
}

// --- entries ---------------------------------------------------------------------------------------------------------

Result<void> RealMulticastPort::put(const mgm::ForwarderEntry& entry) noexcept {
  MulticastSocket::Thresholds thresholds{};
  mgm::Vif parent = mgm::kNoVif;
  {
    const std::lock_guard lock(mutex_);
    parent = kernels(entry.parent);
    for (const mgm::OutVif& out : entry.out) {
      if (const mgm::Vif number = kernels(out.vif); number != mgm::kNoVif) {
        thresholds[number] = std::max<std::uint8_t>(out.threshold, 1);
      }
    }
  }
  return socket_.put(entry.flow, parent, thresholds);
}

// --- upcalls ---------------------------------------------------------------------------------------------------------

void RealMulticastPort::prepare_to_read() {
  for (std::size_t i = 0; i < kBatch; ++i) {
    slots_[i].part = {slots_[i].bytes.data(), slots_[i].bytes.size()};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_iov = &slots_[i].part;
    header.msg_iovlen = 1;
    header.msg_control = slots_[i].control.data();
  }
}

Result<std::size_t> RealMulticastPort::read(UpcallListener& listener, std::size_t most) {
  const std::size_t room = std::min(most, kBatch);
  for (std::size_t i = 0; i < room; ++i) messages_[i].msg_hdr.msg_controllen = slots_[i].control.size();
  const int got = ::recvmmsg(socket_.number(), messages_.data(), static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::size_t{0};
  if (got < 0) return fail_errno(errno, "the multicast routing socket cannot be read");
  const auto count = static_cast<std::size_t>(got);
  for (std::size_t i = 0; i < count; ++i) {
    note_losses(messages_[i].msg_hdr);
    hand_over(listener, i);
  }
  return count;
}

void RealMulticastPort::hand_over(UpcallListener& listener, std::size_t index) {
  const std::size_t size = std::min<std::size_t>(messages_[index].msg_len, kUpcallSize);
  auto upcall = decode_upcall(socket_.family(), std::span(slots_[index].bytes).first(size));
  {
    const std::lock_guard lock(mutex_);
    ++counts_.upcalls;
    if (upcall) upcall->vif = upcall->vif < kMostVifs ? vifs_[upcall->vif].of_manager : mgm::kNoVif;
    if (!upcall || upcall->vif == mgm::kNoVif) {
      ++counts_.upcalls_ignored;
      return;
    }
  }
  listener.on_upcall(*upcall);
}

// The kernel counts what did not fit, and says its count with the next that did.
void RealMulticastPort::note_losses(const msghdr& header) {
  for (const cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
       each = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(each))) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_RXQ_OVFL) continue;
    std::uint32_t count = 0;
    std::memcpy(&count, CMSG_DATA(each), sizeof count);
    const std::uint32_t more = count - std::exchange(losses_seen_, count);
    if (more == 0) continue;
    const std::lock_guard lock(mutex_);
    counts_.upcalls_lost += more;
    TURNPIKE_LOG(LogLevel::kWarning, "kernel", "upcalls were lost: their flows are asked for again in ten seconds",
                 {"lost", more});
  }
}

MulticastStatus RealMulticastPort::status() const {
  const std::lock_guard lock(mutex_);
  MulticastStatus status = counts_;
  status.receive_buffer = socket_.receive_buffer();
  return status;
}

unsigned long inode_of(int descriptor) {
  struct stat found{};
  return ::fstat(descriptor, &found) == 0 ? found.st_ino : 0;
}

// What a refusal to have a socket, or the table, means to who asked for it.
Error judge(const Error& error, const MulticastSocket* socket, std::string& holder) {
  switch (error.system_code) {
    case EADDRINUSE:
      holder = multicast_holders(socket->family(), inode_of(socket->number()));
      return {ErrorKind::kBusy, 0, "another socket has this multicast table"};
    case EPERM:
    case EACCES:
      return {ErrorKind::kDenied, 0, "the kernel lets this process route no multicast"};
    case ENOPROTOOPT:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
      return {ErrorKind::kUnsupported, 0, "this kernel has no multicast routing, or only one table"};
    default:
      return error;
  }
}

}  // namespace

Result<std::unique_ptr<MulticastPort>> open_multicast_port(const MulticastOptions& options, std::string& holder) {
  if (options.table >= kTables) return fail(ErrorKind::kInvalidArgument, "no multicast table has such a number");
  auto socket = MulticastSocket::open(options.family, options.receive_buffer);
  if (!socket) return tl::unexpected(judge(socket.error(), nullptr, holder));
  auto claimed = socket->claim(options.table);
  if (claimed && options.wrong_interface) claimed = socket->tell_wrong_interfaces();
  if (!claimed) return tl::unexpected(judge(claimed.error(), &*socket, holder));
  return std::make_unique<RealMulticastPort>(std::move(*socket));
}

}  // namespace turnpike::kernel
