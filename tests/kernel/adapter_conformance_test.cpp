// What adapters of every kind do that takes no special rights: a packet socket at one end of a veth pair, and the far
// end of a TAP interface. What each does besides is in packet_adapter_test.cpp, tap_adapter_test.cpp and
// xdp_adapter_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapter_scene.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using ground::Ground;
using ground::Host;
using testing::ElementsAre;

Wire wire_of(AdapterKind kind) { return kind == AdapterKind::kTap ? Wire::kTap : Wire::kVeth; }

class AdapterConformance : public testing::TestWithParam<AdapterKind> {
 protected:
  static std::optional<Ground> a_ground() {
    return Ground::unprivileged({GetParam() == AdapterKind::kTap ? "tap" : "veth"});
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, AdapterConformance, testing::Values(AdapterKind::kPacket, AdapterKind::kTap),
                         [](const auto& one) { return one.param == AdapterKind::kTap ? "tap" : "packet"; });

TEST_P(AdapterConformance, HearsNothingBeforeItIsAskedAndWhenNothingIsAskedFor) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.pass_by(Scene::frame(kAll));
  scene.receive(type::kBroadcast);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 47));
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.frames.all[0].bytes.size(), 61U);
  scene.receive(0);
  scene.pass_by(Scene::frame(kAll, kType, 48));
  scene.receive(type::kBroadcast);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 49));
  ASSERT_TRUE(scene.frames.await_count(2));
  EXPECT_EQ(scene.frames.all[1].bytes.size(), 63U);
}

TEST_P(AdapterConformance, SendsFramesInOrderPaddedAndTagged) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  auto capture = scene.left.capture("eth0");
  const auto is_ours = [](const ground::Frame& frame) { return frame.bytes[11] == 0x77; };
  EXPECT_EQ(scene.send(Scene::frame(kAll)).taken, 1U);
  EXPECT_EQ(capture.await(is_ours)->bytes, Scene::frame(kAll));
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 6), {}, 60).taken, 1U);
  Octets padded = Scene::frame(kAll, kType, 6);
  padded.resize(60);
  EXPECT_EQ(capture.await(is_ours)->bytes, padded);
  EXPECT_EQ(scene.send(Scene::frame(kAll), {0x6005, 0x8100}).taken, 1U);
  Octets tagged = Scene::frame(kAll);
  tagged.insert(tagged.begin() + 12, {0x81, 0, 0x60, 5});
  EXPECT_EQ(capture.await(is_ours)->bytes, tagged);
  std::vector<Octets> many;
  std::vector<std::array<std::span<const std::byte>, 1>> pieces;
  std::vector<ndis::OutFrame> out;
  for (std::uint8_t number = 0; number < 200; ++number) {
    many.push_back(Scene::frame(kAll));
    many.back().back() = number;
  }
  for (const Octets& each : many) pieces.push_back({std::as_bytes(std::span(each))});
  for (const auto& each : pieces) out.push_back({each, each[0].size(), 0, {}});
  EXPECT_EQ(scene.adapter->send(out).taken, 200U);
  for (int number = 0; number < 200; ++number) {
    const auto frame = capture.await(is_ours);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->bytes.back(), number);
  }
}

TEST_P(AdapterConformance, RefusesWhatCannotBeSentAndGoesOn) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  EXPECT_EQ(scene.send(Octets(13, 0xff)).error->kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 1500)).taken, 1U);
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 1501)).error->system_code, EMSGSIZE);
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 1500), {1, 0x8100}).taken, 1U);
  scene.right.ip({"link set eth0 down"});
  EXPECT_EQ(scene.send(Scene::frame(kAll)).error->system_code, ENETDOWN);
  scene.right.ip({"link set eth0 up"});
  scene.right.await_running("eth0");
  EXPECT_EQ(scene.send(Scene::frame(kAll)).taken, 1U);
  const ndis::OutFrame lies{{}, 60, 0, {}};
  EXPECT_EQ(scene.adapter->send({&lies, 1}).error->kind, ErrorKind::kInvalidArgument);
}

TEST_P(AdapterConformance, TagsComeApartFromTheFrame) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.receive(type::kBroadcast);
  Octets tagged = Scene::frame(kAll);
  tagged.insert(tagged.begin() + 12, {0x81, 0, 0xe0, 42});
  scene.left.inject("eth0", tagged);
  Octets twice = Scene::frame(kAll);
  twice.insert(twice.begin() + 12, {0x88, 0xa8, 0, 7});
  scene.left.inject("eth0", twice);
  ASSERT_TRUE(scene.frames.await_count(2));
  EXPECT_EQ(scene.frames.all[0].bytes, Scene::frame(kAll));
  EXPECT_EQ(scene.frames.all[0].vlan, (ndis::VlanTag{0xe02a, 0x8100}));
  EXPECT_EQ(scene.frames.all[1].vlan, (ndis::VlanTag{7, 0x88a8}));
}

TEST_P(AdapterConformance, SaysWhenFramesCame) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.receive(type::kBroadcast);
  for (std::size_t count = 1; count <= 3; ++count) {
    const WallTime before = system_clock().wall();
    scene.left.inject("eth0", Scene::frame(kAll));
    ASSERT_TRUE(scene.frames.await_count(count));
    EXPECT_GE(scene.frames.all[count - 1].when, before);
    EXPECT_LE(scene.frames.all[count - 1].when, system_clock().wall());
    EXPECT_FALSE(scene.frames.all[count - 1].checksum_good) << "nobody has looked";
  }
}

TEST_P(AdapterConformance, IsArmedAgainWhenTheInterfaceIsUpAgain) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.receive(type::kBroadcast);
  scene.right.ip({"link set eth0 down", "link set eth0 up"});
  for (const Host* host : {&scene.left, &scene.right}) host->await_running("eth0");
  scene.left.inject("eth0", Scene::frame(kAll));
  EXPECT_TRUE(scene.frames.await_count(1));
  const std::uint64_t rearmed = GetParam() == AdapterKind::kPacket ? 1 : 0;  // TAP needs none
  EXPECT_TRUE(scene.frames.eventually([&] { return scene.adapter->losses().rearmed == rearmed; }));
  EXPECT_EQ(scene.frames.breaks, 0);
}

TEST_P(AdapterConformance, IsBrokenOnceWhenTheInterfaceGoes) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.receive(type::kPromiscuous);
  scene.left.ip({"link del eth0"});
  EXPECT_TRUE(scene.events.await_gone(scene.index));
  EXPECT_TRUE(scene.frames.await([&] { return scene.frames.breaks == 1; }));
  EXPECT_TRUE(scene.send(Scene::frame(kAll)).error.has_value());
  EXPECT_FALSE(scene.adapter->statistics());
  EXPECT_EQ(scene.source->open(scene.index, scene.frames).error().kind, ErrorKind::kNotFound);
}

// Slots are made for the MTU of the opening; larger frames come by another way, in the same order.
TEST_P(AdapterConformance, GoesOnWhenTheMtuGrows) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  scene.receive(type::kBroadcast);
  for (const Host* host : {&scene.left, &scene.right}) host->ip({"link set eth0 mtu 9000"});
  ASSERT_TRUE(scene.events.await_facts("eth0", [](const auto& facts) { return facts.mtu == 9000; }));
  for (const std::size_t size : {100, 9000, 200, 4000, 300}) scene.left.inject("eth0", Scene::frame(kAll, kType, size));
  ASSERT_TRUE(scene.frames.await_count(5));
  std::vector<std::size_t> sizes;
  for (const Received& each : scene.frames.all) sizes.push_back(each.bytes.size() - 14);
  EXPECT_THAT(sizes, ElementsAre(100, 9000, 200, 4000, 300));
}

TEST_P(AdapterConformance, ReadsTheCountersOfTheDevice) {
  auto ground = a_ground();
  if (!ground) return;
  Scene scene(*ground, with(GetParam()), wire_of(GetParam()));
  scene.open();
  const auto before = scene.adapter->statistics();
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(scene.send(Scene::frame(kAll)).taken, 1U);
  const auto after = scene.adapter->statistics();
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(after->tx_packets, before->tx_packets + 1);
  EXPECT_GE(after->tx_bytes, before->tx_bytes + 60);
}

}  // namespace
}  // namespace turnpike::kernel
