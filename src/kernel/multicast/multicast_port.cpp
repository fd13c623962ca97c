// The real multicast port: a routing socket, and which virtual interface is which.
//
// `mutex_` guards the table of virtual interfaces, and is not held while the kernel is asked to write an entry: that
// is the hot path, and the kernel has a lock of its own. So a device may go between the look-up of its number and the
// entry that names it; then the entry names a number that nobody has, which is what the kernel makes of older entries
// in the same case.
#include "kernel/multicast/multicast_port.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "kernel/multicast/keeper_link.h"
#include "kernel/multicast/multicast_dump.h"
#include "kernel/multicast/multicast_holder.h"
#include "kernel/multicast/multicast_socket.h"

namespace turnpike::kernel {
namespace {

constexpr std::uint32_t kTables = 1'000'000'000;  // the kernel makes a device's name of the number
constexpr std::size_t kBatch = 64;                // upcalls that are read at once
constexpr std::size_t kUpcallSize = 256;  // the longest IP header has 60 bytes; of whole packets the front is enough

class RealMulticastPort final : public MulticastPort {
 public:
  RealMulticastPort(MulticastSocket socket, const MulticastOptions& options)
      : socket_(std::move(socket)), options_(options) {
    prepare_to_read();
  }

  // Before the port is used: it is kept by that keeper from now on; it begins with what an earlier life has left.
  void be_kept(KeeperLink link);
  Result<void> take_over(std::span<const std::byte> left, const NetNamespace& where);

  // mgm::Forwarder
  [[nodiscard]] mgm::Vif vif_limit() const noexcept override { return kMostVifs; }
  Result<void> add_vif(mgm::Vif vif, net::InterfaceIndex device) noexcept override;
  Result<void> remove_vif(mgm::Vif vif) noexcept override;
  Result<void> put(const mgm::ForwarderEntry& entry) noexcept override;
  Result<void> remove(const mgm::Flow& flow) noexcept override;
  Result<mgm::FlowCounters> counters(const mgm::Flow& flow) noexcept override { return socket_.counters(flow); }

  // MulticastPort
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  Result<std::size_t> read(UpcallListener& listener, std::size_t most) override;
  void device_gone(net::InterfaceIndex device) override;
  Result<void> device_there(net::InterfaceIndex device) override;
  [[nodiscard]] std::vector<net::InterfaceIndex> devices() const override;
  Result<VifCounters> device_counters(net::InterfaceIndex device) override;
  [[nodiscard]] MulticastStatus status() const override;
  [[nodiscard]] std::vector<Unclaimed> unclaimed() const override;
  void sweep() override;
  void seek_keeper() override;
  void stop() override;

 private:
  // A virtual interface of the kernel's, by its number there.
  struct Vif {
    net::InterfaceIndex device;         // none: the number is free
    mgm::Vif of_manager = mgm::kNoVif;  // its number for the manager; none: of an earlier life, and not claimed
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

  using Note = std::array<std::uint32_t, kMostVifs>;
  [[nodiscard]] Note note() const;
  void claim(const mgm::Flow& flow);
  void write_note();
  void lose_keeper(const Error& error);
  void prepare_to_read();
  std::size_t understand(std::size_t count);
  void note_losses(const msghdr& header);

  MulticastSocket socket_;
  const MulticastOptions options_;

  mutable std::mutex mutex_;
  std::array<Vif, kMostVifs> vifs_{};
  std::array<mgm::Vif, kMostVifs> kernels_ = [] {
    std::array<mgm::Vif, kMostVifs> none{};
    none.fill(mgm::kNoVif);
    return none;
  }();
  MulticastStatus counts_;
  std::map<mgm::Flow, net::InterfaceIndex> unclaimed_;  // with the device where they come in
  std::optional<KeeperLink> keeper_;

  // The reader's.
  struct Slot {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    std::array<std::byte, kUpcallSize> bytes{};
    iovec part{};
  };
  std::array<Slot, kBatch> slots_{};
  std::array<mmsghdr, kBatch> messages_{};
  std::array<Upcall, kBatch> upcalls_{};
  std::uint32_t losses_seen_ = 0;
};

// --- virtual interfaces ----------------------------------------------------------------------------------------------

Result<void> RealMulticastPort::add_vif(mgm::Vif vif, net::InterfaceIndex device) noexcept {
  const std::lock_guard lock(mutex_);
  if (vif >= kMostVifs || device.is_none()) return fail_errno(ENFILE, "no such virtual interface");
  if (kernels_[vif] != mgm::kNoVif) return fail_errno(EADDRINUSE, "the virtual interface is in use");
  if (const auto known = find(device); known != vifs_.end()) {
    if (known->of_manager != mgm::kNoVif) return fail_errno(EADDRINUSE, "the device has a virtual interface");
    known->of_manager = vif;  // it stands from an earlier life
    kernels_[vif] = number_of(known);
    return {};
  }
  // The manager's number where it is free; else, in a table that was taken over, another one.
  auto place = vifs_.begin() + vif;
  if (!place->device.is_none()) place = find(net::InterfaceIndex());
  if (place == vifs_.end()) return fail_errno(ENFILE, "the kernel has no virtual interface left");
  const mgm::Vif number = number_of(place);
  *place = {device, vif, true};
  write_note();  // first: a number that is noted and not there does no harm
  if (auto added = socket_.add_vif(number, device); !added) {
    *place = {};
    return added;
  }
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
  write_note();
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
    claim(entry.flow);
  }
  return socket_.put(entry.flow, parent, thresholds);
}

Result<void> RealMulticastPort::remove(const mgm::Flow& flow) noexcept {
  {
    const std::lock_guard lock(mutex_);
    claim(flow);
  }
  return socket_.remove(flow);
}

void RealMulticastPort::claim(const mgm::Flow& flow) {
  if (!unclaimed_.empty()) unclaimed_.erase(flow);
}

// --- earlier and later lives -----------------------------------------------------------------------------------------
//
// What the kernel does not tell of a table is which number belongs to which device (of IPv6 not at all). So that is the
// note that the keeper gives back with the socket: the device of each number, 0 where there is none.

std::string keeper_name(const MulticastOptions& options) {
  return std::string(options.family == net::Family::kIpv4 ? "mroute4/" : "mroute6/") + std::to_string(options.table);
}

RealMulticastPort::Note RealMulticastPort::note() const {
  Note note{};
  std::transform(vifs_.begin(), vifs_.end(), note.begin(), [](const Vif& each) { return each.device.value(); });
  return note;
}

void RealMulticastPort::be_kept(KeeperLink link) {
  const std::lock_guard lock(mutex_);
  keeper_ = std::move(link);
  const Note devices = note();
  const auto held = keeper_->hold(socket_.number(), std::as_bytes(std::span(devices)));
  if (!held) lose_keeper(held.error());
}

void RealMulticastPort::write_note() {
  if (!keeper_) return;
  const Note devices = note();
  const auto written = keeper_->note(std::as_bytes(std::span(devices)));
  if (!written) lose_keeper(written.error());
}

void RealMulticastPort::lose_keeper(const Error& error) {
  keeper_.reset();
  TURNPIKE_LOG(LogLevel::kWarning, "kernel", "no turnpike-keeper: multicast forwarding ends with this process",
               {"what", error.what}, {"errno", error.system_code});
}

void RealMulticastPort::seek_keeper() {
  {
    const std::lock_guard lock(mutex_);
    if (!options_.keep || (keeper_ && !keeper_->has_gone())) return;
    if (keeper_) lose_keeper({ErrorKind::kKernel, EPIPE, "turnpike-keeper has gone"});
  }
  KeeperLink::Kept nothing;
  int user = 0;
  if (auto link = KeeperLink::open(keeper_name(options_), nothing, user)) be_kept(std::move(*link));
}

Result<void> RealMulticastPort::take_over(std::span<const std::byte> left, const NetNamespace& where) {
  const std::lock_guard lock(mutex_);
  Note devices{};
  std::memcpy(devices.data(), left.data(), std::min(left.size(), sizeof devices));
  for (mgm::Vif number = 0; number < kMostVifs; ++number) {
    if (!socket_.vif_counters(number)) continue;  // noted before it was made, or its device has gone
    vifs_[number] = {net::InterfaceIndex(devices[number]), mgm::kNoVif, true};
    if (devices[number] == 0) (void)socket_.remove_vif(number);
  }
  auto read = dump_multicast(where, options_.family, options_.table,
                             [&](const StandingEntry& each) { unclaimed_.emplace(each.flow, each.parent); });
  counts_.taken_over = unclaimed_.size();
  return read;
}

std::vector<MulticastPort::Unclaimed> RealMulticastPort::unclaimed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Unclaimed> result;
  result.reserve(unclaimed_.size());
  for (const auto& [flow, device] : unclaimed_) {
    const auto place = std::find_if(vifs_.begin(), vifs_.end(), [&](const Vif& each) { return each.device == device; });
    const bool is_held = place != vifs_.end() && !device.is_none();
    result.push_back({flow, is_held ? place->of_manager : mgm::kNoVif});
  }
  return result;
}

// Entries first: none shall name a number that the next device gets.
void RealMulticastPort::sweep() {
  const std::lock_guard lock(mutex_);
  for (const auto& [flow, device] : unclaimed_) (void)socket_.remove(flow);
  unclaimed_.clear();
  for (Vif& each : vifs_) {
    if (each.device.is_none() || each.of_manager != mgm::kNoVif) continue;
    (void)socket_.remove_vif(static_cast<mgm::Vif>(&each - vifs_.data()));
    each = {};
  }
  write_note();
}

void RealMulticastPort::stop() {
  const std::lock_guard lock(mutex_);
  socket_.give_back();
  if (keeper_) (void)keeper_->drop();
  keeper_.reset();
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
  const std::size_t told = understand(count);
  for (std::size_t i = 0; i < told; ++i) listener.on_upcall(upcalls_[i]);
  return count;
}

// Fills upcalls_ with those of the messages that mean something, under the lock once for all of them, and says how
// many.
std::size_t RealMulticastPort::understand(std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::size_t told = 0;
  for (std::size_t i = 0; i < count; ++i) {
    note_losses(messages_[i].msg_hdr);
    const std::size_t size = std::min<std::size_t>(messages_[i].msg_len, kUpcallSize);
    auto upcall = decode_upcall(socket_.family(), std::span(slots_[i].bytes).first(size));
    if (upcall) upcall->vif = upcall->vif < kMostVifs ? vifs_[upcall->vif].of_manager : mgm::kNoVif;
    if (upcall && upcall->vif != mgm::kNoVif) upcalls_[told++] = *upcall;
  }
  counts_.upcalls += count;
  counts_.upcalls_ignored += count - told;
  return told;
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
    counts_.upcalls_lost += more;
    TURNPIKE_LOG(LogLevel::kWarning, "kernel", "upcalls were lost: their flows are asked for again in ten seconds",
                 {"lost", more});
  }
}

MulticastStatus RealMulticastPort::status() const {
  const std::lock_guard lock(mutex_);
  MulticastStatus status = counts_;
  status.receive_buffer = socket_.receive_buffer();
  status.kept = keeper_.has_value();
  status.unclaimed = unclaimed_.size();
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

Result<std::unique_ptr<RealMulticastPort>> open_new(const MulticastOptions& options, std::string& holder) {
  auto socket = MulticastSocket::open(options.family, options.receive_buffer);
  if (!socket) return tl::unexpected(judge(socket.error(), nullptr, holder));
  auto claimed = socket->claim(options.table);
  if (claimed && options.wrong_interface) claimed = socket->tell_wrong_interfaces(true);
  if (!claimed) return tl::unexpected(judge(claimed.error(), &*socket, holder));
  return std::make_unique<RealMulticastPort>(std::move(*socket), options);
}

Result<std::unique_ptr<RealMulticastPort>> open_kept(const MulticastOptions& options, KeeperLink::Kept kept) {
  auto here = NetNamespace::current();
  if (!here) return tl::unexpected(here.error());
  auto socket = MulticastSocket::adopt(options.family, std::move(kept.descriptor), options.receive_buffer);
  if (!socket) return tl::unexpected(socket.error());
  if (const auto told = socket->tell_wrong_interfaces(options.wrong_interface); !told) {
    return tl::unexpected(told.error());
  }
  auto port = std::make_unique<RealMulticastPort>(std::move(*socket), options);
  if (const auto taken = port->take_over(kept.note, *here); !taken) return tl::unexpected(taken.error());
  return port;
}

}  // namespace

Result<std::unique_ptr<MulticastPort>> open_multicast_port(const MulticastOptions& options, std::string& holder) {
  if (options.table >= kTables) return fail(ErrorKind::kInvalidArgument, "no multicast table has such a number");
  KeeperLink::Kept kept;
  int user = 0;
  Result<KeeperLink> link = fail(ErrorKind::kNotFound, "not to be kept");
  if (options.keep) link = KeeperLink::open(keeper_name(options), kept, user);
  if (!link && link.error().kind == ErrorKind::kBusy) {
    holder = process_named(std::to_string(user));
    return tl::unexpected(link.error());
  }
  auto port = kept.descriptor.is_open() ? open_kept(options, std::move(kept)) : open_new(options, holder);
  if (!port) return tl::unexpected(port.error());
  if (link) {
    (*port)->be_kept(std::move(*link));
  } else if (options.keep) {
    TURNPIKE_LOG(LogLevel::kWarning, "kernel", "no turnpike-keeper: multicast forwarding ends with this process",
                 {"what", link.error().what});
  }
  return port;
}

}  // namespace turnpike::kernel
