// What a test can build and see on the ground.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "ground/ground.h"

namespace turnpike::ground {
namespace {

constexpr std::uint16_t kOurType = 0x88b5;  // the EtherType for local experiments

std::uint16_t type_of(const Bytes& frame) { return static_cast<std::uint16_t>(frame.at(12) << 8 | frame.at(13)); }

Capture::Wanted of_type(std::uint16_t type) {
  return [type](const Frame& frame) { return type_of(frame.bytes) == type; };
}

std::set<std::string> links_here() {
  std::set<std::string> names;
  struct if_nameindex* all = ::if_nameindex();
  for (const auto* link = all; link->if_index != 0; ++link) names.insert(link->if_name);
  ::if_freenameindex(all);
  return names;
}

std::string text_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Network, TwoHostsPingOverAWire) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"10.0.0.1/24", "fd00::1/64"}}, {right, "eth0", {"10.0.0.2/24", "fd00::2/64"}});
  EXPECT_TRUE(left.ping("10.0.0.2"));
  EXPECT_TRUE(right.ping("10.0.0.1"));
  EXPECT_TRUE(left.ping("fd00::2"));
  EXPECT_FALSE(left.ping("10.0.1.1")) << "there is no way to that network";
  left.ip({"link set eth0 down"});
  EXPECT_FALSE(right.ping("10.0.0.1", milliseconds(50)));
}

TEST(Network, BridgeOfThree) {
  auto ground = Ground::unprivileged({"veth", "bridge"});
  if (!ground) return;
  std::vector<End> ends;
  for (const std::string number : {"1", "2", "3"}) {
    ends.push_back({ground->host("host" + number), "eth0", {"10.0.0." + number + "/24"}});
  }
  ground->bridge("switch", ends);
  Capture third = ends[2].host.capture("eth0");
  EXPECT_TRUE(ends[0].host.ping("10.0.0.2"));
  EXPECT_TRUE(ends[1].host.ping("10.0.0.3"));
  EXPECT_TRUE(ends[2].host.ping("10.0.0.1"));
  const auto broadcast = [](const Frame& frame) {
    return !frame.outgoing && frame.bytes[0] == 0xff && frame.bytes[11] == 1;
  };
  EXPECT_TRUE(third.await(broadcast)) << "the ARP request of host1 reaches every port";
}

TEST(Network, RouterBetweenTwoWires) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& router = ground->host("router");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"10.0.1.1/24"}}, {router, "west", {"10.0.1.2/24"}});
  ground->wire({router, "east", {"10.0.2.2/24"}}, {right, "eth0", {"10.0.2.1/24"}});
  left.ip({"route add default via 10.0.1.2"});
  right.ip({"route add default via 10.0.2.2"});
  EXPECT_FALSE(left.ping("10.0.2.1", milliseconds(50))) << "a fresh host does not forward";
  router.forward();
  EXPECT_TRUE(left.ping("10.0.2.1"));
}

TEST(Network, TunRoundTrip) {
  auto ground = Ground::unprivileged({"tun"});
  if (!ground) return;
  Host& host = ground->host("host");
  Tunnel tun = host.tun("tun0");
  host.ip({"addr add 10.0.0.1/24 dev tun0"});
  tun.write(echo_request(0x0a000002, 0x0a000001, 7));
  const auto reply =
      tun.await([](const Bytes& packet) { return packet.size() == 28 && packet[9] == 1 && packet[20] == 0; });
  ASSERT_TRUE(reply) << "the kernel answers the echo request";
  EXPECT_EQ(reply->at(27), 7);
  EXPECT_EQ(internet_checksum(std::span(*reply).subspan(20)), 0);
}

TEST(Network, TapCarriesFramesBothWays) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  Host& host = ground->host("host");
  Tunnel tap = host.tap("tap0");
  Capture capture = host.capture("tap0");
  const Bytes inward = ethernet(255, 9, kOurType, Bytes(46, 1));
  tap.write(inward);
  const auto seen = capture.await(of_type(kOurType));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->bytes, inward);
  const Bytes outward = ethernet(9, 1, kOurType, Bytes(46, 2));
  host.inject("tap0", outward);
  EXPECT_EQ(tap.await([](const Bytes& frame) { return type_of(frame) == kOurType; }), outward);
}

TEST(Network, CaptureSeesAnInjectedFrame) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {}}, {right, "eth0", {}});
  Capture there = right.capture("eth0");
  Capture here = left.capture("eth0");
  const Bytes plain = ethernet(255, 1, kOurType, Bytes(46, 0x5a));
  Bytes tagged = plain;
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x20, 0x07});  // VLAN 7, priority 1
  left.inject("eth0", plain);
  left.inject("eth0", tagged);

  const auto arrived = there.await(of_type(kOurType));
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->bytes, plain);
  EXPECT_FALSE(arrived->outgoing);
  EXPECT_GT(arrived->time.count(), 0);
  const auto sent = here.await(of_type(kOurType));
  ASSERT_TRUE(sent);
  EXPECT_TRUE(sent->outgoing);
  const auto with_tag = there.await(of_type(0x8100));
  ASSERT_TRUE(with_tag) << "a VLAN tag is part of the frame";
  EXPECT_EQ(with_tag->bytes, tagged);
  EXPECT_FALSE(there.await(of_type(kOurType), milliseconds(0))) << "await does not give a frame twice";
  EXPECT_GE(there.frames().size(), 2U);
}

TEST(Network, PcapFileIsOneThatTcpdumpReads) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"10.0.0.1/24"}}, {right, "eth0", {"10.0.0.2/24"}});
  Capture capture = right.capture("eth0");
  ASSERT_TRUE(left.ping("10.0.0.2"));
  std::string folder = std::filesystem::temp_directory_path() / "ground-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/ping.pcap";
  capture.write_pcap(path);
  // As root, tcpdump would want to become somebody else, who does not exist here.
  const std::string text = run({"unshare", "--user", "--map-user=1000", "tcpdump", "-nr", path});
  std::filesystem::remove_all(folder);
  EXPECT_NE(text.find("10.0.0.1 > 10.0.0.2: ICMP echo request"), std::string::npos) << text;
  EXPECT_THROW(capture.write_pcap("/nowhere/at/all.pcap"), GroundError);
}

TEST(Network, TheOutsideIsOutOfReach) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  EXPECT_EQ(links_here(), std::set<std::string>{"lo"}) << "the test's own network is empty";
  Host& host = ground->host("host");
  EXPECT_EQ(host.inside(links_here), std::set<std::string>{"lo"});
  EXPECT_FALSE(host.ping("192.0.2.1", milliseconds(50)));
  EXPECT_TRUE(host.ping("127.0.0.1")) << "loopback is up";
}

TEST(Network, CodeInsideIsInTheHostAndSoAreItsThreads) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "one", {}}, {right, "other", {}});
  std::set<std::string> of_thread;
  std::thread thread;
  left.inside([&] {
    EXPECT_TRUE(links_here().contains("one"));
    right.inside([] { EXPECT_TRUE(links_here().contains("other")); });
    EXPECT_FALSE(links_here().contains("other")) << "back in the host it came from";
    thread = std::thread([&] { of_thread = links_here(); });
  });
  thread.join();
  EXPECT_TRUE(of_thread.contains("one"));
  EXPECT_FALSE(links_here().contains("one"));
  EXPECT_THROW(left.inside([]() -> int { throw GroundError("out"); }), GroundError);
  EXPECT_FALSE(links_here().contains("one")) << "also after an exception";
  EXPECT_EQ(&ground->host("left"), &left);
}

TEST(Network, WaitsForAnAddressThroughDuplicateDetection) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  ground->wire({left, "eth0", {}}, {ground->host("right"), "eth0", {}});
  left.sysctl("net/ipv6/conf/eth0/accept_dad", "1");
  left.sysctl("net/ipv6/conf/eth0/router_solicitation_delay", "0");  // it delays the detection too
  left.sysctl("net/ipv6/neigh/eth0/retrans_time_ms", "50");
  left.ip({"addr add fd00::1/64 dev eth0"});
  left.await_address("eth0", "fd00::1");
  EXPECT_EQ(left.run({"ip", "-o", "addr", "show", "dev", "eth0", "to", "fd00::1", "tentative"}), "");
  EXPECT_THROW(left.await_address("eth0", "fd00::2", milliseconds(20)), GroundError);
}

TEST(Network, WaitsForALinkToRun) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {}}, {right, "eth0", {}});
  right.ip({"link set eth0 down"});
  EXPECT_THROW(left.await_that("no such thing", [] { return false; }, milliseconds(0)), GroundError);
  std::thread later([&] { right.ip({"link set eth0 up"}); });
  left.await_running("eth0");
  later.join();
  EXPECT_THROW(left.await_running("eth1", milliseconds(0)), GroundError) << "there is no such link";
}

TEST(Network, CommandsTellHowTheyEnded) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  Host& host = ground->host("host");
  const Output output = host.attempt({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(output.status, 3);
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
  EXPECT_EQ(host.attempt({"/bin/sh", "-c", "kill -TERM $$"}).status, 128 + 15);
  EXPECT_EQ(host.attempt({"no-such-command"}).status, 127);
  EXPECT_THROW(host.run({"false"}), GroundError);
  EXPECT_THROW(host.ip({"link set nothing up"}), GroundError);
  EXPECT_THROW(host.sysctl("net/ipv4/no_such_key", "1"), GroundError);
  EXPECT_THROW(host.capture("nothing"), GroundError);
  EXPECT_THROW(host.inject("nothing", Bytes(60)), GroundError);
  EXPECT_THROW(host.ping("not an address"), GroundError);
  EXPECT_THROW(host.attempt({"sleep", "1000"}, milliseconds(20)), GroundError);
  EXPECT_THROW(host.spawn({"no-such-command"}), GroundError);
}

TEST(Network, ProcessBesideTheTest) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  Host& host = ground->host("host");
  Process process =
      host.spawn({"/bin/sh", "-c", "trap 'echo bye; kill $!; exit 4' TERM; sleep 1000 & echo ready; wait"});
  process.await_output("ready\n");
  EXPECT_THROW(process.await_end(milliseconds(20)), GroundError);
  EXPECT_THROW(process.await_output("never", milliseconds(20)), GroundError);
  process.signal(15);
  EXPECT_NE(process.await_output("bye\n").find("ready"), std::string::npos);
  EXPECT_EQ(process.await_end(), 4);
  EXPECT_EQ(process.await_end(), 4) << "it has ended only once";
  EXPECT_TRUE(process.await_silence());
}

TEST(Network, TwentyHosts) {
  auto ground = Ground::unprivileged({"veth", "bridge"});
  if (!ground) return;
  std::vector<End> ends;
  for (int i = 1; i <= 20; ++i) {
    const std::string number = std::to_string(i);
    ends.push_back({ground->host("host" + number), "eth0", {"10.0.0." + number + "/24"}});
  }
  ground->bridge("switch", ends);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ends[i].host.ping("10.0.0." + std::to_string((i + 1) % 20 + 1)));
}

TEST(Network, PrivilegedIsRealRoot) {
  auto ground = Ground::privileged({"veth"});
  if (!ground) return;
  EXPECT_EQ(::geteuid(), 0U);
  std::istringstream map(text_of_file("/proc/self/uid_map"));
  unsigned inside = 1;
  unsigned outside = 1;
  unsigned count = 0;
  map >> inside >> outside >> count;
  EXPECT_EQ(outside, 0U);
  EXPECT_EQ(count, 4294967295U) << "the user namespace that the machine began with";
  ground->wire({ground->host("left"), "eth0", {}}, {ground->host("right"), "eth0", {}});
}

TEST(Network, UnprivilegedHasRightsOverItsGroundAlone) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  EXPECT_EQ(::geteuid(), 0U) << "root in its own user namespace";
  std::istringstream map(text_of_file("/proc/self/uid_map"));
  unsigned inside = 1;
  unsigned outside = 1;
  unsigned count = 0;
  map >> inside >> outside >> count;
  EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace turnpike::ground
