// MGM over the real kernel: sources, a router with several protocols in it, receivers. What only the kernel can show of
// the contract, and that what the contract says is what packets do.
#include <net/if.h>
#include <sys/resource.h>
#include <turnpike/forwarder.h>
#include <turnpike/mgm6.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "../../../examples/mgm/host_reports.h"
#include "ground/ground.h"
#include "ground/multicast.h"
#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

using Town = ground::Fork;
using ground::Ground;
using ground::GroupReceiver;
using ground::GroupSender;

using Numbers = std::vector<std::uint32_t>;
constexpr auto kShortly = std::chrono::milliseconds(100);

// Asks again until it is so; what is awaited happens on MGM's thread.
void await(const char* what, const std::function<bool()>& there) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!there()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "in vain: " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // allow sleeping-test: nothing tells of the state
  }
}

// A router's multicast table, read where the kernel shows it; lines without the head.
Lines proc(const std::string& file) {
  std::ifstream in("/proc/thread-self/net/" + file);
  Lines lines;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) lines.push_back(line);
  return lines;
}
std::string setting(const std::string& path) {
  std::ifstream in("/proc/sys/net/" + path);
  std::string value;
  in >> value;
  return value;
}

DWORD start(uint32_t flags = 0, uint32_t table = 0, std::string* holder = nullptr) {
  TP_MGM_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = flags;
  options.kernel_table = table;
  char who[128] = "";
  const DWORD answer = TpMgmForwarderStart(&options, who, sizeof who);
  if (holder != nullptr) *holder = who;
  return answer;
}

// Plays `test` on the router with the kernel forwarding, and looks that nothing is left.
void on_router(const Town& town, const std::function<void()>& test, uint32_t flags = 0) {
  town.router.inside([&] {
    ASSERT_EQ(start(flags), 0U);
    EXPECT_EQ(status().forwarder, TP_MGM_FORWARDER_KERNEL);
    test();
    ASSERT_EQ(TpMgmForwarderStop(), 0U);
    EXPECT_EQ(status().forwarder, TP_MGM_FORWARDER_MEMORY);
    EXPECT_EQ(proc("ip_mr_vif"), Lines{});
    EXPECT_EQ(proc("ip_mr_cache"), Lines{});
  });
}

// A client without callbacks that holds all links, with a way to the source.
class Static : public Protocol {
 public:
  explicit Static(const Town& town) : Protocol("static", 0, 0, true), way_("10.0.0.0", 24, town.in) {
    holds({town.in, town.west, town.east});
  }

 private:
  Way way_;
};

const Key kFlow = key("10.0.0.2", "239.1.1.1");

// clauses: MGM-095 MGM-096
TEST(MgmKernel, AJoinBringsTrafficAndALeaveStopsIt) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Protocol p("p");
    p.holds({town.in, town.west, town.east});
    const Way way("10.0.0.0", 24, town.in);
    std::vector<BYTE> header;
    std::atomic<int> asked = 0;
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    const GroupSender sender(town.source, "eth0");
    p->on_rpf = [&](const RpfCall& call) {
      header.assign(call.header, call.header + call.header_size);
      for (std::uint32_t i = 1; i < 4 && asked == 0; ++i) sender.send_as(0x0a000002, 0xef010101, i, 32, 2);
      ++asked;
    };
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    sender.send_as(0x0a000002, 0xef010101, 0, 32, 2);
    EXPECT_EQ(receiver.await(4), (Numbers{0, 1, 2, 3})) << "what waited while the client was asked";
    ASSERT_EQ(asked, 1);  // and what the callback wrote is seen here
    ASSERT_EQ(header.size(), 28U) << "with its options";
    EXPECT_EQ(header[0], 0x47);
    EXPECT_EQ(std::vector(header.begin() + 12, header.begin() + 20), (std::vector<BYTE>{10, 0, 0, 2, 239, 1, 1, 1}));
    EXPECT_EQ(std::vector(header.begin() + 20, header.end()), std::vector<BYTE>(8, 1));
    ASSERT_EQ(p.remove(any_source("239.1.1.1"), town.west), 0U);
    sender.send("239.1.1.1", 5);
    EXPECT_EQ(shown(kFlow), std::to_string(town.in) + " ->") << "negative: dropped without a further question";
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    sender.send("239.1.1.1", 6);
    EXPECT_EQ(receiver.await(1), Numbers{6});
    EXPECT_EQ(status().unknown_flows, 1U);
    EXPECT_EQ(TpMgmForgetEntry(p, kFlow.source, kFlow.group), 0U);
    EXPECT_EQ(TpMgmForgetEntry(p, kFlow.source, kFlow.group), static_cast<DWORD>(ERROR_NOT_FOUND));
    EXPECT_EQ(proc("ip_mr_cache"), Lines{});
    sender.send("239.1.1.1", 7);
    EXPECT_EQ(receiver.await(1), Numbers{7}) << "after another question";
    EXPECT_EQ(status().unknown_flows, 2U);
  });
}

TEST(MgmKernel, OnlyTheSourceThatIsWantedComes) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    const Static p(town);
    GroupReceiver left(town.left, "eth0", "239.1.1.1");
    GroupReceiver right(town.right, "eth0", "239.1.1.1");
    ASSERT_EQ(p.add(kFlow, town.west), 0U);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.east), 0U);
    const GroupSender sender(town.source, "eth0");
    sender.send("239.1.1.1", 1);
    sender.send_as(0x0a000003, 0xef010101, 2);
    EXPECT_EQ(right.await(2).size(), 2U);
    EXPECT_EQ(left.await(1), Numbers{1});
    EXPECT_EQ(left.await(1, kShortly), Numbers{});
  });
}

// clauses: MGM-027 MGM-036
TEST(MgmKernel, VirtualInterfacesComeWithTheFirstHolderAndGoWithTheLast) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    EXPECT_EQ(proc("ip_mr_vif").size(), 0U);
    Protocol p("p");
    Protocol igmp("igmp", kIgmp);
    ASSERT_EQ(p.take(town.west), 0U);
    EXPECT_EQ(proc("ip_mr_vif").size(), 1U);
    EXPECT_EQ(setting("ipv4/conf/west/mc_forwarding"), "1");
    ASSERT_EQ(igmp.take(town.west), 0U);
    ASSERT_EQ(p.take(town.west, ip("10.0.1.7")), 0U);
    EXPECT_EQ(proc("ip_mr_vif").size(), 1U) << "one for the device";
    ASSERT_EQ(p.release(town.west), 0U);
    ASSERT_EQ(p.release(town.west, ip("10.0.1.7")), 0U);
    EXPECT_EQ(setting("ipv4/conf/west/mc_forwarding"), "1");
    ASSERT_EQ(igmp.release(town.west), 0U);
    EXPECT_EQ(proc("ip_mr_vif").size(), 0U);
    EXPECT_EQ(setting("ipv4/conf/west/mc_forwarding"), "0");
    EXPECT_EQ(p.take(4711), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE)) << "no such device";
  });
}

TEST(MgmKernel, TheThirtyThirdDeviceIsRefusedAndTheOthersWork) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    std::vector<std::string> lines;
    for (int i = 0; i < 31; ++i) lines.push_back("link add more" + std::to_string(i) + " type veth");
    town.router.ip(lines);
    Protocol p("p", 0, 0, true);
    p.holds({town.in, town.west});
    for (int i = 0; i < 31; ++i) {
      const DWORD more = ::if_nametoindex(("more" + std::to_string(i)).c_str());
      EXPECT_EQ(p.take(more), i < 30 ? DWORD{NO_ERROR} : DWORD{ERROR_CAN_NOT_COMPLETE}) << i;
    }
    const Way way("10.0.0.0", 24, town.in);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    GroupSender(town.source, "eth0").send("239.1.1.1", 1);
    EXPECT_EQ(receiver.await(1), Numbers{1});
  });
}

// Three protocols on one box: what hosts of one want, the others hear, and packets follow.
TEST(MgmKernel, ProtocolsPassJoinsToEachOther) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Protocol upstream("up");
    Protocol downstream("down");
    Protocol igmp("igmp", kIgmp);
    upstream.holds({town.in});
    downstream.holds({town.west, town.east});
    igmp.holds({town.west});
    const Way way("10.0.0.0", 24, town.in);
    told();
    ASSERT_EQ(igmp.add(any_source("239.1.1.1"), town.west), 0U);
    EXPECT_EQ(told(),
              (Lines{"down: local join (*,239.1.1.1) " + std::to_string(town.west), "up: join (*,239.1.1.1) TRUE"}));
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    const GroupSender sender(town.source, "eth0");
    sender.send("239.1.1.1", 1);
    EXPECT_EQ(receiver.await(1), Numbers{1});
    Lines lines;
    await("the entry's alerts", [&] {
      for (const auto& line : told()) lines.push_back(line);
      return lines.size() == 3;
    });
    EXPECT_EQ(lines, (Lines{"up: rpf (10.0.0.2,239.1.1.1) " + std::to_string(town.in) + " by *",
                            "down: creation (10.0.0.2,239.1.1.1) " + std::to_string(town.in) + " -> " +
                                std::to_string(town.west) + "+igmp",
                            "up: join (10.0.0.2,239.1.1.1) FALSE"}));
    // The interface is handed to another protocol, and back to IGMP alone; packets follow whoever has members there.
    ASSERT_EQ(downstream.release(town.west), 0U);
    EXPECT_EQ(shown(kFlow), std::to_string(town.in) + " ->");
    ASSERT_EQ(igmp.add(any_source("239.1.1.1"), town.west), 0U);
    sender.send("239.1.1.1", 2);
    EXPECT_EQ(receiver.await(1), Numbers{2});
    ASSERT_EQ(upstream.take(town.west), 0U);
    sender.send("239.1.1.1", 3);
    EXPECT_EQ(receiver.await(1, kShortly), Numbers{}) << "IGMP has not yet added its groups again";
    ASSERT_EQ(igmp.add(any_source("239.1.1.1"), town.west), 0U);
    sender.send("239.1.1.1", 4);
    EXPECT_EQ(receiver.await(1), Numbers{4});
  });
}

// IGMP as far as it takes to do what hosts on one link report.
class Reader {
 public:
  Reader(const Protocol& igmp, DWORD link, const char* name)
      : igmp_(igmp), link_(link), socket_(host_reports_open(name)) {
    EXPECT_GE(socket_, 0);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { ::close(socket_); }
  void read() {
    while (host_reports_read(socket_, told, this) != 0) {
    }
  }
  // Reads until the router has so many memberships.
  void await(std::uint64_t memberships) {
    conformance::await("the hosts' reports", [&] {
      read();
      return status().memberships == memberships;
    });
  }

 private:
  static void told(void* context, const host_report* report) {
    const auto& self = *static_cast<Reader*>(context);
    Key about{};
    std::memcpy(&about.source, report->source, sizeof about.source);
    std::memcpy(&about.group, report->group, sizeof about.group);
    if (report->family != AF_INET || report->group[0] != 239) return;
    EXPECT_EQ(report->joins != 0 ? self.igmp_.add(about, self.link_) : self.igmp_.remove(about, self.link_), 0U);
  }
  const Protocol& igmp_;
  DWORD link_;
  int socket_;
};

// IGMP on the west link, and a protocol towards the source.
struct Box {
  explicit Box(const Town& town)
      : upstream("up", 0, 0, true),
        igmp("igmp", kIgmp),
        way("10.0.0.0", 24, town.in),
        reader(igmp, town.west, "west"),
        sender(town.source, "eth0") {
    upstream.holds({town.in});
    igmp.holds({town.west});
  }
  Protocol upstream;
  Protocol igmp;
  Way way;
  Reader reader;
  GroupSender sender;
};

void hosts_join_and_leave(const char* version) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  town.left.sysctl("net/ipv4/conf/eth0/force_igmp_version", version);
  on_router(town, [&] {
    Box box(town);
    {
      GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
      box.reader.await(1);
      box.sender.send("239.1.1.1", 1);
      EXPECT_EQ(receiver.await(1), Numbers{1}) << "a join brings traffic";
    }
    box.reader.await(0);
    EXPECT_EQ(shown(kFlow), std::to_string(town.in) + " ->") << "and a leave stops it";
  });
}
TEST(MgmKernel, HostsJoinAndLeaveByReportsOfIgmp2) { hosts_join_and_leave("2"); }
TEST(MgmKernel, HostsJoinAndLeaveByReportsOfIgmp3) { hosts_join_and_leave("3"); }

TEST(MgmKernel, AHostThatWantsOneSourceGetsThatOne) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Box box(town);
    {
      GroupReceiver receiver(town.left, "eth0", "239.1.1.1", "10.0.0.2");
      box.reader.await(1);
      EXPECT_EQ(box.upstream.groups(), Lines{"(10.0.0.2,239.1.1.1)"});
      box.sender.send_as(0x0a000003, 0xef010101, 2);
      box.sender.send("239.1.1.1", 1);
      EXPECT_EQ(receiver.await(1), Numbers{1});
      EXPECT_EQ(shown(key("10.0.0.3", "239.1.1.1")), std::to_string(town.in) + " ->");
    }
    box.reader.await(0);
  });
}

// Each report cut off everywhere, and each byte of it another: nothing is read beyond its end.
TEST(HostReports, OfAnyLengthAndContentAreReadWithinTheirBounds) {
  std::vector<std::vector<std::uint8_t>> packets(2);
  packets[0] = {0x46, 0, 0, 48, 0, 0, 0, 0, 1, 2, 0,   0, 10, 0, 0, 2, 224, 0, 0,   22, 0x94, 4, 0,  0, 0x22, 0,
                0,    0, 0, 0,  0, 2, 4, 0, 0, 0, 239, 1, 1,  1, 6, 0, 0,   1, 239, 1,  1,    2, 10, 0, 0,    2};
  packets[1].assign(48 + 8 + 4 + 32, 0);
  packets[1][0] = 0x60;
  packets[1][40] = 58;
  packets[1][48] = 143;
  packets[1][55] = 1;
  packets[1][56] = 5;
  packets[1][59] = 1;
  packets[1][60] = packets[1][76] = 0xff;
  int told = 0;
  const auto count = [](void* context, const host_report*) { ++*static_cast<int*>(context); };
  for (const auto& packet : packets) host_reports_in(packet.data(), packet.size(), count, &told);
  EXPECT_EQ(told, 3) << "join, leave of a source, join of one";
  for (const auto& packet : packets) {
    for (std::size_t size = 0; size <= packet.size(); ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::vector<std::uint8_t> other(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
        other.shrink_to_fit();
        other[at] = 0xff;
        host_reports_in(other.data(), other.size(), count, &told);
      }
    }
  }
}

TEST(MgmKernel, PacketsOnAWrongInterfaceAreTold) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(
      town,
      [&] {
        Protocol p("p");
        Protocol q("q");
        p.holds({town.in});
        q.holds({town.west, town.east});
        const Way way("10.0.0.0", 24, town.in);
        ASSERT_EQ(q.add(any_source("239.1.1.1"), town.west), 0U);
        GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
        GroupSender(town.source, "eth0").send("239.1.1.1", 1);
        EXPECT_EQ(receiver.await(1), Numbers{1});
        told();
        const GroupSender elsewhere(town.right, "eth0");
        for (int i = 0; i < 3; ++i) elsewhere.send_as(0x0a000002, 0xef010101, 2);
        const std::string expected = "q: wrong (10.0.0.2,239.1.1.1) " + std::to_string(town.east);
        Lines lines;
        await("the alert", [&] {
          for (const auto& line : told()) lines.push_back(line);
          return std::count(lines.begin(), lines.end(), expected) == 1;
        });
        EXPECT_EQ(receiver.take(), Numbers{}) << "they are not forwarded";
        EXPECT_EQ(stats(kFlow).head.ulPktsDifferentIf, 3U);
        EXPECT_EQ(stats(kFlow).head.ulInPkts, 1U);
      },
      TP_MGM_WRONG_INTERFACE);
}

TEST(MgmKernel, StatisticsAreTheKernels) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    const Static p(town);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.east), 0U);
    GroupReceiver receiver(town.right, "eth0", "239.1.1.1");
    const GroupSender sender(town.source, "eth0");
    for (std::uint32_t i = 0; i < 4; ++i) sender.send("239.1.1.1", i);
    EXPECT_EQ(receiver.await(4).size(), 4U);
    ASSERT_EQ(p.remove(any_source("239.1.1.1"), town.west), 0U);
    for (std::uint32_t i = 0; i < 3; ++i) sender.send("239.1.1.1", i);
    EXPECT_EQ(receiver.await(3).size(), 3U);
    const Stats read = stats(kFlow);
    EXPECT_EQ(read.head.ulInPkts, 7U);
    EXPECT_EQ(read.head.ulInOctets, 7U * 32);
    ASSERT_EQ(read.out.size(), 1U);
    EXPECT_EQ(read.out[0].ulOutPackets, 7U);
    EXPECT_EQ(read.head.ulTotalOutPackets, 11U);
    TP_MGM_DEVICE_COUNTERS counters{};
    ASSERT_EQ(TpMgmGetDeviceCounters(town.in, &counters), 0U);
    EXPECT_EQ(counters.packets_in, 7U);
    ASSERT_EQ(TpMgmGetDeviceCounters(town.west, &counters), 0U);
    EXPECT_EQ(counters.packets_out, 4U);
    EXPECT_EQ(TpMgmGetDeviceCounters(4711, &counters), static_cast<DWORD>(ERROR_NOT_FOUND));
  });
}

TEST(MgmKernel, ScopesAndThresholdsHold) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    const Static p(town);
    for (const DWORD device : {town.west, town.east}) {
      ASSERT_EQ(p.add(any_source("239.1.1.1"), device), 0U);
      ASSERT_EQ(p.add(any_source("239.2.1.1"), device), 0U);
    }
    const TP_MGM_BOUNDARY local{ip("239.2.0.0"), ip("255.255.0.0")};
    ASSERT_EQ(TpMgmSetScope(town.west, 16, &local, 1), 0U);
    GroupReceiver left(town.left, "eth0", "239.1.1.1");
    GroupReceiver right(town.right, "eth0", "239.1.1.1");
    GroupReceiver left_local(town.left, "eth0", "239.2.1.1");
    GroupReceiver right_local(town.right, "eth0", "239.2.1.1");
    const GroupSender sender(town.source, "eth0");
    sender.send("239.1.1.1", 16, 16);
    sender.send("239.1.1.1", 17, 17);
    sender.send("239.2.1.1", 1);
    EXPECT_EQ(right.await(2).size(), 2U);
    EXPECT_EQ(left.await(1), Numbers{17});
    EXPECT_EQ(right_local.await(1), Numbers{1});
    ASSERT_EQ(TpMgmSetScope(town.west, 1, nullptr, 0), 0U);
    sender.send("239.1.1.1", 2, 2);
    sender.send("239.2.1.1", 2);
    EXPECT_EQ(left.await(1), Numbers{2});
    EXPECT_EQ(left_local.await(1), Numbers{2}) << "and nothing before";
  });
}

TEST(MgmKernel, DevicesMayGoAndComeBack) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    const Static p(town);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    const GroupSender sender(town.source, "eth0");
    town.router.ip({"link set west name renamed"});
    {
      GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
      sender.send("239.1.1.1", 1);
      EXPECT_EQ(receiver.await(1), Numbers{1}) << "a name is nothing";
    }
    town.router.ip({"link del renamed"});
    await("it is lost", [&] { return status().devices_lost == 1; });
    EXPECT_EQ(proc("ip_mr_vif").size(), 2U);
    town.router.ip(
        {"link add west index " + std::to_string(town.west) + " type veth peer name eth0 netns " + town.left.path(),
         "link set west up", "addr add 10.0.1.1/24 dev west"});
    town.left.ip({"link set eth0 up", "addr add 10.0.1.2/24 dev eth0"});
    town.left.await_running("eth0");
    town.router.await_running("west");
    await("it is back", [&] { return status().devices_lost == 0; });
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    sender.send("239.1.1.1", 2);
    EXPECT_EQ(receiver.await(1), Numbers{2});
    town.router.ip({"link del west"});
    EXPECT_EQ(p.release(town.west), 0U) << "gone, and given up";
    EXPECT_EQ(status().forwarder_refusals, 0U);
  });
}

TEST(MgmKernel, TheUnicastViewLeadsToSourcesWhereAsked) {
  auto ground = Ground::unprivileged({"veth", "mroute", "nexthop"});
  if (!ground) return;
  const Town town(*ground);
  on_router(
      town,
      [&] {
        ASSERT_EQ(TpForwarderStart(nullptr, nullptr, 0), 0U);  // imports the kernel's routes: the connected networks
        {
          Protocol p("p", 0, 0, true);
          p.holds({town.in, town.west});
          ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
          GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
          GroupSender(town.source, "eth0").send("239.1.1.1", 1);
          EXPECT_EQ(receiver.await(1), Numbers{1});
          const Mfe read = mfe(kFlow);
          EXPECT_EQ(read.head.dwInIfIndex, town.in);
          EXPECT_EQ(read.head.dwRouteNetwork, ip("10.0.0.0"));
          EXPECT_EQ(read.head.dwRouteProtocol, 2U) << "PROTO_IP_LOCAL";
        }
        ASSERT_EQ(TpForwarderStop(1), 0U);
      },
      TP_MGM_UNICAST_VIEW);
}

TEST(MgmKernel, ASourceOutOfReachIsDroppedUntilThereIsAWay) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    Protocol p("p");
    p.holds({town.in, town.west});
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    told();
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    const GroupSender sender(town.source, "eth0");
    for (std::uint32_t i = 0; i < 3; ++i) sender.send("239.1.1.1", i);
    await("a negative entry", [&] { return shown(kFlow) == std::to_string(town.in) + " ->"; });
    EXPECT_EQ(told(), Lines{});
    const Way way("10.0.0.0", 24, town.in);
    await("it goes", [&] { return proc("ip_mr_cache").empty(); });
    sender.send("239.1.1.1", 9);
    EXPECT_EQ(receiver.await(1), Numbers{9}) << "and nothing before";
  });
}

TEST(MgmKernel, AStopLeavesNothing) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  on_router(town, [&] {
    const Static p(town);
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    GroupSender(town.source, "eth0").send("239.1.1.1", 1);
    EXPECT_EQ(receiver.await(1), Numbers{1});
    EXPECT_EQ(TpMgmForwarderStop(), static_cast<DWORD>(ERROR_BUSY)) << "a client is registered";
    EXPECT_NE(town.router.run({"ip", "-d", "link", "show", "dev", "west"}).find("allmulti 1"), std::string::npos);
    EXPECT_EQ(setting("ipv4/conf/all/mc_forwarding"), "1");
  });
  town.router.inside([&] {
    EXPECT_EQ(setting("ipv4/conf/all/mc_forwarding"), "0");
    EXPECT_EQ(setting("ipv4/conf/west/mc_forwarding"), "0");
    EXPECT_EQ(town.router.run({"ip", "-d", "link", "show", "dev", "west"}).find("allmulti 1"), std::string::npos);
    EXPECT_EQ(TpMgmForwarderStop(), static_cast<DWORD>(ERROR_NOT_FOUND));
  });
}

// clauses: MGM-127
TEST(MgmKernel, ATableHasOneOwnerAndThereAreSeveral) {
  auto ground = Ground::unprivileged({"veth", "mroute", "rules"});
  if (!ground) return;
  const Town town(*ground);
  town.router.inside([&] {
    std::string holder;
    {
      ground::Process other = town.router.spawn(
          {"/usr/bin/python3", "-IS", "-c",
           "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 2); s.setsockopt(0, 200, 1)\n"
           "print('mine', flush=True); time.sleep(100)"});
      other.await_output("mine");
      EXPECT_EQ(start(0, 0, &holder), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
      EXPECT_EQ(holder, "process " + std::to_string(other.pid()) + " (python3)");
      ASSERT_EQ(start(0, 7, &holder), 0U) << "another table";
      EXPECT_EQ(holder, "");
      Protocol p("p", 0, 0, true);
      p.holds({town.in, town.west});
      EXPECT_EQ(proc("ip_mr_vif").size(), 0U) << "the other table's";
      const Way way("10.0.0.0", 24, town.in);
      ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
      town.router.run({"ip", "mrule", "add", "iif", "in", "lookup", "7"});
      GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
      GroupSender(town.source, "eth0").send("239.1.1.1", 1);
      EXPECT_EQ(receiver.await(1), Numbers{1});
      EXPECT_EQ(proc("ip_mr_cache").size(), 0U) << "the other table's";
    }
    EXPECT_EQ(TpMgmForwarderStop(), 0U);
  });
}

// The kernel keeps a packet of an unknown flow for ten seconds, and then it is gone. So that this is about MGM and not
// about whatever else the machine does meanwhile, this process goes first.
class First {
 public:
  First() : before_(::getpriority(PRIO_PROCESS, 0)) { set(-20); }
  First(const First&) = delete;
  First& operator=(const First&) = delete;
  ~First() { set(before_); }

 private:
  static void set(int nice) { EXPECT_EQ(::setpriority(PRIO_PROCESS, 0, nice), 0); }
  int before_;
};

// Each flow is asked for once, and its first packet is the first that arrives.
TEST(MgmKernel, ABurstOfTenThousandFlowsIsForwardedAtTheFirstTry) {
  auto ground = Ground::privileged({"veth", "mroute"});  // for a buffer beyond the system's limit
  if (!ground) return;
  constexpr std::uint32_t kFlows = 10'000;
  const First first;  // MGM's thread is made by this one, and goes first as well
  const Town town(*ground);
  on_router(town, [&] {
    Protocol p("p", 0, 0, true);
    p.holds({town.in, town.west});
    const Way way("10.0.0.0", 8, town.in);
    const GroupSender sender(town.source, "eth0");
    ASSERT_EQ(p.add(any_source("239.1.1.1"), town.west), 0U);
    GroupReceiver receiver(town.left, "eth0", "239.1.1.1");
    for (std::uint32_t i = 0; i < kFlows; ++i) sender.send_as(0x0a100000 + i, 0xef010101, i);
    Numbers numbers = receiver.await(kFlows);
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(std::unique(numbers.begin(), numbers.end()) - numbers.begin(), std::ptrdiff_t{kFlows});
    await("each was asked for", [&] { return status().upcalls >= kFlows; });
    EXPECT_EQ(status().upcalls_lost, 0U);
    EXPECT_EQ(status().entries, kFlows);
  });
}

TEST(MgmKernel, BadInputIsRefused) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Town town(*ground);
  constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
  town.router.inside([&] {
    TP_MGM_FORWARDER_OPTIONS options{};
    EXPECT_EQ(TpMgmForwarderStart(&options, nullptr, 0), kWrong) << "no size";
    EXPECT_EQ(start(0x80), kWrong);
    EXPECT_EQ(start(0, 1'000'000'000), kWrong);
    EXPECT_EQ(TpMgmForwarderStop(), static_cast<DWORD>(ERROR_NOT_FOUND));
    EXPECT_EQ(TpMgmAllClaimed(), static_cast<DWORD>(ERROR_NOT_FOUND));
    EXPECT_EQ(TpMgmGetDeviceCounters(town.in, nullptr), kWrong);
    TP_MGM_DEVICE_COUNTERS counters{};
    EXPECT_EQ(TpMgmGetDeviceCounters(town.in, &counters), static_cast<DWORD>(ERROR_NOT_FOUND));
    EXPECT_EQ(TpMgmForgetEntry(nullptr, ip("10.0.0.2"), ip("239.1.1.1")), kWrong);
    EXPECT_EQ(TpMgm6ForgetEntry(kGarbage, nullptr), kWrong);
    EXPECT_EQ(TpMgmSetScope(town.in, 0, nullptr, 0), kWrong);
    EXPECT_EQ(TpMgmSetScope(town.in, 256, nullptr, 0), kWrong);
    EXPECT_EQ(TpMgmSetScope(town.in, 1, nullptr, 1), kWrong);
    const TP_MGM_BOUNDARY hole{ip("239.0.0.0"), ip("255.0.255.0")};
    EXPECT_EQ(TpMgmSetScope(town.in, 1, &hole, 1), kWrong);
    EXPECT_EQ(TpMgmSetScope(town.in, 1, &hole, 0xffffffff), kWrong);
    {
      const Protocol p("p");
      EXPECT_EQ(start(), static_cast<DWORD>(ERROR_BUSY)) << "too late";
    }
    ASSERT_EQ(TpMgmForwarderStart(nullptr, nullptr, 0), 0U);
    EXPECT_EQ(start(), static_cast<DWORD>(ERROR_ALREADY_EXISTS));
    EXPECT_EQ(TpMgmForwarderStop(), 0U);
    TP_MGM_STATUS small{};
    small.size = 8;
    EXPECT_EQ(TpMgmGetStatus(&small), 0U);
    small.size = 7;
    EXPECT_EQ(TpMgmGetStatus(&small), kWrong);
    EXPECT_EQ(TpMgmGetStatus(nullptr), kWrong);
  });
}

}  // namespace
}  // namespace turnpike::conformance
