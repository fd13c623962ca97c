// The conformance suite over the kernel itself, each case in a network namespace of its own.
#include "kernel/real_port.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/scarce_memory.h"
#include "ground/ground.h"
#include "kernel/late_background.h"
#include "kernel/netlink_writer.h"
#include "kernel/port_conformance.h"
#include "net/text.h"

namespace turnpike::kernel {
namespace {

// A host whose links are wires; the other ends lie beside them.
class RealWorld final : public World {
 public:
  explicit RealWorld(ground::Host& host) : host_(host) {
    host_.inside([this] { port_ = open_real_port().value(); });
  }
  Port& port() override { return *port_; }
  InterfaceIndex add_link(const std::string& name) override {
    host_.ip({"link add name " + name + " type veth peer name far-" + name,
              "link set dev " + name + " addrgenmode none", "link set dev far-" + name + " addrgenmode none",
              "link set dev " + name + " up", "link set dev far-" + name + " up"});
    host_.await_running(name);
    return host_.inside([&] { return InterfaceIndex(::if_nametoindex(name.c_str())); });
  }
  void remove_link(const std::string& name) override { host_.ip({"link del dev " + name}); }

 private:
  ground::Host& host_;
  std::unique_ptr<Port> port_;
};

class PortConformance : public ::testing::TestWithParam<Case> {};

TEST_P(PortConformance, Holds) {
  auto ground = ground::Ground::unprivileged({"veth", "nexthop", "rules"});
  if (!ground) return;
  RealWorld world(ground->host("host"));
  GetParam().run(world);
}

INSTANTIATE_TEST_SUITE_P(Real, PortConformance, ::testing::ValuesIn(conformance_cases()),
                         [](const auto& one) { return one.param.name; });

Route dropping(std::uint32_t number) {
  Route route;
  route.destination = Prefix::host(Address::ipv4(0x0b000000 + number));
  route.type = RouteType::kBlackhole;
  return route;
}

// Adds, refused or not, and removes; what is refused is counted.
std::size_t write_some(Writer& writer, Change change) {
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(writer.put(change, dropping(i), i));
  return writer.submit().refused.size();
}

TEST(RealPort, AWriterAllocatesNothingOnceItsListsHaveGrown) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground->host("host").inside([] {
    const auto port = open_real_port().value();
    const auto writer = port->open_writer().value();
    EXPECT_EQ(write_some(*writer, Change::kAdd), 0u);
    EXPECT_EQ(write_some(*writer, Change::kAdd), 100u);
    std::array<std::size_t, 3> refused{};
    {
      const NoMemory none;
      refused = {write_some(*writer, Change::kAdd), write_some(*writer, Change::kRemove),
                 write_some(*writer, Change::kRemove)};
    }
    EXPECT_EQ(refused, (std::array<std::size_t, 3>{100, 0, 100}));
  });
}

// A writer takes no more than its buffer can answer, so the buffer has to shrink behind its back.
TEST(RealPort, ALostAnswerIsToldAndTheNextSubmitIsWhole) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground->host("host").inside([] {
    auto socket = NetlinkSocket::open(NetNamespace::current().value(), NetlinkWriter::kReceiveBytes).value();
    const int number = socket.number();
    NetlinkWriter writer(std::move(socket));
    const int smallest = 0;
    ASSERT_EQ(::setsockopt(number, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest), 0);
    for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(writer.put(Change::kRemove, dropping(i), i));
    const Report lossy = writer.submit();
    EXPECT_TRUE(lossy.answers_lost);
    EXPECT_EQ(lossy.submitted, 100u);
    EXPECT_LT(lossy.refused.size(), 100u);
    ASSERT_TRUE(writer.put(Change::kAdd, dropping(1), 1));
    ASSERT_TRUE(writer.put(Change::kRemove, dropping(2), 2));
    const Report whole = writer.submit();
    EXPECT_FALSE(whole.answers_lost);
    ASSERT_EQ(whole.refused.size(), 1u);
    EXPECT_EQ(whole.refused[0].cookie, 2u);
    EXPECT_EQ(whole.refused[0].error, ESRCH);
  });
}

TEST(RealPort, BelongsToTheNamespaceItWasOpenedIn) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground::Host& home = ground->host("home");
  std::unique_ptr<Port> port;
  home.inside([&] { port = open_real_port().value(); });
  // From here on this thread is elsewhere.
  const auto writer = port->open_writer();
  ASSERT_TRUE(writer) << writer.error().what;
  ASSERT_TRUE(write_now(**writer, Change::kAdd, dropping(1)));
  ASSERT_TRUE(port->write_setting(kCompatMode, "0"));
  EXPECT_EQ(home.run({"ip", "route", "show", "type", "blackhole"}), "blackhole 11.0.0.1 proto 220 \n");
  EXPECT_EQ(open_real_port().value()->read_setting(kCompatMode).value(), "1");
  EXPECT_EQ(port->read_setting(kCompatMode).value(), "0");
}

// Gives up every right of the calling thread, and of no other.
void give_up_rights() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ASSERT_EQ(::syscall(SYS_capset, &head, none.data()), 0);
}

TEST(RealPort, ADumpThatIsReadAheadIsTheSame) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground->host("host").inside([] {
    constexpr std::uint32_t kRoutes = 5000;
    const auto port = open_real_port().value();
    const auto writer = port->open_writer().value();
    for (std::uint32_t i = 0; i < kRoutes; ++i) {
      while (!writer->put(Change::kAdd, dropping(i), i)) EXPECT_TRUE(writer->submit().refused.empty());
    }
    EXPECT_TRUE(writer->submit().refused.empty());
    std::vector<Prefix> seen;
    const Taker<Route> note{{}, [&](const Route& each) { seen.push_back(each.destination); }};
    ASSERT_TRUE(port->dump_routes({.family = Family::kIpv4}, note));
    const auto before = std::exchange(seen, {});
    ASSERT_GE(before.size(), kRoutes);
    LateBackground late;
    port->read_ahead(&late);
    ASSERT_TRUE(port->dump_routes({.family = Family::kIpv4}, note));
    EXPECT_EQ(seen, before);
    EXPECT_GE(late.done_here(), 5U) << "it was longer than one piece";
    const auto asked = late.done_here();
    ASSERT_TRUE(port->dump_links({}));
    EXPECT_EQ(late.done_here(), asked) << "what is short is read here";
    port->read_ahead(nullptr);
    ASSERT_TRUE(port->dump_routes({.family = Family::kIpv4}, note));
    EXPECT_EQ(late.done_here(), asked);
  });
}

TEST(RealPort, SaysThatItMayNotWrite) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground->host("host").inside([] {
    const auto port = open_real_port().value();
    EXPECT_TRUE(port->probe()->may_write);
    std::thread without_rights([&] {
      give_up_rights();
      EXPECT_FALSE(port->probe()->may_write);
      const auto writer = port->open_writer().value();
      EXPECT_EQ(write_now(*writer, Change::kAdd, dropping(1)).error().system_code, EPERM);
      EXPECT_TRUE(port->dump_routes({}, {})) << "but it may read";
    });
    without_rights.join();
  });
}

}  // namespace
}  // namespace turnpike::kernel
