#include "ground/frames.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace turnpike::ground {
namespace {

constexpr std::size_t kLargestFrame = 65536 + 64;
constexpr std::uint16_t kVlanType = 0x8100;

void append16(Bytes& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void append32(Bytes& bytes, std::uint32_t value) {
  append16(bytes, static_cast<std::uint16_t>(value >> 16));
  append16(bytes, static_cast<std::uint16_t>(value & 0xffff));
}

// The kernel strips a VLAN tag before packet sockets see the frame and tells it beside the frame.
void put_tag_back(Bytes& bytes, const tpacket_auxdata& told) {
  if ((told.tp_status & TP_STATUS_VLAN_VALID) == 0 || bytes.size() < 12) return;
  const bool typed = (told.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
  Bytes tag;
  append16(tag, typed ? told.tp_vlan_tpid : kVlanType);
  append16(tag, told.tp_vlan_tci);
  bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
}

void read_control(msghdr& message, Frame& frame) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == SOL_PACKET && part->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata told{};
      std::memcpy(&told, CMSG_DATA(part), sizeof told);
      put_tag_back(frame.bytes, told);
    } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
      timespec at{};
      std::memcpy(&at, CMSG_DATA(part), sizeof at);
      frame.time = std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
    }
  }
}

}  // namespace

bool Capture::take_one() {
  Frame frame;
  frame.bytes.resize(kLargestFrame);
  alignas(cmsghdr) std::array<char, 256> control{};
  sockaddr_ll from{};
  iovec part{frame.bytes.data(), frame.bytes.size()};
  msghdr message{&from, sizeof from, &part, 1, control.data(), control.size(), 0};
  const ssize_t count = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  if (count < 0) {
    // ENETDOWN: the link went down or away; what was captured before stays.
    if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) return false;
    fail_with_errno("capture");
  }
  frame.bytes.resize(static_cast<std::size_t>(count));
  frame.bytes.shrink_to_fit();
  frame.outgoing = from.sll_pkttype == PACKET_OUTGOING;
  read_control(message, frame);
  frames_.push_back(std::move(frame));
  return true;
}

void Capture::check_for_loss() {
  tpacket_stats counts{};
  socklen_t size = sizeof counts;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &size) != 0) fail_with_errno("capture");
  if (counts.tp_drops != 0)
    throw GroundError("capture: the kernel dropped " + std::to_string(counts.tp_drops) + " frames");
}

std::optional<Frame> Capture::await(const Wanted& wanted, milliseconds within) {
  const Deadline deadline(within);
  do {
    frames();
    while (given_ < frames_.size()) {
      const Frame& frame = frames_[given_++];
      if (wanted(frame)) return frame;
    }
  } while (deadline.await_readable(socket_.get()));
  return std::nullopt;
}

const std::vector<Frame>& Capture::frames() {
  while (take_one()) {
  }
  check_for_loss();
  return frames_;
}

void Capture::write_pcap(const std::string& path) {
  frames();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const auto put = [&file](std::initializer_list<std::uint32_t> words) {
    for (const std::uint32_t word : words) file.write(reinterpret_cast<const char*>(&word), sizeof word);
  };
  constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;
  constexpr std::uint32_t kVersion = 2 | (4 << 16);
  constexpr std::uint32_t kEthernet = 1;
  put({kNanosecondMagic, kVersion, 0, 0, static_cast<std::uint32_t>(kLargestFrame), kEthernet});
  for (const Frame& frame : frames_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(frame.time);
    const auto size = static_cast<std::uint32_t>(frame.bytes.size());
    put({static_cast<std::uint32_t>(seconds.count()), static_cast<std::uint32_t>((frame.time - seconds).count()), size,
         size});
    file.write(reinterpret_cast<const char*>(frame.bytes.data()), static_cast<std::streamsize>(frame.bytes.size()));
  }
  if (!file.flush()) throw GroundError(path + ": cannot be written");
}

std::optional<Bytes> Tunnel::await(const std::function<bool(const Bytes&)>& wanted, milliseconds within) {
  const Deadline deadline(within);
  while (deadline.await_readable(device_.get())) {
    const auto text = read_some(device_.get());
    if (!text) continue;
    Bytes packet(text->begin(), text->end());
    if (wanted(packet)) return packet;
  }
  return std::nullopt;
}

void Tunnel::write(std::span<const std::uint8_t> packet) {
  if (::write(device_.get(), packet.data(), packet.size()) != static_cast<ssize_t>(packet.size()))
    fail_with_errno("write to tun");
}

Bytes ethernet(std::uint8_t to, std::uint8_t from, std::uint16_t type, std::span<const std::uint8_t> payload) {
  Bytes frame = to == 255 ? Bytes(6, 0xff) : Bytes{2, 0, 0, 0, 0, to};
  frame.insert(frame.end(), {2, 0, 0, 0, 0, from});
  append16(frame, type);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

Bytes echo_request(std::uint32_t from, std::uint32_t to, std::uint16_t sequence) {
  constexpr std::size_t kHeader = 20;
  constexpr std::size_t kEcho = 8;
  const auto seal = [](Bytes& bytes, std::size_t at, std::size_t begin, std::size_t size) {
    const std::uint16_t sum = internet_checksum(std::span(bytes).subspan(begin, size));
    bytes[at] = static_cast<std::uint8_t>(sum >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(sum & 0xff);
  };
  Bytes packet{0x45, 0, 0, kHeader + kEcho, 0, 0, 0, 0, 64, 1, 0, 0};
  append32(packet, from);
  append32(packet, to);
  packet.insert(packet.end(), {8, 0, 0, 0, 0, 1});
  append16(packet, sequence);
  seal(packet, 10, 0, kHeader);
  seal(packet, kHeader + 2, kHeader, kEcho);
  return packet;
}

}  // namespace turnpike::ground
