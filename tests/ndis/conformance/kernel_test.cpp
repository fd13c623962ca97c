// NDIS-086, NDIS-152, NDIS-154 where there is a kernel: what protocol drivers make it do to a real interface,
// and what it shows them of its own. The right one of two hosts on a wire has the drivers.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include "ground/ground.h"
#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using ground::Ground;
using ground::Host;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kGroupText = "01:80:c2:00:00:0e";
constexpr const char* kOtherGroupText = "01:80:c2:00:00:0f";

Host& wired(Ground& ground) {
  ground.wire({ground.host("left"), "eth0", {"10.0.0.1/24"}}, {ground.host("right"), "eth0", {"10.0.0.2/24"}});
  return ground.host("right");
}

std::string link_of(const Host& host) { return host.run({"ip", "-details", "link", "show", "eth0"}); }
std::string groups_of(const Host& host) { return host.run({"ip", "maddress", "show", "dev", "eth0"}); }

// Returns when the driver is bound to eth0, and may send and receive.
void start(Driver& driver, bool six) {
  driver.start();
  ASSERT_TRUE(comes(driver.name() + (six ? ": restart eth0" : ": bind eth0")));
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
}

void join(Driver& driver, const Mac& group) {
  EXPECT_EQ(driver.set(driver.last(), OID_802_3_MULTICAST_LIST, bytes_of(group)).status, NDIS_STATUS_SUCCESS);
}

// clauses: NDIS-152
TEST(NdisKernel, MirrorsTheUnionOfWhatIsAskedFor_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  const Host& right = wired(*ground);
  right.inside([&] {
    const Library library(TP_NDIS_ADAPTERS_KERNEL);
    Driver6 p("P");
    Driver5 q("Q");
    p.filter = q.filter = 0;
    start(p, true);
    start(q, false);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 0"));
    // The interface is promiscuous while anybody wants it, and once for all of them.
    EXPECT_EQ(p.set_filter(p.last(), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 1"));
    EXPECT_EQ(q.set_filter(q.last(), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 1"));
    EXPECT_EQ(p.set_filter(p.last(), NDIS_PACKET_TYPE_MULTICAST), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 1"));
    EXPECT_EQ(q.set_filter(q.last(), NDIS_PACKET_TYPE_ALL_MULTICAST), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 0"));
    EXPECT_THAT(link_of(right), HasSubstr("allmulti 1"));
    // A group wants the list and the bit: P has both, Q the list alone at first.
    join(p, kGroup);
    join(q, kOtherGroup);
    EXPECT_THAT(groups_of(right), HasSubstr(kGroupText));
    EXPECT_THAT(groups_of(right), Not(HasSubstr(kOtherGroupText)));
    EXPECT_EQ(q.set_filter(q.last(), NDIS_PACKET_TYPE_MULTICAST), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(link_of(right), HasSubstr("allmulti 0"));
    EXPECT_THAT(groups_of(right), HasSubstr(kGroupText));
    EXPECT_THAT(groups_of(right), HasSubstr(kOtherGroupText));
    p.deregister();
    EXPECT_THAT(groups_of(right), Not(HasSubstr(kGroupText)));
    EXPECT_THAT(groups_of(right), HasSubstr(kOtherGroupText));
    EXPECT_EQ(q.deregister(), NDIS_STATUS_SUCCESS);
    EXPECT_THAT(groups_of(right), Not(HasSubstr(kOtherGroupText)));
    told();
  });
}

// clauses: NDIS-154
TEST(NdisKernel, ShowsWhatTheHostItselfSends) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  const Host& right = wired(*ground);
  right.inside([&] {
    const Library library(TP_NDIS_ADAPTERS_KERNEL);
    Driver6 p("P");
    Driver5 q("Q");
    Driver6 r("R");
    p.filter = q.filter = NDIS_PACKET_TYPE_ALL_LOCAL;
    r.filter = NDIS_PACKET_TYPE_DIRECTED;
    start(p, true);
    start(q, false);
    start(r, true);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 0"));
    told();
    right.inject("eth0", frame(kPeer, "from the host"));
    EXPECT_TRUE(comes("P: gets eth0 from the host"));
    EXPECT_TRUE(comes("Q: gets eth0 from the host"));
    EXPECT_TRUE(right.ping("10.0.0.1"));
    right.inject("eth0", frame(kPeer, "last"));
    EXPECT_TRUE(comes("P: gets eth0 last"));
    EXPECT_TRUE(comes("Q: gets eth0 last"));
    for (Driver* each : {static_cast<Driver*>(&p), static_cast<Driver*>(&q)}) {
      int echoes = 0;
      for (const Received& got : each->received()) {
        echoes += got.looped && got.bytes.size() > 34 && got.bytes[12] == 0x08 && got.bytes[13] == 0x00 &&
                          got.bytes[23] == 1 && got.bytes[34] == 8
                      ? 1
                      : 0;
      }
      EXPECT_EQ(echoes, 1) << each->name();
    }
    EXPECT_EQ(count(told(), "R: gets eth0 from the host"), 0);
    EXPECT_THAT(link_of(right), HasSubstr("promiscuity 0"));
  });
}

// clauses: NDIS-086
TEST(NdisKernel, ForgetsADriverThatIsKilled_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  const Host& right = wired(*ground);
  ground::Process driver = right.spawn({"/proc/self/exe", "--hold"});
  driver.await_output("held");
  EXPECT_THAT(link_of(right), HasSubstr("promiscuity 1"));
  EXPECT_THAT(groups_of(right), HasSubstr(kGroupText));
  driver.signal(SIGKILL);
  EXPECT_EQ(driver.await_end(), 128 + SIGKILL);
  EXPECT_THAT(link_of(right), HasSubstr("promiscuity 0"));
  EXPECT_THAT(groups_of(right), Not(HasSubstr(kGroupText)));
  const std::string sockets = right.run({"cat", "/proc/thread-self/net/packet"});
  EXPECT_EQ(sockets.find('\n'), sockets.rfind('\n')) << sockets;  // the headline alone
}

// An interface that the library made goes with the program; one that somebody else made is there for the next.
// clauses: NDIS-086
TEST(NdisKernel, LeavesTheFarEndOfATapWhenItIsKilled_choice) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) return;
  const Host& host = ground->host("host");
  host.ip({"tuntap add tap0 mode tap"});
  const auto hold = [&] {
    ground::Process driver = host.spawn({"/proc/self/exe", "--hold-tap"});
    driver.await_output("held");
    EXPECT_THAT(host.run({"ip", "-o", "link", "show"}), HasSubstr("eth0"));
    driver.signal(SIGKILL);
    EXPECT_EQ(driver.await_end(), 128 + SIGKILL);
    const std::string left = host.run({"ip", "-o", "link", "show"});
    EXPECT_THAT(left, Not(HasSubstr("eth0")));
    EXPECT_THAT(left, HasSubstr("tap0"));
  };
  hold();
  hold();
}

// What these tests kill: a program with a driver that asks for all there is of eth0.
int hold(bool tap) {
  if (tap) TpNdisUseTap("tap0");
  const Library library(TP_NDIS_ADAPTERS_KERNEL);
  std::uint32_t index = 0;
  if (tap && TpNdisAddTap("eth0", TP_NDIS_TAP, &index) != NO_ERROR) return 1;
  Driver6 p("P");
  p.filter = NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_MULTICAST;
  start(p, true);
  if (tap && !comes("P: restart tap0")) return 1;
  join(p, kGroup);
  std::puts("held");
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}

}  // namespace
}  // namespace turnpike::conformance

int main(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == "--hold") {
    return turnpike::conformance::hold(false);
  }
  if (count == 2 && std::string_view(words[1]) == "--hold-tap") {
    return turnpike::conformance::hold(true);
  }
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
