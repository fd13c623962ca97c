// The wire of netlink: what is written is read, and what is wrong is refused whatever its bytes are.
#include "kernel/wire.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "net/text.h"

namespace turnpike::kernel {
namespace {

struct Fixed {
  std::uint32_t number = 7;
};

constexpr AttributeTable kTable{{1, Shape::kU8, "ONE"},       {2, Shape::kU16, "TWO"},      {3, Shape::kU32, "THREE"},
                                {4, Shape::kAddress, "FOUR"}, {5, Shape::kText, "FIVE"},    {6, Shape::kNested, "SIX"},
                                {7, Shape::kFlag, "SEVEN"},   {8, Shape::kSkipped, "EIGHT"}};

// One message with an attribute of each shape.
std::vector<std::uint8_t> message_of_each() {
  std::array<std::uint8_t, 256> buffer{};
  MessageBuilder out(buffer);
  out.begin(16, 5, 77, Fixed{});
  out.put(1, std::uint8_t{11});
  out.put(2, std::uint16_t{22});
  out.put(3, std::uint32_t{33});
  out.put_address(4, net::parse_address("2001:db8::1").value());
  out.put_text(5, "veth0");
  const std::size_t nested = out.open(6);
  out.put(1, std::uint8_t{44});
  out.close(nested);
  out.put_flag(7);
  out.put(8, std::uint8_t{55});
  out.put(60, std::uint8_t{66});
  EXPECT_TRUE(out.end());
  const Bytes bytes = out.bytes();
  return {bytes.begin(), bytes.end()};
}

TEST(Wire, ReadsWhatWasWritten) {
  const auto written = message_of_each();
  Bytes rest = written;
  const Message message = take_message(rest).value();
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(message.type, 16);
  EXPECT_EQ(message.flags, 5);
  EXPECT_EQ(message.sequence, 77u);
  EXPECT_EQ(load<Fixed>(message.payload)->number, 7u);
  Attributes attributes;
  ASSERT_TRUE(attributes.read(message.payload.subspan(sizeof(Fixed)), kTable));
  EXPECT_EQ(attributes.u8(1), 11);
  EXPECT_EQ(attributes.u16(2), 22);
  EXPECT_EQ(attributes.u32(3), 33u);
  EXPECT_EQ(attributes.address(4), net::parse_address("2001:db8::1").value());
  EXPECT_EQ(attributes.text(5), "veth0");
  Attributes inner;
  ASSERT_TRUE(inner.read(attributes.bytes(6), kTable));
  EXPECT_EQ(inner.u8(1), 44);
  EXPECT_TRUE(attributes.has(7));
  EXPECT_FALSE(attributes.has(8)) << "named, but not read";
  EXPECT_FALSE(attributes.has(60)) << "what the table does not know is skipped";
}

TEST(Wire, AnswersForAbsentAttributesAndWrongShapes) {
  const auto written = message_of_each();
  Attributes attributes;
  ASSERT_TRUE(attributes.read(Bytes(written).subspan(20), kTable));
  EXPECT_EQ(attributes.u32(1), 0u) << "one byte is no number of four";
  EXPECT_EQ(attributes.address(3)->ipv4_network(), 33u) << "but four bytes are an address";
  EXPECT_EQ(attributes.address(5), std::nullopt);
  EXPECT_EQ(attributes.text(9), "");
  EXPECT_TRUE(attributes.bytes(1000).empty());
  EXPECT_FALSE(attributes.has(1000));
}

TEST(Wire, EachCutOfAMessageIsRefused) {
  const auto written = message_of_each();
  Bytes none;
  EXPECT_EQ(take_message(none).error().kind, ErrorKind::kNoMoreItems);
  for (std::size_t size = 1; size < written.size(); ++size) {
    Bytes cut = Bytes(written).first(size);
    EXPECT_EQ(take_message(cut).error().kind, ErrorKind::kInvalidArgument) << size;
    EXPECT_EQ(cut.size(), size) << "nothing is taken";
  }
}

TEST(Wire, AttributesWithWrongLengthsOrSizesAreRefused) {
  const std::vector<std::vector<std::uint8_t>> wrong{
      {5, 0},                       // no head
      {3, 0, 1, 0},                 // shorter than its head
      {9, 0, 1, 0, 1},              // longer than there is
      {4, 0, 1, 0},                 // a number of one byte without it
      {6, 0, 1, 0, 1, 2},           // … with two
      {8, 0, 2, 0, 1, 2, 3, 4},     // a number of two with four
      {7, 0, 4, 0, 1, 2, 3, 0},     // an address of three
      {5, 0, 1, 0, 1, 0, 0, 0, 1},  // one byte left over
  };
  for (const auto& bytes : wrong) {
    Attributes attributes;
    EXPECT_EQ(attributes.read(bytes, kTable).error().kind, ErrorKind::kInvalidArgument)
        << ::testing::PrintToString(bytes);
  }
}

TEST(Wire, TheLastAttributeOfATypeCountsAndPaddingOfTheLastMayBeAbsent) {
  const std::vector<std::uint8_t> twice{5, 0, 1, 0, 1, 0, 0, 0, 5, 0, 1, 0, 2};
  Attributes attributes;
  ASSERT_TRUE(attributes.read(twice, kTable));
  EXPECT_EQ(attributes.u8(1), 2);
  ASSERT_TRUE(attributes.read({}, kTable));
  EXPECT_FALSE(attributes.has(1)) << "nothing is left of what was read before";
}

TEST(Wire, FlagsOfTheTypeDoNotMatter) {
  const std::vector<std::uint8_t> nested{8, 0, 6, 0x80, 4, 0, 7, 0x40};
  Attributes attributes;
  ASSERT_TRUE(attributes.read(nested, kTable));
  EXPECT_EQ(attributes.bytes(6).size(), 4u);
}

TEST(Wire, WhatDoesNotFitLeavesNoTrace) {
  std::array<std::uint8_t, 64> buffer{};
  for (std::size_t size = 0; size < 28; ++size) {
    MessageBuilder out(std::span<std::uint8_t>(buffer).first(size));
    out.begin(16, 0, 1, Fixed{});
    out.put(1, std::uint8_t{1});
    EXPECT_FALSE(out.end()) << size;
    EXPECT_TRUE(out.bytes().empty());
  }
  MessageBuilder out(std::span<std::uint8_t>(buffer).first(40));
  out.begin(16, 0, 1, Fixed{});
  ASSERT_TRUE(out.end());
  const auto before = out.bytes().size();
  out.begin(16, 0, 2, Fixed{});
  out.put_bytes(1, std::array<std::uint8_t, 17>{});
  EXPECT_FALSE(out.end());
  out.begin(16, 0, 3, Fixed{});
  out.abandon();
  EXPECT_EQ(out.bytes().size(), before);
  out.begin(16, 0, 4, Fixed{});
  EXPECT_TRUE(out.end()) << "a shorter one still fits";
  out.flag_last(4);
  Bytes rest = out.bytes();
  EXPECT_EQ(take_message(rest)->flags, 0);
  EXPECT_EQ(take_message(rest)->flags, 4);
}

TEST(Wire, AnAttributeLongerThanALengthCanSayDoesNotFit) {
  std::vector<std::uint8_t> buffer(200'000);
  const std::vector<std::uint8_t> zeros(70'000);
  MessageBuilder out(buffer);
  out.begin(16, 0, 1, Fixed{});
  out.put_bytes(1, zeros);
  EXPECT_FALSE(out.end());
  out.begin(16, 0, 1, Fixed{});
  const auto nested = out.open(1);
  for (int i = 0; i < 2; ++i) out.put_bytes(2, Bytes(zeros).first(40'000));
  out.close(nested);
  EXPECT_FALSE(out.end());
  out.begin(16, 0, 1, Fixed{});
  out.put_text(1, std::string(70'000, 'x'));
  EXPECT_FALSE(out.end());
}

TEST(Wire, TextOfEveryLengthEndsWithAZeroByte) {
  for (std::size_t size = 0; size < 9; ++size) {
    std::array<std::uint8_t, 64> buffer{};
    MessageBuilder out(buffer);
    out.begin(16, 0, 1, Fixed{});
    out.put_text(5, std::string(size, 'x'));
    ASSERT_TRUE(out.end());
    Attributes attributes;
    ASSERT_TRUE(attributes.read(out.bytes().subspan(20), kTable));
    EXPECT_EQ(attributes.bytes(5).size(), size + 1);
    EXPECT_EQ(attributes.text(5), std::string(size, 'x'));
  }
}

}  // namespace
}  // namespace turnpike::kernel
