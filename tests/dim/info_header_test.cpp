// What the room adds to the documented calls: headers of many blocks at once, and bytes that have a length of their
// own.
#include "dim/info_header.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace turnpike::dim {
namespace {

std::span<const std::byte> of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string_view text(const InfoBlock& block) {
  return {reinterpret_cast<const char*>(block.data.data()), block.data.size()};
}

TEST(InfoHeader, HasTheBlocksThatWereJoined) {
  const Result<Bytes> bytes = join(std::array{single(8, of("rip")), InfoBlock{9, 2, 2, of("four")}, single(10, {})});
  ASSERT_TRUE(bytes);
  const Result<InfoHeader> header = InfoHeader::parse(*bytes);
  ASSERT_TRUE(header);
  ASSERT_EQ(header->count(), 3U);
  EXPECT_EQ(header->bytes().size(), bytes->size());
  EXPECT_EQ(text(header->block(0)), "rip");
  EXPECT_EQ(header->block(0).count, 1U);
  EXPECT_EQ(text(*header->find(9)), "four");
  EXPECT_TRUE(header->find(10)->data.empty());
  EXPECT_FALSE(header->find(11));
}

TEST(InfoHeader, IsCanonicalWhateverCameIn) {
  const auto bytes = join(std::array{single(8, of("rip")), single(9, of("igmp"))});
  const auto header = InfoHeader::parse(*bytes);
  EXPECT_EQ(*join(header->blocks()), *bytes);
}

TEST(InfoHeader, IsNotJoinedOfContradictions) {
  EXPECT_EQ(join(std::array{single(8, of("a")), single(8, of("b"))}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(join(std::array{InfoBlock{8, 3, 2, of("five!")}}).error().kind, ErrorKind::kInvalidArgument);
  const std::span<const std::byte> large(of("never read").data(), 0x80000000U);
  EXPECT_EQ(join(std::array{single(8, large), single(9, large)}).error().kind, ErrorKind::kInvalidArgument);
}

TEST(InfoHeader, EndsWhereItSays) {
  Bytes bytes = *join(std::array{single(8, of("rip"))});
  const std::size_t size = bytes.size();
  bytes.resize(size + 100, std::byte{0xff});
  EXPECT_EQ(InfoHeader::parse(bytes)->bytes().size(), size);
}

TEST(InfoHeader, IsRefusedWhereBytesAreMissing) {
  const Bytes bytes = *join(std::array{single(8, of("rip")), single(9, of("igmp"))});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(InfoHeader::parse(std::span(bytes).first(size)).error().kind, ErrorKind::kInvalidArgument) << size;
  }
}

TEST(InfoHeader, SaysWhyAnEditIsRefused) {
  const Bytes bytes = *join(std::array{single(8, of("rip"))});
  const InfoHeader header = *InfoHeader::parse(bytes);
  EXPECT_EQ(with_added(header, single(8, of("x"))).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(with_replaced(header, single(9, of("x"))).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(with_removed(header, 9).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(with_removed(header, 8)->size(), kInfoFixedSize);
}

}  // namespace
}  // namespace turnpike::dim
