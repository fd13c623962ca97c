// The multicast port over the real kernel: a router between a sender and receivers.
#include "kernel/multicast/multicast_port.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "ground/ground.h"
#include "ground/multicast.h"
#include "net/text.h"

namespace turnpike::kernel {
namespace {

using ground::Ground;
using ground::GroupReceiver;
using ground::GroupSender;

net::Address address(const std::string& text) { return net::parse_address(text).value(); }
mgm::Flow flow(const std::string& source, const std::string& group) { return {address(group), address(source)}; }

// What upcalls said, in words.
class Heard final : public UpcallListener {
 public:
  void on_upcall(const Upcall& upcall) override {
    static const char* const kinds[] = {"unknown", "wrong", "whole", "whole-wrong"};
    last = upcall.flow;
    header = upcall.header.size();
    text = std::string(kinds[static_cast<unsigned>(upcall.kind)]) + " on " + std::to_string(upcall.vif);
    ++count;
  }
  mgm::Flow last;
  std::size_t header = 0;
  std::string text;
  std::size_t count = 0;
};

// Waits for `count` upcalls.
void await(MulticastPort& port, Heard& heard, std::size_t count) {
  const std::size_t wanted = heard.count + count;
  while (heard.count < wanted) {
    pollfd watched{port.descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&watched, 1, 60'000), 1) << "no upcall";
    ASSERT_TRUE(port.read(heard, 64));
  }
}

struct Scene : ground::Fork {
  using Fork::Fork;
  [[nodiscard]] std::unique_ptr<MulticastPort> open(const MulticastOptions& options) const {
    std::string holder;
    return router.inside([&] { return open_multicast_port(options, holder).value(); });
  }
  [[nodiscard]] net::InterfaceIndex device(const char* link) const {
    return router.inside([&] { return net::InterfaceIndex(::if_nametoindex(link)); });
  }
};

class MulticastPortTest : public ::testing::TestWithParam<net::Family> {
 protected:
  static bool is_ipv6() { return GetParam() == net::Family::kIpv6; }
  static std::vector<std::string> parts() { return {"veth", is_ipv6() ? "mroute6" : "mroute"}; }
  static std::string group() { return is_ipv6() ? "ff3e::8000:1" : "239.1.2.3"; }
  static mgm::Flow its_flow() { return flow(is_ipv6() ? "fd00::2" : "10.0.0.2", group()); }
};
INSTANTIATE_TEST_SUITE_P(Families, MulticastPortTest, ::testing::Values(net::Family::kIpv4, net::Family::kIpv6),
                         [](const auto& each) { return each.param == net::Family::kIpv4 ? "IPv4" : "IPv6"; });

TEST_P(MulticastPortTest, TellsOfAFlowAndForwardsItsFirstPacket) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.family = GetParam()});
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  ASSERT_TRUE(port->add_vif(1, scene.device("west")));
  ASSERT_TRUE(port->add_vif(2, scene.device("east")));
  GroupReceiver west(scene.left, "eth0", group());
  GroupReceiver east(scene.right, "eth0", group());
  const GroupSender sender(scene.source, "eth0", is_ipv6());
  for (std::uint32_t i = 0; i < 3; ++i) sender.send(group(), i);
  Heard heard;
  await(*port, heard, 1);
  EXPECT_EQ(heard.text, "unknown on 0");
  EXPECT_EQ(heard.last, its_flow());
  EXPECT_EQ(heard.header, is_ipv6() ? 0U : 20U);
  const mgm::OutVif both[] = {{1, 1}, {2, 1}};
  ASSERT_TRUE(port->put({its_flow(), 0, both}));
  EXPECT_EQ(west.await(3), (std::vector<std::uint32_t>{0, 1, 2})) << "what waited is released";
  EXPECT_EQ(east.await(3).size(), 3U);
  EXPECT_EQ(port->counters(its_flow())->packets, 3U);
  ASSERT_TRUE(port->put({its_flow(), 0, std::span(both).first(1)}));
  sender.send(group(), 3);
  EXPECT_EQ(west.await(1).size(), 1U);
  EXPECT_EQ(port->counters(its_flow())->packets, 4U) << "replaced, and goes on counting";
  ASSERT_TRUE(port->put({its_flow(), 0, {}}));
  sender.send(group(), 4);
  EXPECT_EQ(port->counters(its_flow())->packets, 5U) << "swallowed and counted";
  EXPECT_EQ(port->device_counters(scene.device("in"))->packets_in, 5U);
  EXPECT_TRUE(west.take().empty());
  EXPECT_TRUE(east.take().empty());
  ASSERT_TRUE(port->remove(its_flow()));
  EXPECT_EQ(port->remove(its_flow()).error().system_code, ENOENT);
  EXPECT_FALSE(port->counters(its_flow()));
  sender.send(group(), 5);
  await(*port, heard, 1);
  EXPECT_EQ(port->status().upcalls, 2U);
  EXPECT_EQ(port->status().upcalls_lost, 0U);
}

TEST_P(MulticastPortTest, TellsOfWrongInterfacesWhereAsked) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.family = GetParam(), .wrong_interface = true});
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  ASSERT_TRUE(port->add_vif(1, scene.device("west")));
  ASSERT_TRUE(port->put({its_flow(), 1, {}}));
  GroupSender(scene.source, "eth0", is_ipv6()).send(group(), 1);
  Heard heard;
  await(*port, heard, 1);
  EXPECT_EQ(heard.text, "wrong on 0");
  EXPECT_EQ(port->counters(its_flow())->wrong_interface, 1U);
  EXPECT_EQ(port->counters(its_flow())->packets, 0U);
}

TEST_P(MulticastPortTest, TheSecondIsToldWhoHasTheTable) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.family = GetParam()});
  std::string holder;
  scene.router.inside([&] {
    const auto second = open_multicast_port({.family = GetParam()}, holder);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
    EXPECT_TRUE(holder.starts_with("process " + std::to_string(::getpid()) + " (")) << holder;
    EXPECT_TRUE(open_multicast_port({.family = GetParam(), .table = 7}, holder)) << "another table";
    EXPECT_EQ(open_multicast_port({.family = GetParam(), .table = 1'000'000'000}, holder).error().kind,
              ErrorKind::kInvalidArgument);
  });
  scene.source.inside([&] { EXPECT_TRUE(open_multicast_port({.family = GetParam()}, holder)) << "another namespace"; });
  port->stop();
  scene.router.inside([&] { EXPECT_TRUE(open_multicast_port({.family = GetParam()}, holder)) << "given back"; });
}

TEST_P(MulticastPortTest, RefusesWhatCannotBe) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.family = GetParam()});
  const auto code = [](const Result<void>& result) { return result ? 0 : result.error().system_code; };
  EXPECT_EQ(port->vif_limit(), 32);
  EXPECT_NE(code(port->add_vif(0, net::InterfaceIndex(4711))), 0) << "no such device";
  EXPECT_EQ(code(port->add_vif(32, scene.device("in"))), ENFILE);
  EXPECT_EQ(code(port->add_vif(0, net::InterfaceIndex())), ENFILE);
  ASSERT_EQ(code(port->add_vif(0, scene.device("in"))), 0) << "a refusal has left nothing";
  EXPECT_EQ(code(port->add_vif(1, scene.device("in"))), EADDRINUSE) << "the device again";
  EXPECT_EQ(code(port->add_vif(0, scene.device("west"))), EADDRINUSE) << "the number again";
  EXPECT_EQ(code(port->remove_vif(1)), EADDRNOTAVAIL);
  EXPECT_EQ(code(port->remove_vif(99)), EADDRNOTAVAIL);
  EXPECT_EQ(port->device_counters(scene.device("west")).error().kind, ErrorKind::kNotFound);
  const auto unicast = flow(is_ipv6() ? "fd00::2" : "10.0.0.2", is_ipv6() ? "fd00::3" : "10.0.0.3");
  EXPECT_EQ(code(port->put({unicast, 0, {}})), EINVAL);
  ASSERT_EQ(code(port->remove_vif(0)), 0);
  EXPECT_EQ(code(port->add_vif(0, scene.device("west"))), 0);
}

TEST_P(MulticastPortTest, ADeviceThatReturnsForwardsAgain) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.family = GetParam()});
  const auto west = scene.device("west");
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  ASSERT_TRUE(port->add_vif(1, west));
  const mgm::OutVif out[] = {{1, 1}};
  ASSERT_TRUE(port->put({its_flow(), 0, out}));
  scene.router.ip({"link set west name renamed"});
  const GroupSender sender(scene.source, "eth0", is_ipv6());
  GroupReceiver receiver(scene.left, "eth0", group());
  sender.send(group(), 1);
  EXPECT_EQ(receiver.await(1).size(), 1U) << "a name is nothing";
  port->device_gone(west);
  EXPECT_EQ(port->status().vifs_lost, 0U) << "it is there";
  const std::string index = std::to_string(west.value());
  scene.router.ip({"link del renamed"});
  port->device_gone(west);
  EXPECT_EQ(port->status().vifs_lost, 1U);
  EXPECT_EQ(port->devices().size(), 2U);
  EXPECT_FALSE(port->device_there(west)) << "it is not";
  scene.router.ip({"link add west index " + index + " type veth peer name eth0 netns " + scene.left.path(),
                   "link set west up", "addr add 10.0.1.1/24 dev west", "addr add fd00:1::1/64 dev west"});
  scene.left.ip({"link set eth0 up", "addr add 10.0.1.2/24 dev eth0", "addr add fd00:1::2/64 dev eth0"});
  scene.left.await_running("eth0");
  scene.router.await_running("west");
  GroupReceiver again(scene.left, "eth0", group());
  ASSERT_TRUE(port->device_there(west));
  EXPECT_EQ(port->status().vifs_lost, 0U);
  sender.send(group(), 2);
  EXPECT_EQ(again.await(1), std::vector<std::uint32_t>{2});
  scene.router.ip({"link del west"});
  EXPECT_TRUE(port->remove_vif(1)) << "gone before we heard of it";
}

// The port ends without a stop, as it does when its process is killed; the next one begins where it was.
TEST_P(MulticastPortTest, TheNextLifeFindsWhatStands) {
  auto ground = Ground::unprivileged(parts());
  if (!ground) return;
  const Scene scene(*ground);
  ground::Process keeper = scene.router.spawn({TURNPIKE_KEEPER});
  keeper.await_output("keeping");
  const MulticastOptions kept{.family = GetParam(), .table = 7, .keep = true};
  const auto gone = flow(is_ipv6() ? "fd00::3" : "10.0.0.3", group());
  {
    auto port = scene.open(kept);
    EXPECT_TRUE(port->status().kept);
    ASSERT_TRUE(port->add_vif(5, scene.device("east")));
    ASSERT_TRUE(port->add_vif(0, scene.device("in")));
    ASSERT_TRUE(port->add_vif(1, scene.device("west")));
    const mgm::OutVif out[] = {{1, 1}};
    ASSERT_TRUE(port->put({its_flow(), 0, out}));
    ASSERT_TRUE(port->put({gone, 0, out}));
    ASSERT_TRUE(port->remove_vif(5));
    std::string holder;
    scene.router.inside([&] { EXPECT_EQ(open_multicast_port(kept, holder).error().kind, ErrorKind::kBusy); });
    EXPECT_TRUE(holder.starts_with("process " + std::to_string(::getpid()) + " (")) << holder;
  }
  auto port = scene.open(kept);
  EXPECT_EQ(port->status().taken_over, 2U);
  EXPECT_EQ(port->unclaimed().size(), 2U);
  EXPECT_EQ(port->unclaimed()[0].parent, mgm::kNoVif) << "nobody holds it yet";
  ASSERT_TRUE(port->add_vif(0, scene.device("east")));  // the numbers of this life are others
  ASSERT_TRUE(port->add_vif(1, scene.device("in")));
  EXPECT_EQ(port->unclaimed()[0].parent, 1);
  const mgm::OutVif out[] = {{0, 1}};
  ASSERT_TRUE(port->put({its_flow(), 1, out}));
  EXPECT_EQ(port->status().unclaimed, 1U);
  port->sweep();
  EXPECT_EQ(port->status().unclaimed, 0U);
  EXPECT_TRUE(port->counters(its_flow()));
  EXPECT_FALSE(port->counters(gone));
  EXPECT_EQ(port->device_counters(scene.device("west")).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(port->device_counters(scene.device("in")));
  port->stop();
  EXPECT_EQ(scene.open(kept)->status().taken_over, 0U);
}

// IPv4 alone: IPv6 has no thresholds.
TEST(MulticastPortIpv4, APacketLeavesIfItsTimeToLiveIsGreater) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({});
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  ASSERT_TRUE(port->add_vif(1, scene.device("west")));
  ASSERT_TRUE(port->add_vif(2, scene.device("east")));
  const mgm::OutVif out[] = {{1, 16}, {2, 1}};
  ASSERT_TRUE(port->put({flow("10.0.0.2", "239.1.2.3"), 0, out}));
  GroupReceiver west(scene.left, "eth0", "239.1.2.3");
  GroupReceiver east(scene.right, "eth0", "239.1.2.3");
  const GroupSender sender(scene.source, "eth0");
  sender.send("239.1.2.3", 16, 16);
  sender.send("239.1.2.3", 17, 17);
  EXPECT_EQ(west.await(1), std::vector<std::uint32_t>{17});
  EXPECT_EQ(east.await(2).size(), 2U);
}

// Reports of hosts are not for this socket, however many come.
TEST(MulticastPortIpv4, ReportsOfHostsDoNotFillItsBuffer) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Scene scene(*ground);
  scene.source.sysctl("net/ipv4/conf/all/force_igmp_version", "2");
  auto port = scene.open({});
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  const auto capture = scene.router.capture("in");
  const GroupReceiver member(scene.source, "eth0", "239.9.9.9");
  const GroupSender sender(scene.source, "eth0");
  sender.send_as(0x0a000002, 0xef010203, 1, 32, 2);
  Heard heard;
  await(*port, heard, 1);
  EXPECT_EQ(heard.header, 28U) << "with its options";
  EXPECT_EQ(port->status().upcalls_ignored, 0U);
  pollfd watched{port->descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 0);
}

// What does not fit is counted, and nothing else is lost.
TEST(MulticastPortIpv4, LossesAreCounted) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Scene scene(*ground);
  auto port = scene.open({.receive_buffer = 1});
  EXPECT_GT(port->status().receive_buffer, 0U);
  ASSERT_TRUE(port->add_vif(0, scene.device("in")));
  const GroupSender sender(scene.source, "eth0");
  for (std::uint32_t i = 0; i < 200; ++i) sender.send_as(0x0a050000 + i, 0xef010203, i);
  Heard heard;
  while (*port->read(heard, 64) != 0) {
  }
  EXPECT_LT(heard.count, 200U);
  sender.send_as(0x0a000002, 0xef010204, 1);
  await(*port, heard, 1);
  EXPECT_EQ(port->status().upcalls_lost + heard.count, 201U);
}

TEST(MulticastPortIpv4, AnUnprivilegedProcessIsRefused) {
  auto ground = Ground::unprivileged({"mroute"});
  if (!ground) return;
  ground->host("host").inside([] {
    std::thread([] {  // rights are a thread's own
      __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
      const __user_cap_data_struct none[2] = {};
      ASSERT_EQ(::syscall(SYS_capset, &header, none), 0);
      std::string holder;
      const auto refused = open_multicast_port({}, holder);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().kind, ErrorKind::kDenied);
    })
        .join();
  });
}

}  // namespace
}  // namespace turnpike::kernel
