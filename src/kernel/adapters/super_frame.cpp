#include "kernel/adapters/super_frame.h"

#include <netinet/in.h>

#include <algorithm>

namespace turnpike::kernel {
namespace {

constexpr std::uint8_t kTcp4 = 1;
constexpr std::uint8_t kTcp6 = 4;
constexpr std::uint8_t kDatagrams = 5;
constexpr std::uint8_t kToldCongestion = 0x80;
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kPush = 0x08;
constexpr std::uint8_t kCongestionReduced = 0x80;

std::uint8_t u8(std::span<const std::byte> bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }
std::uint16_t u16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(u8(bytes, at) << 8 | u8(bytes, at + 1));
}
std::uint32_t u32(std::span<const std::byte> bytes, std::size_t at) {
  return std::uint32_t{u16(bytes, at)} << 16 | u16(bytes, at + 2);
}
void put16(std::span<std::byte> bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::byte>(value >> 8);
  bytes[at + 1] = static_cast<std::byte>(value);
}
void put32(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value & 0xffff);
}

// The sum that Internet checksums are made of. 64 bits do not overflow within any frame.
std::uint64_t sum_of(std::span<const std::byte> bytes, std::uint64_t sum = 0) {
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) sum += u16(bytes, at);
  if (at < bytes.size()) sum += std::uint64_t{u8(bytes, at)} << 8;
  return sum;
}
std::uint16_t folded(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}
// Zero means "none" in UDP; both zeros of the ones' complement are equal, so nobody minds the other.
std::uint16_t never_zero(std::uint16_t sum) { return sum == 0 ? 0xffff : sum; }

bool is_tag(std::uint16_t type) { return type == 0x8100 || type == 0x88a8; }

struct Transport {
  std::size_t at = 0;
  std::uint8_t protocol = 0;
};

Result<Transport> behind_ipv4(std::span<const std::byte> packet) {
  if (packet.size() < 20) return fail(ErrorKind::kInvalidArgument, "an IPv4 header does not fit");
  const std::size_t size = std::size_t{u8(packet, 0)} % 16 * 4;
  if (size < 20 || size > packet.size()) return fail(ErrorKind::kInvalidArgument, "an IPv4 header's length is wrong");
  if ((u16(packet, 6) & 0x3fff) != 0) return fail(ErrorKind::kUnsupported, "a fragment is not cut");
  return Transport{size, u8(packet, 9)};
}

Result<Transport> behind_ipv6(std::span<const std::byte> packet) {
  if (packet.size() < 40) return fail(ErrorKind::kInvalidArgument, "an IPv6 header does not fit");
  Transport found{40, u8(packet, 6)};
  while (found.protocol == IPPROTO_HOPOPTS || found.protocol == IPPROTO_DSTOPTS) {
    if (packet.size() < found.at + 8) return fail(ErrorKind::kInvalidArgument, "an IPv6 extension does not fit");
    found.protocol = u8(packet, found.at);
    found.at += std::size_t{u8(packet, found.at + 1)} * 8 + 8;
    if (found.at > packet.size()) return fail(ErrorKind::kInvalidArgument, "an IPv6 extension does not fit");
  }
  return found;
}

}  // namespace

Result<void> complete_checksum(std::span<std::byte> frame, const Offload& offload) {
  const std::size_t start = offload.checksum_start;
  const std::size_t at = start + offload.checksum_offset;
  if (at + 2 > frame.size()) return fail(ErrorKind::kInvalidArgument, "a checksum would lie outside of its frame");
  // The field holds the sum of the pseudo header: it is summed with the rest.
  put16(frame, at, never_zero(folded(sum_of(frame.subspan(start)))));
  return {};
}

Result<SuperFrame> SuperFrame::read(std::span<const std::byte> frame, std::size_t header, const Offload& offload) {
  SuperFrame made;
  made.frame_ = frame;
  made.network_ = header;
  made.segment_ = offload.segment_size;
  if (made.segment_ == 0 || frame.size() <= header)
    return fail(ErrorKind::kInvalidArgument, "a frame to be cut says nothing of its pieces");
  if (header >= 14) {
    while (frame.size() >= made.network_ + 4 && is_tag(u16(frame, made.network_ - 2))) made.network_ += 4;
  }
  const auto packet = frame.subspan(made.network_);
  if (packet.empty()) return fail(ErrorKind::kInvalidArgument, "a frame to be cut is empty");
  made.ipv6_ = u8(packet, 0) >> 4 == 6;
  if (!made.ipv6_ && u8(packet, 0) >> 4 != 4) return fail(ErrorKind::kUnsupported, "only IP is cut");
  const auto transport = made.ipv6_ ? behind_ipv6(packet) : behind_ipv4(packet);
  if (!transport) return tl::unexpected(transport.error());
  const std::uint8_t kind = offload.kind & static_cast<std::uint8_t>(~kToldCongestion);
  made.tcp_ = transport->protocol == IPPROTO_TCP;
  const std::uint8_t right = made.tcp_ ? (made.ipv6_ ? kTcp6 : kTcp4) : kDatagrams;
  if (kind != right || (!made.tcp_ && transport->protocol != IPPROTO_UDP))
    return fail(ErrorKind::kUnsupported, "what is to be cut lies in a tunnel, or is of another kind");
  made.transport_ = made.network_ + transport->at;
  const auto segment = frame.subspan(made.transport_);
  if (segment.size() < (made.tcp_ ? 20U : 8U))
    return fail(ErrorKind::kInvalidArgument, "a transport header does not fit");
  const std::size_t size = made.tcp_ ? std::size_t{u8(segment, 12)} / 16 * 4 : 8;
  if (size < 8 || size > segment.size() || (made.tcp_ && size < 20))
    return fail(ErrorKind::kInvalidArgument, "a transport header's length is wrong");
  made.data_ = made.transport_ + size;
  if (made.longest() - made.network_ > 0xffff) return fail(ErrorKind::kInvalidArgument, "a piece is no IP packet");
  return made;
}

std::size_t SuperFrame::pieces() const {
  return std::max<std::size_t>(1, (frame_.size() - data_ + segment_ - 1) / segment_);
}

std::size_t SuperFrame::longest() const { return data_ + std::min(segment_, frame_.size() - data_); }

std::size_t SuperFrame::write(std::size_t index, std::span<std::byte> out) const {
  const auto data = frame_.subspan(data_);
  const auto mine = data.subspan(index * segment_, std::min(segment_, data.size() - index * segment_));
  std::ranges::copy(frame_.first(data_), out.begin());
  std::ranges::copy(mine, out.begin() + static_cast<std::ptrdiff_t>(data_));
  const auto piece = out.first(data_ + mine.size());
  write_network_header(index, piece);
  write_transport_header(index, piece);
  return piece.size();
}

void SuperFrame::write_network_header(std::size_t index, std::span<std::byte> piece) const {
  const auto packet = piece.subspan(network_);
  if (ipv6_) return put16(packet, 4, packet.size() - 40);
  put16(packet, 2, packet.size());
  put16(packet, 4, (u16(packet, 4) + index) & 0xffff);
  put16(packet, 10, 0);
  put16(packet, 10, folded(sum_of(packet.first(transport_ - network_))));
}

void SuperFrame::write_transport_header(std::size_t index, std::span<std::byte> piece) const {
  const auto segment = piece.subspan(transport_);
  const std::size_t checksum = tcp_ ? 16 : 6;
  if (tcp_) {
    put32(segment, 4, u32(segment, 4) + static_cast<std::uint32_t>(index * segment_));
    std::uint8_t flags = u8(segment, 13);
    if (index + 1 != pieces()) flags &= static_cast<std::uint8_t>(~(kFin | kPush));
    if (index != 0) flags &= static_cast<std::uint8_t>(~kCongestionReduced);
    segment[13] = std::byte{flags};
  } else {
    put16(segment, 4, segment.size());
  }
  put16(segment, checksum, 0);
  const auto addresses = piece.subspan(network_ + (ipv6_ ? 8 : 12), ipv6_ ? 32 : 8);
  std::uint64_t sum = segment.size() + std::uint64_t{tcp_ ? std::uint64_t{IPPROTO_TCP} : std::uint64_t{IPPROTO_UDP}};
  sum = sum_of(segment, sum_of(addresses, sum));
  put16(segment, checksum, never_zero(folded(sum)));
}

}  // namespace turnpike::kernel
