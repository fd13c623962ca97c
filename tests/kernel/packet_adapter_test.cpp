// Packet adapters on real interfaces: what they hand up, what they ask of the device, what they leave behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "adapter_scene.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using ground::Ground;
using ground::Host;
using net::MacAddress;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Sends one frame of each class, and a last one that every filter of the test passes; gives the destinations heard.
std::vector<Octets> heard(Scene& scene, const Octets& last) {
  const std::size_t before = scene.frames.count();
  for (const Octets& to : {scene.mac(), kAll, kGroupA, kGroupB, kOther, last})
    scene.left.inject("eth0", Scene::frame(to));
  EXPECT_TRUE(scene.frames.await([&] {
    return scene.frames.all.size() > before &&
           Octets(scene.frames.all.back().bytes.begin(), scene.frames.all.back().bytes.begin() + 6) == last;
  }));
  std::vector<Octets> result;
  for (std::size_t at = before; at < scene.frames.all.size(); ++at)
    result.emplace_back(scene.frames.all[at].bytes.begin(), scene.frames.all[at].bytes.begin() + 6);
  return result;
}

const Octets kMarker{1, 0, 0, 0, 0, 0xff};

TEST(PacketAdapter, HandsUpWhatTheUnionAsksFor) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  const MacAddress marker = mac_of(kMarker);
  scene.receive(type::kMulticast, {marker});
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(kMarker));
  scene.receive(type::kMulticast | type::kDirected, {marker});
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(scene.mac(), kMarker));
  scene.receive(type::kMulticast | type::kBroadcast, {marker});
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(kAll, kMarker));
  scene.receive(type::kMulticast, {mac_of(kGroupA), marker});
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(kGroupA, kMarker));
  scene.receive(type::kAllMulticast);
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(kGroupA, kGroupB, kMarker));
  scene.receive(type::kPromiscuous);
  EXPECT_THAT(heard(scene, kMarker), ElementsAre(scene.mac(), kAll, kGroupA, kGroupB, kOther, kMarker));
}

TEST(PacketAdapter, NamedTypesAloneAreHandedUp) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kBroadcast, {}, {0x1234, kType});
  scene.left.inject("eth0", Scene::frame(kAll, 0x88b6));
  scene.left.inject("eth0", Scene::frame(kAll));
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.frames.batches, 1);
  // More than a program asks one by one.
  scene.receive(type::kBroadcast, {}, std::vector<std::uint16_t>(100, 7));
  scene.left.inject("eth0", Scene::frame(kAll));
  EXPECT_TRUE(scene.frames.await_count(2));
}

std::string links_of(const Host& host) { return host.run({"ip", "-details", "link", "show", "eth0"}); }
std::string groups_of(const Host& host) { return host.run({"ip", "maddress", "show", "dev", "eth0"}); }

TEST(PacketAdapter, MembershipsFollowTheUnionAndEndWithTheAdapter) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kPromiscuous | type::kAllMulticast | type::kMulticast, {mac_of(kGroupA), mac_of(kGroupB)});
  EXPECT_THAT(links_of(scene.right), HasSubstr("promiscuity 1"));
  EXPECT_THAT(links_of(scene.right), HasSubstr("allmulti 1"));
  EXPECT_THAT(groups_of(scene.right), HasSubstr("01:00:00:00:00:0a"));
  scene.receive(type::kMulticast, {mac_of(kGroupB)});
  EXPECT_THAT(links_of(scene.right), HasSubstr("promiscuity 0"));
  EXPECT_THAT(groups_of(scene.right), Not(HasSubstr("01:00:00:00:00:0a")));
  EXPECT_THAT(groups_of(scene.right), HasSubstr("01:00:00:00:00:0b"));
  ASSERT_TRUE(scene.adapter->reset());
  EXPECT_THAT(groups_of(scene.right), HasSubstr("01:00:00:00:00:0b"));
  scene.receive(type::kPromiscuous);
  scene.adapter.reset();
  EXPECT_THAT(links_of(scene.right), HasSubstr("promiscuity 0"));
  EXPECT_THAT(groups_of(scene.right), Not(HasSubstr("01:00:00:00:00:0b")));
  drain(*scene.source);
  EXPECT_EQ(scene.right.run({"cat", "/proc/thread-self/net/packet"}).find('\n'),
            scene.right.run({"cat", "/proc/thread-self/net/packet"}).rfind('\n'));  // the headline alone
}

TEST(PacketAdapter, HearsNothingBeforeItIsAskedAndWhenNothingIsAskedFor) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.left.inject("eth0", Scene::frame(kAll));
  scene.receive(type::kBroadcast);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 47));
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.frames.all[0].bytes.size(), 61U);
  scene.receive(0);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 48));
  scene.receive(type::kBroadcast);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 49));
  ASSERT_TRUE(scene.frames.await_count(2));
  EXPECT_EQ(scene.frames.all[1].bytes.size(), 63U);
}

TEST(PacketAdapter, SendsFramesInOrderPaddedAndTagged) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
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

TEST(PacketAdapter, RefusesWhatCannotBeSentAndGoesOn) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
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

TEST(PacketAdapter, OwnFramesDoNotComeBackThoseOfTheHostDoWhereAskedFor) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kPromiscuous, {}, {}, true);
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 50)).taken, 1U);
  scene.right.inject("eth0", Scene::frame(kAll, kType, 51));  // another process, as far as the adapter knows
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.frames.all[0].bytes.size(), 65U);
  EXPECT_EQ(scene.frames.all[0].direction, ndis::Direction::kOutgoing);
  scene.receive(type::kPromiscuous);
  scene.right.inject("eth0", Scene::frame(kAll, kType, 52));
  scene.left.inject("eth0", Scene::frame(kAll, kType, 53));
  ASSERT_TRUE(scene.frames.await_count(2));
  EXPECT_EQ(scene.frames.all[1].bytes.size(), 67U);
}

TEST(PacketAdapter, TagsComeApartFromTheFrame) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
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

// A host that sends much by TCP over veth sends super-frames without checksums; the other end sees them as they are.
// clauses: NDIS-139
TEST(PacketAdapter, NeverHandsUpASuperFrameNorAMissingChecksum) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  Frames tcp(0x0800);
  auto opened = scene.source->open(scene.index, tcp);
  ASSERT_TRUE(opened.has_value());
  ndis::Reception wanted;
  wanted.filter = type::kDirected;
  ASSERT_TRUE((*opened)->receive(wanted));
  constexpr std::size_t kBytes = 1 << 20;
  const std::string listen =
      "import socket\ns=socket.create_server(('10.0.0.2',5000))\nprint('ready',flush=True)\nc,_=s.accept()\n"
      "n=0\nwhile True:\n  d=c.recv(65536)\n  if not d: break\n  n+=len(d)\nprint(n,'bytes',flush=True)\n";
  const std::string connect = "import socket\ns=socket.create_connection(('10.0.0.2',5000))\ns.sendall(b'x'*" +
                              std::to_string(kBytes) + ")\ns.close()\n";
  auto server = scene.right.spawn({"python3", "-c", listen});
  server.await_output("ready");
  scene.left.run({"python3", "-c", connect});
  server.await_output(std::to_string(kBytes) + " bytes");
  EXPECT_GT((*opened)->losses().split, 0U);
  EXPECT_EQ((*opened)->losses().oversized + (*opened)->losses().malformed + (*opened)->losses().ring_full, 0U);
  const auto data_bytes = [&tcp] {
    std::size_t sum = 0;
    for (const Received& each : tcp.all) sum += each.bytes.size() - 14 - 20 - std::size_t{each.bytes[46]} / 16 * 4;
    return sum;
  };
  EXPECT_TRUE(tcp.await([&] { return data_bytes() >= kBytes; }));
  for (const Received& each : tcp.all) {
    ASSERT_LE(each.bytes.size(), 1514U);
    Octets sum(each.bytes.begin() + 26, each.bytes.begin() + 34);
    sum.insert(sum.end(), {0, 6, static_cast<std::uint8_t>((each.bytes.size() - 34) >> 8),
                           static_cast<std::uint8_t>(each.bytes.size() - 34)});
    sum.insert(sum.end(), each.bytes.begin() + 34, each.bytes.end());
    ASSERT_EQ(ground::internet_checksum(sum), 0);
  }
}

// Slots are made for the MTU of the opening; larger frames come by another way, in the same order.
TEST(PacketAdapter, GoesOnWhenTheMtuGrows) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
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

TEST(PacketAdapter, DropsAndCountsWhatIsLongerThanTheMtu) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kBroadcast);
  scene.left.ip({"link set eth0 mtu 1504"});  // a veth lets pass what leaves room for a tag
  scene.left.inject("eth0", Scene::frame(kAll, kType, 1501));
  scene.left.inject("eth0", Scene::frame(kAll));
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.frames.all[0].bytes.size(), 60U);
  EXPECT_EQ(scene.adapter->losses().oversized, 1U);
}

TEST(PacketAdapter, IsArmedAgainWhenTheInterfaceIsUpAgain) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kBroadcast);
  scene.right.ip({"link set eth0 down", "link set eth0 up"});
  scene.right.await_running("eth0");
  scene.left.inject("eth0", Scene::frame(kAll));
  EXPECT_TRUE(scene.frames.await_count(1));
  EXPECT_EQ(scene.adapter->losses().rearmed, 1U);
  EXPECT_EQ(scene.frames.breaks, 0);
}

TEST(PacketAdapter, IsBrokenOnceWhenTheInterfaceGoes) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kPromiscuous);
  scene.left.ip({"link del eth0"});
  EXPECT_TRUE(scene.events.await_gone(scene.index));
  EXPECT_TRUE(scene.frames.await([&] { return scene.frames.breaks == 1; }));
  EXPECT_TRUE(scene.send(Scene::frame(kAll)).error.has_value());
  EXPECT_FALSE(scene.adapter->statistics());
  EXPECT_EQ(scene.source->open(scene.index, scene.frames).error().kind, ErrorKind::kNotFound);
}

TEST(PacketAdapter, CountsWhatTheRingCouldNotHold) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  struct Slow final : ndis::FrameSink {
    void received(std::span<const ndis::InFrame> batch) noexcept override {
      gate.with([&] { count += batch.size(); });
      EXPECT_TRUE(gate.await([&] { return open; }));
    }
    void room() noexcept override {}
    void broken(const Error&) noexcept override {}
    Awaiting gate;
    std::size_t count = 0;
    bool open = false;
  } slow;
  auto opened = scene.source->open(scene.index, slow);
  ASSERT_TRUE(opened.has_value());
  ndis::Reception wanted;
  wanted.filter = type::kBroadcast;
  wanted.frame_types = std::span(&kType, 1);
  ASSERT_TRUE((*opened)->receive(wanted));
  const std::size_t total = (*opened)->facts().receive_ring_frames + 500;
  scene.left.inside([&] {
    const ground::Descriptor socket = ground::own(::socket(AF_PACKET, SOCK_RAW, 0), "socket");
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    const Octets frame = Scene::frame(kAll);
    for (std::size_t at = 0; at < total; ++at) {
      ASSERT_GT(::sendto(socket.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&where),
                         sizeof where),
                0);
    }
  });
  EXPECT_TRUE(slow.gate.await([&] { return slow.count > 0; }));
  slow.gate.with([&] { slow.open = true; });
  // What came and what is counted as lost are all that was sent.
  EXPECT_TRUE(slow.gate.await([&] { return slow.count + (*opened)->losses().ring_full == total; }));
  EXPECT_GE((*opened)->losses().ring_full, 400U);
}

TEST(PacketAdapter, ReadsTheCountersOfTheDevice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  const auto before = scene.adapter->statistics();
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(scene.send(Scene::frame(kAll)).taken, 1U);
  const auto after = scene.adapter->statistics();
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(after->tx_packets, before->tx_packets + 1);
  EXPECT_GE(after->tx_bytes, before->tx_bytes + 60);
}

TEST(PacketAdapter, WithoutTheCapabilityIsDenied) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  // A thread of its own gives its capabilities away: each has its own set.
  const auto without = [&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
    const auto denied = scene.source->open(scene.index, scene.frames);
    ASSERT_FALSE(denied.has_value());
    EXPECT_EQ(denied.error().kind, ErrorKind::kDenied);
  };
  std::thread(without).join();  // cannot even go where the interface is
  scene.right.inside([&] { std::thread(without).join(); });
}

}  // namespace
}  // namespace turnpike::kernel
