// What becomes of interfaces, as the source of adapters tells it: the events of F.5 of the contract.
#include <gtest/gtest.h>
#include <net/if.h>

#include "adapter_parts.h"

namespace turnpike::kernel {
namespace {

using ground::Ground;
using ground::Host;
using ndis::AdapterEvent;
using ndis::AdapterFacts;
using ndis::Medium;

class Scene {
 public:
  explicit Scene(Ground& ground, AdapterOptions options = {}) : host(ground.host("one")), other(ground.host("two")) {
    host.inside([&] { source = open_real_adapters(std::move(options)).value(); });
  }
  ~Scene() { source->stop(); }
  void start() {
    ASSERT_TRUE(source->start(events));
    ASSERT_TRUE(events.await_listed());
  }
  net::InterfaceIndex index_of(const std::string& name) {
    return host.inside([&] { return net::InterfaceIndex(::if_nametoindex(name.c_str())); });
  }

  Host& host;
  Host& other;
  Events events;
  std::unique_ptr<ndis::AdapterSource> source;
};

TEST(AdapterSource, ListsWhatIsThereBeforeAnythingElse) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  ground->wire({scene.host, "eth0", {}}, {scene.other, "eth0", {}});
  scene.start();
  const auto all = scene.events.with([&] { return scene.events.all; });  // and perhaps news behind the list
  const auto listed = std::ranges::find(all, AdapterEvent::Kind::kListed, &AdapterEvent::kind) - all.begin();
  ASSERT_GE(listed, 3);
  EXPECT_EQ(all.front().kind, AdapterEvent::Kind::kListing);
  EXPECT_TRUE(std::all_of(all.begin() + 1, all.begin() + listed,
                          [](const AdapterEvent& each) { return each.kind == AdapterEvent::Kind::kSeen; }));
  const AdapterFacts facts = scene.events.facts("eth0").value();
  EXPECT_EQ(facts.index, scene.index_of("eth0"));
  EXPECT_NE(facts.namespace_id, 0U);
  EXPECT_EQ(facts.kind, "veth");
  EXPECT_EQ(facts.driver, "veth");
  EXPECT_EQ(facts.medium, Medium::k802_3);
  EXPECT_EQ(facts.physical, ndis::PhysicalMedium::k802_3);
  EXPECT_EQ(facts.if_type, 6);
  EXPECT_EQ(facts.mtu, 1500U);
  EXPECT_FALSE(facts.mac.is_zero());
  EXPECT_TRUE(facts.link.connected());
  EXPECT_EQ(facts.link.oper, ndis::OperStatus::kUp);
  EXPECT_EQ(facts.link.speed, 10'000'000'000U);
  EXPECT_EQ(facts.link.duplex, ndis::Duplex::kFull);
  EXPECT_EQ(scene.events.facts("lo")->medium, Medium::kLoopback);
}

TEST(AdapterSource, TellsWhatBecomesOfAnInterface) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.start();
  ground->wire({scene.host, "eth0", {}}, {scene.other, "eth0", {}});
  const auto becomes = [&](const std::string& line, const std::string& name,
                           const std::function<bool(const AdapterFacts&)>& right) {
    scene.host.ip({line});
    EXPECT_TRUE(scene.events.await_facts(name, right)) << line;
  };
  const auto is_up = [](const AdapterFacts& facts) { return facts.link.connected(); };
  ASSERT_TRUE(scene.events.await_facts("eth0", is_up));
  const net::InterfaceIndex index = scene.index_of("eth0");
  becomes("link set eth0 mtu 1400", "eth0", [](const auto& facts) { return facts.mtu == 1400; });
  becomes("link set eth0 address 02:01:02:03:04:05", "eth0",
          [](const auto& facts) { return facts.mac == net::MacAddress({2, 1, 2, 3, 4, 5}); });
  becomes("link set eth0 alias uplink", "eth0", [](const auto& facts) { return facts.alias == "uplink"; });
  becomes("link set eth0 promisc on", "eth0", [](const auto& facts) { return facts.promiscuity == 1; });
  becomes("link set eth0 down", "eth0", [](const auto& facts) { return !facts.link.admin_up; });
  becomes("link set eth0 name wan0", "wan0", [index](const auto& facts) { return facts.index == index; });
  becomes("link set wan0 up", "wan0", is_up);
  scene.other.ip({"link set eth0 down"});
  EXPECT_TRUE(
      scene.events.await_facts("wan0", [](const auto& facts) { return facts.link.admin_up && !facts.link.carrier; }));
  scene.host.ip({"link del wan0"});
  EXPECT_TRUE(scene.events.await_gone(index));
}

TEST(AdapterSource, KnowsTheIdOfAVlan) {
  auto ground = Ground::unprivileged({"veth", "vlan"});
  if (!ground) return;
  Scene scene(*ground);
  ground->wire({scene.host, "eth0", {}}, {scene.other, "eth0", {}});
  scene.start();
  scene.host.ip({"link add link eth0 name eth0.9 type vlan id 9"});
  EXPECT_TRUE(
      scene.events.await_facts("eth0.9", [](const auto& facts) { return facts.vlan_id == 9 && facts.kind == "vlan"; }));
}

TEST(AdapterSource, AnInterfaceThatMovesToAnotherNamespaceGoes) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  ground->wire({scene.host, "eth0", {}}, {scene.other, "eth0", {}});
  scene.start();
  const net::InterfaceIndex index = scene.index_of("eth0");
  scene.host.ip({"link set eth0 netns " + ground->host("three").path()});
  EXPECT_TRUE(scene.events.await_gone(index));
}

TEST(AdapterSource, InterfacesWithoutEthernetHaveTheirOwnMedium) {
  auto ground = Ground::unprivileged({"tun"});
  if (!ground) return;
  Scene scene(*ground);
  scene.start();
  const auto tun = scene.host.tun("tun0");
  const auto tap = scene.host.tap("tap0");
  EXPECT_TRUE(scene.events.await_facts("tun0", [](const auto& facts) { return facts.medium == Medium::kIp; }));
  EXPECT_TRUE(scene.events.await_facts("tap0", [](const auto& facts) { return facts.medium == Medium::k802_3; }));
}

TEST(AdapterSource, AfterALossEverythingIsListed) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  AdapterOptions options;
  options.monitor_buffer = 4096;
  Scene scene(*ground, std::move(options));
  // A listener that holds the thread up while more happens than the buffer takes.
  struct Holding final : ndis::AdapterListener {
    void adapter_event(const AdapterEvent& event) noexcept override {
      EXPECT_TRUE(events.await([&] { return go; }));
      events.adapter_event(event);
    }
    Events events;
    bool go = false;
  } holding;
  ASSERT_TRUE(scene.source->start(holding));
  std::vector<std::string> lines{"link add eth0 type veth peer name eth1"};
  for (int mtu = 1000; mtu < 1500; ++mtu) lines.push_back("link set eth0 mtu " + std::to_string(mtu));
  scene.host.ip(lines);
  holding.events.with([&] { holding.go = true; });
  EXPECT_TRUE(holding.events.await_listed(2));
  EXPECT_TRUE(holding.events.await_facts("eth0", [](const auto& facts) { return facts.mtu == 1499; }));
  scene.source->stop();
}

TEST(AdapterSource, TellsNothingAfterItHasStopped) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Scene scene(*ground);
  scene.start();
  scene.source->stop();
  const std::size_t told = scene.events.all.size();
  scene.host.ip({"link add eth0 type veth peer name eth1"});
  EXPECT_EQ(scene.events.all.size(), told);
}

}  // namespace
}  // namespace turnpike::kernel
