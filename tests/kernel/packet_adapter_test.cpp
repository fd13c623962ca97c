// Packet adapters on real interfaces: what they hand up, what they ask of the device, what they leave behind. What they
// have in common with TAP adapters is in adapter_conformance_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
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

std::string sockets_of(const Host& host) { return host.run({"ss", "-0", "-b", "-n"}); }

TEST(PacketAdapter, HasTheKernelThrowAwayWhatIsNotWantedWhereThatIsMuch) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.open();
  scene.receive(type::kBroadcast, {}, {kType});
  EXPECT_THAT(sockets_of(scene.right), HasSubstr("bpf filter"));
  scene.receive(type::kBroadcast);
  EXPECT_THAT(sockets_of(scene.right), Not(HasSubstr("bpf filter")));
  const Octets long_payload = Scene::frame(kGroupA, kType, 1400);
  for (int at = 0; at < 20; ++at) scene.left.inject("eth0", at % 2 == 0 ? Scene::frame(kGroupA) : long_payload);
  scene.left.inject("eth0", Scene::frame(kAll));
  ASSERT_TRUE(scene.frames.await_count(1));
  EXPECT_THAT(sockets_of(scene.right), Not(HasSubstr("bpf filter")));
  for (int at = 0; at < 100; ++at) scene.left.inject("eth0", Scene::frame(kGroupA));
  scene.left.inject("eth0", Scene::frame(kAll));
  ASSERT_TRUE(scene.frames.await_count(2));
  EXPECT_THAT(sockets_of(scene.right), HasSubstr("bpf filter"));
  scene.receive(type::kAllMulticast);  // still sifted, by another program
  EXPECT_THAT(sockets_of(scene.right), HasSubstr("bpf filter"));
  scene.left.inject("eth0", Scene::frame(kAll));
  scene.left.inject("eth0", Scene::frame(kGroupA));
  ASSERT_TRUE(scene.frames.await_count(3));
  EXPECT_EQ(scene.frames.all[2].bytes[0], 1);
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
  // To and fro, which changes by which socket frames go out: they do, and never come back.
  auto capture = scene.left.capture("eth0");
  for (const bool local : {true, false, true}) {
    EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 60)).taken, 1U);
    scene.receive(type::kPromiscuous, {}, {}, local);
    EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 60), {0x6005, 0x8100}).taken, 1U);
    for (int sent = 0; sent < 2; ++sent)
      capture.await([](const ground::Frame& frame) { return frame.bytes[11] == 0x77; });
  }
  scene.left.inject("eth0", Scene::frame(kAll, kType, 54));
  ASSERT_TRUE(scene.frames.await_count(3));
  EXPECT_EQ(scene.frames.all[2].bytes.size(), 68U);
}

// A connection by TCP from left to right.
class Stream {
 public:
  explicit Stream(Scene& scene) {
    const ground::Descriptor listener = scene.right.inside([] { return socket_of_tcp(); });
    const sockaddr_in where = address();
    const auto* const named = reinterpret_cast<const sockaddr*>(&where);
    EXPECT_EQ(::bind(listener.get(), named, sizeof where), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    from_ = scene.left.inside([] { return socket_of_tcp(); });
    EXPECT_EQ(::connect(from_.get(), named, sizeof where), 0);
    to_ = ground::own(::accept(listener.get(), nullptr, nullptr), "accept");
  }
  // The other end has it when this returns.
  void pass(std::size_t bytes) {
    std::vector<char> some(bytes, 'x');
    ASSERT_EQ(::send(from_.get(), some.data(), bytes, 0), static_cast<ssize_t>(bytes));
    ASSERT_EQ(::recv(to_.get(), some.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
  }

 private:
  static ground::Descriptor socket_of_tcp() { return ground::own(::socket(AF_INET, SOCK_STREAM, 0), "socket"); }
  static sockaddr_in address() {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(5000);
    where.sin_addr.s_addr = htonl(0x0a000002);
    return where;
  }
  ground::Descriptor from_, to_;
};

// A host that sends much by TCP over veth sends super-frames without checksums; the other end sees them as they are.
// Piece by piece, for what the adapter has not looked at yet has to fit into what the kernel keeps for it.
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
  constexpr std::size_t kPiece = 32 << 10, kBytes = 32 * kPiece;
  const auto data_bytes = [&tcp] {
    std::size_t sum = 0;
    for (const Received& each : tcp.all) sum += each.bytes.size() - 14 - 20 - std::size_t{each.bytes[46]} / 16 * 4;
    return sum;
  };
  Stream stream(scene);
  for (std::size_t sent = kPiece; sent <= kBytes; sent += kPiece) {
    ASSERT_NO_FATAL_FAILURE(stream.pass(kPiece));
    ASSERT_TRUE(tcp.await([&] { return data_bytes() >= sent; }));
  }
  EXPECT_GT((*opened)->losses().split, 0U);
  EXPECT_EQ((*opened)->losses().oversized + (*opened)->losses().malformed + (*opened)->losses().ring_full, 0U);
  for (const Received& each : tcp.all) {
    ASSERT_LE(each.bytes.size(), 1514U);
    Octets sum(each.bytes.begin() + 26, each.bytes.begin() + 34);
    sum.insert(sum.end(), {0, 6, static_cast<std::uint8_t>((each.bytes.size() - 34) >> 8),
                           static_cast<std::uint8_t>(each.bytes.size() - 34)});
    sum.insert(sum.end(), each.bytes.begin() + 34, each.bytes.end());
    ASSERT_EQ(ground::internet_checksum(sum), 0);
    ASSERT_TRUE(each.checksum_good);
  }
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

bool await_frames(ground::Capture& capture, const Octets& frame, std::size_t count) {
  const auto seen = [&] {
    return static_cast<std::size_t>(
        std::ranges::count(capture.frames(), frame, [](const ground::Frame& each) { return each.bytes; }));
  };
  while (seen() < count) {
    if (!capture.await([](const ground::Frame&) { return true; })) return false;
  }
  return true;
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
    auto arrived = scene.right.capture("eth0");
    for (std::size_t at = 0; at < total; ++at) {
      // Before it is given to any socket, a frame may wait in a queue of the processor, which has an end, too.
      if (at % 100 == 0) ASSERT_TRUE(await_frames(arrived, frame, at));
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
