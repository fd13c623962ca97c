// TUN and TAP adapters: who may be at the far end of such an interface, what comes and goes there, and what the source
// tells of it; interfaces of the source's own. What they share with others is in adapter_conformance_test.cpp.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "adapter_scene.h"
#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/super_frame.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using ground::Bytes;
using ground::Ground;
using ground::Host;
using ndis::AdapterFacts;
using net::MacAddress;

constexpr std::uint32_t kHostAddress = 0x0a000001;
constexpr std::uint32_t kOurAddress = 0x0a000002;

std::span<const std::byte> raw(const Octets& octets) { return std::as_bytes(std::span(octets)); }

bool send_whole(ndis::Adapter& adapter, const Octets& frame) {
  const std::array pieces{raw(frame)};
  const ndis::OutFrame out{pieces, frame.size(), 0, {}};
  return adapter.send({&out, 1}).taken == 1;
}

TEST(TapAdapter, IsAStationOfItsOwn) {
  auto ground = Ground::unprivileged({"tap", "bridge"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  scene.left.ip({"link set eth0 address 00:11:22:33:44:55"});
  const MacAddress ours({0x06, 0x11, 0x22, 0x33, 0x44, 0x55});
  EXPECT_TRUE(scene.events.await_facts("eth0", [&](const AdapterFacts& facts) { return facts.mac == ours; }));
  scene.left.ip({"link set eth0 address 06:11:22:33:44:55"});
  EXPECT_TRUE(scene.events.await_facts(
      "eth0", [](const AdapterFacts& facts) { return facts.mac == MacAddress({0x02, 0x11, 0x22, 0x33, 0x44, 0x55}); }));
  // What the host does with its end does not concern ours.
  scene.left.ip({"link add br0 type bridge", "link set eth0 master br0"});
  ASSERT_TRUE(scene.events.await_facts("br0", [](const AdapterFacts&) { return true; }));
  choice_changed(*scene.source);
  ASSERT_TRUE(scene.events.await_listed(2));
  EXPECT_FALSE(scene.facts().enslaved);
  EXPECT_EQ(scene.facts().promiscuity, 0U);
  // Its wire is whole while the host's end is up, whether or not anybody is at ours.
  const AdapterFacts facts = scene.facts();
  EXPECT_TRUE(facts.link.connected());
  EXPECT_EQ(facts.link.oper, ndis::OperStatus::kUp);
  EXPECT_EQ(facts.kind, "tun");
  EXPECT_EQ(facts.medium, ndis::Medium::k802_3);
  scene.left.ip({"link set eth0 down"});
  EXPECT_TRUE(scene.events.await_facts("eth0", [](const AdapterFacts& now) { return !now.link.connected(); }));
}

// The whole way: the host asks who has an address, is answered, and gets its echo back.
TEST(TapAdapter, AnswersTheHostAsAnyNeighbourDoes) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  struct Station final : ndis::FrameSink {
    void received(std::span<const ndis::InFrame> batch) noexcept override {
      for (const ndis::InFrame& each : batch) answer(octets(each.bytes));
    }
    void room() noexcept override {}
    void broken(const Error&) noexcept override {}
    void answer(Octets frame) {
      const bool asks = frame.size() >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1 && frame[41] == 2;
      const bool echo = frame.size() >= 42 && frame[12] == 8 && frame[13] == 0 && frame[23] == 1 && frame[34] == 8;
      if (!asks && !echo) return;
      std::copy_n(frame.begin() + 6, 6, frame.begin());
      std::copy_n(mac.begin(), 6, frame.begin() + 6);
      if (asks) {
        frame[21] = 2;
        std::swap_ranges(frame.begin() + 22, frame.begin() + 32, frame.begin() + 32);
        std::copy_n(mac.begin(), 6, frame.begin() + 22);
      } else {
        std::swap_ranges(frame.begin() + 26, frame.begin() + 30, frame.begin() + 30);
        frame[34] = 0;
        frame[36] = frame[37] = 0;
        const std::uint16_t sum = ground::internet_checksum(std::span(frame).subspan(34));
        frame[36] = static_cast<std::uint8_t>(sum >> 8);
        frame[37] = static_cast<std::uint8_t>(sum);
      }
      EXPECT_TRUE(send_whole(*adapter, frame));
    }
    Octets mac;
    ndis::Adapter* adapter = nullptr;
  } station;
  station.mac = scene.mac();
  auto opened = scene.source->open(scene.index, station);
  ASSERT_TRUE(opened.has_value()) << opened.error().what;
  station.adapter = opened->get();
  ndis::Reception wanted;
  wanted.filter = type::kDirected | type::kBroadcast;
  ASSERT_TRUE((*opened)->receive(wanted));
  scene.left.await_running("eth0");
  EXPECT_TRUE(scene.left.ping("10.0.0.2"));
}

TEST(TapAdapter, HearsAllThereIsOnItsWire) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  scene.open();
  ASSERT_STREQ(scene.adapter->facts().name, "tap");
  EXPECT_GE(scene.adapter->facts().receive_ring_frames, 500U);
  EXPECT_EQ(scene.adapter->facts().refused_filter, 0U);
  scene.receive(type::kDirected);
  for (const Octets& to : {scene.mac(), kAll, kGroupA, kOther}) scene.left.inject("eth0", Scene::frame(to));
  ASSERT_TRUE(scene.frames.await_count(4));
  EXPECT_EQ(scene.frames.all[0].direction, ndis::Direction::kHost);
  EXPECT_EQ(scene.frames.all[1].direction, ndis::Direction::kBroadcast);
  EXPECT_EQ(scene.frames.all[2].direction, ndis::Direction::kMulticast);
  EXPECT_EQ(scene.frames.all[3].direction, ndis::Direction::kHost);
  const auto counted = scene.adapter->statistics().value();
  EXPECT_GE(counted.rx_packets, 4U);  // which the host sent
  EXPECT_GE(counted.rx_multicast_frames.value(), 1U);
  EXPECT_GE(counted.rx_broadcast_frames.value(), 1U);
  EXPECT_EQ(counted.tx_packets, 0U);
  // What we send does not come back.
  EXPECT_EQ(scene.send(Scene::frame(kAll, kType, 50)).taken, 1U);
  scene.left.inject("eth0", Scene::frame(kAll, kType, 51));
  ASSERT_TRUE(scene.frames.await_count(5));
  EXPECT_EQ(scene.frames.all[4].bytes.size(), 65U);
  EXPECT_EQ(scene.adapter->statistics()->tx_packets, 1U);
}

// A predecessor had the host leave checksums and the cutting of frames to the device; the interface remembers.
TEST(TapAdapter, HasTheHostDoItsWorkItself) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  scene.left.inside([] {
    const ground::Descriptor before = ground::own(::open("/dev/net/tun", O_RDWR), "/dev/net/tun");
    ifreq request{};
    std::string("eth0").copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    int header = 12;
    ASSERT_EQ(::ioctl(before.get(), TUNSETIFF, &request), 0);
    ASSERT_EQ(::ioctl(before.get(), TUNSETVNETHDRSZ, &header), 0);
    ASSERT_EQ(::ioctl(before.get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6), 0);
  });
  Frames udp(0x0800);
  auto opened = scene.source->open(scene.index, udp);
  ASSERT_TRUE(opened.has_value()) << opened.error().what;
  ndis::Reception wanted;
  wanted.filter = type::kDirected;
  ASSERT_TRUE((*opened)->receive(wanted));
  scene.left.await_running("eth0");
  scene.left.ip({"neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev eth0"});
  scene.left.run({"python3", "-c",
                  "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                  "s.sendto(b'x'*99,('10.0.0.2',5000))\ns.sendto(b'x'*3000,('10.0.0.2',5000))\n"});
  ASSERT_TRUE(udp.await_count(4));  // one, and three fragments
  const Octets& whole = udp.all[0].bytes;
  ASSERT_EQ(whole.size(), 14U + 20 + 8 + 99);
  Octets sum(whole.begin() + 26, whole.begin() + 34);
  sum.insert(sum.end(), {0, 17, 0, 8 + 99});
  sum.insert(sum.end(), whole.begin() + 34, whole.end());
  EXPECT_EQ(ground::internet_checksum(sum), 0);
  EXPECT_EQ((*opened)->losses().oversized + (*opened)->losses().malformed, 0U);
}

TEST(TapAdapter, OneAtATimeIsAtTheFarEnd) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  for (const bool many : {false, true}) {
    scene.left.ip({"tuntap del eth0 mode tap", std::string("tuntap add eth0 mode tap") + (many ? " multi_queue" : ""),
                   "link set eth0 up"});
    const auto index = scene.left.inside([] { return net::InterfaceIndex(::if_nametoindex("eth0")); });
    ASSERT_TRUE(scene.events.await_facts("eth0", [&](const auto& now) { return now.index == index; }));
    auto first = scene.source->open(index, scene.frames);
    ASSERT_TRUE(first.has_value()) << first.error().what;
    EXPECT_EQ(scene.source->open(index, scene.frames).error().kind, ErrorKind::kBusy);
    first->reset();
    // Again at once: who has just left may still be on the way.
    first = scene.source->open(index, scene.frames);
    ASSERT_TRUE(first.has_value()) << first.error().what;
    first->reset();
    drain(*scene.source);
  }
}

TEST(TapAdapter, RefusesWhatIsNoTapAndWhatIsGone) {
  auto ground = Ground::unprivileged({"tap", "veth"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  scene.left.ip({"link add veth0 type veth peer name veth1"});
  ASSERT_TRUE(scene.events.await_facts("veth0", [](const auto&) { return true; }));
  const auto open = [&](const char* name) {
    const auto index = scene.left.inside([name] { return net::InterfaceIndex(::if_nametoindex(name)); });
    return scene.source->open(index, scene.frames);
  };
  EXPECT_EQ(open("veth0").error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(open("lo").error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(open("nobody").error().kind, ErrorKind::kNotFound);
}

// On a thread of its own, in the host: each has its own set of capabilities.
void without_capabilities(const Host& host, const std::function<void()>& work) {
  host.inside([&] {
    std::thread([&] {
      __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
      std::array<__user_cap_data_struct, 2> none{};
      ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
      work();
    }).join();
  });
}

TEST(TapAdapter, NobodyMakesOneWithoutTheCapability) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  without_capabilities(scene.left, [&] {
    EXPECT_EQ(add_tap(*scene.source, "tap8", ndis::Medium::k802_3).error().kind, ErrorKind::kDenied);
  });
  // Nor takes one away.
  const auto made = add_tap(*scene.source, "tap8", ndis::Medium::k802_3);
  ASSERT_TRUE(made.has_value());
  without_capabilities(scene.left,
                       [&] { EXPECT_EQ(remove_tap(*scene.source, *made).error().kind, ErrorKind::kDenied); });
  EXPECT_NE(scene.left.inside([] { return ::if_nametoindex("tap8"); }), 0U);
}

// Root of a user namespace knows no other user to whom an interface could belong.
TEST(TapAdapter, AnothersIsDenied) {
  auto ground = Ground::privileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  scene.left.ip({"tuntap add tap9 mode tap user 65534"});
  ASSERT_TRUE(scene.events.await_facts("tap9", [](const auto&) { return true; }));
  without_capabilities(scene.left, [&] {
    const auto denied = scene.source->open(net::InterfaceIndex(::if_nametoindex("tap9")), scene.frames);
    ASSERT_FALSE(denied.has_value());
    EXPECT_EQ(denied.error().kind, ErrorKind::kDenied);
  });
}

// A kernel takes every frame at once, so a socket stands for the interface here, which its other end empties or does
// not.
TEST(TapAdapter, SaysWhenThereIsRoomAgain) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  const ground::Descriptor far_end(ends[1]);
  Frames frames;
  const AdapterOpening opening{
      std::make_shared<const NetNamespace>(NetNamespace::current().value()),  // allow shared-owner: adapter_opening.h
      frames,
      net::InterfaceIndex(0x7fffffff),
      "nowhere",
      14,
      ndis::Medium::k802_3,
      std::make_shared<const std::atomic<std::uint32_t>>(1500),  // allow shared-owner: adapter_opening.h
      std::make_shared<BackgroundCloser>(),                      // allow shared-owner: adapter_opening.h
      false};
  const auto adapter = open_tap_adapter(opening, Descriptor(ends[0]));
  ASSERT_TRUE(adapter.has_value()) << adapter.error().what;
  std::vector<Octets> many(5000, Scene::frame(kAll, kType, 1400));
  std::vector<std::array<std::span<const std::byte>, 1>> pieces;
  std::vector<ndis::OutFrame> out;
  for (std::size_t number = 0; number < many.size(); ++number) {
    many[number][14] = static_cast<std::uint8_t>(number >> 8);
    many[number][15] = static_cast<std::uint8_t>(number);
    pieces.push_back({raw(many[number])});
  }
  for (const auto& each : pieces) out.push_back({each, each[0].size(), 0, {}});
  std::size_t arrived = 0;
  const auto empty = [&] {
    std::array<std::uint8_t, 2048> read{};
    for (ssize_t size = 0; (size = ::recv(far_end.get(), read.data(), read.size(), 0)) > 0; ++arrived) {
      const Octets frame(read.begin() + sizeof(Offload), read.begin() + size);
      ASSERT_EQ(frame, many[arrived]) << "each once, in order";
    }
  };
  std::size_t sent = 0;
  for (int times = 1; times <= 3; ++times) {
    const ndis::SendAnswer answer = (*adapter)->send(std::span(out).subspan(sent));
    sent += answer.taken;
    ASSERT_LT(sent, out.size()) << "it is never full";
    ASSERT_TRUE(answer.error.has_value());
    EXPECT_EQ(answer.error->kind, ErrorKind::kBusy);
    EXPECT_GE(answer.taken, 1U);
    EXPECT_EQ(frames.with([&] { return frames.rooms; }), times - 1) << "nobody has made any";
    ASSERT_NO_FATAL_FAILURE(empty());
    EXPECT_EQ(arrived, sent);
    EXPECT_TRUE(frames.await([&] { return frames.rooms == times; }));
  }
  EXPECT_EQ(frames.with([&] { return frames.breaks; }), 0);
}

TEST(TapAdapter, CountsWhatNobodyReadInTime) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTap);
  struct Slow final : ndis::FrameSink {
    void received(std::span<const ndis::InFrame>) noexcept override {
      gate.with([&] { reached = true; });
      EXPECT_TRUE(gate.await([&] { return open; }));
    }
    void room() noexcept override {}
    void broken(const Error&) noexcept override {}
    Awaiting gate;
    bool reached = false;
    bool open = false;
  } slow;
  scene.left.ip({"link set eth0 txqueuelen 50"});
  auto opened = scene.source->open(scene.index, slow);
  ASSERT_TRUE(opened.has_value());
  ASSERT_EQ((*opened)->facts().receive_ring_frames, 50U);
  scene.left.await_running("eth0");
  ndis::Reception wanted;
  wanted.filter = type::kBroadcast;
  ASSERT_TRUE((*opened)->receive(wanted));
  scene.left.inject("eth0", Scene::frame(kAll));
  ASSERT_TRUE(slow.gate.await([&] { return slow.reached; }));
  EXPECT_EQ((*opened)->losses().ring_full, 0U);
  for (int count = 0; count < 200; ++count) scene.left.inject("eth0", Scene::frame(kAll));
  // A queue may hold a few more than it says.
  EXPECT_TRUE(slow.gate.eventually([&] { return (*opened)->losses().ring_full >= 100U; }));
  EXPECT_GE((*opened)->statistics()->rx_dropped, 100U);
  ASSERT_TRUE((*opened)->reset());  // what waits is forgotten
  slow.gate.with([&] { slow.open = true; });
}

TEST(TapAdapter, PacketsOfATunAreBare) {
  auto ground = Ground::unprivileged({"tun"});
  if (!ground) return;
  Scene scene(*ground, with(AdapterKind::kTap), Wire::kTun);
  const AdapterFacts facts = scene.facts();
  EXPECT_EQ(facts.medium, ndis::Medium::kIp);
  EXPECT_TRUE(facts.mac.is_zero());
  EXPECT_TRUE(facts.link.connected());
  Frames packets(0);
  auto opened = scene.source->open(scene.index, packets);
  ASSERT_TRUE(opened.has_value()) << opened.error().what;
  ndis::Reception wanted;
  wanted.everything = true;
  ASSERT_TRUE((*opened)->receive(wanted));
  scene.left.await_running("eth0");
  const Bytes asked = ground::echo_request(kOurAddress, kHostAddress, 7);
  ASSERT_TRUE(send_whole(**opened, asked));
  const auto is_answer = [](const Received& each) {
    return each.bytes.size() > 20 && each.bytes[9] == 1 && each.bytes[20] == 0 && each.bytes[19] == 2;
  };
  EXPECT_TRUE(packets.await([&] { return std::ranges::any_of(packets.all, is_answer); }));
  // What is no IP packet the kernel refuses, and goes on.
  EXPECT_FALSE(send_whole(**opened, Octets(40, 0)));
  EXPECT_FALSE(send_whole(**opened, Octets{}));
  EXPECT_FALSE(send_whole(**opened, Octets(1501, 0x45)));
  EXPECT_TRUE(send_whole(**opened, asked));
}

TEST(TapAdapter, OnesOfOurOwnAreThereAsLongAsTheSource) {
  auto ground = Ground::unprivileged({"tap", "tun"});
  if (!ground) return;
  Scene scene(*ground, {}, Wire::kTap);  // nobody chooses TAP
  const auto index = add_tap(*scene.source, "own%d", ndis::Medium::k802_3);
  ASSERT_TRUE(index.has_value()) << index.error().what;
  EXPECT_EQ(scene.facts("own0").index, *index);
  EXPECT_EQ(add_tap(*scene.source, "own0", ndis::Medium::kIp).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(add_tap(*scene.source, "eth0", ndis::Medium::k802_3).error().kind, ErrorKind::kAlreadyExists);
  for (const char* const name : {"", "a/b", "a name that is far too long"})
    EXPECT_EQ(add_tap(*scene.source, name, ndis::Medium::k802_3).error().kind, ErrorKind::kInvalidArgument) << name;
  ASSERT_TRUE(add_tap(*scene.source, "own1", ndis::Medium::kIp).has_value());
  ASSERT_TRUE(scene.events.await_facts("own1", [](const auto& facts) { return facts.medium == ndis::Medium::kIp; }));
  EXPECT_EQ(remove_tap(*scene.source, scene.index).error().kind, ErrorKind::kNotFound);

  for (int round = 0; round < 3; ++round) {  // its adapters come and go, it stays
    auto opened = scene.source->open(*index, scene.frames);
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    ASSERT_STREQ((*opened)->facts().name, "tap");
    ndis::Reception wanted;
    wanted.filter = type::kBroadcast;
    ASSERT_TRUE((*opened)->receive(wanted));
    scene.left.ip({"link set own0 up"});
    scene.left.await_running("own0");
    scene.left.inject("own0", Scene::frame(kAll));
    EXPECT_TRUE(scene.frames.await_count(static_cast<std::size_t>(round) + 1));
    if (round < 2) continue;
    ASSERT_TRUE(remove_tap(*scene.source, *index));
    EXPECT_TRUE(scene.frames.await([&] { return scene.frames.breaks == 1; }));
    EXPECT_TRUE(scene.events.await_gone(*index));
  }
  EXPECT_EQ(remove_tap(*scene.source, *index).error().kind, ErrorKind::kNotFound);
  EXPECT_NE(scene.left.inside([] { return ::if_nametoindex("own1"); }), 0U);
  scene.source->stop();
  scene.source.reset();
  EXPECT_EQ(scene.left.inside([] { return ::if_nametoindex("own1"); }), 0U);
  scene.left.inside([&] { scene.source = open_real_adapters().value(); });  // for the end of the scene
}

TEST(TapAdapter, WhatIsChosenMayChange) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  std::atomic<AdapterKind> kind = AdapterKind::kPacket;
  AdapterOptions options;
  options.choose = [&kind](const AdapterFacts&) { return AdapterChoice{kind, {}}; };
  Scene scene(*ground, std::move(options), Wire::kTap);
  const MacAddress host = scene.facts().mac;
  EXPECT_FALSE(scene.facts().link.carrier);
  kind = AdapterKind::kTap;
  choice_changed(*scene.source);
  EXPECT_TRUE(scene.events.await_facts("eth0", [&](const AdapterFacts& facts) { return facts.mac != host; }));
  kind = AdapterKind::kPacket;
  choice_changed(*scene.source);
  EXPECT_TRUE(scene.events.await_facts("eth0", [&](const AdapterFacts& facts) { return facts.mac == host; }));
}

}  // namespace
}  // namespace turnpike::kernel
