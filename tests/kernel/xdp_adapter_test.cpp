// AF_XDP adapters: what they take from the host, and what they leave it. Real root alone may load their programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapter_scene.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using ground::Ground;
using testing::HasSubstr;
using testing::Not;

TEST(XdpAdapter, TakesTheNamedTypesAndLeavesTheHostItsOwn) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp));
  scene.open();
  ASSERT_STREQ(scene.adapter->facts().name, "xdp");
  auto host = scene.right.capture("eth0");
  scene.receive(type::kBroadcast | type::kDirected | type::kMulticast, {mac_of(kGroupA)}, {kType, 0x1234});
  for (const Octets& to : {kGroupB, kAll, kGroupA, scene.mac()}) scene.left.inject("eth0", Scene::frame(to));
  Octets tagged = Scene::frame(kAll);
  tagged.insert(tagged.begin() + 12, {0x81, 0, 0xe0, 42});
  scene.left.inject("eth0", tagged);
  ASSERT_TRUE(scene.frames.await_count(4));
  EXPECT_EQ(scene.frames.all[0].bytes, Scene::frame(kAll));
  EXPECT_EQ(scene.frames.all[0].direction, ndis::Direction::kBroadcast);
  EXPECT_EQ(scene.frames.all[1].direction, ndis::Direction::kMulticast);
  EXPECT_EQ(scene.frames.all[2].direction, ndis::Direction::kHost);
  EXPECT_EQ(scene.frames.all[3].bytes, Scene::frame(kAll));
  EXPECT_EQ(scene.frames.all[3].vlan, (ndis::VlanTag{0xe02a, 0x8100}));
  for (const Received& each : scene.frames.all) EXPECT_GT(each.when, WallTime{});
  EXPECT_TRUE(scene.left.ping("10.0.0.2"));
  // Of all those the host has seen the one that nobody wanted.
  for (const ground::Frame& each : host.frames()) {
    if (!each.outgoing && each.bytes[12] == 0x88 && each.bytes[13] == 0xb5) EXPECT_EQ(each.bytes[5], 0xb);
  }
}

TEST(XdpAdapter, RefusesToTakeEverythingUnlessItIsTold) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp));
  scene.open();
  ndis::Reception wanted;
  wanted.filter = type::kBroadcast;
  EXPECT_EQ(scene.adapter->receive(wanted).error().kind, ErrorKind::kUnsupported);
  wanted.filter = type::kPromiscuous;
  wanted.frame_types = std::span(&kType, 1);
  EXPECT_EQ(scene.adapter->receive(wanted).error().kind, ErrorKind::kUnsupported);
  wanted.local_sends = true;
  EXPECT_EQ(scene.adapter->receive(wanted).error().kind, ErrorKind::kUnsupported);
}

TEST(XdpAdapter, TakesEverythingWhereItIsTold) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp, Steal::kEverything));
  scene.open();
  scene.receive(type::kPromiscuous);
  EXPECT_THAT(scene.right.run({"ip", "-details", "link", "show", "eth0"}), HasSubstr("promiscuity 1"));
  scene.left.inject("eth0", Scene::frame(kOther));
  EXPECT_TRUE(scene.frames.await_count(1));
}

TEST(XdpAdapter, SendsInOrderAndMoreThanItHasSlots) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp));
  scene.open();
  Frames at_left;
  Events events;
  std::unique_ptr<ndis::AdapterSource> source;
  scene.left.inside([&] { source = open_real_adapters().value(); });
  ASSERT_TRUE(source->start(events));
  ASSERT_TRUE(events.await_listed());
  auto left = source->open(events.facts("eth0")->index, at_left);
  ASSERT_TRUE(left.has_value());
  ndis::Reception wanted;
  wanted.filter = type::kBroadcast;
  ASSERT_TRUE((*left)->receive(wanted));
  constexpr std::size_t kCount = 5000;
  std::size_t sent = 0;
  while (sent < kCount) {
    Octets frame = Scene::frame(kAll, kType, 46);
    frame[14] = static_cast<std::uint8_t>(sent >> 8);
    frame[15] = static_cast<std::uint8_t>(sent);
    const int rooms = scene.frames.with([&] { return scene.frames.rooms; });  // it may be told before send() returns
    const auto answer = scene.send(frame, sent == 0 ? ndis::VlanTag{7, 0x8100} : ndis::VlanTag{}, 64);
    if (answer.taken == 1) {
      ++sent;
    } else {
      ASSERT_EQ(answer.error->kind, ErrorKind::kBusy);
      ASSERT_TRUE(scene.frames.await([&] { return scene.frames.rooms > rooms; }));
    }
    // What the left end has not taken yet has to fit into its ring.
    if (sent % 1000 == 0) ASSERT_TRUE(at_left.await_count(sent));
  }
  ASSERT_TRUE(at_left.await_count(kCount));
  EXPECT_EQ(at_left.all[0].vlan, (ndis::VlanTag{7, 0x8100}));
  for (std::size_t at = 0; at < kCount; ++at) {
    ASSERT_EQ(std::size_t{at_left.all[at].bytes[14]} << 8 | at_left.all[at].bytes[15], at);
    ASSERT_EQ(at_left.all[at].bytes.size(), at == 0 ? 60U : 64U);
  }
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 1501 + 4)).error->system_code, EMSGSIZE);
}

TEST(XdpAdapter, LeavesNoProgramBehindAndCanBeOpenedAgainAtOnce) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp));
  for (int round = 0; round < 3; ++round) {
    scene.open();
    scene.receive(type::kBroadcast, {}, {kType});
    EXPECT_THAT(scene.right.run({"ip", "-details", "link", "show", "eth0"}), HasSubstr("prog/xdp"));
    scene.left.inject("eth0", Scene::frame(kAll));
    EXPECT_TRUE(scene.frames.await_count(static_cast<std::size_t>(round) + 1));
    scene.adapter.reset();
    EXPECT_THAT(scene.right.run({"ip", "-details", "link", "show", "eth0"}), Not(HasSubstr("prog/xdp")));
  }
}

TEST(XdpAdapter, GoesInPeaceAfterItsInterface) {
  auto ground = Ground::privileged({"veth", "af_xdp"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kXdp));
  scene.open();
  scene.receive(type::kBroadcast, {}, {kType});
  scene.left.ip({"link del eth0"});
  EXPECT_TRUE(scene.events.await_gone(scene.index));
  static_cast<void>(scene.send(Scene::frame(kAll)));
  EXPECT_FALSE(scene.adapter->statistics());
}

}  // namespace
}  // namespace turnpike::kernel
