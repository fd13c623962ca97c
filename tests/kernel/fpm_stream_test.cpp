// An FPM's bytes, as they should be and as they should not.
#include "kernel/fpm/fpm_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "net/text.h"

namespace turnpike::kernel {
namespace {

using namespace net::literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Octets = std::vector<std::uint8_t>;

// What was told, a line each.
class Notes : public FpmListener {
 public:
  void on_open() override {}
  void on_close() override {}
  void on_route(bool gone, const Route& route) override {
    std::string line = (gone ? "- " : "+ ") + std::string(net::to_text(route.destination).view());
    if (!gone && route.next_hop_id != 0) line += " nhid " + std::to_string(route.next_hop_id);
    for (const Hop& hop : route.hops) line += " via " + std::string(net::to_text(*hop.gateway).view());
    lines.push_back(line);
  }
  void on_next_hop(bool gone, const NextHop& next_hop) override {
    lines.push_back((gone ? "- nhid " : "+ nhid ") + std::to_string(next_hop.id));
  }
  std::vector<std::string> lines;
};

class FpmStreamTest : public testing::Test {
 protected:
  // Netlink messages, one after the other.
  struct Messages {
    Octets bytes;
    template <class T>
    Messages& add(Change change, const T& object) {
      std::array<std::uint8_t, 4096> room{};
      MessageBuilder out(room);
      EXPECT_TRUE(encode(out, 0, change, object));
      bytes.insert(bytes.end(), out.bytes().begin(), out.bytes().end());
      return *this;
    }
  };
  static Octets frame(const Octets& messages, std::uint8_t version = 1, std::uint8_t type = 1) {
    const std::size_t length = messages.size() + 4;
    Octets all{version, type, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
    all.insert(all.end(), messages.begin(), messages.end());
    return all;
  }
  static Route route(const Prefix& destination, std::uint32_t next_hop_id = 7) {
    Route made;
    made.destination = destination;
    made.protocol = 186;
    made.next_hop_id = next_hop_id;
    return made;
  }
  static NextHop next_hop(std::uint32_t id) {
    NextHop made;
    made.id = id;
    made.link = InterfaceIndex(3);
    made.gateway = "10.0.0.1"_address;
    return made;
  }
  // "" where the stream goes on, else what it says.
  std::string take(const Octets& bytes) {
    const auto taken = stream.take(bytes, notes);
    return taken ? "" : taken.error().what;
  }

  FpmStream stream;
  Notes notes;
};

TEST_F(FpmStreamTest, RoutesAndNextHopsComeInTheirOrder) {
  Octets all = frame(Messages().add(Change::kReplace, next_hop(7)).bytes);
  const Octets more = frame(Messages().add(Change::kReplace, route("192.0.2.0/24"_prefix)).bytes);
  all.insert(all.end(), more.begin(), more.end());
  const Hop hops[] = {{.link = {}, .gateway = "10.0.0.1"_address}, {.link = {}, .gateway = "10.0.0.2"_address}};
  Route own = route("198.51.100.0/24"_prefix, 0);
  own.hops = hops;
  EXPECT_EQ(take(all), "");
  EXPECT_EQ(take(frame(Messages().add(Change::kReplace, own).add(Change::kRemove, next_hop(7)).bytes)), "");
  EXPECT_THAT(notes.lines, ElementsAre("+ nhid 7", "+ 192.0.2.0/24 nhid 7",
                                       "+ 198.51.100.0/24 via 10.0.0.1 via 10.0.0.2", "- nhid 7"));
  EXPECT_EQ(stream.frames(), 3U);
  EXPECT_EQ(stream.messages(), 4U);
}

TEST_F(FpmStreamTest, ItDoesNotMatterWhereTheBytesAreCut) {
  Octets all;
  for (const Prefix& each : {"10.1.0.0/16"_prefix, "10.2.0.0/16"_prefix, "fd00:9::/64"_prefix}) {
    const Octets more = frame(Messages().add(Change::kReplace, route(each)).bytes);
    all.insert(all.end(), more.begin(), more.end());
  }
  for (std::size_t piece = 1; piece < all.size(); ++piece) {
    FpmStream its;
    Notes told;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      ASSERT_TRUE(its.take(Bytes(all).subspan(at, std::min(piece, all.size() - at)), told));
    }
    EXPECT_THAT(told.lines, ElementsAre("+ 10.1.0.0/16 nhid 7", "+ 10.2.0.0/16 nhid 7", "+ fd00:9::/64 nhid 7"));
    EXPECT_TRUE(its.is_between_frames());
  }
}

TEST_F(FpmStreamTest, AnEndAmidAFrameIsKnown) {
  const Octets whole = frame(Messages().add(Change::kReplace, route("10.1.0.0/16"_prefix)).bytes);
  EXPECT_TRUE(stream.is_between_frames());
  EXPECT_EQ(take({whole.begin(), whole.end() - 1}), "");
  EXPECT_FALSE(stream.is_between_frames());
  EXPECT_THAT(notes.lines, IsEmpty());
  EXPECT_EQ(take({whole.back()}), "");
  EXPECT_TRUE(stream.is_between_frames());
  EXPECT_THAT(notes.lines, ElementsAre("+ 10.1.0.0/16 nhid 7"));
}

TEST_F(FpmStreamTest, AChangeIsNoRemoval) {
  const Prefix one = "10.1.0.0/16"_prefix, other = "10.2.0.0/16"_prefix;
  EXPECT_EQ(take(frame(Messages().add(Change::kRemove, route(one)).add(Change::kReplace, route(one, 8)).bytes)), "");
  EXPECT_THAT(notes.lines, ElementsAre("+ 10.1.0.0/16 nhid 8"));
  notes.lines.clear();
  EXPECT_EQ(take(frame(Messages().add(Change::kRemove, route(one)).add(Change::kReplace, route(other)).bytes)), "");
  EXPECT_EQ(take(frame(Messages().add(Change::kRemove, route(one)).add(Change::kRemove, route(other)).bytes)), "");
  EXPECT_THAT(notes.lines, ElementsAre("- 10.1.0.0/16", "+ 10.2.0.0/16 nhid 7", "- 10.1.0.0/16", "- 10.2.0.0/16"));
}

TEST_F(FpmStreamTest, ABadHeadIsRefusedAsSoonAsItShows) {
  const Octets good = Messages().add(Change::kReplace, route("10.1.0.0/16"_prefix)).bytes;
  EXPECT_EQ(take({'G'}), "a frame is not of version 1: this is no FPM");
  stream = FpmStream{};
  EXPECT_EQ(take(frame(good, 2)), "a frame is not of version 1: this is no FPM");
  stream = FpmStream{};
  EXPECT_EQ(take(frame(good, 1, 2)), "a frame holds protobuf: load zebra's module dplane_fpm_nl, not fpm");
  stream = FpmStream{};
  EXPECT_EQ(take(frame(good, 1, 9)), "a frame is of a type that no FPM has");
  for (const std::uint8_t length : std::initializer_list<std::uint8_t>{0, 3, 4, 19}) {
    stream = FpmStream{};
    EXPECT_EQ(take({1, 1, 0, length}), "a frame is too short for a message") << unsigned{length};
  }
  EXPECT_THAT(notes.lines, IsEmpty());
}

TEST_F(FpmStreamTest, NothingOfABadFrameIsTold) {
  Octets messages = Messages().add(Change::kReplace, route("10.1.0.0/16"_prefix)).bytes;
  const std::size_t first = messages.size();
  const Octets second = Messages().add(Change::kReplace, next_hop(7)).bytes;
  messages.insert(messages.end(), second.begin(), second.end());
  EXPECT_EQ(take(frame(Messages().add(Change::kReplace, route("10.3.0.0/16"_prefix)).bytes)), "");
  for (const std::uint8_t length : {std::uint8_t{3}, std::uint8_t{255}}) {  // of the second message, at its begin
    Octets bad = messages;
    bad[first] = length;
    stream = FpmStream{};
    EXPECT_EQ(take(frame(bad)), "a netlink message says a wrong length");
  }
  Octets bad = messages;
  bad[first + 16 + 8] = 3;  // an attribute's length
  stream = FpmStream{};
  EXPECT_EQ(take(frame(bad)), "a netlink attribute says a wrong length");
  messages.resize(messages.size() - 4);
  stream = FpmStream{};
  EXPECT_NE(take(frame(messages)), "");
  EXPECT_THAT(notes.lines, ElementsAre("+ 10.3.0.0/16 nhid 7")) << "the frame before it stands";
}

TEST_F(FpmStreamTest, WhatIsNotOursToKnowIsPassedOver) {
  Neighbour neighbour;
  neighbour.address = "10.0.0.9"_address;
  neighbour.link = InterfaceIndex(3);
  Octets labels = Messages().add(Change::kReplace, route("10.1.0.0/16"_prefix)).bytes;
  labels[16] = 28;  // AF_MPLS
  Octets both = Messages().add(Change::kReplace, neighbour).bytes;
  both.insert(both.end(), labels.begin(), labels.end());
  EXPECT_EQ(take(frame(both)), "");
  EXPECT_EQ(take(frame(Messages().add(Change::kRemove, route("10.2.0.0/16"_prefix)).bytes)), "");
  EXPECT_THAT(notes.lines, ElementsAre("- 10.2.0.0/16"));
  EXPECT_EQ(stream.skipped(), 2U);
}

}  // namespace
}  // namespace turnpike::kernel
