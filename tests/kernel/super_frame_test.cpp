#include "kernel/adapters/super_frame.h"

#include <gtest/gtest.h>

#include <vector>

#include "ground/frames.h"

namespace turnpike::kernel {
namespace {

using Octets = std::vector<std::uint8_t>;

void put16(Octets& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
std::size_t u16(const Octets& from, std::size_t at) { return std::size_t{from[at]} << 8 | from[at + 1]; }
std::uint32_t u32(const Octets& from, std::size_t at) {
  return static_cast<std::uint32_t>(u16(from, at) << 16 | u16(from, at + 2));
}

Octets payload(std::size_t size) {
  Octets made(size);
  for (std::size_t at = 0; at < size; ++at) made[at] = static_cast<std::uint8_t>(at * 7 + at / 256);
  return made;
}

struct Shape {
  bool ipv6 = false;
  bool tcp = true;
  std::size_t tags = 0;
};

// An Ethernet frame with a TCP segment of `size` bytes of data (flags FIN, PSH, ACK, CWR), or a datagram.
Octets frame(Shape shape, std::size_t size) {
  Octets made(12, 2);
  for (std::size_t i = 0; i < shape.tags; ++i) {
    put16(made, i == 0 ? 0x88a8 : 0x8100);
    put16(made, 100 + i);
  }
  const std::size_t transport = shape.tcp ? 20 : 8;
  put16(made, shape.ipv6 ? 0x86dd : 0x0800);
  if (shape.ipv6) {
    made.insert(made.end(), {0x60, 0, 0, 0});
    put16(made, transport + size);
    made.insert(made.end(), {static_cast<std::uint8_t>(shape.tcp ? 6 : 17), 64});
    made.insert(made.end(), 32, 0x20);
  } else {
    made.insert(made.end(), {0x45, 0});
    put16(made, 20 + transport + size);
    put16(made, 0xfffe);  // the id: runs over
    made.insert(made.end(), {0x40, 0, 64, static_cast<std::uint8_t>(shape.tcp ? 6 : 17), 0, 0});
    made.insert(made.end(), {10, 0, 0, 1, 10, 0, 0, 2});
  }
  put16(made, 4000);
  put16(made, 80);
  if (shape.tcp) {
    made.insert(made.end(), {0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0x50, 0x99, 0x20, 0, 0, 0, 0, 0});
  } else {
    put16(made, 8 + size);
    put16(made, 0);
  }
  const Octets data = payload(size);
  made.insert(made.end(), data.begin(), data.end());
  return made;
}

Offload offload(Shape shape, std::uint16_t segment) {
  Offload made;
  made.kind = static_cast<std::uint8_t>(!shape.tcp ? 5 : (shape.ipv6 ? 4 : 1));
  made.segment_size = segment;
  return made;
}

std::span<const std::byte> bytes(const Octets& from) { return std::as_bytes(std::span(from)); }

// 0: right. The pseudo header before the segment.
std::uint16_t transport_checksum(const Octets& piece, Shape shape, std::size_t network, std::size_t transport) {
  const std::size_t addresses = shape.ipv6 ? 8 : 12;
  Octets all(piece.begin() + static_cast<std::ptrdiff_t>(network + addresses),
             piece.begin() + static_cast<std::ptrdiff_t>(network + addresses + (shape.ipv6 ? 32 : 8)));
  put16(all, shape.tcp ? 6 : 17);
  put16(all, piece.size() - transport);
  all.insert(all.end(), piece.begin() + static_cast<std::ptrdiff_t>(transport), piece.end());
  return ground::internet_checksum(all);
}

class EachShape : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(All, EachShape,
                         testing::Values(Shape{false, true, 0}, Shape{true, true, 0}, Shape{false, false, 0},
                                         Shape{true, false, 0}, Shape{false, true, 1}, Shape{true, false, 2}));

TEST_P(EachShape, IsCutIntoWhatAWireWouldHaveCarried) {
  const Shape shape = GetParam();
  const Octets whole = frame(shape, 3500);
  const auto super_frame = SuperFrame::read(bytes(whole), 14, offload(shape, 1000));
  ASSERT_TRUE(super_frame.has_value());
  ASSERT_EQ(super_frame->pieces(), 4U);
  const std::size_t network = 14 + 4 * shape.tags;
  const std::size_t transport = network + (shape.ipv6 ? 40 : 20);
  const std::size_t data = transport + (shape.tcp ? 20 : 8);
  Octets joined;
  for (std::size_t index = 0; index < 4; ++index) {
    Octets piece(super_frame->longest());
    piece.resize(super_frame->write(index, std::as_writable_bytes(std::span(piece))));
    ASSERT_EQ(piece.size(), data + (index == 3 ? 500 : 1000));
    if (shape.ipv6) {
      EXPECT_EQ(u16(piece, network + 4), piece.size() - network - 40);
    } else {
      EXPECT_EQ(u16(piece, network + 2), piece.size() - network);
      EXPECT_EQ(u16(piece, network + 4), (0xfffe + index) & 0xffff);
      EXPECT_EQ(ground::internet_checksum(std::span(piece).subspan(network, 20)), 0);
    }
    EXPECT_EQ(transport_checksum(piece, shape, network, transport), 0) << index;
    if (shape.tcp) {
      EXPECT_EQ(u32(piece, transport + 4), 0xfffffff0U + 1000 * static_cast<std::uint32_t>(index));
      const int flags = index == 0 ? 0x90 : (index == 3 ? 0x19 : 0x10);
      EXPECT_EQ(piece[transport + 13], flags) << index;
    } else {
      EXPECT_EQ(u16(piece, transport + 4), piece.size() - transport);
    }
    joined.insert(joined.end(), piece.begin() + static_cast<std::ptrdiff_t>(data), piece.end());
  }
  EXPECT_EQ(joined, payload(3500));
}

TEST(SuperFrame, OfWhatDoesNotFitIsRefused) {
  const Shape shape;
  const Octets whole = frame(shape, 100);
  for (std::size_t size = 0; size < 54; ++size) {
    EXPECT_FALSE(SuperFrame::read(bytes(whole).first(size), 14, offload(shape, 10))) << size;
  }
  EXPECT_TRUE(SuperFrame::read(bytes(whole).first(54), 14, offload(shape, 10)));
  EXPECT_EQ(SuperFrame::read(bytes(whole), 14, offload(shape, 0)).error().kind, ErrorKind::kInvalidArgument);
}

// A tunnel's frame is announced as the one inside of it.
TEST(SuperFrame, ThatIsAnnouncedAsAnotherIsNotCut) {
  const Octets datagram = frame({false, false, 0}, 100);
  EXPECT_EQ(SuperFrame::read(bytes(datagram), 14, offload({}, 10)).error().kind, ErrorKind::kUnsupported);
  const Octets segment = frame({}, 100);
  EXPECT_EQ(SuperFrame::read(bytes(segment), 14, offload({true, true, 0}, 10)).error().kind, ErrorKind::kUnsupported);
  Octets arp = segment;
  arp[14] = 0;
  EXPECT_EQ(SuperFrame::read(bytes(arp), 14, offload({}, 10)).error().kind, ErrorKind::kUnsupported);
  Octets fragment = segment;
  fragment[20] = 0x20;
  EXPECT_EQ(SuperFrame::read(bytes(fragment), 14, offload({}, 10)).error().kind, ErrorKind::kUnsupported);
}

TEST(SuperFrame, WhereNoHeaderOfTheLinkIs) {
  const Octets whole = frame({}, 300);
  const auto packet = bytes(whole).subspan(14);
  const auto super_frame = SuperFrame::read(packet, 0, offload({}, 100));
  ASSERT_TRUE(super_frame.has_value());
  EXPECT_EQ(super_frame->pieces(), 3U);
  EXPECT_EQ(super_frame->longest(), 140U);
}

TEST(Checksum, IsCompletedWithinTheFrameAlone) {
  Octets datagram = frame({false, false, 0}, 9);
  // What the kernel leaves in the field: the sum of the pseudo header.
  std::uint32_t pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 17;
  datagram[40] = static_cast<std::uint8_t>(pseudo >> 8);
  datagram[41] = static_cast<std::uint8_t>(pseudo);
  Offload missing;
  missing.flags = 1;
  missing.checksum_start = 34;
  missing.checksum_offset = 6;
  ASSERT_TRUE(complete_checksum(std::as_writable_bytes(std::span(datagram)), missing));
  EXPECT_EQ(transport_checksum(datagram, {false, false, 0}, 14, 34), 0);
  missing.checksum_offset = static_cast<std::uint16_t>(datagram.size() - 34 - 1);
  EXPECT_FALSE(complete_checksum(std::as_writable_bytes(std::span(datagram)), missing));
  missing.checksum_start = 0xffff;
  EXPECT_FALSE(complete_checksum(std::as_writable_bytes(std::span(datagram)), missing));
}

}  // namespace
}  // namespace turnpike::kernel
