// NDIS-166, NDIS-172, NDIS-173, NDIS-184 … NDIS-191 on the interfaces of a kernel, in a test ground (tests/ground). A
// driver of each generation is bound to the right end of a veth pair between two hosts, beside the right one's stack;
// or, where that makes sense, to the far end of a TAP interface of a single host.
#include <dirent.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "ground/ground.h"
#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using ground::Ground;
using ground::Host;

const Lines kDrivers{"Five", "Six"};

enum class Wire { kVeth, kTap };

class Scene {
 public:
  explicit Scene(Ground& ground, Wire its_wire = Wire::kVeth)
      : left(ground.host("left")), right(its_wire == Wire::kVeth ? ground.host("right") : left), wire(its_wire) {
    if (wire == Wire::kVeth) {
      ground.wire({left, "eth0", {}}, {right, "eth0", {}});
    } else {
      right.ip({"tuntap add eth0 mode tap", "link set eth0 up"});
      EXPECT_EQ(TpNdisUseTap("kind:tun"), NO_ERROR);
    }
    right.inside([this] { library.emplace(TP_NDIS_ADAPTERS_KERNEL); });
    five.emplace("Five");
    six.emplace("Six");
    five->start();
    six->start();
    EXPECT_TRUE(both_hear("bind eth0"));
    EXPECT_TRUE(comes("Five: binds-complete"));
    EXPECT_TRUE(comes("Six: restart eth0"));
    settle();
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() { EXPECT_EQ(TpNdisUseTap(nullptr), NO_ERROR); }

  static void settle() { EXPECT_EQ(TpNdisQuiesce(), NO_ERROR); }
  static bool both_hear(const std::string& what, int times = 1) {
    return comes("Five: " + what, times) && comes("Six: " + what, times);
  }
  // A frame from the left end reaches both; one from each reaches the left end.
  void expect_works(const std::string& link) {
    // Until it is heard: an end whose carrier has just come swallows frames until the kernel has looked at it again.
    for (int time = 0; time < 600; ++time) {
      left.inject(near, frame(kBroadcast, "in"));
      if (comes("Six: gets " + link + " in", 1, std::chrono::milliseconds(100))) {
        break;
      }
    }
    EXPECT_TRUE(both_hear("gets " + link + " in"));
    auto capture = left.capture(near);
    for (Driver* const driver : {static_cast<Driver*>(&*five), static_cast<Driver*>(&*six)}) {
      EXPECT_TRUE(driver->gets_connected(driver->at(link)));
      driver->send(driver->at(link), frame(kPeer, "from " + driver->name()));
      EXPECT_TRUE(capture.await([&](const ground::Frame& seen) {
        return text_of(seen.bytes) == "from " + driver->name();
      })) << driver->name();
    }
    settle();
  }

  Host& left;
  Host& right;
  Wire wire;
  std::string near = "eth0";  // what the left one calls its end
  std::optional<Library> library;
  std::optional<Driver5> five;
  std::optional<Driver6> six;
};

class NdisKernelLinks : public testing::TestWithParam<Wire> {
 protected:
  static std::optional<Ground> a_ground() { return Ground::unprivileged({GetParam() == Wire::kTap ? "tap" : "veth"}); }
};
INSTANTIATE_TEST_SUITE_P(On, NdisKernelLinks, testing::Values(Wire::kVeth, Wire::kTap),
                         [](const auto& one) { return one.param == Wire::kTap ? "tap" : "veth"; });

// Without the frames, which a kernel adds to as it likes.
Lines events() {
  Lines lines = told();
  std::erase_if(lines, [](const std::string& line) {
    return line.find(": gets ") != std::string::npos || line.find(": sent ") != std::string::npos ||
           line.find(": batch ") != std::string::npos || line.find(": answer ") != std::string::npos;
  });
  return lines;
}

// Each line once, of both drivers.
void expect_once_of_both(const Lines& lines, const std::string& what) {
  for (const std::string& driver : kDrivers) {
    EXPECT_EQ(count(lines, driver + ": " + what), 1) << driver << ": " << what;
  }
}

std::size_t open_files() {
  std::size_t number = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (directory != nullptr && ::readdir(directory) != nullptr) {
    ++number;
  }
  ::closedir(directory);
  return number;
}

// Lines of a file of /proc/net, as this thread sees it, but for the first.
Lines rows(const std::string& file) {
  std::ifstream in("/proc/thread-self/net/" + file);
  Lines all;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    all.push_back(line);
  }
  return all;
}

// clauses: NDIS-172 NDIS-173
TEST(NdisVethLinks, TheCarrierFollowsThePeer) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  std::vector<NDIS_LINK_STATE> states;
  scene.six->on_status = [&](Binding&, PNDIS_STATUS_INDICATION shown) {
    if (shown->StatusCode == NDIS_STATUS_LINK_STATE && shown->StatusBufferSize == sizeof(NDIS_LINK_STATE)) {
      states.emplace_back();
      std::memcpy(&states.back(), shown->StatusBuffer, sizeof(NDIS_LINK_STATE));
    }
  };
  told();
  scene.left.ip({"link set eth0 down"});
  ASSERT_TRUE(comes("Five: status-complete eth0"));
  ASSERT_TRUE(comes("Six: status eth0 OPER_STATUS"));
  Scene::settle();
  Lines lines = events();
  EXPECT_EQ(count(lines, "Five: status eth0 MEDIA_DISCONNECT"), 1);
  EXPECT_EQ(count(lines, "Six: status eth0 LINK_STATE"), 1);
  scene.left.ip({"link set eth0 up"});
  ASSERT_TRUE(comes("Five: status eth0 MEDIA_CONNECT"));
  ASSERT_TRUE(comes("Six: status eth0 OPER_STATUS"));
  Scene::settle();
  ASSERT_GE(states.size(), 2U);
  EXPECT_EQ(states.front().MediaConnectState, MediaConnectStateDisconnected);
  EXPECT_EQ(states.back().MediaConnectState, MediaConnectStateConnected);
  EXPECT_EQ(states.back().XmitLinkSpeed, 10'000'000'000U) << "a veth has 10 Gb/s";
  EXPECT_EQ(states.back().RcvLinkSpeed, 10'000'000'000U);
  EXPECT_EQ(scene.five->number(scene.five->last(), OID_GEN_LINK_SPEED), 100'000'000U);
  scene.expect_works("eth0");
}

// clauses: NDIS-166
TEST(NdisVethLinks, StatisticsAreTheKernels) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  scene.expect_works("eth0");
  const auto kernels = [&] {  // rx: bytes packets errors dropped …, tx: the same
    std::istringstream text(scene.right.run({"ip", "-s", "link", "show", "dev", "eth0"}));
    std::vector<std::uint64_t> numbers;
    std::string line;
    while (std::getline(text, line)) {
      if (line.find("RX:") == std::string::npos && line.find("TX:") == std::string::npos) {
        continue;
      }
      std::getline(text, line);
      std::istringstream row(line);
      std::uint64_t number = 0;
      for (int column = 0; column < 4 && row >> number; ++column) {
        numbers.push_back(number);
      }
    }
    return numbers;
  };
  Driver6& six = *scene.six;
  NDIS_STATISTICS_INFO ours{};
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  std::vector<std::uint64_t> before;
  ASSERT_TRUE(eventually([&] {  // between two looks at the kernel's that are the same
    before = kernels();
    const Answer answer = six.query(six.last(), OID_GEN_STATISTICS, sizeof(ours));
    EXPECT_EQ(answer.bytes.size(), sizeof(ours));
    std::memcpy(&ours, answer.bytes.data(), std::min(answer.bytes.size(), sizeof(ours)));
    sent = six.number(six.last(), OID_GEN_XMIT_OK);
    received = six.number(six.last(), OID_GEN_RCV_OK);
    return before.size() == 8 && kernels() == before;
  }));
  EXPECT_GE(before[1], 1U);
  EXPECT_GE(before[5], 2U);
  EXPECT_EQ(ours.ifHCInOctets, before[0]);
  EXPECT_EQ(ours.ifHCInUcastPkts + ours.ifHCInMulticastPkts + ours.ifHCInBroadcastPkts, before[1]);
  EXPECT_EQ(ours.ifInErrors, before[2]);
  EXPECT_EQ(ours.ifHCOutOctets, before[4]);
  EXPECT_EQ(ours.ifOutErrors, before[6]);
  EXPECT_EQ(ours.ifOutDiscards, before[7]);
  EXPECT_EQ(sent, before[5]);
  EXPECT_EQ(received, before[1]);
  EXPECT_EQ(ours.SupportedStatistics & NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT, 0U)
      << "a veth does not tell them apart";
}

// clauses: NDIS-184
TEST_P(NdisKernelLinks, DeletionUnderTrafficUnbindsOnce_choice) {
  auto ground = a_ground();
  if (!ground) {
    return;
  }
  Scene scene(*ground, GetParam());
  told();
  std::thread traffic([&] {
    scene.left.inside([&] {
      try {
        for (;;) {
          scene.left.inject("eth0", frame(kBroadcast, "flood"));
        }
      } catch (const ground::GroundError&) {  // it has gone
      }
    });
  });
  EXPECT_TRUE(Scene::both_hear("gets eth0 flood", 3));
  scene.right.ip({"link del eth0"});
  EXPECT_TRUE(Scene::both_hear("unbind eth0"));
  traffic.join();
  Scene::settle();
  const Lines lines = events();
  expect_once_of_both(lines, "unbind eth0");
  EXPECT_EQ(count(lines, "Six: pause eth0"), 1);
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(counters().retained, 0U);
  scene.right.inside([] { EXPECT_TRUE(eventually([] { return rows("packet").empty(); })) << "a socket is left"; });
}

// clauses: NDIS-185
TEST_P(NdisKernelLinks, TheSameNameAgainIsAnotherAdapter_choice) {
  auto ground = a_ground();
  if (!ground) {
    return;
  }
  Scene scene(*ground, GetParam());
  const std::wstring first = scene.five->last().device;
  EXPECT_EQ(scene.six->last().device, first);
  told();
  scene.right.ip({"link del eth0",
                  GetParam() == Wire::kVeth ? "link add eth0 type veth peer name eth1" : "tuntap add eth0 mode tap",
                  "link set eth0 up"});
  EXPECT_TRUE(Scene::both_hear("bind eth0"));
  Scene::settle();
  const Lines lines = events();
  for (const std::string& driver : kDrivers) {
    EXPECT_EQ(count(lines, driver + ": unbind eth0"), 1);
    EXPECT_LT(std::find(lines.begin(), lines.end(), driver + ": unbind eth0"),
              std::find(lines.begin(), lines.end(), driver + ": bind eth0"));
  }
  EXPECT_NE(scene.five->at("eth0").device, first);
  EXPECT_EQ(scene.five->at("eth0").device, scene.six->at("eth0").device);
}

// clauses: NDIS-186
TEST_P(NdisKernelLinks, ARenameChangesTheNameAlone_choice) {
  auto ground = a_ground();
  if (!ground) {
    return;
  }
  Scene scene(*ground, GetParam());
  const auto name_of = [](NDIS_HANDLE binding) {
    NDIS_STRING name{};
    EXPECT_EQ(NdisQueryAdapterInstanceName(&name, binding), NDIS_STATUS_SUCCESS);
    std::wstring text = wide_text_of(name);
    NdisFreeMemory(name.Buffer, 0, 0);
    return text;
  };
  Binding& five = scene.five->last();
  Binding& six = scene.six->last();
  EXPECT_EQ(name_of(five.handle), L"eth0");
  told();
  scene.right.ip({"link set eth0 down", "link set eth0 name wan0", "link set wan0 up"});
  EXPECT_TRUE(comes("Five: status eth0 MEDIA_CONNECT"));
  EXPECT_TRUE(comes("Six: status eth0 OPER_STATUS", 2));
  EXPECT_TRUE(eventually([&] { return name_of(five.handle) == L"wan0"; }));
  EXPECT_EQ(name_of(six.handle), L"wan0");
  scene.near = GetParam() == Wire::kTap ? "wan0" : "eth0";
  scene.expect_works("eth0");  // as the drivers, who were told once, call it
  scene.right.ip({"link set wan0 alias uplink"});
  EXPECT_TRUE(eventually([&] { return name_of(six.handle) == L"uplink"; }));
  Scene::settle();
  const Lines lines = events();
  for (const std::string& driver : kDrivers) {
    for (const char* const what : {"bind eth0", "unbind eth0", "bind wan0", "bind uplink", "pause eth0"}) {
      EXPECT_EQ(count(lines, driver + ": " + what), 0) << driver << ": " << what;
    }
  }
  EXPECT_EQ(&scene.five->last(), &five);
  EXPECT_EQ(&scene.six->last(), &six);
}

// clauses: NDIS-187
TEST_P(NdisKernelLinks, DownAndUpKeepsTheBinding_choice) {
  auto ground = a_ground();
  if (!ground) {
    return;
  }
  Scene scene(*ground, GetParam());
  scene.expect_works("eth0");
  told();
  scene.right.ip({"link set eth0 down"});
  EXPECT_TRUE(comes("Five: status eth0 MEDIA_DISCONNECT"));
  EXPECT_TRUE(comes("Six: status eth0 OPER_STATUS"));
  scene.five->send(scene.five->last(), frame(kPeer, "down"));
  scene.six->send(scene.six->last(), frame(kPeer, "down"));
  EXPECT_TRUE(comes("Five: sent eth0 down NO_CABLE"));
  EXPECT_TRUE(comes("Six: sent eth0 down MEDIA_DISCONNECTED"));
  EXPECT_EQ(scene.six->number(scene.six->last(), OID_GEN_HARDWARE_STATUS), 4U) << "not ready";
  scene.right.ip({"link set eth0 up"});
  EXPECT_TRUE(comes("Five: status eth0 MEDIA_CONNECT"));
  EXPECT_TRUE(comes("Six: status eth0 OPER_STATUS", 2));
  scene.expect_works("eth0");
  const Lines lines = events();
  for (const std::string& driver : kDrivers) {
    EXPECT_EQ(count(lines, driver + ": unbind eth0"), 0);
    EXPECT_EQ(count(lines, driver + ": bind eth0"), 0);
  }
}

// clauses: NDIS-189
TEST_P(NdisKernelLinks, AMoveToAnotherNamespaceUnbinds_choice) {
  auto ground = a_ground();
  if (!ground) {
    return;
  }
  Scene scene(*ground, GetParam());
  told();
  scene.right.ip({"link set eth0 netns " + ground->host("elsewhere").path()});
  EXPECT_TRUE(Scene::both_hear("unbind eth0"));
  Scene::settle();
  const Lines lines = events();
  expect_once_of_both(lines, "unbind eth0");
  EXPECT_EQ(count(lines, "Six: pause eth0"), 1);
  EXPECT_EQ(counters().bindings, 0U);
}

// While this process stands still, more happens than the kernel keeps for it.
// clauses: NDIS-190
TEST(NdisVethLinks, WhatWasMissedIsToldAsOneNetChange_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  scene.right.ip({"link add old type veth peer name oldpeer", "link set oldpeer up", "link set old up",
                  "link add same type veth peer name samepeer"});
  for (const char* const link : {"old", "oldpeer", "same", "samepeer"}) {
    EXPECT_TRUE(Scene::both_hear(std::string("bind ") + link));
    EXPECT_TRUE(comes(std::string("Six: restart ") + link));
  }
  Scene::settle();
  const std::wstring same = scene.five->at("same").device;
  told();

  const std::string changes =
      "for n in $(seq 6000); do echo link set eth0 alias n$n; done\n"
      "for n in $(seq 20); do echo link set eth0 down; echo link set eth0 up; done\n"
      "echo 'link set eth0 down\nlink del old\nlink del same\nlink add same type veth peer name samepeer\n"
      "link add gone type veth peer name gonepeer\nlink del gone\nlink add new type veth peer name newpeer'";
  scene.right.run({"sh", "-c", "kill -STOP $PPID; { " + changes + "; } | ip -batch -; kill -CONT $PPID"},
                  std::chrono::minutes(2));

  for (const char* const link : {"same", "samepeer", "new", "newpeer"}) {
    EXPECT_TRUE(Scene::both_hear(std::string("bind ") + link)) << link;
  }
  EXPECT_TRUE(comes("Five: status eth0 MEDIA_DISCONNECT"));
  EXPECT_TRUE(comes("Six: status eth0 OPER_STATUS"));
  Scene::settle();
  const Lines lines = events();
  EXPECT_EQ(count(lines, "Five: status eth0 MEDIA_DISCONNECT"), 1);
  EXPECT_EQ(count(lines, "Five: status eth0 MEDIA_CONNECT"), 0) << "the monitor was not behind, or told what is over";
  EXPECT_EQ(count(lines, "Six: status eth0 LINK_STATE"), 1);
  for (const char* const what : {"unbind old", "unbind oldpeer", "unbind same", "unbind samepeer", "bind same",
                                 "bind samepeer", "bind new", "bind newpeer"}) {
    expect_once_of_both(lines, what);
  }
  for (const std::string& driver : kDrivers) {
    for (const char* const what : {"bind gone", "bind gonepeer", "bind eth0", "unbind eth0"}) {
      EXPECT_EQ(count(lines, driver + ": " + what), 0) << driver << ": " << what;
    }
  }
  EXPECT_NE(scene.five->at("same").device, same);
  scene.right.ip({"link set eth0 up"});
  EXPECT_TRUE(comes("Five: status eth0 MEDIA_CONNECT"));
  EXPECT_TRUE(comes("Six: status eth0 OPER_STATUS"));
  scene.expect_works("eth0");
}

// clauses: NDIS-191
TEST(NdisVethLinks, WhatComesAndGoesLeavesNothing_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  scene.right.await_address("eth0", "fe80::/10");  // by then the kernel has joined the groups of its own
  Lines groups;
  std::size_t files = 0;
  std::size_t sockets = 0;
  scene.right.inside([&] {
    files = open_files();
    sockets = rows("packet").size();
    groups = rows("dev_mcast");
  });
  EXPECT_EQ(sockets, 2U) << "one that receives and one that sends for each adapter, whoever is bound";
  const TP_NDIS_COUNTERS before = counters();
  for (int cycle = 0; cycle < 50; ++cycle) {
    told();
    scene.right.ip({"link add come type veth peer name went"});
    ASSERT_TRUE(Scene::both_hear("bind come"));
    ASSERT_TRUE(Scene::both_hear("bind went"));
    Scene::settle();
    EXPECT_EQ(scene.five->set(scene.five->at("come"), OID_802_3_MULTICAST_LIST, bytes_of(kGroup)).status,
              NDIS_STATUS_SUCCESS);
    EXPECT_EQ(scene.six->set_filter(scene.six->at("come"), NDIS_PACKET_TYPE_PROMISCUOUS), NDIS_STATUS_SUCCESS);
    scene.right.ip({"link del come"});
    ASSERT_TRUE(Scene::both_hear("unbind come"));
    ASSERT_TRUE(Scene::both_hear("unbind went"));
    Scene::settle();
    for (const char* const link : {"come", "went"}) {
      scene.five->forget(scene.five->at(link));
      scene.six->forget(scene.six->at(link));
    }
  }
  const TP_NDIS_COUNTERS after = counters();
  EXPECT_EQ(after.bindings, before.bindings);
  EXPECT_EQ(after.adapters, before.adapters);
  scene.right.inside([&] {
    EXPECT_TRUE(eventually([&] { return rows("packet").size() == sockets; })) << rows("packet").size();
    EXPECT_TRUE(eventually([&] { return open_files() == files; })) << open_files() << " instead of " << files;
    EXPECT_TRUE(eventually([&] { return rows("dev_mcast") == groups; }));
  });
  scene.expect_works("eth0");
}

}  // namespace
}  // namespace turnpike::conformance
